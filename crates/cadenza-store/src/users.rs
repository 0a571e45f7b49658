//! Users, how they are found when they sign in, and their invitations. Sessions, tokens, roles and teams are in their own
//! files; passwords come hashed.

use crate::cells::Cells;
use crate::error::{Result, StoreError};
use crate::query::{Query, Tx};
use crate::row::Row;
use crate::scope::args;
use crate::words::words;
use cadenza_core::calendar::Zone;
use cadenza_core::ids::{UserId, WorkspaceId};
use cadenza_core::time::Time;
use std::fmt;

words! {
    /// Whether a user can sign in.
    UserState ("state of a user") {
        /// Has not accepted the invitation yet.
        Invited = "invited";
        Active = "active";
        /// No longer works here; what they did keeps their name.
        Departed = "departed";
    }
}

/// Somebody who works here.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct User {
    pub id: UserId,
    /// To sign in with; in lower case, unique over all workspaces.
    pub address: String,
    pub name: String,
    pub role: String,
    pub state: UserState,
    pub zone: Option<Zone>,
    /// How they set up their screens.
    pub settings: serde_json::Value,
    pub created_at: Time,
    pub seen_at: Option<Time>,
}

const COLUMNS: &str = "id, address, name, role, state, zone, settings, created_at, seen_at";

fn read(row: &Row) -> Result<User> {
    let mut c = Cells::of(row, "user_account");
    Ok(User {
        id: c.id(UserId)?,
        address: c.string()?,
        name: c.string()?,
        role: c.string()?,
        state: c.word(UserState::named)?,
        zone: c.opt_word(str::parse::<Zone>)?,
        settings: c.json()?,
        created_at: c.time()?,
        seen_at: c.opt_time()?,
    })
}

/// A stored password: a PHC string. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(pub String);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash")
    }
}

/// Errors: `Conflict` on `sign_in_pkey` where somebody, maybe of another workspace, signs in with that address.
pub fn create(tx: &mut Tx, w: WorkspaceId, user: &User, password: Option<&PasswordHash>) -> Result<()> {
    let u = user;
    tx.of(w).exec(
        "INSERT INTO user_account (workspace_id, id, address, name, password, role, state, zone, settings, created_at, seen_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        args![
            u.id,
            &u.address,
            &u.name,
            password.map(|p| p.0.as_str()),
            &u.role,
            u.state.as_str(),
            u.zone.as_ref().map(Zone::name),
            u.settings.to_string(),
            u.created_at,
            u.seen_at,
        ],
    )?;
    let sql = "INSERT INTO sign_in (address, of_workspace, user_id) VALUES ($1, $2, $3)";
    tx.exec(sql, &[(&u.address).into(), w.into(), u.id.into()])?;
    Ok(())
}

/// Name, role, state, zone and settings; not address and password.
///
/// Errors: `Missing`; `Violation` where there is no such role.
pub fn update(tx: &mut Tx, w: WorkspaceId, user: &User) -> Result<()> {
    let u = user;
    tx.of(w).exec_one(
        "UPDATE user_account SET name = $3, role = $4, state = $5, zone = $6, settings = $7
         WHERE workspace_id = $1 AND id = $2",
        args![u.id, &u.name, &u.role, u.state.as_str(), u.zone.as_ref().map(Zone::name), u.settings.to_string()],
        "user_account",
        u.id,
    )
}

/// Gives a user another address to sign in with.
///
/// Errors: `Missing`; `Conflict` on `sign_in_pkey`.
pub fn set_address(tx: &mut Tx, w: WorkspaceId, id: UserId, address: &str) -> Result<()> {
    let sql = "UPDATE user_account SET address = $3 WHERE workspace_id = $1 AND id = $2";
    tx.of(w).exec_one(sql, args![id, address], "user_account", id)?;
    tx.exec("DELETE FROM sign_in WHERE of_workspace = $1 AND user_id = $2", &[w.into(), id.into()])?;
    let sql = "INSERT INTO sign_in (address, of_workspace, user_id) VALUES ($1, $2, $3)";
    tx.exec(sql, &[address.into(), w.into(), id.into()])?;
    Ok(())
}

/// Sets the password and makes an invited user active. Ending the other sessions is the caller's to do.
pub fn set_password(tx: &mut Tx, w: WorkspaceId, id: UserId, password: &PasswordHash) -> Result<()> {
    let sql = "UPDATE user_account SET password = $3, state = CASE WHEN state = 'invited' THEN 'active' ELSE state END
         WHERE workspace_id = $1 AND id = $2";
    tx.of(w).exec_one(sql, args![id, password.0.as_str()], "user_account", id)
}

pub fn note_seen(tx: &mut Tx, w: WorkspaceId, id: UserId, now: Time) -> Result<()> {
    let sql = "UPDATE user_account SET seen_at = $3 WHERE workspace_id = $1 AND id = $2";
    tx.of(w).exec_one(sql, args![id, now], "user_account", id)
}

/// Errors: `Missing`.
pub fn get(q: &mut Query, w: WorkspaceId, id: UserId) -> Result<User> {
    let sql = format!("SELECT {COLUMNS} FROM user_account WHERE workspace_id = $1 AND id = $2");
    let row = q.of(w).opt(&sql, args![id])?.ok_or_else(|| StoreError::missing("user", id))?;
    read(&row)
}

/// All users of a workspace by name, the departed too.
pub fn all(q: &mut Query, w: WorkspaceId) -> Result<Vec<User>> {
    let sql = format!("SELECT {COLUMNS} FROM user_account WHERE workspace_id = $1 ORDER BY name, id");
    q.of(w).all(&sql, args![])?.iter().map(read).collect()
}

/// Which workspace and user an address signs in to.
pub fn signs_in_as(q: &mut Query, address: &str) -> Result<Option<(WorkspaceId, UserId)>> {
    let sql = "SELECT of_workspace, user_id FROM sign_in WHERE address = $1";
    let row = q.query_opt(sql, &[address.into()])?;
    row.map(|row| Ok((WorkspaceId(row.int(0)?), UserId(row.int(1)?)))).transpose()
}

/// What a password is checked against; `None` where the user has none.
pub fn password(q: &mut Query, w: WorkspaceId, id: UserId) -> Result<Option<PasswordHash>> {
    let sql = "SELECT password FROM user_account WHERE workspace_id = $1 AND id = $2";
    let row = q.of(w).opt(sql, args![id])?.ok_or_else(|| StoreError::missing("user", id))?;
    Ok(row.opt_text(0)?.map(|p| PasswordHash(p.to_owned())))
}

/// An invitation that was not accepted yet. Its token is known to the invited alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    pub user: UserId,
    pub token_hash: String,
    pub invited_by: UserId,
    pub created_at: Time,
    pub expires_at: Time,
}

/// Invites a user, in place of an earlier invitation.
pub fn invite(tx: &mut Tx, w: WorkspaceId, invitation: &Invitation) -> Result<()> {
    let i = invitation;
    tx.of(w).exec(
        "INSERT INTO invitation (workspace_id, user_id, token_hash, invited_by, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (workspace_id, user_id) DO UPDATE SET token_hash = excluded.token_hash,
             invited_by = excluded.invited_by, created_at = excluded.created_at, expires_at = excluded.expires_at",
        args![i.user, &i.token_hash, i.invited_by, i.created_at, i.expires_at],
    )?;
    Ok(())
}

/// The user of an invitation that has not expired.
pub fn invited(q: &mut Query, w: WorkspaceId, token_hash: &str, now: Time) -> Result<Option<UserId>> {
    let sql = "SELECT user_id FROM invitation WHERE workspace_id = $1 AND token_hash = $2 AND expires_at > $3";
    let row = q.of(w).opt(sql, args![token_hash, now])?;
    row.map(|row| Ok(UserId(row.int(0)?))).transpose()
}

/// An invitation was accepted or taken back.
pub fn end_invitation(tx: &mut Tx, w: WorkspaceId, user: UserId) -> Result<()> {
    tx.of(w).exec("DELETE FROM invitation WHERE workspace_id = $1 AND user_id = $2", args![user]).map(drop)
}
