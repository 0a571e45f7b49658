//! Mailboxes that a sequence is to write from and whose inboxes cannot be read at all: no reply stops it there, so its activation
//! asks first (REC-8).

use super::senders::{self, Senders};
use super::{ActionError, Caller, Result, Tried, look};
use crate::app::App;
use cadenza_core::flow::{Channel, Flow, OwnerRule, SenderRule, Step};
use cadenza_core::ids::{ListId, SequenceId, UserId, WorkspaceId};
use cadenza_store::mailboxes::{self, Mailbox};
use cadenza_store::sequences::{self, Sequence};
use cadenza_store::{Query, StoreError, lists, users};
use serde::Deserialize;
use std::collections::BTreeSet;

/// Whether it was said that a sequence is to run although replies cannot stop it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(from = "bool")]
pub enum Unreadable {
    Accepted,
    #[default]
    NotSaid,
}

impl From<bool> for Unreadable {
    fn from(accepted: bool) -> Unreadable {
        if accepted { Unreadable::Accepted } else { Unreadable::NotSaid }
    }
}

/// Who may write the mails of a sequence, as far as that is known before anybody is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Writers {
    pub primary_user: UserId,
    /// Whoever is on it enters, enrolled by who activates.
    pub list: Option<ListId>,
    pub activates: UserId,
}

impl Writers {
    pub(super) fn of(caller: &Caller, s: &Sequence) -> Writers {
        Writers { primary_user: s.primary_user, list: s.list, activates: caller.user }
    }
}

/// The mailboxes that cannot be read, of those that a draft would write from with these senders.
///
/// # Errors
/// As [`look::get`].
pub async fn unreadable(app: &App, caller: &Caller, id: SequenceId, moved: Senders) -> Result<Vec<String>> {
    let s = look::get(app, caller, id).await?.sequence;
    let (w, writers) = (caller.workspace, Writers::of(caller, &s));
    let read = move |q: &mut Query| {
        let flow = sequences::latest_flow(q, w, s.id)?;
        among(q, w, flow, writers, moved)
    };
    Ok(app.db.read_async(read).await?)
}

/// As [`unreadable`], of a flow that these write. None where all is to be written from a mailbox that is not there: that is
/// refused for itself.
pub(in crate::actions) fn among(
    q: &mut Query,
    w: WorkspaceId,
    mut flow: Flow,
    writers: Writers,
    moved: Senders,
) -> Result<Vec<String>, StoreError> {
    if moved == Senders::PrimaryUser {
        let Some(mailbox) = senders::mailbox_of(q, w, writers.primary_user)? else { return Ok(Vec::new()) };
        senders::write_all_from(&mut flow, &mailbox.address);
    }
    addresses(q, w, &flow, writers)
}

/// Refuses where a mailbox cannot be read and nobody has accepted that.
pub(super) fn refuse(q: &mut Query, caller: &Caller, flow: Flow, s: &Sequence, moved: Senders) -> Tried<()> {
    let found = among(q, caller.workspace, flow, Writers::of(caller, s), moved)?;
    if found.is_empty() {
        return Ok(Ok(()));
    }
    let why = format!(
        "Replies cannot stop this sequence: it would write from {}, and Cadenza does not read what arrives there. Give each of \
         these mailboxes an IMAP server in Settings, or say there that a journal or gateway posts its mail to /api/v1/inbound. If the \
         sequence is to run all the same, confirm that with accept_unreadable.",
        found.join(", ")
    );
    Ok(Err(ActionError::refused("unreadable_mailbox", why)))
}

fn addresses(q: &mut Query, w: WorkspaceId, flow: &Flow, writers: Writers) -> Result<Vec<String>, StoreError> {
    let mut all = mailboxes::all(q, w)?;
    all.retain(|m| !m.sandbox && !m.readable);
    if all.is_empty() {
        return Ok(Vec::new());
    }
    let (mut named, mut owners) = (BTreeSet::new(), BTreeSet::new());
    let mut listed = None;
    for step in flow.steps().filter(|s| s.kind.channel() == Channel::Email) {
        match &step.content.sender {
            SenderRule::Mailbox(address) => drop(named.insert(address.to_lowercase())),
            SenderRule::Owner => owners.extend(owners_of(q, w, step, writers, &mut listed)?),
        }
    }
    let writes = |m: &Mailbox| named.contains(&m.address.to_lowercase()) || owners.contains(&m.owner);
    Ok(all.into_iter().filter(writes).map(|m| m.address).collect())
}

/// An owner of somebody on a list, and that of their company.
type Owned = (Option<UserId>, Option<UserId>);

/// Who may own a step: where its rule finds nobody, or somebody who is not known yet, it is the primary user.
fn owners_of(
    q: &mut Query,
    w: WorkspaceId,
    step: &Step,
    writers: Writers,
    listed: &mut Option<Vec<Owned>>,
) -> Result<Vec<UserId>, StoreError> {
    let primary = writers.primary_user;
    let of_list: fn(&Owned) -> Option<UserId> = match &step.content.owner {
        OwnerRule::User(address) => {
            let found = users::signs_in_as(q, &address.to_lowercase())?.filter(|(of, _)| *of == w);
            return Ok(vec![found.map_or(primary, |(_, id)| id)]);
        }
        OwnerRule::Enroller => {
            let enters = writers.list.map(|_| writers.activates);
            return Ok(std::iter::once(primary).chain(enters).collect());
        }
        OwnerRule::ContactOwner => |(own, _)| *own,
        OwnerRule::CompanyOwner => |(_, company)| *company,
    };
    if listed.is_none() {
        let found = writers.list.map(|list| lists::owners(q, w, list)).transpose()?;
        *listed = Some(found.unwrap_or_default());
    }
    Ok(std::iter::once(primary).chain(listed.iter().flatten().filter_map(of_list)).collect())
}
