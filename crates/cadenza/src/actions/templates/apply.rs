//! Templates as files (SEQ-11): written as everything that `apply` reads; read with a plan of what would change first. Applying
//! the same file again changes nothing.

use super::super::change::change;
use super::super::enrollments::viewer;
use super::super::sequences::{Expected, Tried, check_file, digest, stored_wordings, without_wordings, wordings};
use super::super::{ActionError, Caller, Privilege, Result};
use super::{Template, create_in, edit, get, may_save, name_taken};
use crate::app::App;
use cadenza_core::flow::file::{Change, Form, SequenceFile, plan};
use cadenza_core::ids::{TemplateId, UserId, WorkspaceId};
use cadenza_core::merge::Of;
use cadenza_store::sequences::SubjectType;
use cadenza_store::templates::{self, Source};
use cadenza_store::users::{self, UserState};
use cadenza_store::{Query, StoreError, message_templates};
use serde::Serialize;

/// What applying a file would do.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedTemplate {
    /// The template that is there already.
    pub template: Option<TemplateId>,
    pub changes: Vec<Change>,
    /// Names file and template as they were looked at: what is applied is what was planned, or nothing.
    pub digest: String,
}

/// Writes a template as a file.
///
/// # Errors
/// `Missing`, also where the caller does not see it.
pub async fn export(app: &App, caller: &Caller, id: TemplateId) -> Result<SequenceFile> {
    let found = get(app, caller, id).await?;
    let w = caller.workspace;
    Ok(app.db.read_async(move |q| file_of(q, w, &found)).await?)
}

fn file_of(q: &mut Query, w: WorkspaceId, t: &Template) -> Result<SequenceFile, StoreError> {
    let mut file = SequenceFile::new(&t.name);
    let mut flow = t.flow.clone();
    wordings(&mut file, &message_templates::all(q, w)?, &flow);
    without_wordings(&mut flow);
    file.description.clone_from(&t.description);
    file.form = match t.source {
        Source::OneByOne => Form::Template,
        Source::List => Form::TemplateForList,
    };
    file.of = of(t);
    // Who left cannot be named in a file that is to be applied again.
    let owner = users::get(q, w, t.owner)?;
    file.owner = (owner.state != UserState::Departed).then_some(owner.address);
    file.priority = t.priority;
    file.settings = t.settings.clone();
    file.branches = flow.branches;
    Ok(file)
}

fn of(t: &Template) -> Of {
    match t.of {
        SubjectType::Contacts => Of::Contacts,
        SubjectType::Companies => Of::Companies,
    }
}

/// The owner that a file names; `None` where it names nobody.
///
/// # Errors
/// `Invalid` where nobody who works here signs in so.
pub(in crate::actions) fn owner(q: &mut Query, caller: &Caller, file: &SequenceFile) -> Tried<Option<UserId>> {
    let Some(address) = &file.owner else { return Ok(Ok(None)) };
    if let Some((w, id)) = users::signs_in_as(q, &address.to_lowercase())?
        && w == caller.workspace
        && users::get(q, w, id)?.state != UserState::Departed
    {
        return Ok(Ok(Some(id)));
    }
    Ok(Err(ActionError::invalid("owner", format!("Nobody signs in as {address:?} in this workspace."))))
}

/// Says what applying a file would change, having checked that it may.
///
/// # Errors
/// `Invalid` naming what the file refers to and is not there, and what its flow lacks; `Forbidden` where the template is
/// somebody else's; `Refused` where its name is that of one that the caller does not see.
pub async fn plan_file(app: &App, caller: &Caller, file: &SequenceFile) -> Result<PlannedTemplate> {
    caller.need(Privilege::SequencesSave)?;
    let (app2, caller2, file) = (app.clone(), caller.clone(), file.clone());
    app.db.read_async(move |q| plan_in(&app2, q, &caller2, &file)).await?
}

fn plan_in(app: &App, q: &mut Query, caller: &Caller, file: &SequenceFile) -> Tried<PlannedTemplate> {
    if let Err(e) = Expected::Template.check(file) {
        return Ok(Err(e));
    }
    let found = templates::named(q, caller.workspace, &file.name)?;
    if let Some(hidden) = found.as_ref().filter(|t| !t.is_seen_by(viewer(caller))) {
        return Ok(Err(name_taken(hidden)));
    }
    let (changes, file) = match changes(app, q, caller, found.as_ref(), file)? {
        Ok(found) => found,
        Err(e) => return Ok(Err(e)),
    };
    if let Some(t) = found.as_ref().filter(|_| !changes.is_empty())
        && let Err(e) = may_save(caller, t)
    {
        return Ok(Err(e));
    }
    let digest = digest(found.as_ref().map_or(0, |t| t.version), &file);
    Ok(Ok(PlannedTemplate { template: found.map(|t| t.id), changes, digest }))
}

/// What a file changes of a template, all of it where there is none; and the file with what it leaves unsaid.
pub(super) fn changes(
    app: &App,
    q: &mut Query,
    caller: &Caller,
    found: Option<&Template>,
    file: &SequenceFile,
) -> Tried<(Vec<Change>, SequenceFile)> {
    if let Err(e) = owner(q, caller, file)? {
        return Ok(Err(e));
    }
    if let Some(t) = found.filter(|t| of(t) != file.of) {
        let why = format!("{:?} is a template for {}, and stays one: make another.", t.name, t.of);
        return Ok(Err(ActionError::invalid("type", why)));
    }
    let mut file = file.clone();
    file.owner = file.owner.map(|address| address.to_lowercase());
    let old = match found {
        None => None,
        Some(t) => {
            let mut old = file_of(q, caller.workspace, t)?;
            // Wordings that the file does not hold stay as they are.
            (old.email_templates, old.text_templates, old.snippets) = stored_wordings(q, caller, &file)?;
            file.owner = file.owner.or_else(|| old.owner.clone());
            Some(old)
        }
    };
    let changes = plan(old.as_ref(), &file);
    if let Err(e) = check_file(app, q, caller, None, &file)? {
        return Ok(Err(e));
    }
    Ok(Ok((changes, file)))
}

/// Applies a file as it was planned.
///
/// # Errors
/// As [`plan_file`]; `Refused` with `plan_outdated` where file or template are not what was planned.
pub async fn apply_file(app: &App, caller: &Caller, file: &SequenceFile, planned: &str) -> Result<TemplateId> {
    let allowed = caller.allowed(Privilege::SequencesSave)?;
    let (file, planned) = (file.clone(), planned.to_owned());
    change(app, allowed, move |c| {
        // Held before it is looked at, so that nobody changes it between the plan and the doing.
        let found = templates::named(c.tx, c.w, &file.name)?;
        let old = found.map(|t| templates::lock(c.tx, c.w, t.id)).transpose()?;
        let now = plan_in(c.app(), c.tx, c.caller, &file)??;
        if now.digest != planned {
            let why = "File or template have changed since the plan was made: look at the plan again.";
            return Err(ActionError::refused("plan_outdated", why).into());
        }
        let Some(old) = old else { return create_in(c, &file) };
        let id = old.id;
        edit::save_in(c, old, &file)?;
        Ok(id)
    })
    .await
}
