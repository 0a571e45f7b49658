//! The Tasks screen (TSK-1): what people have to do, from three sources: manual activities that appeared, automatic steps
//! that cannot run (TSK-4), and users' own tasks. The own tasks themselves are in `own`.

mod own;

pub use own::{Own, OwnKind, add, finish, get, of_record, update};

use crate::activities::kind_named;
use crate::cells::Cells;
use crate::enrollments::contact_name;
use crate::error::Result;
use crate::page::{After, Page};
use crate::query::Query;
use crate::row::Row;
use crate::scope::{Args, args};
use crate::sequences::{priority, priority_number, worked_on_by};
use cadenza_core::enrollment::{BlockReason, SequenceState, State, Subject};
use cadenza_core::flow::{Key, Priority, StepKind};
use cadenza_core::ids::{CompanyId, ContactId, EnrollmentId, SequenceId, TaskId, UserId, WorkspaceId};
use cadenza_core::time::Time;
use std::collections::HashMap;

/// Which tasks are wanted; everything that is said must hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    pub worker: Worker,
    /// Own tasks belong to no sequence and are left out where this is said.
    pub sequences: Vec<SequenceId>,
    /// Whose the task is.
    pub owners: Vec<UserId>,
    pub priorities: Vec<Priority>,
    pub kinds: Vec<Kind>,
    /// Due before; what has no date is left out where this is said.
    pub due_before: Option<Time>,
    pub subject: Option<Subject>,
}

impl Filter {
    pub fn new(worker: Worker) -> Filter {
        Filter {
            worker,
            sequences: Vec::new(),
            owners: Vec::new(),
            priorities: Vec::new(),
            kinds: Vec::new(),
            due_before: None,
            subject: None,
        }
    }
}

/// Whose tasks are seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worker {
    /// Everybody's.
    All,
    /// One's own, and those of the sequences one works on (PRM-2).
    User(UserId),
}

/// What kind of task it is; the groups of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A step that a person does, or an automatic one that cannot run.
    Step(StepKind),
    Own(OwnKind),
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Step(kind) => kind.as_str(),
            // Beside a step's `task`.
            Kind::Own(OwnKind::Task) => "own_task",
            Kind::Own(kind) => kind.as_str(),
        }
    }
    /// In the order of the screen.
    pub fn all() -> impl Iterator<Item = Kind> {
        StepKind::ALL.into_iter().map(Kind::Step).chain(OwnKind::ALL.iter().map(|k| Kind::Own(*k)))
    }
    pub fn named(word: &str) -> Option<Kind> {
        Kind::all().find(|k| k.as_str() == word)
    }
}

/// A task.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    pub of: Of,
    pub kind: Kind,
    pub owner: UserId,
    pub priority: Priority,
    /// End of time for own tasks without a date.
    pub due: Time,
    pub subject: Option<Subject>,
    pub subject_name: String,
    pub company_name: Option<String>,
}

/// Where a task comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum Of {
    Activity {
        enrollment: EnrollmentId,
        visit: u32,
        step: Key,
        sequence: SequenceId,
        sequence_name: String,
        /// Where it is paused, the task is listed and marked so (SEQ-13).
        sequence_state: SequenceState,
        state: State,
        /// Why an automatic step cannot run, and the words beside it.
        block: Option<(BlockReason, Option<String>)>,
    },
    Own {
        id: TaskId,
        name: String,
        until: Option<Time>,
        enrollment: Option<EnrollmentId>,
    },
}

/// Due where nothing was said.
const NEVER: i64 = i64::MAX;

/// A page of tasks by due date, from behind `after`.
pub fn list(
    q: &mut Query,
    w: WorkspaceId,
    filter: &Filter,
    after: Option<After<i64>>,
    limit: usize,
) -> Result<Page<Task, i64>> {
    let mut rows = Vec::new();
    for source in SOURCES {
        let mut args = args![limit as i64 + 1];
        let Some(mut conditions) = (source.conditions)(filter, &mut args) else { continue };
        let (due, key) = (source.due, source.key);
        if let Some(a) = after {
            let (at, id) = (args.push(a.key), args.push(a.id));
            conditions.push_str(&format!(" AND ({due}, {key}) > ({at}, {id})"));
        }
        let sql = format!(
            "SELECT {}, {due}, {key} FROM {} WHERE {conditions} ORDER BY {due}, {key} LIMIT $2",
            source.columns, source.from
        );
        rows.extend(q.of(w).all(&sql, args)?);
    }
    rows.sort_by_key(|row| (row.int(DUE).unwrap_or(NEVER), row.int(DUE + 1).unwrap_or(NEVER)));
    Page::of(&rows, limit, |row| Ok((read(row)?, After { key: row.int(DUE)?, id: row.int(DUE + 1)? })))
}

/// Whether a step of an enrollment is a worker's to do; `None` where there is no such activity.
pub fn is_for(
    q: &mut Query,
    w: WorkspaceId,
    enrollment: EnrollmentId,
    visit: u32,
    worker: Worker,
) -> Result<Option<bool>> {
    let mut args = args![enrollment, visit];
    let theirs = match worker {
        Worker::All => "TRUE".to_owned(),
        Worker::User(user) => {
            let user = args.push(user);
            format!("a.owner_id = {user} OR a.sequence_id IN {}", worked_on_by(&user))
        }
    };
    let sql = format!(
        "SELECT CASE WHEN {theirs} THEN 1 ELSE 0 END FROM activity a
         WHERE a.workspace_id = $1 AND a.enrollment_id = $2 AND a.visit = $3"
    );
    q.of(w).opt(&sql, args)?.map(|row| row.flag(0)).transpose()
}

/// How many there are of each kind, in the order of the screen; kinds without any are left out.
pub fn counts(q: &mut Query, w: WorkspaceId, filter: &Filter) -> Result<Vec<(Kind, i64)>> {
    let mut counts: HashMap<Kind, i64> = HashMap::new();
    for source in SOURCES {
        let mut args = args![];
        let Some(conditions) = (source.conditions)(filter, &mut args) else { continue };
        let (kind, from) = (source.kind, source.counted_from);
        let sql = format!("SELECT {kind}, count(*) FROM {from} WHERE {conditions} GROUP BY {kind}");
        for row in &q.of(w).all(&sql, args)? {
            let mut c = Cells::of(row, "activity");
            let kind = (source.kind_named)(c.text()?).ok_or_else(|| c.bad("not a kind of task"))?;
            *counts.entry(kind).or_default() += c.int()?;
        }
    }
    Ok(Kind::all().filter_map(|kind| counts.get(&kind).map(|n| (kind, *n))).collect())
}

/// One of the three places that tasks come from.
struct Source {
    columns: &'static str,
    from: &'static str,
    /// Only the tables that conditions and kind read.
    counted_from: &'static str,
    kind: &'static str,
    kind_named: fn(&str) -> Option<Kind>,
    due: &'static str,
    /// Tells tasks of the same due date apart: an enrollment has one current activity.
    key: &'static str,
    /// `None` where the filter leaves nothing of it.
    conditions: fn(&Filter, &mut Args) -> Option<String>,
}

/// The column of the due date; the key stands behind it.
const DUE: usize = 22;

const SOURCES: [Source; 3] = [
    Source {
        columns: ACTIVITY_COLUMNS,
        from: "activity a JOIN enrollment e ON e.workspace_id = $1 AND e.id = a.enrollment_id
             JOIN sequence s ON s.workspace_id = $1 AND s.id = a.sequence_id
             LEFT JOIN contact c ON c.workspace_id = $1 AND c.id = a.contact_id
             LEFT JOIN company k ON k.workspace_id = $1 AND k.id = COALESCE(a.company_id, c.company_id)",
        counted_from: "activity a",
        kind: "a.kind",
        kind_named: step_kind,
        due: "a.due_at",
        key: "a.enrollment_id",
        conditions: manual,
    },
    Source {
        columns: ACTIVITY_COLUMNS,
        from: "enrollment e JOIN activity a ON a.workspace_id = $1 AND a.enrollment_id = e.id AND a.visit = e.visit
             JOIN sequence s ON s.workspace_id = $1 AND s.id = e.sequence_id
             LEFT JOIN contact c ON c.workspace_id = $1 AND c.id = a.contact_id
             LEFT JOIN company k ON k.workspace_id = $1 AND k.id = COALESCE(a.company_id, c.company_id)",
        counted_from: "enrollment e
             JOIN activity a ON a.workspace_id = $1 AND a.enrollment_id = e.id AND a.visit = e.visit",
        kind: "a.kind",
        kind_named: step_kind,
        due: "a.due_at",
        key: "a.enrollment_id",
        conditions: stuck,
    },
    Source {
        columns:
            "t.kind, t.owner_id, t.priority, t.contact_id, t.company_id, c.first_name, c.last_name, c.emails, k.name,
             t.enrollment_id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, t.id, t.name, t.until_at, t.created_at",
        from: "task t LEFT JOIN contact c ON c.workspace_id = $1 AND c.id = t.contact_id
             LEFT JOIN company k ON k.workspace_id = $1 AND k.id = COALESCE(t.company_id, c.company_id)",
        counted_from: "task t",
        kind: "t.kind",
        kind_named: own_kind,
        due: "COALESCE(t.due_at, 9223372036854775807)",
        key: "t.id",
        conditions: own_conditions,
    },
];

const ACTIVITY_COLUMNS: &str = "a.kind, a.owner_id, a.priority, a.contact_id, a.company_id, c.first_name, c.last_name, c.emails,
     k.name, a.enrollment_id, a.visit, a.step, s.id, s.name, s.state, e.state, e.block, e.block_detail, NULL, NULL, NULL, NULL";

fn read(row: &Row) -> Result<Task> {
    let mut c = Cells::of(row, "activity");
    let (kind, owner) = (c.text()?, c.id(UserId)?);
    let priority = priority(c.int()?).ok_or_else(|| c.bad("not a priority"))?;
    let subject = match (c.opt_id(ContactId)?, c.opt_id(CompanyId)?) {
        (Some(contact), _) => Some(Subject::Contact(contact)),
        (None, Some(company)) => Some(Subject::Company(company)),
        (None, None) => None,
    };
    let (first, last, emails) = (c.opt_text()?, c.opt_text()?, c.opt_text()?);
    let company = c.opt_string()?;
    let enrollment = c.opt_id(EnrollmentId)?;
    let activity = (c.opt_count()?, c.opt_word(str::parse::<Key>)?, c.opt_id(SequenceId)?, c.opt_string()?);
    let states = (c.opt_word(SequenceState::named)?, c.opt_word(State::named)?);
    let block = (c.opt_word(BlockReason::named)?, c.opt_string()?);
    let own = (c.opt_id(TaskId)?, c.opt_string()?, c.opt_time()?);
    let is_own = own.0.is_some();
    let kind = if is_own { own_kind(kind) } else { step_kind(kind) };
    let of = match (own, activity, states, enrollment) {
        ((Some(id), Some(name), until), _, _, enrollment) => Of::Own { id, name, until, enrollment },
        (
            _,
            (Some(visit), Some(step), Some(sequence), Some(sequence_name)),
            (Some(sequence_state), Some(state)),
            Some(enrollment),
        ) => {
            let block = block.0.map(|b| (b, block.1));
            Of::Activity { enrollment, visit, step, sequence, sequence_name, sequence_state, state, block }
        }
        _ => return Err(c.bad("neither an activity nor an own task")),
    };
    Ok(Task {
        of,
        kind: kind.ok_or_else(|| c.bad("not a kind of task"))?,
        owner,
        priority,
        due: row.time(DUE)?,
        subject_name: match (first, last) {
            (Some(first), Some(last)) => contact_name(first, last, emails),
            _ => company.clone().unwrap_or_default(),
        },
        company_name: company.filter(|_| matches!(subject, Some(Subject::Contact(_)))),
        subject,
    })
}

fn step_kind(word: &str) -> Option<Kind> {
    kind_named(word).ok().map(Kind::Step)
}

fn own_kind(word: &str) -> Option<Kind> {
    OwnKind::named(word).ok().map(Kind::Own)
}

/// Manual activities that appeared.
fn manual(filter: &Filter, args: &mut Args) -> Option<String> {
    let mut sql = "a.workspace_id = $1 AND a.phase < 3 AND a.appeared_at IS NOT NULL
         AND a.kind NOT IN ('email_auto', 'sms_auto')"
        .to_owned();
    on_activity(filter, args, &mut sql).then_some(sql)
}

/// Automatic steps that a person has to mend.
fn stuck(filter: &Filter, args: &mut Args) -> Option<String> {
    let mut sql = "e.workspace_id = $1 AND e.block IS NOT NULL AND e.life = 1
         AND a.kind IN ('email_auto', 'sms_auto')"
        .to_owned();
    on_activity(filter, args, &mut sql).then_some(sql)
}

/// Answers false where nothing can be found.
fn on_activity(filter: &Filter, args: &mut Args, sql: &mut String) -> bool {
    if let Worker::User(user) = filter.worker {
        let user = args.push(user);
        sql.push_str(&format!(" AND (a.owner_id = {user} OR a.sequence_id IN {})", worked_on_by(&user)));
    }
    among("a.sequence_id", filter.sequences.iter().map(|s| s.0), args, sql);
    among("a.owner_id", filter.owners.iter().map(|u| u.0), args, sql);
    among("a.priority", filter.priorities.iter().map(|p| priority_number(*p)), args, sql);
    if let Some(before) = filter.due_before {
        sql.push_str(&format!(" AND a.due_at < {}", args.push(before)));
    }
    of_subject("a", filter.subject, args, sql);
    let kinds: Vec<&str> =
        filter.kinds.iter().filter_map(|k| if let Kind::Step(k) = k { Some(k.as_str()) } else { None }).collect();
    if kinds.is_empty() {
        return filter.kinds.is_empty();
    }
    let names: Vec<String> = kinds.into_iter().map(|k| args.push(k)).collect();
    sql.push_str(&format!(" AND a.kind IN ({})", names.join(", ")));
    true
}

fn own_conditions(filter: &Filter, args: &mut Args) -> Option<String> {
    let mut sql = "t.workspace_id = $1 AND t.done_at IS NULL".to_owned();
    if !filter.sequences.is_empty() {
        return None;
    }
    if let Worker::User(user) = filter.worker {
        sql.push_str(&format!(" AND t.owner_id = {}", args.push(user)));
    }
    among("t.owner_id", filter.owners.iter().map(|u| u.0), args, &mut sql);
    among("t.priority", filter.priorities.iter().map(|p| priority_number(*p)), args, &mut sql);
    if let Some(before) = filter.due_before {
        sql.push_str(&format!(" AND t.due_at < {}", args.push(before)));
    }
    of_subject("t", filter.subject, args, &mut sql);
    let kinds: Vec<&str> =
        filter.kinds.iter().filter_map(|k| if let Kind::Own(k) = k { Some(k.as_str()) } else { None }).collect();
    if kinds.is_empty() {
        return filter.kinds.is_empty().then_some(sql);
    }
    let names: Vec<String> = kinds.into_iter().map(|k| args.push(k)).collect();
    sql.push_str(&format!(" AND t.kind IN ({})", names.join(", ")));
    Some(sql)
}

fn among(column: &str, values: impl Iterator<Item = i64>, args: &mut Args, sql: &mut String) {
    let names: Vec<String> = values.map(|v| args.push(v)).collect();
    if !names.is_empty() {
        sql.push_str(&format!(" AND {column} IN ({})", names.join(", ")));
    }
}

fn of_subject(table: &str, subject: Option<Subject>, args: &mut Args, sql: &mut String) {
    match subject {
        Some(Subject::Contact(id)) => sql.push_str(&format!(" AND {table}.contact_id = {}", args.push(id))),
        Some(Subject::Company(id)) => sql.push_str(&format!(" AND {table}.company_id = {}", args.push(id))),
        None => {}
    }
}
