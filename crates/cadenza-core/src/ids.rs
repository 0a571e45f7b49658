//! Identities: one type per noun, a number in the database, a prefixed string everywhere a person or a program reads it.
//!
//! A number is 41 bits of milliseconds since 2024-01-01, 10 bits of node and 12 of counter, so ids of one workspace sort by
//! the time they were made and two nodes never make the same one. This file makes no id by itself: it is told the time.

use crate::time::Time;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// Milliseconds between 1970-01-01 and 2024-01-01, the zero of ids.
const EPOCH_MS: i64 = 1_704_067_200_000;
/// Crockford's base 32 in lower case: no i, l, o, u, so an id survives being read aloud.
pub(crate) const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// 63 bits in digits of five bits.
const DIGITS: usize = 13;

/// Why a string is no id of the kind that was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is not a valid id: expected {expected}_ followed by {DIGITS} letters and digits")]
pub struct InvalidId {
    pub expected: &'static str,
    pub found: String,
}

/// Writes `prefix_digits`; the same for every kind of id.
fn write_id(f: &mut fmt::Formatter<'_>, prefix: &str, value: i64) -> fmt::Result {
    let mut digits = [0u8; DIGITS];
    let mut rest = value as u64;
    for slot in digits.iter_mut().rev() {
        *slot = ALPHABET[(rest & 31) as usize];
        rest >>= 5;
    }
    f.write_str(prefix)?;
    f.write_str("_")?;
    f.write_str(std::str::from_utf8(&digits).map_err(|_| fmt::Error)?)
}

fn read_id(prefix: &'static str, text: &str) -> Result<i64, InvalidId> {
    let invalid = || InvalidId { expected: prefix, found: text.chars().take(64).collect() };
    let digits = text.strip_prefix(prefix).and_then(|t| t.strip_prefix('_')).ok_or_else(invalid)?;
    if digits.len() != DIGITS {
        return Err(invalid());
    }
    let mut value: u64 = 0;
    for b in digits.bytes() {
        let digit = ALPHABET.iter().position(|a| *a == b.to_ascii_lowercase()).ok_or_else(invalid)?;
        if value >> 58 != 0 {
            return Err(invalid());
        }
        value = (value << 5) | digit as u64;
    }
    i64::try_from(value).map_err(|_| invalid())
}

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub i64);

        impl $name {
            pub const PREFIX: &'static str = $prefix;
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_id(f, $prefix, self.0)
            }
        }
        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                read_id($prefix, text).map($name)
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

id! {
    WorkspaceId = "wsp";
    UserId = "usr";
    TeamId = "team";
    SessionId = "ses";
    TokenId = "tok";
    ContactId = "con";
    CompanyId = "com";
    OpportunityId = "opp";
    ListId = "lst";
    /// A reusable flow that never runs itself.
    TemplateId = "tpl";
    SequenceId = "seq";
    BranchId = "brn";
    /// Permanent over all versions of a flow.
    StepId = "stp";
    EnrollmentId = "enr";
    MailboxId = "mbx";
    /// One line of an enrollment's history.
    EventId = "evt";
    /// One attempt to send one message.
    SendId = "snd";
    /// A message that came in.
    MessageId = "msg";
    AttachmentId = "att";
    /// A log entry on a record's own timeline.
    LogEntryId = "log";
    TaskId = "tsk";
    JobId = "job";
    /// A wording of its own, for steps and for users.
    MessageTemplateId = "mtp";
    WorkflowId = "wfl";
    WorkflowStageId = "wst";
    AbsenceId = "abs";
    WebhookId = "whk";
    /// One event told to one webhook.
    DeliveryId = "dlv";
    /// A list or search with its filters, kept under a name.
    ViewId = "viw";
    /// A line of the audit log.
    AuditId = "aud";
    /// A person's answer to a message.
    AnswerId = "ans";
    /// What the sandbox received.
    SandboxMessageId = "sbx";
}

/// Makes ids that grow, for one node; as many as wanted in one millisecond, by running ahead of the clock.
#[derive(Debug, Clone)]
pub struct IdSource {
    node: u16,
    last: i64,
}

impl IdSource {
    /// `node` is 0 to 1023, unique among the processes that write to one database.
    pub fn new(node: u16) -> Self {
        IdSource { node: node & 0x3ff, last: 0 }
    }

    /// Goes on as another node, behind what it has given already: also a process that comes back under its own number in the
    /// same millisecond gives none twice.
    pub fn go_on_as(&mut self, node: u16) {
        self.node = node & 0x3ff;
    }

    /// The next number; never one that this source gave before, even when the clock goes back.
    pub fn next(&mut self, now: Time) -> i64 {
        let ms = (now.micros().div_euclid(1000) - EPOCH_MS).max(0);
        let floor = ms << 12;
        self.last = if floor > self.last { floor } else { self.last + 1 };
        let (ms, counter) = (self.last >> 12, self.last & 0xfff);
        (ms << 22) | (i64::from(self.node) << 12) | counter
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_as_written_and_refuses_another_kind() {
        let id = ContactId(0x0123_4567_89ab_cdef);
        let text = id.to_string();
        assert!(text.starts_with("con_"), "{text}");
        assert_eq!(text.parse::<ContactId>(), Ok(id));
        assert!(text.parse::<CompanyId>().is_err());
        assert!("con_".parse::<ContactId>().is_err());
        assert!("con_zzzzzzzzzzzzz".parse::<ContactId>().is_err(), "more than 63 bits");
        assert!("con_000000000000u".parse::<ContactId>().is_err(), "u is no digit");
    }

    #[test]
    fn ids_grow_even_when_the_clock_goes_back_or_stands() {
        let mut source = IdSource::new(7);
        let start = Time::from_micros(1_800_000_000_000_000);
        let mut last = 0;
        for i in 0..10_000i64 {
            let id = source.next(Time::from_micros(start.micros() - i * 50));
            assert!(id > last);
            assert_eq!((id >> 12) & 0x3ff, 7);
            last = id;
        }
        source.go_on_as(7);
        assert!(source.next(start) > last, "the same node again");
    }
}
