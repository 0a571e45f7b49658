//! `cadenza bench drip`: everybody gets three mails, all due at once, over twenty mailboxes without caps, by SMTP, with every
//! gate, limiter, counter, history line and durable mark that there is in earnest. The clock runs from the engine's start to
//! the answer to the last mail.

use super::furnish::{self, Furnished, STEPS, Smtp};
use super::meter;
use crate::actions::Caller;
use crate::app::App;
use crate::commands::{Ended, Failure, open, print};
use crate::config::{Config, Flags};
use crate::engine::{Engine, Limits};
use crate::mail::smtp::{Account, Auth, HeloName, Reach, Security, Timeouts, Trust, probe};
use cadenza_core::time::Span;
use cadenza_store::{door, health, sequences, workspaces};
use serde::Serialize;
use std::path::PathBuf;
use std::time::Duration;

/// Between two looks at how far it is.
const LOOK: Duration = Duration::from_millis(50);
/// Without one more mail in so long, something is wrong and is said.
const STANDSTILL: Duration = Duration::from_secs(60);
/// Where a measured installation is made unless told otherwise; taken away at the end.
const FOLDER: &str = "cadenza-bench";

/// Send three mails to each of many contacts, as fast as it goes
///
/// The recipients are under bench.invalid, where nobody is: give a server that throws mail away, such as Postfix's smtp-sink.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How many people get three mails each
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub contacts: u32,
    /// The mail server to send by
    #[arg(long, value_name = "HOST:PORT", value_parser = server)]
    pub smtp: Smtp,
    /// Over how many mailboxes
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub mailboxes: u32,
    /// Connections of each mailbox to its server; `serve` opens 1 where the configuration does not say otherwise
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub connections: u32,
    /// Messages past their final mark at one moment; `serve` lets 8 where the configuration does not say otherwise
    #[arg(long, value_name = "N", default_value_t = 480, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub dot_permits: u32,
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
    contacts: u32,
    /// Mails that the server took.
    steps: i64,
    seconds: f64,
    steps_per_s: f64,
    /// Of this process: the database's too where it is a file, else not.
    cpu_s_per_1k: Option<f64>,
    peak_rss_mb: Option<f64>,
    mailboxes: u32,
    connections: u32,
    dot_permits: usize,
    /// Before the clock ran: how fast they were enrolled.
    enrolled_per_s: f64,
}

pub async fn run(args: &Args, flags: &Flags) -> Result<Ended, Failure> {
    let mut flags = flags.clone();
    let data = flags.data.get_or_insert_with(|| PathBuf::from(FOLDER)).clone();
    let config = Config::load(&flags)?;
    crate::commands::logging::start_quiet(&config.log, &flags)?;
    greets(&args.smtp).await?;
    if data.exists() {
        let why =
            "it exists; the bench makes its own folder and takes it away again: name one that does not, with --data";
        return Err(Failure::said(format!("{}: {why}", data.display())));
    }
    let done = measured(args, config).await;
    let cleared = std::fs::remove_dir_all(&data);
    let measured = done?;
    cleared.map_err(|e| Failure::file(&data, e))?;
    tell(args, &measured)?;
    Ok(Ended::Well)
}

/// A server that is not there is said before anything is made.
async fn greets(smtp: &Smtp) -> Result<(), Failure> {
    let account = Account {
        host: smtp.host.clone(),
        port: smtp.port,
        security: Security::None,
        auth: Auth::None,
        helo: HeloName::new("bench.invalid").map_err(Failure::said)?,
        timeouts: Timeouts { connect: Duration::from_secs(5), command: Duration::from_secs(5), ..Timeouts::default() },
        trust: Trust::system().map_err(Failure::said)?,
        reach: Reach::anywhere(),
    };
    let found = probe(&account, &crate::clock::Clock::system()).await;
    found.map(drop).map_err(|e| Failure::said(format!("--smtp {}:{}: {e}", smtp.host, smtp.port)))
}

async fn measured(args: &Args, config: Config) -> Result<Measured, Failure> {
    let limits = Limits {
        dot_permits: args.dot_permits as usize,
        claimed_max: config.mail.claimed_max,
        connections_per_mailbox: args.connections as usize,
        ..Limits::default()
    };
    let app = open::open(config).await?;
    app.listens_on(app.config.server.listen);
    if app.db.read_async(workspaces::any).await? {
        let why = "it holds a workspace: the bench fills a database of its own; give an empty one with --database";
        return Err(Failure::said(format!("{}: {why}", app.db.url())));
    }
    let (furnished, caller) = furnish::furnish(&app, &args.smtp, args.mailboxes as usize).await?;
    let enrolling = furnish::enroll(&app, &caller, furnished, args.contacts as usize).await?;
    let wanted = i64::from(args.contacts) * STEPS as i64;

    let cpu_before = meter::cpu_seconds();
    let watch = app.clock.stopwatch();
    let engine = Engine::start(&app, limits).await?;
    let sent = until_sent(&app, furnished, wanted).await;
    let seconds = watch.elapsed().as_secs_f64();
    let cpu = meter::cpu_seconds().zip(cpu_before).map(|(now, before)| now - before);
    // Before the recount, which holds every enrollment at once.
    let memory = meter::peak_memory_mb();
    app.stop();
    engine.stopped().await;
    let steps = sent?;
    counted_right(&app, &caller, furnished).await?;
    let thousands = steps as f64 / 1_000.0;
    Ok(Measured {
        bench: "drip",
        database: app.db.url().to_string(),
        contacts: args.contacts,
        steps,
        seconds: rounded(seconds),
        steps_per_s: (steps as f64 / seconds).round(),
        cpu_s_per_1k: cpu.map(|s| rounded(s / thousands)),
        peak_rss_mb: memory.map(f64::round),
        mailboxes: args.mailboxes,
        connections: args.connections,
        dot_permits: limits.dot_permits,
        enrolled_per_s: (f64::from(args.contacts) / enrolling).round(),
    })
}

/// Waits until the counters say that all were sent.
async fn until_sent(app: &App, of: Furnished, wanted: i64) -> Result<i64, Failure> {
    let (mut sent, mut since) = (0, app.clock.stopwatch());
    loop {
        let now = app.db.read_async(move |q| sequences::sent(q, of.workspace, of.sequence)).await?;
        if now >= wanted {
            return Ok(now);
        }
        if now != sent {
            (sent, since) = (now, app.clock.stopwatch());
        }
        if since.elapsed() > STANDSTILL {
            let (at, late) = (app.clock.now(), Span::seconds(1));
            let left = app.db.read_async(move |q| health::backlog(q, at, late)).await?;
            let what = format!(
                "due {}, under way {}, unknown {}, blocked {:?}",
                left.due, left.under_way, left.unknown, left.blocked
            );
            return Err(Failure::said(format!("it stands still at {sent} of {wanted} mails: {what}")));
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// A figure is worth nothing where the work was done wrong (INV-5).
async fn counted_right(app: &App, caller: &Caller, of: Furnished) -> Result<(), Failure> {
    let w = caller.workspace;
    match app.db.read_async(move |q| door::miscounted(q, w, of.sequence)).await?.as_slice() {
        [] => Ok(()),
        wrong => Err(Failure::said(format!("the counters are not what a recount gives: {wrong:?}"))),
    }
}

fn tell(args: &Args, m: &Measured) -> Result<(), Failure> {
    if args.json {
        return print::line(serde_json::to_string(m).map_err(Failure::said)?);
    }
    let or = |value: Option<f64>| value.map_or_else(|| "unknown".to_owned(), |v| v.to_string());
    print::line(format_args!("{} mails in {} s: {} a second", m.steps, m.seconds, m.steps_per_s))?;
    print::line(format_args!("{} CPU seconds for 1,000, {} MB at most", or(m.cpu_s_per_1k), or(m.peak_rss_mb)))?;
    print::line(format_args!(
        "{} mailboxes with {} connections each, {} past their final mark at once at most; {} enrolled a second before; {}",
        m.mailboxes, m.connections, m.dot_permits, m.enrolled_per_s, m.database
    ))
}

/// Three digits behind the point.
fn rounded(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}

/// `HOST:PORT`, or `[IPV6]:PORT`.
fn server(text: &str) -> Result<Smtp, String> {
    let expected = "expected HOST:PORT, such as 127.0.0.1:2525";
    let (host, port) = text.rsplit_once(':').ok_or(expected)?;
    let port = port.parse::<u16>().ok().filter(|port| *port > 0).ok_or(expected)?;
    let host = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
    if host.is_empty() || host.contains(char::is_whitespace) {
        return Err(expected.to_owned());
    }
    Ok(Smtp { host: host.to_owned(), port })
}
