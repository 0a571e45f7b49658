//! What everybody may ask for, without signing in: the links in mails. This translates between HTTP and `actions::links`; what
//! a link does is decided there. No cookies, no sessions; limits of their own.

mod limit;
mod pages;

use super::request::PeerAddress;
use crate::App;
use crate::actions::ActionError;
use crate::actions::links::{self, Answer, Method, Request};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Extension, Request as HttpRequest, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use limit::{Buckets, Limits};
use std::net::IpAddr;
use std::sync::Arc;

/// A one-click body has 26 bytes, as a form of parts some hundred.
const BODY_MAX: usize = 16 * 1024;
/// A picture of one transparent point.
const PIXEL: &[u8] = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\x00\x00\x00!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;";

/// `/t/o/TOKEN`, `/t/c/TOKEN` and `/u/TOKEN`.
pub fn router(app: &App) -> Router<App> {
    let limits = Arc::new(Limits {
        all: Buckets::new(1_000.0, 50.0, &app.clock),
        // Whoever asks for links that do not exist is guessing.
        unknown: Buckets::new(60.0, 1.0, &app.clock),
    });
    let read: fn() -> MethodRouter<App> = || get(answer);
    Router::new()
        .route("/t/o/{token}", read())
        .route("/t/c/{token}", read())
        .route("/u/{token}", read().post(answer))
        .layer(Extension(limits))
}

async fn answer(State(app): State<App>, Extension(limits): Extension<Arc<Limits>>, request: HttpRequest) -> Response {
    let peer = request.extensions().get::<PeerAddress>().map(|p| p.0);
    if !limits.all.take(peer) {
        return too_many();
    }
    let request = match read(request, peer).await {
        Ok(request) => request,
        Err(status) => return locked_down(status.into_response()),
    };
    let response = match links::answer(&app, request).await {
        Ok(Answer::Nothing { .. }) if !limits.unknown.take(peer) => too_many(),
        Ok(answer) => shown(answer),
        Err(e) => failed(&e),
    };
    locked_down(response)
}

/// The request as actions know it.
async fn read(request: HttpRequest, address: Option<IpAddr>) -> Result<Request, StatusCode> {
    let (parts, body): (_, Body) = request.into_parts();
    let method = match parts.method {
        axum::http::Method::POST => Method::Post,
        axum::http::Method::HEAD => Method::Head,
        _ => Method::Get,
    };
    let body = match method {
        Method::Post => to_bytes(body, BODY_MAX).await.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?.to_vec(),
        _ => Vec::new(),
    };
    Ok(Request {
        method,
        path: parts.uri.path().to_owned(),
        user_agent: text(&parts.headers, header::USER_AGENT),
        address,
        accept_language: text(&parts.headers, header::ACCEPT_LANGUAGE),
        prefetch: fetches_ahead(&parts.headers),
        body,
    })
}

fn text(headers: &HeaderMap, name: HeaderName) -> String {
    headers.get(name).map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned()).unwrap_or_default()
}

/// Browsers and proxies say so in one of these.
fn fetches_ahead(headers: &HeaderMap) -> bool {
    ["purpose", "sec-purpose", "x-purpose", "x-moz"].into_iter().any(|name| {
        let value = text(headers, HeaderName::from_static(name)).to_ascii_lowercase();
        value.contains("prefetch") || value.contains("preview") || value.contains("prerender")
    })
}

fn shown(answer: Answer) -> Response {
    match answer {
        Answer::Pixel => {
            let mut response = ([(header::CONTENT_TYPE, "image/gif")], PIXEL).into_response();
            // Webmail shows it on a page of its own site.
            let anywhere = HeaderValue::from_static("cross-origin");
            response.headers_mut().insert(HeaderName::from_static("cross-origin-resource-policy"), anywhere);
            response
        }
        Answer::Redirect(target) => match HeaderValue::from_str(&target) {
            Ok(target) => (StatusCode::FOUND, [(header::LOCATION, target)]).into_response(),
            Err(e) => {
                tracing::error!("a signed link is no header: {e}");
                StatusCode::NOT_FOUND.into_response()
            }
        },
        Answer::NotSo => StatusCode::METHOD_NOT_ALLOWED.into_response(),
        Answer::Ask { language, sender } => pages::ask(StatusCode::OK, language, &sender),
        Answer::AskAgain { language, sender } => pages::ask(StatusCode::UNPROCESSABLE_ENTITY, language, &sender),
        Answer::Unsubscribed { language, sender } => pages::done(language, &sender),
        Answer::Nothing { language } => pages::nothing(language),
    }
}

/// Mail programs try a failed opt-out again where they are told to.
fn failed(error: &ActionError) -> Response {
    tracing::warn!("a link could not be answered: {error}");
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "30")]).into_response()
}

fn too_many() -> Response {
    (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "60")]).into_response()
}

/// No copy anywhere, no address told to others, nothing for search engines: the path is the recipient's own.
fn locked_down(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store, private"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex, nofollow"));
    response
}
