//! The workspace's settings (SPEC §14), its name and addresses, and the release of a restored database (SND-12).

use super::change::{Change, Stopped, change};
use super::fields::{self, Faults};
use super::{Caller, Privilege, Result, overlay};
use crate::App;
use cadenza_core::settings::WorkspaceSettings;
use cadenza_store::door;
use cadenza_store::workspaces::{self, Workspace};
use serde_json::{Map, Value, json};

const POSTAL_LENGTH_MAX: usize = 500;

/// Name, postal address and public address; what is not said stays.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Identity {
    pub name: Option<String>,
    /// As it stands below each mail; may have several lines.
    pub postal_address: Option<String>,
    /// Where links in mails lead; empty for the server's own address.
    pub public_url: Option<String>,
}

/// The workspace as it is, to whoever works there.
pub async fn workspace(app: &App, caller: &Caller) -> Result<Workspace> {
    let w = caller.workspace;
    Ok(app.db.read_async(move |q| workspaces::get(q, w)).await?)
}

/// # Errors
/// `Invalid` naming each field.
pub async fn set_identity(app: &App, caller: &Caller, new: Identity) -> Result<()> {
    let allowed = caller.allowed(Privilege::SettingsManage)?;
    let mut faults = Faults::default();
    let name = new.name.and_then(|n| faults.take("name", fields::name(&n)));
    let postal_address = new.postal_address.map(|p| p.trim().to_owned());
    if postal_address.as_ref().is_some_and(|p| p.chars().count() > POSTAL_LENGTH_MAX) {
        faults.add("postal_address", format!("It is longer than {POSTAL_LENGTH_MAX} characters."));
    }
    let public_url = match new.public_url.map(|u| u.trim().trim_end_matches('/').to_owned()) {
        Some(url) if !url.is_empty() => faults.take("public_url", fields::web_address(&url)),
        other => other,
    };
    faults.done()?;
    change(app, allowed, move |c| {
        let old = workspaces::get(c.tx, c.w)?;
        let name = name.clone().unwrap_or_else(|| old.name.clone());
        let postal = postal_address.clone().unwrap_or_else(|| old.postal_address.clone());
        let url = public_url.clone().unwrap_or_else(|| old.public_url.clone());
        workspaces::save_identity(c.tx, c.w, &name, &postal, &url)?;
        let before = json!({ "name": old.name, "postal_address": old.postal_address, "public_url": old.public_url });
        let after = json!({ "name": name, "postal_address": postal, "public_url": url });
        c.note("workspace.set_identity", Some(c.w.0), Some(before), Some(after))
    })
    .await
}

/// Sets all settings. Sequences that exist keep theirs: they started from the old ones.
///
/// # Errors
/// `Forbidden`.
pub async fn save(app: &App, caller: &Caller, settings: WorkspaceSettings) -> Result<()> {
    let allowed = caller.allowed(Privilege::SettingsManage)?;
    change(app, allowed, move |c| {
        let old = workspaces::settings(c.tx, c.w)?;
        put(c, &old, &settings)
    })
    .await
}

/// Changes those settings that are named, as the API names them, and answers all. The rest stays, also where somebody else
/// changes it at the same time.
///
/// # Errors
/// `Invalid` naming each that is not known or whose value makes no sense.
pub async fn change_some(app: &App, caller: &Caller, changes: Map<String, Value>) -> Result<WorkspaceSettings> {
    let allowed = caller.allowed(Privilege::SettingsManage)?;
    change(app, allowed, move |c| {
        let old = workspaces::settings(c.tx, c.w)?;
        let settings = overlay::lay_over(&old, &changes, "")?;
        put(c, &old, &settings)?;
        Ok(settings)
    })
    .await
}

fn put(c: &mut Change<'_>, old: &WorkspaceSettings, new: &WorkspaceSettings) -> Result<(), Stopped> {
    if c.note_difference("workspace.settings", c.w.0, old, new)? {
        workspaces::save_settings(c.tx, c.w, new)?;
        // A cap may have been raised, quiet hours cut: whoever waits is looked at again at once.
        door::rouse_workspace(c.tx, c.w, c.now)?;
    }
    Ok(())
}

/// Lets a restored or copied database send again.
///
/// # Errors
/// `Forbidden`.
pub async fn release_restored(app: &App, caller: &Caller) -> Result<()> {
    let allowed = caller.allowed(Privilege::SettingsManage)?;
    change(app, allowed, move |c| {
        workspaces::set_restore_hold(c.tx, c.w, false)?;
        door::rouse_workspace(c.tx, c.w, c.now)?;
        c.note("workspace.release_restored", Some(c.w.0), None, None)
    })
    .await
}
