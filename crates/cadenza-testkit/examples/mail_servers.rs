//! Postfix and Dovecot on loopback for somebody at a terminal: starts them, says where they are, and keeps them until Ctrl-C.
//! `./x mail-servers` runs it.

use cadenza_testkit::MailServers;
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    let servers = match MailServers::start() {
        Ok(servers) => servers,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    println!("SMTP       127.0.0.1:{}", servers.mx_port());
    println!("IMAP       127.0.0.1:{}", servers.imap_port());
    println!("mailboxes  {}", servers.folder().display());
    println!("password   {} (of every mailbox; its name is its whole address)", MailServers::PASSWORD);
    println!("They take mail for .test, .example and example.com, .net and .org, and send nothing anywhere else.");
    println!("Ctrl-C ends them, and their mail goes with them.");
    // A signal ends this process, and the servers end with it.
    loop {
        std::thread::sleep(Duration::from_secs(3_600));
    }
}
