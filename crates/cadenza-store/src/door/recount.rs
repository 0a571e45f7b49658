//! Counters against the rows they count, and present states against their history (INV-5, INV-7): what `doctor` and the tests
//! ask. It reads everything and changes nothing.

use super::count::{figures, state_name};
use super::load::{read_enrollment, select_of_sequence};
use crate::error::{Result, StoreError};
use crate::query::Query;
use cadenza_core::enrollment::{Enrollment, SequenceState, fold};
use cadenza_core::ids::{SequenceId, WorkspaceId};
use std::collections::BTreeMap;

/// A counter that is not what a recount gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Miscounted {
    pub name: String,
    pub stored: i64,
    pub counted: i64,
}

/// Every figure of a sequence that differs from a recount of its enrollments.
pub fn miscounted(q: &mut Query, workspace: WorkspaceId, sequence: SequenceId) -> Result<Vec<Miscounted>> {
    let mut counted: BTreeMap<String, i64> = BTreeMap::new();
    for e in enrollments(q, workspace, sequence)? {
        for (name, n) in figures(&e) {
            *counted.entry(name.to_owned()).or_default() += n;
        }
        *counted.entry(state_name(e.state(SequenceState::Active).0).to_owned()).or_default() += 1;
    }
    let rows = q.query(
        "SELECT name, SUM(n) FROM counter WHERE workspace_id = $1 AND sequence_id = $2 AND step = '' GROUP BY name",
        &[workspace.into(), sequence.into()],
    )?;
    let mut stored: BTreeMap<String, i64> = BTreeMap::new();
    for row in rows {
        stored.insert(row.text(0)?.to_owned(), row.int(1)?);
    }
    let names: std::collections::BTreeSet<String> = counted.keys().chain(stored.keys()).cloned().collect();
    Ok(names
        .into_iter()
        .map(|name| Miscounted {
            stored: stored.get(&name).copied().unwrap_or(0),
            counted: counted.get(&name).copied().unwrap_or(0),
            name,
        })
        .filter(|m| m.stored != m.counted)
        .collect())
}

/// Enrollments of a sequence whose history does not fold into their present row.
pub fn unfolded(q: &mut Query, workspace: WorkspaceId, sequence: SequenceId) -> Result<Vec<Enrollment>> {
    let mut wrong = Vec::new();
    for mut e in enrollments(q, workspace, sequence)? {
        let rows = q.query(
            "SELECT version, changes FROM history WHERE workspace_id = $1 AND enrollment_id = $2 ORDER BY version",
            &[workspace.into(), e.id.into()],
        )?;
        let lines = rows.iter().map(|r| Ok((r.int(0)?, r.text(1)?))).collect::<Result<Vec<_>>>()?;
        let folded = fold(lines).map_err(|why| StoreError::inconsistent("history", e.id, why))?;
        // Versions also count final marks and looks of the clock, which are no lines.
        e.version = folded.version;
        if folded != e {
            wrong.push(e);
        }
    }
    Ok(wrong)
}

fn enrollments(q: &mut Query, workspace: WorkspaceId, sequence: SequenceId) -> Result<Vec<Enrollment>> {
    let rows = q.query(&select_of_sequence(), &[workspace.into(), sequence.into()])?;
    rows.into_iter().map(|row| read_enrollment(row).map(|(e, _, _)| e)).collect()
}
