//! Counts, by day, what a sequence and a mailbox send and what of it bounces or is complained about, and pauses the one that goes
//! beyond its measure (SND-10), in the transaction that learnt of it: nothing that is marked later goes out.

use super::load::Round;
use crate::error::Result;
use crate::query::Tx;
use crate::track_record::{self, Of};
use crate::value::Columns;
use cadenza_core::breaker::TrackRecord;
use cadenza_core::enrollment::Enrollment;
use cadenza_core::ids::{MailboxId, SequenceId};
use cadenza_core::machine::{Effect, Event, SuppressWhy};
use cadenza_core::time::Time;
use std::collections::BTreeMap;

/// What one batch adds.
#[derive(Debug, Default)]
pub(super) struct Records {
    of: BTreeMap<Of, TrackRecord>,
}

impl Records {
    pub fn transition(&mut self, event: &Event, before: &Enrollment, after: &Enrollment, effects: &[Effect]) {
        let bounced = after.bounced && !before.bounced;
        let complaint = effects.iter().any(|e| matches!(e, Effect::Suppress { why: SuppressWhy::Complaint, .. }));
        let sent = i64::from(after.emails) - i64::from(before.emails);
        // A recipient who is refused while the mail is offered was written to all the same.
        let refused = bounced && !matches!(event, Event::Bounce { .. });
        // A person said that the message was no bounce (REC-6).
        let taken_back = before.bounced && !after.bounced && matches!(event, Event::TakeBack { .. });
        let n = TrackRecord {
            mails: sent.max(0) + i64::from(refused),
            bounces: i64::from(bounced) - i64::from(taken_back),
            complaints: i64::from(complaint),
        };
        if n == TrackRecord::default() {
            return;
        }
        let mailbox = after.mailbox.or(before.mailbox).map(Of::Mailbox);
        for of in [Some(Of::Sequence(after.sequence)), mailbox].into_iter().flatten() {
            let sum = self.of.entry(of).or_default();
            sum.mails += n.mails;
            sum.bounces += n.bounces;
            sum.complaints += n.complaints;
        }
    }
}

/// Adds what the batch counted, and looks at those of whom something bad was learnt.
pub(super) fn write(tx: &mut Tx, round: &mut Round, part: i64) -> Result<()> {
    let of = std::mem::take(&mut round.records).of;
    if of.is_empty() {
        return Ok(());
    }
    let columns = Columns::new()
        .texts(of.keys().map(|of| of.kind()))
        .ints(of.keys().map(|of| of.id()))
        .ints(of.values().map(|n| n.mails))
        .ints(of.values().map(|n| n.bounces))
        .ints(of.values().map(|n| n.complaints));
    tx.exec_rows(
        "INSERT INTO track_record (workspace_id, kind, of_id, day, part, mails, bounces, complaints)
         SELECT $1, r.kind, r.of_id, $2, $3, r.mails, r.bounces, r.complaints
         FROM rows(kind TEXT, of_id BIGINT, mails BIGINT, bounces BIGINT, complaints BIGINT) AS r WHERE TRUE
         ON CONFLICT (workspace_id, kind, of_id, day, part) DO UPDATE SET mails = track_record.mails + excluded.mails,
             bounces = track_record.bounces + excluded.bounces, complaints = track_record.complaints + excluded.complaints",
        &columns,
        &[round.workspace.into(), track_record::day_of(round.now).into(), part.into()],
    )?;
    for (of, n) in of {
        if n.bounces <= 0 && n.complaints <= 0 {
            continue;
        }
        let breaker = round.ws.settings.breaker;
        let record = track_record::within(tx, round.workspace, of, breaker.days, round.now)?;
        match (breaker.trips(record), of) {
            (Some(why), Of::Sequence(id)) => pause(tx, round, id, &why)?,
            (Some(why), Of::Mailbox(id)) => hold(tx, round, id, &why, round.now)?,
            (None, _) => {}
        }
    }
    Ok(())
}

fn pause(tx: &mut Tx, round: &Round, id: SequenceId, why: &str) -> Result<()> {
    let sql = "UPDATE sequence SET state = 'paused', held = $3, updated_at = $4, version = version + 1
         WHERE workspace_id = $1 AND id = $2 AND state = 'active'";
    if tx.exec(sql, &[round.workspace.into(), id.into(), why.into(), round.now.into()])? > 0 {
        tracing::warn!(workspace = round.workspace.0, sequence = id.0, why, "a sequence paused itself");
    }
    Ok(())
}

fn hold(tx: &mut Tx, round: &Round, id: MailboxId, why: &str, now: Time) -> Result<()> {
    let sql = "UPDATE mailbox SET held = $3, held_at = $4, version = version + 1
         WHERE workspace_id = $1 AND id = $2 AND held IS NULL";
    if tx.exec(sql, &[round.workspace.into(), id.into(), why.into(), now.into()])? > 0 {
        tracing::warn!(workspace = round.workspace.0, mailbox = id.0, why, "a mailbox is held");
    }
    Ok(())
}
