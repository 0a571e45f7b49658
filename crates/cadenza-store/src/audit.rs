//! The audit log (PRM-3): every change made by a person, written in the transaction of the change itself. Append-only.

use crate::cells::Cells;
use crate::error::Result;
use crate::query::{Query, Tx};
use crate::row::Row;
use crate::scope::args;
use cadenza_core::ids::{AuditId, TokenId, UserId, WorkspaceId};
use cadenza_core::time::Time;

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    pub id: AuditId,
    pub at: Time,
    pub user: Option<UserId>,
    /// The key by which a program acted for the user.
    pub token: Option<TokenId>,
    /// The network address it came from.
    pub from: Option<String>,
    /// A verb: `contact.update`.
    pub action: String,
    /// The noun and its number.
    pub object: String,
    pub object_id: Option<i64>,
    pub before: Option<serde_json::Value>,
    pub after: Option<serde_json::Value>,
}

const COLUMNS: &str = "id, at, user_id, token_id, from_address, action, object, object_id, before, after";

fn read(row: &Row) -> Result<Line> {
    let mut c = Cells::of(row, "audit");
    Ok(Line {
        id: c.id(AuditId)?,
        at: c.time()?,
        user: c.opt_id(UserId)?,
        token: c.opt_id(TokenId)?,
        from: c.opt_string()?,
        action: c.string()?,
        object: c.string()?,
        object_id: c.opt_int()?,
        before: c.opt_json()?,
        after: c.opt_json()?,
    })
}

pub fn add(tx: &mut Tx, w: WorkspaceId, line: &Line) -> Result<()> {
    let l = line;
    tx.of(w).exec(
        "INSERT INTO audit (workspace_id, id, at, user_id, token_id, from_address, action, object, object_id, before, after)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        args![
            l.id,
            l.at,
            l.user,
            l.token,
            l.from.as_deref(),
            &l.action,
            &l.object,
            l.object_id,
            l.before.as_ref().map(ToString::to_string),
            l.after.as_ref().map(ToString::to_string),
        ],
    )?;
    Ok(())
}

/// Which lines are asked for.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub user: Option<UserId>,
    pub object: Option<String>,
    pub object_id: Option<i64>,
}

/// Newest first, older than `before`.
pub fn list(
    q: &mut Query,
    w: WorkspaceId,
    filter: &Filter,
    before: Option<AuditId>,
    limit: usize,
) -> Result<Vec<Line>> {
    let mut args = args![before.map_or(i64::MAX, |id| id.0), limit as i64];
    let mut sql = format!("SELECT {COLUMNS} FROM audit WHERE workspace_id = $1 AND id < $2");
    if let Some(user) = filter.user {
        sql.push_str(&format!(" AND user_id = {}", args.push(user)));
    }
    if let Some(object) = &filter.object {
        sql.push_str(&format!(" AND object = {}", args.push(object)));
    }
    if let Some(id) = filter.object_id {
        sql.push_str(&format!(" AND object_id = {}", args.push(id)));
    }
    sql.push_str(" ORDER BY id DESC LIMIT $3");
    q.of(w).all(&sql, args)?.iter().map(read).collect()
}

/// Takes the contents of lines about one object away, as when a person is erased: that it happened stays.
pub fn forget_contents(tx: &mut Tx, w: WorkspaceId, object: &str, object_id: i64) -> Result<u64> {
    let sql = "UPDATE audit SET before = NULL, after = NULL WHERE workspace_id = $1 AND object = $2 AND object_id = $3";
    tx.of(w).exec(sql, args![object, object_id])
}
