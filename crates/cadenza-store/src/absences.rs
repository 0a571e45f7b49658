//! When users are away, and what becomes of their work meanwhile (TIM-7). What the rules mean is decided in the core; that an
//! absence begins and ends is posted by the clock at `turn_at`.

use crate::cells::{Cells, to_json};
use crate::error::{Result, StoreError};
use crate::query::{Query, Tx};
use crate::row::Row;
use crate::scope::args;
use cadenza_core::absence::AwayRules;
use cadenza_core::ids::{AbsenceId, UserId, WorkspaceId};
use cadenza_core::time::Time;

#[derive(Debug, Clone, PartialEq)]
pub struct Absence {
    pub id: AbsenceId,
    pub user: UserId,
    pub from: Time,
    /// `None`: until somebody ends it.
    pub until: Option<Time>,
    /// By kind of step: hold, skip, or to whom it is handed.
    pub rules: AwayRules,
    /// What it holds was held, and what it hands over was handed over.
    pub begun: bool,
    /// When the clock must look at it next: at its begin, then at its end. `None` when it is over, or has no end.
    pub turn: Option<Time>,
}

const COLUMNS: &str = "id, user_id, from_at, until_at, rules, begun, turn_at";

fn read(row: &Row) -> Result<Absence> {
    cells(&mut Cells::of(row, "absence"))
}

fn cells(c: &mut Cells<'_>) -> Result<Absence> {
    Ok(Absence {
        id: c.id(AbsenceId)?,
        user: c.id(UserId)?,
        from: c.time()?,
        until: c.opt_time()?,
        rules: c.json()?,
        begun: c.flag()?,
        turn: c.opt_time()?,
    })
}

pub fn save(tx: &mut Tx, w: WorkspaceId, absence: &Absence) -> Result<()> {
    let a = absence;
    tx.of(w).exec(
        "INSERT INTO absence (workspace_id, id, user_id, from_at, until_at, rules, begun, turn_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (workspace_id, id) DO UPDATE SET from_at = excluded.from_at, until_at = excluded.until_at,
             rules = excluded.rules, begun = excluded.begun, turn_at = excluded.turn_at",
        args![a.id, a.user, a.from, a.until, to_json(&a.rules, "absence", a.id)?, a.begun, a.turn],
    )?;
    Ok(())
}

/// All that last beyond `now`, the next first.
pub fn from_now(q: &mut Query, w: WorkspaceId, now: Time) -> Result<Vec<Absence>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM absence WHERE workspace_id = $1 AND (until_at IS NULL OR until_at > $2)
         ORDER BY from_at, id"
    );
    q.of(w).all(&sql, args![now])?.iter().map(read).collect()
}

/// Of one user, those that share a moment with these dates.
pub fn meeting(q: &mut Query, w: WorkspaceId, user: UserId, from: Time, until: Option<Time>) -> Result<Vec<Absence>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM absence WHERE workspace_id = $1 AND user_id = $2
             AND (until_at IS NULL OR until_at > $3) AND from_at < $4 ORDER BY from_at, id"
    );
    q.of(w).all(&sql, args![user, from, until.unwrap_or(Time::MAX)])?.iter().map(read).collect()
}

/// As it stands, for a transaction that will change it.
///
/// Errors: `Missing`.
pub fn lock(tx: &mut Tx, w: WorkspaceId, id: AbsenceId) -> Result<Absence> {
    let sql = format!("SELECT {COLUMNS} FROM absence WHERE workspace_id = $1 AND id = $2 FOR UPDATE");
    let row = tx.of(w).opt(&sql, args![id])?.ok_or_else(|| StoreError::missing("absence", id))?;
    read(&row)
}

/// Errors: `Missing`.
pub fn delete(tx: &mut Tx, w: WorkspaceId, id: AbsenceId) -> Result<()> {
    tx.of(w).exec_one("DELETE FROM absence WHERE workspace_id = $1 AND id = $2", args![id], "absence", id)
}

/// Those of every workspace that begin or end by now.
pub fn turning(q: &mut Query, now: Time, most: usize) -> Result<Vec<(WorkspaceId, Absence)>> {
    let sql = format!(
        "SELECT {COLUMNS}, workspace_id FROM absence WHERE turn_at IS NOT NULL AND turn_at <= $1
         ORDER BY turn_at LIMIT $2"
    );
    let rows = q.query(&sql, &[now.into(), (most as i64).into()])?;
    let turning = |row: &Row| {
        let mut c = Cells::of(row, "absence");
        let absence = cells(&mut c)?;
        Ok((c.id(WorkspaceId)?, absence))
    };
    rows.iter().map(turning).collect()
}

/// Its begin or its end was posted to all whom it concerns, as it was read; one that was changed meanwhile is looked at again.
pub fn turned(tx: &mut Tx, w: WorkspaceId, absence: &Absence) -> Result<()> {
    let a = absence;
    let next = if a.begun { None } else { a.until };
    tx.of(w).exec(
        "UPDATE absence SET begun = 1, turn_at = $3
         WHERE workspace_id = $1 AND id = $2 AND begun = $4 AND COALESCE(until_at, 0) = $5",
        args![a.id, next, a.begun, a.until.map_or(0, Time::micros)],
    )?;
    Ok(())
}
