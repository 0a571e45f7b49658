//! What a changed record means for the enrollments that read it: a block that is mended goes on (ENR-1), a due date follows
//! a changed time zone. The machine decides; this finds whom to tell.

use super::ActionError;
use super::change::{Change, Stopped};
use crate::App;
use cadenza_core::enrollment::{BlockReason, Subject};
use cadenza_core::ids::{CompanyId, MailboxId, WorkspaceId};
use cadenza_core::machine::Event;
use cadenza_store::door::{Mended, Put};
use cadenza_store::{contacts, enrollments};

/// Enrollments that are set going in one transaction.
const MENDED_AT_ONCE: usize = 500;

/// Whether the time zone is among what changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    Same,
    Changed,
}

/// Records were changed: their addresses, their fields, maybe their zone.
pub fn records(change: &mut Change<'_>, subjects: &[Subject], zone: Zone) -> Result<(), Stopped> {
    let live = enrollments::live_of(change.tx, change.w, subjects)?;
    let mut puts = Vec::new();
    for e in live {
        let mends = matches!(e.block, Some(BlockReason::MissingAddress | BlockReason::MissingField));
        let events = [mends.then_some(Event::Mended), (zone == Zone::Changed).then_some(Event::Retimed)];
        let actor = change.actor();
        puts.extend(events.into_iter().flatten().map(|event| Put { enrollment: e.id, event, actor }));
    }
    change.advance(puts).map(drop)
}

/// A company was changed: its own enrollments, and those of its contacts, who share its fields and maybe its zone.
pub fn company(change: &mut Change<'_>, id: CompanyId, zone: Zone) -> Result<(), Stopped> {
    let people = contacts::of_company(change.tx, change.w, id)?;
    let mut subjects: Vec<Subject> = people.iter().map(|c| Subject::Contact(c.id)).collect();
    subjects.push(Subject::Company(id));
    records(change, &subjects, zone)
}

/// A mailbox was added, changed or released: whoever waits for it goes on, paced. After the commit of what caused it and in
/// several transactions, since there may be many; where this is cut short, the engine finds the rest by itself.
pub async fn mailbox(app: &App, w: WorkspaceId, id: MailboxId) -> Result<(), ActionError> {
    let mut after = None;
    loop {
        let app2 = app.clone();
        let mended = app
            .db
            .write_async(move |tx| app2.door.mend(tx, w, Mended::Mailbox(id), after, MENDED_AT_ONCE, app2.clock.now()));
        let mended = mended.await?;
        after = mended.last().map(|(id, _)| *id);
        if mended.len() < MENDED_AT_ONCE {
            return Ok(());
        }
    }
}
