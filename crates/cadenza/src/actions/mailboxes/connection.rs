//! Tries the mail server of a mailbox as the sender would use it, step by step, and says in plain words where it failed. Sends
//! no mail and changes nothing; what the server answers to a real message is another matter.

use super::super::{ActionError, Caller, Privilege, Result};
use crate::App;
use crate::engine;
use crate::mail::smtp::{Account, ConnectFailure, Stage, Timeouts, probe};
use cadenza_core::ids::MailboxId;
use cadenza_store::mailboxes::{self, Auth, Security};
use std::time::Duration;

/// A person waits for it: shorter than a sender would.
const PATIENCE: Duration = Duration::from_secs(8);
/// Over all steps together.
const PATIENCE_IN_ALL: Duration = Duration::from_secs(20);

/// What was tried, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    /// Of each step that the settings ask for: its name and how far it got.
    pub steps: Vec<(&'static str, Progress)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// With what was found.
    Passed(String),
    /// With what went wrong and what may help.
    Failed { why: String, advice: &'static str },
    /// An earlier step failed.
    NotReached,
}

impl Trial {
    pub fn passed(&self) -> bool {
        self.steps.iter().all(|(_, p)| matches!(p, Progress::Passed(_)))
    }
}

const FIND: &str = "Find the server";
const CONNECT: &str = "Connect";
const GREET: &str = "Be greeted";
const PROTECT: &str = "Protect the line";
const SIGN_IN: &str = "Sign in";

/// Tries the stored settings of a mailbox.
///
/// # Errors
/// `Missing`; `Refused` for the sandbox's, which has no server.
pub async fn test(app: &App, caller: &Caller, id: MailboxId) -> Result<Trial> {
    caller.need(Privilege::MailboxesManage)?;
    let w = caller.workspace;
    let mailbox = app.db.read_async(move |q| mailboxes::get(q, w, id)).await?;
    let Some(server) = mailbox.smtp.as_ref() else {
        return Err(ActionError::refused("sandbox", "The sandbox's mailbox has no server: its mail stays here."));
    };
    let mut steps = vec![FIND, CONNECT, GREET];
    if server.security != Security::None {
        // With TLS from the first byte the greeting comes over the protected line.
        steps.insert(if server.security == Security::Tls { 2 } else { 3 }, PROTECT);
    }
    if server.auth != Auth::None {
        steps.push(SIGN_IN);
    }
    let account = match engine::account(app, w, &mailbox, server) {
        Ok(account) => account,
        Err(why) => return Ok(broken(&steps, FIND, why, "Type the settings and the password again, and save.")),
    };
    let limits = Timeouts { connect: PATIENCE, command: PATIENCE, ..Timeouts::default() };
    let account = Account { timeouts: limits, ..account };
    let Ok(tried) = tokio::time::timeout(PATIENCE_IN_ALL, probe(&account, &app.clock)).await else {
        let why = format!("no end within {} s", PATIENCE_IN_ALL.as_secs());
        return Ok(broken(&steps, CONNECT, why, "The server is very slow, or something between swallows the traffic."));
    };
    Ok(match tried {
        Ok(found) => {
            let said = |step: &'static str| match step {
                FIND => server.host.clone(),
                CONNECT => found.peer.to_string(),
                GREET => found.greeting.clone(),
                PROTECT => found.tls.clone().unwrap_or_default(),
                _ => server.login.clone().unwrap_or_default(),
            };
            Trial { steps: steps.iter().map(|s| (*s, Progress::Passed(said(s)))).collect() }
        }
        Err(failure) => {
            let (step, advice) = place(&failure, server.security);
            broken(&steps, step, failure.to_string(), advice)
        }
    })
}

/// At which step a failure stands, and what may help.
fn place(failure: &ConnectFailure, security: Security) -> (&'static str, &'static str) {
    use ConnectFailure as F;
    match failure {
        F::Unresolved { .. } | F::HostName { .. } => (FIND, "Is the name of the server spelt right?"),
        F::Forbidden { .. } | F::Unreachable { .. } => {
            (CONNECT, "Is the port right (587 with STARTTLS, 465 with TLS)? A firewall may be between.")
        }
        F::Certificate { .. } => (
            PROTECT,
            "The name must be the one in the certificate; for a private relay, name its root in [mail] root_certificates.",
        ),
        F::Handshake { .. } => (PROTECT, "Servers on port 587 usually want STARTTLS, those on 465 TLS."),
        F::NoStartTls => (PROTECT, "Servers on port 465 want TLS from the first byte."),
        F::UnprotectedPassword | F::NoMechanism { .. } | F::Credentials => {
            (SIGN_IN, "Choose STARTTLS or TLS, and another way of signing in.")
        }
        F::Refused(r) | F::Deferred(r) => at(r.stage),
        // A server that expects TLS says nothing to a plain line.
        F::Lost { stage: Stage::Greeting, .. } if security != Security::Tls => {
            (GREET, "Something listens there and says nothing: servers on port 465 want TLS.")
        }
        F::Lost { stage, .. } => at(*stage),
    }
}

fn at(stage: Stage) -> (&'static str, &'static str) {
    match stage {
        Stage::StartTls => (PROTECT, "The server offers STARTTLS and then refuses it: ask whoever runs it."),
        Stage::Auth => {
            (SIGN_IN, "Is the password right? Many providers want an app password, or SMTP to be switched on.")
        }
        _ => (GREET, "The server does not want this sender: ask whoever runs it."),
    }
}

fn broken(steps: &[&'static str], at: &'static str, why: String, advice: &'static str) -> Trial {
    let place = steps.iter().position(|s| *s == at).unwrap_or(0);
    let progress = |i: usize| match i.cmp(&place) {
        std::cmp::Ordering::Less => Progress::Passed(String::new()),
        std::cmp::Ordering::Equal => Progress::Failed { why: why.clone(), advice },
        std::cmp::Ordering::Greater => Progress::NotReached,
    };
    Trial { steps: steps.iter().enumerate().map(|(i, s)| (*s, progress(i))).collect() }
}
