//! The canonical state and reason (ENR-1, ENR-2): a total function of what is stored.

use super::reasons::words;
use super::{BlockReason, Enrollment, Finish, Hold, Life, Phase};
use std::fmt;

words! {
    /// Of a sequence (SEQ-8).
    SequenceState ("sequence state") {
        Draft = "draft", "Draft";
        Scheduled = "scheduled", "Scheduled";
        Active = "active", "Active";
        Paused = "paused", "Paused";
        Ended = "ended", "Ended";
        Archived = "archived", "Archived";
    }
}

words! {
    /// The small canonical state of an enrollment.
    State ("state") {
        Pending = "pending", "Pending";
        Active = "active", "Active";
        Blocked = "blocked", "Blocked";
        Paused = "paused", "Paused";
        Finished = "finished", "Finished";
        Removed = "removed", "Removed";
    }
}

/// The reason beside a state; each state has its own set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    Starting,
    Sequence,
    Waiting,
    Due,
    Executing,
    Blocked(BlockReason),
    Paused(Hold),
    Finished(Finish),
    Removed,
}

impl Reason {
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::Starting => "starting",
            Reason::Sequence => "sequence",
            Reason::Waiting => "waiting",
            Reason::Due => "due",
            Reason::Executing => "executing",
            Reason::Blocked(b) => b.as_str(),
            Reason::Paused(h) => h.as_str(),
            Reason::Finished(f) => f.as_str(),
            Reason::Removed => "removed",
        }
    }
    /// As a person reads it.
    pub fn label(self) -> &'static str {
        match self {
            Reason::Starting => "Starting",
            Reason::Sequence => "Waits for its sequence",
            Reason::Waiting => "Waiting",
            Reason::Due => "Due",
            Reason::Executing => "Being sent",
            Reason::Blocked(b) => b.label(),
            Reason::Paused(h) => h.label(),
            Reason::Finished(f) => f.label(),
            Reason::Removed => "Removed",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Enrollment {
    /// Removed, finished, paused, blocked, else its life; pending's reason is read off the sequence.
    pub fn state(&self, sequence: SequenceState) -> (State, Reason) {
        match self.life {
            Life::Removed => return (State::Removed, Reason::Removed),
            Life::Finished => {
                let finish = self.finish.unwrap_or(Finish::Stopped);
                return (State::Finished, Reason::Finished(finish));
            }
            Life::Pending | Life::Running => {}
        }
        if let Some(hold) = self.holds.first() {
            return (State::Paused, Reason::Paused(hold));
        }
        if let Some(block) = self.block {
            return (State::Blocked, Reason::Blocked(block));
        }
        if self.life == Life::Pending {
            let reason = if sequence == SequenceState::Active { Reason::Starting } else { Reason::Sequence };
            return (State::Pending, reason);
        }
        let reason = match self.place.as_ref().map(|p| p.phase) {
            Some(Phase::Executing) => Reason::Executing,
            Some(Phase::Due) => Reason::Due,
            Some(Phase::Waiting) | None => Reason::Waiting,
        };
        (State::Active, reason)
    }
}
