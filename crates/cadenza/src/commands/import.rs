//! `cadenza import`: contacts from a CSV file (API-6). The file is read here and taken in where the database is.

use super::ask::{self, Saying, Who};
use super::files::text_of;
use super::{Ended, Failure, print};
use crate::actions::Caller;
use crate::actions::import::{self, OnDuplicate, Options, Run, Target};
use crate::app::App;
use crate::config::Flags;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Import contacts from a CSV file
#[derive(Debug, clap::Args)]
pub struct Args {
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Read and check everything, write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// What a column is, such as --map "Mobile No=phone", --map "Years=custom:years" or --map "Id=ignore"; columns that are
    /// not named are found by their headers
    #[arg(long, value_name = "HEADER=FIELD", value_parser = mapping)]
    pub map: Vec<(String, Target)>,
    /// What to do with somebody whose address is known: update or skip
    #[arg(long, value_name = "WORD", default_value = "update", value_parser = super::operate::word::<OnDuplicate>)]
    pub on_duplicate: OnDuplicate,
    /// Where to write the lines that were not taken, with why
    #[arg(long, value_name = "FILE")]
    pub errors: Option<PathBuf>,
    #[command(flatten)]
    pub who: Who,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Ask {
    /// For messages.
    name: String,
    text: String,
    columns: BTreeMap<String, Target>,
    on_duplicate: OnDuplicate,
    run: Run,
}

pub async fn run(args: Args, flags: &Flags) -> Result<Ended, Failure> {
    let ask = Ask {
        name: args.file.display().to_string(),
        text: text_of(&args.file)?,
        columns: args.map.into_iter().collect(),
        on_duplicate: args.on_duplicate,
        run: if args.dry_run { Run::Dry } else { Run::Real },
    };
    let (ended, values) = ask::ask_and_hear(flags, &args.who, ask::Ask::Import(ask)).await?;
    let bad = values.first().and_then(serde_json::Value::as_str);
    if let (Some(path), Some(text)) = (&args.errors, bad) {
        std::fs::write(path, text).map_err(|e| Failure::file(path, e))?;
        print::note(format_args!("the lines that were not taken are in {}", path.display()));
    }
    Ok(ended)
}

pub async fn answer(app: &App, caller: &Caller, ask: Ask, saying: &Saying) -> Result<Ended, Failure> {
    let options = Options { columns: ask.columns, on_duplicate: ask.on_duplicate, run: ask.run };
    let done = import::contacts(app, caller, &ask.text, &options).await?;
    for bad in &done.bad {
        saying.note(format!("{}:{}: {}: {}", ask.name, bad.line, bad.column, bad.why)).await;
    }
    let would = if ask.run == Run::Dry { "dry run: " } else { "" };
    saying
        .line(format!(
            "{would}{} lines read: {} added, {} updated, {} skipped, {} not taken",
            done.read,
            done.added,
            done.updated,
            done.skipped,
            done.bad.len()
        ))
        .await;
    if done.bad.is_empty() {
        return Ok(Ended::Well);
    }
    saying.value(done.error_file().into()).await;
    Ok(Ended::Badly)
}

/// `HEADER=FIELD`.
fn mapping(text: &str) -> Result<(String, Target), String> {
    let (header, field) = text.split_once('=').ok_or("expected HEADER=FIELD, such as \"Mobile No=phone\"")?;
    let target = match field.split_once(':') {
        Some(("custom", name)) if !name.trim().is_empty() => Target::Custom(name.trim().to_owned()),
        _ => super::operate::word(field).map_err(|e| format!("{e}; or custom:NAME"))?,
    };
    Ok((header.trim().to_owned(), target))
}
