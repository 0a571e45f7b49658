//! Tries the server that a mailbox is read from: signs in, and opens every folder that is to be read.

use super::{Named, PATIENCE, PATIENCE_IN_ALL, Progress, Step, TOKEN_ADVICE, broken, place, steps_to};
use crate::App;
use crate::engine::{self, NotOpen};
use crate::mail::imap::{Account, Failure, Session, Stage, Timeouts};
use cadenza_core::ids::WorkspaceId;
use cadenza_store::mailboxes::{Mailbox, Security, Server};

/// Folders that are named where one is missing.
const NAMED_MAX: usize = 30;

fn name(step: Step) -> &'static str {
    match step {
        Step::Token => "Inbox: get an access token",
        Step::Find => "Inbox: find the server",
        Step::Connect => "Inbox: connect",
        Step::Greet => "Inbox: be greeted",
        Step::Protect => "Inbox: protect the line",
        Step::SignIn => "Inbox: sign in",
        Step::Folders => "Inbox: open the folders",
    }
}

/// What was found of an inbox.
struct Found {
    peer: String,
    greeting: String,
    tls: String,
    /// Those that cannot be opened, with why.
    closed: Vec<(String, String)>,
    folders: Vec<String>,
}

pub(super) async fn try_it(app: &App, w: WorkspaceId, mailbox: &Mailbox, server: &Server) -> Vec<Named> {
    let mut steps = steps_to(server);
    steps.extend([Step::SignIn, Step::Folders]);
    let failed = |at, why, advice| broken(&steps, name, at, why, advice);
    let account = match engine::inbox_account(app, w, mailbox, server) {
        Ok(account) => account,
        Err(why) => return failed(Step::Find, why, "Type the settings and the password again, and save."),
    };
    let timeouts = Timeouts { connect: PATIENCE, answer: PATIENCE, command: PATIENCE };
    let mut account = Account { timeouts, ..account };
    let visit = async {
        let session = engine::sign_in(app, (w, mailbox.id), &mut account).await?;
        visit(session, mailbox).await.map_err(NotOpen::Line)
    };
    let Ok(tried) = tokio::time::timeout(PATIENCE_IN_ALL, visit).await else {
        let why = format!("no end within {} s", PATIENCE_IN_ALL.as_secs());
        return failed(Step::Connect, why, "The server is very slow, or something between swallows the traffic.");
    };
    let found = match tried {
        Ok(found) => found,
        Err(NotOpen::Token(why)) => return failed(Step::Token, why.to_string(), TOKEN_ADVICE),
        Err(NotOpen::Line(failure)) => {
            let (step, advice) = where_it_failed(&failure, server.security);
            return failed(step, failure.to_string(), advice);
        }
    };
    if !found.closed.is_empty() {
        let closed: Vec<String> = found.closed.iter().map(|(name, why)| format!("{name} ({why})")).collect();
        let why = format!("cannot open {}; there are {}", closed.join(", "), found.folders.join(", "));
        return failed(Step::Folders, why, "Write the folders as they are named here.");
    }
    let said = |step: Step| match step {
        Step::Token => String::new(),
        Step::Find => server.host.clone(),
        Step::Connect => found.peer.clone(),
        Step::Greet => found.greeting.clone(),
        Step::Protect => found.tls.clone(),
        Step::SignIn => server.login.clone().unwrap_or_default(),
        Step::Folders => mailbox.all_folders().join(", "),
    };
    steps.iter().map(|s| (name(*s), Progress::Passed(said(*s)))).collect()
}

async fn visit(mut session: Session, mailbox: &Mailbox) -> Result<Found, Failure> {
    let mut found = Found {
        peer: session.peer().to_string(),
        greeting: session.greeting().to_owned(),
        tls: session.tls().unwrap_or_default(),
        closed: Vec::new(),
        folders: Vec::new(),
    };
    for folder in mailbox.all_folders() {
        match session.examine(folder).await {
            Ok(_) => {}
            Err(failure) if failure.leaves_the_line_usable() => {
                let why = match failure {
                    Failure::Refused { text, .. } => text,
                    other => other.to_string(),
                };
                found.closed.push((folder.to_owned(), why));
            }
            Err(failure) => return Err(failure),
        }
    }
    if !found.closed.is_empty() {
        let all = session.folders().await?.into_iter();
        let all = all.filter(|f| !f.attributes.iter().any(|a| a == "\\noselect")).map(|f| f.name);
        found.folders = all.take(NAMED_MAX).collect();
    }
    session.logout().await;
    Ok(found)
}

/// At which step a failure stands, and what may help.
fn where_it_failed(failure: &Failure, security: Security) -> (Step, &'static str) {
    use Failure as F;
    const OPENING: &str = "The server does not want to be read: ask whoever runs it.";
    match failure {
        F::Line(failure) => {
            place(failure, "Is the port right (143 with STARTTLS, 993 with TLS)? A firewall may be between.")
        }
        F::NoMechanism { .. } => (Step::SignIn, "Choose STARTTLS or TLS, and another way of signing in."),
        F::SignIn { .. } => {
            (Step::SignIn, "Is the password right? Many providers want an app password, or IMAP to be switched on.")
        }
        // A server that expects TLS says nothing to a plain line.
        F::Closed { stage: Stage::Greeting, .. }
        | F::TimedOut { stage: Stage::Greeting, .. }
        | F::Network { stage: Stage::Greeting, .. }
            if security != Security::Tls =>
        {
            (Step::Greet, "Something listens there and says nothing: servers on port 993 want TLS.")
        }
        F::Refused { stage, .. }
        | F::Closed { stage, .. }
        | F::TimedOut { stage, .. }
        | F::Network { stage, .. }
        | F::Garbage { stage, .. }
        | F::Oversized { stage, .. } => match stage {
            Stage::Greeting | Stage::Capability => (Step::Greet, OPENING),
            Stage::StartTls => (Step::Protect, "The server offers STARTTLS and then refuses it: ask whoever runs it."),
            Stage::SignIn => (Step::SignIn, OPENING),
            _ => (Step::Folders, OPENING),
        },
        F::NoUidValidity => (Step::Folders, OPENING),
    }
}
