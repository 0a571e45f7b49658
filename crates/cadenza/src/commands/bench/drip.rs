//! `cadenza bench drip`: everybody gets three mails, all due at once, over twenty mailboxes without caps, by SMTP, with every
//! gate, limiter, counter, history line and durable mark that there is in earnest. The clock runs from the engine's start to
//! the answer to the last mail.

use super::furnish::{self, CHUNK, Smtp};
use super::meter::{self, Stretch, rounded, shown};
use super::others::{self, Others};
use super::site;
use crate::actions::Caller;
use crate::app::App;
use crate::commands::{Ended, Failure, print};
use crate::config::{Config, Flags};
use crate::engine::{Engine, Limits};
use crate::mail::smtp::{Account, Auth, HeloName, Reach, Security, Timeouts, Trust, probe};
use cadenza_core::ids::SequenceId;
use cadenza_store::sequences;
use serde::Serialize;
use std::time::Duration;

/// Mails that everybody gets, all due at once.
const DELAYS: [&str; 3] = ["none"; 3];
/// Between two looks at how far it is: seldom, so that looking takes no part in it.
const LOOK: Duration = Duration::from_millis(50);
/// After all nodes were seen, until they share the work.
const LEVELLED: Duration = Duration::from_secs(others::LEASE_SECONDS as u64);

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
    /// How many nodes share the work, on PostgreSQL; the others are processes of their own
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=16))]
    pub nodes: u32,
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
    /// With several nodes: the same for the time when all of them were at work.
    #[serde(skip_serializing_if = "Option::is_none")]
    together_per_s: Option<f64>,
    nodes: u32,
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
    let measured = site::on_a_new_site(flags, async |config| {
        others::possible(&config, args.nodes)?;
        greets(&args.smtp, &config.server.private_addresses).await?;
        measured(args, config).await
    });
    tell(args, &measured.await?)?;
    Ok(Ended::Well)
}

/// A server that is not there is said before anything is made.
async fn greets(smtp: &Smtp, reach: &Reach) -> Result<(), Failure> {
    let account = Account {
        host: smtp.host.clone(),
        port: smtp.port,
        security: Security::None,
        auth: Auth::None,
        helo: HeloName::new("bench.invalid").map_err(Failure::said)?,
        timeouts: Timeouts { connect: Duration::from_secs(5), command: Duration::from_secs(5), ..Timeouts::default() },
        trust: Trust::system().map_err(Failure::said)?,
        reach: reach.clone(),
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
    let mut config = config;
    if args.nodes > 1 {
        config.nodes.lease_seconds = others::LEASE_SECONDS;
    }
    let app = site::opened(config).await?;
    let caller = furnish::workspace(&app).await?;
    furnish::mailboxes(&app, &caller, &args.smtp, args.mailboxes as usize).await?;
    let sequence = furnish::sequence(&app, &caller, "Drip", &DELAYS).await?;
    let enrolling = enroll(&app, &caller, sequence, args.contacts as usize).await?;
    let wanted = i64::from(args.contacts) * DELAYS.len() as i64;

    let stretch = Stretch::begin(&app.clock);
    let engine = Engine::start(&app, limits).await?;
    let mut others = Others::start(&app, args.nodes as usize - 1, &limits)?;
    let sent = until_sent(&app, &caller, sequence, wanted, &mut others).await;
    let spent = stretch.end();
    drop(others);
    // Before the recount, which holds every enrollment at once.
    let memory = meter::peak_memory_mb();
    app.stop();
    engine.stopped().await;
    let (steps, together_per_s) = sent?;
    site::counted_right(&app, &caller, sequence).await?;
    Ok(Measured {
        bench: "drip",
        database: app.db.url().to_string(),
        contacts: args.contacts,
        steps,
        seconds: rounded(spent.seconds),
        steps_per_s: spent.rate(steps),
        together_per_s,
        nodes: args.nodes,
        cpu_s_per_1k: spent.cpu_s_per_1k(steps),
        peak_rss_mb: memory,
        mailboxes: args.mailboxes,
        connections: args.connections,
        dot_permits: limits.dot_permits,
        enrolled_per_s: (f64::from(args.contacts) / enrolling).round(),
    })
}

/// Makes the contacts and enrolls them. Answers how many seconds the enrolling took.
async fn enroll(app: &App, caller: &Caller, into: SequenceId, count: usize) -> Result<f64, Failure> {
    let mut seconds = 0.0;
    for first in (0..count).step_by(CHUNK) {
        let subjects = furnish::contacts(app, caller, first..count.min(first + CHUNK)).await?;
        let watch = app.clock.stopwatch();
        furnish::enroll(app, caller, into, subjects).await?;
        seconds += watch.elapsed().as_secs_f64();
    }
    Ok(seconds)
}

/// Waits until the counters say that all were sent. Answers how many, and how many a second from the moment when all nodes had
/// their share to when nine tenths were sent: a node that has run out of work is none.
async fn until_sent(
    app: &App,
    caller: &Caller,
    sequence: SequenceId,
    wanted: i64,
    others: &mut Others,
) -> Result<(i64, Option<f64>), Failure> {
    let (w, mut watch) = (caller.workspace, site::Watch::new(app));
    let (clock, several) = (app.clock.stopwatch(), !others.are_none());
    let (mut there_at, mut from, mut rate) = (None, None, None);
    loop {
        let now = app.db.read_async(move |q| sequences::sent(q, w, sequence)).await?;
        let at = clock.elapsed();
        if several && there_at.is_none() && others.are_there(app).await? {
            there_at = Some(at);
        }
        // Shares are levelled at the sign of life that follows.
        if from.is_none() && there_at.is_some_and(|there| at - there >= LEVELLED) {
            from = Some((at, now));
        }
        if let (None, Some((began, had))) = (rate, from.filter(|_| now >= wanted * 9 / 10)) {
            rate = Some(((now - had) as f64 / (at - began).as_secs_f64()).round());
        }
        if now >= wanted {
            return match from.filter(|(_, had)| *had < wanted / 2) {
                None if several => Err(Failure::said(format!(
                    "half of all was sent before {} nodes shared the work: give more --contacts",
                    others.wanted()
                ))),
                _ => Ok((now, rate)),
            };
        }
        tokio::time::sleep(LOOK).await;
        watch.look_again(now, wanted).await?;
    }
}

fn tell(args: &Args, m: &Measured) -> Result<(), Failure> {
    if args.json {
        return print::line(serde_json::to_string(m).map_err(Failure::said)?);
    }
    print::line(format_args!("{} mails in {} s: {} a second", m.steps, m.seconds, m.steps_per_s))?;
    if let Some(together) = m.together_per_s {
        print::line(format_args!("{together} a second while all {} nodes were at work", m.nodes))?;
    }
    print::line(format_args!("{} CPU seconds for 1,000, {} MB at most", shown(m.cpu_s_per_1k), shown(m.peak_rss_mb)))?;
    print::line(format_args!(
        "{} mailboxes with {} connections each, {} past their final mark at once at most; {} enrolled a second before; {}",
        m.mailboxes, m.connections, m.dot_permits, m.enrolled_per_s, m.database
    ))
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
