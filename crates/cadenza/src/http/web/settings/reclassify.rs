//! Reclassify (REC-12): the present rules over kept mail, what they judge otherwise, adopted all or by choice.

use super::super::kind::message_badge;
use super::super::lists::Empty;
use super::super::page::html;
use super::super::parts::{Badge, Icon, Moment, Tone};
use super::super::said;
use super::super::shell::{Place, Shell};
use super::super::viewer::Viewer;
use super::{Section, SectionLink, frame};
use crate::App;
use crate::actions::reclassify::{self as actions, Standing};
use crate::actions::{ActionError, Caller, Privilege};
use crate::http::error::Result;
use askama::Template;
use axum::extract::{Form, Path, State};
use axum::response::Response;
use axum::{Router, routing::get, routing::post};
use cadenza_core::ids::{JobId, MessageId};
use cadenza_core::inbound::RULES_VERSION;
use cadenza_store::reclassified::{Listed, State as Became};

const PATH: &str = "/settings/reclassify";
/// Differences of the page; the others are adopted with "all", or listed by API and command.
const SHOWN: usize = 200;

pub fn router() -> Router<App> {
    Router::new().route(PATH, get(show).post(start)).route("/settings/reclassify/{job}/adopt", post(adopt))
}

#[derive(Debug, Template)]
#[template(path = "settings/reclassify.html", blocks = ["main"])]
pub struct ReclassifyPage {
    pub shell: Shell,
    pub title: &'static str,
    pub sections: Vec<SectionLink>,
    pub version: u32,
    /// The latest job: its id and what is said of it.
    pub job: String,
    pub said: String,
    pub running: bool,
    pub rows: Vec<DifferenceRow>,
    /// Differences that can be adopted.
    pub open: i64,
    pub more: bool,
    pub empty: Option<Empty>,
}

#[derive(Debug)]
pub struct DifferenceRow {
    pub id: String,
    pub from: String,
    pub subject: String,
    pub at: Moment,
    pub before: Badge,
    pub now: Badge,
    pub follows: String,
    pub state: Option<Badge>,
}

async fn show(State(app): State<App>, viewer: Viewer) -> Result<Response> {
    viewer.caller.need(Privilege::SettingsManage)?;
    let latest = actions::latest(&app, &viewer.caller).await?;
    let found = match &latest {
        Some(standing) => actions::differences(&app, &viewer.caller, standing.job.id, None, SHOWN + 1).await?,
        None => Vec::new(),
    };
    let (title, sections) = frame(&viewer.caller, Section::Reclassify);
    let running = latest.as_ref().is_some_and(|s| !s.job.state.is_over());
    let empty = latest
        .as_ref()
        .filter(|_| found.is_empty() && !running)
        .map(|_| Empty::new("check", "Nothing differs", "The present rules judge all kept mail as it was judged."));
    let open = latest.as_ref().map_or(0, |s| count(s, Became::Found));
    let page = ReclassifyPage {
        shell: viewer.shell(Some(Place::Settings)),
        title,
        sections,
        version: RULES_VERSION,
        job: latest.as_ref().map(|s| s.job.id.to_string()).unwrap_or_default(),
        said: latest.as_ref().map(|s| words(s, &viewer)).unwrap_or_default(),
        running,
        more: found.len() > SHOWN,
        rows: found.iter().take(SHOWN).map(|l| row(l, &viewer)).collect(),
        open,
        empty,
    };
    Ok(if viewer.part { html(&page.as_main()) } else { html(&page) })
}

fn count(standing: &Standing, of: Became) -> i64 {
    standing.counts.iter().find(|(state, _)| *state == of).map_or(0, |(_, n)| *n)
}

fn words(standing: &Standing, viewer: &Viewer) -> String {
    let job = &standing.job;
    let total = job.total.unwrap_or(job.done).max(job.done);
    if !job.state.is_over() {
        return format!("Reading: {} of {total} messages.", job.done);
    }
    let when = viewer.watch.near(job.finished_at.unwrap_or(job.created_at)).text;
    let [found, adopted, refused] = [Became::Found, Became::Adopted, Became::Refused].map(|s| count(standing, s));
    match &job.failure {
        Some(why) => format!("It stopped after {} messages, {when}: {why}", job.done),
        None => format!(
            "{} messages were read, {when}. {found} differ still, {adopted} were adopted, {refused} could not follow.",
            job.done
        ),
    }
}

fn row(l: &Listed, viewer: &Viewer) -> DifferenceRow {
    let d = &l.difference;
    let state = match d.state {
        Became::Found => None,
        Became::Adopted => Some(Badge::new(Tone::Green, "Adopted")),
        Became::Refused => Some(Badge::new(Tone::Red, "Refused").titled(d.why.clone().unwrap_or_default())),
        Became::Over => Some(Badge::new(Tone::Grey, "Over")),
    };
    DifferenceRow {
        id: d.message.to_string(),
        from: l.from.clone().unwrap_or_else(|| "Unknown sender".into()),
        subject: l.subject.clone().unwrap_or_default(),
        at: viewer.watch.near(l.received_at),
        before: message_badge(d.before),
        now: message_badge(d.now),
        follows: match d.enrollments {
            0 => "nobody".into(),
            1 => "1 enrollment".into(),
            n => format!("{n} enrollments"),
        },
        state,
    }
}

async fn start(State(app): State<App>, caller: Caller) -> Result<Response> {
    actions::start(&app, &caller).await?;
    Ok(said::done(PATH, "The kept mail is being read."))
}

async fn adopt(
    State(app): State<App>,
    caller: Caller,
    Path(job): Path<String>,
    Form(form): Form<Vec<(String, String)>>,
) -> Result<Response> {
    caller.need(Privilege::SettingsManage)?;
    let job: JobId = job.parse().map_err(|_| ActionError::missing("reclassification", &job))?;
    let ids = form
        .iter()
        .filter(|(name, _)| name == "id")
        .map(|(_, id)| id.parse::<MessageId>().map_err(|_| ActionError::missing("message", id)));
    let chosen: Vec<MessageId> = ids.collect::<Result<_, _>>()?;
    let all = form.iter().any(|(name, value)| name == "what" && value == "all");
    let done = actions::adopt(&app, &caller, job, (!all).then_some(chosen)).await?;
    let (adopted, refused) = (count(&done, Became::Adopted), count(&done, Became::Refused));
    Ok(said::done(PATH, &format!("{adopted} adopted, {refused} could not follow.")))
}
