//! Webhooks (API-2): where a workspace's events are told, and what is still to be told. Secrets come sealed and go sealed.

use crate::cells::{Cells, to_json};
use crate::error::{Result, StoreError};
use crate::query::{Query, Tx};
use crate::row::Row;
use crate::scope::args;
use crate::value::Columns;
use crate::words::words;
use cadenza_core::ids::{DeliveryId, WebhookId, WorkspaceId};
use cadenza_core::time::Time;
use std::fmt;

words! {
    /// Whether a webhook is told anything.
    WebhookState ("state of a webhook") {
        On = "on";
        Off = "off";
        /// It answered 410: nobody is there any more.
        Gone = "gone";
    }
}

/// Where events are told.
#[derive(Clone, PartialEq, Eq)]
pub struct Webhook {
    pub id: WebhookId,
    pub url: String,
    /// Names of events; empty for all.
    pub events: Vec<String>,
    /// Sealed.
    pub secret: Vec<u8>,
    /// The one before, while a rotation lasts; sealed.
    pub old_secret: Option<Vec<u8>>,
    pub state: WebhookState,
    pub created_at: Time,
}

/// Secrets stay out of logs, sealed or not.
impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook").field("id", &self.id).field("state", &self.state).finish_non_exhaustive()
    }
}

/// One event told to one webhook: its id is the `webhook-id`, the same at every try.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    pub id: DeliveryId,
    pub webhook: WebhookId,
    pub event: String,
    /// JSON, byte for byte as it is signed.
    pub payload: String,
    pub created_at: Time,
    /// When it is tried next; `None` once it was delivered or given up.
    pub next_at: Option<Time>,
    pub tries: u32,
    /// What was answered last.
    pub answer: Option<String>,
    pub delivered_at: Option<Time>,
}

fn read(row: &Row) -> Result<Webhook> {
    let mut c = Cells::of(row, "webhook");
    Ok(Webhook {
        id: c.id(WebhookId)?,
        url: c.string()?,
        events: c.json()?,
        secret: c.blob()?,
        old_secret: c.opt_blob()?,
        state: c.word(WebhookState::named)?,
        created_at: c.time()?,
    })
}

fn read_delivery(row: &Row) -> Result<Delivery> {
    let mut c = Cells::of(row, "webhook_delivery");
    Ok(Delivery {
        id: c.id(DeliveryId)?,
        webhook: c.id(WebhookId)?,
        event: c.string()?,
        payload: c.string()?,
        created_at: c.time()?,
        next_at: c.opt_time()?,
        tries: c.count()?,
        answer: c.opt_string()?,
        delivered_at: c.opt_time()?,
    })
}

const COLUMNS: &str = "id, url, events, secret, old_secret, state, created_at";
const DELIVERY: &str = "id, webhook_id, event, payload, created_at, next_at, tries, answer, delivered_at";

/// Makes a webhook, or changes all of it.
pub fn save(tx: &mut Tx, w: WorkspaceId, webhook: &Webhook) -> Result<()> {
    let h = webhook;
    tx.of(w).exec(
        "INSERT INTO webhook (workspace_id, id, url, events, secret, old_secret, state, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (workspace_id, id) DO UPDATE SET url = excluded.url, events = excluded.events,
             secret = excluded.secret, old_secret = excluded.old_secret, state = excluded.state",
        args![
            h.id,
            &h.url,
            to_json(&h.events, "webhook", h.id)?,
            h.secret.as_slice(),
            h.old_secret.clone(),
            h.state.as_str(),
            h.created_at,
        ],
    )?;
    Ok(())
}

/// Errors: `Missing`.
pub fn get(q: &mut Query, w: WorkspaceId, id: WebhookId) -> Result<Webhook> {
    let sql = format!("SELECT {COLUMNS} FROM webhook WHERE workspace_id = $1 AND id = $2");
    let row = q.of(w).opt(&sql, args![id])?.ok_or_else(|| StoreError::missing("webhook", id))?;
    read(&row)
}

/// Oldest first.
pub fn all(q: &mut Query, w: WorkspaceId) -> Result<Vec<Webhook>> {
    let sql = format!("SELECT {COLUMNS} FROM webhook WHERE workspace_id = $1 ORDER BY id");
    q.of(w).all(&sql, args![])?.iter().map(read).collect()
}

/// Deletes a webhook with what was still to be told to it.
///
/// Errors: `Missing`.
pub fn delete(tx: &mut Tx, w: WorkspaceId, id: WebhookId) -> Result<()> {
    tx.of(w).exec_one("DELETE FROM webhook WHERE workspace_id = $1 AND id = $2", args![id], "webhook", id)
}

/// Puts down what is to be told, in the transaction in which it happens.
pub fn tell(tx: &mut Tx, w: WorkspaceId, deliveries: &[Delivery]) -> Result<()> {
    let columns = Columns::new()
        .ints(deliveries.iter().map(|d| d.id))
        .ints(deliveries.iter().map(|d| d.webhook))
        .texts(deliveries.iter().map(|d| d.event.as_str()))
        .texts(deliveries.iter().map(|d| d.payload.as_str()))
        .ints(deliveries.iter().map(|d| d.created_at))
        .opt_ints(deliveries.iter().map(|d| d.next_at));
    tx.of(w).exec_rows(
        "INSERT INTO webhook_delivery (workspace_id, id, webhook_id, event, payload, created_at, next_at, tries)
         SELECT $1, r.id, r.webhook, r.event, r.payload, r.created, r.next, 0
         FROM rows(id BIGINT, webhook BIGINT, event TEXT, payload TEXT, created BIGINT, next BIGINT) AS r",
        &columns,
        args![],
    )?;
    Ok(())
}

/// What is due to be told, of every workspace, oldest first.
pub fn due(q: &mut Query, now: Time, limit: usize) -> Result<Vec<(WorkspaceId, Delivery)>> {
    let sql = format!(
        "SELECT {DELIVERY}, workspace_id FROM webhook_delivery WHERE next_at IS NOT NULL AND next_at <= $1
         ORDER BY next_at, id LIMIT $2"
    );
    let rows = q.query(&sql, &[now.into(), (limit as i64).into()])?;
    let last = DELIVERY.split(',').count();
    rows.iter().map(|row| Ok((WorkspaceId(row.int(last)?), read_delivery(row)?))).collect()
}

/// What became of a try: delivered, tried again at `next_at`, or given up.
pub fn note(
    tx: &mut Tx,
    w: WorkspaceId,
    id: DeliveryId,
    answer: &str,
    delivered_at: Option<Time>,
    next_at: Option<Time>,
) -> Result<()> {
    tx.of(w).exec_one(
        "UPDATE webhook_delivery SET tries = tries + 1, answer = $3, delivered_at = $4, next_at = $5
         WHERE workspace_id = $1 AND id = $2",
        args![id, answer, delivered_at, next_at],
        "webhook_delivery",
        id,
    )
}

/// Tells an event once more (API-2).
///
/// Errors: `Missing`.
pub fn replay(tx: &mut Tx, w: WorkspaceId, id: DeliveryId, now: Time) -> Result<()> {
    tx.of(w).exec_one(
        "UPDATE webhook_delivery SET next_at = $3, delivered_at = NULL WHERE workspace_id = $1 AND id = $2",
        args![id, now],
        "webhook_delivery",
        id,
    )
}

/// What was told to a webhook and what is to be told, newest first, older than `before`.
pub fn deliveries(
    q: &mut Query,
    w: WorkspaceId,
    webhook: WebhookId,
    before: Option<DeliveryId>,
    limit: usize,
) -> Result<Vec<Delivery>> {
    let sql = format!(
        "SELECT {DELIVERY} FROM webhook_delivery WHERE workspace_id = $1 AND webhook_id = $2 AND id < $3
         ORDER BY id DESC LIMIT $4"
    );
    let before = before.map_or(i64::MAX, |id| id.0);
    q.of(w).all(&sql, args![webhook, before, limit as i64])?.iter().map(read_delivery).collect()
}
