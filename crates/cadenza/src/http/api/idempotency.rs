//! Idempotency keys: a layer that does a request with an `Idempotency-Key` once and answers its repetitions from memory.
//! What failed did nothing and may be tried again under the same key.

use crate::App;
use crate::actions::repeats::{self, Keyed, Turn};
use crate::actions::{ActionError, Caller};
use crate::http::error::HttpError;
use crate::http::request::hex;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tracing::Instrument;

/// The header of the request.
pub const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Says of an answer that it is a repetition.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const KEY_LENGTH_MAX: usize = 255;
/// A request is held in memory to be compared; larger ones cannot carry a key.
const BODY_BYTES_MAX: usize = 64 << 20;

/// A kept answer.
#[derive(Serialize, Deserialize)]
struct Kept {
    content_type: Option<String>,
    location: Option<String>,
    body: String,
}

/// The layer.
pub async fn once(State(app): State<App>, request: Request, next: Next) -> Response {
    match request.headers().get(KEY) {
        Some(key) if !request.method().is_safe() => {
            let key = key.clone();
            keyed(app, key, request, next).await.unwrap_or_else(IntoResponse::into_response)
        }
        _ => next.run(request).await,
    }
}

async fn keyed(app: App, key: HeaderValue, request: Request, next: Next) -> Result<Response, HttpError> {
    let key = read_key(&key)?;
    let (mut parts, body) = request.into_parts();
    let caller = Caller::from_request_parts(&mut parts, &app).await?;
    let body = to_bytes(body, BODY_BYTES_MAX)
        .await
        .map_err(|_| ActionError::refused("too_large", "The body is larger than is accepted here."))?;
    let asked = Keyed::new(&caller, key, fingerprint(&parts, &body));
    if let Turn::Done { status, answer } = repeats::claim(&app, &caller, &asked).await? {
        return replay(status, &answer);
    }
    // In a task of its own: a client that hangs up or waits too long does not cut off what will be asked for again.
    let request = Request::from_parts(parts, Body::from(body));
    let doing = async move { settle(&app, &caller, &asked, next.run(request).await).await };
    tokio::spawn(doing.instrument(tracing::Span::current()))
        .await
        .unwrap_or_else(|e| Err(HttpError(ActionError::internal(e))))
}

/// Keeps the answer of what was done, and frees the key of what was not.
async fn settle(app: &App, caller: &Caller, asked: &Keyed, response: Response) -> Result<Response, HttpError> {
    let status = response.status();
    if status.is_success() {
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.map_err(ActionError::internal)?;
        repeats::keep(app, caller, asked, status.as_u16(), &kept(&parts.headers, &body)?).await?;
        return Ok(Response::from_parts(parts, Body::from(body)));
    }
    // Whether a failure of ours did something is not known; the key stays taken then.
    if status.is_client_error() {
        repeats::give_up(app, caller, asked).await?;
    }
    Ok(response)
}

fn kept(headers: &HeaderMap, body: &Bytes) -> Result<Vec<u8>, HttpError> {
    let text = |name| headers.get(name).and_then(|v: &HeaderValue| v.to_str().ok()).map(str::to_owned);
    let kept = Kept {
        content_type: text(header::CONTENT_TYPE),
        location: text(header::LOCATION),
        body: STANDARD_NO_PAD.encode(body),
    };
    Ok(serde_json::to_vec(&kept).map_err(ActionError::internal)?)
}

fn replay(status: u16, answer: &[u8]) -> Result<Response, HttpError> {
    let kept: Kept = serde_json::from_slice(answer).map_err(ActionError::internal)?;
    let body = STANDARD_NO_PAD.decode(kept.body).map_err(ActionError::internal)?;
    let mut response = (StatusCode::from_u16(status).map_err(ActionError::internal)?, body).into_response();
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_TYPE);
    for (name, value) in [(header::CONTENT_TYPE, kept.content_type), (header::LOCATION, kept.location)] {
        if let Some(value) = value.and_then(|v| HeaderValue::from_str(&v).ok()) {
            headers.insert(name, value);
        }
    }
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}

fn read_key(key: &HeaderValue) -> Result<String, HttpError> {
    let text = key.to_str().unwrap_or_default();
    if (1..=KEY_LENGTH_MAX).contains(&text.len()) {
        return Ok(text.to_owned());
    }
    let message = format!("Expected 1 to {KEY_LENGTH_MAX} visible ASCII characters, such as a UUID.");
    Err(HttpError(ActionError::invalid("Idempotency-Key", message)))
}

fn fingerprint(parts: &axum::http::request::Parts, body: &Bytes) -> String {
    let mut hash = Sha256::new();
    let address = parts.uri.path_and_query().map_or("", |p| p.as_str());
    let kind = parts.headers.get(header::CONTENT_TYPE).map_or(&[][..], HeaderValue::as_bytes);
    for part in [parts.method.as_str().as_bytes(), address.as_bytes(), kind, body] {
        // With their lengths, so that no two different requests are written alike.
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    hex(&hash.finalize())
}
