//! The real program at work, as a process of its own: started, asked over its API, stopped in order, or killed. What an
//! installation holds is `site`'s business.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How it is started, apart from the usual.
#[derive(Debug, Clone, Default)]
pub struct Manner {
    /// Another address of the same database.
    pub database: Option<String>,
    pub environment: Vec<(&'static str, String)>,
}

/// A process that can be killed from several places, never another one that got its number afterwards.
#[derive(Clone)]
pub struct Target(Arc<Mutex<Child>>);

impl Target {
    /// SIGKILL, at once.
    pub fn kill(&self) {
        self.0.lock().unwrap().kill().unwrap();
    }

    fn ended(&self) -> Option<ExitStatus> {
        self.0.lock().unwrap().try_wait().unwrap()
    }
}

/// A server, killed with this value.
pub struct Serving {
    process: Target,
    log: Arc<Mutex<String>>,
    /// Ends with the last word of the process.
    listener: Mutex<Option<JoinHandle<()>>>,
    token: String,
    pub begun: Instant,
}

impl Serving {
    /// Starts it and does not wait.
    pub fn start(data: &Path, database: &str, token: &str, manner: &Manner) -> Serving {
        let database = manner.database.as_deref().unwrap_or(database);
        let mut process = Command::new(env!("CARGO_BIN_EXE_cadenza"))
            .args(["serve", "--listen", "127.0.0.1:0", "--log", "info", "--database", database, "--data"])
            .arg(data)
            .args(["--private-addresses", "loopback"])
            .envs(manner.environment.iter().map(|(name, value)| (name, value)))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (log, told) = (Arc::<Mutex<String>>::default(), process.stderr.take().unwrap());
        let kept = log.clone();
        let listener = std::thread::spawn(move || {
            for line in BufReader::new(told).lines().map_while(Result::ok) {
                *kept.lock().unwrap() += &format!("{line}\n");
            }
        });
        let process = Target(Arc::new(Mutex::new(process)));
        let listener = Mutex::new(Some(listener));
        Serving { process, log, listener, token: token.to_owned(), begun: Instant::now() }
    }

    pub fn target(&self) -> Target {
        self.process.clone()
    }

    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Has it cleaned up after the last run, and does it answer?
    pub fn answers(&self) -> bool {
        self.ask("/healthz").is_some_and(|answer| answer.starts_with("HTTP/1."))
    }

    /// Waits until it answers.
    pub fn ready(&self) {
        self.until("it answers", || self.answers());
    }

    /// Waits until something holds, while it lives.
    #[track_caller]
    pub fn until(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let give_up = Instant::now() + super::LONG;
        while !holds() {
            if let Some(ended) = self.process.ended() {
                panic!("it ended before {what}: {ended}: {}", self.log());
            }
            assert!(Instant::now() < give_up, "waited in vain until {what}: {}", self.log());
            std::thread::sleep(Duration::from_millis(3));
        }
    }

    /// Something of the API.
    pub fn get(&self, path: &str) -> Option<Value> {
        let answer = self.ask(&format!("/api/v1{path}"))?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        head.starts_with("HTTP/1.0 200").then(|| serde_json::from_str(body).unwrap())
    }

    fn ask(&self, path: &str) -> Option<String> {
        let log = self.log();
        let (_, rest) = log.split_once("listens on http://")?;
        let asked = || -> std::io::Result<String> {
            let mut line = TcpStream::connect(rest.split_whitespace().next().unwrap_or_default())?;
            line.set_read_timeout(Some(Duration::from_secs(20)))?;
            write!(line, "GET {path} HTTP/1.0\r\nAuthorization: Bearer {}\r\n\r\n", self.token)?;
            let mut answer = String::new();
            line.read_to_string(&mut answer)?;
            Ok(answer)
        };
        asked().ok()
    }

    /// Waits until everybody is through or waits for a person.
    pub fn rest(&self) {
        assert!(!self.rest_or_gone(), "it ended before it came to rest: {}", self.log());
    }

    /// Waits for that or for its end; says whether it ended.
    pub fn rest_or_gone(&self) -> bool {
        let mut seen = (String::new(), Instant::now());
        loop {
            let figures = self.get("/overview").map(|all| all["items"][0]["figures"].clone()).unwrap_or_default();
            let is = |name: &str| figures[name].as_i64().unwrap_or_default();
            if self.process.ended().is_some() {
                return true;
            }
            if is("enrolled") > 0 && is("state:active") + is("state:pending") == 0 {
                return false;
            }
            let now = figures.to_string();
            if now != seen.0 {
                seen = (now, Instant::now());
            }
            assert!(seen.1.elapsed() < super::LONG, "it stands still at {}: {}", seen.0, self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// SIGKILL; answers when it is gone.
    pub fn kill(self) -> String {
        self.process.kill();
        self.gone();
        self.log()
    }

    /// Waits until it is gone, by whosever doing, and its last word is in the log.
    pub fn gone(&self) -> ExitStatus {
        let give_up = Instant::now() + super::LONG;
        loop {
            if let Some(ended) = self.process.ended() {
                if let Some(listener) = self.listener.lock().unwrap().take() {
                    listener.join().unwrap();
                }
                return ended;
            }
            assert!(Instant::now() < give_up, "it does not end: {}", self.log());
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    pub fn is_gone(&self) -> bool {
        self.process.ended().is_some()
    }

    /// STOP, CONT or TERM.
    pub fn signal(&self, name: &str) {
        let process = self.process.0.lock().unwrap();
        let sent = Command::new("kill").args([&format!("-{name}"), &process.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }

    /// Ends it in good order; what it said.
    pub fn stop(self) -> String {
        self.signal("TERM");
        let ended = self.gone();
        assert!(ended.success(), "{ended}: {}", self.log());
        self.log()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let mut process = self.process.0.lock().unwrap();
        let _ = process.kill();
        let _ = process.wait();
    }
}
