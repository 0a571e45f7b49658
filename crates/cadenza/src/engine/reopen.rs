//! The job that follows the reopening of a sequence (SEQ-7): whom its end finished goes on, piece by piece. Whether the sequence
//! may be reopened is the action's to say.

use crate::app::App;
use cadenza_core::enrollment::{Finish, Life};
use cadenza_core::ids::{EnrollmentId, SequenceId, WorkspaceId};
use cadenza_core::machine::{Actor, Event};
use cadenza_store::door::{self, EndedWith, Put};
use cadenza_store::jobs::{Failure, Job, Progress};
use cadenza_store::{StoreError, Tx};

/// The next piece; nothing where there are no more.
pub(super) fn piece(
    app: &App,
    tx: &mut Tx,
    w: WorkspaceId,
    job: &Job,
    sequence: SequenceId,
    most: usize,
) -> Result<Option<Progress>, StoreError> {
    let ended = door::ended_with(tx, w, sequence, EnrollmentId(job.position), most)?;
    let Some(last) = ended.last().copied() else { return Ok(None) };
    let mut progress = Progress { position: last.enrollment.0, done: 0, failures: Vec::new() };
    let actor = Actor::User(job.user);
    let put = |id| Put { enrollment: id, event: Event::SequenceReopened, actor };
    let (stay, go): (Vec<EndedWith>, Vec<EndedWith>) = ended.into_iter().partition(|e| e.overtaken);
    progress.failures.extend(stay.iter().map(|e| failure(e.enrollment, NEWER)));
    let puts: Vec<Put> = go.iter().map(|e| put(e.enrollment)).collect();
    let answers = app.door.advance(tx, w, puts.clone(), app.clock.now())?;
    for (put, answer) in puts.iter().zip(answers) {
        match answer {
            Ok(applied) if applied.enrollment.life == Life::Finished => {
                let answered = applied.enrollment.finish != Some(Finish::SequenceEnded);
                progress.failures.push(failure(put.enrollment, if answered { SINCE } else { NEWER }));
            }
            Ok(_) => progress.done += 1,
            Err(refusal) => progress.failures.push(failure(put.enrollment, ("refused", &refusal.to_string()))),
        }
    }
    progress.failures.sort_by_key(|f| f.position);
    Ok(Some(progress))
}

const NEWER: (&str, &str) = ("newer_live", "a newer enrollment of the same contact goes on");
const SINCE: (&str, &str) = ("ended_since", "the contact answered, opted out or was judged since the end");

fn failure(id: EnrollmentId, (code, why): (&str, &str)) -> Failure {
    Failure { position: id.0, subject: format!("enrollment {id}"), code: code.into(), why: why.into() }
}
