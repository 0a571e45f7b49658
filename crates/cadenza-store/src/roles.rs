//! Roles: named sets of privileges (PRM-1). Which words are privileges is not known here.

use crate::cells::{Cells, to_json};
use crate::error::{Result, StoreError};
use crate::query::{Query, Tx};
use crate::row::Row;
use crate::scope::args;
use cadenza_core::ids::WorkspaceId;

#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Role {
    pub name: String,
    /// Words such as `sequences.save`.
    pub privileges: Vec<String>,
    /// Comes with the product and cannot be deleted.
    pub built_in: bool,
}

fn read(row: &Row) -> Result<Role> {
    let mut c = Cells::of(row, "role");
    Ok(Role { name: c.string()?, privileges: c.json()?, built_in: c.flag()? })
}

/// Makes a role, or gives it other privileges.
pub fn save(tx: &mut Tx, w: WorkspaceId, role: &Role) -> Result<()> {
    tx.of(w).exec(
        "INSERT INTO role (workspace_id, name, privileges, built_in) VALUES ($1, $2, $3, $4)
         ON CONFLICT (workspace_id, name) DO UPDATE SET privileges = excluded.privileges",
        args![&role.name, to_json(&role.privileges, "role", &role.name)?, role.built_in],
    )?;
    Ok(())
}

/// Errors: `Missing`.
pub fn get(q: &mut Query, w: WorkspaceId, name: &str) -> Result<Role> {
    let sql = "SELECT name, privileges, built_in FROM role WHERE workspace_id = $1 AND name = $2";
    let row = q.of(w).opt(sql, args![name])?.ok_or_else(|| StoreError::missing("role", name))?;
    read(&row)
}

pub fn all(q: &mut Query, w: WorkspaceId) -> Result<Vec<Role>> {
    let sql = "SELECT name, privileges, built_in FROM role WHERE workspace_id = $1 ORDER BY built_in DESC, name";
    q.of(w).all(sql, args![])?.iter().map(read).collect()
}

/// Deletes a role of one's own.
///
/// Errors: `Missing` where there is none of that name; `Violation` while a user has it.
pub fn delete(tx: &mut Tx, w: WorkspaceId, name: &str) -> Result<()> {
    let sql = "DELETE FROM role WHERE workspace_id = $1 AND name = $2 AND built_in = 0";
    tx.of(w).exec_one(sql, args![name], "role", name)
}

/// How many users have it.
pub fn holders(q: &mut Query, w: WorkspaceId, name: &str) -> Result<i64> {
    let sql = "SELECT count(*) FROM user_account WHERE workspace_id = $1 AND role = $2";
    q.of(w).one(sql, args![name])?.int(0)
}
