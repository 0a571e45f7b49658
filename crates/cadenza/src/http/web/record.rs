//! One enrollment (ENR-6): where it stands, what happened and what comes, and *Why?* (ENR-13).

use super::flow_picture::{Shown, draw};
use super::kind::state_badge;
use super::lists::Link;
use super::operations::{Offer, offered, read};
use super::page::html;
use super::parts::{Badge, Escaped, Icon, Moment, count};
use super::rows::{Flows, Names, subject_path};
use super::shell::{Place, Shell};
use super::story::{self, Entry};
use super::viewer::Viewer;
use crate::App;
use crate::actions::{Privilege, enrollments as actions};
use crate::http::error::Result;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::{Router, routing::get};
use cadenza_core::flow::Outcome;
use cadenza_store::activities::{self, Activity, ActivityPhase};
use cadenza_store::enrollments::Listed;
use cadenza_store::{history, mailboxes};

pub fn router() -> Router<App> {
    Router::new().route("/enrollments/{id}", get(show)).route("/enrollments/{id}/why", get(why))
}

#[derive(Debug, Template)]
#[template(path = "enrollments/record.html", blocks = ["main"])]
pub struct RecordPage {
    pub shell: Shell,
    pub id: String,
    pub who: String,
    pub subject_href: String,
    pub company: String,
    pub sequence: Link,
    pub badge: Badge,
    /// What exactly blocks; empty where nothing does.
    pub detail: String,
    /// The most likely operations, beside the menu of all.
    pub main_operations: Vec<Offer>,
    /// Something was sent, so that something may have come back.
    pub has_thread: bool,
    pub counts: Vec<Figure>,
    pub picture: String,
    pub entries: Vec<Entry>,
    pub facts: Vec<Fact>,
}

/// A number with its name.
#[derive(Debug)]
pub struct Figure {
    pub label: &'static str,
    pub value: String,
}

/// A field; the value is HTML of ours.
#[derive(Debug)]
pub struct Fact {
    pub label: &'static str,
    pub value: String,
}

#[derive(Debug, Template)]
#[template(path = "enrollments/why.html", blocks = ["dialog"])]
pub struct WhyPage {
    pub shell: Shell,
    pub id: String,
    pub who: String,
    pub sequence: String,
    /// Nothing stands in the way.
    pub open: bool,
    pub answer: String,
    pub mend: String,
    /// What ended or paused it; `None` where neither holds.
    pub led: Option<Entry>,
    pub gates: Vec<GateRow>,
}

/// One gate, asked.
#[derive(Debug)]
pub struct GateRow {
    pub name: &'static str,
    pub shut: bool,
    /// The first that is shut: the one to look at.
    pub first: bool,
    pub why: String,
    pub mend: String,
    pub opens: Option<Moment>,
}

async fn show(State(app): State<App>, viewer: Viewer, Path(id): Path<String>) -> Result<Response> {
    let listed = read(&app, &viewer, &id).await?;
    let (w, enrollment) = (viewer.caller.workspace, listed.enrollment.id);
    let copy = listed.clone();
    let read = app.db.read_async(move |q| {
        let mut flows = Flows::default();
        flows.add(q, w, [&copy])?;
        let done = activities::of_enrollment(q, w, enrollment)?;
        let lines = history::of_enrollment(q, w, enrollment)?;
        Ok((flows, done, lines, Names::read(q, w)?, mailboxes::all(q, w)?))
    });
    let (flows, done, lines, names, mailboxes) = read.await?;
    let e = &listed.enrollment;
    let mailbox = mailboxes.into_iter().find(|m| Some(m.id) == e.mailbox).map(|m| m.address).unwrap_or_default();
    let (state, reason) = e.state(listed.sequence_state);
    let may = viewer.caller.may(Privilege::SequencesEnroll);
    let groups = if may { offered(&listed, false) } else { Vec::new() };
    let (picture, entries) = match flows.of(&listed) {
        Some(flow) => {
            let path = done.iter().filter(|a| was_executed(a)).map(|a| a.step.clone()).collect();
            let place = e.is_live().then(|| e.place.as_ref().map(|p| p.step.clone())).flatten();
            let shown = Shown { path, place, ..Shown::default() };
            (draw(flow, &shown), story::entries(flow, &done, &lines, &names, &viewer.watch))
        }
        None => (String::new(), Vec::new()),
    };
    let page = RecordPage {
        shell: viewer.shell(Some(Place::Enrollments)),
        id,
        who: listed.subject_name.clone(),
        subject_href: subject_path(e.subject),
        company: listed.company_name.clone().unwrap_or_default(),
        sequence: Link::new(format!("/sequences/{}", e.sequence), listed.sequence_name.clone()),
        badge: state_badge(state, reason, e.block_detail.as_deref()),
        detail: e.block_detail.clone().filter(|_| e.block.is_some()).unwrap_or_default(),
        has_thread: e.emails + e.texts > 0,
        main_operations: groups.into_iter().flat_map(|g| g.operations).filter(is_main).take(2).collect(),
        counts: counts(&listed, &viewer),
        picture,
        entries,
        facts: facts(&listed, &flows, &done, &names, &viewer, &mailbox),
    };
    Ok(if viewer.part { html(&page.as_main()) } else { html(&page) })
}

/// Does the path of the picture go through it?
fn was_executed(a: &Activity) -> bool {
    matches!(&a.phase, ActivityPhase::Closed { outcome, .. } if *outcome != Outcome::Cancelled)
}

fn is_main(o: &Offer) -> bool {
    !o.asks && o.question.is_empty() && matches!(o.name, "pause" | "resume" | "retry" | "mark_sent" | "move_now")
}

fn counts(listed: &Listed, viewer: &Viewer) -> Vec<Figure> {
    let e = &listed.enrollment;
    let end = e.finished_at.unwrap_or(viewer.watch.now);
    let days = (end - e.enrolled_at).as_seconds().max(0) / 86_400;
    let figure = |label, n: u32| Figure { label, value: count(u64::from(n)) };
    vec![
        figure("Emails", e.emails),
        figure("Texts", e.texts),
        figure("Opens", e.opens),
        figure("Clicks", e.clicks),
        figure("Replies", e.replies),
        figure("Calls", e.calls),
        figure("Tasks", e.tasks),
        Figure { label: "Days", value: count(days.unsigned_abs()) },
    ]
}

/// The fields of ENR-6, in its order.
fn facts(
    listed: &Listed,
    flows: &Flows,
    done: &[Activity],
    names: &Names,
    viewer: &Viewer,
    mailbox: &str,
) -> Vec<Fact> {
    let (e, watch) = (&listed.enrollment, &viewer.watch);
    let text = |label, value: &str| Fact {
        label,
        value: if value.is_empty() { "–".into() } else { Escaped(value).to_string() },
    };
    let moment = |label, t: Option<cadenza_core::time::Time>| Fact {
        label,
        value: t.map_or("–".into(), |t| watch.exact(t).to_string()),
    };
    let spot = e.place.as_ref().and_then(|p| flows.of(listed)?.spot(&p.step));
    let last = done.iter().rev().find(|a| was_executed(a)).and_then(|a| flows.step(listed, &a.step));
    let live = e.is_live();
    let next_at = e.place.as_ref().map(|p| p.due).or(e.wait.as_ref().map(|w| w.until)).filter(|_| live);
    let next = flows.place(listed).filter(|_| live);
    vec![
        text("Branch", spot.map_or("", |s| s.branch.name.as_str())),
        text("Step", &spot.map_or(String::new(), |s| format!("{} of {}", s.index + 1, s.branch.steps.len()))),
        moment("Start date", Some(e.enrolled_at)),
        moment("Last action completed on", e.last_action_at),
        text("Last activity", last.as_ref().map_or("", |s| s.name.as_str())),
        moment("Next action on", next_at),
        text(
            "Next activity",
            next.as_ref().map_or(if live && e.wait.is_some() { "Waiting…" } else { "" }, |s| s.name.as_str()),
        ),
        text("Status reason", listed.status().map_or("", |s| s.label())),
        text("Stage", listed.stage(watch.now).label()),
        text("Person status", listed.person_status(watch.now).label()),
        text("Enrolled by", &names.of(Some(e.enrolled_by))),
        text("Owner of the next activity", &names.of(listed.owner)),
        text("Mailbox", mailbox),
        moment("Last engaged", listed.last_engaged_at),
        moment("Last contacted", listed.last_contacted_at),
        text("Flow version", &e.flow_version.to_string()),
    ]
}

/// What ended or paused it, as its history has it.
async fn what_led(app: &App, viewer: &Viewer, listed: &Listed) -> Result<Option<Entry>> {
    let e = &listed.enrollment;
    if e.is_live() && e.holds.is_empty() {
        return Ok(None);
    }
    let (w, id, copy) = (viewer.caller.workspace, e.id, listed.clone());
    let read = app.db.read_async(move |q| {
        let mut flows = Flows::default();
        flows.add(q, w, [&copy])?;
        Ok((flows, activities::of_enrollment(q, w, id)?, history::of_enrollment(q, w, id)?, Names::read(q, w)?))
    });
    let (flows, done, lines, names) = read.await?;
    Ok(match e.finished_at {
        Some(at) => story::what_ended(at, flows.of(listed), &done, &lines, &names, &viewer.watch),
        None => story::what_paused(&lines, &names, &viewer.watch),
    })
}

async fn why(State(app): State<App>, viewer: Viewer, Path(id): Path<String>) -> Result<Response> {
    let listed = read(&app, &viewer, &id).await?;
    let why = actions::why(&app, &viewer.caller, listed.enrollment.id).await?;
    let lines = why.explanation.lines;
    let first = lines.iter().position(|l| !l.open);
    let rows = lines.iter().enumerate().map(|(i, l)| GateRow {
        name: l.gate.label(),
        shut: !l.open,
        first: Some(i) == first,
        why: viewer.watch.sentence(&l.fact),
        mend: l.remedy.unwrap_or_default().to_owned(),
        opens: l.opens_at.map(|t| viewer.watch.exact(t)),
    });
    let shut = first.map(|i| &lines[i]);
    let answer = match (shut, why.explanation.next_at) {
        (Some(line), Some(t)) => {
            format!("{} It goes on {}.", viewer.watch.sentence(&line.fact), viewer.watch.exact(t).text)
        }
        (Some(line), None) => viewer.watch.sentence(&line.fact),
        (None, _) => viewer.watch.sentence(&why.explanation.summary),
    };
    let led = what_led(&app, &viewer, &listed).await?;
    let page = WhyPage {
        shell: viewer.shell(None),
        id,
        who: listed.subject_name,
        sequence: listed.sequence_name,
        open: first.is_none(),
        answer,
        mend: shut.and_then(|l| l.remedy).unwrap_or_default().to_owned(),
        led,
        gates: rows.collect(),
    };
    Ok(if viewer.part { html(&page.as_dialog()) } else { html(&page) })
}
