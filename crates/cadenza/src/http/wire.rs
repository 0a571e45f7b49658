//! JSON and query strings as they go over the wire: read with errors that name the field, and lists as pages.

use super::error::HttpError;
use crate::actions::ActionError;
use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cadenza_store::page::After;
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

/// A JSON body; what does not fit is an error that says so.
#[derive(Debug, Clone)]
pub struct Body<T>(pub T);

/// A query string, likewise.
#[derive(Debug, Clone)]
pub struct Params<T>(pub T);

/// One page of a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Pass it as `after` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Where a page ended, as one word without meaning to whoever passes it on.
pub fn cursor<K: Serialize>(after: &After<K>) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(&(&after.key, after.id)).unwrap_or_default())
}

/// Errors: `Invalid` for the field `after`.
pub fn read_cursor<K: DeserializeOwned>(text: &str) -> Result<After<K>, ActionError> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok();
    let read = bytes.and_then(|b| serde_json::from_slice::<(K, i64)>(&b).ok());
    let (key, id) = read.ok_or_else(|| ActionError::invalid("after", "Expected the `next` of the page before."))?;
    Ok(After { key, id })
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = HttpError;
    async fn from_request(request: Request, state: &S) -> Result<Body<T>, HttpError> {
        match Json::<T>::from_request(request, state).await {
            Ok(Json(value)) => Ok(Body(value)),
            Err(JsonRejection::MissingJsonContentType(_)) => Err(HttpError(ActionError::invalid(
                "body",
                "Expected a JSON body with Content-Type: application/json.",
            ))),
            Err(JsonRejection::BytesRejection(_)) => {
                Err(HttpError(ActionError::refused("too_large", "The body is larger than is accepted here.")))
            }
            Err(e) => Err(HttpError(ActionError::invalid("body", readable(&e.body_text())))),
        }
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = HttpError;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Params<T>, HttpError> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(value)) => Ok(Params(value)),
            Err(QueryRejection::FailedToDeserializeQueryString(e)) => {
                Err(HttpError(ActionError::invalid("query", readable(&e.body_text()))))
            }
            Err(e) => Err(HttpError(ActionError::invalid("query", readable(&e.body_text())))),
        }
    }
}

/// What serde says, without the words that the framework puts before it.
fn readable(text: &str) -> String {
    let text = text.split_once(": ").map_or(text, |(_, rest)| rest);
    let mut sentence = text.trim().to_owned();
    if !sentence.ends_with('.') {
        sentence.push('.');
    }
    sentence
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_nothing_else_does() {
        for key in ["", "12", "O’Hara, \"Zoë\""] {
            let after = After { key: key.to_owned(), id: -7 };
            assert_eq!(read_cursor::<String>(&cursor(&after)), Ok(after));
        }
        assert!(read_cursor::<i64>(&cursor(&After { key: "x".to_owned(), id: 1 })).is_err(), "of another list");
        assert!(read_cursor::<i64>("nonsense").is_err());
    }
}
