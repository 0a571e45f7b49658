//! What every part of a running Cadenza shares: the database, the clock, what it was told, and the bell. A handle that
//! clones; it starts nothing and knows nobody who uses it.

use crate::actions::attempts::Attempts;
use crate::actions::passwords::Passwords;
use crate::actions::setup::Key;
use crate::clock::Clock;
use crate::config::Config;
use crate::engine::tokens::Tokens;
use crate::seal::Seal;
use cadenza_store::Database;
use cadenza_store::door::{Door, Outgoing};
use cadenza_store::nodes::{NODES, Node};
use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tokio::sync::{mpsc, watch};

/// A running Cadenza. Clones are the same one.
#[derive(Debug, Clone)]
pub struct App {
    parts: Arc<Parts>,
}

/// What [`App`] gives access to.
#[derive(Debug)]
pub struct Parts {
    pub db: Database,
    pub clock: Clock,
    pub config: Config,
    /// The one door to every change of an enrollment; also the source of ids.
    pub door: Door,
    /// Opens stored secrets.
    pub seal: Seal,
    pub passwords: Passwords,
    pub attempts: Attempts,
    /// Renews what mailboxes sign in with.
    pub tokens: Tokens,
    /// Opens the first run, while there is no workspace.
    pub setup: Key,
    commits: watch::Receiver<u64>,
    handed_over: mpsc::UnboundedSender<Outgoing>,
    to_send: Mutex<Option<mpsc::UnboundedReceiver<Outgoing>>>,
    stopping: watch::Sender<bool>,
    listening: OnceLock<SocketAddr>,
}

impl App {
    pub fn new(db: Database, clock: Clock, config: Config, seal: Seal) -> App {
        let (bell, commits) = watch::channel(0);
        let (handed_over, to_send) = mpsc::unbounded_channel();
        db.on_commit(move || bell.send_modify(|n| *n += 1));
        let parts = Parts {
            passwords: Passwords::new(clock.clone()),
            attempts: Attempts::default(),
            tokens: Tokens::default(),
            setup: Key::default(),
            config,
            door: Door::new(passer_by(&db, &clock)),
            db,
            clock,
            seal,
            commits,
            handed_over,
            to_send: Mutex::new(Some(to_send)),
            stopping: watch::Sender::new(false),
            listening: OnceLock::new(),
        };
        App { parts: Arc::new(parts) }
    }
}

/// What a process is before its engine takes a number, and remains where it runs none: its ids must differ from those of the
/// nodes that work on the same database.
fn passer_by(db: &Database, clock: &Clock) -> Node {
    let number = if db.is_shared() { NODES + u16::from_le_bytes(clock.entropy()) % NODES } else { 0 };
    Node { number, epoch: 0 }
}

impl Parts {
    /// The number of the next thing that is made.
    pub fn next_id(&self) -> i64 {
        self.door.id(self.clock.now())
    }

    /// Changes after every commit that changed something, here or by a request; wait with `changed()`. It says that
    /// something is new, never what.
    pub fn commits(&self) -> watch::Receiver<u64> {
        self.commits.clone()
    }

    /// Messages that a person's action recorded, for the sender of this process. Where none runs, they are tried at the next
    /// start of one.
    pub fn hand_over(&self, messages: Vec<Outgoing>) {
        for message in messages {
            // Without a receiver the process has no sender: recovery finds the attempt.
            let _ = self.handed_over.send(message);
        }
    }

    /// The other end, for the one sender of this process; `None` the second time.
    pub fn to_send(&self) -> Option<mpsc::UnboundedReceiver<Outgoing>> {
        self.to_send.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Turns true once, when the server begins to stop: what lasts (streams, loops) ends then.
    pub fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.subscribe()
    }
    pub fn stop(&self) {
        self.stopping.send_replace(true);
    }

    /// Told once, when the address is known that the server listens on.
    pub fn listens_on(&self, address: SocketAddr) {
        // A second listener of the same process does not change where links lead.
        if self.listening.set(address).is_err() {
            tracing::debug!("the server listens on a second address");
        }
    }

    /// The address that links lead to, without a slash at its end.
    pub fn public_url(&self) -> String {
        self.config.public_url(self.listening.get().copied().unwrap_or(self.config.server.listen))
    }
}

impl Deref for App {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.parts
    }
}
