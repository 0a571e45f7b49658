//! Takes in text messages (SND-7): STOP and START, and answers. A STOP refuses the number for good, whoever it belongs to.

use super::letter::{hex, preview, storable};
use super::meaning::{Meaning, What, reach};
use super::whose::Match;
use super::{Received, TakenIn, keep, tell};
use crate::app::App;
use cadenza_core::ids::{MessageId, WorkspaceId};
use cadenza_core::inbound::{TextKind, read_text};
use cadenza_core::machine::Incoming;
use cadenza_core::suppression::Suppressible;
use cadenza_core::time::Time;
use cadenza_store::addresses::{self, Reach};
use cadenza_store::inbound_messages::{self, Class, Inbound, MatchedBy, Source};
use cadenza_store::matching::{self, Among};
use cadenza_store::suppression::{self, Suppress, Why};
use cadenza_store::{StoreError, Tx};
use sha2::{Digest, Sha256};

/// A text message as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextMessage {
    /// The person's number, E.164.
    pub from: String,
    /// Ours.
    pub to: String,
    pub text: String,
    /// The gateway's own id; without one, the same words from the same number at the same moment are the same message.
    pub id: Option<String>,
}

/// Takes one text message in.
///
/// # Errors
/// As [`super::receive`].
pub async fn receive_text(
    app: &App,
    workspace: WorkspaceId,
    message: TextMessage,
    received_at: Time,
) -> Result<Received, StoreError> {
    let app2 = app.clone();
    let done = app.db.write_async(move |tx| {
        let taken = take_in(&app2, tx, workspace, &message, received_at)?;
        tell(&app2, tx, workspace, vec![taken])
    });
    let (mut received, outgoing) = done.await?;
    app.hand_over(outgoing);
    received.pop().ok_or_else(|| StoreError::missing("inbound_message", "new"))
}

fn take_in(
    app: &App,
    tx: &mut Tx,
    w: WorkspaceId,
    message: &TextMessage,
    received_at: Time,
) -> Result<TakenIn, StoreError> {
    let now = app.clock.now();
    let number = Suppressible::Phone.folded(&message.from);
    let found = whose(tx, w, &number)?;
    let read = read_text(&message.text);
    let (meaning, evidence) = match &read {
        TextKind::Stop(evidence) => {
            let reach = reach(std::slice::from_ref(evidence));
            (text(Class::OptOut, What::OptOut { reach }), Some(evidence))
        }
        TextKind::Start(evidence) => (text(Class::OptIn, What::Nothing), Some(evidence)),
        TextKind::Words => (text(Class::Reply, What::Reply), None),
    };
    let dedupe_key = key_of(message, received_at);
    // Read again, an old STOP must not take back a later START.
    let new = inbound_messages::with_key(tx, w, &dedupe_key)?.is_none();
    match read {
        TextKind::Stop(_) if new => refuse(tx, w, &number, now)?,
        TextKind::Start(_) if new => allow(tx, w, &number)?,
        _ => {}
    }
    let first = found.candidates.first();
    let inbound = Inbound {
        id: MessageId(app.door.id(now)),
        dedupe_key,
        source: Source::Text,
        mailbox: None,
        received_at,
        message_id: None,
        from_address: Some(storable(&message.from)),
        subject: None,
        preview: preview(&message.text),
        class: meaning.class,
        classification: serde_json::json!({ "text": evidence }).to_string(),
        correction: None,
        corrected_by: None,
        corrected_at: None,
        matched_by: found.by,
        subject_of: found.subject(),
        sequence: first.map(|c| c.sequence),
        enrollment: first.map(|c| c.enrollment),
        visit: found.visit,
        assigned_to: first.map(|c| c.owner.unwrap_or(c.enrolled_by)),
        seen_at: None,
        handled_at: (!meaning.class.asks_for_a_person()).then_some(now),
    };
    keep(tx, w, &inbound, Some(message.text.as_bytes()), &meaning, &found)
}

fn text(class: Class, what: What) -> Meaning {
    Meaning { class, what, channel: Incoming::Text }
}

fn whose(tx: &mut Tx, w: WorkspaceId, number: &str) -> Result<Match, StoreError> {
    let values = [number.to_owned()];
    let mut candidates = matching::of_addresses(tx, w, Reach::Phone, &values, Among::All)?;
    let answered = matching::last_text_to(tx, w, number, &candidates)?;
    // Whose text it answers stands first: the message is kept as theirs.
    candidates.sort_by_key(|c| answered.is_none_or(|(id, _)| id != c.enrollment));
    let known = match candidates.is_empty() {
        true => addresses::owners(tx, w, Reach::Phone, [number])?.first().map(|(_, s)| *s),
        false => None,
    };
    let by = (!candidates.is_empty() || known.is_some()).then_some(MatchedBy::Address);
    Ok(Match { by, candidates, known, visit: answered.map(|(_, visit)| visit), ..Match::default() })
}

/// Also for a number that nobody in the workspace has yet.
fn refuse(tx: &mut Tx, w: WorkspaceId, number: &str, now: Time) -> Result<(), StoreError> {
    let key = suppression::key(tx, w)?;
    let entry = Suppress { kind: Suppressible::Phone, value: number.to_owned(), why: Why::OptOut, by: None };
    suppression::add(tx, w, &key, &[entry], now).map(drop)
}

/// Only what the person refused can the person allow again.
fn allow(tx: &mut Tx, w: WorkspaceId, number: &str) -> Result<(), StoreError> {
    let key = suppression::key(tx, w)?;
    suppression::remove_where(tx, w, &key, &[(Suppressible::Phone, number)], Why::OptOut).map(drop)
}

fn key_of(message: &TextMessage, received_at: Time) -> String {
    if let Some(id) = &message.id {
        return format!("text:{}", storable(id));
    }
    let parts = [message.from.as_str(), &message.to, &message.text, &received_at.micros().to_string()].join("\n");
    format!("text:{}", hex(&Sha256::digest(parts.as_bytes())))
}
