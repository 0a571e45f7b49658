//! When users are away, and what becomes of their work meanwhile (TIM-7): said by themselves, or for anybody by who manages the
//! settings. That an absence begins and ends is posted by the engine.

use super::change::{Change, Stopped, change};
use super::fields::{Faults, Patch};
use super::{ActionError, Caller, Privilege, Result, records};
use crate::App;
use cadenza_core::absence::{AwayRules, Meanwhile};
use cadenza_core::flow::StepKind;
use cadenza_core::ids::{AbsenceId, UserId};
use cadenza_core::time::{Span, Time};
use cadenza_store::absences::{self, Absence};
use cadenza_store::{StoreError, users};
use serde::Deserialize;
use serde_json::json;

/// What is said of one kind of work; to whom it is handed is a user's id or the address they sign in with.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    Hold,
    GoOn,
    Skip,
    Delegate(String),
}

/// What is said of the kinds; what is not said is held.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SaidRules {
    pub email_auto: Option<Said>,
    pub email_manual: Option<Said>,
    pub call: Option<Said>,
    pub sms_auto: Option<Said>,
    pub sms_manual: Option<Said>,
    pub linkedin: Option<Said>,
    pub task: Option<Said>,
}

impl SaidRules {
    fn of(&self, kind: StepKind) -> Option<&Said> {
        let said = match kind {
            StepKind::EmailAuto => &self.email_auto,
            StepKind::EmailManual => &self.email_manual,
            StepKind::Call => &self.call,
            StepKind::SmsAuto => &self.sms_auto,
            StepKind::SmsManual => &self.sms_manual,
            StepKind::Linkedin => &self.linkedin,
            StepKind::Task => &self.task,
        };
        said.as_ref()
    }
    pub fn set(&mut self, kind: StepKind, said: Said) {
        let at = match kind {
            StepKind::EmailAuto => &mut self.email_auto,
            StepKind::EmailManual => &mut self.email_manual,
            StepKind::Call => &mut self.call,
            StepKind::SmsAuto => &mut self.sms_auto,
            StepKind::SmsManual => &mut self.sms_manual,
            StepKind::Linkedin => &mut self.linkedin,
            StepKind::Task => &mut self.task,
        };
        *at = Some(said);
    }
}

/// An absence that is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewAbsence {
    /// The id of a user, or the address they sign in with; oneself where nothing is said.
    #[serde(default)]
    pub user: Option<String>,
    pub from: Time,
    /// Until somebody ends it where nothing is said.
    #[serde(default)]
    pub until: Option<Time>,
    #[serde(default)]
    pub rules: SaidRules,
}

/// What is to change; what is absent stays. Once it has begun, only its end changes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AbsenceChange {
    pub from: Option<Time>,
    pub until: Patch<Time>,
    /// All of them.
    pub rules: Option<SaidRules>,
}

/// Whose absences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Whose {
    #[default]
    Mine,
    Everybodys,
}

/// The present and the coming ones, the next first.
///
/// # Errors
/// `Forbidden` for everybody's without `settings.manage`.
pub async fn list(app: &App, caller: &Caller, whose: Whose) -> Result<Vec<Absence>> {
    may_ask(caller)?;
    if whose == Whose::Everybodys {
        caller.need(Privilege::SettingsManage)?;
    }
    let (w, user, now) = (caller.workspace, caller.user, app.clock.now());
    let mut all = app.db.read_async(move |q| absences::from_now(q, w, now)).await?;
    all.retain(|a| whose == Whose::Everybodys || a.user == user);
    Ok(all)
}

/// Says that somebody is or will be away.
///
/// # Errors
/// `Invalid` naming each field; `Forbidden` for somebody else without `settings.manage`; `Refused` where they are away then
/// already (`away_then`).
pub async fn create(app: &App, caller: &Caller, new: NewAbsence) -> Result<Absence> {
    may_ask(caller)?;
    change(app, caller.allowed_own(), move |c| {
        let mut faults = Faults::default();
        let user = match &new.user {
            None => Some(c.caller.user),
            Some(typed) => {
                let found = records::user(c, typed)?;
                if found.is_none() {
                    faults.add("user", format!("Nobody of this workspace is {typed:?}."));
                }
                found
            }
        };
        let user = user.unwrap_or(c.caller.user);
        c.caller.need_for(user, Privilege::TasksMine, Privilege::SettingsManage)?;
        let rules = rules_of(c, &mut faults, user, &new.rules)?;
        check_dates(&mut faults, new.from, new.until, c.now);
        faults.done()?;
        let (from, until) = (new.from, new.until);
        let id = AbsenceId(c.next_id());
        let absence = Absence { id, user, from, until, rules, begun: false, turn: Some(from) };
        refuse_meeting(c, &absence)?;
        absences::save(c.tx, c.w, &absence)?;
        c.note("absence.create", Some(id.0), None, Some(shown(&absence)))?;
        Ok(absence)
    })
    .await
}

/// Changes one.
///
/// # Errors
/// As [`create`]; `Missing`, also for somebody else's without `settings.manage`; `Refused` where it has begun and more than its
/// end is to change (`has_begun`), or is over (`is_over`).
pub async fn update(app: &App, caller: &Caller, id: AbsenceId, new: AbsenceChange) -> Result<Absence> {
    may_ask(caller)?;
    change(app, caller.allowed_own(), move |c| {
        let old = own(c, id)?;
        if old.begun && (new.from.is_some() || new.rules.is_some()) {
            let why = "It has begun: change when it ends, or end it and say another.";
            return Err(ActionError::refused("has_begun", why).into());
        }
        let mut faults = Faults::default();
        let mut absence = Absence { from: new.from.unwrap_or(old.from), ..old.clone() };
        match new.until {
            Patch::Keep => {}
            Patch::Clear => absence.until = None,
            Patch::Set(until) => absence.until = Some(until),
        }
        if let Some(said) = &new.rules {
            absence.rules = rules_of(c, &mut faults, old.user, said)?;
        }
        check_dates(&mut faults, absence.from, absence.until, c.now);
        faults.done()?;
        refuse_meeting(c, &absence)?;
        absence.turn = if absence.begun { absence.until } else { Some(absence.from) };
        absences::save(c.tx, c.w, &absence)?;
        c.note_difference("absence.update", id.0, &shown(&old), &shown(&absence))?;
        Ok(absence)
    })
    .await
}

/// Ends one that has begun, at once; one that has not is taken away.
///
/// # Errors
/// `Missing`, also for somebody else's without `settings.manage`; `Refused` where it is over (`is_over`).
pub async fn end(app: &App, caller: &Caller, id: AbsenceId) -> Result<()> {
    may_ask(caller)?;
    change(app, caller.allowed_own(), move |c| {
        let old = own(c, id)?;
        if !old.begun && old.from > c.now {
            absences::delete(c.tx, c.w, id)?;
            return c.note("absence.delete", Some(id.0), Some(shown(&old)), None);
        }
        // It lasted a moment at least.
        let until = Some(c.now.max(old.from + Span::seconds(1)));
        let absence = Absence { until, turn: if old.begun { until } else { old.turn }, ..old.clone() };
        absences::save(c.tx, c.w, &absence)?;
        c.note_difference("absence.end", id.0, &shown(&old), &shown(&absence)).map(drop)
    })
    .await
}

/// Who has no tasks and manages nothing has no absences either.
fn may_ask(caller: &Caller) -> Result<()> {
    if caller.may(Privilege::SettingsManage) { Ok(()) } else { caller.need(Privilege::TasksMine) }
}

/// One that is not over, of the caller's or one that they manage.
fn own(c: &mut Change<'_>, id: AbsenceId) -> Result<Absence, Stopped> {
    let found = match absences::lock(c.tx, c.w, id) {
        Err(StoreError::Missing { .. }) => return Err(ActionError::missing("absence", id).into()),
        found => found?,
    };
    if found.user != c.caller.user && !c.caller.may(Privilege::SettingsManage) {
        return Err(ActionError::missing("absence", id).into());
    }
    if found.until.is_some_and(|until| until <= c.now) {
        return Err(ActionError::refused("is_over", "It is over.").into());
    }
    Ok(found)
}

fn check_dates(faults: &mut Faults, from: Time, until: Option<Time>, now: Time) {
    if let Some(until) = until {
        if until <= from {
            faults.add("until", "Expected a moment after its begin.");
        } else if until <= now {
            faults.add("until", "Expected a moment that is still to come.");
        }
    }
}

/// Nobody is away twice at one time: what becomes of their work would be said twice.
fn refuse_meeting(c: &mut Change<'_>, absence: &Absence) -> Result<(), Stopped> {
    let met = absences::meeting(c.tx, c.w, absence.user, absence.from, absence.until)?;
    match met.into_iter().find(|other| other.id != absence.id) {
        None => Ok(()),
        Some(other) => {
            let until = other.until.map_or("until somebody ends it".into(), |t| format!("until {t}"));
            let why = format!("They are away then already: from {} {until}.", other.from);
            Err(ActionError::refused("away_then", why).into())
        }
    }
}

fn rules_of(c: &mut Change<'_>, faults: &mut Faults, user: UserId, said: &SaidRules) -> Result<AwayRules, Stopped> {
    let mut rules = AwayRules::default();
    for kind in StepKind::ALL {
        let field = format!("rules.{}", kind.as_str());
        let meanwhile = match said.of(kind) {
            None | Some(Said::Hold) => Meanwhile::Hold,
            Some(Said::GoOn) => Meanwhile::GoOn,
            Some(Said::Skip) => Meanwhile::Skip,
            Some(Said::Delegate(_)) if kind.is_automatic() => {
                faults.add(field, "Automatic messages keep their sender: hold them, let them go on, or skip them.");
                continue;
            }
            Some(Said::Delegate(to)) => match records::user(c, to)? {
                Some(to) if to != user => Meanwhile::Delegate(to),
                Some(_) => {
                    faults.add(field, "Expected somebody else.");
                    continue;
                }
                None => {
                    faults.add(field, format!("Nobody of this workspace is {to:?}."));
                    continue;
                }
            },
        };
        rules.set(kind, meanwhile);
    }
    Ok(rules)
}

/// The users by whom and for whom absences can be said.
///
/// # Errors
/// `Forbidden` for who may not say any.
pub async fn people(app: &App, caller: &Caller) -> Result<Vec<users::User>> {
    may_ask(caller)?;
    let w = caller.workspace;
    let mut all = app.db.read_async(move |q| users::all(q, w)).await?;
    all.retain(|u| u.state != users::UserState::Departed);
    Ok(all)
}

/// What the audit log says.
fn shown(a: &Absence) -> serde_json::Value {
    json!({ "user": a.user, "from": a.from, "until": a.until, "rules": a.rules })
}
