//! Contacts: found by words and by what they do in sequences, one list by name too; picked and enrolled in bulk. One contact's
//! own page is in `record`.

mod edit;
mod import;
mod record;

use super::lists::{Choice, Empty, Filter, Foot, Link, Search};
use super::page::html;
use super::parts::{Badge, Icon, Moment, Tone, count};
use super::query::{ROWS, after, filter, foot, text};
use super::queue::sequence_filter;
use super::rows::Names;
use super::sequences::EnrollPage;
use super::shell::{Place, Shell};
use super::viewer::Viewer;
use super::{said, sequences::enrolling};
use crate::App;
use crate::actions::{ActionError, Caller, Privilege};
use crate::http::error::Result;
use crate::http::wire::Params;
use askama::Template;
use axum::extract::{Form, Path, State};
use axum::response::Response;
use axum::{Router, routing::get, routing::post};
use cadenza_core::enrollment::{SequenceState, Subject};
use cadenza_core::ids::{ListId, SequenceId, UserId};
use cadenza_core::views::{PersonStatus, Stage};
use cadenza_store::contacts::{self, Found, InSequences, Order};
use cadenza_store::enrolled::{Enrolled, When};
use cadenza_store::enrollments::{self, Listed};
use cadenza_store::lists;
use cadenza_store::sequences::{self, SubjectType};
use serde::Deserialize;
use std::collections::HashMap;

/// Counting goes no further.
const COUNTED_AT_MOST: usize = 10_000;

pub fn router() -> Router<App> {
    Router::new()
        .route("/contacts", get(show))
        .route("/contacts/enroll", get(ask_enroll).post(enroll))
        .route("/contacts/new", get(edit::new).post(edit::create))
        .route("/contacts/import", import::page_routes())
        .route("/contacts/import/errors", import::error_route())
        .route("/contacts/{id}", get(record::show))
        .route("/contacts/{id}/edit", get(edit::show).post(edit::update))
        .route("/contacts/{id}/erase", post(edit::erase))
        .route("/lists/{id}", get(show_list))
}

#[derive(Debug, Template)]
#[template(path = "contacts/list.html", blocks = ["main"])]
pub struct ContactsPage {
    pub shell: Shell,
    pub title: String,
    /// Of the filters: `/contacts` or a list's.
    pub path: String,
    /// Where it belongs to, of a list.
    pub up: Option<Link>,
    /// The sequence that a list feeds.
    pub feeds: Option<Link>,
    pub search: Search,
    pub filters: Vec<Filter>,
    pub rows: Vec<ContactRow>,
    pub empty: Option<Empty>,
    pub foot: Foot,
    pub can_enroll: bool,
    /// Contacts may be added and imported by whoever looks.
    pub can_edit: bool,
}

#[derive(Debug)]
pub struct ContactRow {
    pub id: String,
    pub name: String,
    pub title: String,
    pub company: String,
    pub email: String,
    pub phone: String,
    /// The person status (ENR-5).
    pub status: Option<Badge>,
    /// Of the latest live enrollment, else the latest.
    pub sequence: Option<Link>,
    pub engaged: Option<Moment>,
    pub contacted: Option<Moment>,
    pub owner: String,
}

#[derive(Debug, Default, Clone, Deserialize)]
struct Asked {
    #[serde(default)]
    q: String,
    sequence: Option<String>,
    within: Option<String>,
    stage: Option<String>,
    user: Option<String>,
    order: Option<String>,
    after: Option<String>,
}

async fn show(State(app): State<App>, viewer: Viewer, Params(asked): Params<Asked>) -> Result<Response> {
    list(app, viewer, asked, None).await
}

async fn show_list(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<String>,
    Params(asked): Params<Asked>,
) -> Result<Response> {
    let list_id: ListId = id.parse().map_err(|_| ActionError::missing("list", &id))?;
    list(app, viewer, asked, Some(list_id)).await
}

async fn list(app: App, viewer: Viewer, asked: Asked, of_list: Option<ListId>) -> Result<Response> {
    need_view(&viewer.caller)?;
    let (w, now) = (viewer.caller.workspace, viewer.watch.now);
    let wanted = contacts::Filter { list: of_list, ..asked.filter() };
    let (from, order) = (after::<String>(&asked.after), asked.order());
    let read = app.db.read_async(move |q| {
        let list = of_list.map(|id| lists::get(q, w, id)).transpose()?;
        let feeds = of_list.map(|id| sequences::fed_by(q, w, id)).transpose()?.flatten();
        let page = contacts::search(q, w, &wanted, order, from.as_ref(), ROWS, now)?;
        let total = contacts::count(q, w, &wanted, COUNTED_AT_MOST, now)?;
        let subjects: Vec<_> = page.rows.iter().map(|f| Subject::Contact(f.contact.id)).collect();
        let latest = enrollments::latest_of(q, w, &subjects)?;
        Ok((list, feeds, page, total, latest, Names::read(q, w)?, sequences::all(q, w)?))
    });
    let (list, feeds, page, total, latest, names, all) = read.await?;
    let path = of_list.map_or("/contacts".to_owned(), |id| format!("/lists/{id}"));
    let pairs = asked.pairs();
    let filtered = pairs.iter().any(|(name, value)| *name != "order" && !value.is_empty());
    let latest: HashMap<Subject, Listed> = latest.into_iter().map(|l| (l.enrollment.subject, l)).collect();
    let total = u64::try_from(total).ok().filter(|n| *n < COUNTED_AT_MOST as u64);
    let foot = foot(&page, &path, &pairs, "contacts", total);
    let shown = ContactsPage {
        shell: viewer.shell(Some(if of_list.is_some() { Place::Lists } else { Place::Contacts })),
        title: list.as_ref().map_or("Contacts".into(), |l| l.name.clone()),
        up: list.as_ref().map(|_| Link::new("/lists", "Lists")),
        feeds: feeds.map(|s| Link::new(format!("/sequences/{}", s.id), s.name)),
        search: Search { value: asked.q.clone(), label: "Name, address, number, company" },
        filters: asked.filters(&all, &names),
        empty: page.rows.is_empty().then(|| {
            let empty = empty(filtered, of_list.is_some(), &path);
            let may_add = empty.action.is_none() && viewer.caller.may(Privilege::ContactsEdit);
            if may_add { empty.offering("/contacts/import", "Import a CSV file") } else { empty }
        }),
        rows: page.rows.into_iter().map(|f| row(f, &latest, &names, &viewer)).collect(),
        foot,
        can_enroll: viewer.caller.may(Privilege::SequencesEnroll),
        can_edit: viewer.caller.may(Privilege::ContactsEdit),
        path,
    };
    Ok(if viewer.part { html(&shown.as_main()) } else { html(&shown) })
}

/// Contacts are seen by whoever sees sequences or edits contacts.
pub fn need_view(caller: &Caller) -> Result<(), ActionError> {
    if caller.may(Privilege::ContactsEdit) { Ok(()) } else { caller.need(Privilege::SequencesView) }
}

impl Asked {
    fn filter(&self) -> contacts::Filter {
        let sequences: Vec<SequenceId> = filter(&self.sequence).into_iter().collect();
        let stages: Vec<Stage> = self.stage.as_deref().and_then(|s| Stage::named(s).ok()).into_iter().collect();
        let within = self.within.as_deref().unwrap_or_default();
        let when = if within == "ever" { When::Ever } else { When::Now };
        let any = sequences.is_empty() && stages.is_empty() && within.is_empty();
        let enrolled = Enrolled { when, sequences, stages, ..Enrolled::default() };
        let sequences = match within {
            _ if any => InSequences::Whatever,
            "none" => InSequences::None(enrolled),
            _ => InSequences::Some(enrolled),
        };
        contacts::Filter {
            typed: self.q.clone(),
            owner: filter::<UserId>(&self.user),
            sequences,
            ..contacts::Filter::default()
        }
    }

    fn order(&self) -> Order {
        if self.order.as_deref() == Some("new") { Order::Newest } else { Order::Name }
    }

    fn pairs(&self) -> Vec<(&'static str, &str)> {
        vec![
            ("q", self.q.as_str()),
            ("within", text(&self.within)),
            ("sequence", text(&self.sequence)),
            ("stage", text(&self.stage)),
            ("user", text(&self.user)),
            ("order", text(&self.order)),
            ("after", text(&self.after)),
        ]
    }

    fn filters(&self, all: &[sequences::Sequence], names: &Names) -> Vec<Filter> {
        let value = |t: &Option<String>| t.clone().unwrap_or_default();
        let choices = |pairs: &[(&str, &str)]| pairs.iter().map(|(v, l)| Choice::new(*v, *l)).collect();
        let stages = Stage::ALL.iter().map(|s| Choice::new(s.as_str(), s.label())).collect();
        vec![
            Filter {
                name: "within",
                label: "In sequences",
                value: value(&self.within),
                choices: choices(&[("now", "Now in one"), ("ever", "Ever in one"), ("none", "Now in none")]),
            },
            sequence_filter(all, value(&self.sequence)),
            Filter { name: "stage", label: "Stage", value: value(&self.stage), choices: stages },
            Filter { name: "user", label: "Owner", value: value(&self.user), choices: names.choices() },
            Filter {
                name: "order",
                label: "By name",
                value: value(&self.order),
                choices: choices(&[("new", "Newest first")]),
            },
        ]
    }
}

fn row(found: Found, latest: &HashMap<Subject, Listed>, names: &Names, viewer: &Viewer) -> ContactRow {
    let c = found.contact;
    let enrollment = latest.get(&Subject::Contact(c.id));
    ContactRow {
        id: c.id.to_string(),
        name: display_name(&c),
        title: c.title.clone(),
        company: found.company_name.unwrap_or_default(),
        email: c.emails.first().map(|a| a.value.clone()).unwrap_or_default(),
        phone: c.phones.first().map(|a| a.value.clone()).unwrap_or_default(),
        status: enrollment.map(|l| status_badge(l.person_status(viewer.watch.now))),
        sequence: enrollment.map(|l| Link::new(format!("/enrollments/{}", l.enrollment.id), l.sequence_name.clone())),
        engaged: c.last_engaged_at.map(|t| viewer.watch.near(t)),
        contacted: c.last_contacted_at.map(|t| viewer.watch.near(t)),
        owner: names.of(c.owner),
    }
}

/// Their name, else their first address.
pub fn display_name(c: &contacts::Contact) -> String {
    let name = c.full_name();
    if !name.trim().is_empty() {
        return name;
    }
    c.emails.first().map_or("(no name)".to_owned(), |a| a.value.clone())
}

/// The badge of a person.
pub fn status_badge(status: PersonStatus) -> Badge {
    let tone = match status {
        PersonStatus::Success => Tone::Green,
        PersonStatus::InProgress | PersonStatus::JustAdded => Tone::Blue,
        PersonStatus::Unsubscribed | PersonStatus::Bounced => Tone::Red,
        PersonStatus::NotInterested => Tone::Amber,
        PersonStatus::Unresponsive | PersonStatus::NotContacted => Tone::Grey,
    };
    Badge::new(tone, status.label())
}

fn empty(filtered: bool, of_list: bool, path: &str) -> Empty {
    if filtered {
        return Empty::new("contacts", "No contact matches", "").offering(path, "Show all");
    }
    if of_list {
        return Empty::new("lists", "Nobody is on this list yet", "Pick contacts and put them on it.")
            .offering("/contacts", "Contacts");
    }
    Empty::new("contacts", "No contacts yet", "Import a CSV file or add the first one by hand.")
}

/// A query that names a field more than once.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
struct Picked(Vec<(String, String)>);

/// The dialog that asks into which sequence.
async fn ask_enroll(
    State(app): State<App>,
    viewer: Viewer,
    Params(Picked(picked)): Params<Picked>,
) -> Result<Response> {
    viewer.caller.need(Privilege::SequencesEnroll)?;
    let subjects = enrolling::chosen(&picked)?;
    let (w, sees) = (viewer.caller.workspace, viewer.sees());
    let all = app
        .db
        .read_async(move |q| cadenza_store::overview::list(q, w, sees, cadenza_store::overview::Archived::Hidden));
    let open = all.await?.into_iter().filter(|s| s.of == SubjectType::Contacts && s.state != SequenceState::Ended);
    let n = subjects.len();
    let page = EnrollPage {
        shell: viewer.shell(None),
        title: if n == 1 { "Enroll in a sequence".into() } else { format!("Enroll {} contacts", count(n as u64)) },
        action: "/contacts/enroll".into(),
        back: "/contacts".into(),
        sequences: Some(
            open.map(|s| Choice::new(s.id.to_string(), format!("{} ({})", s.name, s.state.label().to_lowercase())))
                .collect(),
        ),
        subjects: picked.into_iter().filter(|(n, _)| n == "id").map(|(_, id)| id).collect(),
        found: Vec::new(),
        lists: Vec::new(),
    };
    Ok(if viewer.part { html(&page.as_dialog()) } else { html(&page) })
}

async fn enroll(State(app): State<App>, caller: Caller, Form(form): Form<Vec<(String, String)>>) -> Result<Response> {
    let id = form.iter().find(|(n, _)| n == "sequence").map(|(_, v)| v.clone()).unwrap_or_default();
    let sequence: SequenceId = id.parse().map_err(|_| ActionError::invalid("sequence", "Choose a sequence."))?;
    let subjects = enrolling::chosen(&form)?;
    let back = match subjects.as_slice() {
        [Subject::Contact(one)] => format!("/contacts/{one}"),
        _ => format!("/sequences/{sequence}"),
    };
    let text = enrolling::enroll(&app, &caller, sequence, subjects, enrolling::again(&form)).await?;
    Ok(said::done(&back, &text))
}
