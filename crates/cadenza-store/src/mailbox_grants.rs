//! What lets a mailbox sign in by OAuth 2: the refresh token that a person gave, and the access token that it brought last.
//! Secrets come sealed and go sealed. A person's change and a renewal each move the version, so that neither is written
//! over the other; one renewal at a time has the claim, over all nodes.

use crate::cells::Cells;
use crate::error::Result;
use crate::query::{Query, Tx};
use crate::row::Row;
use crate::scope::args;
use cadenza_core::ids::{MailboxId, WorkspaceId};
use cadenza_core::time::Time;
use std::fmt;

/// As RFC 6749 calls what access tokens are given for.
#[derive(Clone, PartialEq, Eq)]
pub struct Grant {
    /// An https address.
    pub token_endpoint: String,
    pub client_id: String,
    /// Sealed. Public clients have none.
    pub client_secret: Option<Vec<u8>>,
    /// Sealed.
    pub refresh_token: Vec<u8>,
    pub access: Option<Access>,
    /// Why there will be no more tokens until somebody changes something.
    pub failure: Option<String>,
    pub version: i64,
}

/// An access token with its time.
#[derive(Clone, PartialEq, Eq)]
pub struct Access {
    /// Sealed.
    pub token: Vec<u8>,
    /// From then on another is asked for.
    pub renew_at: Time,
    pub expires_at: Time,
}

/// Secrets stay out of logs, sealed or not.
impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Grant({}, version {})", self.token_endpoint, self.version)
    }
}
impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Access(until {})", self.expires_at)
    }
}

pub fn get(q: &mut Query, w: WorkspaceId, id: MailboxId) -> Result<Option<Grant>> {
    let sql =
        "SELECT token_endpoint, client_id, client_secret, refresh_token, access_token, renew_at, expires_at, failure,
             version
         FROM mailbox_grant WHERE workspace_id = $1 AND mailbox_id = $2";
    let grant = |row: &Row| {
        let mut c = Cells::of(row, "mailbox_grant");
        Ok(Grant {
            token_endpoint: c.string()?,
            client_id: c.string()?,
            client_secret: c.opt_blob()?,
            refresh_token: c.blob()?,
            access: match (c.opt_blob()?, c.opt_time()?, c.opt_time()?) {
                (Some(token), Some(renew_at), Some(expires_at)) => Some(Access { token, renew_at, expires_at }),
                _ => None,
            },
            failure: c.opt_string()?,
            version: c.int()?,
        })
    };
    q.of(w).opt(sql, args![id])?.as_ref().map(grant).transpose()
}

/// Writes what a person says. What was fetched with the one before is forgotten.
pub fn set(tx: &mut Tx, w: WorkspaceId, id: MailboxId, grant: &Grant) -> Result<()> {
    tx.of(w).exec(
        "INSERT INTO mailbox_grant (workspace_id, mailbox_id, token_endpoint, client_id, client_secret, refresh_token, version)
         VALUES ($1, $2, $3, $4, $5, $6, 1)
         ON CONFLICT (workspace_id, mailbox_id) DO UPDATE SET token_endpoint = excluded.token_endpoint,
             client_id = excluded.client_id, client_secret = excluded.client_secret,
             refresh_token = excluded.refresh_token, access_token = NULL, renew_at = NULL, expires_at = NULL, failure = NULL,
             claimed_until = NULL, version = mailbox_grant.version + 1",
        args![
            id,
            &grant.token_endpoint,
            &grant.client_id,
            grant.client_secret.clone(),
            grant.refresh_token.clone(),
        ],
    )?;
    Ok(())
}

pub fn remove(tx: &mut Tx, w: WorkspaceId, id: MailboxId) -> Result<()> {
    tx.of(w).exec("DELETE FROM mailbox_grant WHERE workspace_id = $1 AND mailbox_id = $2", args![id])?;
    Ok(())
}

/// Takes the right to renew for a while; false where another has it, or the grant is not of this version any more.
pub fn claim(tx: &mut Tx, w: WorkspaceId, id: MailboxId, version: i64, now: Time, until: Time) -> Result<bool> {
    let changed = tx.of(w).exec(
        "UPDATE mailbox_grant SET claimed_until = $5
         WHERE workspace_id = $1 AND mailbox_id = $2 AND version = $3 AND (claimed_until IS NULL OR claimed_until <= $4)",
        args![id, version, now, until],
    )?;
    Ok(changed == 1)
}

/// Gives the right back with nothing fetched.
pub fn give_back(tx: &mut Tx, w: WorkspaceId, id: MailboxId, version: i64) -> Result<()> {
    tx.of(w).exec(
        "UPDATE mailbox_grant SET claimed_until = NULL WHERE workspace_id = $1 AND mailbox_id = $2 AND version = $3",
        args![id, version],
    )?;
    Ok(())
}

/// Writes what was fetched, and the refresh token that is good from now on; false where somebody changed the grant since.
pub fn renewed(
    tx: &mut Tx,
    w: WorkspaceId,
    id: MailboxId,
    version: i64,
    access: &Access,
    refresh_token: &[u8],
) -> Result<bool> {
    let changed = tx.of(w).exec(
        "UPDATE mailbox_grant SET access_token = $4, renew_at = $5, expires_at = $6,
             refresh_token = $7, failure = NULL, claimed_until = NULL, version = version + 1
         WHERE workspace_id = $1 AND mailbox_id = $2 AND version = $3",
        args![id, version, access.token.clone(), access.renew_at, access.expires_at, refresh_token.to_vec()],
    )?;
    Ok(changed == 1)
}

/// There will be no more tokens; false where somebody changed the grant since.
pub fn failed(tx: &mut Tx, w: WorkspaceId, id: MailboxId, version: i64, why: &str) -> Result<bool> {
    let changed = tx.of(w).exec(
        "UPDATE mailbox_grant SET failure = $4, claimed_until = NULL, version = version + 1
         WHERE workspace_id = $1 AND mailbox_id = $2 AND version = $3",
        args![id, version, why],
    )?;
    Ok(changed == 1)
}

/// It may be tried again.
pub fn forget_failure(tx: &mut Tx, w: WorkspaceId, id: MailboxId) -> Result<()> {
    tx.of(w).exec(
        "UPDATE mailbox_grant SET failure = NULL, version = version + 1
         WHERE workspace_id = $1 AND mailbox_id = $2 AND failure IS NOT NULL",
        args![id],
    )?;
    Ok(())
}
