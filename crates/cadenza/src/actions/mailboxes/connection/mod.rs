//! Tries the servers of a mailbox as the sender and the reader would use them, step by step, and says in plain words where it
//! failed. Sends no mail and changes nothing; what the server answers to a real message is another matter.

mod reading;
mod sending;

use super::super::{ActionError, Caller, Privilege, Result};
use crate::App;
use crate::mail::smtp::LineFailure;
use crate::reach::NotFound;
use cadenza_core::ids::MailboxId;
use cadenza_store::mailboxes::{self, Auth, Security, Server};
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

/// The steps to a server, in their order but for TLS, which comes before the greeting where it begins at the first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// By OAuth 2, before anything is connected to.
    Token,
    Find,
    Connect,
    Greet,
    Protect,
    SignIn,
    /// Whether the folders are there that are to be read.
    Folders,
}

/// Tries the stored settings of a mailbox: that its mail is taken, and where it has an inbox, that it can be read.
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
    let reading = async {
        match &mailbox.imap {
            Some(inbox) => reading::try_it(app, w, &mailbox, inbox).await,
            None => Vec::new(),
        }
    };
    let (mut steps, inbox) = tokio::join!(sending::try_it(app, w, &mailbox, server), reading);
    steps.extend(inbox);
    Ok(Trial { steps })
}

/// The steps that a server's settings ask for.
fn steps_to(server: &Server) -> Vec<Step> {
    let line = match server.security {
        Security::Tls => &[Step::Find, Step::Connect, Step::Protect, Step::Greet][..],
        Security::Starttls => &[Step::Find, Step::Connect, Step::Greet, Step::Protect],
        Security::None => &[Step::Find, Step::Connect, Step::Greet],
    };
    let token = (server.auth == Auth::Xoauth2).then_some(Step::Token);
    token.into_iter().chain(line.iter().copied()).collect()
}

/// What may help to a token.
const TOKEN_ADVICE: &str = "See under OAuth 2 in its settings.";

/// At which step a line failed, and what may help; `ports` says which are usual.
fn place(failure: &LineFailure, ports: &'static str) -> (Step, &'static str) {
    use LineFailure as F;
    match failure {
        F::Address(NotFound::Unresolved { .. }) | F::HostName { .. } => {
            (Step::Find, "Is the name of the server spelt right?")
        }
        F::Address(NotFound::Forbidden(_)) => (Step::Find, "Ask whoever runs this installation."),
        F::Unreachable { .. } => (Step::Connect, ports),
        F::Certificate { .. } => (
            Step::Protect,
            "The name must be the one in the certificate; for a private relay, name its root in [mail] root_certificates.",
        ),
        F::Handshake { .. } | F::NoStartTls => (Step::Protect, ports),
        F::UnprotectedPassword | F::Credentials => {
            (Step::SignIn, "Choose STARTTLS or TLS, and another way of signing in.")
        }
    }
}

type Named = (&'static str, Progress);

/// All before `at` passed, and those behind it were not reached.
fn broken(steps: &[Step], name: fn(Step) -> &'static str, at: Step, why: String, advice: &'static str) -> Vec<Named> {
    let place = steps.iter().position(|s| *s == at).unwrap_or(0);
    let progress = |i: usize| match i.cmp(&place) {
        std::cmp::Ordering::Less => Progress::Passed(String::new()),
        std::cmp::Ordering::Equal => Progress::Failed { why: why.clone(), advice },
        std::cmp::Ordering::Greater => Progress::NotReached,
    };
    steps.iter().enumerate().map(|(i, s)| (name(*s), progress(i))).collect()
}
