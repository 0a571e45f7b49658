//! `cadenza demo`: a server with sample data and the sandbox for a mail account, ready to be looked at in a minute. Nothing
//! leaves the machine. Started again on the same folder, it goes on where it stood.

use super::{Ended, Failure, logging, open, serve};
use crate::actions::import::{self, Options};
use crate::actions::secrets::{Purpose, Secret};
use crate::actions::sequences::{self, Arm};
use crate::actions::setup::{Setup, first_run};
use crate::actions::{Caller, Privilege, Privileges, Via, sign_in};
use crate::app::App;
use crate::config::{Config, Flags};
use cadenza_core::calendar::{Window, Zone};
use cadenza_core::flow::file::{self, SequenceFile};
use cadenza_core::ids::{ContactId, ListId, TokenId, UserId, WorkspaceId};
use cadenza_core::machine::Actor;
use cadenza_store::api_tokens::{self, ApiToken};
use cadenza_store::lists::{self, List};
use cadenza_store::sequences::SubjectType;
use cadenza_store::{users, workspaces};
use std::fmt::Display;
use std::io::Write;
use std::path::PathBuf;

const SEQUENCE: &str = include_str!("../../../../examples/outreach.toml");
const CONTACTS: &str = include_str!("../../../../examples/contacts.csv");
/// Where the demo keeps its data unless told otherwise.
const FOLDER: &str = "cadenza-demo";
/// Who are in the sequence from the start; the others wait to be enrolled.
const ENROLLED: usize = 12;
/// Lists that the sample sequence speaks of.
const LISTS: [&str; 2] = ["Berlin backend, spring", "Addresses to look up"];
const USER: &str = "anna@agency.example";

/// A server with sample data and a sandbox for a mail account.
#[derive(Debug, clap::Args)]
pub struct Args {}

pub(super) async fn run(_args: &Args, flags: &Flags) -> Result<Ended, Failure> {
    let mut flags = flags.clone();
    flags.data.get_or_insert_with(|| PathBuf::from(FOLDER));
    flags.log.get_or_insert_with(|| "warn".into());
    let config = Config::load(&flags)?;
    logging::start(&config.log)?;
    let app = open::open(config).await?;
    let listener = match serve::listen(&app).await {
        // The usual port is somebody else's: any other does for a demo, unless one was asked for.
        Err(_) if flags.listen.is_none() => {
            tokio::net::TcpListener::bind("127.0.0.1:0").await.map_err(Failure::said)?
        }
        listener => listener?,
    };
    let address = listener.local_addr().map_err(Failure::said)?;
    app.listens_on(address);
    let (workspace, user) = match first_user(&app).await? {
        Some(found) => found,
        None => furnish(&app).await?,
    };
    let link = sign_in::make_link(&app, workspace, user, user).await?;
    let token = api_token(&app, workspace, user).await?;
    let url = app.public_url();
    let stop = serve::told_to_stop();
    say(&format!(
        "\n  Cadenza, with sample data and a sandbox for a mail account. Nothing leaves this machine.\n\n    \
         Open           {url}\n    \
         Sign in        {url}/sign-in?token={}\n    \
         API token      {}\n    \
         Data           {}\n\n  \
         Stop with Ctrl-C; started again it goes on where it stood. Delete the folder to begin anew.\n",
        link.reveal(),
        token.reveal(),
        app.config.server.data.display()
    ))?;
    serve::serve(app, listener, stop).await
}

fn say(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush()).map_err(Failure::Output)
}

/// The first user of the first workspace, where the folder was furnished before.
async fn first_user(app: &App) -> Result<Option<(WorkspaceId, UserId)>, Failure> {
    let found = app.db.read_async(|q| {
        let Some(w) = workspaces::all(q)?.into_iter().next() else { return Ok(None) };
        Ok(users::all(q, w.id)?.into_iter().min_by_key(|u| u.id).map(|u| (w.id, u.id)))
    });
    Ok(found.await?)
}

/// Sample people, a sequence that is always open, and some who are in it already.
async fn furnish(app: &App) -> Result<(WorkspaceId, UserId), Failure> {
    let setup = Setup {
        name: "Northgate Talent (demo)".into(),
        postal_address: "Northgate Talent, 1 Sample Street, 10115 Berlin".into(),
        zone: "Europe/Berlin".parse::<Zone>().map_err(Failure::said)?,
        user_name: "Anna Keller".into(),
        user_address: USER.into(),
    };
    let (workspace, user) = first_run(app, setup).await?;
    let caller = Caller {
        workspace,
        user,
        name: "Anna Keller".into(),
        privileges: Privileges::all(),
        via: Via::Console,
        from: None,
    };
    let imported = import::contacts(app, &caller, CONTACTS, &Options::default()).await?;
    let mut lists = Vec::new();
    for name in LISTS {
        lists.push(make_list(app, workspace, user, name).await?);
    }
    let sequence = sequences::create(app, &caller, &always_open(SEQUENCE)?).await?;
    if let Some(list) = lists.first() {
        put_on_list(app, &caller, *list, &imported.contacts[..ENROLLED.min(imported.contacts.len())]).await?;
    }
    sequences::activate(app, &caller, sequence, Arm::Now).await?;
    Ok((workspace, user))
}

/// The sample sequence without the limits that would make a visitor wait.
fn always_open(text: &str) -> Result<SequenceFile, Failure> {
    let mut file = file::parse(text).map_err(|errors| Failure::Content(errors.iter().map(said).collect()))?;
    file.settings.window = Some(Window::always());
    file.settings.email_rate = None;
    file.settings.text_rate = None;
    Ok(file)
}

fn said(error: &impl Display) -> String {
    error.to_string()
}

async fn make_list(app: &App, w: WorkspaceId, owner: UserId, name: &str) -> Result<ListId, Failure> {
    let list = List {
        id: ListId(app.next_id()),
        name: name.to_owned(),
        of: SubjectType::Contacts,
        owner: Some(owner),
        created_at: app.clock.now(),
    };
    let id = list.id;
    app.db.write_async(move |tx| lists::create(tx, w, &list)).await?;
    Ok(id)
}

async fn put_on_list(app: &App, caller: &Caller, list: ListId, contacts: &[ContactId]) -> Result<(), Failure> {
    let subjects: Vec<_> = contacts.iter().copied().map(cadenza_core::enrollment::Subject::Contact).collect();
    let (app2, w, by) = (app.clone(), caller.workspace, (caller.user, Actor::User(caller.user)));
    app.db.write_async(move |tx| app2.door.put_on_list(tx, w, list, &subjects, by, app2.clock.now())).await?;
    Ok(())
}

/// A key with everything its user may do; shown once, at each start another.
async fn api_token(app: &App, w: WorkspaceId, user: UserId) -> Result<Secret, Failure> {
    let secret = Secret::new(Purpose::Api, w, &app.clock);
    let token = ApiToken {
        id: TokenId(app.next_id()),
        user,
        name: "demo".into(),
        scopes: Privilege::ALL.iter().map(|p| p.as_str().to_owned()).collect(),
        created_at: app.clock.real(),
        expires_at: None,
        used_at: None,
        ended_at: None,
    };
    let hash = secret.hash();
    app.db.write_async(move |tx| api_tokens::create(tx, w, &token, &hash)).await?;
    Ok(secret)
}
