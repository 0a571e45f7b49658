//! API tokens: made and shown once, listed with scope and last use, ended. Everybody has their own; who manages the settings sees
//! and ends everybody's.

use super::super::lists::{Choice, Empty};
use super::super::page::html;
use super::super::parts::{Badge, Icon, Moment, Tone, Watch};
use super::super::rows::Names;
use super::super::said;
use super::super::shell::{Place, Shell};
use super::super::viewer::Viewer;
use super::{Section, SectionLink, frame};
use crate::App;
use crate::actions::tokens::{self as actions, NewToken, Whose};
use crate::actions::{ActionError, Caller, Fault, Privilege, Privileges};
use crate::http::error::Result;
use crate::http::web::form::{Field, Input, Typed};
use crate::http::wire::Params;
use askama::Template;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Router, routing::get, routing::post};
use cadenza_core::ids::TokenId;
use cadenza_core::time::Span;
use cadenza_store::api_tokens::ApiToken;
use serde::Deserialize;

const PATH: &str = "/settings/tokens";
/// For how long a token is good, in days; the empty one for ever.
const LIVES: [(&str, &str); 4] = [("90", "90 days"), ("30", "30 days"), ("365", "a year"), ("", "for ever")];

pub fn router() -> Router<App> {
    Router::new().route(PATH, get(show).post(create)).route("/settings/tokens/{id}/end", post(end))
}

#[derive(Debug, Template)]
#[template(path = "settings/tokens.html", blocks = ["main"])]
pub struct TokensPage {
    pub shell: Shell,
    pub title: &'static str,
    pub sections: Vec<SectionLink>,
    pub rows: Vec<TokenRow>,
    pub empty: Option<Empty>,
    /// Offered to who may see everybody's.
    pub everybodys: Option<bool>,
    pub fields: Vec<Field>,
    pub scopes: Vec<Scope>,
    pub scopes_fault: String,
    /// The secret of one that was just made, and its name.
    pub made: Option<(String, String)>,
}

#[derive(Debug)]
pub struct TokenRow {
    pub id: String,
    pub name: String,
    pub whose: String,
    pub scopes: Vec<String>,
    pub badge: Badge,
    pub used: Option<Moment>,
    pub made: Moment,
    pub ends: Option<Moment>,
    pub live: bool,
}

#[derive(Debug)]
pub struct Scope {
    pub privilege: Privilege,
    pub on: bool,
}

#[derive(Debug, Default, Deserialize)]
struct Asked {
    whose: Option<String>,
}

async fn show(State(app): State<App>, viewer: Viewer, Params(asked): Params<Asked>) -> Result<Response> {
    let whose = if asked.whose.as_deref() == Some("all") { Whose::Everybodys } else { Whose::Mine };
    let page = page(&app, &viewer, whose, None, &[]).await?;
    Ok(answer(&viewer, &page))
}

fn answer(viewer: &Viewer, page: &TokensPage) -> Response {
    if viewer.part { html(&page.as_main()) } else { html(page) }
}

async fn page(app: &App, viewer: &Viewer, whose: Whose, typed: Option<&Typed>, faults: &[Fault]) -> Result<TokensPage> {
    let w = viewer.caller.workspace;
    let all = actions::list(app, &viewer.caller, whose).await?;
    let names = app.db.read_async(move |q| Names::read(q, w)).await?;
    // Tokens live in real time.
    let watch = Watch { now: app.clock.real(), ..viewer.watch.clone() };
    let field = |f: Field| f.after(typed, faults);
    let lives = LIVES.map(|(days, label)| Choice::new(days, label)).to_vec();
    let (title, sections) = frame(&viewer.caller, Section::Tokens);
    let text = "A program shows a token to use the API. Make one for each program, so that each can be ended alone.";
    Ok(TokensPage {
        shell: viewer.shell(Some(Place::Settings)),
        title,
        sections,
        empty: all.is_empty().then(|| Empty::new("key", "No tokens yet", text)),
        rows: all.into_iter().map(|t| row(t, &names, &watch)).collect(),
        everybodys: viewer.caller.may(Privilege::SettingsManage).then_some(whose == Whose::Everybodys),
        fields: vec![
            field(Field::new("name", "What it is for").required().help("Such as: nightly import.")),
            field(Field::new("days", "Good for").of(Input::Choice(lives)).value("90")),
        ],
        scopes: viewer
            .caller
            .privileges
            .iter()
            .map(|p| Scope { privilege: p, on: typed.is_some_and(|t| t.all("scope").any(|s| s == p.as_str())) })
            .collect(),
        scopes_fault: faults.iter().find(|f| f.field == "scopes").map(|f| f.message.clone()).unwrap_or_default(),
        made: None,
    })
}

fn row(t: ApiToken, names: &Names, watch: &Watch) -> TokenRow {
    let expired = t.expires_at.is_some_and(|end| end <= watch.now);
    let badge = match (t.ended_at, expired) {
        (Some(_), _) => Badge::new(Tone::Grey, "Ended"),
        (None, true) => Badge::new(Tone::Grey, "Expired"),
        (None, false) => Badge::new(Tone::Green, "Good"),
    };
    TokenRow {
        id: t.id.to_string(),
        name: t.name,
        whose: names.of(Some(t.user)),
        scopes: t.scopes,
        badge,
        used: t.used_at.map(|u| watch.near(u)),
        made: watch.near(t.created_at),
        ends: t.expires_at.map(|e| watch.exact(e)),
        live: t.ended_at.is_none() && !expired,
    }
}

/// Not by redirect: the secret is in this one answer and nowhere else.
async fn create(State(app): State<App>, viewer: Viewer, Form(typed): Form<Typed>) -> Result<Response> {
    let done = match new_token(&app, &typed) {
        Ok(new) => actions::create(&app, &viewer.caller, new).await,
        Err(e) => Err(e),
    };
    match done {
        Ok((token, secret)) => {
            let shown = page(&app, &viewer, Whose::Mine, None, &[]).await?;
            let made = Some((secret.reveal().to_owned(), token.name));
            Ok(answer(&viewer, &TokensPage { made, ..shown }))
        }
        Err(ActionError::Invalid(faults)) => {
            let shown = page(&app, &viewer, Whose::Mine, Some(&typed), &faults).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, answer(&viewer, &shown)).into_response())
        }
        Err(e) => Err(e.into()),
    }
}

fn new_token(app: &App, typed: &Typed) -> Result<NewToken, ActionError> {
    let mut scopes = Vec::new();
    for word in typed.all("scope") {
        scopes.push(word.parse::<Privilege>().map_err(|e| ActionError::invalid("scopes", e.to_string()))?);
    }
    let expires_at = match typed.text("days") {
        "" => None,
        days => {
            let days: u16 = days.parse().map_err(|_| ActionError::invalid("days", "Expected a number of days."))?;
            Some(app.clock.real() + Span::days(days.into()))
        }
    };
    let scopes: Privileges = scopes.into_iter().collect();
    Ok(NewToken { name: typed.text("name").to_owned(), scopes, expires_at })
}

async fn end(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<Response> {
    let parsed: TokenId = id.parse().map_err(|_| ActionError::missing("token", &id))?;
    actions::end(&app, &caller, parsed).await?;
    Ok(said::done(PATH, "Ended: the token is refused from now on."))
}
