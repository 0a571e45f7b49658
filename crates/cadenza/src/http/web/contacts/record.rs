//! One contact: the Sequences card (CRD-1), what happened in them (LOG-1), and the record's fields.

use super::super::lists::Link;
use super::super::page::html;
use super::super::parts::{Badge, Icon};
use super::super::rows::{EnrollmentRow, Flows, Names};
use super::super::shell::{Place, Shell};
use super::super::story::{self, Entry, of_line};
use super::super::viewer::Viewer;
use super::{display_name, need_view, status_badge};
use crate::App;
use crate::actions::{ActionError, Privilege};
use crate::http::error::Result;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use cadenza_core::calendar::Zone;
use cadenza_core::enrollment::Subject;
use cadenza_core::flow::AddressKind;
use cadenza_core::ids::ContactId;
use cadenza_core::machine::Level;
use cadenza_core::time::Time;
use cadenza_store::addresses::TypedAddress;
use cadenza_store::contacts::{self, Contact};
use cadenza_store::enrolled::When;
use cadenza_store::enrollments::{self, Order};
use cadenza_store::log_entries::{self, Record};
use cadenza_store::{activities, companies, history, lists};

/// Enrollments and lines of history on the page.
const ENROLLMENTS: usize = 50;
const LINES: usize = 100;

#[derive(Debug, Template)]
#[template(path = "contacts/record.html", blocks = ["main"])]
pub struct ContactPage {
    pub shell: Shell,
    pub id: String,
    pub name: String,
    pub status: Option<Badge>,
    /// As a person reads it, and for `tel:`.
    pub phone: Option<(String, String)>,
    pub can_enroll: bool,
    pub can_edit: bool,
    pub enrollments: Vec<EnrollmentRow>,
    pub entries: Vec<Entry>,
    pub facts: Vec<Field>,
    pub lists: Vec<Link>,
    pub resume: String,
}

/// A field of the record.
#[derive(Debug, Default)]
pub struct Field {
    pub label: String,
    pub text: String,
    /// Where it leads; empty for nowhere.
    pub href: String,
    /// Beside it: the kind of an address.
    pub note: String,
}

pub async fn show(State(app): State<App>, viewer: Viewer, Path(id): Path<String>) -> Result<Response> {
    need_view(&viewer.caller)?;
    let parsed: ContactId = id.parse().map_err(|_| ActionError::missing("contact", &id))?;
    let (w, sees, now) = (viewer.caller.workspace, viewer.sees(), viewer.watch.now);
    let read = app.db.read_async(move |q| {
        let contact = contacts::get(q, w, parsed)?;
        let company = contact.company.map(|c| companies::get(q, w, c)).transpose()?;
        let mut filter = enrollments::Filter::new(sees);
        filter.subject = Some(Subject::Contact(parsed));
        filter.enrolled.when = When::Ever;
        let page = enrollments::list(q, w, &filter, Order::Newest, None, ENROLLMENTS, now)?;
        let mut flows = Flows::default();
        flows.add(q, w, &page.rows)?;
        let latest = enrollments::latest_of(q, w, &[Subject::Contact(parsed)])?;
        let logged = history::Filter {
            viewer: sees,
            level: Level::Info,
            sequence: None,
            mailbox: None,
            subject: Some(Subject::Contact(parsed)),
            events: Vec::new(),
        };
        let logged = history::event_log(q, w, &logged, None, LINES)?;
        let mut done = Vec::new();
        for listed in &page.rows {
            done.push(activities::of_enrollment(q, w, listed.enrollment.id)?);
        }
        let written = log_entries::of_record(q, w, Record::Contact(parsed), None, None, LINES)?;
        let resume = contacts::resume(q, w, parsed)?;
        Ok((
            contact,
            company,
            page,
            flows,
            latest,
            (logged, done, written),
            resume,
            lists::of_member(q, w, parsed.0)?,
            Names::read(q, w)?,
        ))
    });
    let (contact, company, page, flows, latest, (logged, done, written), resume, on, names) = read.await?;
    let mut entries: Vec<(Time, Entry)> = Vec::new();
    for logged in logged {
        let entry = of_line(&logged.line, &names, &viewer.watch).map(|e| within(&logged.sequence_name, e));
        entries.extend(entry.map(|e| (logged.line.at, e)));
    }
    for (listed, done) in page.rows.iter().zip(&done) {
        let executed = flows.of(listed).map(|flow| story::executed(flow, done, &names, &viewer.watch));
        entries.extend(executed.into_iter().flatten().map(|(at, e)| (at, within(&listed.sequence_name, e))));
    }
    entries.extend(written.iter().map(|l| (l.at, story::of_log(l, &names, &viewer.watch))));
    entries.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    let shown = ContactPage {
        shell: viewer.shell(Some(Place::Contacts)),
        id,
        name: display_name(&contact),
        status: latest.first().map(|l| status_badge(l.person_status(now))),
        phone: contact.phones.first().map(|p| (p.value.clone(), p.value.clone())),
        can_enroll: viewer.caller.may(Privilege::SequencesEnroll),
        can_edit: viewer.caller.may(Privilege::ContactsEdit),
        enrollments: page.rows.iter().map(|l| EnrollmentRow::of(l, &flows, &viewer.watch)).collect(),
        entries: entries.into_iter().take(LINES).map(|(_, entry)| entry).collect(),
        facts: facts(&contact, company.as_ref().map(|c| c.name.as_str()), &names, &viewer),
        lists: on.into_iter().map(|l| Link::new(format!("/lists/{}", l.id), l.name)).collect(),
        resume,
    };
    Ok(if viewer.part { html(&shown.as_main()) } else { html(&shown) })
}

/// A line of one of several sequences says which.
fn within(sequence: &str, entry: Entry) -> Entry {
    let detail = [sequence, entry.detail.as_str()];
    let detail = detail.into_iter().filter(|d| !d.is_empty()).collect::<Vec<_>>().join(" · ");
    Entry { detail, ..entry }
}

fn facts(c: &Contact, company: Option<&str>, names: &Names, viewer: &Viewer) -> Vec<Field> {
    let field = |label: &str, text: &str| Field { label: label.to_owned(), text: text.to_owned(), ..Field::default() };
    let address = |label: &str, scheme: &str, a: &TypedAddress| Field {
        href: format!("{scheme}{}", a.value),
        note: kind(a.kind).to_owned(),
        ..field(label, &a.value)
    };
    let mut all = Vec::new();
    all.push(field("Title", &c.title));
    all.push(field("Company", company.unwrap_or_default()));
    all.extend(c.emails.iter().map(|a| address("Email", "mailto:", a)));
    all.extend(c.phones.iter().map(|a| address("Phone", "tel:", a)));
    all.push(field("LinkedIn", c.linkedin.as_deref().unwrap_or_default()));
    all.push(field("Time zone", c.zone.as_ref().map_or("", Zone::name)));
    all.push(field("Country", c.country.as_deref().unwrap_or_default()));
    all.push(field("Language", c.language.as_deref().unwrap_or_default()));
    all.push(field("Primary owner", &names.of(c.owner)));
    all.push(field("Last engaged", &c.last_engaged_at.map_or(String::new(), |t| viewer.watch.near(t).text)));
    all.push(field("Last contacted", &c.last_contacted_at.map_or(String::new(), |t| viewer.watch.near(t).text)));
    for (name, value) in &c.custom {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        all.push(field(&name.replace('_', " "), &text));
    }
    all.retain(|f| !f.text.is_empty());
    all
}

/// The kind of an address, in a word.
pub fn kind(kind: AddressKind) -> &'static str {
    match kind {
        AddressKind::Any => "",
        AddressKind::Work => "work",
        AddressKind::Personal => "personal",
        AddressKind::Other => "other",
    }
}
