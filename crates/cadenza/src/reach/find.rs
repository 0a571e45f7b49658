//! From a host name to addresses that may be connected to. Asks once and judges every answer; callers connect to what they are
//! given and never ask again, since the next answer may be another (DNS rebinding).

use super::{Forbidden, Reach};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::lookup_host;
use tokio::time::timeout;

/// Why there is no address to connect to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotFound {
    #[error("the host {host:?} cannot be found: {why}")]
    Unresolved { host: String, why: String },
    /// Of all that the name leads to, none is left; this is the first.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
}

/// The addresses of a host that may be connected to, in the order in which they were answered; at least one.
///
/// # Errors
/// [`NotFound`].
pub async fn find(host: &str, port: u16, reach: &Reach, limit: Duration) -> Result<Vec<SocketAddr>, NotFound> {
    let unresolved = |why: String| NotFound::Unresolved { host: host.to_owned(), why };
    let found = match timeout(limit, lookup_host((host, port))).await {
        Ok(Ok(found)) => found,
        Ok(Err(e)) => return Err(unresolved(e.to_string())),
        Err(_) => return Err(unresolved(format!("no answer within {} s", limit.as_secs_f32()))),
    };
    let mut refused = None;
    let mut allowed = Vec::new();
    for address in found {
        match reach.judge(address.ip()) {
            Ok(()) => allowed.push(address),
            Err(kind) => {
                let forbidden = Forbidden { host: host.to_owned(), address: address.ip(), kind };
                refused = refused.or(Some(forbidden));
            }
        }
    }
    match (allowed.is_empty(), refused) {
        (false, _) => Ok(allowed),
        (true, Some(forbidden)) => Err(forbidden.into()),
        (true, None) => Err(unresolved("the name has no address".to_owned())),
    }
}
