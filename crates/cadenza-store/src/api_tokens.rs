//! Keys of programs (API-1). A key is found by the hash of its text, within the workspace that the text names; the text
//! itself is shown once and kept nowhere.

use crate::cells::{Cells, to_json};
use crate::error::Result;
use crate::query::{Query, Tx};
use crate::row::Row;
use crate::scope::args;
use cadenza_core::ids::{TokenId, UserId, WorkspaceId};
use cadenza_core::time::Time;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiToken {
    pub id: TokenId,
    /// In whose name it acts.
    pub user: UserId,
    pub name: String,
    /// Privileges; it may do no more than its user either.
    pub scopes: Vec<String>,
    pub created_at: Time,
    pub expires_at: Option<Time>,
    pub used_at: Option<Time>,
    pub ended_at: Option<Time>,
}

const COLUMNS: &str = "id, user_id, name, scopes, created_at, expires_at, used_at, ended_at";

fn read(row: &Row) -> Result<ApiToken> {
    let mut c = Cells::of(row, "api_token");
    Ok(ApiToken {
        id: c.id(TokenId)?,
        user: c.id(UserId)?,
        name: c.string()?,
        scopes: c.json()?,
        created_at: c.time()?,
        expires_at: c.opt_time()?,
        used_at: c.opt_time()?,
        ended_at: c.opt_time()?,
    })
}

pub fn create(tx: &mut Tx, w: WorkspaceId, token: &ApiToken, token_hash: &str) -> Result<()> {
    let t = token;
    tx.of(w).exec(
        "INSERT INTO api_token (workspace_id, id, user_id, name, token_hash, scopes, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        args![t.id, t.user, &t.name, token_hash, to_json(&t.scopes, "api_token", t.id)?, t.created_at, t.expires_at],
    )?;
    Ok(())
}

/// The token of a hash, unless it has expired or was ended.
pub fn with_hash(q: &mut Query, w: WorkspaceId, token_hash: &str, now: Time) -> Result<Option<ApiToken>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM api_token WHERE workspace_id = $1 AND token_hash = $2 AND ended_at IS NULL
           AND (expires_at IS NULL OR expires_at > $3)"
    );
    q.of(w).opt(&sql, args![token_hash, now])?.as_ref().map(read).transpose()
}

/// All of a user, or of all users; newest first, the ended too.
pub fn list(q: &mut Query, w: WorkspaceId, user: Option<UserId>) -> Result<Vec<ApiToken>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM api_token
         WHERE workspace_id = $1 AND user_id = COALESCE($2, user_id) ORDER BY id DESC"
    );
    q.of(w).all(&sql, args![user])?.iter().map(read).collect()
}

/// It was used; to be told now and then, not at every request.
pub fn note_used(tx: &mut Tx, w: WorkspaceId, id: TokenId, now: Time) -> Result<()> {
    let sql = "UPDATE api_token SET used_at = $3 WHERE workspace_id = $1 AND id = $2";
    tx.of(w).exec_one(sql, args![id, now], "api_token", id)
}

/// Ends a token for good.
///
/// Errors: `Missing`.
pub fn end(tx: &mut Tx, w: WorkspaceId, id: TokenId, now: Time) -> Result<()> {
    let sql = "UPDATE api_token SET ended_at = COALESCE(ended_at, $3) WHERE workspace_id = $1 AND id = $2";
    tx.of(w).exec_one(sql, args![id, now], "api_token", id)
}
