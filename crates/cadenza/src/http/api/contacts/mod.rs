//! `/contacts`: find, add, change, merge, erase. Many come in by `import` and go out by `export`.

mod export;
mod import;
mod record;

pub use record::{Address, Contact};

use super::query::{At, Cursor, Limit, Several};
use crate::App;
use crate::actions::contacts::{self, ContactChange};
use crate::actions::{ActionError, Caller};
use crate::http::caller::{Allowed, may};
use crate::http::error::Result;
use crate::http::wire::{Body, Page, Params};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use cadenza_core::enrollment::State as EnrollmentState;
use cadenza_core::flow::Key;
use cadenza_core::ids::{CompanyId, ContactId, ListId, SequenceId, UserId};
use cadenza_core::views::{Stage, StatusReason};
use cadenza_store::contacts::{Filter, InSequences, Order};
use cadenza_store::enrolled::{Enrolled, When};
use cadenza_store::page::After;
use record::ContactInput;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Counts go no further.
const COUNTED_MAX: usize = 10_000;
/// Contacts merged into one at once.
const MERGED_MAX: usize = 50;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(count))
        .routes(routes!(get, update, erase))
        .routes(routes!(merge))
        .routes(routes!(resume, set_resume))
        .merge(export::routes())
        .merge(import::routes())
}

/// Which contacts: everything that is said must hold; several values of one filter go with commas between.
#[derive(Debug, Default, Clone, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Query {
    /// Words, beginnings of words, addresses or numbers.
    typed: String,
    #[param(value_type = Option<String>)]
    owner: Option<UserId>,
    #[param(value_type = Option<String>)]
    company: Option<CompanyId>,
    /// Who is on this list.
    #[param(value_type = Option<String>)]
    list: Option<ListId>,
    /// What is said of enrollments (`when`, `sequence`, `state`, `stage`, `status_reason`, `step`) holds of `some` of theirs
    /// (the default) or of `none`.
    #[param(inline)]
    enrolled: Has,
    /// `ever` (the default): live and finished. `now`: live only.
    #[param(inline)]
    when: Option<Time>,
    #[param(value_type = Option<String>, example = "seq_00dk3v9xk0009")]
    sequence: Several<SequenceId>,
    #[param(value_type = Option<String>)]
    state: Several<EnrollmentState>,
    #[param(value_type = Option<String>)]
    stage: Several<Stage>,
    #[param(value_type = Option<String>)]
    status_reason: Several<StatusReason>,
    /// Keys of the steps they stand at.
    #[param(value_type = Option<String>)]
    step: Several<Key>,
    /// `name` (the default), by last name, or `newest`.
    #[param(inline)]
    order: Sorted,
    /// 1 to 200; 50 where nothing is said.
    #[param(value_type = Option<u16>)]
    limit: Limit,
    /// `next` of the page before.
    #[param(value_type = Option<String>)]
    after: Option<Cursor<After<String>>>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Has {
    #[default]
    Some,
    None,
}

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Time {
    Now,
    Ever,
}

#[derive(Debug, Default, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Sorted {
    #[default]
    Name,
    Newest,
}

impl Query {
    fn filter(self) -> Filter {
        let said = self.when.is_some()
            || self.enrolled == Has::None
            || !(self.sequence.0.is_empty() && self.state.0.is_empty() && self.stage.0.is_empty())
            || !(self.status_reason.0.is_empty() && self.step.0.is_empty());
        let enrolled = Enrolled {
            when: match self.when {
                Some(Time::Now) => When::Now,
                Some(Time::Ever) | None => When::Ever,
            },
            sequences: self.sequence.0,
            states: self.state.0,
            stages: self.stage.0,
            statuses: self.status_reason.0,
            steps: self.step.0,
        };
        Filter {
            typed: self.typed,
            owner: self.owner,
            company: self.company,
            list: self.list,
            sequences: match (said, self.enrolled) {
                (false, _) => InSequences::Whatever,
                (true, Has::Some) => InSequences::Some(enrolled),
                (true, Has::None) => InSequences::None(enrolled),
            },
        }
    }
}

/// Contacts
#[utoipa::path(get, path = "/contacts", tag = "contacts", params(Query), responses((status = 200, body = Page<Contact>)))]
async fn list(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::SequencesView>,
    Params(query): Params<Query>,
) -> Result<Json<Page<Contact>>> {
    let order = match query.order {
        Sorted::Name => Order::Name,
        Sorted::Newest => Order::Newest,
    };
    let (limit, after) = (query.limit.0, query.after.clone().map(|c| c.0));
    let page = contacts::search(&app, &caller, query.filter(), order, after, limit).await?;
    Ok(Json(Page {
        items: page.rows.into_iter().map(Contact::from).collect(),
        next: page.next.as_ref().map(Cursor::write),
    }))
}

/// Counted no further than 10,000.
#[derive(Debug, Serialize, ToSchema)]
struct Count {
    contacts: i64,
}

/// How many contacts
#[utoipa::path(get, path = "/contacts/count", tag = "contacts", params(Query), responses((status = 200, body = Count)))]
async fn count(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::SequencesView>,
    Params(query): Params<Query>,
) -> Result<Json<Count>> {
    Ok(Json(Count { contacts: contacts::count(&app, &caller, query.filter(), COUNTED_MAX).await? }))
}

/// Add a contact
///
/// Another contact with one of the addresses is a `duplicate`: change that one, or merge them.
#[utoipa::path(post, path = "/contacts", tag = "contacts", request_body = ContactInput, responses((status = 201, body = Contact)))]
async fn create(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::ContactsEdit>,
    Body(new): Body<ContactChange>,
) -> Result<(StatusCode, Json<Contact>)> {
    let made = contacts::create(&app, &caller, new).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// One contact
#[utoipa::path(get, path = "/contacts/{contact}", tag = "contacts",
    params(("contact" = String, Path, example = "con_00dk3v9xk0008")), responses((status = 200, body = Contact)))]
async fn get(State(app): State<App>, caller: Caller, At(id): At<ContactId>) -> Result<Json<Contact>> {
    Ok(Json(contacts::get(&app, &caller, id).await?.into()))
}

/// Change a contact
///
/// Enrollments that waited for what is there now go on by themselves.
#[utoipa::path(patch, path = "/contacts/{contact}", tag = "contacts",
    params(("contact" = String, Path, example = "con_00dk3v9xk0008")), request_body = ContactInput,
    responses((status = 200, body = Contact)))]
async fn update(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::ContactsEdit>,
    At(id): At<ContactId>,
    Body(new): Body<ContactChange>,
) -> Result<Json<Contact>> {
    Ok(Json(contacts::update(&app, &caller, id, new).await?.into()))
}

/// Erase a person for good
///
/// Everything goes but counts and, where they were on it, a keyed hash in the suppression list, so that an import does not
/// bring them back.
#[utoipa::path(delete, path = "/contacts/{contact}", tag = "contacts",
    params(("contact" = String, Path, example = "con_00dk3v9xk0008")), responses((status = 204, description = "Erased.")))]
async fn erase(State(app): State<App>, caller: Caller, At(id): At<ContactId>) -> Result<StatusCode> {
    contacts::erase(&app, &caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who is to be merged.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Merge, example = json!({ "from": ["con_00dk3v9xk0011"] }))]
struct Merge {
    /// They are gone afterwards. At most 50.
    #[schema(value_type = Vec<String>)]
    from: Vec<ContactId>,
}

/// Merge duplicates into a contact
///
/// It keeps what it has and takes what it lacks; histories join. Of two enrollments in one sequence the further one stays, the
/// other is removed. They are merged one after the other: where one is refused, those before it are merged.
#[utoipa::path(post, path = "/contacts/{contact}/merge", tag = "contacts",
    params(("contact" = String, Path, example = "con_00dk3v9xk0008")), request_body = Merge,
    responses((status = 200, body = Contact)))]
async fn merge(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::ContactsEdit>,
    At(id): At<ContactId>,
    Body(merge): Body<Merge>,
) -> Result<Json<Contact>> {
    if merge.from.is_empty() || merge.from.len() > MERGED_MAX {
        let message = format!("Expected 1 to {MERGED_MAX} ids of contacts.");
        return Err(ActionError::invalid("from", message).into());
    }
    let mut kept = contacts::get(&app, &caller, id).await?;
    for from in merge.from {
        kept = contacts::merge(&app, &caller, from, id).await?;
    }
    Ok(Json(kept.into()))
}

/// A résumé.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "resume": "1943–1945: programmer of the Mark I." }))]
struct Resume {
    /// Plain text, at most 100,000 characters.
    resume: String,
}

/// A contact's résumé
#[utoipa::path(get, path = "/contacts/{contact}/resume", tag = "contacts",
    params(("contact" = String, Path, example = "con_00dk3v9xk0008")), responses((status = 200, body = Resume)))]
async fn resume(State(app): State<App>, caller: Caller, At(id): At<ContactId>) -> Result<Json<Resume>> {
    Ok(Json(Resume { resume: contacts::resume(&app, &caller, id).await? }))
}

/// Set a contact's résumé
#[utoipa::path(put, path = "/contacts/{contact}/resume", tag = "contacts",
    params(("contact" = String, Path, example = "con_00dk3v9xk0008")), request_body = Resume,
    responses((status = 204, description = "It is set.")))]
async fn set_resume(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::ContactsEdit>,
    At(id): At<ContactId>,
    Body(new): Body<Resume>,
) -> Result<StatusCode> {
    contacts::set_resume(&app, &caller, id, new.resume).await?;
    Ok(StatusCode::NO_CONTENT)
}
