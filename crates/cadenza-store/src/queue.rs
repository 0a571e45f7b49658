//! The Queue (QUE-1): who has executed a step and waits for the next, by when that is; on request also who waits for the
//! first.

use crate::activities::kind_named;
use crate::cells::Cells;
use crate::enrollments::{JOINS, Listed, NEXT_ACTION, SELECT, read, typed};
use crate::error::Result;
use crate::page::{After, Page};
use crate::query::Query;
use crate::row::Row;
use crate::scope::{Args, args};
use crate::sequences::Viewer;
use cadenza_core::flow::{Key, Outcome, StepKind};
use cadenza_core::ids::{SequenceId, UserId, WorkspaceId};
use cadenza_core::time::Time;

/// Which of the waiting are wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    pub viewer: Viewer,
    pub sequences: Vec<SequenceId>,
    /// Whose the next activity is.
    pub owner: Option<UserId>,
    /// Words of the contact or company.
    pub typed: String,
    /// Scheduled before.
    pub before: Option<Time>,
    pub first_steps: FirstSteps,
}

/// What becomes of those who wait for their first step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FirstSteps {
    #[default]
    LeftOut,
    Shown,
}

impl Filter {
    pub fn new(viewer: Viewer) -> Filter {
        Filter {
            viewer,
            sequences: Vec::new(),
            owner: None,
            typed: String::new(),
            before: None,
            first_steps: FirstSteps::LeftOut,
        }
    }
}

/// One who waits.
#[derive(Debug, Clone, PartialEq)]
pub struct Queued {
    pub listed: Listed,
    /// The last activity that was executed, and how it ended.
    pub last: Option<(Key, StepKind, Option<Outcome>)>,
    /// The kind of the next activity; `None` while only an open wait is there.
    pub next_kind: Option<StepKind>,
    /// End of time where nothing has a date yet.
    pub scheduled_for: Time,
}

/// A page of the Queue, from behind `after`.
pub fn list(
    q: &mut Query,
    w: WorkspaceId,
    filter: &Filter,
    after: Option<After<i64>>,
    limit: usize,
) -> Result<Page<Queued, i64>> {
    let mut rows = part(q, w, filter, "e.steps_executed > 0", after, limit)?;
    if filter.first_steps == FirstSteps::Shown {
        rows.extend(part(q, w, filter, "e.steps_executed = 0", after, limit)?);
        let last = rows.first().map_or(0, Row::len).saturating_sub(1);
        rows.sort_by_key(|row| (row.int(last).unwrap_or(i64::MAX), row.int(0).unwrap_or(i64::MAX)));
    }
    Page::of(&rows, limit, |row| {
        let queued = queued(row)?;
        let after = After { key: queued.scheduled_for.micros(), id: queued.listed.enrollment.id.0 };
        Ok((queued, after))
    })
}

/// How many wait for their next step and how many for their first, each counted no further than `at_most`.
pub fn counts(q: &mut Query, w: WorkspaceId, filter: &Filter, at_most: usize) -> Result<(i64, i64)> {
    let mut count = |steps: &str| {
        let mut args = args![at_most as i64];
        let conditions = conditions(filter, steps, &mut args);
        let sql = format!(
            "SELECT count(*) FROM (SELECT 1 FROM enrollment e {JOINS} WHERE e.workspace_id = $1{conditions} LIMIT $2) AS found"
        );
        q.of(w).one(&sql, args)?.int(0)
    };
    Ok((count("e.steps_executed > 0")?, count("e.steps_executed = 0")?))
}

fn part(
    q: &mut Query,
    w: WorkspaceId,
    filter: &Filter,
    steps: &str,
    after: Option<After<i64>>,
    limit: usize,
) -> Result<Vec<Row>> {
    let mut args = args![limit as i64 + 1];
    let mut conditions = conditions(filter, steps, &mut args);
    if let Some(a) = after {
        let (key, id) = (args.push(a.key), args.push(a.id));
        conditions.push_str(&format!(" AND ({NEXT_ACTION}, e.id) > ({key}, {id})"));
    }
    let sql = format!(
        "SELECT {}, p.step, p.kind, p.outcome, a.kind, {NEXT_ACTION} FROM enrollment e {JOINS}
         LEFT JOIN activity p ON p.workspace_id = $1 AND p.enrollment_id = e.id AND p.visit = e.last_visit
         WHERE e.workspace_id = $1{conditions} ORDER BY {NEXT_ACTION}, e.id LIMIT $2",
        *SELECT
    );
    q.of(w).all(&sql, args)
}

/// Whoever has an open task waits for nothing but a person, and stands on the Tasks screen.
fn conditions(filter: &Filter, steps: &str, args: &mut Args) -> String {
    let mut sql = format!(
        " AND e.life IN (0, 1) AND {steps}
          AND (a.kind IS NULL OR a.kind IN ('email_auto', 'sms_auto') OR a.appeared_at IS NULL)"
    );
    sql.push_str(&filter.viewer.sees(args));
    if !filter.sequences.is_empty() {
        let names: Vec<String> = filter.sequences.iter().map(|s| args.push(*s)).collect();
        sql.push_str(&format!(" AND e.sequence_id IN ({})", names.join(", ")));
    }
    if let Some(owner) = filter.owner {
        sql.push_str(&format!(" AND a.owner_id = {}", args.push(owner)));
    }
    if let Some(before) = filter.before {
        sql.push_str(&format!(" AND {NEXT_ACTION} < {}", args.push(before)));
    }
    sql.push_str(&typed(&filter.typed, args));
    sql
}

fn queued(row: &Row) -> Result<Queued> {
    let listed = read(row)?;
    let mut c = Cells::of(row, "enrollment");
    c.take(row.len() - 5);
    let last = (c.opt_word(str::parse::<Key>)?, c.opt_word(kind_named)?, c.opt_text()?);
    Ok(Queued {
        listed,
        last: match last {
            (Some(step), Some(kind), outcome) => Some((step, kind, outcome.map(Outcome::named))),
            _ => None,
        },
        next_kind: c.opt_word(kind_named)?,
        scheduled_for: c.time()?,
    })
}
