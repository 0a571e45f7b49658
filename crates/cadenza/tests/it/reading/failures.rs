//! Servers that drop, stall, refuse and talk nonsense, at every phase: nothing is lost, nothing counts twice, and one bad message
//! holds up nobody.

use super::{house, mailbox, numbered, row, served, subjects, until_read};
use crate::imap_server::{Act, Message, Phase, World, mail};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_at_any_phase_loses_and_doubles_nothing() {
    // More than a batch.
    const MAILS: u32 = 55;
    let mut house = house().await;
    let mut all = Vec::new();
    let acts = [
        Act::Close,
        Act::Silence,
        Act::Answer("NO [SERVERBUG] not now"),
        Act::Answer("BAD what?"),
        Act::Besides("* BYE enough".to_owned()),
        Act::Besides("220 mail.example ESMTP".to_owned()),
        Act::Besides(format!("* 1 FETCH (UID 1 BODY[] {{{}}}", u32::MAX)),
    ];
    for phase in Phase::ALL {
        for (n, act) in acts.iter().enumerate() {
            // There is no command whose end could be said.
            if matches!((phase, act), (Phase::Greeting | Phase::Middle | Phase::Idling, Act::Answer(_))) {
                continue;
            }
            // And bytes amid a mail are the mail's.
            if matches!((phase, act), (Phase::Middle, Act::Besides(_))) {
                continue;
            }
            let name = format!("{phase:?}{n}").to_lowercase();
            let world = World::new(&name).with_mails(MAILS).at_nth(phase, 1, act.clone()).at_nth(phase, 2, act.clone());
            all.push((name, served(&house, world).await));
        }
    }
    house.start().await;
    for (name, (server, id)) in &all {
        until_read(&house, *id, &numbered(name, 1..=MAILS)).await;
        server.change(|w| w.inbox().add(3, "1-Mar-2027"));
    }
    for (name, (server, id)) in &all {
        until_read(&house, *id, &numbered(name, 1..=MAILS + 3)).await;
        let world = server.world();
        let changing =
            |c: &&String| !c.contains("PEEK") && (c.contains("BODY") || c.contains("STORE") || c.contains("SELECT"));
        assert_eq!(world.commands.iter().find(changing), None, "{name}");
    }
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_inbox_behind_the_firewall_is_not_connected_to() {
    let mut house = house().await;
    let id = mailbox(&house, "ada@agency.example", 143, |m| {
        if let Some(imap) = &mut m.imap {
            imap.host = "10.255.255.1".into();
        }
    });
    let id = id.await;
    house.start().await;
    house
        .until("the mailbox says why", |house| Box::pin(async move { row(house, id).await.read_failure.is_some() }))
        .await;
    let failure = row(&house, id).await.read_failure.unwrap();
    for part in ["10.255.255.1, a private address (RFC 1918)", "server.private_addresses"] {
        assert!(failure.contains(part), "{failure}");
    }
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_bad_message_holds_up_nobody() {
    let mut house = house().await;
    let huge = format!("* 1 FETCH (UID 3 BODY[] {{{}}}", u32::MAX);
    let curses = [
        ("closes", Some(Act::Close), "pass"),
        ("stalls", Some(Act::Silence), "header"),
        ("refused", Some(Act::Answer("NO [SERVERBUG] broken")), "header"),
        ("rejected", Some(Act::Answer("BAD broken")), "header"),
        ("huge", Some(Act::Besides(huge)), "header"),
        ("nonsense", Some(Act::Besides("* 3 FETCH (UID".to_owned())), "header"),
    ];
    let mut all = Vec::new();
    for (name, curse, becomes) in curses {
        let mut world = World::new(name).with_mails(2);
        let raw = mail(&format!("{name}-3"), "The one.\r\n");
        world.inbox().put(Message::of(raw).cursed(curse.unwrap()));
        world.inbox().add(2, "1-Mar-2027");
        all.push((name, becomes, served(&house, world).await));
    }
    house.start().await;
    for (name, becomes, (_server, id)) in &all {
        let mut expected = numbered(name, [1, 2, 4, 5]);
        expected.push(match *becomes {
            "header" => format!("{name}-3"),
            _ => format!(
                "A message in INBOX of {name}@agency.example could not be read: its server does not hand it out."
            ),
        });
        until_read(&house, *id, &expected).await;
        house.until("its reading is mended", |h| Box::pin(async { row(h, *id).await.read_at.is_some() })).await;
    }
    let open =
        house.int("SELECT COUNT(*) FROM inbound_message WHERE handled_at IS NULL AND class = 'other'", &[]).await;
    assert_eq!(open, 1, "a person is to look at what could not be read");
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mails_too_large_odd_or_no_mails_at_all_are_kept_as_far_as_they_go() {
    let mut house = house().await;
    let mut world = World::new("odd");
    let long = "Ein langer Satz. ".repeat(2_000);
    for message in [
        Message::of(mail("large", &long)),
        Message::of(mail("said-small", &long)).claiming(300),
        Message::of(mail("said-large", "Short.\r\n")).claiming(u32::MAX),
        Message::of("no mail at all"),
        Message::of([0xff, 0x00, b'\r', b'\n', 0x80].as_slice()),
        Message::of(""),
        Message::of(format!("Subject: headers\r\n{}", "X-More: and more\r\n".repeat(50))),
    ] {
        world.inbox().put(message);
    }
    world.inbox().add(1, "1-Mar-2027");
    let (_server, id) = served(&house, world).await;
    house.start().await;
    house.until("all are there", |h| Box::pin(async move { subjects(h, id).await.len() == 8 })).await;
    let found = super::messages(&house, id).await;
    let subjects: Vec<&str> = found.iter().filter_map(|m| m.subject.as_deref()).collect();
    assert_eq!(subjects, ["large", "said-small", "said-large", "headers", "odd-8"]);
    let cut: Vec<bool> = found.iter().map(|m| m.classification.contains("read_of_bytes")).collect();
    assert_eq!(cut, [true, true, false, false, false, false, false, false]);
    assert!(found[0].preview.starts_with("Ein langer Satz."));
    let unread: Vec<&str> =
        found.iter().filter(|m| m.classification.contains("unreadable")).map(|m| m.preview.as_str()).collect();
    assert_eq!(unread, ["This message could not be read: the mail is empty; at least one header field is needed."]);
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_is_said_and_the_right_one_read_at_once() {
    let mut house = house().await;
    let mut world = World::new("locked").with_mails(2);
    world.password = "other".into();
    let (server, id) = served(&house, world).await;
    house.start().await;
    house.until("it is told", |h| Box::pin(async move { row(h, id).await.read_failure.is_some() })).await;
    let told = row(&house, id).await;
    assert_eq!(told.read_failure.as_deref(), Some("sign-in was refused: Wrong password"));
    assert_eq!(told.read_at, None);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(server.world().connections, 1, "an account that is tried too often is locked");
    server.world().password = "secret".into();
    // Whoever changes the mailbox begins its reading anew.
    house.sql("UPDATE mailbox SET version = version + 1", &[]).await;
    until_read(&house, id, &numbered("locked", 1..=2)).await;
    house.until("it is mended", |h| Box::pin(async move { row(h, id).await.read_failure.is_none() })).await;
    house.stop().await;
}
