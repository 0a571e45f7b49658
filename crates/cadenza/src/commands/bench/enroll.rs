//! `cadenza bench enroll`: contacts that are there already are enrolled into a running sequence, in bulks as large as the
//! workspace allows, through the door with every guard that there is in earnest. The clock runs while they are enrolled; what
//! is due is left to be done.

use super::furnish;
use super::meter::{self, Stretch, rounded, shown};
use super::site;
use crate::commands::{Ended, Failure, print};
use crate::config::{Config, Flags};
use cadenza_store::workspaces;
use serde::Serialize;

/// Enroll many contacts into a running sequence, as fast as it goes
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How many people are enrolled
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=5_000_000))]
    pub contacts: u32,
    /// One JSON object
    #[arg(long)]
    pub json: bool,
}

/// What was measured.
#[derive(Debug, Clone, Serialize)]
struct Measured {
    bench: &'static str,
    /// Where, without password.
    database: String,
    enrolled: i64,
    seconds: f64,
    per_s: f64,
    /// Of this process: the database's too where it is a file, else not.
    cpu_s_per_1k: Option<f64>,
    peak_rss_mb: Option<f64>,
}

pub async fn run(args: &Args, flags: &Flags) -> Result<Ended, Failure> {
    let m = site::on_a_new_site(flags, async |config| measured(args, config).await).await?;
    if args.json {
        print::line(serde_json::to_string(&m).map_err(Failure::said)?)?;
        return Ok(Ended::Well);
    }
    print::line(format_args!("{} enrolled in {} s: {} a second", m.enrolled, m.seconds, m.per_s))?;
    let (cpu, memory) = (shown(m.cpu_s_per_1k), shown(m.peak_rss_mb));
    print::line(format_args!("{cpu} CPU seconds for 1,000, {memory} MB at most; {}", m.database))?;
    Ok(Ended::Well)
}

async fn measured(args: &Args, config: Config) -> Result<Measured, Failure> {
    let app = site::opened(config).await?;
    let caller = furnish::workspace(&app).await?;
    let sequence = furnish::sequence(&app, &caller, "Enroll", &["none", "3 days", "5 days"]).await?;
    let everybody = furnish::contacts(&app, &caller, 0..args.contacts as usize).await?;
    let w = caller.workspace;
    let bulk = app.db.read_async(move |q| workspaces::settings(q, w)).await?.bulk_enroll_max;

    let stretch = Stretch::begin(&app.clock);
    for some in everybody.chunks(bulk as usize) {
        furnish::enroll(&app, &caller, sequence, some.to_vec()).await?;
    }
    let spent = stretch.end();
    // Before the recount, which holds every enrollment at once.
    let memory = meter::peak_memory_mb();
    let enrolled = site::figure(&app, &caller, sequence, "enrolled").await?;
    if enrolled != i64::from(args.contacts) {
        return Err(Failure::said(format!("{enrolled} are enrolled and {} were to be", args.contacts)));
    }
    site::counted_right(&app, &caller, sequence).await?;
    Ok(Measured {
        bench: "enroll",
        database: app.db.url().to_string(),
        enrolled,
        seconds: rounded(spent.seconds),
        per_s: spent.rate(enrolled),
        cpu_s_per_1k: spent.cpu_s_per_1k(enrolled),
        peak_rss_mb: memory,
    })
}
