//! "Why?" (ENR-13): the gates put in words and in data, and the next moment something will happen. It asks the same gates as
//! the sender; it only talks.

use crate::enrollment::{BlockReason, Enrollment, Life, Phase, SequenceState, Wait};
use crate::facts::{Facts, ZoneSource};
use crate::flow::{Channel, Flow};
use crate::gates::{Cause, Gate, Occasion, Question, Shut, Until};
use crate::pacing::ScopeKind;
use crate::time::Time;
use serde::Serialize;

/// One gate, answered.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    pub gate: Gate,
    pub open: bool,
    /// A stable code of what shuts it; `open` otherwise.
    pub code: &'static str,
    /// The fact that shuts it, in words.
    pub fact: String,
    pub opens_at: Option<Time>,
    /// The one change that would open it.
    pub remedy: Option<&'static str>,
}

/// The whole answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// One sentence: what it waits for.
    pub summary: String,
    pub lines: Vec<Line>,
    /// When the current activity will run, as far as the clock alone decides; `None` where something must be done first.
    pub next_at: Option<Time>,
    /// Whose time zone the window is read in.
    pub zone: String,
    pub zone_of: &'static str,
}

/// How many shut gates one after another are followed into the future.
const STEPS_AHEAD_MAX: usize = 64;

/// Asks every gate at `now`, and when the last of them opens.
pub fn explain(enrollment: &Enrollment, flow: &Flow, facts: Facts<'_>, now: Time) -> Explanation {
    let question = Question { enrollment, flow, facts, now, occasion: Occasion::Explain };
    let answers = question.all();
    let next_at = next_moment(question);
    let first = answers.iter().find_map(|(_, shut)| shut.clone());
    let lines = answers.into_iter().map(|(gate, shut)| line(gate, shut)).collect();
    let (zone, source) = facts.zone();
    let zone_of = match source {
        ZoneSource::Contact => "contact",
        ZoneSource::Company => "company",
        ZoneSource::Sequence => "sequence",
    };
    Explanation {
        summary: summary(enrollment, first.as_ref(), next_at),
        lines,
        next_at,
        zone: zone.name().to_owned(),
        zone_of,
    }
}

/// The next moment the clock alone brings the enrollment on: it is planned, an open wait decides, all gates are open, or a
/// step to a suppressed address is skipped. `None` where something must be done first.
pub fn next_moment(question: Question<'_>) -> Option<Time> {
    let e = question.enrollment;
    let pending = e.life == Life::Pending;
    let sequence = question.facts.sequence;
    let wait = e.wait.as_ref().filter(|_| e.life == Life::Running && sequence.state == SequenceState::Active);
    // Conditions decide even while something holds the activity.
    let delivered = wait.and_then(|w| silent_delivery(question, w)).map(|t| t.max(question.now));
    let goes_on = match (&e.place, wait) {
        _ if pending => first_open(question, &[Gate::Sequence, Gate::EndDate, Gate::Holds]),
        (Some(_), _) => first_open(question, &gates_ahead(question)),
        (None, Some(wait)) => Some(wait.until.max(question.now)),
        (None, None) => None,
    };
    let next = match (goes_on, delivered) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    // Where the end of the sequence comes first, that finishes it.
    next.filter(|t| sequence.end.is_none_or(|end| *t < end))
}

/// The gates that stand before what comes next: all, but for a suppressed address only those that are asked before it is
/// looked at, since the step is skipped then and the flow goes on (SND-9). What stands in a limiter's line is looked at when
/// that opens.
fn gates_ahead(question: Question<'_>) -> Vec<Gate> {
    let e = question.enrollment;
    let all = Gate::ALL.iter().copied();
    if e.block.is_some() || question.ask(Gate::Suppression).is_none() {
        all.collect()
    } else if e.parked.is_some() {
        all.filter(|g| *g != Gate::Suppression).collect()
    } else {
        all.take_while(|g| *g != Gate::Suppression).collect()
    }
}

/// The first moment from now on at which all these gates are open.
fn first_open(question: Question<'_>, gates: &[Gate]) -> Option<Time> {
    let mut at = question.now;
    for _ in 0..STEPS_AHEAD_MAX {
        let later = Question { now: at, ..question };
        let mut next = at;
        for gate in gates {
            match later.ask(*gate).map(|s| s.until) {
                None => {}
                Some(Until::At(t)) => next = next.max(t),
                Some(Until::Mended | Until::Never) => return None,
            }
        }
        if next == at {
            return Some(at);
        }
        at = next;
    }
    None
}

/// When silence makes the last message delivered and a condition waits for that (FLOW-3).
fn silent_delivery(question: Question<'_>, wait: &Wait) -> Option<Time> {
    let step = question.flow.spot(&wait.step)?.step;
    crate::machine::silent_delivery(step, &question.facts.calendar(), wait)
}

fn summary(e: &Enrollment, first: Option<&Shut>, next_at: Option<Time>) -> String {
    match (first, next_at) {
        (None, _) if e.place.as_ref().is_some_and(|p| p.phase == Phase::Due) => {
            "All gates are open: it runs now.".into()
        }
        (None, _) => "Nothing stands in the way.".into(),
        (Some(shut), Some(t)) => format!("{} It goes on at {t}.", fact_of(&shut.cause)),
        (Some(shut), None) => match remedy_of(&shut.cause) {
            Some(remedy) => format!("{} {remedy}", fact_of(&shut.cause)),
            None => fact_of(&shut.cause),
        },
    }
}

fn line(gate: Gate, shut: Option<Shut>) -> Line {
    match shut {
        None => Line { gate, open: true, code: "open", fact: String::new(), opens_at: None, remedy: None },
        Some(shut) => Line {
            gate,
            open: false,
            code: code_of(&shut.cause),
            fact: fact_of(&shut.cause),
            opens_at: if let Until::At(t) = shut.until { Some(t) } else { None },
            remedy: remedy_of(&shut.cause),
        },
    }
}

/// The stable reason code.
pub fn code_of(cause: &Cause) -> &'static str {
    match cause {
        Cause::RestoreHold => "restored",
        Cause::SequenceState(SequenceState::Draft) => "sequence_draft",
        Cause::SequenceState(SequenceState::Paused) => "sequence_paused",
        Cause::SequenceState(SequenceState::Ended | SequenceState::Archived) => "sequence_ended",
        Cause::SequenceState(_) => "sequence_not_active",
        Cause::NotBegun(_) => "sequence_not_begun",
        Cause::Ended(_) => "end_date_passed",
        Cause::Held(hold, _) => hold.as_str(),
        Cause::Absent(_) => "owner_absent",
        Cause::SkippedWhileAway(_) => "skipped_while_away",
        Cause::Pending => "starting",
        Cause::Finished(finish) => finish.as_str(),
        Cause::Removed => "removed",
        Cause::NoStep => "no_step",
        Cause::Blocked(block) => block.as_str(),
        Cause::TaskOpen => "task_open",
        Cause::Executing => "executing",
        Cause::WaitOpen(_) => "conditions_open",
        Cause::Due(_) => "not_due",
        Cause::Backoff(_) => "tried_again_later",
        Cause::Window(_) => "outside_window",
        Cause::Holiday(_) => "holiday",
        Cause::NeverOpens => "never_opens",
        Cause::Quiet(_) => "quiet_hours",
        Cause::NoAddress(_) => "missing_address",
        Cause::MissingField(_) => "missing_field",
        Cause::Suppressed { .. } => "suppressed",
        Cause::InboxStale { .. } => "inbox_stale",
        Cause::NoMailbox => "no_mailbox",
        Cause::MailboxHeld { .. } => "mailbox_held",
        Cause::Cap(kind) => kind.as_str(),
    }
}

fn fact_of(cause: &Cause) -> String {
    match cause {
        Cause::RestoreHold => "The database was restored or copied; all sending waits for release.".into(),
        Cause::SequenceState(state) => format!("The sequence is {}.", state.label().to_lowercase()),
        Cause::NotBegun(t) => format!("The sequence begins at {t}."),
        Cause::Ended(t) => format!("The sequence ended at {t}."),
        Cause::Held(hold, None) => format!("{}.", hold.label()),
        Cause::Held(hold, Some(t)) => format!("{} until {t}.", hold.label()),
        Cause::Absent(None) => "The owner of this step is absent.".into(),
        Cause::SkippedWhileAway(None) => {
            "The owner of this step is away; such steps are skipped when they are due.".into()
        }
        Cause::SkippedWhileAway(Some(t)) => {
            format!("The owner of this step is away until {t}; such steps are skipped when they are due.")
        }
        Cause::Absent(Some(t)) => format!("The owner of this step is absent until {t}."),
        Cause::Pending => "It was just added; its first step is about to be planned.".into(),
        Cause::Finished(finish) => format!("It is finished: {}.", finish.label().to_lowercase()),
        Cause::Removed => "It was removed from the sequence.".into(),
        Cause::NoStep => "Nothing is planned.".into(),
        Cause::Blocked(block) => format!("{}.", block.label()),
        Cause::TaskOpen => "The task is open and waits for a person.".into(),
        Cause::Executing => "The message is being sent.".into(),
        Cause::WaitOpen(t) => format!("The conditions of the last message are open until {t}."),
        Cause::Due(t) => format!("The step is due at {t}."),
        Cause::Backoff(t) => format!("The mail server asked to come back; the next try is at {t}."),
        Cause::Window(_) => "It is outside the sending window.".into(),
        Cause::Holiday(name) => format!("It is a holiday: {name}."),
        Cause::NeverOpens => "The window does not open within 400 days.".into(),
        Cause::Quiet(t) => format!("Quiet hours for texts last until {t} where the person may be."),
        Cause::NoAddress(Channel::Email) => "There is no email address of the kind this step asks for.".into(),
        Cause::NoAddress(_) => "There is no phone number of the kind this step asks for.".into(),
        Cause::MissingField(field) => format!("The merge field {field} is empty and has no fallback."),
        Cause::Suppressed { address, why } => format!("{address} is on the suppression list ({why})."),
        Cause::InboxStale { mailbox, read_at } => {
            format!("The inbox of {mailbox} was last read at {read_at}; a reply may be waiting there.")
        }
        Cause::NoMailbox => "The owner of this step has no mailbox to send from.".into(),
        Cause::MailboxHeld { mailbox, why } => format!("{mailbox} sends nothing at present: {why}."),
        Cause::Cap(kind) => format!("The limit is used up: {}.", cap_words(*kind)),
    }
}

fn cap_words(kind: ScopeKind) -> &'static str {
    match kind {
        ScopeKind::SequenceEmails => "emails of the sequence",
        ScopeKind::SequenceTexts => "texts of the sequence",
        ScopeKind::Contact => "messages to the contact",
        ScopeKind::MailboxGap => "least time between two mails of the mailbox",
        ScopeKind::MailboxHour => "mails of the mailbox in this hour",
        ScopeKind::MailboxDay => "mails of the mailbox today",
        ScopeKind::Domain => "mails to the recipient's domain",
        ScopeKind::Workspace => "messages of the workspace",
    }
}

fn remedy_of(cause: &Cause) -> Option<&'static str> {
    Some(match cause {
        Cause::RestoreHold => "Release sending in Settings.",
        Cause::SequenceState(SequenceState::Draft) => "Activate the sequence.",
        Cause::SequenceState(SequenceState::Paused) => "Resume the sequence.",
        Cause::NotBegun(_) => "Set an earlier begin.",
        Cause::Ended(_) => "Set a later end date.",
        Cause::Held(crate::enrollment::Hold::LeftList, _) => "Put the contact back on the list.",
        Cause::Held(crate::enrollment::Hold::Overdue, _) => "Release it.",
        Cause::Held(..) => "Resume it.",
        Cause::Absent(_) | Cause::SkippedWhileAway(_) => "Change the owner.",
        Cause::Finished(crate::enrollment::Finish::Completed | crate::enrollment::Finish::OptedOut) => return None,
        Cause::Finished(_) => "Reactivate it.",
        Cause::Removed => "Enroll the contact again.",
        Cause::Blocked(BlockReason::DeliveryUnknown) => "Mark it as sent, send it again or skip the step.",
        Cause::Blocked(BlockReason::StepFailed) => "Retry or skip the step.",
        Cause::Blocked(_) => "Mend it and press Retry.",
        Cause::TaskOpen => "Mark the task.",
        Cause::WaitOpen(_) | Cause::Due(_) => "Move it to the next task now.",
        Cause::Window(_) | Cause::Holiday(_) | Cause::NeverOpens => "Widen the window of the sequence.",
        Cause::NoAddress(_) => "Add the address to the record.",
        Cause::MissingField(_) => "Fill in the field on the record.",
        Cause::NoMailbox => "Connect a mailbox.",
        Cause::MailboxHeld { .. } => "Release the mailbox.",
        Cause::InboxStale { .. } => "Check the mailbox's connection.",
        Cause::Cap(_) => "Raise the limit.",
        _ => return None,
    })
}
