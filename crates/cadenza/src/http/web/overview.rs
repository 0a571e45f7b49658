//! The Overview (OVR-1): a row for each sequence, with its switch, what goes on in it and its rates.

use super::kind::sequence_badge;
use super::lists::{Choice, Empty, EmptyReason, Filter, Link, Search};
use super::page::html;
use super::parts::{Badge, Icon, count, percent};
use super::rows::Names;
use super::shell::{Place, Shell};
use super::viewer::Viewer;
use crate::App;
use crate::actions::Privilege;
use crate::http::error::Result;
use crate::http::wire::Params;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use axum::{Router, routing::get};
use cadenza_core::enrollment::SequenceState;
use cadenza_store::overview::{Archived, Overviewed};
use serde::Deserialize;

pub fn router() -> Router<App> {
    // Both are looked for: the list of sequences is the overview of them.
    Router::new().route("/overview", get(show)).route("/sequences", get(show))
}

#[derive(Debug, Template)]
#[template(path = "overview.html", blocks = ["main"])]
pub struct OverviewPage {
    pub shell: Shell,
    pub search: Search,
    pub filters: Vec<Filter>,
    pub archived: bool,
    pub rows: Vec<OverviewRow>,
    pub can_make: bool,
    pub empty: Option<Empty>,
}

#[derive(Debug)]
pub struct OverviewRow {
    pub id: String,
    pub name: String,
    pub owner: String,
    /// Why it paused itself; empty otherwise.
    pub held: String,
    pub badge: Badge,
    /// Whether it runs, where it can be switched.
    pub toggle: Option<bool>,
    pub in_progress: String,
    pub not_started: u64,
    pub completed: String,
    pub open_tasks: u64,
    pub done_tasks: String,
    /// Opens, clicks, replies, bounces, opt-outs.
    pub rates: [Rate; 5],
}

/// What the rates are, in their order.
pub const RATES: [&str; 5] = ["Opens", "Clicks", "Replies", "Bounces", "Opt-outs"];

/// A share, with the figures behind it on hover; empty where there are none.
#[derive(Debug, Default)]
pub struct Rate {
    pub text: String,
    pub title: String,
}

#[derive(Debug, Default, Deserialize)]
struct Asked {
    #[serde(default)]
    q: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    archived: String,
}

async fn show(State(app): State<App>, viewer: Viewer, Params(asked): Params<Asked>) -> Result<Response> {
    viewer.caller.need(Privilege::SequencesView)?;
    let (w, sees) = (viewer.caller.workspace, viewer.sees());
    let shown = if asked.archived.is_empty() { Archived::Hidden } else { Archived::Shown };
    let (all, names) =
        app.db.read_async(move |q| Ok((cadenza_store::overview::list(q, w, sees, shown)?, Names::read(q, w)?))).await?;
    let (any, can_make) = (!all.is_empty(), viewer.caller.may(Privilege::SequencesSave));
    let typed = asked.q.to_lowercase();
    let matches = |s: &Overviewed| {
        s.name.to_lowercase().contains(&typed) && (asked.state.is_empty() || s.state.as_str() == asked.state)
    };
    let rows: Vec<_> = all.iter().filter(|s| matches(s)).map(|s| row(s, &names)).collect();
    let empty = match (rows.is_empty(), any) {
        (false, _) => None,
        (true, true) => Some(Empty::new("overview", "No sequence matches", "").offering("/overview", "Show all")),
        (true, false) => Some(none_yet(can_make)),
    };
    let page = OverviewPage {
        shell: viewer.shell(Some(Place::Overview)),
        search: Search { value: asked.q, label: "Search sequences" },
        filters: vec![state_filter(asked.state)],
        archived: shown == Archived::Shown,
        rows,
        can_make,
        empty,
    };
    Ok(if viewer.part { html(&page.as_main()) } else { html(&page) })
}

fn none_yet(can_make: bool) -> Empty {
    let text = "A sequence takes people through steps: emails, calls, texts and tasks, each at the right moment.";
    let empty = Empty::new("overview", "No sequences yet", text);
    if !can_make {
        return empty;
    }
    let reason =
        |text: &str, href: &str, label: &str| EmptyReason { text: text.to_owned(), link: Some(Link::new(href, label)) };
    let reasons = vec![
        reason("Letters and a call in turn:", "/sequences/new?example=letters-and-calls", "begin with this example"),
        reason("You have a file:", "/sequences/new?example=blank", "paste its text"),
    ];
    Empty { reasons, ..empty }.offering("/sequences/new", "New from an example")
}

/// The states of sequences as a filter.
pub fn state_filter(value: String) -> Filter {
    let choices = SequenceState::ALL.iter().filter(|s| **s != SequenceState::Archived);
    let choices = choices.map(|s| Choice::new(s.as_str(), s.label())).collect();
    Filter { name: "state", label: "State", value, choices }
}

fn row(s: &Overviewed, names: &Names) -> OverviewRow {
    let n = |n: i64| u64::try_from(n).unwrap_or(0);
    OverviewRow {
        id: s.id.to_string(),
        name: s.name.clone(),
        owner: names.of(Some(s.primary_user)),
        held: s.held.clone().unwrap_or_default(),
        badge: sequence_badge(s.state),
        toggle: match s.state {
            SequenceState::Active | SequenceState::Scheduled => Some(true),
            SequenceState::Paused => Some(false),
            _ => None,
        },
        in_progress: count(n(s.in_progress)),
        not_started: n(s.not_started),
        completed: count(n(s.completed)),
        open_tasks: n(s.open_tasks),
        done_tasks: count(n(s.done_tasks)),
        rates: if s.has_email_step { rates(s) } else { Default::default() },
    }
}

/// With the formulas of the reports (REP-1): of the sent, or of the contacted, less the bounced.
fn rates(s: &Overviewed) -> [Rate; 5] {
    let n = |name: &str| u64::try_from(s.figures.of(name)).unwrap_or(0);
    let (sent, contacted, bounced) = (n("emails"), n("contacted"), n("bounced"));
    let rate = |part: u64, whole: u64, of: &str| Rate {
        text: if whole == 0 { String::new() } else { percent(part, whole) },
        title: format!("{} of {} {of}", count(part), count(whole)),
    };
    let (delivered, reached) = (sent.saturating_sub(bounced), contacted.saturating_sub(bounced));
    [
        rate(n("opened"), delivered, "sent and not bounced"),
        rate(n("clicked"), delivered, "sent and not bounced"),
        rate(n("replied"), reached, "contacted and not bounced"),
        rate(bounced, contacted, "contacted"),
        rate(n("opted_out"), reached, "contacted and not bounced"),
    ]
}
