//! The installations that are crashed: a workspace with mailboxes at the sink and a sequence of three mails in which everybody
//! is due at once, made through the library before the server first starts; and copies of one, for tries that each begin anew.

use super::serving::{Manner, Serving};
use super::sink::Sink;
use cadenza::App;
use cadenza::actions::sequences::{Arm, Start, Unreadable};
use cadenza::actions::setup::{Setup, first_run};
use cadenza::actions::tokens::{self, NewToken};
use cadenza::actions::{Caller, Privileges, Via, enrollments, replies, sequences};
use cadenza::clock::Clock;
use cadenza::config::{Config, Flags};
use cadenza::engine::receive::{Source, receive};
use cadenza::seal::Seal;
use cadenza_core::calendar::{Window, Zone};
use cadenza_core::enrollment::Subject;
use cadenza_core::flow::{AddressKind, file};
use cadenza_core::ids::{ContactId, MailboxId, MessageId, SequenceId, UserId, WorkspaceId};
use cadenza_store::addresses::TypedAddress;
use cadenza_store::contacts::{self, Contact};
use cadenza_store::door::Again;
use cadenza_store::mailboxes::{self, Auth, Caps, Mailbox, Security, Server};
use cadenza_store::{Database, migrations, schema};
use cadenza_testkit::Scratch;
use cadenza_testkit::postgres::{TestDatabase, cluster};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Mails that everybody gets.
pub const STEPS: usize = 3;

/// How large an installation is, and how hard it works.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    pub people: u32,
    pub mailboxes: usize,
    pub dot_permits: usize,
    pub connections: usize,
    pub claimed_max: usize,
    /// Mails that a mailbox may send in a day.
    pub per_day: Option<u32>,
    /// A node is gone after so many seconds without a sign of life.
    pub lease_seconds: u32,
}

/// Enough lanes that permits are what is short.
pub const BUSY: Size = Size {
    people: 300,
    mailboxes: 8,
    dot_permits: 4,
    connections: 2,
    claimed_max: 120,
    per_day: None,
    lease_seconds: 15,
};
/// As small as it can be with something going on at the same time.
pub const SMALL: Size = Size { people: 5, mailboxes: 2, dot_permits: 2, connections: 1, claimed_max: 10, ..BUSY };

/// What was furnished.
#[derive(Debug, Clone)]
pub struct Furnished {
    pub workspace: WorkspaceId,
    pub sequence: SequenceId,
    user: UserId,
    /// Of the API.
    token: String,
}

/// An installation from which others are made. It is never started itself.
pub struct Seed {
    folder: Scratch,
    furnished: Furnished,
    size: Size,
    /// Where it lies on a server: what names it there.
    kind: Option<String>,
}

/// An installation.
pub struct Site {
    folder: Scratch,
    pub data: PathBuf,
    pub database: String,
    pub furnished: Furnished,
    pub size: Size,
    pub server: Option<TestDatabase>,
}

impl Seed {
    pub fn sqlite(size: Size, sink: &Sink) -> Seed {
        let folder = Scratch::new("crash-seed");
        let furnished = furnish(folder.path(), &sqlite_in(folder.path()), size, sink.port());
        Seed { folder, furnished, size, kind: None }
    }

    /// `None` where PostgreSQL is not installed.
    pub fn postgres(size: Size, sink: &Sink) -> Option<Seed> {
        let folder = Scratch::new("crash-seed");
        let kind = folder.path().display().to_string();
        let mut furnished = None;
        let draft = cluster()?.database_like(&kind, |url| {
            furnished = Some(furnish(folder.path(), url, size, sink.port()));
        });
        drop(draft);
        Some(Seed { folder, furnished: furnished.unwrap(), size, kind: Some(kind) })
    }

    /// A new installation like it.
    pub fn site(&self) -> Site {
        let folder = Scratch::new("crash");
        let data = folder.join("data");
        copy(self.folder.path(), &data);
        let like = |kind| cluster().unwrap().database_like(kind, |_| panic!("the seed is gone"));
        let server = self.kind.as_deref().map(like);
        let database = server.as_ref().map_or_else(|| sqlite_in(&data), TestDatabase::url);
        Site { folder, data, database, furnished: self.furnished.clone(), size: self.size, server }
    }
}

impl Site {
    /// One that lies at this address, which is empty.
    pub fn at(database: &str, size: Size, sink: &Sink) -> Site {
        let folder = Scratch::new("crash");
        let data = folder.join("data");
        std::fs::create_dir(&data).unwrap();
        let furnished = furnish(&data, database, size, sink.port());
        Site { folder, data, database: database.to_owned(), furnished, size, server: None }
    }

    /// A place beside the data folder.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub fn start(&self) -> Serving {
        self.start_so(&Manner::default())
    }

    pub fn start_so(&self, manner: &Manner) -> Serving {
        Serving::start(&self.data, &self.database, &self.furnished.token, manner)
    }

    /// A data folder for another node on the same database, with the same key and settings.
    pub fn folder_of(&self, node: usize) -> PathBuf {
        let folder = self.folder.join(&format!("node-{node}"));
        std::fs::create_dir_all(&folder).unwrap();
        for file in ["secret.key", "cadenza.toml"] {
            std::fs::copy(self.data.join(file), folder.join(file)).unwrap();
        }
        folder
    }

    /// Starts a server with that folder.
    pub fn start_in(&self, folder: &Path) -> Serving {
        Serving::start(folder, &self.database, &self.furnished.token, &Manner::default())
    }

    /// Enrolls as many as there were in the beginning, while no server runs.
    pub fn enroll_more(&self) {
        let (furnished, people) = (self.furnished.clone(), self.size.people);
        with_app(&self.data, &self.database, async move |app| enroll(&app, &furnished, people).await);
    }

    /// Has each of some people answered so many times, while no server runs. They write once, and are answered again each time.
    pub fn answer(&self, people: usize, times: usize) -> Vec<MessageId> {
        let furnished = self.furnished.clone();
        with_app(&self.data, &self.database, async move |app| answer(&app, &furnished, people, times).await)
    }
}

/// A message of each of some people, who write without being asked, and the answers that a person gave to it.
pub async fn answer(app: &App, of: &Furnished, people: usize, times: usize) -> Vec<MessageId> {
    let caller = caller(of.workspace, of.user);
    let mut messages = Vec::new();
    for person in 0..people {
        let mail = format!(
            "From: Grace <grace{person}@people.example>\r\nTo: ada0@agency.example\r\nSubject: A question\r\n\
             Message-ID: <question-{person}@people.example>\r\n\r\nWhen do we meet?\r\n"
        );
        let received = receive(app, of.workspace, Source::Http, mail.into_bytes(), app.clock.now()).await.unwrap();
        let message = received.id.unwrap();
        for n in 0..times {
            replies::answer(app, &caller, message, "Re: A question", &format!("On day {n}?")).await.unwrap();
        }
        messages.push(message);
    }
    messages
}

fn sqlite_in(data: &Path) -> String {
    format!("sqlite:{}", data.join("cadenza.db").display())
}

/// Copies the files of a folder, of which none is in use.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// Runs something on the library in this process; nothing of it is left afterwards.
fn with_app<T>(data: &Path, database: &str, run: impl AsyncFnOnce(App) -> T) -> T {
    let flags = Flags {
        data: Some(data.to_path_buf()),
        database: Some(database.to_owned()),
        private_addresses: Some("loopback".parse().unwrap()),
        ..Flags::default()
    };
    let clock = Clock::system();
    let seal = Seal::of_folder(data, &clock).unwrap();
    let db = Database::open(&database.parse().unwrap()).unwrap();
    migrations::migrate(&db, schema::SCHEMA).unwrap();
    let app = App::new(db, clock, Config::load(&flags).unwrap(), seal);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let done = runtime.block_on(run(app));
    drop(runtime);
    // The last handle may have been dropped by a thread of the store itself, which then closes the files in its own time.
    let give_up = Instant::now() + super::LONG;
    while let Err(e) = Database::open(&database.parse().unwrap()) {
        assert!(Instant::now() < give_up, "the database stays open: {e}");
        std::thread::sleep(Duration::from_millis(1));
    }
    done
}

fn furnish(data: &Path, database: &str, size: Size, port: u16) -> Furnished {
    let limits = format!(
        "[mail]\ndot_permits = {}\nclaimed_max = {}\nconnections_per_mailbox = {}\n[nodes]\nlease_seconds = {}\n",
        size.dot_permits, size.claimed_max, size.connections, size.lease_seconds
    );
    std::fs::write(data.join("cadenza.toml"), limits).unwrap();
    with_app(data, database, async move |app| {
        let setup = Setup {
            name: "Acme Talent".into(),
            postal_address: "1 Main Street, 12345 Springfield".into(),
            zone: Zone::utc(),
            user_name: "Ada Byron".into(),
            user_address: "ada@agency.example".into(),
        };
        let (workspace, user) = first_run(&app, setup).await.unwrap();
        let made: Vec<Mailbox> = (0..size.mailboxes).map(|n| mailbox(&app, user, n, port, size.per_day)).collect();
        app.db
            .write_async(move |tx| made.iter().try_for_each(|mailbox| mailboxes::create(tx, workspace, mailbox)))
            .await
            .unwrap();
        let caller = caller(workspace, user);
        let mut flow = file::parse(&sequence_file()).unwrap();
        flow.settings.window = Some(Window::always());
        let sequence = sequences::create(&app, &caller, &flow).await.unwrap();
        // Its mailboxes are read by nothing.
        let start = Start { arm: Arm::Now, unreadable: Unreadable::Accepted, ..Start::default() };
        sequences::activate_with(&app, &caller, sequence, start).await.unwrap();
        let new = NewToken { name: "crash".into(), scopes: Privileges::all(), expires_at: None };
        let (_, secret) = tokens::create(&app, &caller, new).await.unwrap();
        let furnished = Furnished { workspace, sequence, user, token: secret.reveal().to_string() };
        enroll(&app, &furnished, size.people).await;
        furnished
    })
}

fn caller(workspace: WorkspaceId, user: UserId) -> Caller {
    Caller { workspace, user, name: "Ada Byron".into(), privileges: Privileges::all(), via: Via::Console, from: None }
}

async fn enroll(app: &App, into: &Furnished, count: u32) {
    let made: Vec<Contact> = (0..count).map(|_| contact(app)).collect();
    let subjects: Vec<Subject> = made.iter().map(|c| Subject::Contact(c.id)).collect();
    let (w, caller) = (into.workspace, caller(into.workspace, into.user));
    app.db.write_async(move |tx| contacts::insert(tx, w, &made)).await.unwrap();
    let answers = enrollments::enroll(app, &caller, into.sequence, subjects, Again::NotSaid).await.unwrap();
    for (_, answer) in answers {
        answer.unwrap();
    }
}

fn mailbox(app: &App, owner: UserId, number: usize, port: u16, per_day: Option<u32>) -> Mailbox {
    let smtp = Server {
        host: "127.0.0.1".into(),
        port,
        security: Security::None,
        auth: Auth::None,
        login: None,
        secret: None,
    };
    Mailbox {
        id: MailboxId(app.next_id()),
        owner,
        address: format!("ada{number}@agency.example"),
        name: "Ada Byron".into(),
        sandbox: false,
        signature: String::new(),
        smtp: Some(smtp),
        imap: None,
        folders: Vec::new(),
        sent_folder: None,
        caps: Caps { day: per_day, ..Caps::default() },
        freshness_minutes: 10,
        plus_addresses: false,
        journaled: false,
        readable: false,
        read_at: None,
        read_failure: None,
        held: None,
        created_at: app.clock.now(),
        version: 1,
    }
}

fn contact(app: &App) -> Contact {
    let (id, now) = (app.next_id(), app.clock.now());
    Contact {
        id: ContactId(id),
        first_name: format!("First{id}"),
        last_name: "Last".into(),
        title: "Engineer".into(),
        company: None,
        owner: None,
        zone: None,
        country: None,
        language: None,
        linkedin: None,
        emails: vec![TypedAddress { kind: AddressKind::Work, value: address(id) }],
        phones: Vec::new(),
        custom: serde_json::Map::new(),
        last_contacted_at: None,
        last_engaged_at: None,
        created_by: None,
        created_at: now,
        updated_at: now,
        version: 1,
    }
}

/// Where mail to a contact goes.
pub fn address(contact: i64) -> String {
    format!("p{contact}@people.example")
}

/// Three mails with nothing between them.
fn sequence_file() -> String {
    let mut text = String::from("name = \"Three mails\"\n[[branch]]\nkey = \"main\"\n");
    for n in 1..=STEPS {
        let line = "We look for people who like to build what brings food from the field to the table.\n".repeat(4);
        text.push_str(&format!(
            "[[branch.step]]\nkey = \"mail-{n}\"\nkind = \"email_auto\"\ndelay = \"none\"\n\
             subject = \"Letter {n} to {{{{ contact.first_name }}}}\"\n\
             text = \"\"\"\nDear {{{{ contact.first_name }}}},\n\n{line}\n.\n{{{{ sender.name }}}}\n\"\"\"\n"
        ));
    }
    text
}
