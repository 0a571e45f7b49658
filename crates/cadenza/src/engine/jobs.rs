//! Work over very many rows (OPS-1), piece by piece: each piece commits with the note of how far it came, so after a crash a
//! job goes on where it stood and nothing of it is done twice. The lane takes jobs by itself; who asked may also see one to
//! its end at once.

use crate::app::App;
use cadenza_core::flow::edit::{Edit, Fate, Movers};
use cadenza_core::flow::{Flow, Key};
use cadenza_core::ids::{EnrollmentId, JobId, MessageId, SequenceId, UserId, WorkspaceId};
use cadenza_core::machine::{Actor, Event};
use cadenza_core::time::Span;
use cadenza_store::door::{self, Put, Stands};
use cadenza_store::jobs::{self, Job, NewJob, Progress};
use cadenza_store::{Query, StoreError, Tx, flows};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::Duration;

/// Rows looked at in one commit: short enough that the sender works in between.
const PIECE: usize = 250;
/// A worker that notes nothing for so long has lost its job.
const LEASE: Span = Span::minutes(1);
const PAUSE_AFTER_ERROR: Duration = Duration::from_secs(2);
/// How often a piece is tried where other transactions were in its way.
const TRIES: usize = 10;

/// What a job does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "work")]
pub enum Work {
    /// A sequence's flow was edited: those whom the edit moves go to the version, due dates follow new timings (SEQ-9,
    /// ENR-12).
    FollowEdit {
        sequence: SequenceId,
        version: u32,
        movers: Movers,
        /// Steps whose content or timing changed.
        touched: Vec<Key>,
    },
    /// A sequence that its date had ended was reopened: those whom the end finished go on (SEQ-7).
    Reopen { sequence: SequenceId },
    /// The present rules over kept mail (REC-12); the differences are written down.
    Reclassify,
    /// Differences that the job `of` found are adopted: all, or the named ones.
    Adopt { of: JobId, only: Option<Vec<MessageId>> },
}

impl Work {
    fn kind(&self) -> &'static str {
        match self {
            Work::FollowEdit { .. } => "follow_edit",
            Work::Reopen { .. } => "reopen",
            Work::Reclassify => "reclassify",
            Work::Adopt { .. } => "adopt",
        }
    }
}

/// Orders a job, in the transaction that makes it necessary.
pub fn order(
    app: &App,
    tx: &mut Tx,
    workspace: WorkspaceId,
    user: UserId,
    work: &Work,
    total: usize,
) -> Result<JobId, StoreError> {
    let id = JobId(app.next_id());
    let input = serde_json::to_value(work).map_err(|e| StoreError::inconsistent("job", id, e))?;
    let total = Some(i64::try_from(total).unwrap_or(i64::MAX));
    jobs::create(tx, workspace, &NewJob { id, kind: work.kind().into(), user, input, total }, app.clock.now())?;
    Ok(id)
}

/// Sees a job to its end, also where no engine runs. One that somebody else works on meanwhile is shared with them.
///
/// # Errors
/// `Missing`; those of the store.
pub async fn see_through(app: &App, workspace: WorkspaceId, id: JobId) -> Result<Job, StoreError> {
    let now = app.clock.now();
    app.db.write_async(move |tx| jobs::take(tx, workspace, id, now, now + LEASE)).await?;
    while piece(app, workspace, id).await? == Piece::Done {}
    app.db.read_async(move |q| jobs::get(q, workspace, id)).await
}

pub(super) async fn run(app: App) {
    let mut stopping = app.stopping();
    let mut commits = app.commits();
    loop {
        if *stopping.borrow() {
            return;
        }
        commits.mark_unchanged();
        match round(&app).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(e) => {
                tracing::warn!("a job could not go on: {e}");
                tokio::time::sleep(PAUSE_AFTER_ERROR).await;
            }
        }
        tokio::select! {
            _ = commits.changed() => {}
            () = app.clock.until(app.clock.now() + LEASE) => {}
            _ = stopping.wait_for(|stop| *stop) => {}
        }
    }
}

/// Takes the oldest job that nobody has and does it, as long as the engine is not stopping.
async fn round(app: &App) -> Result<bool, StoreError> {
    let now = app.clock.now();
    // Asked first without the writer: most rounds find nothing.
    if !app.db.read_async(move |q| jobs::any_free(q, now)).await? {
        return Ok(false);
    }
    let Some((workspace, job)) = app.db.write_async(move |tx| jobs::claim(tx, now, now + LEASE)).await? else {
        return Ok(false);
    };
    let stopping = app.stopping();
    while !*stopping.borrow() {
        match piece(app, workspace, job.id).await {
            Ok(Piece::Done) => {}
            Ok(Piece::Over) => break,
            // What is not the database's passing trouble would fail for ever.
            Err(e @ (StoreError::Unavailable { .. } | StoreError::Contention { .. })) => return Err(e),
            Err(e) => {
                tracing::error!("job {} failed: {e}", job.id);
                let (why, now) = (e.to_string(), app.clock.now());
                app.db.write_async(move |tx| jobs::finish(tx, workspace, job.id, Some(&why), now)).await?;
                break;
            }
        }
    }
    Ok(true)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    Done,
    Over,
}

async fn piece(app: &App, workspace: WorkspaceId, id: JobId) -> Result<Piece, StoreError> {
    let mut tries = 0;
    loop {
        let app2 = app.clone();
        match app.db.write_async(move |tx| piece_in(&app2, tx, workspace, id)).await {
            Err(StoreError::Contention { .. }) if tries < TRIES => tries += 1,
            done => return done,
        }
    }
}

fn piece_in(app: &App, tx: &mut Tx, workspace: WorkspaceId, id: JobId) -> Result<Piece, StoreError> {
    let job = jobs::get(tx, workspace, id)?;
    if job.state.is_over() {
        return Ok(Piece::Over);
    }
    let now = app.clock.now();
    let bad = |e: serde_json::Error| StoreError::inconsistent("job", id, e);
    let work: Work = serde_json::from_value(job.input.clone()).map_err(bad)?;
    let progress = match work {
        Work::FollowEdit { sequence, version, movers, touched } => {
            let edited = Edited { sequence, version, movers, touched: &touched };
            follow_edit(app, tx, workspace, &job, &edited)?
        }
        Work::Reopen { sequence } => super::reopen::piece(app, tx, workspace, &job, sequence, PIECE)?,
        Work::Reclassify => super::reclassify::read(tx, workspace, &job)?,
        Work::Adopt { of, only } => super::reclassify::adopt(app, tx, workspace, &job, of, only.as_deref())?,
    };
    match progress {
        Some(progress) => {
            jobs::note(tx, workspace, id, job.position, &progress, now + LEASE)?;
            Ok(Piece::Done)
        }
        None => {
            jobs::finish(tx, workspace, id, None, now)?;
            Ok(Piece::Over)
        }
    }
}

struct Edited<'a> {
    sequence: SequenceId,
    version: u32,
    movers: Movers,
    touched: &'a [Key],
}

/// The next piece of those who are live in the sequence; nothing where there are no more.
fn follow_edit(
    app: &App,
    tx: &mut Tx,
    w: WorkspaceId,
    job: &Job,
    edited: &Edited<'_>,
) -> Result<Option<Progress>, StoreError> {
    let after = Some(EnrollmentId(job.position));
    let all = door::standings(tx, w, edited.sequence, after, PIECE)?;
    let Some(last) = all.last() else { return Ok(None) };
    let mut progress = Progress { position: last.enrollment.0, done: 0, failures: Vec::new() };
    let mut olds = Olds::to(tx, w, edited.sequence, edited.version)?;
    let mut puts = Vec::new();
    let actor = Actor::User(job.user);
    for one in &all {
        let before = puts.len();
        let mut put = |event| puts.push(Put { enrollment: one.enrollment, event, actor });
        let fate = olds.fate(tx, w, edited.sequence, one, edited.movers)?;
        if let Some(fate) = fate.filter(Fate::moves) {
            put(Event::MoveToVersion { version: edited.version, stand: fate.stand().cloned() });
        }
        if one.standing.place.as_ref().is_some_and(|place| edited.touched.contains(place)) {
            put(Event::Retimed);
        }
        progress.done += i64::from(puts.len() > before);
    }
    let answers = app.door.advance(tx, w, puts.clone(), app.clock.now())?;
    for (put, answer) in puts.iter().zip(answers) {
        let Err(refusal) = answer else { continue };
        if progress.failures.last().is_some_and(|f| f.position == put.enrollment.0) {
            continue;
        }
        progress.done -= 1;
        progress.failures.push(jobs::Failure {
            position: put.enrollment.0,
            subject: format!("enrollment {}", put.enrollment),
            code: put.event.name().into(),
            why: refusal.to_string(),
        });
    }
    Ok(Some(progress))
}

/// The versions that people in a sequence still walk, each read once, against the one they may move to.
#[derive(Debug)]
pub struct Olds {
    new: Flow,
    old: HashMap<u32, Flow>,
}

impl Olds {
    pub fn to(q: &mut Query, w: WorkspaceId, sequence: SequenceId, version: u32) -> Result<Olds, StoreError> {
        Ok(Olds::to_flow(flows::flow_at(q, w, sequence, version)?))
    }

    /// Against a version that is not stored yet.
    pub fn to_flow(new: Flow) -> Olds {
        Olds { new, old: HashMap::new() }
    }

    /// What becomes of one; nothing where it is on the new version already.
    pub fn fate(
        &mut self,
        q: &mut Query,
        w: WorkspaceId,
        sequence: SequenceId,
        one: &Stands,
        movers: Movers,
    ) -> Result<Option<Fate>, StoreError> {
        if one.version == self.new.version {
            return Ok(None);
        }
        let old = match self.old.entry(one.version) {
            Entry::Occupied(read) => read.into_mut(),
            Entry::Vacant(unread) => unread.insert(flows::flow_at(q, w, sequence, one.version)?),
        };
        Ok(Some(Edit { old, new: &self.new }.fate(&one.standing, movers)))
    }

    /// The versions that were met, as ways to the new one.
    pub fn edits(&self) -> impl Iterator<Item = Edit<'_>> {
        self.old.values().map(|old| Edit { old, new: &self.new })
    }
}
