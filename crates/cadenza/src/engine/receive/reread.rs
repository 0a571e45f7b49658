//! Kept mail read again by the present rules (REC-12): what would be another verdict now, and adopting it by the same way as a
//! correction by hand. What a person corrected stays as they said.

use super::correct::{self, Corrected, NotCorrected};
use super::letter::Letter;
use super::meaning::{self, Meaning};
use super::whose::{self, Match};
use crate::app::App;
use cadenza_core::ids::{EnrollmentId, MessageId, UserId, WorkspaceId};
use cadenza_core::inbound::{RULES_VERSION, Verdict};
use cadenza_store::inbound_messages::{self, Class, Inbound, Source};
use cadenza_store::{Query, StoreError, Tx};

/// What the present rules make of a kept message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reread {
    pub class: Class,
    /// The new verdict, JSON.
    pub classification: String,
    /// The rules that judged it before; `None` where that verdict cannot be read.
    pub version_before: Option<u32>,
    pub version: u32,
    /// Whom the message was told to, and is told anew.
    pub told: Vec<EnrollmentId>,
    /// Whether an enrollment would be told something else than it was.
    pub differs: bool,
    meaning: Meaning,
}

/// Reads it again; `None` for a text message, whose verdict stands.
///
/// # Errors
/// Those of the store.
pub fn reread(q: &mut Query, w: WorkspaceId, message: &Inbound, raw: Vec<u8>) -> Result<Option<Reread>, StoreError> {
    if message.source == Source::Text || message.correction.is_some() {
        return Ok(None);
    }
    let letter = Letter::read(raw, message.received_at);
    let found = whose::find(q, w, &letter)?;
    // Whose it is stays: only what it says is read again.
    let found = Match { by: message.matched_by, visit: message.visit, ..found };
    let meaning = meaning::of(&letter, &found);
    let before = correct::meaning_of(message);
    let told = correct::told_or_found(q, w, message)?.iter().map(|t| t.enrollment).collect();
    let version_before = serde_json::from_str::<Verdict>(&message.classification).ok().map(|v| v.version);
    Ok(Some(Reread {
        class: meaning.class,
        classification: letter.classification(whole_size(&message.classification)),
        version_before,
        version: RULES_VERSION,
        told,
        differs: before.class != meaning.class || before.what != meaning.what,
        meaning,
    }))
}

/// The size of the mail, where no more than its beginning was fetched and kept.
fn whole_size(classification: &str) -> Option<u32> {
    let before: serde_json::Value = serde_json::from_str(classification).ok()?;
    before["read_of_bytes"]["of"].as_u64()?.try_into().ok()
}

/// Adopts what the present rules say of a message. Answers `None` where nothing is to be done any more: it was corrected by
/// hand meanwhile, or says the same as before.
///
/// # Errors
/// As [`super::correct`].
pub fn adopt(
    app: &App,
    tx: &mut Tx,
    w: WorkspaceId,
    id: MessageId,
    by: UserId,
) -> Result<Option<Corrected>, NotCorrected> {
    let message = inbound_messages::lock(tx, w, id)?;
    let Some(raw) = inbound_messages::raw(tx, w, id)? else { return Ok(None) };
    let Some(now) = reread(tx, w, &message, raw)? else { return Ok(None) };
    let mut done = Corrected::default();
    if now.differs {
        let told = correct::told_or_found(tx, w, &message)?;
        done = correct::instead(app, tx, w, &message, &told, &now.meaning, by)?;
        correct::settle(tx, w, &message, now.class, app.clock.now())?;
    }
    inbound_messages::judge_anew(tx, w, id, now.class, &now.classification)?;
    Ok(Some(done))
}
