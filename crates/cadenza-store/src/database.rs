//! The waist: one database, whichever engine. Everything above speaks through `read` and `write`; everything below is
//! known to this crate alone. No clock and no tables of the product are known here.

use crate::answer::{Answer, promise};
use crate::bell::{Bell, Counters, Meters};
use crate::error::Result;
use crate::pool::{Pool, Threads, join};
use crate::query::{Mode, Query, Session, Tx};
use crate::sqlite::{FileLock, Item, Writer};
use crate::url::{DatabaseUrl, Place};
use crate::work::{Job, closed, guarded, refuse_nested, turn};
use crate::{postgres, sqlite};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::channel;

/// Connections that read a SQLite file.
const READERS: usize = 4;

/// An open database. Clones share it; it closes when the last one is dropped, after all work given to it is done.
///
/// `read` and `write` block the calling thread and must not be called from async code, which has `read_async` and
/// `write_async`.
#[derive(Debug, Clone)]
pub struct Database {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    parts: Option<Parts>,
    bell: Arc<Bell>,
    meters: Arc<Meters>,
    url: DatabaseUrl,
}

/// Fields are dropped in this order: threads first, then the connections they use, the file lock last.
#[derive(Debug)]
enum Parts {
    Sqlite {
        threads: Threads,
        /// None in memory, where the writer's connection is the only one.
        readers: Option<Arc<Pool>>,
        writer: Writer,
        _lock: Option<FileLock>,
    },
    Postgres {
        write_threads: Threads,
        read_threads: Threads,
        writers: Arc<Pool>,
        readers: Arc<Pool>,
    },
}

impl Database {
    /// Opens a database and, on PostgreSQL, makes a first connection. Makes no tables: see `migrations`.
    ///
    /// Errors: `Unavailable` where the server cannot be reached, the file cannot be opened or another process has it.
    pub fn open(url: &DatabaseUrl) -> Result<Database> {
        let (bell, meters) = (Arc::new(Bell::default()), Arc::new(Meters::default()));
        let parts = match &url.0 {
            Place::File(path) => open_file(path, &bell, &meters)?,
            Place::Memory => Parts::Sqlite {
                threads: Threads::start("cadenza-reader", 0)?,
                readers: None,
                writer: Writer::start(sqlite::Session::memory()?, bell.clone(), meters.clone())?,
                _lock: None,
            },
            Place::Postgres { config, writers, readers, .. } => open_server(config, *writers, *readers)?,
        };
        let db = Database { inner: Arc::new(Inner { parts: Some(parts), bell, meters, url: url.clone() }) };
        db.greet()?;
        Ok(db)
    }

    /// Runs `f` on one moment of the database, that of its first statement. Blocks.
    pub fn read<T: Send>(&self, f: impl FnOnce(&mut Query) -> Result<T> + Send) -> Result<T> {
        refuse_nested()?;
        let meters = &self.inner.meters;
        match self.parts()? {
            Parts::Sqlite { readers: Some(pool), .. } => read_file(pool, meters, |tx| f(tx)),
            Parts::Sqlite { readers: None, writer, .. } => writer.here(Mode::Read, once(f)),
            Parts::Postgres { readers, .. } => postgres::read(readers, meters, |tx| f(tx)),
        }
    }

    /// Runs `f` in a transaction and commits it; answers after the commit. Blocks. `f` may be run more than once, each
    /// time from the same beginning: when another transaction was in its way (PostgreSQL), or when a commit that it
    /// shared with others failed because of one of them (SQLite). So it has no effect but on the database.
    pub fn write<T: Send>(&self, mut f: impl FnMut(&mut Tx) -> Result<T> + Send) -> Result<T> {
        refuse_nested()?;
        match self.parts()? {
            Parts::Sqlite { readers: None, writer, .. } => writer.here(Mode::Write, f),
            Parts::Sqlite { writer, .. } => {
                let (turn, caller) = turn();
                writer.give(Item::Write(Box::new(turn)));
                caller.take_turns(Mode::Write, f)
            }
            Parts::Postgres { writers, .. } => {
                postgres::write(writers, &self.inner.meters, &self.inner.bell, |tx| f(tx))
            }
        }
    }

    /// As `read`, for async code of any runtime. The work begins with the call.
    pub fn read_async<T, F>(&self, f: F) -> Answer<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Query) -> Result<T> + Send + 'static,
    {
        let (promise, answer) = promise();
        let meters = self.inner.meters.clone();
        match self.parts() {
            Ok(Parts::Sqlite { readers: Some(pool), threads, .. }) => {
                let pool = pool.clone();
                threads.give(Box::new(move || promise.keep(read_file(&pool, &meters, |tx| f(tx)))));
            }
            Ok(Parts::Sqlite { readers: None, writer, .. }) => {
                writer.give(Item::Read(Box::new(Job::new(once(f), Mode::Read, promise))));
            }
            Ok(Parts::Postgres { readers, read_threads, .. }) => {
                let pool = readers.clone();
                read_threads.give(Box::new(move || promise.keep(postgres::read(&pool, &meters, |tx| f(tx)))));
            }
            Err(e) => promise.keep(Err(e)),
        }
        answer
    }

    /// As `write`, for async code of any runtime. The work begins with the call, and goes on if the answer is dropped.
    pub fn write_async<T, F>(&self, f: F) -> Answer<T>
    where
        T: Send + 'static,
        F: FnMut(&mut Tx) -> Result<T> + Send + 'static,
    {
        let (promise, answer) = promise();
        match self.parts() {
            Ok(Parts::Sqlite { writer, .. }) => {
                writer.give(Item::Write(Box::new(Job::new(f, Mode::Write, promise))));
            }
            Ok(Parts::Postgres { writers, write_threads, .. }) => {
                let (pool, meters, bell) = (writers.clone(), self.inner.meters.clone(), self.inner.bell.clone());
                write_threads.give(Box::new(move || promise.keep(postgres::write(&pool, &meters, &bell, f))));
            }
            Err(e) => promise.keep(Err(e)),
        }
        answer
    }

    /// Calls `f` after each commit that changed rows, once however many closures shared it. It runs on the thread that
    /// committed: it should wake somebody and return, and must not wait for this database.
    pub fn on_commit(&self, f: impl Fn() + Send + Sync + 'static) {
        self.inner.bell.subscribe(Box::new(f));
    }

    /// Tells those who wait for commits here of one that another process made.
    pub fn ring(&self) {
        self.inner.bell.ring();
    }

    /// May other processes use it at the same time?
    pub fn is_shared(&self) -> bool {
        matches!(self.inner.url.0, Place::Postgres { .. })
    }

    pub fn counters(&self) -> Counters {
        self.inner.meters.snapshot()
    }

    /// Where it is; shown without password.
    pub fn url(&self) -> &DatabaseUrl {
        &self.inner.url
    }

    /// Makes the first connection, on a thread of the store, so that `open` may be called from anywhere.
    fn greet(&self) -> Result<()> {
        let Parts::Postgres { readers, read_threads, .. } = self.parts()? else { return Ok(()) };
        let (pool, (told, heard)) = (readers.clone(), channel());
        read_threads.give(Box::new(move || {
            let greeting = postgres::read(&pool, &Meters::default(), |tx| tx.query("SELECT 1", &[]).map(drop));
            // The caller waits for it.
            let _ = told.send(greeting);
        }));
        heard.recv().unwrap_or_else(|_| Err(closed()))
    }

    fn parts(&self) -> Result<&Parts> {
        self.inner.parts.as_ref().ok_or_else(closed)
    }
}

/// Connections of PostgreSQL may not be closed on a thread of an async runtime, where the last handle may well be
/// dropped; a thread of its own may, and waits for the others to finish what they were given.
impl Drop for Inner {
    fn drop(&mut self) {
        let Some(parts) = self.parts.take() else { return };
        let ours = match &parts {
            Parts::Sqlite { .. } => return drop(parts),
            Parts::Postgres { write_threads, read_threads, .. } => {
                write_threads.is_current() || read_threads.is_current()
            }
        };
        let closing = std::thread::spawn(move || drop(parts));
        if !ours {
            join(closing);
        }
    }
}

fn open_file(path: &Path, bell: &Arc<Bell>, meters: &Arc<Meters>) -> Result<Parts> {
    let lock = FileLock::take(path)?;
    let writer = Writer::start(sqlite::Session::writer(path)?, bell.clone(), meters.clone())?;
    let connections = (0..READERS)
        .map(|_| sqlite::Session::reader(path).map(|s| Tx::new(Session::Sqlite(s))))
        .collect::<Result<_>>()?;
    Ok(Parts::Sqlite {
        threads: Threads::start("cadenza-reader", READERS)?,
        readers: Some(Arc::new(Pool::new(connections))),
        writer,
        _lock: Some(lock),
    })
}

fn open_server(config: &::postgres::Config, writers: usize, readers: usize) -> Result<Parts> {
    let config = postgres::Session::configure(config.clone());
    let connections = |n: usize, use_of: postgres::Use| -> Vec<Tx> {
        let session = || Session::Postgres(Box::new(postgres::Session::new(config.clone(), use_of)));
        (0..n).map(|_| Tx::new(session())).collect()
    };
    Ok(Parts::Postgres {
        write_threads: Threads::start("cadenza-writer", writers)?,
        read_threads: Threads::start("cadenza-reader", readers)?,
        writers: Arc::new(Pool::new(connections(writers, postgres::Use::Write))),
        readers: Arc::new(Pool::new(connections(readers, postgres::Use::Read))),
    })
}

fn read_file<T>(pool: &Pool, meters: &Meters, f: impl FnOnce(&mut Tx) -> Result<T>) -> Result<T> {
    let mut leased = pool.take()?;
    let tx = leased.tx()?;
    tx.session().control("BEGIN")?;
    let done = guarded(tx, Mode::Read, f);
    // Nothing was changed; ending is all there is to it, and an error may have ended it already.
    if let Err(e) = tx.session().control("ROLLBACK") {
        tracing::debug!("a reading transaction had ended by itself: {e}");
    }
    meters.read();
    done
}

/// A read is run once, though the writer's turns could be run again.
fn once<T>(f: impl FnOnce(&mut Query) -> Result<T>) -> impl FnMut(&mut Tx) -> Result<T> {
    let mut f = Some(f);
    move |tx| f.take().map_or_else(|| Err(closed()), |f| f(tx))
}
