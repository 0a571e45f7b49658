//! Whom a message was told to, and when: with the moment the lines of history are found that it caused, which a correction takes
//! back (REC-6).

use crate::cells::Cells;
use crate::error::Result;
use crate::query::{Query, Tx};
use crate::row::Row;
use crate::scope::args;
use crate::value::Columns;
use cadenza_core::ids::{EnrollmentId, MessageId, WorkspaceId};
use cadenza_core::time::Time;

/// An enrollment that a message was put to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    pub enrollment: EnrollmentId,
    /// The moment of the lines of history that came of it, there and in others that heard of it.
    pub at: Time,
}

/// Keeps whom a message was told to, in place of those before.
pub fn note_told(
    tx: &mut Tx,
    w: WorkspaceId,
    id: MessageId,
    enrollments: impl IntoIterator<Item = EnrollmentId>,
    at: Time,
) -> Result<()> {
    tx.of(w).exec("DELETE FROM inbound_told WHERE workspace_id = $1 AND message_id = $2", args![id])?;
    tx.of(w).exec_rows(
        "INSERT INTO inbound_told (workspace_id, message_id, enrollment_id, at)
         SELECT $1, $2, r.enrollment, $3 FROM rows(enrollment BIGINT) AS r",
        &Columns::new().ints(enrollments),
        args![id, at],
    )?;
    Ok(())
}

/// Whom a message was told to, the one first that it was matched to.
pub fn told_by(q: &mut Query, w: WorkspaceId, id: MessageId) -> Result<Vec<Told>> {
    let sql = "SELECT t.enrollment_id, t.at FROM inbound_told t
         JOIN inbound_message m ON m.workspace_id = $1 AND m.id = t.message_id
         WHERE t.workspace_id = $1 AND t.message_id = $2
         ORDER BY CASE WHEN t.enrollment_id = m.enrollment_id THEN 0 ELSE 1 END, t.enrollment_id";
    let read = |row: &Row| {
        let mut c = Cells::of(row, "inbound_told");
        Ok(Told { enrollment: c.id(EnrollmentId)?, at: c.time()? })
    };
    q.of(w).all(sql, args![id])?.iter().map(read).collect()
}
