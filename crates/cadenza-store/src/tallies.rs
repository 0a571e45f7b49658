//! What a sequence came to, counted from the rows themselves and not from the counters beside them: so it also checks those.
//! For the end of a run; a table is read whole for it.

use crate::error::Result;
use crate::query::Query;
use crate::scope::args;
use cadenza_core::ids::{SequenceId, WorkspaceId};
use serde::Serialize;
use std::collections::BTreeMap;

/// Counts by name.
pub type Tally = BTreeMap<String, i64>;

/// What became of everybody and everything in a sequence.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Tallies {
    /// Enrollments, as `finished: replied`.
    pub states: Tally,
    /// Activities that are done: the outcomes of each step.
    pub steps: BTreeMap<String, Tally>,
    /// Messages, as `email: sent`; each attempt counts.
    pub sends: Tally,
    /// Messages that came in, by what they were taken for.
    pub received: Tally,
    /// What conditions asked for and could not be done, by why.
    pub failures: Tally,
}

/// Counts a sequence. What came in and what could not be done is counted over the whole workspace.
pub fn of_sequence(q: &mut Query, w: WorkspaceId, id: SequenceId) -> Result<Tallies> {
    let states = "SELECT state, reason, COUNT(*) FROM enrollment WHERE workspace_id = $1 AND sequence_id = $2
         GROUP BY state, reason";
    let sends = "SELECT s.channel, s.state, COUNT(*) FROM send s
         JOIN enrollment e ON e.workspace_id = $1 AND e.id = s.enrollment_id
         WHERE s.workspace_id = $1 AND e.sequence_id = $2 GROUP BY s.channel, s.state";
    let steps =
        "SELECT step, outcome, COUNT(*) FROM activity WHERE workspace_id = $1 AND sequence_id = $2 AND phase = 3
         GROUP BY step, outcome";
    let received = "SELECT class, COUNT(*) FROM inbound_message WHERE workspace_id = $1 GROUP BY class";
    let failures = "SELECT failure, COUNT(*) FROM side_effect WHERE workspace_id = $1 AND failure IS NOT NULL
         GROUP BY failure";
    let mut found = Tallies {
        states: pairs(q, w, id, states)?,
        sends: pairs(q, w, id, sends)?,
        received: singles(q, w, received)?,
        failures: singles(q, w, failures)?,
        ..Tallies::default()
    };
    for row in &q.of(w).all(steps, args![id])? {
        let step = found.steps.entry(row.text(0)?.to_owned()).or_default();
        step.insert(row.text(1)?.to_owned(), row.int(2)?);
    }
    Ok(found)
}

fn pairs(q: &mut Query, w: WorkspaceId, id: SequenceId, sql: &str) -> Result<Tally> {
    let rows = q.of(w).all(sql, args![id])?;
    rows.iter().map(|row| Ok((format!("{}: {}", row.text(0)?, row.text(1)?), row.int(2)?))).collect()
}

fn singles(q: &mut Query, w: WorkspaceId, sql: &str) -> Result<Tally> {
    q.of(w).all(sql, args![])?.iter().map(|row| Ok((row.text(0)?.to_owned(), row.int(1)?))).collect()
}
