//! The dialog that gives a sequence which its date has ended a later end date (SEQ-7).

use super::super::form::{Field, Input, Typed, faults};
use super::super::page::html;
use super::super::parts::Icon;
use super::super::said;
use super::super::shell::Shell;
use super::super::viewer::Viewer;
use super::state;
use crate::App;
use crate::actions::sequences::{self as actions, Reopened};
use crate::actions::{ActionError, Fault};
use crate::http::error::Result;
use askama::Template;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use cadenza_core::enrollment::SequenceState;
use cadenza_core::time::Span;
use cadenza_store::sequences::Sequence;

#[derive(Debug, Template)]
#[template(path = "sequences/reopen.html", blocks = ["dialog"])]
pub struct ReopenPage {
    pub shell: Shell,
    pub id: String,
    pub name: String,
    /// Whom the end finished.
    pub finished: i64,
    pub end: Field,
}

async fn page(
    app: &App,
    viewer: &Viewer,
    sequence: &Sequence,
    typed: Option<&Typed>,
    faults: &[Fault],
) -> Result<ReopenPage> {
    let finished = actions::ended_with(app, &viewer.caller, sequence.id).await?;
    let end = Field::new("end", "Ends")
        .of(Input::Moment)
        .help("In your time zone. Empty for no end.")
        .value(viewer.watch.input(viewer.watch.now + Span::days(30)))
        .after(typed, faults);
    Ok(ReopenPage {
        shell: viewer.shell(None),
        id: sequence.id.to_string(),
        name: sequence.name.clone(),
        finished,
        end,
    })
}

pub async fn show(State(app): State<App>, viewer: Viewer, Path(id): Path<String>) -> Result<Response> {
    let sequence = super::read(&app, &viewer, &id).await?;
    state::need(&viewer.caller, &sequence)?;
    let page = page(&app, &viewer, &sequence, None, &[]).await?;
    Ok(if viewer.part { html(&page.as_dialog()) } else { html(&page) })
}

pub async fn act(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<String>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let sequence = super::read(&app, &viewer, &id).await?;
    let refused = match viewer.watch.typed(typed.text("end")) {
        None if !typed.text("end").is_empty() => ActionError::invalid("end", "Expected a day and a time."),
        end => match actions::reopen(&app, &viewer.caller, sequence.id, end).await {
            Ok(reopened) => return Ok(said::done(&format!("/sequences/{id}"), &words(&reopened))),
            Err(e) => e,
        },
    };
    if viewer.part {
        return Err(refused.into());
    }
    let page = page(&app, &viewer, &sequence, Some(&typed), &faults(refused)?).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, html(&page)).into_response())
}

fn words(reopened: &Reopened) -> String {
    let state = match reopened.state {
        SequenceState::Paused => "Reopened, and paused as it was",
        _ => "Reopened",
    };
    match reopened.stayed {
        0 => format!("{state}: {} go on.", reopened.followed),
        n => format!("{state}: {} go on, {n} stay finished.", reopened.followed),
    }
}
