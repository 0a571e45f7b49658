//! The ways themselves: each begins with an enrollment and ends with an audit of counters and histories.

use crate::house::{House, MAILBOX, SEQUENCE, WS, mail};
use cadenza_core::enrollment::{BlockReason, Finish, Life, Mark, Phase, State};
use cadenza_core::flow::{Branch, Flow};
use cadenza_core::ids::SequenceId;
use cadenza_core::machine::{
    BounceClass, Correctable, DueChoice, Event, Fault, Incoming, Otherwise, Reach, Refusal, StopReason,
};
use cadenza_core::suppression::Suppressible;
use cadenza_core::time::Span;
use cadenza_store::door::{self, Again, EnrollRefusal, Rest};

pub fn a_mail_goes_its_whole_way(house: &House) {
    let id = house.one(house.grace(1));
    let answers = house.tick();
    let outgoing = answers.into_iter().flatten().flat_map(|a| a.outgoing).collect::<Vec<_>>();
    assert_eq!(outgoing.len(), 1, "one mail is recorded");
    let mail = &outgoing[0];
    assert_eq!((mail.visit, mail.attempt, mail.to.as_str()), (1, 1, "grace1@example.test"));
    assert_eq!(mail.fields.get("contact.first_name"), Some("Grace"));
    assert_eq!(house.int("SELECT count(*) FROM send WHERE state = 'claimed'"), 1);

    let marked = house.put(id, Event::DotMark { visit: 1, attempt: 1 }).unwrap();
    assert!(marked.permitted);
    assert_eq!(house.int("SELECT count(*) FROM send WHERE state = 'marked'"), 1);
    assert_eq!(house.put(id, Event::DotMark { visit: 1, attempt: 1 }).err(), Some(Refusal::AttemptOver));

    let sent = house.put(id, Event::Sent { visit: 1, attempt: 1 }).unwrap();
    assert_eq!(sent.state, State::Active);
    assert_eq!(sent.enrollment.next_action_on(), Some(house.now() + Span::days(3)));
    assert_eq!(
        house.put(id, Event::Sent { visit: 1, attempt: 1 }).err(),
        Some(Refusal::AttemptOver),
        "a second answer"
    );
    assert!(house.tick().is_empty(), "nothing is due before its time");

    house.later(Span::days(3));
    house.tick();
    house.put(id, Event::DotMark { visit: 2, attempt: 1 }).unwrap();
    let last = house.put(id, Event::Sent { visit: 2, attempt: 1 }).unwrap();
    assert_eq!(last.enrollment.finish, Some(Finish::Completed));
    assert_eq!(house.int("SELECT count(*) FROM activity WHERE outcome = 'sent'"), 2);
    house.audit(SEQUENCE);
}

pub fn whoever_moves_the_clock_learns_when_work_rests(house: &House) {
    let rest = || house.db.read(|q| door::rest(q, house.now())).unwrap();
    assert_eq!(rest(), Rest::ForGood);
    let id = house.one(house.grace(1));
    assert_eq!(rest(), Rest::Not, "due");
    let recorded = house.tick().into_iter().flatten().flat_map(|a| a.outgoing).next().unwrap();
    assert_eq!(rest(), Rest::Not, "on its way");
    house.put(id, Event::DotMark { visit: 1, attempt: 1 }).unwrap();
    assert_eq!(rest(), Rest::Not, "past its mark");
    house.put(id, Event::Sent { visit: 1, attempt: 1 }).unwrap();
    assert_eq!(rest(), Rest::Until(house.now() + Span::days(3)));
    // What was sent can be composed once more.
    let again = house.db.read(|q| house.door.recorded(q, WS, id, 1, house.now())).unwrap();
    assert_eq!((&again.message_id, &again.to), (&recorded.message_id, &recorded.to));
    assert_eq!((again.fields, again.claimed_at), (recorded.fields, recorded.claimed_at));
    assert_eq!((again.attempt, again.variant, again.step), (1, recorded.variant, recorded.step));
    assert!(house.db.read(|q| house.door.recorded(q, WS, id, 2, house.now())).is_err(), "nothing was sent there");
    house.later(Span::days(3));
    assert_eq!(rest(), Rest::Not, "due again");
    house.put(id, Event::Stop { reason: StopReason::default() }).unwrap();
    assert_eq!(rest(), Rest::ForGood);
}

pub fn a_reply_stops_before_the_mark(house: &House) {
    let id = house.one(house.grace(1));
    house.tick();
    let replied = house.put(id, Event::Reply { channel: Incoming::Email, visit: None }).unwrap();
    assert_eq!(replied.enrollment.finish, Some(Finish::Replied));
    assert_eq!(house.put(id, Event::DotMark { visit: 1, attempt: 1 }).err(), Some(Refusal::AttemptOver));
    assert_eq!(house.int("SELECT count(*) FROM send WHERE state = 'withdrawn'"), 1);
    house.audit(SEQUENCE);
}

pub fn a_suppression_shuts_the_final_mark(house: &House) {
    let id = house.one(house.grace(1));
    house.tick();
    house.suppress(Suppressible::Domain, "example.test");
    let asked = house.put(id, Event::DotMark { visit: 1, attempt: 1 }).unwrap();
    assert!(!asked.permitted);
    // The step is skipped, and the flow goes on to the next one.
    assert_eq!(asked.enrollment.place.map(|p| p.visit), Some(2));
    assert_eq!(house.int("SELECT count(*) FROM activity WHERE outcome = 'skipped'"), 1);
    house.audit(SEQUENCE);
}

pub fn a_stop_after_the_mark_notes_the_result(house: &House) {
    let id = house.one(house.grace(1));
    house.tick();
    house.put(id, Event::DotMark { visit: 1, attempt: 1 }).unwrap();
    house.put(id, Event::Stop { reason: StopReason::Unsaid }).unwrap();
    let sent = house.put(id, Event::Sent { visit: 1, attempt: 1 }).unwrap();
    assert_eq!((sent.state, sent.enrollment.emails), (State::Finished, 1));
    house.later(Span::days(30));
    assert!(house.tick().is_empty());
    house.audit(SEQUENCE);
}

pub fn caps_park_and_draw_in_the_published_order(house: &House) {
    house.sql("UPDATE mailbox SET hour_cap = 2 WHERE workspace_id = $1 AND id = $2", &[WS.into(), MAILBOX.into()]);
    let ids: Vec<_> = (1..=5).map(|n| house.one(house.grace(n))).collect();
    let count =
        |answers: Vec<cadenza_store::door::Advanced>| answers.into_iter().flatten().flat_map(|a| a.outgoing).count();
    assert_eq!(count(house.tick()), 2, "the cap of the hour");
    house.later(Span::minutes(30));
    assert_eq!(count(house.tick()), 0);
    // What is withdrawn gives its room back.
    house.put(ids[0], Event::Pause).unwrap();
    house.sql("UPDATE limiter SET wake_at = 1 WHERE wake_at IS NOT NULL", &[]);
    assert_eq!(count(house.tick()), 1);
    house.later(Span::minutes(30));
    assert_eq!(count(house.tick()), 2, "the next hour");
    house.audit(SEQUENCE);
}

pub fn an_unknown_delivery_waits_for_a_person(house: &House) {
    let id = house.one(house.grace(1));
    house.tick();
    house.put(id, Event::DotMark { visit: 1, attempt: 1 }).unwrap();
    let lost = house.put(id, Event::Unknown { visit: 1, attempt: 1, detail: "the line dropped".into() }).unwrap();
    assert_eq!(lost.enrollment.block, Some(BlockReason::DeliveryUnknown));
    house.later(Span::days(30));
    assert!(house.tick().is_empty(), "it is never sent again by itself");
    assert!(house.put(id, Event::Retry).is_err());
    let settled =
        house.put(id, Event::Bounce { visit: Some(1), class: BounceClass::Hard, detail: "5.1.1".into() }).unwrap();
    assert_eq!(settled.enrollment.finish, Some(Finish::Bounced));
    assert_eq!(house.int("SELECT count(*) FROM send WHERE state = 'sent'"), 1, "the bounce proves it was sent");
    assert_eq!(house.int("SELECT count(*) FROM suppression"), 1);
    house.audit(SEQUENCE);
}

pub fn too_many_bounces_pause_sequence_and_mailbox(house: &House) {
    let settings = r#"{"breaker":{"bounces_per_mille":250,"bounces_floor":4,"days":7}}"#;
    house.sql("UPDATE workspace SET settings = $2 WHERE workspace_id = $1", &[WS.into(), settings.into()]);
    let ids: Vec<_> = (1..=6).map(|n| house.one(house.grace(n))).collect();
    house.tick();
    let bounced = |n: usize| {
        house.put(ids[n], Event::Bounce { visit: Some(1), class: BounceClass::Hard, detail: "5.1.1".into() }).unwrap()
    };
    let running = "SELECT count(*) FROM sequence WHERE state = 'active' AND held IS NULL";
    let sending = "SELECT count(*) FROM mailbox WHERE held IS NULL";
    let (all_run, all_send) = (house.int(running), house.int(sending));
    for id in &ids[..4] {
        house.put(*id, Event::DotMark { visit: 1, attempt: 1 }).unwrap();
        house.put(*id, Event::Sent { visit: 1, attempt: 1 }).unwrap();
    }
    bounced(0);
    assert_eq!((house.int(running), house.int(sending)), (all_run, all_send), "a quarter is allowed");
    // Refused while it was offered: it counts among the mails as well, and makes two of five.
    house.put(ids[4], Event::DotMark { visit: 1, attempt: 1 }).unwrap();
    let refusal = Event::Refused { visit: 1, attempt: 1, fault: Fault::Recipient, detail: "550 5.1.1".into() };
    house.put(ids[4], refusal).unwrap();
    assert_eq!((house.int(running), house.int(sending)), (all_run - 1, all_send - 1), "it stops at once");
    let why = "2 of 5 mails bounced within 7 days (40.0 %); it pauses above 25.0 % of at least 4";
    for table in ["sequence", "mailbox"] {
        assert_eq!(house.int(&format!("SELECT count(*) FROM {table} WHERE held = '{why}'")), 1, "{table}");
    }
    let asked = house.put(ids[5], Event::DotMark { visit: 1, attempt: 1 }).unwrap();
    assert!(!asked.permitted, "what was recorded before is not marked");
    house.audit(SEQUENCE);

    // Of what a person says was no bounce nothing is held against them.
    let counted = "SELECT CAST(SUM(bounces) AS BIGINT) FROM track_record";
    assert_eq!(house.int(counted), 4, "two, of a sequence and of a mailbox");
    let false_bounce = Event::TakeBack { what: Correctable::Bounce, at: house.now(), otherwise: Otherwise::Nothing };
    house.put(ids[0], false_bounce).unwrap();
    assert_eq!(house.int(counted), 2);

    // Whoever lets it go on has looked at it: the count begins anew, and so does what lies longer back than the window.
    house.sql(
        "UPDATE sequence SET state = 'active', held = NULL WHERE workspace_id = $1 AND id = $2",
        &[WS.into(), SEQUENCE.into()],
    );
    house.forget_record(SEQUENCE);
    bounced(1);
    assert_eq!(house.int(running), all_run, "one bounce of none sent since");
    house.sql("UPDATE track_record SET day = day - 7 WHERE workspace_id = $1", &[WS.into()]);
    bounced(2);
    assert_eq!(house.int("SELECT mails FROM track_record WHERE kind = 'sequence' ORDER BY day DESC LIMIT 1"), 0);
    assert_eq!(house.int(running), all_run);
}

/// The answer to the commit that recorded it was lost: nobody brings it.
pub fn a_message_that_nobody_was_told_of_is_given_back(house: &House) {
    let id = house.one(house.grace(1));
    house.tick();
    let open = |house: &House| house.db.read(|q| house.door.open_before(q, house.now() - Span::seconds(15))).unwrap();
    assert_eq!(open(house), [], "a moment ago");
    house.later(Span::seconds(16));
    let lost = open(house);
    assert_eq!(lost.iter().map(|s| (s.enrollment, s.visit, s.attempt)).collect::<Vec<_>>(), [(id, 1, 1)]);
    let settle =
        |house: &House| house.db.write(|tx| house.door.settle_lost(tx, WS, &lost, "?", house.now())).unwrap().all();
    assert_eq!((settle(house), settle(house)), (1, 0), "once");
    let again: Vec<_> = house.tick().into_iter().flatten().flat_map(|a| a.outgoing).map(|m| m.attempt).collect();
    assert_eq!(again, [2]);
    assert_eq!(house.put(id, Event::DotMark { visit: 1, attempt: 1 }).err(), Some(Refusal::AttemptOver), "too late");
    assert!(house.put(id, Event::DotMark { visit: 1, attempt: 2 }).unwrap().permitted);
    assert_eq!(settle(house), 0, "what has moved since is left alone");
    house.audit(SEQUENCE);
}

pub fn erasing_takes_the_activity_of_an_unknown_delivery_along(house: &House) {
    let id = house.one(house.grace(1));
    house.tick();
    assert!(house.put(id, Event::DotMark { visit: 1, attempt: 1 }).unwrap().permitted);
    house.put(id, Event::Unknown { visit: 1, attempt: 1, detail: "no answer".into() }).unwrap();
    house.put(id, Event::Erase).unwrap();
    assert_eq!(house.int("SELECT COUNT(*) FROM activity"), 0, "nothing of it was completed");
    house.audit(SEQUENCE);
}

pub fn missing_addresses_block_and_mend(house: &House) {
    let id = house.one(house.contact(1, "[]"));
    house.tick();
    assert_eq!(house.enrollment(id).block, Some(BlockReason::MissingAddress));
    house.sql(
        r#"UPDATE contact SET emails = '[{"kind":"work","value":"g@example.test"}]' WHERE workspace_id = $1"#,
        &[WS.into()],
    );
    house.put(id, Event::Mended).unwrap();
    let sent: Vec<_> = house.tick().into_iter().flatten().flat_map(|a| a.outgoing).collect();
    assert_eq!(sent.len(), 1);
    assert_eq!(house.enrollment(id).place.map(|p| p.phase), Some(Phase::Executing));
    house.audit(SEQUENCE);
}

pub fn enrolling_is_guarded(house: &House) {
    let grace = house.grace(1);
    let twice = house.enroll(&[grace, grace]);
    assert!(twice[0].1.is_ok());
    assert!(matches!(twice[1].1, Err(EnrollRefusal::AlreadyLive(_))));
    let id = twice[0].1.clone().unwrap();
    house.put(id, Event::MarkStatus { mark: Mark::Success }).unwrap();
    assert_eq!(house.enroll(&[grace])[0].1, Err(EnrollRefusal::FinishedBefore));
    let second = house.enroll_in(SEQUENCE, &[grace], Again::Said).remove(0).1.unwrap();
    assert_ne!(second, id);
    house.put(second, Event::Remove).unwrap();
    let resumed = house.one(grace);
    assert_eq!(resumed, second, "a removed one goes on where it stood");
    house.audit(SEQUENCE);
}

/// A file, or a list beside a search, may name somebody twice.
pub fn whoever_is_named_twice_is_asked_about_twice(house: &House) {
    let grace = house.grace(1);
    let id = house.one(grace);
    let twice = || house.enroll(&[grace, grace]).into_iter().map(|(_, answer)| answer).collect::<Vec<_>>();
    let live = |id| Err(EnrollRefusal::AlreadyLive(id));
    assert_eq!(twice(), [live(id), live(id)]);
    house.put(id, Event::Remove).unwrap();
    assert_eq!(twice(), [Ok(id), live(id)], "the first goes on where it stood");
    house.put(id, Event::MarkStatus { mark: Mark::Success }).unwrap();
    assert_eq!(twice(), [Err(EnrollRefusal::FinishedBefore), Err(EnrollRefusal::FinishedBefore)]);
    house.audit(SEQUENCE);
}

pub fn a_paused_sequence_holds_and_rouses(house: &House) {
    let id = house.one(house.grace(1));
    house.sql("UPDATE sequence SET state = 'paused', version = version + 1 WHERE id = $1", &[SEQUENCE.into()]);
    house.tick();
    assert_eq!(house.enrollment(id).life, Life::Pending);
    house.sql("UPDATE sequence SET state = 'active', version = version + 1 WHERE id = $1", &[SEQUENCE.into()]);
    house.db.write(|tx| cadenza_store::door::rouse_sequence(tx, WS, SEQUENCE, house.now())).unwrap();
    assert_eq!(house.tick().into_iter().flatten().flat_map(|a| a.outgoing).count(), 1);
    house.audit(SEQUENCE);
}

pub fn opting_out_reaches_other_sequences(house: &House) {
    let other = SequenceId(200);
    let steps = vec![mail("hello", "5 days")];
    let flow =
        Flow { version: 1, branches: vec![Branch { key: crate::house::key("main"), name: "Main".into(), steps }] };
    house.sequence(other, &flow);
    let grace = house.grace(1);
    let first = house.one(grace);
    let second = house.enroll_in(other, &[grace], Again::NotSaid).remove(0).1.unwrap();
    house.tick();
    house.put(first, Event::DotMark { visit: 1, attempt: 1 }).unwrap();
    house.put(first, Event::Sent { visit: 1, attempt: 1 }).unwrap();
    house.put(first, Event::OptOut { channel: Incoming::Email, visit: Some(1), reach: Reach::Channel }).unwrap();
    assert_eq!(house.enrollment(second).finish, Some(Finish::OptedOut));
    assert_eq!(house.int("SELECT count(*) FROM suppression WHERE why = 'opt_out'"), 1);
    assert_eq!(house.enroll_in(other, &[grace], Again::Said)[0].1, Err(EnrollRefusal::Suppressed("opt_out".into())));
    house.audit(SEQUENCE);
    house.audit(other);
}

pub fn a_sequence_ends_when_all_in_it_are_finished(house: &House) {
    house.ends_when_all_finished();
    let stop = || Event::Stop { reason: StopReason::Called };
    let (first, second) = (house.one(house.grace(1)), house.one(house.grace(2)));
    house.put(first, stop()).unwrap();
    house.later(Span::hours(1));
    house.turn();
    assert_eq!(house.ended_by(), None, "one is live");

    // The last one is stopped by mistake, and goes on.
    house.put(second, stop()).unwrap();
    assert_eq!(house.db.read(|q| door::rest(q, house.now())).unwrap(), Rest::Until(house.now() + Span::minutes(5)));
    house.later(Span::minutes(4));
    house.turn();
    assert_eq!(house.ended_by(), None);
    house.put(second, Event::Reactivate { due: DueChoice::Old }).unwrap();
    house.later(Span::minutes(1));
    house.turn();
    assert_eq!(house.ended_by(), None, "it is live again");

    house.put(second, stop()).unwrap();
    house.later(Span::minutes(5));
    house.turn();
    assert_eq!(house.ended_by().as_deref(), Some("all_finished"));
    let refused = house.enroll(&[house.grace(3)]).remove(0).1.unwrap_err();
    assert!(matches!(refused, EnrollRefusal::SequenceOver(_)), "{refused:?}");
    house.audit(SEQUENCE);
}

pub fn nobody_left_ends_a_sequence_only_while_it_runs(house: &House) {
    let active = "UPDATE sequence SET state = 'active', version = version + 1 WHERE workspace_id = $1";
    let rouse = || {
        house.sql(active, &[WS.into()]);
        house.db.write(|tx| door::rouse_sequence(tx, WS, SEQUENCE, house.now())).unwrap();
        house.later(Span::minutes(5));
        house.turn();
    };
    house.ends_when_all_finished();
    rouse();
    assert_eq!(house.ended_by(), None, "nobody has ever entered");
    let only = house.one(house.grace(1));
    house.put(only, Event::Remove).unwrap();
    rouse();
    assert_eq!(house.ended_by(), None, "who was taken off has not finished");
    let id = house.one(house.grace(2));
    house.sql("UPDATE sequence SET state = 'paused', version = version + 1 WHERE workspace_id = $1", &[WS.into()]);
    house.put(id, Event::Reply { channel: Incoming::Email, visit: None }).unwrap();
    house.later(Span::hours(1));
    house.turn();
    assert_eq!(house.ended_by(), None, "paused");
    rouse();
    assert_eq!(house.ended_by().as_deref(), Some("all_finished"));
    house.audit(SEQUENCE);
}

/// A large crowd is not counted at every look; what may have come meanwhile is added.
pub fn a_large_crowd_is_counted_twice_a_second(house: &House) {
    let crowd = || house.db.read(|q| house.door.crowd(q, house.now())).unwrap();
    let subjects = |from: i64, to: i64| (from..to).map(|id| house.grace(id)).collect::<Vec<_>>();
    house.enroll(&subjects(0, 10));
    assert_eq!(crowd(), Some(10));
    house.enroll(&subjects(10, 1_000));
    assert_eq!(crowd(), Some(1_000), "a small one is counted anew");
    house.enroll(&subjects(1_000, 1_100));
    assert_eq!(crowd(), Some(1_250));
    house.later(Span::from_micros(499_999));
    assert_eq!(crowd(), Some(1_250));
    house.later(Span::from_micros(1));
    assert_eq!(crowd(), Some(1_100));
    house.later(Span::minutes(-1));
    assert_eq!(crowd(), Some(0), "a clock that was set back counts anew");
}

/// Nobody reads it, so nothing was read in time; whoever posts what arrives there sees to it that nothing is missed.
pub fn a_follow_up_waits_for_an_inbox_that_was_not_read_but_for_no_journal(house: &House) {
    let mailbox = |sql: &str| house.sql(&format!("UPDATE mailbox SET {sql} WHERE workspace_id = $1"), &[WS.into()]);
    let transport =
        "sandbox = 0, smtp_host = 'mail.example', smtp_port = 25, smtp_security = 'none', smtp_auth = 'none'";
    let sends = || house.int("SELECT COUNT(*) FROM send");
    let id = house.one(house.grace(1));
    house.tick();
    house.put(id, Event::DotMark { visit: 1, attempt: 1 }).unwrap();
    house.put(id, Event::Sent { visit: 1, attempt: 1 }).unwrap();
    mailbox(&format!(
        "{transport}, imap_host = 'mail.example', imap_port = 143, imap_security = 'tls', imap_auth = 'password'"
    ));
    mailbox("readable = 1, version = version + 1");
    house.later(Span::days(5));
    house.tick();
    assert_eq!(sends(), 1, "its inbox was never read");
    mailbox(
        "imap_host = NULL, imap_port = NULL, imap_security = NULL, imap_auth = NULL, journaled = 1, version = version + 1",
    );
    house.db.write(|tx| door::ring_mailbox(tx, WS, MAILBOX, house.now())).unwrap();
    house.tick();
    assert_eq!(sends(), 2);
    house.audit(SEQUENCE);
}
