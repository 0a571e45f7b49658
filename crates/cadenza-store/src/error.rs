//! What can go wrong when remembering. Errors carry names of tables, columns and statements, never values: a value may be
//! personal data and errors end up in logs.

use std::fmt;

pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// Every way a store operation fails. `Clone`, because one failed commit answers many callers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    #[error("{table} {id} does not exist")]
    Missing { table: &'static str, id: String },

    /// A unique rule refused the write. `constraint` is the index name, or what PostgreSQL would call it
    /// (`contact_pkey`, `contact_email_key`), on both engines alike. `columns` is empty for an index over expressions.
    #[error("{table} already has a row with the same {} ({constraint})", names(columns))]
    Conflict { table: String, constraint: String, columns: Vec<String> },

    /// Another rule of the schema refused the write. What was to be written is wrong; a repetition fails the same way.
    /// SQLite does not tell the name of a broken foreign key.
    #[error("a {rule} rule of the schema refused the write: {name}")]
    Violation { rule: Rule, name: String },

    /// A stored row that its own type cannot hold: damaged, or written by another version.
    #[error("{table} {id} is inconsistent: {why}")]
    Inconsistent { table: &'static str, id: String, why: String },

    /// The engine cannot be reached or cannot write at present. The same call may succeed later.
    #[error("the database is unavailable: {why}{}", if *commit_unknown { " (whether the last commit took place is unknown)" } else { "" })]
    Unavailable {
        why: String,
        /// True when the answer to COMMIT was lost: the change may be there or not, and the caller must look.
        commit_unknown: bool,
    },

    /// Other transactions were in the way in every one of the tries that were made.
    #[error("other transactions were in the way: {why}")]
    Contention { why: String },

    /// A column does not hold what the code asked for.
    #[error("column {index} ({name}) of {sql:?}: expected {expected}, found {found}")]
    Column { index: usize, name: String, sql: String, expected: &'static str, found: &'static str },

    /// The engine or the waist refused the statement itself: a fault of the program.
    #[error("statement {sql:?} failed: {why}")]
    Statement { sql: String, why: String },

    /// The tables in the database are not those that this program knows.
    #[error("{0}")]
    Schema(String),

    #[error("{0}")]
    Url(String),

    /// The closure panicked; its transaction was rolled back and nobody else was harmed.
    #[error("a transaction panicked: {0}")]
    Panicked(String),

    /// `read` or `write` was called from within a closure of `read` or `write`, which could wait for itself for ever.
    #[error("a transaction was started from within a transaction of the same thread")]
    Nested,
}

/// The kinds of schema rules other than uniqueness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    Check,
    NotNull,
    ForeignKey,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Rule::Check => "CHECK",
            Rule::NotNull => "NOT NULL",
            Rule::ForeignKey => "FOREIGN KEY",
        })
    }
}

impl StoreError {
    pub fn missing(table: &'static str, id: impl fmt::Display) -> StoreError {
        StoreError::Missing { table, id: id.to_string() }
    }
    pub fn inconsistent(table: &'static str, id: impl fmt::Display, why: impl fmt::Display) -> StoreError {
        StoreError::Inconsistent { table, id: id.to_string(), why: why.to_string() }
    }
    pub(crate) fn unavailable(why: impl fmt::Display) -> StoreError {
        StoreError::Unavailable { why: why.to_string(), commit_unknown: false }
    }
    pub(crate) fn statement(sql: &str, why: impl fmt::Display) -> StoreError {
        StoreError::Statement { sql: sql.to_owned(), why: why.to_string() }
    }
    /// Whether this is a refusal by the unique index or constraint of that name.
    pub fn is_conflict_on(&self, name: &str) -> bool {
        matches!(self, StoreError::Conflict { constraint, .. } if constraint == name)
    }
}

fn names(columns: &[String]) -> String {
    if columns.is_empty() { "key".to_owned() } else { columns.join(", ") }
}
