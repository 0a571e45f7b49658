//! A server in this process with nothing but a database in memory: a workspace, somebody who may do everything, and one of most
//! things. No engine runs, and nothing is sent.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use cadenza::actions::setup::{self, Setup};
use cadenza::actions::tokens::{self, NewToken};
use cadenza::actions::{Caller, Privileges, Via, contacts, enrollments, fields, mailboxes, sequences, sign_in};
use cadenza::clock::Clock;
use cadenza::config::{Config, Flags};
use cadenza::seal::Seal;
use cadenza::{App, http};
use cadenza_core::calendar::Zone;
use cadenza_core::enrollment::Subject;
use cadenza_core::flow::file;
use cadenza_store::door::Again;
use cadenza_store::schema::SCHEMA;
use cadenza_store::{Database, DatabaseUrl, migrations};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use tokio::runtime::Runtime;
use tower::ServiceExt;

const SEQUENCE: &str = r#"
name = "Specimen"
[settings]
window = { days = "mon-sun", start = "00:00", stop = "24:00" }
[[branch]]
key = "main"
[[branch.step]]
key = "talk"
kind = "call"
[[branch.step]]
key = "write"
kind = "email_manual"
subject = "Hello {{ contact.first_name }}"
text = "As said."
"#;

pub struct World {
    pub app: App,
    pub caller: Caller,
    /// What paths may name, by the names that the API's description gives them.
    pub known: BTreeMap<&'static str, String>,
    /// How many requests it has answered.
    pub asked: usize,
    token: String,
    cookie: String,
    router: Router,
    runtime: Runtime,
}

/// Kept from one input to the next: making one takes longer than a hundred inputs.
static WORLD: Mutex<Option<World>> = Mutex::new(None);

/// A world; a new one where `stale` says so of the last.
pub fn with<T>(stale: impl FnOnce(&World) -> bool, f: impl FnOnce(&mut World) -> T) -> T {
    let kept = || WORLD.lock().unwrap_or_else(PoisonError::into_inner);
    // Taken out meanwhile: what panics leaves none behind.
    let last = kept().take();
    let mut world = last.filter(|world| !stale(world)).unwrap_or_else(World::new);
    let told = f(&mut world);
    *kept() = Some(world);
    told
}

impl World {
    pub fn new() -> World {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let db = Database::open(&DatabaseUrl::sqlite_memory()).unwrap();
        migrations::migrate(&db, SCHEMA).unwrap();
        // Nothing is written there.
        let flags = Flags { data: Some(std::env::temp_dir().join("cadenza-foreign")), ..Flags::default() };
        let clock = Clock::standing("2027-03-01T10:00:00Z".parse().unwrap());
        let app = App::new(db, clock, Config::load(&flags).unwrap(), Seal::with_key([7; 32]));
        let (caller, known, token, cookie) = runtime.block_on(furnished(&app));
        let router = http::router(app.clone());
        World { app, caller, known, asked: 0, token, cookie, router, runtime }
    }

    pub fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// One request of the signed-in user; API and pages know them by what each asks for. `None` for what is no HTTP.
    pub fn ask(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Option<(StatusCode, Vec<u8>)> {
        let mut request = Request::builder().method(method).uri(path).header("host", "cadenza.test");
        request = match path.starts_with("/api/") {
            true => request.header("authorization", format!("Bearer {}", self.token)),
            false => request.header("cookie", &self.cookie).header("sec-fetch-site", "same-origin"),
        };
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Body::from(body)).ok()?;
        let peer: std::net::SocketAddr = "192.0.2.9:4711".parse().unwrap();
        request.extensions_mut().insert(axum::extract::ConnectInfo(peer));
        self.asked += 1;
        let router = self.router.clone();
        Some(self.runtime.block_on(async move {
            let response = router.oneshot(request).await.unwrap();
            let status = response.status();
            // Streams of events have no end.
            let endless = response.headers().get("content-type").is_some_and(|t| t == "text/event-stream");
            let body =
                if endless { Vec::new() } else { to_bytes(response.into_body(), 64 << 20).await.unwrap().to_vec() };
            (status, body)
        }))
    }
}

async fn furnished(app: &App) -> (Caller, BTreeMap<&'static str, String>, String, String) {
    let first = Setup {
        name: "Northwind".into(),
        postal_address: "Street 1, Town".into(),
        zone: Zone::utc(),
        user_name: "Ada Byron".into(),
        user_address: "ada@northwind.example".into(),
    };
    let (workspace, user) = setup::first_run(app, first).await.unwrap();
    let caller =
        Caller { workspace, user, name: "Ada".into(), privileges: Privileges::all(), via: Via::Console, from: None };
    let sequence = sequences::create(app, &caller, &file::parse(SEQUENCE).unwrap()).await.unwrap();
    sequences::activate(app, &caller, sequence, sequences::Arm::Now).await.unwrap();
    let named = |first: &str| contacts::ContactChange {
        first_name: fields::Patch::Set(first.into()),
        ..contacts::ContactChange::default()
    };
    let contact = contacts::create(app, &caller, named("Grace")).await.unwrap().id;
    let other = contacts::create(app, &caller, named("Ida")).await.unwrap().id;
    let subjects = vec![Subject::Contact(contact)];
    let enrolled = enrollments::enroll(app, &caller, sequence, subjects, Again::NotSaid).await.unwrap();
    let enrollment = enrolled[0].1.clone().unwrap();
    let mailbox = mailboxes::all(app, &caller).await.unwrap().first().map(|m| m.id.to_string());
    let new = || NewToken { name: "foreign".into(), scopes: Privileges::all(), expires_at: None };
    let (_, secret) = tokens::create(app, &caller, new()).await.unwrap();
    let (token, _) = tokens::create(app, &caller, new()).await.unwrap();
    let link = sign_in::make_link(app, workspace, user, user).await.unwrap();
    let browser = sign_in::Browser { address: [192, 0, 2, 9].into(), agent: None };
    let session = sign_in::by_link(app, link.reveal(), None, browser).await.unwrap();
    let known = BTreeMap::from([
        ("contact", contact.to_string()),
        ("enrollment", enrollment.to_string()),
        ("from", other.to_string()),
        ("mailbox", mailbox.unwrap_or_default()),
        ("sequence", sequence.to_string()),
        ("task", format!("{enrollment}.1")),
        ("token", token.id.to_string()),
        ("user", user.to_string()),
    ]);
    (caller, known, secret.reveal().to_owned(), format!("cadenza={}", session.token.reveal()))
}
