//! `cadenza bench`: how fast the real thing is on this machine. Everything is in the path that is there in earnest, and what
//! was measured is checked afterwards; nothing here is quicker than `serve`.

mod drip;
mod furnish;
mod meter;

use super::{Ended, Failure};
use crate::config::Flags;

/// Measure how fast this machine sends
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    Drip(drip::Args),
}

pub async fn run(args: Args, flags: &Flags) -> Result<Ended, Failure> {
    match args.command {
        Command::Drip(args) => drip::run(&args, flags).await,
    }
}
