//! The SQLite engine: how a connection is opened and how a statement runs on it. Transactions and the order of writers
//! are in `writer`; the words of errors in `fault`; what the planner takes for granted in `estimates`.

mod estimates;
mod fault;
mod lock;
mod writer;

pub(crate) use lock::FileLock;
pub(crate) use writer::{Item, Writer};

use crate::dialect::Statement;
use crate::error::{Result, StoreError};
use crate::row::Row;
use crate::value::{Column, Columns, Val};
use fault::{fault, statement_fault};
use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, OpenFlags, ToSql};
use std::path::Path;
use std::time::Duration;

/// How long a lock held from outside (a copy being made, a person's shell) is waited for.
const BUSY: Duration = Duration::from_secs(5);
/// Statements kept prepared for each connection.
const PREPARED: usize = 256;

/// `FULL`, since a mark that a mail goes out must survive a power cut. The log is folded back every 20,000 pages
/// (80 MB): at SQLite's own 1,000 a busy writer spends its time folding. LIKE distinguishes case, as on PostgreSQL.
const SETTINGS: &str = "PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 20000; \
     PRAGMA temp_store = MEMORY; PRAGMA case_sensitive_like = ON; PRAGMA journal_size_limit = 134217728;";
/// The writer finds nearly all it needs in its own cache; what it maps of the file would be held a second time.
const OF_WRITER: &str = "PRAGMA cache_size = -24576;";
/// Readers share what the operating system keeps of the file.
const OF_READER: &str = "PRAGMA cache_size = -4096; PRAGMA mmap_size = 33554432;";

#[derive(Debug)]
pub(crate) struct Session {
    conn: Connection,
}

impl Session {
    /// The connection that writes; makes the file where there is none.
    pub(crate) fn writer(path: &Path) -> Result<Session> {
        let conn = Connection::open_with_flags(path, OpenFlags::default()).map_err(|e| opening(path, &e))?;
        let mode: String =
            conn.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(|e| opening(path, &e))?;
        if mode != "wal" {
            return Err(StoreError::unavailable(format!(
                "{} cannot use a write-ahead log (journal mode {mode}): expected a local disk",
                path.display()
            )));
        }
        Session::set_up(conn, OF_WRITER).map_err(|e| opening(path, &e))
    }

    pub(crate) fn reader(path: &Path) -> Result<Session> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(path, flags).map_err(|e| opening(path, &e))?;
        Session::set_up(conn, OF_READER).map_err(|e| opening(path, &e))
    }

    pub(crate) fn memory() -> Result<Session> {
        Connection::open_in_memory().and_then(|conn| Session::set_up(conn, OF_WRITER)).map_err(|e| fault(&e))
    }

    fn set_up(conn: Connection, of_kind: &str) -> rusqlite::Result<Session> {
        conn.busy_timeout(BUSY)?;
        // Else a kept statement is planned anew whenever another value is bound that might change its plan.
        conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        conn.execute_batch(SETTINGS)?;
        conn.execute_batch(of_kind)?;
        conn.set_prepared_statement_cache_capacity(PREPARED);
        Ok(Session { conn })
    }

    pub(crate) fn control(&mut self, sql: &str) -> Result<()> {
        let run = self.conn.prepare_cached(sql).and_then(|mut s| s.raw_execute());
        run.map(drop).map_err(|e| fault(&e))
    }

    /// Whether a transaction is open; some errors end it by themselves.
    pub(crate) fn in_transaction(&self) -> bool {
        !self.conn.is_autocommit()
    }

    pub(crate) fn query(&mut self, st: &Statement, values: &[Val], rows: Option<&Columns<'_>>) -> Result<Vec<Row>> {
        let mut out = Vec::new();
        self.each(st, values, rows, |prepared, fault| {
            let width = prepared.column_count();
            let shape = st.shape(|| prepared.column_names().map(str::to_owned).collect());
            let mut answers = prepared.raw_query();
            while let Some(answer) = answers.next().map_err(fault)? {
                let mut values = Vec::with_capacity(width);
                for i in 0..width {
                    values.push(value(answer.get_ref(i).map_err(fault)?, i, st)?);
                }
                out.push(Row { values, shape: shape.clone() });
            }
            Ok(())
        })?;
        Ok(out)
    }

    pub(crate) fn exec(&mut self, st: &Statement, values: &[Val], rows: Option<&Columns<'_>>) -> Result<u64> {
        let mut count = 0;
        self.each(st, values, rows, |prepared, fault| {
            if prepared.column_count() == 0 {
                let changed = prepared.raw_execute().map_err(fault)?;
                // A statement that changes no rows leaves the count of the one before it.
                count += if st.writes && !st.ddl { changed as u64 } else { 0 };
                return Ok(());
            }
            let mut answers = prepared.raw_query();
            while answers.next().map_err(fault)?.is_some() {
                count += 1;
            }
            Ok(())
        })?;
        Ok(count)
    }

    /// Runs a statement once, or once for every row of a bulk statement; the scalars are bound only once.
    fn each(
        &self,
        st: &Statement,
        values: &[Val],
        rows: Option<&Columns<'_>>,
        mut run: impl FnMut(&mut CachedStatement<'_>, &dyn Fn(rusqlite::Error) -> StoreError) -> Result<()>,
    ) -> Result<()> {
        let fault = |e: rusqlite::Error| statement_fault(&self.conn, st, &e);
        let mut prepared = self.conn.prepare_cached(&st.text).map_err(fault)?;
        for (i, value) in values.iter().enumerate() {
            bind(&mut prepared, i, value).map_err(fault)?;
        }
        let Some(rows) = rows else { return run(&mut prepared, &fault) };
        for row in 0..rows.len() {
            for (column, values) in rows.list.iter().enumerate() {
                bind(&mut prepared, st.scalars + column, &At(values, row)).map_err(fault)?;
            }
            run(&mut prepared, &fault)?;
        }
        Ok(())
    }
}

fn bind(prepared: &mut CachedStatement<'_>, i: usize, value: &dyn ToSql) -> rusqlite::Result<()> {
    // A value that the text does not mention has no place there: rows(…) may hold more than a statement reads.
    if i < prepared.parameter_count() { prepared.raw_bind_parameter(i + 1, value) } else { Ok(()) }
}

impl ToSql for Val {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Val::Null | Val::NullOf(_) => ValueRef::Null,
            Val::Int(n) => ValueRef::Integer(*n),
            Val::Text(t) => ValueRef::Text(t.as_bytes()),
            Val::Blob(b) => ValueRef::Blob(b),
        }))
    }
}

/// One value of a column.
struct At<'a>(&'a Column<'a>, usize);

impl ToSql for At<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let At(column, row) = *self;
        Ok(ToSqlOutput::Borrowed(match column {
            Column::Ints(v) => v.get(row).map_or(ValueRef::Null, |n| ValueRef::Integer(*n)),
            Column::OptInts(v) => v.get(row).copied().flatten().map_or(ValueRef::Null, ValueRef::Integer),
            Column::Texts(v) => v.get(row).map_or(ValueRef::Null, |t| ValueRef::Text(t.as_bytes())),
            Column::OptTexts(v) => {
                v.get(row).and_then(Option::as_deref).map_or(ValueRef::Null, |t: &str| ValueRef::Text(t.as_bytes()))
            }
            Column::Blobs(v) => v.get(row).map_or(ValueRef::Null, |b| ValueRef::Blob(b)),
            Column::OptBlobs(v) => v.get(row).and_then(Option::as_deref).map_or(ValueRef::Null, ValueRef::Blob),
        }))
    }
}

fn value(found: ValueRef<'_>, i: usize, st: &Statement) -> Result<Val> {
    Ok(match found {
        ValueRef::Null => Val::Null,
        ValueRef::Integer(n) => Val::Int(n),
        ValueRef::Text(bytes) => Val::Text(
            String::from_utf8(bytes.to_vec())
                .map_err(|_| StoreError::statement(&st.source, format!("column {i} holds a text that is not UTF-8")))?,
        ),
        ValueRef::Blob(bytes) => Val::Blob(bytes.to_vec()),
        ValueRef::Real(_) => {
            return Err(StoreError::statement(
                &st.source,
                format!("column {i} is a fraction; only integers are stored"),
            ));
        }
    })
}

fn opening(path: &Path, e: &rusqlite::Error) -> StoreError {
    // With no room for the index beside the log SQLite only says "disk I/O error".
    let full = e.sqlite_error().is_some_and(|e| e.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE);
    let hint = if full { " (is the disk full?)" } else { "" };
    StoreError::unavailable(format!("{} cannot be opened as a database: {e}{hint}", path.display()))
}
