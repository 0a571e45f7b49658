//! Enrollments (ENL-1): all of them over all sequences, filtered and operated on in bulk.

use super::lists::{Choice, Empty, Filter, Foot, Search};
use super::page::html;
use super::parts::Icon;
use super::query::{ROWS, after, filter, foot, text};
use super::queue::sequence_filter;
use super::rows::{EnrollmentRow, Flows, Names};
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
use cadenza_core::enrollment::State as EnrollmentState;
use cadenza_core::ids::{SequenceId, UserId};
use cadenza_core::views::{Stage, StatusReason};
use cadenza_store::enrolled::When;
use cadenza_store::enrollments::{self, Order};
use cadenza_store::sequences;
use serde::Deserialize;

pub fn router() -> Router<App> {
    Router::new().route("/enrollments", get(show))
}

#[derive(Debug, Template)]
#[template(path = "enrollments/list.html", blocks = ["main"])]
pub struct EnrollmentsPage {
    pub shell: Shell,
    pub search: Search,
    pub filters: Vec<Filter>,
    pub rows: Vec<EnrollmentRow>,
    pub with_sequence: bool,
    pub empty: Option<Empty>,
    pub foot: Foot,
}

/// The filters of a list of enrollments, as they stand in its address.
#[derive(Debug, Default, Clone, Deserialize)]
pub struct Asked {
    #[serde(default)]
    pub q: String,
    pub sequence: Option<String>,
    pub state: Option<String>,
    pub status: Option<String>,
    pub stage: Option<String>,
    pub user: Option<String>,
    pub when: Option<String>,
    pub order: Option<String>,
    pub after: Option<String>,
}

async fn show(State(app): State<App>, viewer: Viewer, Params(asked): Params<Asked>) -> Result<Response> {
    viewer.caller.need(Privilege::SequencesView)?;
    let (w, wanted, from) = (viewer.caller.workspace, asked.filter(&viewer), after::<i64>(&asked.after));
    let (order, now) = (asked.order(), viewer.watch.now);
    let read = app.db.read_async(move |q| {
        let page = enrollments::list(q, w, &wanted, order, from, ROWS, now)?;
        let mut flows = Flows::default();
        flows.add(q, w, &page.rows)?;
        Ok((page, flows, Names::read(q, w)?, sequences::all(q, w)?))
    });
    let (page, flows, names, all) = read.await?;
    let pairs = asked.pairs();
    let filtered = pairs.iter().any(|(name, value)| *name != "order" && !value.is_empty());
    let mut filters = vec![sequence_filter(&all, asked.sequence.clone().unwrap_or_default())];
    filters.extend(asked.filters(&names));
    let shown = EnrollmentsPage {
        shell: viewer.shell(Some(Place::Enrollments)),
        search: Search { value: asked.q.clone(), label: "Search contacts" },
        filters,
        rows: page.rows.iter().map(|l| EnrollmentRow::of(l, &flows, &viewer.watch)).collect(),
        with_sequence: true,
        empty: page.rows.is_empty().then(|| empty(filtered)),
        foot: foot(&page, "/enrollments", &pairs, "enrollments", None),
    };
    Ok(if viewer.part { html(&shown.as_main()) } else { html(&shown) })
}

impl Asked {
    /// Without "when" the live and the finished are shown.
    pub fn filter(&self, viewer: &Viewer) -> enrollments::Filter {
        let mut wanted = enrollments::Filter::new(viewer.sees());
        wanted.typed = self.q.clone();
        wanted.enrolled_by = filter::<UserId>(&self.user);
        wanted.enrolled.when = if self.when.as_deref() == Some("live") { When::Now } else { When::Ever };
        wanted.enrolled.sequences = filter::<SequenceId>(&self.sequence).into_iter().collect();
        let word = |text: &Option<String>| text.clone().unwrap_or_default();
        wanted.enrolled.states = EnrollmentState::named(&word(&self.state)).into_iter().collect();
        wanted.enrolled.statuses = StatusReason::named(&word(&self.status)).into_iter().collect();
        wanted.enrolled.stages = Stage::named(&word(&self.stage)).into_iter().collect();
        wanted
    }

    pub fn order(&self) -> Order {
        if self.order.as_deref() == Some("next") { Order::NextAction } else { Order::Newest }
    }

    /// As they stand in the address.
    pub fn pairs(&self) -> Vec<(&'static str, &str)> {
        vec![
            ("q", self.q.as_str()),
            ("sequence", text(&self.sequence)),
            ("state", text(&self.state)),
            ("status", text(&self.status)),
            ("stage", text(&self.stage)),
            ("user", text(&self.user)),
            ("when", text(&self.when)),
            ("order", text(&self.order)),
            ("after", text(&self.after)),
        ]
    }

    /// All but the sequence's.
    pub fn filters(&self, names: &Names) -> Vec<Filter> {
        let value = |t: &Option<String>| t.clone().unwrap_or_default();
        let states = EnrollmentState::ALL.iter().filter(|s| **s != EnrollmentState::Removed);
        let choices = |pairs: &[(&str, &str)]| pairs.iter().map(|(v, l)| Choice::new(*v, *l)).collect();
        vec![
            Filter {
                name: "state",
                label: "State",
                value: value(&self.state),
                choices: states.map(|s| Choice::new(s.as_str(), s.label())).collect(),
            },
            Filter {
                name: "status",
                label: "Status",
                value: value(&self.status),
                choices: StatusReason::ALL.iter().map(|s| Choice::new(s.as_str(), s.label())).collect(),
            },
            Filter {
                name: "stage",
                label: "Stage",
                value: value(&self.stage),
                choices: Stage::ALL.iter().map(|s| Choice::new(s.as_str(), s.label())).collect(),
            },
            Filter { name: "user", label: "Enrolled by", value: value(&self.user), choices: names.choices() },
            Filter {
                name: "when",
                label: "Live and finished",
                value: value(&self.when),
                choices: choices(&[("live", "Only live")]),
            },
            Filter {
                name: "order",
                label: "Newest first",
                value: value(&self.order),
                choices: choices(&[("next", "Next action first")]),
            },
        ]
    }
}

fn empty(filtered: bool) -> Empty {
    if filtered {
        return Empty::new("enrollments", "No enrollment matches", "").offering("/enrollments", "Show all");
    }
    let text = "Enroll contacts from a sequence, from the contacts, or by putting them on a list that feeds one.";
    Empty::new("enrollments", "Nobody is enrolled yet", text).offering("/overview", "Go to the sequences")
}
