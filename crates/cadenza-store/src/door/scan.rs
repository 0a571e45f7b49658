//! What is due: enrollments whose moment has come, and limiters whose line is to be drawn (TIM-5). Both are ranges of one
//! index; what stands behind a shut gate is not looked at.

use super::load::{Look, Round};
use super::sequence::load_sequence;
use super::{Advanced, Door, Put, idle, room};
use crate::error::Result;
use crate::nodes::Share;
use crate::query::{Query, Tx};
use crate::value::Columns;
use cadenza_core::flow::Key;
use cadenza_core::ids::{EnrollmentId, MailboxId, SequenceId, WorkspaceId};
use cadenza_core::machine::{Actor, Event};
use cadenza_core::pacing::{Scope, ScopeKind};
use cadenza_core::time::{Span, Time};
use std::sync::PoisonError;

/// An enrollment that the clock must look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    pub workspace: WorkspaceId,
    pub enrollment: EnrollmentId,
}

/// The enrollments whose moment has come, the longest due first; among equals in the order of their ids, which is that of
/// their rows, so that a batch finds them side by side.
pub fn due(q: &mut Query, now: Time, most: usize, share: &Share) -> Result<Vec<Due>> {
    let rows = q.query(
        &format!(
            "SELECT workspace_id, id FROM enrollment WHERE wake_at IS NOT NULL AND wake_at <= $1 AND {} ORDER BY wake_at, id LIMIT $2",
            in_share(3)
        ),
        &[now.into(), (most as i64).into(), share.as_param().into()],
    )?;
    rows.iter()
        .map(|row| Ok(Due { workspace: WorkspaceId(row.int(0)?), enrollment: EnrollmentId(row.int(1)?) }))
        .collect()
}

/// Is the row one of a node's own? The shards of all nodes are looked through, in the order of time: what is due to the others
/// stays due for a moment only, since whoever cannot be served stands in a line.
pub(super) fn in_share(param: usize) -> String {
    format!("(${param} = '' OR substr(${param}, CAST(shard + 1 AS INTEGER), 1) = '1')")
}

/// A large crowd is counted as often as this; meanwhile a quarter more are taken to have come.
const COUNT_STANDS: Span = Span::from_micros(500_000);
const LARGE: u32 = 1_000;

impl Door {
    /// How many enrollments are due to all nodes, counted up to a bound; `None` beyond it.
    ///
    /// # Errors
    /// Those of the database.
    pub fn crowd(&self, q: &mut Query, now: Time) -> Result<Option<u32>> {
        let before = *self.crowd.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((counted_at, count)) = before
            && count.is_none_or(|count| count >= LARGE)
            && counted_at <= now
            && now < counted_at + COUNT_STANDS
        {
            return Ok(count.map(|count| count + count / 4));
        }
        let count = crowd(q, now)?;
        *self.crowd.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, count));
        Ok(count)
    }
}

fn crowd(q: &mut Query, now: Time) -> Result<Option<u32>> {
    const COUNTED: i64 = 20_000;
    let row = q.query_one(
        "SELECT COUNT(*) FROM (SELECT 1 FROM enrollment WHERE wake_at IS NOT NULL AND wake_at <= $1 LIMIT $2) AS due",
        &[now.into(), COUNTED.into()],
    )?;
    let count = row.int(0)?;
    Ok(u32::try_from(count).ok().filter(|_| count < COUNTED))
}

/// When a node's clock must look next: the first due moment of its enrollments and limiters, and, if it leads, of what
/// belongs to nobody in particular.
pub fn next_due(q: &mut Query, share: &Share) -> Result<Option<Time>> {
    let mut of_share = |table: &str| -> Result<Option<Time>> {
        let sql = format!(
            "SELECT wake_at FROM {table} WHERE wake_at IS NOT NULL AND {} ORDER BY wake_at LIMIT 1",
            in_share(1)
        );
        q.query_opt(&sql, &[share.as_param().into()])?.map_or(Ok(None), |row| row.opt_time(0))
    };
    let (enrollment, limiter) = (of_share("enrollment")?, of_share("limiter")?);
    if !share.leads() {
        return Ok([enrollment, limiter].into_iter().flatten().min());
    }
    let first = |q: &mut Query, sql: &str| -> Result<Option<Time>> {
        q.query_opt(sql, &[])?.map_or(Ok(None), |row| row.opt_time(0))
    };
    let begins = first(q, "SELECT MIN(begin_at) FROM sequence WHERE state = 'scheduled'")?;
    let ends = first(
        q,
        "SELECT MIN(end_at) FROM sequence WHERE end_at IS NOT NULL AND state IN ('scheduled', 'active', 'paused')",
    )?;
    let idle = first(q, "SELECT MIN(look_at) FROM sequence_idle")?;
    let absence = first(q, "SELECT MIN(turn_at) FROM absence WHERE turn_at IS NOT NULL")?;
    Ok([enrollment, limiter, begins, ends, idle, absence].into_iter().flatten().min())
}

/// Whether the work rests at a moment, for whoever moves the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// Something is due, or a message is under way.
    Not,
    /// Nothing is to be done before this.
    Until(Time),
    /// Nothing is to be done any more, unless somebody does something.
    ForGood,
}

/// Reads whether the work rests. All of it is read in one statement: what moves from one place to the next between two of them
/// would be seen in neither.
pub fn rest(q: &mut Query, now: Time) -> Result<Rest> {
    let rows = q.query(
        "SELECT 0, MIN(wake_at) FROM enrollment WHERE wake_at IS NOT NULL
         UNION ALL SELECT 0, MIN(wake_at) FROM limiter WHERE wake_at IS NOT NULL
         UNION ALL SELECT 0, MIN(begin_at) FROM sequence WHERE state = 'scheduled'
         UNION ALL SELECT 0, MIN(end_at) FROM sequence
                   WHERE end_at IS NOT NULL AND state IN ('scheduled', 'active', 'paused')
         UNION ALL SELECT 0, MIN(look_at) FROM sequence_idle
         UNION ALL SELECT 0, MIN(turn_at) FROM absence WHERE turn_at IS NOT NULL
         UNION ALL SELECT 0, MIN(next_at) FROM side_effect WHERE next_at IS NOT NULL
         UNION ALL SELECT 1, MIN(claimed_at) FROM send WHERE settled_at IS NULL",
        &[],
    )?;
    let mut first: Option<Time> = None;
    for row in rows {
        let Some(at) = row.opt_time(1)? else { continue };
        if row.int(0)? == 1 || at <= now {
            return Ok(Rest::Not);
        }
        first = Some(first.map_or(at, |f| f.min(at)));
    }
    Ok(first.map_or(Rest::ForGood, Rest::Until))
}

/// A limiter whose line is to be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    pub workspace: WorkspaceId,
    pub scope: Scope,
}

/// The limiters that open by now, with their lines.
pub fn lines(q: &mut Query, now: Time, most: usize, share: &Share) -> Result<Vec<Line>> {
    let rows = q.query(
        &format!(
            "SELECT workspace_id, kind, of_id FROM limiter WHERE wake_at IS NOT NULL AND wake_at <= $1 AND {} ORDER BY wake_at LIMIT $2",
            in_share(3)
        ),
        &[now.into(), (most as i64).into(), share.as_param().into()],
    )?;
    let mut lines = Vec::with_capacity(rows.len());
    for row in rows {
        let word = row.text(1)?;
        let Some(kind) = ScopeKind::ALL.into_iter().find(|k| k.as_str() == word) else { continue };
        lines.push(Line { workspace: WorkspaceId(row.int(0)?), scope: Scope { kind, of: row.int(2)? } });
    }
    Ok(lines)
}

/// Somebody in a line, and of which sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InLine {
    pub enrollment: EnrollmentId,
    pub sequence: SequenceId,
}

/// Who stands in a line, in the published order: sequence priority, then later steps before first ones, then the oldest due.
pub fn in_line(q: &mut Query, line: Line, most: u32) -> Result<Vec<InLine>> {
    let rows = q.query(
        "SELECT id, sequence_id FROM enrollment WHERE workspace_id = $1 AND parked = $2 ORDER BY rank_class, due_at, id LIMIT $3",
        &[line.workspace.into(), line.scope.number().into(), most.into()],
    )?;
    rows.iter()
        .map(|row| Ok(InLine { enrollment: EnrollmentId(row.int(0)?), sequence: SequenceId(row.int(1)?) }))
        .collect()
}

impl Door {
    /// Draws the line before a limiter: as many as have room, in the published order; and says when to draw next.
    pub fn draw(&self, tx: &mut Tx, line: Line, most: u32, now: Time) -> Result<Vec<Advanced>> {
        let Line { workspace, scope } = line;
        // Whoever is just getting into the line writes this row too: they are seen below, or they wake the line after us.
        tx.query(
            "SELECT id FROM limiter WHERE workspace_id = $1 AND id = $2 FOR UPDATE",
            &[workspace.into(), scope.number().into()],
        )?;
        let Some(first) = in_line(tx, line, 1)?.pop() else {
            return self.rest(tx, line, None).map(|()| Vec::new());
        };
        let mut round = Round::new(self, tx, workspace, now, Look::Held)?;
        let info = load_sequence(self, tx, &round.ws, first.sequence, Look::Held)?;
        room::load(tx, &mut round, &info, &[scope])?;
        let room = round.ledger.room(scope, now).unwrap_or(most).min(most).min(room::taken_at_most(&round, scope));
        let puts: Vec<Put> = in_line(tx, line, room)?
            .into_iter()
            .map(|one| Put { enrollment: one.enrollment, event: Event::Drawn, actor: Actor::Engine })
            .collect();
        // The line rests unless somebody is still in it afterwards; those who get into it again wake it themselves.
        self.rest(tx, line, None)?;
        let answers = if puts.is_empty() { Vec::new() } else { self.advance(tx, workspace, puts, now)? };
        if !in_line(tx, line, 1)?.is_empty() {
            let mut round = Round::new(self, tx, workspace, now, Look::Held)?;
            room::load(tx, &mut round, &info, &[scope])?;
            self.rest(tx, line, room::wakes(&round, scope))?;
        }
        Ok(answers)
    }

    fn rest(&self, tx: &mut Tx, line: Line, until: Option<Time>) -> Result<()> {
        tx.exec(
            "UPDATE limiter SET wake_at = $3 WHERE workspace_id = $1 AND id = $2",
            &[line.workspace.into(), line.scope.number().into(), until.into()],
        )?;
        Ok(())
    }
}

/// Draws the lines of a mailbox: its inbox was read again, it was released, or its caps were changed.
pub fn ring_mailbox(tx: &mut Tx, workspace: WorkspaceId, mailbox: MailboxId, now: Time) -> Result<()> {
    for kind in [ScopeKind::MailboxGap, ScopeKind::MailboxHour, ScopeKind::MailboxDay] {
        let scope = Scope { kind, of: mailbox.0 };
        tx.exec(
            "UPDATE limiter SET wake_at = $3 WHERE workspace_id = $1 AND id = $2",
            &[workspace.into(), scope.number().into(), now.into()],
        )?;
    }
    Ok(())
}

/// After a sequence became active: its enrollments are put before the clock again. Those that are past due go out paced.
pub fn rouse_sequence(tx: &mut Tx, workspace: WorkspaceId, sequence: SequenceId, now: Time) -> Result<u64> {
    idle::note_roused(tx, workspace, sequence, now)?;
    tx.exec(
        "UPDATE enrollment SET version = version + 1,
             wake_at = CASE WHEN due_at IS NOT NULL AND due_at > $3 THEN due_at ELSE $3 END
         WHERE workspace_id = $1 AND sequence_id = $2 AND life IN (0, 1) AND holds = 0 AND block IS NULL
           AND parked IS NULL AND wake_at IS NULL AND (phase IS NULL OR phase < 2)",
        &[workspace.into(), sequence.into(), now.into()],
    )
}

/// Sequences whose state the clock changed.
#[derive(Debug, Default)]
pub struct Turned {
    pub begun: Vec<(WorkspaceId, SequenceId)>,
    /// Ended, with live enrollments still to be finished.
    pub ended: Vec<(WorkspaceId, SequenceId)>,
}

/// Lets scheduled sequences begin, and sequences past their end date or with nobody left in them end (SEQ-6, SEQ-7, SEQ-8).
pub fn turn_sequences(tx: &mut Tx, now: Time) -> Result<Turned> {
    let mut turned = Turned::default();
    let due = "SELECT workspace_id, id FROM sequence WHERE state = 'scheduled' AND begin_at <= $1";
    for row in tx.query(due, &[now.into()])? {
        let (workspace, id) = (WorkspaceId(row.int(0)?), SequenceId(row.int(1)?));
        let begun = tx.exec(
            "UPDATE sequence SET state = 'active', version = version + 1, updated_at = $3
             WHERE workspace_id = $1 AND id = $2 AND state = 'scheduled'",
            &[workspace.into(), id.into(), now.into()],
        )?;
        if begun == 0 {
            continue;
        }
        rouse_sequence(tx, workspace, id, now)?;
        turned.begun.push((workspace, id));
    }
    let over = "SELECT workspace_id, id FROM sequence
                WHERE end_at IS NOT NULL AND state IN ('scheduled', 'active', 'paused') AND end_at <= $1";
    for row in tx.query(over, &[now.into()])? {
        let (workspace, id) = (WorkspaceId(row.int(0)?), SequenceId(row.int(1)?));
        let ended = tx.exec(
            "UPDATE sequence SET state = 'ended', ended_at = $3, ended_by = 'date', ended_while = state,
                 version = version + 1, updated_at = $3
             WHERE workspace_id = $1 AND id = $2 AND state IN ('scheduled', 'active', 'paused') AND end_at <= $3",
            &[workspace.into(), id.into(), now.into()],
        )?;
        if ended == 1 {
            turned.ended.push((workspace, id));
        }
    }
    // Nobody is live in these: nothing is to be finished.
    idle::end_idle(tx, now)?;
    Ok(turned)
}

/// Whether [`turn_sequences`] has anything to do.
pub fn sequences_turn(q: &mut Query, now: Time) -> Result<bool> {
    let rows = q.query(
        "SELECT 1 FROM sequence WHERE state = 'scheduled' AND begin_at <= $1
         UNION ALL
         SELECT 1 FROM sequence WHERE end_at IS NOT NULL AND state IN ('scheduled', 'active', 'paused') AND end_at <= $1
         UNION ALL
         SELECT 1 FROM sequence_idle WHERE look_at <= $1
         LIMIT 1",
        &[now.into()],
    )?;
    Ok(!rows.is_empty())
}

/// Live enrollments of a sequence, in order of their ids.
pub fn live_in(
    q: &mut Query,
    workspace: WorkspaceId,
    sequence: SequenceId,
    after: Option<EnrollmentId>,
    most: usize,
) -> Result<Vec<EnrollmentId>> {
    let after = after.map_or(0, |id| id.0);
    let rows = q.query(
        "SELECT id FROM enrollment WHERE workspace_id = $1 AND sequence_id = $2 AND life IN (0, 1) AND id > $3
         ORDER BY id LIMIT $4",
        &[workspace.into(), sequence.into(), after.into(), (most as i64).into()],
    )?;
    rows.iter().map(|row| row.int(0).map(EnrollmentId)).collect()
}

/// Live enrollments whose current activity is of one of these steps.
pub fn standing_on(
    q: &mut Query,
    workspace: WorkspaceId,
    sequence: SequenceId,
    steps: &[Key],
) -> Result<Vec<EnrollmentId>> {
    let rows = q.query_rows(
        "SELECT e.id FROM rows(step TEXT) AS r
         JOIN enrollment e ON e.workspace_id = $1 AND e.sequence_id = $2 AND e.step = r.step
         WHERE e.life IN (0, 1) ORDER BY e.id",
        &Columns::new().texts(steps.iter().map(Key::as_str)),
        &[workspace.into(), sequence.into()],
    )?;
    rows.iter().map(|row| row.int(0).map(EnrollmentId)).collect()
}

/// An enrollment that cannot be read is looked at again later, so that it holds up nobody; it leaves the line it stood in.
pub fn set_aside(tx: &mut Tx, workspace: WorkspaceId, id: EnrollmentId, until: Time) -> Result<()> {
    tx.exec(
        "UPDATE enrollment SET wake_at = $3, parked = NULL, version = version + 1 WHERE workspace_id = $1 AND id = $2",
        &[workspace.into(), id.into(), until.into()],
    )?;
    Ok(())
}
