//! The command line (API-3): one file for each command. What a command changes it changes by `actions`, in the server that
//! holds the data folder where one runs, else in its own process. Nothing here decides.

mod apply;
mod ask;
mod backup;
mod bench;
mod classify;
pub mod console;
mod demo;
mod doctor;
mod enroll;
mod explain;
mod failure;
mod files;
mod import;
pub mod logging;
pub(crate) mod open;
mod operate;
pub mod place;
mod print;
mod reclassify;
mod rehearse;
mod sequence;
mod serve;
mod simulate;
mod user;

pub use failure::Failure;

use crate::config::Flags;
use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Cadenza takes people through outreach of many steps, each at the right moment, and stops when they answer.
#[derive(Debug, Parser)]
#[command(name = "cadenza", version, max_term_width = 100, arg_required_else_help = true)]
pub struct Cli {
    #[command(flatten)]
    pub flags: Flags,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Apply(apply::ApplyArgs),
    Export(apply::ExportArgs),
    Sequence(sequence::Args),
    Enroll(enroll::Args),
    Explain(explain::Args),
    Import(import::Args),
    User(user::Args),
    Doctor(doctor::Args),
    Backup(backup::BackupArgs),
    Bench(bench::Args),
    Restore(backup::RestoreArgs),
    Classify(classify::Args),
    Demo(demo::Args),
    Reclassify(reclassify::Args),
    Rehearse(rehearse::Args),
    Serve(serve::Args),
    Simulate(simulate::Args),
    #[command(flatten)]
    Operate(operate::Command),
}

/// How a command ended that did not fail: whether what it looked at was in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    Well,
    /// It was done, and what it found or could not do was said already.
    Badly,
}

impl Cli {
    /// Runs the command; failures go to the standard error with what would do.
    pub async fn run(self) -> ExitCode {
        match self.command.run(&self.flags).await {
            Ok(Ended::Well) => ExitCode::SUCCESS,
            Ok(Ended::Badly) => ExitCode::FAILURE,
            // Whoever reads our output has read enough.
            Err(Failure::Output(e)) if e.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
            Err(failure) => {
                print::error(&failure.lines().join("\n"));
                ExitCode::FAILURE
            }
        }
    }
}

impl Command {
    async fn run(self, flags: &Flags) -> Result<Ended, Failure> {
        match self {
            Command::Classify(args) => classify::run(&args),
            Command::Demo(args) => demo::run(&args, flags).await,
            Command::Rehearse(args) => rehearse::run(&args, flags).await,
            Command::Serve(args) => serve::run(&args, flags).await,
            Command::Apply(args) => apply::apply(args, flags).await,
            Command::Export(args) => apply::export(args, flags).await,
            Command::Sequence(args) => sequence::run(args, flags).await,
            Command::Doctor(args) => doctor::run(args, flags).await,
            Command::Backup(args) => backup::backup(args, flags).await,
            Command::Restore(args) => backup::restore(args, flags).await,
            Command::Bench(args) => bench::run(args, flags).await,
            Command::Enroll(args) => enroll::run(args, flags).await,
            Command::Explain(args) => explain::run(args, flags).await,
            Command::Import(args) => import::run(args, flags).await,
            Command::Reclassify(args) => reclassify::run(args, flags).await,
            Command::Operate(command) => operate::run(command, flags).await,
            Command::Simulate(args) => simulate::simulate(&args),
            Command::User(args) => user::run(args, flags).await,
        }
    }
}
