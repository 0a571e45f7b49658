//! What commands ask of an installation, and how they hear of it: the same in the server that holds the data folder and in
//! the command's own process. Each question is answered in the file of its command.

use super::console::{self, Reached};
use super::place::{self, Place};
use super::{
    Ended, Failure, apply, backup, doctor, enroll, explain, import, logging, open, operate, print, reclassify,
    sequence, user,
};
use crate::actions::{Caller, Privileges, Via};
use crate::app::App;
use crate::config::{Config, Flags};
use cadenza_store::users::{self, UserState};
use cadenza_store::workspaces;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::{Deserialize, Serialize};
use std::io::IsTerminal;
use tokio::sync::mpsc;

/// In which workspace, and as whom.
#[derive(Debug, Clone, Default, clap::Args, Serialize, Deserialize)]
pub struct Who {
    /// The workspace, by name or id [default: the only one]
    #[arg(long, value_name = "NAME")]
    pub workspace: Option<String>,
    /// Who does it, by sign-in address [default: the first administrator]
    #[arg(long = "as", value_name = "ADDRESS")]
    pub user: Option<String>,
}

/// One question.
#[derive(Debug, Serialize, Deserialize)]
pub struct Asked {
    pub who: Who,
    pub ask: Ask,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    Apply(apply::Ask),
    Backup(backup::Ask),
    Doctor(doctor::Ask),
    Enroll(enroll::Ask),
    Explain(explain::Ask),
    Import(import::Ask),
    Operate(operate::Ask),
    Reclassify(reclassify::Ask),
    ReleaseRestored,
    Sequence(sequence::Ask),
    User(user::Ask),
}

/// What is said while a question is answered.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// A line of the result.
    Line(String),
    /// A remark beside it.
    Note(String),
    Progress {
        done: u64,
        of: u64,
    },
    /// A value for the command itself, which prints nothing of it.
    Value(serde_json::Value),
    Ended(Ended),
    /// Why it was not done, line by line.
    Failed(Vec<String>),
}

/// Where an answer is said. Whoever asked may be gone; the work is done all the same.
#[derive(Debug, Clone)]
pub struct Saying(mpsc::Sender<Said>);

impl From<mpsc::Sender<Said>> for Saying {
    fn from(sender: mpsc::Sender<Said>) -> Saying {
        Saying(sender)
    }
}

impl Saying {
    pub async fn line(&self, text: impl Into<String>) {
        self.say(Said::Line(text.into())).await;
    }
    pub async fn note(&self, text: impl Into<String>) {
        self.say(Said::Note(text.into())).await;
    }
    pub async fn progress(&self, done: usize, of: usize) {
        self.say(Said::Progress { done: done as u64, of: of as u64 }).await;
    }
    pub async fn value(&self, value: serde_json::Value) {
        self.say(Said::Value(value)).await;
    }
    async fn say(&self, said: Said) {
        let _ = self.0.send(said).await;
    }
}

/// Answers a question, in whichever process.
pub async fn answer(app: &App, asked: Asked, saying: &Saying) {
    let ended = match answered(app, asked, saying).await {
        Ok(ended) => Said::Ended(ended),
        Err(failure) => Said::Failed(failure.lines()),
    };
    saying.say(ended).await;
}

async fn answered(app: &App, asked: Asked, saying: &Saying) -> Result<Ended, Failure> {
    // What is about the whole installation asks for nobody: there may be no workspace yet, or one that cannot be read.
    let ask = match asked.ask {
        Ask::User(user::Ask::Add(add)) => return user::add(app, &asked.who, add, saying).await,
        Ask::Backup(ask) => return backup::answer(app, ask, saying).await,
        Ask::Doctor(ask) => return doctor::answer(app, ask, saying).await,
        ask => ask,
    };
    let caller = caller(app, &asked.who).await?;
    match ask {
        Ask::Backup(ask) => backup::answer(app, ask, saying).await,
        Ask::Doctor(ask) => doctor::answer(app, ask, saying).await,
        Ask::ReleaseRestored => backup::release(app, &caller, saying).await,
        Ask::Apply(ask) => apply::answer(app, &caller, ask, saying).await,
        Ask::Enroll(ask) => enroll::answer(app, &caller, ask, saying).await,
        Ask::Explain(ask) => explain::answer(app, &caller, ask, saying).await,
        Ask::Import(ask) => import::answer(app, &caller, ask, saying).await,
        Ask::Operate(ask) => operate::answer(app, &caller, ask, saying).await,
        Ask::Reclassify(ask) => reclassify::answer(app, &caller, ask, saying).await,
        Ask::Sequence(ask) => sequence::answer(app, &caller, ask, saying).await,
        Ask::User(ask) => user::answer(app, &caller, ask, saying).await,
    }
}

/// Asks the server that holds the data folder where one runs, else opens the installation here. Prints what is said.
pub async fn ask(flags: &Flags, who: &Who, ask: Ask) -> Result<Ended, Failure> {
    ask_and_hear(flags, who, ask).await.map(|(ended, _)| ended)
}

/// As [`ask`]; answers the values that were said as well.
pub async fn ask_and_hear(flags: &Flags, who: &Who, ask: Ask) -> Result<(Ended, Vec<serde_json::Value>), Failure> {
    let config = Config::load(flags)?;
    let asked = Asked { who: who.clone(), ask };
    let mut ear = Ear::default();
    let data = &config.server.data;
    if let Some(place) = Place::find(data).map_err(|e| Failure::file(&place::file_in(data), e))? {
        match console::put(&place, &asked, &mut |said| ear.hear(said)).await? {
            Reached::Ended(ended) => return Ok((ended, ear.take_values())),
            Reached::Nobody => print::note("(the server of this data folder has stopped without saying so)"),
        }
    }
    logging::start_quiet(&config.log, flags)?;
    if !data.exists() && !matches!(asked.ask, Ask::User(user::Ask::Add(_))) {
        let why = "there is no such folder: name the data folder of an installation with --data, or begin one with \
                   `cadenza user add --workspace NAME --name NAME ADDRESS`";
        return Err(Failure::said(format!("{}: {why}", data.display())));
    }
    let app = open::open(config).await?;
    let (say, mut said) = mpsc::channel(64);
    let answering = tokio::spawn(async move { answer(&app, asked, &say.into()).await });
    let mut ended = Err(Failure::said("the command broke off"));
    while let Some(said) = said.recv().await {
        match said {
            Said::Ended(e) => ended = Ok(e),
            Said::Failed(lines) => ended = Err(Failure::Content(lines)),
            said => ear.hear(said)?,
        }
    }
    // The database is closed before the process ends.
    answering.await.map_err(Failure::said)?;
    ended.map(|e| (e, ear.take_values()))
}

/// Prints what is said.
#[derive(Default)]
struct Ear {
    bar: Option<ProgressBar>,
    values: Vec<serde_json::Value>,
}

impl Ear {
    fn take_values(&mut self) -> Vec<serde_json::Value> {
        std::mem::take(&mut self.values)
    }

    fn hear(&mut self, said: Said) -> Result<(), Failure> {
        match said {
            Said::Line(text) => match &self.bar {
                Some(bar) => bar.suspend(|| print::line(text)),
                None => print::line(text),
            },
            Said::Note(text) => {
                match &self.bar {
                    Some(bar) => bar.suspend(|| print::note(text)),
                    None => print::note(text),
                }
                Ok(())
            }
            Said::Progress { done, of } => {
                self.bar.get_or_insert_with(|| progress_bar(of)).set_position(done);
                Ok(())
            }
            Said::Value(value) => {
                self.values.push(value);
                Ok(())
            }
            Said::Ended(_) | Said::Failed(_) => Ok(()),
        }
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// On a terminal only: in a log a moving bar is noise.
fn progress_bar(of: u64) -> ProgressBar {
    let target =
        if std::io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(of), target);
    match ProgressStyle::with_template("{bar:40} {human_pos} of {human_len}, {eta} left") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// The person at the machine: as somebody of the workspace, with every privilege.
pub async fn caller(app: &App, who: &Who) -> Result<Caller, Failure> {
    let all = app.db.read_async(workspaces::all).await?;
    let workspace = match (&who.workspace, all.as_slice()) {
        (_, []) => {
            return Err(Failure::said(
                "there is no workspace yet: make one with `cadenza user add --workspace NAME --name NAME ADDRESS`",
            ));
        }
        (None, [one]) => one,
        (None, several) => {
            let names: Vec<String> = several.iter().map(|w| format!("{:?}", w.name)).collect();
            return Err(Failure::said(format!("say which workspace: --workspace with one of {}", names.join(", "))));
        }
        (Some(named), all) => {
            let found = all.iter().find(|w| w.name == *named || w.id.to_string() == *named);
            let names = all.iter().map(|w| w.name.as_str());
            let guess = cadenza_core::nearest::did_you_mean(named, names);
            found.ok_or_else(|| Failure::said(format!("--workspace: there is no workspace {named:?}{guess}")))?
        }
    };
    let w = workspace.id;
    let mut people = app.db.read_async(move |q| users::all(q, w)).await?;
    people.retain(|u| u.state == UserState::Active);
    people.sort_by_key(|u| (u.role != "Admin", u.id));
    let user = match &who.user {
        None => people.first().ok_or_else(|| Failure::said("nobody works in the workspace: add a user first"))?,
        Some(address) => {
            let found = people.iter().find(|u| u.address.eq_ignore_ascii_case(address));
            let guess = cadenza_core::nearest::did_you_mean(address, people.iter().map(|u| u.address.as_str()));
            found.ok_or_else(|| Failure::said(format!("--as: nobody signs in as {address:?} there{guess}")))?
        }
    };
    Ok(Caller {
        workspace: w,
        user: user.id,
        name: user.name.clone(),
        privileges: Privileges::all(),
        via: Via::Console,
        from: None,
    })
}
