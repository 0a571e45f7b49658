//! Answers that people wrote to messages (REC-6): the outbox of mail that is no step. The same protocol as for steps
//! (docs/delivery.md): recorded first, claimed by a run, marked before the final dot, then settled; what a crash leaves marked is
//! unknown and never sent again by itself.

use crate::cells::Cells;
use crate::error::{Result, StoreError};
use crate::query::{Query, Tx};
use crate::row::Row;
use crate::scope::args;
use crate::value::Columns;
use crate::words::words;
use cadenza_core::ids::{AnswerId, EnrollmentId, MailboxId, MessageId, UserId, WorkspaceId};
use cadenza_core::time::Time;

words! {
    /// How far an answer is.
    State ("state of an answer") {
        /// Recorded, to be sent.
        Queued = "queued";
        /// A run brings it to its server.
        Claimed = "claimed";
        /// Past its final mark.
        Marked = "marked";
        Sent = "sent";
        Refused = "refused";
        /// Nobody can know whether the server took it.
        Unknown = "unknown";
    }
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub id: AnswerId,
    /// The message that it answers.
    pub to_message: MessageId,
    pub enrollment: Option<EnrollmentId>,
    pub mailbox: MailboxId,
    pub by: UserId,
    pub to: String,
    pub subject: String,
    pub text: String,
    /// Without angle brackets, as those of the thread.
    pub message_id: String,
    /// The thread, oldest first; the last one is answered.
    pub references: Vec<String>,
    pub state: State,
    pub attempt: u32,
    pub created_at: Time,
    pub settled_at: Option<Time>,
    /// What the server said, or why it waits.
    pub words: Option<String>,
}

const COLUMNS: &str = "id, to_message_id, enrollment_id, mailbox_id, user_id, address, subject, body, message_id, references_to, \
     state, attempt, created_at, settled_at, words";

fn read(row: &Row) -> Result<Answer> {
    let mut c = Cells::of(row, "answer");
    Ok(Answer {
        id: c.id(AnswerId)?,
        to_message: c.id(MessageId)?,
        enrollment: c.opt_id(EnrollmentId)?,
        mailbox: c.id(MailboxId)?,
        by: c.id(UserId)?,
        to: c.string()?,
        subject: c.string()?,
        text: c.string()?,
        message_id: c.string()?,
        references: c.json()?,
        state: c.word(State::named)?,
        attempt: c.count()?,
        created_at: c.time()?,
        settled_at: c.opt_time()?,
        words: c.opt_string()?,
    })
}

/// Records an answer that is to be sent.
pub fn queue(tx: &mut Tx, w: WorkspaceId, a: &Answer) -> Result<()> {
    let references = serde_json::json!(a.references).to_string();
    tx.of(w).exec(
        "INSERT INTO answer (workspace_id, id, to_message_id, enrollment_id, mailbox_id, user_id, address, subject, body,
             message_id, references_to, state, attempt, created_at, not_before, epoch)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'queued', 0, $12, $12, 0)",
        args![
            a.id,
            a.to_message,
            a.enrollment,
            a.mailbox,
            a.by,
            a.to.as_str(),
            a.subject.as_str(),
            a.text.as_str(),
            a.message_id.as_str(),
            references,
            a.created_at,
        ],
    )?;
    Ok(())
}

/// Those of one thread, oldest first: of an enrollment, or of a message that belongs to none.
pub fn of_thread(q: &mut Query, w: WorkspaceId, message: MessageId, of: Option<EnrollmentId>) -> Result<Vec<Answer>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM answer WHERE workspace_id = $1 AND (to_message_id = $2 OR enrollment_id = $3) ORDER BY id"
    );
    q.of(w).all(&sql, args![message, of])?.iter().map(read).collect()
}

/// One of them.
///
/// # Errors
/// `Missing`.
pub fn get(q: &mut Query, w: WorkspaceId, id: AnswerId) -> Result<Answer> {
    let sql = format!("SELECT {COLUMNS} FROM answer WHERE workspace_id = $1 AND id = $2");
    let row = q.of(w).opt(&sql, args![id])?.ok_or_else(|| StoreError::missing("answer", id))?;
    read(&row)
}

/// Was an answer sent under one of these Message-IDs?
pub fn is_own(q: &mut Query, w: WorkspaceId, message_ids: &[String]) -> Result<bool> {
    for id in message_ids {
        let sql = "SELECT 1 FROM answer WHERE workspace_id = $1 AND message_id = $2 LIMIT 1";
        if q.of(w).opt(sql, args![id.as_str()])?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Those of every workspace that are due to be sent, the oldest first.
pub fn due(q: &mut Query, now: Time, limit: usize) -> Result<Vec<(WorkspaceId, AnswerId)>> {
    let rows = q.query(
        "SELECT workspace_id, id FROM answer WHERE state = 'queued' AND not_before <= $1 ORDER BY not_before, id LIMIT $2",
        &[now.into(), (limit as i64).into()],
    )?;
    rows.iter().map(|row| Ok((WorkspaceId(row.int(0)?), AnswerId(row.int(1)?)))).collect()
}

/// When the next one is due.
pub fn next_due(q: &mut Query) -> Result<Option<Time>> {
    let row = q.query_opt("SELECT MIN(not_before) FROM answer WHERE state = 'queued'", &[])?;
    row.map_or(Ok(None), |row| row.opt_time(0))
}

/// Takes one for a run; `None` where another has it.
pub fn claim(tx: &mut Tx, w: WorkspaceId, id: AnswerId, epoch: i64) -> Result<Option<Answer>> {
    let sql = "UPDATE answer SET state = 'claimed', attempt = attempt + 1, epoch = $3
         WHERE workspace_id = $1 AND id = $2 AND state = 'queued'";
    if tx.of(w).exec(sql, args![id, epoch])? == 0 {
        return Ok(None);
    }
    let sql = format!("SELECT {COLUMNS} FROM answer WHERE workspace_id = $1 AND id = $2");
    tx.of(w).opt(&sql, args![id])?.as_ref().map(read).transpose()
}

/// Lets nothing be put on the suppression list, and nobody hold the mailbox, before the end of the transaction, so that what is
/// asked of them holds for the mark.
pub fn hold_still(tx: &mut Tx, w: WorkspaceId, mailbox: MailboxId) -> Result<()> {
    tx.of(w).opt("SELECT workspace_id FROM workspace WHERE workspace_id = $1 FOR SHARE", args![])?;
    let sql = "SELECT id FROM mailbox WHERE workspace_id = $1 AND id = $2 FOR SHARE";
    tx.of(w).opt(sql, args![mailbox]).map(drop)
}

/// The final mark: `false` where this run has it no more, or is over itself.
pub fn mark(tx: &mut Tx, w: WorkspaceId, id: AnswerId, epoch: i64, now: Time) -> Result<bool> {
    let lives = "SELECT 1 FROM node WHERE epoch = $1 AND state <> 'gone'";
    if tx.query_opt(lives, &[epoch.into()])?.is_none() {
        return Ok(false);
    }
    let sql = "UPDATE answer SET state = 'marked', marked_at = $4
         WHERE workspace_id = $1 AND id = $2 AND state = 'claimed' AND epoch = $3";
    Ok(tx.of(w).exec(sql, args![id, epoch, now])? == 1)
}

/// It was not given whole: due again at that moment.
pub fn put_off(tx: &mut Tx, w: WorkspaceId, id: AnswerId, epoch: i64, not_before: Time, words: &str) -> Result<()> {
    let sql = "UPDATE answer SET state = 'queued', not_before = $4, words = $5, marked_at = NULL
         WHERE workspace_id = $1 AND id = $2 AND epoch = $3 AND state IN ('claimed', 'marked')";
    tx.of(w).exec(sql, args![id, epoch, not_before, words]).map(drop)
}

/// What became of it; answers whether this run had it still.
pub fn settle(
    tx: &mut Tx,
    w: WorkspaceId,
    id: AnswerId,
    epoch: i64,
    (state, words): (State, &str),
    now: Time,
) -> Result<bool> {
    let sql = "UPDATE answer SET state = $4, words = $5, settled_at = $6
         WHERE workspace_id = $1 AND id = $2 AND epoch = $3 AND state IN ('claimed', 'marked')";
    Ok(tx.of(w).exec(sql, args![id, epoch, state.as_str(), words, now])? == 1)
}

/// What a person says of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It arrived: of one that is unknown.
    Arrived,
    /// It is to be sent again, the same bytes: of one that is unknown or was refused.
    Again,
}

/// Notes it; answers whether it was one of which that can be said.
pub fn decide(tx: &mut Tx, w: WorkspaceId, id: AnswerId, verdict: Verdict, now: Time) -> Result<bool> {
    let sql = match verdict {
        Verdict::Arrived => {
            "UPDATE answer SET state = 'sent', words = NULL, settled_at = $3
             WHERE workspace_id = $1 AND id = $2 AND state = 'unknown'"
        }
        Verdict::Again => {
            "UPDATE answer SET state = 'queued', words = NULL, settled_at = NULL, marked_at = NULL, attempt = 0, not_before = $3
             WHERE workspace_id = $1 AND id = $2 AND state IN ('unknown', 'refused')"
        }
    };
    Ok(tx.of(w).exec(sql, args![id, now])? == 1)
}

/// What came in names these Message-IDs: those of them of which nobody knew whether they arrived did. Answers which.
pub fn heard_of(tx: &mut Tx, w: WorkspaceId, message_ids: &[String], now: Time) -> Result<Vec<Answer>> {
    let named = Columns::new().texts(message_ids.iter().map(String::as_str));
    let found = tx.query_rows(
        "SELECT a.id FROM rows(message_id TEXT) AS r
         JOIN answer a ON a.workspace_id = $1 AND a.message_id = r.message_id WHERE a.state = 'unknown'",
        &named,
        &[w.into()],
    )?;
    let mut arrived = Vec::new();
    for row in found {
        let id = AnswerId(row.int(0)?);
        if decide(tx, w, id, Verdict::Arrived, now)? {
            arrived.push(get(tx, w, id)?);
        }
    }
    Ok(arrived)
}

/// What a run that is over has left open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    pub workspace: WorkspaceId,
    pub id: AnswerId,
    pub epoch: i64,
    /// Past its final mark: nobody can know whether the server took it.
    pub marked: bool,
    pub message_id: String,
}

/// Of every workspace; `idle` is a run that works on none, whose claims are lost therefore.
pub fn left_behind(q: &mut Query, idle: Option<i64>) -> Result<Vec<Left>> {
    let rows = q.query(
        "SELECT workspace_id, id, epoch, state, message_id FROM answer WHERE state IN ('claimed', 'marked')
             AND (epoch = $1 OR NOT EXISTS (SELECT 1 FROM node WHERE node.epoch = answer.epoch AND node.state <> 'gone'))
         ORDER BY id",
        &[idle.unwrap_or(-1).into()],
    )?;
    let left = |row: &Row| {
        Ok(Left {
            workspace: WorkspaceId(row.int(0)?),
            id: AnswerId(row.int(1)?),
            epoch: row.int(2)?,
            marked: row.text(3)? == "marked",
            message_id: row.text(4)?.to_owned(),
        })
    };
    rows.iter().map(left).collect()
}

/// Has the sandbox received it?
pub fn is_in_sandbox(q: &mut Query, left: &Left) -> Result<bool> {
    let sql = "SELECT 1 FROM sandbox_message WHERE workspace_id = $1 AND message_id = $2 LIMIT 1";
    Ok(q.of(left.workspace).opt(sql, args![left.message_id.as_str()])?.is_some())
}
