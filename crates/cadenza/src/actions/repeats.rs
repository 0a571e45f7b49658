//! Requests under an idempotency key (API-1): claimed before they are done, their answers kept sealed for a day. What a
//! request is and what an answer says is known to those who ask.

use super::{ActionError, Caller, Result, Via};
use crate::App;
use crate::seal::Place;
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use cadenza_core::time::Span;
use cadenza_store::idempotency::{self, Known, Request};

/// How long an answer is kept.
const KEPT: Span = Span::hours(24);

/// A request that may be asked again: the caller's own key, and what tells another request under it apart.
#[derive(Debug, Clone)]
pub struct Keyed {
    request: Request,
}

impl Keyed {
    pub fn new(caller: &Caller, key: String, fingerprint: String) -> Keyed {
        let by = match caller.via {
            Via::Token(token) => token.0,
            Via::Session(_) | Via::Console => caller.user.0,
        };
        Keyed { request: Request { caller: by, key, fingerprint } }
    }

    fn place(&self, caller: &Caller) -> Place<'_> {
        Place {
            workspace: caller.workspace.0,
            table: "idempotency",
            row: self.request.caller,
            column: &self.request.key,
        }
    }
}

/// What is to be done with a request.
#[derive(Debug)]
pub enum Turn {
    /// It is the first: do it, then [`keep`] its answer or [`give_up`].
    Do,
    /// It was done: this was the answer.
    Done { status: u16, answer: Vec<u8> },
}

/// Claims a key for a request, or finds what it was answered.
///
/// # Errors
/// `Invalid` where the key was another request's; `Refused` where the first has not been answered.
pub async fn claim(app: &App, caller: &Caller, keyed: &Keyed) -> Result<Turn> {
    let (w, now, request) = (caller.workspace, app.clock.real(), keyed.request.clone());
    match app.db.write_async(move |tx| idempotency::claim(tx, w, &request, now - KEPT, now)).await? {
        Known::New => Ok(Turn::Do),
        Known::UnderWay { fingerprint } | Known::Answered { fingerprint, .. }
            if fingerprint != keyed.request.fingerprint =>
        {
            Err(ActionError::invalid(
                "Idempotency-Key",
                "This key was used for another request. Use a new key for each request, and the same one only to repeat it.",
            ))
        }
        Known::UnderWay { .. } => Err(ActionError::refused(
            "under_way",
            "The first request with this key has not been answered: it is under way, or was cut off. Ask again in a \
             moment; if this stays, look whether it was done before you repeat it with another key.",
        )),
        Known::Answered { status, answer, .. } => {
            let sealed = STANDARD_NO_PAD.decode(answer).map_err(ActionError::internal)?;
            let answer = app.seal.open(keyed.place(caller), &sealed).map_err(ActionError::internal)?;
            Ok(Turn::Done { status, answer })
        }
    }
}

/// Keeps the answer of what was done.
pub async fn keep(app: &App, caller: &Caller, keyed: &Keyed, status: u16, answer: &[u8]) -> Result<()> {
    let sealed = STANDARD_NO_PAD.encode(app.seal.seal(&app.clock, keyed.place(caller), answer));
    let (w, request) = (caller.workspace, keyed.request.clone());
    Ok(app.db.write_async(move |tx| idempotency::answer(tx, w, &request, status, &sealed)).await?)
}

/// Nothing was done: the same key may be tried again.
pub async fn give_up(app: &App, caller: &Caller, keyed: &Keyed) -> Result<()> {
    let (w, request) = (caller.workspace, keyed.request.clone());
    Ok(app.db.write_async(move |tx| idempotency::give_up(tx, w, &request)).await?)
}
