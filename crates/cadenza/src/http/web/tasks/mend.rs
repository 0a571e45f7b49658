//! Mending a step that cannot run (TSK-4): what was missing is filled in and the step tried again, or it is skipped, or the
//! contact taken out.

use super::super::page::local_path;
use super::super::said;
use super::act::{no_task, task_of};
use super::read::TaskRef;
use crate::App;
use crate::actions::companies::{self, CompanyChange};
use crate::actions::contacts::{self, ContactChange};
use crate::actions::enrollments::{self as actions, Operation};
use crate::actions::fields::TypedInput;
use crate::actions::{ActionError, Caller};
use crate::http::error::Result;
use axum::extract::{Form, Path, State};
use axum::response::Response;
use cadenza_core::enrollment::Subject;
use cadenza_core::flow::{AddressKind, Channel, StepKind};
use cadenza_core::ids::EnrollmentId;
use cadenza_store::addresses::TypedAddress;
use cadenza_store::enrollments;
use cadenza_store::sequences::Viewer as Sees;

/// The field for what a step asks for and the record has not: its name in the form, and its label.
pub fn field(step: StepKind, kind: AddressKind) -> Option<(String, String)> {
    let (name, label) = match step.channel() {
        Channel::Email => ("email", "email address"),
        Channel::Text | Channel::Call => ("phone", "phone number"),
        Channel::Linkedin | Channel::Task => return None,
    };
    // Where any would do, the one at work is the likeliest.
    let (word, shown) = match kind {
        AddressKind::Any | AddressKind::Work => ("work", "Work"),
        AddressKind::Personal => ("personal", "Personal"),
        AddressKind::Other => ("other", "Other"),
    };
    Some((format!("{name}.{word}"), format!("{shown} {label}")))
}

/// What was typed into such a field.
fn filled_in(form: &[(String, String)]) -> Option<(Channel, TypedInput)> {
    form.iter().filter(|(_, value)| !value.trim().is_empty()).find_map(|(field, value)| {
        let (name, word) = field.split_once('.')?;
        let channel = match name {
            "email" => Channel::Email,
            "phone" => Channel::Text,
            _ => return None,
        };
        let kind = match word {
            "work" => AddressKind::Work,
            "personal" => AddressKind::Personal,
            _ => AddressKind::Other,
        };
        Some((channel, TypedInput { kind, value: value.clone() }))
    })
}

pub async fn mend(
    State(app): State<App>,
    caller: Caller,
    Path(task): Path<String>,
    Form(form): Form<Vec<(String, String)>>,
) -> Result<Response> {
    let TaskRef::Activity(id, _) = task_of(&task)? else { return Err(no_task(&task).into()) };
    let said = |name: &str| form.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str()).unwrap_or_default();
    let back = local_path(said("back"));
    let (operation, words) = match said("way") {
        "retry" => (Operation::Retry, "Tried again."),
        "skip" => (Operation::Skip, "Skipped."),
        "remove" => (Operation::Remove, "Removed from the sequence."),
        "mark_sent" => (Operation::MarkSent, "Marked as sent."),
        "send_again" => (Operation::SendAgain, "Sent again."),
        other => return Err(ActionError::invalid("way", format!("{other:?} does not mend anything.")).into()),
    };
    if matches!(operation, Operation::Retry)
        && let Some((channel, typed)) = filled_in(&form)
    {
        fill_in(&app, &caller, id, channel, typed).await?;
        // Where the workspace lets it, it goes on by itself as soon as nothing is missing.
        if !is_blocked(&app, &caller, id).await? {
            return Ok(said::done(&back, "Filled in; the step goes on."));
        }
    }
    let done = actions::operate(&app, &caller, &[id], operation).await?;
    match done.into_iter().next().map(|d| d.answer) {
        Some(Err(refusal)) => Err(refusal.into()),
        _ => Ok(said::done(&back, words)),
    }
}

/// Adds the address or number to the record, behind those that are there.
async fn fill_in(app: &App, caller: &Caller, id: EnrollmentId, channel: Channel, typed: TypedInput) -> Result<()> {
    let w = caller.workspace;
    let subject = app.db.read_async(move |q| Ok(enrollments::get(q, w, id, Sees::All)?.enrollment.subject)).await?;
    let with = |known: Vec<TypedAddress>| {
        let mut all: Vec<_> = known.into_iter().map(|a| TypedInput { kind: a.kind, value: a.value }).collect();
        all.push(typed);
        Some(all)
    };
    match subject {
        Subject::Contact(id) => {
            let old = contacts::get(app, caller, id).await?;
            let change = match channel {
                Channel::Email => ContactChange { emails: with(old.emails), ..ContactChange::default() },
                _ => ContactChange { phones: with(old.phones), ..ContactChange::default() },
            };
            contacts::update(app, caller, id, change).await?;
        }
        Subject::Company(id) => {
            let old = companies::get(app, caller, id).await?;
            let change = match channel {
                Channel::Email => CompanyChange { emails: with(old.emails), ..CompanyChange::default() },
                _ => CompanyChange { phones: with(old.phones), ..CompanyChange::default() },
            };
            companies::update(app, caller, id, change).await?;
        }
    }
    Ok(())
}

async fn is_blocked(app: &App, caller: &Caller, id: EnrollmentId) -> Result<bool> {
    let w = caller.workspace;
    Ok(app.db.read_async(move |q| Ok(enrollments::get(q, w, id, Sees::All)?.enrollment.block.is_some())).await?)
}
