//! Settings of the workspace: its name and addresses, everything of SPEC §14 with unit, help and default beside it, and the
//! release of a restored database.

mod draft;
mod table;

pub use self::draft::Draft;
pub use self::table::{Group, Setting, of_sequences};

use self::table::GROUPS;
use super::super::form::{self, Field, Input, Typed};
use super::super::page::html;
use super::super::parts::Icon;
use super::super::said;
use super::super::shell::Shell;
use super::super::viewer::Viewer;
use super::{Section, SectionLink, frame};
use crate::App;
use crate::actions::settings::{self as actions, Identity};
use crate::actions::{ActionError, Caller, Fault, Privilege};
use crate::http::error::Result;
use askama::Template;
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Router, routing::get, routing::post};
use cadenza_core::calendar::all_zone_names;
use cadenza_core::settings::WorkspaceSettings;

const PATH: &str = "/settings/workspace";

pub fn router() -> Router<App> {
    Router::new()
        .route(PATH, get(show).post(save))
        .route("/settings/workspace/identity", post(set_identity))
        .route("/settings/workspace/release", post(release))
}

#[derive(Debug, Template)]
#[template(path = "settings/workspace.html", blocks = ["main"])]
pub struct WorkspacePage {
    pub shell: Shell,
    pub title: &'static str,
    pub sections: Vec<SectionLink>,
    pub identity: Vec<Field>,
    pub groups: Vec<FieldGroup>,
    pub zones: Vec<&'static str>,
    /// The database was restored or copied, and holds all sending.
    pub held: bool,
    /// What is wrong with no field that is shown.
    pub beside: Vec<String>,
}

#[derive(Debug)]
pub struct FieldGroup {
    pub label: &'static str,
    pub about: &'static str,
    pub fields: Vec<Field>,
}

/// Which of the two forms was refused, with what was typed.
enum Refused {
    None,
    Identity(Typed, Vec<Fault>),
    Settings(Typed, Vec<Fault>),
}

async fn show(State(app): State<App>, viewer: Viewer) -> Result<Response> {
    viewer.caller.need(Privilege::SettingsManage)?;
    let page = page(&app, &viewer, Refused::None).await?;
    Ok(if viewer.part { html(&page.as_main()) } else { html(&page) })
}

async fn page(app: &App, viewer: &Viewer, refused: Refused) -> Result<WorkspacePage> {
    let workspace = actions::workspace(app, &viewer.caller).await?;
    let (shown, usual) = (Draft::of(workspace.settings.clone()), Draft::of(WorkspaceSettings::default()));
    let (identity_typed, settings_typed, faults) = match &refused {
        Refused::None => (None, None, &[][..]),
        Refused::Identity(typed, faults) => (Some(typed), None, faults.as_slice()),
        Refused::Settings(typed, faults) => (None, Some(typed), faults.as_slice()),
    };
    let identity: Vec<Field> = vec![
        Field::new("name", "Name")
            .required()
            .help("Of the organisation, as everybody here sees it.")
            .value(&workspace.name),
        Field::new("postal_address", "Postal address")
            .of(Input::Area)
            .required()
            .help("Stands below each mail. Nothing can be activated without it.")
            .value(&workspace.postal_address),
        Field::new("public_url", "Public address")
            .help("Where links in mails lead, such as https://go.example.com.")
            .usual("the server's own address")
            .value(&workspace.public_url),
    ];
    let identity: Vec<Field> = identity.into_iter().map(|f| f.after(identity_typed, faults)).collect();
    let groups = GROUPS.iter().map(|g| FieldGroup {
        label: g.label,
        about: g.about,
        fields: g.settings.iter().map(|s| field(s, &shown, &usual).after(settings_typed, faults)).collect(),
    });
    let groups: Vec<FieldGroup> = groups.collect();
    let (title, sections) = frame(&viewer.caller, Section::Workspace);
    let all: Vec<Field> = identity.iter().chain(groups.iter().flat_map(|g| &g.fields)).cloned().collect();
    Ok(WorkspacePage {
        shell: viewer.shell(Some(super::super::shell::Place::Settings)),
        title,
        sections,
        held: workspace.restore_hold,
        zones: all_zone_names().collect(),
        beside: form::beside(faults, &all),
        identity,
        groups,
    })
}

/// A setting as a field, with its default beside it.
pub fn field(s: &Setting, shown: &Draft, usual: &Draft) -> Field {
    let input = (s.input)();
    let default = words(&(s.show)(usual), &input, s.unit);
    Field::new(s.name, s.label).help(s.help).unit(s.unit).usual(default).value((s.show)(shown)).of(input)
}

/// A default as a person reads it.
fn words(value: &str, input: &Input, unit: &str) -> String {
    match input {
        Input::Check => if value == "on" { "on" } else { "off" }.to_owned(),
        Input::Choice(choices) => choices.iter().find(|c| c.value == value).map_or(value, |c| &c.label).to_owned(),
        Input::Days => {
            value.parse::<cadenza_core::calendar::Days>().map_or_else(|_| value.to_owned(), |d| d.to_string())
        }
        _ if value.is_empty() => "none".to_owned(),
        _ if unit.is_empty() => value.to_owned(),
        _ => format!("{value} {unit}"),
    }
}

async fn save(State(app): State<App>, viewer: Viewer, Form(typed): Form<Typed>) -> Result<Response> {
    viewer.caller.need(Privilege::SettingsManage)?;
    let before = actions::workspace(&app, &viewer.caller).await?.settings;
    let mut faults = Vec::new();
    let settings = read(before, GROUPS.iter(), &typed, &mut faults);
    if !faults.is_empty() {
        return refuse(&app, &viewer, Refused::Settings(typed, faults)).await;
    }
    actions::save(&app, &viewer.caller, settings).await?;
    Ok(said::done(PATH, "Saved. What waited is looked at again."))
}

/// What was typed, over what there was; and what makes no sense, by field.
pub fn read<'g>(
    before: WorkspaceSettings,
    groups: impl Iterator<Item = &'g Group>,
    typed: &Typed,
    faults: &mut Vec<Fault>,
) -> WorkspaceSettings {
    let mut draft = Draft::of(before);
    for setting in groups.flat_map(|g| g.settings) {
        let value = typed.of(setting.name, &(setting.input)());
        if let Err(message) = (setting.set)(&mut draft, value.trim()) {
            faults.push(Fault { field: setting.name.to_owned(), message });
        }
    }
    draft.done(faults)
}

async fn set_identity(State(app): State<App>, viewer: Viewer, Form(typed): Form<Typed>) -> Result<Response> {
    let identity = Identity {
        name: typed.get("name").map(str::to_owned),
        postal_address: typed.get("postal_address").map(|t| t.replace("\r\n", "\n")),
        public_url: typed.get("public_url").map(str::to_owned),
    };
    match actions::set_identity(&app, &viewer.caller, identity).await {
        Ok(()) => Ok(said::done(PATH, "Saved.")),
        Err(ActionError::Invalid(faults)) => refuse(&app, &viewer, Refused::Identity(typed, faults)).await,
        Err(e) => Err(e.into()),
    }
}

async fn refuse(app: &App, viewer: &Viewer, refused: Refused) -> Result<Response> {
    let shown = page(app, viewer, refused).await?;
    let answer = if viewer.part { html(&shown.as_main()) } else { html(&shown) };
    Ok((StatusCode::UNPROCESSABLE_ENTITY, answer).into_response())
}

async fn release(State(app): State<App>, caller: Caller) -> Result<Response> {
    actions::release_restored(&app, &caller).await?;
    Ok(said::done(PATH, "Released: sending goes on."))
}
