//! What an import mends: an enrollment that waited for an address or a field of somebody whom it updated goes on (ENR-1).

use super::{App, Caller, Subject, Tx};
use cadenza_core::enrollment::BlockReason;
use cadenza_core::ids::ContactId;
use cadenza_core::machine::{Actor, Event};
use cadenza_core::time::Time;
use cadenza_store::door::Put;
use cadenza_store::{StoreError, enrollments};

pub(super) fn go_on(
    app: &App,
    tx: &mut Tx,
    caller: &Caller,
    updated: &[ContactId],
    now: Time,
) -> Result<(), StoreError> {
    if updated.is_empty() {
        return Ok(());
    }
    let subjects: Vec<Subject> = updated.iter().copied().map(Subject::Contact).collect();
    let live = enrollments::live_of(tx, caller.workspace, &subjects)?;
    let blocked =
        live.into_iter().filter(|e| matches!(e.block, Some(BlockReason::MissingAddress | BlockReason::MissingField)));
    let actor = Actor::User(caller.user);
    let puts: Vec<Put> = blocked.map(|e| Put { enrollment: e.id, event: Event::Mended, actor }).collect();
    if puts.is_empty() { Ok(()) } else { app.door.advance(tx, caller.workspace, puts, now).map(drop) }
}
