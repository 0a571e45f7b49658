//! Which enrollments a message that came in belongs to: by the Message-ID of what was sent, and by the addresses of the people
//! written to. Only what is stored is believed; a Message-ID that only looks like ours matches nothing.

use crate::addresses::{self, Reach};
use crate::cells::Cells;
use crate::error::Result;
use crate::query::{Query, Tx};
use crate::row::Row;
use crate::scope::args;
use crate::value::Columns;
use cadenza_core::calendar::Zone;
use cadenza_core::enrollment::Subject;
use cadenza_core::ids::{CompanyId, ContactId, EnrollmentId, MailboxId, SequenceId, UserId, WorkspaceId};
use std::collections::HashSet;

/// An enrollment that a message may belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    pub enrollment: EnrollmentId,
    pub sequence: SequenceId,
    pub subject: Subject,
    pub enrolled_by: UserId,
    /// Of a person, for all that follows.
    pub owner: Option<UserId>,
    pub mailbox: Option<MailboxId>,
    /// Pending, active, blocked or paused.
    pub live: bool,
}

const COLUMNS: &str =
    "e.id, e.sequence_id, e.contact_id, e.company_id, e.enrolled_by, e.owner_id, e.mailbox_id, e.life";

fn read(row: &Row) -> Result<Candidate> {
    let mut c = Cells::of(row, "enrollment");
    Ok(Candidate {
        enrollment: c.id(EnrollmentId)?,
        sequence: c.id(SequenceId)?,
        subject: match (c.opt_id(ContactId)?, c.opt_id(CompanyId)?) {
            (Some(contact), _) => Subject::Contact(contact),
            (None, Some(company)) => Subject::Company(company),
            (None, None) => return Err(c.bad("neither contact nor company")),
        },
        enrolled_by: c.id(UserId)?,
        owner: c.opt_id(UserId)?,
        mailbox: c.opt_id(MailboxId)?,
        live: matches!(c.int()?, 0 | 1),
    })
}

/// The enrollment, if it exists.
pub fn enrollment(q: &mut Query, w: WorkspaceId, id: EnrollmentId) -> Result<Option<Candidate>> {
    let sql = format!("SELECT {COLUMNS} FROM enrollment e WHERE e.workspace_id = $1 AND e.id = $2");
    q.of(w).opt(&sql, args![id])?.as_ref().map(read).transpose()
}

/// As [`enrollment`], for a transaction in which nobody else may change it meanwhile.
pub fn lock(tx: &mut Tx, w: WorkspaceId, id: EnrollmentId) -> Result<Option<Candidate>> {
    let sql = format!("SELECT {COLUMNS} FROM enrollment e WHERE e.workspace_id = $1 AND e.id = $2 FOR UPDATE");
    tx.of(w).opt(&sql, args![id])?.as_ref().map(read).transpose()
}

/// The first of these Message-IDs (without angle brackets) under which something went out, with the visit.
pub fn sent_as(q: &mut Query, w: WorkspaceId, message_ids: &[String]) -> Result<Option<(Candidate, u32)>> {
    for id in message_ids {
        let sql = format!(
            "SELECT {COLUMNS}, s.visit FROM send s JOIN enrollment e ON e.workspace_id = s.workspace_id AND e.id = s.enrollment_id
             WHERE s.workspace_id = $1 AND s.message_id = $2 AND s.marked_at IS NOT NULL ORDER BY s.attempt DESC LIMIT 1"
        );
        if let Some(row) = q.of(w).opt(&sql, args![id.as_str()])? {
            let visit = u32::try_from(row.int(8)?).unwrap_or_default();
            return Ok(Some((read(&row)?, visit)));
        }
    }
    Ok(None)
}

/// The text that an answer from a number is an answer to: the last one that went out to it in any of these enrollments. A text
/// names no message; the conversation between two numbers is all that there is.
pub fn last_text_to(
    q: &mut Query,
    w: WorkspaceId,
    number: &str,
    among: &[Candidate],
) -> Result<Option<(EnrollmentId, u32)>> {
    let mut last: Option<(i64, EnrollmentId, u32)> = None;
    for candidate in among {
        let sql = "SELECT marked_at, visit FROM send WHERE workspace_id = $1 AND enrollment_id = $2 AND address = $3
             AND channel = 'text' AND marked_at IS NOT NULL ORDER BY marked_at DESC, visit DESC LIMIT 1";
        let Some(row) = q.of(w).opt(sql, args![candidate.enrollment, number])? else { continue };
        let mut c = Cells::of(&row, "send");
        let (at, visit) = (c.int()?, c.count()?);
        if last.is_none_or(|(latest, ..)| at > latest) {
            last = Some((at, candidate.enrollment, visit));
        }
    }
    Ok(last.map(|(_, enrollment, visit)| (enrollment, visit)))
}

/// Whether nobody knows if that message arrived.
pub fn is_unknown(q: &mut Query, w: WorkspaceId, id: EnrollmentId, visit: u32) -> Result<bool> {
    let sql = "SELECT 1 FROM send
         WHERE workspace_id = $1 AND enrollment_id = $2 AND visit = $3 AND unknown IS NOT NULL LIMIT 1";
    Ok(q.of(w).opt(sql, args![id, visit])?.is_some())
}

/// What of an owner's enrollments is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Among {
    All,
    /// Those in which something was sent to one of the addresses.
    WrittenTo,
}

/// The enrollments of whoever has one of these addresses or numbers: all that are live, else the latest one.
pub fn of_addresses(
    q: &mut Query,
    w: WorkspaceId,
    reach: Reach,
    values: &[String],
    among: Among,
) -> Result<Vec<Candidate>> {
    let owners = addresses::owners(q, w, reach, values.iter().map(String::as_str))?;
    let mut found: Vec<Candidate> = Vec::new();
    let mut seen = HashSet::new();
    for (_, subject) in owners {
        if seen.insert(subject) {
            found.extend(of_subject(q, w, subject)?);
        }
    }
    if among == Among::WrittenTo {
        let written = written_to(q, w, values)?;
        found.retain(|c| written.contains(&c.enrollment));
    }
    keep_hearing(&mut found);
    Ok(found)
}

/// Those of a contact or company that hear of what it says: all that are live, else the latest one.
pub fn hearing(q: &mut Query, w: WorkspaceId, subject: Subject) -> Result<Vec<Candidate>> {
    let mut found = of_subject(q, w, subject)?;
    keep_hearing(&mut found);
    Ok(found)
}

fn keep_hearing(found: &mut Vec<Candidate>) {
    if found.iter().any(|c| c.live) {
        found.retain(|c| c.live);
    } else {
        found.sort_by_key(|c| std::cmp::Reverse(c.enrollment));
        found.truncate(1);
    }
}

/// Every enrollment of a contact or company but the removed.
pub fn of_subject(q: &mut Query, w: WorkspaceId, subject: Subject) -> Result<Vec<Candidate>> {
    let (column, id) = match subject {
        Subject::Contact(c) => ("contact_id", c.0),
        Subject::Company(c) => ("company_id", c.0),
    };
    let sql = format!(
        "SELECT {COLUMNS} FROM enrollment e WHERE e.workspace_id = $1 AND e.{column} = $2 AND e.life <> 3 ORDER BY e.id"
    );
    q.of(w).all(&sql, args![id])?.iter().map(read).collect()
}

fn written_to(q: &mut Query, w: WorkspaceId, values: &[String]) -> Result<HashSet<EnrollmentId>> {
    let owners = addresses::owners(q, w, Reach::Email, values.iter().map(String::as_str))?;
    let mut written = HashSet::new();
    for (value, subject) in owners {
        let (column, id) = match subject {
            Subject::Contact(c) => ("contact_id", c.0),
            Subject::Company(c) => ("company_id", c.0),
        };
        let sql = format!(
            "SELECT DISTINCT e.id FROM enrollment e JOIN send s ON s.workspace_id = e.workspace_id AND s.enrollment_id = e.id
             WHERE e.workspace_id = $1 AND e.{column} = $2 AND s.address = $3 AND s.marked_at IS NOT NULL"
        );
        for row in q.of(w).all(&sql, args![id, value])? {
            written.insert(EnrollmentId(row.int(0)?));
        }
    }
    Ok(written)
}

/// The own zone of a contact or company, and that of the contact's company.
pub fn zones_of(q: &mut Query, w: WorkspaceId, subject: Subject) -> Result<(Option<Zone>, Option<Zone>)> {
    let (sql, id) = match subject {
        Subject::Contact(c) => (
            "SELECT c.zone, k.zone FROM contact c LEFT JOIN company k ON k.workspace_id = c.workspace_id AND k.id = c.company_id
             WHERE c.workspace_id = $1 AND c.id = $2",
            c.0,
        ),
        Subject::Company(c) => ("SELECT zone, CAST(NULL AS TEXT) FROM company WHERE workspace_id = $1 AND id = $2", c.0),
    };
    let Some(row) = q.of(w).opt(sql, args![id])? else { return Ok((None, None)) };
    // A zone that no longer exists is as none: the sequence's counts.
    let zone = |text: Option<&str>| text.and_then(|t| t.parse::<Zone>().ok());
    Ok((zone(row.opt_text(0)?), zone(row.opt_text(1)?)))
}

/// Those of these addresses that are mailboxes of the workspace.
pub fn own_addresses(q: &mut Query, w: WorkspaceId, values: &[String]) -> Result<Vec<(String, MailboxId)>> {
    let rows = q.of(w).rows(
        "SELECT m.address, m.id FROM rows(value TEXT) AS r JOIN mailbox m ON m.workspace_id = $1 AND lower(m.address) = r.value",
        &Columns::new().texts(values.iter().map(|v| v.to_lowercase())),
        args![],
    )?;
    rows.iter().map(|row| Ok((row.text(0)?.to_owned(), MailboxId(row.int(1)?)))).collect()
}
