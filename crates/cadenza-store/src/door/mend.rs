//! Setting going what stands still without need: after a mailbox was released, an address was added, a restored database was
//! let go; and, looked for now and then, after a process ended between two steps.

use super::outbox::{is_in_sandbox, open_send};
use super::{Advanced, Door, OpenSend, Put, SHARDS};
use crate::error::Result;
use crate::query::{Query, Tx};
use crate::value::Columns;
use cadenza_core::enrollment::Subject;
use cadenza_core::ids::{EnrollmentId, MailboxId, SequenceId, WorkspaceId};
use cadenza_core::machine::{Actor, Event};
use cadenza_core::time::Time;

/// What was mended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mended {
    /// Released, or given a working account.
    Mailbox(MailboxId),
    /// An address or a field of a contact or company, or of the company of contacts.
    Record(Subject),
}

impl Door {
    /// Lets blocked enrollments go on by themselves where what blocked them was mended; paced, as all that is due. Those for
    /// which it was not mended stay blocked. Answers what it asked, `most` at once; ask again while it answers as many.
    pub fn mend(
        &self,
        tx: &mut Tx,
        workspace: WorkspaceId,
        what: Mended,
        after: Option<EnrollmentId>,
        most: usize,
        now: Time,
    ) -> Result<Vec<(EnrollmentId, Advanced)>> {
        let blocked = blocked_by(tx, workspace, what, after, most)?;
        let puts =
            blocked.iter().map(|id| Put { enrollment: *id, event: Event::Mended, actor: Actor::Engine }).collect();
        let answers = self.advance(tx, workspace, puts, now)?;
        Ok(blocked.into_iter().zip(answers).collect())
    }
}

impl Door {
    /// Attempts of this process that were recorded before a moment and have no result.
    pub fn open_before(&self, q: &mut Query, before: Time) -> Result<Vec<OpenSend>> {
        let rows = q.query(
            "SELECT workspace_id, enrollment_id, visit, attempt, state FROM send
             WHERE settled_at IS NULL AND shard >= 0 AND shard < $1 AND claimed_at < $2 AND epoch = $3",
            &[SHARDS.into(), before.into(), self.node().epoch.into()],
        )?;
        rows.iter().map(open_send).collect()
    }

    /// Settles attempts that nobody works on: one before its final mark is due again; one past it was sent where the sandbox
    /// has it, and else is unknown, for the reason given. What has moved since it was looked at is left alone.
    pub fn settle_lost(
        &self,
        tx: &mut Tx,
        workspace: WorkspaceId,
        lost: &[OpenSend],
        why: &str,
        now: Time,
    ) -> Result<SettledLost> {
        let of = || Columns::new().ints(lost.iter().map(|send| send.enrollment));
        // Held, so that none passes its mark between this look and the event.
        tx.query_rows(
            "SELECT e.id FROM rows(id BIGINT) AS r JOIN enrollment e ON e.workspace_id = $1 AND e.id = r.id
             ORDER BY e.id FOR UPDATE OF e",
            &of(),
            &[workspace.into()],
        )?;
        let rows = tx.query_rows(
            "SELECT o.workspace_id, o.enrollment_id, o.visit, o.attempt, o.state FROM rows(id BIGINT) AS r
             JOIN send o ON o.workspace_id = $1 AND o.enrollment_id = r.id WHERE o.settled_at IS NULL",
            &of(),
            &[workspace.into()],
        )?;
        let still = rows.iter().map(open_send).collect::<Result<Vec<_>>>()?;
        let mut puts = Vec::new();
        for send in lost.iter().filter(|send| still.contains(send)) {
            let OpenSend { visit, attempt, enrollment, .. } = *send;
            let event = if !send.marked {
                Event::Returned { visit, attempt }
            } else if is_in_sandbox(tx, *send)? {
                Event::Sent { visit, attempt }
            } else {
                Event::Unknown { visit, attempt, detail: why.to_owned() }
            };
            puts.push(Put { enrollment, event, actor: Actor::Engine });
        }
        let mut settled = SettledLost::default();
        for (put, answer) in puts.clone().iter().zip(self.advance(tx, workspace, puts, now)?) {
            settled.note(&put.event, answer.is_ok());
        }
        Ok(settled)
    }
}

/// How attempts that nobody worked on were settled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SettledLost {
    /// Due once more: no dot was given.
    pub again: usize,
    pub sent: usize,
    pub unknown: usize,
}

impl SettledLost {
    fn note(&mut self, event: &Event, taken: bool) {
        let count = match event {
            Event::Returned { .. } => &mut self.again,
            Event::Sent { .. } => &mut self.sent,
            _ => &mut self.unknown,
        };
        *count += usize::from(taken);
    }

    pub fn all(self) -> usize {
        self.again + self.sent + self.unknown
    }
}

impl std::ops::AddAssign for SettledLost {
    fn add_assign(&mut self, more: SettledLost) {
        self.again += more.again;
        self.sent += more.sent;
        self.unknown += more.unknown;
    }
}

/// Blocked enrollments whose mailbox is held no more, of every workspace.
pub fn unheld(q: &mut Query, most: usize) -> Result<Vec<(WorkspaceId, EnrollmentId)>> {
    let rows = q.query(
        "SELECT e.workspace_id, e.id FROM enrollment e
         JOIN mailbox m ON m.workspace_id = e.workspace_id AND m.id = e.mailbox_id
         WHERE e.block = 'mailbox' AND e.life = 1 AND m.held IS NULL LIMIT $1",
        &[(most as i64).into()],
    )?;
    rows.iter().map(|row| Ok((WorkspaceId(row.int(0)?), EnrollmentId(row.int(1)?)))).collect()
}

fn blocked_by(
    q: &mut Query,
    workspace: WorkspaceId,
    what: Mended,
    after: Option<EnrollmentId>,
    most: usize,
) -> Result<Vec<EnrollmentId>> {
    // Whoever has no mailbox yet may get this one: rotation decides when it is asked.
    let (who, id) = match what {
        Mended::Mailbox(id) => ("e.block = 'mailbox' AND (e.mailbox_id = $3 OR e.mailbox_id IS NULL)", id.0),
        // With another address it may stand in the line of a limiter that is none of its own.
        Mended::Record(Subject::Contact(id)) => ("e.contact_id = $3", id.0),
        Mended::Record(Subject::Company(id)) => (
            "(e.company_id = $3 OR e.contact_id IN (SELECT c.id FROM contact c WHERE c.workspace_id = $1 AND c.company_id = $3))",
            id.0,
        ),
    };
    let sql = format!(
        "SELECT e.id FROM enrollment e
         WHERE e.workspace_id = $1 AND (e.block IS NOT NULL OR e.parked IS NOT NULL) AND e.life = 1 AND {who} AND e.id > $2
         ORDER BY e.id LIMIT $4"
    );
    let after = after.map_or(0, |id| id.0);
    let rows = q.query(&sql, &[workspace.into(), after.into(), id.into(), (most as i64).into()])?;
    rows.iter().map(|row| row.int(0).map(EnrollmentId)).collect()
}

/// Puts everything of a workspace that may be due before the clock again, and draws every line: a restored database was
/// released, a user came back, settings changed. What is held back still is comes to rest again at once.
pub fn rouse_workspace(tx: &mut Tx, workspace: WorkspaceId, now: Time) -> Result<u64> {
    let roused = tx.exec(
        "UPDATE enrollment SET version = version + 1,
             wake_at = CASE WHEN due_at IS NOT NULL AND due_at > $2 THEN due_at ELSE $2 END
         WHERE workspace_id = $1 AND life IN (0, 1) AND holds = 0 AND block IS NULL AND parked IS NULL
           AND (phase IS NULL OR phase < 2)
           AND (wake_at IS NULL OR (wake_at > $2 AND due_at IS NOT NULL AND due_at <= $2))",
        &[workspace.into(), now.into()],
    )?;
    tx.exec(
        "UPDATE limiter SET wake_at = $2 WHERE workspace_id = $1 AND (wake_at IS NULL OR wake_at > $2) AND EXISTS
             (SELECT 1 FROM enrollment e WHERE e.workspace_id = $1 AND e.parked = limiter.id)",
        &[workspace.into(), now.into()],
    )?;
    Ok(roused)
}

/// Sequences that ended while not everybody in them was finished: whoever ended them did not come to the end of it.
pub fn half_ended(q: &mut Query) -> Result<Vec<(WorkspaceId, SequenceId)>> {
    let rows = q.query(
        "SELECT s.workspace_id, s.id FROM sequence s
         WHERE s.state IN ('ended', 'archived') AND EXISTS
             (SELECT 1 FROM enrollment e WHERE e.workspace_id = s.workspace_id AND e.sequence_id = s.id
                AND e.state IN ('pending', 'active', 'blocked', 'paused'))
         ORDER BY s.workspace_id, s.id",
        &[],
    )?;
    rows.iter().map(|row| Ok((WorkspaceId(row.int(0)?), SequenceId(row.int(1)?)))).collect()
}

/// Draws every line that rests while somebody stands in it. A line that rests for a reason, such as a cap of zero, comes to
/// rest again at once.
pub fn repair_lines(tx: &mut Tx, now: Time) -> Result<u64> {
    tx.exec(
        "UPDATE limiter SET wake_at = $1 WHERE wake_at IS NULL AND EXISTS
             (SELECT 1 FROM enrollment e WHERE e.workspace_id = limiter.workspace_id AND e.parked = limiter.id)",
        &[now.into()],
    )
}
