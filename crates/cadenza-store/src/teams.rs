//! Teams of users.

use crate::cells::Cells;
use crate::error::Result;
use crate::query::{Query, Tx};
use crate::scope::args;
use crate::value::Columns;
use cadenza_core::ids::{TeamId, UserId, WorkspaceId};
use std::collections::{BTreeSet, HashMap};

#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Team {
    pub id: TeamId,
    pub name: String,
    pub members: BTreeSet<UserId>,
}

/// Makes a team, or gives it another name and other members.
///
/// Errors: `Conflict` on `team_name`.
pub fn save(tx: &mut Tx, w: WorkspaceId, team: &Team) -> Result<()> {
    tx.of(w).exec(
        "INSERT INTO team (workspace_id, id, name) VALUES ($1, $2, $3)
         ON CONFLICT (workspace_id, id) DO UPDATE SET name = excluded.name",
        args![team.id, &team.name],
    )?;
    tx.of(w).exec("DELETE FROM team_member WHERE workspace_id = $1 AND team_id = $2", args![team.id])?;
    let insert = "INSERT INTO team_member (workspace_id, team_id, user_id) SELECT $1, $2, r.user_id
         FROM rows(user_id BIGINT) AS r";
    tx.of(w).exec_rows(insert, &Columns::new().ints(team.members.iter().copied()), args![team.id])?;
    Ok(())
}

/// By name.
pub fn all(q: &mut Query, w: WorkspaceId) -> Result<Vec<Team>> {
    let rows = q.of(w).all("SELECT id, name FROM team WHERE workspace_id = $1 ORDER BY name, id", args![])?;
    let members = q.of(w).all("SELECT team_id, user_id FROM team_member WHERE workspace_id = $1", args![])?;
    let mut of: HashMap<i64, BTreeSet<UserId>> = HashMap::new();
    for row in &members {
        of.entry(row.int(0)?).or_default().insert(UserId(row.int(1)?));
    }
    let team = |row| {
        let mut c = Cells::of(row, "team");
        let id = c.id(TeamId)?;
        Ok(Team { id, name: c.string()?, members: of.remove(&id.0).unwrap_or_default() })
    };
    rows.iter().map(team).collect()
}

/// Errors: `Missing`.
pub fn delete(tx: &mut Tx, w: WorkspaceId, id: TeamId) -> Result<()> {
    tx.of(w).exec_one("DELETE FROM team WHERE workspace_id = $1 AND id = $2", args![id], "team", id)?;
    let sql = "DELETE FROM sequence_member WHERE workspace_id = $1 AND subject = 'team' AND subject_id = $2";
    tx.of(w).exec(sql, args![id]).map(drop)
}
