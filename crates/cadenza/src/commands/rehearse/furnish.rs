//! Makes what a rehearsal needs: a workspace, everybody whom the files name, their mailboxes at the given server, the
//! contacts, the lists and workflows that the sequence speaks of, and the sequence itself, activated, with everybody in it.

use crate::actions::fields::Patch;
use crate::actions::import::{self, Options};
use crate::actions::mailboxes::{self, MailboxChange, ServerInput};
use crate::actions::sequences::{Arm, Start, Unreadable};
use crate::actions::setup::{Setup, first_run};
use crate::actions::users::{self, NewUser};
use crate::actions::{Caller, Privileges, Via, enrollments, lists, sequences, sign_in};
use crate::app::App;
use crate::commands::Failure;
use cadenza_core::enrollment::Subject;
use cadenza_core::flow::file::SequenceFile;
use cadenza_core::flow::{Flow, OwnerRule, SenderRule, SideAction};
use cadenza_core::ids::{ContactId, SequenceId, UserId, WorkflowId, WorkflowStageId};
use cadenza_core::settings::{Breaker, Settings};
use cadenza_core::simulate::Contact;
use cadenza_store::addresses::{self, Reach};
use cadenza_store::door::Again;
use cadenza_store::mailboxes::{Auth, Security};
use cadenza_store::sequences::SubjectType;
use cadenza_store::workflows::{self, StageType, Workflow, WorkflowStage};
use cadenza_store::workspaces;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::SocketAddr;

/// Who writes where the file names nobody.
const SOMEBODY: &str = "anna@agency.example";

/// How the house is furnished beside what the files say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Furnishing {
    pub smtp: SocketAddr,
    pub mailboxes: u32,
    pub caps: Caps,
}

/// What a mailbox may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Caps {
    /// What every new mailbox begins with.
    Usual,
    None,
}

/// What was made.
#[derive(Debug)]
pub(super) struct House {
    pub sequence: SequenceId,
    /// Who enrolled everybody.
    pub primary: Caller,
    /// Everybody who works here.
    pub callers: HashMap<UserId, Caller>,
    /// Each contact's place among the people of the file.
    pub contacts: HashMap<Subject, usize>,
    /// To sign in and look on.
    pub link: String,
    pub mailboxes: usize,
}

pub(super) async fn furnish(
    app: &App,
    file: &SequenceFile,
    people: &[Contact],
    csv: &str,
    how: &Furnishing,
) -> Result<House, Failure> {
    let flow = file.flow();
    let named = everybody(file, &flow, people);
    let first = named.first().map_or(SOMEBODY, String::as_str);
    let setup = Setup {
        name: "Rehearsal".into(),
        postal_address: "Rehearsal, 1 Loopback Street, 12700 Localhost".into(),
        zone: file.settings.over(&Settings::default()).zone,
        user_name: name_of(first),
        user_address: first.to_owned(),
    };
    let (workspace, user) = first_run(app, setup).await?;
    let caller = |user: UserId, name: String| Caller {
        workspace,
        user,
        name,
        privileges: Privileges::all(),
        via: Via::Console,
        from: None,
    };
    // Nobody is there to resume what pauses itself, and of a few mails three that bounce are too many.
    app.db
        .write_async(move |tx| {
            let mut settings = workspaces::settings(tx, workspace)?;
            settings.breaker = Breaker { bounces_per_mille: 0, complaints_per_mille: 0, ..settings.breaker };
            workspaces::save_settings(tx, workspace, &settings)
        })
        .await?;
    let primary = caller(user, name_of(first));
    let mut callers = HashMap::from([(user, primary.clone())]);
    for address in named.iter().skip(1) {
        let new = NewUser { address: address.clone(), name: name_of(address), role: "Member".into() };
        let id = users::add(app, &primary, new).await?;
        callers.insert(id, caller(id, name_of(address)));
    }
    let mailboxes = make_mailboxes(app, &primary, &named, &flow, how).await?;
    let contacts = take_in(app, &primary, people, csv).await?;
    make_lists(app, &primary, file, &flow, &contacts).await?;
    make_workflows(app, &primary, &flow).await?;
    let sequence = sequences::create(app, &primary, file).await?;
    // Its mailboxes have no IMAP: what is answered is handed in, as by a journal.
    let start = Start { arm: Arm::Now, unreadable: Unreadable::Accepted, ..Start::default() };
    sequences::activate_with(app, &primary, sequence, start).await?;
    if file.list.is_none() {
        let mut all: Vec<(Subject, usize)> = contacts.iter().map(|(s, n)| (*s, *n)).collect();
        all.sort_by_key(|(_, n)| *n);
        let all = all.into_iter().map(|(s, _)| s).collect();
        enrollments::enroll(app, &primary, sequence, all, Again::NotSaid).await?;
    }
    let token = sign_in::make_link(app, workspace, user, user).await?;
    let link = format!("{}/sign-in?token={}", app.public_url(), token.reveal());
    Ok(House { sequence, primary, callers, contacts, link, mailboxes })
}

/// The sign-in addresses that the files name, the primary user's first.
fn everybody(file: &SequenceFile, flow: &Flow, people: &[Contact]) -> Vec<String> {
    let primary = file.primary_user.as_deref().or(file.owner.as_deref()).unwrap_or(SOMEBODY);
    let mut all: Vec<&str> = vec![primary];
    all.extend(file.team.iter().map(String::as_str));
    for step in flow.steps() {
        if let OwnerRule::User(address) = &step.content.owner {
            all.push(address);
        }
    }
    all.extend(
        side_actions(flow)
            .filter_map(|a| if let SideAction::Notify { user, .. } = a { Some(user.as_str()) } else { None }),
    );
    all.extend(people.iter().filter_map(|c| c.owner.as_deref()));
    let mut seen = BTreeSet::new();
    all.into_iter().map(str::to_lowercase).filter(|a| seen.insert(a.clone())).collect()
}

fn side_actions(flow: &Flow) -> impl Iterator<Item = &SideAction> {
    flow.steps().flat_map(|s| &s.conditions).flat_map(|c| &c.also)
}

/// A name for an address: `anna.keller@…` is Anna Keller.
fn name_of(address: &str) -> String {
    let local = address.split('@').next().unwrap_or_default();
    let words = local.split(['.', '_', '-', '+']).filter(|w| !w.is_empty());
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|c| c.to_uppercase().chain(letters).collect::<String>()).unwrap_or_default()
    };
    words.map(capital).collect::<Vec<_>>().join(" ")
}

/// So many for the primary user, one for everybody else, and those that steps name.
async fn make_mailboxes(
    app: &App,
    caller: &Caller,
    users: &[String],
    flow: &Flow,
    how: &Furnishing,
) -> Result<usize, Failure> {
    let mut addresses: Vec<(String, Option<&String>)> = Vec::new();
    for n in 1..=how.mailboxes {
        let Some(own) = users.first() else { continue };
        let (local, domain) = own.split_once('@').unwrap_or((own, "agency.example"));
        let address = if n == 1 { own.clone() } else { format!("{local}.{n}@{domain}") };
        addresses.push((address, users.first()));
    }
    addresses.extend(users.iter().skip(1).map(|u| (u.clone(), Some(u))));
    for step in flow.steps() {
        if let SenderRule::Mailbox(address) = &step.content.sender {
            addresses.push((address.to_lowercase(), users.first()));
        }
    }
    let mut made = BTreeSet::new();
    for (address, owner) in addresses {
        if !made.insert(address.clone()) {
            continue;
        }
        let server = ServerInput {
            host: how.smtp.ip().to_string(),
            port: how.smtp.port(),
            security: Security::None,
            auth: Auth::None,
            login: None,
            secret: None,
        };
        let cap = || if how.caps == Caps::None { Patch::Clear } else { Patch::Keep };
        let new = MailboxChange {
            name: Patch::Set(owner.map_or_else(|| name_of(&address), |o| name_of(o))),
            address: Patch::Set(address),
            owner: owner.map_or(Patch::Keep, |o| Patch::Set(o.clone())),
            smtp: Some(server),
            day_cap: cap(),
            hour_cap: cap(),
            gap_seconds: cap(),
            jitter_seconds: cap(),
            ..MailboxChange::default()
        };
        mailboxes::create(app, caller, new).await?;
    }
    Ok(made.len())
}

/// Imports the contacts and finds each again by its address.
async fn take_in(
    app: &App,
    caller: &Caller,
    people: &[Contact],
    csv: &str,
) -> Result<HashMap<Subject, usize>, Failure> {
    let imported = import::contacts(app, caller, csv, &Options::default()).await?;
    if !imported.bad.is_empty() {
        let lines = imported.bad.iter().map(|b| format!("contacts, line {}: {}: {}", b.line, b.column, b.why));
        return Err(Failure::Content(lines.collect()));
    }
    let at: HashMap<String, usize> = people.iter().enumerate().map(|(n, c)| (c.who.email.to_lowercase(), n)).collect();
    let (w, values) = (caller.workspace, at.keys().cloned().collect::<Vec<_>>());
    let found = app.db.read_async(move |q| {
        let mut found = addresses::owners(q, w, Reach::Email, values.iter().map(String::as_str))?;
        found.extend(addresses::owners(q, w, Reach::Phone, values.iter().map(String::as_str))?);
        Ok(found)
    });
    let contacts = found.await?.into_iter().filter(|(_, s)| matches!(s, Subject::Contact(_)));
    Ok(contacts.filter_map(|(value, subject)| Some((subject, *at.get(&value)?))).collect())
}

/// The lists that the file speaks of; everybody stands on the sequence's own.
async fn make_lists(
    app: &App,
    caller: &Caller,
    file: &SequenceFile,
    flow: &Flow,
    contacts: &HashMap<Subject, usize>,
) -> Result<(), Failure> {
    let others = side_actions(flow).filter_map(|action| match action {
        SideAction::AddToList(name) | SideAction::RemoveFromList(name) => Some(name),
        _ => None,
    });
    for name in others.collect::<BTreeSet<_>>().into_iter().filter(|name| file.list.as_ref() != Some(name)) {
        lists::create(app, caller, name.clone(), SubjectType::Contacts).await?;
    }
    if let Some(name) = &file.list {
        let list = lists::create(app, caller, name.clone(), SubjectType::Contacts).await?;
        let mut members: Vec<ContactId> =
            contacts.keys().filter_map(|s| if let Subject::Contact(id) = s { Some(*id) } else { None }).collect();
        members.sort();
        lists::add(app, caller, list.id, members.into_iter().map(Subject::Contact).collect()).await?;
    }
    Ok(())
}

/// The workflows that conditions move people in, with the workflow stages that they name.
async fn make_workflows(app: &App, caller: &Caller, flow: &Flow) -> Result<(), Failure> {
    let mut wanted: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for action in side_actions(flow) {
        if let SideAction::SetWorkflowStage { workflow, stage } = action {
            wanted.entry(workflow.clone()).or_default().insert(stage.clone());
        }
    }
    for (name, stages) in wanted {
        let stages = stages.into_iter().map(|name| WorkflowStage {
            id: WorkflowStageId(app.next_id()),
            name,
            of: StageType::Open,
            sequence: None,
        });
        let workflow = Workflow { id: WorkflowId(app.next_id()), name, stages: stages.collect() };
        let w = caller.workspace;
        app.db.write_async(move |tx| workflows::save(tx, w, &workflow)).await?;
    }
    Ok(())
}
