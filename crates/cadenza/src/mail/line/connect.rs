//! From a host name to a socket, plain or in TLS. Tries each address once; trying again is the caller's business.

use super::secret::Auth;
use super::stream::Stream;
use super::trust::Trust;
use rustls::pki_types::ServerName;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpStream, lookup_host};
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

/// Which addresses may be connected to. A host is a user's input: without this, a mailbox's settings could be used to
/// reach into the private network.
#[derive(Clone)]
pub struct Reach(Option<Arc<dyn Fn(IpAddr) -> bool + Send + Sync>>);

/// Why there is no line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineFailure {
    #[error("the host {host:?} cannot be found: {why}")]
    Unresolved { host: String, why: String },
    #[error("{host:?} leads to {address}, which may not be connected to")]
    Forbidden { host: String, address: IpAddr },
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
            LineFailure::Unresolved { .. } | LineFailure::Unreachable { .. } | LineFailure::Handshake { .. } => true,
            LineFailure::Forbidden { .. }
            | LineFailure::HostName { .. }
            | LineFailure::Certificate { .. }
            | LineFailure::NoStartTls
            | LineFailure::UnprotectedPassword
            | LineFailure::Credentials => false,
        }
    }
}

impl Reach {
    pub fn anywhere() -> Reach {
        Reach(None)
    }
    /// Only addresses that `allowed` says yes to; the address that was asked about is the one connected to.
    pub fn only(allowed: impl Fn(IpAddr) -> bool + Send + Sync + 'static) -> Reach {
        Reach(Some(Arc::new(allowed)))
    }
    fn allows(&self, address: IpAddr) -> bool {
        self.0.as_ref().is_none_or(|allowed| allowed(address))
    }
}

impl fmt::Debug for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Reach(limited)" } else { "Reach(anywhere)" })
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
        let host = || self.host.to_owned();
        let unresolved = |why: String| LineFailure::Unresolved { host: host(), why };
        let found: Vec<SocketAddr> = match timeout(limit, lookup_host((self.host, port))).await {
            Ok(Ok(found)) => found.collect(),
            Ok(Err(e)) => return Err(unresolved(e.to_string())),
            Err(_) => return Err(unresolved(no_answer(limit))),
        };
        let first = found.first().ok_or_else(|| unresolved("the name has no address".to_owned()))?;
        let mut failure = LineFailure::Forbidden { host: host(), address: first.ip() };
        for address in found.iter().filter(|a| self.reach.allows(a.ip())).take(ADDRESSES_MAX) {
            let why = match timeout(limit, TcpStream::connect(address)).await {
                Ok(Ok(socket)) => {
                    // Commands are small and answers awaited: waiting to fill a segment costs 40 ms each (Nagle).
                    let _ = socket.set_nodelay(true);
                    return Ok((socket, *address));
                }
                Ok(Err(e)) => e.to_string(),
                Err(_) => no_answer(limit),
            };
            failure = LineFailure::Unreachable { host: host(), port, why };
        }
        Err(failure)
    }

    pub async fn protect(&self, socket: TcpStream) -> Result<Stream, LineFailure> {
        let host = || self.host.to_owned();
        let name = ServerName::try_from(host()).map_err(|_| LineFailure::HostName { host: host() })?;
        let Trust(config) = self.trust;
        match timeout(self.limit, TlsConnector::from(config.clone()).connect(name, socket)).await {
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
