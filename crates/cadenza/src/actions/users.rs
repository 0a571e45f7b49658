//! Who works in a workspace: added, given a role, a new password, departed. What people do with their own account is in
//! `sign_in`, what a role allows in `roles`.

use super::change::{Change, Stopped, change};
use super::fields::{self, Faults};
use super::secrets::Secret;
use super::{ActionError, Caller, Privilege, Result, passwords, roles, sign_in};
use crate::App;
use cadenza_core::ids::UserId;
use cadenza_store::sessions;
use cadenza_store::users::{self, User, UserState};
use serde_json::json;

/// Somebody to be added.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// To sign in with; unique over all workspaces.
    pub address: String,
    pub name: String,
    pub role: String,
}

/// Adds a user, invited: a link (`sign_in::make_link`) lets them choose a password.
///
/// # Errors
/// `Invalid` naming each field; `Refused` where somebody signs in with that address (`address_taken`).
pub async fn add(app: &App, caller: &Caller, new: NewUser) -> Result<UserId> {
    let allowed = caller.allowed(Privilege::SettingsManage)?;
    let mut faults = Faults::default();
    let name = faults.take("name", fields::name(&new.name));
    let address = faults.take("address", fields::email(&new.address));
    faults.done()?;
    let (name, address, role) = (name.unwrap_or_default(), address.unwrap_or_default(), new.role);
    change(app, allowed, move |c| {
        roles::need(c, &role)?;
        if users::signs_in_as(c.tx, &address)?.is_some() {
            let message = format!("Somebody signs in as {address} already.");
            return Err(ActionError::refused("address_taken", message).into());
        }
        let user = User {
            id: UserId(c.next_id()),
            address: address.clone(),
            name: name.clone(),
            role: role.clone(),
            state: UserState::Invited,
            zone: None,
            settings: json!({}),
            created_at: c.now,
            seen_at: None,
        };
        users::create(c.tx, c.w, &user, None)?;
        let after = json!({ "name": user.name, "address": user.address, "role": user.role });
        c.note("user.add", Some(user.id.0), None, Some(after))?;
        Ok(user.id)
    })
    .await
}

/// The user of a workspace who signs in with an address.
///
/// # Errors
/// `Missing`.
pub async fn by_address(app: &App, caller: &Caller, address: &str) -> Result<UserId> {
    let folded = address.trim().to_lowercase();
    match app.db.read_async(move |q| users::signs_in_as(q, &folded)).await? {
        Some((w, id)) if w == caller.workspace => Ok(id),
        _ => Err(ActionError::missing("user", address)),
    }
}

/// Sets somebody's password; every session of theirs ends.
///
/// # Errors
/// `Invalid` for a password that is not good enough; `Missing`.
pub async fn set_password(app: &App, caller: &Caller, id: UserId, password: String) -> Result<()> {
    let allowed = caller.allowed(Privilege::SettingsManage)?;
    let w = caller.workspace;
    let user = app.db.read_async(move |q| users::get(q, w, id)).await?;
    passwords::accept(&password, &user.address, app.config.sign_in.password_length_min)?;
    let hash = app.passwords.hash(password).await?;
    change(app, allowed, move |c| {
        users::set_password(c.tx, c.w, id, &hash)?;
        sessions::end_all_but(c.tx, c.w, id, None)?;
        c.note("user.set_password", Some(id.0), None, None)
    })
    .await
}

/// Gives somebody another role.
///
/// # Errors
/// `Invalid` for a role that is not there; `Missing`; `Refused` for the last administrator (`last_admin`).
pub async fn set_role(app: &App, caller: &Caller, id: UserId, role: String) -> Result<()> {
    let allowed = caller.allowed(Privilege::SettingsManage)?;
    change(app, allowed, move |c| {
        roles::need(c, &role)?;
        let old = users::get(c.tx, c.w, id)?;
        if role != roles::ADMIN {
            keep_an_admin(c, &old)?;
        }
        let user = User { role: role.clone(), ..old.clone() };
        if c.note_difference("user.set_role", id.0, &old, &user)? {
            users::update(c.tx, c.w, &user)?;
        }
        Ok(())
    })
    .await
}

/// Somebody no longer works here: they cannot sign in, their sessions end; what they did keeps their name.
///
/// # Errors
/// `Missing`; `Refused` for the last administrator (`last_admin`).
pub async fn depart(app: &App, caller: &Caller, id: UserId) -> Result<()> {
    let allowed = caller.allowed(Privilege::SettingsManage)?;
    change(app, allowed, move |c| {
        let old = users::get(c.tx, c.w, id)?;
        keep_an_admin(c, &old)?;
        let user = User { state: UserState::Departed, ..old.clone() };
        if c.note_difference("user.depart", id.0, &old, &user)? {
            users::update(c.tx, c.w, &user)?;
            users::end_invitation(c.tx, c.w, id)?;
            sessions::end_all_but(c.tx, c.w, id, None)?;
        }
        Ok(())
    })
    .await
}

/// Somebody who departed works here again: invited anew, with the role and the records of before.
///
/// # Errors
/// `Missing`.
pub async fn take_back(app: &App, caller: &Caller, id: UserId) -> Result<()> {
    let allowed = caller.allowed(Privilege::SettingsManage)?;
    change(app, allowed, move |c| {
        let old = users::get(c.tx, c.w, id)?;
        if old.state != UserState::Departed {
            // Asked for twice, it is done.
            return c.note("user.take_back", Some(id.0), None, None);
        }
        let user = User { state: UserState::Invited, ..old.clone() };
        c.note_difference("user.take_back", id.0, &old, &user)?;
        users::update(c.tx, c.w, &user)?;
        Ok(())
    })
    .await
}

/// Makes a link by which somebody signs in once, in place of an earlier one; who is invited chooses a password by it. Answers
/// the token for `/sign-in?token=`, shown to whoever asked and kept nowhere.
///
/// # Errors
/// `Missing`; `Refused` for somebody who departed (`departed`).
pub async fn link(app: &App, caller: &Caller, id: UserId) -> Result<Secret> {
    let allowed = caller.allowed(Privilege::SettingsManage)?;
    change(app, allowed, move |c| {
        let user = users::get(c.tx, c.w, id)?;
        if user.state == UserState::Departed {
            let message = format!("{} no longer works here. Take them back first.", user.name);
            return Err(ActionError::refused("departed", message).into());
        }
        c.note("user.link", Some(id.0), None, None)
    })
    .await?;
    sign_in::make_link(app, caller.workspace, id, caller.user).await
}

/// # Errors
/// `Missing`.
pub async fn get(app: &App, caller: &Caller, id: UserId) -> Result<User> {
    let w = caller.workspace;
    Ok(app.db.read_async(move |q| users::get(q, w, id)).await?)
}

/// All users by name, the departed too.
pub async fn all(app: &App, caller: &Caller) -> Result<Vec<User>> {
    let w = caller.workspace;
    Ok(app.db.read_async(move |q| users::all(q, w)).await?)
}

/// Refuses what would leave the workspace without somebody who can change its settings.
fn keep_an_admin(c: &mut Change<'_>, user: &User) -> Result<(), Stopped> {
    let is_admin = |u: &User| u.role == roles::ADMIN && u.state == UserState::Active;
    if is_admin(user) && !users::all(c.tx, c.w)?.iter().any(|u| u.id != user.id && is_admin(u)) {
        let message = format!("{} is the last administrator. Make somebody else one first.", user.name);
        return Err(ActionError::refused("last_admin", message).into());
    }
    Ok(())
}
