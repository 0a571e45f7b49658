//! Mailboxes whose server delivers `name+anything@…`: each mail bears an address of its own, and what comes back to it is known
//! by that address where nothing else tells whose it is. Played through the sandbox.

use crate::grace::STEPS;
use crate::house::{House, Mail, on_both};
use cadenza::actions::mailboxes::{self, MailboxChange};
use cadenza::actions::sandbox::{self, BounceKind, Reacted, Reaction};
use cadenza::engine::receive::{Received, Source, receive};
use cadenza::engine::{AsSent, as_sent};
use cadenza_core::address_tag::AddressTag;
use cadenza_core::enrollment::Finish;
use cadenza_core::ids::{ContactId, EnrollmentId, SequenceId, WorkspaceId};
use cadenza_core::inbound;
use cadenza_core::time::Span;
use cadenza_store::inbound_messages::{self, Class, MatchedBy};
use cadenza_store::workspaces;

on_both! {
    a_mail_bears_an_address_of_its_own_and_stays_the_same_bytes
    a_mailbox_with_a_long_name_keeps_its_plain_address
    the_recipient_answers_to_it_and_servers_return_to_it
    an_answer_without_its_thread_is_known_by_where_it_came_to
    a_report_that_names_nothing_is_known_by_where_it_came_to
    forged_and_foreign_tags_match_nothing
    whoever_kept_the_address_stops_what_lives_now
}

struct Written {
    sequence: SequenceId,
    contact: ContactId,
    id: EnrollmentId,
    mail: Mail,
    /// Where its envelope says that it comes from.
    tagged: String,
}

async fn plus_addresses(house: &House, change: MailboxChange) {
    let sandbox = mailboxes::all(&house.app, &house.caller).await.unwrap().remove(0);
    let change = MailboxChange { plus_addresses: Some(true), ..change };
    let changed = mailboxes::update(&house.app, &house.caller, sandbox.id, change).await.unwrap();
    assert!(changed.plus_addresses);
}

/// Grace, to whom a mail went out a minute ago.
async fn grace(house: &House) -> Written {
    plus_addresses(house, MailboxChange::default()).await;
    let sequence = house.sequence("first", "", STEPS).await;
    let contact = house.contact(&["grace@example.test"], |_| ()).await;
    let id = house.enroll(sequence, contact).await;
    let mail = house.mails("grace@example.test", 1).await.remove(0);
    house.later(Span::minutes(1));
    let tagged = mail.row.sender.clone();
    Written { sequence, contact, id, mail, tagged }
}

async fn raw(house: &House, text: &str) -> Received {
    let raw = text.replace('\n', "\r\n").into_bytes();
    receive(&house.app, house.w, Source::Http, raw, house.now()).await.unwrap()
}

/// A mail of somebody nobody knows, in no thread.
async fn stray(house: &House, from: &str, to: &str, id: &str) -> Received {
    raw(house, &format!("From: {from}\nTo: {to}\nSubject: Thursday\nMessage-ID: <{id}@e.test>\n\nLet us talk.\n")).await
}

async fn key(house: &House) -> Vec<u8> {
    let w = house.w;
    house.read(move |q| workspaces::get(q, w)).await.signing_key
}

async fn a_mail_bears_an_address_of_its_own_and_stays_the_same_bytes(house: &House) {
    let g = grace(house).await;
    house.later(Span::days(3));
    let mails = house.mails("grace@example.test", 2).await;
    let mut seen = Vec::new();
    for (visit, mail) in (1..).zip(&mails) {
        let read = inbound::read(mail.raw.as_bytes(), house.now()).unwrap();
        let addresses = |list: &[inbound::Address]| list.iter().map(|a| a.address.clone()).collect::<Vec<_>>();
        assert_eq!(addresses(&read.from), ["ada@sandbox.invalid"]);
        assert_eq!(
            addresses(&read.reply_to),
            [mail.row.sender.as_str()],
            "answers and reports come back to one address"
        );
        assert_eq!(read.reply_to[0].name, read.from[0].name);
        let tag = AddressTag::of_address(&mail.row.sender).unwrap();
        assert_eq!(AddressTag::verify(tag, house.w, &key(house).await), Some(AddressTag { enrollment: g.id, visit }));
        let again = as_sent(&house.app, house.w, g.id, visit).await.unwrap();
        let as_it_was = AsSent {
            returned_to: mail.row.sender.clone(),
            to: "grace@example.test".into(),
            raw: mail.raw.clone().into_bytes(),
        };
        assert_eq!(again, as_it_was);
        seen.push(tag);
    }
    assert_ne!(seen[0], seen[1]);
    house.audit(g.sequence).await;
}

async fn a_mailbox_with_a_long_name_keeps_its_plain_address(house: &House) {
    // With its 28 digits and the plus it would have one character too many.
    let long = format!("{}@sandbox.invalid", "a".repeat(36));
    let address = serde_json::from_value(serde_json::json!({ "address": long })).unwrap();
    plus_addresses(house, address).await;
    let sequence = house.sequence("first", "", STEPS).await;
    let contact = house.contact(&["grace@example.test"], |_| ()).await;
    house.enroll(sequence, contact).await;
    let mail = house.mails("grace@example.test", 1).await.remove(0);
    assert_eq!(mail.row.sender, long);
    assert!(!mail.raw.contains("Reply-To"), "{}", mail.raw);
}

async fn the_recipient_answers_to_it_and_servers_return_to_it(house: &House) {
    let g = grace(house).await;
    for reaction in [Reaction::Reply { text: "Gladly.".into() }, Reaction::Bounce { kind: BounceKind::Soft }] {
        let reacted = sandbox::react(&house.app, &house.caller, g.mail.row.id, reaction).await.unwrap();
        let Reacted::Message(received) = reacted else { panic!("{reacted:?}") };
        // It names the mail too, which is as good.
        assert_eq!(received.matched_by, Some(MatchedBy::Reference));
        let (w, id) = (house.w, received.id.unwrap());
        let came = house.read(move |q| inbound_messages::raw(q, w, id)).await.unwrap();
        let to = &inbound::read(&came, house.now()).unwrap().to;
        assert_eq!(to.iter().map(|a| a.address.as_str()).collect::<Vec<_>>(), [g.tagged.as_str()]);
    }
}

async fn an_answer_without_its_thread_is_known_by_where_it_came_to(house: &House) {
    let g = grace(house).await;
    let received = stray(house, "assistant@elsewhere.test", &g.tagged.to_uppercase(), "a1").await;
    assert_eq!((received.class, received.matched_by), (Class::Reply, Some(MatchedBy::Token)));
    assert_eq!(received.enrollments, [g.id]);
    let (w, id) = (house.w, received.id.unwrap());
    assert_eq!(house.read(move |q| inbound_messages::get(q, w, id)).await.visit, Some(1), "it is about that mail");
    assert_eq!(house.enrollment(g.id).await.finish, Some(Finish::Replied));
    house.audit(g.sequence).await;
}

async fn a_report_that_names_nothing_is_known_by_where_it_came_to(house: &House) {
    let g = grace(house).await;
    let received = raw(
        house,
        &format!(
            "From: MAILER-DAEMON@mx.example\nTo: {}\nSubject: Undelivered Mail Returned to Sender\n\
             Message-ID: <r1@mx.example>\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n\
             --b\nContent-Type: text/plain\n\nIt failed.\n--b\nContent-Type: message/delivery-status\n\n\
             Reporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; g.hopper@inner.test\nAction: failed\nStatus: 5.1.1\n\n--b--\n",
            g.tagged
        ),
    )
    .await;
    assert_eq!((received.class, received.matched_by), (Class::Bounce, Some(MatchedBy::Token)));
    assert_eq!(received.enrollments, [g.id]);
    assert_eq!(house.enrollment(g.id).await.finish, Some(Finish::Bounced));
    house.audit(g.sequence).await;
}

async fn forged_and_foreign_tags_match_nothing(house: &House) {
    let g = grace(house).await;
    let key = key(house).await;
    let tag = AddressTag { enrollment: g.id, visit: 1 };
    let true_one = tag.sign(house.w, &key);
    assert_eq!(g.tagged, format!("ada+{true_one}@sandbox.invalid"));
    let changed = format!("{}{}", &true_one[..27], if true_one.ends_with('0') { 'g' } else { '0' });
    let nobodys = AddressTag { enrollment: EnrollmentId(g.id.0 + 1), ..tag };
    for (n, forged) in [
        changed,
        tag.sign(house.w, b"a key that somebody made up"),
        tag.sign(WorkspaceId(house.w.0 + 1), &key),
        nobodys.sign(house.w, &key),
        "lists".to_owned(),
    ]
    .into_iter()
    .enumerate()
    {
        let to = format!("ada+{forged}@sandbox.invalid");
        let received = stray(house, "stranger@elsewhere.test", &to, &format!("f{n}")).await;
        assert_eq!((received.matched_by, received.enrollments), (None, vec![]), "{to}");
    }
    assert!(house.enrollment(g.id).await.is_live());
    house.audit(g.sequence).await;
}

async fn whoever_kept_the_address_stops_what_lives_now(house: &House) {
    let g = grace(house).await;
    stray(house, "grace@example.test", &g.tagged, "k1").await;
    assert_eq!(house.enrollment(g.id).await.finish, Some(Finish::Replied));
    let second = house.sequence("second", "", STEPS).await;
    let now = house.enroll(second, g.contact).await;
    house.mails("grace@example.test", 2).await;
    let received = stray(house, "grace@example.test", &g.tagged, "k2").await;
    assert_eq!(received.enrollments, [g.id, now]);
    assert_eq!(house.enrollment(now).await.finish, Some(Finish::Replied));
    house.audit(second).await;
}
