//! Cadenza over HTTP: the API under `/api/v1`, the pages, and what everybody may fetch. This file puts the routers and
//! their layers together; it answers no request itself. Nothing under here writes but through `actions`.

pub mod api;
mod assets;
pub mod caller;
mod error;
mod health;
mod live;
mod public;
mod request;
mod security;
#[cfg(test)]
mod tests;
mod web;
pub mod wire;

use crate::App;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::serve::ListenerExt;
use axum::{Router, routing::get};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;
use tower_http::compression::CompressionLayer;
use tower_http::timeout::TimeoutLayer;

/// Until the head of an answer; streams go on for longer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Everything that the server answers. It expects the peer's address as axum's `ConnectInfo`, which [`serve`] gives it.
pub fn router(app: App) -> Router {
    let api = api::router(&app).layer(from_fn(security::refuse_foreign_origin)).layer(from_fn(error::as_problem));
    let pages = web::router()
        .merge(live::router())
        .layer(from_fn(security::refuse_foreign_origin))
        .layer(from_fn(error::as_page));
    Router::new()
        .nest("/api", api)
        .merge(pages)
        .merge(public::router(&app))
        .route("/healthz", get(health::healthz))
        .route("/assets/{*path}", get(assets::asset))
        .layer(DefaultBodyLimit::max(app.config.server.request_bytes_max))
        .layer(TimeoutLayer::with_status_code(axum::http::StatusCode::GATEWAY_TIMEOUT, ANSWER_TIMEOUT))
        .layer(CompressionLayer::new())
        .layer(from_fn_with_state(app.clone(), security::headers))
        .layer(from_fn_with_state(app.clone(), request::trace))
        .with_state(app)
}

/// Serves until `shutdown` is done, then lets what is being answered end.
///
/// Errors: the listener's.
pub async fn serve(
    app: App,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    app.listens_on(listener.local_addr()?);
    let listener = listener.tap_io(|connection| {
        // Answers are written whole, so waiting for more of them only costs time.
        if let Err(e) = connection.set_nodelay(true) {
            tracing::debug!("a connection stays slow: {e}");
        }
    });
    let service = router(app.clone()).into_make_service_with_connect_info::<SocketAddr>();
    let ending = async move {
        shutdown.await;
        app.stop();
    };
    axum::serve(listener, service).with_graceful_shutdown(ending).await
}
