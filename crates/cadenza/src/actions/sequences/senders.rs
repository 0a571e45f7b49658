//! Whose mailbox the steps of a sequence write from when it is activated for somebody else than its author (SEQ-4): offered, and
//! done where it is wanted.

use super::{ActionError, Caller, Result, Tried, look};
use crate::app::App;
use cadenza_core::flow::{Channel, Flow, SenderRule};
use cadenza_core::ids::{SequenceId, UserId, WorkspaceId};
use cadenza_store::mailboxes::{self, Mailbox};
use cadenza_store::sequences::{self, Sequence};
use cadenza_store::{Query, StoreError, Tx, templates};
use serde::Deserialize;

/// What becomes of the steps' senders at activation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Senders {
    /// As the steps say.
    #[default]
    Stay,
    /// Every step writes from the primary user's mailbox.
    PrimaryUser,
}

/// What activation offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    pub primary_user: UserId,
    /// The address that all steps would write from; none where the primary user has no mailbox.
    pub mailbox: Option<String>,
    /// How many steps write from somewhere else.
    pub steps: usize,
}

/// What activating a sequence offers for its senders; nothing where its author activates it for themselves, or where all
/// steps write from the primary user's mailbox already.
///
/// # Errors
/// As [`look::get`].
pub async fn offer(app: &App, caller: &Caller, id: SequenceId) -> Result<Option<Offer>> {
    let s = look::get(app, caller, id).await?.sequence;
    let w = caller.workspace;
    let read = move |q: &mut Query| {
        let author = author(q, w, &s)?;
        let flow = sequences::latest_flow(q, w, s.id)?;
        offered(q, w, &flow, author, s.primary_user)
    };
    Ok(app.db.read_async(read).await?)
}

/// As [`offer`], of a flow that this author wrote and this primary user is to run.
pub(in crate::actions) fn offered(
    q: &mut Query,
    w: WorkspaceId,
    flow: &Flow,
    author: UserId,
    primary_user: UserId,
) -> Result<Option<Offer>, StoreError> {
    if author == primary_user {
        return Ok(None);
    }
    let mailbox = mailbox_of(q, w, primary_user)?.map(|m| m.address);
    let steps = elsewhere(flow, mailbox.as_deref());
    Ok((steps > 0).then_some(Offer { primary_user, mailbox, steps }))
}

/// Lets every step of a draft write from the primary user's mailbox.
pub(super) fn move_in(app: &App, tx: &mut Tx, caller: &Caller, s: &Sequence) -> Tried<()> {
    let w = caller.workspace;
    let Some(mailbox) = mailbox_of(tx, w, s.primary_user)? else {
        let why = "The primary user has no mailbox that the steps could write from: add one in Settings first.";
        return Ok(Err(ActionError::refused("no_mailbox", why)));
    };
    let mut flow = sequences::latest_flow(tx, w, s.id)?;
    let steps = elsewhere(&flow, Some(&mailbox.address));
    if steps == 0 {
        return Ok(Ok(()));
    }
    write_all_from(&mut flow, &mailbox.address);
    sequences::save_flow(tx, w, s.id, &flow, caller.user, app.clock.now())?;
    let after = serde_json::json!({ "senders": mailbox.address, "steps": steps });
    super::note(app, tx, caller, "sequence.move_senders", s.id, None, Some(after))?;
    Ok(Ok(()))
}

/// Lets every step that writes emails write from this mailbox.
pub(super) fn write_all_from(flow: &mut Flow, address: &str) {
    for step in flow.branches.iter_mut().flat_map(|b| &mut b.steps) {
        if step.kind.channel() == Channel::Email {
            step.content.sender = SenderRule::Mailbox(address.to_owned());
        }
    }
}

/// Who wrote it: the owner of its template, else who made it.
fn author(q: &mut Query, w: WorkspaceId, s: &Sequence) -> Result<UserId, StoreError> {
    let Some(template) = s.template else { return Ok(s.created_by) };
    Ok(templates::find(q, w, template)?.map_or(s.created_by, |t| t.owner))
}

/// The user's mailbox that steps write from: a real one before the sandbox's, one that sends before one that is held, the
/// oldest of these.
pub(super) fn mailbox_of(q: &mut Query, w: WorkspaceId, user: UserId) -> Result<Option<Mailbox>, StoreError> {
    let mut all = mailboxes::all(q, w)?;
    all.retain(|m| m.owner == user);
    Ok(all.into_iter().min_by_key(|m| (m.sandbox, m.held.is_some(), m.id)))
}

/// Steps that write emails, and not from this mailbox.
fn elsewhere(flow: &Flow, address: Option<&str>) -> usize {
    let from = |sender: &SenderRule| match sender {
        SenderRule::Mailbox(own) => address.is_some_and(|address| own.eq_ignore_ascii_case(address)),
        SenderRule::Owner => false,
    };
    flow.steps().filter(|s| s.kind.channel() == Channel::Email && !from(&s.content.sender)).count()
}
