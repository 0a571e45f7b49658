//! `/suppressions`: addresses, domains and numbers that get nothing more (SND-9).

use super::query::{At, Cursor, Limit};
use super::schema;
use crate::App;
use crate::actions::ActionError;
use crate::actions::suppressions::{self, From as CameFrom, Typed};
use crate::http::caller::{Allowed, may};
use crate::http::error::Result;
use crate::http::wire::{Body, Page, Params};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use cadenza_core::ids::UserId;
use cadenza_core::suppression::Suppressible;
use cadenza_core::time::Time;
use cadenza_store::suppression::{Entry, Why};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, add)).routes(routes!(get)).routes(routes!(lift))
}

/// An entry of the list.
#[derive(Debug, Serialize, ToSchema)]
struct Suppression {
    #[schema(schema_with = schema::suppressible)]
    kind: Suppressible,
    /// Null where the person was erased; the entry goes on refusing.
    value: Option<String>,
    /// Tells entries apart whose values are gone.
    hash: String,
    #[schema(schema_with = schema::suppression_reason)]
    why: Why,
    #[schema(value_type = String, format = DateTime)]
    at: Time,
    /// Who put it there, where that was a person.
    #[schema(value_type = Option<String>)]
    by: Option<UserId>,
}

impl From<Entry> for Suppression {
    fn from(e: Entry) -> Suppression {
        Suppression { kind: e.kind, value: e.value, hash: e.hash, why: e.why, at: e.at, by: e.by }
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
    after: Option<Cursor<(Suppressible, String)>>,
}

/// The suppression list
///
/// Read to its end, it is the list's export.
#[utoipa::path(get, path = "/suppressions", tag = "suppressions", params(Query), responses((status = 200, body = Page<Suppression>)))]
async fn list(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::SequencesView>,
    Params(query): Params<Query>,
) -> Result<Json<Page<Suppression>>> {
    let limit = query.limit.0;
    let mut found = suppressions::list(&app, &caller, query.after.map(|c| c.0), limit + 1).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|e| Cursor::write(&(e.kind, e.hash.clone())));
    Ok(Json(Page { items: found.into_iter().map(Suppression::from).collect(), next }))
}

/// Values that are to get nothing more.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Suppress, example = json!({ "values": [{ "value": "nobody@example.com" }, { "value": "example.net" }] }))]
struct Wanted {
    /// 1 to 10,000.
    values: Vec<Value>,
    /// `hand` (the default), or `import`: brought along from another system.
    #[serde(default)]
    #[schema(inline)]
    from: Source,
}

#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Source {
    #[default]
    Hand,
    Import,
}

/// An address, a domain or a number.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SuppressedValue)]
struct Value {
    /// `email`, `domain` or `phone`; seen by the value's form where nothing is said.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    kind: Option<Suppressible>,
    #[schema(example = "nobody@example.com")]
    value: String,
}

impl From<Value> for Typed {
    fn from(v: Value) -> Typed {
        Typed { kind: v.kind, value: v.value }
    }
}

/// How many were not on the list before.
#[derive(Debug, Serialize, ToSchema)]
struct Added {
    added: u64,
}

/// Suppress addresses, domains or numbers
///
/// All or none: with the answer, nothing more goes to any of them.
#[utoipa::path(post, path = "/suppressions", tag = "suppressions", request_body = Wanted, responses((status = 200, body = Added)))]
async fn add(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::ContactsEdit>,
    Body(wanted): Body<Wanted>,
) -> Result<Json<Added>> {
    let from = match wanted.from {
        Source::Hand => CameFrom::Hand,
        Source::Import => CameFrom::Import,
    };
    let values = wanted.values.into_iter().map(Typed::from).collect();
    Ok(Json(Added { added: suppressions::add(&app, &caller, values, from).await? }))
}

/// A value that gets nothing more.
#[derive(Debug, Serialize, ToSchema)]
struct Suppressed {
    #[schema(schema_with = schema::suppressible)]
    kind: Suppressible,
    /// In the form in which it is compared.
    value: String,
    /// Of the value itself or, of an address, of its domain.
    #[schema(schema_with = schema::suppression_reason)]
    why: Why,
}

/// Whether an address, domain or number is suppressed
///
/// 404 where it is not.
#[utoipa::path(get, path = "/suppressions/{value}", tag = "suppressions",
    params(("value" = String, Path, example = "nobody@example.com")), responses((status = 200, body = Suppressed)))]
async fn get(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::SequencesView>,
    At(value): At<String>,
) -> Result<Json<Suppressed>> {
    let (kind, value, why) = suppressions::check(&app, &caller, Typed { kind: None, value }).await?;
    let why = why.ok_or_else(|| ActionError::missing("suppressed value", &value))?;
    Ok(Json(Suppressed { kind, value, why }))
}

/// Why a value may be written to again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LiftSuppression, example = json!({ "reason": "Asked by phone to be written to again" }))]
struct Lift {
    /// It stands in the audit log.
    reason: String,
}

/// Take a value off the suppression list
///
/// Whoever it is may be written to again; enrollments that an opt-out ended stay ended. It needs `settings.manage`.
#[utoipa::path(post, path = "/suppressions/{value}/lift", tag = "suppressions",
    params(("value" = String, Path, example = "nobody@example.com")), request_body = Lift,
    responses((status = 204, description = "It is off the list.")))]
async fn lift(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::SettingsManage>,
    At(value): At<String>,
    Body(lift): Body<Lift>,
) -> Result<StatusCode> {
    suppressions::lift(&app, &caller, Typed { kind: None, value }, lift.reason).await?;
    Ok(StatusCode::NO_CONTENT)
}
