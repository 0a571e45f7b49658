//! Looking after an installation: what `doctor` finds, and a database that goes into a file and comes back.

use super::{cadenza, told};
use cadenza_core::ids::{MailboxId, WorkspaceId};
use cadenza_core::time::Time;
use cadenza_store::mailboxes::{self, Auth, Caps, Mailbox, Security, Server};
use cadenza_store::{Database, users, workspaces};
use cadenza_testkit::postgres::{TestDatabase, cluster};
use cadenza_testkit::{Scratch, SmtpSink};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Longer than anything here takes on a busy machine.
const LONG: Duration = Duration::from_secs(60);

/// An installation with one workspace.
struct Place {
    folder: Scratch,
    data: PathBuf,
    database: String,
    _server: Option<TestDatabase>,
}

impl Place {
    fn sqlite(name: &str) -> Place {
        Place::new(name, None)
    }

    /// `None` where PostgreSQL is not installed.
    fn postgres(name: &str) -> Option<Place> {
        Some(Place::new(name, Some(cluster()?.database())))
    }

    fn new(name: &str, server: Option<TestDatabase>) -> Place {
        let folder = Scratch::new(name);
        let data = folder.join("data");
        let database = match &server {
            Some(server) => server.url(),
            None => format!("sqlite:{}", data.join("cadenza.db").display()),
        };
        let place = Place { folder, data, database, _server: server };
        let words =
            ["user", "add", "ada@example.com", "--name", "Ada", "--workspace", "Acme", "--postal-address", "1 St"];
        let made = place.run(&words);
        assert!(made.ends_with("exit code 0"), "{made}");
        place
    }

    fn run(&self, words: &[&str]) -> String {
        run_in(&self.data, &self.database, words)
    }

    fn doctor(&self, words: &[&str]) -> Found {
        doctor_in(&self.data, &self.database, words)
    }

    fn serve(&self) -> Serving {
        Serving::start(&self.data, &self.database)
    }

    /// Behind the product's back, while nothing has the database open.
    fn change(&self, change: impl Fn(&mut cadenza_store::Tx, WorkspaceId) -> cadenza_store::Result<()> + Send + Sync) {
        let db = Database::open(&self.database.parse().unwrap()).unwrap();
        let w = db.read(workspaces::all).unwrap()[0].id;
        db.write(|tx| change(tx, w)).unwrap();
    }

    fn mailbox(&self, id: i64, address: &str, port: u16, change: impl Fn(&mut Mailbox) + Send + Sync) {
        self.change(|tx, w| {
            let owner = users::all(tx, w)?[0].id;
            let smtp = Server {
                host: "127.0.0.1".into(),
                port,
                security: Security::None,
                auth: Auth::None,
                login: None,
                secret: None,
            };
            let mut mailbox = Mailbox {
                id: MailboxId(id),
                owner,
                address: address.into(),
                name: "Ada".into(),
                sandbox: false,
                signature: String::new(),
                smtp: Some(smtp),
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
                created_at: Time::from_micros(1),
                version: 1,
            };
            change(&mut mailbox);
            mailboxes::create(tx, w, &mailbox)
        });
    }
}

fn run_in(data: &Path, database: &str, words: &[&str]) -> String {
    let data = data.display().to_string();
    let words: Vec<&str> = words.iter().copied().chain(["--data", &data, "--database", database]).collect();
    told(&cadenza(&words))
}

fn doctor_in(data: &Path, database: &str, words: &[&str]) -> Found {
    let data = data.display().to_string();
    let flags = ["--data", &data, "--database", database, "--listen", "127.0.0.1:0", "--json"];
    let loopback = ["--private-addresses", "loopback"];
    let near = if words.contains(&loopback[0]) { &[][..] } else { &loopback[..] };
    let words: Vec<&str> = ["doctor"].iter().chain(words).chain(near).copied().chain(flags).collect();
    let output = cadenza(&words);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}", told(&output)));
    assert_eq!(output.status.success(), json["errors"] == 0, "{json:#}");
    Found(json)
}

/// What doctor found.
struct Found(Value);

impl Found {
    /// Is there a finding of this level and part that says so?
    fn says(&self, level: &str, part: &str, what: &str) -> bool {
        self.0["findings"].as_array().unwrap().iter().any(|f| {
            f["level"] == level && f["part"] == part && f["message"].as_str().is_some_and(|m| m.contains(what))
        })
    }

    #[track_caller]
    fn need(&self, level: &str, part: &str, what: &str) {
        assert!(self.says(level, part, what), "{level} {part}: {what}\n{:#}", self.0);
    }

    #[track_caller]
    fn need_no_errors(&self) {
        // The throw-away server of the tests need not survive a power cut, and doctor is right to say so.
        let of_tests = ["fsync is off (expected on)", "full_page_writes is off (expected on)"];
        let wrong = self.0["findings"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|f| f["level"] == "error" && !of_tests.contains(&f["message"].as_str().unwrap()));
        assert_eq!(wrong.count(), 0, "{:#}", self.0);
    }
}

/// A server at work, ended with its process.
struct Serving {
    process: Child,
    log: Arc<Mutex<String>>,
}

impl Serving {
    fn start(data: &Path, database: &str) -> Serving {
        let mut process = Command::new(env!("CARGO_BIN_EXE_cadenza"))
            .args(["serve", "--listen", "127.0.0.1:0", "--log", "info", "--database", database, "--data"])
            .arg(data)
            .args(["--private-addresses", "loopback"])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (log, told) = (Arc::<Mutex<String>>::default(), process.stderr.take().unwrap());
        let kept = log.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(told).lines().map_while(Result::ok) {
                *kept.lock().unwrap() += &format!("{line}\n");
            }
        });
        let mut serving = Serving { process, log };
        let give_up = Instant::now() + LONG;
        while !serving.answers() {
            if let Some(ended) = serving.process.try_wait().unwrap() {
                panic!("it ended: {ended}: {}", serving.log());
            }
            assert!(Instant::now() < give_up, "it does not start: {}", serving.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        serving
    }

    /// Its pages come after its engine, and hear the signal to stop.
    fn answers(&self) -> bool {
        let log = self.log();
        let address = log.split_once("listens on http://").and_then(|(_, rest)| rest.split_whitespace().next());
        let ask = |address: &str| -> std::io::Result<String> {
            let mut line = TcpStream::connect(address)?;
            line.set_read_timeout(Some(Duration::from_secs(5)))?;
            line.write_all(b"GET /healthz HTTP/1.0\r\n\r\n")?;
            let mut answer = String::new();
            line.read_to_string(&mut answer)?;
            Ok(answer)
        };
        address.is_some_and(|address| ask(address).is_ok_and(|answer| answer.starts_with("HTTP/1.")))
    }

    /// Ends it in good order; what it said.
    fn stop(mut self) -> String {
        let told = Command::new("kill").args(["-TERM", &self.process.id().to_string()]).status().unwrap();
        assert!(told.success());
        let ended = self.process.wait().unwrap();
        assert!(ended.success(), "{ended}: {}", self.log());
        self.log()
    }

    fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn doctor_finds_nothing_wrong_with_a_new_installation() {
    for place in [Some(Place::sqlite("doctor")), Place::postgres("doctor")].into_iter().flatten() {
        let found = place.doctor(&["--thorough"]);
        found.need_no_errors();
        found.need("warning", "server", "none runs on this data folder");
        found.need("ok", "key", "its owner's alone");
        // How much room there is, is the machine's affair.
        assert!(["ok", "warning"].iter().any(|level| found.says(level, "disk", "MiB are free")), "{:#}", found.0);
        found.need("ok", "database", "with the tables of this version");
        found.need("ok", "engine", "0 due");
        found.need("ok", "deliveries", "none is unknown");
        found.need("warning", "workspace \"Acme\"", "sandbox mode");
        found.need("ok", "workspace \"Acme\"", "counters equal a recount");
        found.need("warning", "public URL", "lead to this machine alone");
        let durable =
            if place.database.starts_with("sqlite") { "synchronous FULL" } else { "synchronous_commit is on" };
        found.need("ok", "database", durable);

        let serving = place.serve();
        let found = place.doctor(&[]);
        found.need_no_errors();
        found.need("ok", "server", "runs as process");
        found.need("ok", "clock", "last written");
        drop(serving);
        place.doctor(&[]).need("warning", "server", "stopped without saying so");
    }
}

#[test]
fn doctor_looks_at_each_mailbox() {
    let sink = SmtpSink::start().unwrap();
    for place in [Some(Place::sqlite("doctor-mail")), Place::postgres("doctor-mail")].into_iter().flatten() {
        place.mailbox(1, "ada@agency.example", sink.port(), |_| {});
        // Nothing listens on the port of "discard".
        place.mailbox(2, "bob@agency.example", 9, |_| {});
        place.mailbox(3, "eve@other.org", sink.port(), |m| {
            let smtp = m.smtp.as_mut().unwrap();
            (smtp.security, smtp.auth) = (Security::Starttls, Auth::Password);
            (smtp.login, smtp.secret) = (Some("eve@agency.example".into()), Some(vec![1; 60]));
        });
        place.mailbox(4, "max@agency.example", sink.port(), |m| {
            let smtp = m.smtp.as_mut().unwrap();
            (smtp.security, smtp.auth) = (Security::Starttls, Auth::Xoauth2);
        });
        place.change(|tx, w| mailboxes::hold(tx, w, MailboxId(1), "5.7.1 not today", Time::from_micros(1)));
        let found = place.doctor(&[]);
        found.need("ok", "mailbox ada@agency.example", "be greeted");
        found.need("warning", "mailbox ada@agency.example", "5.7.1 not today");
        found.need("warning", "mailbox ada@agency.example", "no domain of the Internet");
        found.need("warning", "mailbox ada@agency.example", "replies stop no sequence");
        found.need("error", "mailbox bob@agency.example", "127.0.0.1:9");
        found.need("error", "mailbox eve@other.org", "sealed with another key");
        found.need("warning", "mailbox eve@other.org", "signs in at agency.example and writes from other.org");
        found.need("warning", "authentication", "were not looked at");
        found.need("error", "mailbox max@agency.example", "no refresh token is stored");
        found.need("ok", "reach", "loopback");
        let offline = place.doctor(&["--offline"]);
        offline.need("error", "mailbox max@agency.example", "no refresh token is stored");
        offline.need("ok", "mailbox bob@agency.example", "was not visited");

        // Told nothing, it looks nowhere but in the Internet.
        for words in [&["--private-addresses", "refuse"][..], &["--offline", "--private-addresses", "refuse"]] {
            let found = place.doctor(words);
            found.need("ok", "reach", "the public Internet only");
            found.need("error", "mailbox ada@agency.example", "127.0.0.1, an address of the server itself (loopback)");
            found.need("error", "mailbox ada@agency.example", "--private-addresses 127.0.0.1");
        }
    }
}

#[test]
fn doctor_goes_on_past_what_is_broken() {
    let place = Place::sqlite("doctor-broken");
    std::fs::remove_file(place.data.join("secret.key")).unwrap();
    let found = place.doctor(&[]);
    found.need("error", "key", "is missing");
    found.need("ok", "database", "quick_check found nothing");
    assert!(!place.data.join("secret.key").exists(), "looking makes nothing");

    place.change(|tx, _| {
        tx.exec("INSERT INTO node VALUES (0, 1, $1, $1, $1, 'working', 1, 1)", &[(i64::MAX / 2).into()]).map(drop)
    });
    place.doctor(&[]).need("error", "clock", "something was written at");

    let nothing = place.folder.join("nothing");
    std::fs::create_dir(&nothing).unwrap();
    let found = doctor_in(&nothing, &format!("sqlite:{}", nothing.join("c.db").display()), &[]);
    found.need("error", "database", "there is no such file");
    assert_eq!(std::fs::read_dir(&nothing).unwrap().count(), 0, "looking makes nothing");

    std::fs::write(place.data.join("cadenza.toml"), "[server]\nlisten = 'here'\n").unwrap();
    place.doctor(&[]).need("error", "configuration", "listen");
    std::fs::remove_file(place.data.join("cadenza.toml")).unwrap();

    let database = place.data.join("cadenza.db");
    let mut bytes = std::fs::read(&database).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..].fill(0xab);
    std::fs::write(&database, bytes).unwrap();
    assert!(place.doctor(&[]).0["errors"].as_i64().unwrap() > 1);
}

#[test]
fn a_backup_comes_back_whole_and_sends_nothing_by_itself() {
    let place = Place::sqlite("backup");
    let serving = place.serve();
    let to = place.folder.join("copy.db");
    let shown = to.display().to_string();
    let made = place.run(&["backup", &shown]);
    assert!(made.contains("checked and on disk") && made.contains("secret.key") && made.ends_with("code 0"), "{made}");
    assert_eq!(std::fs::metadata(&to).unwrap().permissions(), private());
    let before = std::fs::read(&to).unwrap();
    let refused = place.run(&["backup", &shown]);
    assert!(refused.contains("nothing is ever overwritten") && refused.ends_with("exit code 1"), "{refused}");
    assert_eq!(std::fs::read(&to).unwrap(), before);
    let nowhere = place.run(&["backup", &place.folder.join("no/such/copy.db").display().to_string()]);
    assert!(nowhere.contains("no/such/copy.db") && nowhere.ends_with("exit code 1"), "{nowhere}");
    serving.stop();

    // While a database is there, nothing takes its place.
    let refused = place.run(&["restore", &shown]);
    assert!(refused.contains("it is there already") && refused.ends_with("exit code 1"), "{refused}");
    let elsewhere = place.folder.join("elsewhere");
    let database = format!("sqlite:{}", elsewhere.join("cadenza.db").display());
    let junk = place.folder.join("junk.db");
    std::fs::write(&junk, "no database at all").unwrap();
    let refused = run_in(&elsewhere, &database, &["restore", &junk.display().to_string()]);
    assert!(refused.contains("damaged") && refused.ends_with("exit code 1"), "{refused}");
    assert!(!elsewhere.join("cadenza.db").exists());

    let restored = run_in(&elsewhere, &database, &["restore", &shown]);
    assert!(restored.contains("all sending is held") && restored.contains("put the key"), "{restored}");
    std::fs::copy(place.data.join("secret.key"), elsewhere.join("secret.key")).unwrap();
    let found = doctor_in(&elsewhere, &database, &["--thorough"]);
    found.need_no_errors();
    found.need("warning", "workspace \"Acme\"", "all sending is held");
    let serving = Serving::start(&elsewhere, &database);
    doctor_in(&elsewhere, &database, &[]).need("warning", "workspace \"Acme\"", "all sending is held");
    let released = run_in(&elsewhere, &database, &["restore", "--release"]);
    assert!(released.starts_with("released"), "{released}");
    assert!(!doctor_in(&elsewhere, &database, &[]).says("warning", "workspace \"Acme\"", "held"));
    serving.stop();
}

#[cfg(unix)]
fn private() -> std::fs::Permissions {
    use std::os::unix::fs::PermissionsExt;
    std::fs::Permissions::from_mode(0o100_600)
}

/// By whatever means it came back: its witness in the data folder has seen more of it, or has not seen it.
#[test]
fn a_database_put_back_by_hand_is_noticed_at_the_start() {
    let place = Place::sqlite("noticed");
    place.serve().stop();
    let database = place.data.join("cadenza.db");
    let older = std::fs::read(&database).unwrap();
    let log = place.serve().stop();
    assert!(!log.contains("All sending waits"), "an ordinary restart: {log}");
    std::fs::write(&database, older).unwrap();
    let log = place.serve().stop();
    assert!(log.contains("it was restored from a backup"), "{log}");
    place.doctor(&[]).need("warning", "workspace \"Acme\"", "all sending is held");
    place.run(&["restore", "--release"]);
    assert!(!place.serve().stop().contains("All sending waits"), "released once, it stays so");

    for place in [Some(Place::sqlite("carried")), Place::postgres("carried")].into_iter().flatten() {
        place.serve().stop();
        std::fs::remove_file(place.data.join("witness.json")).unwrap();
        let log = place.serve().stop();
        assert!(log.contains("it was copied"), "{log}");
        place.doctor(&[]).need("warning", "workspace \"Acme\"", "all sending is held");
    }
}

#[test]
fn a_servers_database_is_left_to_its_own_tools() {
    let Some(place) = Place::postgres("pg-backup") else { return };
    let to = place.folder.join("copy").display().to_string();
    let refused = place.run(&["backup", &to]);
    assert!(refused.contains("pg_dump --format=custom --file=") && refused.ends_with("exit code 1"), "{refused}");
    assert!(!Path::new(&to).exists());
    // What it says to type works.
    let command = refused.lines().find_map(|l| l.trim_start_matches("error:").trim().strip_prefix("pg_dump ")).unwrap();
    let done = Command::new("sh").arg("-c").arg(format!("pg_dump {command}")).output().unwrap();
    assert!(done.status.success(), "{}", told(&done));
    let refused = place.run(&["restore", &to]);
    let command = refused.lines().find_map(|l| l.trim_start_matches("error:").trim().strip_prefix("pg_restore "));
    let empty = cluster().unwrap().database();
    let command = command.unwrap().replace(&place.database, &empty.url());
    let done = Command::new("sh").arg("-c").arg(format!("pg_restore {command}")).output().unwrap();
    assert!(done.status.success(), "{command}: {}", told(&done));
    doctor_in(&place.data, &empty.url(), &["--thorough"]).need_no_errors();
}
