//! The sandbox (API-5): what was sent there, and the recipient whom the user plays. Whatever the recipient does goes through the
//! product's own receiving code, as a raw message or as a request for a link; no verdict travels beside it.

use super::links::{self, Answer, Method, Request};
use super::{ActionError, Caller, Privilege, Result};
use crate::app::App;
use crate::engine::receive::{self, Received, Source, TextMessage};
use crate::mail::recipient::{self, Failure, NotAnswerable, Original, Pen, Unsubscribe};
use cadenza_core::calendar::Date;
use cadenza_core::compose::Link;
use cadenza_core::flow::Channel;
use cadenza_core::ids::{EnrollmentId, SandboxMessageId};
use cadenza_core::language::Language;
use cadenza_core::time::{Span, Time};
use cadenza_store::page::Page;
use cadenza_store::sandbox_messages::{self, Recipient, SandboxMessage};
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv4Addr};

/// Recipients that are listed at most.
const RECIPIENTS_MAX: usize = 500;
/// A person needs a moment before a mail is read. What comes sooner is judged to be a machine's.
const READING: Span = Span::seconds(4);
/// As the recipient's browser and mail program call themselves.
const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/// A message as its recipient sees it.
#[derive(Debug, Clone)]
pub struct Opened {
    pub message: SandboxMessage,
    pub text: String,
    /// As it was sent; to be shown where nothing in it can run.
    pub html: Option<String>,
    /// Numbered from 1.
    pub links: Vec<Link>,
    /// Whether an open can be seen.
    pub has_pixel: bool,
    pub can_unsubscribe: bool,
    pub attachments: Vec<String>,
    /// The header as it was sent.
    pub header: String,
}

/// What the recipient does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "reaction")]
pub enum Reaction {
    /// Shows the mail with its pictures.
    Open,
    /// Follows a link, by its number from 1.
    Click {
        link: usize,
    },
    /// Writes back; on a text message, the words of a text.
    Reply {
        text: String,
    },
    OutOfOffice {
        /// The first day back, as 2027-03-15.
        #[serde(default)]
        until: Option<String>,
        /// As `de`; English where it is not said.
        #[serde(default)]
        language: Option<String>,
    },
    Bounce {
        kind: BounceKind,
    },
    /// Presses the mail program's own unsubscribe button.
    Unsubscribe,
    /// Calls it spam.
    Complaint,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BounceKind {
    /// There is no such person.
    Hard,
    /// The mailbox is full.
    Soft,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reacted {
    /// A message came in.
    Message(Received),
    /// A link or picture of ours was asked for.
    Visit(Answer),
    /// A link that leads elsewhere and is not tracked.
    Elsewhere { address: String },
}

/// The messages of one recipient or of all, newest first.
pub async fn list(
    app: &App,
    caller: &Caller,
    recipient: Option<String>,
    before: Option<SandboxMessageId>,
    limit: usize,
) -> Result<Page<SandboxMessage, Time>> {
    caller.need(Privilege::SequencesView)?;
    let w = caller.workspace;
    Ok(app.db.read_async(move |q| sandbox_messages::list(q, w, recipient.as_deref(), before, limit)).await?)
}

/// Everybody who got something, the latest first.
pub async fn recipients(app: &App, caller: &Caller) -> Result<Vec<Recipient>> {
    caller.need(Privilege::SequencesView)?;
    let w = caller.workspace;
    Ok(app.db.read_async(move |q| sandbox_messages::recipients(q, w, RECIPIENTS_MAX)).await?)
}

/// One message; it counts as looked at in the sandbox from now on, which is no open of the mail.
///
/// # Errors
/// `Missing`.
pub async fn open(app: &App, caller: &Caller, id: SandboxMessageId) -> Result<Opened> {
    let opened = look(app, caller, id).await?;
    if opened.message.read_at.is_none() {
        let (w, now) = (caller.workspace, app.clock.now());
        app.db.write_async(move |tx| sandbox_messages::mark_read(tx, w, id, now)).await?;
    }
    Ok(opened)
}

/// The bytes of a mail, the words of a text.
///
/// # Errors
/// `Missing`.
pub async fn raw(app: &App, caller: &Caller, id: SandboxMessageId) -> Result<(SandboxMessage, Vec<u8>)> {
    caller.need(Privilege::SequencesView)?;
    load(app, caller, id).await
}

/// One message, as a program looks at it: nothing is noted.
///
/// # Errors
/// `Missing`.
pub async fn look(app: &App, caller: &Caller, id: SandboxMessageId) -> Result<Opened> {
    caller.need(Privilege::SequencesView)?;
    let (message, raw) = load(app, caller, id).await?;
    if message.channel == Channel::Text {
        let text = String::from_utf8_lossy(&raw).into_owned();
        return Ok(Opened {
            message,
            text,
            html: None,
            links: Vec::new(),
            has_pixel: false,
            can_unsubscribe: false,
            attachments: Vec::new(),
            header: String::new(),
        });
    }
    let original = Original::read(&raw, &message.sender, &message.recipient).map_err(ActionError::internal)?;
    let raw_text = String::from_utf8_lossy(&raw);
    Ok(Opened {
        links: original.links(),
        has_pixel: original.pixel().is_some(),
        can_unsubscribe: !original.unsubscribe.is_empty(),
        header: raw_text.split("\r\n\r\n").next().unwrap_or_default().to_owned(),
        message,
        text: original.text,
        html: original.html,
        attachments: original.attachments,
    })
}

/// The enrollment that a message came from; `None` for mail of another kind.
pub fn sent_by(message: &SandboxMessage) -> Option<EnrollmentId> {
    cadenza_store::door::parse_message_id(&message.message_id).map(|(id, _)| id)
}

/// Lets the recipient of a message do something with it.
///
/// # Errors
/// `Missing`; `Refused` where the message has nothing that this could be done with; `Invalid` for a date or number that is none.
pub async fn react(app: &App, caller: &Caller, id: SandboxMessageId, reaction: Reaction) -> Result<Reacted> {
    caller.need(Privilege::SequencesEnroll)?;
    let (message, raw) = load(app, caller, id).await?;
    if message.channel == Channel::Text {
        return answer_text(app, caller, message, reaction).await;
    }
    let original = Original::read(&raw, &message.sender, &message.recipient).map_err(ActionError::internal)?;
    match reaction {
        Reaction::Open => {
            let pixel = original.pixel().ok_or_else(|| {
                ActionError::refused("not_tracked", "This mail has no picture that would show that it was opened.")
            })?;
            visit(app, &message, Method::Get, &pixel, BROWSER, Vec::new()).await
        }
        Reaction::Click { link } => {
            let links = original.links();
            let chosen = link.checked_sub(1).and_then(|n| links.get(n)).ok_or_else(|| {
                ActionError::invalid("link", format!("This mail has {} links, numbered from 1.", links.len()))
            })?;
            visit(app, &message, Method::Get, &chosen.address, BROWSER, Vec::new()).await
        }
        Reaction::Unsubscribe => unsubscribe(app, caller, &message, &original).await,
        written => {
            let unique = app.next_id().to_string();
            let pen = Pen { now: app.clock.now(), unique: &unique };
            let raw = write(&original, written, pen)?;
            come_in(app, caller, raw).await
        }
    }
}

/// The message that a reaction is.
fn write(original: &Original, reaction: Reaction, pen: Pen<'_>) -> Result<Vec<u8>> {
    let raw = match reaction {
        Reaction::Reply { text } if text.trim().is_empty() => {
            return Err(ActionError::invalid("text", "Say what the recipient writes."));
        }
        Reaction::Reply { text } => recipient::reply(original, &text, pen),
        Reaction::OutOfOffice { until, language } => {
            let until = until.filter(|u| !u.trim().is_empty()).map(|u| date(&u)).transpose()?;
            let language = match language.filter(|l| !l.trim().is_empty()) {
                Some(name) => Language::named(&name).ok_or_else(|| unknown_language(&name))?,
                None => Language::default(),
            };
            recipient::out_of_office(original, until, language, pen)
        }
        Reaction::Bounce { kind: BounceKind::Hard } => recipient::bounce(original, Failure::Hard, pen),
        Reaction::Bounce { kind: BounceKind::Soft } => recipient::bounce(original, Failure::Soft, pen),
        Reaction::Complaint => recipient::complaint(original, pen),
        Reaction::Open | Reaction::Click { .. } | Reaction::Unsubscribe => Err(NotAnswerable("message in it")),
    };
    raw.map_err(|e| ActionError::refused("not_answerable", format!("{e}.")))
}

fn date(text: &str) -> Result<Date> {
    text.trim().parse().map_err(|_| ActionError::invalid("until", "Expected a date such as 2027-03-15."))
}

fn unknown_language(name: &str) -> ActionError {
    let known: Vec<&str> = Language::ALL.into_iter().map(Language::tag).collect();
    ActionError::invalid("language", format!("{name:?} is not among the languages there are: {}.", known.join(", ")))
}

/// Presses the button: a POST where the header names one, else the mail that it asks for.
async fn unsubscribe(app: &App, caller: &Caller, message: &SandboxMessage, original: &Original) -> Result<Reacted> {
    let one_click = original.unsubscribe.iter().find(|u| matches!(u, Unsubscribe::OneClick(_)));
    match one_click.or(original.unsubscribe.first()) {
        Some(Unsubscribe::OneClick(url)) => {
            let body = b"List-Unsubscribe=One-Click".to_vec();
            visit(app, message, Method::Post, url, "", body).await
        }
        Some(Unsubscribe::Mail { to, subject }) => {
            let unique = app.next_id().to_string();
            let pen = Pen { now: app.clock.now(), unique: &unique };
            let raw = recipient::unsubscribe_mail(original, to, subject, pen);
            come_in(app, caller, raw.map_err(|e| ActionError::refused("not_answerable", format!("{e}.")))?).await
        }
        None => Err(ActionError::refused("no_unsubscribe", "This mail names no way to unsubscribe in its header.")),
    }
}

/// Asks for an address of the mail, as the public door would be asked.
async fn visit(
    app: &App,
    message: &SandboxMessage,
    method: Method,
    address: &str,
    user_agent: &str,
    body: Vec<u8>,
) -> Result<Reacted> {
    let Some(path) = own_path(address) else { return Ok(Reacted::Elsewhere { address: address.to_owned() }) };
    if app.clock.now() < message.at + READING {
        app.clock.until(message.at + READING).await;
    }
    let request = Request {
        method,
        path,
        user_agent: user_agent.to_owned(),
        address: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        accept_language: String::new(),
        prefetch: false,
        body,
    };
    links::answer(app, request).await.map(Reacted::Visit)
}

/// The path of one of our links.
fn own_path(address: &str) -> Option<String> {
    use cadenza_core::compose::{CLICK_PATH, OPEN_PATH, UNSUBSCRIBE_PATH};
    let url = reqwest::Url::parse(address).ok()?;
    let ours = [CLICK_PATH, OPEN_PATH, UNSUBSCRIBE_PATH].iter().any(|p| url.path().starts_with(p));
    ours.then(|| url.path().to_owned())
}

async fn come_in(app: &App, caller: &Caller, raw: Vec<u8>) -> Result<Reacted> {
    let now = app.clock.now();
    let received = receive::receive(app, caller.workspace, Source::Sandbox, raw, now).await?;
    Ok(Reacted::Message(received))
}

async fn answer_text(app: &App, caller: &Caller, message: SandboxMessage, reaction: Reaction) -> Result<Reacted> {
    let Reaction::Reply { text } = reaction else {
        return Err(ActionError::refused("only_texts", "A text message can only be answered by a text."));
    };
    if text.trim().is_empty() {
        return Err(ActionError::invalid("text", "Say what the recipient writes, such as STOP."));
    }
    let id = Some(format!("sandbox-{}", app.next_id()));
    let answer = TextMessage { from: message.recipient, to: message.sender, text, id };
    let received = receive::receive_text(app, caller.workspace, answer, app.clock.now()).await?;
    Ok(Reacted::Message(received))
}

async fn load(app: &App, caller: &Caller, id: SandboxMessageId) -> Result<(SandboxMessage, Vec<u8>)> {
    let w = caller.workspace;
    let found =
        app.db.read_async(move |q| Ok((sandbox_messages::get(q, w, id)?, sandbox_messages::raw(q, w, id)?))).await;
    found.map_err(|e| match e {
        cadenza_store::StoreError::Missing { .. } => ActionError::missing("message in the sandbox", id),
        e => e.into(),
    })
}
