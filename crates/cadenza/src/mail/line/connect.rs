//! From a host name to a socket, plain or in TLS. Tries each address once; trying again is the caller's business.

use super::secret::Auth;
use super::stream::Stream;
use crate::reach::{NotFound, Reach, Trust, find};
use rustls::pki_types::ServerName;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// A host with more addresses than this is tried at the first ones.
const ADDRESSES_MAX: usize = 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// Plain text; for this machine and trusted networks. A password is then sent to this machine only.
    None,
    /// Plain text until STARTTLS; where the server does not offer it, the connection fails.
    StartTls,
    /// TLS from the first byte (RFC 8314).
    Tls,
}

/// Why there is no line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineFailure {
    #[error(transparent)]
    Address(#[from] NotFound),
    #[error("{host}:{port} cannot be reached: {why}")]
    Unreachable { host: String, port: u16, why: String },
    #[error("{host:?} is neither a host name nor an address, so no certificate can be for it")]
    HostName { host: String },
    /// The certificate is not for this host, not of a trusted root, or expired.
    #[error("the server's certificate is not valid: {why}")]
    Certificate { why: String },
    #[error("the TLS handshake failed: {why}")]
    Handshake { why: String },
    #[error("the server does not offer STARTTLS; nothing was sent over the unprotected line")]
    NoStartTls,
    #[error("the password would cross the network unprotected: choose STARTTLS or TLS")]
    UnprotectedPassword,
    #[error("user, password and token may not contain control characters")]
    Credentials,
}

impl LineFailure {
    /// Whether trying again later, with nothing changed, may succeed.
    pub fn is_passing(&self) -> bool {
        match self {
            LineFailure::Address(NotFound::Unresolved { .. })
            | LineFailure::Unreachable { .. }
            | LineFailure::Handshake { .. } => true,
            // A name may lead elsewhere tomorrow, but somebody has to look at it.
            LineFailure::Address(NotFound::Forbidden(_))
            | LineFailure::HostName { .. }
            | LineFailure::Certificate { .. }
            | LineFailure::NoStartTls
            | LineFailure::UnprotectedPassword
            | LineFailure::Credentials => false,
        }
    }
}

/// Would a secret cross the network for everybody to read?
pub(in super::super) fn needs_protection(security: Security, auth: &Auth, peer: SocketAddr) -> bool {
    security == Security::None && *auth != Auth::None && !peer.ip().is_loopback()
}

/// The other end of a line.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Peer<'a> {
    pub host: &'a str,
    pub port: u16,
    pub reach: &'a Reach,
    pub trust: &'a Trust,
    /// To resolve the name, to reach one address, and for a TLS handshake.
    pub limit: Duration,
}

impl Peer<'_> {
    /// The first address that answers, of those that may be connected to.
    pub async fn connect(&self) -> Result<(TcpStream, SocketAddr), LineFailure> {
        let Peer { port, limit, .. } = *self;
        let mut last = String::new();
        for address in find(self.host, port, self.reach, limit).await?.iter().take(ADDRESSES_MAX) {
            last = match timeout(limit, TcpStream::connect(address)).await {
                Ok(Ok(socket)) => {
                    // Commands are small and answers awaited: waiting to fill a segment costs 40 ms each (Nagle).
                    let _ = socket.set_nodelay(true);
                    return Ok((socket, *address));
                }
                Ok(Err(e)) => e.to_string(),
                Err(_) => no_answer(limit),
            };
        }
        Err(LineFailure::Unreachable { host: self.host.to_owned(), port, why: last })
    }

    pub async fn protect(&self, socket: TcpStream) -> Result<Stream, LineFailure> {
        let host = || self.host.to_owned();
        let name = ServerName::try_from(host()).map_err(|_| LineFailure::HostName { host: host() })?;
        match timeout(self.limit, TlsConnector::from(self.trust.config().clone()).connect(name, socket)).await {
            Ok(Ok(stream)) => Ok(Stream::Tls(Box::new(stream))),
            Ok(Err(e)) => Err(handshake_failure(&e)),
            Err(_) => Err(LineFailure::Handshake { why: no_answer(self.limit) }),
        }
    }
}

fn no_answer(limit: Duration) -> String {
    format!("no answer within {} s", limit.as_secs_f32())
}

fn handshake_failure(error: &io::Error) -> LineFailure {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(why)) => LineFailure::Certificate { why: why.to_string() },
        _ => LineFailure::Handshake { why: error.to_string() },
    }
}
