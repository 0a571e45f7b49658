//! What becomes of enrollments when two contacts are merged into one (CRM-3) or a person is erased (CRM-4). Which of two
//! enrollments goes is decided, and told to the machine, by who merges.

use super::load::{read_enrollment, select_by};
use super::write::actor_word;
use crate::error::{Result, StoreError};
use crate::query::{Query, Tx};
use crate::value::Columns;
use cadenza_core::enrollment::{CHANGES_FORMAT, Enrollment, Subject, changes};
use cadenza_core::ids::{ContactId, EnrollmentId, WorkspaceId};
use cadenza_core::machine::Actor;
use cadenza_core::time::Time;

/// All enrollments of a contact or company, the removed too.
pub fn enrollments_of(q: &mut Query, workspace: WorkspaceId, subject: Subject) -> Result<Vec<Enrollment>> {
    let (column, id) = match subject {
        Subject::Contact(id) => ("contact_id", id.0),
        Subject::Company(id) => ("company_id", id.0),
    };
    let rows = q.query(&select_by(column), &[workspace.into(), id.into()])?;
    rows.into_iter().map(|row| read_enrollment(row).map(|(e, _, _)| e)).collect()
}

/// Gives a contact's enrollments to another contact, each with its line of history. They keep their places and dates.
///
/// # Errors
/// `Conflict` on `enrollment_live_contact` where both are live in one sequence; `Contention` where one changed meanwhile.
pub fn give_enrollments(
    tx: &mut Tx,
    workspace: WorkspaceId,
    from: ContactId,
    to: ContactId,
    actor: Actor,
    now: Time,
) -> Result<Vec<EnrollmentId>> {
    let before = enrollments_of(tx, workspace, Subject::Contact(from))?;
    let after: Vec<Enrollment> = before
        .iter()
        .map(|e| Enrollment { subject: Subject::Contact(to), version: e.version + 1, ..e.clone() })
        .collect();
    let columns = Columns::new().ints(before.iter().map(|e| e.id)).ints(before.iter().map(|e| e.version));
    let moved = tx.exec_rows(
        "UPDATE enrollment SET contact_id = $2, version = version + 1 FROM rows(id BIGINT, version BIGINT) AS r
         WHERE enrollment.workspace_id = $1 AND enrollment.id = r.id AND enrollment.version = r.version",
        &columns,
        &[workspace.into(), to.into()],
    )?;
    if moved != before.len() as u64 {
        return Err(StoreError::Contention { why: "an enrollment changed while contacts were merged".into() });
    }
    let lines = before.iter().zip(&after);
    let columns = Columns::new()
        .ints(after.iter().map(|e| e.id))
        .ints(after.iter().map(|e| e.version))
        .texts(lines.map(|(old, new)| changes(&old.to_flat(), &new.to_flat())));
    tx.exec_rows(
        "INSERT INTO history (workspace_id, enrollment_id, version, at, event, actor, level, format, changes)
         SELECT $1, r.id, r.version, $2, 'merged', $3, 0, $4, r.changes
         FROM rows(id BIGINT, version BIGINT, changes TEXT) AS r",
        &columns,
        &[workspace.into(), now.into(), actor_word(actor).into(), CHANGES_FORMAT.into()],
    )?;
    tx.exec_rows(
        "UPDATE activity SET contact_id = $2 FROM rows(id BIGINT) AS r
         WHERE activity.workspace_id = $1 AND activity.enrollment_id = r.id",
        &Columns::new().ints(before.iter().map(|e| e.id)),
        &[workspace.into(), to.into()],
    )?;
    Ok(before.iter().map(|e| e.id).collect())
}

/// Takes from the outbox where messages went, after their enrollments were erased: that they went stays.
pub fn forget_addresses(tx: &mut Tx, workspace: WorkspaceId, enrollments: &[EnrollmentId]) -> Result<u64> {
    tx.exec_rows(
        "UPDATE send SET address = '', fields = NULL, by_hand = NULL, subject = NULL, answer = NULL FROM rows(id BIGINT) AS r
         WHERE send.workspace_id = $1 AND send.enrollment_id = r.id AND send.state NOT IN ('claimed', 'marked')",
        &Columns::new().ints(enrollments.iter().copied()),
        &[workspace.into()],
    )
}
