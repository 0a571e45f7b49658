//! The API's description for people, at `/api/docs`, by the vendored Swagger UI, and the document that it shows.

use crate::App;
use axum::Router;
use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use std::sync::Arc;
use utoipa_swagger_ui::Config;

/// Swagger UI draws with pictures in `data:` addresses and sets styles from its script; both are said here alone.
const POLICY: &str = "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; \
                      base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// The OpenAPI document, written once.
#[derive(Debug, Clone)]
pub struct Document(Arc<str>);

impl Document {
    pub fn new(document: &utoipa::openapi::OpenApi) -> Document {
        Document(Arc::from(serde_json::to_string(document).unwrap_or_else(|e| {
            tracing::error!("the OpenAPI document cannot be written: {e}");
            String::new()
        })))
    }
    pub fn answer(&self) -> Response {
        ([(header::CONTENT_TYPE, "application/json")], self.0.to_string()).into_response()
    }
}

pub fn router() -> Router<App> {
    Router::new()
        .route("/docs", get(|| async { Redirect::permanent("/api/docs/") }))
        .route("/docs/", get(|| file(String::new())))
        .route("/docs/{*path}", get(|Path(path): Path<String>| file(path)))
}

async fn file(path: String) -> Response {
    match swagger_file(&path) {
        Some((content_type, bytes)) => {
            let headers = [(header::CONTENT_TYPE, content_type), (header::CONTENT_SECURITY_POLICY, POLICY.to_owned())];
            (headers, bytes).into_response()
        }
        None => super::nothing_here().await.into_response(),
    }
}

/// Content type and bytes.
fn swagger_file(path: &str) -> Option<(String, Vec<u8>)> {
    let config = Config::new(["/api/v1/openapi.json"]).try_it_out_enabled(true);
    match utoipa_swagger_ui::serve(path, Arc::new(config)) {
        Ok(file) => file.map(|f| (f.content_type, f.bytes.into_owned())),
        Err(e) => {
            tracing::error!("the API's description cannot be shown: {e}");
            None
        }
    }
}
