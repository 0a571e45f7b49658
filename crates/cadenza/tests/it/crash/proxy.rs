//! Between the program and a PostgreSQL server: counts the COMMITs, and at one of them kills the program or cuts its line,
//! before the server has heard of it or after the server has answered and the program has not.

use super::serving::{Manner, Target};
use super::site::Site;
use std::collections::HashSet;
use std::io::{BufReader, Error, ErrorKind, Read, Result, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// The server does not hear of it.
    Before,
    /// The server has committed.
    After,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    Kill,
    /// The line only; others stay open, and new ones are taken.
    Cut,
}

/// Which COMMITs are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    All,
    /// Those of transactions that record an attempt to send (T1 of docs/delivery.md).
    Claims,
}

#[derive(Debug, Clone, Copy)]
struct Plan {
    of: Of,
    when: When,
    nth: usize,
    act: Act,
}

#[derive(Default)]
struct Shared {
    commits: AtomicUsize,
    claims: AtomicUsize,
    plans: Mutex<Vec<Plan>>,
    target: Mutex<Option<Target>>,
}

pub struct Proxy {
    url: String,
    shared: Arc<Shared>,
}

impl Proxy {
    /// Before the server of an installation.
    pub fn before(site: &Site) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (head, rest) = site.database.rsplit_once('@').unwrap();
        let (server, name) = rest.split_once('/').unwrap();
        let url = format!("{head}@{}/{name}", listener.local_addr().unwrap());
        let (shared, server) = (Arc::<Shared>::default(), server.to_owned());
        let kept = shared.clone();
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (shared, client) = (kept.clone(), client.unwrap());
                let Ok(server) = TcpStream::connect(&server) else { continue };
                std::thread::spawn(move || {
                    let _ = Line::new(&client, &server, &shared).talk();
                    let _ = (client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both));
                });
            }
        });
        Proxy { url, shared }
    }

    /// To start the server behind it.
    pub fn manner(&self) -> Manner {
        Manner { database: Some(self.url.clone()), ..Manner::default() }
    }

    /// At the n-th COMMIT of a kind.
    pub fn at(&self, of: Of, when: When, nth: usize, act: Act) {
        self.shared.plans.lock().unwrap().push(Plan { of, when, nth, act });
    }

    /// Whom it kills.
    pub fn kills(&self, target: Target) {
        *self.shared.target.lock().unwrap() = Some(target);
    }

    pub fn commits(&self) -> usize {
        self.shared.commits.load(Ordering::SeqCst)
    }
}

/// How the statement begins that records an attempt.
const RECORDS: &[u8] = b"INSERT INTO send";

/// One connection. The program asks and waits for the answer, so one side speaks at a time.
struct Line<'a> {
    client: BufReader<&'a TcpStream>,
    server: BufReader<&'a TcpStream>,
    to_client: &'a TcpStream,
    to_server: &'a TcpStream,
    shared: &'a Shared,
    /// Names of prepared statements that record an attempt, and whether the open transaction has run one.
    recording: HashSet<Vec<u8>>,
    records: bool,
}

impl<'a> Line<'a> {
    fn new(client: &'a TcpStream, server: &'a TcpStream, shared: &'a Shared) -> Line<'a> {
        client.set_nodelay(true).unwrap();
        server.set_nodelay(true).unwrap();
        Line {
            client: BufReader::new(client),
            server: BufReader::new(server),
            to_client: client,
            to_server: server,
            shared,
            recording: HashSet::new(),
            records: false,
        }
    }

    fn talk(&mut self) -> Result<()> {
        let hello = body(&mut self.client, Vec::new())?;
        self.to_server.write_all(&hello)?;
        self.answer(1)?;
        loop {
            let (mut asked, mut answers, mut now) = (Vec::new(), 0, None);
            while answers == 0 {
                let message = message(&mut self.client)?;
                now = now.or_else(|| self.plan(&message));
                // A query, or the end of a group of messages: both are answered until the server is ready again.
                answers += usize::from(matches!(message[0], b'Q' | b'S'));
                asked.extend(message);
            }
            if let Some(Plan { when: When::Before, act, .. }) = now {
                return self.act(act);
            }
            self.to_server.write_all(&asked)?;
            let answer = self.heard(answers)?;
            if let Some(Plan { when: When::After, act, .. }) = now {
                return self.act(act);
            }
            self.to_client.write_all(&answer)?;
        }
    }

    /// What is to happen at this message.
    fn plan(&mut self, message: &[u8]) -> Option<Plan> {
        let mut words = message[5..].split(|byte| *byte == 0);
        match message[0] {
            b'P' => {
                let (name, text) = (words.next()?, words.next()?);
                let records = text.windows(RECORDS.len()).any(|part| part == RECORDS);
                if records {
                    self.recording.insert(name.to_vec())
                } else {
                    self.recording.remove(name)
                };
            }
            b'B' => self.records |= self.recording.contains(words.nth(1)?),
            b'Q' => {
                let records = std::mem::take(&mut self.records);
                if words.next()? == b"COMMIT" {
                    return self.count(records);
                }
            }
            _ => {}
        }
        None
    }

    fn count(&self, records: bool) -> Option<Plan> {
        let commits = self.shared.commits.fetch_add(1, Ordering::SeqCst) + 1;
        let claims = self.shared.claims.fetch_add(usize::from(records), Ordering::SeqCst) + 1;
        let now = |plan: &&Plan| match plan.of {
            Of::All => plan.nth == commits,
            Of::Claims => records && plan.nth == claims,
        };
        self.shared.plans.lock().unwrap().iter().find(now).copied()
    }

    fn act(&self, act: Act) -> Result<()> {
        if act == Act::Kill {
            self.kill();
        }
        Err(Error::other("cut"))
    }

    fn kill(&self) {
        loop {
            // The program may be so quick that the test has not said yet who it is.
            if let Some(target) = self.shared.target.lock().unwrap().as_ref() {
                return target.kill();
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn answer(&mut self, times: usize) -> Result<()> {
        let answer = self.heard(times)?;
        self.to_client.write_all(&answer)
    }

    /// All that the server says until it is ready so many times.
    fn heard(&mut self, times: usize) -> Result<Vec<u8>> {
        let (mut all, mut ready) = (Vec::new(), 0);
        while ready < times {
            let message = message(&mut self.server)?;
            if message[0] == b'R' && message[5..9] != [0; 4] {
                return Err(Error::new(ErrorKind::Unsupported, "the tests' server asks for no password"));
            }
            ready += usize::from(message[0] == b'Z');
            all.extend(message);
        }
        Ok(all)
    }
}

/// A message with its kind before it.
fn message(from: &mut impl Read) -> Result<Vec<u8>> {
    let mut kind = [0; 1];
    from.read_exact(&mut kind)?;
    body(from, kind.to_vec())
}

fn body(from: &mut impl Read, mut message: Vec<u8>) -> Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let rest = (u32::from_be_bytes(length) as usize).saturating_sub(4);
    message.extend(length);
    let begin = message.len();
    message.resize(begin + rest, 0);
    from.read_exact(&mut message[begin..])?;
    Ok(message)
}
