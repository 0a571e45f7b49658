//! What pages have in common: whether a whole page or a part is wanted, where to go next, and what a failure looks like.

use askama::Template;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use std::fmt::Write as _;

/// Sent by `app.js`: the id of the element that the answer is to replace.
const SWAP: HeaderName = HeaderName::from_static("x-swap");
/// Tells `app.js` to open another page instead.
const GO_TO: HeaderName = HeaderName::from_static("x-go-to");

/// Does the browser replace a part of the page it shows?
pub fn wants_part(headers: &HeaderMap) -> bool {
    headers.contains_key(SWAP)
}

/// Opens another page from an answer to a request for a part.
pub fn go_to(path: &str) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    match HeaderValue::from_str(path) {
        Ok(path) => drop(response.headers_mut().insert(GO_TO, path)),
        Err(e) => tracing::error!("a path is no header: {e}"),
    }
    response
}

/// A template as an answer.
pub fn html(template: &impl Template) -> Response {
    match template.render() {
        Ok(text) => Html(text).into_response(),
        Err(e) => {
            tracing::error!("a template failed: {e}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// What went wrong with a part, for `app.js` to show over the page.
pub fn message(text: &str) -> Response {
    html(&Message { text })
}

/// What went wrong with a page.
pub fn failure(status: StatusCode, text: &str, request_id: &str) -> Response {
    let title = match status.as_u16() {
        401 => "Not recognised",
        403 => "Not allowed",
        404 => "Not found",
        409 => "Not done",
        413 => "Too large",
        422 => "Not understood",
        429 => "Too many",
        503 => "Not available",
        s if s < 500 => "Not possible",
        _ => "Something went wrong",
    };
    html(&Failure { title, text, request_id, status: status.as_u16() })
}

/// A path of this server to go on at; everything else is the first page. Keeps a link from leading somewhere else.
pub fn local_path(path: &str) -> String {
    let local = path.starts_with('/') && !path.starts_with("//") && !path.contains(['\\', '\r', '\n', '\t', '\0']);
    if local { path.to_owned() } else { "/".to_owned() }
}

/// Text as it may stand behind `=` in a query.
pub fn query_value(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(byte as char);
        } else {
            // Writing to a string does not fail.
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

#[derive(Template)]
#[template(path = "part/message.html")]
struct Message<'a> {
    text: &'a str,
}

#[derive(Template)]
#[template(path = "failure.html")]
struct Failure<'a> {
    title: &'a str,
    text: &'a str,
    request_id: &'a str,
    status: u16,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_leads_nowhere_else() {
        assert_eq!(local_path("/tasks?type=call"), "/tasks?type=call");
        for foreign in
            ["", "https://evil.example", "//evil.example", "/\\evil.example", "\\/evil", "tasks", "/a\nb", "/\t/evil"]
        {
            assert_eq!(local_path(foreign), "/", "{foreign:?}");
        }
        assert_eq!(query_value("/a b?c=ä"), "/a%20b%3Fc%3D%C3%A4");
    }
}
