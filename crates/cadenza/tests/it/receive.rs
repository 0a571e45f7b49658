//! What comes in, by state and kind (REC-1 to REC-11), played through the sandbox: the recipient of a mail that really went out
//! answers, and the enrollment follows.

use crate::grace::{STEPS, grace};
use crate::house::{House, Mail, expect, on_both};
use axum::http::StatusCode;
use cadenza::actions::links::Answer;
use cadenza::actions::sandbox::{self, BounceKind, Reacted, Reaction};
use cadenza::engine::receive::{Arrived, Received, Source, TextMessage, receive, receive_text, receive_together};
use cadenza_core::enrollment::{Finish, Hold};
use cadenza_core::flow::AddressKind;
use cadenza_core::time::Span;
use cadenza_store::addresses::TypedAddress;
use cadenza_store::inbound_messages::{self, Class, Filter, Handled, MatchedBy};
use cadenza_store::sequences::Viewer;

async fn react(house: &House, mail: &Mail, reaction: Reaction) -> Reacted {
    sandbox::react(&house.app, &house.caller, mail.row.id, reaction).await.unwrap()
}

/// The message that a reaction was.
async fn message(house: &House, mail: &Mail, reaction: Reaction) -> Received {
    match react(house, mail, reaction).await {
        Reacted::Message(received) => received,
        other => panic!("{other:?}"),
    }
}

fn reply(text: &str) -> Reaction {
    Reaction::Reply { text: text.into() }
}

async fn raw(house: &House, text: &str) -> Received {
    let raw = text.replace('\n', "\r\n").into_bytes();
    receive(&house.app, house.w, Source::Http, raw, house.now()).await.unwrap()
}

on_both! {
    a_reply_stops_pauses_or_is_noted_by_setting
    a_reply_from_elsewhere_in_the_thread_counts
    an_address_alone_reaches_everything_live
    out_of_office_holds_until_it_is_over
    a_hard_bounce_ends_and_suppresses_what_was_written_to
    a_soft_bounce_is_tried_again
    a_forged_bounce_stops_and_suppresses_nothing
    a_complaint_and_every_way_to_unsubscribe_end_it
    the_same_mail_by_two_ways_counts_once
    mails_taken_in_together_do_as_one_by_one
    what_matches_nothing_is_kept_and_shown
    texts_stop_start_and_answer
    a_text_that_answers_a_text_decides_its_conditions
    the_sandbox_opens_and_clicks_through_the_public_door
}

async fn a_reply_stops_pauses_or_is_noted_by_setting(house: &House) {
    let g = grace(house, "").await;
    let received = message(house, &g.mail, reply("Yes, tell me more.")).await;
    assert_eq!((received.class, received.matched_by), (Class::Reply, Some(MatchedBy::Reference)));
    let e = house.enrollment(g.id).await;
    assert_eq!((e.finish, e.replies), (Some(Finish::Replied), 1));
    // Afterwards it is noted and counted, and the end stays (ENR-8).
    message(house, &g.mail, reply("And another thing.")).await;
    let e = house.enrollment(g.id).await;
    assert_eq!((e.finish, e.replies), (Some(Finish::Replied), 2));
    house.audit(g.sequence).await;

    for (name, setting) in [("pauses", "reply = \"pause\""), ("notes", "reply = \"go_on\"")] {
        let sequence = house.sequence(name, setting, STEPS).await;
        let address = format!("{name}@example.test");
        let contact = house.contact(&[&address], |_| ()).await;
        let id = house.enroll(sequence, contact).await;
        let mail = house.mails(&address, 1).await.remove(0);
        message(house, &mail, reply("Hello")).await;
        let e = house.enrollment(id).await;
        assert_eq!((e.holds.has(Hold::Reply), e.replies), (name == "pauses", 1), "{name}");
        assert!(e.is_live(), "{name}");
        house.audit(sequence).await;
    }
}

async fn a_reply_from_elsewhere_in_the_thread_counts(house: &House) {
    let g = grace(house, "").await;
    let received = raw(
        house,
        &format!(
            "From: Someone Else <other@elsewhere.test>\nTo: ada@sandbox.invalid\nSubject: Fwd: Hello\n\
             Message-ID: <n1@elsewhere.test>\nReferences: <x@y.test> <{}>\n\nGrace asked me to answer.\n",
            g.mail.row.message_id
        ),
    )
    .await;
    assert_eq!((received.matched_by, received.enrollments.as_slice()), (Some(MatchedBy::Reference), &[g.id][..]));
    assert_eq!(house.enrollment(g.id).await.finish, Some(Finish::Replied));
}

async fn an_address_alone_reaches_everything_live(house: &House) {
    let g = grace(house, "").await;
    let second = house.sequence("second", "", STEPS).await;
    let other = house.enroll(second, g.contact).await;
    house.mails("grace@example.test", 2).await;
    let received = raw(
        house,
        "From: HOME@example.test\nTo: ada@sandbox.invalid\nSubject: About your offer\nMessage-ID: <n2@e.test>\n\nI am in.\n",
    )
    .await;
    assert_eq!((received.class, received.matched_by), (Class::Reply, Some(MatchedBy::Address)));
    assert_eq!(received.enrollments, [g.id, other]);
    for id in [g.id, other] {
        assert_eq!(house.enrollment(id).await.finish, Some(Finish::Replied));
    }
}

async fn out_of_office_holds_until_it_is_over(house: &House) {
    let rule = "out_of_office = { resume = \"return\", days_after_return = 1, days_without_date = 7 }";
    let g = grace(house, rule).await;
    let away = Reaction::OutOfOffice { until: Some("2027-03-10".into()), language: Some("de".into()) };
    let received = message(house, &g.mail, away).await;
    assert_eq!(received.class, Class::OutOfOffice);
    let e = house.enrollment(g.id).await;
    assert!(e.holds.has(Hold::OutOfOffice));
    assert_eq!(e.hold_until.map(|t| t.to_string()).as_deref(), Some("2027-03-11T00:00:00Z"));
    assert_eq!((e.replies, e.finish), (0, None), "a machine's answer is no reply");
    // Two folders and a second absence do not shorten it.
    message(house, &g.mail, Reaction::OutOfOffice { until: Some("2027-03-05".into()), language: None }).await;
    assert_eq!(house.enrollment(g.id).await.hold_until, e.hold_until);
    house.audit(g.sequence).await;
}

async fn a_hard_bounce_ends_and_suppresses_what_was_written_to(house: &House) {
    let g = grace(house, "").await;
    let received = message(house, &g.mail, Reaction::Bounce { kind: BounceKind::Hard }).await;
    assert_eq!((received.class, received.matched_by), (Class::Bounce, Some(MatchedBy::Reference)));
    assert_eq!(house.enrollment(g.id).await.finish, Some(Finish::Bounced));
    assert_eq!(suppressed(house).await, ["grace@example.test"], "not the address that was not written to");
    house.audit(g.sequence).await;
}

async fn a_soft_bounce_is_tried_again(house: &House) {
    let g = grace(house, "").await;
    message(house, &g.mail, Reaction::Bounce { kind: BounceKind::Soft }).await;
    let e = house.enrollment(g.id).await;
    assert_eq!((e.is_live(), e.soft_bounces), (true, 1));
    assert_eq!(e.place.as_ref().map(|p| p.step.as_str()), Some("intro"));
    house.later(Span::days(1));
    assert_eq!(house.mails("grace@example.test", 2).await[1].row.subject, "Hello Grace");
    assert_eq!(suppressed(house).await, Vec::<String>::new());
    house.audit(g.sequence).await;
}

async fn a_forged_bounce_stops_and_suppresses_nothing(house: &House) {
    let g = grace(house, "").await;
    let report = |to: &str, status: &str, id: &str| {
        format!(
            "From: MAILER-DAEMON@mx.example\nTo: ada@sandbox.invalid\nSubject: Undelivered Mail Returned to Sender\n\
             Message-ID: <{id}@mx.example>\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n\
             --b\nContent-Type: text/plain\n\nIt failed.\n--b\nContent-Type: message/delivery-status\n\n\
             Reporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; {to}\nAction: failed\nStatus: {status}\n\n--b--\n"
        )
    };
    // Blames the sender: an address alone does not hold a mailbox.
    let received = raw(house, &report("grace@example.test", "5.7.1", "f1")).await;
    assert_eq!(received.matched_by, Some(MatchedBy::Address));
    assert_eq!(house.int("SELECT count(*) FROM mailbox WHERE held IS NOT NULL", &[]).await, 0);
    assert!(house.enrollment(g.id).await.is_live());
    // An address of hers to which nothing went.
    let received = raw(house, &report("home@example.test", "5.1.1", "f2")).await;
    assert_eq!(received.enrollments, []);
    let received = raw(house, &report("grace@example.test", "5.1.1", "f3")).await;
    assert_eq!(received.matched_by, Some(MatchedBy::Address));
    assert_eq!(house.enrollment(g.id).await.finish, Some(Finish::Bounced), "it may stop");
    assert_eq!(suppressed(house).await, Vec::<String>::new());
    house.audit(g.sequence).await;
}

async fn a_complaint_and_every_way_to_unsubscribe_end_it(house: &House) {
    let sequence = house.sequence("first", "", STEPS).await;
    let token = "mail to the address in the header";
    let ways: [(&str, Option<Reaction>); 4] = [
        ("complaint", Some(Reaction::Complaint)),
        ("button", Some(Reaction::Unsubscribe)),
        ("words", Some(reply("Please remove me from your list."))),
        (token, None),
    ];
    for (n, (name, reaction)) in ways.into_iter().enumerate() {
        let address = format!("p{n}@example.test");
        let contact = house.contact(&[&address], |_| ()).await;
        let id = house.enroll(sequence, contact).await;
        let mail = house.mails(&address, 1).await.remove(0);
        house.later(Span::minutes(1));
        match reaction {
            Some(reaction) => drop(react(house, &mail, reaction).await),
            None => {
                let head = mail.raw.replace("\r\n ", " ");
                let from = head.find("?subject=unsubscribe%20").unwrap() + 23;
                let token = head[from..].split('>').next().unwrap();
                // From an address that nobody knows: the token is enough.
                let text = format!(
                    "From: x@phone.test\nTo: ada@sandbox.invalid\nSubject: unsubscribe {token}\nMessage-ID: <t@p.test>\n\n\n"
                );
                let received = raw(house, &text).await;
                assert_eq!((received.class, received.matched_by), (Class::OptOut, Some(MatchedBy::Token)));
            }
        }
        let e = house.enrollment(id).await;
        assert_eq!((e.finish, e.opted_out), (Some(Finish::OptedOut), true), "{name}");
        assert_eq!(suppressed(house).await.len(), n + 1, "{name}");
    }
    house.audit(sequence).await;
}

async fn the_same_mail_by_two_ways_counts_once(house: &House) {
    let g = grace(house, "reply = \"go_on\"").await;
    let text = format!(
        "From: grace@example.test\nTo: ada@sandbox.invalid\nSubject: Re: Hello\nMessage-ID: <s1@example.test>\n\
         Date: Mon, 1 Mar 2027 10:00:30 +0000\nIn-Reply-To: <{}>\n\nYes.\n",
        g.mail.row.message_id
    );
    let first = raw(house, &text).await;
    let again = raw(house, &format!("Received: from journal.example\nDelivered-To: ada@sandbox.invalid\n{text}")).await;
    assert_eq!((first.repeated, again.repeated, again.id), (false, true, first.id));
    assert_eq!(house.enrollment(g.id).await.replies, 1);
}

async fn mails_taken_in_together_do_as_one_by_one(house: &House) {
    let g = grace(house, "reply = \"go_on\"").await;
    let mail = |from: &str, id: &str, text: &str| {
        let thread = &g.mail.row.message_id;
        format!("From: {from}\r\nMessage-ID: <{id}@example.test>\r\nIn-Reply-To: <{thread}>\r\n\r\n{text}\r\n")
    };
    let arrived = |raw: String| Arrived { raw: raw.into_bytes(), source: Source::Http, received_at: house.now() };
    let stranger = "From: stranger@elsewhere.test\r\nMessage-ID: <4@example.test>\r\n\r\nWho are you?\r\n".to_owned();
    let mails = vec![
        mail("grace@example.test", "1", "Yes."),
        mail("grace@example.test", "1", "Yes."),
        stranger,
        mail("home@example.test", "2", "And on Friday too."),
        mail("grace@example.test", "3", "Please do not write to me again."),
    ];
    let received = receive_together(&house.app, house.w, mails.into_iter().map(arrived).collect()).await.unwrap();
    let classes: Vec<Class> = received.iter().map(|r| r.class).collect();
    assert_eq!(classes, [Class::Reply, Class::Reply, Class::Reply, Class::Reply, Class::OptOut]);
    assert_eq!(received.iter().map(|r| r.repeated).collect::<Vec<_>>(), [false, true, false, false, false]);
    assert_eq!(received[2].enrollments, []);
    let e = house.enrollment(g.id).await;
    assert_eq!((e.finish, e.replies), (Some(Finish::OptedOut), 2));
    // Each is told at a moment of its own, by which a person can take back what it did.
    let moments = house
        .read(|q| {
            q.query_one("SELECT COUNT(*), COUNT(DISTINCT at) FROM inbound_told", &[])
                .and_then(|r| Ok((r.int(0)?, r.int(1)?)))
        })
        .await;
    assert_eq!(moments, (3, 3));
    house.audit(g.sequence).await;
}

async fn what_matches_nothing_is_kept_and_shown(house: &House) {
    let g = grace(house, "").await;
    let before = house.enrollment(g.id).await;
    let received = raw(
        house,
        "From: stranger@nowhere.test\nTo: ada@sandbox.invalid\nSubject: Hi\nMessage-ID: <u1@nowhere.test>\n\
         In-Reply-To: <enr_0000000000001.1@sandbox.invalid>\n\nWho are you?\n",
    )
    .await;
    assert_eq!((received.class, received.matched_by, received.enrollments.len()), (Class::Reply, None, 0));
    let huge = receive(&house.app, house.w, Source::Http, vec![b'x'; 30_000_000], house.now()).await.unwrap();
    assert_eq!(huge.class, Class::Other);
    let w = house.w;
    let open = Filter { handled: Handled::Open, unmatched: true, ..Filter::new(Viewer::All) };
    let shown = house.read(move |q| inbound_messages::list(q, w, &open, None, 10)).await.rows;
    let [unread, stranger] = &shown[..] else { panic!("{shown:?}") };
    assert_eq!((Some(stranger.message.id), stranger.message.preview.as_str()), (received.id, "Who are you?"));
    assert_eq!(Some(unread.message.id), huge.id, "a person is to look at what cannot be read");
    assert!(unread.message.preview.starts_with("This message could not be read: the mail has 30000000 bytes"));
    assert_eq!(house.enrollment(g.id).await, before);
}

async fn texts_stop_start_and_answer(house: &House) {
    let g = grace(house, "reply = \"go_on\"").await;
    let text = |words: &str, id: &str| TextMessage {
        from: "+4930123456".into(),
        to: "+49301".into(),
        text: words.into(),
        id: Some(id.into()),
    };
    let say =
        async |words: &str, id: &str| receive_text(&house.app, house.w, text(words, id), house.now()).await.unwrap();
    assert_eq!(say("Call me tomorrow", "1").await.class, Class::Reply);
    assert_eq!(house.enrollment(g.id).await.replies, 1);
    assert_eq!(say("STOP", "2").await.class, Class::OptOut);
    assert_eq!(house.enrollment(g.id).await.finish, Some(Finish::OptedOut));
    assert_eq!(suppressed(house).await, ["+4930123456"]);
    assert_eq!(say("START", "3").await.class, Class::OptIn);
    assert_eq!(suppressed(house).await, Vec::<String>::new());
    assert!(say("STOP", "2").await.repeated, "delivered again by the gateway");
    assert_eq!(suppressed(house).await, Vec::<String>::new());
    assert_eq!(house.enrollment(g.id).await.finish, Some(Finish::OptedOut), "a START continues nothing");
}

/// A step by text with a way of its own for whoever answers it, and a second sequence in which nothing was texted.
async fn a_text_that_answers_a_text_decides_its_conditions(house: &House) {
    const ASKING: &str = r#"
[[branch.step]]
key = "ask"
kind = "sms_auto"
text = "May I call you?"

[[branch.step.on]]
when = "replied"
within = "1 day"
then = "step:call"

[[branch.step.on]]
when = "nothing"
within = "1 day"
then = "end"

[[branch.step]]
key = "call"
kind = "call"
"#;
    let number = "+4930123456";
    let phone = TypedAddress { kind: AddressKind::Work, value: number.into() };
    let contact = house.contact(&["grace@example.test"], |c| c.phones = vec![phone]).await;
    let other = house.sequence("by mail", "reply = \"pause\"", STEPS).await;
    let other = house.enroll(other, contact).await;
    let sequence = house.sequence("by text", "", ASKING).await;
    let id = house.enroll(sequence, contact).await;
    house.mails(number, 1).await;
    house.later(Span::minutes(1));
    let answer = TextMessage { from: number.into(), to: "+49301".into(), text: "Gladly".into(), id: Some("1".into()) };
    let received = receive_text(&house.app, house.w, answer, house.now()).await.unwrap();
    assert_eq!(received.enrollments, [id, other], "whose text it answers comes first");
    let e = house.enrollment(id).await;
    assert!(e.is_live() && e.finish.is_none(), "its condition comes before the sequence's setting (FLOW-8): {e:?}");
    assert_eq!(e.place.map(|p| p.step.to_string()).as_deref(), Some("call"));
    let e = house.enrollment(other).await;
    assert!(e.holds.has(Hold::Reply), "elsewhere the setting counts");
    house.audit(sequence).await;
}

async fn the_sandbox_opens_and_clicks_through_the_public_door(house: &House) {
    let g = grace(house, "").await;
    let opened = sandbox::open(&house.app, &house.caller, g.mail.row.id).await.unwrap();
    assert!(opened.has_pixel && opened.can_unsubscribe && opened.message.read_at.is_none());
    assert_eq!(opened.links[0].text, "https://example.com/jobs");
    assert_eq!(house.enrollment(g.id).await.opens, 0, "looking into the sandbox is no open");
    assert_eq!(react(house, &g.mail, Reaction::Open).await, Reacted::Visit(Answer::Pixel));
    let clicked = react(house, &g.mail, Reaction::Click { link: 1 }).await;
    assert_eq!(clicked, Reacted::Visit(Answer::Redirect("https://example.com/jobs".into())));
    let e = house.enrollment(g.id).await;
    assert_eq!((e.opens, e.clicks), (1, 1));
    let none = sandbox::react(&house.app, &house.caller, g.mail.row.id, Reaction::Click { link: 99 }).await;
    assert!(none.unwrap_err().to_string().contains("numbered from 1"));
    // The same address works for a browser.
    let path = opened.links[0].address.split_once("//").unwrap().1.split_once('/').unwrap().1;
    expect(house.request("GET", &format!("/{path}"), &[], "").await, StatusCode::FOUND).await;
    house.audit(g.sequence).await;
}

/// Every value on the suppression list, in order.
async fn suppressed(house: &House) -> Vec<String> {
    house
        .read(|q| {
            let rows = q.query("SELECT value FROM suppression ORDER BY value", &[])?;
            rows.iter().map(|row| row.text(0).map(str::to_owned)).collect()
        })
        .await
}
