//! Changing a sequence's name, dates, settings, team and sharing (SEQ-3, SEQ-8, SEQ-10). Its flow is changed by applying a
//! file, its state by the operations beside this.

use super::super::change::{Change, Stopped, change};
use super::super::enrollments::viewer;
use super::super::fields::{self, Faults, Patch};
use super::super::{overlay, records};
use super::reopen::may_reopen;
use super::{ActionError, Caller, Privilege, Result, get, list_in_use, may_save, name_taken, not_while, reopen};
use crate::app::App;
use cadenza_core::enrollment::SequenceState;
use cadenza_core::flow::Priority;
use cadenza_core::ids::{ListId, SequenceId, TeamId};
use cadenza_core::time::Time;
use cadenza_store::sequences::{self, Member, MemberRole, Sequence, Sharing};
use cadenza_store::{lists, teams};
use serde::Deserialize;
use serde_json::{Map, Value, json};

const DESCRIPTION_LENGTH_MAX: usize = 5_000;

/// What is said of a sequence; what is not said stays.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SequenceChange {
    pub name: Option<String>,
    pub description: Option<String>,
    pub begin: Patch<Time>,
    pub end: Patch<Time>,
    /// The id of a user, or the address they sign in with.
    pub primary_user: Option<String>,
    /// The id of a list, or its name.
    pub list: Patch<String>,
    pub priority: Option<Priority>,
    /// Those that change, by name.
    pub settings: Map<String, Value>,
    pub sharing: Option<Sharing>,
    /// All of them: ids of users or teams, or sign-in addresses.
    pub team: Option<Vec<String>>,
    /// Likewise; they count where `sharing` is `some`.
    pub shared_with: Option<Vec<String>>,
}

impl SequenceChange {
    /// Does it change how the sequence runs, and not only how it is called and seen?
    fn runs_otherwise(&self) -> bool {
        self.begin != Patch::Keep
            || self.end != Patch::Keep
            || self.list != Patch::Keep
            || self.primary_user.is_some()
            || self.priority.is_some()
            || !self.settings.is_empty()
    }
}

/// Changes a sequence. How it runs can be changed while it does not: a draft, scheduled or paused. A later end date alone
/// reopens one that its date has ended (SEQ-7).
///
/// # Errors
/// `Invalid` naming each field; `Missing`, also where the caller does not see it; `Refused` by its state, where the name is
/// taken, or where the list feeds another sequence.
pub async fn update(app: &App, caller: &Caller, id: SequenceId, new: SequenceChange) -> Result<()> {
    if let Some(end) = later_end(app, caller, id, &new).await? {
        return reopen(app, caller, id, end).await.map(drop);
    }
    // Whose it is decides which privilege is needed.
    let allowed = caller.allowed_own();
    caller.need(Privilege::SequencesView)?;
    change(app, allowed, move |c| {
        if !sequences::is_seen_by(c.tx, c.w, id, viewer(c.caller))? {
            return Err(ActionError::missing("sequence", id).into());
        }
        let old = sequences::lock(c.tx, c.w, id)?;
        may_save(c.caller, &old)?;
        may_change(&old, &new)?;
        let mut sequence = old.clone();
        let mut faults = Faults::default();
        apply(c, &mut faults, &mut sequence, &new)?;
        let team = new.team.as_deref().map(|t| members(c, &mut faults, "team", t)).transpose()?;
        let sees = new.shared_with.as_deref().map(|t| members(c, &mut faults, "shared_with", t)).transpose()?;
        faults.done()?;
        refuse_taken(c, &old, &sequence)?;
        if sequence != old {
            sequences::update(c.tx, c.w, &sequence, c.now)?;
        }
        let mut said = json!({});
        for (name, role, members) in [("team", MemberRole::Works, team), ("shared_with", MemberRole::Sees, sees)] {
            if let Some(members) = members {
                said[name] = members.iter().map(named).collect();
                sequences::set_members(c.tx, c.w, id, role, &members)?;
            }
        }
        c.note_difference("sequence.update", id.0, &shown(&old, json!({})), &shown(&sequence, said)).map(drop)
    })
    .await
}

/// The end to which a sequence is to be reopened, where that is what is asked and nothing else.
async fn later_end(app: &App, caller: &Caller, id: SequenceId, new: &SequenceChange) -> Result<Option<Option<Time>>> {
    let end = match new.end {
        Patch::Keep => return Ok(None),
        Patch::Clear => None,
        Patch::Set(end) => Some(end),
    };
    if (SequenceChange { end: Patch::Keep, ..new.clone() }) != SequenceChange::default() {
        return Ok(None);
    }
    let found = get(app, caller, id).await?.sequence;
    Ok(may_reopen(&found).is_ok().then_some(end))
}

fn may_change(s: &Sequence, new: &SequenceChange) -> Result<()> {
    match s.state {
        SequenceState::Active if new.runs_otherwise() => {
            let why = format!("The sequence {:?} is active: pause it to change how it runs.", s.name);
            Err(ActionError::refused("not_while_active", why))
        }
        SequenceState::Ended | SequenceState::Archived if new.runs_otherwise() => Err(not_while("changed", s)),
        _ => Ok(()),
    }
}

/// Puts down what a change says, and what of it makes no sense.
fn apply(c: &mut Change<'_>, faults: &mut Faults, s: &mut Sequence, new: &SequenceChange) -> Result<(), Stopped> {
    described(c, faults, s, new)?;
    if let Some(settings) = faults.all(overlay::lay_over(&s.settings, &new.settings, "settings"))? {
        s.settings = settings;
    }
    Ok(())
}

/// Everything but the settings.
pub(in crate::actions) fn described(
    c: &mut Change<'_>,
    faults: &mut Faults,
    s: &mut Sequence,
    new: &SequenceChange,
) -> Result<(), Stopped> {
    if let Some(name) = new.name.as_deref().and_then(|n| faults.take("name", fields::name(n))) {
        s.name = name;
    }
    match &new.description {
        Some(text) if text.chars().count() > DESCRIPTION_LENGTH_MAX => {
            faults.add("description", format!("It is longer than {DESCRIPTION_LENGTH_MAX} characters."));
        }
        Some(text) => text.trim().clone_into(&mut s.description),
        None => {}
    }
    moment(&mut s.begin, new.begin);
    moment(&mut s.end, new.end);
    if let (Some(end), true) = (s.end, new.end != Patch::Keep || new.begin != Patch::Keep) {
        if s.begin.is_some_and(|begin| end <= begin) {
            faults.add("end", "Expected a moment after its begin.");
        } else if end <= c.now {
            faults.add("end", "Expected a moment that is still to come; to end it now, end it.");
        }
    }
    if let Some(typed) = &new.primary_user {
        match records::user(c, typed)? {
            Some(user) => s.primary_user = user,
            None => faults.add("primary_user", format!("Nobody of this workspace is {typed:?}.")),
        }
    }
    match &new.list {
        Patch::Keep => {}
        Patch::Clear => s.list = None,
        Patch::Set(typed) => list(c, faults, s, typed)?,
    }
    s.priority = new.priority.unwrap_or(s.priority);
    s.sharing = new.sharing.unwrap_or(s.sharing);
    Ok(())
}

fn moment(at: &mut Option<Time>, change: Patch<Time>) {
    match change {
        Patch::Keep => {}
        Patch::Clear => *at = None,
        Patch::Set(time) => *at = Some(time),
    }
}

fn list(c: &mut Change<'_>, faults: &mut Faults, s: &mut Sequence, typed: &str) -> Result<(), Stopped> {
    let found = match typed.trim().parse::<ListId>() {
        Ok(id) => lists::all(c.tx, c.w)?.into_iter().map(|(list, _)| list).find(|list| list.id == id),
        Err(_) => lists::named(c.tx, c.w, typed)?,
    };
    match found {
        None => faults.add("list", format!("There is no list {typed:?}.")),
        Some(list) if list.of != s.of => {
            faults.add("list", format!("{:?} is a list of {}; the sequence is for {}.", list.name, list.of, s.of));
        }
        Some(list) => s.list = Some(list.id),
    }
    Ok(())
}

fn refuse_taken(c: &mut Change<'_>, old: &Sequence, new: &Sequence) -> Result<(), Stopped> {
    if let Some(other) = sequences::named(c.tx, c.w, &new.name)?.filter(|other| other.id != new.id) {
        return Err(name_taken(&other).into());
    }
    let live = matches!(new.state, SequenceState::Scheduled | SequenceState::Active | SequenceState::Paused);
    if let Some(list) = new.list.filter(|_| live && new.list != old.list)
        && let Some(other) = sequences::fed_by(c.tx, c.w, list)?
    {
        return Err(list_in_use(&other).into());
    }
    Ok(())
}

/// Users and teams by id, users also by sign-in address.
pub(in crate::actions) fn members(
    c: &mut Change<'_>,
    faults: &mut Faults,
    field: &str,
    typed: &[String],
) -> Result<Vec<Member>, Stopped> {
    let mut found = Vec::with_capacity(typed.len());
    for (n, text) in typed.iter().enumerate() {
        let place = format!("{field}.{n}");
        if let Ok(id) = text.trim().parse::<TeamId>() {
            match teams::all(c.tx, c.w)?.iter().any(|t| t.id == id) {
                true => found.push(Member::Team(id)),
                false => faults.add(place, format!("There is no team {id}.")),
            }
        } else {
            match records::user(c, text)? {
                Some(id) => found.push(Member::User(id)),
                None => faults.add(
                    place,
                    format!(
                        "Nobody of this workspace is {text:?}: expected a sign-in address, or the id of a user or team."
                    ),
                ),
            }
        }
    }
    Ok(found)
}

/// The id of a member, as it is shown.
pub fn named(member: &Member) -> String {
    match member {
        Member::User(id) => id.to_string(),
        Member::Team(id) => id.to_string(),
    }
}

/// What the audit log says.
fn shown(s: &Sequence, more: Value) -> Value {
    let mut said = json!({
        "name": s.name, "description": s.description, "begin": s.begin, "end": s.end, "primary_user": s.primary_user,
        "list": s.list, "priority": s.priority, "settings": s.settings, "sharing": s.sharing,
    });
    for (name, value) in more.as_object().into_iter().flatten() {
        said[name.as_str()] = value.clone();
    }
    said
}
