//! Enrollments as people look at them: lists over all sequences (ENL-1), of one record (CRD-1), and one by one. Only the
//! door writes them.

use crate::addresses;
use crate::cells::Cells;
use crate::enrolled::Enrolled;
use crate::error::{Result, StoreError};
use crate::folding::{end_of, terms};
use crate::page::{After, Page};
use crate::query::Query;
use crate::row::Row;
use crate::scope::{Args, args};
use crate::sequences::Viewer;
use crate::value::{Columns, Val};
use cadenza_core::enrollment::{BlockReason, COLUMNS, Enrollment, Flat, SequenceState, Subject};
use cadenza_core::ids::{EnrollmentId, MailboxId, UserId, WorkspaceId};
use cadenza_core::time::Time;
use cadenza_core::views::{PersonStatus, RecordStatus, Stage, StatusReason};
use std::sync::LazyLock;

/// An enrollment with what is shown beside it (ENR-6).
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    pub enrollment: Enrollment,
    pub sequence_name: String,
    pub sequence_state: SequenceState,
    /// The sequence's setting.
    pub unresponsive_days: u32,
    pub subject_name: String,
    /// Of a contact.
    pub company_name: Option<String>,
    /// Whose the next activity is.
    pub owner: Option<UserId>,
    /// Of the contact or company, over all sequences and by hand.
    pub last_contacted_at: Option<Time>,
    pub last_engaged_at: Option<Time>,
    /// When the clock looks at it again.
    pub wake_at: Option<Time>,
}

impl Listed {
    pub fn stage(&self, now: Time) -> Stage {
        self.enrollment.stage(self.sequence_state, self.unresponsive_days, now)
    }
    pub fn person_status(&self, now: Time) -> PersonStatus {
        self.stage(now).person_status()
    }
    /// `None` for the removed.
    pub fn status(&self) -> Option<StatusReason> {
        self.enrollment.status_reason(self.sequence_state)
    }
    /// `None` for the removed.
    pub fn record_status(&self) -> Option<RecordStatus> {
        self.enrollment.record_status(self.sequence_state)
    }
}

/// Which enrollments are wanted; everything that is said must hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    pub viewer: Viewer,
    pub enrolled: Enrolled,
    /// Of one contact or company.
    pub subject: Option<Subject>,
    /// Words of the contact or company.
    pub typed: String,
    pub enrolled_by: Option<UserId>,
    /// Whose the next activity is.
    pub owner: Option<UserId>,
    pub mailbox: Option<MailboxId>,
}

impl Filter {
    pub fn new(viewer: Viewer) -> Filter {
        Filter {
            viewer,
            enrolled: Enrolled::default(),
            subject: None,
            typed: String::new(),
            enrolled_by: None,
            owner: None,
            mailbox: None,
        }
    }
}

/// In which order enrollments come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    #[default]
    Newest,
    /// By the next action; those without one last.
    NextAction,
}

/// When the next action is, as a number that sorts; the end of time where there is none.
pub(crate) const NEXT_ACTION: &str = "COALESCE(e.due_at, e.wait_until, 9223372036854775807)";

/// The columns of a [`Listed`], over [`JOINS`].
pub(crate) static SELECT: LazyLock<String> = LazyLock::new(|| {
    let columns: Vec<String> = COLUMNS.iter().map(|c| format!("e.{c}")).collect();
    format!(
        "{}, s.name, s.state, json_int(s.settings, 'unresponsive_days'), c.first_name, c.last_name, c.emails, k.name,
         a.owner_id, COALESCE(c.last_contacted_at, k.last_contacted_at), COALESCE(c.last_engaged_at, k.last_engaged_at),
         e.wake_at",
        columns.join(", ")
    )
});

/// What stands beside `enrollment e`: `k` is the company itself, or the contact's.
pub(crate) const JOINS: &str = "JOIN sequence s ON s.workspace_id = $1 AND s.id = e.sequence_id
     LEFT JOIN contact c ON c.workspace_id = $1 AND c.id = e.contact_id
     LEFT JOIN company k ON k.workspace_id = $1 AND k.id = COALESCE(e.company_id, c.company_id)
     LEFT JOIN activity a ON a.workspace_id = $1 AND a.enrollment_id = e.id AND a.visit = e.visit";

pub(crate) fn read(row: &Row) -> Result<Listed> {
    let mut c = Cells::of(row, "enrollment");
    let flat: Vec<Flat> = c.take(COLUMNS.len()).iter().map(flat).collect();
    let enrollment = Enrollment::from_flat(&flat).map_err(|e| c.bad(e))?;
    let (sequence_name, sequence_state) = (c.string()?, c.word(SequenceState::named)?);
    let unresponsive_days = c.count()?;
    let (first, last, emails) = (c.opt_string()?, c.opt_string()?, c.opt_text()?);
    let company = c.opt_string()?;
    let subject_name = match (enrollment.subject, first, last) {
        (Subject::Contact(_), Some(first), Some(last)) => contact_name(&first, &last, emails),
        (Subject::Company(_), _, _) => company.clone().unwrap_or_default(),
        // The record was erased; its enrollments may still be counted.
        (Subject::Contact(_), _, _) => String::new(),
    };
    Ok(Listed {
        sequence_name,
        sequence_state,
        unresponsive_days,
        subject_name,
        company_name: company.filter(|_| matches!(enrollment.subject, Subject::Contact(_))),
        owner: c.opt_id(UserId)?,
        last_contacted_at: c.opt_time()?,
        last_engaged_at: c.opt_time()?,
        wake_at: c.opt_time()?,
        enrollment,
    })
}

fn flat(value: &Val) -> Flat {
    match value {
        Val::Int(n) => Flat::Int(*n),
        Val::Text(t) => Flat::Text(t.clone()),
        Val::Null | Val::NullOf(_) | Val::Blob(_) => Flat::Null,
    }
}

/// A name as lists show it; the first address where there is none.
pub(crate) fn contact_name(first: &str, last: &str, emails: Option<&str>) -> String {
    match format!("{first} {last}").trim() {
        "" => {
            let emails: Vec<addresses::TypedAddress> =
                emails.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
            emails.into_iter().next().map(|a| a.value).unwrap_or_default()
        }
        name => name.to_owned(),
    }
}

/// One enrollment, the removed too.
///
/// Errors: `Missing`, also where the viewer does not see its sequence.
pub fn get(q: &mut Query, w: WorkspaceId, id: EnrollmentId, viewer: Viewer) -> Result<Listed> {
    let mut args = args![id];
    let sees = viewer.sees(&mut args);
    let sql = format!("SELECT {} FROM enrollment e {JOINS} WHERE e.workspace_id = $1 AND e.id = $2{sees}", *SELECT);
    let row = q.of(w).opt(&sql, args)?.ok_or_else(|| StoreError::missing("enrollment", id))?;
    read(&row)
}

/// Those of these that exist and that the viewer sees, in any order.
pub fn seen(
    q: &mut Query,
    w: WorkspaceId,
    among: impl IntoIterator<Item = EnrollmentId>,
    viewer: Viewer,
) -> Result<Vec<EnrollmentId>> {
    let mut args = args![];
    let sees = viewer.sees(&mut args);
    let sql = format!(
        "SELECT e.id FROM rows(id BIGINT) AS r JOIN enrollment e ON e.workspace_id = $1 AND e.id = r.id
         JOIN sequence s ON s.workspace_id = $1 AND s.id = e.sequence_id WHERE TRUE{sees}"
    );
    let rows = q.of(w).rows(&sql, &Columns::new().ints(among), args)?;
    rows.iter().map(|row| row.int(0).map(EnrollmentId)).collect()
}

/// A page of enrollments, from behind `after`.
pub fn list(
    q: &mut Query,
    w: WorkspaceId,
    filter: &Filter,
    order: Order,
    after: Option<After<i64>>,
    limit: usize,
    now: Time,
) -> Result<Page<Listed, i64>> {
    let mut args = args![limit as i64 + 1];
    let mut conditions = conditions(filter, now, &mut args);
    let sorted = match order {
        Order::Newest => {
            if let Some(a) = after {
                conditions.push_str(&format!(" AND e.id < {}", args.push(a.id)));
            }
            "e.id DESC".to_owned()
        }
        Order::NextAction => {
            if let Some(a) = after {
                let (key, id) = (args.push(a.key), args.push(a.id));
                conditions.push_str(&format!(" AND ({NEXT_ACTION}, e.id) > ({key}, {id})"));
            }
            format!("{NEXT_ACTION}, e.id")
        }
    };
    let sql = format!(
        "SELECT {} FROM enrollment e {JOINS} WHERE e.workspace_id = $1{conditions} ORDER BY {sorted} LIMIT $2",
        *SELECT
    );
    let rows = q.of(w).all(&sql, args)?;
    Page::of(&rows, limit, |row| {
        let listed = read(row)?;
        let place = listed.enrollment.place.as_ref().map(|p| p.due);
        let next = place.or(listed.enrollment.wait.as_ref().map(|w| w.until));
        let after = After { key: next.unwrap_or(Time::MAX).micros(), id: listed.enrollment.id.0 };
        Ok((listed, after))
    })
}

/// How many there are, counted no further than `at_most`.
pub fn count(q: &mut Query, w: WorkspaceId, filter: &Filter, at_most: usize, now: Time) -> Result<i64> {
    let mut args = args![at_most as i64];
    let conditions = conditions(filter, now, &mut args);
    let from = from(filter);
    let sql =
        format!("SELECT count(*) FROM (SELECT 1 FROM {from} WHERE e.workspace_id = $1{conditions} LIMIT $2) AS found");
    q.of(w).one(&sql, args)?.int(0)
}

/// The ids alone, ascending, from behind `after`: for what is done to all of them.
pub fn ids(
    q: &mut Query,
    w: WorkspaceId,
    filter: &Filter,
    after: Option<EnrollmentId>,
    limit: usize,
    now: Time,
) -> Result<Vec<EnrollmentId>> {
    let mut args = args![after.map_or(i64::MIN, |id| id.0), limit as i64];
    let conditions = conditions(filter, now, &mut args);
    let from = from(filter);
    let sql =
        format!("SELECT e.id FROM {from} WHERE e.workspace_id = $1 AND e.id > $2{conditions} ORDER BY e.id LIMIT $3");
    q.of(w).all(&sql, args)?.iter().map(|row| row.int(0).map(EnrollmentId)).collect()
}

/// The latest live enrollment of each of these contacts or companies, else their latest: what their own person status is
/// read off (ENR-5).
pub fn latest_of(q: &mut Query, w: WorkspaceId, subjects: &[Subject]) -> Result<Vec<Listed>> {
    let mut found = Vec::new();
    for (column, ids) in [("contact_id", contacts_among(subjects)), ("company_id", companies_among(subjects))] {
        let sql = format!(
            "SELECT {} FROM rows(id BIGINT) AS r JOIN enrollment e ON e.workspace_id = $1 AND e.id = (
                 SELECT l.id FROM enrollment l WHERE l.workspace_id = $1 AND l.{column} = r.id AND l.life <> 3
                 ORDER BY CASE WHEN l.life IN (0, 1) THEN 0 ELSE 1 END, l.id DESC LIMIT 1)
             {JOINS}",
            *SELECT
        );
        let rows = q.of(w).rows(&sql, &Columns::new().ints(ids), args![])?;
        for row in &rows {
            found.push(read(row)?);
        }
    }
    Ok(found)
}

/// A live enrollment, as far as a changed record concerns it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Live {
    pub id: EnrollmentId,
    pub block: Option<BlockReason>,
}

/// The live enrollments of these contacts and companies.
pub fn live_of(q: &mut Query, w: WorkspaceId, subjects: &[Subject]) -> Result<Vec<Live>> {
    let mut found = Vec::new();
    for (column, ids) in [("contact_id", contacts_among(subjects)), ("company_id", companies_among(subjects))] {
        let sql = format!(
            "SELECT e.id, e.block FROM rows(id BIGINT) AS r
             JOIN enrollment e ON e.workspace_id = $1 AND e.{column} = r.id AND e.life IN (0, 1)"
        );
        for row in &q.of(w).rows(&sql, &Columns::new().ints(ids), args![])? {
            let mut c = Cells::of(row, "enrollment");
            found.push(Live { id: c.id(EnrollmentId)?, block: c.opt_word(BlockReason::named)? });
        }
    }
    found.sort_unstable_by_key(|l| l.id);
    Ok(found)
}

fn contacts_among(subjects: &[Subject]) -> Vec<i64> {
    subjects.iter().filter_map(|s| if let Subject::Contact(c) = s { Some(c.0) } else { None }).collect()
}

fn companies_among(subjects: &[Subject]) -> Vec<i64> {
    subjects.iter().filter_map(|s| if let Subject::Company(c) = s { Some(c.0) } else { None }).collect()
}

/// Only the tables that the conditions read.
fn from(filter: &Filter) -> String {
    let mut from = "enrollment e".to_owned();
    if filter.viewer != Viewer::All || filter.enrolled.needs_sequence() {
        from.push_str(" JOIN sequence s ON s.workspace_id = $1 AND s.id = e.sequence_id");
    }
    if filter.owner.is_some() {
        from.push_str(" LEFT JOIN activity a ON a.workspace_id = $1 AND a.enrollment_id = e.id AND a.visit = e.visit");
    }
    from
}

fn conditions(filter: &Filter, now: Time, args: &mut Args) -> String {
    let mut sql = filter.enrolled.conditions(now, args);
    sql.push_str(&filter.viewer.sees(args));
    match filter.subject {
        Some(Subject::Contact(id)) => sql.push_str(&format!(" AND e.contact_id = {}", args.push(id))),
        Some(Subject::Company(id)) => sql.push_str(&format!(" AND e.company_id = {}", args.push(id))),
        None => {}
    }
    sql.push_str(&typed(&filter.typed, args));
    if let Some(user) = filter.enrolled_by {
        sql.push_str(&format!(" AND e.enrolled_by = {}", args.push(user)));
    }
    if let Some(owner) = filter.owner {
        sql.push_str(&format!(" AND a.owner_id = {}", args.push(owner)));
    }
    if let Some(mailbox) = filter.mailbox {
        sql.push_str(&format!(" AND e.mailbox_id = {}", args.push(mailbox)));
    }
    sql
}

/// Enrollments of contacts or companies that are found by these words.
pub(crate) fn typed(typed: &str, args: &mut Args) -> String {
    let mut sql = String::new();
    for term in terms(typed) {
        let (from, to) = (args.push(term.as_str()), args.push(end_of(&term)));
        sql.push_str(&format!(
            " AND EXISTS (SELECT 1 FROM search_word x WHERE x.workspace_id = $1
                 AND x.subject = CASE WHEN e.contact_id IS NULL THEN 'company' ELSE 'contact' END
                 AND x.subject_id = COALESCE(e.contact_id, e.company_id) AND x.word >= {from} AND x.word < {to})"
        ));
    }
    sql
}
