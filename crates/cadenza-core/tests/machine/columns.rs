//! The states of the page's columns, each reached by events.

use crate::case::{Case, MAILBOX, USER, days, key, when};
use cadenza_core::absence::Away;
use cadenza_core::enrollment::{Mark, SequenceState};
use cadenza_core::facts::Outage;
use cadenza_core::flow::{Outcome, Then, When};
use cadenza_core::machine::{BounceClass, By, Event, Fault, Halt, Incoming, Reach, StopReason, Target};
use cadenza_core::pacing::{Ledger, Limit, Scope, ScopeKind, Used};
use cadenza_core::settings::{Meeting, OnReply, Per, Rate, Settings};
use cadenza_core::time::Span;

/// The columns of the three groups of tables, in the page's order. A group of states that behave alike is one column.
pub const LIVE: &[&str] = &[
    "starting",
    "sequence",
    "waiting",
    "open wait",
    "open wait, ends",
    "due: task",
    "due: mail",
    "due: cap",
    "before the mark",
    "past the mark",
];
pub const HELD: &[&str] = &[
    "missing_address · missing_field",
    "mailbox",
    "step_failed",
    "delivery_unknown",
    "manual",
    "manual, task due",
    "left_list",
    "reply",
    "colleague",
    "rule",
    "out_of_office",
    "absence",
    "overdue",
    "manual + step_failed",
    "manual + delivery_unknown",
    "manual, past the mark",
];
pub const ENDED: &[&str] = &[
    "completed",
    "replied",
    "opted_out",
    "bounced",
    "stopped",
    "judged",
    "sequence_ended",
    "rule",
    "stopped, past the mark",
    "removed",
    "removed, had finished",
    "removed, past the mark",
];

/// Whether a state stands in a table of the finished: `rule` is a pause in one and an end in the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    No,
    Yes,
}

/// The state and reason that a column's enrollment shows.
pub fn shown(state: &str, ended: Ended) -> String {
    let first = state.split([',', '+', ':']).next().unwrap_or(state).trim();
    match (first, ended) {
        ("starting" | "sequence", _) => format!("pending: {first}"),
        ("waiting" | "due", _) => format!("active: {first}"),
        ("open wait", _) => "active: waiting".into(),
        ("before the mark" | "past the mark", _) => "active: executing".into(),
        ("removed", _) => "removed: removed".into(),
        (_, Ended::Yes) => format!("finished: {first}"),
        ("missing_address" | "missing_field" | "mailbox" | "step_failed" | "delivery_unknown", _) => {
            format!("blocked: {first}")
        }
        _ => format!("paused: {first}"),
    }
}

/// Builds a state.
pub fn build(state: &str, ended: Ended, settings: Settings) -> Case {
    let mut c = Case::new(settings);
    reach(&mut c, state, ended);
    let (s, r) = c.e.state(c.sequence.state);
    assert_eq!(format!("{s}: {r}"), shown(state, ended), "the fixture of {state:?}");
    c
}

fn reach(c: &mut Case, state: &str, ended: Ended) {
    match (state, ended) {
        ("rule", Ended::Yes) => {
            waiting(c).with(|s| s.meeting = Meeting::EndPositive, Event::MeetingBooked);
        }
        (_, Ended::Yes) => reach_end(c, state),
        ("starting", _) => {}
        ("sequence", _) => c.sequence.state = SequenceState::Paused,
        ("waiting", _) => {
            waiting(c);
        }
        ("open wait", _) => {
            open_wait(c);
        }
        ("open wait, ends", _) => {
            last_wait(c);
        }
        ("due: task", _) => {
            task_due(c);
        }
        ("due: mail", _) => {
            mail_due(c);
        }
        ("due: cap", _) => {
            capped(c);
        }
        ("before the mark", _) => {
            sending(c);
        }
        ("past the mark", _) => {
            sending(c).mark();
        }
        _ => reach_held(c, state),
    }
}

fn reach_held(c: &mut Case, state: &str) {
    match state {
        "missing_address" => {
            waiting(c).person.emails.clear();
            c.wake_at_its_moment();
        }
        "missing_field" => {
            waiting(c).missing_field = Some("contact.first_name".into());
            c.wake_at_its_moment();
        }
        "mailbox" => {
            let held = waiting(c).around.mailboxes.iter_mut().find(|m| m.id == MAILBOX);
            held.unwrap().held = Some("sign-in refused".into());
            c.wake_at_its_moment();
        }
        "step_failed" => {
            failed(c);
        }
        "delivery_unknown" => {
            unknown(c);
        }
        "manual" => {
            open_wait(c).must(Event::Pause);
        }
        "manual, task due" => {
            task_due(c).must(Event::Pause);
        }
        "left_list" => {
            waiting(c).must(Event::LeftList);
        }
        "reply" => {
            waiting(c).with(|s| s.reply = OnReply::Pause, reply(Some(1)));
        }
        "colleague" => {
            waiting(c).must(Event::ColleagueReplied { then: Halt::Pause });
        }
        "rule" => {
            let mut pausing = c.flow.clone();
            pausing.branches[0].steps[0].conditions = vec![when(When::Opened, Some(days(1)), Then::Pause)];
            let flow = std::mem::replace(&mut c.flow, pausing);
            waiting(c).must(Event::Opened { visit: 1, by: By::Person });
            c.flow = flow;
        }
        "out_of_office" => {
            let until = Some(waiting(c).now);
            c.must(Event::OutOfOffice { visit: Some(1), until });
        }
        "absence" => {
            waiting(c).around.absences = vec![Away::holding(USER, None)];
            c.must(Event::AbsenceBegan).around.absences.clear();
        }
        "overdue" => {
            waiting(c).await_its_moment();
            let outage = Outage { from: c.now, to: c.now + Span::hours(27) };
            c.around.outage = Some(outage);
            c.now = outage.to;
            c.must(Event::Wake);
        }
        "manual + step_failed" => {
            failed(c).must(Event::Pause);
        }
        "manual + delivery_unknown" => {
            unknown(c).must(Event::Pause);
        }
        "manual, past the mark" => {
            sending(c).mark().must(Event::Pause);
        }
        other => panic!("the page has a column {other:?} that no fixture reaches"),
    }
}

fn reach_end(c: &mut Case, state: &str) {
    match state {
        "completed" => {
            waiting(c).must(Event::Jump { to: Target::Branch(key("hot")) }).wake_at_its_moment();
            let visit = c.current_visit();
            c.must(Event::MarkTask { visit, outcome: Outcome::None });
        }
        "replied" => {
            waiting(c).with(|s| s.reply = OnReply::Stop, reply(Some(1)));
        }
        "opted_out" => {
            waiting(c).with(
                |s| *s = Settings::default(),
                Event::OptOut { channel: Incoming::Email, visit: Some(1), reach: Reach::Channel },
            );
        }
        "bounced" => {
            waiting(c).must(Event::Bounce { visit: Some(1), class: BounceClass::Hard, detail: "550".into() });
        }
        "stopped" => {
            waiting(c).must(Event::Stop { reason: StopReason::Unsaid });
        }
        "judged" => {
            waiting(c).must(Event::MarkStatus { mark: Mark::Success });
        }
        "sequence_ended" => {
            waiting(c).sequence.state = SequenceState::Ended;
            c.must(Event::SequenceEnded);
        }
        "stopped, past the mark" => {
            sending(c).mark().must(Event::Stop { reason: StopReason::Unsaid });
        }
        "removed" => {
            waiting(c).must(Event::Remove);
        }
        "removed, had finished" => {
            waiting(c).must(Event::Stop { reason: StopReason::Unsaid }).must(Event::Remove);
        }
        "removed, past the mark" => {
            sending(c).mark().must(Event::Remove);
        }
        other => panic!("the page has a column {other:?} that no fixture reaches"),
    }
}

fn reply(visit: Option<u32>) -> Event {
    Event::Reply { channel: Incoming::Email, visit }
}

fn waiting(c: &mut Case) -> &mut Case {
    c.must(Event::Wake).wake_at_its_moment().deliver()
}

fn sending(c: &mut Case) -> &mut Case {
    waiting(c).wake_at_its_moment()
}

fn open_wait(c: &mut Case) -> &mut Case {
    sending(c).deliver()
}

fn task_due(c: &mut Case) -> &mut Case {
    open_wait(c).wake_at_its_moment()
}

fn mail_due(c: &mut Case) -> &mut Case {
    let visit = task_due(c).current_visit();
    c.must(Event::MarkTask { visit, outcome: Outcome::NoAnswer }).wake_at_its_moment()
}

fn last_wait(c: &mut Case) -> &mut Case {
    let visit = mail_due(c).current_visit();
    c.must(Event::MarkTask { visit, outcome: Outcome::Done }).wake_at_its_moment().deliver()
}

/// The daily cap of the mailbox.
pub fn day_cap() -> (Scope, Limit) {
    let scope = Scope { kind: ScopeKind::MailboxDay, of: MAILBOX.0 };
    let rate = Rate { count: 1, per: Per::Day };
    (scope, Limit::Rate { rate, zone: cadenza_core::calendar::Zone::utc() })
}

/// A ledger in which that cap has no room left today.
pub fn full(c: &Case) -> Ledger {
    let (scope, limit) = day_cap();
    let used = limit.take(Used::default(), c.now, 0);
    let mut ledger = Ledger::default();
    ledger.put(scope, limit, used);
    ledger
}

fn capped(c: &mut Case) -> &mut Case {
    waiting(c).await_its_moment();
    c.ledger = full(c);
    c.must(Event::Wake);
    assert!(c.e.parked.is_some(), "it stands in the queue of its mailbox");
    c
}

fn failed(c: &mut Case) -> &mut Case {
    let (visit, attempt) = sending(c).mark().last_attempt;
    c.must(Event::Refused { visit, attempt, fault: Fault::Message, detail: "552 too large".into() })
}

fn unknown(c: &mut Case) -> &mut Case {
    let (visit, attempt) = sending(c).mark().last_attempt;
    c.must(Event::Unknown { visit, attempt, detail: "connection lost after the final dot".into() })
}
