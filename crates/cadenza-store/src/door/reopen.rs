//! Whom the end of their sequence finished: they go on where it is reopened (SEQ-7). Leading them back is the machine's.

use crate::error::Result;
use crate::query::Query;
use cadenza_core::enrollment::SequenceState;
use cadenza_core::ids::{EnrollmentId, SequenceId, WorkspaceId};

/// One whom the end of the sequence finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndedWith {
    pub enrollment: EnrollmentId,
    /// The end finished a newer enrollment of the same person here too: that one goes on, this one stays (ENR-2).
    pub overtaken: bool,
}

/// The next of them, in order of their ids.
pub fn ended_with(
    q: &mut Query,
    workspace: WorkspaceId,
    sequence: SequenceId,
    after: EnrollmentId,
    most: usize,
) -> Result<Vec<EndedWith>> {
    let rows = q.query(
        "SELECT e.id, CASE WHEN EXISTS
             (SELECT 1 FROM enrollment n WHERE n.workspace_id = $1 AND n.sequence_id = $2 AND n.state = 'finished'
                AND n.finish = 'sequence_ended' AND n.id > e.id
                AND (n.contact_id = e.contact_id OR n.company_id = e.company_id)) THEN 1 ELSE 0 END
         FROM enrollment e
         WHERE e.workspace_id = $1 AND e.sequence_id = $2 AND e.state = 'finished' AND e.finish = 'sequence_ended'
           AND e.id > $3
         ORDER BY e.id LIMIT $4",
        &[workspace.into(), sequence.into(), after.into(), (most as i64).into()],
    )?;
    rows.iter()
        .map(|row| Ok(EndedWith { enrollment: EnrollmentId(row.int(0)?), overtaken: row.int(1)? == 1 }))
        .collect()
}

/// How many they are.
pub fn ended_with_count(q: &mut Query, workspace: WorkspaceId, sequence: SequenceId) -> Result<i64> {
    let sql = "SELECT COUNT(*) FROM enrollment
         WHERE workspace_id = $1 AND sequence_id = $2 AND state = 'finished' AND finish = 'sequence_ended'";
    q.query_one(sql, &[workspace.into(), sequence.into()])?.int(0)
}

/// Was it paused when its end date came? Then it is paused when it is reopened.
pub fn was_paused(q: &mut Query, workspace: WorkspaceId, sequence: SequenceId) -> Result<bool> {
    let sql = "SELECT ended_while FROM sequence WHERE workspace_id = $1 AND id = $2";
    let row = q.query_one(sql, &[workspace.into(), sequence.into()])?;
    Ok(row.opt_text(0)? == Some(SequenceState::Paused.as_str()))
}
