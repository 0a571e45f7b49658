//! Roles and what they allow (PRM-1).

use super::change::{Change, Stopped, change};
use super::fields;
use super::{ActionError, Caller, Privilege, Privileges, Result};
use crate::App;
use cadenza_store::roles::{self, Role};
use serde_json::json;

/// The role that somebody always has, or nobody could give roles any more.
pub(super) const ADMIN: &str = "Admin";

/// All roles with what they allow.
///
/// # Errors
/// `Forbidden`.
pub async fn all(app: &App, caller: &Caller) -> Result<Vec<Role>> {
    caller.need(Privilege::SettingsManage)?;
    let w = caller.workspace;
    Ok(app.db.read_async(move |q| roles::all(q, w)).await?)
}

/// Makes a role, or changes what it allows. The role Admin allows everything, always.
///
/// # Errors
/// `Invalid` for a name that is none; `Refused` for Admin (`admin_stays`).
pub async fn save(app: &App, caller: &Caller, name: String, privileges: Privileges) -> Result<()> {
    put(app, caller, name, privileges, Expected::Either).await.map(drop)
}

/// Makes a role.
///
/// # Errors
/// As [`save`]; `Refused` where there is one of that name (`name_taken`).
pub async fn create(app: &App, caller: &Caller, name: String, privileges: Privileges) -> Result<Role> {
    put(app, caller, name, privileges, Expected::New).await
}

/// Changes what a role allows.
///
/// # Errors
/// As [`save`]; `Missing`.
pub async fn change_privileges(app: &App, caller: &Caller, name: String, privileges: Privileges) -> Result<Role> {
    put(app, caller, name, privileges, Expected::Known).await
}

/// Whether the role is to be there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    New,
    Known,
    Either,
}

async fn put(app: &App, caller: &Caller, name: String, privileges: Privileges, expected: Expected) -> Result<Role> {
    let allowed = caller.allowed(Privilege::SettingsManage)?;
    let name = fields::name(&name).map_err(|e| ActionError::invalid("name", e))?;
    if name == ADMIN {
        return Err(ActionError::refused("admin_stays", "The role Admin allows everything, and that stays so."));
    }
    change(app, allowed, move |c| {
        let old = roles::all(c.tx, c.w)?.into_iter().find(|r| r.name == name);
        match (expected, &old) {
            (Expected::New, Some(_)) => {
                return Err(ActionError::refused("name_taken", format!("There is already a role {name}.")).into());
            }
            (Expected::Known, None) => return Err(ActionError::missing("role", &name).into()),
            _ => {}
        }
        let words = privileges.iter().map(|p| p.as_str().to_owned()).collect();
        let built_in = old.as_ref().is_some_and(|r| r.built_in);
        let role = Role { name: name.clone(), privileges: words, built_in };
        roles::save(c.tx, c.w, &role)?;
        let before = old.map(|r| json!({ "privileges": r.privileges }));
        let after = json!({ "name": role.name, "privileges": role.privileges });
        c.note("role.save", None, before, Some(after))?;
        Ok(role)
    })
    .await
}

/// Deletes a role of one's own that nobody has.
///
/// # Errors
/// `Missing`; `Refused` for one that comes with the product or that somebody has.
pub async fn delete(app: &App, caller: &Caller, name: String) -> Result<()> {
    let allowed = caller.allowed(Privilege::SettingsManage)?;
    change(app, allowed, move |c| {
        let role = roles::get(c.tx, c.w, &name)?;
        if role.built_in {
            return Err(ActionError::refused("built_in", format!("The role {name} comes with Cadenza.")).into());
        }
        let holders = roles::holders(c.tx, c.w, &name)?;
        if holders > 0 {
            let message = format!("{holders} users have the role {name}. Give them another first.");
            return Err(ActionError::refused("in_use", message).into());
        }
        roles::delete(c.tx, c.w, &name)?;
        c.note("role.delete", None, Some(json!({ "name": name, "privileges": role.privileges })), None)
    })
    .await
}

/// # Errors
/// `Invalid` for a role that is not there, with those that are.
pub(super) fn need(c: &mut Change<'_>, name: &str) -> Result<(), Stopped> {
    let known: Vec<String> = roles::all(c.tx, c.w)?.into_iter().map(|r| r.name).collect();
    if known.iter().any(|r| r == name) {
        return Ok(());
    }
    let message = format!("There is no role {name:?}: expected one of {}.", known.join(", "));
    Err(ActionError::invalid("role", message).into())
}
