//! Where a bench measures: an installation of its own, which must not be there before and is taken away again.

use crate::actions::Caller;
use crate::app::App;
use crate::clock::Stopwatch;
use crate::commands::{Failure, logging, open};
use crate::config::{Config, Flags};
use cadenza_core::ids::SequenceId;
use cadenza_core::time::Span;
use cadenza_store::{door, health, overview, workspaces};
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::watch;

/// Where a measured installation is made unless told otherwise.
const FOLDER: &str = "cadenza-bench";
/// Between two looks at how far it is, where no commit rings.
const LOOK: Duration = Duration::from_millis(50);
/// Without anything done in so long, something is wrong and is said.
const STANDSTILL: Duration = Duration::from_secs(60);

/// Measures in a folder that is taken away again, whatever came of it.
///
/// # Errors
/// The folder exists already; or what `measure` says.
pub async fn on_a_new_site<T>(
    flags: &Flags,
    measure: impl AsyncFnOnce(Config) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let mut flags = flags.clone();
    let data = flags.data.get_or_insert_with(|| PathBuf::from(FOLDER)).clone();
    let mut config = Config::load(&flags)?;
    // Where a bench's mail servers are.
    config.server.private_addresses = config.server.private_addresses.with_loopback();
    logging::start_quiet(&config.log, &flags)?;
    if data.exists() {
        let why =
            "it exists; the bench makes its own folder and takes it away again: name one that does not, with --data";
        return Err(Failure::said(format!("{}: {why}", data.display())));
    }
    let done = measure(config).await;
    let cleared = std::fs::remove_dir_all(&data);
    let measured = done?;
    cleared.map_err(|e| Failure::file(&data, e))?;
    Ok(measured)
}

/// Opens an installation that holds nothing yet.
///
/// # Errors
/// It holds a workspace.
pub async fn opened(config: Config) -> Result<App, Failure> {
    let app = open::open(config).await?;
    app.listens_on(app.config.server.listen);
    if app.db.read_async(workspaces::any).await? {
        let why = "it holds a workspace: the bench fills a database of its own; give an empty one with --database";
        return Err(Failure::said(format!("{}: {why}", app.db.url())));
    }
    Ok(app)
}

/// A figure is worth nothing where the work was done wrong (INV-5).
///
/// # Errors
/// A counter is not what a recount gives.
pub async fn counted_right(app: &App, caller: &Caller, sequence: SequenceId) -> Result<(), Failure> {
    let w = caller.workspace;
    match app.db.read_async(move |q| door::miscounted(q, w, sequence)).await?.as_slice() {
        [] => Ok(()),
        wrong => Err(Failure::said(format!("the counters are not what a recount gives: {wrong:?}"))),
    }
}

/// One figure of a sequence, as its counters have it.
///
/// # Errors
/// The database's.
pub async fn figure(app: &App, caller: &Caller, sequence: SequenceId, name: &'static str) -> Result<i64, Failure> {
    let w = caller.workspace;
    let found = app.db.read_async(move |q| overview::figures(q, w, sequence)).await?;
    Ok(found.get("").map_or(0, |figures| figures.of(name)))
}

/// Watches work that others do, and says so where it stands still.
#[derive(Debug)]
pub struct Watch<'a> {
    app: &'a App,
    commits: watch::Receiver<u64>,
    reached: i64,
    since: Stopwatch,
}

impl Watch<'_> {
    pub fn new(app: &App) -> Watch<'_> {
        let mut commits = app.commits();
        commits.mark_unchanged();
        Watch { app, commits, reached: 0, since: app.clock.stopwatch() }
    }

    /// Waits for the next commit, or for a moment. `now` is how much is done of `wanted`.
    ///
    /// # Errors
    /// Nothing was done for a minute.
    pub async fn look_again(&mut self, now: i64, wanted: i64) -> Result<(), Failure> {
        if now != self.reached {
            (self.reached, self.since) = (now, self.app.clock.stopwatch());
        }
        if self.since.elapsed() > STANDSTILL {
            let (at, late) = (self.app.clock.now(), Span::seconds(1));
            let left = self.app.db.read_async(move |q| health::backlog(q, at, late)).await?;
            let what = format!(
                "due {}, under way {}, unknown {}, blocked {:?}",
                left.due, left.under_way, left.unknown, left.blocked
            );
            return Err(Failure::said(format!("it stands still at {now} of {wanted}: {what}")));
        }
        // A commit since the last look rings at once; where none rings, the moment passes.
        let _ = tokio::time::timeout(LOOK, self.commits.changed()).await;
        Ok(())
    }
}
