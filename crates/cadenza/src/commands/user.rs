//! `cadenza user`: adds people, the first of a workspace too, sets passwords and makes links to sign in by, for whoever sits
//! at the machine.

use super::ask::{self, Saying, Who};
use super::{Ended, Failure, print};
use crate::actions::{Caller, Privileges, Via, setup, sign_in, users};
use crate::app::App;
use crate::config::Flags;
use cadenza_core::calendar::Zone;
use cadenza_core::ids::{UserId, WorkspaceId};
use cadenza_store::workspaces;
use serde::{Deserialize, Serialize};
use std::io::{BufRead, IsTerminal};
use std::process::{Command as Process, Stdio};

/// Add people, set passwords, make sign-in links
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Add somebody; makes the workspace that --workspace names where there is none of that name
    Add {
        /// To sign in with
        #[arg(value_name = "ADDRESS")]
        address: String,
        #[arg(long, value_name = "NAME")]
        name: String,
        /// Admin, Manager, Member, Viewer or a role of the workspace [default: Member; Admin in a new workspace]
        #[arg(long, value_name = "ROLE")]
        role: Option<String>,
        /// Time zone of a new workspace
        #[arg(long, value_name = "ZONE", default_value = "UTC")]
        zone: Zone,
        /// Postal address of a new workspace, as it stands below each mail
        #[arg(long, value_name = "TEXT", default_value = "")]
        postal_address: String,
        #[command(flatten)]
        who: Who,
    },
    /// Set somebody's password, read from the terminal or the standard input; their sessions end
    Password {
        #[arg(value_name = "ADDRESS")]
        address: String,
        #[command(flatten)]
        who: Who,
    },
    /// Make a link by which somebody signs in once
    Link {
        #[arg(value_name = "ADDRESS")]
        address: String,
        #[command(flatten)]
        who: Who,
    },
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Add {
    address: String,
    name: String,
    role: Option<String>,
    zone: Zone,
    postal_address: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    Add(Add),
    Password { address: String, password: String },
    Link { address: String },
}

pub async fn run(args: Args, flags: &Flags) -> Result<Ended, Failure> {
    let (who, ask) = match args.command {
        Command::Add { address, name, role, zone, postal_address, who } => {
            (who, Ask::Add(Add { address, name, role, zone, postal_address }))
        }
        Command::Password { address, who } => {
            let password = password()?;
            (who, Ask::Password { address, password })
        }
        Command::Link { address, who } => (who, Ask::Link { address }),
    };
    ask::ask(flags, &who, ask::Ask::User(ask)).await
}

pub async fn answer(app: &App, caller: &Caller, ask: Ask, saying: &Saying) -> Result<Ended, Failure> {
    match ask {
        Ask::Add(_) => {}
        Ask::Password { address, password } => {
            let user = users::by_address(app, caller, &address).await?;
            users::set_password(app, caller, user, password).await?;
            saying.line(format!("{address} has a new password; sessions of before have ended")).await;
        }
        Ask::Link { address } => {
            let user = users::by_address(app, caller, &address).await?;
            link(app, caller, user, saying).await?;
        }
    }
    Ok(Ended::Well)
}

/// Adds somebody, or makes the workspace with them as its administrator.
pub async fn add(app: &App, who: &Who, add: Add, saying: &Saying) -> Result<Ended, Failure> {
    let all = app.db.read_async(workspaces::all).await?;
    let exists = match &who.workspace {
        Some(named) => all.iter().any(|w| w.name == *named || w.id.to_string() == *named),
        None => true,
    };
    let (caller, user) = if let (false, Some(name)) = (exists, &who.workspace) {
        let setup = setup::Setup {
            name: name.clone(),
            postal_address: add.postal_address,
            zone: add.zone,
            user_name: add.name.clone(),
            user_address: add.address.clone(),
        };
        if add.role.as_deref().is_some_and(|role| role != "Admin") {
            return Err(Failure::said("--role: the first user of a new workspace is its Admin"));
        }
        let (w, user) = setup::first_run(app, setup).await?;
        saying.line(format!("workspace {name:?} made ({w})")).await;
        (console(w, user, add.name), user)
    } else {
        let caller = ask::caller(app, who).await?;
        let role = add.role.unwrap_or_else(|| "Member".to_owned());
        let new = users::NewUser { address: add.address.clone(), name: add.name, role };
        let user = users::add(app, &caller, new).await?;
        (caller, user)
    };
    saying.line(format!("{} added ({user})", add.address)).await;
    link(app, &caller, user, saying).await?;
    Ok(Ended::Well)
}

fn console(workspace: WorkspaceId, user: UserId, name: String) -> Caller {
    Caller { workspace, user, name, privileges: Privileges::all(), via: Via::Console, from: None }
}

async fn link(app: &App, caller: &Caller, user: UserId, saying: &Saying) -> Result<(), Failure> {
    let secret = sign_in::make_link(app, caller.workspace, user, caller.user).await?;
    let minutes = app.config.sign_in.link_minutes;
    saying.line(format!("{}/sign-in?token={}", app.public_url(), secret.reveal())).await;
    saying.note(format!("(the link is good once, for {minutes} minutes)")).await;
    Ok(())
}

/// From a terminal without showing it, asked twice; else the first line of the standard input.
fn password() -> Result<String, Failure> {
    if !std::io::stdin().is_terminal() {
        return line();
    }
    let echo = |word: &str| drop(Process::new("stty").arg(word).stdin(Stdio::inherit()).status());
    echo("-echo");
    print::note("New password:");
    let first = line();
    print::note("Once more:");
    let second = line();
    echo("echo");
    let (first, second) = (first?, second?);
    if first == second { Ok(first) } else { Err(Failure::said("the two are not the same: nothing was changed")) }
}

fn line() -> Result<String, Failure> {
    let mut text = String::new();
    std::io::stdin().lock().read_line(&mut text).map_err(|e| Failure::file("-".as_ref(), e))?;
    match text.trim_end_matches(['\r', '\n']) {
        "" => Err(Failure::said("no password was given: type one, or write it to the standard input")),
        text => Ok(text.to_owned()),
    }
}
