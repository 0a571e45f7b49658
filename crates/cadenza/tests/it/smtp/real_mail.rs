//! Against Debian's Postfix, Dovecot and smtp-sink.

use super::*;
use cadenza::mail::smtp::{Blame, ConnectFailure, Lost, Stage};
use cadenza_testkit::{MailServers, SmtpSink};
use std::sync::atomic::{AtomicUsize, Ordering};

async fn open_sink(options: &[&str]) -> (SmtpSink, Result<Connection, ConnectFailure>) {
    let sink = SmtpSink::start_with(options).unwrap();
    let connection = Connection::open(&patient(sink.port()), &Clock::system()).await;
    (sink, connection)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_connections_bring_thousands_of_mails() {
    const CONNECTIONS: usize = 20;
    const MAILS: usize = 100;
    let sink = SmtpSink::start().unwrap();
    let accepted = std::sync::Arc::new(AtomicUsize::new(0));
    let body = [BODY, b"0123456789012345678901234567890123456789\r\n".repeat(70).as_slice()].concat();
    let mut senders = tokio::task::JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (account, body, accepted) = (patient(sink.port()), body.clone(), accepted.clone());
        senders.spawn(async move {
            let mut connection = Connection::open(&account, &Clock::system()).await.unwrap();
            for _ in 0..MAILS {
                let answer = connection.offer(&envelope(), &body).await.unwrap().finish().await;
                assert!(matches!(answer, Answer::Accepted { .. }), "{answer:?}");
                accepted.fetch_add(1, Ordering::Relaxed);
            }
            connection.quit().await;
        });
    }
    while let Some(sender) = senders.join_next().await {
        sender.unwrap();
    }
    assert_eq!(accepted.load(Ordering::Relaxed), CONNECTIONS * MAILS);
}

#[tokio::test]
async fn servers_old_and_new_take_mail() {
    for options in [&[][..], &["-e"], &["-p"], &["-8", "-N", "-E", "-a"]] {
        let (_sink, connection) = open_sink(options).await;
        let mut connection = connection.unwrap();
        assert_eq!(connection.offered().pipelining, !options.contains(&"-e") && !options.contains(&"-p"));
        for _ in 0..3 {
            assert!(matches!(send(&mut connection).await, Ok(Answer::Accepted { .. })), "{options:?}");
        }
    }
}

#[tokio::test]
async fn refusals_and_disconnects_at_each_command_end_as_they_should() {
    for (command, stage) in [("MAIL", Stage::Mail), ("RCPT", Stage::Rcpt), ("DATA", Stage::Data)] {
        let (_sink, connection) = open_sink(&["-f", command]).await;
        let failure = send(&mut connection.unwrap()).await.unwrap_err();
        assert!(matches!(&failure, OfferFailure::Refused(r) if r.stage == stage), "{command}: {failure}");
        let (_sink, connection) = open_sink(&["-r", command]).await;
        let failure = send(&mut connection.unwrap()).await.unwrap_err();
        assert!(matches!(&failure, OfferFailure::Deferred(r) if r.stage == stage), "{command}: {failure}");
        let (_sink, connection) = open_sink(&["-Q", command]).await;
        let failure = send(&mut connection.unwrap()).await.unwrap_err();
        assert!(matches!(&failure, OfferFailure::Deferred(r) if r.code == 421), "{command}: {failure}");
        let (_sink, connection) = open_sink(&["-q", command]).await;
        let failure = send(&mut connection.unwrap()).await.unwrap_err();
        assert!(matches!(&failure, OfferFailure::Lost { .. }), "{command}: {failure}");
    }
    let (_sink, connection) = open_sink(&["-f", "."]).await;
    assert!(matches!(send(&mut connection.unwrap()).await, Ok(Answer::Refused(r)) if r.stage == Stage::Dot));
    let (_sink, connection) = open_sink(&["-r", "."]).await;
    assert!(matches!(send(&mut connection.unwrap()).await, Ok(Answer::Deferred(_))));
    let (_sink, connection) = open_sink(&["-Q", "."]).await;
    assert!(matches!(send(&mut connection.unwrap()).await, Ok(Answer::Deferred(r)) if r.code == 421));
    let (_sink, connection) = open_sink(&["-q", "."]).await;
    let answer = send(&mut connection.unwrap()).await.unwrap();
    assert!(matches!(answer, Answer::Unknown { why: Lost::Closed | Lost::Network(_) }), "{answer:?}");
    let (_sink, connection) = open_sink(&["-q", "EHLO"]).await;
    assert!(matches!(connection, Err(ConnectFailure::Lost { stage: Stage::Hello, .. })));
}

#[tokio::test]
async fn postfix_takes_mail_over_both_kinds_of_tls_and_delivers_it() {
    let servers = MailServers::start().unwrap();
    let trust = Trust::with_root(servers.root_pem().as_bytes()).unwrap();
    let auth = Auth::Password { user: "ada@sender.example".into(), password: MailServers::PASSWORD.into() };
    let dots = b"From: ada@sender.example\r\nSubject: dots\r\n\r\n.\r\n..\r\n.x\r\n";
    for (port, security) in [(servers.smtp_port(), Security::StartTls), (servers.smtps_port(), Security::Tls)] {
        let account = Account { security, trust: trust.clone(), auth: auth.clone(), ..patient(port) };
        let mut connection = Connection::open(&account, &Clock::system()).await.unwrap();
        let answer = connection.offer(&envelope(), dots).await.unwrap().finish().await;
        assert!(matches!(&answer, Answer::Accepted { text } if text.contains("queued as")), "{answer:?}");
        connection.offer(&envelope(), dots).await.unwrap().abandon();
        let wrong = Auth::Password { user: "ada@sender.example".into(), password: "wrong".into() };
        let failure = Connection::open(&Account { auth: wrong, ..account }, &Clock::system()).await.unwrap_err();
        assert!(matches!(&failure, ConnectFailure::Refused(r) if r.blame == Blame::Sender), "{failure}");
    }
    servers.wait_until_delivered(Duration::from_secs(20)).unwrap();
    let delivered = servers.delivered("bob@recipient.example").unwrap();
    assert_eq!(delivered.len(), 2, "the abandoned ones are not among them: {}", servers.log());
    for mail in delivered {
        assert!(mail.text().replace("\r\n", "\n").ends_with("Subject: dots\n\n.\n..\n.x\n"), "{}", mail.text());
    }
}

#[tokio::test]
async fn postfix_refuses_in_its_own_words() {
    let servers = MailServers::start().unwrap();
    let mut connection = Connection::open(&patient(servers.mx_port()), &Clock::system()).await.unwrap();
    assert!(connection.offered().dsn && connection.offered().pipelining);
    for (to, blame, deferred) in [
        ("refuse-1@recipients.test", Blame::Recipient, false),
        ("defer-1@recipients.test", Blame::Recipient, true),
        ("distrust-1@recipients.test", Blame::Sender, false),
        ("somebody@elsewhere.invalid", Blame::Sender, false),
    ] {
        let envelope = Envelope::new(envelope().from, to.parse().unwrap());
        let found = match connection.offer(&envelope, BODY).await.map(|_| ()) {
            Err(OfferFailure::Refused(refusal)) => (refusal.blame, false),
            Err(OfferFailure::Deferred(refusal)) => (refusal.blame, true),
            other => panic!("{to}: {other:?}"),
        };
        assert_eq!(found, (blame, deferred), "{to}");
        assert!(connection.is_open(), "a refused recipient costs no connection");
    }
    assert!(matches!(send(&mut connection).await, Ok(Answer::Accepted { .. })));
}
