//! Random things that happen: every event of the page with any content, and every fact around an enrollment that may change.

use crate::case::{Case, MAILBOX, OTHER_MAILBOX, USER, person};
use crate::columns::full;
use cadenza_core::absence::Away;
use cadenza_core::enrollment::{Finish, Mark, Phase, SequenceState};
use cadenza_core::facts::{Attempt, Inbox, NewerLive, Outage};
use cadenza_core::flow::{Outcome, Step};
use cadenza_core::ids::UserId;
use cadenza_core::machine::{
    Answer, BounceClass, By, Correctable, DueChoice, Event, Fault, Halt, Incoming, Otherwise, Reach, StopReason, Target,
};
use cadenza_core::pacing::Ledger;
use cadenza_core::time::{Span, Time};

/// One thing that happens: what, with two numbers that fill in the rest.
pub type Act = (u8, u8, u8);

/// How many kinds of acts there are: see [`event`] and [`surroundings`]. From [`ALONG`] on, life takes its course.
pub const ACTS: u8 = 170;
const ALONG: u8 = 90;

/// Lets time pass as the act says.
pub fn pass(case: &mut Case, wake_at: Option<Time>, (kind, _, how): Act) {
    if kind >= ALONG {
        let moment = wake_at.filter(|t| *t < Time::MAX && case.attempt == Attempt::None);
        case.now = moment.map_or(case.now, |t| t.max(case.now));
        return;
    }
    let span = match how % 8 {
        0 | 1 => return,
        2 => Span::seconds(2),
        3 => Span::minutes(17),
        4 => Span::hours(3),
        5 => Span::hours(26),
        6 => {
            case.now = wake_at.filter(|t| *t < Time::MAX).map_or(case.now, |t| t.max(case.now));
            return;
        }
        _ => {
            case.await_its_moment();
            return;
        }
    };
    case.now = case.now + span;
}

/// Changes a fact around the enrollment; the event that tells of it, if one does. `None` where the act is an event itself.
pub fn surroundings(case: &mut Case, act: Act) -> Option<Option<Event>> {
    let (kind, a, _) = act;
    let told = match kind {
        60 => {
            case.person.emails.clear();
            None
        }
        61 => {
            case.person = person();
            Some(Event::Mended)
        }
        62 => {
            case.missing_field = if a.is_multiple_of(2) { Some("contact.first_name".into()) } else { None };
            Some(Event::Mended)
        }
        63 => {
            let held = if a.is_multiple_of(2) { Some("held".to_owned()) } else { None };
            case.around.mailboxes.iter_mut().for_each(|m| m.held.clone_from(&held));
            Some(Event::Mended)
        }
        64 => {
            let inbox = if a.is_multiple_of(2) { Inbox::Stale { read_at: case.now } } else { Inbox::Fresh };
            case.around.mailboxes.iter_mut().for_each(|m| m.inbox = inbox);
            (inbox == Inbox::Fresh).then_some(Event::Drawn)
        }
        65 => {
            case.ledger = if a.is_multiple_of(2) { full(case) } else { Ledger::default() };
            Some(Event::Drawn)
        }
        66 => {
            case.around.restore_hold = a.is_multiple_of(2);
            Some(Event::Wake)
        }
        67 => {
            let away = a.is_multiple_of(2);
            case.around.absences = if away { vec![Away::holding(USER, None)] } else { Vec::new() };
            Some(if away { Event::AbsenceBegan } else { Event::AbsenceEnded })
        }
        68 => {
            let outage = Outage { from: case.now, to: case.now + Span::hours(20 + i64::from(a)) };
            case.around.outage = Some(outage);
            case.now = outage.to;
            Some(Event::Wake)
        }
        69 => {
            case.newer_live = if a.is_multiple_of(2) && !case.e.is_live() { NewerLive::Yes } else { NewerLive::No };
            None
        }
        70..=73 => Some(sequence(case, a)),
        74 => {
            let address = case.person.emails.first_mut()?;
            address.suppressed = if a.is_multiple_of(2) { Some("imported".into()) } else { None };
            None
        }
        75 => {
            for branch in &mut case.flow.branches {
                for step in &mut branch.steps {
                    step.content.delay = crate::case::days(u32::from(a % 7));
                }
            }
            Some(Event::Retimed)
        }
        76 => later_version(case, a),
        _ => return None,
    };
    Some(told)
}

/// Pauses and resumes the sequence, ends it, opens it again.
fn sequence(case: &mut Case, a: u8) -> Event {
    match (case.sequence.state, a % 3) {
        (SequenceState::Ended, _) => {
            case.sequence.state = SequenceState::Active;
            Event::SequenceReopened
        }
        (_, 0) => {
            case.sequence.state = SequenceState::Ended;
            Event::SequenceEnded
        }
        (_, 1) => {
            case.sequence.state = SequenceState::Paused;
            Event::Wake
        }
        _ => {
            case.sequence.state = SequenceState::Active;
            Event::Wake
        }
    }
}

/// Deletes a step of a branch that has others. Where the move is refused, the enrollment stays on the old structure.
fn later_version(case: &mut Case, a: u8) -> Option<Event> {
    let marked = case.attempt == Attempt::Marked;
    let branch = usize::from(a) % case.flow.branches.len();
    let steps = &mut case.flow.branches[branch].steps;
    if marked || steps.len() < 2 {
        return None;
    }
    let gone = steps.remove(usize::from(a) % steps.len()).key;
    let stand = steps.first().map(|s| s.key.clone());
    case.flow.version += 1;
    for step in case.flow.branches.iter_mut().flat_map(|b| &mut b.steps) {
        forget(step, &gone);
    }
    Some(Event::MoveToVersion { version: case.flow.version, stand: stand.filter(|_| !a.is_multiple_of(5)) })
}

/// A checked flow has no way that leads nowhere.
fn forget(step: &mut Step, gone: &cadenza_core::flow::Key) {
    use cadenza_core::flow::Then;
    for condition in &mut step.conditions {
        if matches!(&condition.then, Then::Step { step, .. } if step == gone) {
            condition.then = Then::Next;
        }
    }
}

/// The event of an act.
pub fn event(case: &Case, act: Act) -> Event {
    let (kind, a, b) = act;
    let (visit, attempt) = case.last_attempt;
    let said = match b % 4 {
        0 => None,
        1 => case.last_message,
        2 => Some(case.current_visit()),
        _ => Some(u32::from(a) % (case.e.visits + 1)),
    };
    let seen = said.unwrap_or(visit);
    let by = if a.is_multiple_of(3) { By::Machine } else { By::Person };
    let channel = [Incoming::Email, Incoming::Text, Incoming::ByHand][usize::from(a % 3)];
    let reach = if b.is_multiple_of(5) { Reach::Everything } else { Reach::Channel };
    let then = if a.is_multiple_of(2) { Halt::Pause } else { Halt::Stop };
    let detail = String::from("said so");
    match kind {
        ALONG.. => along(case, a, b),
        0..=5 => Event::Wake,
        6 => Event::Drawn,
        7..=12 => Event::DotMark { visit, attempt },
        13..=19 => Event::Sent { visit, attempt },
        20 => Event::Deferred { visit, attempt, not_before: case.now + Span::minutes(i64::from(a)), detail },
        21 => {
            let fault = [Fault::Recipient, Fault::Sender, Fault::Message][usize::from(a % 3)];
            Event::Refused { visit, attempt, fault, detail }
        }
        22 if b.is_multiple_of(4) => Event::Returned { visit, attempt },
        22 => Event::Unknown { visit, attempt, detail },
        23 => {
            let missing_field = a.is_multiple_of(2).then(|| "contact.first_name".to_owned());
            Event::NotComposed { visit, attempt, missing_field, detail }
        }
        24 => Event::Reply { channel, visit: said },
        25 => {
            let until = a.is_multiple_of(2).then(|| case.now + Span::days(i64::from(b % 20)));
            Event::OutOfOffice { visit: said, until }
        }
        26 => {
            let class =
                [BounceClass::Hard, BounceClass::Soft, BounceClass::Soft, BounceClass::Sender][usize::from(a % 4)];
            Event::Bounce { visit: said, class, detail }
        }
        27 => Event::Complaint { visit: said },
        28 => Event::OptOut { channel, visit: said, reach },
        29 => Event::Opened { visit: seen, by },
        30 | 31 => {
            let link = if a.is_multiple_of(2) { "https://example.com/a" } else { "https://example.com/b" };
            Event::Clicked { visit: seen, link: link.into(), by }
        }
        32 => Event::Delivered { visit: seen },
        33 => Event::OtherMail { visit: said },
        34 => Event::ColleagueReplied { then },
        35 => Event::RepliedElsewhere { then },
        36 => Event::OptedOutElsewhere { channel },
        37 => Event::OwnMail,
        38 => Event::MeetingBooked,
        _ => of_people(case, act),
    }
}

/// What comes next where nobody interferes: the mark, a server's answer, a task that is done, the clock.
fn along(case: &Case, a: u8, b: u8) -> Event {
    let (visit, attempt) = case.last_attempt;
    let task = case.e.place.as_ref().filter(|p| p.phase == Phase::Due);
    let task = task.and_then(|p| case.flow.spot(&p.step)).filter(|s| !s.step.kind.is_automatic());
    match case.attempt {
        Attempt::Claimed if a < 10 => event(case, (23, a, b)),
        Attempt::Claimed if a < 20 => Event::Returned { visit, attempt },
        Attempt::Claimed => Event::DotMark { visit, attempt },
        Attempt::Marked if a < 100 => event(case, (20 + a % 3, b, b)),
        Attempt::Marked => Event::Sent { visit, attempt },
        Attempt::None if task.is_some() => Event::MarkTask { visit: case.current_visit(), outcome: marked(case, a) },
        Attempt::None => match case.e.block {
            Some(_) if a < 60 => Event::Retry,
            Some(_) if a < 90 => Event::MarkSent,
            Some(_) if a < 120 => Event::SendAgain,
            _ => Event::Wake,
        },
    }
}

fn of_people(case: &Case, (kind, a, b): Act) -> Event {
    let visit = if b.is_multiple_of(7) { case.e.last_visit } else { case.current_visit() };
    match kind {
        39 | 40 => Event::EnrollAgain,
        41 => Event::Pause,
        42 | 43 => Event::Resume,
        44 => Event::Stop { reason: if a.is_multiple_of(2) { StopReason::Met } else { StopReason::Answered } },
        45 | 46 => Event::Reactivate { due: if a.is_multiple_of(2) { DueChoice::Old } else { DueChoice::Now } },
        47 => Event::Retry,
        48 => Event::MarkStatus { mark: Mark::ALL[usize::from(a) % Mark::ALL.len()] },
        49 => Event::UndoMark,
        50 => Event::SendByHand { visit },
        51 => Event::MoveNow { outside_window: if a.is_multiple_of(2) { Answer::Yes } else { Answer::NotAsked } },
        52 => Event::Skip,
        53 => {
            let steps: Vec<_> = case.flow.steps().map(|s| s.key.clone()).collect();
            let key = steps[usize::from(a) % steps.len()].clone();
            let branch = case.flow.branches[0].key.clone();
            Event::Jump { to: if b.is_multiple_of(4) { Target::Branch(branch) } else { Target::Step(key) } }
        }
        54 => Event::SetOwner { owner: a.is_multiple_of(2).then_some(UserId(9)) },
        55 => Event::SetMailbox { mailbox: if a.is_multiple_of(2) { MAILBOX } else { OTHER_MAILBOX } },
        56 => Event::Remove,
        57 => Event::Erase,
        58 => Event::MarkSent,
        59 => Event::SendAgain,
        77 => Event::Release,
        78 => {
            const WHAT: [Correctable; 8] = [
                Correctable::Reply,
                Correctable::ReplyElsewhere,
                Correctable::ColleagueReply,
                Correctable::OutOfOffice,
                Correctable::Bounce,
                Correctable::SoftBounce,
                Correctable::OptOut,
                Correctable::Meeting,
            ];
            let otherwise = match a {
                0..180 => Otherwise::Nothing,
                180..220 => Otherwise::Stands,
                _ => Otherwise::Since(Finish::Replied),
            };
            Event::TakeBack { what: WHAT[usize::from(a % 8)], at: case.now, otherwise }
        }
        79 => Event::LeftList,
        80 | 81 => Event::BackOnList,
        82 => Event::Mended,
        _ => Event::MarkTask { visit, outcome: marked(case, a) },
    }
}

/// An outcome that the current task offers, as a rule.
fn marked(case: &Case, a: u8) -> Outcome {
    let place = case.e.place.as_ref().filter(|p| p.phase != Phase::Executing);
    let menu = place.and_then(|p| case.flow.spot(&p.step)).map(|s| s.step.mark_as()).unwrap_or_default();
    match menu.get(usize::from(a) % (menu.len() + 1)) {
        Some(outcome) => outcome.clone(),
        None => Outcome::Skipped,
    }
}
