//! Sequence templates (SEQ-1): flows that never run themselves, made from a file, a sequence or another template. As files they
//! are in `apply`, put to work in `activate`.

mod activate;
mod apply;
mod edit;

pub use activate::{Activation, activate, offer, unreadable, usual_zone};
pub use apply::{PlannedTemplate, apply_file, export, plan_file};
pub use edit::{TemplateChange, save_file, update};

pub(super) use apply::owner;

use super::change::{Change, Stopped, change};
use super::enrollments::viewer;
use super::sequences::{Expected, kept_flow, save_wordings};
use super::{ActionError, Caller, Privilege, Result, fields};
use crate::app::App;
use cadenza_core::flow::file::{Form, SequenceFile, SettingsPatch};
use cadenza_core::flow::{Flow, Priority};
use cadenza_core::ids::{SequenceId, TemplateId, UserId};
use cadenza_core::merge::Of;
use cadenza_core::nearest::did_you_mean;
use cadenza_store::sequences::{self, Sequence, Sharing, SubjectType};
use cadenza_store::templates::{self, Source, Template};
use cadenza_store::{Query, door, users, workspaces};
use serde_json::json;
use std::collections::HashMap;

/// A template in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    pub template: Template,
    /// Sequences made from it that the caller sees.
    pub sequences: usize,
}

/// The templates that the caller sees, by name: those with these words in it.
///
/// # Errors
/// `Forbidden`.
pub async fn list(app: &App, caller: &Caller, typed: &str) -> Result<Vec<Listed>> {
    caller.need(Privilege::SequencesView)?;
    let (w, viewer) = (caller.workspace, viewer(caller));
    let read = move |q: &mut Query| Ok((templates::seen(q, w, viewer)?, sequences::seen(q, w, viewer)?));
    let (mut all, made) = app.db.read_async(read).await?;
    let mut counts: HashMap<TemplateId, usize> = HashMap::new();
    made.iter().filter_map(|s| s.template).for_each(|t| *counts.entry(t).or_default() += 1);
    let words: Vec<String> = typed.split_whitespace().map(str::to_lowercase).collect();
    all.retain(|t| words.iter().all(|word| t.name.to_lowercase().contains(word)));
    let listed = |t: Template| Listed { sequences: counts.get(&t.id).copied().unwrap_or_default(), template: t };
    Ok(all.into_iter().map(listed).collect())
}

/// One template.
///
/// # Errors
/// `Missing`, also where the caller does not see it.
pub async fn get(app: &App, caller: &Caller, id: TemplateId) -> Result<Template> {
    caller.need(Privilege::SequencesView)?;
    let (w, viewer) = (caller.workspace, viewer(caller));
    let found = app.db.read_async(move |q| templates::find(q, w, id)).await?;
    found.filter(|t| t.is_seen_by(viewer)).ok_or_else(|| ActionError::missing("template", id))
}

/// Its flow as it would be sent, with the present wordings and snippets in their places.
///
/// # Errors
/// As [`get`].
pub async fn flow(app: &App, caller: &Caller, id: TemplateId) -> Result<Flow> {
    let (w, mut flow) = (caller.workspace, get(app, caller, id).await?.flow);
    let read = move |q: &mut Query| door::put_words_in(q, w, &mut flow).map(|()| flow);
    Ok(app.db.read_async(read).await?)
}

/// The sequences made from a template that the caller sees, by name.
///
/// # Errors
/// As [`get`].
pub async fn made_from(app: &App, caller: &Caller, id: TemplateId) -> Result<Vec<Sequence>> {
    get(app, caller, id).await?;
    let (w, viewer) = (caller.workspace, viewer(caller));
    let mut all = app.db.read_async(move |q| sequences::seen(q, w, viewer)).await?;
    all.retain(|s| s.template == Some(id));
    Ok(all)
}

/// A template by its id or its name.
///
/// # Errors
/// `Missing`, with the name that was probably meant.
pub async fn find(app: &App, caller: &Caller, text: &str) -> Result<Template> {
    if let Ok(id) = text.trim().parse::<TemplateId>() {
        return get(app, caller, id).await;
    }
    caller.need(Privilege::SequencesView)?;
    let (w, viewer, asked) = (caller.workspace, viewer(caller), text.trim().to_owned());
    let read = move |q: &mut Query| Ok((templates::named(q, w, &asked)?, templates::seen(q, w, viewer)?));
    let (found, others) = app.db.read_async(read).await?;
    found.filter(|t| t.is_seen_by(viewer)).ok_or_else(|| {
        let guess = did_you_mean(text, others.iter().map(|t| t.name.as_str()));
        ActionError::missing("template", format!("{text:?}{guess}"))
    })
}

/// Makes a template from a file.
///
/// # Errors
/// `Refused` where the name is taken; `Invalid` naming what the file refers to and is not there.
pub async fn create(app: &App, caller: &Caller, file: &SequenceFile) -> Result<TemplateId> {
    let allowed = caller.allowed(Privilege::SequencesSave)?;
    Expected::Template.check(file)?;
    let file = file.clone();
    change(app, allowed, move |c| create_in(c, &file)).await
}

fn create_in(c: &mut Change<'_>, file: &SequenceFile) -> Result<TemplateId, Stopped> {
    let owner = owner(c.tx, c.caller, file)??.unwrap_or(c.caller.user);
    let mut made = blank(c);
    made.of = match file.of {
        Of::Contacts => SubjectType::Contacts,
        Of::Companies => SubjectType::Companies,
    };
    let made = laid_over(c, made, file, owner)?;
    save_wordings(c.app(), c.tx, c.caller, file)?;
    make(c, made)
}

/// A template that says nothing yet; everybody sees it, as everybody sees a new sequence.
fn blank(c: &Change<'_>) -> Template {
    Template {
        id: TemplateId(c.next_id()),
        name: String::new(),
        description: String::new(),
        owner: c.caller.user,
        of: SubjectType::Contacts,
        source: Source::OneByOne,
        priority: Priority::Normal,
        flow: Flow { version: 1, branches: Vec::new() },
        settings: SettingsPatch::default(),
        shared: true,
        created_at: c.now,
        updated_at: c.now,
        version: 1,
    }
}

/// What a file says, in place of what was there. Its type stays.
fn laid_over(c: &mut Change<'_>, old: Template, file: &SequenceFile, owner: UserId) -> Result<Template, Stopped> {
    let name = fields::name(&file.name).map_err(|e| ActionError::invalid("name", e))?;
    Ok(Template {
        name,
        description: file.description.clone(),
        owner,
        source: if file.form == Form::TemplateForList { Source::List } else { Source::OneByOne },
        priority: file.priority,
        flow: kept_flow(c.tx, c.w, file)?,
        settings: file.settings.clone(),
        ..old
    })
}

fn make(c: &mut Change<'_>, made: Template) -> Result<TemplateId, Stopped> {
    refuse_taken(c.tx, c.w, &made)?;
    templates::create(c.tx, c.w, &made)?;
    c.note("template.create", Some(made.id.0), None, Some(json!({ "name": made.name })))?;
    Ok(made.id)
}

/// Names are unique, so that a file finds its template.
fn refuse_taken(q: &mut Query, w: cadenza_core::ids::WorkspaceId, t: &Template) -> Result<(), Stopped> {
    match templates::named(q, w, &t.name)?.filter(|other| other.id != t.id) {
        Some(other) => Err(name_taken(&other).into()),
        None => Ok(()),
    }
}

fn name_taken(other: &Template) -> ActionError {
    ActionError::refused("name_taken", format!("There is already a template {:?}; names are unique.", other.name))
}

/// Makes a template of a sequence in whatever state (SEQ-8); without a name it has the sequence's. What belongs to one
/// sequence alone (its dates, its list, who works on it) is not taken along.
///
/// # Errors
/// `Missing`, also where the caller does not see the sequence; `Refused` where the name is taken.
pub async fn from_sequence(
    app: &App,
    caller: &Caller,
    sequence: SequenceId,
    name: Option<String>,
) -> Result<TemplateId> {
    let allowed = caller.allowed(Privilege::SequencesSave)?;
    super::sequences::seen(app, caller, sequence).await?;
    change(app, allowed, move |c| {
        let s = sequences::get(c.tx, c.w, sequence)?;
        let name = named(name.as_deref(), &s.name)?;
        let settings = settings_of(c.tx, c.w, &s)?;
        let mut flow = sequences::latest_flow(c.tx, c.w, s.id)?;
        flow.version = 1;
        flow.branches.iter_mut().flat_map(|b| &mut b.steps).for_each(|step| step.revision = 0);
        let made = Template {
            name,
            description: s.description,
            of: s.of,
            source: if s.list.is_some() { Source::List } else { Source::OneByOne },
            priority: s.priority,
            flow,
            settings,
            shared: s.sharing == Sharing::Everyone,
            ..blank(c)
        };
        make(c, made)
    })
    .await
}

fn named(typed: Option<&str>, usual: &str) -> Result<String> {
    fields::name(typed.unwrap_or(usual)).map_err(|e| ActionError::invalid("name", e))
}

/// The settings that differ from the workspace's. The primary user's time zone is theirs and not the template's.
fn settings_of(
    q: &mut Query,
    w: cadenza_core::ids::WorkspaceId,
    s: &Sequence,
) -> Result<SettingsPatch, cadenza_store::StoreError> {
    let base = workspaces::settings(q, w)?.sequence;
    let theirs = users::get(q, w, s.primary_user)?.zone;
    let mut stated = SettingsPatch::between(&base, &s.settings);
    stated.zone = stated.zone.filter(|zone| theirs.as_ref() != Some(zone));
    Ok(stated)
}

/// Copies a template; the copy belongs to who makes it. Without a name it is called a copy.
///
/// # Errors
/// `Missing`, also where the caller does not see it; `Refused` where the name is taken.
pub async fn copy(app: &App, caller: &Caller, id: TemplateId, name: Option<String>) -> Result<TemplateId> {
    let allowed = caller.allowed(Privilege::SequencesSave)?;
    let old = get(app, caller, id).await?;
    change(app, allowed, move |c| {
        let usual = match &name {
            Some(_) => String::new(),
            None => free_name(c, &old.name)?,
        };
        let Template { id, owner, created_at, updated_at, .. } = blank(c);
        let name = named(name.as_deref(), &usual)?;
        make(c, Template { id, name, owner, created_at, updated_at, version: 1, ..old.clone() })
    })
    .await
}

/// "Spring (copy)", else "Spring (copy 2)" and so on.
fn free_name(c: &mut Change<'_>, name: &str) -> Result<String, Stopped> {
    // Cut where the end would make it too long.
    let name: String = name.chars().take(fields::NAME_LENGTH_MAX - 20).collect();
    let mut copy = format!("{name} (copy)");
    for number in 2.. {
        if templates::named(c.tx, c.w, &copy)?.is_none() {
            break;
        }
        copy = format!("{name} (copy {number})");
    }
    Ok(copy)
}

/// Deletes a template. Sequences that were made from it stay as they are.
///
/// # Errors
/// `Missing`, also where the caller does not see it; `Forbidden`.
pub async fn delete(app: &App, caller: &Caller, id: TemplateId) -> Result<()> {
    change(app, caller.allowed(Privilege::SequencesView)?, move |c| {
        let t = own(c, id)?;
        templates::delete(c.tx, c.w, id)?;
        c.note("template.delete", Some(id.0), Some(json!({ "name": t.name })), None)
    })
    .await
}

/// A template that the caller may change: one's own need `sequences.save`, others' `sequences.manage_all`.
fn own(c: &mut Change<'_>, id: TemplateId) -> Result<Template, Stopped> {
    let found = templates::lock(c.tx, c.w, id)?;
    if !found.is_seen_by(viewer(c.caller)) {
        return Err(ActionError::missing("template", id).into());
    }
    may_save(c.caller, &found)?;
    Ok(found)
}

/// # Errors
/// `Forbidden`.
pub fn may_save(caller: &Caller, t: &Template) -> Result<()> {
    caller.need_for(t.owner, Privilege::SequencesSave, Privilege::SequencesManageAll)
}
