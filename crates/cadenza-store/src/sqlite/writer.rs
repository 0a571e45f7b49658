//! The one connection that writes, and group commit: whoever waits when a transaction opens or while it is open joins it,
//! each in a savepoint of its own, and all are answered after one commit. So a flush to disk is paid by many.

use super::Session as Sqlite;
use crate::bell::{Bell, Meters};
use crate::error::{Result, StoreError};
use crate::query::{Mode, Session, Tx};
use crate::work::{Here, Work, closed};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
    desk: Arc<Mutex<Desk>>,
}

impl Writer {
    pub(crate) fn start(session: Sqlite, bell: Arc<Bell>, meters: Arc<Meters>) -> Result<Writer> {
        let (queue, items) = channel();
        let tx = Box::new(Tx::new(Session::Sqlite(session)));
        let desk = Arc::new(Mutex::new(Desk { tx: Some(tx), bell, meters }));
        let thread = Builder::new()
            .name("cadenza-writer".to_owned())
            .spawn({
                let desk = desk.clone();
                move || serve(&desk, &items)
            })
            .map_err(|e| StoreError::unavailable(format!("no thread for the writer: {e}")))?;
        Ok(Writer { queue: Some(queue), thread: Some(thread), desk })
    }

    /// Runs a closure on the calling thread, in a transaction of its own. In memory there is no flush for many to share,
    /// and going to the writer's thread and back takes as long as the transaction.
    pub(crate) fn here<T: Send>(&self, mode: Mode, f: impl FnMut(&mut Tx) -> Result<T> + Send) -> Result<T> {
        let mut outcome = Err(closed());
        let work = Box::new(Here::new(f, mode, &mut outcome));
        let mut desk = locked(&self.desk);
        match mode {
            Mode::Read => desk.read(work),
            Mode::Write => {
                let mut alone = Group::default();
                desk.join(&mut alone, work);
                desk.commit(alone);
            }
        }
        drop(desk);
        outcome
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

/// What is done with what was given to the writer, until nobody can give more.
fn serve(desk: &Mutex<Desk>, items: &Receiver<Item>) {
    let mut next = None;
    while let Some(item) = next.take().or_else(|| items.recv().ok()) {
        let mut desk = locked(desk);
        next = match item {
            Item::Read(work) => {
                desk.read(work);
                None
            }
            Item::Write(work) => desk.group(work, items),
        };
    }
}

/// A closure that panics is caught before it gets here, so nothing is left half done.
fn locked(desk: &Mutex<Desk>) -> MutexGuard<'_, Desk> {
    desk.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the writer has at hand.
#[derive(Debug)]
struct Desk {
    /// None when a caller lost the connection, which ends all writing.
    tx: Option<Box<Tx>>,
    bell: Arc<Bell>,
    meters: Arc<Meters>,
}

/// The closures of an open transaction that went well.
#[derive(Default)]
struct Group<'a> {
    done: Vec<Box<dyn Work + 'a>>,
    changed: bool,
}

impl Desk {
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
    fn join<'a>(&mut self, group: &mut Group<'a>, mut work: Box<dyn Work + 'a>) {
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

    fn commit(&mut self, group: Group<'_>) {
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

    fn one_by_one(&mut self, group: Group<'_>) {
        for work in group.done {
            self.meters.rerun();
            let mut alone = Group::default();
            self.join(&mut alone, work);
            self.commit(alone);
        }
    }

    fn read(&mut self, mut work: Box<dyn Work + '_>) {
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
