//! Who works here: added, given another role, shown the door, taken back; and links by which they sign in once, shown to the
//! administrator who made one and to nobody later.

use super::super::form::{self, Field, Input, Typed};
use super::super::lists::Choice;
use super::super::page::html;
use super::super::parts::{Avatar, Badge, Icon, Moment, Tone};
use super::super::said;
use super::super::shell::{Place, Shell};
use super::super::viewer::Viewer;
use super::{Section, SectionLink, frame};
use crate::App;
use crate::actions::users::{self as actions, NewUser};
use crate::actions::{ActionError, Caller, Fault, Privilege, roles};
use crate::http::error::Result;
use askama::Template;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Router, routing::get, routing::post};
use cadenza_core::ids::UserId;
use cadenza_store::users::{User, UserState};

const PATH: &str = "/settings/users";

pub fn router() -> Router<App> {
    Router::new()
        .route(PATH, get(show).post(add))
        .route("/settings/users/{id}/role", post(set_role))
        .route("/settings/users/{id}/link", post(link))
        .route("/settings/users/{id}/depart", post(depart))
        .route("/settings/users/{id}/take-back", post(take_back))
}

#[derive(Debug, Template)]
#[template(path = "settings/users.html", blocks = ["main"])]
pub struct UsersPage {
    pub shell: Shell,
    pub title: &'static str,
    pub sections: Vec<SectionLink>,
    pub rows: Vec<UserRow>,
    pub roles: Vec<Choice>,
    pub fields: Vec<Field>,
    pub beside: Vec<String>,
    /// A link that was just made.
    pub link: Option<NewLink>,
}

#[derive(Debug)]
pub struct UserRow {
    pub id: String,
    pub name: String,
    pub address: String,
    pub role: String,
    pub badge: Badge,
    pub seen: Option<Moment>,
    pub departed: bool,
    pub me: bool,
}

#[derive(Debug)]
pub struct NewLink {
    pub whose: String,
    pub url: String,
    pub minutes: u32,
}

async fn show(State(app): State<App>, viewer: Viewer) -> Result<Response> {
    let page = page(&app, &viewer, None, &[]).await?;
    Ok(answer(&viewer, &page))
}

fn answer(viewer: &Viewer, page: &UsersPage) -> Response {
    if viewer.part { html(&page.as_main()) } else { html(page) }
}

async fn page(app: &App, viewer: &Viewer, typed: Option<&Typed>, faults: &[Fault]) -> Result<UsersPage> {
    viewer.caller.need(Privilege::SettingsManage)?;
    let roles: Vec<Choice> =
        roles::all(app, &viewer.caller).await?.into_iter().map(|r| Choice::new(r.name.clone(), r.name)).collect();
    let mut all = actions::all(app, &viewer.caller).await?;
    all.sort_by_key(|u| u.state == UserState::Departed);
    let fields: Vec<Field> = [
        Field::new("name", "Name").required().help("As colleagues and recipients read it."),
        Field::new("address", "Email address").of(Input::Email).required().help("To sign in with."),
        Field::new("role", "Role").of(Input::Choice(roles.clone())).value("Member"),
    ]
    .into_iter()
    .map(|f| f.after(typed, faults))
    .collect();
    let (title, sections) = frame(&viewer.caller, Section::Users);
    Ok(UsersPage {
        shell: viewer.shell(Some(Place::Settings)),
        title,
        sections,
        rows: all.into_iter().map(|u| row(u, viewer)).collect(),
        roles,
        beside: form::beside(faults, &fields),
        fields,
        link: None,
    })
}

fn row(u: User, viewer: &Viewer) -> UserRow {
    let badge = match u.state {
        UserState::Active => Badge::new(Tone::Green, "Active"),
        UserState::Invited => Badge::new(Tone::Blue, "Invited").titled("Has not signed in by a link yet."),
        UserState::Departed => Badge::new(Tone::Grey, "Departed"),
    };
    UserRow {
        id: u.id.to_string(),
        me: u.id == viewer.caller.user,
        departed: u.state == UserState::Departed,
        name: u.name,
        address: u.address,
        role: u.role,
        badge,
        seen: u.seen_at.map(|t| viewer.watch.near(t)),
    }
}

async fn add(State(app): State<App>, viewer: Viewer, Form(typed): Form<Typed>) -> Result<Response> {
    let text = |name: &str| typed.text(name).to_owned();
    let new = NewUser { address: text("address"), name: text("name"), role: text("role") };
    let faults = match actions::add(&app, &viewer.caller, new).await {
        Ok(id) => return show_link(&app, &viewer, id).await,
        Err(ActionError::Refused { code: "address_taken", message }) => {
            vec![Fault { field: "address".into(), message }]
        }
        Err(e) => form::faults(e)?,
    };
    let shown = page(&app, &viewer, Some(&typed), &faults).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, answer(&viewer, &shown)).into_response())
}

/// Not by redirect: the link is in this one answer and nowhere else.
async fn show_link(app: &App, viewer: &Viewer, id: UserId) -> Result<Response> {
    let secret = actions::link(app, &viewer.caller, id).await?;
    let shown = page(app, viewer, None, &[]).await?;
    let whose = shown.rows.iter().find(|r| r.id == id.to_string()).map(|r| r.name.clone()).unwrap_or_default();
    let url = format!("{}/sign-in?token={}", app.public_url(), secret.reveal());
    let link = NewLink { whose, url, minutes: app.config.sign_in.link_minutes };
    Ok(answer(viewer, &UsersPage { link: Some(link), ..shown }))
}

async fn link(State(app): State<App>, viewer: Viewer, Path(id): Path<String>) -> Result<Response> {
    show_link(&app, &viewer, parse(&id)?).await
}

fn parse(id: &str) -> Result<UserId, ActionError> {
    id.parse().map_err(|_| ActionError::missing("user", id))
}

async fn set_role(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let role = typed.text("role").to_owned();
    actions::set_role(&app, &caller, parse(&id)?, role.clone()).await?;
    Ok(said::done(PATH, &format!("The role is {role} now.")))
}

async fn depart(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<Response> {
    actions::depart(&app, &caller, parse(&id)?).await?;
    Ok(said::done(PATH, "They can no longer sign in; what they did keeps their name."))
}

async fn take_back(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<Response> {
    actions::take_back(&app, &caller, parse(&id)?).await?;
    Ok(said::done(PATH, "Taken back, as invited: make a link for them to sign in by."))
}
