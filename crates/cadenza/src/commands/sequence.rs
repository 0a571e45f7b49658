//! `cadenza sequence`: what SEQ-8 offers for a sequence, by name.

use super::ask::{self, Saying, Who};
use super::{Ended, Failure, print};
use crate::actions::Caller;
use crate::actions::sequences::{self, Arm, Hide, Senders, Start};
use crate::app::App;
use crate::config::Flags;
use cadenza_core::time::Time;
use serde::{Deserialize, Serialize};

/// Activate, pause, resume, end, reopen, archive sequences
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, clap::Args)]
pub struct Of {
    /// By name or id
    #[arg(value_name = "SEQUENCE")]
    pub sequence: String,
    #[command(flatten)]
    pub who: Who,
}

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Let a draft run, having checked its flow; with its begin still ahead it is paused
    Activate {
        #[command(flatten)]
        of: Of,
        /// Let it begin by itself at its date
        #[arg(long)]
        arm: bool,
        /// Let every step write from the primary user's mailbox
        #[arg(long)]
        move_senders: bool,
        /// Let it run although replies cannot stop it, where a mailbox that it writes from cannot be read
        #[arg(long)]
        accept_unreadable: bool,
    },
    Pause(Of),
    Resume(Of),
    /// End for good: whoever is in it is finished
    End {
        #[command(flatten)]
        of: Of,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Let go on what its end date has ended, with whoever the end finished
    Reopen {
        #[command(flatten)]
        of: Of,
        /// The later end date, such as 2027-04-01T17:00:00Z; without it, it has no end
        #[arg(long, value_name = "MOMENT")]
        until: Option<Time>,
    },
    /// Hide an ended sequence
    Archive(Of),
    /// Show an archived sequence again
    Unarchive(Of),
    /// Delete a draft
    Delete(Of),
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Wanted {
    Activate { arm: bool, move_senders: bool, accept_unreadable: bool },
    Pause,
    Resume,
    End,
    Reopen { until: Option<Time> },
    Archive,
    Unarchive,
    Delete,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Ask {
    sequence: String,
    wanted: Wanted,
}

pub async fn run(args: Args, flags: &Flags) -> Result<Ended, Failure> {
    let (of, wanted) = match args.command {
        Command::Activate { of, arm, move_senders, accept_unreadable } => {
            (of, Wanted::Activate { arm, move_senders, accept_unreadable })
        }
        Command::Pause(of) => (of, Wanted::Pause),
        Command::Resume(of) => (of, Wanted::Resume),
        Command::End { of, yes } => {
            if !yes && !print::confirmed("This finishes everybody who is in it, for good. Go on?") {
                return Err(Failure::said("nothing was done: say --yes where nobody can be asked"));
            }
            (of, Wanted::End)
        }
        Command::Reopen { of, until } => (of, Wanted::Reopen { until }),
        Command::Archive(of) => (of, Wanted::Archive),
        Command::Unarchive(of) => (of, Wanted::Unarchive),
        Command::Delete(of) => (of, Wanted::Delete),
    };
    ask::ask(flags, &of.who, ask::Ask::Sequence(Ask { sequence: of.sequence, wanted })).await
}

pub async fn answer(app: &App, caller: &Caller, ask: Ask, saying: &Saying) -> Result<Ended, Failure> {
    let found = sequences::find(app, caller, &ask.sequence).await?;
    let id = found.id;
    match ask.wanted {
        Wanted::Activate { arm, move_senders, accept_unreadable } => {
            let arm = if arm { Arm::Now } else { Arm::Later };
            let offered = sequences::offer(app, caller, id).await?;
            let senders = if move_senders { Senders::PrimaryUser } else { Senders::Stay };
            let start = Start { arm, senders, unreadable: accept_unreadable.into() };
            sequences::activate_with(app, caller, id, start).await?;
            if let Some(offer) = offered.filter(|o| !move_senders && o.mailbox.is_some()) {
                let from = offer.mailbox.unwrap_or_default();
                let told = "steps write from another mailbox than the primary user's";
                saying.line(format!("{} {told} ({from}); --move-senders moves them", offer.steps)).await;
            }
        }
        Wanted::Pause => sequences::pause(app, caller, id).await?,
        Wanted::Resume => sequences::resume(app, caller, id).await?,
        Wanted::End => sequences::end(app, caller, id).await?,
        Wanted::Reopen { until } => {
            let reopened = sequences::reopen(app, caller, id, until).await?;
            saying.line(format!("{} go on, {} stay finished", reopened.followed, reopened.stayed)).await;
            for failure in reopened.failures {
                saying.line(format!("  {failure}")).await;
            }
        }
        Wanted::Archive => sequences::archive(app, caller, id, Hide::Yes).await?,
        Wanted::Unarchive => sequences::archive(app, caller, id, Hide::No).await?,
        Wanted::Delete => {
            sequences::delete(app, caller, id).await?;
            saying.line(format!("{:?} is deleted", found.name)).await;
            return Ok(Ended::Well);
        }
    }
    let now = sequences::find(app, caller, &id.to_string()).await?;
    saying.line(format!("{:?} is {}", now.name, now.state)).await;
    Ok(Ended::Well)
}
