//! Browsers that are signed in. A session is found by the hash of its token, within the workspace that the token names.

use crate::cells::Cells;
use crate::error::Result;
use crate::query::{Query, Tx};
use crate::row::Row;
use crate::scope::args;
use cadenza_core::ids::{SessionId, UserId, WorkspaceId};
use cadenza_core::time::Time;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub user: UserId,
    pub created_at: Time,
    pub seen_at: Time,
    pub expires_at: Time,
    /// The address it was opened from.
    pub from: Option<String>,
    pub user_agent: Option<String>,
}

const COLUMNS: &str = "id, user_id, created_at, seen_at, expires_at, from_address, user_agent";

fn read(row: &Row) -> Result<Session> {
    let mut c = Cells::of(row, "session");
    Ok(Session {
        id: c.id(SessionId)?,
        user: c.id(UserId)?,
        created_at: c.time()?,
        seen_at: c.time()?,
        expires_at: c.time()?,
        from: c.opt_string()?,
        user_agent: c.opt_string()?,
    })
}

pub fn create(tx: &mut Tx, w: WorkspaceId, session: &Session, token_hash: &str) -> Result<()> {
    let s = session;
    tx.of(w).exec(
        "INSERT INTO session (workspace_id, id, user_id, token_hash, created_at, seen_at, expires_at, from_address, user_agent)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        args![s.id, s.user, token_hash, s.created_at, s.seen_at, s.expires_at, s.from.as_deref(), s.user_agent.as_deref()],
    )?;
    Ok(())
}

/// The session of a token, unless it has expired.
pub fn with_token(q: &mut Query, w: WorkspaceId, token_hash: &str, now: Time) -> Result<Option<Session>> {
    let sql = format!("SELECT {COLUMNS} FROM session WHERE workspace_id = $1 AND token_hash = $2 AND expires_at > $3");
    q.of(w).opt(&sql, args![token_hash, now])?.as_ref().map(read).transpose()
}

/// Those of a user that have not expired, the last used first.
pub fn of_user(q: &mut Query, w: WorkspaceId, user: UserId, now: Time) -> Result<Vec<Session>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM session WHERE workspace_id = $1 AND user_id = $2 AND expires_at > $3
         ORDER BY seen_at DESC, id"
    );
    q.of(w).all(&sql, args![user, now])?.iter().map(read).collect()
}

/// It was used; it now lasts until `expires_at`.
pub fn note_seen(tx: &mut Tx, w: WorkspaceId, id: SessionId, now: Time, expires_at: Time) -> Result<()> {
    let sql = "UPDATE session SET seen_at = $3, expires_at = $4 WHERE workspace_id = $1 AND id = $2";
    tx.of(w).exec_one(sql, args![id, now, expires_at], "session", id)
}

/// Ends one session of a user; answers whether there was one.
pub fn end(tx: &mut Tx, w: WorkspaceId, user: UserId, id: SessionId) -> Result<bool> {
    let sql = "DELETE FROM session WHERE workspace_id = $1 AND user_id = $2 AND id = $3";
    Ok(tx.of(w).exec(sql, args![user, id])? > 0)
}

/// Ends all sessions of a user but one, as after a change of password. Answers how many.
pub fn end_all_but(tx: &mut Tx, w: WorkspaceId, user: UserId, kept: Option<SessionId>) -> Result<u64> {
    let sql = "DELETE FROM session WHERE workspace_id = $1 AND user_id = $2 AND id IS DISTINCT FROM $3";
    tx.of(w).exec(sql, args![user, kept])
}

/// Forgets what has expired.
pub fn sweep(tx: &mut Tx, w: WorkspaceId, now: Time) -> Result<u64> {
    tx.of(w).exec("DELETE FROM session WHERE workspace_id = $1 AND expires_at <= $2", args![now])
}
