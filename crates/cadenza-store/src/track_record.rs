//! What a sequence or mailbox sent on each day, and what of it bounced or was complained about: what its breaker goes by (SND-10).
//! Counted in `door/breaker`; a person who lets it go on has the count begin anew.

use crate::error::Result;
use crate::query::{Query, Tx};
use cadenza_core::breaker::TrackRecord;
use cadenza_core::ids::{MailboxId, SequenceId, WorkspaceId};
use cadenza_core::time::Time;

/// Whose record it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Of {
    Mailbox(MailboxId),
    Sequence(SequenceId),
}

impl Of {
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Of::Mailbox(_) => "mailbox",
            Of::Sequence(_) => "sequence",
        }
    }
    pub(crate) fn id(self) -> i64 {
        match self {
            Of::Mailbox(id) => id.0,
            Of::Sequence(id) => id.0,
        }
    }
}

/// Days of UTC since 1970.
pub(crate) fn day_of(at: Time) -> i64 {
    at.micros().div_euclid(86_400_000_000)
}

/// The sum over the last days, today among them.
pub fn within(q: &mut Query, w: WorkspaceId, of: Of, days: u32, now: Time) -> Result<TrackRecord> {
    let row = q.query_one(
        "SELECT CAST(COALESCE(SUM(mails), 0) AS BIGINT), CAST(COALESCE(SUM(bounces), 0) AS BIGINT),
             CAST(COALESCE(SUM(complaints), 0) AS BIGINT)
         FROM track_record WHERE workspace_id = $1 AND kind = $2 AND of_id = $3 AND day > $4",
        &[w.into(), of.kind().into(), of.id().into(), (day_of(now) - i64::from(days)).into()],
    )?;
    Ok(TrackRecord { mails: row.int(0)?, bounces: row.int(1)?, complaints: row.int(2)? })
}

/// A person said that a message was no complaint: one is counted less, today.
pub fn take_back_complaint(tx: &mut Tx, w: WorkspaceId, of: Of, part: i64, now: Time) -> Result<()> {
    tx.exec(
        "INSERT INTO track_record (workspace_id, kind, of_id, day, part, mails, bounces, complaints)
         VALUES ($1, $2, $3, $4, $5, 0, 0, -1)
         ON CONFLICT (workspace_id, kind, of_id, day, part) DO UPDATE SET complaints = track_record.complaints - 1",
        &[w.into(), of.kind().into(), of.id().into(), day_of(now).into(), part.into()],
    )?;
    Ok(())
}

/// A person has looked at it: what was counted so far is not held against it again.
pub fn forget(tx: &mut Tx, w: WorkspaceId, of: Of) -> Result<()> {
    let sql = "DELETE FROM track_record WHERE workspace_id = $1 AND kind = $2 AND of_id = $3";
    tx.exec(sql, &[w.into(), of.kind().into(), of.id().into()])?;
    Ok(())
}
