//! Sequences that end when all in them are finished (SEQ-8): whoever finishes the last one notes it in the same transaction,
//! and the clock ends the sequence a little later. That it ended is told by the sequence; nobody in it is touched.

use super::load::Round;
use crate::error::{Result, StoreError};
use crate::query::{Query, Tx};
use cadenza_core::enrollment::{Life, SequenceState};
use cadenza_core::ids::{SequenceId, WorkspaceId};
use cadenza_core::settings::Settings;
use cadenza_core::time::{Span, Time};
use std::collections::BTreeSet;

/// So long nobody is live in a sequence before it ends. People come in chunks and the first may be done before the next one
/// comes; and a person who stopped the last one by mistake can take it back, while this end is for good.
const PATIENCE: Span = Span::minutes(5);

/// After a batch was written with its counters: notes the sequences in which it may have finished the last.
pub(super) fn note(tx: &mut Tx, round: &Round) -> Result<()> {
    let finished = round.enrollments.values().filter(|l| l.touched && l.now.life == Life::Finished);
    let sequences: BTreeSet<SequenceId> = finished.map(|l| l.now.sequence).collect();
    for id in sequences {
        let Some(info) = round.sequences.get(&id) else { continue };
        if info.facts.state == SequenceState::Active && info.facts.settings.end_when_all_finished {
            note_if_idle(tx, round.workspace, id, round.now)?;
        }
    }
    Ok(())
}

/// Notes a sequence that just became active, where nobody is left in it: they finished while it was paused.
pub(super) fn note_roused(tx: &mut Tx, workspace: WorkspaceId, id: SequenceId, now: Time) -> Result<()> {
    let sql = "SELECT settings FROM sequence WHERE workspace_id = $1 AND id = $2 AND state = 'active'";
    let Some(row) = tx.query_opt(sql, &[workspace.into(), id.into()])? else { return Ok(()) };
    if read_settings(row.text(0)?, id)?.end_when_all_finished { note_if_idle(tx, workspace, id, now) } else { Ok(()) }
}

/// By the counters, whose rows this transaction has just written: of two that finish the last two at once, the second waits
/// for the first and sees that nobody is left.
fn note_if_idle(tx: &mut Tx, workspace: WorkspaceId, id: SequenceId, now: Time) -> Result<()> {
    let counted = tx.query(
        "SELECT name, CAST(SUM(n) AS BIGINT) FROM counter
         WHERE workspace_id = $1 AND sequence_id = $2 AND step = '' AND name IN
             ('state:pending', 'state:active', 'state:blocked', 'state:paused', 'state:finished')
         GROUP BY name",
        &[workspace.into(), id.into()],
    )?;
    let (mut live, mut finished) = (0, 0);
    for row in counted {
        let n = row.int(1)?;
        if row.text(0)? == "state:finished" { finished += n } else { live += n }
    }
    if live > 0 || finished == 0 {
        return Ok(());
    }
    tx.exec(
        "INSERT INTO sequence_idle (workspace_id, sequence_id, look_at) VALUES ($1, $2, $3)
         ON CONFLICT (workspace_id, sequence_id) DO UPDATE SET look_at = excluded.look_at",
        &[workspace.into(), id.into(), (now + PATIENCE).into()],
    )?;
    Ok(())
}

/// Ends the noted sequences in which still nobody is live. What was noted is looked at once; it is noted again by whoever
/// finishes the last one again.
pub(super) fn end_idle(tx: &mut Tx, now: Time) -> Result<()> {
    let noted = "SELECT workspace_id, sequence_id FROM sequence_idle WHERE look_at <= $1";
    for row in tx.query(noted, &[now.into()])? {
        let (workspace, id) = (WorkspaceId(row.int(0)?), SequenceId(row.int(1)?));
        // Whoever enrolls holds the sequence until the commit: they are seen below, or they find that it has ended.
        let held = "SELECT state, settings FROM sequence WHERE workspace_id = $1 AND id = $2 FOR UPDATE";
        let sequence = tx.query_opt(held, &[workspace.into(), id.into()])?;
        let taken = tx.exec(
            "DELETE FROM sequence_idle WHERE workspace_id = $1 AND sequence_id = $2 AND look_at <= $3",
            &[workspace.into(), id.into(), now.into()],
        )?;
        let Some(sequence) = sequence.filter(|_| taken == 1) else { continue };
        let wanted = sequence.text(0)? == SequenceState::Active.as_str()
            && read_settings(sequence.text(1)?, id)?.end_when_all_finished;
        if !wanted || !all_finished(tx, workspace, id)? {
            continue;
        }
        tx.exec(
            "UPDATE sequence SET state = 'ended', ended_at = $3, ended_by = 'all_finished', version = version + 1,
                 updated_at = $3
             WHERE workspace_id = $1 AND id = $2",
            &[workspace.into(), id.into(), now.into()],
        )?;
    }
    Ok(())
}

/// Nobody is live, and somebody has finished: a sequence that nobody has entered, or from which all were taken off, goes on.
fn all_finished(q: &mut Query, workspace: WorkspaceId, id: SequenceId) -> Result<bool> {
    let mut any = |states: &str| -> Result<bool> {
        let sql = format!(
            "SELECT 1 FROM enrollment WHERE workspace_id = $1 AND sequence_id = $2 AND state IN ({states}) LIMIT 1"
        );
        Ok(q.query_opt(&sql, &[workspace.into(), id.into()])?.is_some())
    };
    Ok(!any("'pending', 'active', 'blocked', 'paused'")? && any("'finished'")?)
}

fn read_settings(json: &str, id: SequenceId) -> Result<Settings> {
    serde_json::from_str(json).map_err(|e| StoreError::inconsistent("sequence", id, e))
}
