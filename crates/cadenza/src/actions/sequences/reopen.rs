//! A later end date for a sequence that its date has ended: it runs again, and those whom the end finished go on (SEQ-7). The
//! leading back is a job of the engine, which a crash does not stop for good.

use super::{ActionError, Caller, Result, Tried, enter_from_list, may_save, not_while, refuse_full, seen, tried};
use crate::app::App;
use crate::engine::jobs::{self, Work};
use cadenza_core::enrollment::SequenceState;
use cadenza_core::ids::{JobId, SequenceId};
use cadenza_core::time::Time;
use cadenza_store::sequences::{self, EndedBy, Sequence};
use cadenza_store::{Query, Tx, door};

/// Failures that an answer names; the job keeps them all.
const FAILURES_SAID: usize = 20;

/// What reopening came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reopened {
    pub state: SequenceState,
    /// How many go on.
    pub followed: i64,
    /// How many stay finished, and the first reasons.
    pub stayed: i64,
    pub failures: Vec<String>,
}

/// Reopens a sequence that ended by its date, until `end` or without an end. It is paused again where it was paused.
///
/// # Errors
/// `Invalid` where the end is not still to come; `Refused` where it was ended otherwise, is archived, where its list feeds
/// another sequence by now, or by the limit of live sequences.
pub async fn reopen(app: &App, caller: &Caller, id: SequenceId, end: Option<Time>) -> Result<Reopened> {
    let (app2, caller2) = (app.clone(), caller.clone());
    let (state, job) = tried(app, move |tx| reopen_in(&app2, tx, &caller2, id, end)).await??;
    let mut reopened = Reopened { state, followed: 0, stayed: 0, failures: Vec::new() };
    if let Some(job) = job {
        let w = caller.workspace;
        let done = jobs::see_through(app, w, job).await?;
        (reopened.followed, reopened.stayed) = (done.done, done.failed);
        let failures = move |q: &mut Query| cadenza_store::jobs::failures(q, w, job, 0, FAILURES_SAID);
        let failures = app.db.read_async(failures).await?;
        reopened.failures = failures.into_iter().map(|f| format!("{}: {}", f.subject, f.why)).collect();
        // Whoever was put on its list meanwhile enters, after those who were in it before.
        enter_from_list(app, caller, id).await?;
    }
    Ok(reopened)
}

/// How many a reopening would lead back: those whom the end of the sequence finished.
///
/// # Errors
/// `Missing`, also where the caller does not see it.
pub async fn ended_with(app: &App, caller: &Caller, id: SequenceId) -> Result<i64> {
    seen(app, caller, id).await?;
    let w = caller.workspace;
    Ok(app.db.read_async(move |q| door::ended_with_count(q, w, id)).await?)
}

fn reopen_in(
    app: &App,
    tx: &mut Tx,
    caller: &Caller,
    id: SequenceId,
    end: Option<Time>,
) -> Tried<(SequenceState, Option<JobId>)> {
    let (w, now) = (caller.workspace, app.clock.now());
    let mut s = sequences::lock(tx, w, id)?;
    if let Err(e) = may_save(caller, &s) {
        return Ok(Err(e));
    }
    if is_running(&s) && s.end == end {
        return Ok(Ok((s.state, None)));
    }
    if let Err(e) = may_reopen(&s) {
        return Ok(Err(e));
    }
    if end.is_some_and(|end| end <= now) {
        return Ok(Err(ActionError::invalid("end", "Expected a moment that is still to come.")));
    }
    if let Err(e) = refuse_full(tx, w, &s)? {
        return Ok(Err(e));
    }
    let before = serde_json::json!({ "state": s.state, "end": s.end });
    // What paused it, a person or itself, is not lifted by a date.
    let paused = s.held.is_some() || door::was_paused(tx, w, id)?;
    s.state = if paused { SequenceState::Paused } else { SequenceState::Active };
    (s.end, s.ended) = (end, None);
    sequences::update(tx, w, &s, now)?;
    if s.state == SequenceState::Active {
        // Those whom the end had not reached yet.
        door::rouse_sequence(tx, w, id, now)?;
    }
    let after = serde_json::json!({ "state": s.state, "end": s.end });
    super::note(app, tx, caller, "sequence.reopen", id, Some(before), Some(after))?;
    let total = usize::try_from(door::ended_with_count(tx, w, id)?).unwrap_or_default();
    let job = jobs::order(app, tx, w, caller.user, &Work::Reopen { sequence: id }, total)?;
    Ok(Ok((s.state, Some(job))))
}

fn is_running(s: &Sequence) -> bool {
    matches!(s.state, SequenceState::Scheduled | SequenceState::Active | SequenceState::Paused)
}

/// Only an end by date can be taken back.
pub(super) fn may_reopen(s: &Sequence) -> Result<()> {
    let how = match (s.state, s.ended) {
        (SequenceState::Ended, Some((_, EndedBy::Date))) => return Ok(()),
        (SequenceState::Ended, Some((_, EndedBy::Hand))) => "was ended by hand",
        (SequenceState::Ended, Some((_, EndedBy::AllFinished))) => "ended when all in it were finished",
        _ => return Err(not_while("reopened", s)),
    };
    let why = format!("The sequence {:?} {how}, and that is for good: make a copy of it to go on.", s.name);
    Err(ActionError::refused("ended_for_good", why))
}
