//! Reads mails and prints a line of JSON for each: `cargo run --example classify -- PATH…`. For scoring the rules.

use cadenza_core::inbound;
use cadenza_core::time::Time;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut failed = false;
    for path in std::env::args().skip(1) {
        let name = Path::new(&path).file_name().map_or_else(|| path.clone(), |n| n.to_string_lossy().into_owned());
        match std::fs::read(&path) {
            Err(error) => {
                eprintln!("{path}: {error}");
                failed = true;
            }
            Ok(raw) => match inbound::read(&raw, Time::from_seconds(0)) {
                Ok(incoming) => println!("{}", inbound::report::line(&name, &incoming)),
                Err(unreadable) => {
                    eprintln!("{path}: {unreadable}");
                    failed = true;
                }
            },
        }
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
