//! `/absences`: when users are away, and what becomes of their work meanwhile.

use super::query::At;
use crate::App;
use crate::actions::Caller;
use crate::actions::absences::{self, AbsenceChange, NewAbsence, Whose};
use crate::http::error::Result;
use crate::http::wire::{Body, Page, Params};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use cadenza_core::absence::AwayRules;
use cadenza_core::ids::{AbsenceId, UserId};
use cadenza_core::time::Time;
use cadenza_store::absences as store;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(update, end))
}

/// A time in which a user is away.
#[derive(Debug, Serialize, ToSchema)]
struct Absence {
    #[schema(value_type = String, example = "abs_00dk3v9xk0021")]
    id: AbsenceId,
    #[schema(value_type = String)]
    user: UserId,
    #[schema(value_type = String, format = DateTime)]
    from: Time,
    /// Null: until somebody ends it.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Time>,
    /// By kind of step: `hold`, `go_on`, `skip`, or `{ "delegate": user }`.
    #[schema(value_type = Object)]
    rules: AwayRules,
    /// What it holds is held.
    begun: bool,
}

impl From<store::Absence> for Absence {
    fn from(a: store::Absence) -> Absence {
        Absence { id: a.id, user: a.user, from: a.from, until: a.until, rules: a.rules, begun: a.begun }
    }
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// `me` (the default), or `everyone`, which needs `settings.manage`.
    #[param(inline)]
    of: Of,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Of {
    #[default]
    Me,
    Everyone,
}

/// Absences that are not over, the next first
///
/// There are few, so this list has no pages.
#[utoipa::path(get, path = "/absences", tag = "users", params(Asked), operation_id = "list_absences",
    responses((status = 200, body = Page<Absence>)))]
async fn list(State(app): State<App>, caller: Caller, Params(asked): Params<Asked>) -> Result<Json<Page<Absence>>> {
    let whose = match asked.of {
        Of::Me => Whose::Mine,
        Of::Everyone => Whose::Everybodys,
    };
    let items = absences::list(&app, &caller, whose).await?.into_iter().map(Absence::from).collect();
    Ok(Json(Page { items, next: None }))
}

/// An absence that is wanted.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it is read by the action's own type and stands here for the OpenAPI document")]
#[schema(as = NewAbsence, example = json!({
    "from": "2027-07-01T00:00:00Z", "until": "2027-07-15T00:00:00Z", "rules": { "email_auto": "go_on", "linkedin": "skip" }
}))]
struct Wanted {
    /// The id of a user, or the address they sign in with; yourself where it is absent. Somebody else needs
    /// `settings.manage`.
    user: Option<String>,
    #[schema(format = DateTime)]
    from: String,
    /// Absent: until somebody ends it.
    #[schema(format = DateTime)]
    until: Option<String>,
    /// By kind of step (`email_auto`, `email_manual`, `call`, `sms_auto`, `sms_manual`, `linkedin`, `task`): `hold` (the
    /// default), `go_on`, `skip`, or, for what a person does, `{ "delegate": user }`.
    #[schema(value_type = Option<Object>)]
    rules: Option<serde_json::Value>,
}

/// Say that somebody is away
///
/// At its begin, what is theirs and due meanwhile is held (paused: `absence`), handed to somebody, skipped, or goes on, by
/// kind of step. At its end, exactly what it held goes on, and what was handed over and is still open is theirs again.
#[utoipa::path(post, path = "/absences", tag = "users", operation_id = "create_absence", request_body = Wanted,
    responses((status = 201, body = Absence)))]
async fn create(
    State(app): State<App>,
    caller: Caller,
    Body(new): Body<NewAbsence>,
) -> Result<(StatusCode, Json<Absence>)> {
    Ok((StatusCode::CREATED, Json(absences::create(&app, &caller, new).await?.into())))
}

/// What is to change; what is absent stays.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it is read by the action's own type and stands here for the OpenAPI document")]
#[schema(as = AbsenceChange, example = json!({ "rules": { "call": "go_on" } }))]
struct Changed {
    #[schema(format = DateTime)]
    from: Option<String>,
    /// Null: until somebody ends it.
    #[schema(format = DateTime)]
    until: Option<String>,
    /// All of them.
    #[schema(value_type = Option<Object>)]
    rules: Option<serde_json::Value>,
}

/// Change an absence
///
/// Your own, or with `settings.manage` anybody's. Once it has begun, only its end changes.
#[utoipa::path(patch, path = "/absences/{absence}", tag = "users", operation_id = "update_absence",
    params(("absence" = String, Path, example = "abs_00dk3v9xk0021")), request_body = Changed,
    responses((status = 200, body = Absence)))]
async fn update(
    State(app): State<App>,
    caller: Caller,
    At(id): At<AbsenceId>,
    Body(new): Body<AbsenceChange>,
) -> Result<Json<Absence>> {
    Ok(Json(absences::update(&app, &caller, id, new).await?.into()))
}

/// End an absence, or take it away
///
/// One that has begun ends at once; one that has not is gone.
#[utoipa::path(delete, path = "/absences/{absence}", tag = "users", operation_id = "end_absence",
    params(("absence" = String, Path, example = "abs_00dk3v9xk0021")),
    responses((status = 204, description = "It is over or gone.")))]
async fn end(State(app): State<App>, caller: Caller, At(id): At<AbsenceId>) -> Result<StatusCode> {
    absences::end(&app, &caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
