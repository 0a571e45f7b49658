//! Changing a template: how it is called and seen, or all that it says by its file.

use super::super::change::{Change, Stopped, change};
use super::super::fields::{self, Faults};
use super::super::sequences::{Expected, save_wordings};
use super::super::{ActionError, Caller, Privilege, Result, records};
use super::{Template, apply, laid_over, own, refuse_taken};
use crate::app::App;
use cadenza_core::flow::file::SequenceFile;
use cadenza_core::ids::TemplateId;
use cadenza_store::templates::{self, Source};
use serde::Deserialize;
use serde_json::{Value, json};

const DESCRIPTION_LENGTH_MAX: usize = 5_000;

/// What is said of a template; what is not said stays.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TemplateChange {
    pub name: Option<String>,
    pub description: Option<String>,
    /// The id of a user, or the address they sign in with.
    pub owner: Option<String>,
    pub source: Option<Source>,
    pub shared: Option<bool>,
    /// The version that was looked at.
    pub version: Option<i64>,
}

/// Changes how a template is called, whose it is and who sees it.
///
/// # Errors
/// `Invalid` naming each field; `Missing`, also where the caller does not see it; `Refused` where the name is taken, or
/// as `changed_meanwhile` where it is at another version than was looked at.
pub async fn update(app: &App, caller: &Caller, id: TemplateId, new: TemplateChange) -> Result<()> {
    change(app, caller.allowed(Privilege::SequencesView)?, move |c| {
        let old = own(c, id)?;
        refuse_other_version(&old, new.version)?;
        let mut t = old.clone();
        let mut faults = Faults::default();
        if let Some(name) = new.name.as_deref().and_then(|n| faults.take("name", fields::name(n))) {
            t.name = name;
        }
        match &new.description {
            Some(text) if text.chars().count() > DESCRIPTION_LENGTH_MAX => {
                faults.add("description", format!("It is longer than {DESCRIPTION_LENGTH_MAX} characters."));
            }
            Some(text) => text.trim().clone_into(&mut t.description),
            None => {}
        }
        if let Some(typed) = &new.owner {
            match records::user(c, typed)? {
                Some(user) => t.owner = user,
                None => faults.add("owner", format!("Nobody of this workspace is {typed:?}.")),
            }
        }
        t.source = new.source.unwrap_or(t.source);
        t.shared = new.shared.unwrap_or(t.shared);
        faults.done()?;
        refuse_taken(c.tx, c.w, &t)?;
        if c.note_difference("template.update", id.0, &shown(&old), &shown(&t))? {
            templates::update(c.tx, c.w, &t, c.now)?;
        }
        Ok(())
    })
    .await
}

fn refuse_other_version(t: &Template, looked_at: Option<i64>) -> Result<()> {
    if looked_at.is_none_or(|version| version == t.version) {
        return Ok(());
    }
    let why =
        format!("The template {:?} was changed meanwhile (it is at version {}): look at it again.", t.name, t.version);
    Err(ActionError::refused("changed_meanwhile", why))
}

/// What the audit log says.
fn shown(t: &Template) -> Value {
    json!({ "name": t.name, "description": t.description, "owner": t.owner, "source": t.source, "shared": t.shared })
}

/// Makes a template what a file says, its name too; its type stays. The flow is checked as activation checks it.
///
/// # Errors
/// As [`update`]; `Invalid` with what the check of the flow found.
pub async fn save_file(
    app: &App,
    caller: &Caller,
    id: TemplateId,
    file: &SequenceFile,
    version: Option<i64>,
) -> Result<()> {
    let allowed = caller.allowed(Privilege::SequencesView)?;
    let file = file.clone();
    change(app, allowed, move |c| {
        let old = own(c, id)?;
        Expected::Template.check(&file)?;
        refuse_other_version(&old, version)?;
        save_in(c, old, &file)
    })
    .await
}

/// As [`save_file`], of a template that is locked and may be changed.
pub(super) fn save_in(c: &mut Change<'_>, old: Template, file: &SequenceFile) -> Result<(), Stopped> {
    let owner = apply::owner(c.tx, c.caller, file)??.unwrap_or(old.owner);
    let (changes, file) = apply::changes(c.app(), c.tx, c.caller, Some(&old), file)??;
    if changes.is_empty() {
        return c.note_difference("template.apply", old.id.0, &(), &()).map(drop);
    }
    let new = laid_over(c, old, &file, owner)?;
    refuse_taken(c.tx, c.w, &new)?;
    save_wordings(c.app(), c.tx, c.caller, &file)?;
    templates::update(c.tx, c.w, &new, c.now)?;
    let said: Vec<&str> = changes.iter().map(|change| change.message.as_str()).collect();
    c.note("template.apply", Some(new.id.0), None, Some(json!({ "changes": said })))
}
