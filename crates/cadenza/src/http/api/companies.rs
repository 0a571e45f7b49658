//! `/companies`: find, add, change.

use super::contacts::Address;
use super::query::{At, Cursor, Limit};
use crate::App;
use crate::actions::Caller;
use crate::actions::companies::{self, CompanyChange};
use crate::http::caller::{Allowed, may};
use crate::http::error::Result;
use crate::http::wire::{Body, Page, Params};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use cadenza_core::ids::{CompanyId, UserId};
use cadenza_core::time::Time;
use cadenza_store::companies as store;
use cadenza_store::page::After;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(get, update))
}

/// A company.
#[derive(Debug, Serialize, ToSchema)]
pub struct Company {
    #[schema(value_type = String, example = "com_00dk3v9xk000b")]
    id: CompanyId,
    name: String,
    website: Option<String>,
    /// The primary owner.
    #[schema(value_type = Option<String>)]
    owner: Option<UserId>,
    time_zone: Option<String>,
    country: Option<String>,
    language: Option<String>,
    /// The company's own.
    emails: Vec<Address>,
    phones: Vec<Address>,
    /// By name.
    #[schema(value_type = Object)]
    custom: Value,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_contacted_at: Option<Time>,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_engaged_at: Option<Time>,
    #[schema(value_type = Option<String>)]
    created_by: Option<UserId>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Time,
    version: i64,
}

impl From<store::Company> for Company {
    fn from(c: store::Company) -> Company {
        Company {
            id: c.id,
            name: c.name,
            website: c.website,
            owner: c.owner,
            time_zone: c.zone.map(|z| z.name().to_owned()),
            country: c.country,
            language: c.language,
            emails: c.emails.into_iter().map(Address::from).collect(),
            phones: c.phones.into_iter().map(Address::from).collect(),
            custom: Value::Object(c.custom),
            last_contacted_at: c.last_contacted_at,
            last_engaged_at: c.last_engaged_at,
            created_by: c.created_by,
            created_at: c.created_at,
            updated_at: c.updated_at,
            version: c.version,
        }
    }
}

/// What is said of a company; for a new one, what is not said is empty.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it is read by the action's own type and stands here for the OpenAPI document")]
#[schema(as = CompanyChange, example = json!({ "name": "Difference Engines", "website": "https://difference.example",
    "time_zone": "Europe/London" }))]
struct Input {
    name: Option<String>,
    website: Option<String>,
    /// The id of a user, or the address they sign in with.
    owner: Option<String>,
    time_zone: Option<String>,
    country: Option<String>,
    /// As `de` or `pt-BR`.
    language: Option<String>,
    /// The company's own, for sequences of companies: each with `kind` and `value`.
    #[schema(value_type = Option<Vec<Object>>)]
    emails: Option<Vec<Value>>,
    #[schema(value_type = Option<Vec<Object>>)]
    phones: Option<Vec<Value>>,
    /// By name; null takes a value away, what is not named stays.
    #[schema(value_type = Option<Object>)]
    custom: Option<Value>,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Query {
    /// Words, or beginnings of words.
    typed: String,
    /// 1 to 200; 50 where nothing is said.
    #[param(value_type = Option<u16>)]
    limit: Limit,
    /// `next` of the page before.
    #[param(value_type = Option<String>)]
    after: Option<Cursor<After<String>>>,
}

/// Companies, by name
#[utoipa::path(get, path = "/companies", tag = "companies", params(Query), responses((status = 200, body = Page<Company>)))]
async fn list(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::SequencesView>,
    Params(query): Params<Query>,
) -> Result<Json<Page<Company>>> {
    let after = query.after.map(|c| c.0);
    let page = companies::search(&app, &caller, query.typed, after, query.limit.0).await?;
    Ok(Json(Page {
        items: page.rows.into_iter().map(Company::from).collect(),
        next: page.next.as_ref().map(Cursor::write),
    }))
}

/// Add a company
///
/// Names are unique.
#[utoipa::path(post, path = "/companies", tag = "companies", request_body = Input, responses((status = 201, body = Company)))]
async fn create(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::ContactsEdit>,
    Body(new): Body<CompanyChange>,
) -> Result<(StatusCode, Json<Company>)> {
    let made = companies::create(&app, &caller, new).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// One company
#[utoipa::path(get, path = "/companies/{company}", tag = "companies",
    params(("company" = String, Path, example = "com_00dk3v9xk000b")), responses((status = 200, body = Company)))]
async fn get(State(app): State<App>, caller: Caller, At(id): At<CompanyId>) -> Result<Json<Company>> {
    Ok(Json(companies::get(&app, &caller, id).await?.into()))
}

/// Change a company
///
/// Enrollments of its contacts that waited for what is there now go on by themselves.
#[utoipa::path(patch, path = "/companies/{company}", tag = "companies",
    params(("company" = String, Path, example = "com_00dk3v9xk000b")), request_body = Input,
    responses((status = 200, body = Company)))]
async fn update(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::ContactsEdit>,
    At(id): At<CompanyId>,
    Body(new): Body<CompanyChange>,
) -> Result<Json<Company>> {
    Ok(Json(companies::update(&app, &caller, id, new).await?.into()))
}
