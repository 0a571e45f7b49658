//! How closures meet connections. Work of async callers is run by the store's threads; a blocking caller borrows the
//! connection for its turn and runs its closure itself, so that the closure may borrow from the caller's stack. In memory
//! the caller need not even wait for a turn.

use crate::answer::Promise;
use crate::error::{Result, StoreError};
use crate::query::{Mode, Tx};
use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// One transaction waiting for its turn on the writer's connection.
pub(crate) trait Work: Send {
    /// Runs the closure; may be called again if the first run came to nothing. None where the connection was lost.
    fn run(&mut self, tx: Box<Tx>) -> Option<(Box<Tx>, Result<()>)>;
    /// Tells the caller how it ended. `Ok` only after the commit.
    fn answer(self: Box<Self>, outcome: Result<()>);
}

thread_local! {
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Refuses a transaction within a transaction, which could wait for itself.
pub(crate) fn refuse_nested() -> Result<()> {
    if INSIDE.get() { Err(StoreError::Nested) } else { Ok(()) }
}

/// Runs something that must not start a transaction and wait for it; a panic is answered as an error.
pub(crate) fn inside<T>(f: impl FnOnce() -> Result<T>) -> Result<T> {
    INSIDE.set(true);
    let done = catch_unwind(AssertUnwindSafe(f));
    INSIDE.set(false);
    done.unwrap_or_else(|panic| Err(StoreError::Panicked(message(&*panic))))
}

/// Runs a closure on a connection within the bounds that every closure has: a panic is an error, and so is a failed
/// statement that the closure did not tell.
pub(crate) fn guarded<T>(tx: &mut Tx, mode: Mode, f: impl FnOnce(&mut Tx) -> Result<T>) -> Result<T> {
    tx.reset(mode);
    match (inside(|| f(tx)), tx.failed()) {
        (Ok(_), Some(failed)) => Err(failed.clone()),
        (done, _) => done,
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a message".to_owned())
}

/// Work of an async caller.
pub(crate) struct Job<F, T> {
    f: F,
    mode: Mode,
    value: Option<T>,
    promise: Promise<T>,
}

impl<F, T> Job<F, T> {
    pub(crate) fn new(f: F, mode: Mode, promise: Promise<T>) -> Job<F, T> {
        Job { f, mode, value: None, promise }
    }
}

impl<T: Send, F: FnMut(&mut Tx) -> Result<T> + Send> Work for Job<F, T> {
    fn run(&mut self, mut tx: Box<Tx>) -> Option<(Box<Tx>, Result<()>)> {
        let done = guarded(&mut tx, self.mode, &mut self.f);
        Some((tx, done.map(|value| self.value = Some(value))))
    }
    fn answer(self: Box<Self>, outcome: Result<()>) {
        let Job { value, promise, .. } = *self;
        promise.keep(outcome.and_then(|()| value.ok_or_else(closed)));
    }
}

/// Work that is run on its caller's own thread, and may borrow from its stack.
pub(crate) struct Here<'a, F, T> {
    f: F,
    mode: Mode,
    value: Option<T>,
    outcome: &'a mut Result<T>,
}

impl<'a, F, T> Here<'a, F, T> {
    pub(crate) fn new(f: F, mode: Mode, outcome: &'a mut Result<T>) -> Here<'a, F, T> {
        Here { f, mode, value: None, outcome }
    }
}

impl<T: Send, F: FnMut(&mut Tx) -> Result<T> + Send> Work for Here<'_, F, T> {
    fn run(&mut self, mut tx: Box<Tx>) -> Option<(Box<Tx>, Result<()>)> {
        let done = guarded(&mut tx, self.mode, &mut self.f);
        Some((tx, done.map(|value| self.value = Some(value))))
    }
    fn answer(self: Box<Self>, outcome: Result<()>) {
        let Here { value, outcome: told, .. } = *self;
        *told = outcome.and_then(|()| value.ok_or_else(closed));
    }
}

/// The turn of a blocking caller, who waits in [`take_turns`].
pub(crate) struct Turn {
    to_caller: SyncSender<Step>,
    from_caller: Receiver<(Box<Tx>, Result<()>)>,
}

/// What the writer tells a blocking caller.
pub(crate) enum Step {
    Run(Box<Tx>),
    Ended(Result<()>),
}

/// The caller's end of a [`Turn`].
pub(crate) struct Caller {
    from_writer: Receiver<Step>,
    to_writer: SyncSender<(Box<Tx>, Result<()>)>,
}

pub(crate) fn turn() -> (Turn, Caller) {
    let (to_caller, from_writer) = sync_channel(1);
    let (to_writer, from_caller) = sync_channel(1);
    (Turn { to_caller, from_caller }, Caller { from_writer, to_writer })
}

impl Work for Turn {
    fn run(&mut self, tx: Box<Tx>) -> Option<(Box<Tx>, Result<()>)> {
        self.to_caller.send(Step::Run(tx)).ok()?;
        self.from_caller.recv().ok()
    }
    fn answer(self: Box<Self>, outcome: Result<()>) {
        // A caller that is gone has nobody to tell.
        let _ = self.to_caller.send(Step::Ended(outcome));
    }
}

impl Caller {
    /// Runs the closure whenever the writer lends its connection, until the writer says how it ended.
    pub(crate) fn take_turns<T>(self, mode: Mode, mut f: impl FnMut(&mut Tx) -> Result<T>) -> Result<T> {
        let mut value = None;
        loop {
            match self.from_writer.recv() {
                Ok(Step::Run(mut tx)) => {
                    let done = guarded(&mut tx, mode, &mut f).map(|v| value = Some(v));
                    if self.to_writer.send((tx, done)).is_err() {
                        return Err(closed());
                    }
                }
                Ok(Step::Ended(outcome)) => return outcome.and_then(|()| value.ok_or_else(closed)),
                Err(_) => return Err(closed()),
            }
        }
    }
}

pub(crate) fn closed() -> StoreError {
    StoreError::unavailable("the database was closed")
}
