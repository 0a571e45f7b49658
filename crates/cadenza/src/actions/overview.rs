//! The Overview (OVR-1): every sequence that the caller sees, with its figures.

use super::enrollments::viewer;
use super::{ActionError, Caller, Privilege, Result};
use crate::App;
use cadenza_core::ids::SequenceId;
use cadenza_store::overview::{self, Archived, Figures, Overviewed};
use cadenza_store::sequences;
use std::collections::HashMap;

/// All sequences, by name.
///
/// # Errors
/// `Forbidden`.
pub async fn list(app: &App, caller: &Caller, archived: Archived) -> Result<Vec<Overviewed>> {
    caller.need(Privilege::SequencesView)?;
    let (w, viewer) = (caller.workspace, viewer(caller));
    Ok(app.db.read_async(move |q| overview::list(q, w, viewer, archived)).await?)
}

/// The figures of one sequence: under the empty text of the whole, else of each step by its key.
///
/// # Errors
/// `Missing`, also where the caller does not see it.
pub async fn figures(app: &App, caller: &Caller, id: SequenceId) -> Result<HashMap<String, Figures>> {
    caller.need(Privilege::SequencesView)?;
    let (w, viewer) = (caller.workspace, viewer(caller));
    let found = app
        .db
        .read_async(move |q| {
            if !sequences::is_seen_by(q, w, id, viewer)? {
                return Ok(None);
            }
            overview::figures(q, w, id).map(Some)
        })
        .await?;
    found.ok_or_else(|| ActionError::missing("sequence", id))
}
