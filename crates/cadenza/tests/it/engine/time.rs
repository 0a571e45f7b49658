//! What the clock alone brings: begins, ends, windows, waits, and the time after a long stop of the server.

use super::house::House;
use super::on_both;
use cadenza::actions::enrollments::{self, Operation};
use cadenza_core::enrollment::{Finish, Hold, State};
use cadenza_core::time::{Span, Time};

on_both! {
    a_sequence_begins_and_ends_by_its_dates
    work_waits_for_the_window
    a_long_stop_holds_what_it_delayed_long
}

fn with(head: &str) -> String {
    format!(
        "name = \"Timed\"\n{head}\n[[branch]]\nkey = \"main\"\n[[branch.step]]\nkey = \"intro\"\nkind = \"email_auto\"\n\
         subject = \"Hello\"\ntext = \"A letter.\"\n[[branch.step]]\nkey = \"again\"\nkind = \"email_auto\"\n\
         delay = \"2 days\"\nsame_thread = true\ntext = \"Again.\"\n"
    )
}

async fn a_sequence_begins_and_ends_by_its_dates(mut house: House) {
    house.start().await;
    // It is Monday, the 1st, ten o'clock.
    let toml = with("begin = 2027-03-02T10:00:00Z\nend = 2027-03-03T12:00:00Z");
    let sequence = house.sequence(&toml).await;
    let early = house.enroll(sequence, house.contacts(1..=2).await).await;
    house.rest().await;
    assert_eq!(house.enrollment(early[0]).await.life, cadenza_core::enrollment::Life::Pending);
    house.ahead(Span::hours(23)).await;
    assert!(house.sandbox().await.is_empty());
    house.ahead(Span::hours(1)).await;
    assert_eq!(house.sandbox().await.len(), 2, "it has begun");
    let late = house.enroll(sequence, house.contacts(3..=3).await).await;
    house.rest().await;
    assert_eq!(house.sandbox().await.len(), 3);
    house.ahead(Span::hours(26)).await;
    house.ahead(Span::days(30)).await;
    assert_eq!(house.sandbox().await.len(), 3, "it ended before the second mail");
    for id in early.into_iter().chain(late) {
        assert_eq!(house.enrollment(id).await.finish, Some(Finish::SequenceEnded));
    }
    house.audit(sequence).await;
}

async fn work_waits_for_the_window(mut house: House) {
    house.start().await;
    let window = "[settings]\nwindow = { days = \"mon-fri\", start = \"09:00\", stop = \"17:00\" }\nzone = \"UTC\"";
    house.clock.skip_ahead(Span::hours(8));
    let (sequence, id) = {
        let sequence = house.sequence(&with(window)).await;
        (sequence, house.enroll(sequence, house.contacts(1..=1).await).await[0])
    };
    house.rest().await;
    assert!(house.sandbox().await.is_empty(), "18:00");
    let due = house.enrollment(id).await.next_action_on();
    assert_eq!(due, Some("2027-03-02T09:00:00Z".parse::<Time>().unwrap()));
    house.ahead(Span::hours(15)).await;
    assert_eq!(house.sandbox().await.len(), 1, "09:00");
    // Thursday 09:00 is two days on; by Friday nothing more is due.
    house.ahead(Span::hours(47)).await;
    assert_eq!(house.sandbox().await.len(), 1);
    house.ahead(Span::hours(1)).await;
    assert_eq!(house.sandbox().await.len(), 2);
    house.audit(sequence).await;
}

async fn a_long_stop_holds_what_it_delayed_long(mut house: House) {
    house.start().await;
    let sequence = house.sequence(&with("")).await;
    let first = house.enroll(sequence, house.contacts(1..=1).await).await[0];
    house.rest().await;
    house.ahead(Span::hours(36)).await;
    let second = house.enroll(sequence, house.contacts(2..=2).await).await[0];
    house.rest().await;
    assert_eq!(house.sandbox().await.len(), 2);
    house.stop().await;
    let alive = house.int("SELECT alive_at FROM node", &[]).await;
    assert_eq!(alive, house.clock.now().micros(), "the last sign of life");
    // Down from Tuesday 22:00 until Friday 04:00: the first was due on Wednesday at ten, the second on Thursday at 22:00.
    house.clock.skip_ahead(Span::hours(54));
    house.reopen().await;
    house.start().await;
    house.rest().await;
    let e = house.enrollment(first).await;
    assert!(e.holds.has(Hold::Overdue), "42 hours late: {e:?}");
    assert_eq!(house.enrollment(second).await.emails, 2, "six hours late: it goes out");
    assert_eq!(house.sandbox().await.len(), 3);
    enrollments::operate(&house.app, &house.caller(), &[first], Operation::Release).await.unwrap();
    house.rest().await;
    assert_eq!(house.enrollment(first).await.emails, 2, "released, it goes out");
    assert_eq!(house.enrollment(first).await.state(cadenza_core::enrollment::SequenceState::Active).0, State::Finished);
    house.audit(sequence).await;
}
