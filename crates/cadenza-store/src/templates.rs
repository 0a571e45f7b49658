//! Sequence templates: flows that never run themselves (SEQ-1). Wordings of single messages are in `message_templates`.

use crate::cells::{Cells, to_json};
use crate::error::{Result, StoreError};
use crate::folding::fold;
use crate::query::{Query, Tx};
use crate::row::Row;
use crate::scope::args;
use crate::sequences::{SubjectType, Viewer, priority, priority_number};
use crate::words::words;
use cadenza_core::flow::file::SettingsPatch;
use cadenza_core::flow::{Flow, Priority};
use cadenza_core::ids::{TemplateId, UserId, WorkspaceId};
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
    /// Unique in the workspace, whatever its case.
    pub name: String,
    pub description: String,
    pub owner: UserId,
    pub of: SubjectType,
    pub source: Source,
    pub priority: Priority,
    pub flow: Flow,
    /// What it states; the rest is the workspace's at the time of activation.
    pub settings: SettingsPatch,
    /// Whether everybody sees it, or its owner alone.
    pub shared: bool,
    pub created_at: Time,
    pub updated_at: Time,
    pub version: i64,
}

impl Template {
    pub fn is_seen_by(&self, viewer: Viewer) -> bool {
        match viewer {
            Viewer::All => true,
            Viewer::User(user) => self.shared || self.owner == user,
        }
    }
}

const COLUMNS: &str = "id, name, description, owner_id, type, source, priority, flow, settings, shared, created_at, \
     updated_at, version";

fn read(row: &Row) -> Result<Template> {
    let mut c = Cells::of(row, "template");
    Ok(Template {
        id: c.id(TemplateId)?,
        name: c.string()?,
        description: c.string()?,
        owner: c.id(UserId)?,
        of: c.word(SubjectType::named)?,
        source: c.word(Source::named)?,
        priority: priority(c.int()?).ok_or_else(|| c.bad("not a priority"))?,
        flow: c.json()?,
        settings: c.json()?,
        shared: c.flag()?,
        created_at: c.time()?,
        updated_at: c.time()?,
        version: c.int()?,
    })
}

/// Errors: `Conflict` on `template_name` where the name is taken.
pub fn create(tx: &mut Tx, w: WorkspaceId, template: &Template) -> Result<()> {
    let t = template;
    tx.of(w).exec(
        "INSERT INTO template (workspace_id, id, name, sort_name, description, owner_id, type, source, priority, flow,
             settings, shared, created_at, updated_at, version)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 1)",
        args![
            t.id,
            &t.name,
            fold(&t.name),
            &t.description,
            t.owner,
            t.of.as_str(),
            t.source.as_str(),
            priority_number(t.priority),
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
/// Errors: as [`create`]; `Missing`.
pub fn update(tx: &mut Tx, w: WorkspaceId, template: &Template, now: Time) -> Result<()> {
    let t = template;
    tx.of(w).exec_one(
        "UPDATE template SET name = $3, sort_name = $4, description = $5, owner_id = $6, source = $7, priority = $8,
             flow = $9, settings = $10, shared = $11, updated_at = $12, version = version + 1
         WHERE workspace_id = $1 AND id = $2",
        args![
            t.id,
            &t.name,
            fold(&t.name),
            &t.description,
            t.owner,
            t.source.as_str(),
            priority_number(t.priority),
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
    find(q, w, id)?.ok_or_else(|| StoreError::missing("template", id))
}

/// As [`get`], for a transaction that will change it: nobody else does meanwhile.
pub fn lock(tx: &mut Tx, w: WorkspaceId, id: TemplateId) -> Result<Template> {
    let sql = format!("SELECT {COLUMNS} FROM template WHERE workspace_id = $1 AND id = $2 FOR UPDATE");
    let row = tx.of(w).opt(&sql, args![id])?;
    row.as_ref().map(read).transpose()?.ok_or_else(|| StoreError::missing("template", id))
}

pub fn find(q: &mut Query, w: WorkspaceId, id: TemplateId) -> Result<Option<Template>> {
    let sql = format!("SELECT {COLUMNS} FROM template WHERE workspace_id = $1 AND id = $2");
    q.of(w).opt(&sql, args![id])?.as_ref().map(read).transpose()
}

/// By its name, whatever its case.
pub fn named(q: &mut Query, w: WorkspaceId, name: &str) -> Result<Option<Template>> {
    let sql = format!("SELECT {COLUMNS} FROM template WHERE workspace_id = $1 AND sort_name = $2");
    q.of(w).opt(&sql, args![fold(name)])?.as_ref().map(read).transpose()
}

/// Those that a viewer sees, by name.
pub fn seen(q: &mut Query, w: WorkspaceId, viewer: Viewer) -> Result<Vec<Template>> {
    let mut args = args![];
    let sees = match viewer {
        Viewer::All => String::new(),
        Viewer::User(user) => format!(" AND (shared = 1 OR owner_id = {})", args.push(user)),
    };
    let sql = format!("SELECT {COLUMNS} FROM template WHERE workspace_id = $1{sees} ORDER BY sort_name, id");
    q.of(w).all(&sql, args)?.iter().map(read).collect()
}

/// Deletes it. Sequences that were made from it stay as they are, but for its name on them.
///
/// Errors: `Missing`.
pub fn delete(tx: &mut Tx, w: WorkspaceId, id: TemplateId) -> Result<()> {
    tx.of(w).exec_one("DELETE FROM template WHERE workspace_id = $1 AND id = $2", args![id], "template", id)?;
    let forget =
        "UPDATE sequence SET template_id = NULL, version = version + 1 WHERE workspace_id = $1 AND template_id = $2";
    tx.of(w).exec(forget, args![id]).map(drop)
}
