//! Makes one contact of two (CRM-3): what stands on the one that goes is put on the one that stays. Their enrollments are
//! the door's business.

use super::Contact;
use crate::error::Result;
use crate::query::Tx;
use crate::scope::args;
use crate::{addresses, search_words};
use cadenza_core::enrollment::Subject;
use cadenza_core::ids::{ContactId, WorkspaceId};
use cadenza_core::time::Time;

/// Rows that are about one contact and may be about any number of things.
const MOVED: [&str; 4] = ["log_entry", "task", "attachment", "inbound_message"];

/// Moves everything of `from` to `into`, deletes `from`, and writes `into` as it is given, with the later of their dates of
/// being contacted and engaged. In opportunities where both are, the place of `into` counts; two résumés are put together.
///
/// Errors: `Missing` for either.
pub fn absorb(tx: &mut Tx, w: WorkspaceId, from: ContactId, into: &Contact, now: Time) -> Result<()> {
    let gone = super::lock(tx, w, from)?;
    for table in MOVED {
        let sql = format!("UPDATE {table} SET contact_id = $3 WHERE workspace_id = $1 AND contact_id = $2");
        tx.of(w).exec(&sql, args![from, into.id])?;
    }
    tx.of(w).exec(
        "INSERT INTO list_member (workspace_id, list_id, subject_id, added_by, added_at)
         SELECT m.workspace_id, m.list_id, $3, m.added_by, m.added_at FROM list_member m
         WHERE m.workspace_id = $1 AND m.subject_id = $2
         ON CONFLICT (workspace_id, list_id, subject_id) DO NOTHING",
        args![from, into.id],
    )?;
    tx.of(w).exec("DELETE FROM list_member WHERE workspace_id = $1 AND subject_id = $2", args![from])?;
    tx.of(w).exec(
        "INSERT INTO opportunity_contact (workspace_id, opportunity_id, contact_id, workflow_stage_id, since_at, added_by)
         SELECT o.workspace_id, o.opportunity_id, $3, o.workflow_stage_id, o.since_at, o.added_by FROM opportunity_contact o
         WHERE o.workspace_id = $1 AND o.contact_id = $2
         ON CONFLICT (workspace_id, opportunity_id, contact_id) DO NOTHING",
        args![from, into.id],
    )?;
    join_resumes(tx, w, from, into.id, now)?;
    addresses::delete(tx, w, [Subject::Contact(from)])?;
    search_words::delete(tx, w, [Subject::Contact(from)])?;
    // Its places in opportunities and its résumé go with it.
    tx.of(w).exec_one("DELETE FROM contact WHERE workspace_id = $1 AND id = $2", args![from], "contact", from)?;
    super::update(tx, w, into, now)?;
    let dates = args![
        into.id,
        gone.last_contacted_at.max(into.last_contacted_at),
        gone.last_engaged_at.max(into.last_engaged_at)
    ];
    let sql = "UPDATE contact SET last_contacted_at = $3, last_engaged_at = $4 WHERE workspace_id = $1 AND id = $2";
    tx.of(w).exec_one(sql, dates, "contact", into.id)
}

fn join_resumes(tx: &mut Tx, w: WorkspaceId, from: ContactId, into: ContactId, now: Time) -> Result<()> {
    let (own, other) = (super::resume(tx, w, into)?, super::resume(tx, w, from)?);
    if other.is_empty() || own == other {
        return Ok(());
    }
    let body = if own.is_empty() { other } else { format!("{own}\n\n{other}") };
    super::set_resume(tx, w, into, &body, now)
}
