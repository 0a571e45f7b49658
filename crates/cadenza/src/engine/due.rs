//! The clock's loop: what is due goes through the door, lines before limiters are drawn, sequences and absences begin and
//! end. It sleeps until the next moment that the database names, or until a commit rings. One thing that is wrong never
//! holds up another.

use super::advance::{advance, advance_among};
use super::away;
use super::deliver::Post;
use super::node::Seat;
use crate::app::App;
use cadenza_core::ids::{EnrollmentId, MailboxId, SequenceId, WorkspaceId};
use cadenza_core::machine::{Actor, Event};
use cadenza_core::time::{Span, Time};
use cadenza_store::StoreError;
use cadenza_store::absences;
use cadenza_store::door::{self, Advanced, Due, Line, Put};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

/// Enrollments looked at in one commit at most.
const BATCH_MAX: usize = 500;
/// Lines drawn in one round at most.
const LINES_MAX: usize = 32;
/// After an error of the database.
const PAUSE_AFTER_ERROR: Duration = Duration::from_secs(1);
/// What cannot even be read is looked at again after this.
const ASIDE: Span = Span::minutes(5);

pub(super) async fn run(app: App, post: Arc<Post>, seat: Arc<Seat>) {
    let mut stopping = app.stopping();
    let mut commits = app.commits();
    let mut short = HashSet::new();
    loop {
        if *stopping.borrow() {
            return;
        }
        commits.mark_unchanged();
        match round(&app, &post, &seat, &mut short).await {
            Ok(Worked::Yes) => {}
            Ok(Worked::Nothing { next }) => {
                let until = next.unwrap_or_else(|| app.clock.now() + Span::hours(1));
                tokio::select! {
                    () = app.clock.until(until) => {}
                    _ = commits.changed() => {}
                    // A mailbox is free a moment after the commit of its last message.
                    () = post.settles(), if !short.is_empty() => {}
                    _ = stopping.wait_for(|stop| *stop) => {}
                }
            }
            Ok(Worked::Full) => {
                tokio::select! {
                    () = post.has_room() => {}
                    _ = stopping.wait_for(|stop| *stop) => {}
                }
            }
            Err(e) => {
                tracing::error!("the clock's round failed: {e}");
                tokio::time::sleep(PAUSE_AFTER_ERROR).await;
            }
        }
    }
}

/// What a round came to.
enum Worked {
    Yes,
    Nothing {
        next: Option<Time>,
    },
    /// As many messages are under way as may be.
    Full,
}

/// What the database has for a round.
struct Found {
    sequences_turn: bool,
    absences_turn: bool,
    due: Vec<Due>,
    /// How many are due in all.
    crowd: Option<u32>,
    lines: Vec<Line>,
    next: Option<Time>,
}

async fn round(
    app: &App,
    post: &Arc<Post>,
    seat: &Seat,
    short: &mut HashSet<(WorkspaceId, MailboxId)>,
) -> Result<Worked, StoreError> {
    let now = app.clock.now();
    let room = post.room_left().min(BATCH_MAX);
    if room == 0 {
        return Ok(Worked::Full);
    }
    tell_room(app, post, short).await?;
    let share = seat.share();
    let counting = app.clone();
    let found = app
        .db
        .read_async(move |q| {
            let mut found = Found {
                sequences_turn: share.leads() && door::sequences_turn(q, now)?,
                absences_turn: share.leads() && !absences::turning(q, now, 1)?.is_empty(),
                due: door::due(q, now, room, &share)?,
                crowd: None,
                lines: door::lines(q, now, LINES_MAX, &share)?,
                next: None,
            };
            let is_all = found.due.len() < room && share.is_all();
            found.crowd = if is_all { u32::try_from(found.due.len()).ok() } else { counting.door.crowd(q, now)? };
            if !found.sequences_turn && !found.absences_turn && found.due.is_empty() && found.lines.is_empty() {
                found.next = door::next_due(q, &share)?;
            }
            Ok(found)
        })
        .await?;
    if found.absences_turn {
        away::turn(app).await?;
    }
    if found.sequences_turn {
        let turned = app.db.write_async(move |tx| door::turn_sequences(tx, now)).await?;
        for (workspace, sequence) in turned.ended {
            end_sequence(app, workspace, sequence).await?;
        }
    } else if !found.absences_turn && found.due.is_empty() && found.lines.is_empty() {
        return Ok(Worked::Nothing { next: found.next });
    }
    for (workspace, puts) in by_workspace(found.due) {
        wake(app, post, workspace, puts, found.crowd).await?;
    }
    for line in found.lines {
        let room = u32::try_from(post.room_left().min(BATCH_MAX)).unwrap_or(u32::MAX);
        if room == 0 {
            break;
        }
        draw(app, post, line, room).await?;
    }
    Ok(Worked::Yes)
}

/// Tells the door how much each mailbox takes, and draws the lines of those that had enough and take something again.
async fn tell_room(
    app: &App,
    post: &Arc<Post>,
    short: &mut HashSet<(WorkspaceId, MailboxId)>,
) -> Result<(), StoreError> {
    let now = app.clock.now();
    app.door.set_room(post.room());
    short.extend(app.door.take_short());
    let free: Vec<_> = short.iter().filter(|(w, m)| post.is_free((*w, Some(*m)))).copied().collect();
    if !free.is_empty() {
        short.retain(|of| !free.contains(of));
        app.db
            .write_async(move |tx| {
                free.iter().try_for_each(|(workspace, mailbox)| door::ring_mailbox(tx, *workspace, *mailbox, now))
            })
            .await?;
    }
    Ok(())
}

fn by_workspace(due: Vec<Due>) -> BTreeMap<WorkspaceId, Vec<Put>> {
    let mut puts: BTreeMap<WorkspaceId, Vec<Put>> = BTreeMap::new();
    for due in due {
        let put = Put { enrollment: due.enrollment, event: Event::Wake, actor: Actor::Engine };
        puts.entry(due.workspace).or_default().push(put);
    }
    puts
}

/// Puts a batch to the door; where it fails, each enrollment by itself, and one that cannot even be read is set aside with
/// its error so that it holds up nobody (ENR-9).
async fn wake(
    app: &App,
    post: &Arc<Post>,
    workspace: WorkspaceId,
    puts: Vec<Put>,
    crowd: Option<u32>,
) -> Result<(), StoreError> {
    match advance_among(app, workspace, puts.clone(), crowd).await {
        Ok(answers) => hand_over(post, answers).await,
        Err(e) if is_passing(&e) => return Err(e),
        Err(_) => one_by_one(app, post, workspace, puts).await?,
    }
    Ok(())
}

async fn one_by_one(app: &App, post: &Arc<Post>, workspace: WorkspaceId, puts: Vec<Put>) -> Result<(), StoreError> {
    for put in puts {
        match advance(app, workspace, vec![put.clone()]).await {
            Ok(answers) => hand_over(post, answers).await,
            Err(e) if is_passing(&e) => return Err(e),
            Err(e) => {
                tracing::error!(enrollment = %put.enrollment, "set aside: {e}");
                let at = app.clock.now() + ASIDE;
                app.db.write_async(move |tx| door::set_aside(tx, workspace, put.enrollment, at)).await?;
            }
        }
    }
    Ok(())
}

/// Draws a line; where that fails, each who stands in it by itself.
async fn draw(app: &App, post: &Arc<Post>, line: Line, room: u32) -> Result<(), StoreError> {
    let app2 = app.clone();
    match app.db.write_async(move |tx| app2.door.draw(tx, line, room, app2.clock.now())).await {
        Ok(drawn) => hand_over(post, drawn).await,
        Err(e) if is_passing(&e) => return Err(e),
        Err(_) => {
            let standing = app.db.read_async(move |q| door::in_line(q, line, room)).await?;
            let drawn = |enrollment| Put { enrollment, event: Event::Drawn, actor: Actor::Engine };
            let puts = standing.into_iter().map(|one| drawn(one.enrollment)).collect();
            one_by_one(app, post, line.workspace, puts).await?;
        }
    }
    Ok(())
}

/// The database is away, or others were in the way: the same may do later.
pub(super) fn is_passing(e: &StoreError) -> bool {
    matches!(e, StoreError::Unavailable { .. } | StoreError::Contention { .. })
}

async fn hand_over(post: &Arc<Post>, answers: Vec<Advanced>) {
    post.take_all(answers.into_iter().flatten().flat_map(|applied| applied.outgoing).collect()).await;
}

/// Finishes everybody who is live in a sequence that has ended, in chunks. Begun again after a crash, it goes on where it
/// stood. One who cannot be read is passed over.
///
/// # Errors
/// The database is away.
pub async fn end_sequence(app: &App, workspace: WorkspaceId, sequence: SequenceId) -> Result<(), StoreError> {
    let mut after: Option<EnrollmentId> = None;
    loop {
        let live = app.db.read_async(move |q| door::live_in(q, workspace, sequence, after, BATCH_MAX)).await?;
        after = live.last().copied();
        if live.is_empty() {
            return Ok(());
        }
        let puts: Vec<Put> = live
            .into_iter()
            .map(|enrollment| Put { enrollment, event: Event::SequenceEnded, actor: Actor::Engine })
            .collect();
        for refused in each(app, workspace, puts).await? {
            tracing::error!(enrollment = %refused.0, "could not be finished with its sequence: {}", refused.1);
        }
    }
}

/// Puts a batch, or each by itself where the batch fails; answers those that fail by themselves.
pub(super) async fn each(
    app: &App,
    workspace: WorkspaceId,
    puts: Vec<Put>,
) -> Result<Vec<(EnrollmentId, StoreError)>, StoreError> {
    match advance(app, workspace, puts.clone()).await {
        Ok(_) => return Ok(Vec::new()),
        Err(e) if is_passing(&e) => return Err(e),
        Err(_) => {}
    }
    let mut failed = Vec::new();
    for put in puts {
        let id = put.enrollment;
        match advance(app, workspace, vec![put]).await {
            Ok(_) => {}
            Err(e) if is_passing(&e) => return Err(e),
            Err(e) => failed.push((id, e)),
        }
    }
    Ok(failed)
}
