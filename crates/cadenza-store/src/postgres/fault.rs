//! PostgreSQL's errors in the words of the store, the same as SQLite's. The server's `detail` holds the values of the
//! row, which may be personal data: only the names of the columns are taken from it.

use crate::dialect::Statement;
use crate::error::{Rule, StoreError};
use ::postgres::Error;
use ::postgres::error::{DbError, SqlState};

/// An error outside of any statement of a closure.
pub(super) fn fault(e: &Error) -> StoreError {
    match e.as_db_error() {
        Some(db) => server_fault(db).unwrap_or_else(|| StoreError::unavailable(words(e))),
        None => StoreError::unavailable(words(e)),
    }
}

pub(super) fn statement_fault(st: &Statement, e: &Error) -> StoreError {
    match e.as_db_error() {
        Some(db) => server_fault(db).unwrap_or_else(|| StoreError::statement(&st.source, words(e))),
        // Neither the server's word nor a lost connection: a value that cannot be sent as this type.
        None if !e.is_closed() && !is_io(e) => StoreError::statement(&st.source, words(e)),
        None => StoreError::unavailable(words(e)),
    }
}

/// What is known about the error without values of rows.
pub(super) fn words(e: &Error) -> String {
    match e.as_db_error() {
        // The message of a value that could not be read shows the value.
        Some(db) if db.code().code().starts_with("22") => {
            format!("a value does not fit its place ({})", db.code().code())
        }
        Some(db) => format!("{} ({})", db.message(), db.code().code()),
        None => {
            let cause = std::error::Error::source(e).map(|s| format!(": {s}")).unwrap_or_default();
            format!("{e}{cause}")
        }
    }
}

fn is_io(e: &Error) -> bool {
    std::error::Error::source(e).is_some_and(|s| s.is::<std::io::Error>())
}

fn server_fault(db: &DbError) -> Option<StoreError> {
    let said = || format!("{} ({})", db.message(), db.code().code());
    let name = || db.constraint().or(db.column()).unwrap_or("unnamed").to_owned();
    let of_table = || format!("{}.{}", db.table().unwrap_or_default(), db.column().unwrap_or_default());
    Some(match db.code() {
        c if *c == SqlState::UNIQUE_VIOLATION => conflict(db),
        c if *c == SqlState::CHECK_VIOLATION => StoreError::Violation { rule: Rule::Check, name: name() },
        c if *c == SqlState::NOT_NULL_VIOLATION => StoreError::Violation { rule: Rule::NotNull, name: of_table() },
        c if *c == SqlState::FOREIGN_KEY_VIOLATION => StoreError::Violation { rule: Rule::ForeignKey, name: name() },
        c if *c == SqlState::T_R_SERIALIZATION_FAILURE
            || *c == SqlState::T_R_DEADLOCK_DETECTED
            || *c == SqlState::LOCK_NOT_AVAILABLE =>
        {
            StoreError::Contention { why: said() }
        }
        c if means_unavailable(c) => StoreError::unavailable(said()),
        _ => return None,
    })
}

/// Connection errors (08), lack of resources (53), an operator's doing (57), errors of the disk (58), and a server that
/// only reads, as a standby does.
fn means_unavailable(code: &SqlState) -> bool {
    ["08", "53", "57", "58"].iter().any(|class| code.code().starts_with(class))
        || *code == SqlState::READ_ONLY_SQL_TRANSACTION
}

/// The detail reads `Key (a, b)=(1, x) already exists.`
fn conflict(db: &DbError) -> StoreError {
    let keys = db.detail().and_then(|d| d.strip_prefix("Key (")).and_then(|d| d.split_once(")=("));
    let columns: Vec<String> = keys.map(|(keys, _)| keys.split(", ").map(str::to_owned).collect()).unwrap_or_default();
    let plain = columns.iter().all(|c| !c.contains('('));
    StoreError::Conflict {
        table: db.table().unwrap_or_default().to_owned(),
        constraint: db.constraint().unwrap_or_default().to_owned(),
        columns: if plain { columns } else { Vec::new() },
    }
}
