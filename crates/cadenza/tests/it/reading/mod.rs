//! Mailboxes that are read by IMAP, from the server to the stored message: against a server that does as a script says, and
//! against Debian's Dovecot. Whatever happens on the way, each message is there once.

mod answers_real_mail;
mod failures;
mod folders;
mod freshness;
mod plus_addresses_real_mail;
mod real_mail;

use crate::engine::house::House;
use crate::imap_server::{ImapServer, World};
use cadenza::engine::Reading;
use cadenza::mail::imap::Timeouts;
use cadenza::seal::Place;
use cadenza_core::ids::MailboxId;
use cadenza_store::inbound_messages::{self, Filter, Inbound};
use cadenza_store::mailboxes::{self, Auth, Mailbox, Security, Server};
use cadenza_store::sequences::Viewer;
use std::time::Duration;

/// A sequence of a mail and, two days later, a reminder in its thread.
fn two_mails(settings: &str) -> String {
    format!("name = \"Two mails\"\n[settings]\n{settings}\n{BRANCH}")
}

const BRANCH: &str = r#"
[[branch]]
key = "main"
[[branch.step]]
key = "intro"
kind = "email_auto"
sender = "ada@agency.example"
subject = "Hello {{ contact.first_name }}"
text = "See you."
[[branch.step]]
key = "reminder"
kind = "email_auto"
sender = "ada@agency.example"
delay = "2 days"
same_thread = true
text = "A short reminder."
"#;

/// Little patience, small mails, and looks in quick succession.
fn hasty() -> Reading {
    Reading {
        patience: Timeouts {
            connect: Duration::from_secs(5),
            answer: Duration::from_millis(400),
            command: Duration::from_secs(5),
        },
        poll: Duration::from_millis(50),
        idle: Duration::from_millis(300),
        pause: Duration::from_millis(10),
        whole_max: 4096,
        beginning: 512,
    }
}

async fn house() -> House {
    let mut house = House::sqlite().await;
    house.limits.reading = hasty();
    house
}

/// A mailbox that is read from a server on this machine.
async fn mailbox(house: &House, address: &str, port: u16, change: impl FnOnce(&mut Mailbox)) -> MailboxId {
    let (seal, clock, w) = (house.app.seal.clone(), house.clock.clone(), house.workspace);
    house
        .mailbox_with(address, 1, move |m| {
            let place = Place { workspace: w.0, table: "mailbox", row: m.id.0, column: "imap_secret" };
            m.imap = Some(Server {
                host: "127.0.0.1".into(),
                port,
                security: Security::None,
                auth: Auth::Password,
                login: Some("ada".into()),
                secret: Some(seal.seal(&clock, place, b"secret")),
            });
            m.folders = vec!["INBOX".into()];
            m.readable = true;
            change(m);
        })
        .await
}

/// A server with its mailbox, whose address is the server's name.
async fn served(house: &House, world: World) -> (ImapServer, MailboxId) {
    let address = format!("{}@agency.example", world.name);
    let server = ImapServer::start(world).await;
    let id = mailbox(house, &address, server.port(), |_| {}).await;
    (server, id)
}

async fn row(house: &House, id: MailboxId) -> Mailbox {
    let w = house.workspace;
    house.app.db.read_async(move |q| mailboxes::get(q, w, id)).await.unwrap()
}

/// What came into a mailbox, oldest first.
async fn messages(house: &House, id: MailboxId) -> Vec<Inbound> {
    let w = house.workspace;
    let all =
        house.app.db.read_async(move |q| inbound_messages::list(q, w, &Filter::new(Viewer::All), None, 100_000)).await;
    all.unwrap().rows.into_iter().rev().map(|listed| listed.message).filter(|m| m.mailbox == Some(id)).collect()
}

/// Their subjects; of what could not be read, its words.
async fn subjects(house: &House, id: MailboxId) -> Vec<String> {
    let (w, sql) = (
        house.workspace,
        "SELECT COALESCE(subject, preview) FROM inbound_message
         WHERE workspace_id = $1 AND mailbox_id = $2 ORDER BY id",
    );
    let rows = house.app.db.read_async(move |q| {
        let rows = q.query(sql, &[w.into(), id.into()])?;
        rows.iter().map(|row| row.text(0).map(str::to_owned)).collect::<Result<Vec<_>, _>>()
    });
    rows.await.unwrap()
}

/// Waits until those are there, and then until another look has found no more.
async fn until_read(house: &House, id: MailboxId, expected: &[String]) {
    let mut expected = expected.to_vec();
    expected.sort();
    let began = std::time::Instant::now();
    loop {
        let mut found = subjects(house, id).await;
        found.sort();
        if found == expected {
            break;
        }
        let failure = row(house, id).await.read_failure;
        assert!(found.len() <= expected.len(), "{id}: more than there is: {found:?}");
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "{id}: waited in vain for {expected:?}: {found:?} ({failure:?})"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn numbered(name: &str, uids: impl IntoIterator<Item = u32>) -> Vec<String> {
    uids.into_iter().map(|uid| format!("{name}-{uid}")).collect()
}
