//! Email templates, text templates and snippets: wordings of their own, used by steps and by users (SEQ-12).

use crate::cells::Cells;
use crate::error::{Result, StoreError};
use crate::folding::fold;
use crate::query::{Query, Tx};
use crate::row::Row;
use crate::scope::args;
use crate::words::words;
use cadenza_core::ids::{MessageTemplateId, UserId, WorkspaceId};
use cadenza_core::time::Time;

words! {
    /// What it is a wording of.
    MessageKind ("kind of wording") {
        Email = "email";
        Text = "text";
        /// A piece to be put into others.
        Snippet = "snippet";
    }
}

/// A wording with a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageTemplate {
    pub id: MessageTemplateId,
    pub kind: MessageKind,
    /// Unique among those of its kind, whatever its case.
    pub name: String,
    /// Of an email.
    pub subject: String,
    pub body: String,
    /// Of an email; empty where it is plain text.
    pub html: String,
    pub owner: UserId,
    /// Whether everybody sees it, or its owner alone.
    pub shared: bool,
    pub created_at: Time,
    pub updated_at: Time,
    pub version: i64,
}

const COLUMNS: &str = "id, kind, name, subject, body, html, owner_id, shared, created_at, updated_at, version";

fn read(row: &Row) -> Result<MessageTemplate> {
    let mut c = Cells::of(row, "message_template");
    Ok(MessageTemplate {
        id: c.id(MessageTemplateId)?,
        kind: c.word(MessageKind::named)?,
        name: c.string()?,
        subject: c.string()?,
        body: c.string()?,
        html: c.string()?,
        owner: c.id(UserId)?,
        shared: c.flag()?,
        created_at: c.time()?,
        updated_at: c.time()?,
        version: c.int()?,
    })
}

/// Errors: `Conflict` on `message_template_name`.
pub fn create(tx: &mut Tx, w: WorkspaceId, template: &MessageTemplate) -> Result<()> {
    let t = template;
    tx.of(w).exec(
        "INSERT INTO message_template (workspace_id, id, kind, name, sort_name, subject, body, html, owner_id, shared,
             created_at, updated_at, version)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1)",
        args![
            t.id,
            t.kind.as_str(),
            &t.name,
            fold(&t.name),
            &t.subject,
            &t.body,
            &t.html,
            t.owner,
            t.shared,
            t.created_at,
            t.updated_at,
        ],
    )?;
    Ok(())
}

/// Everything but its kind.
///
/// Errors: `Conflict` on `message_template_name`; `Missing`.
pub fn update(tx: &mut Tx, w: WorkspaceId, template: &MessageTemplate, now: Time) -> Result<()> {
    let t = template;
    tx.of(w).exec_one(
        "UPDATE message_template SET name = $3, sort_name = $4, subject = $5, body = $6, html = $7, owner_id = $8,
             shared = $9, updated_at = $10, version = version + 1
         WHERE workspace_id = $1 AND id = $2",
        args![t.id, &t.name, fold(&t.name), &t.subject, &t.body, &t.html, t.owner, t.shared, now],
        "message_template",
        t.id,
    )
}

/// Errors: `Missing`.
pub fn get(q: &mut Query, w: WorkspaceId, id: MessageTemplateId) -> Result<MessageTemplate> {
    let sql = format!("SELECT {COLUMNS} FROM message_template WHERE workspace_id = $1 AND id = $2");
    let row = q.of(w).opt(&sql, args![id])?.ok_or_else(|| StoreError::missing("message_template", id))?;
    read(&row)
}

/// By its name, whatever its case.
pub fn named(q: &mut Query, w: WorkspaceId, kind: MessageKind, name: &str) -> Result<Option<MessageTemplate>> {
    let sql =
        format!("SELECT {COLUMNS} FROM message_template WHERE workspace_id = $1 AND kind = $2 AND sort_name = $3");
    q.of(w).opt(&sql, args![kind.as_str(), fold(name)])?.as_ref().map(read).transpose()
}

/// Those of a kind, or of all, that a user sees, by name.
pub fn seen_by(q: &mut Query, w: WorkspaceId, user: UserId, kind: Option<MessageKind>) -> Result<Vec<MessageTemplate>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM message_template
         WHERE workspace_id = $1 AND (shared = 1 OR owner_id = $2) AND kind = COALESCE($3, kind)
         ORDER BY sort_name, id"
    );
    q.of(w).all(&sql, args![user, kind.map(MessageKind::as_str)])?.iter().map(read).collect()
}

/// All of them, whoever sees them: what flows are filled from.
pub fn all(q: &mut Query, w: WorkspaceId) -> Result<Vec<MessageTemplate>> {
    let sql = format!("SELECT {COLUMNS} FROM message_template WHERE workspace_id = $1 ORDER BY kind, sort_name");
    q.of(w).all(&sql, args![])?.iter().map(read).collect()
}

/// Errors: `Missing`.
pub fn delete(tx: &mut Tx, w: WorkspaceId, id: MessageTemplateId) -> Result<()> {
    let sql = "DELETE FROM message_template WHERE workspace_id = $1 AND id = $2";
    tx.of(w).exec_one(sql, args![id], "message_template", id)
}
