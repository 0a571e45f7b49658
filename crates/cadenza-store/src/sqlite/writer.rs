//! The one thread that writes, and group commit: whoever waits when a transaction opens or while it is open joins it,
//! each in a savepoint of its own, and all are answered after one commit. So a flush to disk is paid by many.

use super::Session as Sqlite;
use crate::bell::{Bell, Meters};
use crate::error::{Result, StoreError};
use crate::query::{Session, Tx};
use crate::work::{Work, closed};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

/// Closures of one commit at most.
const GROUP: usize = 256;
/// A group that has worked this long is committed, so that its first caller does not wait for all others.
const GROUP_TIME: Duration = Duration::from_millis(20);

/// A closure and what it is.
pub(crate) enum Item {
    Write(Box<dyn Work>),
    /// A read on the only connection of an in-memory database; it sees what is committed, so no group goes around it.
    Read(Box<dyn Work>),
}

#[derive(Debug)]
pub(crate) struct Writer {
    queue: Option<Sender<Item>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(crate) fn start(session: Sqlite, bell: Arc<Bell>, meters: Arc<Meters>) -> Result<Writer> {
        let (queue, items) = channel();
        let tx = Box::new(Tx::new(Session::Sqlite(session)));
        let mut desk = Desk { tx: Some(tx), bell, meters };
        let thread = Builder::new()
            .name("cadenza-writer".to_owned())
            .spawn(move || desk.serve(&items))
            .map_err(|e| StoreError::unavailable(format!("no thread for the writer: {e}")))?;
        Ok(Writer { queue: Some(queue), thread: Some(thread) })
    }

    pub(crate) fn give(&self, item: Item) {
        let refused = match &self.queue {
            Some(queue) => queue.send(item).err().map(|e| e.0),
            None => Some(item),
        };
        if let Some(Item::Write(work) | Item::Read(work)) = refused {
            work.answer(Err(closed()));
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            crate::pool::join(thread);
        }
    }
}

/// What the writer's thread has at hand.
struct Desk {
    /// None when a caller lost the connection, which ends all writing.
    tx: Option<Box<Tx>>,
    bell: Arc<Bell>,
    meters: Arc<Meters>,
}

/// The closures of an open transaction that went well.
#[derive(Default)]
struct Group {
    done: Vec<Box<dyn Work>>,
    changed: bool,
}

impl Desk {
    fn serve(&mut self, items: &Receiver<Item>) {
        let mut next = None;
        while let Some(item) = next.take().or_else(|| items.recv().ok()) {
            next = match item {
                Item::Read(work) => {
                    self.read(work);
                    None
                }
                Item::Write(work) => self.group(work, items),
            };
        }
    }

    /// Runs one group and commits it; answers an item that did not fit in.
    fn group(&mut self, first: Box<dyn Work>, items: &Receiver<Item>) -> Option<Item> {
        let start = Instant::now();
        let mut group = Group::default();
        let mut left = None;
        let mut work = first;
        loop {
            self.join(&mut group, work);
            if group.done.len() >= GROUP || start.elapsed() >= GROUP_TIME {
                break;
            }
            match items.try_recv() {
                Ok(Item::Write(another)) => work = another,
                Ok(read) => {
                    left = Some(read);
                    break;
                }
                Err(_) => break,
            }
        }
        self.commit(group);
        left
    }

    /// Runs a closure as part of the group; one that fails is answered at once and leaves nothing behind.
    fn join(&mut self, group: &mut Group, mut work: Box<dyn Work>) {
        let opens = group.done.is_empty();
        let begin = if opens { "BEGIN IMMEDIATE" } else { "SAVEPOINT turn" };
        if let Err(e) = self.control(begin) {
            return work.answer(Err(e));
        }
        let mut outcome = self.run(work.as_mut());
        let changed = self.tx.as_ref().is_some_and(|tx| tx.changed());
        if outcome.is_ok() && !opens {
            outcome = self.control("RELEASE turn");
        }
        let Err(e) = outcome else {
            group.changed |= changed;
            return group.done.push(work);
        };
        self.meters.rolled_back();
        let lost = !opens && (!self.in_transaction() || self.control("ROLLBACK TO turn; RELEASE turn").is_err());
        if opens || lost {
            self.abandon();
        }
        work.answer(Err(e));
        if lost {
            // The failure took the whole transaction along: the others are innocent and start again, one by one.
            self.one_by_one(std::mem::take(group));
        }
    }

    fn commit(&mut self, group: Group) {
        if group.done.is_empty() {
            return;
        }
        let start = Instant::now();
        match self.control("COMMIT") {
            Ok(()) => {
                self.meters.committed(group.done.len(), start.elapsed());
                group.done.into_iter().for_each(|work| work.answer(Ok(())));
                if group.changed {
                    self.bell.ring();
                }
            }
            // A rule that is checked at the commit was broken by one of them; alone each answers for itself.
            Err(StoreError::Violation { .. }) if group.done.len() > 1 => {
                self.abandon();
                self.one_by_one(group);
            }
            Err(e) => {
                self.abandon();
                let e = if matches!(e, StoreError::Unavailable { .. }) { unknown(e) } else { e };
                group.done.into_iter().for_each(|work| work.answer(Err(e.clone())));
            }
        }
    }

    fn one_by_one(&mut self, group: Group) {
        for work in group.done {
            self.meters.rerun();
            let mut alone = Group::default();
            self.join(&mut alone, work);
            self.commit(alone);
        }
    }

    fn read(&mut self, mut work: Box<dyn Work>) {
        let outcome = self.control("BEGIN").and_then(|()| self.run(work.as_mut()));
        self.abandon();
        self.meters.read();
        work.answer(outcome);
    }

    fn run(&mut self, work: &mut dyn Work) -> Result<()> {
        let tx = self.tx.take().ok_or_else(closed)?;
        let (tx, outcome) = work.run(tx).ok_or_else(closed)?;
        self.tx = Some(tx);
        outcome
    }

    fn control(&mut self, sql: &str) -> Result<()> {
        let tx = self.tx.as_mut().ok_or_else(closed)?;
        sql.split("; ").try_for_each(|sql| tx.session().control(sql))
    }

    fn in_transaction(&mut self) -> bool {
        match self.tx.as_mut().map(|tx| tx.session()) {
            Some(Session::Sqlite(session)) => session.in_transaction(),
            _ => false,
        }
    }

    /// Undoes the open transaction, if the failure has not done so already.
    fn abandon(&mut self) {
        if self.in_transaction()
            && let Err(e) = self.control("ROLLBACK")
        {
            tracing::error!("a transaction could not be rolled back: {e}");
        }
    }
}

/// After an error of the disk during COMMIT the log may hold the change or not.
fn unknown(e: StoreError) -> StoreError {
    match e {
        StoreError::Unavailable { why, .. } => StoreError::Unavailable { why, commit_unknown: true },
        e => e,
    }
}
