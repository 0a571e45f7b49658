//! Running processes: when each began, when it was last alive, and how many signs of life it has given in all. A single node
//! is number 0.

use crate::error::Result;
use crate::query::{Query, Tx};
use cadenza_core::time::Time;

/// What the database knows of a node's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Life {
    /// Drawn at the first start; tells this database from every other.
    pub identity: i64,
    /// Signs of life since then. Never fewer than before, unless an older database takes this one's place.
    pub beats: i64,
    pub alive_at: Time,
}

/// The life of a node so far; `None` before its first start.
pub fn life(tx: &mut Tx, node: i64) -> Result<Option<Life>> {
    let row = tx.query_opt("SELECT identity, beats, alive_at FROM node WHERE id = $1", &[node.into()])?;
    row.map(|row| Ok(Life { identity: row.int(0)?, beats: row.int(1)?, alive_at: row.time(2)? })).transpose()
}

/// Begins a run: the epoch grows. `identity` is kept from the first start on.
pub fn begin(tx: &mut Tx, node: i64, identity: i64, now: Time) -> Result<Life> {
    tx.exec(
        "INSERT INTO node (id, epoch, started_at, alive_at, identity, beats) VALUES ($1, 1, $2, $2, $3, 1)
         ON CONFLICT (id) DO UPDATE SET epoch = node.epoch + 1, started_at = excluded.started_at,
             alive_at = excluded.alive_at, beats = node.beats + 1",
        &[node.into(), now.into(), identity.into()],
    )?;
    after(tx, node)
}

/// The sign of life.
pub fn alive(tx: &mut Tx, node: i64, now: Time) -> Result<Life> {
    tx.exec("UPDATE node SET alive_at = $2, beats = beats + 1 WHERE id = $1", &[node.into(), now.into()])?;
    after(tx, node)
}

fn after(tx: &mut Tx, node: i64) -> Result<Life> {
    life(tx, node)?.ok_or_else(|| crate::StoreError::missing("node", node))
}

/// When any node was last alive; `None` before the first start of one.
pub fn last_alive(q: &mut Query) -> Result<Option<Time>> {
    q.query_one("SELECT MAX(alive_at) FROM node", &[])?.opt_time(0)
}
