//! `/custom-fields`: the fields that a workspace adds to its records (CRM-1).

use super::query::At;
use super::schema;
use crate::App;
use crate::actions::Caller;
use crate::actions::custom_fields::{self, FieldChange};
use crate::http::caller::{Allowed, may};
use crate::http::error::Result;
use crate::http::wire::{Body, Page, Params};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use cadenza_store::custom_fields::{CustomField, FieldKind, FieldOf};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use std::borrow::Cow;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(update, delete))
}

/// A field that the workspace added.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CustomField)]
struct Field {
    /// Record and name: `contact.shoe_size`.
    id: String,
    #[schema(schema_with = schema::field_of)]
    of: FieldOf,
    /// As merge fields say it: `custom.name`.
    name: String,
    label: String,
    #[schema(schema_with = schema::field_kind)]
    kind: FieldKind,
    choices: Vec<String>,
    position: i64,
}

impl From<CustomField> for Field {
    fn from(f: CustomField) -> Field {
        let id = format!("{}.{}", f.of, f.name);
        Field { id, of: f.of, name: f.name, label: f.label, kind: f.kind, choices: f.choices, position: f.position }
    }
}

/// How paths name a field.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Id {
    of: FieldOf,
    name: String,
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Id, D::Error> {
        let text = Cow::<'de, str>::deserialize(d)?;
        let read = text.split_once('.').and_then(|(of, name)| Some((FieldOf::named(of).ok()?, name.to_owned())));
        let (of, name) = read
            .ok_or_else(|| D::Error::custom(format!("expected a field such as contact.shoe_size, found {text:?}")))?;
        Ok(Id { of, name })
    }
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Query {
    /// `contact`, `company` or `opportunity`; all where nothing is said.
    #[param(value_type = Option<String>)]
    of: Option<FieldOf>,
}

/// Custom fields, in their order
#[utoipa::path(get, path = "/custom-fields", tag = "custom fields", params(Query), responses((status = 200, body = Page<Field>)))]
async fn list(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::SequencesView>,
    Params(query): Params<Query>,
) -> Result<Json<Page<Field>>> {
    let wanted = query.of.map_or(FieldOf::ALL.to_vec(), |of| vec![of]);
    let mut items = Vec::new();
    for of in wanted {
        items.extend(custom_fields::all(&app, &caller, of).await?.into_iter().map(Field::from));
    }
    Ok(Json(Page { items, next: None }))
}

/// A field that is wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewCustomField, example = json!({ "of": "contact", "name": "seniority", "kind": "choice",
    "choices": ["junior", "senior"] }))]
struct New {
    #[schema(schema_with = schema::field_of)]
    of: FieldOf,
    /// a–z, 0–9 and _, the first a letter.
    name: String,
    /// The name where nothing is said.
    label: Option<String>,
    /// `text` where nothing is said.
    #[schema(value_type = Option<String>)]
    kind: Option<FieldKind>,
    /// Of a field of kind `choice`.
    choices: Option<Vec<String>>,
    /// Lower stands further up; last where nothing is said.
    position: Option<i64>,
}

/// Add a custom field
#[utoipa::path(post, path = "/custom-fields", tag = "custom fields", request_body = New, responses((status = 201, body = Field)))]
async fn create(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::SettingsManage>,
    Body(new): Body<New>,
) -> Result<(StatusCode, Json<Field>)> {
    let change = FieldChange { label: new.label, kind: new.kind, choices: new.choices, position: new.position };
    let made = custom_fields::create(&app, &caller, new.of, new.name, change).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// What is to change of a field.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it is read by the action's own type and stands here for the OpenAPI document")]
#[schema(as = CustomFieldChange, example = json!({ "label": "Seniority" }))]
struct Changed {
    label: Option<String>,
    #[schema(schema_with = schema::field_kind)]
    kind: Option<String>,
    /// All of them.
    choices: Option<Vec<String>>,
    position: Option<i64>,
}

/// Change a custom field
///
/// Values that stand in records stay as they are.
#[utoipa::path(patch, path = "/custom-fields/{field}", tag = "custom fields",
    params(("field" = String, Path, example = "contact.seniority")), request_body = Changed,
    responses((status = 200, body = Field)))]
async fn update(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::SettingsManage>,
    At(id): At<Id>,
    Body(new): Body<FieldChange>,
) -> Result<Json<Field>> {
    Ok(Json(custom_fields::update(&app, &caller, id.of, id.name, new).await?.into()))
}

/// Delete a custom field
///
/// Its values stay with the records and are no longer checked.
#[utoipa::path(delete, path = "/custom-fields/{field}", tag = "custom fields",
    params(("field" = String, Path, example = "contact.seniority")), responses((status = 204, description = "It is gone.")))]
async fn delete(State(app): State<App>, caller: Caller, At(id): At<Id>) -> Result<StatusCode> {
    custom_fields::delete(&app, &caller, id.of, id.name).await?;
    Ok(StatusCode::NO_CONTENT)
}
