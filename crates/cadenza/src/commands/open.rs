//! Opens an installation: the data folder, its key, the database with its tables, the clock.

use super::Failure;
use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::seal::Seal;
use cadenza_store::{Database, DatabaseUrl, StoreError, migrations, schema, workspaces};
use std::fs;

/// Opens what the configuration names, making it at the first start.
///
/// # Errors
/// A data folder that cannot be written, a database that cannot be reached, is in use by another process or of another
/// version; a clock speed that makes no sense.
pub(crate) async fn open(config: Config) -> Result<App, Failure> {
    let clock = clock_of(&config)?;
    open_with(config, clock).await
}

/// As [`open`], with a clock of the caller's.
///
/// # Errors
/// As [`open`].
pub(crate) async fn open_with(config: Config, clock: Clock) -> Result<App, Failure> {
    let data = config.server.data.clone();
    fs::create_dir_all(&data).map_err(|e| Failure::file(&data, e))?;
    let seal = Seal::of_folder(&data, &clock).map_err(|e| Failure::file(&data, e))?;
    let url: DatabaseUrl = config.database_url().parse()?;
    // The blocking calls of the store want a thread of their own.
    let db = tokio::task::spawn_blocking(move || -> Result<Database, StoreError> {
        let db = Database::open(&url)?;
        migrations::migrate(&db, schema::SCHEMA)?;
        Ok(db)
    })
    .await
    .map_err(Failure::said)??;
    ready(db, clock, config, seal).await
}

/// Opens what is there and makes nothing: no folder, no key, no tables.
///
/// # Errors
/// As [`open`], and where the tables are not those of this program.
pub(crate) async fn look(config: Config, seal: Seal) -> Result<App, Failure> {
    let clock = clock_of(&config)?;
    let url: DatabaseUrl = config.database_url().parse()?;
    let db = tokio::task::spawn_blocking(move || -> Result<Database, StoreError> {
        let db = Database::open(&url)?;
        migrations::standing(&db, schema::SCHEMA)?;
        Ok(db)
    })
    .await
    .map_err(Failure::said)??;
    ready(db, clock, config, seal).await
}

fn clock_of(config: &Config) -> Result<Clock, Failure> {
    match config.server.time_scale {
        1.0 => Ok(Clock::system()),
        scale => Clock::scaled(scale).map_err(Failure::said),
    }
}

async fn ready(db: Database, clock: Clock, config: Config, seal: Seal) -> Result<App, Failure> {
    // A sandbox that skipped ahead goes on from where it was: its mails would lie in the future otherwise.
    let ahead = db.read_async(workspaces::all).await?.iter().map(|w| w.clock_ahead).max();
    clock.skip_ahead(ahead.unwrap_or_default());
    Ok(App::new(db, clock, config, seal))
}
