//! Activating a template: a sequence is made from it and put to work in one step, as often as wanted (SEQ-3). What is not said
//! is the template's, and what that does not say the workspace's at this moment.

use super::super::change::{Change, Stopped, change};
use super::super::enrollments::viewer;
use super::super::fields::{Faults, Patch};
use super::super::sequences::{self as actions, Arm, Offer, Senders, SequenceChange, Start, Unreadable, Writers};
use super::super::{ActionError, Caller, Privilege, Result, overlay};
use super::{Template, get};
use crate::app::App;
use cadenza_core::calendar::Zone;
use cadenza_core::enrollment::SequenceState;
use cadenza_core::flow::Priority;
use cadenza_core::ids::{SequenceId, TemplateId, UserId, WorkspaceId};
use cadenza_core::time::Time;
use cadenza_store::sequences::{self, MemberRole, Sequence, Sharing};
use cadenza_store::templates::{self, Source};
use cadenza_store::{Query, StoreError, users, workspaces};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// What activation is told.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Activation {
    /// Of the sequence; required, unique in the workspace.
    pub name: String,
    /// Else the template's.
    pub description: Option<String>,
    /// Else at once.
    pub begin: Option<Time>,
    pub end: Option<Time>,
    /// The id of a user, or the address they sign in with; else who activates.
    pub primary_user: Option<String>,
    /// Additional team members: ids of users or teams, or sign-in addresses.
    pub team: Vec<String>,
    /// The id of a list, or its name; required where the template's source is a list.
    pub list: Option<String>,
    pub priority: Option<Priority>,
    /// Those that differ from the template's, by name.
    pub settings: Map<String, Value>,
    pub sharing: Option<Sharing>,
    pub shared_with: Vec<String>,
    pub arm: Arm,
    pub senders: Senders,
    pub accept_unreadable: Unreadable,
}

/// Makes a sequence from a template and activates it; whoever stands on its list enters.
///
/// # Errors
/// `Missing`, also where the caller does not see the template; `Invalid` naming each field, and what the check of the flow
/// found; `Refused` without a postal address, where the name is taken or the list feeds another sequence, by the limit of
/// live sequences, where the senders are to be a primary user's who has no mailbox, or where it would write from a mailbox
/// that cannot be read and nobody accepts that. Nothing is made then.
pub async fn activate(app: &App, caller: &Caller, id: TemplateId, new: Activation) -> Result<SequenceId> {
    get(app, caller, id).await?;
    let allowed = caller.allowed(Privilege::SequencesSave)?;
    let made = change(app, allowed, move |c| activate_in(c, id, &new)).await?;
    actions::enter_from_list(app, caller, made).await?;
    Ok(made)
}

fn activate_in(c: &mut Change<'_>, id: TemplateId, new: &Activation) -> Result<SequenceId, Stopped> {
    let t = templates::get(c.tx, c.w, id)?;
    let base = workspaces::settings(c.tx, c.w)?.sequence;
    let mut s = draft(c, &t);
    s.settings = t.settings.over(&base);
    let mut faults = Faults::default();
    let said = SequenceChange {
        name: Some(new.name.clone()),
        description: new.description.clone(),
        begin: Patch::Set(new.begin.unwrap_or(c.now)),
        end: new.end.map_or(Patch::Keep, Patch::Set),
        primary_user: new.primary_user.clone(),
        list: new.list.clone().map_or(Patch::Keep, Patch::Set),
        priority: new.priority,
        sharing: new.sharing,
        ..SequenceChange::default()
    };
    actions::described(c, &mut faults, &mut s, &said)?;
    if t.source == Source::List && new.list.is_none() {
        faults.add("list", "Say which list feeds it: the template is for sequences that a list feeds.");
    }
    s.settings.zone = usual_zone_in(c.tx, c.w, &t, s.primary_user)?;
    if let Some(settings) = faults.all(overlay::lay_over(&s.settings, &new.settings, "settings"))? {
        s.settings = settings;
    }
    let team = actions::members(c, &mut faults, "team", &new.team)?;
    let sees = actions::members(c, &mut faults, "shared_with", &new.shared_with)?;
    faults.done()?;
    if let Some(other) = sequences::named(c.tx, c.w, &s.name)? {
        return Err(actions::name_taken(&other).into());
    }
    sequences::create(c.tx, c.w, &s, &t.flow)?;
    sequences::set_members(c.tx, c.w, s.id, MemberRole::Works, &team)?;
    sequences::set_members(c.tx, c.w, s.id, MemberRole::Sees, &sees)?;
    if !sequences::is_seen_by(c.tx, c.w, s.id, viewer(c.caller))? {
        let why = "You would not see it: share it with yourself, or put yourself on its team.";
        return Err(ActionError::invalid("sharing", why).into());
    }
    let (made, after) = (s.id, json!({ "name": s.name, "template": t.id }));
    c.note("sequence.create", Some(made.0), None, Some(after))?;
    let start = Start { arm: new.arm, senders: new.senders, unreadable: new.accept_unreadable };
    actions::start_in(c.app(), c.tx, c.caller, s, start)??;
    Ok(made)
}

/// As the template has it, for who activates.
fn draft(c: &Change<'_>, t: &Template) -> Sequence {
    Sequence {
        id: SequenceId(c.next_id()),
        name: String::new(),
        description: t.description.clone(),
        of: t.of,
        state: SequenceState::Draft,
        begin: None,
        end: None,
        ended: None,
        held: None,
        primary_user: c.caller.user,
        list: None,
        template: Some(t.id),
        priority: t.priority,
        settings: cadenza_core::settings::Settings::default(),
        flow_version: 1,
        sharing: Sharing::Everyone,
        created_by: c.caller.user,
        created_at: c.now,
        activated_at: None,
        updated_at: c.now,
        version: 1,
    }
}

/// The time zone of a sequence where none is said: the template's where it states one, else the primary user's, else the
/// workspace's.
///
/// # Errors
/// As [`get`]; `Missing` where there is no such user.
pub async fn usual_zone(app: &App, caller: &Caller, id: TemplateId, primary_user: UserId) -> Result<Zone> {
    let t = get(app, caller, id).await?;
    let w = caller.workspace;
    Ok(app.db.read_async(move |q| usual_zone_in(q, w, &t, primary_user)).await?)
}

fn usual_zone_in(q: &mut Query, w: WorkspaceId, t: &Template, primary_user: UserId) -> Result<Zone, StoreError> {
    if let Some(stated) = &t.settings.zone {
        return Ok(stated.clone());
    }
    match users::get(q, w, primary_user)?.zone {
        Some(theirs) => Ok(theirs),
        None => Ok(workspaces::settings(q, w)?.sequence.zone),
    }
}

/// What activating it for a primary user offers for the steps' senders (SEQ-4); nothing where that is its owner, or where all
/// steps write from their mailbox already.
///
/// # Errors
/// As [`get`].
pub async fn offer(app: &App, caller: &Caller, id: TemplateId, primary_user: UserId) -> Result<Option<Offer>> {
    let t = get(app, caller, id).await?;
    let w = caller.workspace;
    Ok(app.db.read_async(move |q| actions::offered(q, w, &t.flow, t.owner, primary_user)).await?)
}

/// The mailboxes that cannot be read, of those that a sequence made from it would write from with these senders (REC-8).
///
/// # Errors
/// As [`get`].
pub async fn unreadable(
    app: &App,
    caller: &Caller,
    id: TemplateId,
    writers: Writers,
    moved: Senders,
) -> Result<Vec<String>> {
    let t = get(app, caller, id).await?;
    let w = caller.workspace;
    Ok(app.db.read_async(move |q| actions::among(q, w, t.flow, writers, moved)).await?)
}
