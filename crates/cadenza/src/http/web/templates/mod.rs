//! Sequence templates: their list, one with its flow and the sequences made from it, and what its menu offers. Its text is
//! written in `editor`, it is put to work in `activate`.

mod activate;
mod editor;
mod make;

use super::flow_picture::{Shown, draw};
use super::kind::sequence_badge;
use super::lists::{Empty, EmptyReason, Link, Search};
use super::page::html;
use super::parts::{Badge, Icon, Moment, Tone, count};
use super::rows::Names;
use super::said;
use super::shell::{Place, Shell};
use super::viewer::Viewer;
use crate::App;
use crate::actions::templates::{self as actions, Listed, TemplateChange};
use crate::actions::{ActionError, Caller, Privilege};
use crate::http::error::Result;
use crate::http::wire::Params;
use askama::Template as Page;
use axum::extract::{Form, Path, State};
use axum::response::Response;
use axum::{Router, routing::get, routing::post};
use cadenza_core::ids::TemplateId;
use cadenza_store::sequences::SubjectType;
use cadenza_store::templates::{Source, Template};
use serde::Deserialize;

pub fn router() -> Router<App> {
    Router::new()
        .route("/templates", get(list))
        .route("/templates/new", get(editor::new).post(editor::create))
        .route("/templates/import", get(editor::ask_file).post(editor::import))
        .route("/templates/{id}", get(show))
        .route("/templates/{id}/edit", get(editor::edit).post(editor::save))
        .route("/templates/{id}/export", get(editor::export))
        .route("/templates/{id}/menu", get(menu))
        .route("/templates/{id}/share", post(share))
        .route("/templates/{id}/delete", post(delete))
        .route("/templates/{id}/activate", get(activate::show).post(activate::act))
        .route("/sequences/{id}/template", get(make::ask).post(make::act))
}

#[derive(Debug, Page)]
#[template(path = "templates/list.html", blocks = ["main"])]
pub struct TemplatesPage {
    pub shell: Shell,
    pub search: Search,
    pub rows: Vec<TemplateRow>,
    pub can_make: bool,
    pub empty: Option<Empty>,
}

#[derive(Debug)]
pub struct TemplateRow {
    pub id: String,
    pub name: String,
    pub owner: String,
    pub of: &'static str,
    pub source: &'static str,
    pub steps: usize,
    pub sequences: String,
    pub private: bool,
    pub changed: Moment,
}

#[derive(Debug, Default, Deserialize)]
struct Asked {
    #[serde(default)]
    q: String,
}

async fn list(State(app): State<App>, viewer: Viewer, Params(asked): Params<Asked>) -> Result<Response> {
    let all = actions::list(&app, &viewer.caller, &asked.q).await?;
    let w = viewer.caller.workspace;
    let names = app.db.read_async(move |q| Names::read(q, w)).await?;
    let can_make = viewer.caller.may(Privilege::SequencesSave);
    let empty = if asked.q.trim().is_empty() {
        none_yet(can_make)
    } else {
        Empty::new("templates", "No template matches", "").offering("/templates", "Show all")
    };
    let page = TemplatesPage {
        shell: viewer.shell(Some(Place::Templates)),
        search: Search { value: asked.q, label: "Search templates" },
        empty: all.is_empty().then_some(empty),
        rows: all.into_iter().map(|l| row(l, &names, &viewer)).collect(),
        can_make,
    };
    Ok(if viewer.part { html(&page.as_main()) } else { html(&page) })
}

fn none_yet(can_make: bool) -> Empty {
    let text = "A template is a flow that never runs itself. It is activated into a sequence as often as you like.";
    let empty = Empty::new("templates", "No templates yet", text);
    if !can_make {
        return empty;
    }
    let reason =
        |text: &str, href: &str, label: &str| EmptyReason { text: text.to_owned(), link: Some(Link::new(href, label)) };
    let reasons = vec![
        reason("A sequence works well:", "/overview", "choose Use as template in its menu"),
        reason("You have a file:", "/templates/import", "import it"),
    ];
    Empty { reasons, ..empty }.offering("/templates/new", "New from an example")
}

fn row(l: Listed, names: &Names, viewer: &Viewer) -> TemplateRow {
    let t = l.template;
    TemplateRow {
        id: t.id.to_string(),
        owner: names.of(Some(t.owner)),
        of: whom(&t),
        source: source(&t),
        steps: t.flow.steps().count(),
        sequences: count(l.sequences as u64),
        private: !t.shared,
        changed: viewer.watch.near(t.updated_at),
        name: t.name,
    }
}

fn whom(t: &Template) -> &'static str {
    match t.of {
        SubjectType::Contacts => "Contacts",
        SubjectType::Companies => "Companies",
    }
}

fn source(t: &Template) -> &'static str {
    match t.source {
        Source::List => "A list",
        Source::OneByOne => "One by one",
    }
}

#[derive(Debug, Page)]
#[template(path = "templates/page.html", blocks = ["main"])]
pub struct TemplatePage {
    pub shell: Shell,
    pub id: String,
    pub name: String,
    pub description: String,
    pub private: Option<Badge>,
    pub owner: String,
    pub of: &'static str,
    pub source: &'static str,
    pub steps: usize,
    pub changed: Moment,
    pub picture: String,
    pub made: Vec<MadeRow>,
    pub can_edit: bool,
    pub can_activate: bool,
}

/// A sequence made from it.
#[derive(Debug)]
pub struct MadeRow {
    pub id: String,
    pub name: String,
    pub badge: Badge,
    pub owner: String,
    pub activated: Option<Moment>,
}

async fn show(State(app): State<App>, viewer: Viewer, Path(id): Path<String>) -> Result<Response> {
    let t = read(&app, &viewer.caller, &id).await?;
    let made = actions::made_from(&app, &viewer.caller, t.id).await?;
    let flow = actions::flow(&app, &viewer.caller, t.id).await?;
    let w = viewer.caller.workspace;
    let names = app.db.read_async(move |q| Names::read(q, w)).await?;
    let row = |s: &cadenza_store::sequences::Sequence| MadeRow {
        id: s.id.to_string(),
        name: s.name.clone(),
        badge: sequence_badge(s.state),
        owner: names.of(Some(s.primary_user)),
        activated: s.activated_at.map(|at| viewer.watch.near(at)),
    };
    let page = TemplatePage {
        shell: viewer.shell(Some(Place::Templates)),
        private: (!t.shared).then(|| Badge::new(Tone::Grey, "Private").titled("Only its owner sees it.")),
        owner: names.of(Some(t.owner)),
        of: whom(&t),
        source: source(&t),
        steps: flow.steps().count(),
        changed: viewer.watch.near(t.updated_at),
        picture: draw(&flow, &Shown::default()),
        made: made.iter().map(row).collect(),
        can_edit: actions::may_save(&viewer.caller, &t).is_ok(),
        can_activate: viewer.caller.may(Privilege::SequencesSave),
        name: t.name,
        description: t.description,
        id,
    };
    Ok(if viewer.part { html(&page.as_main()) } else { html(&page) })
}

/// The template, where the caller sees it.
async fn read(app: &App, caller: &Caller, id: &str) -> Result<Template, ActionError> {
    actions::get(app, caller, parsed(id)?).await
}

fn parsed(id: &str) -> Result<TemplateId, ActionError> {
    id.parse().map_err(|_| ActionError::missing("template", id))
}

#[derive(Debug, Page)]
#[template(path = "templates/menu.html", blocks = ["items"])]
pub struct TemplateMenu {
    pub shell: Shell,
    pub id: String,
    pub name: String,
    pub shared: bool,
    pub can_edit: bool,
    pub can_make: bool,
}

async fn menu(State(app): State<App>, viewer: Viewer, Path(id): Path<String>) -> Result<Response> {
    let t = read(&app, &viewer.caller, &id).await?;
    let page = TemplateMenu {
        shell: viewer.shell(None),
        can_edit: actions::may_save(&viewer.caller, &t).is_ok(),
        can_make: viewer.caller.may(Privilege::SequencesSave),
        shared: t.shared,
        name: t.name,
        id,
    };
    Ok(if viewer.part { html(&page.as_items()) } else { html(&page) })
}

#[derive(Debug, Deserialize)]
struct Wanted {
    shared: bool,
}

async fn share(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Form(wanted): Form<Wanted>,
) -> Result<Response> {
    let change = TemplateChange { shared: Some(wanted.shared), ..TemplateChange::default() };
    actions::update(&app, &caller, parsed(&id)?, change).await?;
    let words = if wanted.shared { "Shared: everybody sees it." } else { "Private: only its owner sees it." };
    Ok(said::done(&format!("/templates/{id}"), words))
}

async fn delete(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<Response> {
    actions::delete(&app, &caller, parsed(&id)?).await?;
    Ok(said::done("/templates", "Deleted. Sequences made from it stay as they are."))
}
