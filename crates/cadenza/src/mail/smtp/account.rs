//! Where and how to connect. Holds secrets, which its `Debug` does not show.

use super::super::line::{Auth, Reach, Security, Trust};
use std::net::IpAddr;
use std::time::Duration;

/// A mail server and how to sign in to it.
#[derive(Debug, Clone)]
pub struct Account {
    /// A name or an IP address; with TLS, the certificate must be for it.
    pub host: String,
    pub port: u16,
    pub security: Security,
    pub auth: Auth,
    pub helo: HeloName,
    pub timeouts: Timeouts,
    pub trust: Trust,
    pub reach: Reach,
}

/// The name that this side gives in EHLO: a domain, or an address in brackets (RFC 5321 §4.1.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeloName(String);

/// Why a text cannot be given in EHLO.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is no name for EHLO: expected a host name such as mail.example.com, or [192.0.2.1]")]
pub struct InvalidHeloName {
    pub found: String,
}

/// How long to wait. The defaults are RFC 5321 §4.5.3.2's; waiting less for the dot makes duplicates (RFC 1047).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// To resolve the name, to reach one address, and for a TLS handshake.
    pub connect: Duration,
    /// For the greeting and for the answer to each command but those below.
    pub command: Duration,
    /// For the answer to DATA.
    pub data: Duration,
    /// For 64 KiB of a body to leave.
    pub block: Duration,
    /// For the answer to the final dot.
    pub dot: Duration,
    /// How long an unused connection is worth keeping; servers close theirs after five minutes or less.
    pub idle: Duration,
}

impl HeloName {
    pub fn new(name: &str) -> Result<HeloName, InvalidHeloName> {
        let invalid = || InvalidHeloName { found: name.chars().take(80).collect() };
        let domain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
        let literal = name.strip_prefix('[').and_then(|n| n.strip_suffix(']'));
        let fits = match literal {
            Some(address) => address.strip_prefix("IPv6:").unwrap_or(address).parse::<IpAddr>().is_ok(),
            None => !name.is_empty() && name.bytes().all(domain) && !name.starts_with(['-', '.']),
        };
        if fits && name.len() <= 253 { Ok(HeloName(name.to_owned())) } else { Err(invalid()) }
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Timeouts {
    fn default() -> Timeouts {
        Timeouts {
            connect: Duration::from_secs(30),
            command: Duration::from_secs(300),
            data: Duration::from_secs(120),
            block: Duration::from_secs(180),
            dot: Duration::from_secs(600),
            idle: Duration::from_secs(30),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_helo_name_is_a_host_or_an_address_and_nothing_else() {
        for good in ["mail.example.com", "localhost", "[192.0.2.1]", "[IPv6:2001:db8::1]"] {
            assert!(HeloName::new(good).is_ok(), "{good}");
        }
        for bad in ["", "a b", "a\r\nMAIL FROM:<>", "-a", "[192.0.2.1", "[x]", "ä.example", &"a".repeat(254)] {
            assert!(HeloName::new(bad).is_err(), "{bad}");
        }
    }
}
