//! Looks at a mail server as a sender would find it: connects, signs in, reads what is offered, leaves. Sends no mail.

use super::account::Account;
use super::connection::Connection;
use super::extensions::Extensions;
use super::outcome::ConnectFailure;
use crate::clock::Clock;
use std::net::SocketAddr;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Findings {
    pub peer: SocketAddr,
    /// The text of the server's greeting.
    pub greeting: String,
    /// Protocol and cipher suite, where the line is protected.
    pub tls: Option<String>,
    pub offered: Extensions,
}

/// Connects and signs in as [`Connection::open`] does, and says what the server offers.
///
/// # Errors
/// Why no mail could be sent either.
pub async fn probe(account: &Account, clock: &Clock) -> Result<Findings, ConnectFailure> {
    let connection = Connection::open(account, clock).await?;
    Ok(Findings::of(connection).await)
}

impl Findings {
    /// What an open connection tells; it is ended.
    pub async fn of(connection: Connection) -> Findings {
        let findings = Findings {
            peer: connection.peer(),
            greeting: connection.greeting().to_owned(),
            tls: connection.tls(),
            offered: connection.offered().clone(),
        };
        connection.quit().await;
        findings
    }
}
