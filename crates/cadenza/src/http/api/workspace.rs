//! `/workspace` and `/settings`: the workspace's name and addresses, its settings (SPEC §14), and the release of a restored
//! database.

use crate::App;
use crate::actions::Caller;
use crate::actions::settings::{self, Identity};
use crate::http::caller::{Allowed, may};
use crate::http::error::Result;
use crate::http::wire::Body;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use cadenza_core::ids::WorkspaceId;
use cadenza_core::settings::WorkspaceSettings;
use cadenza_core::time::Time;
use cadenza_store::workspaces as store;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get, update))
        .routes(routes!(get_settings, change_settings))
        .routes(routes!(release))
}

/// The workspace.
#[derive(Debug, Serialize, ToSchema)]
struct Workspace {
    #[schema(value_type = String, example = "wsp_00dk3v9xk0000")]
    id: WorkspaceId,
    name: String,
    /// As it stands below each mail; nothing is activated without it.
    postal_address: String,
    /// Where links in mails lead; empty for the server's own address.
    public_url: String,
    /// A restored or copied database sends nothing until it is released.
    restore_hold: bool,
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
    /// Cadenza's clock; in the sandbox it may have been skipped ahead.
    #[schema(value_type = String, format = DateTime)]
    now: Time,
}

async fn shown(app: &App, caller: &Caller) -> Result<Json<Workspace>> {
    let w: store::Workspace = settings::workspace(app, caller).await?;
    Ok(Json(Workspace {
        id: w.id,
        name: w.name,
        postal_address: w.postal_address,
        public_url: w.public_url,
        restore_hold: w.restore_hold,
        created_at: w.created_at,
        now: app.clock.now(),
    }))
}

/// The workspace
#[utoipa::path(get, path = "/workspace", tag = "workspace", responses((status = 200, body = Workspace)))]
async fn get(State(app): State<App>, Allowed { caller, .. }: Allowed<may::SequencesView>) -> Result<Json<Workspace>> {
    shown(&app, &caller).await
}

/// What is to change; what is absent stays.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it is read by the action's own type and stands here for the OpenAPI document")]
#[schema(as = WorkspaceChange, example = json!({ "postal_address": "Northwind, 1 Street, Town" }))]
struct Changed {
    name: Option<String>,
    /// May have several lines.
    postal_address: Option<String>,
    /// Empty for the server's own address.
    public_url: Option<String>,
}

/// Change the workspace's name and addresses
#[utoipa::path(patch, path = "/workspace", tag = "workspace", request_body = Changed, responses((status = 200, body = Workspace)))]
async fn update(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::SettingsManage>,
    Body(new): Body<Identity>,
) -> Result<Json<Workspace>> {
    settings::set_identity(&app, &caller, new).await?;
    shown(&app, &caller).await
}

/// Let a restored or copied database send again
#[utoipa::path(post, path = "/workspace/release", tag = "workspace", responses((status = 204, description = "It sends.")))]
async fn release(State(app): State<App>, Allowed { caller, .. }: Allowed<may::SettingsManage>) -> Result<StatusCode> {
    settings::release_restored(&app, &caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The workspace's settings
///
/// Under `sequence` is what new sequences start from.
#[utoipa::path(get, path = "/settings", tag = "workspace", responses((status = 200, body = Object)))]
async fn get_settings(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::SequencesView>,
) -> Result<Json<WorkspaceSettings>> {
    Ok(Json(settings::workspace(&app, &caller).await?.settings))
}

/// Settings that are to change, by name; groups inside them likewise.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it is read as a map and stands here for the OpenAPI document")]
#[schema(as = SettingsChange, example = json!({ "sequence": { "unresponsive_days": 10 }, "touch_gap_days": 3 }))]
struct ChangedSettings {
    #[schema(value_type = Option<Object>)]
    sequence: Option<Value>,
    touch_gap_days: Option<u32>,
}

/// Change the workspace's settings
///
/// What is not named stays; null takes a limit away. An unknown name is refused with those there are. Sequences that exist keep
/// theirs: they started from the old ones. Answers all settings.
#[utoipa::path(patch, path = "/settings", tag = "workspace", request_body = ChangedSettings, responses((status = 200, body = Object)))]
async fn change_settings(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::SettingsManage>,
    Body(changes): Body<Map<String, Value>>,
) -> Result<Json<WorkspaceSettings>> {
    Ok(Json(settings::change_some(&app, &caller, changes).await?))
}
