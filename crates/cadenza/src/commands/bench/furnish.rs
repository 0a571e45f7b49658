//! What is measured: a workspace, its mailboxes, its contacts, sequences of mails, everybody enrolled. Made through the same
//! operations as any other, before the measuring begins.

use crate::actions::sequences::{Arm, Start, Unreadable};
use crate::actions::setup::{Setup, first_run};
use crate::actions::{Caller, Privileges, Via, enrollments, sequences};
use crate::app::App;
use crate::commands::Failure;
use cadenza_core::calendar::{Window, Zone};
use cadenza_core::enrollment::Subject;
use cadenza_core::flow::{AddressKind, file};
use cadenza_core::ids::{ContactId, EnrollmentId, MailboxId, SequenceId};
use cadenza_core::settings::{Per, Rate};
use cadenza_store::addresses::TypedAddress;
use cadenza_store::contacts::{self, Contact};
use cadenza_store::door::Again;
use cadenza_store::mailboxes::{self, Auth, Caps, Mailbox, Security, Server};
use cadenza_store::workspaces;
use std::ops::Range;

/// Contacts written in one transaction.
pub const CHUNK: usize = 1_000;
/// Mail can reach nobody there (RFC 6761).
const DOMAIN: &str = "bench.invalid";

/// Where mail goes.
#[derive(Debug, Clone)]
pub struct Smtp {
    pub host: String,
    pub port: u16,
}

/// Limiters are asked and counted, and have room for everything.
fn wide(per: Per) -> Rate {
    Rate { count: 100_000_000, per }
}

/// Makes the workspace. Its mail goes to the sandbox until it has other mailboxes.
pub async fn workspace(app: &App) -> Result<Caller, Failure> {
    let setup = Setup {
        name: "Bench".into(),
        postal_address: "Bench, 1 Main Street, 12345 Springfield".into(),
        zone: Zone::utc(),
        user_name: "Ada Byron".into(),
        user_address: format!("ada@{DOMAIN}"),
    };
    let (workspace, user) = first_run(app, setup).await?;
    app.db
        .write_async(move |tx| {
            let mut settings = workspaces::settings(tx, workspace)?;
            settings.workspace_cap = Some(wide(Per::Day));
            workspaces::save_settings(tx, workspace, &settings)
        })
        .await?;
    Ok(Caller {
        workspace,
        user,
        name: "Ada Byron".into(),
        privileges: Privileges::all(),
        via: Via::Console,
        from: None,
    })
}

/// Makes mailboxes that send by a mail server.
pub async fn mailboxes(app: &App, caller: &Caller, smtp: &Smtp, count: usize) -> Result<(), Failure> {
    let made: Vec<Mailbox> = (0..count).map(|n| mailbox(app, caller, smtp, n)).collect();
    let w = caller.workspace;
    Ok(app.db.write_async(move |tx| made.iter().try_for_each(|mailbox| mailboxes::create(tx, w, mailbox))).await?)
}

/// Makes a sequence of letters and lets it begin. `delays` has one for each letter.
pub async fn sequence(app: &App, caller: &Caller, name: &str, delays: &[&str]) -> Result<SequenceId, Failure> {
    let said = |errors: Vec<file::FileError>| Failure::Content(errors.iter().map(ToString::to_string).collect());
    let mut flow = file::parse(&letters(name, delays)).map_err(said)?;
    flow.settings.window = Some(Window::always());
    flow.settings.email_rate = Some(Some(wide(Per::Hour)));
    let sequence = sequences::create(app, caller, &flow).await?;
    // Nobody answers the mail of a bench: its mailboxes are read by nothing.
    let start = Start { arm: Arm::Now, unreadable: Unreadable::Accepted, ..Start::default() };
    sequences::activate_with(app, caller, sequence, start).await?;
    Ok(sequence)
}

/// Makes contacts; the numbers tell them apart.
pub async fn contacts(app: &App, caller: &Caller, numbers: Range<usize>) -> Result<Vec<Subject>, Failure> {
    let mut subjects = Vec::with_capacity(numbers.len());
    for first in numbers.clone().step_by(CHUNK) {
        let made: Vec<Contact> = (first..numbers.end.min(first + CHUNK)).map(|n| contact(app, n)).collect();
        subjects.extend(made.iter().map(|c| Subject::Contact(c.id)));
        let w = caller.workspace;
        app.db.write_async(move |tx| contacts::insert(tx, w, &made)).await?;
    }
    Ok(subjects)
}

/// Enrolls them, as a bulk of the page, the API or the command line does.
///
/// # Errors
/// Somebody was not enrolled.
pub async fn enroll(
    app: &App,
    caller: &Caller,
    into: SequenceId,
    subjects: Vec<Subject>,
) -> Result<Vec<EnrollmentId>, Failure> {
    let answers = enrollments::enroll(app, caller, into, subjects, Again::NotSaid).await?;
    let refused = |(subject, answer)| match answer {
        Ok(id) => Ok(id),
        Err(why) => Err(Failure::said(format!("{subject:?} was not enrolled: {why}"))),
    };
    answers.into_iter().map(refused).collect()
}

fn mailbox(app: &App, caller: &Caller, smtp: &Smtp, n: usize) -> Mailbox {
    Mailbox {
        id: MailboxId(app.next_id()),
        owner: caller.user,
        address: format!("ada{n}@{DOMAIN}"),
        name: "Ada Byron".into(),
        sandbox: false,
        signature: String::new(),
        smtp: Some(Server {
            host: smtp.host.clone(),
            port: smtp.port,
            security: Security::None,
            auth: Auth::None,
            login: None,
            secret: None,
        }),
        imap: None,
        folders: Vec::new(),
        sent_folder: None,
        caps: Caps::default(),
        freshness_minutes: 10,
        plus_addresses: false,
        journaled: false,
        readable: false,
        read_at: None,
        read_failure: None,
        held: None,
        created_at: app.clock.now(),
        version: 1,
    }
}

fn contact(app: &App, n: usize) -> Contact {
    let now = app.clock.now();
    Contact {
        id: ContactId(app.next_id()),
        first_name: format!("First{n}"),
        last_name: format!("Last{n}"),
        title: "Engineer".into(),
        company: None,
        owner: None,
        zone: None,
        country: None,
        language: None,
        linkedin: None,
        emails: vec![TypedAddress { kind: AddressKind::Work, value: format!("p{n}@{DOMAIN}") }],
        phones: Vec::new(),
        custom: serde_json::Map::new(),
        last_contacted_at: None,
        last_engaged_at: None,
        created_by: None,
        created_at: now,
        updated_at: now,
        version: 1,
    }
}

/// Letters of some 3 KB each in two forms, with three merge fields and a tracked link.
fn letters(name: &str, delays: &[&str]) -> String {
    let line =
        "We build the systems that bring food from the field to the table, and look for people who like such work.\n";
    let (plain, html) = (line.repeat(9), format!("<p>{}</p>", line.trim_end()).repeat(9));
    let mut text = format!("name = \"{name}\"\n[[branch]]\nkey = \"main\"\n");
    for (n, delay) in delays.iter().enumerate().map(|(n, delay)| (n + 1, delay)) {
        text.push_str(&format!(
            "[[branch.step]]\nkey = \"mail-{n}\"\nkind = \"email_auto\"\ndelay = \"{delay}\"\n\
             subject = \"Letter {n} to {{{{ contact.first_name }}}}\"\n\
             text = \"\"\"\nDear {{{{ contact.first_name }}}} {{{{ contact.last_name }}}},\n\n{plain}\n\
             See {}\n\n{{{{ sender.name }}}}\n\"\"\"\n\
             html = \"\"\"\n<p>Dear {{{{ contact.first_name }}}} {{{{ contact.last_name }}}},</p>{html}\
             <p><a href='{}'>The work</a></p><p>{{{{ sender.name }}}}</p>\n\"\"\"\n",
            link(n),
            link(n)
        ));
    }
    text
}

/// Where the link of a letter leads; they are counted from 1.
pub fn link(letter: usize) -> String {
    format!("https://jobs.example.com/{letter}")
}
