//! A running Cadenza in this process: a workspace with its sandbox, the engine at work, a clock that stands still until a test
//! moves it. What comes out is read from the sandbox; requests go through the whole router.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use axum::response::Response;
use cadenza::actions::sequences::{Arm, Start, Unreadable};
use cadenza::actions::setup::{self, Setup};
use cadenza::actions::{Caller, Privileges, Via, enrollments, sequences};
use cadenza::clock::Clock;
use cadenza::config::{Config, Flags};
use cadenza::engine::{Engine, Limits};
use cadenza::seal::Seal;
use cadenza::{App, http};
use cadenza_core::calendar::Zone;
use cadenza_core::enrollment::{Enrollment, Subject};
use cadenza_core::flow::AddressKind;
use cadenza_core::flow::file;
use cadenza_core::ids::{ContactId, EnrollmentId, SequenceId, WorkspaceId};
use cadenza_core::time::{Span, Time};
use cadenza_store::addresses::TypedAddress;
use cadenza_store::contacts::{self, Contact};
use cadenza_store::door::{self, Again};
use cadenza_store::sandbox_messages::{self, SandboxMessage};
use cadenza_store::{Database, Query, Result, Tx, Val, migrations, schema::SCHEMA};
use cadenza_testkit::Scratch;
use cadenza_testkit::postgres::{TestDatabase, cluster};
use std::time::{Duration, Instant};
use tower::ServiceExt;

/// What a test waits for at most.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct House {
    pub app: App,
    pub w: WorkspaceId,
    pub caller: Caller,
    router: Router,
    engine: Option<Engine>,
    _scratch: Scratch,
    /// Dropped after the connections to it.
    _server: OffTheRuntime,
}

/// Its end blocks, which is not for threads of an async runtime.
struct OffTheRuntime(Option<TestDatabase>);

impl Drop for OffTheRuntime {
    fn drop(&mut self) {
        let server = self.0.take();
        // A panic there was reported by itself.
        let _ = std::thread::spawn(move || drop(server)).join();
    }
}

/// A mail as it lies in the sandbox.
#[derive(Debug, Clone)]
pub struct Mail {
    pub row: SandboxMessage,
    pub raw: String,
}

impl House {
    pub async fn sqlite() -> House {
        let scratch = Scratch::new("house");
        let db = Database::open(&format!("sqlite:{}", scratch.join("test.db").display()).parse().unwrap()).unwrap();
        migrations::migrate(&db, SCHEMA).unwrap();
        House::furnish(db, scratch, None).await
    }

    /// None where PostgreSQL is not installed.
    pub async fn postgres() -> Option<House> {
        let opened = tokio::task::spawn_blocking(|| {
            let server = cluster()?.database_like(&SCHEMA.join(";"), |url| {
                migrations::migrate(&Database::open(&url.parse().unwrap()).unwrap(), SCHEMA).unwrap();
            });
            Some((Database::open(&server.url().parse().unwrap()).unwrap(), server))
        });
        let (db, server) = opened.await.unwrap()?;
        Some(House::furnish(db, Scratch::new("house"), Some(server)).await)
    }

    async fn furnish(db: Database, scratch: Scratch, server: Option<TestDatabase>) -> House {
        let flags = Flags {
            data: Some(scratch.path().to_owned()),
            private_addresses: Some("loopback".parse().unwrap()),
            ..Flags::default()
        };
        let clock = Clock::standing("2027-03-01T10:00:00Z".parse().unwrap());
        let app = App::new(db, clock, Config::load(&flags).unwrap(), Seal::with_key([7; 32]));
        let first = Setup {
            name: "Northwind".into(),
            postal_address: "Street 1, Town".into(),
            zone: Zone::utc(),
            user_name: "Ada Byron".into(),
            user_address: "ada@northwind.example".into(),
        };
        let (w, user) = setup::first_run(&app, first).await.unwrap();
        let privileges = Privileges::of_role("Admin").unwrap();
        let caller = Caller { workspace: w, user, name: "Ada".into(), privileges, via: Via::Console, from: None };
        let engine = Engine::start(&app, Limits::default()).await.unwrap();
        let router = http::router(app.clone());
        House { app, w, caller, router, engine: Some(engine), _scratch: scratch, _server: OffTheRuntime(server) }
    }

    /// An active sequence of these steps (TOML), always open; `settings` are lines of `[settings]`.
    pub async fn sequence(&self, name: &str, settings: &str, steps: &str) -> SequenceId {
        let text = format!(
            "name = \"{name}\"\n[settings]\nwindow = {{ days = \"mon-sun\", start = \"00:00\", stop = \"24:00\" }}\n\
             {settings}\n[[branch]]\nkey = \"main\"\n{steps}"
        );
        let file = file::parse(&text).unwrap_or_else(|e| panic!("{e:#?}\n{text}"));
        let id = sequences::create(&self.app, &self.caller, &file).await.unwrap();
        // Its mailboxes may be such as nobody reads.
        let start = Start { arm: Arm::Now, unreadable: Unreadable::Accepted, ..Start::default() };
        sequences::activate_with(&self.app, &self.caller, id, start).await.unwrap();
        id
    }

    /// A person with these addresses; `change` may set more.
    pub async fn contact(&self, emails: &[&str], change: impl FnOnce(&mut Contact)) -> ContactId {
        let now = self.now();
        let mut contact = Contact {
            id: ContactId(self.app.next_id()),
            first_name: "Grace".into(),
            last_name: "Hopper".into(),
            title: String::new(),
            company: None,
            owner: None,
            zone: None,
            country: None,
            language: None,
            linkedin: None,
            emails: emails.iter().map(|e| TypedAddress { kind: AddressKind::Work, value: (*e).into() }).collect(),
            phones: Vec::new(),
            custom: serde_json::Map::new(),
            last_contacted_at: None,
            last_engaged_at: None,
            created_by: None,
            created_at: now,
            updated_at: now,
            version: 1,
        };
        change(&mut contact);
        let (w, id) = (self.w, contact.id);
        self.write(move |tx| contacts::insert(tx, w, &[contact.clone()])).await;
        id
    }

    pub async fn enroll(&self, sequence: SequenceId, contact: ContactId) -> EnrollmentId {
        let subjects = vec![Subject::Contact(contact)];
        let enrolled = enrollments::enroll(&self.app, &self.caller, sequence, subjects, Again::NotSaid).await.unwrap();
        enrolled.into_iter().next().unwrap().1.unwrap()
    }

    /// The mails of a recipient, oldest first, once there are so many and each is known to be accepted.
    pub async fn mails(&self, recipient: &str, count: usize) -> Vec<Mail> {
        let (w, to) = (self.w, recipient.to_owned());
        let found = self
            .wait_for(&format!("{count} messages for {recipient}"), move |q| {
                let mut rows = sandbox_messages::list(q, w, Some(&to), None, 100)?.rows;
                rows.reverse();
                let open = q.query("SELECT 1 FROM send WHERE state IN ('claimed', 'marked') LIMIT 1", &[])?;
                let mut mails = Vec::new();
                for row in rows {
                    let raw = sandbox_messages::raw(q, w, row.id)?;
                    mails.push(Mail { row, raw: String::from_utf8_lossy(&raw).into_owned() });
                }
                Ok((mails.len() >= count && open.is_empty()).then_some(mails))
            })
            .await;
        assert_eq!(found.len(), count, "messages for {recipient}");
        found
    }

    /// Waits until the database answers so, in real time.
    pub async fn wait_for<T: Send + 'static>(
        &self,
        what: &str,
        f: impl Fn(&mut Query) -> Result<Option<T>> + Send + Clone + 'static,
    ) -> T {
        let began = Instant::now();
        loop {
            if let Some(found) = self.read(f.clone()).await {
                return found;
            }
            assert!(began.elapsed() < PATIENCE, "waited in vain for {what}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub async fn read<T: Send + 'static>(&self, f: impl FnOnce(&mut Query) -> Result<T> + Send + 'static) -> T {
        self.app.db.read_async(f).await.unwrap()
    }
    pub async fn write<T: Send + 'static>(&self, f: impl FnMut(&mut Tx) -> Result<T> + Send + 'static) -> T {
        self.app.db.write_async(f).await.unwrap()
    }

    /// One number.
    pub async fn int(&self, sql: &'static str, values: &[Val]) -> i64 {
        let values = values.to_vec();
        self.read(move |q| q.query_one(sql, &values)?.int(0)).await
    }

    pub async fn enrollment(&self, id: EnrollmentId) -> Enrollment {
        let w = self.w;
        self.read(move |q| door::enrollment(q, w, id)).await.unwrap()
    }

    pub fn now(&self) -> Time {
        self.app.clock.now()
    }
    /// Lets time pass.
    pub fn later(&self, span: Span) {
        self.app.clock.pass(span);
    }

    /// One request, from a browser of the address 192.0.2.9.
    pub async fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Response {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(body.into()).unwrap();
        let peer: std::net::SocketAddr = "192.0.2.9:4711".parse().unwrap();
        request.extensions_mut().insert(axum::extract::ConnectInfo(peer));
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// Counters equal a recount and histories fold into the present rows.
    pub async fn audit(&self, sequence: SequenceId) {
        let w = self.w;
        let wrong = self.read(move |q| door::miscounted(q, w, sequence)).await;
        assert_eq!(wrong, vec![], "counters");
        let wrong = self.read(move |q| door::unfolded(q, w, sequence)).await;
        assert_eq!(wrong, vec![], "history");
    }

    /// Ends the engine in good order.
    pub async fn close(mut self) {
        self.app.stop();
        if let Some(engine) = self.engine.take() {
            engine.stopped().await;
        }
    }
}

/// A browser's name.
pub const BROWSER: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

pub async fn body(response: Response) -> String {
    String::from_utf8_lossy(&to_bytes(response.into_body(), 1 << 20).await.unwrap()).into_owned()
}

pub fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |v| v.to_str().unwrap())
}

/// Makes two tests of each function: `sqlite::name` and `postgres::name`.
macro_rules! on_both {
    ($($name:ident)*) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let house = crate::house::House::sqlite().await;
                super::$name(&house).await;
                house.close().await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                if let Some(house) = crate::house::House::postgres().await {
                    super::$name(&house).await;
                    house.close().await;
                }
            })*
        }
    };
}
pub(crate) use on_both;

/// Asserts the status, showing the body where it is another.
pub async fn expect(response: Response, status: StatusCode) -> Response {
    if response.status() != status {
        panic!("{} instead of {status}: {}", response.status(), body(response).await);
    }
    response
}
