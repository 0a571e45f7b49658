//! What later rules make of kept messages (REC-12): the differences that a job found, and what became of each.

use crate::cells::Cells;
use crate::error::Result;
use crate::inbound_messages::Class;
use crate::query::{Query, Tx};
use crate::row::Row;
use crate::scope::args;
use crate::words::words;
use cadenza_core::ids::{JobId, MessageId, WorkspaceId};
use cadenza_core::time::Time;

words! {
    /// What became of a difference.
    State ("state of a difference") {
        Found = "found";
        Adopted = "adopted";
        /// An enrollment could not follow.
        Refused = "refused";
        /// Corrected by hand meanwhile, or no difference any more.
        Over = "over";
    }
}

/// A message that the present rules judge otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub message: MessageId,
    pub before: Class,
    pub now: Class,
    /// The rules that had judged it; `None` where that verdict cannot be read.
    pub version_before: Option<u32>,
    pub version: u32,
    /// Enrollments that would be told otherwise than they were.
    pub enrollments: u32,
    pub state: State,
    pub why: Option<String>,
}

/// A difference with what it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub difference: Difference,
    pub from: Option<String>,
    pub subject: Option<String>,
    pub received_at: Time,
}

/// Keeps a difference. One that was found already stays as it is.
pub fn add(tx: &mut Tx, w: WorkspaceId, job: JobId, d: &Difference) -> Result<()> {
    tx.of(w).exec(
        "INSERT INTO reclassified (workspace_id, job_id, message_id, class_before, class, version_before, version,
             enrollments, state, why)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (workspace_id, job_id, message_id) DO NOTHING",
        args![
            job,
            d.message,
            d.before.as_str(),
            d.now.as_str(),
            d.version_before,
            d.version,
            d.enrollments,
            d.state.as_str(),
            d.why.as_deref(),
        ],
    )?;
    Ok(())
}

/// The differences of a job in the order of the messages, from behind `after`.
pub fn list(q: &mut Query, w: WorkspaceId, job: JobId, after: Option<MessageId>, limit: usize) -> Result<Vec<Listed>> {
    let sql =
        "SELECT r.message_id, r.class_before, r.class, r.version_before, r.version, r.enrollments, r.state, r.why,
             m.from_address, m.subject, m.received_at
         FROM reclassified r JOIN inbound_message m ON m.workspace_id = $1 AND m.id = r.message_id
         WHERE r.workspace_id = $1 AND r.job_id = $2 AND r.message_id > $3 ORDER BY r.message_id LIMIT $4";
    let read = |row: &Row| {
        let mut c = Cells::of(row, "reclassified");
        let difference = Difference {
            message: c.id(MessageId)?,
            before: c.word(Class::named)?,
            now: c.word(Class::named)?,
            version_before: c.opt_count()?,
            version: c.count()?,
            enrollments: c.count()?,
            state: c.word(State::named)?,
            why: c.opt_string()?,
        };
        Ok(Listed { difference, from: c.opt_string()?, subject: c.opt_string()?, received_at: c.time()? })
    };
    q.of(w).all(sql, args![job, after.map_or(i64::MIN, |m| m.0), limit as i64])?.iter().map(read).collect()
}

/// Those of a job that are to be adopted still, from behind `after`.
pub fn open(q: &mut Query, w: WorkspaceId, job: JobId, after: MessageId, limit: usize) -> Result<Vec<MessageId>> {
    let sql = "SELECT message_id FROM reclassified
         WHERE workspace_id = $1 AND job_id = $2 AND message_id > $3 AND state = 'found' ORDER BY message_id LIMIT $4";
    let rows = q.of(w).all(sql, args![job, after, limit as i64])?;
    rows.iter().map(|row| row.int(0).map(MessageId)).collect()
}

/// How many differences of a job there are in each state.
pub fn counts(q: &mut Query, w: WorkspaceId, job: JobId) -> Result<Vec<(State, i64)>> {
    let sql = "SELECT state, count(*) FROM reclassified WHERE workspace_id = $1 AND job_id = $2
         GROUP BY state ORDER BY state";
    let read = |row: &Row| {
        let mut c = Cells::of(row, "reclassified");
        Ok((c.word(State::named)?, c.int()?))
    };
    q.of(w).all(sql, args![job])?.iter().map(read).collect()
}

/// What became of one.
pub fn settle(
    tx: &mut Tx,
    w: WorkspaceId,
    job: JobId,
    message: MessageId,
    state: State,
    why: Option<&str>,
) -> Result<()> {
    let sql =
        "UPDATE reclassified SET state = $4, why = $5 WHERE workspace_id = $1 AND job_id = $2 AND message_id = $3";
    tx.of(w).exec(sql, args![job, message, state.as_str(), why]).map(drop)
}
