//! To where a message goes: a mailbox's SMTP server, or the sandbox. Both are behind the same outbox and the same final mark:
//! first everything but the dot, then the dot.

use super::account::{NotOpen, account, connect};
use super::tokens::NoToken;
use crate::app::App;
use crate::mail::smtp::{
    Account, Answer, Blame, ConnectFailure, Connection, Envelope, OfferFailure, Refusal, Timeouts,
};
use cadenza_core::compose::Address;
use cadenza_core::ids::{MailboxId, WorkspaceId};
use cadenza_core::machine::Fault;
use cadenza_store::mailboxes::Mailbox;
use cadenza_store::{StoreError, sandbox_messages};

/// A message ready to go.
#[derive(Debug, Clone)]
pub(super) struct Parcel {
    /// The envelope's sender, to whom reports come back; of a text, who writes.
    pub from: String,
    pub to: String,
    pub subject: String,
    pub message_id: String,
    pub raw: Vec<u8>,
    pub text: bool,
}

/// Why a message did not get to its dot, or what the answer to the dot was not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Setback {
    /// To be tried again.
    Later {
        detail: String,
    },
    /// The line that was kept open has died meanwhile: a new one may do, at once.
    Stale {
        detail: String,
    },
    Refused {
        fault: Fault,
        detail: String,
    },
}

/// What came of the dot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    Accepted,
    Set(Setback),
    Unknown { detail: String },
}

/// One line to where a mailbox's messages go.
#[derive(Debug)]
pub(super) enum Transport {
    Sandbox {
        workspace: WorkspaceId,
        mailbox: Option<MailboxId>,
    },
    Smtp {
        workspace: WorkspaceId,
        mailbox: MailboxId,
        version: i64,
        account: Box<Account>,
        line: Option<Box<Connection>>,
    },
}

impl Transport {
    /// The transport of a mailbox; texts (no mailbox) go to the sandbox.
    pub fn of(
        app: &App,
        workspace: WorkspaceId,
        mailbox: Option<&Mailbox>,
        patience: Timeouts,
    ) -> Result<Transport, Setback> {
        let Some(row) = mailbox else { return Ok(Transport::Sandbox { workspace, mailbox: None }) };
        let Some(server) = &row.smtp else { return Ok(Transport::Sandbox { workspace, mailbox: Some(row.id) }) };
        let refused = |detail| Setback::Refused { fault: Fault::Sender, detail };
        let account = account(app, workspace, row, server).map_err(refused)?;
        let account = Box::new(Account { timeouts: patience, ..account });
        Ok(Transport::Smtp { workspace, mailbox: row.id, version: row.version, account, line: None })
    }

    /// Whether it still leads to where this mailbox's messages go.
    pub fn is_for(&self, now: Option<&Mailbox>) -> bool {
        match (self, now) {
            (Transport::Sandbox { mailbox, .. }, now) => {
                *mailbox == now.map(|m| m.id) && now.is_none_or(|m| m.smtp.is_none())
            }
            (Transport::Smtp { mailbox, version, .. }, now) => {
                now.is_some_and(|m| (m.id, m.version) == (*mailbox, *version))
            }
        }
    }

    /// Brings a message up to its final dot, over the open line where it is still good.
    pub async fn offer(&mut self, app: &App, parcel: &Parcel) -> Result<Ready<'_>, Setback> {
        let Transport::Smtp { workspace, mailbox, account, line, .. } = self else { return Ok(Ready::Sandbox(self)) };
        let kept = line.is_some();
        let envelope = Envelope::new(Some(address(&parcel.from)?), address(&parcel.to)?);
        if line.as_mut().is_some_and(|l| !l.is_open() || l.is_idle_expired()) {
            *line = None;
        }
        if line.is_none() {
            let opened = connect(app, (*workspace, *mailbox), account).await.map_err(|e| connect_setback(&e))?;
            *line = Some(Box::new(opened));
        }
        let Some(open) = line.as_mut() else { return Err(Setback::Later { detail: "no connection".into() }) };
        match open.offer(&envelope, &parcel.raw).await {
            Ok(at_dot) => Ok(Ready::Smtp(at_dot)),
            Err(OfferFailure::Lost { why, .. }) if kept => Err(Setback::Stale { detail: why.to_string() }),
            Err(e) => Err(offer_setback(&e)),
        }
    }

    /// Forgets the line; the next offer makes another.
    pub fn drop_line(&mut self) {
        if let Transport::Smtp { line, .. } = self {
            *line = None;
        }
    }

    /// Ends the line in good order.
    pub async fn close(self) {
        if let Transport::Smtp { line: Some(line), .. } = self {
            line.quit().await;
        }
    }
}

/// A message up to its final dot.
pub(super) enum Ready<'a> {
    Sandbox(&'a Transport),
    Smtp(crate::mail::smtp::AtDot<'a>),
}

impl Ready<'_> {
    /// Gives the dot.
    pub async fn finish(self, app: &App, parcel: &Parcel) -> Outcome {
        match self {
            Ready::Smtp(at_dot) => outcome(at_dot.finish().await),
            Ready::Sandbox(Transport::Sandbox { workspace, mailbox }) => {
                match keep(app, *workspace, *mailbox, parcel).await {
                    Ok(()) => Outcome::Accepted,
                    Err(StoreError::Unavailable { commit_unknown: true, why }) => Outcome::Unknown { detail: why },
                    Err(e) => Outcome::Set(Setback::Later { detail: e.to_string() }),
                }
            }
            Ready::Sandbox(Transport::Smtp { .. }) => Outcome::Set(Setback::Later { detail: "no line".into() }),
        }
    }

    /// The dot is not given: the server forgets the message (RFC 5321 §3.8).
    pub fn abandon(self) {
        if let Ready::Smtp(at_dot) = self {
            at_dot.abandon();
        }
    }
}

async fn keep(
    app: &App,
    workspace: WorkspaceId,
    mailbox: Option<MailboxId>,
    parcel: &Parcel,
) -> Result<(), StoreError> {
    let (app2, parcel) = (app.clone(), parcel.clone());
    app.db
        .write_async(move |tx| {
            let message = sandbox_messages::Received {
                mailbox,
                text: parcel.text,
                sender: &parcel.from,
                recipient: &parcel.to,
                subject: &parcel.subject,
                message_id: &parcel.message_id,
                raw: &parcel.raw,
            };
            let now = app2.clock.now();
            sandbox_messages::receive(tx, workspace, app2.door.id(now), &message, now)
        })
        .await
}

fn address(text: &str) -> Result<Address, Setback> {
    text.parse().map_err(|e| Setback::Refused { fault: Fault::Recipient, detail: format!("{e}") })
}

fn connect_setback(e: &NotOpen<ConnectFailure>) -> Setback {
    let detail = e.to_string();
    match e {
        NotOpen::Token(NoToken::Passing(_)) => Setback::Later { detail },
        NotOpen::Line(e) if e.is_passing() => Setback::Later { detail },
        // A sign-in that is refused, a certificate that is not believed: the mailbox is at fault, never the contact.
        _ => Setback::Refused { fault: Fault::Sender, detail },
    }
}

fn offer_setback(e: &OfferFailure) -> Setback {
    match e {
        OfferFailure::Refused(refusal) => Setback::Refused { fault: fault(refusal), detail: refusal.to_string() },
        OfferFailure::Deferred(refusal) => Setback::Later { detail: refusal.to_string() },
        OfferFailure::Lost { .. } => Setback::Later { detail: e.to_string() },
        OfferFailure::Unfit(_) => Setback::Refused { fault: Fault::Message, detail: e.to_string() },
    }
}

fn outcome(answer: Answer) -> Outcome {
    match answer {
        Answer::Accepted { .. } => Outcome::Accepted,
        Answer::Refused(r) => Outcome::Set(Setback::Refused { fault: fault(&r), detail: r.to_string() }),
        Answer::Deferred(r) => Outcome::Set(Setback::Later { detail: r.to_string() }),
        Answer::NotGiven { why } => Outcome::Set(Setback::Later { detail: why.to_string() }),
        Answer::Unknown { why } => Outcome::Unknown { detail: why.to_string() },
    }
}

fn fault(refusal: &Refusal) -> Fault {
    match refusal.blame {
        Blame::Recipient => Fault::Recipient,
        Blame::Sender => Fault::Sender,
        Blame::Message | Blame::Server => Fault::Message,
    }
}
