//! Mailboxes: addresses that are sent from and read. Secrets come sealed and go sealed; this file cannot open them.

use crate::cells::{Cells, to_json};
use crate::error::{Result, StoreError};
use crate::query::{Query, Tx};
use crate::row::Row;
use crate::scope::args;
use crate::words::words;
use cadenza_core::ids::{MailboxId, UserId, WorkspaceId};
use cadenza_core::pacing::{ScopeKind, Used};
use cadenza_core::time::Time;
use std::fmt;

words! {
    /// How a connection is protected.
    Security ("kind of connection security") {
        /// From the first byte.
        Tls = "tls";
        /// Asked for after the greeting, and insisted on.
        Starttls = "starttls";
        /// For relays on the same machine.
        None = "none";
    }
}

words! {
    /// How one signs in.
    Auth ("way of signing in") {
        None = "none";
        Password = "password";
        Xoauth2 = "xoauth2";
    }
}

/// How a server is reached.
#[derive(Clone, PartialEq, Eq)]
pub struct Server {
    pub host: String,
    pub port: u16,
    pub security: Security,
    pub auth: Auth,
    pub login: Option<String>,
    /// Sealed; empty of meaning without the key outside the database.
    pub secret: Option<Vec<u8>>,
}

/// Secrets stay out of logs, sealed or not.
impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{} ({}, {})", self.host, self.port, self.security, self.auth)
    }
}

/// What a mailbox may send; `None` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Caps {
    pub day: Option<u32>,
    pub hour: Option<u32>,
    pub gap_seconds: Option<u32>,
    /// The gap is longer or shorter by up to so much.
    pub jitter_seconds: Option<u32>,
}

/// An address that is sent from and read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    pub id: MailboxId,
    pub owner: UserId,
    /// Unique in the workspace; the domain in lower case.
    pub address: String,
    /// The name beside the address.
    pub name: String,
    pub sandbox: bool,
    pub signature: String,
    /// `None` for the sandbox only.
    pub smtp: Option<Server>,
    pub imap: Option<Server>,
    /// Those that are read.
    pub folders: Vec<String>,
    /// Where sent mail is found, where the server files it.
    pub sent_folder: Option<String>,
    pub caps: Caps,
    /// How old the last reading may be before follow-ups wait (REC-8).
    pub freshness_minutes: u32,
    /// Its server delivers `name+anything@…` to it, so that mails may bear an address of their own to come back to.
    pub plus_addresses: bool,
    /// A journal or gateway posts what arrives there to `/inbound`.
    pub journaled: bool,
    /// Whether replies can be seen at all.
    pub readable: bool,
    pub read_at: Option<Time>,
    /// What went wrong at the last reading.
    pub read_failure: Option<String>,
    /// Why it sends nothing at present, and since when.
    pub held: Option<(String, Time)>,
    pub created_at: Time,
    pub version: i64,
}

impl Mailbox {
    /// Those that are read, and where the user's own mail lies.
    pub fn all_folders(&self) -> Vec<&str> {
        let sent = self.sent_folder.iter().filter(|sent| !self.folders.contains(sent));
        self.folders.iter().chain(sent).map(String::as_str).collect()
    }
}

const COLUMNS: &str = "id, owner_id, address, name, sandbox, signature, smtp_host, smtp_port, smtp_security, smtp_auth, \
     smtp_login, smtp_secret, imap_host, imap_port, imap_security, imap_auth, imap_login, imap_secret, imap_folders, \
     sent_folder, day_cap, hour_cap, gap_seconds, jitter_seconds, freshness_minutes, plus_addresses, journaled, readable, \
     read_at, read_failure, held, held_at, created_at, version";

fn read(row: &Row) -> Result<Mailbox> {
    let mut c = Cells::of(row, "mailbox");
    Ok(Mailbox {
        id: c.id(MailboxId)?,
        owner: c.id(UserId)?,
        address: c.string()?,
        name: c.string()?,
        sandbox: c.flag()?,
        signature: c.string()?,
        smtp: read_server(&mut c)?,
        imap: read_server(&mut c)?,
        folders: c.json()?,
        sent_folder: c.opt_string()?,
        caps: Caps {
            day: c.opt_count()?,
            hour: c.opt_count()?,
            gap_seconds: c.opt_count()?,
            jitter_seconds: c.opt_count()?,
        },
        freshness_minutes: c.count()?,
        plus_addresses: c.flag()?,
        journaled: c.flag()?,
        readable: c.flag()?,
        read_at: c.opt_time()?,
        read_failure: c.opt_string()?,
        held: match (c.opt_string()?, c.opt_time()?) {
            (Some(why), since) => Some((why, since.unwrap_or_default())),
            (None, _) => None,
        },
        created_at: c.time()?,
        version: c.int()?,
    })
}

fn read_server(c: &mut Cells<'_>) -> Result<Option<Server>> {
    let host = c.opt_string()?;
    let port = c.opt_int()?;
    let security = c.opt_word(Security::named)?;
    let auth = c.opt_word(Auth::named)?;
    let (login, secret) = (c.opt_string()?, c.opt_blob()?);
    let (Some(host), Some(port), Some(security), Some(auth)) = (host, port, security, auth) else { return Ok(None) };
    let port = u16::try_from(port).map_err(|e| c.bad(e))?;
    Ok(Some(Server { host, port, security, auth, login, secret }))
}

/// Errors: `Conflict` on `mailbox_address` where the workspace has that address.
pub fn create(tx: &mut Tx, w: WorkspaceId, mailbox: &Mailbox) -> Result<()> {
    let m = mailbox;
    let (smtp, imap) = (m.smtp.as_ref(), m.imap.as_ref());
    tx.of(w).exec(
        "INSERT INTO mailbox (workspace_id, id, owner_id, address, name, sandbox, signature, smtp_host, smtp_port,
             smtp_security, smtp_auth, smtp_login, smtp_secret, imap_host, imap_port, imap_security, imap_auth, imap_login,
             imap_secret, imap_folders, sent_folder, day_cap, hour_cap, gap_seconds, jitter_seconds, freshness_minutes,
             plus_addresses, journaled, readable, created_at, version)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,
             $24, $25, $26, $27, $28, $29, $30, 1)",
        args![
            m.id,
            m.owner,
            &m.address,
            &m.name,
            m.sandbox,
            &m.signature,
            smtp.map(|s| s.host.as_str()),
            smtp.map(|s| s.port),
            smtp.map(|s| s.security.as_str()),
            smtp.map(|s| s.auth.as_str()),
            smtp.and_then(|s| s.login.as_deref()),
            smtp.and_then(|s| s.secret.clone()),
            imap.map(|s| s.host.as_str()),
            imap.map(|s| s.port),
            imap.map(|s| s.security.as_str()),
            imap.map(|s| s.auth.as_str()),
            imap.and_then(|s| s.login.as_deref()),
            imap.and_then(|s| s.secret.clone()),
            to_json(&m.folders, "mailbox", m.id)?,
            m.sent_folder.as_deref(),
            m.caps.day,
            m.caps.hour,
            m.caps.gap_seconds,
            m.caps.jitter_seconds,
            m.freshness_minutes,
            m.plus_addresses,
            m.journaled,
            m.readable,
            m.created_at,
        ],
    )?;
    Ok(())
}

/// Writes what a person sets: everything but identity, what was read, and the hold.
///
/// Errors: as [`create`]; `Missing`.
pub fn update(tx: &mut Tx, w: WorkspaceId, mailbox: &Mailbox) -> Result<()> {
    let m = mailbox;
    let (smtp, imap) = (m.smtp.as_ref(), m.imap.as_ref());
    tx.of(w).exec_one(
        "UPDATE mailbox SET owner_id = $3, address = $4, name = $5, signature = $6, smtp_host = $7, smtp_port = $8,
             smtp_security = $9, smtp_auth = $10, smtp_login = $11, smtp_secret = $12, imap_host = $13, imap_port = $14,
             imap_security = $15, imap_auth = $16, imap_login = $17, imap_secret = $18, imap_folders = $19,
             sent_folder = $20, day_cap = $21, hour_cap = $22, gap_seconds = $23, jitter_seconds = $24,
             freshness_minutes = $25, plus_addresses = $26, journaled = $27, readable = $28, version = version + 1
         WHERE workspace_id = $1 AND id = $2",
        args![
            m.id,
            m.owner,
            &m.address,
            &m.name,
            &m.signature,
            smtp.map(|s| s.host.as_str()),
            smtp.map(|s| s.port),
            smtp.map(|s| s.security.as_str()),
            smtp.map(|s| s.auth.as_str()),
            smtp.and_then(|s| s.login.as_deref()),
            smtp.and_then(|s| s.secret.clone()),
            imap.map(|s| s.host.as_str()),
            imap.map(|s| s.port),
            imap.map(|s| s.security.as_str()),
            imap.map(|s| s.auth.as_str()),
            imap.and_then(|s| s.login.as_deref()),
            imap.and_then(|s| s.secret.clone()),
            to_json(&m.folders, "mailbox", m.id)?,
            m.sent_folder.as_deref(),
            m.caps.day,
            m.caps.hour,
            m.caps.gap_seconds,
            m.caps.jitter_seconds,
            m.freshness_minutes,
            m.plus_addresses,
            m.journaled,
            m.readable,
        ],
        "mailbox",
        m.id,
    )
}

/// Errors: `Missing`.
pub fn get(q: &mut Query, w: WorkspaceId, id: MailboxId) -> Result<Mailbox> {
    let sql = format!("SELECT {COLUMNS} FROM mailbox WHERE workspace_id = $1 AND id = $2");
    let row = q.of(w).opt(&sql, args![id])?.ok_or_else(|| StoreError::missing("mailbox", id))?;
    read(&row)
}

/// All of a workspace, oldest first.
pub fn all(q: &mut Query, w: WorkspaceId) -> Result<Vec<Mailbox>> {
    let sql = format!("SELECT {COLUMNS} FROM mailbox WHERE workspace_id = $1 ORDER BY id");
    q.of(w).all(&sql, args![])?.iter().map(read).collect()
}

/// By its address, as it is stored.
pub fn at_address(q: &mut Query, w: WorkspaceId, address: &str) -> Result<Option<Mailbox>> {
    let sql = format!("SELECT {COLUMNS} FROM mailbox WHERE workspace_id = $1 AND address = $2");
    q.of(w).opt(&sql, args![address])?.as_ref().map(read).transpose()
}

/// A mailbox that has an inbox to be read, in its present version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inbox {
    pub workspace: WorkspaceId,
    pub mailbox: MailboxId,
    pub version: i64,
}

/// The inboxes of every workspace.
pub fn inboxes(q: &mut Query) -> Result<Vec<Inbox>> {
    let rows = q.query("SELECT workspace_id, id, version FROM mailbox WHERE imap_host IS NOT NULL ORDER BY id", &[])?;
    let inbox = |row: &Row| {
        let mut c = Cells::of(row, "mailbox");
        Ok(Inbox { workspace: c.id(WorkspaceId)?, mailbox: c.id(MailboxId)?, version: c.int()? })
    };
    rows.iter().map(inbox).collect()
}

/// When the oldest enrollment that is live with this mailbox began; `None` where there is none.
pub fn oldest_live(q: &mut Query, w: WorkspaceId, id: MailboxId) -> Result<Option<Time>> {
    let sql = "SELECT MIN(enrolled_at) FROM enrollment WHERE workspace_id = $1 AND mailbox_id = $2 AND life IN (0, 1)";
    q.of(w).one(sql, args![id])?.opt_time(0)
}

/// Nothing goes out from it until [`release`].
pub fn hold(tx: &mut Tx, w: WorkspaceId, id: MailboxId, why: &str, now: Time) -> Result<()> {
    let sql = "UPDATE mailbox SET held = $3, held_at = $4, version = version + 1 WHERE workspace_id = $1 AND id = $2";
    tx.of(w).exec_one(sql, args![id, why, now], "mailbox", id)
}

pub fn release(tx: &mut Tx, w: WorkspaceId, id: MailboxId) -> Result<()> {
    let sql =
        "UPDATE mailbox SET held = NULL, held_at = NULL, version = version + 1 WHERE workspace_id = $1 AND id = $2";
    tx.of(w).exec_one(sql, args![id], "mailbox", id)
}

/// The inbox was read whole at `at`, or could not be.
pub fn note_reading(
    tx: &mut Tx,
    w: WorkspaceId,
    id: MailboxId,
    at: Time,
    outcome: std::result::Result<(), &str>,
) -> Result<()> {
    match outcome {
        Ok(()) => {
            let sql = "UPDATE mailbox SET read_at = $3, read_failure = NULL WHERE workspace_id = $1 AND id = $2";
            tx.of(w).exec_one(sql, args![id, at], "mailbox", id)
        }
        Err(why) => {
            let sql = "UPDATE mailbox SET read_failure = $3 WHERE workspace_id = $1 AND id = $2";
            tx.of(w).exec_one(sql, args![id, why], "mailbox", id)
        }
    }
}

/// Deletes a mailbox from which nothing was ever sent; the others are part of what happened.
///
/// Errors: `Missing`.
pub fn delete(tx: &mut Tx, w: WorkspaceId, id: MailboxId) -> Result<()> {
    tx.of(w).exec_one("DELETE FROM mailbox WHERE workspace_id = $1 AND id = $2", args![id], "mailbox", id)
}

/// Whether anything was ever sent from it.
pub fn is_used(q: &mut Query, w: WorkspaceId, id: MailboxId) -> Result<bool> {
    let sql = "SELECT 1 FROM send WHERE workspace_id = $1 AND mailbox_id = $2 LIMIT 1";
    Ok(q.of(w).opt(sql, args![id])?.is_some())
}

/// What the caps of mailboxes have counted: kind, mailbox, since when and how many. Only limits that hold are counted.
pub fn counted(q: &mut Query, w: WorkspaceId) -> Result<Vec<(ScopeKind, MailboxId, Used)>> {
    let sql = "SELECT kind, of_id, since_at, used FROM limiter
         WHERE workspace_id = $1 AND kind IN ('mailbox_hour', 'mailbox_day')";
    let read = |row: &Row| {
        let mut c = Cells::of(row, "limiter");
        let kind = c.string()?;
        let kind =
            ScopeKind::ALL.into_iter().find(|k| k.as_str() == kind).ok_or_else(|| c.bad("no kind of limiter"))?;
        Ok((kind, c.id(MailboxId)?, Used { since: c.time()?, count: c.count()? }))
    };
    q.of(w).all(sql, args![])?.iter().map(read).collect()
}

/// Another inbox is read from now on: nothing of it was.
pub fn forget_reading(tx: &mut Tx, w: WorkspaceId, id: MailboxId) -> Result<()> {
    tx.of(w).exec("DELETE FROM mailbox_folder WHERE workspace_id = $1 AND mailbox_id = $2", args![id])?;
    let sql = "UPDATE mailbox SET read_at = NULL, read_failure = NULL WHERE workspace_id = $1 AND id = $2";
    tx.of(w).exec_one(sql, args![id], "mailbox", id)
}

/// How far a folder has been read (RFC 9051 §2.3.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    pub uid_validity: u32,
    pub uid_next: u32,
}

/// With the moment at which it was reached.
pub fn position(q: &mut Query, w: WorkspaceId, id: MailboxId, folder: &str) -> Result<Option<(Position, Time)>> {
    let sql = "SELECT uid_validity, uid_next, read_at FROM mailbox_folder
         WHERE workspace_id = $1 AND mailbox_id = $2 AND folder = $3";
    let row = q.of(w).opt(sql, args![id, folder])?;
    let position = |row: &Row| {
        let mut c = Cells::of(row, "mailbox_folder");
        Ok((Position { uid_validity: c.count()?, uid_next: c.count()? }, c.time()?))
    };
    row.as_ref().map(position).transpose()
}

pub fn set_position(
    tx: &mut Tx,
    w: WorkspaceId,
    id: MailboxId,
    folder: &str,
    position: Position,
    now: Time,
) -> Result<()> {
    tx.of(w).exec(
        "INSERT INTO mailbox_folder (workspace_id, mailbox_id, folder, uid_validity, uid_next, read_at)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (workspace_id, mailbox_id, folder)
         DO UPDATE SET uid_validity = excluded.uid_validity, uid_next = excluded.uid_next, read_at = excluded.read_at",
        args![id, folder, position.uid_validity, position.uid_next, now],
    )?;
    Ok(())
}
