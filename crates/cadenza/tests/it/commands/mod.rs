//! The command line, run as a user runs it: the program itself, its output and its exit code.

mod bench;
mod care;
mod files;
mod simulate;

use std::path::Path;
use std::process::{Command, Output};

/// The repository's root, so that paths read as in the README.
fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// Runs the program with these words behind its name, without the environment's settings.
pub fn cadenza(words: &[&str]) -> Output {
    let settings = ["LISTEN", "DATA", "DATABASE", "PUBLIC_URL", "TIME_SCALE", "CONFIG", "LOG"];
    let mut command = Command::new(env!("CARGO_BIN_EXE_cadenza"));
    command.args(words).current_dir(root());
    for name in settings {
        command.env_remove(format!("CADENZA_{name}"));
    }
    command.output().unwrap()
}

/// Output and errors as one text, with how it ended.
pub fn told(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let code = output.status.code().map_or_else(|| "killed".to_owned(), |c| c.to_string());
    format!("{}{}exit code {code}", text(&output.stdout), text(&output.stderr))
}
