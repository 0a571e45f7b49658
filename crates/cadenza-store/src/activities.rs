//! Activities of an enrollment: what was planned, is due and was done, visit by visit.

use crate::cells::Cells;
use crate::error::Result;
use crate::query::Query;
use crate::row::Row;
use crate::scope::args;
use crate::sequences::priority;
use crate::words::Unnamed;
use cadenza_core::flow::{Key, Outcome, Priority, StepKind};
use cadenza_core::ids::{EnrollmentId, UserId, WorkspaceId};
use cadenza_core::time::Time;

/// One execution of one step.
#[derive(Debug, Clone, PartialEq)]
pub struct Activity {
    pub enrollment: EnrollmentId,
    pub visit: u32,
    pub branch: Key,
    pub step: Key,
    pub kind: StepKind,
    pub phase: ActivityPhase,
    pub due: Time,
    pub appeared_at: Option<Time>,
    pub owner: UserId,
    pub priority: Priority,
    /// Of the step's content.
    pub revision: u32,
    pub variant: Option<Key>,
}

/// How far an activity is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActivityPhase {
    Waiting,
    Due,
    Executing,
    /// `by` is `engine`, `contact`, `server` or a user's id.
    Closed {
        outcome: Outcome,
        at: Time,
        by: String,
    },
}

const COLUMNS: &str = "a.enrollment_id, a.visit, a.branch, a.step, a.kind, a.phase, a.outcome, a.closed_at, a.closed_by, \
     a.due_at, a.appeared_at, a.owner_id, a.priority, a.revision, a.variant";

fn read(row: &Row) -> Result<Activity> {
    let mut c = Cells::of(row, "activity");
    Ok(Activity {
        enrollment: c.id(EnrollmentId)?,
        visit: c.count()?,
        branch: c.word(str::parse)?,
        step: c.word(str::parse)?,
        kind: c.word(kind_named)?,
        phase: {
            let (phase, outcome, at, by) = (c.int()?, c.opt_text()?, c.opt_time()?, c.opt_string()?);
            match (phase, outcome, at) {
                (0, ..) => ActivityPhase::Waiting,
                (1, ..) => ActivityPhase::Due,
                (2, ..) => ActivityPhase::Executing,
                (3, Some(outcome), Some(at)) => {
                    ActivityPhase::Closed { outcome: Outcome::named(outcome), at, by: by.unwrap_or_default() }
                }
                _ => return Err(c.bad("a closed activity has an outcome and a time")),
            }
        },
        due: c.time()?,
        appeared_at: c.opt_time()?,
        owner: c.id(UserId)?,
        priority: priority(c.int()?).ok_or_else(|| c.bad("not a priority"))?,
        revision: c.count()?,
        variant: c.opt_word(str::parse)?,
    })
}

pub(crate) fn kind_named(word: &str) -> std::result::Result<StepKind, Unnamed> {
    StepKind::named(word).ok_or_else(|| Unnamed { what: "kind of step", word: word.to_owned() })
}

/// All of an enrollment, in the order of their visits.
pub fn of_enrollment(q: &mut Query, w: WorkspaceId, id: EnrollmentId) -> Result<Vec<Activity>> {
    let sql =
        format!("SELECT {COLUMNS} FROM activity a WHERE a.workspace_id = $1 AND a.enrollment_id = $2 ORDER BY a.visit");
    q.of(w).all(&sql, args![id])?.iter().map(read).collect()
}
