//! `/sequences`: lists, records, flows. Changing one is in `edit`, running it in `operate`, files in `file`; enrolling is
//! with the enrollments, figures with the overview.

mod edit;
pub mod file;
mod operate;
pub mod record;

use super::query::{At, Several};
use crate::App;
use crate::actions::Caller;
use crate::actions::sequences::{self, Looked};
use crate::http::caller::{Allowed, may};
use crate::http::error::Result;
use crate::http::wire::{Page, Params};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use cadenza_core::enrollment::SequenceState;
use cadenza_core::ids::SequenceId;
use record::{Sequence, SequenceRow};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, file::create))
        .routes(routes!(get, edit::update, delete))
        .routes(routes!(flow))
        .routes(routes!(file::export))
        .routes(routes!(file::plan))
        .routes(routes!(file::apply))
        .routes(routes!(operate::one))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Query {
    /// `draft`, `scheduled`, `active`, `paused`, `ended`, `archived`; all but the archived where nothing is said.
    #[param(value_type = Option<String>, example = "active,paused")]
    state: Several<SequenceState>,
    /// Parts of the name.
    typed: String,
}

/// The sequences that you see, by name
///
/// A workspace has at most some thousands, so this list has no pages.
#[utoipa::path(get, path = "/sequences", tag = "sequences", params(Query), responses((status = 200, body = Page<SequenceRow>)))]
async fn list(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::SequencesView>,
    Params(query): Params<Query>,
) -> Result<Json<Page<SequenceRow>>> {
    let found = sequences::list(&app, &caller, query.state.0, &query.typed).await?;
    Ok(Json(Page { items: found.into_iter().map(SequenceRow::from).collect(), next: None }))
}

/// One sequence
#[utoipa::path(get, path = "/sequences/{sequence}", tag = "sequences",
    params(("sequence" = String, Path, example = "seq_00dk3v9xk0009")), responses((status = 200, body = Sequence)))]
async fn get(State(app): State<App>, caller: Caller, At(id): At<SequenceId>) -> Result<Json<Sequence>> {
    let looked: Looked = sequences::get(&app, &caller, id).await?;
    Ok(Json(looked.into()))
}

/// Delete a draft
///
/// With its flow. What ran is ended and archived instead.
#[utoipa::path(delete, path = "/sequences/{sequence}", tag = "sequences",
    params(("sequence" = String, Path, example = "seq_00dk3v9xk0009")), responses((status = 204, description = "It is gone.")))]
async fn delete(State(app): State<App>, caller: Caller, At(id): At<SequenceId>) -> Result<StatusCode> {
    sequences::seen(&app, &caller, id).await?;
    sequences::delete(&app, &caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A flow as data.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Flow)]
struct ShownFlow {
    /// Grows by one with every structural edit.
    version: u32,
    /// Each with its key, name and steps; the first is `main`. The words are those of `docs/sequence-file.md`.
    #[schema(value_type = Vec<Object>)]
    branches: Value,
}

/// Its flow as JSON
///
/// The newest structure with the newest contents.
#[utoipa::path(get, path = "/sequences/{sequence}/flow", tag = "sequences",
    params(("sequence" = String, Path, example = "seq_00dk3v9xk0009")), responses((status = 200, body = ShownFlow)))]
async fn flow(State(app): State<App>, caller: Caller, At(id): At<SequenceId>) -> Result<Json<ShownFlow>> {
    let flow = sequences::flow(&app, &caller, id).await?;
    let branches = serde_json::to_value(&flow.branches).map_err(crate::actions::ActionError::internal)?;
    Ok(Json(ShownFlow { version: flow.version, branches }))
}
