//! The outbox as people look at it: what was sent, to where, and how it ended. Only the door writes it.

use crate::cells::Cells;
use crate::error::Result;
use crate::query::Query;
use crate::row::Row;
use crate::scope::args;
use crate::words::words;
use cadenza_core::flow::Key;
use cadenza_core::ids::{EnrollmentId, MailboxId, WorkspaceId};
use cadenza_core::time::Time;

words! {
    /// How far an attempt is.
    SendState ("state of a send") {
        /// Recorded, not offered whole.
        Claimed = "claimed";
        /// Past its final mark.
        Marked = "marked";
        Sent = "sent";
        Deferred = "deferred";
        Refused = "refused";
        Unknown = "unknown";
        Withdrawn = "withdrawn";
    }
}

/// One attempt to send one message.
#[derive(Debug, Clone, PartialEq)]
pub struct Send {
    pub enrollment: EnrollmentId,
    pub visit: u32,
    pub attempt: u32,
    /// `None` for a text.
    pub mailbox: Option<MailboxId>,
    pub to: String,
    pub state: SendState,
    pub message_id: String,
    pub step: Key,
    pub revision: u32,
    pub variant: Key,
    /// The merge values frozen at the claim.
    pub fields: Option<serde_json::Value>,
    /// A person's own wording.
    pub by_hand: Option<serde_json::Value>,
    pub claimed_at: Time,
    pub marked_at: Option<Time>,
    pub settled_at: Option<Time>,
    /// What the server said.
    pub answer: Option<String>,
}

const COLUMNS: &str = "o.enrollment_id, o.visit, o.attempt, o.mailbox_id, o.address, o.state, o.message_id, o.step, o.revision, \
     o.variant, o.fields, o.by_hand, o.claimed_at, o.marked_at, o.settled_at, o.answer";

fn read(row: &Row) -> Result<Send> {
    let mut c = Cells::of(row, "send");
    Ok(Send {
        enrollment: c.id(EnrollmentId)?,
        visit: c.count()?,
        attempt: c.count()?,
        mailbox: c.opt_id(MailboxId)?,
        to: c.string()?,
        state: c.word(SendState::named)?,
        message_id: c.string()?,
        step: c.word(str::parse)?,
        revision: c.count()?,
        variant: c.word(str::parse)?,
        fields: c.opt_json()?,
        by_hand: c.opt_json()?,
        claimed_at: c.time()?,
        marked_at: c.opt_time()?,
        settled_at: c.opt_time()?,
        answer: c.opt_string()?,
    })
}

/// All attempts of an enrollment, in order.
pub fn of_enrollment(q: &mut Query, w: WorkspaceId, id: EnrollmentId) -> Result<Vec<Send>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM send o WHERE o.workspace_id = $1 AND o.enrollment_id = $2 ORDER BY o.visit, o.attempt"
    );
    q.of(w).all(&sql, args![id])?.iter().map(read).collect()
}

/// Those with that Message-ID; attempts of one visit share it.
pub fn with_message_id(q: &mut Query, w: WorkspaceId, message_id: &str) -> Result<Vec<Send>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM send o WHERE o.workspace_id = $1 AND o.message_id = $2
         ORDER BY o.enrollment_id, o.visit, o.attempt"
    );
    q.of(w).all(&sql, args![message_id])?.iter().map(read).collect()
}

/// Those of which nobody knows whether they arrived, oldest first.
pub fn unknown(q: &mut Query, w: WorkspaceId, limit: usize) -> Result<Vec<Send>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM send o WHERE o.workspace_id = $1 AND o.unknown IS NOT NULL
         ORDER BY o.enrollment_id, o.visit LIMIT $2"
    );
    q.of(w).all(&sql, args![limit as i64])?.iter().map(read).collect()
}

/// What a mailbox has recorded to be sent since `since`, newest first.
pub fn of_mailbox(q: &mut Query, w: WorkspaceId, mailbox: MailboxId, since: Time, limit: usize) -> Result<Vec<Send>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM send o WHERE o.workspace_id = $1 AND o.mailbox_id = $2 AND o.claimed_at >= $3
         ORDER BY o.claimed_at DESC, o.enrollment_id DESC, o.visit DESC, o.attempt DESC LIMIT $4"
    );
    q.of(w).all(&sql, args![mailbox, since, limit as i64])?.iter().map(read).collect()
}
