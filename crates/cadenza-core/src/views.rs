//! What users see of an enrollment beside its state (ENR-3 to ENR-5): total functions of what is stored, of the sequence's
//! state and of the moment.

use crate::enrollment::{Enrollment, Finish, Hold, Life, Mark, Reason, SequenceState, State, words};
use crate::flow::Verdict;
use crate::time::{Span, Time};

words! {
    /// What became of it, as the enrollment screens say it.
    StatusReason ("status reason") {
        PendingStart = "pending_start", "Pending Start";
        Running = "running", "Running";
        Paused = "paused", "Paused";
        Replied = "replied", "Replied";
        OutOfOfficeReply = "out_of_office_reply", "Out of Office Reply";
        Completed = "completed", "Completed";
        OptOut = "opt_out", "Opt-out";
        Cancelled = "cancelled", "Cancelled";
        Bounced = "bounced", "Bounced";
    }
}

words! {
    /// The badge on a record's card.
    RecordStatus ("record status") {
        InProgress = "in_progress", "In Progress";
        Failed = "failed", "Failed (Error)";
        Stopped = "stopped", "Stopped";
        Completed = "completed", "Completed";
    }
}

words! {
    /// Where the relation to the person stands.
    Stage ("stage") {
        OptedOut = "opted_out", "Opted out";
        Bounced = "bounced", "Bounced";
        Success = "success", "Success";
        NotInterested = "not_interested", "Not interested";
        Unresponsive = "unresponsive", "Unresponsive";
        Approaching = "approaching", "Approaching";
        NotStarted = "not_started", "Not started";
        Started = "started", "Started";
    }
}

words! {
    /// The stage as said of the person, one to one.
    PersonStatus ("person status") {
        Unsubscribed = "unsubscribed", "Unsubscribed";
        Bounced = "bounced", "Bounced";
        Success = "success", "Success";
        NotInterested = "not_interested", "Not interested";
        Unresponsive = "unresponsive", "Unresponsive";
        InProgress = "in_progress", "In progress";
        NotContacted = "not_contacted", "Not contacted";
        JustAdded = "just_added", "Just added";
    }
}

impl Stage {
    pub fn person_status(self) -> PersonStatus {
        match self {
            Stage::OptedOut => PersonStatus::Unsubscribed,
            Stage::Bounced => PersonStatus::Bounced,
            Stage::Success => PersonStatus::Success,
            Stage::NotInterested => PersonStatus::NotInterested,
            Stage::Unresponsive => PersonStatus::Unresponsive,
            Stage::Approaching => PersonStatus::InProgress,
            Stage::NotStarted => PersonStatus::NotContacted,
            Stage::Started => PersonStatus::JustAdded,
        }
    }
}

impl Enrollment {
    /// `None` for the removed, which are shown nowhere but in the history.
    pub fn status_reason(&self, sequence: SequenceState) -> Option<StatusReason> {
        let replied_or = |otherwise| if self.replied_before_finish() { StatusReason::Replied } else { otherwise };
        Some(match self.state(sequence).1 {
            Reason::Starting | Reason::Sequence => StatusReason::PendingStart,
            Reason::Waiting | Reason::Due | Reason::Executing => replied_or(StatusReason::Running),
            Reason::Blocked(_) => StatusReason::Paused,
            Reason::Paused(Hold::Reply) => StatusReason::Replied,
            Reason::Paused(Hold::OutOfOffice) => StatusReason::OutOfOfficeReply,
            Reason::Paused(_) => StatusReason::Paused,
            Reason::Finished(Finish::Completed | Finish::Rule) => replied_or(StatusReason::Completed),
            Reason::Finished(Finish::Replied) => StatusReason::Replied,
            Reason::Finished(Finish::OptedOut) => StatusReason::OptOut,
            Reason::Finished(Finish::Stopped | Finish::SequenceEnded) => StatusReason::Cancelled,
            Reason::Finished(Finish::Bounced) => StatusReason::Bounced,
            Reason::Finished(Finish::Judged) => replied_or(StatusReason::Cancelled),
            Reason::Removed => return None,
        })
    }

    /// `None` for the removed.
    pub fn record_status(&self, sequence: SequenceState) -> Option<RecordStatus> {
        Some(match self.state(sequence) {
            (State::Pending | State::Active | State::Paused, _) => RecordStatus::InProgress,
            (State::Blocked, _) | (_, Reason::Finished(Finish::Bounced)) => RecordStatus::Failed,
            (_, Reason::Finished(Finish::Completed | Finish::Rule)) => RecordStatus::Completed,
            (State::Finished, _) => RecordStatus::Stopped,
            (State::Removed, _) => return None,
        })
    }

    /// The first that holds (ENR-4).
    pub fn stage(&self, sequence: SequenceState, unresponsive_days: u32, now: Time) -> Stage {
        if self.opted_out || self.mark == Some(Mark::OptedOut) {
            return Stage::OptedOut;
        }
        if self.bounced || self.mark == Some(Mark::Bounced) {
            return Stage::Bounced;
        }
        match self.outcome {
            Verdict::Positive => return Stage::Success,
            Verdict::Negative => return Stage::NotInterested,
            Verdict::None => {}
        }
        if self.unresponsive_since(unresponsive_days).is_some_and(|t| t <= now) {
            return Stage::Unresponsive;
        }
        if self.steps_executed > 0 {
            return Stage::Approaching;
        }
        // What ended keeps its place, but nothing is planned any more.
        let planned = self.life == Life::Running && self.place.as_ref().is_some_and(|p| p.visit > 0);
        if sequence != SequenceState::Active || !planned { Stage::NotStarted } else { Stage::Started }
    }

    /// The moment it counts, or will count, as unresponsive if nothing else happens.
    pub fn unresponsive_since(&self, days: u32) -> Option<Time> {
        let sent = self.last_email_at?;
        let answered = self.last_reply_at.is_some_and(|reply| reply >= sent);
        let later_step = self.steps_executed > self.steps_at_last_email;
        (!answered && !later_step).then(|| sent + Span::days(i64::from(days)))
    }

    pub fn person_status(&self, sequence: SequenceState, unresponsive_days: u32, now: Time) -> PersonStatus {
        self.stage(sequence, unresponsive_days, now).person_status()
    }
}
