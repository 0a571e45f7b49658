//! A workspace with a user, mailboxes, people and a sequence, in a database of its own.

use cadenza_core::calendar::{Window, Zone};
use cadenza_core::enrollment::{Enrollment, Subject};
use cadenza_core::flow::{Branch, Content, Flow, Key, Step, StepKind, Variant};
use cadenza_core::ids::{ContactId, EnrollmentId, MailboxId, SequenceId, UserId, WorkspaceId};
use cadenza_core::machine::{Actor, Event};
use cadenza_core::settings::{Settings, WorkspaceSettings};
use cadenza_core::suppression::Suppressible;
use cadenza_core::time::{Span, Time};
use cadenza_store::door::{self, Advanced, Again, Door, Enrolled, Put};
use cadenza_store::nodes::{Node, Share};
use cadenza_store::suppression::{self, Suppress, Why};
use cadenza_store::{Database, StoreError, Tx, migrations, schema::SCHEMA, track_record};
use cadenza_testkit::Scratch;
use cadenza_testkit::postgres::{TestDatabase, cluster};
use std::sync::atomic::{AtomicI64, Ordering};

pub const WS: WorkspaceId = WorkspaceId(1);
pub const USER: UserId = UserId(7);
pub const SEQUENCE: SequenceId = SequenceId(100);
pub const MAILBOX: MailboxId = MailboxId(30);

pub struct House {
    pub db: Database,
    pub door: Door,
    now: AtomicI64,
    _scratch: Option<Scratch>,
    _server: Option<TestDatabase>,
}

impl House {
    pub fn sqlite() -> House {
        let scratch = Scratch::new("door");
        let url = format!("sqlite:{}", scratch.join("test.db").display());
        let db = Database::open(&url.parse().unwrap()).unwrap();
        migrations::migrate(&db, SCHEMA).unwrap();
        House::furnish(db, Some(scratch), None)
    }

    pub fn postgres() -> Option<House> {
        let kind = SCHEMA.join(";");
        let server = cluster()?.database_like(&kind, |url| {
            migrations::migrate(&Database::open(&url.parse().unwrap()).unwrap(), SCHEMA).unwrap();
        });
        let db = Database::open(&server.url().parse().unwrap()).unwrap();
        Some(House::furnish(db, None, Some(server)))
    }

    fn furnish(db: Database, scratch: Option<Scratch>, server: Option<TestDatabase>) -> House {
        let now: Time = "2027-03-01T10:00:00Z".parse().unwrap();
        let house = House {
            db,
            door: Door::new(Node { number: 1, epoch: 1 }),
            now: AtomicI64::new(now.micros()),
            _scratch: scratch,
            _server: server,
        };
        let settings = serde_json::to_string(&WorkspaceSettings::default()).unwrap();
        house.sql(
            "INSERT INTO workspace (workspace_id, name, settings, signing_key, postal_address, public_url, restore_hold,
                 clock_ahead, created_at) VALUES ($1, 'Test', $2, $3, 'Street 1', '', 0, 0, 0)",
            &[WS.into(), settings.into(), vec![1u8; 32].into()],
        );
        house.sql(
            "INSERT INTO role (workspace_id, name, privileges, built_in) VALUES ($1, 'Admin', '[]', 1)",
            &[WS.into()],
        );
        house.sql(
            "INSERT INTO user_account (workspace_id, id, address, name, role, state, settings, created_at)
             VALUES ($1, $2, 'ada@example.test', 'Ada', 'Admin', 'active', '{}', 0)",
            &[WS.into(), USER.into()],
        );
        house.sql(
            "INSERT INTO mailbox (workspace_id, id, owner_id, address, name, sandbox, signature, imap_folders,
                 freshness_minutes, plus_addresses, journaled, readable, created_at, version)
             VALUES ($1, $2, $3, 'ada@sandbox.example', 'Ada', 1, '', '[]', 10, 0, 0, 1, 0, 1)",
            &[WS.into(), MAILBOX.into(), USER.into()],
        );
        house.sequence(SEQUENCE, &two_mails());
        house
    }

    pub fn sql(&self, sql: &str, values: &[cadenza_store::Val]) {
        self.db.write(|tx| tx.exec(sql, values)).unwrap();
    }

    /// An active sequence that is always open.
    pub fn sequence(&self, id: SequenceId, flow: &Flow) {
        let settings = Settings { window: Window::always(), zone: Zone::utc(), ..Settings::default() };
        let json = serde_json::to_string(&settings).unwrap();
        self.sql(
            "INSERT INTO sequence (workspace_id, id, name, sort_name, description, type, state, primary_user_id, priority,
                 settings, flow_version, sharing, created_by, created_at, updated_at, version)
             VALUES ($1, $2, $3, $3, '', 'contacts', 'active', $4, 1, $5, 1, 'everyone', $4, 0, 0, 1)",
            &[WS.into(), id.into(), format!("sequence {}", id.0).into(), USER.into(), json.into()],
        );
        self.db.write(|tx| cadenza_store::flows::save_flow(tx, WS, id, 0, flow, USER, self.now())).unwrap();
    }

    /// From now on the sequence ends when all in it are finished.
    pub fn ends_when_all_finished(&self) {
        self.sql(
            "UPDATE sequence SET version = version + 1, settings = replace(settings,
                 '\"end_when_all_finished\":false', '\"end_when_all_finished\":true') WHERE workspace_id = $1",
            &[WS.into()],
        );
    }

    /// What the clock does with sequences at this moment.
    pub fn turn(&self) {
        if self.db.read(|q| door::sequences_turn(q, self.now())).unwrap() {
            self.db.write(|tx| door::turn_sequences(tx, self.now())).unwrap();
        }
        assert!(!self.db.read(|q| door::sequences_turn(q, self.now())).unwrap(), "it would turn for ever");
    }

    pub fn ended_by(&self) -> Option<String> {
        let sql = "SELECT ended_by FROM sequence WHERE workspace_id = $1 AND id = $2";
        let read = |q: &mut cadenza_store::Query| {
            q.query_one(sql, &[WS.into(), SEQUENCE.into()])?.opt_text(0).map(|by| by.map(str::to_owned))
        };
        self.db.read(read).unwrap()
    }

    pub fn contact(&self, id: i64, emails: &str) -> Subject {
        self.sql(
            "INSERT INTO contact (workspace_id, id, first_name, last_name, sort_name, title, emails, phones, custom,
                 created_at, updated_at, version) VALUES ($1, $2, 'Grace', 'Hopper', 'hopper', '', $3, '[]', '{}', 0, 0, 1)",
            &[WS.into(), id.into(), emails.into()],
        );
        Subject::Contact(ContactId(id))
    }

    /// A contact with a working address.
    pub fn grace(&self, id: i64) -> Subject {
        self.contact(id, &format!(r#"[{{"kind":"work","value":"grace{id}@example.test"}}]"#))
    }

    /// As a person does it.
    pub fn suppress(&self, kind: Suppressible, value: &str) {
        self.db.write(|tx| self.suppress_in(tx, kind, value)).unwrap();
    }
    pub fn suppress_in(&self, tx: &mut Tx, kind: Suppressible, value: &str) -> Result<(), StoreError> {
        let what = Suppress { kind, value: value.to_owned(), why: Why::ByHand, by: Some(USER) };
        let key = suppression::key(tx, WS)?;
        suppression::add(tx, WS, &key, &[what], self.now()).map(drop)
    }

    /// What a person who resumes a sequence that paused itself does beside that.
    pub fn forget_record(&self, id: SequenceId) {
        self.db.write(move |tx| track_record::forget(tx, WS, track_record::Of::Sequence(id))).unwrap();
    }
    pub fn now(&self) -> Time {
        Time::from_micros(self.now.load(Ordering::Relaxed))
    }
    pub fn later(&self, span: Span) {
        self.now.fetch_add(span.micros(), Ordering::Relaxed);
    }

    pub fn enroll(&self, subjects: &[Subject]) -> Vec<Enrolled> {
        self.enroll_in(SEQUENCE, subjects, Again::NotSaid)
    }
    pub fn enroll_in(&self, sequence: SequenceId, subjects: &[Subject], again: Again) -> Vec<Enrolled> {
        let by = (USER, Actor::User(USER));
        self.db.write(|tx| self.door.enroll(tx, WS, sequence, subjects, by, again, self.now())).unwrap()
    }
    /// Enrolls one that must be admitted.
    pub fn one(&self, subject: Subject) -> EnrollmentId {
        self.enroll(&[subject]).remove(0).1.unwrap()
    }

    pub fn put(&self, id: EnrollmentId, event: Event) -> Advanced {
        let put = Put { enrollment: id, event, actor: Actor::Engine };
        self.db.write(|tx| self.door.advance(tx, WS, vec![put.clone()], self.now())).unwrap().remove(0)
    }

    /// Everything due and drawn at this moment, until nothing is.
    pub fn tick(&self) -> Vec<Advanced> {
        let mut all = Vec::new();
        for _ in 0..100 {
            let due = self.db.read(|q| door::due(q, self.now(), 500, &Share::All)).unwrap();
            let lines = self.db.read(|q| door::lines(q, self.now(), 10, &Share::All)).unwrap();
            if due.is_empty() && lines.is_empty() {
                return all;
            }
            let puts: Vec<Put> = due
                .iter()
                .map(|d| Put { enrollment: d.enrollment, event: Event::Wake, actor: Actor::Engine })
                .collect();
            all.extend(self.db.write(|tx| self.door.advance(tx, WS, puts.clone(), self.now())).unwrap());
            for line in lines {
                all.extend(self.db.write(|tx| self.door.draw(tx, line, 500, self.now())).unwrap());
            }
        }
        panic!("something is due without end");
    }

    pub fn enrollment(&self, id: EnrollmentId) -> Enrollment {
        self.db.read(|q| door::enrollment(q, WS, id)).unwrap().unwrap()
    }

    pub fn int(&self, sql: &str) -> i64 {
        self.db.read(|q| q.query_one(sql, &[])?.int(0)).unwrap()
    }

    /// Counters equal a recount, histories fold into the present rows.
    pub fn audit(&self, sequence: SequenceId) {
        let wrong = self.db.read(|q| door::miscounted(q, WS, sequence)).unwrap();
        assert_eq!(wrong, vec![], "counters");
        let wrong = self.db.read(|q| door::unfolded(q, WS, sequence)).unwrap();
        assert_eq!(wrong, vec![], "history");
    }
}

pub fn key(text: &str) -> Key {
    text.parse().unwrap()
}

pub fn mail(name: &str, delay: &str) -> Step {
    Step {
        key: key(name),
        kind: StepKind::EmailAuto,
        conditions: vec![],
        content: serde_json::from_value::<Content>(serde_json::json!({
            "name": name, "delay": delay,
            "variants": [serde_json::to_value(Variant {
                key: key("a"), weight: 1, subject: "Hello {{ contact.first_name }}".into(),
                text: "Dear {{ contact.first_name }}, a word about {{ sequence.name }}.".into(),
                ..serde_json::from_str(r#"{"key":"a","weight":1}"#).unwrap()
            }).unwrap()],
        }))
        .unwrap(),
        revision: 1,
    }
}

pub fn two_mails() -> Flow {
    let steps = vec![mail("intro", "0 minutes"), mail("follow", "3 days")];
    Flow { version: 1, branches: vec![Branch { key: key("main"), name: "Main".into(), steps }] }
}
