//! With Debian's Dovecot: TLS, IDLE, several folders, refusals in its own words.

use super::{house, mailbox, messages, row, subjects, two_mails};
use crate::engine::house::House;
use crate::imap_server::mail;
use cadenza::clock::Clock;
use cadenza::engine::Reading;
use cadenza::mail::imap::{Account, Auth, Failure, Part, Reach, Security, Session, Timeouts, Trust};
use cadenza::mail::smtp;
use cadenza::seal::Place;
use cadenza_core::ids::MailboxId;
use cadenza_testkit::MailServers;
use std::time::{Duration, Instant};

pub(super) const ADA: &str = "ada@agency.example";

fn account(servers: &MailServers, port: u16, security: Security) -> Account {
    Account {
        host: "localhost".into(),
        port,
        security,
        auth: Auth::Password { user: ADA.into(), password: MailServers::PASSWORD.into() },
        timeouts: Timeouts::default(),
        trust: Trust::with_root(servers.root_pem().as_bytes()).unwrap(),
        reach: Reach::default().with_loopback(),
    }
}

#[tokio::test]
async fn dovecot_is_read_over_both_kinds_of_tls_and_nothing_changes_there() {
    let servers = MailServers::start().unwrap();
    servers.deliver_to(ADA, mail("one", "Hello.\r\n").as_bytes()).unwrap();
    servers.deliver_to(ADA, mail("two", &"Long. ".repeat(1_000)).as_bytes()).unwrap();
    for (port, security) in [
        (servers.imap_port(), Security::StartTls),
        (servers.imaps_port(), Security::Tls),
        (servers.imap_port(), Security::None),
    ] {
        let account = account(&servers, port, security);
        let mut session = Session::open(&account).await.unwrap();
        assert!(session.offers("IDLE"), "what is offered after sign-in");
        assert_eq!(session.tls().is_some(), security != Security::None);
        let mut names: Vec<String> = session.folders().await.unwrap().into_iter().map(|f| f.name).collect();
        names.sort();
        assert_eq!(names, ["INBOX", "Junk", "Sent"]);
        let opened = session.examine("INBOX").await.unwrap();
        let uids = session.numbers(1, None).await.unwrap();
        assert_eq!((uids.len(), opened.uid_next), (2, Some(uids[1] + 1)));
        assert_eq!(session.numbers(uids[1] + 1, None).await.unwrap(), Vec::<u32>::new(), "`n:*` names the last one");
        let sizes = session.sizes(&uids).await.unwrap();
        assert!(sizes[1].bytes > 6_000 && sizes[1].arrived.is_some());
        let whole = session.mails(&uids, Part::Whole { bytes_max: 100_000 }, 200_000).await.unwrap();
        assert!(whole[1].raw.ends_with(b"Long. \r\n") || whole[1].raw.ends_with(b"Long. "));
        let part = session.mails(&uids[1..], Part::Whole { bytes_max: 50 }, 200_000).await.unwrap();
        assert_eq!(part[0].raw, whole[1].raw[..50]);
        let header = session.mails(&uids[..1], Part::Header { bytes_max: 10_000 }, 20_000).await.unwrap();
        assert!(header[0].raw.ends_with(b"\r\n\r\n"));
        assert!(matches!(session.examine("No such folder").await, Err(Failure::Refused { .. })));
        session.logout().await;
        let auth = Auth::Password { user: ADA.into(), password: "wrong".into() };
        let refused = Session::open(&Account { auth, ..account.clone() }).await.unwrap_err();
        assert!(matches!(&refused, Failure::SignIn { passing: false, .. }), "{refused}");
        if security != Security::None {
            let host = "127.0.0.2".to_owned();
            let refused = Session::open(&Account { host, ..account }).await.unwrap_err();
            assert!(matches!(refused, Failure::Line(_)), "{refused}");
        }
    }
    let unread = std::fs::read_dir(servers.folder().join("agency.example/ada/Maildir/new")).unwrap().count()
        + std::fs::read_dir(servers.folder().join("agency.example/ada/Maildir/cur"))
            .unwrap()
            .filter(|f| !f.as_ref().unwrap().file_name().to_string_lossy().ends_with('S'))
            .count();
    assert_eq!(unread, 2, "none turned read");
}

/// A mailbox at Dovecot that sends to the sandbox of a scripted relay and is read as in life.
pub(super) async fn at_dovecot(house: &House, servers: &MailServers, password: &'static str) -> MailboxId {
    let (seal, clock, w) = (house.app.seal.clone(), house.clock.clone(), house.workspace);
    mailbox(house, ADA, servers.imap_port(), move |m| {
        let imap = m.imap.as_mut().unwrap();
        let place = Place { workspace: w.0, table: "mailbox", row: m.id.0, column: "imap_secret" };
        imap.login = Some(ADA.into());
        imap.secret = Some(seal.seal(&clock, place, password.as_bytes()));
        m.smtp.as_mut().unwrap().port = servers.mx_port();
        m.folders = vec!["INBOX".into(), "Junk".into()];
        m.sent_folder = Some("Sent".into());
    })
    .await
}

/// Through Postfix, as the contact's own server brings it.
pub(super) async fn bring(servers: &MailServers, from: &str, to: &str, raw: &str) {
    let account = smtp::Account {
        host: "127.0.0.1".into(),
        port: servers.mx_port(),
        security: Security::None,
        auth: Auth::None,
        helo: smtp::HeloName::new("people.example").unwrap(),
        timeouts: smtp::Timeouts::default(),
        trust: Trust::system().unwrap(),
        reach: Reach::default().with_loopback(),
    };
    let mut connection = smtp::Connection::open(&account, &Clock::system()).await.unwrap();
    let envelope = smtp::Envelope::new(Some(from.parse().unwrap()), to.parse().unwrap());
    let answer = connection.offer(&envelope, raw.as_bytes()).await.unwrap().finish().await;
    assert!(matches!(answer, smtp::Answer::Accepted { .. }), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_stops_the_enrollment_within_seconds() {
    let servers = MailServers::start().unwrap();
    let mut house = house().await;
    // No polling for an hour: it is IDLE that tells.
    let hour = Duration::from_secs(3_600);
    house.limits.reading = Reading { idle: hour, poll: hour, patience: Timeouts::default(), ..super::hasty() };
    let id = at_dovecot(&house, &servers, MailServers::PASSWORD).await;
    house.start().await;
    house.until("it was looked at", |h| Box::pin(async move { row(h, id).await.read_at.is_some() })).await;
    let (_, enrollment) = house.one(&two_mails("")).await;
    house.until_sends("sent", 1).await;
    let arrived = Instant::now() + Duration::from_secs(20);
    let sent = loop {
        match servers.delivered("p1@people.example").unwrap().pop() {
            Some(mail) => break mail,
            None if Instant::now() > arrived => panic!("it did not arrive: {}", servers.log()),
            None => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    let thread = sent.header("Message-ID").unwrap();
    let reply =
        mail("Re: Hello First1", "Gladly.\r\n").replace("Subject", &format!("In-Reply-To: {thread}\r\nSubject"));
    let dropped = Instant::now();
    bring(&servers, "p1@people.example", ADA, &reply).await;
    house.until("the reply counts", |h| Box::pin(async move { h.enrollment(enrollment).await.finish.is_some() })).await;
    assert!(dropped.elapsed() < Duration::from_secs(5), "{:?}", dropped.elapsed());
    assert_eq!(subjects(&house, id).await, ["Re: Hello First1"]);
    assert_eq!(messages(&house, id).await[0].enrollment, Some(enrollment));
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_trial_of_a_mailbox_tells_the_folders_that_there_are() {
    use cadenza::actions::mailboxes::{Progress, test};
    let servers = MailServers::start().unwrap();
    let house = house().await;
    let id = at_dovecot(&house, &servers, MailServers::PASSWORD).await;
    let trial = test(&house.app, &house.caller(), id).await.unwrap();
    assert!(trial.passed(), "{trial:?}");
    assert_eq!(trial.steps.last(), Some(&("Inbox: open the folders", Progress::Passed("INBOX, Junk, Sent".into()))));
    house.sql("UPDATE mailbox SET sent_folder = 'Gesendet'", &[]).await;
    let trial = test(&house.app, &house.caller(), id).await.unwrap();
    let Some((_, Progress::Failed { why, .. })) = trial.steps.last() else { panic!("{trial:?}") };
    let (closed, all) = why.rsplit_once("; there are ").unwrap();
    assert!(closed.starts_with("cannot open Gesendet ("), "{why}");
    let mut all: Vec<&str> = all.split(", ").collect();
    all.sort_unstable();
    assert_eq!(all, ["INBOX", "Junk", "Sent"]);

    let place =
        |id: MailboxId| Place { workspace: house.workspace.0, table: "mailbox", row: id.0, column: "imap_secret" };
    let wrong = house.app.seal.seal(&house.clock, place(id), b"wrong");
    house.sql("UPDATE mailbox SET imap_secret = $1", &[wrong.into()]).await;
    let trial = test(&house.app, &house.caller(), id).await.unwrap();
    let failed: Vec<&str> =
        trial.steps.iter().filter(|(_, p)| matches!(p, Progress::Failed { .. })).map(|(s, _)| *s).collect();
    assert_eq!(failed, ["Inbox: sign in"], "{trial:?}");
}
