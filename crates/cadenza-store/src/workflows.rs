//! Workflows and their workflow stages: the columns that contacts of an opportunity move through (CRM-2), and the
//! sequences linked to them (OPS-10).

use crate::cells::Cells;
use crate::error::{Result, StoreError};
use crate::query::{Query, Tx};
use crate::row::Row;
use crate::scope::args;
use crate::value::Columns;
use crate::words::words;
use cadenza_core::ids::{SequenceId, WorkflowId, WorkflowStageId, WorkspaceId};
use std::collections::HashMap;

words! {
    /// What a workflow stage means for the opportunity.
    StageType ("type of workflow stage") {
        New = "new";
        Open = "open";
        Won = "won";
        Lost = "lost";
    }
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkflowStage {
    pub id: WorkflowStageId,
    /// Unique in its workflow.
    pub name: String,
    pub of: StageType,
    /// Offered to whoever is added to or moved into it; never of one of type New.
    pub sequence: Option<SequenceId>,
}

/// A way through workflow stages, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workflow {
    pub id: WorkflowId,
    /// Unique in the workspace.
    pub name: String,
    pub stages: Vec<WorkflowStage>,
}

/// Makes a workflow, or writes its name and all its workflow stages anew; those it no longer has are deleted.
///
/// Errors: `Conflict` on `workflow_name` or `workflow_stage_name`; `Violation` where a workflow stage that is to go has
/// contacts in it, or one of type New a sequence.
pub fn save(tx: &mut Tx, w: WorkspaceId, workflow: &Workflow) -> Result<()> {
    tx.of(w).exec(
        "INSERT INTO workflow (workspace_id, id, name) VALUES ($1, $2, $3)
         ON CONFLICT (workspace_id, id) DO UPDATE SET name = excluded.name",
        args![workflow.id, &workflow.name],
    )?;
    let stages = &workflow.stages;
    let kept: Vec<i64> = stages.iter().map(|s| s.id.0).collect();
    let rows = tx
        .of(w)
        .all("SELECT id FROM workflow_stage WHERE workspace_id = $1 AND workflow_id = $2", args![workflow.id])?;
    let present = rows.iter().map(|row| row.int(0)).collect::<Result<Vec<_>>>()?;
    let gone = present.into_iter().filter(|id| !kept.contains(id));
    let delete = "DELETE FROM workflow_stage USING rows(id BIGINT) AS r
         WHERE workflow_stage.workspace_id = $1 AND workflow_stage.id = r.id";
    tx.of(w).exec_rows(delete, &Columns::new().ints(gone), args![])?;
    // Two stages may have changed names with each other: no name stands in the way of another while they are written.
    let aside = "UPDATE workflow_stage SET name = CAST(id AS TEXT) WHERE workspace_id = $1 AND workflow_id = $2";
    tx.of(w).exec(aside, args![workflow.id])?;
    let columns = Columns::new()
        .ints(stages.iter().map(|s| s.id))
        .texts(stages.iter().map(|s| s.name.as_str()))
        .texts(stages.iter().map(|s| s.of.as_str()))
        .ints((0_i64..).take(stages.len()))
        .opt_ints(stages.iter().map(|s| s.sequence));
    tx.of(w).exec_rows(
        "INSERT INTO workflow_stage (workspace_id, id, workflow_id, name, type, position, sequence_id)
         SELECT $1, r.id, $2, r.name, r.type, r.position, r.sequence
         FROM rows(id BIGINT, name TEXT, type TEXT, position BIGINT, sequence BIGINT) AS r WHERE TRUE
         ON CONFLICT (workspace_id, id) DO UPDATE SET name = excluded.name, type = excluded.type,
             position = excluded.position, sequence_id = excluded.sequence_id",
        &columns,
        args![workflow.id],
    )?;
    Ok(())
}

/// By name, each with its workflow stages.
pub fn all(q: &mut Query, w: WorkspaceId) -> Result<Vec<Workflow>> {
    let rows = q.of(w).all("SELECT id, name FROM workflow WHERE workspace_id = $1 ORDER BY name, id", args![])?;
    let mut stages: HashMap<i64, Vec<WorkflowStage>> = HashMap::new();
    let sql = "SELECT workflow_id, id, name, type, sequence_id FROM workflow_stage WHERE workspace_id = $1
         ORDER BY workflow_id, position";
    for row in &q.of(w).all(sql, args![])? {
        stages.entry(row.int(0)?).or_default().push(stage(row)?);
    }
    let workflow = |row: &Row| {
        let mut c = Cells::of(row, "workflow");
        let id = c.id(WorkflowId)?;
        Ok(Workflow { id, name: c.string()?, stages: stages.remove(&id.0).unwrap_or_default() })
    };
    rows.iter().map(workflow).collect()
}

/// Errors: `Missing`.
pub fn get(q: &mut Query, w: WorkspaceId, id: WorkflowId) -> Result<Workflow> {
    let found = all(q, w)?.into_iter().find(|f| f.id == id);
    found.ok_or_else(|| StoreError::missing("workflow", id))
}

/// Deletes a workflow with its workflow stages.
///
/// Errors: `Missing`; `Violation` while an opportunity follows it.
pub fn delete(tx: &mut Tx, w: WorkspaceId, id: WorkflowId) -> Result<()> {
    tx.of(w).exec_one("DELETE FROM workflow WHERE workspace_id = $1 AND id = $2", args![id], "workflow", id)
}

fn stage(row: &Row) -> Result<WorkflowStage> {
    let mut c = Cells::of(row, "workflow_stage");
    c.int()?;
    Ok(WorkflowStage {
        id: c.id(WorkflowStageId)?,
        name: c.string()?,
        of: c.word(StageType::named)?,
        sequence: c.opt_id(SequenceId)?,
    })
}
