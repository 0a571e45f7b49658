//! `cadenza bench events`: recipients open their mails, click and unsubscribe, over HTTP on loopback, at the server that `serve`
//! runs, with its engine at work. Each kind is measured by itself, from the first request to the last answer; then what was
//! noted is compared with what was asked.

use super::furnish;
use super::meter::{self, Spent, Stretch, rounded, shown};
use super::site;
use crate::actions::Caller;
use crate::app::App;
use crate::clock::Clock;
use crate::commands::{Ended, Failure, print};
use crate::config::{Config, Flags};
use crate::engine::{Engine, Limits};
use crate::http;
use cadenza_core::compose::{CLICK_PATH, OPEN_PATH, UNSUBSCRIBE_PATH};
use cadenza_core::ids::{EnrollmentId, SequenceId};
use cadenza_core::time::Span;
use cadenza_core::tokens::{Purpose, Token};
use cadenza_store::workspaces;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, USER_AGENT};
use serde::Serialize;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// The activity that brought the mail: everybody's first.
const VISIT: u32 = 1;
const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
/// What mail programs post (RFC 8058 §3.2).
const ONE_CLICK: &str = "List-Unsubscribe=One-Click";

/// Let recipients open, click and unsubscribe, as fast as it goes
///
/// Every contact does each once, over HTTP on loopback.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How many people do it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub contacts: u32,
    /// How many connections they come by; each is kept open and carries one request at a time
    #[arg(long, value_name = "N", default_value_t = 128, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub connections: u32,
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
    events: i64,
    events_per_s: BTreeMap<&'static str, f64>,
    /// Until the slowest answer of each kind.
    slowest_ms: BTreeMap<&'static str, f64>,
    /// Of each kind, those that were answered and not noted yet when the last answer came.
    noted_later: BTreeMap<&'static str, i64>,
    /// Of this process, and so with those who ask; the database's too where it is a file, else not.
    cpu_s_per_1k: Option<f64>,
    peak_rss_mb: Option<f64>,
    connections: u32,
}

/// One kind, measured.
struct Round {
    kind: Kind,
    spent: Spent,
    slowest: Duration,
    noted_later: i64,
}

/// What recipients do, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Open,
    Click,
    Unsubscribe,
}

impl Kind {
    const ALL: [Kind; 3] = [Kind::Open, Kind::Click, Kind::Unsubscribe];

    fn name(self) -> &'static str {
        match self {
            Kind::Open => "open",
            Kind::Click => "click",
            Kind::Unsubscribe => "unsubscribe",
        }
    }

    /// The counter of those who did.
    fn figure(self) -> &'static str {
        match self {
            Kind::Open => "opened",
            Kind::Click => "clicked",
            Kind::Unsubscribe => "opted_out",
        }
    }

    fn path_and_purpose(self) -> (&'static str, Purpose) {
        match self {
            Kind::Open => (OPEN_PATH, Purpose::Open),
            Kind::Click => (CLICK_PATH, Purpose::Click(furnish::link(1))),
            Kind::Unsubscribe => (UNSUBSCRIBE_PATH, Purpose::Unsubscribe),
        }
    }
}

/// Those who ask.
struct Recipients {
    http: reqwest::Client,
    server: String,
    caller: Caller,
    key: Vec<u8>,
    mails: Arc<Vec<EnrollmentId>>,
    connections: usize,
    clock: Clock,
}

pub async fn run(args: &Args, flags: &Flags) -> Result<Ended, Failure> {
    let on_any_port = flags.listen.is_none();
    let m = site::on_a_new_site(flags, async |mut config: Config| {
        if on_any_port {
            config.server.listen.set_port(0);
        }
        // Everybody comes from an address of their own, as a proxy before the server says; one address alone is held back.
        config.server.trusted_proxies = vec![IpAddr::V4(Ipv4Addr::LOCALHOST)];
        measured(args, config).await
    });
    let m = m.await?;
    if args.json {
        print::line(serde_json::to_string(&m).map_err(Failure::said)?)?;
        return Ok(Ended::Well);
    }
    for (kind, rate) in &m.events_per_s {
        let (slowest, later) = (m.slowest_ms.get(kind).copied(), m.noted_later.get(kind).copied().unwrap_or_default());
        let slowest = shown(slowest);
        print::line(format_args!(
            "{kind}: {rate} a second, the slowest answer after {slowest} ms; {later} noted later"
        ))?;
    }
    let (cpu, memory) = (shown(m.cpu_s_per_1k), shown(m.peak_rss_mb));
    print::line(format_args!("{cpu} CPU seconds for 1,000 with those who ask, {memory} MB at most"))?;
    print::line(format_args!("{} events over {} connections; {}", m.events, m.connections, m.database))?;
    Ok(Ended::Well)
}

async fn measured(args: &Args, config: Config) -> Result<Measured, Failure> {
    let listening = config.server.listen;
    let app = site::opened(config).await?;
    let refused = |e| Failure::said(format!("{listening} cannot be listened on: {e}"));
    let listener = TcpListener::bind(listening).await.map_err(refused)?;
    let address = listener.local_addr().map_err(Failure::said)?;
    let caller = furnish::workspace(&app).await?;
    let sequence = furnish::sequence(&app, &caller, "Events", &["none", "30 days"]).await?;
    let everybody = furnish::contacts(&app, &caller, 0..args.contacts as usize).await?;
    let mut mails = Vec::with_capacity(everybody.len());
    for some in everybody.chunks(furnish::CHUNK) {
        mails.extend(furnish::enroll(&app, &caller, sequence, some.to_vec()).await?);
    }
    let limits = Limits { dot_permits: 160, connections_per_mailbox: 64, ..Limits::default() };
    let engine = Engine::start(&app, limits).await?;
    let stopping = app.clone();
    let stopped = async move { drop(stopping.stopping().wait_for(|stop| *stop).await) };
    let server = tokio::spawn(http::serve(app.clone(), listener, stopped));
    let recipients = Recipients::new(&app, &caller, mails, format!("http://{address}"), args).await?;
    let done = rounds(&app, &recipients, sequence).await;
    let memory = meter::peak_memory_mb();
    drop(recipients);
    app.stop();
    server.await.map_err(Failure::said)?.map_err(Failure::said)?;
    engine.stopped().await;
    let done = done?;
    site::counted_right(&app, &caller, sequence).await?;
    let events = i64::from(args.contacts) * Kind::ALL.len() as i64;
    let cpu = done.iter().map(|round| round.spent.cpu_seconds).sum::<Option<f64>>();
    let milliseconds = |time: Duration| rounded(time.as_secs_f64() * 1e3);
    Ok(Measured {
        bench: "events",
        database: app.db.url().to_string(),
        events,
        events_per_s: done.iter().map(|r| (r.kind.name(), r.spent.rate(args.contacts.into()))).collect(),
        slowest_ms: done.iter().map(|r| (r.kind.name(), milliseconds(r.slowest))).collect(),
        noted_later: done.iter().map(|r| (r.kind.name(), r.noted_later)).collect(),
        cpu_s_per_1k: cpu.map(|s| rounded(s * 1_000.0 / events as f64)),
        peak_rss_mb: memory,
        connections: args.connections,
    })
}

/// Everybody has the mail; then they do one thing after another.
async fn rounds(app: &App, recipients: &Recipients, sequence: SequenceId) -> Result<Vec<Round>, Failure> {
    let wanted = recipients.mails.len() as i64;
    until_noted(app, &recipients.caller, sequence, "emails", wanted).await?;
    // Who opens a mail the moment it comes is taken for a machine.
    app.clock.skip_ahead(Span::minutes(10));
    let mut done = Vec::new();
    for kind in Kind::ALL {
        let stretch = Stretch::begin(&app.clock);
        let slowest = recipients.all(kind).await?;
        let spent = stretch.end();
        let noted = site::figure(app, &recipients.caller, sequence, kind.figure()).await?;
        // What took too long was answered all the same, and is noted after that.
        until_noted(app, &recipients.caller, sequence, kind.figure(), wanted).await?;
        done.push(Round { kind, spent, slowest, noted_later: wanted - noted });
    }
    Ok(done)
}

/// Waits until a counter has reached a number.
async fn until_noted(
    app: &App,
    caller: &Caller,
    sequence: SequenceId,
    figure: &'static str,
    wanted: i64,
) -> Result<(), Failure> {
    let mut watch = site::Watch::new(app);
    loop {
        match site::figure(app, caller, sequence, figure).await? {
            now if now >= wanted => return Ok(()),
            now => watch.look_again(now, wanted).await?,
        }
    }
}

impl Recipients {
    async fn new(
        app: &App,
        caller: &Caller,
        mails: Vec<EnrollmentId>,
        server: String,
        args: &Args,
    ) -> Result<Recipients, Failure> {
        // Loopback needs no proxy, and no TLS.
        drop(rustls::crypto::ring::default_provider().install_default());
        let connections = args.connections as usize;
        let client = reqwest::Client::builder()
            .no_proxy()
            .tcp_nodelay(true)
            .pool_max_idle_per_host(connections)
            .redirect(reqwest::redirect::Policy::none());
        let w = caller.workspace;
        let key = app.db.read_async(move |q| workspaces::get(q, w)).await?.signing_key;
        Ok(Recipients {
            http: client.build().map_err(Failure::said)?,
            server,
            caller: caller.clone(),
            key,
            mails: Arc::new(mails),
            connections,
            clock: app.clock.clone(),
        })
    }

    /// Everybody does one thing; as many at a time as there are connections. Answers how long the slowest answer took.
    async fn all(&self, kind: Kind) -> Result<Duration, Failure> {
        let mut workers = JoinSet::new();
        for worker in 0..self.connections {
            let (http, server, mails) = (self.http.clone(), self.server.clone(), self.mails.clone());
            let (workspace, key, connections, clock) =
                (self.caller.workspace, self.key.clone(), self.connections, self.clock.clone());
            let (path, purpose) = kind.path_and_purpose();
            workers.spawn(async move {
                let mut slowest = Duration::ZERO;
                for (number, enrollment) in mails.iter().enumerate().skip(worker).step_by(connections) {
                    let token = Token { workspace, enrollment: *enrollment, visit: VISIT, purpose: purpose.clone() };
                    let address = format!("{server}{path}{}", token.sign(&key));
                    let watch = clock.stopwatch();
                    ask(&http, kind, address, number).await?;
                    slowest = slowest.max(watch.elapsed());
                }
                Ok::<_, Failure>(slowest)
            });
        }
        let mut slowest = Duration::ZERO;
        while let Some(ended) = workers.join_next().await {
            slowest = slowest.max(ended.map_err(Failure::said)??);
        }
        Ok(slowest)
    }
}

/// One request, and its answer read to the end, so that the connection is free for the next.
async fn ask(http: &reqwest::Client, kind: Kind, address: String, number: usize) -> Result<(), Failure> {
    let request = match kind {
        Kind::Unsubscribe => {
            http.post(address).header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(ONE_CLICK)
        }
        Kind::Open | Kind::Click => http.get(address),
    };
    // A private network: 16 million addresses.
    let from = Ipv4Addr::from(0x0a00_0000 | u32::try_from(number).unwrap_or(0));
    let request = request.header(USER_AGENT, BROWSER).header("x-forwarded-for", from.to_string());
    let answer = request.send().await.map_err(Failure::said)?;
    let status = answer.status();
    answer.bytes().await.map_err(Failure::said)?;
    let expected = if kind == Kind::Click { StatusCode::FOUND } else { StatusCode::OK };
    if status == expected {
        return Ok(());
    }
    Err(Failure::said(format!("a request of the kind {} was answered by {status}, not {expected}", kind.name())))
}
