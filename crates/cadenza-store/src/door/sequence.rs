//! The sequences of a batch with their flows, kept in memory as long as they are unchanged: structure, contents, and the
//! wordings of the workspace's templates and snippets in their places.

use super::Door;
use super::load::Look;
use super::workspace::Workspace;
use crate::error::{Result, StoreError};
use crate::flows;
use crate::folding::fold;
use crate::hashed::HashMap;
use crate::query::Query;
use cadenza_core::enrollment::SequenceState;
use cadenza_core::facts::SequenceFacts;
use cadenza_core::flow::{Channel, Flow, Priority, Regarding};
use cadenza_core::ids::{ListId, SequenceId, UserId, WorkspaceId};
use cadenza_core::settings::Settings;
use std::sync::{Arc, Mutex, PoisonError};

/// Sequences kept in memory; with more than this in use, all are read anew.
const KEPT: usize = 512;

/// A sequence as decisions see it, at one version of its row.
#[derive(Debug)]
pub struct SequenceInfo {
    pub id: SequenceId,
    pub facts: SequenceFacts,
    /// The newest structure.
    pub flow_version: u32,
    pub list: Option<ListId>,
    /// `contacts` or `companies`.
    pub of: String,
    stamp: Stamp,
    flows: Mutex<HashMap<u32, Arc<Flow>>>,
}

/// What a kept sequence was read at; where it differs, it is read anew. The moment beside the version tells a change that
/// was rolled back from the one that took its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    version: i64,
    updated_at: i64,
    words: Words,
}

/// The state of a workspace's templates and snippets: it differs after every change, also after a deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Words {
    pub count: i64,
    pub versions: i64,
    pub updated_at: i64,
}

impl SequenceInfo {
    pub fn flow_at(&self, version: u32) -> Result<Arc<Flow>> {
        let flows = self.flows.lock().unwrap_or_else(PoisonError::into_inner);
        flows
            .get(&version)
            .cloned()
            .ok_or_else(|| StoreError::missing("flow_version", format!("{} of {}", version, self.id)))
    }
}

/// The sequence at the present version of its row, from memory where that is still it.
pub(super) fn load_sequence(
    door: &Door,
    q: &mut Query,
    ws: &Workspace,
    id: SequenceId,
    look: Look,
) -> Result<Arc<SequenceInfo>> {
    let key = (ws.id, id.0);
    let lock = if look == Look::Held { " FOR SHARE" } else { "" };
    let sql = format!("SELECT version, updated_at FROM sequence WHERE workspace_id = $1 AND id = $2{lock}");
    let found = q.query_opt(&sql, &[ws.id.into(), id.into()])?.ok_or_else(|| StoreError::missing("sequence", id))?;
    let stamp = Stamp { version: found.int(0)?, updated_at: found.int(1)?, words: ws.words };
    if let Some(info) = door.flows().get(&key).filter(|info| info.stamp == stamp) {
        return Ok(info.clone());
    }
    let row = q.query_one(
        "SELECT name, state, begin_at, end_at, primary_user_id, priority, settings, flow_version, list_id, type
         FROM sequence WHERE workspace_id = $1 AND id = $2",
        &[ws.id.into(), id.into()],
    )?;
    let inconsistent = |why: String| StoreError::inconsistent("sequence", id, why);
    let settings: Settings = serde_json::from_str(row.text(6)?).map_err(|e| inconsistent(e.to_string()))?;
    let facts = SequenceFacts {
        state: SequenceState::named(row.text(1)?).map_err(|e| inconsistent(e.to_string()))?,
        name: row.text(0)?.to_owned(),
        begin: row.opt_time(2)?,
        end: row.opt_time(3)?,
        primary_user: UserId(row.int(4)?),
        priority: match row.int(5)? {
            0 => Priority::High,
            1 => Priority::Normal,
            _ => Priority::Low,
        },
        settings,
    };
    let info = Arc::new(SequenceInfo {
        id,
        facts,
        flow_version: u32::try_from(row.int(7)?).map_err(|e| inconsistent(e.to_string()))?,
        list: row.opt_int(8)?.map(ListId),
        of: row.text(9)?.to_owned(),
        stamp,
        flows: Mutex::new(HashMap::default()),
    });
    let mut kept = door.flows();
    if kept.len() >= KEPT {
        kept.clear();
    }
    kept.insert(key, info.clone());
    Ok(info)
}

/// A version of a sequence's flow, as messages are made of it.
pub(super) fn load_flow(q: &mut Query, workspace: WorkspaceId, info: &SequenceInfo, version: u32) -> Result<Arc<Flow>> {
    if let Ok(flow) = info.flow_at(version) {
        return Ok(flow);
    }
    let mut flow = flows::flow_at(q, workspace, info.id, version)?;
    if info.stamp.words.count > 0 {
        put_words_in(q, workspace, &mut flow)?;
    }
    let flow = Arc::new(flow);
    info.flows.lock().unwrap_or_else(PoisonError::into_inner).insert(version, flow.clone());
    Ok(flow)
}

/// Does any of its steps speak of the contact's opportunity?
pub(super) fn regards_opportunities(flow: &Flow) -> bool {
    flow.steps().any(|s| s.content.regarding == Regarding::Opportunity)
}

/// Takes in the present wordings of templates (ENR-12) and then the snippets. A template that is gone leaves what it said
/// when the flow was saved.
pub fn put_words_in(q: &mut Query, workspace: WorkspaceId, flow: &mut Flow) -> Result<()> {
    let rows = q.query(
        "SELECT kind, sort_name, name, subject, body, html FROM message_template WHERE workspace_id = $1",
        &[workspace.into()],
    )?;
    let mut templates = HashMap::default();
    let mut snippets = HashMap::default();
    for row in &rows {
        match row.text(0)? {
            "snippet" => {
                snippets.insert(row.text(2)?, row.text(4)?);
            }
            kind => {
                templates.insert((kind, row.text(1)?), (row.text(3)?, row.text(4)?, row.text(5)?));
            }
        }
    }
    for step in flow.branches.iter_mut().flat_map(|b| &mut b.steps) {
        let kind = if step.kind.channel() == Channel::Email { "email" } else { "text" };
        for variant in &mut step.content.variants {
            let name = variant.template.as_deref().map(fold);
            let found = name.as_deref().and_then(|name| templates.get(&(kind, name)));
            if let Some((subject, text, html)) = found {
                variant.subject = (*subject).to_owned();
                variant.text = (*text).to_owned();
                variant.html = (*html).to_owned();
            }
        }
    }
    flow.take_snippets(&|name| snippets.get(name).copied());
    Ok(())
}
