//! What people write on a record's timeline, and how it is read: notes, and calls, meetings and messages that happened
//! elsewhere. Lines of
//! sequences are read from the history and never written here (LOG-1).

use super::enrollments::tried;
use super::{ActionError, Caller, Privilege, Result};
use crate::App;
use cadenza_core::enrollment::Subject;
use cadenza_core::ids::{EnrollmentId, LogEntryId};
use cadenza_core::time::Time;
use cadenza_store::log_entries::{self, LogEntry, Record};
use cadenza_store::{Query, audit, companies, contacts};

const BODY_BYTES_MAX: usize = 100_000;

/// What somebody writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEntry {
    pub kind: EntryKind,
    pub subject: Subject,
    pub body: String,
    /// The activity that it came with.
    pub activity: Option<(EnrollmentId, u32)>,
    /// The result, of a call.
    pub result: Option<String>,
}

/// The kinds that a person chooses from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    Note,
    Call,
    Email,
    Text,
    Meeting,
}

impl EntryKind {
    pub const ALL: [EntryKind; 5] =
        [EntryKind::Note, EntryKind::Call, EntryKind::Email, EntryKind::Text, EntryKind::Meeting];

    pub fn as_str(self) -> &'static str {
        match self {
            EntryKind::Note => "note",
            EntryKind::Call => "call",
            EntryKind::Email => "email",
            EntryKind::Text => "text",
            EntryKind::Meeting => "meeting",
        }
    }
    /// As a person reads it.
    pub fn label(self) -> &'static str {
        match self {
            EntryKind::Note => "Note",
            EntryKind::Call => "Call",
            EntryKind::Email => "Email",
            EntryKind::Text => "Text",
            EntryKind::Meeting => "Meeting",
        }
    }
    pub fn named(word: &str) -> Option<EntryKind> {
        EntryKind::ALL.into_iter().find(|k| k.as_str() == word)
    }
}

/// Adds a line to a record's timeline. Who does tasks may write on the records that they work with.
///
/// # Errors
/// `Invalid` for an empty or very long body; `Missing`; `Forbidden`.
pub async fn add(app: &App, caller: &Caller, new: NewEntry) -> Result<LogEntry> {
    if !caller.may(Privilege::TasksMine) && !caller.may(Privilege::TasksAll) {
        caller.need(Privilege::ContactsEdit)?;
    }
    let body = new.body.trim().to_owned();
    if body.is_empty() {
        return Err(ActionError::invalid("body", "Write something first."));
    }
    if body.len() > BODY_BYTES_MAX {
        return Err(ActionError::invalid("body", format!("An entry has at most {BODY_BYTES_MAX} bytes.")));
    }
    let (w, subject) = (caller.workspace, new.subject);
    let entry = LogEntry {
        id: LogEntryId(app.next_id()),
        kind: new.kind.as_str().to_owned(),
        at: app.clock.now(),
        user: Some(caller.user),
        contact: if let Subject::Contact(id) = subject { Some(id) } else { None },
        company: if let Subject::Company(id) = subject { Some(id) } else { None },
        opportunity: None,
        activity: new.activity,
        body,
        detail: new.result.map(|result| serde_json::json!({ "result": result })),
    };
    let (made, audit) = (entry.clone(), caller.audit_line(app, "log_entry.add", "log_entry", Some(entry.id.0)));
    tried(app, move |tx| {
        // The record must be there, and of this workspace.
        match subject {
            Subject::Contact(id) => contacts::get(tx, w, id).map(drop)?,
            Subject::Company(id) => companies::get(tx, w, id).map(drop)?,
        }
        log_entries::add(tx, w, &entry)?;
        audit::add(tx, w, &audit)
    })
    .await?;
    Ok(made)
}

/// The lines that people wrote on a record's timeline, newest first, from behind `before`.
///
/// # Errors
/// `Missing`.
pub async fn list(
    app: &App,
    caller: &Caller,
    subject: Subject,
    before: Option<(Time, LogEntryId)>,
    limit: usize,
) -> Result<Vec<LogEntry>> {
    caller.need(Privilege::SequencesView)?;
    let w = caller.workspace;
    let read = move |q: &mut Query| {
        // The record must be there, and of this workspace.
        let record = match subject {
            Subject::Contact(id) => Record::Contact(contacts::get(q, w, id)?.id),
            Subject::Company(id) => Record::Company(companies::get(q, w, id)?.id),
        };
        log_entries::of_record(q, w, record, None, before, limit)
    };
    Ok(app.db.read_async(read).await?)
}
