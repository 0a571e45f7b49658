//! `cadenza bench tick`: what a due step costs while many others wait for later. Some people's mails become due together, again
//! and again, each time a day later by *Skip ahead*, and go to the sandbox through the whole engine; everybody else waits. The
//! same is done in a second, small installation in turns with the first, so that both meet the same moods of the machine.

use super::furnish;
use super::meter::{self, Spent, Stretch, rounded, shown};
use super::site;
use crate::actions::Caller;
use crate::app::App;
use crate::commands::{Ended, Failure, print};
use crate::config::{Config, Flags};
use crate::engine::{Engine, Limits};
use cadenza_core::ids::SequenceId;
use cadenza_core::time::Span;
use cadenza_store::{door, sequences};
use serde::Serialize;

/// Those who become due are spread among the waiting in so many groups of neighbours, as lists come in.
const GROUPS: usize = 20;
/// From one due step to the next, and a little more: a step is due a day after the one before it was sent.
const AHEAD: Span = Span::minutes(24 * 60 + 10);

/// Measure what a due step costs while many others wait for later
///
/// Mail goes to the sandbox: no mail server takes part.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How many people wait for later
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=5_000_000))]
    pub waiting: u32,
    /// How many wait in the small installation that the large one is compared with
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=5_000_000))]
    pub against: u32,
    /// How many people's steps become due at once
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub due: u32,
    /// How often they do
    #[arg(long, value_name = "N", default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..=90))]
    pub rounds: u32,
    /// Where the small installation is, if the large one's database is on a server [default: none to compare with]
    #[arg(long, value_name = "URL")]
    pub against_database: Option<String>,
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
    #[serde(flatten)]
    cost: Cost,
    #[serde(skip_serializing_if = "Option::is_none")]
    against: Option<Cost>,
    /// So many times the cost in the small installation.
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio: Option<f64>,
    peak_rss_mb: Option<f64>,
}

/// Of a step in one installation; of the middle one of all rounds.
#[derive(Debug, Clone, Serialize)]
struct Cost {
    waiting: u32,
    steps: i64,
    us_per_step: f64,
    /// Of this process: the database's too where it is a file, else not.
    cpu_us_per_step: Option<f64>,
}

/// One installation at work.
struct Side {
    app: App,
    caller: Caller,
    engine: Engine,
    waiting: u32,
    /// Where nobody's step is due during the measuring, and where everybody's is.
    later: SequenceId,
    due: SequenceId,
    rounds: Vec<Spent>,
}

pub async fn run(args: &Args, flags: &Flags) -> Result<Ended, Failure> {
    let m = site::on_a_new_site(flags, async |config| measured(args, config).await).await?;
    if args.json {
        print::line(serde_json::to_string(&m).map_err(Failure::said)?)?;
        return Ok(Ended::Well);
    }
    for cost in [Some(&m.cost), m.against.as_ref()].into_iter().flatten() {
        let Cost { waiting, steps, us_per_step, cpu_us_per_step } = cost;
        let cpu = shown(*cpu_us_per_step);
        print::line(format_args!("{waiting} waiting: {us_per_step} µs a step, {cpu} µs of CPU; {steps} steps"))?;
    }
    if let Some(ratio) = m.ratio {
        print::line(format_args!("{ratio} times the cost of a step in the small installation"))?;
    }
    print::line(format_args!("{} MB at most; {}", shown(m.peak_rss_mb), m.database))?;
    Ok(Ended::Well)
}

async fn measured(args: &Args, config: Config) -> Result<Measured, Failure> {
    let mut sides = Vec::new();
    if let Some(small) = beside(args, &config)? {
        sides.push(Side::furnished(small, args.against, args).await?);
    }
    sides.push(Side::furnished(config, args.waiting, args).await?);
    for _ in 0..args.rounds {
        for side in &mut sides {
            side.round(args.due).await?;
        }
    }
    // Before the recount, which holds every enrollment at once.
    let memory = meter::peak_memory_mb();
    let (mut costs, mut database) = (Vec::new(), String::new());
    for side in sides {
        database = side.app.db.url().to_string();
        costs.push(side.ended(args.due).await?);
    }
    let cost = costs.pop().ok_or_else(|| Failure::said("nothing was measured"))?;
    let against = costs.pop();
    let ratio = against.as_ref().map(|small| rounded(cost.us_per_step / small.us_per_step));
    Ok(Measured { bench: "tick", database, cost, against, ratio, peak_rss_mb: memory })
}

/// The small installation: in a folder within the other's, so that it goes with it.
fn beside(args: &Args, config: &Config) -> Result<Option<Config>, Failure> {
    let mut small = config.clone();
    small.server.data = config.server.data.join("against");
    small.server.database = args.against_database.clone().unwrap_or_default();
    if args.against_database.is_none() && !config.server.database.is_empty() {
        return Ok(None);
    }
    if small.database_url() == config.database_url() {
        return Err(Failure::said("--against-database names the database that --database names: give each its own"));
    }
    Ok(Some(small))
}

impl Side {
    async fn furnished(config: Config, waiting: u32, args: &Args) -> Result<Side, Failure> {
        let app = site::opened(config).await?;
        let caller = furnish::workspace(&app).await?;
        let later = furnish::sequence(&app, &caller, "Later", &["1000 days"]).await?;
        let delays = vec!["1 day"; args.rounds as usize];
        let due = furnish::sequence(&app, &caller, "Due", &delays).await?;
        let limits = Limits { dot_permits: 160, connections_per_mailbox: 64, ..Limits::default() };
        // At work meanwhile: everybody's first step is planned by it.
        let engine = Engine::start(&app, limits).await?;
        let mut number = 0;
        for group in 0..GROUPS {
            for (into, all) in [(later, waiting), (due, args.due)] {
                let (from, to) = (all as usize * group / GROUPS, all as usize * (group + 1) / GROUPS);
                for first in (from..to).step_by(furnish::CHUNK) {
                    let count = furnish::CHUNK.min(to - first);
                    let some = furnish::contacts(&app, &caller, number..number + count).await?;
                    furnish::enroll(&app, &caller, into, some).await?;
                    number += count;
                }
            }
        }
        let side = Side { app, caller, engine, waiting, later, due, rounds: Vec::new() };
        side.until_planned().await?;
        Ok(side)
    }

    /// Waits until everybody has a step that is due later.
    async fn until_planned(&self) -> Result<(), Failure> {
        let (app, mut watch) = (&self.app, site::Watch::new(&self.app));
        loop {
            let now = app.clock.now();
            if app.db.read_async(move |q| door::rest(q, now)).await? != door::Rest::Not {
                return Ok(());
            }
            let pending = self.figure("state:pending").await?;
            watch.look_again(-pending, 0).await?;
        }
    }

    async fn figure(&self, name: &'static str) -> Result<i64, Failure> {
        let mut sum = 0;
        for sequence in [self.later, self.due] {
            sum += site::figure(&self.app, &self.caller, sequence, name).await?;
        }
        Ok(sum)
    }

    /// Lets a day pass and everybody's next step be done.
    async fn round(&mut self, due: u32) -> Result<(), Failure> {
        let (app, w, sequence) = (&self.app, self.caller.workspace, self.due);
        let mut watch = site::Watch::new(app);
        let wanted = i64::from(due) * (self.rounds.len() as i64 + 1);
        let stretch = Stretch::begin(&app.clock);
        app.clock.skip_ahead(AHEAD);
        loop {
            let sent = app.db.read_async(move |q| sequences::sent(q, w, sequence)).await?;
            if sent >= wanted {
                break;
            }
            watch.look_again(sent, wanted).await?;
        }
        self.rounds.push(stretch.end());
        Ok(())
    }

    /// Stops the engine and looks whether the work was done right: who was to wait still does.
    async fn ended(self, due: u32) -> Result<Cost, Failure> {
        self.app.stop();
        self.engine.stopped().await;
        for sequence in [self.later, self.due] {
            site::counted_right(&self.app, &self.caller, sequence).await?;
        }
        let active = site::figure(&self.app, &self.caller, self.later, "state:active").await?;
        let sent = site::figure(&self.app, &self.caller, self.later, "emails").await?;
        if (active, sent) != (i64::from(self.waiting), 0) {
            return Err(Failure::said(format!(
                "{active} wait and {} were to, and {sent} mails went out",
                self.waiting
            )));
        }
        let each = |seconds: f64| rounded(seconds * 1_000_000.0 / f64::from(due));
        Ok(Cost {
            waiting: self.waiting,
            steps: i64::from(due) * self.rounds.len() as i64,
            us_per_step: each(middle(self.rounds.iter().map(|r| r.seconds).collect())),
            cpu_us_per_step: self
                .rounds
                .iter()
                .map(|r| r.cpu_seconds)
                .collect::<Option<Vec<_>>>()
                .map(middle)
                .map(each),
        })
    }
}

fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
