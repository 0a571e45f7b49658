//! From an account to a connection that is ready for mail: address, socket, greeting, EHLO, TLS, sign-in. Tries each
//! address once; trying again is the caller's business.

use super::account::{Account, Auth, Security};
use super::auth::{is_sayable, sign_in};
use super::connection::{Connection, Found};
use super::extensions::Extensions;
use super::outcome::{ConnectFailure, Lost, Setback, Stage};
use super::reply::Reply;
use super::tls::Trust;
use super::wire::{Stream, Wire};
use crate::clock::Clock;
use rustls::pki_types::ServerName;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// A host with more addresses than this is tried at the first ones.
const ADDRESSES_MAX: usize = 4;

impl Connection {
    /// Connects, protects the line as the account asks, and signs in. The clock measures how long the connection idles.
    ///
    /// # Errors
    /// [`ConnectFailure`]; nothing was offered, so nothing was accepted.
    pub async fn open(account: &Account, clock: &Clock) -> Result<Connection, ConnectFailure> {
        if !is_sayable(&account.auth) {
            return Err(ConnectFailure::Credentials);
        }
        let limits = account.timeouts;
        let (socket, peer) = connect(account).await?;
        if account.security == Security::None && account.auth != Auth::None && !peer.ip().is_loopback() {
            return Err(ConnectFailure::UnprotectedPassword);
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

/// The first address that answers, of those that may be connected to.
async fn connect(account: &Account) -> Result<(TcpStream, SocketAddr), ConnectFailure> {
    let (host, port, limit) = (&account.host, account.port, account.timeouts.connect);
    let unresolved = |why: String| ConnectFailure::Unresolved { host: host.clone(), why };
    let found: Vec<SocketAddr> = match timeout(limit, lookup_host((host.as_str(), port))).await {
        Ok(Ok(found)) => found.collect(),
        Ok(Err(e)) => return Err(unresolved(e.to_string())),
        Err(_) => return Err(unresolved(Lost::TimedOut(limit).to_string())),
    };
    let first = found.first().ok_or_else(|| unresolved("the name has no address".to_owned()))?;
    let mut failure = ConnectFailure::Forbidden { host: host.clone(), address: first.ip() };
    for address in found.iter().filter(|a| account.reach.allows(a.ip())).take(ADDRESSES_MAX) {
        let why = match timeout(limit, TcpStream::connect(address)).await {
            Ok(Ok(socket)) => {
                // Commands are small and answers awaited: waiting to fill a segment costs 40 ms each (Nagle).
                let _ = socket.set_nodelay(true);
                return Ok((socket, *address));
            }
            Ok(Err(e)) => e.to_string(),
            Err(_) => Lost::TimedOut(limit).to_string(),
        };
        failure = ConnectFailure::Unreachable { host: host.clone(), port, why };
    }
    Err(failure)
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
        return Err(ConnectFailure::NoStartTls);
    }
    let reply = ask(&mut wire, Stage::StartTls, "STARTTLS", account.timeouts.command).await?;
    let socket = wire.into_plain().filter(|_| reply.code == 220);
    let socket = socket.ok_or(ConnectFailure::Lost { stage: Stage::StartTls, why: Lost::Garbage(reply.text) })?;
    let mut wire = protect(socket, account).await?;
    let offered = hello(&mut wire, account).await?;
    Ok((wire, offered))
}

async fn protect(socket: TcpStream, account: &Account) -> Result<Wire, ConnectFailure> {
    let host = || account.host.clone();
    let name = ServerName::try_from(host()).map_err(|_| ConnectFailure::HostName { host: host() })?;
    let Trust(config) = &account.trust;
    let limit = account.timeouts.connect;
    match timeout(limit, TlsConnector::from(config.clone()).connect(name, socket)).await {
        Ok(Ok(stream)) => Ok(Wire::new(Stream::Tls(Box::new(stream)))),
        Ok(Err(e)) => Err(handshake_failure(&e)),
        Err(_) => Err(ConnectFailure::Handshake { why: Lost::TimedOut(limit).to_string() }),
    }
}

fn handshake_failure(error: &io::Error) -> ConnectFailure {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(why)) => ConnectFailure::Certificate { why: why.to_string() },
        _ => ConnectFailure::Handshake { why: error.to_string() },
    }
}
