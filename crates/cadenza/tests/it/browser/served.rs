//! A workspace served on a free port of this machine, from a thread of this process. Its clock runs faster than ours, since a
//! click that follows a mail at once is taken for a machine's.

use cadenza::actions::import::{self, Options};
use cadenza::actions::sequences::{self, Arm};
use cadenza::actions::setup::{self, Setup};
use cadenza::actions::users::{self, NewUser};
use cadenza::actions::{Caller, Privileges, Via, sign_in};
use cadenza::clock::Clock;
use cadenza::config::{Config, Flags};
use cadenza::engine::{Engine, Limits};
use cadenza::seal::Seal;
use cadenza::{App, http};
use cadenza_core::flow::file;
use cadenza_store::{Database, migrations, schema::SCHEMA};
use cadenza_testkit::Scratch;
use std::io;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Four seconds, after which a click counts as a person's, pass in a fifth of one.
const CLOCK_SPEED: f64 = 20.0;
/// Of the second user, who may look and nothing else.
const VIEWER: (&str, &str) = ("vera@northwind.example", "correct horse battery staple");

const SEQUENCES: [&str; 3] = [LETTERS, CALLS, BRANCHES];

const LETTERS: &str = r#"
name = "Letters"
[settings]
window = { days = "mon-sun", start = "00:00", stop = "24:00" }
[[branch]]
key = "main"
name = "Main"
[[branch.step]]
key = "letter"
kind = "email_auto"
name = "First letter"
subject = "A team in Berlin"
text = """
Hi {{ contact.first_name }},

all about it is on one page: https://jobs.example.com/berlin

{{ sender.name }}"""
[[branch.step]]
key = "reminder"
kind = "email_auto"
name = "Reminder"
delay = "3 days"
same_thread = true
text = "Did you have a moment, {{ contact.first_name }}?"
"#;

const CALLS: &str = r#"
name = "Calls"
[settings]
window = { days = "mon-sun", start = "00:00", stop = "24:00" }
[[branch]]
key = "main"
name = "Main"
[[branch.step]]
key = "call"
kind = "call"
name = "First call"
instructions = "Ask what would have to be true for a change."
script = "Good morning, this is {{ sender.name }}."
[[branch.step]]
key = "referral"
kind = "task"
name = "Look for a referral"
delay = "1 day"
instructions = "Somebody in common makes it easier."
"#;

const BRANCHES: &str = r#"
name = "Branches"
[settings]
window = { days = "mon-sun", start = "00:00", stop = "24:00" }
[[branch]]
key = "main"
name = "Main"
[[branch.step]]
key = "offer"
kind = "email_auto"
name = "The offer"
subject = "An offer"
text = "Hi {{ contact.first_name }}, see https://jobs.example.com/offer."
[[branch.step.on]]
when = "clicked"
link = "https://jobs.example.com/offer"
within = "2 days"
then = "branch:interested"
[[branch.step.on]]
when = "nothing"
within = "2 days"
then = "next"
[[branch.step]]
key = "again"
kind = "email_auto"
name = "Asking again"
delay = "1 day"
same_thread = true
text = "Still open, {{ contact.first_name }}."
[[branch]]
key = "interested"
name = "Interested"
[[branch.step]]
key = "prepare"
kind = "task"
name = "Prepare the talk"
instructions = "They followed the link."
"#;

/// One for each way, so that no test meets what another left.
const CONTACTS: &str = "\
first_name,last_name,email,phone,company,title
Rosa,Lindgren,rosa@fjord.example,+46 8 555 0101,Fjord Systems,Staff Engineer
Milan,Novak,milan@vltava.example,+420 555 010 202,Vltava Labs,Backend Engineer
Grace,Okoro,grace@lagoon.example,+44 20 7946 0103,Lagoon Health,Site Reliability Engineer
Pavel,Sokol,pavel@ridge.example,+420 555 010 204,Ridge Analytics,Data Engineer
Ines,Moreau,ines@atelier.example,+33 1 99 00 01 05,Atelier Nord,Engineering Manager
Tomas,Berg,tomas@harbor.example,+47 555 01 106,Harbor Freight,Platform Engineer
Nadia,Haddad,nadia@cedar.example,+49 30 23125 107,Cedar Energy,Security Engineer
Oskar,Lind,oskar@birch.example,+46 8 555 0108,Birch Robotics,Embedded Engineer
Yara,Santos,yara@maple.example,+55 11 5550 0109,Maple Finance,Data Scientist
Hugo,Weiss,hugo@alpine.example,+41 44 555 01 10,Alpine Optics,Frontend Engineer
Lena,Fischer,lena@delta.example,+49 89 99998 111,Delta Marine,Product Manager
Kofi,Mensah,kofi@palm.example,+44 161 496 0112,Palm Networks,Engineering Lead
Wanda,Kowalska,wanda@aspen.example,+48 22 555 0113,Aspen Logistics,Database Engineer
Bruno,Keller,bruno@willow.example,+41 44 555 01 14,Willow Print,Release Engineer
Petra,Klein,,+49 30 23125 113,Quill Press,Editor
";

/// A workspace that browsers reach.
pub struct Served {
    app: App,
    address: String,
    sign_in_url: String,
    engine: Engine,
    server: JoinHandle<io::Result<()>>,
    stop: oneshot::Sender<()>,
    _scratch: Scratch,
}

impl Served {
    /// A user and the roles, nothing else.
    pub async fn fresh() -> Served {
        Served::start(|_, _| async {}).await
    }

    /// Contacts and three sequences that run, with nobody in them.
    pub async fn furnished() -> Served {
        let furnish = |app: App, caller: Caller| async move {
            import::contacts(&app, &caller, CONTACTS, &Options::default()).await.unwrap();
            for text in SEQUENCES {
                let file = file::parse(text).unwrap_or_else(|e| panic!("{e:#?}\n{text}"));
                let id = sequences::create(&app, &caller, &file).await.unwrap();
                sequences::activate(&app, &caller, id, Arm::Now).await.unwrap();
            }
        };
        Served::start(furnish).await
    }

    async fn start<F: Future<Output = ()>>(furnish: impl FnOnce(App, Caller) -> F) -> Served {
        let scratch = Scratch::new("served");
        let flags = Flags {
            data: Some(scratch.path().to_owned()),
            private_addresses: Some("loopback".parse().unwrap()),
            ..Flags::default()
        };
        let config = Config::load(&flags).unwrap();
        let url = format!("sqlite:{}", scratch.join("cadenza.db").display());
        let opened = tokio::task::spawn_blocking(move || {
            let db = Database::open(&url.parse().unwrap()).unwrap();
            migrations::migrate(&db, SCHEMA).unwrap();
            db
        });
        let clock = Clock::scaled(CLOCK_SPEED).unwrap();
        let app = App::new(opened.await.unwrap(), clock, config, Seal::with_key([7; 32]));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/", listener.local_addr().unwrap());
        app.listens_on(listener.local_addr().unwrap());
        let caller = people(&app).await;
        let link = sign_in::make_link(&app, caller.workspace, caller.user, caller.user).await.unwrap();
        let sign_in_url = format!("{address}sign-in?token={}", link.reveal());
        furnish(app.clone(), caller).await;
        let engine = Engine::start(&app, Limits::default()).await.unwrap();
        let (stop, stopped) = oneshot::channel();
        let server = tokio::spawn(http::serve(app.clone(), listener, async {
            let _ = stopped.await;
        }));
        Served { app, address, sign_in_url, engine, server, stop, _scratch: scratch }
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    /// Works once; the first user chooses a password there.
    pub fn sign_in_url(&self) -> &str {
        &self.sign_in_url
    }

    /// Ends server and engine in good order.
    pub async fn close(self) {
        let _ = self.stop.send(());
        self.app.stop();
        self.server.await.unwrap().unwrap();
        self.engine.stopped().await;
    }
}

/// Sets the workspace up: its administrator, and somebody who may only look.
async fn people(app: &App) -> Caller {
    let first = Setup {
        name: "Northwind Talent".into(),
        postal_address: "Northwind Talent, 1 Harbour Street, 10115 Berlin".into(),
        zone: "Europe/Berlin".parse().unwrap(),
        user_name: "Ada Byron".into(),
        user_address: "ada@northwind.example".into(),
    };
    let (workspace, user) = setup::first_run(app, first).await.unwrap();
    let privileges = Privileges::all();
    let caller = Caller { workspace, user, name: "Ada Byron".into(), privileges, via: Via::Console, from: None };
    let (address, password) = VIEWER;
    let viewer = NewUser { address: address.into(), name: "Vera Vogel".into(), role: "Viewer".into() };
    let viewer = users::add(app, &caller, viewer).await.unwrap();
    users::set_password(app, &caller, viewer, password.to_owned()).await.unwrap();
    caller
}
