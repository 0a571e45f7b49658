//! Sequences as people look at them: those they see (SEQ-10), one with who works on it, and its flow. Reads only.

use super::super::enrollments::viewer;
use super::{ActionError, Caller, Privilege, Result};
use crate::app::App;
use cadenza_core::enrollment::SequenceState;
use cadenza_core::flow::Flow;
use cadenza_core::ids::SequenceId;
use cadenza_store::sequences::{self, Member, MemberRole, Sequence};
use cadenza_store::{Query, StoreError, lists};

/// A sequence with what stands beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct Looked {
    pub sequence: Sequence,
    pub list_name: Option<String>,
    /// Additional team members (PRM-2).
    pub team: Vec<Member>,
    /// With whom it is shared, where that is with some.
    pub shared_with: Vec<Member>,
}

/// The sequences that the caller sees, by name: in one of these states and with these words in their names; without states,
/// all but the archived.
///
/// # Errors
/// `Forbidden`.
pub async fn list(app: &App, caller: &Caller, states: Vec<SequenceState>, typed: &str) -> Result<Vec<Sequence>> {
    caller.need(Privilege::SequencesView)?;
    let (w, viewer) = (caller.workspace, viewer(caller));
    let mut all = app.db.read_async(move |q| sequences::seen(q, w, viewer)).await?;
    let words: Vec<String> = typed.split_whitespace().map(str::to_lowercase).collect();
    all.retain(|s| {
        let wanted = if states.is_empty() { s.state != SequenceState::Archived } else { states.contains(&s.state) };
        let name = s.name.to_lowercase();
        wanted && words.iter().all(|word| name.contains(word))
    });
    Ok(all)
}

/// One sequence.
///
/// # Errors
/// `Missing`, also where the caller does not see it.
pub async fn get(app: &App, caller: &Caller, id: SequenceId) -> Result<Looked> {
    caller.need(Privilege::SequencesView)?;
    let (w, viewer) = (caller.workspace, viewer(caller));
    let read = move |q: &mut Query| {
        if !sequences::is_seen_by(q, w, id, viewer)? {
            return Err(StoreError::missing("sequence", id));
        }
        let sequence = sequences::get(q, w, id)?;
        let list_name = sequence.list.map(|list| lists::get(q, w, list)).transpose()?.map(|list| list.name);
        let team = sequences::members(q, w, id, MemberRole::Works)?;
        let shared_with = sequences::members(q, w, id, MemberRole::Sees)?;
        Ok(Looked { sequence, list_name, team, shared_with })
    };
    Ok(app.db.read_async(read).await?)
}

/// Its newest flow.
///
/// # Errors
/// As [`get`].
pub async fn flow(app: &App, caller: &Caller, id: SequenceId) -> Result<Flow> {
    seen(app, caller, id).await?;
    let w = caller.workspace;
    Ok(app.db.read_async(move |q| sequences::latest_flow(q, w, id)).await?)
}

/// Does the caller see it?
///
/// # Errors
/// `Missing` where not.
pub async fn seen(app: &App, caller: &Caller, id: SequenceId) -> Result<()> {
    caller.need(Privilege::SequencesView)?;
    let (w, viewer) = (caller.workspace, viewer(caller));
    match app.db.read_async(move |q| sequences::is_seen_by(q, w, id, viewer)).await? {
        true => Ok(()),
        false => Err(ActionError::missing("sequence", id)),
    }
}
