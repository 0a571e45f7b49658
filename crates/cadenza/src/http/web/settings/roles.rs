//! Roles and what each may do (PRM-1): those that come with the product, and one's own.

use super::super::page::html;
use super::super::parts::{Icon, count};
use super::super::said;
use super::super::shell::{Place, Shell};
use super::super::viewer::Viewer;
use super::{Section, SectionLink, frame};
use crate::App;
use crate::actions::roles as actions;
use crate::actions::{ActionError, Caller, Privilege, Privileges, users};
use crate::http::error::Result;
use crate::http::web::form::Typed;
use askama::Template;
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Router, routing::get, routing::post};

const PATH: &str = "/settings/roles";
/// The role that allows everything, always.
const ADMIN: &str = "Admin";

pub fn router() -> Router<App> {
    Router::new().route(PATH, get(show).post(save)).route("/settings/roles/delete", post(delete))
}

#[derive(Debug, Template)]
#[template(path = "settings/roles.html", blocks = ["main"])]
pub struct RolesPage {
    pub shell: Shell,
    pub title: &'static str,
    pub sections: Vec<SectionLink>,
    pub roles: Vec<RoleCard>,
    /// The role that was typed and refused, or an empty one.
    pub new: RoleCard,
    pub fault: String,
}

#[derive(Debug)]
pub struct RoleCard {
    pub name: String,
    /// Nothing of it can be changed.
    pub fixed: bool,
    pub own: bool,
    pub holders: String,
    pub privileges: Vec<Allowed>,
}

/// One privilege of a role.
#[derive(Debug)]
pub struct Allowed {
    pub privilege: Privilege,
    pub on: bool,
}

async fn show(State(app): State<App>, viewer: Viewer) -> Result<Response> {
    let page = page(&app, &viewer, None, String::new()).await?;
    Ok(if viewer.part { html(&page.as_main()) } else { html(&page) })
}

async fn page(app: &App, viewer: &Viewer, typed: Option<(String, Privileges)>, fault: String) -> Result<RolesPage> {
    let all = actions::all(app, &viewer.caller).await?;
    let people = users::all(app, &viewer.caller).await?;
    let card = |role: cadenza_store::roles::Role| {
        let held = people.iter().filter(|u| u.role == role.name).count();
        let privileges: Privileges = role.privileges.iter().filter_map(|p| p.parse().ok()).collect();
        RoleCard {
            fixed: role.name == ADMIN,
            own: !role.built_in,
            holders: match held {
                0 => "nobody has it".into(),
                1 => "1 user".into(),
                n => format!("{} users", count(n as u64)),
            },
            privileges: allowed(privileges),
            name: role.name,
        }
    };
    let (name, privileges) = typed.unwrap_or_default();
    let (title, sections) = frame(&viewer.caller, Section::Roles);
    Ok(RolesPage {
        shell: viewer.shell(Some(Place::Settings)),
        title,
        sections,
        roles: all.into_iter().map(card).collect(),
        new: RoleCard { name, fixed: false, own: true, holders: String::new(), privileges: allowed(privileges) },
        fault,
    })
}

fn allowed(of: Privileges) -> Vec<Allowed> {
    Privilege::ALL.iter().map(|p| Allowed { privilege: *p, on: of.has(*p) }).collect()
}

async fn save(State(app): State<App>, viewer: Viewer, Form(typed): Form<Typed>) -> Result<Response> {
    let mut privileges = Vec::new();
    for word in typed.all("privilege") {
        privileges.push(word.parse::<Privilege>().map_err(|e| ActionError::invalid("privilege", e.to_string()))?);
    }
    let privileges: Privileges = privileges.into_iter().collect();
    let name = typed.text("name").to_owned();
    match actions::save(&app, &viewer.caller, name.clone(), privileges).await {
        Ok(()) => Ok(said::done(PATH, &format!("The role {name} was saved."))),
        Err(ActionError::Invalid(faults)) => {
            let fault = faults.first().map(|f| f.message.clone()).unwrap_or_default();
            let shown = page(&app, &viewer, Some((name, privileges)), fault).await?;
            let answer = if viewer.part { html(&shown.as_main()) } else { html(&shown) };
            Ok((StatusCode::UNPROCESSABLE_ENTITY, answer).into_response())
        }
        Err(e) => Err(e.into()),
    }
}

async fn delete(State(app): State<App>, caller: Caller, Form(typed): Form<Typed>) -> Result<Response> {
    actions::delete(&app, &caller, typed.text("name").to_owned()).await?;
    Ok(said::done(PATH, "The role was deleted."))
}
