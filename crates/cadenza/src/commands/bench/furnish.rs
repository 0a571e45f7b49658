//! The installation that is measured: a workspace, its mailboxes, its contacts, a sequence of three mails, everybody enrolled
//! and due. Made through the same operations as any other, before the measuring begins.

use crate::actions::setup::{Setup, first_run};
use crate::actions::{Caller, Privileges, Via, enrollments, sequences};
use crate::app::App;
use crate::commands::Failure;
use cadenza_core::calendar::{Window, Zone};
use cadenza_core::enrollment::Subject;
use cadenza_core::flow::{AddressKind, file};
use cadenza_core::ids::{ContactId, MailboxId, SequenceId, WorkspaceId};
use cadenza_core::settings::{Per, Rate};
use cadenza_store::addresses::TypedAddress;
use cadenza_store::contacts::{self, Contact};
use cadenza_store::door::Again;
use cadenza_store::mailboxes::{self, Auth, Caps, Mailbox, Security, Server};
use cadenza_store::workspaces;

/// Mails that everybody gets.
pub const STEPS: usize = 3;
/// Contacts written in one transaction.
const CHUNK: usize = 1_000;
/// Mail can reach nobody there (RFC 6761).
const DOMAIN: &str = "bench.invalid";

/// Where mail goes.
#[derive(Debug, Clone)]
pub struct Smtp {
    pub host: String,
    pub port: u16,
}

/// What was furnished.
#[derive(Debug, Clone, Copy)]
pub struct Furnished {
    pub workspace: WorkspaceId,
    pub sequence: SequenceId,
}

/// Makes the workspace with its mailboxes and its sequence, which is active.
pub async fn furnish(app: &App, smtp: &Smtp, mailboxes: usize) -> Result<(Furnished, Caller), Failure> {
    let setup = Setup {
        name: "Bench".into(),
        postal_address: "Bench, 1 Main Street, 12345 Springfield".into(),
        zone: Zone::utc(),
        user_name: "Ada Byron".into(),
        user_address: format!("ada@{DOMAIN}"),
    };
    let (workspace, user) = first_run(app, setup).await?;
    let caller = Caller {
        workspace,
        user,
        name: "Ada Byron".into(),
        privileges: Privileges::all(),
        via: Via::Console,
        from: None,
    };
    // Limiters are asked and counted, and have room for everything.
    let wide = |per: Per| Rate { count: 100_000_000, per };
    let made: Vec<Mailbox> = (0..mailboxes).map(|n| mailbox(app, &caller, smtp, n)).collect();
    app.db
        .write_async(move |tx| {
            let mut settings = workspaces::settings(tx, workspace)?;
            settings.workspace_cap = Some(wide(Per::Day));
            workspaces::save_settings(tx, workspace, &settings)?;
            made.iter().try_for_each(|mailbox| mailboxes::create(tx, workspace, mailbox))
        })
        .await?;
    let said = |errors: Vec<file::FileError>| Failure::Content(errors.iter().map(ToString::to_string).collect());
    let mut flow = file::parse(&sequence_file()).map_err(said)?;
    flow.settings.window = Some(Window::always());
    flow.settings.email_rate = Some(Some(wide(Per::Hour)));
    let sequence = sequences::create(app, &caller, &flow).await?;
    sequences::activate(app, &caller, sequence, sequences::Arm::Now).await?;
    Ok((Furnished { workspace, sequence }, caller))
}

/// Makes the contacts and enrolls them. Answers how many seconds the enrolling took.
pub async fn enroll(app: &App, caller: &Caller, into: Furnished, count: usize) -> Result<f64, Failure> {
    let mut seconds = 0.0;
    for first in (0..count).step_by(CHUNK) {
        let made: Vec<Contact> = (first..count.min(first + CHUNK)).map(|n| contact(app, n)).collect();
        let subjects: Vec<Subject> = made.iter().map(|c| Subject::Contact(c.id)).collect();
        let w = into.workspace;
        app.db.write_async(move |tx| contacts::insert(tx, w, &made)).await?;
        let watch = app.clock.stopwatch();
        let answers = enrollments::enroll(app, caller, into.sequence, subjects, Again::NotSaid).await?;
        seconds += watch.elapsed().as_secs_f64();
        if let Some((subject, Err(why))) = answers.iter().find(|(_, answer)| answer.is_err()) {
            return Err(Failure::said(format!("{subject:?} was not enrolled: {why}")));
        }
    }
    Ok(seconds)
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

/// Three mails with nothing between them, each of some 3 KB in two forms, with three merge fields and a tracked link.
fn sequence_file() -> String {
    let line =
        "We build the systems that bring food from the field to the table, and look for people who like such work.\n";
    let mut text = String::from("name = \"Drip\"\n[[branch]]\nkey = \"main\"\n");
    for n in 1..=STEPS {
        let (plain, html) = (line.repeat(9), format!("<p>{}</p>", line.trim_end()).repeat(9));
        text.push_str(&format!(
            "[[branch.step]]\nkey = \"mail-{n}\"\nkind = \"email_auto\"\ndelay = \"none\"\n\
             subject = \"Letter {n} to {{{{ contact.first_name }}}}\"\n\
             text = \"\"\"\nDear {{{{ contact.first_name }}}} {{{{ contact.last_name }}}},\n\n{plain}\n\
             See https://jobs.example.com/{n}\n\n{{{{ sender.name }}}}\n\"\"\"\n\
             html = \"\"\"\n<p>Dear {{{{ contact.first_name }}}} {{{{ contact.last_name }}}},</p>{html}\
             <p><a href='https://jobs.example.com/{n}'>The work</a></p><p>{{{{ sender.name }}}}</p>\n\"\"\"\n"
        ));
    }
    text
}
