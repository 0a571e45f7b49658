//! SQLite's errors in the words of the store, the same as PostgreSQL's.

use crate::dialect::Statement;
use crate::error::{Rule, StoreError};
use rusqlite::{Connection, Error, ErrorCode, ffi};

/// An error outside of any statement of a closure.
pub(super) fn fault(e: &Error) -> StoreError {
    match e {
        Error::SqliteFailure(code, message) => {
            rule(code, message.as_deref()).unwrap_or_else(|| StoreError::unavailable(e))
        }
        e => StoreError::unavailable(e),
    }
}

pub(super) fn statement_fault(conn: &Connection, st: &Statement, e: &Error) -> StoreError {
    let Error::SqliteFailure(code, message) = e else { return StoreError::statement(&st.source, e) };
    if matches!(code.extended_code, ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY) {
        return conflict(conn, message.as_deref().unwrap_or_default());
    }
    if let Some(broken) = rule(code, message.as_deref()) {
        return broken;
    }
    match code.code {
        ErrorCode::DatabaseBusy
        | ErrorCode::DatabaseLocked
        | ErrorCode::DiskFull
        | ErrorCode::SystemIoFailure
        | ErrorCode::CannotOpen
        | ErrorCode::ReadOnly
        | ErrorCode::OutOfMemory
        | ErrorCode::DatabaseCorrupt
        | ErrorCode::NotADatabase
        | ErrorCode::OperationInterrupted => StoreError::unavailable(e),
        _ => StoreError::statement(&st.source, e),
    }
}

fn rule(code: &ffi::Error, message: Option<&str>) -> Option<StoreError> {
    let rule = match code.extended_code {
        ffi::SQLITE_CONSTRAINT_CHECK => Rule::Check,
        ffi::SQLITE_CONSTRAINT_NOTNULL => Rule::NotNull,
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => Rule::ForeignKey,
        _ => return None,
    };
    let name = message.and_then(|m| m.split_once("failed: ")).map_or("unnamed", |(_, name)| name);
    Some(StoreError::Violation { rule, name: name.to_owned() })
}

/// `UNIQUE constraint failed: t.a, t.b`, or `…: index 'name'` for an index over expressions.
fn conflict(conn: &Connection, message: &str) -> StoreError {
    let told = message.split_once("failed: ").map_or(message, |(_, told)| told);
    if let Some(name) = told.strip_prefix("index '").and_then(|t| t.strip_suffix('\'')) {
        let table = conn
            .query_row("SELECT tbl_name FROM sqlite_master WHERE type = 'index' AND name = ?1", [name], |r| r.get(0))
            .unwrap_or_default();
        return StoreError::Conflict { table, constraint: name.to_owned(), columns: Vec::new() };
    }
    let parts: Vec<(&str, &str)> = told.split(", ").filter_map(|p| p.split_once('.')).collect();
    let table = parts.first().map_or("", |p| p.0).to_owned();
    let columns: Vec<String> = parts.iter().map(|p| p.1.to_owned()).collect();
    let constraint = index_over(conn, &table, &columns);
    StoreError::Conflict { table, constraint, columns }
}

/// The name of the unique index over these columns; PostgreSQL's name for one that SQLite made by itself.
fn index_over(conn: &Connection, table: &str, columns: &[String]) -> String {
    let sql = "SELECT l.name, l.origin, (SELECT group_concat(i.name, ',') FROM \
               (SELECT name FROM pragma_index_info(l.name) ORDER BY seqno) AS i) \
               FROM pragma_index_list(?1) AS l WHERE l.\"unique\" = 1";
    let joined = columns.join(",");
    let found = conn.prepare(sql).and_then(|mut s| {
        let rows = s.query_map([table], |r| Ok((r.get(0)?, r.get(1)?, r.get::<_, Option<String>>(2)?)))?;
        rows.collect::<rusqlite::Result<Vec<(String, String, Option<String>)>>>()
    });
    let index = found.unwrap_or_default().into_iter().find(|i| i.2.as_deref() == Some(&joined));
    match index.as_ref().map(|i| (i.0.as_str(), i.1.as_str())) {
        Some((name, "c")) => name.to_owned(),
        Some((_, "u")) => format!("{table}_{}_key", columns.join("_")),
        _ => format!("{table}_pkey"),
    }
}
