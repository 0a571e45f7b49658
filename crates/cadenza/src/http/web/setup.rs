//! The first run (NAV-3): from the link that the server showed, the workspace and its administrator; then what to do next, each
//! ticked when it is done.

use super::form::{self, Field, Input, Typed};
use super::page::html;
use super::parts::Icon;
use super::shell::Shell;
use super::viewer::Viewer;
use crate::App;
use crate::actions::setup::{self as actions, Typed as Said};
use crate::actions::sign_in::Browser;
use crate::actions::{ActionError, Fault, Privilege};
use crate::http::caller::session_cookie;
use crate::http::error::Result;
use crate::http::wire::Params;
use askama::Template;
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Router, routing::get};
use cadenza_core::calendar::all_zone_names;
use cadenza_store::{contacts, enrollments, mailboxes, sandbox_messages, sequences};
use serde::Deserialize;

pub fn router() -> Router<App> {
    Router::new().route("/setup", get(show).post(make)).route("/welcome", get(welcome))
}

#[derive(Debug, Template)]
#[template(path = "setup/page.html")]
pub struct SetupPage {
    /// Empty until it is shown.
    pub token: String,
    pub fields: Vec<Field>,
    pub zones: Vec<&'static str>,
    pub fault: String,
}

#[derive(Debug, Default, Deserialize)]
struct Asked {
    #[serde(default)]
    token: String,
}

async fn show(State(app): State<App>, browser: Browser, Params(asked): Params<Asked>) -> Result<Response> {
    if !actions::is_needed(&app).await? {
        return Ok(Redirect::to("/sign-in").into_response());
    }
    if asked.token.trim().is_empty() {
        return Ok(html(&page(&app, "", None, &[], String::new())));
    }
    Ok(match actions::recognise(&app, &asked.token, &browser) {
        Ok(()) => html(&page(&app, asked.token.trim(), None, &[], String::new())),
        Err(e) => refused(&app, &e),
    })
}

fn refused(app: &App, e: &ActionError) -> Response {
    let status =
        if matches!(e, ActionError::TooMany { .. }) { StatusCode::TOO_MANY_REQUESTS } else { StatusCode::UNAUTHORIZED };
    (status, html(&page(app, "", None, &[], e.to_string()))).into_response()
}

fn page(app: &App, token: &str, typed: Option<&Typed>, faults: &[Fault], fault: String) -> SetupPage {
    let length = app.config.sign_in.password_length_min;
    let fields = vec![
        Field::new("name", "Name of your organisation").required().autocomplete("organization"),
        Field::new("postal_address", "Postal address")
            .of(Input::Area)
            .help("Stands below each mail. It may be given later, in Settings, before the first sequence is activated.")
            .autocomplete("street-address"),
        Field::new("zone", "Time zone")
            .of(Input::Zone)
            .required()
            .help("In which sequences run, such as Europe/Berlin.")
            .value("UTC"),
        Field::new("user_name", "Your name").required().autocomplete("name"),
        Field::new("user_address", "Your email address")
            .of(Input::Email)
            .required()
            .help("To sign in with.")
            .autocomplete("username"),
        Field::new("password", "Password")
            .of(Input::Password)
            .required()
            .help(format!("At least {length} characters; a few words are good."))
            .autocomplete("new-password"),
    ];
    SetupPage {
        token: token.to_owned(),
        fields: fields.into_iter().map(|f| f.after(typed, faults)).collect(),
        zones: all_zone_names().collect(),
        fault,
    }
}

async fn make(State(app): State<App>, browser: Browser, Form(typed): Form<Typed>) -> Result<Response> {
    let text = |name: &str| typed.get(name).unwrap_or_default().to_owned();
    let said = Said {
        name: text("name"),
        postal_address: text("postal_address").replace("\r\n", "\n"),
        zone: text("zone"),
        user_name: text("user_name"),
        user_address: text("user_address"),
        password: text("password"),
    };
    match actions::by_link(&app, typed.text("token"), said, browser).await {
        Ok(signed_in) => Ok((session_cookie(&app, &signed_in.token), Redirect::to("/welcome")).into_response()),
        Err(ActionError::Refused { code: "set_up", .. }) => Ok(Redirect::to("/sign-in").into_response()),
        Err(e @ (ActionError::NotRecognised(_) | ActionError::TooMany { .. })) => Ok(refused(&app, &e)),
        Err(e) => {
            let faults = form::faults(e)?;
            let shown = page(&app, typed.text("token"), Some(&typed), &faults, String::new());
            Ok((StatusCode::UNPROCESSABLE_ENTITY, html(&shown)).into_response())
        }
    }
}

#[derive(Debug, Template)]
#[template(path = "setup/welcome.html", blocks = ["main"])]
pub struct WelcomePage {
    pub shell: Shell,
    pub steps: Vec<NextStep>,
    pub done: usize,
}

/// One thing to do at the beginning.
#[derive(Debug)]
pub struct NextStep {
    pub title: &'static str,
    pub text: &'static str,
    pub done: bool,
    /// Where it is done, with the words; `None` for somebody who may not.
    pub link: Option<(&'static str, &'static str)>,
    pub also: Option<(&'static str, &'static str)>,
}

async fn welcome(State(app): State<App>, viewer: Viewer) -> Result<Response> {
    let w = viewer.caller.workspace;
    let now = viewer.watch.now;
    let sees = viewer.sees();
    let found = app.db.read_async(move |q| {
        let real = mailboxes::all(q, w)?.iter().any(|m| !m.sandbox);
        let people = contacts::count(q, w, &contacts::Filter::default(), 1, now)? > 0;
        let all = sequences::all(q, w)?;
        let mut filter = enrollments::Filter::new(sees);
        filter.enrolled.when = cadenza_store::enrolled::When::Ever;
        let enrolled = enrollments::count(q, w, &filter, 1, now)? > 0;
        let mailed = !sandbox_messages::list(q, w, None, None, 1)?.rows.is_empty();
        let activated = all.iter().any(|s| s.activated_at.is_some());
        Ok((real, people, !all.is_empty(), activated, enrolled, mailed))
    });
    let (real, people, made, activated, enrolled, mailed) = found.await?;
    let may = |p: Privilege| viewer.caller.may(p);
    let offer = |p: Privilege, href, label| may(p).then_some((href, label));
    let steps = vec![
        NextStep {
            title: "Say where your organisation is",
            text: "Its postal address stands below each mail; nothing can be activated without it.",
            done: !viewer.workspace.postal_address.trim().is_empty(),
            link: offer(Privilege::SettingsManage, "/settings/workspace", "Settings"),
            also: None,
        },
        NextStep {
            title: "A mailbox, or the sandbox",
            text: "The sandbox is there already: what is sent stays here, and you play the recipient. Add a mailbox when you want to \
                   write to real people.",
            done: true,
            link: if real {
                None
            } else {
                offer(Privilege::MailboxesManage, "/settings/mailboxes/new", "Add a mailbox")
            },
            also: offer(Privilege::SequencesView, "/sandbox", "Sandbox"),
        },
        NextStep {
            title: "Contacts",
            text: "Import a CSV file: its columns are recognised, and you see what would be added before it is.",
            done: people,
            link: offer(Privilege::ContactsEdit, "/contacts/import", "Import"),
            also: offer(Privilege::ContactsEdit, "/contacts/new", "Add one by hand"),
        },
        NextStep {
            title: "A sequence",
            text: "Begin with an example and put your own words in; activate it when it says what you mean.",
            done: made && activated,
            link: if made {
                offer(Privilege::SequencesView, "/sequences", "Look and activate")
            } else {
                offer(Privilege::SequencesSave, "/sequences/new", "New from an example")
            },
            also: None,
        },
        NextStep {
            title: "Enroll somebody",
            text: "Pick contacts and enroll them. The first mail is in the sandbox within a minute; outside the window, skip the \
                   clock ahead at the left.",
            done: enrolled,
            link: offer(Privilege::SequencesEnroll, "/contacts", "Pick contacts"),
            also: mailed.then_some(("/sandbox", "Read what was sent")),
        },
    ];
    let page = WelcomePage { shell: viewer.shell(None), done: steps.iter().filter(|s| s.done).count(), steps };
    Ok(if viewer.part { html(&page.as_main()) } else { html(&page) })
}
