//! After a crash: attempts that were recorded and never reached their final mark are due again; those past it are settled by
//! evidence, or shown to a person as unknown. Nothing is sent a second time by itself (SND-5). And a look now and then for
//! what a process that ended between two steps has left standing.

use super::deliver::Post;
use super::due::{each, end_sequence, is_passing};
use super::node::Seat;
use crate::app::App;
use cadenza_core::ids::WorkspaceId;
use cadenza_core::machine::{Actor, Event};
use cadenza_core::time::Span;
use cadenza_store::StoreError;
use cadenza_store::door::{self, OpenSend, Put, SettledLost};
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
/// Why it is unknown what became of a delivery.
const ENDED: &str = "the server stopped while the answer to the final dot was awaited";
const UNNOTED: &str = "what became of it could not be noted";

/// Settles what runs that are over have left open. At the start nothing else runs yet.
pub(super) async fn recover(app: &App) -> Result<(), StoreError> {
    let open = app.db.read_async(door::left_behind).await?;
    settle_left_behind(app, open).await
}

async fn settle_left_behind(app: &App, open: Vec<OpenSend>) -> Result<(), StoreError> {
    let SettledLost { again, sent, unknown } = settle(app, open, ENDED).await?;
    if again + sent + unknown > 0 {
        tracing::info!(again, sent, unknown, "settled what a run left open that is over");
    }
    Ok(())
}

/// Settles attempts that nobody works on, in chunks; where one cannot be, each by itself.
async fn settle(app: &App, open: Vec<OpenSend>, why: &'static str) -> Result<SettledLost, StoreError> {
    let mut settled = SettledLost::default();
    let mut of: BTreeMap<WorkspaceId, Vec<OpenSend>> = BTreeMap::new();
    for send in open {
        of.entry(send.workspace).or_default().push(send);
    }
    for (workspace, sends) in of {
        for chunk in sends.chunks(BATCH_MAX) {
            match settle_chunk(app, workspace, chunk.to_vec(), why).await {
                Ok(some) => settled += some,
                Err(e) if is_passing(&e) => return Err(e),
                Err(_) => {
                    for one in chunk {
                        match settle_chunk(app, workspace, vec![*one], why).await {
                            Ok(some) => settled += some,
                            Err(e) if is_passing(&e) => return Err(e),
                            Err(e) => {
                                let enrollment = one.enrollment;
                                tracing::error!(%enrollment, "an attempt left open could not be settled: {e}");
                            }
                        }
                    }
                }
            }
        }
    }
    Ok(settled)
}

async fn settle_chunk(
    app: &App,
    workspace: WorkspaceId,
    sends: Vec<OpenSend>,
    why: &'static str,
) -> Result<SettledLost, StoreError> {
    let app2 = app.clone();
    app.db.write_async(move |tx| app2.door.settle_lost(tx, workspace, &sends, why, app2.clock.now())).await
}

/// What it is time to look for.
enum For {
    WhatStandsStill,
    WhatIsLost,
}

/// Looks at once, and then now and then, until the stop.
pub(super) async fn run(app: App, post: Arc<Post>, seat: Arc<Seat>) {
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
            // One look for all nodes.
            For::WhatStandsStill if !seat.share().leads() => Ok(()),
            For::WhatStandsStill => look(&app).await,
            For::WhatIsLost => settle_lost(&app, &post).await,
        };
        if let Err(e) = looked {
            tracing::warn!("the look for what stands still failed: {e}");
        }
    }
}

/// Attempts that stand recorded and that no lane has: their run is over, here or elsewhere; or the answer to the commit that
/// recorded them was lost with a line to the database, so nobody was told of them; or what became of them could not be noted.
async fn settle_lost(app: &App, post: &Post) -> Result<(), StoreError> {
    let before = app.clock.now() - LOST_AFTER;
    let app2 = app.clone();
    let (left, lost) =
        app.db.read_async(move |q| Ok((door::left_behind(q)?, app2.door.open_before(q, before)?))).await?;
    let nobodys = |open: Vec<OpenSend>| open.into_iter().filter(|send| !post.has(send)).collect();
    settle_left_behind(app, nobodys(left)).await?;
    let settled = settle(app, nobodys(lost), UNNOTED).await?.all();
    if settled > 0 {
        tracing::warn!(settled, "attempts were recorded and in nobody's hands: due again, or unknown past their mark");
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
