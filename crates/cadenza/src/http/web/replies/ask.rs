//! The dialogs of the Replies screen: what a message is, whose it is, who handles it.

use super::super::lists::Choice;
use super::super::page::{html, local_path};
use super::super::parts::{Avatar, Icon};
use super::super::shell::Shell;
use super::super::viewer::Viewer;
use super::act::message;
use crate::App;
use crate::actions::{Privilege, inbound};
use crate::http::error::Result;
use crate::http::wire::Params;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use cadenza_store::contacts;
use cadenza_store::inbound_messages::{Class, Inbound};
use cadenza_store::users::{self, UserState};
use serde::Deserialize;

/// Contacts shown to choose from; the search narrows them.
const SHOWN: usize = 30;

#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    back: String,
    #[serde(default)]
    q: String,
}

/// A class to choose: value, label, what it does.
#[derive(Debug)]
pub struct ClassChoice {
    pub value: &'static str,
    pub label: &'static str,
    pub does: &'static str,
    pub current: bool,
}

#[derive(Debug, Template)]
#[template(path = "replies/correct.html", blocks = ["dialog"])]
pub struct CorrectPage {
    pub shell: Shell,
    pub path: String,
    pub back: String,
    pub classes: Vec<ClassChoice>,
}

pub async fn correct(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<String>,
    Params(asked): Params<Asked>,
) -> Result<Response> {
    let m = read(&app, &viewer, &id).await?;
    let all = [
        ("reply", Some(Class::Reply), "Reply", "A person wrote it: the sequence’s setting for replies holds"),
        ("out_of_office", Some(Class::OutOfOffice), "Out of office", "Paused until the person is back"),
        ("other", Some(Class::Other), "Other automatic mail", "Noted; the sequence goes on"),
        ("bounce", Some(Class::Bounce), "Bounced for good", "Ended, and the address is suppressed"),
        ("soft_bounce", None, "Bounced for now", "The step is tried again"),
        ("complaint", Some(Class::Complaint), "Complaint", "Ended everywhere, and the address is suppressed"),
        ("opt_out", Some(Class::OptOut), "Opt-out", "Ended everywhere, and the address is suppressed"),
    ];
    let choice = |(value, class, label, does)| ClassChoice { value, label, does, current: class == Some(m.class) };
    let page = CorrectPage {
        shell: viewer.shell(None),
        path: format!("/replies/{id}/correct"),
        back: back(&asked.back),
        classes: all.map(choice).into_iter().collect(),
    };
    Ok(if viewer.part { html(&page.as_dialog()) } else { html(&page) })
}

#[derive(Debug, Template)]
#[template(path = "replies/assign.html", blocks = ["dialog"])]
pub struct AssignPage {
    pub shell: Shell,
    pub path: String,
    pub back: String,
    pub users: Vec<Choice>,
    pub now: String,
}

pub async fn assign(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<String>,
    Params(asked): Params<Asked>,
) -> Result<Response> {
    let m = read(&app, &viewer, &id).await?;
    let w = viewer.caller.workspace;
    let all = app.db.read_async(move |q| users::all(q, w)).await?;
    let active = all.into_iter().filter(|u| u.state == UserState::Active);
    let page = AssignPage {
        shell: viewer.shell(None),
        path: format!("/replies/{id}/assign"),
        back: back(&asked.back),
        users: active.map(|u| Choice::new(u.id.to_string(), u.name)).collect(),
        now: m.assigned_to.map(|u| u.to_string()).unwrap_or_default(),
    };
    Ok(if viewer.part { html(&page.as_dialog()) } else { html(&page) })
}

#[derive(Debug, Template)]
#[template(path = "replies/match.html", blocks = ["dialog"])]
pub struct MatchPage {
    pub shell: Shell,
    pub path: String,
    pub back: String,
    pub sender: String,
    /// Id, name, company.
    pub found: Vec<(String, String, String)>,
}

pub async fn give(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<String>,
    Params(asked): Params<Asked>,
) -> Result<Response> {
    let m = read(&app, &viewer, &id).await?;
    let (w, now) = (viewer.caller.workspace, viewer.watch.now);
    let wanted = contacts::Filter { typed: asked.q.clone(), ..contacts::Filter::default() };
    let read = app.db.read_async(move |q| contacts::search(q, w, &wanted, contacts::Order::Name, None, SHOWN, now));
    let found = read.await?.rows.into_iter();
    let page = MatchPage {
        shell: viewer.shell(None),
        path: format!("/replies/{id}/match"),
        back: back(&asked.back),
        sender: m.from_address.unwrap_or_else(|| "an unknown sender".into()),
        found: found
            .map(|f| (f.contact.id.to_string(), f.contact.full_name(), f.company_name.unwrap_or_default()))
            .collect(),
    };
    Ok(if viewer.part { html(&page.as_dialog()) } else { html(&page) })
}

async fn read(app: &App, viewer: &Viewer, id: &str) -> Result<Inbound> {
    viewer.caller.need(Privilege::SequencesEnroll)?;
    Ok(inbound::get(app, &viewer.caller, message(id)?).await?)
}

fn back(asked: &str) -> String {
    if asked.is_empty() { "/replies".into() } else { local_path(asked) }
}
