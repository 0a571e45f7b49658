//! `/templates`: flows to make sequences from. Made from files and as files in `file`, put to work in `activate`.

mod activate;
mod file;
mod record;

use super::query::At;
use crate::App;
use crate::actions::Caller;
use crate::actions::templates::{self, TemplateChange};
use crate::http::caller::{Allowed, may};
use crate::http::error::Result;
use crate::http::wire::{Body, Page, Params};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use cadenza_core::ids::{SequenceId, TemplateId};
use record::{Template, TemplateRow};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, file::create))
        .routes(routes!(get, update, delete))
        .routes(routes!(file::export, file::save))
        .routes(routes!(file::plan))
        .routes(routes!(file::apply))
        .routes(routes!(copy))
        .routes(routes!(activate::activate))
        .routes(routes!(from_sequence))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Query {
    /// Parts of the name.
    typed: String,
}

/// The templates that you see, by name
///
/// There are few, so this list has no pages.
#[utoipa::path(get, path = "/templates", tag = "templates", params(Query), responses((status = 200, body = Page<TemplateRow>)))]
async fn list(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::SequencesView>,
    Params(query): Params<Query>,
) -> Result<Json<Page<TemplateRow>>> {
    let found = templates::list(&app, &caller, &query.typed).await?;
    Ok(Json(Page { items: found.into_iter().map(TemplateRow::from).collect(), next: None }))
}

/// One template, with its flow
#[utoipa::path(get, path = "/templates/{template}", tag = "templates",
    params(("template" = String, Path, example = "tpl_00dk3v9xk000t")), responses((status = 200, body = Template)))]
async fn get(State(app): State<App>, caller: Caller, At(id): At<TemplateId>) -> Result<Json<Template>> {
    shown(&app, &caller, id).await
}

async fn shown(app: &App, caller: &Caller, id: TemplateId) -> Result<Json<Template>> {
    Ok(Json(templates::get(app, caller, id).await?.try_into()?))
}

/// What is to change; what is absent stays.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it is read by the action's own type and stands here for the OpenAPI document")]
#[schema(as = TemplateChange, example = json!({ "description": "For engineers", "shared": true }))]
struct Changed {
    /// Unique in the workspace.
    name: Option<String>,
    description: Option<String>,
    /// The id of a user, or the address they sign in with.
    owner: Option<String>,
    /// `list` or `one_by_one`.
    source: Option<String>,
    /// With everybody; else its owner alone sees it.
    shared: Option<bool>,
    /// The version that was looked at: at another one it is refused as `changed_meanwhile`.
    version: Option<i64>,
}

/// Change a template
///
/// How it is called, whose it is and who sees it. What it says is changed by its file.
#[utoipa::path(patch, path = "/templates/{template}", tag = "templates",
    params(("template" = String, Path, example = "tpl_00dk3v9xk000t")), request_body = Changed,
    responses((status = 200, body = Template)))]
async fn update(
    State(app): State<App>,
    caller: Caller,
    At(id): At<TemplateId>,
    Body(new): Body<TemplateChange>,
) -> Result<Json<Template>> {
    templates::update(&app, &caller, id, new).await?;
    shown(&app, &caller, id).await
}

/// Delete a template
///
/// Sequences that were made from it stay as they are.
#[utoipa::path(delete, path = "/templates/{template}", tag = "templates",
    params(("template" = String, Path, example = "tpl_00dk3v9xk000t")),
    responses((status = 204, description = "It is gone.")))]
async fn delete(State(app): State<App>, caller: Caller, At(id): At<TemplateId>) -> Result<StatusCode> {
    templates::delete(&app, &caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What the new template is called.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = NewTemplateName, example = json!({ "name": "First contact, engineers" }))]
struct Called {
    /// Unique in the workspace; without it, it is called after what it is made of.
    name: Option<String>,
}

/// Copy a template
///
/// The copy is yours.
#[utoipa::path(post, path = "/templates/{template}/copy", tag = "templates",
    params(("template" = String, Path, example = "tpl_00dk3v9xk000t")), request_body = Called,
    responses((status = 201, body = Template)))]
async fn copy(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::SequencesSave>,
    At(id): At<TemplateId>,
    Body(called): Body<Called>,
) -> Result<(StatusCode, Json<Template>)> {
    let made = templates::copy(&app, &caller, id, called.name).await?;
    Ok((StatusCode::CREATED, shown(&app, &caller, made).await?))
}

/// Use a sequence as a template
///
/// In whatever state it is. Its dates, its list and who works on it are not taken along.
#[utoipa::path(post, path = "/sequences/{sequence}/template", tag = "templates",
    params(("sequence" = String, Path, example = "seq_00dk3v9xk0009")), request_body = Called,
    responses((status = 201, body = Template)))]
async fn from_sequence(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::SequencesSave>,
    At(id): At<SequenceId>,
    Body(called): Body<Called>,
) -> Result<(StatusCode, Json<Template>)> {
    let made = templates::from_sequence(&app, &caller, id, called.name).await?;
    Ok((StatusCode::CREATED, shown(&app, &caller, made).await?))
}
