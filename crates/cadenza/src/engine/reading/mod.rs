//! Reads the mailboxes (SPEC §9): one reader for each mailbox of this node's shards, begun anew when its settings change. What
//! a reader finds it hands to `receive`; nothing here judges mail, and nothing on the server is changed.

mod folder;
mod reader;

use super::node::Seat;
use crate::app::App;
use crate::mail::imap::Timeouts;
use cadenza_core::ids::{MailboxId, WorkspaceId};
use cadenza_store::mailboxes::{self, Inbox};
use reader::Reader;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Between two looks for mailboxes that were added, changed or moved to another node.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Between the first connections of two readers, so that a start does not open all at once.
const APART: Duration = Duration::from_millis(10);
/// Mail that is in memory at one moment, over all readers, in MiB.
const MEMORY: usize = 64;

/// How mailboxes are read.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    pub patience: Timeouts,
    /// Between two looks at folders of which the server does not tell.
    pub poll: Duration,
    /// IDLE is asked for anew after this: a line that died in silence is found out so.
    pub idle: Duration,
    /// After the first failure; the next pauses are longer.
    pub pause: Duration,
    /// Larger mails are fetched in part, in bytes.
    pub whole_max: u32,
    /// How much of those, in bytes.
    pub beginning: u32,
}

impl Default for Reading {
    fn default() -> Reading {
        Reading {
            patience: Timeouts::default(),
            poll: Duration::from_secs(30),
            idle: Duration::from_secs(300),
            pause: Duration::from_secs(5),
            whole_max: 5 * 1024 * 1024,
            beginning: 256 * 1024,
        }
    }
}

/// A reader at work, on a mailbox in one version.
struct AtWork {
    version: i64,
    task: tokio::task::AbortHandle,
}

pub(super) async fn run(app: App, seat: Arc<Seat>, limits: Reading) {
    let mut stopping = app.stopping();
    let memory = Arc::new(Semaphore::new(MEMORY));
    let mut tasks = JoinSet::new();
    let mut at_work: HashMap<(WorkspaceId, MailboxId), AtWork> = HashMap::new();
    loop {
        if *stopping.borrow() {
            // What a reader was about to write is written or not; either is good.
            return;
        }
        match app.db.read_async(mailboxes::inboxes).await {
            Ok(all) => {
                let share = seat.share();
                let own: Vec<Inbox> = all.into_iter().filter(|i| share.holds(i.mailbox)).collect();
                keep(&app, &mut tasks, &mut at_work, &own, (&memory, limits));
            }
            Err(e) => tracing::warn!("it is not known which mailboxes are to be read: {e}"),
        }
        while let Some(ended) = tasks.try_join_next() {
            if let Err(e) = ended
                && e.is_panic()
            {
                tracing::error!("the reader of a mailbox ended badly and is begun anew: {e}");
            }
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            _ = stopping.wait_for(|stop| *stop) => {}
        }
    }
}

/// Begins, ends and begins anew, so that each of our own has one reader, on its present settings.
fn keep(
    app: &App,
    tasks: &mut JoinSet<()>,
    at_work: &mut HashMap<(WorkspaceId, MailboxId), AtWork>,
    own: &[Inbox],
    (memory, limits): (&Arc<Semaphore>, Reading),
) {
    let versions: HashMap<_, _> = own.iter().map(|i| ((i.workspace, i.mailbox), i.version)).collect();
    at_work.retain(|key, reader| {
        let stays = versions.get(key) == Some(&reader.version);
        if !stays {
            reader.task.abort();
        }
        stays && !reader.task.is_finished()
    });
    let mut wait = Duration::ZERO;
    for inbox in own {
        let key = (inbox.workspace, inbox.mailbox);
        if let Entry::Vacant(place) = at_work.entry(key) {
            let reader = Reader::new(app.clone(), *inbox, memory.clone(), limits);
            let task = tasks.spawn(async move {
                tokio::time::sleep(wait).await;
                reader.run().await;
            });
            place.insert(AtWork { version: inbox.version, task });
            wait += APART;
        }
    }
}
