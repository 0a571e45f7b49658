//! What the sandbox received (API-5): mails as raw bytes, texts as their words. It delivers and shows; it judges nothing.

use crate::cells::Cells;
use crate::error::{Result, StoreError};
use crate::page::{After, Page};
use crate::query::{Query, Tx};
use crate::row::Row;
use crate::scope::args;
use cadenza_core::flow::Channel;
use cadenza_core::ids::{MailboxId, SandboxMessageId, WorkspaceId};
use cadenza_core::time::Time;

/// A message on its arrival.
#[derive(Debug, Clone, Copy)]
pub struct Received<'a> {
    pub mailbox: Option<MailboxId>,
    pub text: bool,
    pub sender: &'a str,
    pub recipient: &'a str,
    pub subject: &'a str,
    pub message_id: &'a str,
    pub raw: &'a [u8],
}

/// A message that lies in the sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SandboxMessage {
    pub id: SandboxMessageId,
    /// Email or text.
    pub channel: Channel,
    /// The mailbox that sent it; `None` for texts.
    pub mailbox: Option<MailboxId>,
    pub sender: String,
    pub recipient: String,
    pub subject: String,
    /// Without angle brackets.
    pub message_id: String,
    pub at: Time,
    pub read_at: Option<Time>,
}

/// Somebody who got messages in the sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    pub address: String,
    pub messages: i64,
    pub unread: i64,
    pub last_at: Time,
}

/// Takes a message in. The same one twice is there twice: a double sending must be seen.
pub fn receive(tx: &mut Tx, w: WorkspaceId, id: i64, message: &Received<'_>, now: Time) -> Result<()> {
    let channel = if message.text { "text" } else { "email" };
    tx.of(w).exec(
        "INSERT INTO sandbox_message (workspace_id, id, channel, mailbox_id, sender, recipient, subject, message_id, at, raw)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        args![
            id,
            channel,
            message.mailbox,
            message.sender,
            message.recipient,
            message.subject,
            message.message_id,
            now,
            message.raw,
        ],
    )?;
    Ok(())
}

const COLUMNS: &str = "id, channel, mailbox_id, sender, recipient, subject, message_id, at, read_at";

fn read(row: &Row) -> Result<SandboxMessage> {
    let mut c = Cells::of(row, "sandbox_message");
    Ok(SandboxMessage {
        id: c.id(SandboxMessageId)?,
        channel: if c.text()? == "text" { Channel::Text } else { Channel::Email },
        mailbox: c.opt_id(MailboxId)?,
        sender: c.string()?,
        recipient: c.string()?,
        subject: c.string()?,
        message_id: c.string()?,
        at: c.time()?,
        read_at: c.opt_time()?,
    })
}

/// Newest first, those of one recipient or of all, from behind `before`.
pub fn list(
    q: &mut Query,
    w: WorkspaceId,
    recipient: Option<&str>,
    before: Option<SandboxMessageId>,
    limit: usize,
) -> Result<Page<SandboxMessage, Time>> {
    let mut args = args![limit as i64 + 1];
    let mut sql = format!("SELECT {COLUMNS} FROM sandbox_message WHERE workspace_id = $1");
    if let Some(recipient) = recipient {
        let name = args.push(recipient);
        sql.push_str(&format!(" AND recipient = {name}"));
    }
    if let Some(before) = before {
        let name = args.push(before);
        sql.push_str(&format!(" AND id < {name}"));
    }
    sql.push_str(" ORDER BY id DESC LIMIT $2");
    let rows = q.of(w).all(&sql, args)?;
    Page::of(&rows, limit, |row| {
        let message = read(row)?;
        let after = After { key: message.at, id: message.id.0 };
        Ok((message, after))
    })
}

/// Everybody who got messages, the latest first.
pub fn recipients(q: &mut Query, w: WorkspaceId, limit: usize) -> Result<Vec<Recipient>> {
    let sql = "SELECT recipient, count(*), count(*) - count(read_at), max(at) FROM sandbox_message
         WHERE workspace_id = $1 GROUP BY recipient ORDER BY max(at) DESC, recipient LIMIT $2";
    let rows = q.of(w).all(sql, args![limit as i64])?;
    let recipient = |row: &Row| {
        let mut c = Cells::of(row, "sandbox_message");
        Ok(Recipient { address: c.string()?, messages: c.int()?, unread: c.int()?, last_at: c.time()? })
    };
    rows.iter().map(recipient).collect()
}

/// Errors: `Missing`.
pub fn get(q: &mut Query, w: WorkspaceId, id: SandboxMessageId) -> Result<SandboxMessage> {
    let sql = format!("SELECT {COLUMNS} FROM sandbox_message WHERE workspace_id = $1 AND id = $2");
    let row = q.of(w).opt(&sql, args![id])?.ok_or_else(|| StoreError::missing("sandbox_message", id))?;
    read(&row)
}

/// The bytes of a mail, the words of a text. Errors: `Missing`.
pub fn raw(q: &mut Query, w: WorkspaceId, id: SandboxMessageId) -> Result<Vec<u8>> {
    let sql = "SELECT raw FROM sandbox_message WHERE workspace_id = $1 AND id = $2";
    let row = q.of(w).opt(sql, args![id])?.ok_or_else(|| StoreError::missing("sandbox_message", id))?;
    Ok(row.blob(0)?.to_vec())
}

/// Somebody looked at it; the first time counts. Errors: `Missing`.
pub fn mark_read(tx: &mut Tx, w: WorkspaceId, id: SandboxMessageId, now: Time) -> Result<()> {
    let sql = "UPDATE sandbox_message SET read_at = COALESCE(read_at, $3) WHERE workspace_id = $1 AND id = $2";
    tx.of(w).exec_one(sql, args![id, now], "sandbox_message", id)
}
