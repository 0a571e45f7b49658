//! The sandbox (API-5): what was sent, by recipient, and the recipient whom the user plays. Mails are shown where nothing in
//! them can run.

use super::lists::{Empty, Link};
use super::page::html;
use super::parts::{Icon, Moment};
use super::said;
use super::shell::{Place, Shell};
use super::viewer::Viewer;
use crate::App;
use crate::actions::clock::skip_ahead;
use crate::actions::sandbox::{self as actions, BounceKind, Opened, Reaction};
use crate::actions::{ActionError, Caller, Privilege};
use crate::http::error::Result;
use crate::http::wire::Params;
use askama::Template;
use axum::extract::{Form, Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use axum::{Router, routing::get, routing::post};
use cadenza_core::flow::Channel;
use cadenza_core::ids::SandboxMessageId;
use cadenza_core::time::{Span, Time};
use cadenza_store::sandbox_messages::SandboxMessage;
use serde::Deserialize;

/// Messages on the page, the newest.
const SHOWN: usize = 200;
/// A mail is somebody else's HTML: no script, no form, nothing from elsewhere, and its own origin.
const MAIL_POLICY: &str =
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'";

/// As most mail programs show what names no font; whatever the mail says of its own look comes after and wins.
const MAIL_LOOK: &str = "<!doctype html><meta name=viewport content=\"width=device-width\">\
    <style>body{margin:1.25rem;font:14px/1.5 sans-serif;overflow-wrap:anywhere}</style>";

pub fn router() -> Router<App> {
    Router::new()
        .route("/sandbox", get(show))
        .route("/sandbox/skip", post(skip))
        .route("/sandbox/{id}/body", get(body))
        .route("/sandbox/{id}/act", post(act))
}

#[derive(Debug, Template)]
#[template(path = "sandbox/page.html", blocks = ["main"])]
pub struct SandboxPage {
    pub shell: Shell,
    pub clock: Moment,
    pub recipients: Vec<RecipientRows>,
    pub open: Option<OpenMessage>,
    pub empty: Option<Empty>,
}

/// Who got something, and what.
#[derive(Debug)]
pub struct RecipientRows {
    pub address: String,
    pub rows: Vec<MessageRow>,
}

#[derive(Debug)]
pub struct MessageRow {
    pub href: String,
    pub subject: String,
    pub at: Moment,
    pub unread: bool,
    pub current: bool,
    pub text: bool,
}

/// The message that is looked at.
#[derive(Debug)]
pub struct OpenMessage {
    pub id: String,
    pub subject: String,
    pub from: String,
    pub to: String,
    pub at: Moment,
    pub enrollment: Option<Link>,
    pub is_text: bool,
    pub body: String,
    pub links: Vec<MailLink>,
    /// A likely day back, for an out-of-office notice.
    pub back_on: String,
}

#[derive(Debug)]
pub struct MailLink {
    pub text: String,
    pub target: String,
}

#[derive(Debug, Default, Deserialize)]
struct Asked {
    message: Option<String>,
}

async fn show(State(app): State<App>, viewer: Viewer, Params(asked): Params<Asked>) -> Result<Response> {
    let page = actions::list(&app, &viewer.caller, None, None, SHOWN).await?;
    let open = match asked.message.as_deref().map(str::parse::<SandboxMessageId>) {
        Some(Ok(id)) => Some(actions::open(&app, &viewer.caller, id).await?),
        _ => None,
    };
    let current = open.as_ref().map(|o| o.message.id);
    let mut recipients: Vec<RecipientRows> = Vec::new();
    for message in &page.rows {
        let row = row(message, current, &viewer);
        match recipients.iter_mut().find(|r| r.address == message.recipient) {
            Some(of) => of.rows.push(row),
            None => recipients.push(RecipientRows { address: message.recipient.clone(), rows: vec![row] }),
        }
    }
    let text = "Every mail and text of a workspace without a real mailbox arrives here, and nowhere else.";
    let shown = SandboxPage {
        shell: viewer.shell(Some(Place::Sandbox)),
        clock: viewer.watch.exact(viewer.watch.now),
        empty: recipients
            .is_empty()
            .then(|| Empty::new("sandbox", "Nothing was sent yet", text).offering("/overview", "Overview")),
        recipients,
        open: open.map(|o| opened(o, &viewer)),
    };
    Ok(if viewer.part { html(&shown.as_main()) } else { html(&shown) })
}

fn row(m: &SandboxMessage, current: Option<SandboxMessageId>, viewer: &Viewer) -> MessageRow {
    let text = m.channel == Channel::Text;
    MessageRow {
        href: format!("/sandbox?message={}", m.id),
        subject: if m.subject.is_empty() && !text { "(no subject)".into() } else { m.subject.clone() },
        at: viewer.watch.near(m.at),
        unread: m.read_at.is_none() && current != Some(m.id),
        current: current == Some(m.id),
        text,
    }
}

fn opened(o: Opened, viewer: &Viewer) -> OpenMessage {
    let m = o.message;
    let sent_by = actions::sent_by(&m);
    let links = o.links.into_iter().map(|l| {
        let text = if l.text.trim().is_empty() { "a picture".to_owned() } else { l.text.chars().take(40).collect() };
        MailLink { text, target: l.address }
    });
    let back = viewer.watch.now + Span::days(7);
    OpenMessage {
        id: m.id.to_string(),
        subject: if m.subject.is_empty() { "Text message".into() } else { m.subject },
        from: m.sender,
        to: m.recipient,
        at: viewer.watch.exact(m.at),
        enrollment: sent_by.map(|id| Link::new(format!("/enrollments/{id}"), "the enrollment")),
        is_text: m.channel == Channel::Text,
        body: o.text,
        links: links.collect(),
        back_on: back.to_jiff().to_zoned(viewer.watch.zone.clone()).date().to_string(),
    }
}

/// The mail itself, for the frame that shows it.
async fn body(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<Response> {
    let opened = actions::open(&app, &caller, message(&id)?).await?;
    let html = opened.html.unwrap_or_else(|| {
        format!(
            "<pre style=\"white-space:pre-wrap;font:14px sans-serif\">{}</pre>",
            super::parts::Escaped(&opened.text)
        )
    });
    // The policy below refuses what is elsewhere; not asking for it spares the browser the complaint.
    let html = html.replace(" src=\"http", " data-src=\"http").replace(" src='http", " data-src='http");
    let html = format!("{MAIL_LOOK}{html}");
    let mut response = Html(html).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(MAIL_POLICY));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
    Ok(response)
}

#[derive(Deserialize)]
struct Act {
    act: String,
    #[serde(default)]
    text: String,
    until: Option<String>,
}

async fn act(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Form(form): Form<Act>,
) -> Result<Response> {
    let (reaction, words) = match form.act.as_str() {
        "open" => (Reaction::Open, "Opened."),
        "reply" => (Reaction::Reply { text: form.text }, "The reply came in."),
        "stop" => (Reaction::Reply { text: "STOP".into() }, "STOP came in."),
        "away" => (Reaction::OutOfOffice { until: form.until, language: None }, "The notice came in."),
        "bounce" => (Reaction::Bounce { kind: BounceKind::Hard }, "It bounced."),
        "unsubscribe" => (Reaction::Unsubscribe, "Unsubscribed."),
        "complain" => (Reaction::Complaint, "The complaint came in."),
        other => match other.strip_prefix("click:").and_then(|n| n.parse::<usize>().ok()) {
            // Links are numbered from 1.
            Some(n) => (Reaction::Click { link: n + 1 }, "Clicked."),
            None => return Err(ActionError::invalid("act", format!("A recipient cannot {other:?}.")).into()),
        },
    };
    actions::react(&app, &caller, message(&id)?, reaction).await?;
    Ok(said::done(&format!("/sandbox?message={id}"), words))
}

#[derive(Deserialize)]
struct By {
    by: String,
}

/// *Skip ahead*: by a span, or to the moment when the next thing is due.
async fn skip(
    State(app): State<App>,
    caller: Caller,
    headers: axum::http::HeaderMap,
    Form(form): Form<By>,
) -> Result<Response> {
    caller.need(Privilege::SettingsManage)?;
    let by = match form.by.as_str() {
        "1h" => Span::hours(1),
        "1d" => Span::days(1),
        "7d" => Span::days(7),
        "next" => to_the_next(&app, &caller).await?,
        other => return Err(ActionError::invalid("by", format!("The clock cannot be moved by {other:?}.")).into()),
    };
    skip_ahead(&app, &caller, by).await?;
    let referer = headers.get(header::REFERER).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let path = referer.split_once("://").and_then(|(_, rest)| rest.find('/').map(|i| &rest[i..])).unwrap_or("/sandbox");
    Ok(said::done(&super::page::local_path(path), "The clock was moved on."))
}

/// How long until somebody in the queue is due, and a moment more.
async fn to_the_next(app: &App, caller: &Caller) -> Result<Span> {
    let (w, now) = (caller.workspace, app.clock.now());
    let read = app.db.read_async(move |q| {
        let mut wanted = cadenza_store::queue::Filter::new(cadenza_store::sequences::Viewer::All);
        wanted.first_steps = cadenza_store::queue::FirstSteps::Shown;
        cadenza_store::queue::list(q, w, &wanted, None, SHOWN)
    });
    let dues = read.await?.rows.into_iter().map(|r| r.scheduled_for);
    let next = dues.filter(|t| *t > now && *t != Time::MAX).min();
    let next = next.ok_or_else(|| {
        ActionError::refused("nothing_waits", "Nobody waits for anything that the clock would bring.")
    })?;
    Ok((next - now) + Span::seconds(1))
}

fn message(id: &str) -> Result<SandboxMessageId> {
    id.parse().map_err(|_| ActionError::missing("message in the sandbox", id).into())
}
