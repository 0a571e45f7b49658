//! Message-IDs (RFC 5322 §3.6.4): those we make and those we answer to. It makes none up: the unique part is given.

use super::address::{InvalidAddress, parse_domain};
use std::fmt;
use std::str::FromStr;

/// `<`, `>` and the leading space leave this much of a line of 998.
const BYTES_MAX: usize = 990;

/// A Message-ID, without its angle brackets. Those that others made are kept as they came, well-formed or not, as long as
/// they are visible ASCII without angle brackets, at most 990 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId(String);

/// Why a text is no Message-ID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMessageId {
    #[error(
        "a Message-ID is 1 to {BYTES_MAX} visible ASCII characters without spaces or angle brackets, not {found:?}"
    )]
    Malformed { found: String },
    #[error("the unique part of a Message-ID is made of letters, digits, '-', '_' and single dots, not {found:?}")]
    Unique { found: String },
    #[error(transparent)]
    Domain(#[from] InvalidAddress),
}

impl MessageId {
    /// `<unique@domain>` of our own.
    pub fn new(unique: &str, domain: &str) -> Result<MessageId, InvalidMessageId> {
        let fits =
            |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
        if unique.len() > 200 || !unique.split('.').all(fits) {
            return Err(InvalidMessageId::Unique { found: unique.chars().take(64).collect() });
        }
        Ok(MessageId(format!("{unique}@{}", parse_domain(domain)?)))
    }

    /// Without angle brackets.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for MessageId {
    type Err = InvalidMessageId;
    /// With or without its angle brackets.
    fn from_str(text: &str) -> Result<MessageId, InvalidMessageId> {
        let inner = text.strip_prefix('<').and_then(|t| t.strip_suffix('>')).unwrap_or(text);
        let visible = inner.bytes().all(|b| b.is_ascii_graphic() && b != b'<' && b != b'>');
        if inner.is_empty() || inner.len() > BYTES_MAX || !visible {
            return Err(InvalidMessageId::Malformed { found: text.chars().take(64).collect() });
        }
        Ok(MessageId(inner.to_owned()))
    }
}

impl fmt::Display for MessageId {
    /// With its angle brackets, as in the header.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>", self.0)
    }
}
