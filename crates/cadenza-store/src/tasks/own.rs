//! Users' own tasks and meetings, and the questions that rules ask them (TSK-7). They belong to no sequence's flow.

use crate::cells::Cells;
use crate::error::{Result, StoreError};
use crate::query::{Query, Tx};
use crate::row::Row;
use crate::scope::args;
use crate::sequences::{priority, priority_number};
use crate::words::words;
use cadenza_core::enrollment::Subject;
use cadenza_core::flow::Priority;
use cadenza_core::ids::{CompanyId, ContactId, EnrollmentId, OpportunityId, TaskId, UserId, WorkspaceId};
use cadenza_core::time::Time;

words! {
    /// What kind of own task it is.
    OwnKind ("kind of own task") {
        Task = "task";
        /// Has a begin and maybe an end.
        Meeting = "meeting";
        /// A rule asks what to do (REC-1).
        Question = "question";
    }
}

/// A task of one's own.
#[derive(Debug, Clone, PartialEq)]
pub struct Own {
    pub id: TaskId,
    pub kind: OwnKind,
    pub owner: UserId,
    pub name: String,
    pub instructions: String,
    pub priority: Priority,
    pub due: Option<Time>,
    /// The end of a meeting.
    pub until: Option<Time>,
    pub contact: Option<ContactId>,
    pub company: Option<CompanyId>,
    pub opportunity: Option<OpportunityId>,
    /// What a question is about.
    pub enrollment: Option<EnrollmentId>,
    /// `None` where a rule made it.
    pub created_by: Option<UserId>,
    pub created_at: Time,
    pub done: Option<(Time, Option<String>)>,
}

const COLUMNS: &str = "t.id, t.kind, t.owner_id, t.name, t.instructions, t.priority, t.due_at, t.until_at, t.contact_id, \
     t.company_id, t.opportunity_id, t.enrollment_id, t.created_by, t.created_at, t.done_at, t.outcome";

fn read(row: &Row) -> Result<Own> {
    let mut c = Cells::of(row, "task");
    Ok(Own {
        id: c.id(TaskId)?,
        kind: c.word(OwnKind::named)?,
        owner: c.id(UserId)?,
        name: c.string()?,
        instructions: c.string()?,
        priority: priority(c.int()?).ok_or_else(|| c.bad("not a priority"))?,
        due: c.opt_time()?,
        until: c.opt_time()?,
        contact: c.opt_id(ContactId)?,
        company: c.opt_id(CompanyId)?,
        opportunity: c.opt_id(OpportunityId)?,
        enrollment: c.opt_id(EnrollmentId)?,
        created_by: c.opt_id(UserId)?,
        created_at: c.time()?,
        done: match (c.opt_time()?, c.opt_string()?) {
            (Some(at), outcome) => Some((at, outcome)),
            (None, _) => None,
        },
    })
}

pub fn add(tx: &mut Tx, w: WorkspaceId, task: &Own) -> Result<()> {
    let t = task;
    tx.of(w).exec(
        "INSERT INTO task (workspace_id, id, kind, owner_id, name, instructions, priority, due_at, until_at, contact_id,
             company_id, opportunity_id, enrollment_id, created_by, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
        args![
            t.id,
            t.kind.as_str(),
            t.owner,
            &t.name,
            &t.instructions,
            priority_number(t.priority),
            t.due,
            t.until,
            t.contact,
            t.company,
            t.opportunity,
            t.enrollment,
            t.created_by,
            t.created_at,
        ],
    )?;
    Ok(())
}

/// Owner, words, priority and dates.
///
/// Errors: `Missing`.
pub fn update(tx: &mut Tx, w: WorkspaceId, task: &Own) -> Result<()> {
    let t = task;
    tx.of(w).exec_one(
        "UPDATE task SET owner_id = $3, name = $4, instructions = $5, priority = $6, due_at = $7, until_at = $8
         WHERE workspace_id = $1 AND id = $2",
        args![t.id, t.owner, &t.name, &t.instructions, priority_number(t.priority), t.due, t.until],
        "task",
        t.id,
    )
}

/// It is done; done again, the first time counts.
///
/// Errors: `Missing`.
pub fn finish(tx: &mut Tx, w: WorkspaceId, id: TaskId, outcome: Option<&str>, now: Time) -> Result<()> {
    tx.of(w).exec_one(
        "UPDATE task SET done_at = COALESCE(done_at, $3), outcome = COALESCE(outcome, $4)
         WHERE workspace_id = $1 AND id = $2",
        args![id, now, outcome],
        "task",
        id,
    )
}

/// Errors: `Missing`.
pub fn get(q: &mut Query, w: WorkspaceId, id: TaskId) -> Result<Own> {
    let sql = format!("SELECT {COLUMNS} FROM task t WHERE t.workspace_id = $1 AND t.id = $2");
    let row = q.of(w).opt(&sql, args![id])?.ok_or_else(|| StoreError::missing("task", id))?;
    read(&row)
}

/// All of a contact or company, the done too; the next due first.
pub fn of_record(q: &mut Query, w: WorkspaceId, subject: Subject) -> Result<Vec<Own>> {
    let (column, id) = match subject {
        Subject::Contact(id) => ("contact_id", id.0),
        Subject::Company(id) => ("company_id", id.0),
    };
    let sql = format!(
        "SELECT {COLUMNS} FROM task t WHERE t.workspace_id = $1 AND t.{column} = $2
         ORDER BY CASE WHEN t.done_at IS NULL THEN 0 ELSE 1 END, COALESCE(t.due_at, 9223372036854775807), t.id"
    );
    q.of(w).all(&sql, args![id])?.iter().map(read).collect()
}
