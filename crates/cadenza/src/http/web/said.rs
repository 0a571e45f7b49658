//! What an action answered in a few words, carried over the redirect that follows it: in a cookie that the next answer
//! takes away again.

use super::page::{query_value, wants_part};
use super::shell::Said;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::cookie::CookieJar;

const COOKIE: &str = "cadenza-said";
/// Read by `app.js`, which shows it over the page.
const TOAST: HeaderName = HeaderName::from_static("x-toast");

/// It was done: go on at `to`, and say so there.
pub fn done(to: &str, text: &str) -> Response {
    let mut response = Redirect::to(to).into_response();
    let cookie = format!("{COOKIE}={}; Path=/; HttpOnly; SameSite=Lax; Max-Age=60", query_value(text));
    if let Ok(value) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response
}

/// What the action before this request answered.
pub fn read(headers: &HeaderMap) -> Option<Said> {
    let jar = CookieJar::from_headers(headers);
    // The jar has decoded it.
    let text = jar.get(COOKIE)?.value().to_owned();
    (!text.is_empty()).then_some(Said { text, bad: false })
}

/// A layer: what was said is said once. A part of a page has no place for it, so it is told in a header.
pub async fn carry(request: Request, next: Next) -> Response {
    let said = CookieJar::from_headers(request.headers()).get(COOKIE).map(|c| c.value().to_owned());
    let part = wants_part(request.headers());
    let mut response = next.run(request).await;
    let Some(said) = said.filter(|_| response.status().is_success()) else { return response };
    let headers = response.headers_mut();
    headers.append(header::SET_COOKIE, HeaderValue::from_static("cadenza-said=; Path=/; Max-Age=0"));
    if let (true, Ok(value)) = (part, HeaderValue::from_str(&query_value(&said))) {
        headers.insert(TOAST, value);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_survives_the_cookie() {
        let text = "Gespräch mit “Ana; Müller” – 100 % done\n";
        let response = done("/tasks", text);
        let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_str(&cookie).unwrap());
        assert_eq!(read(&headers), Some(Said { text: text.into(), bad: false }));
    }
}
