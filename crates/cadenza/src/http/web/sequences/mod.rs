//! One sequence (SQP-1): who is in it, its flow with counts per step, its settings and what happened. It is looked at
//! and run here; its text is written in `editor`.

pub mod activate;
pub mod editor;
pub mod enrolling;
mod reopen;
mod settings;
pub mod state;

pub use enrolling::EnrollPage;
pub use state::{Turn, turns};

use super::enrollments::Asked;
use super::flow_picture::{Shown, StepCount, draw};
use super::kind::sequence_badge;
use super::lists::{Empty, Filter, Foot, Search};
use super::page::html;
use super::parts::{Badge, Icon, count};
use super::query::{ROWS, address, after, foot};
use super::record::Figure;
use super::rows::{EnrollmentRow, Flows, Names};
use super::shell::{Place, Shell};
use super::story::{Entry, of_line};
use super::viewer::Viewer;
use crate::App;
use crate::actions::{ActionError, Privilege};
use crate::http::error::Result;
use crate::http::wire::Params;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::{Router, routing::get, routing::post};
use cadenza_core::enrollment::{SequenceState, State as EnrollmentState};
use cadenza_core::ids::SequenceId;
use cadenza_core::machine::Level;
use cadenza_store::enrollments;
use cadenza_store::sequences::{self, Sequence};
use cadenza_store::{Query, flows, history, overview};
use serde::Deserialize;

/// Lines of the event log on the page.
const LOGGED: usize = 200;

pub fn router() -> Router<App> {
    Router::new()
        .route("/sequences/new", get(editor::new).post(editor::create))
        .route("/sequences/{id}", get(show))
        .route("/sequences/{id}/edit", get(editor::edit).post(editor::save))
        .route("/sequences/{id}/export", get(editor::export))
        .route("/sequences/{id}/rename", get(editor::ask_name).post(editor::rename))
        .route("/sequences/{id}/menu", get(state::menu))
        .route("/sequences/{id}/state", post(state::turn))
        .route("/sequences/{id}/activate", get(activate::ask))
        .route("/sequences/{id}/reopen", get(reopen::show).post(reopen::act))
        .route("/sequences/{id}/enroll", get(enrolling::show).post(enrolling::act))
}

#[derive(Debug, Template)]
#[template(path = "sequences/page.html", blocks = ["main"])]
pub struct SequencePage {
    pub shell: Shell,
    pub id: String,
    pub name: String,
    pub badge: Badge,
    /// Why it paused itself; empty otherwise.
    pub held: String,
    /// When and by what it ended; empty otherwise.
    pub ended: String,
    pub operations: Vec<Turn>,
    /// Its text may be changed by whoever looks.
    pub can_edit: bool,
    /// It may be given a later end date.
    pub can_reopen: bool,
    /// Activating asks something first.
    pub asks: bool,
    pub can_enroll: bool,
    pub tabs: Vec<Tab>,
    pub body: Body,
}

#[derive(Debug)]
pub struct Tab {
    pub label: &'static str,
    pub href: String,
    pub current: bool,
    pub count: Option<String>,
}

/// What the current tab shows.
#[derive(Debug)]
pub enum Body {
    Contacts(Box<Contacts>),
    Flow(FlowTab),
    Settings(Vec<SettingGroup>),
    Log(Vec<Entry>),
}

#[derive(Debug)]
pub struct Contacts {
    pub search: Search,
    pub filters: Vec<Filter>,
    pub rows: Vec<EnrollmentRow>,
    pub empty: Option<Empty>,
    pub foot: Foot,
}

#[derive(Debug)]
pub struct FlowTab {
    pub counts: Vec<Figure>,
    pub picture: String,
}

/// Settings that belong together.
#[derive(Debug)]
pub struct SettingGroup {
    pub label: &'static str,
    pub settings: Vec<Setting>,
}

#[derive(Debug, Default)]
pub struct Setting {
    pub label: &'static str,
    pub help: &'static str,
    pub value: String,
    /// Empty where there is none.
    pub default: String,
    pub required: bool,
}

#[derive(Debug, Default, Deserialize)]
struct WhichTab {
    #[serde(default)]
    tab: String,
}

async fn show(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<String>,
    Params(tab): Params<WhichTab>,
    Params(asked): Params<Asked>,
) -> Result<Response> {
    let sequence = read(&app, &viewer, &id).await?;
    let body = match tab.tab.as_str() {
        "flow" => Body::Flow(flow_tab(&app, &viewer, &sequence).await?),
        "settings" => Body::Settings(settings_tab(&app, &viewer, &sequence).await?),
        "log" => Body::Log(log_tab(&app, &viewer, &sequence).await?),
        _ => Body::Contacts(Box::new(contacts_tab(&app, &viewer, &sequence, &asked).await?)),
    };
    let tab_of = |name: &'static str, label| Tab {
        label,
        href: address(&format!("/sequences/{id}"), &[("tab", name)]),
        current: tab.tab == name,
        count: None,
    };
    let running = !matches!(sequence.state, SequenceState::Ended | SequenceState::Archived);
    let page = SequencePage {
        shell: viewer.shell(Some(Place::Overview)),
        name: sequence.name.clone(),
        badge: sequence_badge(sequence.state),
        held: sequence.held.clone().unwrap_or_default(),
        ended: sequence.ended.map(|(at, by)| state::ended_words(at, by, &viewer.watch)).unwrap_or_default(),
        operations: if state::may(&viewer.caller, &sequence) { turns(sequence.state) } else { Vec::new() },
        can_edit: running && state::may(&viewer.caller, &sequence),
        asks: activate::asks(&app, &viewer, &sequence).await?,
        can_reopen: state::can_reopen(&sequence) && state::may(&viewer.caller, &sequence),
        can_enroll: running && viewer.caller.may(Privilege::SequencesEnroll),
        tabs: vec![
            tab_of("", "Contacts"),
            tab_of("flow", "Flow"),
            tab_of("settings", "Settings"),
            tab_of("log", "Event log"),
        ],
        body,
        id,
    };
    Ok(if viewer.part { html(&page.as_main()) } else { html(&page) })
}

/// The sequence, where the viewer sees it.
async fn read(app: &App, viewer: &Viewer, id: &str) -> Result<Sequence> {
    viewer.caller.need(Privilege::SequencesView)?;
    let parsed: SequenceId = id.parse().map_err(|_| ActionError::missing("sequence", id))?;
    let (w, sees) = (viewer.caller.workspace, viewer.sees());
    let found = app.db.read_async(move |q| {
        let sequence = sequences::find(q, w, parsed)?;
        let seen = overview::list(q, w, sees, overview::Archived::Shown)?.iter().any(|s| s.id == parsed);
        Ok(sequence.filter(|_| seen))
    });
    found.await?.ok_or_else(|| ActionError::missing("sequence", id).into())
}

async fn contacts_tab(app: &App, viewer: &Viewer, sequence: &Sequence, asked: &Asked) -> Result<Contacts> {
    let id = sequence.id;
    let asked = Asked { sequence: Some(id.to_string()), ..asked.clone() };
    let (w, wanted, from) = (viewer.caller.workspace, asked.filter(viewer), after::<i64>(&asked.after));
    let (order, now) = (asked.order(), viewer.watch.now);
    let read = app.db.read_async(move |q| {
        let page = enrollments::list(q, w, &wanted, order, from, ROWS, now)?;
        let mut flows = Flows::default();
        flows.add(q, w, &page.rows)?;
        Ok((page, flows, Names::read(q, w)?))
    });
    let (page, flows, names) = read.await?;
    let pairs: Vec<_> = asked.pairs().into_iter().filter(|(name, _)| *name != "sequence").collect();
    let filtered = pairs.iter().any(|(name, value)| *name != "order" && !value.is_empty());
    let path = format!("/sequences/{id}");
    let empty = if filtered {
        Empty::new("contacts", "Nobody here matches", "").offering(path.clone(), "Show everybody")
    } else {
        Empty::new("contacts", "Nobody is in this sequence yet", "Press c, or Enroll at the top right.")
    };
    Ok(Contacts {
        search: Search { value: asked.q.clone(), label: "Search contacts" },
        filters: asked.filters(&names),
        rows: page.rows.iter().map(|l| EnrollmentRow::of(l, &flows, &viewer.watch)).collect(),
        empty: page.rows.is_empty().then_some(empty),
        foot: foot(&page, &path, &pairs, "enrollments", None),
    })
}

async fn flow_tab(app: &App, viewer: &Viewer, sequence: &Sequence) -> Result<FlowTab> {
    let (w, id, version, sees) = (viewer.caller.workspace, sequence.id, sequence.flow_version, viewer.sees());
    let read = app.db.read_async(move |q| {
        let flow = flows::flow_at(q, w, id, version)?;
        let figures = overview::figures(q, w, id)?;
        let here = flow.steps().map(|s| here(q, w, id, sees, &s.key)).collect::<cadenza_store::Result<Vec<_>>>()?;
        Ok((flow, figures, here))
    });
    let (flow, figures, here) = read.await?;
    let n = |n: i64| u64::try_from(n).unwrap_or(0);
    let done = |key: &str| figures.get(key).map_or(0, |f| n(f.of("done")));
    let counts = flow
        .steps()
        .zip(here)
        .map(|(step, here)| (step.key.clone(), StepCount { here: n(here), done: done(step.key.as_str()) }));
    let picture = draw(&flow, &Shown { counts: counts.collect(), ..Shown::default() });
    let whole = figures.get("");
    let of = |name: &str| whole.map_or(0, |f| n(f.of(name)));
    let figure = |label, n| Figure { label, value: count(n) };
    let live = ["state:pending", "state:active", "state:blocked", "state:paused"].iter().map(|s| of(s)).sum();
    let counts = vec![
        figure("Enrolled", of("enrolled")),
        figure("Live", live),
        figure("Blocked", of("state:blocked")),
        figure("Paused", of("state:paused")),
        figure("Contacted", of("contacted")),
        figure("Replied", of("replied")),
        figure("Completed", of("completed")),
        figure("Positive", of("positive")),
    ];
    Ok(FlowTab { counts, picture })
}

/// How many stand at a step.
fn here(
    q: &mut Query,
    w: cadenza_core::ids::WorkspaceId,
    id: SequenceId,
    sees: sequences::Viewer,
    step: &cadenza_core::flow::Key,
) -> cadenza_store::Result<i64> {
    let mut filter = enrollments::Filter::new(sees);
    filter.enrolled.sequences = vec![id];
    filter.enrolled.steps = vec![step.clone()];
    filter.enrolled.states = EnrollmentState::ALL.iter().copied().filter(|s| *s != EnrollmentState::Finished).collect();
    enrollments::count(q, w, &filter, 1_000_000, cadenza_core::time::Time::MIN)
}

async fn settings_tab(app: &App, viewer: &Viewer, sequence: &Sequence) -> Result<Vec<SettingGroup>> {
    let (w, list, template, sees) = (viewer.caller.workspace, sequence.list, sequence.template, viewer.sees());
    let read = app.db.read_async(move |q| {
        let list = list.map(|id| cadenza_store::lists::get(q, w, id)).transpose()?;
        let template = template.map(|id| cadenza_store::templates::find(q, w, id)).transpose()?.flatten();
        let template = template.filter(|t| t.is_seen_by(sees)).map(|t| t.name);
        Ok((Names::read(q, w)?, list.map(|l| l.name), template))
    });
    let (names, list, template) = read.await?;
    Ok(settings::groups(sequence, &names, list, template, &viewer.watch))
}

async fn log_tab(app: &App, viewer: &Viewer, sequence: &Sequence) -> Result<Vec<Entry>> {
    let (w, id, sees) = (viewer.caller.workspace, sequence.id, viewer.sees());
    let read = app.db.read_async(move |q| {
        let filter = history::Filter {
            viewer: sees,
            level: Level::Info,
            sequence: Some(id),
            mailbox: None,
            subject: None,
            events: Vec::new(),
        };
        Ok((history::event_log(q, w, &filter, None, LOGGED)?, Names::read(q, w)?))
    });
    let (logged, names) = read.await?;
    let entry = |l: history::Logged| {
        let entry = of_line(&l.line, &names, &viewer.watch)?;
        let detail = [l.subject_name.as_str(), entry.detail.as_str()];
        let detail = detail.into_iter().filter(|d| !d.is_empty()).collect::<Vec<_>>().join(" · ");
        Some(Entry { detail, ..entry })
    };
    let end = sequence.ended.map(|(at, by)| state::ended_entry(at, by, &viewer.watch));
    Ok(end.into_iter().chain(logged.into_iter().filter_map(entry)).collect())
}
