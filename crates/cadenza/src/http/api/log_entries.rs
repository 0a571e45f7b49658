//! `/contacts/…/log-entries` and those of companies: what people write on a record's timeline. Lines of sequences are in the
//! enrollments' history.

use super::query::{At, Cursor, Limit};
use crate::App;
use crate::actions::log_entries::{self, EntryKind, NewEntry};
use crate::actions::{ActionError, Caller};
use crate::http::error::Result;
use crate::http::wire::{Body, Page, Params};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use cadenza_core::enrollment::Subject;
use cadenza_core::ids::{CompanyId, ContactId, EnrollmentId, LogEntryId, UserId};
use cadenza_core::time::Time;
use cadenza_store::log_entries as store;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(of_contact, add_to_contact)).routes(routes!(of_company, add_to_company))
}

/// A line on a record's timeline.
#[derive(Debug, Serialize, ToSchema)]
struct LogEntry {
    #[schema(value_type = String, example = "log_00dk3v9xk000h")]
    id: LogEntryId,
    /// `note`, `call`, `email`, `text`, `meeting`, or one that the workspace made up.
    kind: String,
    #[schema(value_type = String, format = DateTime)]
    at: Time,
    /// Who wrote it; null for Cadenza.
    #[schema(value_type = Option<String>)]
    user: Option<UserId>,
    body: String,
    /// Of a call.
    result: Option<String>,
    /// The activity that it came with.
    #[schema(value_type = Option<String>)]
    enrollment: Option<EnrollmentId>,
    visit: Option<u32>,
}

impl From<store::LogEntry> for LogEntry {
    fn from(e: store::LogEntry) -> LogEntry {
        let result = e.detail.as_ref().and_then(|d| d["result"].as_str()).map(str::to_owned);
        LogEntry {
            id: e.id,
            kind: e.kind,
            at: e.at,
            user: e.user,
            body: e.body,
            result,
            enrollment: e.activity.map(|(id, _)| id),
            visit: e.activity.map(|(_, visit)| visit),
        }
    }
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Query {
    /// 1 to 200; 50 where nothing is said.
    #[param(value_type = Option<u16>)]
    limit: Limit,
    /// `next` of the page before.
    #[param(value_type = Option<String>)]
    after: Option<Cursor<(Time, LogEntryId)>>,
}

async fn page(app: &App, caller: &Caller, of: Subject, query: Query) -> Result<Json<Page<LogEntry>>> {
    let limit = query.limit.0;
    let mut found = log_entries::list(app, caller, of, query.after.map(|c| c.0), limit + 1).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|e| Cursor::write(&(e.at, e.id)));
    Ok(Json(Page { items: found.into_iter().map(LogEntry::from).collect(), next }))
}

/// What is to be written.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewLogEntry, example = json!({ "kind": "call", "body": "Called back on Monday.", "result": "interested" }))]
struct New {
    /// `note` (the default), `call`, `email`, `text` or `meeting`.
    #[serde(default)]
    kind: Option<String>,
    body: String,
    /// Of a call.
    #[serde(default)]
    result: Option<String>,
}

async fn add(app: &App, caller: &Caller, subject: Subject, new: New) -> Result<(StatusCode, Json<LogEntry>)> {
    let kind = match new.kind.as_deref() {
        None => EntryKind::Note,
        Some(word) => EntryKind::named(word).ok_or_else(|| {
            let words: Vec<&str> = EntryKind::ALL.into_iter().map(EntryKind::as_str).collect();
            ActionError::invalid("kind", format!("{word:?} is no kind of entry: expected one of {}.", words.join(", ")))
        })?,
    };
    let entry = NewEntry { kind, subject, body: new.body, activity: None, result: new.result };
    let made = log_entries::add(app, caller, entry).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// What people wrote on a contact's timeline, newest first
#[utoipa::path(get, path = "/contacts/{contact}/log-entries", tag = "log entries",
    params(("contact" = String, Path, example = "con_00dk3v9xk0008"), Query), responses((status = 200, body = Page<LogEntry>)))]
async fn of_contact(
    State(app): State<App>,
    caller: Caller,
    At(id): At<ContactId>,
    Params(query): Params<Query>,
) -> Result<Json<Page<LogEntry>>> {
    page(&app, &caller, Subject::Contact(id), query).await
}

/// Write on a contact's timeline
#[utoipa::path(post, path = "/contacts/{contact}/log-entries", tag = "log entries",
    params(("contact" = String, Path, example = "con_00dk3v9xk0008")), request_body = New,
    responses((status = 201, body = LogEntry)))]
async fn add_to_contact(
    State(app): State<App>,
    caller: Caller,
    At(id): At<ContactId>,
    Body(new): Body<New>,
) -> Result<(StatusCode, Json<LogEntry>)> {
    add(&app, &caller, Subject::Contact(id), new).await
}

/// What people wrote on a company's timeline, newest first
#[utoipa::path(get, path = "/companies/{company}/log-entries", tag = "log entries",
    params(("company" = String, Path, example = "com_00dk3v9xk000b"), Query), responses((status = 200, body = Page<LogEntry>)))]
async fn of_company(
    State(app): State<App>,
    caller: Caller,
    At(id): At<CompanyId>,
    Params(query): Params<Query>,
) -> Result<Json<Page<LogEntry>>> {
    page(&app, &caller, Subject::Company(id), query).await
}

/// Write on a company's timeline
#[utoipa::path(post, path = "/companies/{company}/log-entries", tag = "log entries",
    params(("company" = String, Path, example = "com_00dk3v9xk000b")), request_body = New,
    responses((status = 201, body = LogEntry)))]
async fn add_to_company(
    State(app): State<App>,
    caller: Caller,
    At(id): At<CompanyId>,
    Body(new): Body<New>,
) -> Result<(StatusCode, Json<LogEntry>)> {
    add(&app, &caller, Subject::Company(id), new).await
}
