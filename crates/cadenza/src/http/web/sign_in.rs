//! Signing in by password or one-time link, and signing out. A link is looked at by GET and used by POST, so that mail
//! scanners that follow it use nothing up.

use super::page::{self, html};
use super::parts::Icon;
use crate::App;
use crate::actions::sign_in::{self, Browser, LinkFor};
use crate::actions::{ActionError, Caller, setup};
use crate::http::caller::{no_session_cookie, session_cookie};
use crate::http::error::Result;
use crate::http::wire::Params;
use askama::Template;
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Router, routing::get, routing::post};
use serde::Deserialize;

pub fn router() -> Router<App> {
    Router::new()
        .route("/sign-in", get(show).post(enter))
        .route("/sign-in/link", post(enter_by_link))
        .route("/sign-out", post(leave))
}

#[derive(Debug, Template)]
#[template(path = "sign_in.html")]
pub struct SignInPage {
    pub next: String,
    pub address: String,
    /// What was wrong with the last try.
    pub fault: String,
    /// Of a one-time link: the token and whom it is for.
    pub link: Option<(String, LinkFor)>,
    /// Characters of a password, at least.
    pub length_min: usize,
}

#[derive(Debug, Deserialize)]
struct Asked {
    #[serde(default)]
    next: String,
    token: Option<String>,
}

async fn show(State(app): State<App>, Params(asked): Params<Asked>) -> Result<Response> {
    if asked.token.is_none() && setup::is_needed(&app).await? {
        return Ok(Redirect::to("/setup").into_response());
    }
    let mut shown = blank(&app, &asked.next);
    if let Some(token) = asked.token {
        match sign_in::read_link(&app, &token).await {
            Ok(link) => shown.link = Some((token, link)),
            Err(e) => return Ok(refused(SignInPage { fault: e.to_string(), ..shown }, &e)),
        }
    }
    Ok(html(&shown))
}

#[derive(Deserialize)]
struct Password {
    address: String,
    password: String,
    #[serde(default)]
    next: String,
}

async fn enter(State(app): State<App>, browser: Browser, Form(form): Form<Password>) -> Response {
    let shown = SignInPage { address: form.address.clone(), ..blank(&app, &form.next) };
    match sign_in::by_password(&app, &form.address, form.password, browser).await {
        Ok(signed_in) => (session_cookie(&app, &signed_in.token), Redirect::to(&shown.next)).into_response(),
        Err(e) => refused(SignInPage { fault: e.to_string(), ..shown }, &e),
    }
}

#[derive(Deserialize)]
struct ByLink {
    token: String,
    password: Option<String>,
    #[serde(default)]
    next: String,
}

async fn enter_by_link(State(app): State<App>, browser: Browser, Form(form): Form<ByLink>) -> Response {
    let shown = blank(&app, &form.next);
    match sign_in::by_link(&app, &form.token, form.password, browser).await {
        Ok(signed_in) => (session_cookie(&app, &signed_in.token), Redirect::to(&shown.next)).into_response(),
        Err(e) => {
            // Where the password is not good enough, the link still is.
            let link = sign_in::read_link(&app, &form.token).await.ok().map(|link| (form.token, link));
            refused(SignInPage { fault: e.to_string(), link, ..shown }, &e)
        }
    }
}

async fn leave(State(app): State<App>, caller: Result<Caller>) -> Result<Response> {
    // Who is not signed in any more is out already.
    if let Ok(caller) = caller {
        sign_in::out(&app, &caller).await?;
    }
    let target = "/sign-in";
    Ok((no_session_cookie(&app), Redirect::to(target)).into_response())
}

fn blank(app: &App, next: &str) -> SignInPage {
    let length_min = app.config.sign_in.password_length_min;
    SignInPage { next: page::local_path(next), address: String::new(), fault: String::new(), link: None, length_min }
}

fn refused(shown: SignInPage, e: &ActionError) -> Response {
    let status = match e {
        ActionError::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
        ActionError::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
        ActionError::NotRecognised(_) => StatusCode::UNAUTHORIZED,
        ActionError::Internal(why) => {
            tracing::error!("signing in failed: {why}");
            StatusCode::INTERNAL_SERVER_ERROR
        }
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, html(&shown)).into_response()
}
