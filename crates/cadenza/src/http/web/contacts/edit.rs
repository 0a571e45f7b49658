//! A contact written by hand: added or changed, every field of the record and the workspace's own; erased for good by whoever may.

use super::super::form::{self, Field, Input, Typed};
use super::super::lists::Choice;
use super::super::page::html;
use super::super::parts::Icon;
use super::super::said;
use super::super::shell::{Place, Shell};
use super::super::viewer::Viewer;
use super::display_name;
use crate::App;
use crate::actions::contacts::{self as actions, ContactChange};
use crate::actions::fields::{Patch, TypedInput};
use crate::actions::{ActionError, Caller, Fault, Privilege, users};
use crate::http::error::Result;
use askama::Template;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use cadenza_core::calendar::{Zone, all_zone_names};
use cadenza_core::flow::AddressKind;
use cadenza_core::ids::ContactId;
use cadenza_store::addresses::TypedAddress;
use cadenza_store::companies;
use cadenza_store::contacts::{self, Contact};
use cadenza_store::custom_fields::{self, CustomField, FieldKind, FieldOf};
use cadenza_store::users::UserState;
use serde_json::{Map, Value};

/// Empty rows for addresses and numbers beside those that are there.
const SPARE_ROWS: usize = 2;

#[derive(Debug, Template)]
#[template(path = "contacts/edit.html", blocks = ["main"])]
pub struct ContactFormPage {
    pub shell: Shell,
    pub title: String,
    pub path: String,
    pub back: String,
    pub groups: Vec<(&'static str, Vec<Field>)>,
    pub zones: Vec<&'static str>,
    pub beside: Vec<String>,
    pub is_new: bool,
    /// Of one that is there, for whoever may.
    pub can_erase: bool,
}

/// What the form begins with.
struct Known {
    contact: Option<Contact>,
    company: String,
    resume: String,
    defined: Vec<CustomField>,
    people: Vec<Choice>,
}

pub async fn new(State(app): State<App>, viewer: Viewer) -> Result<Response> {
    let page = page(&app, &viewer, None, None, &[]).await?;
    Ok(if viewer.part { html(&page.as_main()) } else { html(&page) })
}

pub async fn show(State(app): State<App>, viewer: Viewer, Path(id): Path<String>) -> Result<Response> {
    let page = page(&app, &viewer, Some(parse(&id)?), None, &[]).await?;
    Ok(if viewer.part { html(&page.as_main()) } else { html(&page) })
}

fn parse(id: &str) -> Result<ContactId, ActionError> {
    id.parse().map_err(|_| ActionError::missing("contact", id))
}

pub async fn create(State(app): State<App>, viewer: Viewer, Form(typed): Form<Typed>) -> Result<Response> {
    match actions::create(&app, &viewer.caller, change_of(&typed)).await {
        Ok(contact) => {
            save_resume(&app, &viewer.caller, contact.id, &typed).await?;
            Ok(said::done(&format!("/contacts/{}", contact.id), "Added."))
        }
        Err(e) => refuse(&viewer, page(&app, &viewer, None, Some(&typed), &told(e)?).await?),
    }
}

pub async fn update(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<String>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let id = parse(&id)?;
    match actions::update(&app, &viewer.caller, id, change_of(&typed)).await {
        Ok(_) => {
            save_resume(&app, &viewer.caller, id, &typed).await?;
            Ok(said::done(&format!("/contacts/{id}"), "Saved. What waited for it goes on."))
        }
        Err(e) => refuse(&viewer, page(&app, &viewer, Some(id), Some(&typed), &told(e)?).await?),
    }
}

pub async fn erase(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<Response> {
    actions::erase(&app, &caller, parse(&id)?).await?;
    Ok(said::done("/contacts", "Erased for good."))
}

/// Somebody who has the address already is said above the form.
fn told(e: ActionError) -> Result<Vec<Fault>> {
    Ok(match e {
        ActionError::Refused { code: "duplicate", message } => vec![Fault { field: "duplicate".into(), message }],
        e => form::faults(e)?,
    })
}

fn refuse(viewer: &Viewer, page: ContactFormPage) -> Result<Response> {
    let answer = if viewer.part { html(&page.as_main()) } else { html(&page) };
    Ok((StatusCode::UNPROCESSABLE_ENTITY, answer).into_response())
}

async fn save_resume(app: &App, caller: &Caller, id: ContactId, typed: &Typed) -> Result<()> {
    let Some(text) = typed.get("resume").map(|t| t.replace("\r\n", "\n")) else { return Ok(()) };
    if actions::resume(app, caller, id).await? != text {
        actions::set_resume(app, caller, id, text).await?;
    }
    Ok(())
}

async fn page(
    app: &App,
    viewer: &Viewer,
    id: Option<ContactId>,
    typed: Option<&Typed>,
    faults: &[Fault],
) -> Result<ContactFormPage> {
    viewer.caller.need(Privilege::ContactsEdit)?;
    let known = known(app, viewer, id).await?;
    let groups = groups(&known);
    let after = |fields: Vec<Field>| fields.into_iter().map(|f| f.after(typed, faults)).collect::<Vec<_>>();
    let groups: Vec<_> = groups.into_iter().map(|(label, fields)| (label, after(fields))).collect();
    let all: Vec<Field> = groups.iter().flat_map(|(_, fields)| fields.clone()).collect();
    Ok(ContactFormPage {
        shell: viewer.shell(Some(Place::Contacts)),
        title: known.contact.as_ref().map_or("Add a contact".into(), display_name),
        path: id.map_or("/contacts/new".into(), |id| format!("/contacts/{id}/edit")),
        back: id.map_or("/contacts".into(), |id| format!("/contacts/{id}")),
        beside: form::beside(faults, &all),
        groups,
        zones: all_zone_names().collect(),
        is_new: id.is_none(),
        can_erase: id.is_some() && viewer.caller.may(Privilege::ContactsErase),
    })
}

async fn known(app: &App, viewer: &Viewer, id: Option<ContactId>) -> Result<Known> {
    let w = viewer.caller.workspace;
    let people = users::all(app, &viewer.caller).await?;
    let read = app.db.read_async(move |q| {
        let contact = id.map(|id| contacts::get(q, w, id)).transpose()?;
        let company = contact.as_ref().and_then(|c| c.company).map(|c| companies::get(q, w, c)).transpose()?;
        let resume = id.map(|id| contacts::resume(q, w, id)).transpose()?.unwrap_or_default();
        Ok((contact, company.map(|c| c.name).unwrap_or_default(), resume, custom_fields::all(q, w, FieldOf::Contact)?))
    });
    let (contact, company, resume, defined) = read.await?;
    let owner = contact.as_ref().and_then(|c| c.owner);
    let working = people.into_iter().filter(|u| u.state != UserState::Departed || Some(u.id) == owner);
    let people =
        std::iter::once(Choice::new("", "nobody")).chain(working.map(|u| Choice::new(u.id.to_string(), u.name)));
    Ok(Known { contact, company, resume, defined, people: people.collect() })
}

fn groups(known: &Known) -> Vec<(&'static str, Vec<Field>)> {
    let c = known.contact.as_ref();
    let text = |name: &str, label: &str, value: Option<&str>| Field::new(name, label).value(value.unwrap_or_default());
    let person = vec![
        text("first_name", "First name", c.map(|c| c.first_name.as_str())).autocomplete("off"),
        text("last_name", "Last name", c.map(|c| c.last_name.as_str()))
            .help("A contact needs a name or an email address.")
            .autocomplete("off"),
        text("title", "Title", c.map(|c| c.title.as_str())),
        text("company", "Company", Some(&known.company)).help("One that is not there yet is made."),
        Field::new("owner", "Primary owner")
            .of(Input::Choice(known.people.clone()))
            .value(c.and_then(|c| c.owner).map(|o| o.to_string()).unwrap_or_default()),
    ];
    let place = vec![
        text("time_zone", "Time zone", c.and_then(|c| c.zone.as_ref()).map(Zone::name))
            .of(Input::Zone)
            .usual("the company's, else the sequence's"),
        text("country", "Country", c.and_then(|c| c.country.as_deref())),
        text("language", "Language", c.and_then(|c| c.language.as_deref())).help("A tag, such as de or pt-BR."),
        text("linkedin", "LinkedIn", c.and_then(|c| c.linkedin.as_deref())),
    ];
    let resume = Field::new("resume", "Résumé").of(Input::Area).value(&known.resume);
    vec![
        ("Who", person),
        ("Email addresses", addresses("emails", "Email", "email", c.map(|c| c.emails.as_slice()))),
        ("Phone numbers", addresses("phones", "Phone", "tel", c.map(|c| c.phones.as_slice()))),
        ("Where", place),
        ("More fields", custom(known)),
        ("Résumé", vec![resume]),
    ]
}

/// A row for each that is there, in the order in which they are tried, and some to be filled.
fn addresses(name: &str, label: &str, kind: &'static str, known: Option<&[TypedAddress]>) -> Vec<Field> {
    let known = known.unwrap_or_default();
    let row = |n: usize| {
        let value = known.get(n).map_or_else(|| "work/".to_owned(), |a| format!("{}/{}", word(a.kind), a.value));
        Field::new(format!("{name}.{n}"), format!("{label} {}", n + 1)).of(Input::Address(kind)).value(value)
    };
    (0..known.len() + SPARE_ROWS).map(row).collect()
}

fn word(kind: AddressKind) -> &'static str {
    match kind {
        AddressKind::Any | AddressKind::Work => "work",
        AddressKind::Personal => "personal",
        AddressKind::Other => "other",
    }
}

/// Those that the workspace defined, those that this contact has beside, and one to be named.
fn custom(known: &Known) -> Vec<Field> {
    let has = known.contact.as_ref().map(|c| c.custom.clone()).unwrap_or_default();
    let shown = |name: &str| match has.get(name) {
        Some(Value::String(s)) => s.clone(),
        Some(Value::Bool(b)) => if *b { "yes" } else { "no" }.to_owned(),
        Some(value) => value.to_string(),
        None => String::new(),
    };
    let input = |f: &CustomField| match f.kind {
        FieldKind::Text | FieldKind::Date => Input::Text,
        FieldKind::Number => Input::Number,
        FieldKind::Choice => {
            let all = f.choices.iter().map(|c| Choice::new(c.clone(), c.clone()));
            Input::Choice(std::iter::once(Choice::new("", "–")).chain(all).collect())
        }
        FieldKind::Flag => Input::choices(&[("", "–"), ("yes", "yes"), ("no", "no")]),
    };
    let defined = known.defined.iter().map(|f| {
        let help = if f.kind == FieldKind::Date { "As 2027-03-01." } else { "" };
        Field::new(format!("custom.{}", f.name), f.label.clone()).of(input(f)).help(help).value(shown(&f.name))
    });
    let beside = has.keys().filter(|name| !known.defined.iter().any(|f| f.name == **name));
    let beside = beside.map(|name| Field::new(format!("custom.{name}"), name.replace('_', " ")).value(shown(name)));
    let another = [
        Field::new("custom_name", "Another field")
            .help("Its name: a-z, 0-9 and _, as merge fields say it: custom.name."),
        Field::new("custom_value", "Its value"),
    ];
    defined.chain(beside).chain(another).collect()
}

fn change_of(typed: &Typed) -> ContactChange {
    let text = |name: &str| Patch::of_form(typed.get(name).map(str::to_owned));
    let mut custom = Map::new();
    for (name, value) in &typed.0 {
        if let Some(name) = name.strip_prefix("custom.") {
            custom.insert(name.to_owned(), Value::String(value.clone()));
        }
    }
    if !typed.text("custom_name").is_empty() {
        custom.insert(typed.text("custom_name").to_owned(), Value::String(typed.text("custom_value").to_owned()));
    }
    ContactChange {
        first_name: text("first_name"),
        last_name: text("last_name"),
        title: text("title"),
        company: text("company"),
        owner: text("owner"),
        time_zone: text("time_zone"),
        country: text("country"),
        language: text("language"),
        linkedin: text("linkedin"),
        emails: rows(typed, "emails"),
        phones: rows(typed, "phones"),
        custom,
    }
}

/// The rows of a list of addresses; `None` where the form has none.
fn rows(typed: &Typed, name: &str) -> Option<Vec<TypedInput>> {
    let row = |n: usize| {
        let value = typed.get(&format!("{name}.{n}"))?.to_owned();
        let kind = match typed.text(&format!("{name}.{n}.kind")) {
            "personal" => AddressKind::Personal,
            "other" => AddressKind::Other,
            _ => AddressKind::Work,
        };
        Some(TypedInput { kind, value })
    };
    let all: Vec<TypedInput> = (0..).map_while(row).collect();
    (!all.is_empty()).then_some(all)
}
