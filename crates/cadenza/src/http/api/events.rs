//! `/events`: the event log (LOG-2), newest first.

use super::enrollments::record::{CompanyRef, ContactRef, HistoryLine};
use super::query::{Cursor, Limit, Several};
use crate::App;
use crate::actions::ActionError;
use crate::actions::listing;
use crate::http::caller::{Allowed, may};
use crate::http::error::Result;
use crate::http::wire::{Page, Params};
use axum::Json;
use axum::extract::State;
use cadenza_core::enrollment::Subject;
use cadenza_core::ids::{CompanyId, ContactId, EnrollmentId, MailboxId, SequenceId};
use cadenza_core::machine::Level;
use cadenza_store::history::{Before, Filter, Logged};
use cadenza_store::sequences::Viewer;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Query {
    /// At least so grave: `info` (the default), `warning` (goes on by itself), `error` (needs a person).
    #[param(inline)]
    level: Grave,
    #[param(value_type = Option<String>)]
    sequence: Option<SequenceId>,
    /// Of enrollments that write from it.
    #[param(value_type = Option<String>)]
    mailbox: Option<MailboxId>,
    #[param(value_type = Option<String>)]
    contact: Option<ContactId>,
    #[param(value_type = Option<String>)]
    company: Option<CompanyId>,
    /// Kinds of events, such as `sent,reply`.
    #[param(value_type = Option<String>)]
    event: Several<String>,
    /// 1 to 200; 50 where nothing is said.
    #[param(value_type = Option<u16>)]
    limit: Limit,
    /// `next` of the page before.
    #[param(value_type = Option<String>)]
    after: Option<Cursor<Before>>,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Grave {
    #[default]
    Info,
    Warning,
    Error,
}

/// A line of the event log.
#[derive(Debug, Serialize, ToSchema)]
struct LogLine {
    #[schema(value_type = String, example = "enr_00dk3v9xk000a")]
    enrollment: EnrollmentId,
    #[serde(flatten)]
    line: HistoryLine,
    #[schema(value_type = String)]
    sequence: SequenceId,
    sequence_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    contact: Option<ContactRef>,
    #[serde(skip_serializing_if = "Option::is_none")]
    company: Option<CompanyRef>,
}

impl From<Logged> for LogLine {
    fn from(l: Logged) -> LogLine {
        let (mut contact, mut company) = (None, None);
        match l.subject {
            Subject::Contact(id) => contact = Some(ContactRef { id, name: l.subject_name, company: None }),
            Subject::Company(id) => company = Some(CompanyRef { id, name: l.subject_name }),
        }
        LogLine {
            enrollment: l.line.enrollment,
            line: l.line.into(),
            sequence: l.sequence,
            sequence_name: l.sequence_name,
            contact,
            company,
        }
    }
}

/// The event log, newest first
#[utoipa::path(get, path = "/events", tag = "events", params(Query), responses((status = 200, body = Page<LogLine>)))]
async fn list(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::SequencesView>,
    Params(query): Params<Query>,
) -> Result<Json<Page<LogLine>>> {
    let subject = match (query.contact, query.company) {
        (Some(_), Some(_)) => {
            return Err(ActionError::invalid("company", "Expected a contact or a company, not both.").into());
        }
        (contact, company) => contact.map(Subject::Contact).or(company.map(Subject::Company)),
    };
    let filter = Filter {
        viewer: Viewer::User(caller.user),
        level: match query.level {
            Grave::Info => Level::Info,
            Grave::Warning => Level::Warning,
            Grave::Error => Level::Error,
        },
        sequence: query.sequence,
        mailbox: query.mailbox,
        subject,
        events: query.event.0,
    };
    let (lines, next) = listing::events(&app, &caller, filter, query.after.map(|c| c.0), query.limit.0).await?;
    Ok(Json(Page { items: lines.into_iter().map(LogLine::from).collect(), next: next.as_ref().map(Cursor::write) }))
}
