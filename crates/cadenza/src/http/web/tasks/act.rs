//! What is done on the Tasks screen: marking, sending, writing a note; mending is in `mend`. Afterwards the next task opens by
//! itself.

use super::super::page::{html, local_path};
use super::super::parts::Icon;
use super::super::said;
use super::super::shell::Shell;
use super::super::viewer::Viewer;
use super::read::{Asked, TaskRef, screen};
use crate::App;
use crate::actions::enrollments as actions;
use crate::actions::log_entries::{self, EntryKind, NewEntry};
use crate::actions::{ActionError, Caller};
use crate::http::error::Result;
use crate::http::wire::Params;
use askama::Template;
use axum::extract::{Form, Path, State};
use axum::response::Response;
use axum::{Router, routing::get, routing::post};
use cadenza_core::enrollment::Subject;
use cadenza_core::flow::{Outcome, StepKind};
use cadenza_core::ids::EnrollmentId;
use cadenza_store::sequences::Viewer as Sees;
use cadenza_store::{activities, enrollments, tasks};
use serde::Deserialize;

pub fn router() -> Router<App> {
    Router::new()
        .route("/", get(|| async { axum::response::Redirect::to("/tasks") }))
        .route("/tasks", get(show))
        .route("/tasks/{task}/mark", post(mark))
        .route("/tasks/{task}/send", post(send))
        .route("/tasks/{task}/mend", post(super::mend::mend))
        .route("/tasks/{task}/note", get(ask_note).post(note))
}

async fn show(State(app): State<App>, viewer: Viewer, Params(asked): Params<Asked>) -> Result<Response> {
    let page = screen(&app, &viewer, &asked).await?;
    Ok(if viewer.part { html(&page.as_main()) } else { html(&page) })
}

#[derive(Deserialize)]
struct Marked {
    outcome: String,
    #[serde(default)]
    note: String,
    #[serde(default)]
    back: String,
}

async fn mark(
    State(app): State<App>,
    caller: Caller,
    Path(task): Path<String>,
    Form(form): Form<Marked>,
) -> Result<Response> {
    let words = match task_of(&task)? {
        TaskRef::Activity(id, visit) => {
            let outcome = Outcome::named(&form.outcome);
            let label = outcome.label();
            let (subject, kind) = of_activity(&app, &caller, id, visit).await?;
            actions::mark_task(&app, &caller, id, visit, outcome).await?;
            log_call(&app, &caller, (id, visit), subject, kind, &label, &form.note).await?;
            format!("Marked as {}.", label.to_lowercase())
        }
        TaskRef::Own(id) => {
            crate::actions::tasks::finish(&app, &caller, id, Some(form.outcome)).await?;
            "Done.".to_owned()
        }
    };
    Ok(said::done(&local_path(&form.back), &words))
}

/// A call is logged with its result; other notes as notes (TSK-3).
async fn log_call(
    app: &App,
    caller: &Caller,
    activity: (EnrollmentId, u32),
    subject: Subject,
    kind: StepKind,
    result: &str,
    note: &str,
) -> Result<()> {
    let call = kind == StepKind::Call;
    if !call && note.trim().is_empty() {
        return Ok(());
    }
    let body = if note.trim().is_empty() { result.to_owned() } else { note.to_owned() };
    let entry = NewEntry {
        kind: if call { EntryKind::Call } else { EntryKind::Note },
        subject,
        body,
        activity: Some(activity),
        result: call.then(|| result.to_owned()),
    };
    log_entries::add(app, caller, entry).await?;
    Ok(())
}

#[derive(Deserialize)]
struct Written {
    #[serde(default)]
    subject: String,
    body: String,
    #[serde(default)]
    back: String,
}

async fn send(
    State(app): State<App>,
    caller: Caller,
    Path(task): Path<String>,
    Form(form): Form<Written>,
) -> Result<Response> {
    let TaskRef::Activity(id, visit) = task_of(&task)? else { return Err(no_task(&task).into()) };
    actions::send_by_hand(&app, &caller, id, visit, &form.subject, &form.body).await?;
    Ok(said::done(&local_path(&form.back), "Sent."))
}

#[derive(Debug, Template)]
#[template(path = "tasks/note.html", blocks = ["dialog"])]
pub struct NotePage {
    pub shell: Shell,
    pub path: String,
    pub back: String,
    pub kinds: Vec<super::super::lists::Choice>,
}

#[derive(Deserialize)]
struct WhichKind {
    kind: Option<String>,
}

async fn ask_note(viewer: Viewer, Path(task): Path<String>, Params(which): Params<WhichKind>) -> Response {
    let mut kinds: Vec<_> = EntryKind::ALL.to_vec();
    if let Some(first) = which.kind.as_deref().and_then(EntryKind::named) {
        kinds.sort_by_key(|k| *k != first);
    }
    let page = NotePage {
        shell: viewer.shell(None),
        path: format!("/tasks/{task}/note"),
        back: format!("/tasks?task={}", super::super::page::query_value(&task)),
        kinds: kinds.into_iter().map(|k| super::super::lists::Choice::new(k.as_str(), k.label())).collect(),
    };
    if viewer.part { html(&page.as_dialog()) } else { html(&page) }
}

#[derive(Deserialize)]
struct Note {
    kind: String,
    body: String,
    #[serde(default)]
    back: String,
}

async fn note(
    State(app): State<App>,
    caller: Caller,
    Path(task): Path<String>,
    Form(form): Form<Note>,
) -> Result<Response> {
    let kind = EntryKind::named(&form.kind).ok_or_else(|| ActionError::invalid("kind", "Choose what happened."))?;
    let (subject, activity) = match task_of(&task)? {
        TaskRef::Activity(id, visit) => (of_activity(&app, &caller, id, visit).await?.0, Some((id, visit))),
        TaskRef::Own(id) => {
            let w = caller.workspace;
            let own = app.db.read_async(move |q| tasks::get(q, w, id)).await?;
            let subject = own.contact.map(Subject::Contact).or(own.company.map(Subject::Company));
            let why = "This task is about no contact or company, so there is no record to write on.";
            (subject.ok_or_else(|| ActionError::refused("no_record", why))?, None)
        }
    };
    log_entries::add(&app, &caller, NewEntry { kind, subject, body: form.body, activity, result: None }).await?;
    Ok(said::done(&local_path(&form.back), "Written on the record."))
}

/// Whom an activity is for, and what kind it is.
async fn of_activity(app: &App, caller: &Caller, id: EnrollmentId, visit: u32) -> Result<(Subject, StepKind)> {
    let w = caller.workspace;
    let read = app.db.read_async(move |q| {
        let subject = enrollments::get(q, w, id, Sees::All)?.enrollment.subject;
        let kind = activities::of_enrollment(q, w, id)?.into_iter().find(|a| a.visit == visit).map(|a| a.kind);
        Ok(kind.map(|kind| (subject, kind)))
    });
    read.await?.ok_or_else(|| no_task(&format!("{id}.{visit}")).into())
}

pub(super) fn task_of(word: &str) -> Result<TaskRef> {
    TaskRef::read(word).ok_or_else(|| no_task(word).into())
}

pub(super) fn no_task(word: &str) -> ActionError {
    ActionError::missing("task", word)
}
