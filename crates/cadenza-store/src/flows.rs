//! The flow of a sequence as it is stored: the structure of each version, and the contents of its steps by revision. Joined,
//! a flow is the structure of one version with the newest content of every step (ENR-12).

use crate::cells::Cells;
use crate::error::{Result, StoreError};
use crate::query::{Query, Tx};
use crate::scope::args;
use crate::value::Columns;
use cadenza_core::flow::{Branch, Condition, Content, Flow, Key, Step, StepKind};
use cadenza_core::ids::{SequenceId, UserId, WorkspaceId};
use cadenza_core::time::Time;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// A flow without its contents.
#[derive(Serialize, Deserialize)]
struct Structure {
    branches: Vec<Bare>,
}

#[derive(Serialize, Deserialize)]
struct Bare {
    key: Key,
    name: String,
    steps: Vec<BareStep>,
}

#[derive(Serialize, Deserialize)]
struct BareStep {
    key: Key,
    kind: StepKind,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    conditions: Vec<Condition>,
}

/// The flow at a version, with the newest contents.
pub fn flow_at(q: &mut Query, workspace: WorkspaceId, sequence: SequenceId, version: u32) -> Result<Flow> {
    let row = q
        .query_opt(
            "SELECT structure FROM flow_version WHERE workspace_id = $1 AND sequence_id = $2 AND version = $3",
            &[workspace.into(), sequence.into(), version.into()],
        )?
        .ok_or_else(|| StoreError::missing("flow_version", format!("{version} of {sequence}")))?;
    let bad = |why: String| StoreError::inconsistent("flow_version", sequence, why);
    let structure: Structure = serde_json::from_str(row.text(0)?).map_err(|e| bad(e.to_string()))?;
    let mut contents = contents(q, workspace, sequence)?;
    let mut branches = Vec::with_capacity(structure.branches.len());
    for branch in structure.branches {
        let mut steps = Vec::with_capacity(branch.steps.len());
        for step in branch.steps {
            let (revision, content) =
                contents.remove(step.key.as_str()).ok_or_else(|| bad(format!("step {} has no content", step.key)))?;
            steps.push(Step { key: step.key, kind: step.kind, conditions: step.conditions, content, revision });
        }
        branches.push(Branch { key: branch.key, name: branch.name, steps });
    }
    Ok(Flow { version, branches })
}

/// The newest content of every step.
fn contents(q: &mut Query, workspace: WorkspaceId, sequence: SequenceId) -> Result<HashMap<String, (u32, Content)>> {
    let rows = q.query(
        "SELECT step, revision, content FROM step_content WHERE workspace_id = $1 AND sequence_id = $2 ORDER BY step, revision",
        &[workspace.into(), sequence.into()],
    )?;
    let mut newest = HashMap::new();
    for row in rows {
        newest.insert(row.text(0)?.to_owned(), (row.int(1)?, row.text(2)?.to_owned()));
    }
    newest
        .into_iter()
        .map(|(step, (revision, json))| {
            let bad = |why: String| StoreError::inconsistent("step_content", format!("{step} of {sequence}"), why);
            let content = serde_json::from_str(&json).map_err(|e| bad(e.to_string()))?;
            Ok((step.clone(), (u32::try_from(revision).map_err(|e| bad(e.to_string()))?, content)))
        })
        .collect()
}

/// One revision of a step's content; what a message was made of.
pub fn content_at(
    q: &mut Query,
    workspace: WorkspaceId,
    sequence: SequenceId,
    step: &Key,
    revision: u32,
) -> Result<Option<Content>> {
    let row = q.query_opt(
        "SELECT content FROM step_content WHERE workspace_id = $1 AND sequence_id = $2 AND step = $3 AND revision = $4",
        &[workspace.into(), sequence.into(), step.as_str().into(), revision.into()],
    )?;
    let bad = |e: serde_json::Error| StoreError::inconsistent("step_content", format!("{step} of {sequence}"), e);
    row.map(|row| serde_json::from_str(row.text(0)?).map_err(bad)).transpose()
}

/// What a saving changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Saved {
    /// The version in force now; grown by one where the structure changed.
    pub version: u32,
    /// How many steps got a new content.
    pub contents: usize,
}

/// A structural version, as the list of versions shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowVersion {
    pub version: u32,
    pub note: String,
    pub created_by: UserId,
    pub created_at: Time,
}

/// All structural versions, newest first.
pub fn versions(q: &mut Query, workspace: WorkspaceId, sequence: SequenceId) -> Result<Vec<FlowVersion>> {
    let sql = "SELECT version, note, created_by, created_at FROM flow_version
         WHERE workspace_id = $1 AND sequence_id = $2 ORDER BY version DESC";
    let rows = q.of(workspace).all(sql, args![sequence])?;
    let version = |row| {
        let mut c = Cells::of(row, "flow_version");
        Ok(FlowVersion { version: c.count()?, note: c.string()?, created_by: c.id(UserId)?, created_at: c.time()? })
    };
    rows.iter().map(version).collect()
}

/// Says what a structural version was made for.
///
/// Errors: `Missing`.
pub fn set_note(tx: &mut Tx, workspace: WorkspaceId, sequence: SequenceId, version: u32, note: &str) -> Result<()> {
    let sql = "UPDATE flow_version SET note = $4 WHERE workspace_id = $1 AND sequence_id = $2 AND version = $3";
    tx.of(workspace).exec_one(sql, args![sequence, version, note], "flow_version", version)
}

/// One revision of a step's content.
#[derive(Debug, Clone, PartialEq)]
pub struct Revision {
    pub revision: u32,
    pub content: Content,
    pub created_by: UserId,
    pub created_at: Time,
}

/// All revisions of a step's content, newest first; none where the sequence has no such step.
pub fn revisions(q: &mut Query, workspace: WorkspaceId, sequence: SequenceId, step: &Key) -> Result<Vec<Revision>> {
    let sql = "SELECT revision, content, created_by, created_at FROM step_content
         WHERE workspace_id = $1 AND sequence_id = $2 AND step = $3 ORDER BY revision DESC";
    let rows = q.of(workspace).all(sql, args![sequence, step.as_str()])?;
    let revision = |row| {
        let mut c = Cells::of(row, "step_content");
        Ok(Revision { revision: c.count()?, content: c.json()?, created_by: c.id(UserId)?, created_at: c.time()? })
    };
    rows.iter().map(revision).collect()
}

/// Saves a flow: a new version where its structure differs from that of `newest` (0 before the first), a new revision for
/// each step whose content differs. Saving the same again changes nothing. The sequence's row is the caller's to update.
pub fn save_flow(
    tx: &mut Tx,
    workspace: WorkspaceId,
    sequence: SequenceId,
    newest: u32,
    flow: &Flow,
    by: UserId,
    now: Time,
) -> Result<Saved> {
    let bad = |e: serde_json::Error| StoreError::inconsistent("flow_version", sequence, e);
    let structure = serde_json::to_string(&bare(flow)).map_err(bad)?;
    let stored = match newest {
        0 => None,
        version => tx.query_opt(
            "SELECT structure FROM flow_version WHERE workspace_id = $1 AND sequence_id = $2 AND version = $3",
            &[workspace.into(), sequence.into(), version.into()],
        )?,
    };
    let same = match &stored {
        Some(row) => row.text(0)? == structure,
        None => false,
    };
    let version = if same { newest } else { newest + 1 };
    if !same {
        tx.exec(
            "INSERT INTO flow_version (workspace_id, sequence_id, version, structure, note, created_by, created_at)
             VALUES ($1, $2, $3, $4, '', $5, $6)",
            &[workspace.into(), sequence.into(), version.into(), structure.into(), by.into(), now.into()],
        )?;
    }
    let old = contents(tx, workspace, sequence)?;
    let mut changed: Vec<(&Step, u32, String)> = Vec::new();
    for step in flow.steps() {
        let before = old.get(step.key.as_str());
        if before.is_none_or(|(_, content)| *content != step.content) {
            let json = serde_json::to_string(&step.content).map_err(bad)?;
            changed.push((step, before.map_or(1, |(revision, _)| revision + 1), json));
        }
    }
    tx.exec_rows(
        "INSERT INTO step_content (workspace_id, sequence_id, step, revision, content, created_by, created_at)
         SELECT $1, $2, r.step, r.revision, r.content, $3, $4 FROM rows(step TEXT, revision BIGINT, content TEXT) AS r",
        &Columns::new()
            .texts(changed.iter().map(|(s, _, _)| s.key.as_str()))
            .ints(changed.iter().map(|(_, revision, _)| *revision))
            .texts(changed.iter().map(|(_, _, json)| json.as_str())),
        &[workspace.into(), sequence.into(), by.into(), now.into()],
    )?;
    Ok(Saved { version, contents: changed.len() })
}

fn bare(flow: &Flow) -> Structure {
    let step = |s: &Step| BareStep { key: s.key.clone(), kind: s.kind, conditions: s.conditions.clone() };
    let branch =
        |b: &Branch| Bare { key: b.key.clone(), name: b.name.clone(), steps: b.steps.iter().map(step).collect() };
    Structure { branches: flow.branches.iter().map(branch).collect() }
}
