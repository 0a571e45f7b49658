//! How connecting, offering and finishing end, in the one distinction that matters: accepted, refused, provably not
//! accepted, or unknown. Decides nothing about what follows.

use super::super::line::LineFailure;
use super::refusal::{Refusal, Term, judge};
use super::reply::Reply;
use std::fmt;
use std::time::Duration;

/// Where in the conversation something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    Greeting,
    /// EHLO or HELO.
    Hello,
    StartTls,
    Auth,
    Mail,
    Rcpt,
    Data,
    /// While the body is on its way.
    Body,
    /// The answer to the final dot.
    Dot,
    Reset,
}

/// Why the line is of no more use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Lost {
    #[error("the server closed the connection")]
    Closed,
    #[error("no answer within {} s", .0.as_secs_f32())]
    TimedOut(Duration),
    #[error("the network failed: {0}")]
    Network(String),
    #[error("the server answered what is no SMTP reply: {0:?}")]
    Garbage(String),
    #[error("the server's answer did not end within 1 MiB")]
    Oversized,
    #[error("the connection was left unusable by what went before")]
    Unusable,
}

/// What came of the final dot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The server has taken responsibility; `text` is its reply, which often names its queue id.
    Accepted { text: String },
    /// Refused for good.
    Refused(Refusal),
    /// Refused for now: not accepted, to be tried again. A 421 in place of an acceptance is this too.
    Deferred(Refusal),
    /// The dot was never given, since the line was found dead just before: provably not accepted.
    NotGiven { why: Lost },
    /// The dot was given and no answer to it understood. The mail may have been accepted: it must not be sent again.
    Unknown { why: Lost },
}

/// Why an offer did not get to the dot. In every case the server has provably not accepted the mail.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OfferFailure {
    #[error("refused: {0}")]
    Refused(Refusal),
    #[error("refused for now: {0}")]
    Deferred(Refusal),
    #[error("the connection was lost at {stage}: {why}")]
    Lost { stage: Stage, why: Lost },
    /// Not tried, since it cannot succeed; the connection stays usable.
    #[error(transparent)]
    Unfit(Unfit),
}

/// Why a mail cannot be offered to this server at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    #[error("the mail has no recipient")]
    NoRecipient,
    #[error("the mail has {bytes} bytes and the server takes at most {limit}")]
    TooLarge { bytes: u64, limit: u64 },
    #[error("the mail has bytes outside ASCII and the server does not offer 8BITMIME")]
    EightBit,
}

/// Why there is no connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectFailure {
    #[error(transparent)]
    Line(#[from] LineFailure),
    #[error("the server offers no way to sign in that fits: it offers {}", if .offered.is_empty() { "none" } else { .offered })]
    NoMechanism { offered: String },
    #[error("refused: {0}")]
    Refused(Refusal),
    #[error("refused for now: {0}")]
    Deferred(Refusal),
    #[error("the connection was lost at {stage}: {why}")]
    Lost { stage: Stage, why: Lost },
}

/// A reply that was not the one hoped for, or none.
#[derive(Debug)]
pub(super) enum Setback {
    Refused(Refusal),
    Deferred(Refusal),
    Lost(Lost),
}

impl Setback {
    /// Judges a negative reply; one that is neither positive nor negative makes no sense here.
    pub fn of(stage: Stage, reply: Reply) -> Setback {
        if !reply.is_negative() {
            return Setback::Lost(Lost::Garbage(format!("{} {}", reply.code, reply.text)));
        }
        match judge(stage, reply) {
            (Term::ForGood, refusal) => Setback::Refused(refusal),
            (Term::ForNow, refusal) => Setback::Deferred(refusal),
        }
    }

    /// Only a proper refusal leaves the line in a state that is known; a 421 says that the server closes it.
    pub fn leaves_the_line_usable(&self) -> bool {
        match self {
            Setback::Refused(refusal) | Setback::Deferred(refusal) => refusal.code != 421,
            Setback::Lost(_) => false,
        }
    }

    pub fn while_offering(self, stage: Stage) -> OfferFailure {
        match self {
            Setback::Refused(refusal) => OfferFailure::Refused(refusal),
            Setback::Deferred(refusal) => OfferFailure::Deferred(refusal),
            Setback::Lost(why) => OfferFailure::Lost { stage, why },
        }
    }

    pub fn while_connecting(self, stage: Stage) -> ConnectFailure {
        match self {
            Setback::Refused(refusal) => ConnectFailure::Refused(refusal),
            Setback::Deferred(refusal) => ConnectFailure::Deferred(refusal),
            Setback::Lost(why) => ConnectFailure::Lost { stage, why },
        }
    }

    /// Without words, the answer is what `wordless` makes of the loss.
    pub fn at_the_dot(self, wordless: impl FnOnce(Lost) -> Answer) -> Answer {
        match self {
            Setback::Refused(refusal) => Answer::Refused(refusal),
            Setback::Deferred(refusal) => Answer::Deferred(refusal),
            Setback::Lost(why) => wordless(why),
        }
    }
}

impl ConnectFailure {
    /// Whether trying again later, with nothing changed, may succeed.
    pub fn is_passing(&self) -> bool {
        match self {
            ConnectFailure::Line(failure) => failure.is_passing(),
            ConnectFailure::Deferred(_) | ConnectFailure::Lost { .. } => true,
            ConnectFailure::NoMechanism { .. } | ConnectFailure::Refused(_) => false,
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stage::Greeting => "the greeting",
            Stage::Hello => "EHLO",
            Stage::StartTls => "STARTTLS",
            Stage::Auth => "AUTH",
            Stage::Mail => "MAIL",
            Stage::Rcpt => "RCPT",
            Stage::Data => "DATA",
            Stage::Body => "the body",
            Stage::Dot => "the final dot",
            Stage::Reset => "RSET",
        })
    }
}
