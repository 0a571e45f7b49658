//! The engine: what runs by itself. `due` looks at the clock and records what is to be done, `deliver` brings recorded
//! messages to the mail servers, `advance` puts what came of them through the door in batches, `recover` cleans up after a
//! crash, `reading` reads the mailboxes, `receive` takes in what came and `answers` sends what people answer by themselves, `jobs` does
//! work over very many rows, `node` is its place among other processes on the same database. It speaks to nobody but the database
//! and the mail servers; a commit's bell
//! wakes it.

mod account;
mod advance;
mod answers;
mod away;
mod backoff;
mod compose;
mod deliver;
mod due;
pub mod jobs;
mod lane;
mod node;
mod reading;
pub mod receive;
mod reclassify;
mod recover;
mod reopen;
mod side;
pub mod tokens;
mod transport;
mod witness;

pub(crate) use account::{NotOpen, account, connect, inbox_account, sign_in};
pub use advance::Advancer;
pub use compose::{AsSent, NotComposed, as_sent};
pub use due::end_sequence;
pub use reading::Reading;

use crate::app::App;
use crate::mail::smtp::Timeouts;
use cadenza_store::StoreError;
use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How hard the engine may work.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Messages past their final mark at one moment: what a crash can leave unknown at most (docs/delivery.md).
    pub dot_permits: usize,
    /// Messages recorded and not yet settled at one moment.
    pub claimed_max: usize,
    /// Connections to the mail server of one mailbox.
    pub connections_per_mailbox: usize,
    /// How long mail servers are waited for.
    pub patience: Timeouts,
    pub reading: Reading,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            dot_permits: 8,
            claimed_max: 1_000,
            connections_per_mailbox: 1,
            patience: Timeouts::default(),
            reading: Reading::default(),
        }
    }
}

/// A running engine. Dropping the handle does not stop it; [`Engine::stopped`] waits for its orderly end after `app.stop()`.
#[derive(Debug)]
pub struct Engine {
    app: App,
    tasks: Vec<JoinHandle<()>>,
    post: Arc<deliver::Post>,
    /// Gives signs of life to the very end.
    node: JoinHandle<()>,
    over: watch::Sender<bool>,
}

impl Engine {
    /// Cleans up after the last run, then starts the loops.
    ///
    /// # Errors
    /// The database cannot be read or written.
    pub async fn start(app: &App, limits: Limits) -> Result<Engine, StoreError> {
        let seat = Arc::new(node::Seat::take(app).await?);
        recover::recover(app).await?;
        let advancer = Advancer::start(app.clone());
        let post = Arc::new(deliver::Post::new(app.clone(), advancer, limits));
        let tasks = vec![
            tokio::spawn(node::listen(app.clone(), seat.clone())),
            tokio::spawn(recover::run(app.clone(), post.clone(), seat.clone())),
            tokio::spawn(due::run(app.clone(), post.clone(), seat.clone())),
            tokio::spawn(side::run(app.clone(), seat.clone())),
            tokio::spawn(jobs::run(app.clone())),
            tokio::spawn(answers::run(app.clone(), post.clone())),
            tokio::spawn(deliver::run(app.clone(), post.clone())),
            tokio::spawn(reading::run(app.clone(), seat.clone(), limits.reading)),
        ];
        let over = watch::Sender::new(false);
        let node = tokio::spawn(node::run(app.clone(), seat, over.subscribe()));
        Ok(Engine { app: app.clone(), tasks, post, node, over })
    }

    /// Waits until everything that was under way has come to its end: what is past its final mark gets its answer, the rest
    /// is given back.
    pub async fn stopped(self) {
        for task in self.tasks {
            tell(task.await);
        }
        // Nobody hands anything over any more.
        self.post.close().await;
        self.app.tokens.at_rest().await;
        self.over.send_replace(true);
        tell(self.node.await);
    }
}

fn tell(ended: Result<(), tokio::task::JoinError>) {
    if let Err(e) = ended {
        tracing::error!("a part of the engine ended badly: {e}");
    }
}
