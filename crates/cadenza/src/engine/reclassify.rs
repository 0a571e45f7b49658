//! The jobs of reclassifying (REC-12): the present rules over kept mail, with the differences written down; and adopting those
//! that were chosen, by the same way as a correction by hand.

use super::receive::{self, NotCorrected};
use crate::app::App;
use cadenza_core::ids::{JobId, MessageId, WorkspaceId};
use cadenza_store::inbound_messages;
use cadenza_store::jobs::{Failure, Job, Progress};
use cadenza_store::reclassified::{self, Difference, State};
use cadenza_store::{StoreError, Tx};

/// Messages read in one commit: reading one may take milliseconds, and the sender works in between.
const READ: usize = 10;
const ADOPTED: usize = 50;

/// Reads the next kept messages again; nothing where there are no more.
pub(super) fn read(tx: &mut Tx, w: WorkspaceId, job: &Job) -> Result<Option<Progress>, StoreError> {
    let kept = inbound_messages::kept_raw(tx, w, MessageId(job.position), READ)?;
    let Some((last, _)) = kept.last() else { return Ok(None) };
    let mut progress = Progress { position: last.id.0, done: 0, failures: Vec::new() };
    for (message, raw) in kept {
        progress.done += 1;
        let Some(now) = receive::reread(tx, w, &message, raw)? else { continue };
        if !now.differs {
            continue;
        }
        let difference = Difference {
            message: message.id,
            before: message.class,
            now: now.class,
            version_before: now.version_before,
            version: now.version,
            enrollments: u32::try_from(now.told.len()).unwrap_or(u32::MAX),
            state: State::Found,
            why: None,
        };
        reclassified::add(tx, w, job.id, &difference)?;
    }
    Ok(Some(progress))
}

/// Adopts the next differences that another job found; `only` names the chosen ones.
pub(super) fn adopt(
    app: &App,
    tx: &mut Tx,
    w: WorkspaceId,
    job: &Job,
    of: JobId,
    only: Option<&[MessageId]>,
) -> Result<Option<Progress>, StoreError> {
    let open = reclassified::open(tx, w, of, MessageId(job.position), ADOPTED)?;
    let Some(last) = open.last().copied() else { return Ok(None) };
    let mut progress = Progress { position: last.0, done: 0, failures: Vec::new() };
    for id in open.into_iter().filter(|id| only.is_none_or(|only| only.contains(id))) {
        match receive::adopt(app, tx, w, id, job.user) {
            Ok(Some(_)) => {
                reclassified::settle(tx, w, of, id, State::Adopted, None)?;
                progress.done += 1;
            }
            Ok(None) => reclassified::settle(tx, w, of, id, State::Over, None)?,
            Err(NotCorrected::Refused(refusal)) => {
                let why = refusal.to_string();
                reclassified::settle(tx, w, of, id, State::Refused, Some(&why))?;
                let subject = format!("message {id}");
                progress.failures.push(Failure { position: id.0, subject, code: "refused".into(), why });
            }
            Err(NotCorrected::Store(e)) => return Err(e),
        }
    }
    Ok(Some(progress))
}
