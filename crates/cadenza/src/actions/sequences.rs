//! What people do with sequences (SPEC §3): make one from a file, activate, pause, resume, end. What happens to those who
//! are in it follows through the door.

mod apply;
mod edit;
mod export;
mod in_flight;
mod look;
mod proof;
mod reopen;
mod senders;
mod unreadable;

pub use apply::{AppliedFile, Planned, apply_file, file_at, plan_file};
pub use edit::{SequenceChange, named, update};
pub use export::export;
pub use in_flight::Choice;
pub use look::{Looked, flow, get, list, seen};
pub use proof::{Expected, Proof, Remark, proofread, remarks};
pub use reopen::{Reopened, ended_with, reopen};
pub use senders::{Offer, Senders, offer};
pub use unreadable::{Unreadable, Writers, unreadable};

pub(super) use apply::{check_file, digest, kept_flow, save_wordings, stored_wordings};
pub(super) use edit::{described, members};
pub(super) use export::{without_wordings, wordings};
pub(super) use senders::offered;
pub(super) use unreadable::among;

use super::enrollments::tried;
use super::{ActionError, Caller, Fault, Privilege, Result};
use crate::app::App;
use crate::engine;
use cadenza_core::enrollment::{SequenceState, Subject};
use cadenza_core::flow::Flow;
use cadenza_core::flow::check::{self, Finding, Grounds, Severity};
use cadenza_core::flow::file::SequenceFile;
use cadenza_core::ids::{AuditId, CompanyId, ContactId, ListId, SequenceId, UserId, WorkspaceId};
use cadenza_core::machine::Actor;
use cadenza_core::merge::{Known, Of, fields_used};
use cadenza_core::nearest::did_you_mean;
use cadenza_core::settings::Settings;
use cadenza_core::time::Time;
use cadenza_store::custom_fields::{self, FieldOf};
use cadenza_store::message_templates::{self, MessageKind};
use cadenza_store::sequences::{self, EndedBy, Sequence, Sharing, SubjectType};
use cadenza_store::{Query, StoreError, Tx, audit, door, lists, track_record, users, workspaces};
use serde::Deserialize;
use std::collections::BTreeSet;

/// A change inside a transaction that may be refused: refusals come before the first write.
pub(super) type Tried<T> = Result<Result<T>, StoreError>;

/// Makes a draft from a file, with its flow.
///
/// # Errors
/// `Refused` where the name is taken; `Invalid` naming what the file refers to and is not there.
pub async fn create(app: &App, caller: &Caller, file: &SequenceFile) -> Result<SequenceId> {
    caller.need(Privilege::SequencesSave)?;
    Expected::Sequence.check(file)?;
    let (app2, caller2, file) = (app.clone(), caller.clone(), file.clone());
    tried(app, move |tx| create_in(&app2, tx, &caller2, &file)).await?
}

fn create_in(app: &App, tx: &mut Tx, caller: &Caller, file: &SequenceFile) -> Tried<SequenceId> {
    let w = caller.workspace;
    let now = app.clock.now();
    if let Some(other) = sequences::named(tx, w, &file.name)? {
        return Ok(Err(name_taken(&other)));
    }
    let (primary_user, list) = match referred(tx, caller, file)? {
        Ok(found) => found,
        Err(e) => return Ok(Err(e)),
    };
    let settings = workspaces::settings(tx, w)?;
    let id = SequenceId(app.next_id());
    let sequence = Sequence {
        id,
        name: file.name.clone(),
        description: file.description.clone(),
        of: match file.of {
            Of::Contacts => SubjectType::Contacts,
            Of::Companies => SubjectType::Companies,
        },
        state: SequenceState::Draft,
        begin: file.begin,
        end: file.end,
        ended: None,
        held: None,
        primary_user,
        list,
        template: None,
        priority: file.priority,
        settings: file.settings.over(&settings.sequence),
        flow_version: 1,
        sharing: Sharing::Everyone,
        created_by: caller.user,
        created_at: now,
        activated_at: None,
        updated_at: now,
        version: 1,
    };
    apply::save_wordings(app, tx, caller, file)?;
    let flow = apply::kept_flow(tx, w, file)?;
    sequences::create(tx, w, &sequence, &flow)?;
    note(app, tx, caller, "sequence.create", id, None, Some(serde_json::json!({ "name": file.name })))?;
    Ok(Ok(id))
}

pub(super) fn name_taken(other: &Sequence) -> ActionError {
    let state = other.state.label().to_lowercase();
    ActionError::refused(
        "name_taken",
        format!("There is already a sequence {:?} ({state}); names are unique.", other.name),
    )
}

/// The user and the list that a file names.
fn referred(q: &mut Query, caller: &Caller, file: &SequenceFile) -> Tried<(UserId, Option<ListId>)> {
    let mut faults = Vec::new();
    let mut user = caller.user;
    if let Some(address) = &file.primary_user {
        match users::signs_in_as(q, &address.to_lowercase())? {
            Some((w, id)) if w == caller.workspace => user = id,
            _ => faults.push(Fault {
                field: "primary_user".into(),
                message: format!("Nobody signs in as {address:?} in this workspace."),
            }),
        }
    }
    let mut list = None;
    if let Some(name) = &file.list {
        match lists::named(q, caller.workspace, name)? {
            Some(found) => list = Some(found.id),
            None => faults.push(Fault { field: "list".into(), message: format!("There is no list {name:?}.") }),
        }
    }
    Ok(if faults.is_empty() { Ok((user, list)) } else { Err(ActionError::Invalid(faults)) })
}

/// A sequence by its id or its name.
///
/// # Errors
/// `Missing`, with the name that was probably meant.
pub async fn find(app: &App, caller: &Caller, text: &str) -> Result<Sequence> {
    caller.need(Privilege::SequencesView)?;
    let (w, asked) = (caller.workspace, text.trim().to_owned());
    let found = app.db.read_async(move |q| match asked.parse::<SequenceId>() {
        Ok(id) => Ok((sequences::find(q, w, id)?, Vec::new())),
        Err(_) => match sequences::named(q, w, &asked)? {
            Some(found) => Ok((Some(found), Vec::new())),
            None => Ok((None, sequences::all(q, w)?)),
        },
    });
    let (found, others) = found.await?;
    found.ok_or_else(|| {
        let guess = did_you_mean(text, others.iter().map(|s| s.name.as_str()));
        ActionError::missing("sequence", format!("{text:?}{guess}"))
    })
}

/// Every sequence by name, the archived too.
pub async fn all(app: &App, caller: &Caller) -> Result<Vec<Sequence>> {
    caller.need(Privilege::SequencesView)?;
    let w = caller.workspace;
    Ok(app.db.read_async(move |q| sequences::all(q, w)).await?)
}

/// Deletes a draft with its flow.
///
/// # Errors
/// `Refused` where it is no draft any more, or somebody was enrolled in it.
pub async fn delete(app: &App, caller: &Caller, id: SequenceId) -> Result<()> {
    let (app2, caller2) = (app.clone(), caller.clone());
    tried(app, move |tx| -> Tried<()> {
        let w = caller2.workspace;
        let s = sequences::lock(tx, w, id)?;
        if let Err(e) = may_save(&caller2, &s) {
            return Ok(Err(e));
        }
        if s.state != SequenceState::Draft {
            return Ok(Err(not_while("deleted", &s)));
        }
        if sequences::has_enrollments(tx, w, id)? {
            let why = format!(
                "People were enrolled in {:?}, and their history speaks of it. Activate and end it, then archive it.",
                s.name
            );
            return Ok(Err(ActionError::refused("people_in_it", why)));
        }
        sequences::delete_draft(tx, w, id)?;
        note(&app2, tx, &caller2, "sequence.delete", id, Some(serde_json::json!({ "name": s.name })), None)?;
        Ok(Ok(()))
    })
    .await?
}

/// When an activated sequence starts to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arm {
    /// A begin in the future waits for a resume first (SEQ-6).
    #[default]
    Later,
    /// It begins by itself at its date.
    Now,
}

/// How a draft is activated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Start {
    pub arm: Arm,
    pub senders: Senders,
    pub unreadable: Unreadable,
}

/// Activates a draft: checks its flow, then lets it run, or waits for its begin. Who stands on its list enters.
///
/// # Errors
/// `Refused` without a postal address, where the list feeds another sequence, by the limit of live sequences, or where it
/// would write from a mailbox that cannot be read (`unreadable_mailbox`); `Invalid` with what the check of the flow found.
pub async fn activate(app: &App, caller: &Caller, id: SequenceId, arm: Arm) -> Result<SequenceState> {
    activate_with(app, caller, id, Start { arm, ..Start::default() }).await
}

/// As [`activate`], with the steps' senders where they are wanted (SEQ-4), and with mailboxes that cannot be read where that
/// is accepted (REC-8).
///
/// # Errors
/// As [`activate`]; `Refused` where the senders are to be the primary user's, who has no mailbox (`no_mailbox`).
pub async fn activate_with(app: &App, caller: &Caller, id: SequenceId, start: Start) -> Result<SequenceState> {
    let (app2, caller2) = (app.clone(), caller.clone());
    let state = tried(app, move |tx| activate_in(&app2, tx, &caller2, id, start)).await??;
    enter_from_list(app, caller, id).await?;
    Ok(state)
}

fn activate_in(app: &App, tx: &mut Tx, caller: &Caller, id: SequenceId, start: Start) -> Tried<SequenceState> {
    let s = sequences::lock(tx, caller.workspace, id)?;
    if let Err(e) = may_save(caller, &s) {
        return Ok(Err(e));
    }
    if s.state != SequenceState::Draft {
        return Ok(Err(not_while("activated", &s)));
    }
    start_in(app, tx, caller, s, start)
}

/// Lets a draft run, or wait for its begin. Who may do that was asked before.
pub(super) fn start_in(app: &App, tx: &mut Tx, caller: &Caller, mut s: Sequence, start: Start) -> Tried<SequenceState> {
    let (w, id, now) = (caller.workspace, s.id, app.clock.now());
    let workspace = workspaces::get(tx, w)?;
    if workspace.postal_address.trim().is_empty() {
        let why = "Say the workspace's postal address in Settings first: every mail has to carry it.";
        return Ok(Err(ActionError::refused("postal_address_needed", why)));
    }
    if let Err(e) = refuse_full(tx, w, &s)? {
        return Ok(Err(e));
    }
    let mut flow = sequences::latest_flow(tx, w, id)?;
    door::put_words_in(tx, w, &mut flow)?;
    let of = match s.of {
        SubjectType::Contacts => Of::Contacts,
        SubjectType::Companies => Of::Companies,
    };
    if let Err(e) = check_flow(tx, w, &flow, of, &s.settings, s.begin, &workspace, Vec::new(), now)? {
        return Ok(Err(e));
    }
    if start.unreadable == Unreadable::NotSaid
        && let Err(e) = unreadable::refuse(tx, caller, flow, &s, start.senders)?
    {
        return Ok(Err(e));
    }
    if start.senders == Senders::PrimaryUser
        && let Err(e) = senders::move_in(app, tx, caller, &s)?
    {
        return Ok(Err(e));
    }
    s.state = match (s.begin, start.arm) {
        (Some(begin), Arm::Later) if begin > now => SequenceState::Paused,
        (Some(begin), Arm::Now) if begin > now => SequenceState::Scheduled,
        _ => SequenceState::Active,
    };
    s.activated_at = Some(now);
    sequences::update(tx, w, &s, now)?;
    if s.state == SequenceState::Active {
        door::rouse_sequence(tx, w, id, now)?;
    }
    note(app, tx, caller, "sequence.activate", id, None, Some(serde_json::json!({ "state": s.state })))?;
    Ok(Ok(s.state))
}

/// A sequence that is to be live needs room among the live ones, and its list for itself (LIM-1, SEQ-5).
fn refuse_full(q: &mut Query, w: WorkspaceId, s: &Sequence) -> Tried<()> {
    let most = i64::from(workspaces::settings(q, w)?.live_sequences_max);
    if sequences::count_live(q, w)? >= most {
        let why = format!("The workspace has {most} live sequences already (limit: live sequences).");
        return Ok(Err(ActionError::refused("limit_live_sequences", why)));
    }
    if let Some(list) = s.list
        && let Some(other) = sequences::fed_by(q, w, list)?
    {
        return Ok(Err(list_in_use(&other)));
    }
    Ok(Ok(()))
}

/// What keeps a flow from running, each naming its step.
#[expect(clippy::too_many_arguments, reason = "each is one thing a flow is checked against")]
fn check_flow(
    q: &mut Query,
    w: WorkspaceId,
    flow: &Flow,
    of: Of,
    settings: &Settings,
    begin: Option<Time>,
    ws: &workspaces::Workspace,
    snippets: Vec<String>,
    now: Time,
) -> Tried<()> {
    let found = findings(q, w, flow, of, settings, begin, ws, snippets, now)?;
    let faults: Vec<Fault> = found
        .into_iter()
        .filter(|f| f.severity == Severity::Error)
        .map(|f| Fault { field: f.step.map_or_else(|| "flow".into(), |k| format!("steps.{k}")), message: f.message })
        .collect();
    Ok(if faults.is_empty() { Ok(()) } else { Err(ActionError::Invalid(faults)) })
}

/// Everything that is wrong or doubtful in a flow. The fields that exist are those of the workspace, with the snippets that
/// come along.
#[expect(clippy::too_many_arguments, reason = "each is one thing a flow is checked against")]
fn findings(
    q: &mut Query,
    w: WorkspaceId,
    flow: &Flow,
    of: Of,
    settings: &Settings,
    begin: Option<Time>,
    ws: &workspaces::Workspace,
    mut snippets: Vec<String>,
    now: Time,
) -> Result<Vec<Finding>, StoreError> {
    let used: BTreeSet<String> = flow
        .steps()
        .flat_map(|s| &s.content.variants)
        .flat_map(|v| [&v.subject, &v.text, &v.html])
        .flat_map(|text| fields_used(text))
        .filter_map(|field| field.path.strip_prefix("custom.").map(str::to_owned))
        .collect();
    let mut custom = custom_fields::carried(q, w, used.iter().map(String::as_str))?;
    for subject in [FieldOf::Contact, FieldOf::Company] {
        custom.extend(custom_fields::all(q, w, subject)?.into_iter().map(|f| f.name));
    }
    let stored = message_templates::all(q, w)?.into_iter().filter(|t| t.kind == MessageKind::Snippet);
    snippets.extend(stored.map(|t| t.name));
    let known = Known::new(of)
        .with_custom(custom.iter().map(String::as_str))
        .with_snippets(snippets.iter().map(String::as_str));
    let grounds = Grounds {
        settings,
        known: &known,
        from: begin.unwrap_or(now).max(now),
        quiet: ws.settings.quiet,
        steps_max: ws.settings.steps_max,
    };
    Ok(check::check(flow, &grounds))
}

fn list_in_use(other: &Sequence) -> ActionError {
    let why = format!("The list feeds the sequence {:?} already; a list feeds one live sequence.", other.name);
    ActionError::refused("list_in_use", why)
}

/// Pauses a running sequence: one gate is shut, no enrollment changes (SEQ-13).
pub async fn pause(app: &App, caller: &Caller, id: SequenceId) -> Result<()> {
    change(app, caller, id, "sequence.pause", |s, _| match s.state {
        SequenceState::Active | SequenceState::Scheduled => {
            s.state = SequenceState::Paused;
            Ok(())
        }
        SequenceState::Paused => Ok(()),
        _ => Err(not_while("paused", s)),
    })
    .await
}

/// Resumes a paused sequence; with its begin still ahead it waits for that. What is past due goes out paced.
pub async fn resume(app: &App, caller: &Caller, id: SequenceId) -> Result<()> {
    change(app, caller, id, "sequence.resume", |s, now| match s.state {
        SequenceState::Paused => {
            s.state = if s.begin.is_some_and(|b| b > now) { SequenceState::Scheduled } else { SequenceState::Active };
            s.held = None;
            Ok(())
        }
        SequenceState::Active | SequenceState::Scheduled => Ok(()),
        _ => Err(not_while("resumed", s)),
    })
    .await?;
    enter_from_list(app, caller, id).await
}

/// Ends a sequence for good: what is live is finished, open tasks are cancelled.
pub async fn end(app: &App, caller: &Caller, id: SequenceId) -> Result<()> {
    change(app, caller, id, "sequence.end", |s, now| match s.state {
        SequenceState::Draft => Err(not_while("ended", s)),
        SequenceState::Ended | SequenceState::Archived => Ok(()),
        _ => {
            s.state = SequenceState::Ended;
            s.ended = Some((now, EndedBy::Hand));
            Ok(())
        }
    })
    .await?;
    Ok(engine::end_sequence(app, caller.workspace, id).await?)
}

/// Hides an ended sequence from the overview, or shows it again.
pub async fn archive(app: &App, caller: &Caller, id: SequenceId, hide: Hide) -> Result<()> {
    change(app, caller, id, "sequence.archive", move |s, _| match (s.state, hide) {
        (SequenceState::Ended, Hide::Yes) => {
            s.state = SequenceState::Archived;
            Ok(())
        }
        (SequenceState::Archived, Hide::No) => {
            s.state = SequenceState::Ended;
            Ok(())
        }
        (SequenceState::Archived, Hide::Yes) | (SequenceState::Ended, Hide::No) => Ok(()),
        _ => Err(not_while("archived", s)),
    })
    .await
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hide {
    Yes,
    No,
}

/// Changes the row of a sequence, with the line of the audit log; enrollments are put before the clock where it runs then.
async fn change(
    app: &App,
    caller: &Caller,
    id: SequenceId,
    action: &'static str,
    f: impl Fn(&mut Sequence, Time) -> Result<()> + Send + Clone + 'static,
) -> Result<()> {
    let (app2, caller2) = (app.clone(), caller.clone());
    tried(app, move |tx| -> Tried<()> {
        let now = app2.clock.now();
        let mut s = sequences::lock(tx, caller2.workspace, id)?;
        if let Err(e) = may_save(&caller2, &s) {
            return Ok(Err(e));
        }
        let before = s.clone();
        if let Err(e) = f(&mut s, now) {
            return Ok(Err(e));
        }
        if s == before {
            return Ok(Ok(()));
        }
        sequences::update(tx, caller2.workspace, &s, now)?;
        if before.held.is_some() && s.held.is_none() {
            track_record::forget(tx, caller2.workspace, track_record::Of::Sequence(id))?;
        }
        if s.state == SequenceState::Active {
            door::rouse_sequence(tx, caller2.workspace, id, now)?;
        }
        let states = (serde_json::json!({ "state": before.state }), serde_json::json!({ "state": s.state }));
        note(&app2, tx, &caller2, action, id, Some(states.0), Some(states.1))?;
        Ok(Ok(()))
    })
    .await?
}

/// One's own sequences need `sequences.save`, others' `sequences.manage_all`.
fn may_save(caller: &Caller, s: &Sequence) -> Result<()> {
    caller.need_for(s.primary_user, Privilege::SequencesSave, Privilege::SequencesManageAll)
}

fn not_while(done: &str, s: &Sequence) -> ActionError {
    let code = match s.state {
        SequenceState::Draft => "not_while_draft",
        SequenceState::Scheduled => "not_while_scheduled",
        SequenceState::Active => "not_while_active",
        SequenceState::Paused => "not_while_paused",
        SequenceState::Ended => "not_while_ended",
        SequenceState::Archived => "not_while_archived",
    };
    let state = s.state.label().to_lowercase();
    ActionError::refused(code, format!("The sequence {:?} is {state} and cannot be {done}.", s.name))
}

/// Everybody on the list of a live sequence enters by themselves (SEQ-5).
pub(super) async fn enter_from_list(app: &App, caller: &Caller, id: SequenceId) -> Result<()> {
    let w = caller.workspace;
    let s = app.db.read_async(move |q| sequences::get(q, w, id)).await?;
    let Some(list) = s.list else { return Ok(()) };
    let mut after = None;
    loop {
        let members = app.db.read_async(move |q| lists::members(q, w, list, after, 500)).await?;
        after = members.last().copied();
        if members.is_empty() {
            return Ok(());
        }
        let subjects: Vec<Subject> = members
            .into_iter()
            .map(|m| match s.of {
                SubjectType::Contacts => Subject::Contact(ContactId(m)),
                SubjectType::Companies => Subject::Company(CompanyId(m)),
            })
            .collect();
        enter(app, w, id, caller.user, subjects).await?;
    }
}

async fn enter(app: &App, w: WorkspaceId, id: SequenceId, user: UserId, subjects: Vec<Subject>) -> Result<()> {
    let app2 = app.clone();
    tried(app, move |tx| {
        let by = (user, Actor::User(user));
        app2.door.enroll(tx, w, id, &subjects, by, door::Again::NotSaid, app2.clock.now()).map(|_| ())
    })
    .await?;
    Ok(())
}

/// A line of the audit log.
fn note(
    app: &App,
    tx: &mut Tx,
    caller: &Caller,
    action: &str,
    id: SequenceId,
    before: Option<serde_json::Value>,
    after: Option<serde_json::Value>,
) -> Result<(), StoreError> {
    let line = audit::Line {
        id: AuditId(app.next_id()),
        at: app.clock.now(),
        user: Some(caller.user),
        token: if let super::Via::Token(token) = caller.via { Some(token) } else { None },
        from: None,
        action: action.into(),
        object: "sequence".into(),
        object_id: Some(id.0),
        before,
        after,
    };
    audit::add(tx, caller.workspace, &line)
}
