//! `POST /sequences/…/enrollments`: enrolls contacts or companies, each by itself (OPS-1, OPS-12).

use super::operate::{NotDone, Results};
use crate::App;
use crate::actions::enrollments::{Again, EnrollRefusal, Enrolled};
use crate::actions::{ActionError, Caller, enrollments};
use crate::http::api::query::At;
use crate::http::error::Result;
use crate::http::wire::Body;
use axum::Json;
use axum::extract::State;
use cadenza_core::enrollment::Subject;
use cadenza_core::ids::{CompanyId, ContactId, EnrollmentId, ListId, SequenceId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(enroll))
}

/// Who is to be enrolled.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = Enroll, example = json!({ "contacts": ["con_00dk3v9xk0008"], "again": false }))]
struct Wanted {
    #[schema(value_type = Vec<String>)]
    contacts: Vec<ContactId>,
    #[schema(value_type = Vec<String>)]
    companies: Vec<CompanyId>,
    /// Everybody who is on this list now, too.
    #[schema(value_type = Option<String>)]
    list: Option<ListId>,
    /// Those who finished this sequence before are enrolled anew, where its setting asks for that to be said.
    again: bool,
}

/// Enrolled, or why not.
#[derive(Debug, Serialize, ToSchema)]
struct EnrolledItem {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "con_00dk3v9xk0008")]
    contact: Option<ContactId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    company: Option<CompanyId>,
    done: bool,
    /// Where done, and where it is `already_live`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "enr_00dk3v9xk000a")]
    enrollment: Option<EnrollmentId>,
    /// Where not done.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    not: Option<NotDone>,
}

/// Enroll
///
/// Each is enrolled or refused by itself; who was removed before goes on where they stood. Once a contact is live in the
/// sequence, asking again is refused as `already_live` and doubles nothing.
#[utoipa::path(post, path = "/sequences/{sequence}/enrollments", tag = "enrollments",
    params(("sequence" = String, Path, example = "seq_00dk3v9xk0009")), request_body = Wanted,
    responses((status = 200, body = Results<EnrolledItem>)))]
async fn enroll(
    State(app): State<App>,
    caller: Caller,
    At(sequence): At<SequenceId>,
    Body(wanted): Body<Wanted>,
) -> Result<Json<Results<EnrolledItem>>> {
    let again = if wanted.again { Again::Said } else { Again::NotSaid };
    let mut subjects: Vec<Subject> = wanted.contacts.into_iter().map(Subject::Contact).collect();
    subjects.extend(wanted.companies.into_iter().map(Subject::Company));
    if let Some(list) = wanted.list {
        subjects.extend(enrollments::members(&app, &caller, list).await?);
    } else if subjects.is_empty() {
        return Err(ActionError::invalid("contacts", "Expected contacts, companies or a list to enroll.").into());
    }
    let enrolled = enrollments::enroll(&app, &caller, sequence, subjects, again).await?;
    let items: Vec<EnrolledItem> = enrolled.into_iter().map(item).collect();
    let done = items.iter().filter(|i| i.done).count();
    Ok(Json(Results { done, refused: items.len() - done, items }))
}

fn item((subject, answer): Enrolled) -> EnrolledItem {
    let (contact, company) = match subject {
        Subject::Contact(id) => (Some(id), None),
        Subject::Company(id) => (None, Some(id)),
    };
    let why = |e: &EnrollRefusal| NotDone { code: e.code().to_owned(), why: format!("{e}.") };
    EnrolledItem {
        contact,
        company,
        done: answer.is_ok(),
        not: answer.as_ref().err().map(why),
        enrollment: match answer {
            Ok(id) | Err(EnrollRefusal::AlreadyLive(id)) => Some(id),
            Err(_) => None,
        },
    }
}
