//! How a contact stands in requests and answers.

use cadenza_core::flow::AddressKind;
use cadenza_core::ids::{CompanyId, ContactId, UserId};
use cadenza_core::time::Time;
use cadenza_store::addresses::TypedAddress;
use cadenza_store::contacts as store;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// An email address or a phone number.
#[derive(Debug, Serialize, ToSchema)]
pub struct Address {
    /// `work`, `personal` or `other`.
    #[schema(value_type = String, example = "work")]
    kind: AddressKind,
    #[schema(example = "grace.hopper@example.com")]
    value: String,
}

impl From<TypedAddress> for Address {
    fn from(a: TypedAddress) -> Address {
        Address { kind: a.kind, value: a.value }
    }
}

/// A person.
#[derive(Debug, Serialize, ToSchema)]
pub struct Contact {
    #[schema(value_type = String, example = "con_00dk3v9xk0008")]
    id: ContactId,
    /// First and last name; the first address where there is neither.
    name: String,
    first_name: String,
    last_name: String,
    title: String,
    #[schema(value_type = Option<String>)]
    company: Option<CompanyId>,
    /// In lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    company_name: Option<String>,
    /// The primary owner.
    #[schema(value_type = Option<String>)]
    owner: Option<UserId>,
    time_zone: Option<String>,
    country: Option<String>,
    language: Option<String>,
    linkedin: Option<String>,
    /// In the order in which they are tried.
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
    /// Moves with every change by a person.
    version: i64,
}

impl From<store::Contact> for Contact {
    fn from(c: store::Contact) -> Contact {
        Contact {
            id: c.id,
            name: c.full_name(),
            first_name: c.first_name,
            last_name: c.last_name,
            title: c.title,
            company: c.company,
            company_name: None,
            owner: c.owner,
            time_zone: c.zone.map(|z| z.name().to_owned()),
            country: c.country,
            language: c.language,
            linkedin: c.linkedin,
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

impl From<store::Found> for Contact {
    fn from(f: store::Found) -> Contact {
        Contact { company_name: f.company_name, ..f.contact.into() }
    }
}

/// What is said of a contact; for a new one, what is not said is empty.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it is read by the action's own type and stands here for the OpenAPI document")]
#[schema(as = ContactChange, example = json!({ "first_name": "Mary", "last_name": "Somerville", "company": "Analytical Engines",
    "emails": [{ "kind": "work", "value": "mary.somerville@example.com" }], "custom": { "source": "fair" } }))]
pub struct ContactInput {
    first_name: Option<String>,
    last_name: Option<String>,
    title: Option<String>,
    /// The id of a company, or its name; one that is not there yet is made.
    company: Option<String>,
    /// The id of a user, or the address they sign in with.
    owner: Option<String>,
    #[schema(example = "Europe/Berlin")]
    time_zone: Option<String>,
    country: Option<String>,
    /// As `de` or `pt-BR`.
    language: Option<String>,
    linkedin: Option<String>,
    /// All of them, in the order in which they are tried.
    emails: Option<Vec<AddressInput>>,
    /// In international form, such as +44 20 7946 0123.
    phones: Option<Vec<AddressInput>>,
    /// By name; null takes a value away, what is not named stays.
    #[schema(value_type = Option<Object>)]
    custom: Option<Value>,
}

/// An address or number as it is typed.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "as above")]
pub struct AddressInput {
    /// `work` (the default), `personal` or `other`.
    kind: Option<String>,
    value: String,
}
