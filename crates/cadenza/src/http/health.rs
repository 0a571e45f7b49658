//! `GET /healthz`: can this node answer requests? For supervisors and load balancers; it tells nothing about the work.

use crate::App;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;

#[derive(Debug, Serialize)]
pub struct Health {
    status: &'static str,
    version: &'static str,
}

/// 200 where the database answers and the server is not stopping, else 503.
pub async fn healthz(State(app): State<App>) -> (StatusCode, Json<Health>) {
    let stopping = *app.stopping().borrow();
    let status = match app.db.read_async(|q| q.query_one("SELECT 1", &[])).await {
        Ok(_) if stopping => "stopping",
        Ok(_) => "ok",
        Err(e) => {
            tracing::warn!("not healthy: {e}");
            "database unavailable"
        }
    };
    let code = if status == "ok" { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, Json(Health { status, version: env!("CARGO_PKG_VERSION") }))
}
