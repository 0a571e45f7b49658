//! The SMTP client, against a scripted server at every phase and against Debian's real ones.

mod answers;
mod conversation;
mod phases;
mod protected;
mod real_mail;

use crate::smtp_server::SmtpServer;
use cadenza::clock::Clock;
use cadenza::mail::smtp::{
    Account, Answer, Auth, Connection, Envelope, HeloName, OfferFailure, Reach, Security, Timeouts, Trust,
};
use std::time::Duration;

/// Long enough for a loaded machine to answer, short enough to wait for nothing.
const PATIENCE: Duration = Duration::from_millis(1000);

/// For a server on this machine, without TLS, with little patience.
fn account(port: u16) -> Account {
    Account {
        host: "127.0.0.1".to_owned(),
        port,
        security: Security::None,
        auth: Auth::None,
        helo: HeloName::new("client.example").unwrap(),
        timeouts: Timeouts {
            connect: Duration::from_secs(5),
            command: PATIENCE,
            data: PATIENCE,
            block: PATIENCE,
            dot: PATIENCE,
            idle: Duration::from_secs(30),
        },
        trust: Trust::system().unwrap(),
        reach: Reach::default().with_loopback(),
    }
}

/// As [`account`], for servers that answer: waits as long as it takes.
fn patient(port: u16) -> Account {
    Account { timeouts: Timeouts::default(), ..account(port) }
}

fn envelope() -> Envelope {
    Envelope::new(Some("ada@sender.example".parse().unwrap()), "bob@recipient.example".parse().unwrap())
}

const BODY: &[u8] = b"Subject: hello\r\n\r\nHello Bob.\r\n";

async fn open(server: &SmtpServer) -> Connection {
    Connection::open(&patient(server.port()), &Clock::system()).await.unwrap()
}

async fn send(connection: &mut Connection) -> Result<Answer, OfferFailure> {
    Ok(connection.offer(&envelope(), BODY).await?.finish().await)
}
