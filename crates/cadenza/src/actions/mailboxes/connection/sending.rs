//! Tries the server that takes a mailbox's mail.

use super::{Named, PATIENCE, PATIENCE_IN_ALL, Progress, Step, TOKEN_ADVICE, broken, place, steps_to};
use crate::App;
use crate::engine::{self, NotOpen};
use crate::mail::smtp::{Account, ConnectFailure, Findings, Stage, Timeouts};
use cadenza_core::ids::WorkspaceId;
use cadenza_store::mailboxes::{Auth, Mailbox, Security, Server};

fn name(step: Step) -> &'static str {
    match step {
        Step::Token => "Get an access token",
        Step::Find => "Find the server",
        Step::Connect => "Connect",
        Step::Greet => "Be greeted",
        Step::Protect => "Protect the line",
        Step::SignIn | Step::Folders => "Sign in",
    }
}

pub(super) async fn try_it(app: &App, w: WorkspaceId, mailbox: &Mailbox, server: &Server) -> Vec<Named> {
    let mut steps = steps_to(server);
    if server.auth != Auth::None {
        steps.push(Step::SignIn);
    }
    let failed = |at, why, advice| broken(&steps, name, at, why, advice);
    let account = match engine::account(app, w, mailbox, server) {
        Ok(account) => account,
        Err(why) => return failed(Step::Find, why, "Type the settings and the password again, and save."),
    };
    let limits = Timeouts { connect: PATIENCE, command: PATIENCE, ..Timeouts::default() };
    let mut account = Account { timeouts: limits, ..account };
    let visit = async {
        let connection = engine::connect(app, (w, mailbox.id), &mut account).await?;
        Ok(Findings::of(connection).await)
    };
    let Ok(tried) = tokio::time::timeout(PATIENCE_IN_ALL, visit).await else {
        let why = format!("no end within {} s", PATIENCE_IN_ALL.as_secs());
        return failed(Step::Connect, why, "The server is very slow, or something between swallows the traffic.");
    };
    match tried {
        Ok(found) => {
            let said = |step: Step| match step {
                Step::Token => String::new(),
                Step::Find => server.host.clone(),
                Step::Connect => found.peer.to_string(),
                Step::Greet => found.greeting.clone(),
                Step::Protect => found.tls.clone().unwrap_or_default(),
                Step::SignIn | Step::Folders => server.login.clone().unwrap_or_default(),
            };
            steps.iter().map(|s| (name(*s), Progress::Passed(said(*s)))).collect()
        }
        Err(NotOpen::Token(why)) => failed(Step::Token, why.to_string(), TOKEN_ADVICE),
        Err(NotOpen::Line(failure)) => {
            let (step, advice) = where_it_failed(&failure, server.security);
            failed(step, failure.to_string(), advice)
        }
    }
}

/// At which step a failure stands, and what may help.
fn where_it_failed(failure: &ConnectFailure, security: Security) -> (Step, &'static str) {
    use ConnectFailure as F;
    match failure {
        F::Line(failure) => {
            place(failure, "Is the port right (587 with STARTTLS, 465 with TLS)? A firewall may be between.")
        }
        F::NoMechanism { .. } => (Step::SignIn, "Choose STARTTLS or TLS, and another way of signing in."),
        F::Refused(r) | F::Deferred(r) => at(r.stage),
        // A server that expects TLS says nothing to a plain line.
        F::Lost { stage: Stage::Greeting, .. } if security != Security::Tls => {
            (Step::Greet, "Something listens there and says nothing: servers on port 465 want TLS.")
        }
        F::Lost { stage, .. } => at(*stage),
    }
}

fn at(stage: Stage) -> (Step, &'static str) {
    match stage {
        Stage::StartTls => (Step::Protect, "The server offers STARTTLS and then refuses it: ask whoever runs it."),
        Stage::Auth => {
            (Step::SignIn, "Is the password right? Many providers want an app password, or SMTP to be switched on.")
        }
        _ => (Step::Greet, "The server does not want this sender: ask whoever runs it."),
    }
}
