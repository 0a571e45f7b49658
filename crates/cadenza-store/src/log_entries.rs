//! Log entries: lines on a record's own timeline. Lines of kind `sequence` are not kept here; they are read from the
//! history of the enrollments (LOG-1).

use crate::cells::Cells;
use crate::error::{Result, StoreError};
use crate::query::{Query, Tx};
use crate::row::Row;
use crate::scope::args;
use cadenza_core::ids::{CompanyId, ContactId, EnrollmentId, LogEntryId, OpportunityId, UserId, WorkspaceId};
use cadenza_core::time::Time;

/// One line. It belongs to at least one record.
#[derive(Debug, Clone, PartialEq)]
pub struct LogEntry {
    pub id: LogEntryId,
    /// `note`, `email`, `text`, `call`, `meeting`, or a kind that the workspace made up.
    pub kind: String,
    pub at: Time,
    /// Who wrote it; `None` for Cadenza.
    pub user: Option<UserId>,
    pub contact: Option<ContactId>,
    pub company: Option<CompanyId>,
    pub opportunity: Option<OpportunityId>,
    /// The activity that it came with.
    pub activity: Option<(EnrollmentId, u32)>,
    pub body: String,
    /// More of it, by kind, such as a call's result.
    pub detail: Option<serde_json::Value>,
}

/// A record with a timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Record {
    Contact(ContactId),
    Company(CompanyId),
    Opportunity(OpportunityId),
}

impl Record {
    /// The column by which rows name it, and its number.
    pub(crate) fn column(self) -> (&'static str, i64) {
        match self {
            Record::Contact(id) => ("contact_id", id.0),
            Record::Company(id) => ("company_id", id.0),
            Record::Opportunity(id) => ("opportunity_id", id.0),
        }
    }
}

const COLUMNS: &str =
    "id, kind, at, user_id, contact_id, company_id, opportunity_id, enrollment_id, visit, body, detail";

fn read(row: &Row) -> Result<LogEntry> {
    let mut c = Cells::of(row, "log_entry");
    Ok(LogEntry {
        id: c.id(LogEntryId)?,
        kind: c.string()?,
        at: c.time()?,
        user: c.opt_id(UserId)?,
        contact: c.opt_id(ContactId)?,
        company: c.opt_id(CompanyId)?,
        opportunity: c.opt_id(OpportunityId)?,
        activity: match (c.opt_id(EnrollmentId)?, c.opt_count()?) {
            (Some(enrollment), visit) => Some((enrollment, visit.unwrap_or(0))),
            (None, _) => None,
        },
        body: c.string()?,
        detail: c.opt_json()?,
    })
}

/// Errors: `Violation` where it belongs to no record.
pub fn add(tx: &mut Tx, w: WorkspaceId, entry: &LogEntry) -> Result<()> {
    let e = entry;
    tx.of(w).exec(
        "INSERT INTO log_entry (workspace_id, id, kind, at, user_id, contact_id, company_id, opportunity_id, enrollment_id,
             visit, body, detail)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        args![
            e.id,
            &e.kind,
            e.at,
            e.user,
            e.contact,
            e.company,
            e.opportunity,
            e.activity.map(|a| a.0),
            e.activity.map(|a| a.1),
            &e.body,
            e.detail.as_ref().map(ToString::to_string),
        ],
    )?;
    Ok(())
}

/// Words and detail of an entry that a user wrote.
///
/// Errors: `Missing`.
pub fn update(tx: &mut Tx, w: WorkspaceId, entry: &LogEntry) -> Result<()> {
    let e = entry;
    let sql = "UPDATE log_entry SET kind = $3, at = $4, body = $5, detail = $6 WHERE workspace_id = $1 AND id = $2";
    let detail = e.detail.as_ref().map(ToString::to_string);
    tx.of(w).exec_one(sql, args![e.id, &e.kind, e.at, &e.body, detail], "log_entry", e.id)
}

/// Errors: `Missing`.
pub fn delete(tx: &mut Tx, w: WorkspaceId, id: LogEntryId) -> Result<()> {
    tx.of(w).exec_one("DELETE FROM log_entry WHERE workspace_id = $1 AND id = $2", args![id], "log_entry", id)
}

/// Errors: `Missing`.
pub fn get(q: &mut Query, w: WorkspaceId, id: LogEntryId) -> Result<LogEntry> {
    let sql = format!("SELECT {COLUMNS} FROM log_entry WHERE workspace_id = $1 AND id = $2");
    let row = q.of(w).opt(&sql, args![id])?.ok_or_else(|| StoreError::missing("log_entry", id))?;
    read(&row)
}

/// The timeline of a record, newest first, older than `before`; of one kind where that is said.
pub fn of_record(
    q: &mut Query,
    w: WorkspaceId,
    record: Record,
    kind: Option<&str>,
    before: Option<(Time, LogEntryId)>,
    limit: usize,
) -> Result<Vec<LogEntry>> {
    let (column, id) = record.column();
    let (at, than) = before.unwrap_or((Time::MAX, LogEntryId(i64::MAX)));
    let mut args = args![id, at, than, limit as i64];
    let mut sql = format!(
        "SELECT {COLUMNS} FROM log_entry WHERE workspace_id = $1 AND {column} = $2 AND at <= $3 AND (at, id) < ($3, $4)"
    );
    if let Some(kind) = kind {
        sql.push_str(&format!(" AND kind = {}", args.push(kind)));
    }
    sql.push_str(" ORDER BY at DESC, id DESC LIMIT $5");
    q.of(w).all(&sql, args)?.iter().map(read).collect()
}
