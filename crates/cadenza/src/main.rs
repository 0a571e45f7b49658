//! The program: reads the command line, runs what it asks for, and tells by its exit code how that went. What each command
//! does is in `commands`.

use anyhow::Context;
use cadenza::commands::Cli;
use clap::Parser;
use std::process::ExitCode;

fn main() -> anyhow::Result<ExitCode> {
    let cli = Cli::parse();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("the threads cannot be started")?;
    Ok(runtime.block_on(cli.run()))
}
