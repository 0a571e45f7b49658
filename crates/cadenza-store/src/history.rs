//! What happened to enrollments, line by line: the history of one, and the event log of a sequence, a mailbox or all
//! (LOG-2). Only the door writes it; replaying it is the core's business.

use crate::cells::Cells;
use crate::enrollments::contact_name;
use crate::error::Result;
use crate::query::Query;
use crate::row::Row;
use crate::scope::args;
use crate::sequences::Viewer;
use cadenza_core::enrollment::Subject;
use cadenza_core::ids::{CompanyId, ContactId, EnrollmentId, MailboxId, SequenceId, UserId, WorkspaceId};
use cadenza_core::machine::{Actor, Level};
use cadenza_core::time::Time;
use serde::{Deserialize, Serialize};

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    pub enrollment: EnrollmentId,
    /// Counts the lines of the enrollment; with it, the line's name for ever.
    pub version: i64,
    pub at: Time,
    /// As `Event::name` says it, or `enrolled`.
    pub event: String,
    pub actor: Actor,
    pub level: Level,
    /// What the event did, where that is more than its name.
    pub cause: Option<String>,
    pub detail: Option<String>,
    /// How `changes` is to be read.
    pub format: i64,
    pub changes: String,
}

const COLUMNS: &str =
    "h.enrollment_id, h.version, h.at, h.event, h.actor, h.level, h.cause, h.detail, h.format, h.changes";

fn read(c: &mut Cells<'_>) -> Result<Line> {
    Ok(Line {
        enrollment: c.id(EnrollmentId)?,
        version: c.int()?,
        at: c.time()?,
        event: c.string()?,
        actor: c.word(actor)?,
        level: match c.int()? {
            0 => Level::Info,
            1 => Level::Warning,
            2 => Level::Error,
            n => return Err(c.bad(format!("{n} is not a level"))),
        },
        cause: c.opt_string()?,
        detail: c.opt_string()?,
        format: c.int()?,
        changes: c.string()?,
    })
}

/// The actor that a stored word names.
fn actor(word: &str) -> std::result::Result<Actor, cadenza_core::ids::InvalidId> {
    Ok(match word {
        "engine" => Actor::Engine,
        "contact" => Actor::Contact,
        "server" => Actor::Server,
        user => Actor::User(user.parse::<UserId>()?),
    })
}

/// The enrollments to which something happened at or after a moment, with the number of the latest line of each.
pub fn moved_since(q: &mut Query, w: WorkspaceId, since: Time) -> Result<Vec<(EnrollmentId, i64)>> {
    let sql = "SELECT h.enrollment_id, MAX(h.version) FROM history h WHERE h.workspace_id = $1 AND h.at >= $2
         GROUP BY h.enrollment_id ORDER BY h.enrollment_id";
    q.of(w).all(sql, args![since])?.iter().map(|row| Ok((EnrollmentId(row.int(0)?), row.int(1)?))).collect()
}

/// All lines of an enrollment, oldest first.
pub fn of_enrollment(q: &mut Query, w: WorkspaceId, id: EnrollmentId) -> Result<Vec<Line>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM history h WHERE h.workspace_id = $1 AND h.enrollment_id = $2 ORDER BY h.version"
    );
    q.of(w).all(&sql, args![id])?.iter().map(|row| read(&mut Cells::of(row, "history"))).collect()
}

/// The lines of one moment, of all enrollments: what one transaction did.
pub fn at(q: &mut Query, w: WorkspaceId, at: Time) -> Result<Vec<Line>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM history h WHERE h.workspace_id = $1 AND h.at = $2 ORDER BY h.enrollment_id, h.version"
    );
    q.of(w).all(&sql, args![at])?.iter().map(|row| read(&mut Cells::of(row, "history"))).collect()
}

/// Which lines of the event log are wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    pub viewer: Viewer,
    /// At least so grave.
    pub level: Level,
    pub sequence: Option<SequenceId>,
    /// Of enrollments that write from it.
    pub mailbox: Option<MailboxId>,
    pub subject: Option<Subject>,
    /// One of these; empty for all.
    pub events: Vec<String>,
}

impl Filter {
    pub fn new(viewer: Viewer) -> Filter {
        Filter { viewer, level: Level::Info, sequence: None, mailbox: None, subject: None, events: Vec::new() }
    }
}

/// A line of the event log, with what it links to.
#[derive(Debug, Clone, PartialEq)]
pub struct Logged {
    pub line: Line,
    pub sequence: SequenceId,
    pub sequence_name: String,
    pub subject: Subject,
    pub subject_name: String,
}

/// Where the next page of the event log begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Before {
    pub at: Time,
    pub enrollment: EnrollmentId,
    pub version: i64,
}

/// The event log, newest first, from before `before`.
pub fn event_log(
    q: &mut Query,
    w: WorkspaceId,
    filter: &Filter,
    before: Option<Before>,
    limit: usize,
) -> Result<Vec<Logged>> {
    let mut args = args![limit as i64];
    let mut sql = format!(
        "SELECT {COLUMNS}, e.sequence_id, s.name, e.contact_id, e.company_id, c.first_name, c.last_name, c.emails, k.name
         FROM history h
         JOIN enrollment e ON e.workspace_id = $1 AND e.id = h.enrollment_id
         JOIN sequence s ON s.workspace_id = $1 AND s.id = e.sequence_id
         LEFT JOIN contact c ON c.workspace_id = $1 AND c.id = e.contact_id
         LEFT JOIN company k ON k.workspace_id = $1 AND k.id = e.company_id
         WHERE h.workspace_id = $1"
    );
    sql.push_str(&filter.viewer.sees(&mut args));
    // The words of the partial index, so that it is used.
    match filter.level {
        Level::Info => {}
        Level::Warning => sql.push_str(" AND h.level > 0"),
        Level::Error => sql.push_str(" AND h.level > 0 AND h.level = 2"),
    }
    if let Some(sequence) = filter.sequence {
        sql.push_str(&format!(" AND e.sequence_id = {}", args.push(sequence)));
    }
    if let Some(mailbox) = filter.mailbox {
        sql.push_str(&format!(" AND e.mailbox_id = {}", args.push(mailbox)));
    }
    match filter.subject {
        Some(Subject::Contact(id)) => sql.push_str(&format!(" AND e.contact_id = {}", args.push(id))),
        Some(Subject::Company(id)) => sql.push_str(&format!(" AND e.company_id = {}", args.push(id))),
        None => {}
    }
    if !filter.events.is_empty() {
        let names: Vec<String> = filter.events.iter().map(|e| args.push(e)).collect();
        sql.push_str(&format!(" AND h.event IN ({})", names.join(", ")));
    }
    if let Some(b) = before {
        let (at, id, version) = (args.push(b.at), args.push(b.enrollment), args.push(b.version));
        sql.push_str(&format!(" AND h.at <= {at} AND (h.at, h.enrollment_id, h.version) < ({at}, {id}, {version})"));
    }
    sql.push_str(" ORDER BY h.at DESC, h.enrollment_id DESC, h.version DESC LIMIT $2");
    q.of(w).all(&sql, args)?.iter().map(logged).collect()
}

fn logged(row: &Row) -> Result<Logged> {
    let mut c = Cells::of(row, "history");
    let line = read(&mut c)?;
    let (sequence, sequence_name) = (c.id(SequenceId)?, c.string()?);
    let subject = match (c.opt_id(ContactId)?, c.opt_id(CompanyId)?) {
        (Some(contact), None) => Subject::Contact(contact),
        (None, Some(company)) => Subject::Company(company),
        _ => return Err(c.bad("an enrollment is of a contact or of a company")),
    };
    let (first, last, emails) = (c.opt_text()?, c.opt_text()?, c.opt_text()?);
    let company = c.opt_string()?;
    let subject_name = match (first, last) {
        (Some(first), Some(last)) => contact_name(first, last, emails),
        _ => company.unwrap_or_default(),
    };
    Ok(Logged { line, sequence, sequence_name, subject, subject_name })
}
