//! How talking to an IMAP server fails, in words for whoever set it up.

use super::super::line::LineFailure;
use std::fmt;
use std::io;
use std::time::Duration;

/// Where in the conversation something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    Greeting,
    Capability,
    StartTls,
    SignIn,
    List,
    Examine,
    Search,
    Fetch,
    Idle,
    Logout,
}

/// Why something was not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    #[error(transparent)]
    Line(#[from] LineFailure),
    #[error("the server offers no way to sign in that fits: it offers {}", if .offered.is_empty() { "none" } else { .offered })]
    NoMechanism { offered: String },
    #[error("sign-in was refused: {text}")]
    SignIn {
        text: String,
        /// The server says that the trouble is its own (RFC 5530), or did not understand.
        passing: bool,
    },
    /// NO or BAD. The connection stays usable.
    #[error("{stage} was refused: {text}")]
    Refused { stage: Stage, text: String },
    #[error("the server gives the folder no UIDVALIDITY, so its messages cannot be told apart")]
    NoUidValidity,
    #[error("the server ended the connection at {stage}{}", said(.text))]
    Closed { stage: Stage, text: String },
    #[error("no answer at {stage} within {} s", .limit.as_secs_f32())]
    TimedOut { stage: Stage, limit: Duration },
    #[error("the network failed at {stage}: {why}")]
    Network { stage: Stage, why: String },
    #[error("the server's answer at {stage} is no IMAP: {found:?}")]
    Garbage { stage: Stage, found: String },
    #[error("the server's answer at {stage} is larger than asked for: more than {limit} bytes")]
    Oversized { stage: Stage, limit: usize },
}

/// What of a connection's end the line itself knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lost {
    Closed,
    TimedOut(Duration),
    Network(String),
    /// How it begins.
    Garbage(String),
    Oversized(usize),
}

impl Lost {
    pub(super) fn of(error: &io::Error) -> Lost {
        match error.kind() {
            // TLS reports an end without its farewell as this; here both are an end.
            io::ErrorKind::UnexpectedEof => Lost::Closed,
            _ => Lost::Network(error.to_string()),
        }
    }

    pub(super) fn at(self, stage: Stage) -> Failure {
        match self {
            Lost::Closed => Failure::Closed { stage, text: String::new() },
            Lost::TimedOut(limit) => Failure::TimedOut { stage, limit },
            Lost::Network(why) => Failure::Network { stage, why },
            Lost::Garbage(found) => Failure::Garbage { stage, found },
            Lost::Oversized(limit) => Failure::Oversized { stage, limit },
        }
    }
}

impl Failure {
    /// Whether the connection can still be used.
    pub fn leaves_the_line_usable(&self) -> bool {
        matches!(self, Failure::Refused { .. } | Failure::NoUidValidity)
    }

    /// Whether trying again soon, with nothing changed, may succeed.
    pub fn is_passing(&self) -> bool {
        match self {
            Failure::Line(failure) => failure.is_passing(),
            Failure::SignIn { passing, .. } => *passing,
            Failure::NoMechanism { .. } => false,
            _ => true,
        }
    }

    /// Its kind alone, for logs: what a server says may name the person whose mailbox it is.
    pub fn kind(&self) -> &'static str {
        match self {
            Failure::Line(_) => "no connection",
            Failure::NoMechanism { .. } => "no way to sign in",
            Failure::SignIn { .. } => "sign-in refused",
            Failure::Refused { .. } => "a command was refused",
            Failure::NoUidValidity => "no UIDVALIDITY",
            Failure::Closed { .. } => "the server closed the connection",
            Failure::TimedOut { .. } => "no answer in time",
            Failure::Network { .. } => "the network failed",
            Failure::Garbage { .. } => "an answer that is no IMAP",
            Failure::Oversized { .. } => "an answer that is too large",
        }
    }
}

fn said(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(": {text}") }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stage::Greeting => "the greeting",
            Stage::Capability => "CAPABILITY",
            Stage::StartTls => "STARTTLS",
            Stage::SignIn => "sign-in",
            Stage::List => "LIST",
            Stage::Examine => "EXAMINE",
            Stage::Search => "SEARCH",
            Stage::Fetch => "FETCH",
            Stage::Idle => "IDLE",
            Stage::Logout => "LOGOUT",
        })
    }
}
