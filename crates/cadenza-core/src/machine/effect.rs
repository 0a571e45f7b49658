//! What a decision asks the shell to write beside the enrollment's own row. Every effect is a row in the same transaction;
//! nothing here acts on the world.

use super::event::{Actor, Event, Incoming};
use crate::enrollment::Mark;
use crate::flow::{Channel, Key, Outcome, Priority, SideAction, StepKind};
use crate::ids::{MailboxId, UserId};
use crate::pacing::Scope;
use crate::time::Time;

#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// A new activity exists (ENR-7).
    Plan(Plan),
    /// Its due date follows an edit or an operation.
    Redue {
        visit: u32,
        due: Time,
    },
    /// The activity has become due: a task appears, an automatic step waits for a gate.
    Appear {
        visit: u32,
        at: Time,
    },
    /// The activity belongs to another owner now.
    Own {
        visit: u32,
        owner: UserId,
    },
    /// The activity ended.
    Close {
        visit: u32,
        outcome: Outcome,
        at: Time,
        by: Actor,
    },
    /// One attempt to send: an outbox row, with the room it uses.
    Send(Send),
    /// The attempt must not pass its mark any more; its room is given back, and it is settled as withdrawn.
    Withdraw {
        visit: u32,
        attempt: u32,
    },
    /// The attempt may pass its mark.
    Permit {
        visit: u32,
        attempt: u32,
    },
    /// What became of the attempt.
    Settle {
        visit: u32,
        attempt: u32,
        how: Settled,
        detail: String,
    },
    Suppress {
        what: SuppressWhat,
        why: SuppressWhy,
    },
    /// Nothing goes out from this mailbox until a person looks.
    HoldMailbox {
        mailbox: MailboxId,
        detail: String,
    },
    /// The same news for other enrollments, in the same transaction.
    Spread(Spread),
    Side {
        visit: u32,
        action: SideAction,
    },
    /// A person's mark on the contact, shown on its own record.
    Status {
        mark: Option<Mark>,
    },
    /// Delete everything but the completed activities (OPS-7).
    Erase,
    /// Take the contact off the sequence's list (OPS-6).
    TakeOffList,
}

/// A new activity.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    pub visit: u32,
    pub branch: Key,
    pub step: Key,
    pub kind: StepKind,
    pub revision: u32,
    pub due: Time,
    pub owner: UserId,
    pub priority: Priority,
}

/// An attempt to be recorded before anything leaves.
#[derive(Debug, Clone, PartialEq)]
pub struct Send {
    pub visit: u32,
    pub attempt: u32,
    pub channel: Channel,
    /// The address or number.
    pub to: String,
    /// `None` for texts.
    pub mailbox: Option<MailboxId>,
    pub step: Key,
    pub revision: u32,
    /// Which wording.
    pub variant: Key,
    pub same_thread: bool,
    /// The room it uses, reserved now and given back if it is withdrawn or refused.
    pub scopes: Vec<Scope>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    Sent,
    /// Refused for now; the next attempt is another row.
    Deferred,
    Refused,
    Unknown,
    /// Never offered whole, and will not be.
    Withdrawn,
}

impl Settled {
    pub fn as_str(self) -> &'static str {
        match self {
            Settled::Sent => "sent",
            Settled::Deferred => "deferred",
            Settled::Refused => "refused",
            Settled::Unknown => "unknown",
            Settled::Withdrawn => "withdrawn",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SuppressWhat {
    /// The address of the visit's message, else every email address of the subject.
    Email {
        visit: Option<u32>,
    },
    Phone {
        visit: Option<u32>,
    },
    Everything,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SuppressWhy {
    OptOut,
    HardBounce,
    Complaint,
    Mark,
}

impl SuppressWhy {
    pub fn as_str(self) -> &'static str {
        match self {
            SuppressWhy::OptOut => "opt_out",
            SuppressWhy::HardBounce => "hard_bounce",
            SuppressWhy::Complaint => "complaint",
            SuppressWhy::Mark => "mark",
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub enum Spread {
    /// To the contact's other live enrollments.
    OtherSequences(Event),
    /// To live enrollments of the same company's contacts.
    Colleagues(Event),
    /// A task asks a person what to do with the contact's other sequences or with colleagues.
    Ask { colleagues: bool, channel: Incoming },
}
