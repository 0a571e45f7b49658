//! Posts the begin and the end of absences (TIM-7) to all whom they concern, piece by piece. What was posted is seen by what it
//! did: begun again after a crash, it goes on with those whom it has not reached.

use super::due::each;
use crate::app::App;
use cadenza_core::ids::{EnrollmentId, WorkspaceId};
use cadenza_core::machine::{Actor, Event};
use cadenza_store::StoreError;
use cadenza_store::absences::{self, Absence};
use cadenza_store::door::{self, Freed, Put};

/// Enrollments of one commit at most.
const PIECE: usize = 500;
/// Absences of one round at most.
const TURNS_MAX: usize = 16;

/// Posts what is due. One that cannot be read is passed over.
///
/// # Errors
/// The database is away.
pub(super) async fn turn(app: &App) -> Result<(), StoreError> {
    let now = app.clock.now();
    for (workspace, absence) in app.db.read_async(move |q| absences::turning(q, now, TURNS_MAX)).await? {
        if absence.begun {
            post_end(app, workspace, &absence).await?;
        } else if absence.until.is_none_or(|until| until > now) {
            post_begin(app, workspace, &absence).await?;
        }
        // What began and ended while the server stood still has its end posted in the next round: a part of it may have
        // been held before the stop.
        app.db.write_async(move |tx| absences::turned(tx, workspace, &absence)).await?;
    }
    Ok(())
}

async fn post_begin(app: &App, workspace: WorkspaceId, absence: &Absence) -> Result<(), StoreError> {
    let mut after = EnrollmentId(0);
    loop {
        let of = absence.clone();
        let met = app.db.read_async(move |q| door::met_by_absence(q, workspace, &of, after, PIECE)).await?;
        let Some(last) = met.last() else { return Ok(()) };
        after = *last;
        post(app, workspace, met, &Event::AbsenceBegan).await?;
    }
}

async fn post_end(app: &App, workspace: WorkspaceId, absence: &Absence) -> Result<(), StoreError> {
    let mut after = EnrollmentId(0);
    loop {
        let (app2, of, now) = (app.clone(), absence.clone(), app.clock.now());
        let read = move |q: &mut cadenza_store::Query| app2.door.freed_by_return(q, workspace, &of, after, PIECE, now);
        let Freed { last, enrollments } = app.db.read_async(read).await?;
        let Some(last) = last else { return Ok(()) };
        after = last;
        post(app, workspace, enrollments, &Event::AbsenceEnded).await?;
    }
}

async fn post(
    app: &App,
    workspace: WorkspaceId,
    enrollments: Vec<EnrollmentId>,
    event: &Event,
) -> Result<(), StoreError> {
    let put = |enrollment| Put { enrollment, event: event.clone(), actor: Actor::Engine };
    let puts: Vec<Put> = enrollments.into_iter().map(put).collect();
    if puts.is_empty() {
        return Ok(());
    }
    for (enrollment, e) in each(app, workspace, puts).await? {
        tracing::error!(%enrollment, event = event.name(), "could not be told of an absence: {e}");
    }
    Ok(())
}
