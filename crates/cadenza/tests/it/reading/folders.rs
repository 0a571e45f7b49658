//! Which messages of a folder are new: after renumbering, gaps, deletions, in several folders, in very large ones, and the first
//! time.

use super::{hasty, house, mailbox, numbered, row, served, subjects, until_read};
use crate::engine::house::MONDAY;
use crate::imap_server::{Act, Folder, ImapServer, Message, Phase, World, mail};
use cadenza::engine::Reading;
use cadenza_store::mailboxes;
use std::time::Duration;

fn letters(name: &str, count: u32) -> Vec<Message> {
    (1..=count).map(|n| Message::of(mail(&format!("{name}-{n}"), "Hello.\r\n"))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn renumbered_messages_are_read_again_and_count_once() {
    let mut house = house().await;
    let mut world = World::new("moved");
    for letter in letters("moved", 60) {
        world.inbox().put(letter);
    }
    let (server, id) = served(&house, world).await;
    house.start().await;
    until_read(&house, id, &numbered("moved", 1..=60)).await;
    for (validity, first) in [(78, 1), (79, 5_000), (78, 1)] {
        server.change(|w| {
            w.inbox().renumber(validity, first);
            let n = w.inbox().messages.len() + 1;
            w.inbox().put(Message::of(mail(&format!("moved-{n}"), "New.\r\n")));
        });
        let n = u32::try_from(server.world().inbox().messages.len()).unwrap();
        until_read(&house, id, &numbered("moved", 1..=n)).await;
    }
    // Put back to an earlier state: the numbers begin again under the same UIDVALIDITY.
    server.change(|w| {
        w.inbox().messages.retain(|uid, _| *uid <= 40);
        w.inbox().uid_next = 41;
        w.inbox().put(Message::of(mail("moved-64", "After the backup.\r\n")));
    });
    until_read(&house, id, &numbered("moved", 1..=64)).await;
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gaps_deletions_and_a_message_in_two_folders_count_once() {
    let mut house = house().await;
    let mut world = World::new("gaps").at(Phase::Sizes, Act::Expunge(4_000_000_000));
    let mut spam = Folder::empty(3);
    let last = ["a", "b", "gone", "c", "d"].into_iter().zip([7, 900, 4_000_000_000, 4_000_000_001, u32::MAX - 1]);
    for (name, uid) in last {
        let message = Message::of(mail(name, "Hello.\r\n"));
        world.inbox().uid_next = uid;
        world.inbox().put(message.clone());
        spam.put(message);
    }
    spam.messages.remove(&3);
    spam.put(Message::of(mail("spam", "Hello.\r\n")));
    world.folders.insert("Spam & Müll".into(), spam);
    world.folders.insert("Spam &- M&APw-ll".into(), world.folders["Spam & Müll"].clone());
    let server = ImapServer::start(world).await;
    let folders = vec!["INBOX".into(), "Spam & Müll".into()];
    let id = mailbox(&house, "gaps@agency.example", server.port(), |m| m.folders = folders).await;
    house.start().await;
    until_read(&house, id, &["a", "b", "c", "d", "spam"].map(String::from)).await;
    house.until("all was looked at", |h| Box::pin(async move { row(h, id).await.read_at.is_some() })).await;
    assert_eq!(subjects(&house, id).await.len(), 5);
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_reading_leaves_old_mail_alone_and_a_folder_of_100_000_is_no_trouble() {
    let mut house = house().await;
    let mut world = World::new("old");
    world.inbox().add(100_000, "2-Jan-2026");
    world.inbox().add(5, "28-Feb-2027");
    // The clock stands on the day when the mailbox was added.
    let (server, id) = served(&house, world).await;
    let (other, beside) = served(&house, World::new("beside").with_mails(1)).await;
    house.start().await;
    until_read(&house, id, &numbered("old", 100_001..=100_005)).await;
    until_read(&house, beside, &numbered("beside", 1..=1)).await;
    for of in [id, beside] {
        house.until("it was looked at", |h| Box::pin(async move { row(h, of).await.read_at.is_some() })).await;
    }
    // Whoever was away for long reads on where they stood: nothing is passed over, and others are not held up.
    let position = mailboxes::Position { uid_validity: 77, uid_next: 99_001 };
    let (w, now) = (house.workspace, MONDAY.parse().unwrap());
    house.write(move |tx| mailboxes::set_position(tx, w, id, "INBOX", position, now)).await;
    server.change(|w| w.inbox().add(1, "1-Mar-2027"));
    other.change(|w| w.inbox().add(1, "1-Mar-2027"));
    until_read(&house, beside, &numbered("beside", 1..=2)).await;
    until_read(&house, id, &numbered("old", 99_001..=100_006)).await;
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_offers_idle_tells_of_new_mail() {
    let mut house = house().await;
    // IDLE would take minutes to be asked for anew, and polling an hour to come round.
    let day = Duration::from_secs(86_400);
    house.limits.reading = Reading { idle: day, poll: day, ..hasty() };
    const BARE: &str = "IMAP4rev1 AUTH=PLAIN";
    let idles = ["IMAP4rev1 IDLE"; 2];
    let (quick, first) = served(&house, World::new("quick").offering(idles[0], idles[1])).await;
    let (late, second) = served(&house, World::new("late").offering(BARE, "IMAP4rev1 IDLE")).await;
    house.start().await;
    for (server, id) in [(&quick, first), (&late, second)] {
        house.until("it was looked at", |h| Box::pin(async move { row(h, id).await.read_at.is_some() })).await;
        server.change(|w| w.inbox().add(2, "1-Mar-2027"));
        let name = server.world().name.clone();
        until_read(&house, id, &numbered(&name, 1..=2)).await;
    }
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_idle_folders_are_looked_at_in_turn() {
    const BARE: &str = "IMAP4rev1 AUTH=PLAIN";
    let mut house = house().await;
    house.limits.reading = Reading { idle: Duration::from_secs(86_400), ..hasty() };
    let refuses = World::new("refuses").at(Phase::Idle, Act::Answer("NO not today"));
    let mut servers = Vec::new();
    for world in [
        World::new("bare").offering(BARE, BARE),
        World::new("lost").offering("IMAP4rev1 IDLE AUTH=PLAIN", BARE),
        refuses,
    ] {
        servers.push(served(&house, world).await);
    }
    house.start().await;
    for (server, id) in &servers {
        house.until("it was looked at", |h| Box::pin(async { row(h, *id).await.read_at.is_some() })).await;
        server.change(|w| w.inbox().add(2, "1-Mar-2027"));
        let name = server.world().name.clone();
        until_read(&house, *id, &numbered(&name, 1..=2)).await;
    }
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_that_is_not_there_is_named_and_the_others_are_read() {
    let mut house = house().await;
    let server = ImapServer::start(World::new("half").with_mails(1)).await;
    let id = mailbox(&house, "half@agency.example", server.port(), |m| {
        m.folders.push("Spam".into());
        m.sent_folder = Some("Sent".into());
    })
    .await;
    house.start().await;
    until_read(&house, id, &numbered("half", 1..=1)).await;
    house.until("it is told", |h| Box::pin(async move { row(h, id).await.read_failure.is_some() })).await;
    let told = row(&house, id).await;
    assert_eq!(told.read_failure.as_deref(), Some("folder Spam: EXAMINE was refused: no such folder"));
    assert_eq!(told.read_at, None, "a reply may lie there");
    server.change(|w| {
        w.folders.insert("Spam".into(), Folder::empty(1));
        w.folders.insert("Sent".into(), Folder::empty(1));
    });
    house.until("it is mended", |h| Box::pin(async move { row(h, id).await.read_at.is_some() })).await;
    assert_eq!(row(&house, id).await.read_failure, None);
    house.stop().await;
}
