//! `cadenza simulate`: runs a sequence file with people and a script of what they do, without a server, a database or mail.
//! Reads the files and prints; the simulation itself is the core's.

use super::files::{in_file, text_of};
use super::{Ended, Failure, print};
use crate::clock::Clock;
use cadenza_core::calendar::{Quiet, Zone};
use cadenza_core::flow::check::{Grounds, Severity, check};
use cadenza_core::flow::file::SequenceFile;
use cadenza_core::merge::fields_used;
use cadenza_core::settings::{Settings, WorkspaceSettings};
use cadenza_core::simulate::{Contact, Script, Setup, Timeline, run};
use cadenza_core::time::{Span, Time};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// How many people are invented where none are given.
const INVENTED: usize = 10;
/// Ten years: a sequence that runs longer has other troubles.
const DAYS_MAX: u32 = 3_650;

/// Run a sequence on paper: months in milliseconds, with the same decisions as the server
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The sequence (TOML; see docs/sequence-file.md)
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Whom it writes to (CSV with a header line) [default: ten invented people]
    #[arg(long, value_name = "FILE")]
    pub contacts: Option<PathBuf>,
    /// What they do (TOML) [default: nothing]
    #[arg(long, value_name = "FILE")]
    pub script: Option<PathBuf>,
    /// Another story with the same script [default: the script's own]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// How long it runs
    #[arg(long, value_name = "N", default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=i64::from(DAYS_MAX)))]
    pub days: u32,
    /// A date, or a moment with its zone [default: the sequence's begin, else next Monday]
    #[arg(long, value_name = "DATE")]
    pub start: Option<String>,
    /// One JSON object a line, the summary last
    #[arg(long)]
    pub json: bool,
}

pub fn simulate(args: &Args) -> Result<Ended, Failure> {
    let timeline = timeline(args)?;
    if args.json {
        timeline.json().try_for_each(print::line)?;
    } else {
        timeline.lines().try_for_each(print::line)?;
    }
    Ok(Ended::Well)
}

fn timeline(args: &Args) -> Result<Timeline, Failure> {
    let file = in_file(&args.file, cadenza_core::flow::file::parse(&text_of(&args.file)?))?;
    let settings = file.settings.over(&Settings::default());
    let start = start(args.start.as_deref(), &file, &settings.zone)?;
    let contacts = match &args.contacts {
        Some(path) => contacts(path)?,
        None => invented(&file, &settings.zone),
    };
    look_through(&args.file, &file, &contacts, &settings, start)?;
    let script = match &args.script {
        Some(path) => in_file(path, Script::parse(&text_of(path)?))?,
        None => Script::default(),
    };
    let setup = Setup { start, days: args.days, seed: args.seed };
    let origin = args.script.as_ref().unwrap_or(&args.file).display();
    run(&file, &contacts, &script, &setup)
        .map_err(|wrong| Failure::Content(wrong.iter().map(|w| format!("{origin}: {w}")).collect()))
}

/// Finds what keeps the flow from running; what is only doubtful is remarked. The custom fields that exist are those of the
/// people.
pub(super) fn look_through(
    path: &Path,
    file: &SequenceFile,
    contacts: &[Contact],
    settings: &Settings,
    from: Time,
) -> Result<(), Failure> {
    let custom: BTreeSet<&str> =
        contacts.iter().flat_map(|c| c.fields.iter()).filter_map(|(p, _)| p.strip_prefix("custom.")).collect();
    let known = file.known().with_custom(custom);
    let steps_max = WorkspaceSettings::default().steps_max;
    let grounds = Grounds { settings, known: &known, from, quiet: Quiet::default(), steps_max };
    let (errors, doubts): (Vec<_>, Vec<_>) =
        check(&file.flow(), &grounds).into_iter().partition(|f| f.severity == Severity::Error);
    if !errors.is_empty() {
        return Err(Failure::Content(errors.iter().map(|f| format!("{}: {}", path.display(), f.message)).collect()));
    }
    doubts.iter().for_each(|f| print::note(format_args!("remark: {}: {}", path.display(), f.message)));
    Ok(())
}

/// People who have whatever custom field the messages ask for.
fn invented(file: &SequenceFile, zone: &Zone) -> Vec<Contact> {
    let mut contacts = Contact::invented(INVENTED, zone);
    let flow = file.flow();
    let texts = flow.steps().flat_map(|s| &s.content.variants).flat_map(|v| [&v.subject, &v.text, &v.html]);
    let snippets = file.snippets.iter().map(|s| &s.text);
    for field in texts.chain(snippets).flat_map(|text| fields_used(text)) {
        if field.path.starts_with("custom.") {
            contacts.iter_mut().for_each(|c| c.fields.set(&field.path, "Example"));
        }
    }
    contacts
}

/// The people of a CSV file, all mistakes of it at once.
pub(super) fn contacts(path: &Path) -> Result<Vec<Contact>, Failure> {
    let wrong = |line: u64, what: String| format!("{}:{line}: {what}", path.display());
    let mut reader = csv::Reader::from_path(path).map_err(|e| Failure::said(format!("{}: {e}", path.display())))?;
    let columns = reader.headers().map_err(|e| Failure::said(format!("{}: {e}", path.display())))?.clone();
    let (mut contacts, mut errors) = (Vec::new(), Vec::new());
    for row in reader.records() {
        match row {
            Err(e) => errors.push(format!("{}: {e}", path.display())),
            Ok(row) => {
                let line = row.position().map_or(0, csv::Position::line);
                match Contact::from_row(columns.iter().zip(row.iter())) {
                    Ok(contact) => contacts.push(contact),
                    Err(all) => {
                        errors.extend(all.into_iter().map(|e| wrong(line, format!("{}: {}", e.column, e.message))));
                    }
                }
            }
        }
    }
    if errors.is_empty() { Ok(contacts) } else { Err(Failure::Content(errors)) }
}

/// Midnight of a date in the sequence's zone, or the moment that is named.
pub(super) fn start(asked: Option<&str>, file: &SequenceFile, zone: &Zone) -> Result<Time, Failure> {
    let midnight = |date| zone.day_bounds(date).0;
    let Some(text) = asked else {
        let now = Clock::system().now();
        return Ok(file.begin.unwrap_or_else(|| next_monday(now, zone)));
    };
    if let Ok(moment) = text.parse::<Time>() {
        return Ok(moment);
    }
    text.parse().map(midnight).map_err(|_| {
        Failure::said(format!(
            "--start: {text:?} is neither a date nor a moment: expected 2027-03-01 or 2027-03-01T09:00:00Z"
        ))
    })
}

fn next_monday(now: Time, zone: &Zone) -> Time {
    (1..=8)
        .map(|days| zone.local_date(now + Span::days(days)))
        .find(|date| date.weekday() == cadenza_core::calendar::Weekday::Monday)
        .map_or(now, |date| zone.day_bounds(date).0)
}
