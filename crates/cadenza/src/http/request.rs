//! One request as the log knows it: an id, given to the answer as well, and one line with how it went. Neither addresses
//! nor query strings are logged: they may hold personal data and tokens.

use crate::App;
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};
use tracing::Instrument;

/// Carries the id of a request in its answer.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Names a request in the log, in its answer and in what a user reports.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

/// Where a request comes from: the peer, or whom a trusted proxy names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerAddress(pub IpAddr);

/// A layer: gives the request its id and the peer's address, and writes the line of the log.
pub async fn trace(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let id = hex(&app.clock.entropy::<8>());
    let peer = peer_address(&request, &app.config.server.trusted_proxies);
    request.extensions_mut().insert(RequestId(id.clone()));
    request.extensions_mut().insert(PeerAddress(peer));
    // The pattern, not the path: one route is one thing in the log, however many ids it is asked with.
    let path = request.extensions().get::<MatchedPath>().map_or("(no route)", MatchedPath::as_str);
    let span = tracing::info_span!("request", %id, method = %request.method(), path);
    let stopwatch = app.clock.stopwatch();
    let mut response = next.run(request).instrument(span.clone()).await;
    let _in_span = span.enter();
    let (status, micros) =
        (response.status().as_u16(), u64::try_from(stopwatch.elapsed().as_micros()).unwrap_or(u64::MAX));
    if status >= 500 {
        tracing::warn!(status, micros, "answered with an error");
    } else {
        tracing::debug!(status, micros, "answered");
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// The last address that somebody trusted vouches for: proxies append the address they were called from, so the chain is
/// read from its end, and only as long as the one who says it is trusted.
fn peer_address(request: &Request, trusted: &[IpAddr]) -> IpAddr {
    let connected = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|c| c.0.ip());
    let mut peer = connected.unwrap_or(IpAddr::from([0, 0, 0, 0])).to_canonical();
    let named = request.headers().get_all("x-forwarded-for").iter().filter_map(|v| v.to_str().ok());
    let chain: Vec<&str> = named.flat_map(|v| v.split(',')).map(str::trim).collect();
    for hop in chain.iter().rev() {
        if !trusted.contains(&peer) {
            break;
        }
        let Ok(address) = hop.parse::<IpAddr>() else { break };
        peer = address.to_canonical();
    }
    peer
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    fn peer(connected: &str, forwarded: &str, trusted: &[&str]) -> String {
        let mut request = Request::builder().header("x-forwarded-for", forwarded).body(Body::empty()).unwrap();
        request.extensions_mut().insert(ConnectInfo(SocketAddr::new(connected.parse().unwrap(), 1)));
        let trusted: Vec<IpAddr> = trusted.iter().map(|t| t.parse().unwrap()).collect();
        peer_address(&request, &trusted).to_string()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        assert_eq!(peer("192.0.2.1", "198.51.100.7", &[]), "192.0.2.1");
        assert_eq!(peer("192.0.2.1", "198.51.100.7", &["192.0.2.1"]), "198.51.100.7");
        assert_eq!(peer("192.0.2.1", "1.1.1.1, 198.51.100.7", &["192.0.2.1"]), "198.51.100.7", "the first was made up");
        assert_eq!(peer("192.0.2.1", "198.51.100.7, 192.0.2.2", &["192.0.2.1", "192.0.2.2"]), "198.51.100.7");
        assert_eq!(peer("::ffff:192.0.2.1", "nonsense", &["192.0.2.1"]), "192.0.2.1");
    }
}
