//! `cadenza backup` and `cadenza restore`: the database into a file, and a file into the place of a database that is not
//! there. The key that opens stored passwords is in neither: whoever finds a backup shall not have the mailboxes as well.

use super::ask::{self, Saying, Who};
use super::place::Place;
use super::{Ended, Failure, print};
use crate::actions::{Caller, settings};
use crate::app::App;
use crate::config::{Config, Flags};
use crate::seal::Seal;
use cadenza_store::DatabaseUrl;
use cadenza_store::backup::{self, CopyError};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Copy the database into a file, while everything goes on
#[derive(Debug, clap::Args)]
pub struct BackupArgs {
    /// A file that does not exist yet
    #[arg(value_name = "TO")]
    pub to: PathBuf,
}

/// Put a backup in the place of a database that is gone; all sending is held until it is released
#[derive(Debug, clap::Args)]
pub struct RestoreArgs {
    /// What `cadenza backup` wrote
    #[arg(value_name = "FROM", required_unless_present = "release")]
    pub from: Option<PathBuf>,
    /// Let a workspace send again whose database was restored or copied
    #[arg(long, conflicts_with = "from")]
    pub release: bool,
    #[command(flatten)]
    pub who: Who,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// The path is absolute: a server has a folder of its own.
    Copy { to: PathBuf },
}

pub async fn backup(args: BackupArgs, flags: &Flags) -> Result<Ended, Failure> {
    let to = std::path::absolute(&args.to).map_err(|e| Failure::file(&args.to, e))?;
    ask::ask(flags, &Who::default(), ask::Ask::Backup(Ask::Copy { to })).await
}

pub async fn answer(app: &App, Ask::Copy { to }: Ask, saying: &Saying) -> Result<Ended, Failure> {
    let (db, path) = (app.db.clone(), to.clone());
    let made = tokio::task::spawn_blocking(move || backup::copy_to(&db, &path)).await.map_err(Failure::said)?;
    let copied = made.map_err(said)?;
    saying.line(format!("{}: {} bytes, checked and on disk", to.display(), copied.bytes)).await;
    let key = Seal::file(&app.config.server.data);
    saying
        .note(format!("the key that opens stored passwords is not in it: keep {} too, elsewhere", key.display()))
        .await;
    saying.note("a restored copy holds all sending until it is released: it does not know what was sent since").await;
    Ok(Ended::Well)
}

pub async fn restore(args: RestoreArgs, flags: &Flags) -> Result<Ended, Failure> {
    let Some(from) = args.from else {
        return ask::ask(flags, &args.who, ask::Ask::ReleaseRestored).await;
    };
    let config = Config::load(flags)?;
    let data = config.server.data.clone();
    if let Some(place) = Place::find(&data).map_err(|e| Failure::file(&super::place::file_in(&data), e))? {
        print::note(format_args!("(a server may run on this data folder, as process {})", place.process));
    }
    std::fs::create_dir_all(&data).map_err(|e| Failure::file(&data, e))?;
    let url: DatabaseUrl = config.database_url().parse()?;
    let shown = url.to_string();
    let path = from.clone();
    let made = tokio::task::spawn_blocking(move || backup::restore(&path, &url)).await.map_err(Failure::said)?;
    let copied = made.map_err(said)?;
    print::line(format_args!("{shown}: {} bytes, checked and on disk; all sending is held", copied.bytes))?;
    need_key(&data)?;
    print::note("start the server, look at what it would send, then `cadenza restore --release` lets it send");
    Ok(Ended::Well)
}

fn need_key(data: &Path) -> Result<(), Failure> {
    let file = Seal::file(data);
    if Seal::found(data).map_err(|e| Failure::file(&file, e))?.is_none() {
        print::note(format_args!(
            "put the key that was kept with the backup at {}: without it stored passwords do not open, and a new key is made \
             at the first start",
            file.display()
        ));
    }
    Ok(())
}

pub async fn release(app: &App, caller: &Caller, saying: &Saying) -> Result<Ended, Failure> {
    settings::release_restored(app, caller).await?;
    saying.line("released: what is due is sent at the usual pace").await;
    Ok(Ended::Well)
}

fn said(e: CopyError) -> Failure {
    Failure::Content(e.to_string().lines().map(str::to_owned).collect())
}
