//! Two writers at once, on PostgreSQL: the second begins while the first has written and not committed yet. An answer that
//! was given is never overtaken: no mark follows an opt-out, a pause or a suppression, and nobody is forgotten.

use crate::house::{House, MAILBOX, SEQUENCE, USER, WS, mail, two_mails};
use cadenza_core::enrollment::{Phase, State};
use cadenza_core::flow::{Branch, Flow};
use cadenza_core::ids::{EnrollmentId, SequenceId};
use cadenza_core::machine::{Actor, Event, Incoming, Reach, StopReason};
use cadenza_core::pacing::{Scope, ScopeKind};
use cadenza_core::settings::{Per, Rate, WorkspaceSettings};
use cadenza_core::suppression::Suppressible;
use cadenza_core::time::Span;
use cadenza_store::door::{self, Again, Line, Put};
use cadenza_store::{Result, Tx, statistics};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

/// Long enough for the second to get as far as it can.
const MEANWHILE: Duration = Duration::from_millis(250);

/// Runs the first up to its commit, begins the second, then lets the first commit.
fn meet<A: Send, B: Send>(
    house: &House,
    mut first: impl FnMut(&mut Tx) -> Result<A> + Send,
    second: impl FnMut(&mut Tx) -> Result<B> + Send,
) -> (A, B) {
    let (written, both) = channel();
    thread::scope(|scope| {
        let first = scope.spawn(move || {
            house.db.write(|tx| {
                let done = first(tx)?;
                // Run again, it meets nobody any more; nobody listens then.
                let _ = written.send(());
                thread::sleep(MEANWHILE);
                Ok(done)
            })
        });
        both.recv().unwrap();
        let second = house.db.write(second).unwrap();
        (first.join().unwrap().unwrap(), second)
    })
}

fn put<'h>(
    house: &'h House,
    id: EnrollmentId,
    event: Event,
) -> impl FnMut(&mut Tx) -> Result<Vec<door::Advanced>> + Send + 'h {
    move |tx| {
        let put = Put { enrollment: id, event: event.clone(), actor: Actor::Engine };
        house.door.advance(tx, WS, vec![put], house.now())
    }
}

fn mark() -> Event {
    Event::DotMark { visit: 1, attempt: 1 }
}

fn opt_out() -> Event {
    Event::OptOut { channel: Incoming::Email, visit: None, reach: Reach::Channel }
}

fn permitted(answers: &[door::Advanced]) -> bool {
    answers.iter().flatten().any(|a| a.permitted)
}

/// A mail that waits for its mark, and another enrollment of the same contact.
fn claimed_and_elsewhere(house: &House) -> (EnrollmentId, EnrollmentId) {
    let grace = house.grace(1);
    let id = house.one(grace);
    house.tick();
    let other = SequenceId(101);
    let steps = vec![mail("other", "5 days")];
    house.sequence(
        other,
        &Flow { version: 1, branches: vec![Branch { key: "main".parse().unwrap(), name: "Main".into(), steps }] },
    );
    let elsewhere = house.enroll_in(other, &[grace], Again::NotSaid).remove(0).1.unwrap();
    (id, elsewhere)
}

#[test]
fn postgres_no_mark_overtakes_an_opt_out_elsewhere() {
    let Some(house) = House::postgres() else { return };
    let (id, elsewhere) = claimed_and_elsewhere(&house);
    let (_, marked) = meet(&house, put(&house, elsewhere, opt_out()), put(&house, id, mark()));
    assert!(!permitted(&marked), "marked after the opt-out was written");
    house.audit(SEQUENCE);
}

/// The other way round the mark comes first, and the opt-out is answered after it.
#[test]
fn postgres_an_opt_out_waits_for_the_mark_before_it() {
    let Some(house) = House::postgres() else { return };
    let (id, elsewhere) = claimed_and_elsewhere(&house);
    let (marked, _) = meet(&house, put(&house, id, mark()), put(&house, elsewhere, opt_out()));
    assert!(permitted(&marked));
    assert_eq!(house.int("SELECT COUNT(*) FROM send WHERE state = 'marked'"), 1);
    assert_eq!(house.put(id, Event::Sent { visit: 1, attempt: 1 }).unwrap().state, State::Finished);
    house.audit(SEQUENCE);
}

#[test]
fn postgres_an_opt_out_sees_the_message_that_is_being_recorded() {
    let Some(house) = House::postgres() else { return };
    let grace = house.grace(1);
    let (id, elsewhere) = (house.one(grace), {
        house.sequence(SequenceId(101), &two_mails());
        house.enroll_in(SequenceId(101), &[grace], Again::NotSaid).remove(0).1.unwrap()
    });
    house.put(id, Event::Wake).unwrap();
    let (claimed, _) = meet(&house, put(&house, id, Event::Wake), put(&house, elsewhere, opt_out()));
    assert_eq!(claimed.iter().flatten().map(|a| a.outgoing.len()).sum::<usize>(), 1, "recorded first");
    let answer = house.put(id, mark());
    assert!(!answer.is_ok_and(|a| a.permitted));
    house.audit(SEQUENCE);
}

#[test]
fn postgres_no_message_is_recorded_past_an_opt_out() {
    let Some(house) = House::postgres() else { return };
    let grace = house.grace(1);
    let id = house.one(grace);
    house.sequence(SequenceId(101), &two_mails());
    let elsewhere = house.enroll_in(SequenceId(101), &[grace], Again::NotSaid).remove(0).1.unwrap();
    house.put(id, Event::Wake).unwrap();
    let (_, claimed) = meet(&house, put(&house, elsewhere, opt_out()), put(&house, id, Event::Wake));
    assert_eq!(claimed.iter().flatten().map(|a| a.outgoing.len()).sum::<usize>(), 0);
    house.audit(SEQUENCE);
}

#[test]
fn postgres_no_mark_overtakes_a_suppression_by_hand() {
    let Some(house) = House::postgres() else { return };
    let id = house.one(house.grace(1));
    house.tick();
    let suppress = |tx: &mut Tx| house.suppress_in(tx, Suppressible::Domain, "example.test");
    let (_, marked) = meet(&house, suppress, put(&house, id, mark()));
    assert!(!permitted(&marked));
    house.audit(SEQUENCE);
}

#[test]
fn postgres_no_mark_overtakes_a_pause_of_the_sequence_or_a_hold_of_the_mailbox() {
    for sql in [
        "UPDATE sequence SET state = 'paused', version = version + 1 WHERE workspace_id = $1 AND id = 100",
        "UPDATE mailbox SET held = 'looked into', held_at = 0 WHERE workspace_id = $1 AND id = 30",
        "UPDATE workspace SET restore_hold = 1 WHERE workspace_id = $1",
    ] {
        let Some(house) = House::postgres() else { return };
        let id = house.one(house.grace(1));
        house.tick();
        let (_, marked) = meet(&house, |tx| tx.exec(sql, &[WS.into()]), put(&house, id, mark()));
        assert!(!permitted(&marked), "{sql}");
        assert_ne!(house.enrollment(id).place.map(|p| p.phase), Some(Phase::Executing));
        house.audit(SEQUENCE);
    }
}

/// Looked at while its sequence was paused, an enrollment rests; the resuming must not miss it.
#[test]
fn postgres_a_resuming_finds_whoever_is_being_put_to_rest() {
    let Some(house) = House::postgres() else { return };
    let id = house.one(house.grace(1));
    house.put(id, Event::Wake).unwrap();
    house.sql("UPDATE sequence SET state = 'paused', version = version + 1 WHERE id = $1", &[SEQUENCE.into()]);
    let resume = |tx: &mut Tx| {
        tx.exec("UPDATE sequence SET state = 'active', version = version + 1 WHERE id = $1", &[SEQUENCE.into()])?;
        door::rouse_sequence(tx, WS, SEQUENCE, house.now())
    };
    meet(&house, put(&house, id, Event::Wake), resume);
    assert_eq!(house.int("SELECT COUNT(*) FROM enrollment WHERE wake_at IS NOT NULL"), 1, "it would rest for ever");
    house.audit(SEQUENCE);
}

#[test]
fn postgres_a_begin_finds_whoever_is_being_enrolled() {
    let Some(house) = House::postgres() else { return };
    house.sql(
        "UPDATE sequence SET state = 'scheduled', begin_at = $2, version = version + 1 WHERE id = $1",
        &[SEQUENCE.into(), house.now().into()],
    );
    let grace = house.grace(1);
    let enroll = |tx: &mut Tx| {
        house.door.enroll(tx, WS, SEQUENCE, &[grace], (USER, Actor::User(USER)), Again::NotSaid, house.now())
    };
    let (_, turned) = meet(&house, enroll, |tx| door::turn_sequences(tx, house.now()));
    assert_eq!(turned.begun.len(), 1);
    assert_eq!(house.int("SELECT COUNT(*) FROM enrollment WHERE wake_at IS NOT NULL"), 1, "it would wait for ever");
    house.audit(SEQUENCE);
}

fn line() -> Line {
    Line { workspace: WS, scope: Scope { kind: ScopeKind::MailboxHour, of: MAILBOX.0 } }
}

#[test]
fn postgres_two_draws_keep_one_cap() {
    let Some(house) = House::postgres() else { return };
    house.sql("UPDATE mailbox SET hour_cap = 3 WHERE workspace_id = $1 AND id = $2", &[WS.into(), MAILBOX.into()]);
    let ids: Vec<EnrollmentId> = (1..=10).map(|n| house.one(house.grace(n))).collect();
    for _ in 0..2 {
        ids.iter().for_each(|id| drop(house.put(*id, Event::Wake)));
    }
    let draw = |tx: &mut Tx| house.door.draw(tx, line(), 100, house.now());
    let (first, second) = meet(&house, draw, draw);
    let recorded = |answers: &[door::Advanced]| answers.iter().flatten().map(|a| a.outgoing.len()).sum::<usize>();
    assert_eq!(recorded(&first) + recorded(&second), 3);
    assert_eq!(house.int("SELECT used FROM limiter WHERE kind = 'mailbox_hour'"), 3);
    house.audit(SEQUENCE);
}

/// Two who are looked at at once, by clocks that have counted nobody else: both have room as long as one cap has it for both.
#[test]
fn postgres_two_who_take_from_one_cap_add_up() {
    for (cap, recorded) in [(5, 2), (1, 1)] {
        let Some(house) = House::postgres() else { return };
        let rate = Rate { count: cap, per: Per::Hour };
        let settings = WorkspaceSettings { workspace_cap: Some(rate), ..WorkspaceSettings::default() };
        house.sql(
            "UPDATE workspace SET settings = $2 WHERE workspace_id = $1",
            &[WS.into(), serde_json::to_string(&settings).unwrap().into()],
        );
        let ids = [1, 2].map(|n| house.one(house.grace(n)));
        ids.iter().for_each(|id| drop(house.put(*id, Event::Wake)));
        let claim = |id: EnrollmentId| {
            let house = &house;
            move |tx: &mut Tx| {
                let put = Put { enrollment: id, event: Event::Wake, actor: Actor::Engine };
                house.door.advance_among(tx, WS, &[put], Some(1), house.now())
            }
        };
        meet(&house, claim(ids[0]), claim(ids[1]));
        assert_eq!(house.int("SELECT COUNT(*) FROM send WHERE state = 'claimed'"), recorded, "of a cap of {cap}");
        assert_eq!(house.int("SELECT used FROM limiter WHERE kind = 'workspace'"), recorded);
        let waiting = house.int("SELECT COUNT(*) FROM enrollment WHERE parked IS NOT NULL");
        assert_eq!(waiting, 2 - recorded, "whoever found no room stands in line");
        house.audit(SEQUENCE);
    }
}

/// One gives its room back while another takes room: the count is right afterwards.
#[test]
fn postgres_room_given_back_is_not_lost() {
    let Some(house) = House::postgres() else { return };
    house.sql("UPDATE mailbox SET hour_cap = 100 WHERE workspace_id = $1 AND id = $2", &[WS.into(), MAILBOX.into()]);
    let first = house.one(house.grace(1));
    house.tick();
    let second = house.one(house.grace(2));
    house.put(second, Event::Wake).unwrap();
    house.put(second, Event::Wake).unwrap();
    meet(&house, put(&house, first, Event::Pause), |tx| house.door.draw(tx, line(), 100, house.now()));
    assert_eq!(house.int("SELECT COUNT(*) FROM send WHERE state = 'claimed'"), 1);
    assert_eq!(house.int("SELECT used FROM limiter WHERE kind = 'mailbox_hour'"), 1);
    house.audit(SEQUENCE);
}

/// A line that is drawn empty while somebody gets into it does not fall asleep over them.
#[test]
fn postgres_a_line_notices_who_is_just_getting_into_it() {
    let Some(house) = House::postgres() else { return };
    house.sql("UPDATE mailbox SET hour_cap = 100 WHERE workspace_id = $1 AND id = $2", &[WS.into(), MAILBOX.into()]);
    house.one(house.grace(1));
    house.tick();
    let id = house.one(house.grace(2));
    house.put(id, Event::Wake).unwrap();
    meet(&house, put(&house, id, Event::Wake), |tx| house.door.draw(tx, line(), 100, house.now()));
    let standing = house.enrollment(id).parked.is_some();
    let awake = house.int("SELECT COUNT(*) FROM limiter WHERE wake_at IS NOT NULL") > 0;
    assert!(!standing || awake, "it would stand there for ever");
    house.later(Span::minutes(1));
    house.tick();
    assert_eq!(house.int("SELECT COUNT(*) FROM send"), 2);
    house.audit(SEQUENCE);
}

#[test]
fn postgres_the_last_two_who_finish_at_once_end_their_sequence() {
    let Some(house) = House::postgres() else { return };
    house.ends_when_all_finished();
    let (one, other) = (house.one(house.grace(1)), house.one(house.grace(2)));
    let stop = || Event::Stop { reason: StopReason::Called };
    meet(&house, put(&house, one, stop()), put(&house, other, stop()));
    house.later(Span::minutes(5));
    house.turn();
    assert_eq!(house.ended_by().as_deref(), Some("all_finished"), "neither saw that the other is finished");
    house.audit(SEQUENCE);
}

#[test]
fn postgres_whoever_is_being_enrolled_keeps_a_sequence_open() {
    let Some(house) = House::postgres() else { return };
    house.ends_when_all_finished();
    let id = house.one(house.grace(1));
    house.put(id, Event::Stop { reason: StopReason::Called }).unwrap();
    house.later(Span::minutes(5));
    let grace = house.grace(2);
    let enroll = |tx: &mut Tx| {
        house.door.enroll(tx, WS, SEQUENCE, &[grace], (USER, Actor::User(USER)), Again::NotSaid, house.now())
    };
    meet(&house, enroll, |tx| door::turn_sequences(tx, house.now()));
    assert_eq!(house.ended_by(), None, "somebody is live in a sequence that ended");
    house.audit(SEQUENCE);
}

/// The planner hears of a table's growth before it has compared every row of it with every one of a batch.
#[test]
fn postgres_a_table_that_grew_is_looked_at() {
    let Some(house) = House::postgres() else { return };
    let refresh = || house.db.write(statistics::refresh).unwrap();
    let pages = || house.int("SELECT relpages FROM pg_class WHERE relname = 'contact' AND relkind = 'r'");
    while refresh() > 0 {}
    let before = pages();
    for id in 1..=1_000 {
        house.grace(id);
    }
    assert!(refresh() >= 1);
    assert!(pages() > before.max(8), "{} pages, {before} before", pages());
    assert_eq!(refresh(), 0, "nothing has grown since");
}

#[test]
fn postgres_pages_have_room_for_new_versions_of_rows() {
    let Some(house) = House::postgres() else { return };
    for table in ["enrollment", "send", "contact"] {
        let asked =
            "SELECT COUNT(*) FROM pg_class WHERE relname = $1 AND array_to_string(reloptions, ',') LIKE 'fillfactor=%'";
        let asked = house.db.read(|q| q.query_one(asked, &[table.into()])?.int(0)).unwrap();
        assert_eq!(asked, 1, "{table}");
    }
}
