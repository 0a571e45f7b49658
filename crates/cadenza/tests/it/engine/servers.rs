//! Mail servers that put off, refuse, hang up or say nothing: what becomes of the mail, and that it is never sent twice.

use super::house::{House, Mail, ONE_MAIL};
use super::on_both;
use crate::smtp_server::{Act, Phase, Script, SmtpServer, say};
use cadenza::actions::enrollments;
use cadenza_core::enrollment::{BlockReason, Finish};
use cadenza_core::ids::EnrollmentId;
use cadenza_core::machine::Event;
use cadenza_core::time::Span;
use cadenza_store::door::{EnrollRefusal, Mended};
use cadenza_store::mailboxes::{self, Auth};

on_both! {
    greylisting_is_waited_out_under_the_same_message_id
    a_line_lost_after_the_dot_is_unknown_and_never_sent_again
    a_refused_recipient_bounces_and_is_suppressed
    a_refused_sender_holds_the_mailbox_and_nobody_else_is_to_blame
    a_server_behind_the_firewall_is_not_connected_to
}

/// One contact in a sequence of one mail, at a server that does as the script says.
async fn meet(house: &mut House, script: Script) -> (SmtpServer, EnrollmentId) {
    let server = SmtpServer::start(script).await;
    house.mailbox("ada@agency.example", server.port()).await;
    house.start().await;
    let (_, id) = house.one(ONE_MAIL).await;
    (server, id)
}

async fn greylisting_is_waited_out_under_the_same_message_id(mut house: House) {
    let script = Script::new().at_nth(Phase::Rcpt, 1, say("450 4.7.1 come back later")).at_nth(
        Phase::Dot,
        1,
        say("451 4.3.0 not now"),
    );
    let (server, id) = meet(&mut house, script).await;
    house.rest().await;
    assert_eq!(house.sends(id).await, ["1.1 deferred"]);
    house.ahead(Span::seconds(59)).await;
    assert_eq!(house.sends(id).await.len(), 1, "not before its minute");
    house.ahead(Span::seconds(1)).await;
    assert_eq!(house.sends(id).await, ["1.1 deferred", "1.2 deferred"]);
    house.ahead(Span::minutes(5)).await;
    assert_eq!(house.sends(id).await, ["1.1 deferred", "1.2 deferred", "1.3 sent"]);
    let taken = server.log().taken;
    assert_eq!(taken.len(), 1);
    let sql = "SELECT COUNT(DISTINCT message_id) FROM send";
    assert_eq!(house.int(sql, &[]).await, 1, "one Message-ID for all attempts");
    let mail = Mail::read(&taken[0].body);
    let stored =
        house.app.db.read_async(|q| q.query_one("SELECT MIN(message_id) FROM send", &[])?.text(0).map(str::to_owned));
    assert_eq!(mail.header("message-id"), format!("<{}>", stored.await.unwrap()));
    house.audit(house.enrollment(id).await.sequence).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_lost_before_the_dot_is_tried_again_and_sent_once() {
    for (phase, act) in [
        (Phase::Connect, Act::Reset),
        (Phase::Greeting, say("421 4.3.2 too busy")),
        (Phase::Mail, Act::SayAndClose("421 4.3.2 closing".into())),
        (Phase::Data, Act::Close),
        (Phase::Body, Act::Reset),
    ] {
        let mut house = House::sqlite().await;
        let (server, id) = meet(&mut house, Script::new().at_nth(phase, 1, act.clone())).await;
        house.rest().await;
        assert_eq!(house.sends(id).await, ["1.1 deferred"], "{phase:?} {act:?}");
        assert!(server.log().taken.is_empty());
        house.ahead(Span::minutes(1)).await;
        assert_eq!(house.sends(id).await, ["1.1 deferred", "1.2 sent"], "{phase:?} {act:?}");
        assert_eq!(server.log().taken.len(), 1, "{phase:?} {act:?}");
    }
}

async fn a_line_lost_after_the_dot_is_unknown_and_never_sent_again(mut house: House) {
    let (server, id) = meet(&mut house, Script::new().at_nth(Phase::Accepted, 1, Act::Reset)).await;
    house.rest().await;
    assert_eq!(house.sends(id).await, ["1.1 unknown"]);
    assert_eq!(house.enrollment(id).await.block, Some(BlockReason::DeliveryUnknown));
    assert!(house.put(id, Event::Retry).await.is_err(), "Retry would send it again");
    house.ahead(Span::days(30)).await;
    house.stop().await;
    house.reopen().await;
    house.start().await;
    house.ahead(Span::days(30)).await;
    assert_eq!(server.log().taken.len(), 1, "it was taken, and that is that");
    house.put(id, Event::MarkSent).await.unwrap();
    house.rest().await;
    assert_eq!(house.sends(id).await, ["1.1 sent"]);
    assert_eq!(house.enrollment(id).await.finish, Some(Finish::Completed));
    house.audit(house.enrollment(id).await.sequence).await;
}

/// Saving such a mailbox is refused; a name that leads elsewhere later is found out by the connection.
async fn a_server_behind_the_firewall_is_not_connected_to(mut house: House) {
    let server = SmtpServer::start(Script::new()).await;
    // A spelling of 127.0.0.2 that only the resolver reads, and an address that is not of this machine alone.
    for (n, host) in ["10.255.255.1", "0x0aff0001"].into_iter().enumerate() {
        house
            .mailbox_with(&format!("ada{n}@agency.example"), server.port(), |m| {
                if let Some(smtp) = &mut m.smtp {
                    smtp.host = host.into();
                }
            })
            .await;
    }
    house.start().await;
    house.one(ONE_MAIL).await;
    house.rest().await;
    let w = house.workspace;
    let all = house.app.db.read_async(move |q| mailboxes::all(q, w)).await.unwrap();
    let held: Vec<&String> = all.iter().filter_map(|m| Some(&m.held.as_ref()?.0)).collect();
    assert_eq!(held.len(), 1, "the one that was tried: {held:?}");
    for part in ["10.255.", "a private address (RFC 1918)", "server.private_addresses"] {
        assert!(held[0].contains(part), "{held:?}");
    }
    assert_eq!(server.log().connections, 0);
}

/// The wait for the dot's answer is real time here: three seconds in place of ten minutes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_server_is_given_up_in_the_end() {
    let mut house = House::sqlite().await;
    let script = Script::new().at_nth(Phase::Rcpt, 1, Act::Silence).at_nth(Phase::Dot, 1, Act::Silence);
    let (server, id) = meet(&mut house, script).await;
    house.rest().await;
    assert_eq!(house.sends(id).await, ["1.1 deferred"], "before the dot nothing can have been taken");
    house.ahead(Span::minutes(1)).await;
    assert_eq!(house.sends(id).await, ["1.1 deferred", "1.2 unknown"], "after it nobody knows");
    assert!(server.log().taken.is_empty());
    house.put(id, Event::SendAgain).await.unwrap();
    house.rest().await;
    assert_eq!(house.sends(id).await, ["1.1 deferred", "1.2 unknown", "1.3 sent"], "a person may have it sent again");
}

async fn a_refused_recipient_bounces_and_is_suppressed(mut house: House) {
    let script = Script::new().at_nth(Phase::Rcpt, 1, say("550 5.1.1 no such mailbox"));
    let (server, id) = meet(&mut house, script).await;
    house.rest().await;
    let e = house.enrollment(id).await;
    assert_eq!((e.finish, e.bounced), (Some(Finish::Bounced), true));
    assert_eq!(house.sends(id).await, ["1.1 refused"]);
    let other = house.sequence(&ONE_MAIL.replace("One mail", "Another")).await;
    let (caller, not_said) = (house.caller(), cadenza_store::door::Again::NotSaid);
    let again = enrollments::enroll(&house.app, &caller, other, vec![e.subject], not_said).await.unwrap();
    let refusal = again.into_iter().next().unwrap().1.unwrap_err();
    assert!(matches!(&refusal, EnrollRefusal::Suppressed(why) if why == "hard_bounce"), "{refusal}");
    house.enroll(other, house.contacts(2..=2).await).await;
    house.rest().await;
    assert_eq!(server.log().taken.len(), 1, "the next one is none the worse");
    assert_eq!(server.log().connections, 1, "a refused recipient costs no connection");
    house.audit(e.sequence).await;
}

async fn a_refused_sender_holds_the_mailbox_and_nobody_else_is_to_blame(mut house: House) {
    let script = Script::new().at_nth(Phase::Rcpt, 1, say("550 5.7.1 your reputation is too low"));
    let (server, id) = meet(&mut house, script).await;
    house.rest().await;
    let e = house.enrollment(id).await;
    assert_eq!((e.block, e.bounced), (Some(BlockReason::Mailbox), false));
    let ids = house.enroll(e.sequence, house.contacts(2..=5).await).await;
    house.rest().await;
    for id in &ids {
        assert_eq!(house.enrollment(*id).await.block, Some(BlockReason::Mailbox));
        assert!(house.sends(*id).await.is_empty(), "nothing is offered from a held mailbox");
    }
    assert!(server.log().taken.is_empty());
    release(&house, e.mailbox.unwrap()).await;
    house.rest().await;
    assert_eq!(server.log().taken.len(), 5, "they go on by themselves");
    assert_eq!(house.sends(id).await, ["1.1 refused", "1.2 sent"]);
    house.audit(e.sequence).await;
}

async fn release(house: &House, mailbox: cadenza_core::ids::MailboxId) {
    let (app, w) = (house.app.clone(), house.workspace);
    house
        .write(move |tx| {
            mailboxes::release(tx, w, mailbox)?;
            app.door.mend(tx, w, Mended::Mailbox(mailbox), None, 1_000, app.clock.now()).map(drop)
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_too_large_for_the_server_needs_a_person() {
    let mut house = House::sqlite().await;
    let (server, id) = meet(&mut house, Script::offering(&["PIPELINING", "SIZE 200"])).await;
    house.rest().await;
    let e = house.enrollment(id).await;
    assert_eq!((e.block, e.bounced), (Some(BlockReason::StepFailed), false));
    assert!(e.block_detail.is_some_and(|d| d.contains("200")), "it says the limit");
    assert!(server.log().taken.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_holds_the_mailbox_until_it_is_mended() {
    let mut house = House::sqlite().await;
    let server = SmtpServer::start(Script::new().with_sign_in("PLAIN", "ada@agency.example", "right")).await;
    let mailbox = house
        .mailbox_with("ada@agency.example", server.port(), |m| {
            m.smtp.as_mut().unwrap().auth = Auth::Password;
        })
        .await;
    set_password(&house, mailbox, "wrong").await;
    house.start().await;
    let (sequence, id) = house.one(ONE_MAIL).await;
    house.rest().await;
    assert_eq!(house.enrollment(id).await.block, Some(BlockReason::Mailbox));
    set_password(&house, mailbox, "right").await;
    release(&house, mailbox).await;
    house.rest().await;
    assert_eq!(server.log().taken.len(), 1);
    house.audit(sequence).await;
}

async fn set_password(house: &House, mailbox: cadenza_core::ids::MailboxId, password: &'static str) {
    let place =
        cadenza::seal::Place { workspace: house.workspace.0, table: "mailbox", row: mailbox.0, column: "smtp_secret" };
    let sealed = house.app.seal.seal(&house.clock, place, password.as_bytes());
    let w = house.workspace;
    house
        .write(move |tx| {
            let mut mailbox = mailboxes::get(tx, w, mailbox)?;
            mailbox.smtp.as_mut().unwrap().secret = Some(sealed.clone());
            mailboxes::update(tx, w, &mailbox)
        })
        .await;
}

/// A connection that was kept may have died unnoticed: the next mail takes a new one at once and nothing is put off.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kept_connection_that_died_is_replaced_at_once() {
    let closed = Script::new().at_nth(Phase::Accepted, 1, Act::SayAndClose("250 2.0.0 and goodbye".into()));
    let dies = Script::new().at_nth(Phase::Mail, 2, Act::Reset);
    for (what, script, connections) in [("good", Script::new(), 1), ("closed", closed, 2), ("dies", dies, 2)] {
        let mut house = House::sqlite().await;
        let (server, first) = meet(&mut house, script).await;
        house.rest().await;
        let sequence = house.enrollment(first).await.sequence;
        let second = house.enroll(sequence, house.contacts(2..=2).await).await[0];
        house.rest().await;
        assert_eq!(house.sends(first).await, ["1.1 sent"], "{what}");
        assert_eq!(house.sends(second).await, ["1.1 sent"], "{what}");
        let log = server.log();
        assert_eq!((log.taken.len(), log.connections), (2, connections), "{what}");
    }
}
