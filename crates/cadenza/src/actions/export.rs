//! Exporting contacts as CSV (API-6), with the headers that an import reads. Who exported how many stands in the audit log.

use super::change::change;
use super::import::plain_cell;
use super::{ActionError, Caller, Privilege, Result};
use crate::App;
use cadenza_core::flow::AddressKind;
use cadenza_core::ids::UserId;
use cadenza_store::addresses::TypedAddress;
use cadenza_store::contacts::{self, Contact, Filter, Found, Order};
use cadenza_store::page::After;
use cadenza_store::users;
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};

/// Contacts read at once.
const CHUNK: usize = 500;
/// Contacts of one export (LIM-1).
pub const CONTACTS_MAX: usize = 100_000;

const COLUMNS: [&str; 14] = [
    "first_name",
    "last_name",
    "title",
    "email",
    "email_type",
    "other_emails",
    "phone",
    "other_phones",
    "company",
    "country",
    "time_zone",
    "language",
    "linkedin",
    "owner",
];

/// The contacts that a filter finds, by name, as the text of a CSV file: the first address and number in columns that an
/// import reads, further ones beside them, and a column for each custom field that one of them has.
///
/// # Errors
/// `Refused` where there are more than an export takes (`limit_export`).
pub async fn contacts(app: &App, caller: &Caller, filter: Filter) -> Result<String> {
    let allowed = caller.allowed(Privilege::ContactsExport)?;
    let w = caller.workspace;
    let everybody = app.db.read_async(move |q| users::all(q, w)).await?;
    let people: HashMap<UserId, String> = everybody.into_iter().map(|u| (u.id, u.address)).collect();
    let mut found: Vec<Found> = Vec::new();
    let mut after: Option<After<String>> = None;
    loop {
        let (filter, from, now) = (filter.clone(), after.clone(), app.clock.now());
        let read =
            move |q: &mut cadenza_store::Query| contacts::search(q, w, &filter, Order::Name, from.as_ref(), CHUNK, now);
        let page = app.db.read_async(read).await?;
        found.extend(page.rows);
        if found.len() > CONTACTS_MAX {
            let message =
                format!("An export has {CONTACTS_MAX} contacts at most (limit: export). Say which, by a filter.");
            return Err(ActionError::refused("limit_export", message));
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let count = found.len();
    change(app, allowed, move |c| c.note("contact.export", None, None, Some(json!({ "contacts": count })))).await?;
    write(&found, &people)
}

fn write(found: &[Found], people: &HashMap<UserId, String>) -> Result<String> {
    let custom: BTreeSet<&str> = found.iter().flat_map(|f| f.contact.custom.keys().map(String::as_str)).collect();
    let mut out = csv::Writer::from_writer(Vec::new());
    let header = COLUMNS.into_iter().chain(custom.iter().copied());
    out.write_record(header).map_err(ActionError::internal)?;
    for f in found {
        let own = cells(&f.contact, f.company_name.as_deref(), people);
        let values = custom.iter().map(|name| f.contact.custom.get(*name).map(said).unwrap_or_default());
        // No cell is one that a spreadsheet takes for a formula.
        let cells = own.into_iter().chain(values).map(|cell| plain_cell(&cell));
        out.write_record(cells).map_err(ActionError::internal)?;
    }
    let bytes = out.into_inner().map_err(ActionError::internal)?;
    String::from_utf8(bytes).map_err(ActionError::internal)
}

fn cells(c: &Contact, company: Option<&str>, people: &HashMap<UserId, String>) -> [String; 14] {
    let first = |of: &[TypedAddress]| of.first().map(|a| a.value.clone()).unwrap_or_default();
    let others = |of: &[TypedAddress]| of.iter().skip(1).map(|a| a.value.as_str()).collect::<Vec<_>>().join("; ");
    let kind = c.emails.first().map_or("", |a| match a.kind {
        AddressKind::Personal => "personal",
        AddressKind::Other => "other",
        AddressKind::Work | AddressKind::Any => "work",
    });
    [
        c.first_name.clone(),
        c.last_name.clone(),
        c.title.clone(),
        first(&c.emails),
        kind.to_owned(),
        others(&c.emails),
        // A plus at the beginning is a formula to a spreadsheet; 00 says the same.
        first(&c.phones).replacen('+', "00", 1),
        others(&c.phones).replace('+', "00"),
        company.unwrap_or_default().to_owned(),
        c.country.clone().unwrap_or_default(),
        c.zone.as_ref().map(|z| z.name().to_owned()).unwrap_or_default(),
        c.language.clone().unwrap_or_default(),
        c.linkedin.clone().unwrap_or_default(),
        c.owner.and_then(|id| people.get(&id).cloned()).unwrap_or_default(),
    ]
}

/// A custom value as an import reads it.
fn said(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
