//! The next moment that "why?" names (ENR-13), where it is not simply the due date. That it is the true one in general is a
//! law: see `laws/moments.rs`.

use crate::case::{Case, days, when};
use cadenza_core::enrollment::SequenceState;
use cadenza_core::explain::{Explanation, explain};
use cadenza_core::flow::{Then, Verdict, When};
use cadenza_core::machine::{Event, Incoming};
use cadenza_core::settings::Settings;
use cadenza_core::time::{Span, Time};

fn why(case: &Case) -> Explanation {
    explain(&case.e, &case.flow, case.facts(), case.now)
}

fn started() -> Case {
    let mut case = Case::new(Settings::default());
    case.must(Event::Wake);
    case
}

#[test]
fn before_its_first_step_it_is_the_begin() {
    let mut case = Case::new(Settings::default());
    let begin = case.now + Span::days(9);
    (case.sequence.state, case.sequence.begin) = (SequenceState::Scheduled, Some(begin));
    assert_eq!(why(&case).next_at, Some(begin));
    case.sequence.begin = None;
    case.sequence.state = SequenceState::Draft;
    assert_eq!(why(&case).next_at, None);
}

#[test]
fn nothing_comes_after_the_end_of_its_sequence() {
    let mut case = started();
    let due = case.e.next_action_on().unwrap();
    assert_eq!(why(&case).next_at, Some(due));
    case.sequence.end = Some(due);
    assert_eq!(why(&case).next_at, None);
    case.sequence.end = Some(due + Span::seconds(1));
    assert_eq!(why(&case).next_at, Some(due));
}

#[test]
fn a_step_to_a_suppressed_address_is_skipped_at_its_moment() {
    let mut case = started();
    let due = case.e.next_action_on().unwrap();
    case.person.emails[0].suppressed = Some("imported".into());
    assert_eq!(why(&case).next_at, Some(due));
    case.wake_at_its_moment();
    assert_eq!((case.now, case.e.visits), (due, 2), "the next step is planned");
}

#[test]
fn a_silent_day_decides_what_waits_for_delivery_even_while_paused() {
    let mut case = started();
    case.flow.branches[0].steps[0].conditions = vec![
        when(When::Delivered, Some(days(2)), Then::End(Verdict::None)),
        when(When::Replied, Some(days(3)), Then::Next),
    ];
    case.wake_at_its_moment().deliver();
    let delivered: Time = case.now + Span::hours(24);
    assert_eq!(why(&case).next_at, Some(delivered));
    case.must(Event::Pause);
    assert_eq!(why(&case).next_at, Some(delivered));
    case.sequence.end = Some(delivered);
    assert_eq!(why(&case).next_at, None, "the end of the sequence comes first");
}

#[test]
fn a_persons_message_that_was_put_off_goes_again_at_its_time() {
    let mut case = started();
    for event in [Event::Skip, Event::Skip, Event::Skip] {
        case.must(event);
    }
    assert_eq!(case.e.place.as_ref().map(|p| p.step.as_str()), Some("note"));
    case.wake_at_its_moment();
    let open = why(&case);
    assert_eq!(open.next_at, None, "a task waits for its person: {}", open.summary);
    let visit = case.current_visit();
    case.must(Event::SendByHand { visit }).mark();
    let (visit, attempt) = case.last_attempt;
    let not_before = case.now + Span::hours(30);
    case.must(Event::Deferred { visit, attempt, not_before, detail: "451".into() });
    let put_off = why(&case);
    assert_eq!(put_off.next_at, Some(not_before), "{}", put_off.summary);
    assert!(put_off.lines.iter().all(|l| l.code != "task_open"), "{put_off:?}");
    case.must(Event::Pause);
    assert_eq!(why(&case).next_at, None, "paused, it waits");
}

#[test]
fn a_reply_that_is_only_noted_leaves_the_moment_where_it_was() {
    let mut case = started();
    case.sequence.settings.reply = cadenza_core::settings::OnReply::GoOn;
    case.wake_at_its_moment().deliver();
    let before = why(&case).next_at;
    case.later(Span::hours(1)).must(Event::Reply { channel: Incoming::Email, visit: None });
    assert!(before.is_some());
    assert_eq!(why(&case).next_at, before);
}
