//! `cadenza rehearse`: takes a sequence, its contacts and a script of what people do through the real server: real mail by
//! SMTP to a mail server of this machine, texts in the sandbox, days passing in moments. It begins with an empty data folder
//! and sends to loopback only. What `simulate` works out on paper, this does.

mod course;
mod furnish;
mod people;
mod summary;

use super::files::{in_file, text_of};
use super::{Ended, Failure, logging, open, print, serve, simulate};
use crate::app::App;
use crate::clock::Clock;
use crate::config::{Config, Flags};
use crate::engine::{Engine, Limits};
use crate::http;
use cadenza_core::flow::file::{self, Form, SequenceFile};
use cadenza_core::settings::Settings;
use cadenza_core::simulate::{Contact, Script};
use cadenza_core::time::{Span, Time};
use cadenza_store::workspaces;
use course::{Course, End};
use furnish::{Caps, Furnishing, House};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use tokio::sync::watch;

/// Where a rehearsal keeps its data unless told otherwise.
const FOLDER: &str = "cadenza-rehearsal";
/// How fast the clock runs while there is work, unless told otherwise. Where nothing is to be done it leaps.
const TIME_SCALE: f64 = 600.0;

/// Run a sequence for real against a mail server on this machine, days passing in moments
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The sequence (TOML; see docs/sequence-file.md)
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Whom it writes to (CSV with a header line)
    #[arg(long, value_name = "FILE")]
    pub contacts: PathBuf,
    /// What they and the users do (TOML) [default: nothing]
    #[arg(long, value_name = "FILE")]
    pub script: Option<PathBuf>,
    /// The mail server that takes every mail; on this machine only, such as 127.0.0.1:2525
    #[arg(long, value_name = "HOST:PORT", value_parser = loopback)]
    pub smtp: SocketAddr,
    /// How many mailboxes the user who writes sends from, in turn
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub mailboxes: u32,
    /// What a mailbox may send: usual (200 a day, 40 an hour, a minute between two) or none
    #[arg(long, value_name = "WORD", default_value = "usual", value_parser = super::operate::word::<Caps>)]
    pub caps: Caps,
    /// Another story with the same script [default: the script's own]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// After how many days to stop, if people are still on their way then
    #[arg(long, value_name = "N", default_value_t = 120, value_parser = clap::value_parser!(u32).range(1..=3_650))]
    pub days: u32,
    /// The date or moment at which the clock begins [default: the sequence's begin, else next Monday]
    #[arg(long, value_name = "DATE")]
    pub start: Option<String>,
    /// The summary as one JSON object
    #[arg(long)]
    pub json: bool,
}

/// What the files say, before anything is made.
struct Material {
    file: SequenceFile,
    people: Vec<Contact>,
    /// The contacts as they are imported.
    csv: String,
    script: Script,
    start: Time,
}

pub(super) async fn run(args: &Args, flags: &Flags) -> Result<Ended, Failure> {
    let material = material(args)?;
    let mut flags = flags.clone();
    flags.data.get_or_insert_with(|| PathBuf::from(FOLDER));
    flags.log.get_or_insert_with(|| "warn".into());
    let mut config = Config::load(&flags)?;
    // The mail server of a rehearsal is on this machine.
    config.server.private_addresses = config.server.private_addresses.with_loopback();
    logging::start(&config.log)?;
    if flags.time_scale.is_none() && config.server.time_scale == 1.0 {
        config.server.time_scale = TIME_SCALE;
    }
    let clock = Clock::starting_at(material.start, config.server.time_scale).map_err(Failure::said)?;
    let app = open::open_with(config, clock).await?;
    refuse_used(&app).await?;
    let listener = match serve::listen(&app).await {
        // The usual port is somebody else's: any other does, unless one was asked for.
        Err(_) if flags.listen.is_none() => {
            tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(Failure::said)?
        }
        listener => listener?,
    };
    app.listens_on(listener.local_addr().map_err(Failure::said)?);
    let stopwatch = app.clock.stopwatch();
    let furnishing = Furnishing { smtp: args.smtp, mailboxes: args.mailboxes, caps: args.caps };
    let house = furnish::furnish(&app, &material.file, &material.people, &material.csv, &furnishing).await?;
    print::note(format_args!(
        "{} contacts are enrolled in {:?}; all mail goes to {}. To look on, sign in:\n{}",
        house.contacts.len(),
        material.file.name,
        args.smtp,
        house.link
    ));
    let (stop, stopped) = watch::channel(false);
    let ending = async move {
        let mut stopped = stopped;
        drop(stopped.wait_for(|s| *s).await);
    };
    let server = tokio::spawn(http::serve(app.clone(), listener, ending));
    let engine = Engine::start(&app, Limits::default()).await?;
    let span = (material.start, material.start + Span::days(i64::from(args.days)));
    let mut course = Course::new(&app, &house, &material.file, &material.people, material.script, span)?;
    let end = tokio::select! {
        end = course.run() => end,
        () = serve::told_to_stop() => Ok(End::Stopped),
    };
    stop.send_replace(true);
    app.stop();
    engine.stopped().await;
    server.await.map_err(Failure::said)?.map_err(Failure::said)?;
    stay(&app, &house).await?;
    let summary = summary::of(&app, &house, &course, end?, stopwatch.elapsed(), (&material.file.name, args)).await?;
    if args.json {
        print::line(serde_json::to_string(&summary).map_err(Failure::said)?)?;
    } else {
        summary.lines().iter().try_for_each(print::line)?;
    }
    Ok(Ended::Well)
}

/// Reads and checks every file, so that nothing is begun that could not be ended.
fn material(args: &Args) -> Result<Material, Failure> {
    let file = in_file(&args.file, file::parse(&text_of(&args.file)?))?;
    if file.form != Form::Sequence {
        let why = "this file holds a template; a sequence was expected";
        return Err(Failure::said(format!("{}: {why}", args.file.display())));
    }
    let settings = file.settings.over(&Settings::default());
    let start = simulate::start(args.start.as_deref(), &file, &settings.zone)?;
    let people = simulate::contacts(&args.contacts)?;
    simulate::look_through(&args.file, &file, &people, &settings, start)?;
    let script = match &args.script {
        Some(path) => in_file(path, Script::parse(&text_of(path)?))?,
        None => Script::default(),
    };
    let script = Script { seed: args.seed.unwrap_or(script.seed), ..script };
    let mut unfit = script.check(&file.flow());
    unfit.extend(people::unplayable(&script));
    if let (Some(path), false) = (&args.script, unfit.is_empty()) {
        return Err(Failure::Content(unfit.iter().map(|w| format!("{}: {w}", path.display())).collect()));
    }
    let csv = text_of(&args.contacts)?;
    Ok(Material { file, people, csv, script, start })
}

/// A rehearsal among real people would write to them by a clock that runs ahead.
async fn refuse_used(app: &App) -> Result<(), Failure> {
    if !app.db.read_async(workspaces::any).await? {
        return Ok(());
    }
    let why = "somebody works there already: a rehearsal begins with nothing. Name another folder with --data, or delete \
               what the last rehearsal left";
    Err(Failure::said(format!("{}: {why}", app.config.server.data.display())))
}

/// A server started on the folder afterwards goes on from the rehearsal's moment: everything would lie in its future otherwise.
async fn stay(app: &App, house: &House) -> Result<(), Failure> {
    let (w, ahead) = (house.primary.workspace, app.clock.now() - app.clock.real());
    if ahead > Span::ZERO {
        app.db.write_async(move |tx| workspaces::set_clock_ahead(tx, w, ahead)).await?;
    }
    Ok(())
}

/// An address of this machine and a port: whoever else were named would get mail that nobody meant to send.
fn loopback(text: &str) -> Result<SocketAddr, String> {
    let numeric = text.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
    let address: SocketAddr = numeric.as_deref().unwrap_or(text).parse().map_err(|_| {
        format!("{text:?} is no address of a mail server: expected an address of this machine and a port, such as 127.0.0.1:2525")
    })?;
    if !address.ip().is_loopback() {
        return Err(format!(
            "{} is not this machine: a rehearsal sends to loopback only, such as 127.0.0.1:2525",
            address.ip()
        ));
    }
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_takes_a_rehearsals_mail() {
        for good in ["127.0.0.1:2525", "localhost:25", "127.9.9.9:1", "[::1]:2525"] {
            assert!(loopback(good).is_ok(), "{good}");
        }
        for bad in ["192.0.2.1:25", "smtp.example.com:25", "127.0.0.1", "localhost", "0.0.0.0:25", "[2001:db8::1]:25"] {
            assert!(loopback(bad).unwrap_err().contains("127.0.0.1:2525"), "{bad}");
        }
    }
}
