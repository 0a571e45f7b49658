//! Caps, gaps and rate limiters hold, whatever stops and starts meanwhile, and give way to those who were first.

use super::house::House;
use super::on_both;
use crate::smtp_server::{Script, SmtpServer};
use cadenza_core::time::Span;
use cadenza_store::mailboxes::Caps;

on_both! {
    a_mailbox_keeps_day_hour_and_gap_across_restarts
    a_sequence_keeps_its_rate
}

fn one_mail(name: &str, settings: &str) -> String {
    format!(
        "name = {name:?}\n{settings}\n[[branch]]\nkey = \"main\"\n[[branch.step]]\nkey = \"intro\"\nkind = \"email_auto\"\n\
         subject = \"Hello\"\ntext = \"A letter.\"\n"
    )
}

async fn a_mailbox_keeps_day_hour_and_gap_across_restarts(mut house: House) {
    let server = SmtpServer::start(Script::new()).await;
    let caps = Caps { day: Some(7), hour: Some(3), gap_seconds: Some(600), jitter_seconds: Some(0) };
    house.mailbox_with("ada@agency.example", server.port(), |m| m.caps = caps).await;
    house.start().await;
    let sequence = house.sequence(&one_mail("Capped", "")).await;
    house.enroll(sequence, house.contacts(1..=12).await).await;
    house.rest().await;
    let mut sent_at: Vec<i64> = Vec::new();
    // Ten o'clock on Monday, then on in steps of five minutes until Tuesday evening.
    for step in 0..(36 * 12) {
        let taken = server.log().taken.len();
        assert!(taken - sent_at.len() <= 1, "{} at once", taken - sent_at.len());
        sent_at.resize(taken, step * 5);
        if step % 50 == 17 {
            house.stop().await;
            house.reopen().await;
            house.start().await;
        }
        if step % 50 == 33 {
            house.kill().await;
            house.start().await;
        }
        house.ahead(Span::minutes(5)).await;
    }
    assert_eq!(sent_at.len(), 12, "all in the end");
    for pair in sent_at.windows(2) {
        assert!(pair[1] - pair[0] >= 10, "the gap: {sent_at:?}");
    }
    for hour in 0..36 {
        let in_hour = sent_at.iter().filter(|m| (hour * 60..(hour + 1) * 60).contains(*m)).count();
        assert!(in_hour <= 3, "the hour: {sent_at:?}");
    }
    // Midnight is fourteen hours after the begin.
    assert_eq!(sent_at.iter().filter(|m| **m < 14 * 60).count(), 7, "the day: {sent_at:?}");
    assert_eq!(sent_at[..3], [0, 10, 20], "as soon as there is room");
    assert_eq!(sent_at[3], 60, "as soon as there is room");
    house.audit(sequence).await;
}

async fn a_sequence_keeps_its_rate(mut house: House) {
    house.start().await;
    let slow = house.sequence(&one_mail("Slow", "[settings]\nemail_rate = \"5 per hour\"")).await;
    let free = house.sequence(&one_mail("Free", "")).await;
    house.enroll(slow, house.contacts(1..=12).await).await;
    house.enroll(free, house.contacts(13..=32).await).await;
    house.rest().await;
    assert_eq!(house.sandbox().await.len(), 25, "five of the one, all of the other");
    house.ahead(Span::minutes(59)).await;
    assert_eq!(house.sandbox().await.len(), 25);
    house.ahead(Span::minutes(1)).await;
    assert_eq!(house.sandbox().await.len(), 30);
    house.ahead(Span::hours(1)).await;
    assert_eq!(house.sandbox().await.len(), 32);
    house.audit(slow).await;
    house.audit(free).await;
}

/// What was put off gives its room back, and keeps it from nobody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_that_was_put_off_takes_no_room() {
    use crate::smtp_server::{Phase, say};
    let mut house = House::sqlite().await;
    let server = SmtpServer::start(Script::new().at_nth(Phase::Rcpt, 1, say("450 4.2.1 later"))).await;
    let caps = Caps { hour: Some(2), ..Caps::default() };
    house.mailbox_with("ada@agency.example", server.port(), |m| m.caps = caps).await;
    house.start().await;
    let sequence = house.sequence(&one_mail("Capped", "")).await;
    house.enroll(sequence, house.contacts(1..=3).await).await;
    house.rest().await;
    house.ahead(Span::minutes(2)).await;
    assert_eq!(server.log().taken.len(), 2, "two in this hour, though three were tried");
    house.ahead(Span::hours(1)).await;
    assert_eq!(server.log().taken.len(), 3);
    house.audit(sequence).await;
}
