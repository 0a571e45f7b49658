//! Lists and searches with their filters, kept under a name (CRM-1).

use crate::cells::Cells;
use crate::error::Result;
use crate::query::{Query, Tx};
use crate::row::Row;
use crate::scope::args;
use cadenza_core::ids::{UserId, ViewId, WorkspaceId};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedView {
    pub id: ViewId,
    pub owner: UserId,
    /// The list it belongs to, such as `contacts`.
    pub page: String,
    /// Unique among the owner's of that page.
    pub name: String,
    /// As it stands in the address of the page.
    pub filter: String,
    /// Whether everybody sees it, or its owner alone.
    pub shared: bool,
}

fn read(row: &Row) -> Result<SavedView> {
    let mut c = Cells::of(row, "saved_view");
    Ok(SavedView {
        id: c.id(ViewId)?,
        owner: c.id(UserId)?,
        page: c.string()?,
        name: c.string()?,
        filter: c.string()?,
        shared: c.flag()?,
    })
}

/// Keeps a view, in place of the owner's of that page and name. Answers the id that it has.
pub fn save(tx: &mut Tx, w: WorkspaceId, view: &SavedView) -> Result<ViewId> {
    let v = view;
    let row = tx.of(w).one(
        "INSERT INTO saved_view (workspace_id, id, user_id, page, name, filter, shared) VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (workspace_id, user_id, page, name) DO UPDATE SET filter = excluded.filter, shared = excluded.shared
         RETURNING id",
        args![v.id, v.owner, &v.page, &v.name, &v.filter, v.shared],
    )?;
    row.int(0).map(ViewId)
}

/// Those of a page that a user sees, by name.
pub fn seen_by(q: &mut Query, w: WorkspaceId, user: UserId, page: &str) -> Result<Vec<SavedView>> {
    let sql = "SELECT id, user_id, page, name, filter, shared FROM saved_view
         WHERE workspace_id = $1 AND page = $2 AND (user_id = $3 OR shared = 1) ORDER BY name, id";
    q.of(w).all(sql, args![page, user])?.iter().map(read).collect()
}

/// Deletes one of a user's own.
///
/// Errors: `Missing`.
pub fn delete(tx: &mut Tx, w: WorkspaceId, user: UserId, id: ViewId) -> Result<()> {
    let sql = "DELETE FROM saved_view WHERE workspace_id = $1 AND user_id = $2 AND id = $3";
    tx.of(w).exec_one(sql, args![user, id], "saved_view", id)
}
