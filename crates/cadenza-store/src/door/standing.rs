//! How far those are who are live in a sequence: what an edit of its flow asks (SEQ-9).

use crate::error::{Result, StoreError};
use crate::hashed::HashMap;
use crate::query::Query;
use crate::row::Row;
use crate::value::Columns;
use cadenza_core::flow::Key;
use cadenza_core::flow::edit::Standing;
use cadenza_core::ids::{EnrollmentId, SequenceId, WorkspaceId};

/// One that is live, and the version of the flow it walks.
#[derive(Debug, Clone)]
pub struct Stands {
    pub enrollment: EnrollmentId,
    pub version: u32,
    pub standing: Standing,
}

/// The live enrollments of a sequence behind `after`, in order of their ids.
pub fn standings(
    q: &mut Query,
    workspace: WorkspaceId,
    sequence: SequenceId,
    after: Option<EnrollmentId>,
    most: usize,
) -> Result<Vec<Stands>> {
    let rows = q.query(
        "SELECT id, flow_version, life, step, wait_step FROM enrollment
         WHERE workspace_id = $1 AND sequence_id = $2 AND life IN (0, 1) AND id > $3 ORDER BY id LIMIT $4",
        &[workspace.into(), sequence.into(), after.map_or(0, |id| id.0).into(), (most as i64).into()],
    )?;
    let mut all = rows.iter().map(read).collect::<Result<Vec<Stands>>>()?;
    // What a person skipped or an edit took away was not had.
    let had = q.query_rows(
        "SELECT a.enrollment_id, a.step FROM rows(id BIGINT) AS r
         JOIN activity a ON a.workspace_id = $1 AND a.enrollment_id = r.id
         WHERE a.phase = 3 AND a.outcome NOT IN ('cancelled', 'skipped')
         ORDER BY a.enrollment_id, a.visit",
        &Columns::new().ints(all.iter().map(|s| s.enrollment.0)),
        &[workspace.into()],
    )?;
    let mut had_by: HashMap<i64, Vec<Key>> = HashMap::default();
    for row in &had {
        let id = row.int(0)?;
        had_by.entry(id).or_default().push(key(row.text(1)?, id)?);
    }
    for one in &mut all {
        one.standing.had = had_by.remove(&one.enrollment.0).unwrap_or_default();
    }
    Ok(all)
}

/// How many are live in a sequence.
pub fn live_count(q: &mut Query, workspace: WorkspaceId, sequence: SequenceId) -> Result<i64> {
    let sql = "SELECT COUNT(*) FROM enrollment WHERE workspace_id = $1 AND sequence_id = $2 AND life IN (0, 1)";
    q.query_one(sql, &[workspace.into(), sequence.into()])?.int(0)
}

fn read(row: &Row) -> Result<Stands> {
    let id = row.int(0)?;
    let opt = |text: Option<&str>| text.map(|text| key(text, id)).transpose();
    Ok(Stands {
        enrollment: EnrollmentId(id),
        version: u32::try_from(row.int(1)?).map_err(|e| StoreError::inconsistent("enrollment", id, e))?,
        standing: Standing {
            begun: row.int(2)? == 1,
            place: opt(row.opt_text(3)?)?,
            wait: opt(row.opt_text(4)?)?,
            had: Vec::new(),
        },
    })
}

fn key(text: &str, id: i64) -> Result<Key> {
    text.parse().map_err(|e| StoreError::inconsistent("enrollment", id, e))
}
