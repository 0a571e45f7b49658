//! The machine: `(enrollment, flow, facts, event, now) → (enrollment', effects)`, or a refusal that a user can understand.
//!
//! [`decide`] is the only way an enrollment changes: in the server, the simulator, the preview and the tests alike. It reads
//! no clock and no database and draws no lots. What happens is sorted by where it comes from: the clock (`clock`), sending
//! (`delivery`), what comes in (`answers`), people (`operations`, `corrections`), the surroundings (`surroundings`); the moves that these
//! share (plan, go on, finish, block) are in `turn`.

mod answers;
mod clock;
mod corrections;
mod delivery;
mod effect;
mod event;
mod operations;
mod refusal;
mod surroundings;
mod turn;

pub(crate) use clock::silent_delivery;
pub use effect::{Effect, Plan, Send, Settled, Spread, SuppressWhat, SuppressWhy};
pub use event::{
    Actor, Answer, BounceClass, By, Correctable, DueChoice, Event, Fault, Halt, Incoming, Otherwise, Reach, StopReason,
    Target,
};
pub use refusal::Refusal;

use crate::enrollment::Enrollment;
use crate::facts::Facts;
use crate::flow::Flow;
use crate::time::Time;
use turn::Turn;

/// How a line of history is sorted in the event log (LOG-2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Info,
    /// Goes on by itself.
    Warning,
    /// Needs a person.
    Error,
}

impl Level {
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Info => "info",
            Level::Warning => "warning",
            Level::Error => "error",
        }
    }
}

/// What an event comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    pub enrollment: Enrollment,
    pub effects: Vec<Effect>,
    /// When the clock must look again; `None` while only something else can bring it on.
    pub wake_at: Option<Time>,
    pub level: Level,
    /// A code for what the event did, such as `skipped_suppressed`, beside the event's own name.
    pub cause: Option<&'static str>,
    /// Words beside the code, without personal data.
    pub detail: Option<String>,
}

/// Puts one event to one enrollment.
///
/// # Errors
/// A [`Refusal`] where the state does not allow the operation (OPS-13); nothing has changed then.
pub fn decide(
    enrollment: &Enrollment,
    flow: &Flow,
    facts: Facts<'_>,
    event: &Event,
    actor: Actor,
    now: Time,
) -> Result<Decision, Refusal> {
    let mut turn = Turn::new(enrollment.clone(), flow, facts, actor, now);
    turn.dispatch(event)?;
    Ok(turn.decision())
}

impl Turn<'_> {
    fn dispatch(&mut self, event: &Event) -> Result<(), Refusal> {
        match event {
            Event::Wake => self.wake(),
            Event::Drawn => self.drawn(),

            Event::DotMark { visit, attempt } => return self.dot_mark(*visit, *attempt),
            Event::Sent { visit, attempt } => return self.sent(*visit, *attempt),
            Event::Deferred { visit, attempt, not_before, detail } => {
                return self.deferred(*visit, *attempt, *not_before, detail);
            }
            Event::Refused { visit, attempt, fault, detail } => return self.refused(*visit, *attempt, *fault, detail),
            Event::Unknown { visit, attempt, detail } => return self.unknown(*visit, *attempt, detail),
            Event::Returned { visit, attempt } => return self.returned(*visit, *attempt),
            Event::NotComposed { visit, attempt, missing_field, detail } => {
                return self.not_composed(*visit, *attempt, missing_field.as_deref(), detail);
            }

            Event::Reply { channel, visit } => self.reply(*channel, *visit),
            Event::OutOfOffice { visit, until } => self.out_of_office(*visit, *until),
            Event::Bounce { visit, class, detail } => self.bounce(*visit, *class, detail),
            Event::Complaint { visit } => self.complaint(*visit),
            Event::OptOut { channel, visit, reach } => self.opt_out(*channel, *visit, *reach),
            Event::Opened { visit, by } => self.opened(*visit, *by),
            Event::Clicked { visit, link, by } => self.clicked(*visit, link, *by),
            Event::Delivered { visit } => self.delivered(*visit),
            Event::OtherMail { visit } => self.other_mail(*visit),
            Event::ColleagueReplied { then } => self.colleague_replied(*then),
            Event::RepliedElsewhere { then } => self.replied_elsewhere(*then),
            Event::OptedOutElsewhere { .. } => self.opted_out_elsewhere(),
            Event::OwnMail => self.own_mail(),
            Event::MeetingBooked => self.meeting_booked(),

            Event::EnrollAgain => return self.enroll_again(),
            Event::Pause => return self.pause(),
            Event::Resume => return self.resume(),
            Event::Stop { reason } => return self.stop(*reason),
            Event::Reactivate { due } => return self.reactivate(*due),
            Event::Retry => return self.retry(),
            Event::MarkStatus { mark } => return self.mark_status(*mark),
            Event::UndoMark => return self.undo_mark(),
            Event::MarkTask { visit, outcome } => return self.mark_task(*visit, outcome),
            Event::SendByHand { visit } => return self.send_by_hand(*visit),
            Event::MoveNow { outside_window } => return self.move_now(*outside_window),
            Event::Skip => return self.skip(),
            Event::Jump { to } => return self.jump(to),
            Event::SetOwner { owner } => return self.set_owner(*owner),
            Event::SetMailbox { mailbox } => return self.set_mailbox(*mailbox),
            Event::Remove => return self.remove(),
            Event::Erase => return self.erase(),
            Event::MarkSent => return self.mark_sent(),
            Event::SendAgain => return self.send_again(),
            Event::Release => return self.release(),
            Event::TakeBack { what, at, otherwise } => return self.take_back(*what, *at, *otherwise),

            Event::LeftList => self.left_list(),
            Event::BackOnList => self.back_on_list(),
            Event::SequenceEnded => self.sequence_ended(),
            Event::SequenceReopened => self.sequence_reopened(),
            Event::MoveToVersion { version, stand } => return self.move_to_version(*version, stand.as_ref()),
            Event::Retimed => self.retimed(),
            Event::Mended => self.mended(),
            Event::AbsenceBegan => self.absence_began(),
            Event::AbsenceEnded => self.absence_ended(),
        }
        Ok(())
    }
}
