//! The moment between the recording of a message and its final mark: whatever is answered then, no mail follows it.

use super::house::{House, ONE_MAIL};
use super::on_both;
use crate::smtp_server::{Act, Gate, Phase, Script, SmtpServer};
use cadenza::actions::enrollments::{self, Operation};
use cadenza::actions::sequences;
use cadenza_core::enrollment::{Finish, Subject};
use cadenza_core::ids::{EnrollmentId, SequenceId};
use cadenza_core::machine::{Event, Incoming, Reach, StopReason};
use cadenza_core::suppression::Suppressible;
use cadenza_core::time::Span;
use cadenza_store::suppression::{self, Suppress, Why};
use cadenza_store::{mailboxes, workspaces};

on_both! {
    a_reply_comes_in_time
    an_opt_out_elsewhere_comes_in_time
    a_pause_of_the_sequence_comes_in_time
    a_suppression_by_hand_comes_in_time
    the_end_of_the_sequence_comes_in_time
}

/// A mail that has been recorded and offered up to DATA, and waits there.
struct Held {
    house: House,
    server: SmtpServer,
    gate: Gate,
    sequence: SequenceId,
    id: EnrollmentId,
}

impl Held {
    async fn new(house: House) -> Held {
        Held::with(house, ONE_MAIL).await
    }

    async fn with(mut house: House, toml: &str) -> Held {
        let gate = Gate::shut();
        let server = SmtpServer::start(Script::new().at_nth(Phase::Data, 1, Act::Wait(gate.clone()))).await;
        house.mailbox("ada@agency.example", server.port()).await;
        house.limits.patience.data = super::house::LONG;
        house.start().await;
        let (sequence, id) = house.one(toml).await;
        gate.reached().await;
        assert_eq!(house.sends(id).await, ["1.1 claimed"]);
        Held { house, server, gate, sequence, id }
    }

    /// Lets the server go on. Nothing may be taken.
    async fn let_go(&self) {
        self.gate.open();
        self.house.rest().await;
        // A mail that went out all the same would be on its way now.
        self.house.until_sends("claimed", 0).await;
        assert_eq!(self.house.until_settled(self.id).await, ["1.1 withdrawn"]);
        assert!(self.server.log().taken.is_empty(), "a mail went out");
        self.house.audit(self.sequence).await;
    }
}

async fn a_reply_comes_in_time(house: House) {
    let held = Held::new(house).await;
    held.house.put(held.id, Event::Reply { channel: Incoming::Email, visit: None }).await.unwrap();
    held.let_go().await;
    held.house.ahead(Span::days(30)).await;
    assert!(held.server.log().taken.is_empty());
    assert_eq!(held.house.enrollment(held.id).await.finish, Some(Finish::Replied));
}

async fn an_opt_out_elsewhere_comes_in_time(house: House) {
    let held = Held::new(house).await;
    let (house, subject) = (&held.house, held.house.enrollment(held.id).await.subject);
    let other = house.sequence(&ONE_MAIL.replace("One mail", "Another").replace("\"A letter.\"", "\"x\"")).await;
    house.sql("UPDATE mailbox SET held = 'not now' WHERE sandbox = 1", &[]).await;
    let elsewhere = house.enroll(other, vec![subject]).await[0];
    let opt_out = Event::OptOut { channel: Incoming::Email, visit: None, reach: Reach::Channel };
    house.put(elsewhere, opt_out).await.unwrap();
    held.let_go().await;
    assert_eq!(house.enrollment(held.id).await.finish, Some(Finish::OptedOut));
}

async fn a_pause_of_the_sequence_comes_in_time(house: House) {
    let held = Held::new(house).await;
    let house = &held.house;
    sequences::pause(&house.app, &house.caller(), held.sequence).await.unwrap();
    held.let_go().await;
    sequences::resume(&house.app, &house.caller(), held.sequence).await.unwrap();
    house.rest().await;
    assert_eq!(house.sends(held.id).await, ["1.1 withdrawn", "1.2 sent"], "resumed, it goes out");
    assert_eq!(held.server.log().taken.len(), 1);
    house.audit(held.sequence).await;
}

async fn a_suppression_by_hand_comes_in_time(house: House) {
    let held = Held::new(house).await;
    let w = held.house.workspace;
    let now = held.house.clock.now();
    held.house
        .write(move |tx| {
            let key = suppression::key(tx, w)?;
            let what =
                Suppress { kind: Suppressible::Domain, value: "people.example".into(), why: Why::ByHand, by: None };
            suppression::add(tx, w, &key, &[what], now)
        })
        .await;
    held.let_go().await;
    assert_eq!(held.house.enrollment(held.id).await.finish, Some(Finish::Completed), "the step was skipped");
}

async fn the_end_of_the_sequence_comes_in_time(house: House) {
    let held = Held::new(house).await;
    sequences::end(&held.house.app, &held.house.caller(), held.sequence).await.unwrap();
    held.let_go().await;
    assert_eq!(held.house.enrollment(held.id).await.finish, Some(Finish::SequenceEnded));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_window_closes_in_time() {
    let window = "[settings]\nwindow = { days = \"mon-sun\", start = \"09:00\", stop = \"10:30\" }\n[[branch]]";
    let held = Held::with(House::sqlite().await, &ONE_MAIL.replace("[[branch]]\nkey", &format!("{window}\nkey"))).await;
    held.house.clock.skip_ahead(Span::minutes(31));
    held.let_go().await;
    assert_eq!(held.house.sends(held.id).await.len(), 1);
    held.house.ahead(Span::hours(22)).await;
    assert!(held.server.log().taken.is_empty(), "08:31 the next day");
    held.house.ahead(Span::minutes(29)).await;
    assert_eq!(held.server.log().taken.len(), 1, "09:00");
    held.house.audit(held.sequence).await;
}

/// The other ways of stopping one mail, each by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_a_person_does_comes_in_time() {
    for operation in [
        Operation::Pause,
        Operation::Stop { reason: StopReason::Met },
        Operation::Remove,
        Operation::Erase,
        Operation::OptOut,
    ] {
        let held = Held::new(House::sqlite().await).await;
        let house = &held.house;
        let done = enrollments::operate(&house.app, &house.caller(), &[held.id], operation.clone()).await.unwrap();
        assert!(done[0].answer.is_ok(), "{operation:?}");
        held.gate.open();
        house.until_sends("claimed", 0).await;
        house.rest().await;
        assert!(held.server.log().taken.is_empty(), "{operation:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_held_mailbox_and_a_restored_database_come_in_time() {
    for restored in [false, true] {
        let held = Held::new(House::sqlite().await).await;
        let (house, w) = (&held.house, held.house.workspace);
        let (mailbox, now) = (house.enrollment(held.id).await.mailbox.unwrap(), house.clock.now());
        house
            .write(move |tx| {
                if restored {
                    workspaces::set_restore_hold(tx, w, true)
                } else {
                    mailboxes::hold(tx, w, mailbox, "looked into", now)
                }
            })
            .await;
        held.let_go().await;
        if restored {
            house
                .write(move |tx| {
                    workspaces::set_restore_hold(tx, w, false)?;
                    cadenza_store::door::rouse_workspace(tx, w, now)
                })
                .await;
            house.rest().await;
            assert_eq!(held.server.log().taken.len(), 1, "released, it goes out");
        }
    }
}

/// The mail was written to the old address; nothing is known of it any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_address_comes_in_time() {
    let held = Held::new(House::sqlite().await).await;
    let Subject::Contact(contact) = held.house.enrollment(held.id).await.subject else { unreachable!() };
    let (w, now) = (held.house.workspace, held.house.clock.now());
    held.house
        .write(move |tx| {
            let mut c = cadenza_store::contacts::get(tx, w, contact)?;
            c.emails[0].value = "new@people.example".into();
            cadenza_store::contacts::update(tx, w, &c, now)
        })
        .await;
    held.gate.open();
    held.house.until_sends("sent", 1).await;
    assert_eq!(held.house.sends(held.id).await, ["1.1 withdrawn", "1.2 sent"]);
    let taken = held.server.log().taken;
    assert_eq!(taken.len(), 1);
    assert!(taken[0].rcpt[0].contains("new@people.example"), "{:?}", taken[0].rcpt);
}
