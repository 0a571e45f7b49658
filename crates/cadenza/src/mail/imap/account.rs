//! Where and how to connect. Holds secrets, which its `Debug` does not show.

use super::super::line::{Auth, Reach, Security, Trust};
use std::time::Duration;

/// An IMAP server and how to sign in to it.
#[derive(Debug, Clone)]
pub struct Account {
    /// A name or an IP address; with TLS, the certificate must be for it.
    pub host: String,
    pub port: u16,
    pub security: Security,
    /// Anything but `None`, with which nobody reads mail.
    pub auth: Auth,
    pub timeouts: Timeouts,
    pub trust: Trust,
    pub reach: Reach,
}

/// How long to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// To resolve the name, to reach one address, and for a TLS handshake.
    pub connect: Duration,
    /// For the next bytes of an answer.
    pub answer: Duration,
    /// For the whole answer to a command, however busily it drips.
    pub command: Duration,
}

impl Default for Timeouts {
    fn default() -> Timeouts {
        Timeouts {
            connect: Duration::from_secs(30),
            answer: Duration::from_secs(60),
            command: Duration::from_secs(600),
        }
    }
}
