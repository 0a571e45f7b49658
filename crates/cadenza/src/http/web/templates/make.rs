//! The dialog that makes a template of a sequence, in whatever state it is (SEQ-8).

use super::super::page::html;
use super::super::said;
use super::super::shell::Shell;
use super::super::viewer::Viewer;
use crate::App;
use crate::actions::{ActionError, Privilege, sequences, templates};
use crate::http::error::Result;
use crate::http::web::form::Typed;
use crate::http::web::parts::Icon;
use askama::Template;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use cadenza_core::ids::SequenceId;

#[derive(Debug, Template)]
#[template(path = "templates/make.html", blocks = ["dialog"])]
pub struct MakePage {
    pub shell: Shell,
    pub id: String,
    /// Of the sequence.
    pub sequence: String,
    pub name: String,
    pub fault: String,
}

fn parsed(id: &str) -> Result<SequenceId, ActionError> {
    id.parse().map_err(|_| ActionError::missing("sequence", id))
}

pub async fn ask(State(app): State<App>, viewer: Viewer, Path(id): Path<String>) -> Result<Response> {
    viewer.caller.need(Privilege::SequencesSave)?;
    let name = sequences::get(&app, &viewer.caller, parsed(&id)?).await?.sequence.name;
    let page = MakePage { shell: viewer.shell(None), id, sequence: name.clone(), name, fault: String::new() };
    Ok(if viewer.part { html(&page.as_dialog()) } else { html(&page) })
}

pub async fn act(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<String>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let sequence = parsed(&id)?;
    let name = typed.text("name").to_owned();
    let fault = match templates::from_sequence(&app, &viewer.caller, sequence, Some(name.clone())).await {
        Ok(made) => return Ok(said::done(&format!("/templates/{made}"), "Made: activate it as often as you like.")),
        Err(ActionError::Refused { code: "name_taken", message }) => message,
        Err(ActionError::Invalid(faults)) => faults.into_iter().map(|f| f.message).collect::<Vec<_>>().join(" "),
        Err(e) => return Err(e.into()),
    };
    if viewer.part {
        return Err(ActionError::invalid("name", fault).into());
    }
    let of = sequences::get(&app, &viewer.caller, sequence).await?.sequence.name;
    let page = MakePage { shell: viewer.shell(None), id, sequence: of, name, fault };
    Ok((StatusCode::UNPROCESSABLE_ENTITY, html(&page)).into_response())
}
