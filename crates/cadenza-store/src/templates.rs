//! Sequence templates: flows that never run themselves (SEQ-1). Wordings of single messages are in `message_templates`.

use crate::cells::{Cells, to_json};
use crate::error::{Result, StoreError};
use crate::folding::fold;
use crate::query::{Query, Tx};
use crate::row::Row;
use crate::scope::args;
use crate::sequences::SubjectType;
use crate::words::words;
use cadenza_core::flow::Flow;
use cadenza_core::ids::{TemplateId, UserId, WorkspaceId};
use cadenza_core::settings::Settings;
use cadenza_core::time::Time;

words! {
    /// Who enters a sequence made from a template.
    Source ("source of a template") {
        /// Whoever is on a list.
        List = "list";
        OneByOne = "one_by_one";
    }
}

/// A flow to make sequences from.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    pub id: TemplateId,
    pub name: String,
    pub description: String,
    pub owner: UserId,
    pub of: SubjectType,
    pub source: Source,
    pub flow: Flow,
    pub settings: Settings,
    /// Whether everybody sees it, or its owner alone.
    pub shared: bool,
    pub created_at: Time,
    pub updated_at: Time,
    pub version: i64,
}

const COLUMNS: &str =
    "id, name, description, owner_id, type, source, flow, settings, shared, created_at, updated_at, version";

fn read(row: &Row) -> Result<Template> {
    let mut c = Cells::of(row, "template");
    Ok(Template {
        id: c.id(TemplateId)?,
        name: c.string()?,
        description: c.string()?,
        owner: c.id(UserId)?,
        of: c.word(SubjectType::named)?,
        source: c.word(Source::named)?,
        flow: c.json()?,
        settings: c.json()?,
        shared: c.flag()?,
        created_at: c.time()?,
        updated_at: c.time()?,
        version: c.int()?,
    })
}

pub fn create(tx: &mut Tx, w: WorkspaceId, template: &Template) -> Result<()> {
    let t = template;
    tx.of(w).exec(
        "INSERT INTO template (workspace_id, id, name, sort_name, description, owner_id, type, source, flow, settings, shared,
             created_at, updated_at, version)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 1)",
        args![
            t.id,
            &t.name,
            fold(&t.name),
            &t.description,
            t.owner,
            t.of.as_str(),
            t.source.as_str(),
            to_json(&t.flow, "template", t.id)?,
            to_json(&t.settings, "template", t.id)?,
            t.shared,
            t.created_at,
            t.updated_at,
        ],
    )?;
    Ok(())
}

/// Everything but its type.
///
/// Errors: `Missing`.
pub fn update(tx: &mut Tx, w: WorkspaceId, template: &Template, now: Time) -> Result<()> {
    let t = template;
    tx.of(w).exec_one(
        "UPDATE template SET name = $3, sort_name = $4, description = $5, owner_id = $6, source = $7, flow = $8,
             settings = $9, shared = $10, updated_at = $11, version = version + 1
         WHERE workspace_id = $1 AND id = $2",
        args![
            t.id,
            &t.name,
            fold(&t.name),
            &t.description,
            t.owner,
            t.source.as_str(),
            to_json(&t.flow, "template", t.id)?,
            to_json(&t.settings, "template", t.id)?,
            t.shared,
            now,
        ],
        "template",
        t.id,
    )
}

/// Errors: `Missing`.
pub fn get(q: &mut Query, w: WorkspaceId, id: TemplateId) -> Result<Template> {
    let sql = format!("SELECT {COLUMNS} FROM template WHERE workspace_id = $1 AND id = $2");
    let row = q.of(w).opt(&sql, args![id])?.ok_or_else(|| StoreError::missing("template", id))?;
    read(&row)
}

/// Those that a user sees, by name.
pub fn seen_by(q: &mut Query, w: WorkspaceId, user: UserId) -> Result<Vec<Template>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM template WHERE workspace_id = $1 AND (shared = 1 OR owner_id = $2)
         ORDER BY sort_name, id"
    );
    q.of(w).all(&sql, args![user])?.iter().map(read).collect()
}

/// Errors: `Missing`.
pub fn delete(tx: &mut Tx, w: WorkspaceId, id: TemplateId) -> Result<()> {
    tx.of(w).exec_one("DELETE FROM template WHERE workspace_id = $1 AND id = $2", args![id], "template", id)
}
