//! The Overview (OVR-1) and the counts of one sequence: figures that are kept, not counted anew.

use crate::cells::Cells;
use crate::error::{Result, StoreError};
use crate::query::Query;
use crate::row::Row;
use crate::scope::args;
use crate::sequences::{SubjectType, Viewer};
use cadenza_core::enrollment::SequenceState;
use cadenza_core::flow::StepKind;
use cadenza_core::ids::{SequenceId, UserId, WorkspaceId};
use cadenza_core::time::Time;
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};

/// The figures of a sequence or of one of its steps, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures(BTreeMap<String, i64>);

impl Figures {
    /// 0 for a name that nothing was counted under.
    pub fn of(&self, name: &str) -> i64 {
        self.0.get(name).copied().unwrap_or(0)
    }
    pub fn iter(&self) -> impl Iterator<Item = (&str, i64)> {
        self.0.iter().map(|(name, n)| (name.as_str(), *n))
    }
}

/// One row of the Overview.
#[derive(Debug, Clone, PartialEq)]
pub struct Overviewed {
    pub id: SequenceId,
    pub name: String,
    pub of: SubjectType,
    pub state: SequenceState,
    pub held: Option<String>,
    pub begin: Option<Time>,
    pub end: Option<Time>,
    pub primary_user: UserId,
    /// Live, with at least one step executed.
    pub in_progress: i64,
    /// Live, without one.
    pub not_started: i64,
    pub completed: i64,
    pub open_tasks: i64,
    pub done_tasks: i64,
    /// Whether rates of opens, clicks, replies, bounces and opt-outs mean anything.
    pub has_email_step: bool,
    /// Of the whole sequence.
    pub figures: Figures,
}

/// Whether ended sequences that were put away are asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Archived {
    #[default]
    Hidden,
    Shown,
}

/// Every sequence that the viewer sees, by name.
pub fn list(q: &mut Query, w: WorkspaceId, viewer: Viewer, archived: Archived) -> Result<Vec<Overviewed>> {
    let mut args = args![];
    let mut sql =
        "SELECT s.id, s.name, s.type, s.state, s.held, s.begin_at, s.end_at, s.primary_user_id FROM sequence s
         WHERE s.workspace_id = $1"
            .to_owned();
    sql.push_str(&viewer.sees(&mut args));
    if archived == Archived::Hidden {
        sql.push_str(" AND s.state <> 'archived'");
    }
    sql.push_str(" ORDER BY s.sort_name, s.id");
    let sequences = q.of(w).all(&sql, args)?;
    let mut figures = all_figures(q, w)?;
    let kinds = kinds_of_steps(q, w)?;
    let open = open_tasks(q, w)?;
    sequences.iter().map(|row| overviewed(row, &mut figures, &kinds, &open)).collect()
}

/// The figures of a sequence: under the empty text of the whole, else of each step by its key.
pub fn figures(q: &mut Query, w: WorkspaceId, id: SequenceId) -> Result<HashMap<String, Figures>> {
    let sql = "SELECT step, name, SUM(n) FROM counter WHERE workspace_id = $1 AND sequence_id = $2 GROUP BY step, name";
    let mut found: HashMap<String, Figures> = HashMap::new();
    for row in &q.of(w).all(sql, args![id])? {
        let step = found.entry(row.text(0)?.to_owned()).or_default();
        step.0.insert(row.text(1)?.to_owned(), row.int(2)?);
    }
    Ok(found)
}

fn overviewed(
    row: &Row,
    figures: &mut HashMap<(i64, String), Figures>,
    kinds: &HashMap<i64, HashMap<String, StepKind>>,
    open: &HashMap<i64, i64>,
) -> Result<Overviewed> {
    let mut c = Cells::of(row, "sequence");
    let id = c.id(SequenceId)?;
    let kinds = kinds.get(&id.0);
    let done = |key: &str| figures.get(&(id.0, key.to_owned())).map_or(0, |f| f.of("done"));
    let manual = kinds.into_iter().flatten().filter(|(_, kind)| !kind.is_automatic());
    let done_tasks = manual.map(|(key, _)| done(key)).sum();
    let whole = figures.remove(&(id.0, String::new())).unwrap_or_default();
    let live: i64 = ["pending", "active", "blocked", "paused"].iter().map(|s| whole.of(&format!("state:{s}"))).sum();
    let in_progress = whole.of("in_progress");
    Ok(Overviewed {
        id,
        name: c.string()?,
        of: c.word(SubjectType::named)?,
        state: c.word(SequenceState::named)?,
        held: c.opt_string()?,
        begin: c.opt_time()?,
        end: c.opt_time()?,
        primary_user: c.id(UserId)?,
        in_progress,
        not_started: live - in_progress,
        completed: whole.of("completed"),
        open_tasks: open.get(&id.0).copied().unwrap_or(0),
        done_tasks,
        has_email_step: kinds
            .is_some_and(|k| k.values().any(|k| matches!(k, StepKind::EmailAuto | StepKind::EmailManual))),
        figures: whole,
    })
}

fn all_figures(q: &mut Query, w: WorkspaceId) -> Result<HashMap<(i64, String), Figures>> {
    let sql = "SELECT sequence_id, step, name, SUM(n) FROM counter WHERE workspace_id = $1
         GROUP BY sequence_id, step, name";
    let mut found: HashMap<(i64, String), Figures> = HashMap::new();
    for row in &q.of(w).all(sql, args![])? {
        let step = found.entry((row.int(0)?, row.text(1)?.to_owned())).or_default();
        step.0.insert(row.text(2)?.to_owned(), row.int(3)?);
    }
    Ok(found)
}

/// Tasks that people can see and do, and automatic steps that they have to mend.
fn open_tasks(q: &mut Query, w: WorkspaceId) -> Result<HashMap<i64, i64>> {
    let mut found = HashMap::new();
    for sql in [
        "SELECT sequence_id, count(*) FROM activity WHERE workspace_id = $1 AND phase < 3 AND appeared_at IS NOT NULL
             AND kind NOT IN ('email_auto', 'sms_auto') GROUP BY sequence_id",
        "SELECT e.sequence_id, count(*) FROM enrollment e
             JOIN activity a ON a.workspace_id = $1 AND a.enrollment_id = e.id AND a.visit = e.visit
             WHERE e.workspace_id = $1 AND e.block IS NOT NULL AND e.life = 1 AND a.kind IN ('email_auto', 'sms_auto')
             GROUP BY e.sequence_id",
    ] {
        for row in &q.of(w).all(sql, args![])? {
            *found.entry(row.int(0)?).or_default() += row.int(1)?;
        }
    }
    Ok(found)
}

/// The kinds of the steps of every sequence, of all versions: what a removed step counted stays counted.
fn kinds_of_steps(q: &mut Query, w: WorkspaceId) -> Result<HashMap<i64, HashMap<String, StepKind>>> {
    #[derive(Deserialize)]
    struct Structure {
        branches: Vec<Branch>,
    }
    #[derive(Deserialize)]
    struct Branch {
        steps: Vec<Step>,
    }
    #[derive(Deserialize)]
    struct Step {
        key: String,
        kind: StepKind,
    }
    let sql = "SELECT sequence_id, structure FROM flow_version WHERE workspace_id = $1 ORDER BY sequence_id, version";
    let mut found: HashMap<i64, HashMap<String, StepKind>> = HashMap::new();
    for row in &q.of(w).all(sql, args![])? {
        let (id, text) = (row.int(0)?, row.text(1)?);
        let structure: Structure =
            serde_json::from_str(text).map_err(|e| StoreError::inconsistent("flow_version", SequenceId(id), e))?;
        let steps = structure.branches.into_iter().flat_map(|b| b.steps);
        found.entry(id).or_default().extend(steps.map(|s| (s.key, s.kind)));
    }
    Ok(found)
}
