//! `cadenza apply` and `cadenza export`: sequences and templates as files (SEQ-11). A plan is printed first; nothing is half
//! done. Which of the two a file holds it says itself, by its form.

use super::ask::{self, Saying, Who};
use super::files::{in_file, text_of};
use super::{Ended, Failure, print};
use crate::actions::{Caller, sequences, templates};
use crate::app::App;
use crate::config::Flags;
use cadenza_core::flow::edit::Movers;
use cadenza_core::flow::file::{self, Form};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Make a sequence or a template what a file says, having printed what changes by it
#[derive(Debug, clap::Args)]
pub struct ApplyArgs {
    /// TOML; see docs/sequence-file.md
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Do it without asking
    #[arg(long)]
    pub yes: bool,
    /// Who moves to the new version where branches, steps or conditions change while people are in it: nobody, unreached
    /// (who has not come to the change yet) or everyone
    #[arg(long = "move", value_name = "WHO", value_parser = movers)]
    pub movers: Option<Movers>,
    #[command(flatten)]
    pub who: Who,
}

/// Write a sequence or a template as a file
#[derive(Debug, clap::Args)]
pub struct ExportArgs {
    /// By name or id; without it, the names of all are listed
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// A template, not a sequence
    #[arg(long)]
    pub template: bool,
    /// With the structure of this earlier version of a sequence: applied again, it takes an edit back
    #[arg(long, value_name = "NUMBER", requires = "name", conflicts_with = "template")]
    pub version: Option<u32>,
    #[command(flatten)]
    pub who: Who,
}

fn movers(word: &str) -> Result<Movers, String> {
    Movers::named(word).ok_or_else(|| "expected nobody, unreached or everyone".to_owned())
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    Plan { name: String, text: String, movers: Option<Movers> },
    Do { text: String, digest: String, movers: Option<Movers> },
    Export { sequence: Option<String>, version: Option<u32> },
    ExportTemplate { template: Option<String> },
}

pub async fn apply(args: ApplyArgs, flags: &Flags) -> Result<Ended, Failure> {
    let text = text_of(&args.file)?;
    // Mistakes in the file are named before anything is asked.
    in_file(&args.file, file::parse(&text))?;
    let name = args.file.display().to_string();
    let plan = Ask::Plan { name, text: text.clone(), movers: args.movers };
    let (ended, values) = ask::ask_and_hear(flags, &args.who, ask::Ask::Apply(plan)).await?;
    let digest = values.first().and_then(serde_json::Value::as_str);
    let Some(digest) = digest.filter(|_| ended == Ended::Well) else { return Ok(ended) };
    if !args.yes && !print::confirmed("Do this?") {
        print::note("nothing was done: say --yes to do it");
        return Ok(Ended::Well);
    }
    ask::ask(flags, &args.who, ask::Ask::Apply(Ask::Do { text, digest: digest.to_owned(), movers: args.movers })).await
}

pub async fn export(args: ExportArgs, flags: &Flags) -> Result<Ended, Failure> {
    let asked = if args.template {
        Ask::ExportTemplate { template: args.name }
    } else {
        Ask::Export { sequence: args.name, version: args.version }
    };
    ask::ask(flags, &args.who, ask::Ask::Apply(asked)).await
}

pub async fn answer(app: &App, caller: &Caller, ask: Ask, saying: &Saying) -> Result<Ended, Failure> {
    match ask {
        Ask::Plan { name, text, movers } => plan(app, caller, &name, &text, movers, saying).await,
        Ask::Do { text, digest, movers } => {
            let file = read(&text)?;
            if file.form != Form::Sequence {
                let template = templates::apply_file(app, caller, &file, &digest).await?;
                saying.line(format!("applied to {template}")).await;
                return Ok(Ended::Well);
            }
            let done = sequences::apply_file(app, caller, &file, &digest, movers).await?;
            saying.line(format!("applied to {}", done.sequence)).await;
            if done.followed > 0 {
                saying.line(format!("{} of those who are in it follow the edit", done.followed)).await;
            }
            for failure in &done.failures {
                saying.note(format!("left as it was: {failure}")).await;
            }
            Ok(Ended::Well)
        }
        Ask::Export { sequence: Some(sequence), version } => {
            let id = sequences::find(app, caller, &sequence).await?.id;
            let file = match version {
                Some(version) => sequences::file_at(app, caller, id, version).await?,
                None => sequences::export(app, caller, id).await?,
            };
            saying.line(file::write(&file).trim_end()).await;
            Ok(Ended::Well)
        }
        Ask::ExportTemplate { template: Some(template) } => {
            let id = templates::find(app, caller, &template).await?.id;
            saying.line(file::write(&templates::export(app, caller, id).await?).trim_end()).await;
            Ok(Ended::Well)
        }
        Ask::ExportTemplate { template: None } => {
            for l in templates::list(app, caller, "").await? {
                let shared = if l.template.shared { "shared" } else { "private" };
                saying.line(format!("{}  {shared:7}  {}", l.template.id, l.template.name)).await;
            }
            Ok(Ended::Well)
        }
        Ask::Export { sequence: None, .. } => {
            for s in sequences::all(app, caller).await? {
                saying.line(format!("{}  {:9}  {}", s.id, s.state, s.name)).await;
            }
            Ok(Ended::Well)
        }
    }
}

async fn plan(
    app: &App,
    caller: &Caller,
    name: &str,
    text: &str,
    movers: Option<Movers>,
    saying: &Saying,
) -> Result<Ended, Failure> {
    let of_file = |e| {
        let lines = Failure::from(e).lines();
        Failure::Content(lines.into_iter().map(|line| format!("{name}: {line}")).collect())
    };
    let file = read(text)?;
    if file.form != Form::Sequence {
        let planned = templates::plan_file(app, caller, &file).await.map_err(of_file)?;
        if say(&planned.changes, saying).await {
            saying.value(planned.digest.into()).await;
        }
        return Ok(Ended::Well);
    }
    let planned = sequences::plan_file(app, caller, &file).await.map_err(of_file)?;
    if !say(&planned.changes, saying).await {
        return Ok(Ended::Well);
    }
    for line in &planned.in_flight {
        saying.line(format!("  {line}")).await;
    }
    for choice in planned.choices.iter().filter(|c| movers.is_none_or(|m| m == c.movers)) {
        saying.line(format!("  with --move {}:", choice.movers)).await;
        for line in &choice.lines {
            saying.line(format!("    {line}")).await;
        }
    }
    if movers.is_none() && !planned.choices.is_empty() {
        return Err(Failure::said("people are in the sequence: say who moves to the new version with --move"));
    }
    saying.value(planned.digest.into()).await;
    Ok(Ended::Well)
}

/// Says what would change; whether anything would.
async fn say(changes: &[file::Change], saying: &Saying) -> bool {
    if changes.is_empty() {
        saying.line("nothing changes").await;
    }
    for change in changes {
        saying.line(format!("  {}", change.message)).await;
    }
    !changes.is_empty()
}

fn read(text: &str) -> Result<file::SequenceFile, Failure> {
    file::parse(text).map_err(|errors| Failure::Content(errors.iter().map(ToString::to_string).collect()))
}
