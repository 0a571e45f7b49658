//! What the world learns of commits: a bell rung after each one that changed rows, and a few counters.

use crate::work::inside;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

type Subscriber = Box<dyn Fn() + Send + Sync>;

/// The subscribers of one database. A bell says that something changed, never what: look it up.
#[derive(Default)]
pub(crate) struct Bell {
    subscribers: RwLock<Vec<Subscriber>>,
}

impl Bell {
    pub(crate) fn subscribe(&self, subscriber: Subscriber) {
        self.subscribers.write().unwrap_or_else(PoisonError::into_inner).push(subscriber);
    }
    pub(crate) fn ring(&self) {
        for subscriber in self.subscribers.read().unwrap_or_else(PoisonError::into_inner).iter() {
            // A subscriber must not stop the writer that rings, neither by a panic nor by waiting for it.
            let rung = inside(|| {
                subscriber();
                Ok(())
            });
            if let Err(e) = rung {
                tracing::error!("a subscriber of commits failed: {e}");
            }
        }
    }
}

impl fmt::Debug for Bell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bell")
    }
}

/// Counted since the database was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Commits of writing transactions. On SQLite one commit can hold many closures.
    pub commits: u64,
    /// Writing closures that were committed; divided by `commits`, the size of a group.
    pub closures: u64,
    /// Writing closures that answered an error or panicked.
    pub rollbacks: u64,
    /// Times a writing closure was run again because others were in its way.
    pub reruns: u64,
    pub reads: u64,
    /// Time spent in COMMIT.
    pub commit_micros: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Meters {
    commits: AtomicU64,
    closures: AtomicU64,
    rollbacks: AtomicU64,
    reruns: AtomicU64,
    reads: AtomicU64,
    commit_micros: AtomicU64,
}

impl Meters {
    pub(crate) fn committed(&self, closures: usize, took: Duration) {
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.closures.fetch_add(closures as u64, Ordering::Relaxed);
        self.commit_micros.fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
    pub(crate) fn rolled_back(&self) {
        self.rollbacks.fetch_add(1, Ordering::Relaxed);
    }
    pub(crate) fn rerun(&self) {
        self.reruns.fetch_add(1, Ordering::Relaxed);
    }
    pub(crate) fn read(&self) {
        self.reads.fetch_add(1, Ordering::Relaxed);
    }
    pub(crate) fn snapshot(&self) -> Counters {
        let get = |n: &AtomicU64| n.load(Ordering::Relaxed);
        Counters {
            commits: get(&self.commits),
            closures: get(&self.closures),
            rollbacks: get(&self.rollbacks),
            reruns: get(&self.reruns),
            reads: get(&self.reads),
            commit_micros: get(&self.commit_micros),
        }
    }
}
