//! How sequences end and are opened again: when all in them are finished (SEQ-8), by a later end date (SEQ-7), and what a crash
//! in the middle leaves.

use super::house::House;
use super::on_both;
use cadenza::actions::enrollments::{self, Operation};
use cadenza::actions::{ActionError, sequences};
use cadenza_core::enrollment::{Finish, Hold, Life, SequenceState};
use cadenza_core::ids::{EnrollmentId, SequenceId};
use cadenza_core::machine::{BounceClass, Event, Incoming, Reach, StopReason};
use cadenza_core::time::{Span, Time};
use cadenza_store::door::Again;
use cadenza_store::sequences::{EndedBy, Sequence};

on_both! {
    all_finished_ends_it_for_good
    a_later_end_date_lets_everybody_go_on
    what_was_paused_at_its_end_is_paused_again
    of_two_that_the_end_finished_the_newer_goes_on
    a_crash_amid_reopening_is_made_good
    an_end_that_was_overtaken_by_a_reopening_finishes_nobody
}

/// Two mails, two days apart.
fn mails(head: &str) -> String {
    format!(
        "name = \"Ends\"\n{head}\n[[branch]]\nkey = \"main\"\n[[branch.step]]\nkey = \"intro\"\nkind = \"email_auto\"\n\
         subject = \"Hello\"\ntext = \"A letter.\"\n[[branch.step]]\nkey = \"again\"\nkind = \"email_auto\"\n\
         delay = \"2 days\"\nsame_thread = true\ntext = \"Again.\"\n"
    )
}

const ONE_DAY: &str = "end = 2027-03-02T12:00:00Z";

async fn sequence(house: &House, id: SequenceId) -> Sequence {
    sequences::get(&house.app, &house.caller(), id).await.unwrap().sequence
}

async fn reopen(house: &House, id: SequenceId) -> sequences::Reopened {
    let end = Some(house.clock.now() + Span::days(30));
    sequences::reopen(&house.app, &house.caller(), id, end).await.unwrap()
}

fn code(refused: ActionError) -> &'static str {
    match refused {
        ActionError::Refused { code, .. } => code,
        other => panic!("{other}"),
    }
}

async fn all_finished_ends_it_for_good(mut house: House) {
    house.start().await;
    let id = house.sequence(&mails("[settings]\nend_when_all_finished = true\n")).await;
    house.ahead(Span::hours(1)).await;
    assert_eq!(sequence(&house, id).await.state, SequenceState::Active, "nobody has entered");
    house.enroll(id, house.contacts(1..=2).await).await;
    house.rest().await;
    house.ahead(Span::days(2)).await;
    assert_eq!(house.sandbox().await.len(), 4);
    house.ahead(Span::minutes(4)).await;
    assert_eq!(sequence(&house, id).await.state, SequenceState::Active);
    house.ahead(Span::minutes(1)).await;
    let ended = sequence(&house, id).await;
    assert_eq!((ended.state, ended.ended.unwrap().1), (SequenceState::Ended, EndedBy::AllFinished));
    assert_eq!(ended.ended.unwrap().0, house.clock.now());
    let end = Some(house.clock.now() + Span::days(1));
    let refused = sequences::reopen(&house.app, &house.caller(), id, end).await.unwrap_err();
    assert_eq!(code(refused), "ended_for_good");
    house.audit(id).await;
}

async fn a_later_end_date_lets_everybody_go_on(mut house: House) {
    house.start().await;
    let id = house.sequence(&mails(ONE_DAY)).await;
    let all = house.enroll(id, house.contacts(1..=7).await).await;
    house.rest().await;
    assert_eq!(house.sandbox().await.len(), 7);
    let by_hand = |id: EnrollmentId, what: Operation| {
        let (app, caller) = (house.app.clone(), house.caller());
        async move { enrollments::operate(&app, &caller, &[id], what).await.unwrap() }
    };
    by_hand(all[1], Operation::Pause).await;
    by_hand(all[2], Operation::Stop { reason: StopReason::Called }).await;
    house.ahead(Span::days(2)).await;
    assert_eq!(sequence(&house, id).await.state, SequenceState::Ended);
    assert_eq!(house.sandbox().await.len(), 7);

    // What comes in after the end counts when it is opened again.
    house.put(all[3], Event::Reply { channel: Incoming::Email, visit: None }).await.unwrap();
    let opts_out = Event::OptOut { channel: Incoming::Email, visit: None, reach: Reach::Channel };
    house.put(all[4], opts_out).await.unwrap();
    let bounces = Event::Bounce { visit: Some(1), class: BounceClass::Hard, detail: "550".into() };
    house.put(all[5], bounces).await.unwrap();

    let past = Some(house.clock.now());
    let refused = sequences::reopen(&house.app, &house.caller(), id, past).await.unwrap_err();
    assert!(matches!(refused, ActionError::Invalid(_)), "{refused}");
    let reopened = reopen(&house, id).await;
    assert_eq!((reopened.state, reopened.followed, reopened.stayed), (SequenceState::Active, 3, 3));
    assert!(reopened.failures.iter().all(|f| f.contains("since the end")), "{:?}", reopened.failures);
    house.rest().await;
    assert_eq!(house.sandbox().await.len(), 9, "the first and the last get their second mail, late as it is");
    let e = house.enrollment(all[1]).await;
    assert!(e.life == Life::Running && e.holds.has(Hold::Manual), "paused as before: {e:?}");
    for (n, finish) in [
        (0, Finish::Completed),
        (2, Finish::Stopped),
        (3, Finish::Replied),
        (4, Finish::OptedOut),
        (5, Finish::Bounced),
        (6, Finish::Completed),
    ] {
        assert_eq!(house.enrollment(all[n]).await.finish, Some(finish), "the {n}th");
    }
    // Asked for again, it is done; ended by hand, it stays.
    let end = sequence(&house, id).await.end;
    assert_eq!(sequences::reopen(&house.app, &house.caller(), id, end).await.unwrap().followed, 0);
    sequences::end(&house.app, &house.caller(), id).await.unwrap();
    let refused = sequences::reopen(&house.app, &house.caller(), id, end).await.unwrap_err();
    assert_eq!(code(refused), "ended_for_good");
    house.audit(id).await;
}

async fn what_was_paused_at_its_end_is_paused_again(mut house: House) {
    house.start().await;
    let id = house.sequence(&mails(ONE_DAY)).await;
    house.enroll(id, house.contacts(1..=1).await).await;
    house.rest().await;
    sequences::pause(&house.app, &house.caller(), id).await.unwrap();
    house.ahead(Span::days(3)).await;
    house
        .until("it has ended", |house| {
            Box::pin(async move { house.int("SELECT COUNT(*) FROM sequence WHERE state = 'ended'", &[]).await == 1 })
        })
        .await;
    house
        .until("whoever is in it is finished", |house| {
            Box::pin(async move {
                house.int("SELECT COUNT(*) FROM enrollment WHERE finish = 'sequence_ended'", &[]).await == 1
            })
        })
        .await;
    let reopened = reopen(&house, id).await;
    assert_eq!((reopened.state, reopened.followed), (SequenceState::Paused, 1));
    house.ahead(Span::days(1)).await;
    assert_eq!(house.sandbox().await.len(), 1);
    sequences::resume(&house.app, &house.caller(), id).await.unwrap();
    house.rest().await;
    assert_eq!(house.sandbox().await.len(), 2);
    house.audit(id).await;
}

async fn of_two_that_the_end_finished_the_newer_goes_on(mut house: House) {
    house.start().await;
    let id = house.sequence(&mails(ONE_DAY)).await;
    let subjects = house.contacts(1..=1).await;
    let old = house.enroll(id, subjects.clone()).await[0];
    house.rest().await;
    house.ahead(Span::days(2)).await;
    assert_eq!(house.enrollment(old).await.finish, Some(Finish::SequenceEnded));
    // As a process leaves it that ended between the reopening and its job.
    let later: Time = house.clock.now() + Span::days(1);
    house
        .sql(
            "UPDATE sequence SET state = 'active', ended_at = NULL, ended_by = NULL, end_at = $1, version = version + 1",
            &[later.into()],
        )
        .await;
    let answers = enrollments::enroll(&house.app, &house.caller(), id, subjects, Again::Said).await.unwrap();
    let new = *answers[0].1.as_ref().unwrap();
    house.rest().await;
    house.ahead(Span::days(1)).await;
    let reopened = reopen(&house, id).await;
    assert_eq!((reopened.followed, reopened.stayed), (1, 1));
    assert!(reopened.failures[0].contains("a newer enrollment"), "{:?}", reopened.failures);
    assert_eq!(house.enrollment(old).await.life, Life::Finished);
    assert_eq!(house.enrollment(new).await.life, Life::Running);
    house.audit(id).await;
}

async fn a_crash_amid_reopening_is_made_good(mut house: House) {
    house.start().await;
    // Of calls alone: mails would only take their time.
    let calls = "[[branch]]\nkey = \"main\"\n[[branch.step]]\nkey = \"call\"\nkind = \"call\"\n";
    let id = house.sequence(&format!("name = \"Ends\"\n{ONE_DAY}\n{calls}")).await;
    house.enroll(id, house.contacts(1..=600).await).await;
    house.rest().await;
    house.clock.skip_ahead(Span::hours(27));
    house
        .until("everybody is finished", |house| {
            Box::pin(async move {
                house.int("SELECT COUNT(*) FROM enrollment WHERE finish = 'sequence_ended'", &[]).await == 600
            })
        })
        .await;
    house.stop().await;
    house.reopen().await;
    let (app, caller, end) = (house.app.clone(), house.caller(), Some(house.clock.now() + Span::days(30)));
    let task = tokio::spawn(async move { sequences::reopen(&app, &caller, id, end).await.unwrap() });
    house
        .until("a piece is done", |house| {
            Box::pin(async move { house.int("SELECT COUNT(*) FROM job WHERE position > 0", &[]).await == 1 })
        })
        .await;
    task.abort();
    house.reopen().await;
    house.start().await;
    house.clock.skip_ahead(Span::minutes(2));
    house
        .until("the job is finished", |house| {
            Box::pin(async move { house.int("SELECT COUNT(*) FROM job WHERE state = 'finished'", &[]).await == 1 })
        })
        .await;
    assert_eq!(house.int("SELECT done FROM job", &[]).await, 600);
    assert_eq!(house.int("SELECT COUNT(*) FROM enrollment WHERE life = 1", &[]).await, 600);
    house.audit(id).await;
}

/// The loop that finishes everybody and the reopening meet.
async fn an_end_that_was_overtaken_by_a_reopening_finishes_nobody(house: House) {
    let id = house.sequence(&mails(ONE_DAY)).await;
    let e = house.enroll(id, house.contacts(1..=1).await).await[0];
    house.put(e, Event::Wake).await.unwrap();
    house.put(e, Event::SequenceEnded).await.unwrap();
    assert_eq!(house.enrollment(e).await.life, Life::Running, "its sequence runs");
    house.audit(id).await;
}
