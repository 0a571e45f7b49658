//! Applying a sequence file (SEQ-11): says what would change and what that means for whoever is in the sequence, then does
//! it in one transaction. Applying the same file again changes nothing. Those who are in the sequence follow an edit by a job,
//! which a crash does not stop for good (SEQ-9).

use super::export::{file_of, without_wordings};
use super::in_flight::{self, Choice};
use super::proof::Expected;
use super::{ActionError, Caller, Fault, Privilege, Result, Tried, check_flow, create_in, note, referred, tried};
use crate::app::App;
use crate::engine::jobs::{self, Work};
use cadenza_core::enrollment::SequenceState;
use cadenza_core::flow::edit::Movers;
use cadenza_core::flow::file::{Change, EmailTemplate, SequenceFile, SettingsPatch, Snippet, TextTemplate, plan};
use cadenza_core::flow::{Channel, Flow, Key};
use cadenza_core::ids::{JobId, MessageTemplateId, SequenceId, WorkspaceId};
use cadenza_store::folding::fold;
use cadenza_store::message_templates::{self, MessageKind, MessageTemplate};
use cadenza_store::sequences::{self, Member, MemberRole, Sequence};
use cadenza_store::{Query, StoreError, Tx, door, users, workspaces};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Failures that an answer names; the job keeps them all.
const FAILURES_SAID: usize = 20;

/// What applying a file would do.
#[derive(Debug, Clone, Serialize)]
pub struct Planned {
    /// The sequence that is there already.
    pub sequence: Option<SequenceId>,
    pub changes: Vec<Change>,
    /// What it means for those who are in the sequence, in words.
    pub in_flight: Vec<String>,
    /// Who may move to the new version, and what becomes of everybody then (SEQ-9). Empty where there is nothing to choose.
    pub choices: Vec<Choice>,
    /// Names file and sequence as they were looked at: what is applied is what was planned, or nothing.
    pub digest: String,
}

impl Planned {
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

/// What was done.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AppliedFile {
    pub sequence: SequenceId,
    /// How many moved to the new version or stand on a step whose content or timing changed.
    pub followed: i64,
    /// Why some did not follow, the first of them.
    pub failures: Vec<String>,
}

/// Says what applying a file would change, having checked that it may.
///
/// # Errors
/// `Invalid` naming what the file refers to and is not there, and what its flow lacks; `Refused` where the sequence's state
/// does not allow one of the changes.
pub async fn plan_file(app: &App, caller: &Caller, file: &SequenceFile) -> Result<Planned> {
    caller.need(Privilege::SequencesSave)?;
    let (app2, caller2, file) = (app.clone(), caller.clone(), file.clone());
    app.db.read_async(move |q| plan_in(&app2, q, &caller2, &file)).await?.map(|(planned, _)| planned)
}

/// Applies a file as it was planned. `movers` go to the new version where the structure changes while people are in it.
///
/// # Errors
/// As [`plan_file`]; `Refused` with `plan_outdated` where file or sequence are not what was planned, with
/// `choose_who_moves` where nobody said who.
pub async fn apply_file(
    app: &App,
    caller: &Caller,
    file: &SequenceFile,
    digest: &str,
    movers: Option<Movers>,
) -> Result<AppliedFile> {
    caller.need(Privilege::SequencesSave)?;
    let (app2, caller2, file, digest) = (app.clone(), caller.clone(), file.clone(), digest.to_owned());
    let (sequence, job) = tried(app, move |tx| apply_in(&app2, tx, &caller2, &file, &digest, movers)).await??;
    let mut applied = AppliedFile { sequence, followed: 0, failures: Vec::new() };
    if let Some(job) = job {
        let w = caller.workspace;
        applied.followed = jobs::see_through(app, w, job).await?.done;
        let failures = move |q: &mut Query| cadenza_store::jobs::failures(q, w, job, 0, FAILURES_SAID);
        let failures = app.db.read_async(failures).await?;
        applied.failures = failures.into_iter().map(|f| format!("{}: {}", f.subject, f.why)).collect();
    }
    Ok(applied)
}

/// The file of a sequence with the structure of an earlier version, for applying it again: the way back from an edit.
///
/// # Errors
/// `Missing`, also of the version.
pub async fn file_at(app: &App, caller: &Caller, id: SequenceId, version: u32) -> Result<SequenceFile> {
    caller.need(Privilege::SequencesView)?;
    let w = caller.workspace;
    let found = app.db.read_async(move |q| {
        let s = sequences::get(q, w, id)?;
        let Some(mut flow) = in_flight::version_of(q, w, &s, version)? else { return Ok(None) };
        without_wordings(&mut flow);
        Ok(Some(SequenceFile { branches: flow.branches, ..file_of(q, w, &s)? }))
    });
    found.await?.ok_or_else(|| ActionError::missing("version", version))
}

/// The plan, and the file with what it leaves unsaid.
fn plan_in(app: &App, q: &mut Query, caller: &Caller, file: &SequenceFile) -> Tried<(Planned, SequenceFile)> {
    if let Err(e) = Expected::Sequence.check(file) {
        return Ok(Err(e));
    }
    if let Err(e) = referred(q, caller, file)? {
        return Ok(Err(e));
    }
    if let Err(e) = team(q, caller, file)? {
        return Ok(Err(e));
    }
    let w = caller.workspace;
    let found = sequences::named(q, w, &file.name)?;
    let mut file = file.clone();
    // What a file states as the workspace has it is as good as unsaid.
    let base = workspaces::settings(q, w)?.sequence;
    file.settings = SettingsPatch::between(&base, &file.settings.over(&base));
    let old = match &found {
        None => None,
        Some(s) => {
            let mut old = file_of(q, w, s)?;
            // Templates that the file does not hold stay as they are.
            let settled = stored_wordings(q, caller, &file)?;
            (old.email_templates, old.text_templates, old.snippets) = settled;
            file.primary_user = file.primary_user.or_else(|| old.primary_user.clone());
            file.team.sort();
            Some(old)
        }
    };
    let changes = plan(old.as_ref(), &file);
    let (old, new) = (old.map(|f| f.branches), &file);
    if let Err(e) = check_file(app, q, caller, found.as_ref(), new)? {
        return Ok(Err(e));
    }
    let (mut lines, mut choices) = (Vec::new(), Vec::new());
    if let Some(s) = &found {
        if let Err(e) = in_flight::allowed(q, caller, s, &changes)? {
            return Ok(Err(e));
        }
        let touched = touched_steps(old.as_deref().unwrap_or_default(), new);
        let met = match in_flight::in_flight(q, w, s, &changes, &file.flow(), &touched)? {
            Ok(met) => met,
            Err(e) => return Ok(Err(e)),
        };
        if met.retimed > 0 {
            lines.push(format!("{} on a step whose content or timing changes: due dates follow", stand(met.retimed)));
        }
        choices = met.choices;
    }
    let digest = digest(found.as_ref().map_or(0, |s| s.version), &file);
    Ok(Ok((Planned { sequence: found.map(|s| s.id), changes, in_flight: lines, choices, digest }, file)))
}

fn stand(n: usize) -> String {
    if n == 1 { "1 contact stands".into() } else { format!("{n} contacts stand") }
}

/// What the workspace has of the templates that the file holds.
pub(in crate::actions) type Wordings = (Vec<EmailTemplate>, Vec<TextTemplate>, Vec<Snippet>);

pub(in crate::actions) fn stored_wordings(
    q: &mut Query,
    caller: &Caller,
    file: &SequenceFile,
) -> Result<Wordings, StoreError> {
    let w = caller.workspace;
    let mut found: Wordings = Default::default();
    for t in &file.email_templates {
        if let Some(t) = message_templates::named(q, w, MessageKind::Email, &t.name)? {
            found.0.push(EmailTemplate { name: t.name, subject: t.subject, text: t.body, html: t.html });
        }
    }
    for t in &file.text_templates {
        if let Some(t) = message_templates::named(q, w, MessageKind::Text, &t.name)? {
            found.1.push(TextTemplate { name: t.name, text: t.body });
        }
    }
    for t in &file.snippets {
        if let Some(t) = message_templates::named(q, w, MessageKind::Snippet, &t.name)? {
            found.2.push(Snippet { name: t.name, text: t.body });
        }
    }
    Ok(found)
}

/// Checks the flow as activation does.
pub(in crate::actions) fn check_file(
    app: &App,
    q: &mut Query,
    caller: &Caller,
    found: Option<&Sequence>,
    file: &SequenceFile,
) -> Tried<()> {
    let workspace = workspaces::get(q, caller.workspace)?;
    let now = app.clock.now();
    let settings = file.settings.over(&workspace.settings.sequence);
    let flow = filled_flow(q, caller.workspace, file)?;
    let begin = file.begin.or_else(|| found.and_then(|s| s.begin));
    let snippets = file.snippets.iter().map(|s| s.name.clone()).collect();
    check_flow(q, caller.workspace, &flow, file.of, &settings, begin, &workspace, snippets, now)
}

/// The steps whose content differs.
fn touched_steps(old: &[cadenza_core::flow::Branch], new: &SequenceFile) -> Vec<Key> {
    let before = |key: &Key| old.iter().flat_map(|b| &b.steps).find(|s| s.key == *key);
    let steps = new.branches.iter().flat_map(|b| &b.steps);
    steps.filter(|s| before(&s.key).is_some_and(|b| b.content != s.content)).map(|s| s.key.clone()).collect()
}

/// Names a file, and the version of what it was looked at with; 0 where that is not there yet.
pub(in crate::actions) fn digest(version: i64, file: &SequenceFile) -> String {
    let text = format!("{version}\n{}", cadenza_core::flow::file::write(file));
    Sha256::digest(text.as_bytes()).iter().take(12).map(|b| format!("{b:02x}")).collect()
}

/// The users of the team that a file names.
pub(super) fn team(q: &mut Query, caller: &Caller, file: &SequenceFile) -> Tried<Vec<Member>> {
    let (mut members, mut faults) = (Vec::new(), Vec::new());
    for address in &file.team {
        match users::signs_in_as(q, &address.to_lowercase())? {
            Some((w, id)) if w == caller.workspace => members.push(Member::User(id)),
            _ => faults.push(Fault {
                field: "team".into(),
                message: format!("Nobody signs in as {address:?} in this workspace."),
            }),
        }
    }
    Ok(if faults.is_empty() { Ok(members) } else { Err(ActionError::Invalid(faults)) })
}

/// Does it, and orders the job by which those who are in the sequence follow.
fn apply_in(
    app: &App,
    tx: &mut Tx,
    caller: &Caller,
    file: &SequenceFile,
    digest: &str,
    movers: Option<Movers>,
) -> Tried<(SequenceId, Option<JobId>)> {
    let w = caller.workspace;
    let now = app.clock.now();
    let (planned, file) = match plan_in(app, tx, caller, file)? {
        Ok(planned) => planned,
        Err(e) => return Ok(Err(e)),
    };
    if planned.digest != digest {
        let why = "File or sequence have changed since the plan was made: look at the plan again.";
        return Ok(Err(ActionError::refused("plan_outdated", why)));
    }
    let movers = match in_flight::chosen(&planned.choices, movers) {
        Ok(movers) => movers,
        Err(e) => return Ok(Err(e)),
    };
    let members = match team(tx, caller, &file)? {
        Ok(members) => members,
        Err(e) => return Ok(Err(e)),
    };
    let Some(id) = planned.sequence else {
        let id = match create_in(app, tx, caller, &file)? {
            Ok(id) => id,
            Err(e) => return Ok(Err(e)),
        };
        sequences::set_members(tx, w, id, MemberRole::Works, &members)?;
        return Ok(Ok((id, None)));
    };
    if planned.is_empty() {
        return Ok(Ok((id, None)));
    }
    let mut before = sequences::latest_flow(tx, w, id)?;
    without_wordings(&mut before);
    let touched = touched_steps(&before.branches, &file);
    save_wordings(app, tx, caller, &file)?;
    let flow = kept_flow(tx, w, &file)?;
    let version = sequences::save_flow(tx, w, id, &flow, caller.user, now)?.version;
    if let Err(e) = save_settings(app, tx, caller, id, &file, &members)? {
        return Ok(Err(e));
    }
    let said: Vec<&str> = planned.changes.iter().map(|c| c.message.as_str()).collect();
    note(app, tx, caller, "sequence.apply", id, None, Some(serde_json::json!({ "changes": said })))?;
    if planned.choices.is_empty() && planned.in_flight.is_empty() {
        return Ok(Ok((id, None)));
    }
    let total = usize::try_from(door::live_count(tx, w, id)?).unwrap_or_default();
    let work = Work::FollowEdit { sequence: id, version, movers, touched };
    Ok(Ok((id, Some(jobs::order(app, tx, w, caller.user, &work, total)?))))
}

fn save_settings(
    app: &App,
    tx: &mut Tx,
    caller: &Caller,
    id: SequenceId,
    file: &SequenceFile,
    members: &[Member],
) -> Tried<()> {
    let w = caller.workspace;
    let mut s = sequences::lock(tx, w, id)?;
    let (primary_user, list) = match referred(tx, caller, file)? {
        Ok(found) => found,
        Err(e) => return Ok(Err(e)),
    };
    let live = matches!(s.state, SequenceState::Scheduled | SequenceState::Active | SequenceState::Paused);
    if let Some(list) = list.filter(|_| live && s.list != list)
        && let Some(other) = sequences::fed_by(tx, w, list)?.filter(|o| o.id != id)
    {
        return Ok(Err(super::list_in_use(&other)));
    }
    let settings = workspaces::settings(tx, w)?;
    s.description.clone_from(&file.description);
    (s.begin, s.end, s.priority) = (file.begin, file.end, file.priority);
    (s.primary_user, s.list) = (primary_user, list);
    s.settings = file.settings.over(&settings.sequence);
    sequences::update(tx, w, &s, app.clock.now())?;
    // Teams among the members are not said in files and stay.
    let teams = sequences::members(tx, w, id, MemberRole::Works)?;
    let teams = teams.into_iter().filter(|m| matches!(m, Member::Team(_)));
    let members: Vec<Member> = members.iter().copied().chain(teams).collect();
    sequences::set_members(tx, w, id, MemberRole::Works, &members)?;
    Ok(Ok(()))
}

/// A file's flow with every wording and snippet in its place, as it would be sent.
pub(super) fn filled_flow(q: &mut Query, w: WorkspaceId, file: &SequenceFile) -> Result<Flow, StoreError> {
    let mut flow = kept_flow(q, w, file)?;
    let stored = message_templates::all(q, w)?;
    flow.take_snippets(&|name| {
        file.snippet(name).or_else(|| found_in(&stored, MessageKind::Snippet, name).map(|t| t.body.as_str()))
    });
    Ok(flow)
}

/// A file's flow as it is stored: what a step says by a template stays with it should the template go. Present templates are
/// taken in anew, and snippets put in, whenever the flow is loaded.
pub(in crate::actions) fn kept_flow(q: &mut Query, w: WorkspaceId, file: &SequenceFile) -> Result<Flow, StoreError> {
    let stored = message_templates::all(q, w)?;
    let mut flow = Flow { version: 1, branches: file.branches.clone() };
    flow.take_wordings(|channel, name| {
        let text =
            |t: &TextTemplate| EmailTemplate { name: t.name.clone(), text: t.text.clone(), ..Default::default() };
        let (kind, own) = match channel {
            Channel::Email => (MessageKind::Email, file.email_templates.iter().find(|t| t.name == name).cloned()),
            _ => (MessageKind::Text, file.text_templates.iter().find(|t| t.name == name).map(text)),
        };
        own.or_else(|| {
            let t = found_in(&stored, kind, name)?.clone();
            Some(EmailTemplate { name: t.name, subject: t.subject, text: t.body, html: t.html })
        })
    });
    Ok(flow)
}

fn found_in<'t>(all: &'t [MessageTemplate], kind: MessageKind, name: &str) -> Option<&'t MessageTemplate> {
    // Snippets are named in templates, letter by letter; templates by people.
    let alike = |t: &str| if kind == MessageKind::Snippet { t == name } else { fold(t) == fold(name) };
    all.iter().find(|t| t.kind == kind && alike(&t.name))
}

/// Saves the templates and snippets of a file under their names.
pub(in crate::actions) fn save_wordings(
    app: &App,
    tx: &mut Tx,
    caller: &Caller,
    file: &SequenceFile,
) -> Result<(), StoreError> {
    let emails = file
        .email_templates
        .iter()
        .map(|t| (MessageKind::Email, t.name.as_str(), t.subject.as_str(), t.text.as_str(), t.html.as_str()));
    let texts = file.text_templates.iter().map(|t| (MessageKind::Text, t.name.as_str(), "", t.text.as_str(), ""));
    let snippets = file.snippets.iter().map(|t| (MessageKind::Snippet, t.name.as_str(), "", t.text.as_str(), ""));
    let (w, now) = (caller.workspace, app.clock.now());
    for (kind, name, subject, body, html) in emails.chain(texts).chain(snippets) {
        let wording = (subject.to_owned(), body.to_owned(), html.to_owned());
        match message_templates::named(tx, w, kind, name)? {
            Some(t) if (&t.subject, &t.body, &t.html) == (&wording.0, &wording.1, &wording.2) => {}
            Some(mut t) => {
                (t.subject, t.body, t.html) = wording;
                message_templates::update(tx, w, &t, now)?;
            }
            None => {
                let template = MessageTemplate {
                    id: MessageTemplateId(app.next_id()),
                    kind,
                    name: name.to_owned(),
                    subject: wording.0,
                    body: wording.1,
                    html: wording.2,
                    owner: caller.user,
                    shared: true,
                    created_at: now,
                    updated_at: now,
                    version: 1,
                };
                message_templates::create(tx, w, &template)?;
            }
        }
    }
    Ok(())
}
