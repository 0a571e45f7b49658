//! The Queue (QUE-1): who has executed a step and waits for the next, by when that is.

use super::kind::{KindIcon, state_badge};
use super::lists::{Choice, Empty, Filter, Foot, Link, Search};
use super::page::html;
use super::parts::{Badge, Icon, Moment, count};
use super::query::{ROWS, after, filter, foot};
use super::rows::{Flows, Names, StepName};
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
use cadenza_core::time::{Span, Time};
use cadenza_store::queue::{self, FirstSteps, Queued};
use cadenza_store::sequences;
use serde::Deserialize;

/// Counting goes no further.
const COUNTED_AT_MOST: usize = 100_000;

pub fn router() -> Router<App> {
    Router::new().route("/queue", get(show))
}

#[derive(Debug, Template)]
#[template(path = "queue.html", blocks = ["main"])]
pub struct QueuePage {
    pub shell: Shell,
    pub search: Search,
    pub filters: Vec<Filter>,
    pub first_shown: bool,
    pub first_count: String,
    pub rows: Vec<QueueRow>,
    pub empty: Option<Empty>,
    pub foot: Foot,
}

#[derive(Debug)]
pub struct QueueRow {
    pub id: String,
    pub who: String,
    pub company: String,
    pub sequence: Link,
    pub last: Option<StepName>,
    /// "Waiting…" while the conditions of what was sent are open (FLOW-3).
    pub outcome: String,
    pub next: Option<StepName>,
    /// Where it is not simply waiting.
    pub badge: Option<Badge>,
    pub due: Moment,
}

#[derive(Debug, Default, Deserialize)]
struct Asked {
    #[serde(default)]
    q: String,
    sequence: Option<String>,
    user: Option<String>,
    due: Option<String>,
    first: Option<String>,
    after: Option<String>,
}

async fn show(State(app): State<App>, viewer: Viewer, Params(asked): Params<Asked>) -> Result<Response> {
    viewer.caller.need(Privilege::SequencesView)?;
    let mut wanted = queue::Filter::new(viewer.sees());
    wanted.sequences = filter::<SequenceId>(&asked.sequence).into_iter().collect();
    wanted.owner = filter::<UserId>(&asked.user);
    wanted.typed = asked.q.clone();
    wanted.before = asked.due.as_deref().and_then(|due| due_before(due, viewer.watch.now));
    wanted.first_steps = if asked.first.is_some() { FirstSteps::Shown } else { FirstSteps::LeftOut };
    let (w, from) = (viewer.caller.workspace, after::<i64>(&asked.after));
    let read = app.db.read_async(move |q| {
        let page = queue::list(q, w, &wanted, from, ROWS)?;
        let counts = queue::counts(q, w, &wanted, COUNTED_AT_MOST)?;
        let mut flows = Flows::default();
        flows.add(q, w, page.rows.iter().map(|r| &r.listed))?;
        Ok((page, counts, flows, Names::read(q, w)?, sequences::all(q, w)?))
    });
    let (page, (next, first), flows, names, sequences) = read.await?;
    let n = |n: i64| u64::try_from(n).unwrap_or(0);
    let first_shown = asked.first.is_some();
    let text = |t: &Option<String>| t.clone().unwrap_or_default();
    let (sequence, user, due) = (text(&asked.sequence), text(&asked.user), text(&asked.due));
    let first_flag = if first_shown { "1" } else { "" };
    let cursor = text(&asked.after);
    let pairs = [
        ("q", asked.q.as_str()),
        ("sequence", &sequence),
        ("user", &user),
        ("due", &due),
        ("first", first_flag),
        ("after", &cursor),
    ];
    let total = n(next) + if first_shown { n(first) } else { 0 };
    let foot = foot(&page, "/queue", &pairs, "waiting", Some(total));
    let filtered = pairs.iter().any(|(name, value)| *name != "first" && !value.is_empty());
    let shown = QueuePage {
        shell: viewer.shell(Some(Place::Queue)),
        search: Search { value: asked.q.clone(), label: "Search contacts" },
        filters: vec![
            sequence_filter(&sequences, sequence.clone()),
            Filter { name: "user", label: "Owner", value: user.clone(), choices: names.choices() },
            due_filter(due.clone()),
        ],
        first_shown,
        first_count: count(n(first)),
        rows: page.rows.iter().map(|r| row(r, &flows, &viewer)).collect(),
        empty: page.rows.is_empty().then(|| empty(filtered, n(first), first_shown)),
        foot,
    };
    Ok(if viewer.part { html(&shown.as_main()) } else { html(&shown) })
}

/// The sequences that run or could, as a filter.
pub fn sequence_filter(sequences: &[sequences::Sequence], value: String) -> Filter {
    use cadenza_core::enrollment::SequenceState;
    let hidden = [SequenceState::Draft, SequenceState::Archived];
    let offered = sequences.iter().filter(|s| !hidden.contains(&s.state) || s.id.to_string() == value);
    let choices = offered.map(|s| Choice::new(s.id.to_string(), s.name.clone())).collect();
    Filter { name: "sequence", label: "Sequence", value, choices }
}

/// By when something is due.
pub fn due_filter(value: String) -> Filter {
    let choices = [("hour", "Within an hour"), ("day", "Within a day"), ("week", "Within a week")];
    Filter { name: "due", label: "When", value, choices: choices.into_iter().map(|(v, l)| Choice::new(v, l)).collect() }
}

fn due_before(word: &str, now: Time) -> Option<Time> {
    match word {
        "hour" => Some(now + Span::hours(1)),
        "day" => Some(now + Span::days(1)),
        "week" => Some(now + Span::days(7)),
        _ => None,
    }
}

fn row(queued: &Queued, flows: &Flows, viewer: &Viewer) -> QueueRow {
    let listed = &queued.listed;
    let e = &listed.enrollment;
    let (state, reason) = e.state(listed.sequence_state);
    let last = queued.last.as_ref();
    let named =
        |key, kind| flows.step(listed, key).unwrap_or(StepName { kind: KindIcon(kind), name: kind.label().into() });
    let waits = e.wait.is_some();
    QueueRow {
        id: e.id.to_string(),
        who: listed.subject_name.clone(),
        company: listed.company_name.clone().unwrap_or_default(),
        sequence: Link::new(format!("/sequences/{}", e.sequence), listed.sequence_name.clone()),
        last: last.map(|(key, kind, _)| named(key, *kind)),
        outcome: match last.and_then(|(_, _, outcome)| outcome.as_ref()) {
            _ if waits => "Waiting…".into(),
            Some(outcome) => outcome.label(),
            None => String::new(),
        },
        next: if waits { None } else { flows.place(listed) },
        badge: (state != EnrollmentState::Active || reason.as_str() != "waiting")
            .then(|| state_badge(state, reason, e.block_detail.as_deref())),
        due: viewer.watch.near(queued.scheduled_for),
    }
}

fn empty(filtered: bool, first: u64, first_shown: bool) -> Empty {
    if filtered {
        return Empty::new("queue", "Nobody in the queue matches", "").offering("/queue", "Show everybody");
    }
    let text = "Whoever has executed a step and waits for the next one stands here.";
    let empty = Empty::new("queue", "Nobody waits for a next step", text);
    if first > 0 && !first_shown {
        return empty.offering("/queue?first=1", format!("Show {} who wait for their first step", count(first)));
    }
    empty.offering("/overview", "Overview")
}
