//! An SMTP server that does as it is told: it takes mail like a real one, except where a script says otherwise, at any
//! of twelve phases of the conversation. It remembers what it accepted, so a test can hold what the client believes
//! against what happened. For real servers see `cadenza_testkit`.

mod session;

use session::Session;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// Where in the conversation something is done, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// The socket is accepted; nothing was said, TLS not begun.
    Connect,
    Greeting,
    Hello,
    StartTls,
    /// Instead of a TLS handshake.
    Handshake,
    Auth,
    Mail,
    Rcpt,
    Data,
    /// The first piece of the body came.
    Body,
    /// The final dot came; the mail is not accepted yet.
    Dot,
    /// The mail is accepted; the answer was not given yet.
    Accepted,
}

impl Phase {
    pub const ALL: [Phase; 12] = [
        Phase::Connect,
        Phase::Greeting,
        Phase::Hello,
        Phase::StartTls,
        Phase::Handshake,
        Phase::Auth,
        Phase::Mail,
        Phase::Rcpt,
        Phase::Data,
        Phase::Body,
        Phase::Dot,
        Phase::Accepted,
    ];
}

/// What is done instead of the usual.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Says this and a line end. What follows goes by its code: after a 4xx or 5xx the command had no effect.
    Say(String),
    /// Says this and a line end, then closes the connection.
    SayAndClose(String),
    /// As `Say`, a byte at a time.
    Dribble(String),
    /// Closes the connection in order.
    Close,
    /// Tears the connection down (RST).
    Reset,
    /// Reads on and says nothing for ever.
    Silence,
    /// Waits until the gate is opened, then goes on as usual.
    Wait(Gate),
}

/// Where the server waits until a test lets it go on.
#[derive(Debug, Clone)]
pub struct Gate {
    reached: Arc<watch::Sender<bool>>,
    open: Arc<watch::Sender<bool>>,
}

impl Gate {
    pub fn shut() -> Gate {
        Gate { reached: Arc::new(watch::Sender::new(false)), open: Arc::new(watch::Sender::new(false)) }
    }
    /// Waits until a client stands before it.
    pub async fn reached(&self) {
        self.reached.subscribe().wait_for(|reached| *reached).await.unwrap();
    }
    pub fn open(&self) {
        self.open.send_replace(true);
    }
    async fn pass(&self) {
        self.reached.send_replace(true);
        self.open.subscribe().wait_for(|open| *open).await.unwrap();
    }
}

/// The same gate, not one like it.
impl PartialEq for Gate {
    fn eq(&self, other: &Gate) -> bool {
        Arc::ptr_eq(&self.open, &other.open)
    }
}
impl Eq for Gate {}

/// What the server offers and where it misbehaves.
#[derive(Clone)]
pub struct Script {
    /// Keywords after EHLO; empty: EHLO is not known.
    pub extensions: Vec<String>,
    /// For STARTTLS, or from the first byte.
    pub tls: Option<Tls>,
    /// `user`, `password`: AUTH PLAIN and LOGIN ask for these, XOAUTH2 takes the password for the token.
    pub sign_in: Option<(String, String)>,
    acts: Vec<(Phase, Times, Act)>,
}

#[derive(Clone)]
pub enum Tls {
    OnRequest(Arc<rustls::ServerConfig>),
    FromTheStart(Arc<rustls::ServerConfig>),
}

#[derive(Debug, Clone, Copy)]
enum Times {
    Always,
    /// Only the n-th time that the phase is reached, counted from 1 over all connections.
    Nth(usize),
}

/// A mail that the server took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// MAIL's arguments as they came.
    pub mail: String,
    /// RCPT's arguments as they came.
    pub rcpt: Vec<String>,
    /// Without dot stuffing and without the final dot.
    pub body: Vec<u8>,
}

/// What happened at the server.
#[derive(Debug, Clone, Default)]
pub struct Log {
    pub connections: usize,
    /// Connections that are over.
    pub ended: usize,
    /// Things said that the script made it say.
    pub acts: usize,
    /// What came in one read, commands only, as lines.
    pub groups: Vec<Vec<String>>,
    /// Accepted mails, whether or not the client was told.
    pub taken: Vec<Taken>,
}

/// A running server; ended when dropped.
pub struct SmtpServer {
    address: SocketAddr,
    log: Arc<Mutex<Log>>,
    password: Arc<Mutex<Option<String>>>,
    task: JoinHandle<()>,
}

impl Script {
    /// A modern server without TLS: PIPELINING, SIZE, 8BITMIME, DSN, enhanced codes.
    pub fn new() -> Script {
        let extensions = ["PIPELINING", "SIZE 1000000", "8BITMIME", "DSN", "ENHANCEDSTATUSCODES"];
        Script { extensions: extensions.map(str::to_owned).to_vec(), tls: None, sign_in: None, acts: Vec::new() }
    }

    /// With only these extensions.
    pub fn offering(extensions: &[&str]) -> Script {
        Script { extensions: extensions.iter().map(|e| (*e).to_owned()).collect(), ..Script::new() }
    }

    /// Misbehaves whenever the phase is reached.
    pub fn at(mut self, phase: Phase, act: Act) -> Script {
        self.acts.push((phase, Times::Always, act));
        self
    }

    /// Misbehaves the n-th time the phase is reached, counted from 1 over all connections.
    pub fn at_nth(mut self, phase: Phase, n: usize, act: Act) -> Script {
        self.acts.push((phase, Times::Nth(n), act));
        self
    }

    pub fn with_tls(mut self, tls: Tls) -> Script {
        if matches!(tls, Tls::OnRequest(_)) {
            self.extensions.push("STARTTLS".to_owned());
        }
        self.tls = Some(tls);
        self
    }

    /// Offers these mechanisms, for this user.
    pub fn with_sign_in(mut self, mechanisms: &str, user: &str, password: &str) -> Script {
        self.extensions.push(format!("AUTH {mechanisms}"));
        self.sign_in = Some((user.to_owned(), password.to_owned()));
        self
    }
}

/// Says text, as an act.
pub fn say(text: &str) -> Act {
    Act::Say(text.to_owned())
}

/// A script, how often each phase was reached, and the log: shared by the connections of a server.
struct Stage {
    script: Script,
    reached: Mutex<HashMap<Phase, usize>>,
    /// In place of the script's.
    password: Arc<Mutex<Option<String>>>,
    log: Arc<Mutex<Log>>,
}

impl Stage {
    /// What to do instead of the usual, now that the phase is reached.
    fn act(&self, phase: Phase) -> Option<Act> {
        let mut reached = self.reached.lock().unwrap();
        let count = reached.entry(phase).or_default();
        *count += 1;
        let now = |times: &Times| match times {
            Times::Always => true,
            Times::Nth(n) => n == count,
        };
        self.script.acts.iter().find(|(p, times, _)| *p == phase && now(times)).map(|(.., act)| act.clone())
    }
}

impl SmtpServer {
    /// On a free port of 127.0.0.1, in the runtime of the test.
    pub async fn start(script: Script) -> SmtpServer {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let log = Arc::new(Mutex::new(Log::default()));
        let password = Arc::<Mutex<Option<String>>>::default();
        let stage = Arc::new(Stage { script, reached: Mutex::default(), password: password.clone(), log: log.clone() });
        let task = tokio::spawn(async move {
            // Dropped with this task, and its sessions with it.
            let mut sessions = tokio::task::JoinSet::new();
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                socket.set_nodelay(true).unwrap();
                stage.log.lock().unwrap().connections += 1;
                sessions.spawn(Session::new(socket, stage.clone()).run());
            }
        });
        SmtpServer { address, log, password, task }
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// From the next connection on it takes this password, or token, and no other.
    pub fn password_setter(&self) -> impl Fn(&str) + Send + 'static {
        let password = self.password.clone();
        move |now| *password.lock().unwrap() = Some(now.to_owned())
    }

    pub fn log(&self) -> Log {
        self.log.lock().unwrap().clone()
    }

    /// Waits until the script's first misbehaviour has happened, and its traces have reached the client.
    pub async fn misbehaved(&self) {
        while self.log().acts + self.log().ended == 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn acceptor(tls: &Tls) -> TlsAcceptor {
    match tls {
        Tls::OnRequest(config) | Tls::FromTheStart(config) => TlsAcceptor::from(config.clone()),
    }
}
