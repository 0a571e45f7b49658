//! A mail server that accepts everything and forgets nothing it accepted: it lives in the test's process and outlives every
//! death of the client. It can kill the client at a moment of the conversation. For servers that misbehave see
//! `smtp_server`.

use super::chance::Chance;
use super::serving::Target;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// What it accepted.
#[derive(Debug, Clone, Default)]
pub struct Taken {
    /// How often each Message-ID.
    pub times: BTreeMap<String, u32>,
    /// The Message-IDs that came for each recipient.
    pub of: BTreeMap<String, BTreeSet<String>>,
    pub total: usize,
    last: Option<Instant>,
}

/// Without a mail for so long, none is left to send.
const IDLE: Duration = Duration::from_secs(2);

/// Where in a mail's way the client is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Half of the body came.
    Body,
    /// The final dot came, and the mail is accepted; the client was not told.
    Accepted,
    /// The client was told a moment ago.
    Answered,
}

/// Kills a process when so many mails have come to a moment.
struct Trap {
    target: Target,
    moment: Moment,
    left: u32,
}

#[derive(Default)]
struct Shared {
    taken: Mutex<Taken>,
    trap: Mutex<Option<Trap>>,
    connections: AtomicUsize,
    /// The longest that it thinks about a mail, in microseconds.
    thinks: AtomicU64,
}

/// A running server; its threads end with the test's process.
#[derive(Clone)]
pub struct Sink {
    port: u16,
    shared: Arc<Shared>,
}

impl Sink {
    pub fn start() -> Sink {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared::default());
        let server = Sink { port, shared: shared.clone() };
        std::thread::spawn(move || {
            for (number, line) in listener.incoming().enumerate() {
                let (shared, line) = (shared.clone(), line.unwrap());
                shared.connections.fetch_add(1, Ordering::SeqCst);
                std::thread::spawn(move || {
                    // However the client went: what it had said whole is accepted.
                    let _ = Session::new(&line, &shared, number as u64).talk();
                    drop(line);
                    shared.connections.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        server
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Between the final dot and the answer it takes up to so long, by chance.
    pub fn thinks(&self, at_most: Duration) {
        self.shared.thinks.store(at_most.as_micros() as u64, Ordering::Relaxed);
    }

    /// Kills a process at the n-th mail from now that comes to a moment.
    pub fn kill_at(&self, target: Target, moment: Moment, nth: u32) {
        *self.shared.trap.lock().unwrap() = Some(Trap { target, moment, left: nth });
    }

    /// No more of that.
    pub fn disarm(&self) {
        *self.shared.trap.lock().unwrap() = None;
    }

    /// Has nothing come for a while, since `begun` at the earliest?
    pub fn idle_for(&self, begun: Instant) -> bool {
        self.taken().last.unwrap_or(begun).max(begun).elapsed() > IDLE
    }

    pub fn total(&self) -> usize {
        self.taken().total
    }

    /// What it accepted, once every client is gone: a dead one's last bytes may still be on the way.
    pub fn settled(&self) -> Taken {
        let give_up = Instant::now() + super::LONG;
        while self.shared.connections.load(Ordering::SeqCst) > 0 {
            assert!(Instant::now() < give_up, "a client that ended keeps its connection");
            std::thread::sleep(Duration::from_millis(1));
        }
        self.taken().clone()
    }

    /// Begins anew.
    pub fn forget(&self) {
        *self.shared.taken.lock().unwrap() = Taken::default();
        *self.shared.trap.lock().unwrap() = None;
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.shared.taken.lock().unwrap()
    }
}

/// One connection.
struct Session<'a> {
    lines: BufReader<&'a TcpStream>,
    line: &'a TcpStream,
    shared: &'a Shared,
    chance: Chance,
    recipient: String,
}

impl<'a> Session<'a> {
    fn new(line: &'a TcpStream, shared: &'a Shared, number: u64) -> Session<'a> {
        line.set_nodelay(true).unwrap();
        let chance = Chance::of(number);
        Session { lines: BufReader::new(line), line, shared, chance, recipient: String::new() }
    }

    fn talk(&mut self) -> std::io::Result<()> {
        self.say("220 sink.example ESMTP")?;
        loop {
            let line = self.read()?;
            let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
            match verb.as_str() {
                "EHLO" => self.say("250-sink.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES")?,
                "RCPT" => {
                    self.recipient = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
                    self.say("250 2.1.5 ok")?;
                }
                "DATA" => self.data()?,
                "QUIT" => return self.say("221 2.0.0 bye"),
                _ => self.say("250 2.0.0 ok")?,
            }
        }
    }

    fn data(&mut self) -> std::io::Result<()> {
        self.say("354 go ahead")?;
        let mut id = None;
        let mut lines = 0;
        loop {
            let line = self.read()?;
            if line == "." {
                break;
            }
            lines += 1;
            // Before the text begins: a mail without one is none of ours.
            if let (None, Some(found)) = (&id, line.strip_prefix("Message-ID: ")) {
                id = Some(found.trim_matches(['<', '>']).to_owned());
                self.shared.spring(Moment::Body);
            }
        }
        self.accept(id.unwrap_or_else(|| format!("none in {lines} lines")));
        self.shared.spring(Moment::Accepted);
        let thinks = self.shared.thinks.load(Ordering::Relaxed);
        if thinks > 0 {
            std::thread::sleep(Duration::from_micros(self.chance.below(thinks)));
        }
        self.say("250 2.0.0 taken")?;
        self.shared.spring(Moment::Answered);
        Ok(())
    }

    fn accept(&self, id: String) {
        let mut taken = self.shared.taken.lock().unwrap();
        taken.total += 1;
        taken.last = Some(Instant::now());
        *taken.times.entry(id.clone()).or_default() += 1;
        taken.of.entry(self.recipient.clone()).or_default().insert(id);
    }

    fn read(&mut self) -> std::io::Result<String> {
        let mut line = Vec::new();
        self.lines.read_until(b'\n', &mut line)?;
        // Half a line is nothing: the client died in it.
        match line.strip_suffix(b"\r\n") {
            Some(whole) => Ok(String::from_utf8_lossy(whole).into_owned()),
            None => Err(std::io::ErrorKind::UnexpectedEof.into()),
        }
    }

    fn say(&mut self, reply: &str) -> std::io::Result<()> {
        self.line.write_all(format!("{reply}\r\n").as_bytes())
    }
}

impl Shared {
    fn spring(&self, moment: Moment) {
        let mut trap = self.trap.lock().unwrap();
        let Some(set) = trap.as_mut().filter(|set| set.moment == moment) else { return };
        set.left -= 1;
        if set.left == 0 {
            set.target.kill();
            *trap = None;
        }
    }
}
