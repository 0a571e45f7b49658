//! A database with the product's tables and two workspaces in it, and the records that tests make.

use cadenza_core::calendar::Window;
use cadenza_core::enrollment::{COLUMNS, Enrollment, Flat, SequenceState, Subject};
use cadenza_core::flow::{AddressKind, Flow};
use cadenza_core::ids::{ContactId, EnrollmentId, MailboxId, SequenceId, UserId, WorkspaceId};
use cadenza_core::machine::{Actor, Event};
use cadenza_core::settings::{Settings, WorkspaceSettings};
use cadenza_core::time::{Span, Time};
use cadenza_store::addresses::TypedAddress;
use cadenza_store::contacts::{self, Contact};
use cadenza_store::door::{self, Advanced, Again, Door, Put};
use cadenza_store::mailboxes::{self, Caps, Mailbox};
use cadenza_store::nodes::{Node, Share};
use cadenza_store::roles::{self, Role};
use cadenza_store::schema::SCHEMA;
use cadenza_store::sequences::{self, Sequence, Sharing, SubjectType};
use cadenza_store::users::{self, User, UserState};
use cadenza_store::workspaces::{self, Workspace};
use cadenza_store::{Database, Query, Result, StoreError, Tx, Val, migrations};
use cadenza_testkit::postgres::{TestDatabase, cluster};
use std::sync::atomic::{AtomicI64, Ordering};

pub struct World {
    pub db: Database,
    /// The workspace that tests work in.
    pub w: WorkspaceId,
    /// One that must never see anything of it.
    pub other: WorkspaceId,
    pub user: UserId,
    pub door: Door,
    next: AtomicI64,
    /// Dropped after the connections to it.
    _server: Option<TestDatabase>,
}

pub fn at(seconds: i64) -> Time {
    "2027-03-01T09:00:00Z".parse::<Time>().unwrap() + Span::seconds(seconds)
}

impl World {
    pub fn sqlite() -> World {
        let db = Database::open(&"sqlite::memory:".parse().unwrap()).unwrap();
        migrations::migrate(&db, SCHEMA).unwrap();
        World::with(db, None)
    }

    /// None where PostgreSQL is not installed.
    pub fn postgres() -> Option<World> {
        let server = cluster()?.database_like(&SCHEMA.join(";"), |url| {
            migrations::migrate(&Database::open(&url.parse().unwrap()).unwrap(), SCHEMA).unwrap();
        });
        let db = Database::open(&server.url().parse().unwrap()).unwrap();
        Some(World::with(db, Some(server)))
    }

    fn with(db: Database, server: Option<TestDatabase>) -> World {
        let (w, other, user) = (WorkspaceId(1), WorkspaceId(2), UserId(10));
        let world = World {
            db,
            w,
            other,
            user,
            door: Door::new(Node { number: 1, epoch: 1 }),
            next: AtomicI64::new(1_000),
            _server: server,
        };
        world.write(|tx| {
            for (id, name) in [(w, "Acme"), (other, "Other")] {
                workspaces::create(tx, &workspace(id, name))?;
                let member = Role { name: "Member".into(), privileges: vec!["tasks.mine".into()], built_in: true };
                roles::save(tx, id, &member)?;
            }
            users::create(tx, w, &someone(user, "ulla@acme.test"), None)
        });
        world
    }

    pub fn id(&self) -> i64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }
    pub fn read<T: Send>(&self, f: impl FnOnce(&mut Query) -> Result<T> + Send) -> T {
        self.db.read(f).unwrap()
    }
    pub fn write<T: Send>(&self, f: impl FnMut(&mut Tx) -> Result<T> + Send) -> T {
        self.db.write(f).unwrap()
    }
    /// What refused it.
    pub fn refused<T: Send + std::fmt::Debug>(&self, f: impl FnMut(&mut Tx) -> Result<T> + Send) -> StoreError {
        self.db.write(f).unwrap_err()
    }

    /// A contact of that name and address.
    pub fn contact(&self, name: &str, address: &str) -> Contact {
        let contact = person(ContactId(self.id()), name, address);
        self.write(|tx| contacts::insert(tx, self.w, std::slice::from_ref(&contact)));
        contact
    }

    /// The row of an enrollment, with what the door derives of it.
    pub fn enrollment(&self, e: &Enrollment, sequence: SequenceState) {
        self.enrollments(std::slice::from_ref(e), sequence);
    }

    pub fn enrollments(&self, list: &[Enrollment], sequence: SequenceState) {
        self.write(|tx| {
            for e in list {
                let (state, reason) = e.state(sequence);
                let mut values: Vec<Val> = vec![self.w.into()];
                values.extend(e.to_flat().into_iter().map(|flat| match flat {
                    Flat::Null => Val::Null,
                    Flat::Int(n) => Val::Int(n),
                    Flat::Text(t) => Val::Text(t),
                }));
                values.extend([state.as_str().into(), reason.as_str().into()]);
                let marks: Vec<String> = (1..=values.len()).map(|n| format!("${n}")).collect();
                let sql = format!(
                    "INSERT INTO enrollment (workspace_id, {}, state, reason, shard, epoch, rank_class)
                     VALUES ({}, 0, 0, 0)",
                    COLUMNS.join(", "),
                    marks.join(", ")
                );
                tx.exec(&sql, &values)?;
            }
            Ok(())
        });
    }

    /// An active sequence of that name that is always open.
    pub fn active(&self, name: &str, flow: &Flow) -> SequenceId {
        let mut sequence = self.sequence(name, flow);
        sequence.state = SequenceState::Active;
        sequence.end = None;
        sequence.settings.window = Window::always();
        self.write(|tx| sequences::update(tx, self.w, &sequence, at(0)));
        sequence.id
    }

    /// A sandbox mailbox of the user.
    pub fn mailbox(&self) -> Mailbox {
        let mailbox = sandbox(MailboxId(self.id()), self.user);
        self.write(|tx| mailboxes::create(tx, self.w, &mailbox));
        mailbox
    }

    /// Enrolls somebody who must be admitted.
    pub fn enroll(&self, sequence: SequenceId, contact: ContactId, now: Time) -> EnrollmentId {
        let subject = [Subject::Contact(contact)];
        let by = (self.user, Actor::User(self.user));
        let done = self.write(|tx| self.door.enroll(tx, self.w, sequence, &subject, by, Again::NotSaid, now));
        done.into_iter().next().unwrap().1.unwrap()
    }

    pub fn put(&self, id: EnrollmentId, event: Event, now: Time) -> Advanced {
        let put = Put { enrollment: id, event, actor: Actor::User(self.user) };
        self.write(|tx| self.door.advance(tx, self.w, vec![put.clone()], now)).remove(0)
    }

    /// Everything that is due at this moment.
    pub fn tick(&self, now: Time) {
        loop {
            let due = self.read(|q| door::due(q, now, 500, &Share::All));
            if due.is_empty() {
                return;
            }
            let wake = |d: &door::Due| Put { enrollment: d.enrollment, event: Event::Wake, actor: Actor::Engine };
            let puts: Vec<Put> = due.iter().map(wake).collect();
            self.write(|tx| self.door.advance(tx, self.w, puts.clone(), now));
        }
    }

    /// The mail of a visit goes out.
    pub fn send(&self, id: EnrollmentId, visit: u32, now: Time) {
        self.put(id, Event::DotMark { visit, attempt: 1 }, now).unwrap();
        self.put(id, Event::Sent { visit, attempt: 1 }, now).unwrap();
    }

    /// A draft of that name, made with this flow.
    pub fn sequence(&self, name: &str, flow: &Flow) -> Sequence {
        let sequence = draft(SequenceId(self.id()), name, self.user);
        self.write(|tx| sequences::create(tx, self.w, &sequence, flow));
        self.read(|q| sequences::get(q, self.w, sequence.id))
    }
}

pub fn workspace(id: WorkspaceId, name: &str) -> Workspace {
    Workspace {
        id,
        name: name.into(),
        settings: WorkspaceSettings::default(),
        signing_key: vec![id.0 as u8; 32],
        postal_address: String::new(),
        public_url: String::new(),
        restore_hold: false,
        clock_ahead: Span::ZERO,
        created_at: at(0),
    }
}

pub fn someone(id: UserId, address: &str) -> User {
    User {
        id,
        address: address.into(),
        name: address.split('@').next().unwrap().into(),
        role: "Member".into(),
        state: UserState::Active,
        zone: Some("Europe/Berlin".parse().unwrap()),
        settings: serde_json::json!({}),
        created_at: at(0),
        seen_at: None,
    }
}

pub fn typed(kind: AddressKind, value: &str) -> TypedAddress {
    TypedAddress { kind, value: value.into() }
}

/// `name` is first and last name; no address where it is empty.
pub fn person(id: ContactId, name: &str, address: &str) -> Contact {
    let (first, last) = name.split_once(' ').unwrap_or(("", name));
    let emails = if address.is_empty() { vec![] } else { vec![typed(AddressKind::Work, address)] };
    Contact {
        id,
        first_name: first.into(),
        last_name: last.into(),
        title: String::new(),
        company: None,
        owner: None,
        zone: None,
        country: None,
        language: None,
        linkedin: None,
        emails,
        phones: vec![],
        custom: serde_json::Map::new(),
        last_contacted_at: None,
        last_engaged_at: None,
        created_by: None,
        created_at: at(0),
        updated_at: at(0),
        version: 1,
    }
}

pub fn sandbox(id: MailboxId, owner: UserId) -> Mailbox {
    Mailbox {
        id,
        owner,
        address: "ulla@sandbox.example".into(),
        name: "Ulla".into(),
        sandbox: true,
        signature: String::new(),
        smtp: None,
        imap: None,
        folders: vec![],
        sent_folder: None,
        caps: Caps::default(),
        freshness_minutes: 10,
        plus_addresses: false,
        journaled: false,
        readable: true,
        read_at: None,
        read_failure: None,
        held: None,
        created_at: at(0),
        version: 1,
    }
}

pub fn draft(id: SequenceId, name: &str, user: UserId) -> Sequence {
    Sequence {
        id,
        name: name.into(),
        description: "why".into(),
        of: SubjectType::Contacts,
        state: SequenceState::Draft,
        begin: None,
        end: Some(at(86_400)),
        ended: None,
        held: None,
        primary_user: user,
        list: None,
        template: None,
        priority: cadenza_core::flow::Priority::High,
        settings: Settings { unresponsive_days: 3, ..Settings::default() },
        flow_version: 1,
        sharing: Sharing::Everyone,
        created_by: user,
        created_at: at(0),
        activated_at: None,
        updated_at: at(0),
        version: 1,
    }
}

/// A flow of the main branch alone, from `key kind` words.
pub fn flow(steps: &[&str]) -> Flow {
    let steps: Vec<serde_json::Value> = steps
        .iter()
        .map(|step| {
            let (key, kind) = step.split_once(' ').unwrap();
            serde_json::json!({
                "key": key, "kind": kind, "content": { "name": key, "delay": "2 days",
                    "variants": [{ "key": "a", "weight": 1, "subject": "Hi", "text": "Hello" }] },
            })
        })
        .collect();
    let json = serde_json::json!({ "version": 1, "branches": [{ "key": "main", "name": "Main", "steps": steps }] });
    serde_json::from_value(json).unwrap()
}
