//! Copies a database into a file, and such a file back into a place where there is none. Both are whole, checked and on disk
//! before they bear their name, and neither overwrites anything. A copy is born with all sending held (SND-12): what the
//! original sends after the copy was made, the copy does not know of.
//!
//! A server's database is copied by the server's own tools, which know its tablespaces, roles and versions; what to type is
//! part of the refusal.

use crate::error::StoreError;
use crate::sqlite::FileLock;
use crate::url::Place;
use crate::{Database, DatabaseUrl};
use rusqlite::{Connection, OpenFlags};
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long another writer's lock is waited for.
const BUSY: Duration = Duration::from_secs(30);

/// What was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    pub bytes: u64,
}

/// Why there is no copy. Nothing is left behind.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    #[error("{}: it is there already, and nothing is ever overwritten: name a file that does not exist", .0.display())]
    Exists(PathBuf),
    #[error(
        "{}: an unfinished copy lies there: if no copy is being made at this moment, delete it and try again",
        .0.display()
    )]
    Unfinished(PathBuf),
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("{}: {why}", path.display())]
    Engine { path: PathBuf, why: String },
    #[error("{}: the database in it is damaged: {why}", path.display())]
    Damaged { path: PathBuf, why: String },
    /// With the commands that do it.
    #[error("{0}")]
    Elsewhere(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Copies an open database, as it is at one moment and while others go on writing, into a file that only its owner may read.
/// Blocks for as long as it takes to read and write everything once.
///
/// # Errors
/// The file exists, or cannot be written; the database is not a file; what was copied is not whole.
pub fn copy_to(db: &Database, to: &Path) -> Result<Copied, CopyError> {
    let from = match &db.url().0 {
        Place::File(path) => path.clone(),
        Place::Memory => return Err(CopyError::Elsewhere("a database in memory cannot be copied".into())),
        Place::Postgres { shown, .. } => return Err(CopyError::Elsewhere(dump_command(shown, to))),
    };
    into_place(to, |unfinished| {
        let engine = |e: rusqlite::Error| CopyError::Engine { path: unfinished.to_owned(), why: e.to_string() };
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let source = Connection::open_with_flags(&from, flags).map_err(engine)?;
        source.busy_timeout(BUSY).map_err(engine)?;
        source.execute("VACUUM INTO ?1", [text_of(unfinished)?]).map_err(engine).map(drop)
    })
}

/// Puts a copy in the place of a database that is not there.
///
/// # Errors
/// There is a database already; the copy cannot be read or is not whole; the place is a server.
pub fn restore(from: &Path, to: &DatabaseUrl) -> Result<Copied, CopyError> {
    let place = match &to.0 {
        Place::File(path) => path.clone(),
        Place::Memory => return Err(CopyError::Elsewhere("a database in memory cannot be restored".into())),
        Place::Postgres { shown, .. } => return Err(CopyError::Elsewhere(restore_command(shown, from))),
    };
    // A log beside a missing database belongs to one that was moved away, and would be folded into this one.
    let mut beside = place.as_os_str().to_owned();
    beside.push("-wal");
    if let Some(there) = [place.clone(), PathBuf::from(beside)].into_iter().find(|p| p.exists()) {
        return Err(CopyError::Exists(there));
    }
    let _lock = FileLock::take(&place)?;
    into_place(&place, |unfinished| {
        let mut source = File::open(from).map_err(file(from))?;
        let mut target = File::options().write(true).open(unfinished).map_err(file(unfinished))?;
        io::copy(&mut source, &mut target).map_err(file(unfinished)).map(drop)
    })
}

/// Fills an unfinished file, checks it, holds its sending, and gives it its name once it is on disk.
fn into_place(to: &Path, fill: impl FnOnce(&Path) -> Result<(), CopyError>) -> Result<Copied, CopyError> {
    if to.exists() {
        return Err(CopyError::Exists(to.to_owned()));
    }
    let mut name = to.as_os_str().to_owned();
    name.push(".unfinished");
    let unfinished = PathBuf::from(name);
    match private(&unfinished) {
        Ok(_) => {}
        Err(e) if e.kind() == ErrorKind::AlreadyExists => return Err(CopyError::Unfinished(unfinished)),
        Err(source) => return Err(CopyError::File { path: unfinished, source }),
    }
    let made = fill(&unfinished).and_then(|()| finish(&unfinished, to));
    if made.is_err() {
        // The first error is the one to tell.
        let _ = fs::remove_file(&unfinished);
    }
    made
}

fn finish(unfinished: &Path, to: &Path) -> Result<Copied, CopyError> {
    check_and_hold(unfinished)?;
    let written = File::options().read(true).write(true).open(unfinished).map_err(file(unfinished))?;
    written.sync_all().map_err(file(unfinished))?;
    let bytes = written.metadata().map_err(file(unfinished))?.len();
    // Whoever took the name meanwhile keeps it.
    match private(to) {
        Ok(_) => {}
        Err(e) if e.kind() == ErrorKind::AlreadyExists => return Err(CopyError::Exists(to.to_owned())),
        Err(source) => return Err(CopyError::File { path: to.to_owned(), source }),
    }
    if let Err(e) = fs::rename(unfinished, to) {
        let _ = fs::remove_file(to);
        return Err(file(to)(e));
    }
    let folder = to.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|f| f.sync_all()).map_err(file(folder))?;
    Ok(Copied { bytes })
}

fn check_and_hold(path: &Path) -> Result<(), CopyError> {
    let damaged = |why: String| CopyError::Damaged { path: path.to_owned(), why };
    let fault = |e: rusqlite::Error| damaged(e.to_string());
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(fault)?;
    // No log beside the file: what is copied is one file, and so is what is checked.
    conn.query_row("PRAGMA journal_mode = DELETE", [], |row| row.get::<_, String>(0)).map_err(fault)?;
    let mut check = conn.prepare("PRAGMA integrity_check(20)").map_err(fault)?;
    let found = check.query_map([], |row| row.get::<_, String>(0)).map_err(fault)?;
    let found = found.collect::<Result<Vec<_>, _>>().map_err(fault)?;
    drop(check);
    if found != ["ok"] {
        return Err(damaged(found.join("; ")));
    }
    conn.execute("UPDATE workspace SET restore_hold = 1", []).map_err(|e| match e {
        rusqlite::Error::SqliteFailure(_, Some(why)) if why.contains("no such table") => {
            damaged("it is no database of Cadenza".into())
        }
        e => fault(e),
    })?;
    conn.close().map_err(|(_, e)| fault(e))
}

fn text_of(path: &Path) -> Result<&str, CopyError> {
    let why = || CopyError::Engine { path: path.to_owned(), why: "the name is no UTF-8".into() };
    path.to_str().ok_or_else(why)
}

fn file(path: &Path) -> impl FnOnce(io::Error) -> CopyError {
    let path = path.to_owned();
    move |source| CopyError::File { path, source }
}

fn dump_command(url: &str, to: &Path) -> String {
    format!(
        "this database is on a PostgreSQL server, which has its own tool for that; nothing was written. Run\n    \
         pg_dump --format=custom --file={} --dbname={}\n\
         (the password from ~/.pgpass or PGPASSWORD), or keep the server's base backup and log archive",
        quoted(&to.display().to_string()),
        quoted(url)
    )
}

fn restore_command(url: &str, from: &Path) -> String {
    format!(
        "this database is on a PostgreSQL server, which has its own tool for that; nothing was written. Into a new, empty \
         database run\n    pg_restore --no-owner --exit-on-error --dbname={} {}\n\
         (the password from ~/.pgpass or PGPASSWORD); the next start notices it and holds all sending",
        quoted(url),
        quoted(&from.display().to_string())
    )
}

/// For a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// A new file that only its owner can read.
#[cfg(unix)]
fn private(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    File::options().write(true).create_new(true).mode(0o600).open(path)
}
#[cfg(not(unix))]
fn private(path: &Path) -> io::Result<File> {
    File::options().write(true).create_new(true).open(path)
}
