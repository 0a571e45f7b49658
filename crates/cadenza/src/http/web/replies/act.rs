//! What is done on the Replies screen. Afterwards the next message opens by itself, except where one stays to see what came of it.

use super::super::page::{html, local_path};
use super::super::said;
use super::super::viewer::Viewer;
use super::ask;
use super::read::{Asked, screen};
use crate::App;
use crate::actions::replies::{self as actions, Correction, Decided, Done, Severity, Whose};
use crate::actions::{ActionError, Caller, Privilege};
use crate::http::error::Result;
use crate::http::wire::Params;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::{Router, routing::get, routing::post};
use cadenza_core::calendar::Date;
use cadenza_core::enrollment::Subject;
use cadenza_core::ids::{ContactId, MessageId, UserId};
use cadenza_store::answers::State as AnswerState;
use serde::Deserialize;

pub fn router() -> Router<App> {
    Router::new()
        .route("/replies", get(show))
        .route("/replies/{message}/see", post(see))
        .route("/replies/{message}/handle", post(handle))
        .route("/replies/{message}/reopen", post(reopen))
        .route("/replies/{message}/answer", post(answer))
        .route("/replies/{message}/answers/{answer}/settle", post(settle))
        .route("/replies/{message}/correct", get(ask::correct).post(correct))
        .route("/replies/{message}/assign", get(ask::assign).post(assign))
        .route("/replies/{message}/match", get(ask::give).post(give))
}

async fn show(State(app): State<App>, viewer: Viewer, Params(asked): Params<Asked>) -> Result<Response> {
    viewer.caller.need(Privilege::SequencesView)?;
    let page = screen(&app, &viewer, &asked).await?;
    Ok(if viewer.part { html(&page.as_main()) } else { html(&page) })
}

pub(super) fn message(word: &str) -> Result<MessageId, ActionError> {
    word.parse().map_err(|_| ActionError::missing("message", word))
}

/// The page tells that it has shown a message.
async fn see(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<StatusCode> {
    actions::see(&app, &caller, message(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
struct Back {
    #[serde(default)]
    back: String,
}

async fn handle(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Form(form): Form<Back>,
) -> Result<Response> {
    actions::handle(&app, &caller, message(&id)?, Done::Yes).await?;
    Ok(said::done(&local_path(&form.back), "Handled."))
}

async fn reopen(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Form(form): Form<Back>,
) -> Result<Response> {
    actions::handle(&app, &caller, message(&id)?, Done::No).await?;
    Ok(said::done(&local_path(&form.back), "Open again."))
}

#[derive(Deserialize)]
struct Written {
    #[serde(default)]
    subject: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    back: String,
}

async fn answer(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Form(form): Form<Written>,
) -> Result<Response> {
    actions::answer(&app, &caller, message(&id)?, &form.subject, &form.text).await?;
    Ok(said::done(&stay(&form.back, &id), "The answer is on its way."))
}

#[derive(Deserialize)]
struct Settled {
    outcome: String,
    #[serde(default)]
    back: String,
}

async fn settle(
    State(app): State<App>,
    caller: Caller,
    Path((id, answer)): Path<(String, String)>,
    Form(form): Form<Settled>,
) -> Result<Response> {
    let of = answer.parse().map_err(|_| ActionError::missing("answer", &answer))?;
    let settled = actions::settle(&app, &caller, message(&id)?, of, &form.outcome).await?;
    let note = if settled.state == AnswerState::Sent { "Marked as sent." } else { "The answer is on its way again." };
    Ok(said::done(&stay(&form.back, &id), note))
}

#[derive(Deserialize)]
struct Corrected {
    class: String,
    #[serde(default)]
    until: String,
    #[serde(default)]
    back: String,
}

async fn correct(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Form(form): Form<Corrected>,
) -> Result<Response> {
    let right = match form.class.as_str() {
        "reply" => Correction::Reply,
        "out_of_office" => Correction::OutOfOffice { until: day(&form.until)? },
        "other" => Correction::Other,
        "bounce" => Correction::Bounce { bounce: Severity::Hard },
        "soft_bounce" => Correction::Bounce { bounce: Severity::Soft },
        "complaint" => Correction::Complaint,
        "opt_out" => Correction::OptOut,
        other => return Err(ActionError::invalid("class", format!("A message cannot be {other:?}.")).into()),
    };
    let done = actions::correct(&app, &caller, message(&id)?, right).await?;
    Ok(said::done(&stay(&form.back, &id), &format!("Corrected. {}", what_followed(&done))))
}

fn day(text: &str) -> Result<Option<Date>, ActionError> {
    let why = "Expected a day such as 2027-03-08, or nothing.";
    let text = text.trim();
    (!text.is_empty()).then(|| text.parse().map_err(|_| ActionError::invalid("until", why))).transpose()
}

/// The list as it was, with this message still open.
fn stay(back: &str, id: &str) -> String {
    local_path(back).replace("message=next", &format!("message={id}"))
}

fn what_followed(done: &Decided) -> String {
    let followed = match done.enrollments.len() + done.others.len() {
        0 => "It concerns no enrollment.".to_owned(),
        1 => "The enrollment follows.".to_owned(),
        n => format!("{n} enrollments follow."),
    };
    match done.allowed {
        0 => followed,
        1 => format!("{followed} An address may be written to again."),
        n => format!("{followed} {n} addresses may be written to again."),
    }
}

#[derive(Deserialize)]
struct Assigned {
    #[serde(default)]
    to: String,
    #[serde(default)]
    back: String,
}

async fn assign(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Form(form): Form<Assigned>,
) -> Result<Response> {
    let who = |text: &str| {
        text.parse::<UserId>().map_err(|_| ActionError::invalid("to", "Choose somebody who works here, or nobody."))
    };
    let to = (!form.to.is_empty()).then(|| who(&form.to)).transpose()?;
    actions::assign(&app, &caller, message(&id)?, to).await?;
    Ok(said::done(&stay(&form.back, &id), "Handed over."))
}

#[derive(Deserialize)]
struct Given {
    #[serde(default)]
    contact: String,
    #[serde(default)]
    back: String,
}

async fn give(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Form(form): Form<Given>,
) -> Result<Response> {
    let contact = form.contact.parse::<ContactId>();
    let contact = contact.map_err(|_| ActionError::invalid("contact", "Choose whose message this is."))?;
    let done = actions::give(&app, &caller, message(&id)?, Whose::Subject(Subject::Contact(contact))).await?;
    Ok(said::done(&stay(&form.back, &id), &format!("Matched. {}", what_followed(&done))))
}
