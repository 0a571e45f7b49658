//! What goes over the wire when all is well, and how a connection is kept and ended.

use super::*;
use crate::smtp_server::{Act, Phase, Script, SmtpServer, say};
use cadenza::mail::smtp::{ConnectFailure, EnvelopeId, LineFailure, Lost, Stage, Unfit};
use cadenza::reach::NotFound;
use cadenza_core::compose::{Content, HeaderText, Letter, Mailbox, MessageId, SentAt, compose};
use cadenza_core::time::Time;
use futures_util::FutureExt;

#[tokio::test]
async fn a_mail_takes_one_group_of_commands_a_body_and_a_dot() {
    let server = SmtpServer::start(Script::new()).await;
    let mut connection = open(&server).await;
    for id in 1..=3 {
        let answer = send(&mut connection).await.unwrap();
        assert_eq!(answer, Answer::Accepted { text: format!("2.0.0 queued as {id}") });
    }
    let log = server.log();
    assert_eq!(log.connections, 1);
    assert_eq!(log.groups.len(), 1 + 3, "EHLO, then one group a mail: {:?}", log.groups);
    assert_eq!(
        log.groups[1],
        [
            "MAIL FROM:<ada@sender.example> SIZE=30 RET=HDRS",
            "RCPT TO:<bob@recipient.example> NOTIFY=FAILURE,DELAY ORCPT=rfc822;bob@recipient.example",
            "DATA"
        ]
    );
    assert!(log.taken.iter().all(|t| t.body == BODY));
}

#[tokio::test]
async fn without_pipelining_every_command_waits_for_its_answer() {
    let server = SmtpServer::start(Script::offering(&["8BITMIME"])).await;
    let mut connection = open(&server).await;
    send(&mut connection).await.unwrap();
    let groups = server.log().groups;
    assert_eq!(groups[1..], [["MAIL FROM:<ada@sender.example>"], ["RCPT TO:<bob@recipient.example>"], ["DATA"]]);
}

#[tokio::test]
async fn a_server_that_knows_no_ehlo_is_greeted_with_helo() {
    let server = SmtpServer::start(Script::offering(&[])).await;
    let mut connection = open(&server).await;
    assert_eq!(connection.offered().all, [""; 0]);
    assert!(matches!(send(&mut connection).await, Ok(Answer::Accepted { .. })));
    assert_eq!(server.log().groups[..2], [["EHLO client.example"], ["HELO client.example"]]);
}

#[tokio::test]
async fn bodies_arrive_byte_for_byte() {
    let server = SmtpServer::start(Script::new()).await;
    let mut connection = open(&server).await;
    let mut letter = Letter::new(
        Mailbox::named("Ada", "ada@sender.example".parse().unwrap()).unwrap(),
        Mailbox::named("Bøb", "bob@recipient.example".parse().unwrap()).unwrap(),
        HeaderText::new("Grüße").unwrap(),
        SentAt::utc(Time::from_seconds(1_800_000_000)),
        MessageId::new("1", "sender.example").unwrap(),
    );
    letter.content = Content::Both { text: ".\n..\nFrom me\n".repeat(9), html: "<p>\u{1f600}</p>".repeat(20_000) };
    let composed = compose(&letter);
    assert!(composed.len() > 200_000, "more than a few blocks");
    let dots = b".\r\n..\r\n.a\r\n\r\n.\r\n".to_vec();
    let eight_bit = "Grüße\r\n".as_bytes().to_vec();
    for body in [&composed, &dots, &eight_bit] {
        let answer = connection.offer(&envelope(), body).await.unwrap().finish().await;
        assert!(matches!(answer, Answer::Accepted { .. }), "{answer:?}");
    }
    let log = server.log();
    assert_eq!(log.taken.iter().map(|t| &t.body).collect::<Vec<_>>(), [&composed, &dots, &eight_bit]);
    assert!(!log.taken[0].mail.contains("BODY="), "a composed mail is 7-bit: {}", log.taken[0].mail);
    assert!(log.taken[2].mail.contains(" BODY=8BITMIME"));
}

#[tokio::test]
async fn line_ends_of_other_kinds_cannot_smuggle_a_second_mail() {
    let server = SmtpServer::start(Script::new()).await;
    let mut connection = open(&server).await;
    let body = b"a\n.\nMAIL FROM:<x@y.example>\r.\r\nb\r\n.\rQUIT\n";
    connection.offer(&envelope(), body).await.unwrap().finish().await;
    let taken = server.log().taken;
    assert_eq!(taken.len(), 1);
    assert_eq!(taken[0].body, b"a\r\n.\r\nMAIL FROM:<x@y.example>\r\n.\r\nb\r\n.\r\nQUIT\r\n");
}

#[tokio::test]
async fn the_envelope_says_who_and_which_reports() {
    let server = SmtpServer::start(Script::new()).await;
    let mut connection = open(&server).await;
    let mut both = envelope();
    both.from = None;
    both.to.push("käthe@recipient.example".replace('ä', "ae").parse().unwrap());
    both.reports.id = Some(EnvelopeId::new("snd_0000000000007").unwrap());
    connection.offer(&both, BODY).await.unwrap().finish().await;
    let taken = &server.log().taken[0];
    assert_eq!(taken.mail, "FROM:<> SIZE=30 RET=HDRS ENVID=snd_0000000000007");
    assert_eq!(taken.rcpt.len(), 2);
    assert!(taken.rcpt[1].starts_with("TO:<kaethe@recipient.example> "));
}

#[tokio::test]
async fn what_cannot_succeed_is_not_tried() {
    let server = SmtpServer::start(Script::offering(&["PIPELINING", "SIZE 100"])).await;
    let mut connection = open(&server).await;
    let unfit = |failure| OfferFailure::Unfit(failure);
    let large = [b'x'; 101];
    let failure = connection.offer(&envelope(), &large).await.unwrap_err();
    assert_eq!(failure, unfit(Unfit::TooLarge { bytes: 101, limit: 100 }));
    assert_eq!(failure.to_string(), "the mail has 101 bytes and the server takes at most 100");
    let failure = connection.offer(&envelope(), "ü".as_bytes()).await.unwrap_err();
    assert_eq!(failure, unfit(Unfit::EightBit));
    let nobody = Envelope { to: Vec::new(), ..envelope() };
    assert_eq!(connection.offer(&nobody, BODY).await.unwrap_err(), unfit(Unfit::NoRecipient));
    assert!(matches!(send(&mut connection).await, Ok(Answer::Accepted { .. })), "the connection is as good as before");
}

#[tokio::test]
async fn a_mail_that_is_abandoned_or_dropped_is_not_taken() {
    let server = SmtpServer::start(Script::new()).await;
    let mut first = open(&server).await;
    first.offer(&envelope(), BODY).await.unwrap().abandon();
    assert!(!first.is_open());
    let failure = send(&mut first).await.unwrap_err();
    assert_eq!(failure, OfferFailure::Lost { stage: Stage::Mail, why: Lost::Unusable });
    let mut second = open(&server).await;
    drop(second.offer(&envelope(), BODY).await.unwrap());
    assert!(!second.is_open());
    let mut third = open(&server).await;
    // A future that is dropped midway, as by a shutdown, leaves no half-spoken connection behind.
    assert!(third.offer(&envelope(), BODY).now_or_never().is_none());
    assert!(!third.is_open());
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(server.log().taken, []);
}

#[tokio::test]
async fn a_connection_knows_when_it_is_not_to_be_used_again() {
    let server = SmtpServer::start(Script::new().at_nth(Phase::Accepted, 2, Act::SayAndClose("250 bye".into()))).await;
    let mut connection = open(&server).await;
    send(&mut connection).await.unwrap();
    assert!(!connection.is_idle_expired());
    send(&mut connection).await.unwrap();
    server.misbehaved().await;
    assert!(connection.is_idle_expired(), "the server has closed it");
    let failure = send(&mut connection).await.unwrap_err();
    assert_eq!(failure, OfferFailure::Lost { stage: Stage::Mail, why: Lost::Closed });

    let mut account = patient(server.port());
    account.timeouts.idle = Duration::from_millis(20);
    let mut connection = Connection::open(&account, &Clock::system()).await.unwrap();
    assert!(!connection.is_idle_expired());
    tokio::time::sleep(Duration::from_millis(40)).await;
    assert!(connection.is_idle_expired(), "unused for too long");
}

#[tokio::test]
async fn a_connection_can_be_reset_and_ended() {
    let server = SmtpServer::start(Script::new()).await;
    let mut connection = open(&server).await;
    connection.reset().await.unwrap();
    send(&mut connection).await.unwrap();
    connection.quit().await;
    let groups = server.log().groups;
    assert_eq!(groups[1], ["RSET"]);
    assert_eq!(groups.last().unwrap()[..], ["QUIT"]);
}

#[tokio::test]
async fn a_refusal_leaves_the_connection_good_and_the_next_mail_begins_afresh() {
    for extensions in [&["PIPELINING"][..], &["8BITMIME"]] {
        let script = Script::offering(extensions).at_nth(Phase::Rcpt, 1, say("550 5.1.1 no such user"));
        let server = SmtpServer::start(script).await;
        let mut connection = open(&server).await;
        assert!(matches!(send(&mut connection).await, Err(OfferFailure::Refused(_))));
        assert!(connection.is_open());
        assert!(matches!(send(&mut connection).await, Ok(Answer::Accepted { .. })));
        let log = server.log();
        assert_eq!((log.connections, log.taken.len()), (1, 1));
        assert!(log.groups.iter().flatten().any(|c| c == "RSET"), "{:?}", log.groups);
    }
}

#[tokio::test]
async fn one_refused_recipient_of_several_refuses_the_mail() {
    let server = SmtpServer::start(Script::new().at_nth(Phase::Rcpt, 2, say("450 4.2.0 greylisted"))).await;
    let mut connection = open(&server).await;
    let three = Envelope { to: vec![envelope().to[0].clone(); 3], ..envelope() };
    let failure = connection.offer(&three, BODY).await.unwrap_err();
    assert!(matches!(failure, OfferFailure::Deferred(r) if r.stage == Stage::Rcpt));
    assert!(matches!(send(&mut connection).await, Ok(Answer::Accepted { .. })));
    assert_eq!(server.log().taken.len(), 1);
}

#[tokio::test]
async fn a_server_that_wants_a_body_for_nobody_gets_none() {
    let script = Script::new().at(Phase::Rcpt, say("550 5.1.1 no such user")).at(Phase::Data, say("354 go ahead"));
    let server = SmtpServer::start(script).await;
    let mut connection = open(&server).await;
    assert!(matches!(send(&mut connection).await, Err(OfferFailure::Refused(r)) if r.stage == Stage::Rcpt));
    assert!(!connection.is_open(), "there is no other way out of DATA than to hang up");
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(server.log().taken, []);
}

#[tokio::test]
async fn hosts_that_may_not_be_reached_are_not_connected_to() {
    let server = SmtpServer::start(Script::new()).await;
    for host in ["127.0.0.1", "localhost"] {
        let mut account = patient(server.port());
        account.host = host.to_owned();
        account.reach = Reach::default();
        let failure = Connection::open(&account, &Clock::system()).await.unwrap_err();
        assert!(matches!(failure, ConnectFailure::Line(LineFailure::Address(NotFound::Forbidden(_)))), "{failure}");
        assert!(!failure.is_passing());
    }
    assert_eq!(server.log().connections, 0);
}

#[tokio::test]
async fn hosts_that_are_not_there_say_so() {
    let mut account = patient(1);
    let failure = Connection::open(&account, &Clock::system()).await.unwrap_err();
    assert!(matches!(failure, ConnectFailure::Line(LineFailure::Unreachable { port: 1, .. })), "{failure}");
    account.host = "no-such-host.invalid".to_owned();
    let failure = Connection::open(&account, &Clock::system()).await.unwrap_err();
    assert!(matches!(failure, ConnectFailure::Line(LineFailure::Address(NotFound::Unresolved { .. }))), "{failure}");
    assert!(failure.is_passing());
}
