//! The replies inbox as a list: filters, search, pages, and how many there are of each class.

use super::{COLUMNS, Class, Inbound, read_from};
use crate::cells::Cells;
use crate::enrollments::contact_name;
use crate::error::Result;
use crate::folding::{end_of, terms};
use crate::page::{After, Page};
use crate::query::Query;
use crate::row::Row;
use crate::scope::{Args, args};
use crate::sequences::Viewer;
use cadenza_core::enrollment::Subject;
use cadenza_core::ids::{ContactId, EnrollmentId, MessageId, SequenceId, UserId, WorkspaceId};
use cadenza_core::time::Time;

/// Counting goes no further.
pub const COUNTED_AT_MOST: i64 = 10_000;

/// Is it done with?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Handled {
    #[default]
    All,
    Open,
    Done,
}

/// Whose work it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Assigned {
    #[default]
    Anybody,
    Nobody,
    To(UserId),
}

/// Which messages are wanted. `None` and empty lists mean all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// Messages of sequences that they see, those matched to no sequence, and those that are theirs to handle.
    pub viewer: Viewer,
    /// What somebody typed to find them: words of the sender, the subject, or whoever it was matched to.
    pub typed: String,
    pub classes: Vec<Class>,
    pub handled: Handled,
    /// Matched to nobody.
    pub unmatched: bool,
    pub assigned: Assigned,
    pub contact: Option<ContactId>,
    pub enrollment: Option<EnrollmentId>,
    pub sequence: Option<SequenceId>,
}

impl Filter {
    pub fn new(viewer: Viewer) -> Filter {
        Filter {
            viewer,
            typed: String::new(),
            classes: Vec::new(),
            handled: Handled::All,
            unmatched: false,
            assigned: Assigned::Anybody,
            contact: None,
            enrollment: None,
            sequence: None,
        }
    }
}

/// A message with the names of what it was matched to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub message: Inbound,
    pub subject_name: Option<String>,
    /// Of a contact.
    pub company_name: Option<String>,
    pub sequence_name: Option<String>,
}

const JOINS: &str = "LEFT JOIN contact c ON c.workspace_id = $1 AND c.id = m.contact_id
     LEFT JOIN company k ON k.workspace_id = $1 AND k.id = COALESCE(m.company_id, c.company_id)
     LEFT JOIN sequence s ON s.workspace_id = $1 AND s.id = m.sequence_id";

fn listed(row: &Row) -> Result<Listed> {
    let mut c = Cells::of(row, "inbound_message");
    let message = read_from(&mut c)?;
    let (first, last, emails) = (c.opt_string()?, c.opt_string()?, c.opt_string()?);
    let (company, sequence_name) = (c.opt_string()?, c.opt_string()?);
    let contact = first.zip(last).map(|(first, last)| contact_name(&first, &last, emails.as_deref()));
    let is_contact = matches!(message.subject_of, Some(Subject::Contact(_)));
    Ok(Listed {
        subject_name: contact.or_else(|| company.clone().filter(|_| !is_contact)),
        company_name: company.filter(|_| is_contact),
        sequence_name,
        message,
    })
}

/// A page, newest first, from behind `before`.
pub fn list(
    q: &mut Query,
    w: WorkspaceId,
    filter: &Filter,
    before: Option<MessageId>,
    limit: usize,
) -> Result<Page<Listed, Time>> {
    let mut args = args![limit as i64 + 1];
    let mut conditions = conditions(filter, &mut args);
    if let Some(before) = before {
        conditions.push_str(&format!(" AND m.id < {}", args.push(before)));
    }
    let sql = format!(
        "SELECT {COLUMNS}, c.first_name, c.last_name, c.emails, k.name, s.name FROM inbound_message m {JOINS}
         WHERE m.workspace_id = $1{conditions} ORDER BY m.id DESC LIMIT $2"
    );
    let rows = q.of(w).all(&sql, args)?;
    Page::of(&rows, limit, |row| {
        let listed = listed(row)?;
        let after = After { key: listed.message.received_at, id: listed.message.id.0 };
        Ok((listed, after))
    })
}

/// How many there are of each class, the most first; [`COUNTED_AT_MOST`] of the newest are counted.
pub fn counts(q: &mut Query, w: WorkspaceId, filter: &Filter) -> Result<Vec<(Class, i64)>> {
    let mut args = args![COUNTED_AT_MOST];
    let conditions = conditions(filter, &mut args);
    // Who sees what is asked of the sequence; names are of no use here.
    let sql = format!(
        "SELECT n.class, count(*) FROM (SELECT m.class FROM inbound_message m
             LEFT JOIN sequence s ON s.workspace_id = $1 AND s.id = m.sequence_id
             WHERE m.workspace_id = $1{conditions} ORDER BY m.id DESC LIMIT $2) AS n
         GROUP BY n.class ORDER BY 2 DESC, 1"
    );
    let rows = q.of(w).all(&sql, args)?;
    let read = |row: &Row| {
        let mut c = Cells::of(row, "inbound_message");
        Ok((c.word(Class::named)?, c.int()?))
    };
    rows.iter().map(read).collect()
}

fn conditions(filter: &Filter, args: &mut Args) -> String {
    let mut sql = String::new();
    if let Viewer::User(user) = filter.viewer {
        let sees = filter.viewer.sees(args);
        let user = args.push(user);
        sql.push_str(&format!(" AND (m.sequence_id IS NULL OR m.assigned_to = {user} OR (TRUE{sees}))"));
    }
    if !filter.classes.is_empty() {
        let names: Vec<String> = filter.classes.iter().map(|c| args.push(c.as_str())).collect();
        sql.push_str(&format!(" AND m.class IN ({})", names.join(", ")));
    }
    sql.push_str(match filter.handled {
        Handled::All => "",
        Handled::Open => " AND m.handled_at IS NULL",
        Handled::Done => " AND m.handled_at IS NOT NULL",
    });
    if filter.unmatched {
        sql.push_str(" AND m.contact_id IS NULL AND m.company_id IS NULL");
    }
    match filter.assigned {
        Assigned::Anybody => {}
        Assigned::Nobody => sql.push_str(" AND m.assigned_to IS NULL"),
        Assigned::To(user) => sql.push_str(&format!(" AND m.assigned_to = {}", args.push(user))),
    }
    let ids = [
        ("contact_id", filter.contact.map(|c| c.0)),
        ("enrollment_id", filter.enrollment.map(|e| e.0)),
        ("sequence_id", filter.sequence.map(|s| s.0)),
    ];
    for (column, id) in ids {
        if let Some(id) = id {
            sql.push_str(&format!(" AND m.{column} = {}", args.push(id)));
        }
    }
    sql.push_str(&typed(&filter.typed, args));
    sql
}

/// Each word must begin one of the sender's address, of the subject, or of whoever it was matched to.
fn typed(typed: &str, args: &mut Args) -> String {
    let mut sql = String::new();
    for term in terms(typed) {
        let (from, to) = (args.push(term.as_str()), args.push(end_of(&term)));
        let has = |subject: &str, id: &str| {
            format!(
                "EXISTS (SELECT 1 FROM search_word x WHERE x.workspace_id = $1 AND x.subject = '{subject}'
                     AND x.subject_id = {id} AND x.word >= {from} AND x.word < {to})"
            )
        };
        let any = [has("message", "m.id"), has("contact", "m.contact_id"), has("company", "m.company_id")];
        sql.push_str(&format!(" AND ({})", any.join(" OR ")));
    }
    sql
}
