//! One's own settings: password and the browsers that are signed in.

use super::super::page::html;
use super::super::parts::{Icon, Moment, Watch};
use super::super::said;
use super::super::shell::{Place, Shell};
use super::super::viewer::Viewer;
use super::{Section, SectionLink, frame};
use crate::App;
use crate::actions::{ActionError, Caller, Via, sign_in};
use crate::http::error::Result;
use askama::Template;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Router, routing::get, routing::post};
use cadenza_core::ids::SessionId;
use serde::Deserialize;

pub fn router() -> Router<App> {
    Router::new()
        .route("/settings/me", get(show))
        .route("/settings/me/password", post(change_password))
        .route("/settings/me/sessions/{id}/end", post(end_session))
}

#[derive(Debug, Template)]
#[template(path = "settings/me.html", blocks = ["main"])]
struct MePage {
    shell: Shell,
    title: &'static str,
    sections: Vec<SectionLink>,
    address: String,
    sessions: Vec<SessionRow>,
    length_min: usize,
    faults: Vec<crate::actions::Fault>,
}

#[derive(Debug)]
struct SessionRow {
    id: SessionId,
    browser: String,
    from: String,
    seen: Moment,
    begun: Moment,
    current: bool,
}

async fn show(State(app): State<App>, viewer: Viewer) -> Result<Response> {
    Ok(html(&page(&app, &viewer, Vec::new()).await?))
}

async fn page(app: &App, viewer: &Viewer, faults: Vec<crate::actions::Fault>) -> Result<MePage> {
    // Sessions are counted in real time.
    let watch = Watch { now: app.clock.real(), ..viewer.watch.clone() };
    let sessions = sign_in::my_sessions(app, &viewer.caller).await?;
    let row = |s: cadenza_store::sessions::Session| SessionRow {
        id: s.id,
        browser: browser(s.user_agent.as_deref().unwrap_or_default()),
        from: s.from.unwrap_or_default(),
        seen: watch.near(s.seen_at),
        begun: watch.exact(s.created_at),
        current: viewer.caller.via == Via::Session(s.id),
    };
    let (title, sections) = frame(&viewer.caller, Section::Me);
    Ok(MePage {
        shell: viewer.shell(Some(Place::Settings)),
        title,
        sections,
        address: viewer.user.address.clone(),
        sessions: sessions.into_iter().map(row).collect(),
        length_min: app.config.sign_in.password_length_min,
        faults,
    })
}

#[derive(Deserialize)]
struct Passwords {
    #[serde(default)]
    old_password: String,
    password: String,
}

async fn change_password(State(app): State<App>, viewer: Viewer, Form(form): Form<Passwords>) -> Result<Response> {
    match sign_in::change_password(&app, &viewer.caller, form.old_password, form.password).await {
        Ok(()) => Ok(said::done("/settings/me", "The password was changed, and all other sessions were ended.")),
        Err(ActionError::Invalid(faults)) => {
            let shown = page(&app, &viewer, faults).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, html(&shown)).into_response())
        }
        Err(e) => Err(e.into()),
    }
}

async fn end_session(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<Response> {
    let id = id.parse().map_err(|_| ActionError::missing("session", &id))?;
    sign_in::end_session(&app, &caller, id).await?;
    Ok(said::done("/settings/me", "The session was ended."))
}

impl MePage {
    fn fault(&self, field: &str) -> Option<&str> {
        self.faults.iter().find(|f| f.field == field).map(|f| f.message.as_str())
    }
}

/// What people call a browser, out of what it calls itself.
fn browser(agent: &str) -> String {
    let name =
        [("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari")];
    let system = [
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Mac OS", "macOS"),
        ("Windows", "Windows"),
        ("Linux", "Linux"),
    ];
    let find = |known: &[(&str, &'static str)]| known.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, n)| *n);
    match (find(&name), find(&system)) {
        (Some(name), Some(system)) => format!("{name} on {system}"),
        (Some(name), None) => name.to_owned(),
        _ => agent.split(['/', ' ']).next().filter(|a| !a.is_empty()).unwrap_or("Unknown browser").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::browser;

    #[test]
    fn browsers_have_the_names_that_people_know() {
        let chrome =
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";
        assert_eq!(browser(chrome), "Chrome on Linux");
        assert_eq!(browser("curl/8.1"), "curl");
        assert_eq!(browser(""), "Unknown browser");
    }
}
