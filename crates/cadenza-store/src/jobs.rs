//! Jobs: operations over very many rows, done piece by piece, each piece in the transaction that notes how far it came. So
//! a job goes on after a crash where it stood, and nothing of it is done twice (OPS-1).

use crate::cells::Cells;
use crate::error::{Result, StoreError};
use crate::query::{Query, Tx};
use crate::row::Row;
use crate::scope::args;
use crate::value::Columns;
use crate::words::words;
use cadenza_core::ids::{JobId, UserId, WorkspaceId};
use cadenza_core::time::Time;

words! {
    /// How far a job is.
    JobState ("state of a job") {
        Queued = "queued";
        Running = "running";
        Finished = "finished";
        /// It ended before its end; `failure` says why.
        Failed = "failed";
        /// Somebody stopped it; what was done stays.
        Cancelled = "cancelled";
    }
}

impl JobState {
    pub fn is_over(self) -> bool {
        !matches!(self, JobState::Queued | JobState::Running)
    }
}

/// An operation over many rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    pub id: JobId,
    /// Names the action.
    pub kind: String,
    /// In whose name it runs.
    pub user: UserId,
    /// What the action was asked.
    pub input: serde_json::Value,
    pub state: JobState,
    /// How much of its input is behind it.
    pub position: i64,
    /// How much there is in all, where that is known.
    pub total: Option<i64>,
    pub done: i64,
    pub failed: i64,
    pub failure: Option<String>,
    pub created_at: Time,
    pub started_at: Option<Time>,
    pub finished_at: Option<Time>,
    /// Until when a worker has it.
    pub claimed_until: Option<Time>,
}

/// Something of a job that was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Its place in the input: a line, or a number.
    pub position: i64,
    /// Whom it was about, in words.
    pub subject: String,
    /// Stable, such as `already_enrolled`.
    pub code: String,
    pub why: String,
}

const COLUMNS: &str = "id, kind, user_id, input, state, position, total, done, failed, failure, created_at, started_at, \
     finished_at, claimed_until";

fn read(row: &Row) -> Result<Job> {
    let mut c = Cells::of(row, "job");
    Ok(Job {
        id: c.id(JobId)?,
        kind: c.string()?,
        user: c.id(UserId)?,
        input: c.json()?,
        state: c.word(JobState::named)?,
        position: c.int()?,
        total: c.opt_int()?,
        done: c.int()?,
        failed: c.int()?,
        failure: c.opt_string()?,
        created_at: c.time()?,
        started_at: c.opt_time()?,
        finished_at: c.opt_time()?,
        claimed_until: c.opt_time()?,
    })
}

/// What a job is asked to do.
#[derive(Debug, Clone, PartialEq)]
pub struct NewJob {
    pub id: JobId,
    pub kind: String,
    pub user: UserId,
    pub input: serde_json::Value,
    pub total: Option<i64>,
}

/// A job that has not begun.
pub fn create(tx: &mut Tx, w: WorkspaceId, job: &NewJob, now: Time) -> Result<()> {
    let j = job;
    tx.of(w).exec(
        "INSERT INTO job (workspace_id, id, kind, user_id, input, state, position, total, done, failed, created_at)
         VALUES ($1, $2, $3, $4, $5, 'queued', 0, $6, 0, 0, $7)",
        args![j.id, &j.kind, j.user, j.input.to_string(), j.total, now],
    )?;
    Ok(())
}

/// Errors: `Missing`.
pub fn get(q: &mut Query, w: WorkspaceId, id: JobId) -> Result<Job> {
    let sql = format!("SELECT {COLUMNS} FROM job WHERE workspace_id = $1 AND id = $2");
    let row = q.of(w).opt(&sql, args![id])?.ok_or_else(|| StoreError::missing("job", id))?;
    read(&row)
}

/// The latest jobs of a workspace, or of one user.
pub fn list(q: &mut Query, w: WorkspaceId, user: Option<UserId>, limit: usize) -> Result<Vec<Job>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM job WHERE workspace_id = $1 AND user_id = COALESCE($2, user_id) ORDER BY id DESC LIMIT $3"
    );
    q.of(w).all(&sql, args![user, limit as i64])?.iter().map(read).collect()
}

/// The oldest job that nobody has, of any workspace, taken until `until`: it is `Running` then. A worker that does not
/// [`note`] progress before that moment has lost it.
pub fn claim(tx: &mut Tx, now: Time, until: Time) -> Result<Option<(WorkspaceId, Job)>> {
    let free = "SELECT workspace_id, id FROM job
         WHERE state IN ('queued', 'running') AND (claimed_until IS NULL OR claimed_until <= $1)
         ORDER BY created_at, id LIMIT 1";
    let Some(row) = tx.query_opt(free, &[now.into()])? else { return Ok(None) };
    let (w, id) = (WorkspaceId(row.int(0)?), JobId(row.int(1)?));
    let taken = tx.of(w).exec(
        "UPDATE job SET state = 'running', started_at = COALESCE(started_at, $3), claimed_until = $4
         WHERE workspace_id = $1 AND id = $2 AND state IN ('queued', 'running')
           AND (claimed_until IS NULL OR claimed_until <= $3)",
        args![id, now, until],
    )?;
    if taken == 0 { Ok(None) } else { Ok(Some((w, get(tx, w, id)?))) }
}

/// Is there a job that [`claim`] would give?
pub fn any_free(q: &mut Query, now: Time) -> Result<bool> {
    let sql =
        "SELECT 1 FROM job WHERE state IN ('queued', 'running') AND (claimed_until IS NULL OR claimed_until <= $1)
         LIMIT 1";
    Ok(q.query_opt(sql, &[now.into()])?.is_some())
}

/// Takes one job in particular, whoever has it: its pieces name where they begin, so two workers share it.
///
/// Errors: `Missing`.
pub fn take(tx: &mut Tx, w: WorkspaceId, id: JobId, now: Time, until: Time) -> Result<()> {
    get(tx, w, id)?;
    tx.of(w).exec(
        "UPDATE job SET state = 'running', started_at = COALESCE(started_at, $3), claimed_until = $4
         WHERE workspace_id = $1 AND id = $2 AND state IN ('queued', 'running')",
        args![id, now, until],
    )?;
    Ok(())
}

/// What one piece of work came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// How much of the input is behind it now.
    pub position: i64,
    pub done: i64,
    pub failures: Vec<Failure>,
}

/// A piece was done: to be noted in the very transaction that did it. Keeps the job until `until`.
///
/// Errors: `Contention` where the job is no longer at `before`: somebody else does it, or it was cancelled.
pub fn note(tx: &mut Tx, w: WorkspaceId, id: JobId, before: i64, progress: &Progress, until: Time) -> Result<()> {
    let p = progress;
    let kept = tx.of(w).exec(
        "UPDATE job SET position = $4, done = done + $5, failed = failed + $6, claimed_until = $7
         WHERE workspace_id = $1 AND id = $2 AND position = $3 AND state = 'running'",
        args![id, before, p.position, p.done, p.failures.len() as i64, until],
    )?;
    if kept == 0 {
        return Err(StoreError::Contention { why: format!("job {id} is not at {before} any more") });
    }
    let columns = Columns::new()
        .ints(p.failures.iter().map(|f| f.position))
        .texts(p.failures.iter().map(|f| f.subject.as_str()))
        .texts(p.failures.iter().map(|f| f.code.as_str()))
        .texts(p.failures.iter().map(|f| f.why.as_str()));
    tx.of(w).exec_rows(
        "INSERT INTO job_failure (workspace_id, job_id, position, subject, code, why)
         SELECT $1, $2, r.position, r.subject, r.code, r.why
         FROM rows(position BIGINT, subject TEXT, code TEXT, why TEXT) AS r",
        &columns,
        args![id],
    )?;
    Ok(())
}

/// A job came to its end; `failure` says why where that was too early. One that is over stays as it is.
pub fn finish(tx: &mut Tx, w: WorkspaceId, id: JobId, failure: Option<&str>, now: Time) -> Result<()> {
    let state = if failure.is_some() { JobState::Failed } else { JobState::Finished };
    end(tx, w, id, state, failure, now).map(drop)
}

/// Stops a job; answers whether it was not over. What it has done stays done.
///
/// Errors: `Missing`.
pub fn cancel(tx: &mut Tx, w: WorkspaceId, id: JobId, now: Time) -> Result<bool> {
    get(tx, w, id)?;
    end(tx, w, id, JobState::Cancelled, None, now)
}

fn end(tx: &mut Tx, w: WorkspaceId, id: JobId, state: JobState, failure: Option<&str>, now: Time) -> Result<bool> {
    let ended = tx.of(w).exec(
        "UPDATE job SET state = $3, failure = $4, finished_at = $5, claimed_until = NULL
         WHERE workspace_id = $1 AND id = $2 AND state IN ('queued', 'running')",
        args![id, state.as_str(), failure, now],
    )?;
    Ok(ended > 0)
}

/// What was not done, in the order of the input, from behind `after`.
pub fn failures(q: &mut Query, w: WorkspaceId, id: JobId, after: i64, limit: usize) -> Result<Vec<Failure>> {
    let sql = "SELECT position, subject, code, why FROM job_failure
         WHERE workspace_id = $1 AND job_id = $2 AND position > $3 ORDER BY position LIMIT $4";
    let rows = q.of(w).all(sql, args![id, after, limit as i64])?;
    let failure = |row| {
        let mut c = Cells::of(row, "job_failure");
        Ok(Failure { position: c.int()?, subject: c.string()?, code: c.string()?, why: c.string()? })
    };
    rows.iter().map(failure).collect()
}
