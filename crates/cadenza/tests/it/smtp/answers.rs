//! What a refusal carries, and the moments just before and after the dot.

use super::*;
use crate::smtp_server::{Act, Phase, Script, SmtpServer, say};
use cadenza::mail::smtp::{Blame, ConnectFailure, Enhanced, Lost, Refusal, Stage};

/// What the client makes of a server that answers like this.
async fn outcome(phase: Phase, act: Act) -> Result<Answer, OfferFailure> {
    let server = SmtpServer::start(Script::new().at(phase, act)).await;
    let mut connection = Connection::open(&account(server.port()), &Clock::system()).await.unwrap();
    send(&mut connection).await
}

#[tokio::test]
async fn a_refusal_carries_codes_words_stage_and_blame() {
    let text = "550-5.1.1 The account does not exist.\r\n550 5.1.1 Check the address.";
    let Err(OfferFailure::Refused(refusal)) = outcome(Phase::Rcpt, say(text)).await else { panic!("not refused") };
    assert_eq!(
        refusal,
        Refusal {
            code: 550,
            enhanced: Some(Enhanced { class: 5, subject: 1, detail: 1 }),
            text: "5.1.1 The account does not exist.\n5.1.1 Check the address.".into(),
            stage: Stage::Rcpt,
            blame: Blame::Recipient,
        }
    );
    assert_eq!(refusal.to_string(), "550 5.1.1 The account does not exist. 5.1.1 Check the address. (at RCPT)");
}

#[tokio::test]
async fn each_class_is_told_from_the_others() {
    for (phase, text, blame, deferred) in [
        (Phase::Mail, "552 5.3.4 too large", Blame::Message, false),
        (Phase::Mail, "550 5.7.1 sender not allowed", Blame::Sender, false),
        (Phase::Rcpt, "451 4.7.1 Greylisted, try again in 5 minutes", Blame::Recipient, true),
        (Phase::Rcpt, "552 5.2.2 mailbox full", Blame::Recipient, true),
        (Phase::Rcpt, "421 4.7.0 too many connections", Blame::Sender, true),
        (Phase::Data, "451 4.3.0 queue full", Blame::Server, true),
    ] {
        let found = match outcome(phase, say(text)).await {
            Err(OfferFailure::Refused(refusal)) => (refusal.blame, false),
            Err(OfferFailure::Deferred(refusal)) => (refusal.blame, true),
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(found, (blame, deferred), "{text}");
    }
    for (text, blame, deferred) in [
        ("550 5.7.26 unauthenticated mail", Blame::Sender, false),
        ("554 5.6.0 bad content", Blame::Message, false),
        ("421 4.3.2 closing", Blame::Server, true),
        ("451 4.3.0 later", Blame::Server, true),
    ] {
        let found = match outcome(Phase::Dot, say(text)).await {
            Ok(Answer::Refused(refusal)) => (refusal.blame, false),
            Ok(Answer::Deferred(refusal)) => (refusal.blame, true),
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(found, (blame, deferred), "{text}");
    }
}

#[tokio::test]
async fn silence_before_the_dot_is_lost_and_after_it_unknown() {
    let silent = Lost::TimedOut(PATIENCE);
    let lost = |stage| Err(OfferFailure::Lost { stage, why: silent.clone() });
    let (mail, data, dot) = tokio::join!(
        outcome(Phase::Mail, Act::Silence),
        outcome(Phase::Data, Act::Silence),
        outcome(Phase::Dot, Act::Silence)
    );
    assert_eq!((mail, data), (lost(Stage::Mail), lost(Stage::Data)));
    assert_eq!(dot, Ok(Answer::Unknown { why: silent.clone() }));
    assert_eq!(outcome(Phase::Accepted, Act::Close).await, Ok(Answer::Unknown { why: Lost::Closed }));
}

#[tokio::test]
async fn an_answer_to_the_dot_that_is_neither_yes_nor_no_is_unknown() {
    for text in ["354 go ahead", "whatever", "250-yes\r\n550 no"] {
        let answer = outcome(Phase::Accepted, say(text)).await.unwrap();
        assert!(matches!(answer, Answer::Unknown { why: Lost::Garbage(_) }), "{text}: {answer:?}");
    }
}

#[tokio::test]
async fn a_server_that_leaves_before_the_dot_is_noticed_and_gets_none() {
    for (act, deferred) in [(Act::Close, false), (Act::SayAndClose("421 4.4.2 timeout".into()), true)] {
        let server = SmtpServer::start(Script::new().at(Phase::Body, act)).await;
        let mut connection = open(&server).await;
        let at_dot = connection.offer(&envelope(), BODY).await.unwrap();
        server.misbehaved().await;
        match at_dot.finish().await {
            Answer::Deferred(refusal) => assert!(deferred && refusal.code == 421, "{refusal}"),
            // What was not read by the server makes it a reset instead of an end.
            Answer::NotGiven { why } => assert!(!deferred && matches!(why, Lost::Closed | Lost::Network(_)), "{why}"),
            other => panic!("{other:?}"),
        }
        assert!(!connection.is_open());
    }
}

#[tokio::test]
async fn a_server_that_refuses_a_large_body_midway_is_heard() {
    let act = Act::SayAndClose("552 5.3.4 too large".into());
    let server = SmtpServer::start(Script::offering(&["PIPELINING"]).at(Phase::Body, act)).await;
    let mut connection = open(&server).await;
    let body = b"0123456789abcdef\r\n".repeat(1_000_000);
    match connection.offer(&envelope(), &body).await {
        Err(OfferFailure::Refused(refusal)) => {
            assert_eq!((refusal.stage, refusal.blame), (Stage::Body, Blame::Message))
        }
        // The reset that follows a close with unread data may overtake the words.
        Err(OfferFailure::Lost { stage, .. }) => assert_eq!(stage, Stage::Body),
        other => panic!("{other:?}"),
    }
    assert_eq!(server.log().taken, []);
}

#[tokio::test]
async fn unasked_words_between_mails_do_not_shift_the_answers() {
    let server = SmtpServer::start(Script::new().at(Phase::Accepted, say("250 ok\r\n250 and ok again"))).await;
    let mut connection = open(&server).await;
    assert!(matches!(send(&mut connection).await, Ok(Answer::Accepted { .. })));
    server.misbehaved().await;
    let failure = send(&mut connection).await.unwrap_err();
    assert!(matches!(failure, OfferFailure::Lost { stage: Stage::Mail, why: Lost::Garbage(_) }), "{failure}");
    assert_eq!(server.log().taken.len(), 1);
}

#[tokio::test]
async fn a_greeting_that_refuses_is_a_refusal() {
    for (text, passing) in [("421 too busy", true), ("554 no service for you", false)] {
        let server = SmtpServer::start(Script::new().at(Phase::Greeting, Act::SayAndClose(text.into()))).await;
        let failure = Connection::open(&patient(server.port()), &Clock::system()).await.unwrap_err();
        assert_eq!(failure.is_passing(), passing, "{failure}");
        let (ConnectFailure::Refused(refusal) | ConnectFailure::Deferred(refusal)) = failure else { panic!() };
        assert_eq!((refusal.stage, refusal.blame), (Stage::Greeting, Blame::Server));
    }
}

#[tokio::test]
async fn a_greylisted_mail_goes_through_the_next_time() {
    let script = Script::new().at_nth(Phase::Rcpt, 1, say("450 4.2.0 Greylisted"));
    let server = SmtpServer::start(script).await;
    let mut connection = open(&server).await;
    assert!(matches!(send(&mut connection).await, Err(OfferFailure::Deferred(_))));
    assert!(matches!(send(&mut connection).await, Ok(Answer::Accepted { .. })));
    assert_eq!(server.log().taken.len(), 1);
}
