//! One contact (or company) in one sequence: what is stored of it. The state that users see is computed in `state`, the
//! other views in `views`; nothing here decides anything, `machine` does.

mod changes;
mod columns;
mod reasons;
mod state;

pub use changes::{CHANGES_FORMAT, Unfoldable, changes, first_changes, fold};
pub use columns::{BadColumn, COLUMNS, Flat, TEXT_COLUMNS};
pub(crate) use reasons::words;
pub use reasons::{BlockReason, Finish, Hold, Holds, Mark, Unnamed};
pub use state::{Reason, SequenceState, State};

use crate::calendar::Delay;
use crate::flow::{Key, Verdict};
use crate::ids::{CompanyId, ContactId, EnrollmentId, MailboxId, SequenceId, UserId};
use crate::time::Time;

/// Whom an enrollment writes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    Contact(ContactId),
    Company(CompanyId),
}

/// The four lives of an enrollment; holds, block and place refine `Running`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Life {
    #[default]
    Pending,
    Running,
    Finished,
    Removed,
}

/// How far the current activity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Phase {
    /// Planned; its timer runs.
    #[default]
    Waiting,
    /// Its moment has come: a task is shown, an automatic step waits for a gate.
    Due,
    /// An attempt to send is recorded and not settled.
    Executing,
}

/// What a person allowed the current activity to pass (TIM-4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Released {
    #[default]
    No,
    /// Delay and conditions.
    Delay,
    /// The window too, after asking.
    Window,
}

/// Where an enrollment stands: its one current activity.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    pub branch: Key,
    pub step: Key,
    /// Counts the activities of the enrollment from 1; names this one for ever.
    pub visit: u32,
    /// From when the delay counts.
    pub base: Time,
    /// The delay of the condition that led here, where it had one; else the step's own counts.
    pub delay: Option<Delay>,
    pub due: Time,
    pub phase: Phase,
    pub released: Released,
    /// Counts the sends of this visit from 1; 0 before the first.
    pub attempt: u32,
    /// Temporary failures of the present attempt.
    pub tries: u32,
    /// Backoff after a temporary failure: no attempt before.
    pub not_before: Option<Time>,
}

/// Open conditions of a step that was sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Wait {
    pub branch: Key,
    pub step: Key,
    pub visit: u32,
    pub sent_at: Time,
    /// When "no condition met" decides.
    pub until: Time,
}

/// Everything stored of an enrollment that the machine reads or writes.
#[derive(Debug, Clone, PartialEq)]
pub struct Enrollment {
    pub id: EnrollmentId,
    pub sequence: SequenceId,
    pub subject: Subject,
    pub flow_version: u32,
    pub enrolled_by: UserId,
    pub enrolled_at: Time,

    pub life: Life,
    pub holds: Holds,
    /// When an out-of-office hold lifts itself, by setting.
    pub hold_until: Option<Time>,
    pub block: Option<BlockReason>,
    /// What exactly blocks: the missing field, the server's answer.
    pub block_detail: Option<String>,
    pub place: Option<Place>,
    pub wait: Option<Wait>,

    pub finish: Option<Finish>,
    pub finished_at: Option<Time>,
    pub outcome: Verdict,
    pub mark: Option<Mark>,
    /// What a mark found, for *Undo*: whether it finished the enrollment, and the outcome before.
    pub mark_finished: bool,
    pub mark_outcome_before: Verdict,

    /// The last visit given out.
    pub visits: u32,
    pub steps_executed: u32,
    pub last_action_at: Option<Time>,
    /// Visit and step of the last executed activity.
    pub last_visit: u32,
    pub last_step: Option<Key>,
    pub last_email_at: Option<Time>,
    /// `steps_executed` just after the last email step.
    pub steps_at_last_email: u32,
    pub first_reply_at: Option<Time>,
    pub last_reply_at: Option<Time>,
    pub opted_out: bool,
    pub bounced: bool,
    /// Soft bounces in a row, and when the first of them came.
    pub soft_bounces: u32,
    pub soft_bounce_at: Option<Time>,

    pub mailbox: Option<MailboxId>,
    /// Set by a person for all that follows; else each step's rule decides.
    pub owner: Option<UserId>,

    pub emails: u32,
    pub texts: u32,
    pub opens: u32,
    pub clicks: u32,
    pub replies: u32,
    pub calls: u32,
    pub tasks: u32,

    /// The limiter in whose queue it stands, by the hash of its scope.
    pub parked: Option<i64>,
    /// Grows with every change, and with every fact that a final mark must not overlook.
    pub version: i64,
}

impl Enrollment {
    /// Just added: pending, nothing planned.
    pub fn new(
        id: EnrollmentId,
        sequence: SequenceId,
        subject: Subject,
        flow_version: u32,
        enrolled_by: UserId,
        enrolled_at: Time,
    ) -> Enrollment {
        Enrollment {
            id,
            sequence,
            subject,
            flow_version,
            enrolled_by,
            enrolled_at,
            life: Life::Pending,
            holds: Holds::NONE,
            hold_until: None,
            block: None,
            block_detail: None,
            place: None,
            wait: None,
            finish: None,
            finished_at: None,
            outcome: Verdict::None,
            mark: None,
            mark_finished: false,
            mark_outcome_before: Verdict::None,
            visits: 0,
            steps_executed: 0,
            last_action_at: None,
            last_visit: 0,
            last_step: None,
            last_email_at: None,
            steps_at_last_email: 0,
            first_reply_at: None,
            last_reply_at: None,
            opted_out: false,
            bounced: false,
            soft_bounces: 0,
            soft_bounce_at: None,
            mailbox: None,
            owner: None,
            emails: 0,
            texts: 0,
            opens: 0,
            clicks: 0,
            replies: 0,
            calls: 0,
            tasks: 0,
            parked: None,
            version: 0,
        }
    }

    /// Pending, active, blocked or paused.
    pub fn is_live(&self) -> bool {
        matches!(self.life, Life::Pending | Life::Running)
    }

    /// When the current activity, or the open wait, is due (ENR-6: *next action on*).
    pub fn next_action_on(&self) -> Option<Time> {
        if !self.is_live() {
            return None;
        }
        self.place.as_ref().map(|p| p.due).or_else(|| self.wait.as_ref().map(|w| w.until))
    }

    /// Was a reply noted before it finished?
    pub fn replied_before_finish(&self) -> bool {
        match (self.first_reply_at, self.finished_at) {
            (Some(reply), Some(finished)) => reply <= finished,
            (Some(_), None) => true,
            (None, _) => false,
        }
    }
}
