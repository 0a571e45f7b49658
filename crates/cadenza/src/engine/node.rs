//! This process among those on one database: it takes a number, gives signs of life, and is told which shards are its own.
//! From the signs of life the next start reads how long nobody was there, and the witness beside the database tells that
//! start whether it is the database it was.

use super::witness::{self, Witness};
use crate::app::App;
use cadenza_core::facts::Outage;
use cadenza_core::time::Span;
use cadenza_store::nodes::{self, Beat, Moment, Node, Share};
use cadenza_store::{StoreError, Tx, health, statistics, workspaces};
use std::fs::File;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// Signs of life within one lease.
const BEATS_IN_LEASE: u32 = 3;
/// Between two looks for what other processes have changed.
const LISTEN_EVERY: Duration = Duration::from_millis(250);
/// Shorter stops are no outage.
const OUTAGE_MIN: Span = Span::minutes(1);
/// A difference to the database's clock below this is the noise of measuring it.
const OFFSET_NOISE: Span = Span::from_micros(20_000);
/// How often a number is asked for while others ask as well.
const TRIES: usize = 20;

/// The place of this process among the nodes.
#[derive(Debug)]
pub(super) struct Seat {
    lease: Span,
    share: Mutex<Share>,
    /// While it is held, no other server runs with the same data folder.
    _folder: Option<File>,
}

impl Seat {
    /// Takes a number and begins a run. A database that is not what it was may not send (SND-12).
    ///
    /// # Errors
    /// The data folder cannot be written or belongs to another server; the database is away.
    pub async fn take(app: &App) -> Result<Seat, StoreError> {
        let seen = Witness::read(app).map_err(|e| unusable(app, &e))?;
        let folder = lock_folder(app)?;
        // Whoever ran with this data folder is dead, or we would not have the folder.
        let last = seen.as_ref().map(Witness::last);
        let file = witness::database_file(app);
        let lease = Span::seconds(i64::from(app.config.nodes.lease_seconds));
        // Others that are at work know the database.
        let vouched = seen.is_none() && others_live(app, lease).await?;
        let (before, doubt) = app
            .db
            .write_async(move |tx| {
                let before = nodes::life(tx)?;
                let doubt = Witness::doubts(seen.as_ref(), before.as_ref(), file).filter(|_| !vouched);
                if doubt.is_some() {
                    workspaces::hold_all(tx)?;
                }
                Ok((before, doubt))
            })
            .await?;
        if let Some(doubt) = doubt {
            tracing::warn!(
                "this database is not the one this data folder knew: {}. All sending waits until an admin releases it \
                 (Settings, Workspace), so that nothing is sent again that was sent since.",
                doubt.as_str()
            );
        }
        let seat = Seat { lease, share: Mutex::default(), _folder: folder };
        seat.begin(app, last).await?;
        let now = app.clock.now();
        let outage = before.map(|b| b.alive_at).filter(|alive| now - *alive >= OUTAGE_MIN);
        let outage = outage.map(|from| Outage { from, to: now });
        if let Some(outage) = outage {
            tracing::info!(from = %outage.from, "the server was down; what it delayed long is held for a person");
        }
        app.door.set_outage(outage);
        Ok(seat)
    }

    /// The shards that this node works.
    pub fn share(&self) -> Share {
        self.shared().clone()
    }

    fn shared(&self) -> MutexGuard<'_, Share> {
        self.share.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// With the number of the last run again, if it is nobody else's by now. Alone on a file it is always the same.
    async fn begin(&self, app: &App, last: Option<Node>) -> Result<(), StoreError> {
        let drawn = i64::from_le_bytes(app.clock.entropy::<8>()) & i64::MAX;
        let mut tries = 0;
        let node = loop {
            let (app2, lease) = (app.clone(), self.lease);
            let begun = app
                .db
                .write_async(move |tx| {
                    let at = moment(&app2, tx, lease)?;
                    let own = match last {
                        _ if !app2.db.is_shared() => Some(0),
                        Some(last) => nodes::number_of(tx, last)?,
                        None => None,
                    };
                    nodes::begin(tx, own, drawn, at)
                })
                .await;
            match begun {
                Err(StoreError::Contention { .. }) if tries < TRIES => tries += 1,
                begun => break begun?,
            }
        };
        app.door.become_node(node);
        tracing::debug!(number = node.number, epoch = node.epoch, "this is a node");
        self.beat(app).await
    }

    /// A sign of life, and what comes of it. Where the others took this node for gone, it begins anew with another number.
    async fn beat(&self, app: &App) -> Result<(), StoreError> {
        let (app2, lease, node) = (app.clone(), self.lease, app.door.node());
        let beat = app
            .db
            .write_async(move |tx| {
                let at = moment(&app2, tx, lease)?;
                nodes::beat(tx, node, at)
            })
            .await?;
        match beat {
            Some(beat) => self.note(app, node, beat),
            None => {
                tracing::warn!(
                    "this node gave no sign of life for {} s and was taken for gone: what it had under way is settled by the \
                     others, and it begins anew",
                    self.lease.micros() / 1_000_000
                );
                *self.shared() = Share::Some(String::new());
                Box::pin(self.begin(app, None)).await
            }
        }
    }

    fn note(&self, app: &App, node: Node, beat: Beat) -> Result<(), StoreError> {
        if beat.fallen > 0 {
            tracing::warn!("{} nodes gave no sign of life and are taken for gone", beat.fallen);
        }
        let changed = {
            let mut share = self.shared();
            let changed = *share != beat.share;
            *share = beat.share;
            changed
        };
        if changed {
            tracing::info!(nodes = beat.nodes, shards = self.shared().len(), "the shards were shared out");
            app.db.ring();
        }
        // At the end: a folder that is full keeps nobody from their share.
        Witness::write(app, &beat.life, node).map_err(|e| unusable(app, &e))
    }
}

/// Does another node give signs of life on this database? That one was seen a moment ago says nothing: the row of a dead one is
/// copied with the rest. So a sign of life is waited for, as long as one may take.
async fn others_live(app: &App, lease: Span) -> Result<bool, StoreError> {
    if !app.db.is_shared() {
        return Ok(false);
    }
    let app2 = app.clone();
    let look = move || {
        let app2 = app2.clone();
        app2.db.clone().write_async(move |tx| {
            let clock = moment(&app2, tx, lease)?.clock;
            Ok((nodes::life(tx)?.map(|life| life.beats), nodes::at_work(tx, clock, lease)?))
        })
    };
    let (begun, real) = (look().await?, app.clock.stopwatch());
    let patience = Duration::from_micros(lease.micros().unsigned_abs());
    let (beats, mut working) = begun;
    while working > 0 && real.elapsed() <= patience {
        tokio::time::sleep(LISTEN_EVERY).await;
        let now = look().await?;
        if now.0 > beats {
            return Ok(true);
        }
        working = now.1;
    }
    Ok(false)
}

/// What it is time for.
enum Turn {
    Beat,
    Stopping,
    Over,
}

/// Gives signs of life until the end, which comes after that of everything else; then the others are told.
pub(super) async fn run(app: App, seat: std::sync::Arc<Seat>, mut over: watch::Receiver<bool>) {
    let mut stopping = app.stopping();
    let every = Duration::from_micros(seat.lease.micros().unsigned_abs()) / BEATS_IN_LEASE;
    let mut beats = tokio::time::interval(every);
    let mut retired = false;
    loop {
        let turn = tokio::select! {
            _ = over.wait_for(|over| *over) => Turn::Over,
            _ = stopping.wait_for(|stop| *stop), if !retired => Turn::Stopping,
            _ = beats.tick() => Turn::Beat,
        };
        match turn {
            Turn::Over => break,
            Turn::Stopping => {
                retired = true;
                let node = app.door.node();
                tell(app.db.write_async(move |tx| nodes::retire(tx, node)).await);
            }
            Turn::Beat => tell(seat.beat(&app).await),
        }
    }
    // The last sign of life says when this run ended.
    tell(seat.beat(&app).await);
    let node = app.door.node();
    tell(app.db.write_async(move |tx| nodes::leave(tx, node)).await);
}

fn tell(done: Result<(), StoreError>) {
    if let Err(e) = done {
        tracing::warn!("what a node does now and then could not be done: {e}");
    }
}

/// Rings the bell of this process for what others commit on the same database.
pub(super) async fn listen(app: App, seat: std::sync::Arc<Seat>) {
    if !app.db.is_shared() {
        return;
    }
    let mut stopping = app.stopping();
    let mut seen = None;
    loop {
        tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(LISTEN_EVERY) => {}
        }
        if seat.share().leads() {
            tell(app.db.write_async(|tx| statistics::refresh(tx).map(drop)).await);
        }
        // An error is another one's to tell.
        let Ok(now) = app.db.read_async(health::change_number).await else { continue };
        if seen.replace(now).is_some_and(|before| before != now) {
            app.db.ring();
        }
    }
}

/// What time it is here and at the database. On the way the difference between both clocks is measured.
fn moment(app: &App, tx: &mut Tx, lease: Span) -> Result<Moment, StoreError> {
    let sent = app.clock.real();
    let Some(clock) = health::clock(tx)? else {
        return Ok(Moment { now: app.clock.now(), clock: app.clock.real(), lease });
    };
    let received = app.clock.real();
    let offset = clock - (sent + Span::from_micros((received - sent).micros() / 2));
    let apart = (offset.micros() - app.clock.offset().micros()).abs();
    if apart > OFFSET_NOISE.micros() + (received - sent).micros() {
        app.clock.set_offset(offset);
    }
    Ok(Moment { now: app.clock.now(), clock, lease })
}

/// Two servers with one data folder would take themselves for the same node.
fn lock_folder(app: &App) -> Result<Option<File>, StoreError> {
    if !app.db.is_shared() {
        // The database's file is locked already.
        return Ok(None);
    }
    let path = app.config.server.data.join("server.lock");
    let file = File::create(&path).map_err(|e| unusable(app, &e))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(std::fs::TryLockError::WouldBlock) => {
            let why = format!(
                "another server runs with the data folder {}: give each server on one database a folder of its own (--data), \
                 with a copy of the same secret.key",
                app.config.server.data.display()
            );
            Err(StoreError::Unavailable { why, commit_unknown: false })
        }
        Err(std::fs::TryLockError::Error(e)) => Err(unusable(app, &e)),
    }
}

fn unusable(app: &App, e: &io::Error) -> StoreError {
    let why = format!("the data folder {} cannot be used: {e}", app.config.server.data.display());
    StoreError::Unavailable { why, commit_unknown: false }
}
