//! Enrollments as people look at them (ENL-1, ENR-6): lists with what each row names, one record with its history and
//! activities, and the event log (LOG-2). Reads only; what is done to them is in `enrollments`.

use super::enrollments::viewer;
use super::{Caller, Privilege, Result};
use crate::App;
use cadenza_core::flow::{Flow, Key, StepKind};
use cadenza_core::ids::{EnrollmentId, MailboxId, SequenceId, UserId, WorkspaceId};
use cadenza_core::time::Time;
use cadenza_core::views::{PersonStatus, RecordStatus, Stage, StatusReason};
use cadenza_store::activities::{self, Activity};
use cadenza_store::enrolled::Enrolled;
use cadenza_store::enrollments::{self, Filter, Listed, Order};
use cadenza_store::history::{self, Before, Line, Logged};
use cadenza_store::page::{After, Page};
use cadenza_store::queue::{self, Queued};
use cadenza_store::{Query, StoreError, flows, mailboxes, users};
use std::collections::HashMap;
use std::sync::Arc;

/// An enrollment with everything that a row or a record shows of it.
#[derive(Debug, Clone)]
pub struct Shown {
    pub listed: Listed,
    /// The step it stands at, or whose conditions are open.
    pub here: Option<Standing>,
    /// The step of the last executed activity.
    pub last: Option<Standing>,
    pub enrolled_by: String,
    /// Whose the next activity is.
    pub owner: Option<String>,
    /// From where it writes.
    pub mailbox: Option<String>,
    pub stage: Stage,
    pub person_status: PersonStatus,
    /// `None` for the removed, like the next.
    pub status: Option<StatusReason>,
    pub record_status: Option<RecordStatus>,
    /// Whole days from its start until it finished, or until now.
    pub days: i64,
}

/// Where a step stands in the flow that an enrollment follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub key: Key,
    pub name: String,
    pub kind: StepKind,
    pub branch: Key,
    pub branch_name: String,
    /// Counted from 1 in its branch.
    pub number: usize,
    /// Steps of the branch.
    pub steps: usize,
}

/// Which enrollments are asked for; who may see them is added here.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    pub enrolled: Enrolled,
    pub subject: Option<cadenza_core::enrollment::Subject>,
    /// Words of the contact or company.
    pub typed: String,
    pub enrolled_by: Option<UserId>,
    /// Whose the next activity is.
    pub owner: Option<UserId>,
    pub mailbox: Option<MailboxId>,
}

impl Asked {
    fn by(self, caller: &Caller) -> Filter {
        Filter {
            viewer: viewer(caller),
            enrolled: self.enrolled,
            subject: self.subject,
            typed: self.typed,
            enrolled_by: self.enrolled_by,
            owner: self.owner,
            mailbox: self.mailbox,
        }
    }
}

/// A page of enrollments.
///
/// # Errors
/// `Forbidden`.
pub async fn list(
    app: &App,
    caller: &Caller,
    asked: Asked,
    order: Order,
    after: Option<After<i64>>,
    limit: usize,
) -> Result<Page<Shown, i64>> {
    caller.need(Privilege::SequencesView)?;
    let (w, filter, now) = (caller.workspace, asked.by(caller), app.clock.now());
    let read = move |q: &mut Query| {
        let page = enrollments::list(q, w, &filter, order, after, limit, now)?;
        let mut beside = Beside::load(q, w)?;
        let rows = page.rows.into_iter().map(|listed| beside.shown(q, listed, now));
        Ok(Page { rows: rows.collect::<Result<_, StoreError>>()?, next: page.next })
    };
    Ok(app.db.read_async(read).await?)
}

/// How many there are, counted no further than `at_most`.
pub async fn count(app: &App, caller: &Caller, asked: Asked, at_most: usize) -> Result<i64> {
    caller.need(Privilege::SequencesView)?;
    let (w, filter, now) = (caller.workspace, asked.by(caller), app.clock.now());
    Ok(app.db.read_async(move |q| enrollments::count(q, w, &filter, at_most, now)).await?)
}

/// All that are found, by their ids: for what is done to all of them. No more than `at_most`.
pub async fn ids(app: &App, caller: &Caller, asked: Asked, at_most: usize) -> Result<Vec<EnrollmentId>> {
    caller.need(Privilege::SequencesView)?;
    let (w, filter, now) = (caller.workspace, asked.by(caller), app.clock.now());
    Ok(app.db.read_async(move |q| enrollments::ids(q, w, &filter, None, at_most, now)).await?)
}

/// One enrollment, the removed too.
///
/// # Errors
/// `Missing`, also where the caller does not see its sequence.
pub async fn record(app: &App, caller: &Caller, id: EnrollmentId) -> Result<Shown> {
    caller.need(Privilege::SequencesView)?;
    let (w, viewer, now) = (caller.workspace, viewer(caller), app.clock.now());
    let read = move |q: &mut Query| {
        let listed = enrollments::get(q, w, id, viewer)?;
        Beside::load(q, w)?.shown(q, listed, now)
    };
    Ok(app.db.read_async(read).await?)
}

/// Everything that happened to an enrollment, oldest first.
///
/// # Errors
/// As [`record`].
pub async fn history(app: &App, caller: &Caller, id: EnrollmentId) -> Result<Vec<Line>> {
    caller.need(Privilege::SequencesView)?;
    let (w, viewer) = (caller.workspace, viewer(caller));
    let read = move |q: &mut Query| {
        enrollments::get(q, w, id, viewer)?;
        history::of_enrollment(q, w, id)
    };
    Ok(app.db.read_async(read).await?)
}

/// The activities of an enrollment, planned, due and done, in order.
///
/// # Errors
/// As [`record`].
pub async fn activities(app: &App, caller: &Caller, id: EnrollmentId) -> Result<Vec<(Activity, Option<Standing>)>> {
    caller.need(Privilege::SequencesView)?;
    let (w, viewer) = (caller.workspace, viewer(caller));
    let read = move |q: &mut Query| {
        let e = enrollments::get(q, w, id, viewer)?.enrollment;
        let mut beside = Beside::load(q, w)?;
        let flow = beside.flow(q, e.sequence, e.flow_version)?;
        let done = activities::of_enrollment(q, w, id)?;
        Ok(done.into_iter().map(|a| (standing(&flow, &a.step), a)).map(|(s, a)| (a, s)).collect())
    };
    Ok(app.db.read_async(read).await?)
}

/// The flow that an enrollment follows, for the picture of where it stands (FLOW-7).
///
/// # Errors
/// As [`record`].
pub async fn flow_of(app: &App, caller: &Caller, id: EnrollmentId) -> Result<Flow> {
    caller.need(Privilege::SequencesView)?;
    let (w, viewer) = (caller.workspace, viewer(caller));
    let read = move |q: &mut Query| {
        let e = enrollments::get(q, w, id, viewer)?.enrollment;
        flows::flow_at(q, w, e.sequence, e.flow_version)
    };
    Ok(app.db.read_async(read).await?)
}

/// A page of the event log, newest first. The filter's viewer is the caller.
///
/// # Errors
/// `Forbidden`.
pub async fn events(
    app: &App,
    caller: &Caller,
    filter: history::Filter,
    before: Option<Before>,
    limit: usize,
) -> Result<(Vec<Logged>, Option<Before>)> {
    caller.need(Privilege::SequencesView)?;
    let w = caller.workspace;
    let filter = history::Filter { viewer: viewer(caller), ..filter };
    let mut lines = app.db.read_async(move |q| history::event_log(q, w, &filter, before, limit + 1)).await?;
    let more = lines.len() > limit;
    lines.truncate(limit);
    let last = lines.last().filter(|_| more);
    let next = last.map(|l| Before { at: l.line.at, enrollment: l.line.enrollment, version: l.line.version });
    Ok((lines, next))
}

/// Who waits (QUE-1), with how each row is shown.
#[derive(Debug, Clone)]
pub struct Waiting {
    pub queued: Queued,
    pub shown: Shown,
}

/// A page of the Queue. The filter's viewer is the caller.
///
/// # Errors
/// `Forbidden`.
pub async fn waiting(
    app: &App,
    caller: &Caller,
    filter: queue::Filter,
    after: Option<After<i64>>,
    limit: usize,
) -> Result<Page<Waiting, i64>> {
    caller.need(Privilege::SequencesView)?;
    let (w, now) = (caller.workspace, app.clock.now());
    let filter = queue::Filter { viewer: viewer(caller), ..filter };
    let read = move |q: &mut Query| {
        let page = queue::list(q, w, &filter, after, limit)?;
        let mut beside = Beside::load(q, w)?;
        let row = |queued: Queued| {
            let shown = beside.shown(q, queued.listed.clone(), now)?;
            Ok(Waiting { queued, shown })
        };
        Ok(Page { rows: page.rows.into_iter().map(row).collect::<Result<_, StoreError>>()?, next: page.next })
    };
    Ok(app.db.read_async(read).await?)
}

/// How many wait for their next step and how many for their first, each counted no further than `at_most`.
pub async fn waiting_counts(app: &App, caller: &Caller, filter: queue::Filter, at_most: usize) -> Result<(i64, i64)> {
    caller.need(Privilege::SequencesView)?;
    let w = caller.workspace;
    let filter = queue::Filter { viewer: viewer(caller), ..filter };
    Ok(app.db.read_async(move |q| queue::counts(q, w, &filter, at_most)).await?)
}

/// What rows of one page name: read once for all of them.
struct Beside {
    workspace: WorkspaceId,
    users: HashMap<UserId, String>,
    mailboxes: HashMap<MailboxId, String>,
    flows: HashMap<(SequenceId, u32), Arc<Flow>>,
}

impl Beside {
    fn load(q: &mut Query, w: WorkspaceId) -> Result<Beside, StoreError> {
        Ok(Beside {
            workspace: w,
            users: users::all(q, w)?.into_iter().map(|u| (u.id, u.name)).collect(),
            mailboxes: mailboxes::all(q, w)?.into_iter().map(|m| (m.id, m.address)).collect(),
            flows: HashMap::new(),
        })
    }

    fn flow(&mut self, q: &mut Query, sequence: SequenceId, version: u32) -> Result<Arc<Flow>, StoreError> {
        if let Some(flow) = self.flows.get(&(sequence, version)) {
            return Ok(flow.clone());
        }
        let flow = Arc::new(flows::flow_at(q, self.workspace, sequence, version)?);
        self.flows.insert((sequence, version), flow.clone());
        Ok(flow)
    }

    fn shown(&mut self, q: &mut Query, listed: Listed, now: Time) -> Result<Shown, StoreError> {
        let e = &listed.enrollment;
        let flow = self.flow(q, e.sequence, e.flow_version)?;
        let step = e.place.as_ref().map(|p| &p.step).or_else(|| e.wait.as_ref().map(|w| &w.step));
        let name = |user: &UserId| self.users.get(user).cloned();
        let until = e.finished_at.unwrap_or(now);
        Ok(Shown {
            here: step.and_then(|key| standing(&flow, key)),
            last: e.last_step.as_ref().and_then(|key| standing(&flow, key)),
            enrolled_by: name(&e.enrolled_by).unwrap_or_default(),
            owner: listed.owner.as_ref().and_then(name),
            mailbox: e.mailbox.and_then(|id| self.mailboxes.get(&id).cloned()),
            stage: listed.stage(now),
            person_status: listed.person_status(now),
            status: listed.status(),
            record_status: listed.record_status(),
            days: (until - e.enrolled_at).as_seconds().max(0) / 86_400,
            listed,
        })
    }
}

/// `None` for a step that an edit has taken out of this version.
fn standing(flow: &Flow, key: &Key) -> Option<Standing> {
    let spot = flow.spot(key)?;
    Some(Standing {
        key: key.clone(),
        name: spot.step.content.name.clone(),
        kind: spot.step.kind,
        branch: spot.branch.key.clone(),
        branch_name: spot.branch.name.clone(),
        number: spot.index + 1,
        steps: spot.branch.steps.len(),
    })
}
