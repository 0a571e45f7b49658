//! The address that each mail bears, with Debian's servers: Postfix and Dovecot deliver `ada+tag@…` to Ada, and an answer or a
//! report that comes there is known by it.

use super::answers_real_mail::{address, arrived, finished};
use super::real_mail::{ADA, at_dovecot, bring};
use super::{house, messages, row, two_mails};
use cadenza_core::enrollment::Finish;
use cadenza_core::time::Time;
use cadenza_store::addresses::TypedAddress;
use cadenza_store::inbound_messages::{Class, MatchedBy};
use cadenza_store::mailboxes;
use cadenza_testkit::MailServers;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_lost_its_thread_finds_its_mail() {
    let servers = MailServers::start().unwrap();
    let mut house = house().await;
    // Notices bear the real date, so the house's clock may not be behind it.
    let (real, now) = (Time::from_seconds(jiff::Timestamp::now().as_second()), house.clock.now());
    if real > now {
        house.clock.skip_ahead(real - now);
    }
    let mailbox = at_dovecot(&house, &servers, MailServers::PASSWORD).await;
    let w = house.workspace;
    house
        .write(move |tx| {
            let mut row = mailboxes::get(tx, w, mailbox)?;
            row.plus_addresses = true;
            mailboxes::update(tx, w, &row)
        })
        .await;
    let sequence = house.sequence(&two_mails("")).await;
    let mut people = Vec::new();
    for (number, name) in (1..).zip(["grace", "nobody-here"]) {
        let emails = |c: &mut cadenza_store::contacts::Contact| {
            c.emails = vec![TypedAddress { value: address(name), ..c.emails[0].clone() }];
        };
        people.push(house.contact(number, emails).await);
    }
    house.start().await;
    // Of what lies there before, the first look takes only what came since the mailbox was added, by the servers' clock.
    house.until("it was looked at", |h| Box::pin(async move { row(h, mailbox).await.read_at.is_some() })).await;
    let [grace, nobody] = house.enroll(sequence, people).await.try_into().unwrap();
    house.until_sends("sent", 2).await;

    let sent = arrived(&servers, "grace").await;
    let back = sent.return_path();
    assert!(back.starts_with("ada+") && back.ends_with("@agency.example"), "{back}");
    assert_eq!(sent.header("Reply-To").unwrap(), format!("Ada Byron <{back}>"));
    assert_eq!(sent.header("From").unwrap(), format!("Ada Byron <{ADA}>"));
    // From another address, by a program that keeps neither In-Reply-To nor References.
    let answer = format!(
        "From: assistant@elsewhere.example\r\nTo: {back}\r\nSubject: Thursday\r\nMessage-ID: <a1@elsewhere.example>\r\n\r\n\
         Grace asked me to answer: gladly.\r\n"
    );
    bring(&servers, "assistant@elsewhere.example", &back, &answer).await;
    finished(&house, grace, Finish::Replied).await;
    // Postfix returns what Dovecot refused to the address in the envelope.
    finished(&house, nobody, Finish::Bounced).await;

    let came = messages(&house, mailbox).await;
    let of = |class| came.iter().find(|m| m.class == class).unwrap();
    let (reply, bounce) = (of(Class::Reply), of(Class::Bounce));
    assert_eq!((reply.matched_by, reply.enrollment, reply.visit), (Some(MatchedBy::Token), Some(grace), Some(1)));
    assert_eq!(bounce.enrollment, Some(nobody));
    assert_eq!(servers.delivered(ADA).unwrap().len(), 2, "both lie in the inbox itself");
    house.stop().await;
    house.audit(sequence).await;
}
