//! Mailboxes: which there are, what each may and does send today, what holds it; added, changed, tried, held, released and
//! deleted. The fields of the form are in `fields`.

mod fields;

use self::fields::{change_of, fields_of};
use super::super::form::{self, Field, Typed};
use super::super::lists::Empty;
use super::super::page::html;
use super::super::parts::{Badge, Icon, Moment, Tone, count};
use super::super::rows::Names;
use super::super::said;
use super::super::shell::{Place, Shell};
use super::super::viewer::Viewer;
use super::{Section, SectionLink, frame};
use crate::App;
use crate::actions::mailboxes::{self as actions, Progress, Trial};
use crate::actions::{ActionError, Caller, Fault, Privilege};
use crate::http::error::Result;
use askama::Template;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Router, routing::get, routing::post};
use cadenza_core::ids::MailboxId;
use cadenza_core::pacing::{Limit, ScopeKind, Used};
use cadenza_core::settings::{Per, Rate};
use cadenza_store::mailboxes::{self, Mailbox};
use serde::Deserialize;

const PATH: &str = "/settings/mailboxes";

pub fn router() -> Router<App> {
    Router::new()
        .route(PATH, get(list).post(create))
        .route("/settings/mailboxes/new", get(new))
        .route("/settings/mailboxes/{id}", get(show).post(update))
        .route("/settings/mailboxes/{id}/test", post(test))
        .route("/settings/mailboxes/{id}/hold", post(hold))
        .route("/settings/mailboxes/{id}/release", post(release))
        .route("/settings/mailboxes/{id}/delete", post(delete))
}

#[derive(Debug, Template)]
#[template(path = "settings/mailboxes/list.html", blocks = ["main"])]
pub struct MailboxesPage {
    pub shell: Shell,
    pub title: &'static str,
    pub sections: Vec<SectionLink>,
    pub rows: Vec<MailboxRow>,
    pub empty: Option<Empty>,
}

#[derive(Debug)]
pub struct MailboxRow {
    pub id: String,
    pub address: String,
    pub owner: String,
    pub badge: Badge,
    /// Why it is held; empty where it is not.
    pub held: String,
    /// "12 of 200"
    pub today: String,
    pub hour: String,
    pub server: String,
    pub replies: &'static str,
}

#[derive(Debug, Template)]
#[template(path = "settings/mailboxes/page.html", blocks = ["main"])]
pub struct MailboxPage {
    pub shell: Shell,
    pub title: &'static str,
    pub sections: Vec<SectionLink>,
    /// Where the form goes.
    pub path: String,
    pub address: String,
    /// Of one that exists; a new one has none.
    pub known: Option<Known>,
    pub sandbox: bool,
    pub fields: Vec<FieldGroup>,
    pub beside: Vec<String>,
    pub trial: Option<Trial>,
}

/// What is told of a mailbox that exists.
#[derive(Debug)]
pub struct Known {
    pub badge: Badge,
    /// Why, and since when.
    pub held: Option<(String, Moment)>,
    pub today: String,
    pub hour: String,
    pub readable: bool,
    /// By a journal or gateway, and not read by IMAP.
    pub posted: bool,
    pub read_at: Option<Moment>,
    pub read_failure: String,
}

#[derive(Debug)]
pub struct FieldGroup {
    pub label: &'static str,
    pub about: &'static str,
    pub fields: Vec<Field>,
}

async fn list(State(app): State<App>, viewer: Viewer) -> Result<Response> {
    viewer.caller.need(Privilege::MailboxesManage)?;
    let w = viewer.caller.workspace;
    let read =
        app.db.read_async(move |q| Ok((mailboxes::all(q, w)?, mailboxes::counted(q, w)?, Names::read(q, w)?))).await?;
    let (all, counted, names) = read;
    let row = |m: &Mailbox| MailboxRow {
        id: m.id.to_string(),
        address: m.address.clone(),
        owner: names.of(Some(m.owner)),
        badge: badge(m),
        held: m.held.as_ref().map(|(why, _)| why.clone()).unwrap_or_default(),
        today: used(m, ScopeKind::MailboxDay, &counted, &viewer),
        hour: used(m, ScopeKind::MailboxHour, &counted, &viewer),
        server: m.smtp.as_ref().map_or_else(|| "stays here".to_owned(), |s| format!("{}:{}", s.host, s.port)),
        replies: match (m.readable, &m.read_failure) {
            (true, _) if m.journaled && m.imap.is_none() => "posted here",
            (false, _) => "not read",
            (true, None) => "read",
            (true, Some(_)) => "cannot be read",
        },
    };
    let (title, sections) = frame(&viewer.caller, Section::Mailboxes);
    let text = "Without one nothing is sent. Add the account of a mail server; until then sequences wait.";
    let page = MailboxesPage {
        shell: viewer.shell(Some(Place::Settings)),
        title,
        sections,
        empty: all
            .is_empty()
            .then(|| Empty::new("mailbox", "No mailbox", text).offering("/settings/mailboxes/new", "Add a mailbox")),
        rows: all.iter().map(row).collect(),
    };
    Ok(if viewer.part { html(&page.as_main()) } else { html(&page) })
}

fn badge(m: &Mailbox) -> Badge {
    match (&m.held, m.sandbox) {
        (Some((why, _)), _) => Badge::new(Tone::Red, "Held").titled(why.clone()),
        (None, true) => Badge::new(Tone::Violet, "Sandbox").titled("Its mail stays here, in the sandbox."),
        (None, false) => Badge::new(Tone::Green, "Sends"),
    }
}

/// How much of a cap is used, in words.
fn used(m: &Mailbox, kind: ScopeKind, counted: &[(ScopeKind, MailboxId, Used)], viewer: &Viewer) -> String {
    let (cap, per) = match kind {
        ScopeKind::MailboxHour => (m.caps.hour, Per::Hour),
        _ => (m.caps.day, Per::Day),
    };
    let Some(cap) = cap.filter(|_| !m.sandbox) else { return "no cap".to_owned() };
    let used = counted.iter().find(|(k, id, _)| *k == kind && *id == m.id).map_or_else(Used::default, |(.., u)| *u);
    let zone = viewer.workspace.settings.sequence.zone.clone();
    let limit = Limit::Rate { rate: Rate { count: cap, per }, zone };
    let gone = cap.saturating_sub(limit.room(used, viewer.watch.now));
    format!("{} of {}", count(gone.into()), count(cap.into()))
}

async fn new(State(app): State<App>, viewer: Viewer) -> Result<Response> {
    viewer.caller.need(Privilege::MailboxesManage)?;
    let page = blank(&app, &viewer, None, &[]).await?;
    Ok(if viewer.part { html(&page.as_main()) } else { html(&page) })
}

async fn create(State(app): State<App>, viewer: Viewer, Form(typed): Form<Typed>) -> Result<Response> {
    let done = match change_of(&typed, None) {
        Ok(change) => actions::create(&app, &viewer.caller, change).await,
        Err(faults) => viewer.caller.need(Privilege::MailboxesManage).and(Err(ActionError::Invalid(faults))),
    };
    match done {
        Ok(mailbox) => {
            let text = format!("{} was added. Try the connection before you rely on it.", mailbox.address);
            Ok(said::done(&format!("{PATH}/{}", mailbox.id), &text))
        }
        Err(e) => refuse(&viewer, blank(&app, &viewer, Some(&typed), &told(e)?).await?),
    }
}

/// What was wrong, for the page; an address that is taken stands at its field.
fn told(e: ActionError) -> Result<Vec<Fault>> {
    Ok(match e {
        ActionError::Refused { code: "address_taken", message } => vec![Fault { field: "address".into(), message }],
        e => form::faults(e)?,
    })
}

fn refuse(viewer: &Viewer, page: MailboxPage) -> Result<Response> {
    let answer = if viewer.part { html(&page.as_main()) } else { html(&page) };
    Ok((StatusCode::UNPROCESSABLE_ENTITY, answer).into_response())
}

async fn blank(app: &App, viewer: &Viewer, typed: Option<&Typed>, faults: &[Fault]) -> Result<MailboxPage> {
    let (_, sections) = frame(&viewer.caller, Section::Mailboxes);
    let fields = fields_of(app, viewer, None, typed, faults).await?;
    let all: Vec<Field> = fields.iter().flat_map(|g| g.fields.clone()).collect();
    Ok(MailboxPage {
        shell: viewer.shell(Some(Place::Settings)),
        title: "Add a mailbox",
        sections,
        path: PATH.to_owned(),
        address: String::new(),
        known: None,
        sandbox: false,
        beside: form::beside(faults, &all),
        fields,
        trial: None,
    })
}

async fn show(State(app): State<App>, viewer: Viewer, Path(id): Path<String>) -> Result<Response> {
    let page = page(&app, &viewer, &id, None, &[]).await?;
    Ok(if viewer.part { html(&page.as_main()) } else { html(&page) })
}

async fn page(app: &App, viewer: &Viewer, id: &str, typed: Option<&Typed>, faults: &[Fault]) -> Result<MailboxPage> {
    let (w, m) = (viewer.caller.workspace, actions::get(app, &viewer.caller, parse(id)?).await?);
    let counted = app.db.read_async(move |q| mailboxes::counted(q, w)).await?;
    let fields = fields_of(app, viewer, Some(&m), typed, faults).await?;
    let all: Vec<Field> = fields.iter().flat_map(|g| g.fields.clone()).collect();
    let (_, sections) = frame(&viewer.caller, Section::Mailboxes);
    Ok(MailboxPage {
        shell: viewer.shell(Some(Place::Settings)),
        title: "Mailbox",
        sections,
        path: format!("{PATH}/{id}"),
        known: Some(Known {
            badge: badge(&m),
            today: used(&m, ScopeKind::MailboxDay, &counted, viewer),
            hour: used(&m, ScopeKind::MailboxHour, &counted, viewer),
            readable: m.readable,
            posted: m.journaled && m.imap.is_none(),
            read_at: m.read_at.map(|at| viewer.watch.exact(at)),
            read_failure: m.read_failure.clone().unwrap_or_default(),
            held: m.held.map(|(why, since)| (why, viewer.watch.exact(since))),
        }),
        address: m.address,
        sandbox: m.sandbox,
        beside: form::beside(faults, &all),
        fields,
        trial: None,
    })
}

fn parse(id: &str) -> Result<MailboxId, ActionError> {
    id.parse().map_err(|_| ActionError::missing("mailbox", id))
}

async fn update(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<String>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let old = actions::get(&app, &viewer.caller, parse(&id)?).await?;
    let done = match change_of(&typed, Some(&old)) {
        Ok(change) => actions::update(&app, &viewer.caller, old.id, change).await,
        Err(faults) => Err(ActionError::Invalid(faults)),
    };
    match done {
        Ok(_) => Ok(said::done(&format!("{PATH}/{id}"), "Saved. Whoever waited for it goes on.")),
        Err(e) => refuse(&viewer, page(&app, &viewer, &id, Some(&typed), &told(e)?).await?),
    }
}

/// Not by redirect: what was found belongs to this one try.
async fn test(State(app): State<App>, viewer: Viewer, Path(id): Path<String>) -> Result<Response> {
    let trial = actions::test(&app, &viewer.caller, parse(&id)?).await?;
    let shown = MailboxPage { trial: Some(trial), ..page(&app, &viewer, &id, None, &[]).await? };
    Ok(if viewer.part { html(&shown.as_main()) } else { html(&shown) })
}

#[derive(Deserialize)]
struct Why {
    #[serde(default)]
    why: String,
}

async fn hold(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Form(form): Form<Why>,
) -> Result<Response> {
    actions::hold(&app, &caller, parse(&id)?, &form.why).await?;
    Ok(said::done(&format!("{PATH}/{id}"), "Held: nothing goes out from it until it is released."))
}

async fn release(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<Response> {
    actions::release(&app, &caller, parse(&id)?).await?;
    Ok(said::done(&format!("{PATH}/{id}"), "Released. Whoever waited for it goes on."))
}

async fn delete(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<Response> {
    actions::delete(&app, &caller, parse(&id)?).await?;
    Ok(said::done(PATH, "Deleted."))
}
