//! What every answer forbids browsers to do, and the refusal of state changes that another site caused. Who may do what is
//! decided in `actions`.

use super::error::HttpError;
use crate::App;
use crate::actions::ActionError;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Nothing but what this server serves itself, no script or style in a page, and no page in somebody else's frame.
const PAGE_POLICY: &str = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; \
                           form-action 'self'; frame-ancestors 'none'";

/// A layer: the headers of every answer. An answer that has its own policy keeps it.
pub async fn headers(State(app): State<App>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let mut put = |name, value| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    put(header::CONTENT_SECURITY_POLICY, PAGE_POLICY);
    put(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    put(header::X_FRAME_OPTIONS, "DENY");
    put(header::REFERRER_POLICY, "same-origin");
    put(header::CACHE_CONTROL, "no-store");
    put(header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    put(header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    put(header::HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=(), payment=()");
    if app.config.is_https() {
        put(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    response
}

/// A layer: refuses what changes something and was caused by another site's page. Programs that show a token are not
/// asked: no browser adds one by itself.
pub async fn refuse_foreign_origin(request: Request, next: Next) -> Response {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if safe || request.headers().contains_key(header::AUTHORIZATION) || is_own(request.headers()) {
        return next.run(request).await;
    }
    HttpError(ActionError::refused(
        "foreign_origin",
        "This was sent from another site, so it was not done. Open Cadenza itself and do it there.",
    ))
    .into_response()
}

/// Does the browser say that one of our own pages (or its user, by hand) sent this? `Sec-Fetch-Site` where there is one,
/// else `Origin` against `Host`. Where there is neither, it is no browser, and only without cookies it does no harm.
fn is_own(headers: &HeaderMap) -> bool {
    let text = |name: header::HeaderName| headers.get(name).map(|v| v.to_str().unwrap_or("?"));
    if let Some(site) = text(header::HeaderName::from_static("sec-fetch-site")) {
        return site == "same-origin" || site == "none";
    }
    match (text(header::ORIGIN), text(header::HOST)) {
        (Some(origin), Some(host)) => {
            origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://")) == Some(host)
        }
        (Some(_), None) => false,
        (None, _) => !headers.contains_key(header::COOKIE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_pages_may_change_something() {
        let own = |pairs: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(*name, HeaderValue::from_static(value));
            }
            is_own(&headers)
        };
        assert!(own(&[("sec-fetch-site", "same-origin")]));
        assert!(own(&[("sec-fetch-site", "none")]));
        assert!(!own(&[("sec-fetch-site", "cross-site")]));
        assert!(!own(&[("sec-fetch-site", "same-site")]), "another port or a neighbour domain");
        assert!(!own(&[("sec-fetch-site", "cross-site"), ("origin", "https://a"), ("host", "a")]));
        assert!(own(&[("origin", "https://a:8"), ("host", "a:8")]));
        assert!(!own(&[("origin", "https://a:9"), ("host", "a:8")]));
        assert!(!own(&[("origin", "null"), ("host", "a")]));
        assert!(!own(&[("host", "a"), ("cookie", "cadenza=1")]), "an old browser cannot be told from an attack");
        assert!(own(&[("host", "a")]), "a program without cookies");
    }
}
