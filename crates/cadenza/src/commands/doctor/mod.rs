//! `cadenza doctor`: looks at an installation when something seems wrong, and says line by line what is in order and what is
//! not. It changes nothing, sends no mail, and goes on past what it cannot reach.

mod findings;
mod inside;
mod mailboxes;
mod outside;

pub use findings::{Findings, Level};

use super::ask::{self, Asked, Said, Saying, Who};
use super::console::{self, Reached};
use super::place::Place;
use super::{Ended, Failure, logging, open, print};
use crate::app::App;
use crate::config::{Config, Flags};
use crate::seal::Seal;
use serde::{Deserialize, Serialize};

/// Look for what is wrong with an installation: machine, database, mailboxes, engine
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Do not connect to mail servers
    #[arg(long)]
    pub offline: bool,
    /// Also compare every index with its table, counters with a recount, and states with their history; takes its time
    #[arg(long)]
    pub thorough: bool,
    /// One JSON object: findings, and how many of each level
    #[arg(long)]
    pub json: bool,
}

/// How closely to look.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Ask {
    offline: bool,
    thorough: bool,
    /// Whether the server of the data folder answers this, so that an engine is at work.
    served: bool,
}

pub async fn run(args: Args, flags: &Flags) -> Result<Ended, Failure> {
    let mut findings = Findings::default();
    match Config::load(flags) {
        Ok(config) => look(&mut findings, config, &args, flags).await?,
        Err(e) => findings.error("configuration", e.to_string().lines().collect::<Vec<_>>().join(" ")),
    }
    let errors = findings.count(Level::Error);
    if args.json {
        print::line(findings.to_json())?;
    } else {
        for finding in findings.all() {
            print::line(finding)?;
        }
        let warnings = findings.count(Level::Warning);
        print::note(format_args!("{errors} errors, {warnings} warnings"));
    }
    Ok(if errors == 0 { Ended::Well } else { Ended::Badly })
}

async fn look(findings: &mut Findings, config: Config, args: &Args, flags: &Flags) -> Result<(), Failure> {
    logging::start_quiet(&config.log, flags)?;
    let data = config.server.data.clone();
    findings.ok("configuration", format!("read; data folder {}", data.display()));
    outside::folder(findings, &data);
    let seal = outside::key(findings, &data);
    let mut ask = Ask { offline: args.offline, thorough: args.thorough, served: true };
    let place = match Place::find(&data) {
        Ok(place) => place,
        Err(e) => {
            findings.error("server", e.to_string());
            None
        }
    };
    if let Some(place) = place {
        let mut heard = None;
        let asked = Asked { who: Who::default(), ask: ask::Ask::Doctor(ask) };
        let mut hear = |said| {
            if let Said::Value(value) = said {
                heard = Some(value);
            }
            Ok(())
        };
        match console::put(&place, &asked, &mut hear).await {
            Ok(Reached::Ended(_)) => {
                findings.ok("server", format!("runs as process {}", place.process));
                outside::addresses(findings, &config, outside::Listening::Served);
                let told: Findings = serde_json::from_value(heard.unwrap_or_default()).map_err(Failure::said)?;
                findings.take(told);
                return Ok(());
            }
            Ok(Reached::Nobody) => {
                let why = "stopped without saying so; the next start cleans up after it";
                findings.warning("server", format!("the server of this data folder {why}"));
            }
            Err(e) => findings.error("server", e.lines().join("; ")),
        }
    } else {
        findings.warning("server", "none runs on this data folder: nothing is sent, and nothing comes in");
    }
    outside::addresses(findings, &config, outside::Listening::Nobody);
    let Some(seal) = seal else { return Ok(()) };
    if !outside::database_exists(findings, &config) {
        return Ok(());
    }
    ask.served = false;
    match open::look(config, seal).await {
        Ok(app) => inside::look(findings, &app, ask).await,
        Err(e) => findings.error("database", e.lines().join("; ")),
    }
    Ok(())
}

/// The part that the process does which has the database open.
pub async fn answer(app: &App, ask: Ask, saying: &Saying) -> Result<Ended, Failure> {
    let mut findings = Findings::default();
    inside::look(&mut findings, app, ask).await;
    saying.value(serde_json::to_value(&findings).map_err(Failure::said)?).await;
    Ok(Ended::Well)
}

/// Where no key was found: nothing opens with it, which is what is to be seen.
fn no_key() -> Seal {
    Seal::with_key([0; 32])
}
