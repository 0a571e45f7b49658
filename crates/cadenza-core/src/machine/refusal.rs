//! Why an operation is refused, in a code that names the state and in words for the person who asked (OPS-13).

use crate::enrollment::{Reason, State};
use crate::flow::Outcome;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("{operation} is not possible while the enrollment is {} ({}){hint}", .state.label().to_lowercase(), .reason.label().to_lowercase())]
    NotWhile { operation: &'static str, state: State, reason: Reason, hint: &'static str },
    #[error("this activity is not the current one any more")]
    NotCurrent,
    #[error("{} is no outcome of this step; possible are {}", .given.label(), .possible)]
    NoSuchOutcome { given: Outcome, possible: String },
    #[error("there is no step or branch {key:?} in this sequence")]
    NoSuchTarget { key: String },
    #[error("a newer live enrollment of the same contact in this sequence exists")]
    NewerLive,
    #[error("the address is suppressed: {why}")]
    Suppressed { why: String },
    #[error("there is nothing to undo")]
    NothingToUndo,
    #[error("an opt-out cannot be taken back; only the person can ask to be written to again")]
    OptOutStays,
    #[error("an enrollment never moves between the sandbox and a real mailbox")]
    SandboxStays,
    #[error("there is no such mailbox in this workspace")]
    NoSuchMailbox,
    #[error("there is no address of the kind that this step asks for")]
    NoAddress,
    #[error("no mailbox of the owner can send: {why}")]
    NoMailbox { why: String },
    /// A late word about an attempt that is settled already; only the sender sees it.
    #[error("the attempt is not under way any more")]
    AttemptOver,
}

impl Refusal {
    /// Stable for programs: names the state where the state is the reason.
    pub fn code(&self) -> String {
        match self {
            Refusal::NotWhile { state, .. } => format!("not_while_{state}"),
            Refusal::NotCurrent => "not_current".into(),
            Refusal::NoSuchOutcome { .. } => "no_such_outcome".into(),
            Refusal::NoSuchTarget { .. } => "no_such_step".into(),
            Refusal::NewerLive => "newer_live_enrollment".into(),
            Refusal::Suppressed { .. } => "suppressed".into(),
            Refusal::NothingToUndo => "nothing_to_undo".into(),
            Refusal::OptOutStays => "opt_out_stays".into(),
            Refusal::SandboxStays => "sandbox_stays".into(),
            Refusal::NoSuchMailbox => "no_such_mailbox".into(),
            Refusal::NoAddress => "no_address".into(),
            Refusal::NoMailbox { .. } => "no_mailbox".into(),
            Refusal::AttemptOver => "attempt_over".into(),
        }
    }
}
