//! What an edit of a flow means for those who are in the sequence (SEQ-9): may it be made, and what becomes of each, said
//! before it is done. The doing is a job of the engine.

use super::{ActionError, Caller, Tried, may_save, not_while};
use crate::engine::jobs::Olds;
use cadenza_core::enrollment::SequenceState;
use cadenza_core::flow::edit::{Fate, Movers};
use cadenza_core::flow::file::{Change, ChangeKind};
use cadenza_core::flow::{Flow, Key};
use cadenza_core::ids::WorkspaceId;
use cadenza_core::settings::StructuralEdits;
use cadenza_store::sequences::Sequence;
use cadenza_store::{Query, StoreError, door};
use serde::Serialize;
use std::collections::BTreeMap;

/// Enrollments read at once.
const READ: usize = 1_000;

/// What becomes of those who are in the sequence where these are to move.
#[derive(Debug, Clone, Serialize)]
pub struct Choice {
    pub movers: Movers,
    /// In words, a line for all who share a fate.
    pub lines: Vec<String>,
}

/// What an edit meets.
#[derive(Debug, Clone, Default)]
pub(super) struct InFlight {
    /// Stand on a step whose content or timing changes.
    pub retimed: usize,
    /// Who may move; empty where nothing in the structure changes or nobody is in it.
    pub choices: Vec<Choice>,
}

/// May these changes be made to a sequence in its state (SEQ-8, SEQ-9)?
pub(super) fn allowed(q: &mut Query, caller: &Caller, s: &Sequence, changes: &[Change]) -> Tried<()> {
    if changes.is_empty() {
        return Ok(Ok(()));
    }
    if let Err(e) = may_save(caller, s) {
        return Ok(Err(e));
    }
    let has = |kind| changes.iter().any(|c| c.kind == kind);
    match s.state {
        SequenceState::Draft => return Ok(Ok(())),
        SequenceState::Ended | SequenceState::Archived => return Ok(Err(not_while("changed", s))),
        SequenceState::Active if has(ChangeKind::Settings) => {
            let why = format!("The sequence {:?} is active: pause it to change its settings.", s.name);
            return Ok(Err(ActionError::refused("not_while_active", why)));
        }
        SequenceState::Scheduled | SequenceState::Active | SequenceState::Paused => {}
    }
    if !has(ChangeKind::Structure) || door::live_in(q, caller.workspace, s.id, None, 1)?.is_empty() {
        return Ok(Ok(()));
    }
    if s.settings.structural_edits == StructuralEdits::Never {
        let why = format!(
            "People are in the sequence {:?}, and a setting forbids to change its branches, steps and conditions then \
             (structural edits). Its content and timing can be changed; copy it to change those.",
            s.name
        );
        return Ok(Err(ActionError::refused("people_in_it", why)));
    }
    if s.state != SequenceState::Paused {
        let why = format!(
            "People are in the sequence {:?}: pause it to change its branches, steps and conditions. Its content and timing \
             can be changed at any time.",
            s.name
        );
        return Ok(Err(ActionError::refused("pause_first", why)));
    }
    Ok(Ok(()))
}

/// Counts what becomes of each, for every choice there is.
pub(super) fn in_flight(
    q: &mut Query,
    w: WorkspaceId,
    s: &Sequence,
    changes: &[Change],
    flow: &Flow,
    touched: &[Key],
) -> Tried<InFlight> {
    let structural = changes.iter().any(Change::is_structural);
    if !structural {
        let retimed = door::standing_on(q, w, s.id, touched)?.len();
        return Ok(Ok(InFlight { retimed, choices: Vec::new() }));
    }
    let mut found = InFlight::default();
    let mut olds = Olds::to_flow(Flow { version: s.flow_version + 1, branches: flow.branches.clone() });
    let mut fates: Vec<BTreeMap<(Fate, u32), usize>> = vec![BTreeMap::new(); Movers::ALL.len()];
    let mut after = None;
    loop {
        let all = door::standings(q, w, s.id, after, READ)?;
        let Some(last) = all.last() else { break };
        after = Some(last.enrollment);
        for one in &all {
            found.retimed += usize::from(one.standing.place.as_ref().is_some_and(|p| touched.contains(p)));
            for (movers, fates) in Movers::ALL.into_iter().zip(&mut fates) {
                if let Some(fate) = olds.fate(q, w, s.id, one, movers)? {
                    *fates.entry((fate, one.version)).or_default() += 1;
                }
            }
        }
    }
    for edit in olds.edits() {
        if let Some((step, old, new)) = edit.changed_kinds().into_iter().next() {
            let why = format!(
                "Step {step} changes its kind from {old} to {new} while people are in the sequence: give the new step a \
                 key of its own."
            );
            return Ok(Err(ActionError::refused("kind_changed", why)));
        }
    }
    let lines = |fates: BTreeMap<(Fate, u32), usize>| -> Vec<String> {
        fates.into_iter().map(|((fate, version), count)| fate.line(count, version)).collect()
    };
    if after.is_some() {
        let choices = Movers::ALL.into_iter().zip(fates);
        found.choices = choices.map(|(movers, fates)| Choice { movers, lines: lines(fates) }).collect();
    }
    Ok(Ok(found))
}

/// A choice is made where there is one, and only there.
pub(super) fn chosen(choices: &[Choice], movers: Option<Movers>) -> Result<Movers, ActionError> {
    match movers {
        Some(movers) => Ok(movers),
        None if choices.is_empty() => Ok(Movers::Nobody),
        None => Err(ActionError::refused(
            "choose_who_moves",
            "People are in the sequence: say who moves to the new version (nobody, unreached or everyone).",
        )),
    }
}

/// The structure of an earlier version with the present content, for going back to it.
pub(super) fn version_of(
    q: &mut Query,
    w: WorkspaceId,
    s: &Sequence,
    version: u32,
) -> Result<Option<Flow>, StoreError> {
    match cadenza_store::flows::flow_at(q, w, s.id, version) {
        Ok(flow) => Ok(Some(flow)),
        Err(StoreError::Missing { .. }) => Ok(None),
        Err(e) => Err(e),
    }
}
