//! Files: of a record, or of a step's message.

use crate::cells::Cells;
use crate::error::{Result, StoreError};
use crate::log_entries::Record;
use crate::query::{Query, Tx};
use crate::row::Row;
use crate::scope::args;
use cadenza_core::ids::{AttachmentId, UserId, WorkspaceId};
use cadenza_core::time::Time;

/// A file, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    pub id: AttachmentId,
    pub name: String,
    pub media_type: String,
    /// Bytes.
    pub size: i64,
    pub created_by: Option<UserId>,
    pub created_at: Time,
}

const COLUMNS: &str = "id, name, media_type, size, created_by, created_at";

fn read(row: &Row) -> Result<Attachment> {
    let mut c = Cells::of(row, "attachment");
    Ok(Attachment {
        id: c.id(AttachmentId)?,
        name: c.string()?,
        media_type: c.string()?,
        size: c.int()?,
        created_by: c.opt_id(UserId)?,
        created_at: c.time()?,
    })
}

/// Keeps a file; `of` is the record it belongs to, none where it belongs to a message. `size` is read off the bytes.
pub fn add(tx: &mut Tx, w: WorkspaceId, attachment: &Attachment, of: Option<Record>, content: &[u8]) -> Result<()> {
    let a = attachment;
    let only = |column: &str| of.map(Record::column).filter(|(c, _)| *c == column).map(|(_, id)| id);
    tx.of(w).exec(
        "INSERT INTO attachment (workspace_id, id, name, media_type, size, contact_id, company_id, opportunity_id, created_by,
             created_at, content)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        args![
            a.id,
            &a.name,
            &a.media_type,
            content.len() as i64,
            only("contact_id"),
            only("company_id"),
            only("opportunity_id"),
            a.created_by,
            a.created_at,
            content,
        ],
    )?;
    Ok(())
}

/// A file with its bytes.
///
/// Errors: `Missing`.
pub fn get(q: &mut Query, w: WorkspaceId, id: AttachmentId) -> Result<(Attachment, Vec<u8>)> {
    let sql = format!("SELECT {COLUMNS}, content FROM attachment WHERE workspace_id = $1 AND id = $2");
    let row = q.of(w).opt(&sql, args![id])?.ok_or_else(|| StoreError::missing("attachment", id))?;
    Ok((read(&row)?, row.blob(COLUMNS.split(',').count())?.to_vec()))
}

/// The files of a record, newest first.
pub fn of_record(q: &mut Query, w: WorkspaceId, record: Record) -> Result<Vec<Attachment>> {
    let (column, id) = record.column();
    let sql = format!("SELECT {COLUMNS} FROM attachment WHERE workspace_id = $1 AND {column} = $2 ORDER BY id DESC");
    q.of(w).all(&sql, args![id])?.iter().map(read).collect()
}

/// Errors: `Missing`.
pub fn delete(tx: &mut Tx, w: WorkspaceId, id: AttachmentId) -> Result<()> {
    tx.of(w).exec_one("DELETE FROM attachment WHERE workspace_id = $1 AND id = $2", args![id], "attachment", id)
}
