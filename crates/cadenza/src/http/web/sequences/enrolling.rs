//! Enrolling (OPS-1): into a sequence from its own page, and contacts into a sequence from theirs. Each answers by itself, so
//! what was refused is said with its reason.

use super::super::lists::Choice;
use super::super::page::html;
use super::super::parts::{Avatar, Icon};
use super::super::said;
use super::super::shell::Shell;
use super::super::viewer::Viewer;
use crate::App;
use crate::actions::enrollments::{self as actions, Again, EnrollRefusal};
use crate::actions::{ActionError, Caller, Privilege};
use crate::http::error::Result;
use crate::http::wire::Params;
use askama::Template;
use axum::extract::{Form, Path, State};
use axum::response::Response;
use cadenza_core::enrollment::Subject;
use cadenza_core::ids::{ContactId, ListId, SequenceId};
use cadenza_store::contacts::{self, Found};
use cadenza_store::enrolled::{Enrolled, When};
use cadenza_store::sequences::SubjectType;
use cadenza_store::{enrollments, lists};
use serde::Deserialize;

/// Contacts shown to choose from; the search narrows them.
const SHOWN: usize = 30;
/// Of a list, at once.
const LIST_MAX: usize = 100_000;

#[derive(Debug, Template)]
#[template(path = "sequences/enroll.html", blocks = ["dialog"])]
pub struct EnrollPage {
    pub shell: Shell,
    pub title: String,
    pub action: String,
    pub back: String,
    /// To choose from, where contacts were chosen first.
    pub sequences: Option<Vec<Choice>>,
    pub subjects: Vec<String>,
    pub found: Vec<Candidate>,
    pub lists: Vec<Choice>,
}

/// Somebody who could be enrolled.
#[derive(Debug)]
pub struct Candidate {
    pub id: String,
    pub name: String,
    pub company: String,
    /// Empty for who can be.
    pub why_not: String,
}

#[derive(Debug, Default, Deserialize)]
pub struct Typed {
    #[serde(default)]
    q: String,
}

pub async fn show(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<String>,
    Params(typed): Params<Typed>,
) -> Result<Response> {
    viewer.caller.need(Privilege::SequencesEnroll)?;
    let sequence = super::read(&app, &viewer, &id).await?;
    let (w, now, of) = (viewer.caller.workspace, viewer.watch.now, sequence.of);
    let wanted = contacts::Filter { typed: typed.q, ..contacts::Filter::default() };
    let own = sequence.id;
    let sees = viewer.sees();
    let read = app.db.read_async(move |q| {
        let found = contacts::search(q, w, &wanted, contacts::Order::Name, None, SHOWN, now)?;
        let mut live = enrollments::Filter::new(sees);
        live.enrolled = Enrolled { when: When::Now, sequences: vec![own], ..Enrolled::default() };
        let mut already = Vec::new();
        for f in &found.rows {
            live.subject = Some(Subject::Contact(f.contact.id));
            already.push(enrollments::count(q, w, &live, 1, now)? > 0);
        }
        Ok((found, already, lists::all(q, w)?))
    });
    let (found, already, all) = read.await?;
    let candidate = |(f, live): (Found, bool)| Candidate {
        id: f.contact.id.to_string(),
        name: f.contact.full_name(),
        company: f.company_name.unwrap_or_default(),
        why_not: if live { "is in it".into() } else { String::new() },
    };
    let lists = all.into_iter().filter(|(l, n)| l.of == of && *n > 0);
    let page = EnrollPage {
        shell: viewer.shell(None),
        title: format!("Enroll in {}", sequence.name),
        action: format!("/sequences/{id}/enroll"),
        back: format!("/sequences/{id}"),
        sequences: None,
        subjects: Vec::new(),
        found: found.rows.into_iter().zip(already).map(candidate).collect(),
        lists: lists.map(|(l, n)| Choice::new(l.id.to_string(), format!("{} ({n})", l.name))).collect(),
    };
    Ok(if viewer.part { html(&page.as_dialog()) } else { html(&page) })
}

pub async fn act(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Form(form): Form<Vec<(String, String)>>,
) -> Result<Response> {
    let sequence: SequenceId = id.parse().map_err(|_| ActionError::missing("sequence", &id))?;
    let mut subjects = chosen(&form)?;
    if let Some((_, list)) = form.iter().find(|(n, v)| n == "list" && !v.is_empty()) {
        subjects.extend(members(&app, &caller, list).await?);
    }
    let text = enroll(&app, &caller, sequence, subjects, again(&form)).await?;
    Ok(said::done(&format!("/sequences/{id}"), &text))
}

/// The contacts that were picked.
pub fn chosen(form: &[(String, String)]) -> Result<Vec<Subject>, ActionError> {
    let ids = form.iter().filter(|(n, _)| n == "id");
    ids.map(|(_, id)| {
        let id = id.parse::<ContactId>().map_err(|_| ActionError::missing("contact", id))?;
        Ok(Subject::Contact(id))
    })
    .collect()
}

pub fn again(form: &[(String, String)]) -> Again {
    if form.iter().any(|(n, _)| n == "again") { Again::Said } else { Again::NotSaid }
}

/// Enrolls and says what became of it.
pub async fn enroll(
    app: &App,
    caller: &Caller,
    sequence: SequenceId,
    subjects: Vec<Subject>,
    again: Again,
) -> Result<String> {
    if subjects.is_empty() {
        return Err(ActionError::invalid("id", "Pick somebody to enroll.").into());
    }
    let answers = actions::enroll(app, caller, sequence, subjects, again).await?;
    let refused: Vec<&EnrollRefusal> = answers.iter().filter_map(|(_, answer)| answer.as_ref().err()).collect();
    let good = answers.len() - refused.len();
    let mut text = if good == 1 { "1 was enrolled.".to_owned() } else { format!("{good} were enrolled.") };
    if let Some(first) = refused.first() {
        if good == 0 {
            let why = format!("Nobody was enrolled: {first}.");
            return Err(ActionError::refused("not_enrolled", why).into());
        }
        text = format!("{text} {} not: {first}.", refused.len());
    }
    Ok(text)
}

async fn members(app: &App, caller: &Caller, list: &str) -> Result<Vec<Subject>> {
    let id: ListId = list.parse().map_err(|_| ActionError::missing("list", list))?;
    let w = caller.workspace;
    let read = app.db.read_async(move |q| Ok((lists::get(q, w, id)?, lists::members(q, w, id, None, LIST_MAX)?)));
    let (list, members) = read.await?;
    let subject = |n: i64| match list.of {
        SubjectType::Contacts => Subject::Contact(ContactId(n)),
        SubjectType::Companies => Subject::Company(cadenza_core::ids::CompanyId(n)),
    };
    Ok(members.into_iter().map(subject).collect())
}
