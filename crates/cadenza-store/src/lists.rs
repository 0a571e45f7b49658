//! Lists: hand-kept sets of contacts or of companies, and who is on them. What joining or leaving a list means for a
//! sequence that it feeds is the door's business; here members only come and go.

use crate::cells::Cells;
use crate::error::{Result, StoreError};
use crate::folding::fold;
use crate::query::{Query, Tx};
use crate::row::Row;
use crate::scope::args;
use crate::sequences::SubjectType;
use crate::value::Columns;
use cadenza_core::ids::{ListId, UserId, WorkspaceId};
use cadenza_core::time::Time;

#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct List {
    pub id: ListId,
    /// Unique in the workspace, whatever its case.
    pub name: String,
    pub of: SubjectType,
    pub owner: Option<UserId>,
    pub created_at: Time,
}

const COLUMNS: &str = "l.id, l.name, l.type, l.owner_id, l.created_at";

fn read(row: &Row) -> Result<List> {
    let mut c = Cells::of(row, "list");
    Ok(List {
        id: c.id(ListId)?,
        name: c.string()?,
        of: c.word(SubjectType::named)?,
        owner: c.opt_id(UserId)?,
        created_at: c.time()?,
    })
}

/// Errors: `Conflict` on `list_name`.
pub fn create(tx: &mut Tx, w: WorkspaceId, list: &List) -> Result<()> {
    let l = list;
    tx.of(w).exec(
        "INSERT INTO list (workspace_id, id, name, sort_name, type, owner_id, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        args![l.id, &l.name, fold(&l.name), l.of.as_str(), l.owner, l.created_at],
    )?;
    Ok(())
}

/// Name and owner.
///
/// Errors: `Conflict` on `list_name`; `Missing`.
pub fn update(tx: &mut Tx, w: WorkspaceId, list: &List) -> Result<()> {
    let sql = "UPDATE list SET name = $3, sort_name = $4, owner_id = $5 WHERE workspace_id = $1 AND id = $2";
    tx.of(w).exec_one(sql, args![list.id, &list.name, fold(&list.name), list.owner], "list", list.id)
}

/// Errors: `Missing`.
pub fn delete(tx: &mut Tx, w: WorkspaceId, id: ListId) -> Result<()> {
    tx.of(w).exec_one("DELETE FROM list WHERE workspace_id = $1 AND id = $2", args![id], "list", id)
}

/// Errors: `Missing`.
pub fn get(q: &mut Query, w: WorkspaceId, id: ListId) -> Result<List> {
    let sql = format!("SELECT {COLUMNS} FROM list l WHERE l.workspace_id = $1 AND l.id = $2");
    let row = q.of(w).opt(&sql, args![id])?.ok_or_else(|| StoreError::missing("list", id))?;
    read(&row)
}

/// By its name, whatever its case.
pub fn named(q: &mut Query, w: WorkspaceId, name: &str) -> Result<Option<List>> {
    let sql = format!("SELECT {COLUMNS} FROM list l WHERE l.workspace_id = $1 AND l.sort_name = $2");
    q.of(w).opt(&sql, args![fold(name)])?.as_ref().map(read).transpose()
}

/// All lists by name, with how many are on each.
pub fn all(q: &mut Query, w: WorkspaceId) -> Result<Vec<(List, i64)>> {
    let sql = format!(
        "SELECT {COLUMNS}, (SELECT count(*) FROM list_member m WHERE m.workspace_id = $1 AND m.list_id = l.id)
         FROM list l WHERE l.workspace_id = $1 ORDER BY l.sort_name"
    );
    let rows = q.of(w).all(&sql, args![])?;
    rows.iter().map(|row| Ok((read(row)?, row.int(COLUMNS.split(',').count())?))).collect()
}

/// Puts contacts or companies on a list; answers those that were not on it before.
///
/// Errors: `Violation` where there is no such list.
pub fn add(
    tx: &mut Tx,
    w: WorkspaceId,
    id: ListId,
    members: &[i64],
    by: Option<UserId>,
    now: Time,
) -> Result<Vec<i64>> {
    let mut members = members.to_vec();
    members.sort_unstable();
    members.dedup();
    let rows = tx.of(w).rows(
        "INSERT INTO list_member (workspace_id, list_id, subject_id, added_by, added_at)
         SELECT $1, $2, r.id, $3, $4 FROM rows(id BIGINT) AS r WHERE TRUE
         ON CONFLICT (workspace_id, list_id, subject_id) DO NOTHING RETURNING subject_id",
        &Columns::new().ints(members),
        args![id, by, now],
    )?;
    rows.iter().map(|row| row.int(0)).collect()
}

/// Takes them off; answers those that were on it.
pub fn remove(tx: &mut Tx, w: WorkspaceId, id: ListId, members: &[i64]) -> Result<Vec<i64>> {
    let rows = tx.of(w).rows(
        "DELETE FROM list_member USING rows(id BIGINT) AS r
         WHERE list_member.workspace_id = $1 AND list_member.list_id = $2 AND list_member.subject_id = r.id
         RETURNING list_member.subject_id",
        &Columns::new().ints(members.iter().copied()),
        args![id],
    )?;
    rows.iter().map(|row| row.int(0)).collect()
}

/// Members in the order of their ids, from behind `after`.
pub fn members(q: &mut Query, w: WorkspaceId, id: ListId, after: Option<i64>, limit: usize) -> Result<Vec<i64>> {
    let sql = "SELECT subject_id FROM list_member
         WHERE workspace_id = $1 AND list_id = $2 AND subject_id > $3 ORDER BY subject_id LIMIT $4";
    let rows = q.of(w).all(sql, args![id, after.unwrap_or(i64::MIN), limit as i64])?;
    rows.iter().map(|row| row.int(0)).collect()
}

/// Whose those on a list are: each pair of an owner and their company's owner once, of a company its own for both.
pub fn owners(q: &mut Query, w: WorkspaceId, id: ListId) -> Result<Vec<(Option<UserId>, Option<UserId>)>> {
    let sql = "SELECT c.owner_id, k.owner_id FROM list_member m
         JOIN contact c ON c.workspace_id = $1 AND c.id = m.subject_id
         LEFT JOIN company k ON k.workspace_id = $1 AND k.id = c.company_id
         WHERE m.workspace_id = $1 AND m.list_id = $2
         UNION
         SELECT k.owner_id, k.owner_id FROM list_member m
         JOIN company k ON k.workspace_id = $1 AND k.id = m.subject_id
         WHERE m.workspace_id = $1 AND m.list_id = $2";
    let rows = q.of(w).all(sql, args![id])?;
    rows.iter().map(|row| Ok((row.opt_int(0)?.map(UserId), row.opt_int(1)?.map(UserId)))).collect()
}

/// How many of these are on a list.
pub fn count_among(q: &mut Query, w: WorkspaceId, id: ListId, members: &[i64]) -> Result<usize> {
    let sql = "SELECT m.subject_id FROM rows(id BIGINT) AS r
         JOIN list_member m ON m.workspace_id = $1 AND m.list_id = $2 AND m.subject_id = r.id";
    Ok(q.of(w).rows(sql, &Columns::new().ints(members.iter().copied()), args![id])?.len())
}

/// The lists that a contact or company is on, by name.
pub fn of_member(q: &mut Query, w: WorkspaceId, member: i64) -> Result<Vec<List>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM list_member m JOIN list l ON l.workspace_id = $1 AND l.id = m.list_id
         WHERE m.workspace_id = $1 AND m.subject_id = $2 ORDER BY l.sort_name"
    );
    q.of(w).all(&sql, args![member])?.iter().map(read).collect()
}
