//! `cadenza bench`: how fast the real thing is on this machine. Everything is in the path that is there in earnest, and what
//! was measured is checked afterwards; nothing here is quicker than `serve`.

mod drip;
mod enroll;
mod events;
mod furnish;
mod inbound;
mod meter;
mod others;
mod site;
mod tick;

use super::{Ended, Failure};
use crate::config::Flags;

/// Measure how fast this machine enrolls, sends, and takes events and mail
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    Drip(drip::Args),
    Enroll(enroll::Args),
    Tick(tick::Args),
    Events(events::Args),
    Inbound(inbound::Args),
}

pub async fn run(args: Args, flags: &Flags) -> Result<Ended, Failure> {
    match args.command {
        Command::Drip(args) => drip::run(&args, flags).await,
        Command::Enroll(args) => enroll::run(&args, flags).await,
        Command::Tick(args) => tick::run(&args, flags).await,
        Command::Events(args) => events::run(&args, flags).await,
        Command::Inbound(args) => inbound::run(&args, flags).await,
    }
}
