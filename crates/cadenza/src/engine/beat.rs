//! The sign of life: a row that says when this node was last alive, from which the next start reads how long it was down,
//! and the witness beside the database, which tells that start whether it is the database it was.

use super::witness::Witness;
use crate::app::App;
use cadenza_core::facts::Outage;
use cadenza_core::time::Span;
use cadenza_store::{StoreError, nodes, workspaces};
use std::io;
use std::time::Duration;

/// The one node there is.
const NODE: i64 = 0;
/// Between two signs.
const EVERY: Duration = Duration::from_secs(10);
/// Shorter stops are no outage.
const OUTAGE_MIN: Span = Span::minutes(1);

/// Reads when the last run ended, and begins this one. A database that is not what it was may not send (SND-12).
pub(super) async fn first(app: &App) -> Result<(), StoreError> {
    let now = app.clock.now();
    let file = super::witness::database_file(app);
    let seen = Witness::read(app).map_err(|e| unwritable(app, &e))?;
    let drawn = i64::from_le_bytes(app.clock.entropy::<8>()) & i64::MAX;
    let (before, doubt, life) = app
        .db
        .write_async(move |tx| {
            let before = nodes::life(tx, NODE)?;
            let doubt = Witness::doubts(seen.as_ref(), before.as_ref(), file);
            if doubt.is_some() {
                workspaces::hold_all(tx)?;
            }
            Ok((before, doubt, nodes::begin(tx, NODE, drawn, now)?))
        })
        .await?;
    if let Some(doubt) = doubt {
        tracing::warn!(
            "this database is not the one this data folder knew: {}. All sending waits until an admin releases it \
             (Settings, Workspace), so that nothing is sent again that was sent since.",
            doubt.as_str()
        );
    }
    Witness::write(app, &life).map_err(|e| unwritable(app, &e))?;
    let outage = before.map(|b| b.alive_at).filter(|alive| now - *alive >= OUTAGE_MIN);
    let outage = outage.map(|from| Outage { from, to: now });
    if let Some(outage) = outage {
        tracing::info!(from = %outage.from, "the server was down; what it delayed long is held for a person");
    }
    app.door.set_outage(outage);
    Ok(())
}

fn unwritable(app: &App, e: &io::Error) -> StoreError {
    let why = format!("the data folder {} cannot be used: {e}", app.config.server.data.display());
    StoreError::Unavailable { why, commit_unknown: false }
}

pub(super) async fn run(app: App) {
    let mut stopping = app.stopping();
    loop {
        tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => {}
            () = tokio::time::sleep(EVERY) => {}
        }
        let now = app.clock.now();
        match app.db.write_async(move |tx| nodes::alive(tx, NODE, now)).await {
            Ok(life) => {
                if let Err(e) = Witness::write(&app, &life) {
                    tracing::warn!("the witness beside the database could not be written: {e}");
                }
            }
            Err(e) => tracing::warn!("the sign of life could not be written: {e}"),
        }
        if *stopping.borrow() {
            return;
        }
    }
}
