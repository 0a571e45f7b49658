//! Mail that comes in over HTTP (SPEC §9): taken in by the same code as an inbox's, and what came in, looked at. A message
//! counts once, whatever way it comes and however often (REC-7). What people decide about replies is in `replies`.

use super::enrollments::viewer;
use super::{ActionError, Caller, Privilege, Result};
use crate::App;
use crate::engine::receive::{self, Received, Source};
use cadenza_core::enrollment::{Reason, State};
use cadenza_core::ids::{EnrollmentId, MessageId, SequenceId};
use cadenza_core::time::Time;
use cadenza_store::inbound_messages::{self, Class, Filter, Inbound, Listed};
use cadenza_store::page::Page;
use cadenza_store::sequences::Viewer;
use cadenza_store::{Query, StoreError, enrollments, sequences};

/// Larger mails are not read.
pub const BYTES_MAX: usize = 25 << 20;

/// A mail that was taken in, and what it did.
#[derive(Debug, Clone)]
pub struct TakenIn {
    pub received: Received,
    /// As it is kept; `None` for copies of our own mail, which are not.
    pub message: Option<Inbound>,
    /// Those that were told, as they are now.
    pub told: Vec<Told>,
}

/// An enrollment that was told of a message.
#[derive(Debug, Clone, Copy)]
pub struct Told {
    pub id: EnrollmentId,
    pub sequence: SequenceId,
    pub state: State,
    pub reason: Reason,
}

/// Takes a raw message (RFC 5322) in, as it came from a gateway or a journal. It is always safe to do so again.
///
/// # Errors
/// `Invalid` where it is no message; `Refused` where it is too large (`too_large`).
pub async fn take_in(app: &App, caller: &Caller, raw: Vec<u8>) -> Result<TakenIn> {
    caller.need(Privilege::InboundReceive)?;
    if raw.len() > BYTES_MAX {
        return Err(too_large());
    }
    if !begins_with_a_header(&raw) {
        let message =
            "Expected a raw message (RFC 5322): header fields such as From and Message-ID, an empty line, the body.";
        return Err(ActionError::invalid("body", message));
    }
    let w = caller.workspace;
    let received = receive::receive(app, w, Source::Http, raw, app.clock.now()).await?;
    let (id, asked) = (received.id, received.enrollments.clone());
    let read = move |q: &mut Query| -> Result<_, StoreError> {
        let message = id.map(|id| inbound_messages::get(q, w, id)).transpose()?;
        let mut told = Vec::with_capacity(asked.len());
        for id in asked {
            let listed = enrollments::get(q, w, id, Viewer::All)?;
            let (state, reason) = listed.enrollment.state(listed.sequence_state);
            told.push(Told { id, sequence: listed.enrollment.sequence, state, reason });
        }
        Ok((message, told))
    };
    let (message, told) = app.db.read_async(read).await?;
    Ok(TakenIn { received, message, told })
}

/// What a message that is too large is told.
pub fn too_large() -> ActionError {
    ActionError::refused("too_large", format!("A message has {} MiB at most.", BYTES_MAX >> 20))
}

/// Does it begin with the name of a header field and a colon (RFC 5322 §2.2), or with the envelope line of an mbox? Names are
/// taken as mail has them, of letters, digits, hyphens and underscores, so that JSON is not mistaken for mail.
fn begins_with_a_header(raw: &[u8]) -> bool {
    let line = raw.split(|b| *b == b'\n').find(|line| !line.starts_with(b"From ")).unwrap_or_default();
    let name = line.split(|b| *b == b':').next().unwrap_or_default();
    let fits = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    name.len() < line.len() && !name.is_empty() && name.trim_ascii_end().iter().all(fits)
}

/// What came in, newest first, from behind `before`: what is matched to nobody, to sequences that the caller sees, and what is
/// theirs to handle. Whose it may be is decided by the caller, whatever the filter says.
///
/// # Errors
/// `Forbidden`.
pub async fn list(
    app: &App,
    caller: &Caller,
    filter: Filter,
    before: Option<MessageId>,
    limit: usize,
) -> Result<Page<Listed, Time>> {
    caller.need(Privilege::SequencesView)?;
    let (w, filter) = (caller.workspace, Filter { viewer: looker(caller), ..filter });
    Ok(app.db.read_async(move |q| inbound_messages::list(q, w, &filter, before, limit)).await?)
}

/// How many there are of each class, the most first; no more than [`inbound_messages::COUNTED_AT_MOST`] are counted.
///
/// # Errors
/// `Forbidden`.
pub async fn counts(app: &App, caller: &Caller, filter: Filter) -> Result<Vec<(Class, i64)>> {
    caller.need(Privilege::SequencesView)?;
    let (w, filter) = (caller.workspace, Filter { viewer: looker(caller), ..filter });
    Ok(app.db.read_async(move |q| inbound_messages::counts(q, w, &filter)).await?)
}

/// Whose messages a caller sees.
pub fn looker(caller: &Caller) -> Viewer {
    viewer(caller)
}

/// Does the caller see this message?
pub(super) fn is_seen(q: &mut Query, caller: &Caller, message: &Inbound) -> Result<bool, StoreError> {
    match message.sequence {
        Some(sequence) if message.assigned_to != Some(caller.user) => {
            sequences::is_seen_by(q, caller.workspace, sequence, viewer(caller))
        }
        _ => Ok(true),
    }
}

/// One message that came in.
///
/// # Errors
/// `Missing`, also where the caller does not see its sequence.
pub async fn get(app: &App, caller: &Caller, id: MessageId) -> Result<Inbound> {
    Ok(load(app, caller, id).await?.0)
}

/// Its bytes, as they came.
///
/// # Errors
/// As [`get`]; `Refused` where they are not kept (`not_kept`).
pub async fn raw(app: &App, caller: &Caller, id: MessageId) -> Result<Vec<u8>> {
    let why = "The bytes of this message are not kept: it was automatic and concerned nobody, or could not be read.";
    load(app, caller, id).await?.1.ok_or_else(|| ActionError::refused("not_kept", why))
}

pub(super) async fn load(app: &App, caller: &Caller, id: MessageId) -> Result<(Inbound, Option<Vec<u8>>)> {
    caller.need(Privilege::SequencesView)?;
    let (w, caller) = (caller.workspace, caller.clone());
    let read = move |q: &mut Query| {
        let message = inbound_messages::get(q, w, id)?;
        if !is_seen(q, &caller, &message)? {
            return Err(StoreError::missing("inbound_message", id));
        }
        let raw = inbound_messages::raw(q, w, id)?;
        Ok((message, raw))
    };
    app.db.read_async(read).await.map_err(|e| match e {
        StoreError::Missing { .. } => ActionError::missing("message", id),
        e => e.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_begins_with_a_header() {
        for good in ["From: a@b.example\r\n\r\nHi", "Received: by x\n\n", "From a@b Mon Jan\nSubject: x\n\n", "X-Y : z"]
        {
            assert!(begins_with_a_header(good.as_bytes()), "{good}");
        }
        for bad in ["", "\r\n\r\n", "hello", "hello there: you", "{\"from\": \"a\"}", ": x", "From a@b Mon\n"] {
            assert!(!begins_with_a_header(bad.as_bytes()), "{bad}");
        }
    }
}
