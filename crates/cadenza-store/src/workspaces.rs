//! Workspaces: their settings, their name and key, and how the first one comes to be. Users and mailboxes are in their own
//! files.

use crate::cells::{Cells, to_json};
use crate::error::{Result, StoreError};
use crate::query::{Query, Tx};
use crate::row::Row;
use crate::scope::args;
use cadenza_core::ids::WorkspaceId;
use cadenza_core::settings::WorkspaceSettings;
use cadenza_core::time::{Span, Time};
use std::fmt;

/// One organisation.
#[derive(Clone, PartialEq)]
pub struct Workspace {
    pub id: WorkspaceId,
    pub name: String,
    pub settings: WorkspaceSettings,
    /// Signs links and keys the suppression list's hashes.
    pub signing_key: Vec<u8>,
    /// As it stands below each mail; empty until somebody says it, and nothing is activated before (SEQ-3).
    pub postal_address: String,
    /// Where links lead, without a slash at the end; empty where the server's own address is used.
    pub public_url: String,
    /// A restored or copied database holds all sending until a person releases it (SND-12).
    pub restore_hold: bool,
    /// How far a sandbox workspace's clock was skipped ahead.
    pub clock_ahead: Span,
    pub created_at: Time,
}

/// Keys stay out of logs.
impl fmt::Debug for Workspace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workspace").field("id", &self.id).field("name", &self.name).finish_non_exhaustive()
    }
}

const COLUMNS: &str = "workspace_id, name, settings, signing_key, postal_address, public_url, restore_hold, clock_ahead, \
     created_at";

fn read(row: &Row) -> Result<Workspace> {
    let mut c = Cells::of(row, "workspace");
    Ok(Workspace {
        id: c.id(WorkspaceId)?,
        name: c.string()?,
        settings: c.json()?,
        signing_key: c.blob()?,
        postal_address: c.string()?,
        public_url: c.string()?,
        restore_hold: c.flag()?,
        clock_ahead: Span::from_micros(c.int()?),
        created_at: c.time()?,
    })
}

pub fn create(tx: &mut Tx, workspace: &Workspace) -> Result<()> {
    let s = workspace;
    tx.of(s.id).exec(
        "INSERT INTO workspace (workspace_id, name, settings, signing_key, postal_address, public_url, restore_hold,
             clock_ahead, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        args![
            &s.name,
            to_json(&s.settings, "workspace", s.id)?,
            s.signing_key.as_slice(),
            &s.postal_address,
            &s.public_url,
            s.restore_hold,
            s.clock_ahead.micros(),
            s.created_at,
        ],
    )?;
    Ok(())
}

/// Errors: `Missing`.
pub fn get(q: &mut Query, w: WorkspaceId) -> Result<Workspace> {
    let sql = format!("SELECT {COLUMNS} FROM workspace WHERE workspace_id = $1");
    let row = q.of(w).opt(&sql, args![])?.ok_or_else(|| StoreError::missing("workspace", w))?;
    read(&row)
}

/// All of them, oldest first. This and [`any`] are the only questions about more than one workspace.
pub fn all(q: &mut Query) -> Result<Vec<Workspace>> {
    let sql = format!("SELECT {COLUMNS} FROM workspace ORDER BY workspace_id");
    q.query(&sql, &[])?.iter().map(read).collect()
}

/// Whether there is any: if not, the next thing to do is the first run (NAV-3).
pub fn any(q: &mut Query) -> Result<bool> {
    Ok(!q.query("SELECT 1 FROM workspace LIMIT 1", &[])?.is_empty())
}

/// Errors: `Missing`.
pub fn settings(q: &mut Query, w: WorkspaceId) -> Result<WorkspaceSettings> {
    let row = q.of(w).opt("SELECT workspace_id, settings FROM workspace WHERE workspace_id = $1", args![])?;
    let row = row.ok_or_else(|| StoreError::missing("workspace", w))?;
    let mut c = Cells::of(&row, "workspace");
    c.int()?;
    c.json()
}

pub fn save_settings(tx: &mut Tx, w: WorkspaceId, settings: &WorkspaceSettings) -> Result<()> {
    let sql = "UPDATE workspace SET settings = $2 WHERE workspace_id = $1";
    tx.of(w).exec_one(sql, args![to_json(settings, "workspace", w)?], "workspace", w)
}

/// Name, postal address and public address.
pub fn save_identity(tx: &mut Tx, w: WorkspaceId, name: &str, postal_address: &str, public_url: &str) -> Result<()> {
    let sql = "UPDATE workspace SET name = $2, postal_address = $3, public_url = $4 WHERE workspace_id = $1";
    tx.of(w).exec_one(sql, args![name, postal_address, public_url], "workspace", w)
}

pub fn set_restore_hold(tx: &mut Tx, w: WorkspaceId, hold: bool) -> Result<()> {
    let sql = "UPDATE workspace SET restore_hold = $2 WHERE workspace_id = $1";
    tx.of(w).exec_one(sql, args![hold], "workspace", w)
}

/// Holds the sending of every workspace: the database was restored or copied. Answers how many were not held before.
pub fn hold_all(tx: &mut Tx) -> Result<u64> {
    tx.exec("UPDATE workspace SET restore_hold = 1 WHERE restore_hold = 0", &[])
}

/// Remembers how far the clock was skipped ahead; it never goes back.
pub fn set_clock_ahead(tx: &mut Tx, w: WorkspaceId, ahead: Span) -> Result<()> {
    let sql = "UPDATE workspace SET clock_ahead = greatest(clock_ahead, $2) WHERE workspace_id = $1";
    tx.of(w).exec_one(sql, args![ahead.micros()], "workspace", w)
}
