//! `/lists`: hand-kept sets of contacts or companies, and who is on them (SEQ-5, OPS-8).

use super::enrollments::operate::NotDone;
use super::query::{At, Cursor, Limit};
use super::schema;
use crate::App;
use crate::actions::enrollments::Enrolled;
use crate::actions::{ActionError, Caller, lists};
use crate::http::caller::{Allowed, may};
use crate::http::error::Result;
use crate::http::wire::{Body, Page, Params};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use cadenza_core::enrollment::Subject;
use cadenza_core::ids::{CompanyId, ContactId, EnrollmentId, ListId, UserId};
use cadenza_core::time::Time;
use cadenza_store::lists as store;
use cadenza_store::sequences::SubjectType;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Members put on or taken off at once.
const MEMBERS_MAX: usize = 10_000;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, rename, delete))
        .routes(routes!(members, add))
        .routes(routes!(remove))
        .routes(routes!(of_contact))
        .routes(routes!(of_company))
}

/// A list.
#[derive(Debug, Serialize, ToSchema)]
struct List {
    #[schema(value_type = String, example = "lst_00dk3v9xk000d")]
    id: ListId,
    /// Unique in the workspace.
    name: String,
    #[serde(rename = "type")]
    #[schema(schema_with = schema::subject_type)]
    of: SubjectType,
    #[schema(value_type = Option<String>)]
    owner: Option<UserId>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
    /// How many are on it; in the list of all lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    members: Option<i64>,
}

impl From<store::List> for List {
    fn from(l: store::List) -> List {
        List { id: l.id, name: l.name, of: l.of, owner: l.owner, created_at: l.created_at, members: None }
    }
}

/// All lists, by name
///
/// There are few, so this list has no pages.
#[utoipa::path(get, path = "/lists", tag = "lists", responses((status = 200, body = Page<List>)))]
async fn list(State(app): State<App>, Allowed { caller, .. }: Allowed<may::SequencesView>) -> Result<Json<Page<List>>> {
    let found = lists::all(&app, &caller).await?;
    let items = found.into_iter().map(|(list, n)| List { members: Some(n), ..list.into() }).collect();
    Ok(Json(Page { items, next: None }))
}

/// A list that is wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewList, example = json!({ "name": "Spring fair" }))]
struct New {
    name: String,
    /// `contacts` where nothing is said.
    #[serde(default, rename = "type")]
    #[schema(schema_with = schema::subject_type)]
    of: Option<SubjectType>,
}

/// Make a list
#[utoipa::path(post, path = "/lists", tag = "lists", request_body = New, responses((status = 201, body = List)))]
async fn create(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::ContactsEdit>,
    Body(new): Body<New>,
) -> Result<(StatusCode, Json<List>)> {
    let made = lists::create(&app, &caller, new.name, new.of.unwrap_or(SubjectType::Contacts)).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// One list
#[utoipa::path(get, path = "/lists/{list}", tag = "lists", params(("list" = String, Path, example = "lst_00dk3v9xk000d")),
    responses((status = 200, body = List)))]
async fn get(State(app): State<App>, caller: Caller, At(id): At<ListId>) -> Result<Json<List>> {
    Ok(Json(lists::get(&app, &caller, id).await?.into()))
}

/// A new name.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ListChange, example = json!({ "name": "Autumn fair" }))]
struct Changed {
    name: String,
}

/// Rename a list
#[utoipa::path(patch, path = "/lists/{list}", tag = "lists", params(("list" = String, Path, example = "lst_00dk3v9xk000d")),
    request_body = Changed, responses((status = 200, body = List)))]
async fn rename(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::ContactsEdit>,
    At(id): At<ListId>,
    Body(new): Body<Changed>,
) -> Result<Json<List>> {
    Ok(Json(lists::rename(&app, &caller, id, new.name).await?.into()))
}

/// Delete a list
///
/// Who was on it stays. Refused while it feeds a live sequence.
#[utoipa::path(delete, path = "/lists/{list}", tag = "lists", params(("list" = String, Path, example = "lst_00dk3v9xk000d")),
    responses((status = 204, description = "It is gone.")))]
async fn delete(State(app): State<App>, caller: Caller, At(id): At<ListId>) -> Result<StatusCode> {
    lists::delete(&app, &caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who is on a list.
#[derive(Debug, Serialize, ToSchema)]
struct ListMember {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "con_00dk3v9xk0008")]
    contact: Option<ContactId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    company: Option<CompanyId>,
}

impl From<Subject> for ListMember {
    fn from(subject: Subject) -> ListMember {
        match subject {
            Subject::Contact(id) => ListMember { contact: Some(id), company: None },
            Subject::Company(id) => ListMember { contact: None, company: Some(id) },
        }
    }
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Query {
    /// 1 to 200; 50 where nothing is said.
    #[param(value_type = Option<u16>)]
    limit: Limit,
    /// `next` of the page before.
    #[param(value_type = Option<String>)]
    after: Option<Cursor<i64>>,
}

/// Who is on a list
///
/// Their ids; the records of contacts are at `/contacts?list=…`.
#[utoipa::path(get, path = "/lists/{list}/members", tag = "lists",
    params(("list" = String, Path, example = "lst_00dk3v9xk000d"), Query), responses((status = 200, body = Page<ListMember>)))]
async fn members(
    State(app): State<App>,
    caller: Caller,
    At(id): At<ListId>,
    Params(query): Params<Query>,
) -> Result<Json<Page<ListMember>>> {
    let limit = query.limit.0;
    let mut found = lists::members(&app, &caller, id, query.after.map(|c| c.0), limit + 1).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let number = |s: &Subject| match s {
        Subject::Contact(id) => id.0,
        Subject::Company(id) => id.0,
    };
    let next = found.last().filter(|_| more).map(|s| Cursor::write(&number(s)));
    Ok(Json(Page { items: found.into_iter().map(ListMember::from).collect(), next }))
}

/// Who is to be put on a list or taken off it: contacts or companies, as the list is for, 10,000 at most.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = Members, example = json!({ "contacts": ["con_00dk3v9xk0008"] }))]
struct Wanted {
    #[schema(value_type = Vec<String>)]
    contacts: Vec<ContactId>,
    #[schema(value_type = Vec<String>)]
    companies: Vec<CompanyId>,
}

impl Wanted {
    fn subjects(self) -> Result<Vec<Subject>, ActionError> {
        let mut subjects: Vec<Subject> = self.contacts.into_iter().map(Subject::Contact).collect();
        subjects.extend(self.companies.into_iter().map(Subject::Company));
        match subjects.len() {
            1..=MEMBERS_MAX => Ok(subjects),
            n => Err(ActionError::invalid("contacts", format!("Expected 1 to {MEMBERS_MAX} members; these are {n}."))),
        }
    }
}

/// What putting members on a list came to.
#[derive(Debug, Serialize, ToSchema)]
struct Added {
    /// How many were not on it before.
    added: usize,
    /// What the live sequence that it feeds said to each; empty where it feeds none.
    enrolled: Vec<Entered>,
}

/// Entered the sequence, or why not.
#[derive(Debug, Serialize, ToSchema)]
struct Entered {
    #[serde(flatten)]
    member: ListMember,
    done: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    enrollment: Option<EnrollmentId>,
    /// Where not done.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    not: Option<NotDone>,
}

impl From<Enrolled> for Entered {
    fn from((subject, answer): Enrolled) -> Entered {
        Entered {
            member: subject.into(),
            done: answer.is_ok(),
            not: answer.as_ref().err().map(|e| NotDone { code: e.code().to_owned(), why: format!("{e}.") }),
            enrollment: answer.ok(),
        }
    }
}

/// Put members on a list
///
/// They enter the live sequence that it feeds, or go on there where they were taken off before.
#[utoipa::path(post, path = "/lists/{list}/members", tag = "lists",
    params(("list" = String, Path, example = "lst_00dk3v9xk000d")), request_body = Wanted,
    responses((status = 200, body = Added)))]
async fn add(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::ContactsEdit>,
    At(id): At<ListId>,
    Body(wanted): Body<Wanted>,
) -> Result<Json<Added>> {
    let added = lists::add(&app, &caller, id, wanted.subjects()?).await?;
    Ok(Json(Added { added: added.added, enrolled: added.enrolled.into_iter().map(Entered::from).collect() }))
}

/// How many were on it.
#[derive(Debug, Serialize, ToSchema)]
struct Removed {
    removed: u64,
}

/// Take members off a list
///
/// In the live sequence that it feeds they are held until they are put back.
#[utoipa::path(post, path = "/lists/{list}/members/remove", tag = "lists",
    params(("list" = String, Path, example = "lst_00dk3v9xk000d")), request_body = Wanted,
    responses((status = 200, body = Removed)))]
async fn remove(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::ContactsEdit>,
    At(id): At<ListId>,
    Body(wanted): Body<Wanted>,
) -> Result<Json<Removed>> {
    Ok(Json(Removed { removed: lists::remove(&app, &caller, id, wanted.subjects()?).await? }))
}

/// The lists that a contact is on
#[utoipa::path(get, path = "/contacts/{contact}/lists", tag = "lists",
    params(("contact" = String, Path, example = "con_00dk3v9xk0008")), responses((status = 200, body = Page<List>)))]
async fn of_contact(State(app): State<App>, caller: Caller, At(id): At<ContactId>) -> Result<Json<Page<List>>> {
    of(&app, &caller, Subject::Contact(id)).await
}

/// The lists that a company is on
#[utoipa::path(get, path = "/companies/{company}/lists", tag = "lists",
    params(("company" = String, Path, example = "com_00dk3v9xk000b")), responses((status = 200, body = Page<List>)))]
async fn of_company(State(app): State<App>, caller: Caller, At(id): At<CompanyId>) -> Result<Json<Page<List>>> {
    of(&app, &caller, Subject::Company(id)).await
}

async fn of(app: &App, caller: &Caller, subject: Subject) -> Result<Json<Page<List>>> {
    let items = lists::of_member(app, caller, subject).await?.into_iter().map(List::from).collect();
    Ok(Json(Page { items, next: None }))
}
