//! A Cadenza of one test: its database, a clock that stands until it is moved, a workspace with a user and a mailbox, and
//! the engine, which can be stopped in order or killed in the middle and started again.

use cadenza::App;
use cadenza::actions::sequences::{Arm, Start, Unreadable};
use cadenza::actions::setup::{Setup, first_run};
use cadenza::actions::{Caller, Privileges, Via, enrollments, sequences};
use cadenza::clock::Clock;
use cadenza::config::{Config, Flags};
use cadenza::engine::{Engine, Limits};
use cadenza::mail::smtp::Timeouts;
use cadenza::seal::Seal;
use cadenza_core::calendar::{Window, Zone};
use cadenza_core::enrollment::{Enrollment, Subject};
use cadenza_core::flow::AddressKind;
use cadenza_core::flow::file;
use cadenza_core::ids::{ContactId, EnrollmentId, MailboxId, SequenceId, UserId, WorkspaceId};
use cadenza_core::machine::{Actor, Event};
use cadenza_core::settings::WorkspaceSettings;
use cadenza_core::time::{Span, Time};
use cadenza_store::addresses::TypedAddress;
use cadenza_store::contacts::{self, Contact};
use cadenza_store::door::{self, Advanced, Again, Put};
use cadenza_store::mailboxes::{self, Auth, Caps, Mailbox, Security, Server};
use cadenza_store::{Database, StoreError, Val, migrations, schema, sends, workspaces};
use cadenza_testkit::Scratch;
use cadenza_testkit::postgres::{TestDatabase, cluster};
use std::collections::HashMap;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// A Monday morning in London and in UTC.
pub const MONDAY: &str = "2027-03-01T10:00:00Z";
pub const ONE_MAIL: &str = r#"
name = "One mail"
[[branch]]
key = "main"
[[branch.step]]
key = "intro"
kind = "email_auto"
subject = "Hello {{ contact.first_name }}"
text = "A letter."
"#;
/// Longer than anything here takes on a busy machine.
pub const LONG: Duration = Duration::from_secs(60);

pub struct House {
    pub app: App,
    pub clock: Clock,
    pub workspace: WorkspaceId,
    pub user: UserId,
    pub limits: Limits,
    url: String,
    engine: Option<(Runtime, Engine)>,
    server: Option<TestDatabase>,
    scratch: Scratch,
}

impl House {
    pub async fn sqlite() -> House {
        let scratch = Scratch::new("engine");
        let url = format!("sqlite:{}", scratch.join("test.db").display());
        House::furnish(url, scratch, None).await
    }

    /// On SQLite, with these lines in its `cadenza.toml`.
    pub async fn sqlite_told(lines: &str) -> House {
        let scratch = Scratch::new("engine");
        std::fs::write(scratch.join("cadenza.toml"), lines).unwrap();
        let url = format!("sqlite:{}", scratch.join("test.db").display());
        House::furnish(url, scratch, None).await
    }

    /// `None` where PostgreSQL is not installed.
    pub async fn postgres() -> Option<House> {
        let server = tokio::task::spawn_blocking(|| {
            let kind = schema::SCHEMA.join(";");
            Some(cluster()?.database_like(&kind, |url| {
                migrations::migrate(&Database::open(&url.parse().unwrap()).unwrap(), schema::SCHEMA).unwrap();
            }))
        });
        let server = server.await.unwrap()?;
        Some(House::furnish(server.url(), Scratch::new("engine"), Some(server)).await)
    }

    async fn furnish(url: String, scratch: Scratch, server: Option<TestDatabase>) -> House {
        let clock = Clock::standing(MONDAY.parse().unwrap());
        let app = open(&url, &scratch, &clock).await;
        app.listens_on("127.0.0.1:8600".parse().unwrap());
        let setup = Setup {
            name: "Acme Talent".into(),
            postal_address: "1 Main Street\n12345 Springfield".into(),
            zone: Zone::utc(),
            user_name: "Ada Byron".into(),
            user_address: "ada@agency.example".into(),
        };
        let (workspace, user) = first_run(&app, setup).await.unwrap();
        let patience = Timeouts {
            command: Duration::from_secs(3),
            data: Duration::from_secs(3),
            dot: Duration::from_secs(3),
            ..Timeouts::default()
        };
        let limits = Limits { patience, ..Limits::default() };
        let house = House { app, clock, workspace, user, limits, url, engine: None, server, scratch };
        // No other hours than those a test asks for.
        house
            .settings(|s| {
                s.sequence.window = Window::always();
                s.sequence.zone = Zone::utc();
            })
            .await;
        house
    }

    pub fn caller(&self) -> Caller {
        Caller {
            workspace: self.workspace,
            user: self.user,
            name: "Ada Byron".into(),
            privileges: Privileges::all(),
            via: Via::Console,
            from: None,
        }
    }

    // --- the engine ---

    /// Starts the engine, on threads of its own.
    pub async fn start(&mut self) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let (app, limits) = (self.app.clone(), self.limits);
        let engine = runtime.spawn(async move { Engine::start(&app, limits).await }).await.unwrap().unwrap();
        self.engine = Some((runtime, engine));
    }

    /// Ends it in good order, as SIGTERM does.
    pub async fn stop(&mut self) {
        let (runtime, engine) = self.engine.take().unwrap();
        self.app.stop();
        tokio::time::timeout(LONG, runtime.spawn(engine.stopped())).await.expect("it does not stop").unwrap();
        runtime.shutdown_background();
    }

    /// Ends it where it stands, as SIGKILL does, and opens the database anew.
    pub async fn kill(&mut self) {
        let (runtime, engine) = self.engine.take().unwrap();
        drop(engine);
        runtime.shutdown_background();
        self.reopen().await;
    }

    /// As a process that begins: nothing is left of the last one but the database.
    pub async fn reopen(&mut self) {
        let closed = Database::open(&"sqlite::memory:".parse().unwrap()).unwrap();
        self.app = App::new(closed, self.clock.clone(), config(&self.scratch), Seal::with_key([7; 32]));
        self.app = open(&self.url, &self.scratch, &self.clock).await;
        self.app.listens_on("127.0.0.1:8600".parse().unwrap());
    }

    /// Moves the clock, and waits until all that became due is done.
    pub async fn ahead(&self, by: Span) {
        self.clock.skip_ahead(by);
        self.rest().await;
    }

    /// Waits until nothing is due, nothing is under way and nothing is left to do at this moment.
    pub async fn rest(&self) {
        let give_up = Instant::now() + LONG;
        let mut only_lines: Option<Instant> = None;
        loop {
            let left = self.left_to_do(self.clock.now()).await;
            if left.is_empty() {
                return;
            }
            assert!(Instant::now() < give_up, "waited in vain until it comes to rest; left to do: {left:?}");
            if left.iter().any(|(what, _)| what != WAITS_FOR_ROOM) {
                only_lines = None;
            } else if only_lines.get_or_insert_with(Instant::now).elapsed() > Duration::from_secs(1) {
                // A busy mailbox that nobody rang is asked again after five seconds.
                self.clock.skip_ahead(Span::seconds(5));
                only_lines = None;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// What keeps it from resting, with how many.
    pub async fn left_to_do(&self, now: Time) -> Vec<(String, i64)> {
        let counts = self.app.db.read_async(move |q| {
            // One statement: PostgreSQL shows each statement its own moment, and what moves from one place to the
            // next between two of them would be seen in neither. A mailbox that has enough to do is left alone for five
            // seconds, which a standing clock never reaches, and rung as soon as it is free.
            let rows = q.query(
                "SELECT 'due', COUNT(*) FROM enrollment WHERE wake_at <= $1
                 UNION ALL SELECT 'lines to draw', COUNT(*) FROM limiter WHERE wake_at <= $1
                 UNION ALL SELECT 'lines that wait for room', COUNT(*) FROM limiter l
                           WHERE (l.wake_at IS NULL OR l.wake_at <= $1 + 5000000) AND EXISTS
                           (SELECT 1 FROM enrollment e WHERE e.workspace_id = l.workspace_id AND e.parked = l.id)
                 UNION ALL SELECT 'under way', COUNT(*) FROM send
                           WHERE state IN ('claimed', 'marked') AND claimed_at <= $1
                 UNION ALL SELECT 'side effects', COUNT(*) FROM side_effect WHERE next_at <= $1
                 UNION ALL SELECT 'to begin', COUNT(*) FROM sequence WHERE state = 'scheduled' AND begin_at <= $1
                 UNION ALL SELECT 'to end', COUNT(*) FROM sequence WHERE state = 'active' AND end_at <= $1
                 UNION ALL SELECT 'to finish', COUNT(*) FROM enrollment e JOIN sequence s
                           ON s.workspace_id = e.workspace_id AND s.id = e.sequence_id
                           WHERE s.state = 'ended' AND e.life IN (0, 1)
                 UNION ALL SELECT 'absences', COUNT(*) FROM absence WHERE turn_at <= $1
                 UNION ALL SELECT 'idle', COUNT(*) FROM sequence_idle WHERE look_at <= $1",
                &[now.into()],
            )?;
            let mut found = Vec::new();
            for row in rows {
                let n = row.int(1)?;
                if n > 0 {
                    found.push((row.text(0)?.to_owned(), n));
                }
            }
            Ok(found)
        });
        counts.await.unwrap()
    }

    /// Waits until something holds; fails with what is left to do where it never does.
    pub async fn until<'h, F>(&'h self, what: &str, holds: F)
    where
        F: Fn(&'h House) -> std::pin::Pin<Box<dyn Future<Output = bool> + Send + 'h>>,
    {
        let give_up = Instant::now() + LONG;
        while !holds(self).await {
            if Instant::now() > give_up {
                panic!("waited in vain until {what}; left to do: {:?}", self.left_to_do(self.clock.now()).await);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until so many sends are in a state.
    pub async fn until_sends(&self, state: &'static str, n: i64) {
        self.until(&format!("{n} sends are {state}"), |house| {
            Box::pin(async move { house.int("SELECT COUNT(*) FROM send WHERE state = $1", &[state.into()]).await == n })
        })
        .await;
    }

    // --- what is in it ---

    pub async fn settings(&self, change: impl Fn(&mut WorkspaceSettings) + Send + 'static) {
        let w = self.workspace;
        self.write(move |tx| {
            let mut settings = workspaces::settings(tx, w)?;
            change(&mut settings);
            workspaces::save_settings(tx, w, &settings)
        })
        .await;
    }

    /// A mailbox of the user that sends by a server on this machine, without caps.
    pub async fn mailbox(&self, address: &str, port: u16) -> MailboxId {
        self.mailbox_with(address, port, |_| {}).await
    }

    pub async fn mailbox_with(&self, address: &str, port: u16, change: impl FnOnce(&mut Mailbox)) -> MailboxId {
        let id = MailboxId(self.app.next_id());
        let mut mailbox = Mailbox {
            id,
            owner: self.user,
            address: address.to_owned(),
            name: "Ada Byron".into(),
            sandbox: false,
            signature: String::new(),
            smtp: Some(Server {
                host: "127.0.0.1".into(),
                port,
                security: Security::None,
                auth: Auth::None,
                login: None,
                secret: None,
            }),
            imap: None,
            folders: Vec::new(),
            sent_folder: None,
            caps: Caps::default(),
            freshness_minutes: 10,
            plus_addresses: false,
            journaled: false,
            readable: false,
            read_at: None,
            read_failure: None,
            held: None,
            created_at: self.clock.now(),
            version: 1,
        };
        change(&mut mailbox);
        let w = self.workspace;
        self.write(move |tx| mailboxes::create(tx, w, &mailbox)).await;
        id
    }

    /// Contacts with the addresses p1@people.example, p2@…; the first names are those of their numbers.
    pub async fn contacts(&self, numbers: std::ops::RangeInclusive<u32>) -> Vec<Subject> {
        let made: Vec<Contact> = numbers.map(|n| self.person(n)).collect();
        let subjects = made.iter().map(|c| Subject::Contact(c.id)).collect();
        let w = self.workspace;
        self.write(move |tx| contacts::insert(tx, w, &made)).await;
        subjects
    }

    /// One contact, as `change` wants it.
    pub async fn contact(&self, number: u32, change: impl FnOnce(&mut Contact)) -> Subject {
        let mut contact = self.person(number);
        change(&mut contact);
        let (w, id) = (self.workspace, contact.id);
        self.write(move |tx| contacts::insert(tx, w, std::slice::from_ref(&contact))).await;
        Subject::Contact(id)
    }

    fn person(&self, number: u32) -> Contact {
        let now = self.clock.now();
        Contact {
            id: ContactId(self.app.next_id()),
            first_name: format!("First{number}"),
            last_name: format!("Last{number}"),
            title: "Engineer".into(),
            company: None,
            owner: None,
            zone: None,
            country: None,
            language: None,
            linkedin: None,
            emails: vec![TypedAddress { kind: AddressKind::Work, value: format!("p{number}@people.example") }],
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

    /// A sequence from a file, activated.
    pub async fn sequence(&self, toml: &str) -> SequenceId {
        let id = self.draft(toml).await;
        // Its mailboxes may be such as nobody reads.
        let start = Start { arm: Arm::Now, unreadable: Unreadable::Accepted, ..Start::default() };
        sequences::activate_with(&self.app, &self.caller(), id, start).await.unwrap();
        id
    }

    pub async fn draft(&self, toml: &str) -> SequenceId {
        let file = file::parse(toml).unwrap_or_else(|e| panic!("{e:?}"));
        sequences::create(&self.app, &self.caller(), &file).await.unwrap()
    }

    /// Enrolls all, who must be admitted.
    pub async fn enroll(&self, sequence: SequenceId, subjects: Vec<Subject>) -> Vec<EnrollmentId> {
        let answers = enrollments::enroll(&self.app, &self.caller(), sequence, subjects, Again::NotSaid).await.unwrap();
        answers.into_iter().map(|(_, answer)| answer.unwrap()).collect()
    }

    /// A sequence and one contact in it.
    pub async fn one(&self, toml: &str) -> (SequenceId, EnrollmentId) {
        let sequence = self.sequence(toml).await;
        let ids = self.enroll(sequence, self.contacts(1..=1).await).await;
        (sequence, ids[0])
    }

    /// Puts an event, as a page or an inbound mail would.
    pub async fn put(&self, id: EnrollmentId, event: Event) -> Advanced {
        let (app, w) = (self.app.clone(), self.workspace);
        let put = Put { enrollment: id, event, actor: Actor::Contact };
        self.write(move |tx| app.door.advance(tx, w, vec![put.clone()], app.clock.now())).await.remove(0)
    }

    // --- looking ---

    pub async fn enrollment(&self, id: EnrollmentId) -> Enrollment {
        let w = self.workspace;
        self.app.db.read_async(move |q| door::enrollment(q, w, id)).await.unwrap().unwrap()
    }

    /// The states of all attempts of an enrollment, in order, as `visit.attempt state`.
    pub async fn sends(&self, id: EnrollmentId) -> Vec<String> {
        let w = self.workspace;
        let all = self.app.db.read_async(move |q| sends::of_enrollment(q, w, id)).await.unwrap();
        all.iter().map(|s| format!("{}.{} {}", s.visit, s.attempt, s.state.as_str())).collect()
    }

    /// Those states, once nothing of it is under way any more.
    pub async fn until_settled(&self, id: EnrollmentId) -> Vec<String> {
        self.until("its attempts are settled", |house| {
            Box::pin(
                async move { !house.sends(id).await.iter().any(|s| s.ends_with("claimed") || s.ends_with("marked")) },
            )
        })
        .await;
        self.sends(id).await
    }

    pub async fn int(&self, sql: &'static str, values: &[Val]) -> i64 {
        let values = values.to_vec();
        self.app.db.read_async(move |q| q.query_one(sql, &values)?.int(0)).await.unwrap()
    }

    pub async fn write<T: Send + 'static>(
        &self,
        f: impl FnMut(&mut cadenza_store::Tx) -> Result<T, StoreError> + Send + 'static,
    ) -> T {
        self.app.db.write_async(f).await.unwrap()
    }

    pub async fn sql(&self, sql: &'static str, values: &[Val]) {
        let values = values.to_vec();
        self.write(move |tx| tx.exec(sql, &values).map(drop)).await;
    }

    /// What the sandbox holds, in the order of arrival.
    pub async fn sandbox(&self) -> Vec<Vec<u8>> {
        let rows = self.app.db.read_async(|q| {
            let rows = q.query("SELECT raw FROM sandbox_message ORDER BY at, id", &[])?;
            rows.iter().map(|row| row.blob(0).map(<[u8]>::to_vec)).collect::<Result<Vec<_>, _>>()
        });
        rows.await.unwrap()
    }

    /// What holds at every end: counters equal a recount, histories fold into the rows, no visit was sent twice.
    pub async fn audit(&self, sequence: SequenceId) {
        let w = self.workspace;
        let wrong = self.app.db.read_async(move |q| door::miscounted(q, w, sequence)).await.unwrap();
        assert_eq!(wrong, vec![], "counters");
        let wrong = self.app.db.read_async(move |q| door::unfolded(q, w, sequence)).await.unwrap();
        assert_eq!(wrong, vec![], "history");
        let sql = "SELECT COUNT(*) FROM (SELECT enrollment_id, visit FROM send WHERE state IN ('sent', 'unknown')
             GROUP BY enrollment_id, visit HAVING COUNT(*) > 1) AS twice";
        assert_eq!(self.int(sql, &[]).await, 0, "a visit was sent twice");
        let sql = "SELECT COUNT(*) FROM enrollment WHERE state = 'active' AND wake_at IS NULL AND parked IS NULL
             AND phase = 0";
        assert_eq!(self.int(sql, &[]).await, 0, "something waits for a moment that nobody looks at");
    }
}

/// A line before a mailbox that has enough to do.
const WAITS_FOR_ROOM: &str = "lines that wait for room";

/// A test's databases and threads end with it, on a thread that may wait.
impl Drop for House {
    fn drop(&mut self) {
        if let Some((runtime, _)) = self.engine.take() {
            runtime.shutdown_background();
        }
        if let Some(server) = self.server.take() {
            let _ = std::thread::spawn(move || drop(server)).join();
        }
    }
}

async fn open(url: &str, scratch: &Scratch, clock: &Clock) -> App {
    let give_up = Instant::now() + LONG;
    let db = loop {
        let url = url.parse().unwrap();
        // The last process's threads may hold the file a moment longer.
        match tokio::task::spawn_blocking(move || Database::open(&url)).await.unwrap() {
            Ok(db) => break db,
            Err(e) if Instant::now() > give_up => panic!("{e}"),
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    };
    let db2 = db.clone();
    tokio::task::spawn_blocking(move || migrations::migrate(&db2, schema::SCHEMA)).await.unwrap().unwrap();
    App::new(db, clock.clone(), config(scratch), Seal::with_key([7; 32]))
}

fn config(scratch: &Scratch) -> Config {
    Config::load(&Flags {
        data: Some(scratch.path().to_path_buf()),
        private_addresses: Some("loopback".parse().unwrap()),
        ..Flags::default()
    })
    .unwrap()
}

/// The headers of a mail by their names in lower case, unfolded; and its text and HTML.
pub struct Mail {
    pub headers: HashMap<String, String>,
    pub text: String,
    pub html: Option<String>,
}

impl Mail {
    pub fn read(raw: &[u8]) -> Mail {
        let parsed = mail_parser::MessageParser::default().parse(raw).unwrap();
        let mut headers = HashMap::new();
        for (name, value) in parsed.headers_raw() {
            let unfolded = value.replace("\r\n", "").replace('\t', " ");
            let again = headers.insert(name.to_lowercase(), unfolded.trim().to_owned());
            assert_eq!(again, None, "the header {name} stands twice");
        }
        let subject = parsed.subject().unwrap_or_default().to_owned();
        headers.insert("subject".into(), subject);
        Mail {
            headers,
            text: parsed.body_text(0).unwrap_or_default().replace("\r\n", "\n"),
            html: parsed.html_bodies().find_map(|p| p.text_contents().filter(|_| p.is_text_html())).map(str::to_owned),
        }
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}
