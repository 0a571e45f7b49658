//! From an account to a connection that is ready for mail: address, socket, greeting, EHLO, TLS, sign-in. Tries each
//! address once; trying again is the caller's business.

use super::super::line::{LineFailure, Peer, Security, Stream, is_sayable, needs_protection};
use super::account::Account;
use super::auth::sign_in;
use super::connection::{Connection, Found};
use super::extensions::Extensions;
use super::outcome::{ConnectFailure, Lost, Setback, Stage};
use super::reply::Reply;
use super::wire::Wire;
use crate::clock::Clock;
use std::time::Duration;
use tokio::net::TcpStream;

impl Connection {
    /// Connects, protects the line as the account asks, and signs in. The clock measures how long the connection idles.
    ///
    /// # Errors
    /// [`ConnectFailure`]; nothing was offered, so nothing was accepted.
    pub async fn open(account: &Account, clock: &Clock) -> Result<Connection, ConnectFailure> {
        if !is_sayable(&account.auth) {
            return Err(LineFailure::Credentials.into());
        }
        let limits = account.timeouts;
        let (socket, peer) = peer_of(account).connect().await?;
        if needs_protection(account.security, &account.auth, peer) {
            return Err(LineFailure::UnprotectedPassword.into());
        }
        let mut wire = match account.security {
            Security::Tls => protect(socket, account).await?,
            Security::None | Security::StartTls => Wire::new(Stream::Plain(socket)),
        };
        let greeting = answered(&mut wire, Stage::Greeting, limits.command).await?;
        let mut offered = hello(&mut wire, account).await?;
        if account.security == Security::StartTls {
            (wire, offered) = start_tls(wire, &offered, account).await?;
        }
        sign_in(&mut wire, &account.auth, &offered, limits.command).await?;
        let found = Found { offered, peer, greeting: greeting.text };
        Ok(Connection::new(wire, found, limits, clock))
    }
}

/// Sends one line and waits for its answer; a negative one is a failure.
pub(super) async fn ask(wire: &mut Wire, stage: Stage, line: &str, limit: Duration) -> Result<Reply, ConnectFailure> {
    wire.outbox.extend_from_slice(line.as_bytes());
    wire.outbox.extend_from_slice(b"\r\n");
    wire.send(limit).await.map_err(|why| ConnectFailure::Lost { stage, why })?;
    answered(wire, stage, limit).await
}

async fn answered(wire: &mut Wire, stage: Stage, limit: Duration) -> Result<Reply, ConnectFailure> {
    let reply = wire.reply(limit).await.map_err(|why| ConnectFailure::Lost { stage, why })?;
    if reply.is_negative() { Err(Setback::of(stage, reply).while_connecting(stage)) } else { Ok(reply) }
}

/// EHLO, or HELO where the server does not know it.
async fn hello(wire: &mut Wire, account: &Account) -> Result<Extensions, ConnectFailure> {
    let (name, limit) = (account.helo.as_str(), account.timeouts.command);
    match ask(wire, Stage::Hello, &format!("EHLO {name}"), limit).await {
        Ok(reply) if reply.is_positive() => Ok(Extensions::parse(&reply.text)),
        Err(ConnectFailure::Refused(_)) => {
            ask(wire, Stage::Hello, &format!("HELO {name}"), limit).await?;
            Ok(Extensions::default())
        }
        Ok(reply) => Err(ConnectFailure::Lost { stage: Stage::Hello, why: Lost::Garbage(reply.text) }),
        Err(failure) => Err(failure),
    }
}

/// Never falls back: without TLS there is no connection. What was offered before it is forgotten (RFC 3207 §4.2).
async fn start_tls(
    mut wire: Wire,
    offered: &Extensions,
    account: &Account,
) -> Result<(Wire, Extensions), ConnectFailure> {
    if !offered.start_tls {
        return Err(LineFailure::NoStartTls.into());
    }
    let reply = ask(&mut wire, Stage::StartTls, "STARTTLS", account.timeouts.command).await?;
    let socket = wire.into_plain().filter(|_| reply.code == 220);
    let socket = socket.ok_or(ConnectFailure::Lost { stage: Stage::StartTls, why: Lost::Garbage(reply.text) })?;
    let mut wire = protect(socket, account).await?;
    let offered = hello(&mut wire, account).await?;
    Ok((wire, offered))
}

async fn protect(socket: TcpStream, account: &Account) -> Result<Wire, ConnectFailure> {
    Ok(Wire::new(peer_of(account).protect(socket).await?))
}

fn peer_of(account: &Account) -> Peer<'_> {
    let Account { host, port, reach, trust, timeouts, .. } = account;
    Peer { host, port: *port, reach, trust, limit: timeouts.connect }
}
