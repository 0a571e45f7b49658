//! Requests that carry an idempotency key (API-1): claimed before they are done, with the answer they got after, so that the
//! same request asked again is answered and not done twice. What an answer says is opaque here.

use crate::cells::Cells;
use crate::error::Result;
use crate::query::Tx;
use crate::row::Row;
use crate::scope::args;
use cadenza_core::ids::WorkspaceId;
use cadenza_core::time::Time;

/// What a key stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The token or user that asked: keys of two callers never meet.
    pub caller: i64,
    pub key: String,
    /// Of method, address and body.
    pub fingerprint: String,
}

/// What is known of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// It was not known; it is claimed now.
    New,
    /// Claimed and not answered: under way, or cut off by a crash.
    UnderWay { fingerprint: String },
    /// Answered.
    Answered { fingerprint: String, status: u16, answer: String },
}

/// Looks a key up and claims it where it is new. Keys that are older than `since` are forgotten.
pub fn claim(tx: &mut Tx, w: WorkspaceId, request: &Request, since: Time, now: Time) -> Result<Known> {
    tx.of(w).exec("DELETE FROM idempotency WHERE workspace_id = $1 AND at < $2", args![since])?;
    // Status 0: no answer yet.
    let claimed = tx.of(w).exec(
        "INSERT INTO idempotency (workspace_id, caller_id, request_key, fingerprint, status, answer, at)
         VALUES ($1, $2, $3, $4, 0, '', $5) ON CONFLICT (workspace_id, caller_id, request_key) DO NOTHING",
        args![request.caller, &request.key, &request.fingerprint, now],
    )?;
    if claimed == 1 {
        return Ok(Known::New);
    }
    let sql = "SELECT caller_id, fingerprint, status, answer FROM idempotency
         WHERE workspace_id = $1 AND caller_id = $2 AND request_key = $3";
    known(&tx.of(w).one(sql, args![request.caller, &request.key])?)
}

fn known(row: &Row) -> Result<Known> {
    let mut c = Cells::of(row, "idempotency");
    c.int()?;
    let fingerprint = c.string()?;
    let status = u16::try_from(c.int()?).map_err(|e| c.bad(e))?;
    let answer = c.string()?;
    Ok(match status {
        0 => Known::UnderWay { fingerprint },
        _ => Known::Answered { fingerprint, status, answer },
    })
}

/// Keeps the answer of a claimed request.
pub fn answer(tx: &mut Tx, w: WorkspaceId, request: &Request, status: u16, answer: &str) -> Result<()> {
    tx.of(w)
        .exec(
            "UPDATE idempotency SET status = $4, answer = $5 WHERE workspace_id = $1 AND caller_id = $2 AND request_key = $3",
            args![request.caller, &request.key, status, answer],
        )
        .map(drop)
}

/// Gives a claim up: nothing was done, and the same key may be tried again.
pub fn give_up(tx: &mut Tx, w: WorkspaceId, request: &Request) -> Result<()> {
    let sql = "DELETE FROM idempotency WHERE workspace_id = $1 AND caller_id = $2 AND request_key = $3";
    tx.of(w).exec(sql, args![request.caller, &request.key]).map(drop)
}
