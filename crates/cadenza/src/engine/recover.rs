//! After a crash: attempts that were recorded and never reached their final mark are due again; those past it are settled by
//! evidence, or shown to a person as unknown. Nothing is sent a second time by itself (SND-5). And a look now and then for
//! what a process that ended between two steps has left standing.

use super::deliver::Post;
use super::due::{each, end_sequence};
use crate::app::App;
use cadenza_core::ids::WorkspaceId;
use cadenza_core::machine::{Actor, Event};
use cadenza_core::time::Span;
use cadenza_store::StoreError;
use cadenza_store::door::{self, OpenSend, Put};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(600);
/// Between two looks for attempts that nobody has in hand.
const LOST_EVERY: Duration = Duration::from_secs(10);
/// What was recorded a moment ago is still on its way to its lane.
const LOST_AFTER: Span = Span::seconds(15);
/// Events in one commit at most.
const BATCH_MAX: usize = 500;

/// Settles what the last run left open. Nothing else runs yet.
pub(super) async fn recover(app: &App) -> Result<(), StoreError> {
    let open = app.db.read_async(door::open_sends).await?;
    if open.is_empty() {
        return Ok(());
    }
    let (mut again, mut sent, mut unknown) = (0, 0, 0);
    let mut puts: BTreeMap<WorkspaceId, Vec<Put>> = BTreeMap::new();
    for send in open {
        let OpenSend { visit, attempt, .. } = send;
        let event = if !send.marked {
            again += 1;
            Event::Returned { visit, attempt }
        } else if app.db.read_async(move |q| door::is_in_sandbox(q, send)).await? {
            // The sandbox can be asked: a message that it has was delivered.
            sent += 1;
            Event::Sent { visit, attempt }
        } else {
            unknown += 1;
            let detail = "the server stopped while the answer to the final dot was awaited".to_owned();
            Event::Unknown { visit, attempt, detail }
        };
        puts.entry(send.workspace).or_default().push(Put { enrollment: send.enrollment, event, actor: Actor::Engine });
    }
    tracing::info!(again, sent, unknown, "settled what the last run left open");
    for (workspace, puts) in puts {
        for chunk in puts.chunks(BATCH_MAX) {
            for (enrollment, e) in each(app, workspace, chunk.to_vec()).await? {
                tracing::error!(%enrollment, "an attempt left open could not be settled: {e}");
            }
        }
    }
    Ok(())
}

/// What it is time to look for.
enum For {
    WhatStandsStill,
    WhatIsLost,
}

/// Looks at once, and then now and then, until the stop.
pub(super) async fn run(app: App, post: Arc<Post>) {
    let mut stopping = app.stopping();
    let mut look_now = tokio::time::interval(LOOK_EVERY);
    let mut lost_now = tokio::time::interval(LOST_EVERY);
    loop {
        let for_what = tokio::select! {
            _ = look_now.tick() => For::WhatStandsStill,
            _ = lost_now.tick() => For::WhatIsLost,
            _ = stopping.wait_for(|stop| *stop) => return,
        };
        let looked = match for_what {
            For::WhatStandsStill => look(&app).await,
            For::WhatIsLost => settle_lost(&app, &post).await,
        };
        if let Err(e) = looked {
            tracing::warn!("the look for what stands still failed: {e}");
        }
    }
}

/// Attempts that stand recorded and that no lane has: the answer to the commit that recorded them was lost with a line to the
/// database, so nobody was told of them; or what became of them could not be noted.
async fn settle_lost(app: &App, post: &Post) -> Result<(), StoreError> {
    let before = app.clock.now() - LOST_AFTER;
    let app2 = app.clone();
    let open = app.db.read_async(move |q| app2.door.open_before(q, before)).await?;
    let mut lost: BTreeMap<WorkspaceId, Vec<OpenSend>> = BTreeMap::new();
    for send in open.into_iter().filter(|send| !post.has(send)) {
        lost.entry(send.workspace).or_default().push(send);
    }
    for (workspace, sends) in lost {
        let app2 = app.clone();
        let settled =
            app.db.write_async(move |tx| app2.door.settle_lost(tx, workspace, &sends, app2.clock.now())).await?;
        if settled > 0 {
            tracing::warn!(
                settled,
                "attempts were recorded and in nobody's hands: due again, or unknown past their mark"
            );
        }
    }
    Ok(())
}

/// Ends what was ended halfway, draws lines that rest with somebody in them, lets go on what no held mailbox blocks any more.
pub(super) async fn look(app: &App) -> Result<(), StoreError> {
    for (workspace, sequence) in app.db.read_async(door::half_ended).await? {
        tracing::info!(%sequence, "ended, with people still in it: going on with that");
        end_sequence(app, workspace, sequence).await?;
    }
    let now = app.clock.now();
    app.db.write_async(move |tx| door::repair_lines(tx, now)).await?;
    let mut puts: BTreeMap<WorkspaceId, Vec<Put>> = BTreeMap::new();
    for (workspace, enrollment) in app.db.read_async(|q| door::unheld(q, BATCH_MAX)).await? {
        puts.entry(workspace).or_default().push(Put { enrollment, event: Event::Mended, actor: Actor::Engine });
    }
    for (workspace, puts) in puts {
        for (enrollment, e) in each(app, workspace, puts).await? {
            tracing::error!(%enrollment, "could not go on: {e}");
        }
    }
    Ok(())
}
