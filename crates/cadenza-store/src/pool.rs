//! A fixed number of connections that threads take and give back, and the threads that do so for async callers.

use crate::error::{Result, StoreError};
use crate::query::Tx;
use crate::work::closed;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

/// How long a caller waits for a connection when all are taken.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(crate) struct Pool {
    idle: Mutex<Vec<Tx>>,
    returned: Condvar,
}

/// A connection that goes back to its pool by itself.
pub(crate) struct Leased<'a> {
    pool: &'a Pool,
    tx: Option<Tx>,
}

impl Pool {
    pub(crate) fn new(connections: Vec<Tx>) -> Pool {
        Pool { idle: Mutex::new(connections), returned: Condvar::new() }
    }

    /// Waits for a connection; the one used last is given first, its caches being warm.
    pub(crate) fn take(&self) -> Result<Leased<'_>> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut idle, _) = self
            .returned
            .wait_timeout_while(idle, PATIENCE, |idle| idle.is_empty())
            .unwrap_or_else(PoisonError::into_inner);
        match idle.pop() {
            Some(tx) => Ok(Leased { pool: self, tx: Some(tx) }),
            None => Err(StoreError::unavailable(format!("all connections were busy for {} s", PATIENCE.as_secs()))),
        }
    }
}

impl Leased<'_> {
    pub(crate) fn tx(&mut self) -> Result<&mut Tx> {
        self.tx.as_mut().ok_or_else(closed)
    }
}

impl Drop for Leased<'_> {
    fn drop(&mut self) {
        if let Some(tx) = self.tx.take() {
            self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner).push(tx);
            self.pool.returned.notify_one();
        }
    }
}

type Task = Box<dyn FnOnce() + Send>;

/// Threads that do what async callers ask for, in order of asking.
#[derive(Debug)]
pub(crate) struct Threads {
    queue: Option<Sender<Task>>,
    threads: Vec<JoinHandle<()>>,
}

impl Threads {
    pub(crate) fn start(name: &str, count: usize) -> Result<Threads> {
        let (queue, tasks) = channel::<Task>();
        let tasks = Arc::new(Mutex::new(tasks));
        let mut threads = Vec::with_capacity(count);
        for _ in 0..count {
            let tasks = tasks.clone();
            let thread = Builder::new().name(name.to_owned()).spawn(move || {
                while let Some(task) = next(&tasks) {
                    task()
                }
            });
            threads.push(thread.map_err(|e| StoreError::unavailable(format!("no thread for {name}: {e}")))?);
        }
        Ok(Threads { queue: Some(queue), threads })
    }

    /// Whether the calling thread is one of these.
    pub(crate) fn is_current(&self) -> bool {
        self.threads.iter().any(|t| t.thread().id() == std::thread::current().id())
    }

    pub(crate) fn give(&self, task: Task) {
        // When the threads are gone the task is dropped, and with it the promise it holds, which says so.
        if let Some(queue) = &self.queue {
            let _ = queue.send(task);
        }
    }
}

/// Only one thread waits at the queue itself, the others for it.
fn next(tasks: &Mutex<Receiver<Task>>) -> Option<Task> {
    tasks.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.queue = None;
        for thread in self.threads.drain(..) {
            join(thread);
        }
    }
}

/// Waits for a thread to end, unless it is this one: the last handle of a database may be dropped by its own work.
pub(crate) fn join(thread: JoinHandle<()>) {
    if thread.thread().id() != std::thread::current().id() && thread.join().is_err() {
        tracing::error!("a thread of the store panicked");
    }
}
