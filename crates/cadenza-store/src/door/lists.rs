//! Lists that feed sequences (SEQ-5, OPS-8): who is put on a list enters its live sequence by themselves, who is taken off is
//! held there, who is put back goes on.

use super::{Again, Door, Enrolled, Put};
use crate::error::Result;
use crate::query::Tx;
use crate::value::Columns;
use cadenza_core::enrollment::Subject;
use cadenza_core::ids::{EnrollmentId, ListId, SequenceId, UserId, WorkspaceId};
use cadenza_core::machine::{Actor, Event};
use cadenza_core::time::Time;

impl Door {
    /// Puts subjects on a list, and into the sequence that it feeds. Answers who entered there and who did not.
    pub fn put_on_list(
        &self,
        tx: &mut Tx,
        workspace: WorkspaceId,
        list: ListId,
        subjects: &[Subject],
        by: (UserId, Actor),
        now: Time,
    ) -> Result<Vec<Enrolled>> {
        let ids = subjects.iter().map(|s| super::effects::subject_ids(*s)).filter_map(|(a, b)| a.or(b));
        tx.exec_rows(
            "INSERT INTO list_member (workspace_id, list_id, subject_id, added_by, added_at)
             SELECT $1, $2, r.id, $3, $4 FROM rows(id BIGINT) AS r WHERE TRUE
             ON CONFLICT (workspace_id, list_id, subject_id) DO NOTHING",
            &Columns::new().ints(ids),
            &[workspace.into(), list.into(), by.0.into(), now.into()],
        )?;
        let Some(sequence) = fed_by(tx, workspace, list)? else { return Ok(Vec::new()) };
        let mut puts = Vec::new();
        for subject in subjects {
            if let Some(enrollment) = live_of(tx, workspace, sequence, *subject)? {
                puts.push(Put { enrollment, event: Event::BackOnList, actor: by.1 });
            }
        }
        if !puts.is_empty() {
            self.advance(tx, workspace, puts, now)?;
        }
        self.enroll(tx, workspace, sequence, subjects, by, Again::NotSaid, now)
    }

    /// Takes subjects off a list, and holds them in the sequence that it feeds.
    pub fn take_off_list(
        &self,
        tx: &mut Tx,
        workspace: WorkspaceId,
        list: ListId,
        subjects: &[Subject],
        actor: Actor,
        now: Time,
    ) -> Result<u64> {
        let ids = subjects.iter().map(|s| super::effects::subject_ids(*s)).filter_map(|(a, b)| a.or(b));
        let gone = tx.exec_rows(
            "DELETE FROM list_member WHERE workspace_id = $1 AND list_id = $2
             AND subject_id IN (SELECT r.id FROM rows(id BIGINT) AS r)",
            &Columns::new().ints(ids),
            &[workspace.into(), list.into()],
        )?;
        let Some(sequence) = fed_by(tx, workspace, list)? else { return Ok(gone) };
        let mut puts = Vec::new();
        for subject in subjects {
            if let Some(enrollment) = live_of(tx, workspace, sequence, *subject)? {
                puts.push(Put { enrollment, event: Event::LeftList, actor });
            }
        }
        self.advance(tx, workspace, puts, now)?;
        Ok(gone)
    }
}

/// The live sequence that a list feeds.
fn fed_by(tx: &mut Tx, workspace: WorkspaceId, list: ListId) -> Result<Option<SequenceId>> {
    let row = tx.query_opt(
        "SELECT id FROM sequence WHERE workspace_id = $1 AND list_id = $2 AND state IN ('scheduled', 'active', 'paused')",
        &[workspace.into(), list.into()],
    )?;
    row.map(|r| r.int(0).map(SequenceId)).transpose()
}

fn live_of(
    tx: &mut Tx,
    workspace: WorkspaceId,
    sequence: SequenceId,
    subject: Subject,
) -> Result<Option<EnrollmentId>> {
    let (contact, company) = super::effects::subject_ids(subject);
    let row = tx.query_opt(
        "SELECT id FROM enrollment WHERE workspace_id = $1 AND sequence_id = $2 AND life IN (0, 1)
         AND (contact_id = $3 OR company_id = $4)",
        &[workspace.into(), sequence.into(), contact.into(), company.into()],
    )?;
    row.map(|r| r.int(0).map(EnrollmentId)).transpose()
}
