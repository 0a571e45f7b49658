//! How a refused or failed action is shown: as problem+json (RFC 9457) to a program, as a friendly page to a person. What
//! went wrong is decided in `actions`; handlers only pass it on.

use super::request::RequestId;
use super::web::page;
use crate::actions::ActionError;
use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

pub type Result<T, E = HttpError> = std::result::Result<T, E>;

/// A failure on its way to the layer that dresses it.
#[derive(Debug, Clone)]
pub struct HttpError(pub ActionError);

impl<E: Into<ActionError>> From<E> for HttpError {
    fn from(e: E) -> HttpError {
        HttpError(e.into())
    }
}

/// Status and headers alone; the layer that knows who asked makes the body of it.
impl IntoResponse for HttpError {
    fn into_response(self) -> Response {
        let mut response = status_of(&self.0).into_response();
        if let ActionError::TooMany { retry_after, .. } = &self.0 {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(retry_after.as_secs().max(1)));
        }
        response.extensions_mut().insert(Arc::new(self.0));
        response
    }
}

/// What is wrong with an API request, as RFC 9457 has it, with a stable `code` beside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// A URN of the code: `urn:cadenza:problem:missing`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The status in words.
    pub title: String,
    pub status: u16,
    /// What went wrong this time and what would do, for a person.
    pub detail: String,
    /// Stable; names the kind of error, the state or the rule.
    pub code: String,
    /// What is wrong with which field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldProblem>,
    /// Names this request in the server's log.
    pub request_id: String,
}

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldProblem {
    /// As the request named it; dots lead into it: `steps.2.subject`.
    pub field: String,
    pub message: String,
}

/// A layer: failures of the API become problem+json, also those of the framework.
pub async fn as_problem(request: Request, next: Next) -> Response {
    let id = request_id(&request);
    let response = next.run(request).await;
    let Some((status, error)) = failure(&response) else { return response };
    log_fault(&error);
    let errors = match &*error {
        ActionError::Invalid(faults) => {
            faults.iter().map(|f| FieldProblem { field: f.field.clone(), message: f.message.clone() }).collect()
        }
        _ => Vec::new(),
    };
    let problem = Problem {
        kind: format!("urn:cadenza:problem:{}", error.code()),
        title: status.canonical_reason().unwrap_or("Error").to_owned(),
        status: status.as_u16(),
        detail: error.to_string(),
        code: error.code().to_owned(),
        errors,
        request_id: id,
    };
    let mut dressed = (status, Json(problem)).into_response();
    dressed.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    keep_headers(&response, &mut dressed);
    dressed
}

/// A layer: failures of pages become a page, or a message where only a part of a page was asked for.
pub async fn as_page(request: Request, next: Next) -> Response {
    let id = request_id(&request);
    let part = page::wants_part(request.headers());
    let here = request.uri().path_and_query().map_or("/", |p| p.as_str()).to_owned();
    let read = request.method().is_safe();
    let response = next.run(request).await;
    let Some((status, error)) = failure(&response) else { return response };
    log_fault(&error);
    if *error == ActionError::SignInNeeded {
        let next = if read && !part { here } else { "/".to_owned() };
        let target = format!("/sign-in?next={}", page::query_value(&next));
        return if part { page::go_to(&target) } else { Redirect::to(&target).into_response() };
    }
    let mut dressed = if part {
        (status, page::message(&error.to_string())).into_response()
    } else {
        (status, page::failure(status, &error.to_string(), &id)).into_response()
    };
    keep_headers(&response, &mut dressed);
    dressed
}

/// What went wrong, where the answer is one of ours or a bare one of the framework's.
fn failure(response: &Response) -> Option<(StatusCode, Arc<ActionError>)> {
    let status = response.status();
    if let Some(error) = response.extensions().get::<Arc<ActionError>>() {
        return Some((status, error.clone()));
    }
    let plain = response.headers().get(header::CONTENT_TYPE).is_none_or(|t| t.as_bytes().starts_with(b"text/plain"));
    if !(status.is_client_error() || status.is_server_error()) || !plain {
        return None;
    }
    let error = match status {
        StatusCode::NOT_FOUND => ActionError::refused("no_such_page", "There is nothing at this address."),
        StatusCode::METHOD_NOT_ALLOWED => {
            ActionError::refused("method_not_allowed", "This cannot be done at this address.")
        }
        StatusCode::PAYLOAD_TOO_LARGE => ActionError::refused("too_large", "That is larger than is accepted here."),
        StatusCode::GATEWAY_TIMEOUT => ActionError::refused("timeout", "That took too long, and was given up."),
        s if s.is_client_error() => ActionError::refused("bad_request", "The request cannot be read."),
        s => ActionError::internal(format!("answered {s}")),
    };
    Some((status, Arc::new(error)))
}

fn status_of(error: &ActionError) -> StatusCode {
    match error {
        ActionError::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
        ActionError::Refused { code: "foreign_origin", .. } => StatusCode::FORBIDDEN,
        ActionError::Refused { code: "too_large", .. } => StatusCode::PAYLOAD_TOO_LARGE,
        ActionError::Refused { .. } => StatusCode::CONFLICT,
        ActionError::Missing { .. } => StatusCode::NOT_FOUND,
        ActionError::SignInNeeded | ActionError::NotRecognised(_) => StatusCode::UNAUTHORIZED,
        ActionError::Forbidden(_) => StatusCode::FORBIDDEN,
        ActionError::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
        ActionError::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
        ActionError::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// What the user is not told.
fn log_fault(error: &ActionError) {
    if let ActionError::Internal(why) = error {
        tracing::error!("a request failed: {why}");
    }
}

fn keep_headers(from: &Response, to: &mut Response) {
    for name in [header::RETRY_AFTER, header::ALLOW, header::SET_COOKIE] {
        if let Some(value) = from.headers().get(&name) {
            to.headers_mut().insert(name, value.clone());
        }
    }
}

fn request_id(request: &Request) -> String {
    request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default()
}
