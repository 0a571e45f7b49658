//! `PATCH /sequences/…`: name, dates, settings, team, sharing.

use super::record::Sequence;
use crate::App;
use crate::actions::Caller;
use crate::actions::sequences::{self, SequenceChange};
use crate::http::api::query::At;
use crate::http::error::Result;
use crate::http::wire::Body;
use axum::Json;
use axum::extract::State;
use cadenza_core::ids::SequenceId;
use utoipa::ToSchema;

/// What is to change; what is absent stays.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it is read by the action's own type and stands here for the OpenAPI document")]
#[schema(as = SequenceChange, example = json!({ "description": "For engineers", "settings": { "unresponsive_days": 10 } }))]
struct Changed {
    /// Unique in the workspace.
    name: Option<String>,
    description: Option<String>,
    /// Null: at once.
    #[schema(format = DateTime)]
    begin: Option<String>,
    /// Null: never.
    #[schema(format = DateTime)]
    end: Option<String>,
    /// The id of a user, or the address they sign in with.
    primary_user: Option<String>,
    /// The id of a list, or its name; null for none.
    list: Option<String>,
    /// `high`, `normal` or `low`.
    priority: Option<String>,
    /// Those that change, by the names of `docs/sequence-file.md`. An unknown one is refused.
    #[schema(value_type = Option<Object>)]
    settings: Option<serde_json::Value>,
    /// `private`, `some` or `everyone`.
    sharing: Option<String>,
    /// All of them: ids of users or teams, or sign-in addresses.
    team: Option<Vec<String>>,
    /// Likewise, for `sharing: some`.
    shared_with: Option<Vec<String>>,
}

/// Change a sequence
///
/// How it runs (begin, end, list, primary user, priority, settings) can be changed while it does not: as a draft, scheduled or
/// paused; a later `end` alone reopens what its date has ended. Its flow is changed by applying a file.
#[utoipa::path(patch, path = "/sequences/{sequence}", tag = "sequences",
    params(("sequence" = String, Path, example = "seq_00dk3v9xk0009")), request_body = Changed,
    responses((status = 200, body = Sequence)))]
pub async fn update(
    State(app): State<App>,
    caller: Caller,
    At(id): At<SequenceId>,
    Body(new): Body<SequenceChange>,
) -> Result<Json<Sequence>> {
    sequences::update(&app, &caller, id, new).await?;
    Ok(Json(sequences::get(&app, &caller, id).await?.into()))
}
