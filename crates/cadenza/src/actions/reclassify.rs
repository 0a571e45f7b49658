//! Reclassifying (REC-12): the present rules over the mail that is kept, the differences looked at, and adopted all or by choice. What
//! a person corrected by hand is left alone. The work is a job, which a crash does not stop for good.

use super::change::change;
use super::{ActionError, Caller, Privilege, Result};
use crate::App;
use crate::engine::jobs::{self, Work};
use cadenza_core::ids::{JobId, MessageId};
use cadenza_store::jobs::Job;
use cadenza_store::reclassified::{self, Listed, State};
use cadenza_store::{Query, StoreError, inbound_messages};
use serde_json::json;

/// Messages that can be chosen at once; without a choice all are adopted.
const CHOSEN_MAX: usize = 10_000;
/// Jobs looked through for the latest.
const JOBS: usize = 200;
const KIND: &str = "reclassify";

/// How far reclassifying is.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    pub job: Job,
    /// Differences in each state.
    pub counts: Vec<(State, i64)>,
}

/// Begins to read the kept mail again; the engine does it, or [`see_through`].
///
/// # Errors
/// `Forbidden`.
pub async fn start(app: &App, caller: &Caller) -> Result<JobId> {
    let allowed = caller.allowed(Privilege::SettingsManage)?;
    change(app, allowed, |c| {
        let total = usize::try_from(inbound_messages::count_kept_raw(c.tx, c.w)?).unwrap_or_default();
        let id = jobs::order(c.app(), c.tx, c.w, c.caller.user, &Work::Reclassify, total)?;
        c.note("reclassification.start", Some(id.0), None, Some(json!({ "messages": total })))?;
        Ok(id)
    })
    .await
}

/// Sees a job of reclassifying to its end.
///
/// # Errors
/// `Missing`; those of the store.
pub async fn see_through(app: &App, caller: &Caller, id: JobId) -> Result<Standing> {
    caller.need(Privilege::SettingsManage)?;
    jobs::see_through(app, caller.workspace, id).await?;
    get(app, caller, id).await
}

/// How far it is.
///
/// # Errors
/// `Missing`, also for a job of another kind.
pub async fn get(app: &App, caller: &Caller, id: JobId) -> Result<Standing> {
    caller.need(Privilege::SettingsManage)?;
    let w = caller.workspace;
    let read = move |q: &mut Query| -> Result<_, StoreError> {
        Ok((cadenza_store::jobs::get(q, w, id)?, reclassified::counts(q, w, id)?))
    };
    match app.db.read_async(read).await {
        Ok((job, counts)) if job.kind == KIND => Ok(Standing { job, counts }),
        Ok(_) | Err(StoreError::Missing { .. }) => Err(ActionError::missing("reclassification", id)),
        Err(e) => Err(e.into()),
    }
}

/// The latest one.
///
/// # Errors
/// `Forbidden`.
pub async fn latest(app: &App, caller: &Caller) -> Result<Option<Standing>> {
    caller.need(Privilege::SettingsManage)?;
    let w = caller.workspace;
    let all = app.db.read_async(move |q| cadenza_store::jobs::list(q, w, None, JOBS)).await?;
    match all.into_iter().find(|job| job.kind == KIND) {
        Some(job) => Ok(Some(get(app, caller, job.id).await?)),
        None => Ok(None),
    }
}

/// The differences that it found, in the order in which the messages came, from behind `after`.
///
/// # Errors
/// `Missing`.
pub async fn differences(
    app: &App,
    caller: &Caller,
    id: JobId,
    after: Option<MessageId>,
    limit: usize,
) -> Result<Vec<Listed>> {
    get(app, caller, id).await?;
    let w = caller.workspace;
    Ok(app.db.read_async(move |q| reclassified::list(q, w, id, after, limit)).await?)
}

/// Adopts the differences that were found: all, or those of the named messages. The enrollments follow as they do a correction by
/// hand. Answers when it is done.
///
/// # Errors
/// `Missing`; `Invalid` for an empty choice or too large a one; `Refused` while the mail is still being read (`still_reading`).
pub async fn adopt(app: &App, caller: &Caller, id: JobId, only: Option<Vec<MessageId>>) -> Result<Standing> {
    let allowed = caller.allowed(Privilege::SettingsManage)?;
    let standing = get(app, caller, id).await?;
    if !standing.job.state.is_over() {
        let why = "The kept mail is still being read: adopt what is found when that is done.";
        return Err(ActionError::refused("still_reading", why));
    }
    if only.as_ref().is_some_and(|only| only.is_empty() || only.len() > CHOSEN_MAX) {
        let why = format!("Expected 1 to {CHOSEN_MAX} messages, or none to adopt all.");
        return Err(ActionError::invalid("messages", why));
    }
    let chosen = only.as_ref().map(Vec::len);
    let found = standing.counts.iter().find(|(state, _)| *state == State::Found).map_or(0, |(_, n)| *n);
    let total = chosen.unwrap_or_else(|| usize::try_from(found).unwrap_or_default());
    let job = change(app, allowed, move |c| {
        let work = Work::Adopt { of: id, only: only.clone() };
        let job = jobs::order(c.app(), c.tx, c.w, c.caller.user, &work, total)?;
        c.note("reclassification.adopt", Some(id.0), None, Some(json!({ "messages": total })))?;
        Ok(job)
    })
    .await?;
    jobs::see_through(app, caller.workspace, job).await?;
    get(app, caller, id).await
}
