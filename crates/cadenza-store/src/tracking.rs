//! Opens, clicks and visits of the unsubscribe page, as they came, each with the verdict on who made it (SND-3). The verdict
//! may be corrected by what comes after; what was decided on it stays.

use crate::cells::Cells;
use crate::error::{Result, StoreError};
use crate::query::{Query, Tx};
use crate::row::Row;
use crate::scope::args;
use crate::value::Columns;
use crate::words::words;
use cadenza_core::ids::{EnrollmentId, WorkspaceId};
use cadenza_core::time::Time;

words! {
    /// What of a message was asked for.
    TrackedKind ("kind of tracking event") {
        Open = "open";
        Click = "click";
        Unsubscribe = "unsubscribe";
    }
}

words! {
    /// Who made it.
    Who ("verdict on who opened or clicked") {
        Person = "person";
        Machine = "machine";
        /// Could be either; decides nothing.
        Unknown = "unknown";
    }
}

/// One request for something of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackingEvent {
    pub id: i64,
    pub enrollment: EnrollmentId,
    pub visit: u32,
    pub kind: TrackedKind,
    /// Where a click leads.
    pub link: Option<String>,
    pub at: Time,
    /// The peer's network address.
    pub from_address: Option<String>,
    pub user_agent: Option<String>,
    pub method: String,
    pub who: Who,
    /// The rule that said so.
    pub why: String,
}

const COLUMNS: &str = "id, enrollment_id, visit, kind, link, at, from_address, user_agent, method, verdict, why";

fn read(row: &Row) -> Result<TrackingEvent> {
    let mut c = Cells::of(row, "tracking_event");
    Ok(TrackingEvent {
        id: c.int()?,
        enrollment: c.id(EnrollmentId)?,
        visit: c.count()?,
        kind: c.word(TrackedKind::named)?,
        link: c.opt_string()?,
        at: c.time()?,
        from_address: c.opt_string()?,
        user_agent: c.opt_string()?,
        method: c.string()?,
        who: c.word(Who::named)?,
        why: c.string()?,
    })
}

pub fn record(tx: &mut Tx, w: WorkspaceId, event: &TrackingEvent) -> Result<()> {
    let e = event;
    tx.of(w).exec(
        "INSERT INTO tracking_event (workspace_id, id, enrollment_id, visit, kind, link, at, from_address, user_agent,
             method, verdict, why)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        args![
            e.id,
            e.enrollment,
            e.visit,
            e.kind.as_str(),
            e.link.as_deref(),
            e.at,
            e.from_address.as_deref(),
            e.user_agent.as_deref(),
            &e.method,
            e.who.as_str(),
            &e.why,
        ],
    )?;
    Ok(())
}

/// Those of one message, newest first.
pub fn of_message(
    q: &mut Query,
    w: WorkspaceId,
    enrollment: EnrollmentId,
    visit: u32,
    limit: usize,
) -> Result<Vec<TrackingEvent>> {
    q.of(w).all(&sql_of_message(), args![enrollment, visit, limit as i64])?.iter().map(read).collect()
}

/// By the index of the message and then by key: asked for in one, all events of the workspace would be looked through in the order
/// of their ids.
fn sql_of_message() -> String {
    format!(
        "SELECT {COLUMNS} FROM tracking_event WHERE workspace_id = $1
         AND id IN (SELECT id FROM tracking_event WHERE workspace_id = $1 AND enrollment_id = $2 AND visit = $3)
         ORDER BY id DESC LIMIT $4"
    )
}

/// Sets the verdict of some of them anew.
pub fn correct(tx: &mut Tx, w: WorkspaceId, ids: &[i64], who: Who, why: &str) -> Result<()> {
    tx.of(w).exec_rows(
        "UPDATE tracking_event SET verdict = $2, why = $3 FROM rows(id BIGINT) AS r
         WHERE tracking_event.workspace_id = $1 AND tracking_event.id = r.id",
        &Columns::new().ints(ids.iter().copied()),
        args![who.as_str(), why],
    )?;
    Ok(())
}

/// When a message went out: the moment of its final mark, and that of the server's answer where it came. `None` where no
/// such message was ever marked.
pub fn sent_at(q: &mut Query, w: WorkspaceId, e: EnrollmentId, visit: u32) -> Result<Option<(Time, Option<Time>)>> {
    let sql = "SELECT marked_at, settled_at FROM send
         WHERE workspace_id = $1 AND enrollment_id = $2 AND visit = $3 AND marked_at IS NOT NULL
         ORDER BY attempt DESC LIMIT 1";
    let Some(row) = q.of(w).opt(sql, args![e, visit])? else { return Ok(None) };
    let marked = row.opt_time(0)?.ok_or_else(|| StoreError::inconsistent("send", e, "marked without a moment"))?;
    Ok(Some((marked, row.opt_time(1)?)))
}

#[cfg(test)]
mod tests {
    use crate::schema::tests::plan_of;

    /// Each open and click asks this.
    #[test]
    fn events_of_a_message_are_found_without_looking_through_the_workspace() {
        let plan = plan_of(&super::sql_of_message(), None, 4);
        assert!(plan.contains("(workspace_id=? AND enrollment_id=? AND visit=?)"), "{plan}");
        assert!(plan.contains("(workspace_id=? AND id=?)"), "{plan}");
    }
}
