//! The API: REST under `/api/v1`, described by the OpenAPI document that the same routes produce. Handlers translate
//! between JSON and `actions`; they decide nothing. The rules that hold for all of them are in `docs/api.md`.

mod absences;
mod companies;
mod contacts;
mod custom_fields;
mod described;
mod docs;
mod enrollments;
mod events;
mod idempotency;
mod lists;
mod log_entries;
mod mailboxes;
mod messages;
mod overview;
mod query;
mod queue;
mod reclassifications;
mod replies;
mod sandbox;
mod schema;
mod sequences;
mod suppressions;
mod tasks;
mod templates;
mod tokens;
mod users;
mod workspace;

use super::error::HttpError;
use crate::App;
use crate::actions::ActionError;
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use utoipa_axum::router::OpenApiRouter;

/// Below `/api`.
pub fn router(app: &App) -> Router<App> {
    let (routes, paths) = routes().split_for_parts();
    let document = docs::Document::new(&described::document(paths));
    Router::new()
        .nest("/v1", routes)
        .layer(from_fn_with_state(app.clone(), idempotency::once))
        .route("/v1/openapi.json", get(move || async move { document.answer() }))
        .merge(docs::router())
        .fallback(nothing_here)
}

/// The OpenAPI document, as the server answers it.
pub fn document() -> utoipa::openapi::OpenApi {
    described::document(routes().into_openapi())
}

/// One line for each resource; the rest is in its file.
fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(absences::routes())
        .merge(companies::routes())
        .merge(contacts::routes())
        .merge(custom_fields::routes())
        .merge(enrollments::routes())
        .merge(events::routes())
        .merge(lists::routes())
        .merge(log_entries::routes())
        .merge(mailboxes::routes())
        .merge(messages::routes())
        .merge(overview::routes())
        .merge(queue::routes())
        .merge(reclassifications::routes())
        .merge(replies::routes())
        .merge(sandbox::routes())
        .merge(sequences::routes())
        .merge(suppressions::routes())
        .merge(tasks::routes())
        .merge(templates::routes())
        .merge(tokens::routes())
        .merge(users::routes())
        .merge(workspace::routes())
}

async fn nothing_here() -> HttpError {
    HttpError(ActionError::missing("operation", "at this address; see /api/docs"))
}
