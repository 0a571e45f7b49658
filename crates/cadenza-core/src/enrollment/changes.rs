//! What an event changed, as the history keeps it: the columns that differ, by name. Folding all changes of an enrollment
//! gives its present row again (INV-5); nothing is decided anew by a replay.

use super::{COLUMNS, Enrollment, Flat};
use serde_json::{Map, Value};
use std::fmt::Write;

/// Of the text in `history.changes`; raised when its meaning changes.
pub const CHANGES_FORMAT: i64 = 1;

/// The columns that differ, as a JSON object; `{}` where none does. `version` is the line's own number and left out.
pub fn changes(before: &[Flat], after: &[Flat]) -> String {
    let mut text = String::with_capacity(160);
    text.push('{');
    for ((name, old), new) in COLUMNS.iter().zip(before).zip(after) {
        if old == new || *name == "version" {
            continue;
        }
        if text.len() > 1 {
            text.push(',');
        }
        // Column names need no escaping.
        let _ = write!(text, "\"{name}\":");
        put(&mut text, new);
    }
    text.push('}');
    text
}

/// The whole row, as the first line of a history keeps it.
pub fn first_changes(row: &[Flat]) -> String {
    let nothing = vec![Flat::Null; row.len()];
    changes(&nothing, row)
}

fn put(text: &mut String, value: &Flat) {
    match value {
        Flat::Null => text.push_str("null"),
        Flat::Int(n) => {
            let _ = write!(text, "{n}");
        }
        Flat::Text(t) => text.push_str(&Value::from(t.as_str()).to_string()),
    }
}

/// Why a history cannot be folded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfoldable {
    #[error("line {line} is no JSON object")]
    NoObject { line: usize },
    #[error("line {line} names the unknown column {column}")]
    UnknownColumn { line: usize, column: String },
    #[error(transparent)]
    Bad(#[from] super::BadColumn),
}

/// Replays the lines of a history in order; `version` is taken from the last line's number.
pub fn fold<'a>(lines: impl IntoIterator<Item = (i64, &'a str)>) -> Result<Enrollment, Unfoldable> {
    let mut row = vec![Flat::Null; COLUMNS.len()];
    let mut last = 0;
    for (line, (version, text)) in lines.into_iter().enumerate() {
        last = version;
        let object: Map<String, Value> = serde_json::from_str(text).map_err(|_| Unfoldable::NoObject { line })?;
        for (column, value) in object {
            let Some(at) = COLUMNS.iter().position(|c| *c == column) else {
                return Err(Unfoldable::UnknownColumn { line, column });
            };
            row[at] = match value {
                Value::Number(n) => Flat::Int(n.as_i64().unwrap_or_default()),
                Value::String(t) => Flat::Text(t),
                _ => Flat::Null,
            };
        }
    }
    if let Some(at) = COLUMNS.iter().position(|c| *c == "version") {
        row[at] = Flat::Int(last);
    }
    Ok(Enrollment::from_flat(&row)?)
}
