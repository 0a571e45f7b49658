//! Companies: add, change, find.

use super::change::{Change, Stopped, change};
use super::fields::{self, Faults, Patch, TypedInput};
use super::follow::{self, Zone};
use super::{ActionError, Caller, Privilege, Result, records};
use crate::App;
use cadenza_core::ids::CompanyId;
use cadenza_store::companies::{self, Company};
use cadenza_store::custom_fields::FieldOf;
use cadenza_store::page::{After, Page};
use serde::Deserialize;
use serde_json::{Map, Value};

/// What is said of a company; for a new one, what is not said is empty.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CompanyChange {
    pub name: Patch<String>,
    pub website: Patch<String>,
    /// The id of a user, or the address they sign in with.
    pub owner: Patch<String>,
    pub time_zone: Patch<String>,
    pub country: Patch<String>,
    pub language: Patch<String>,
    /// The company's own, for sequences of companies (ENR-14).
    pub emails: Option<Vec<TypedInput>>,
    pub phones: Option<Vec<TypedInput>>,
    pub custom: Map<String, Value>,
}

/// Adds a company.
///
/// # Errors
/// `Invalid` naming each field; `Refused` where there is one of that name (`duplicate`).
pub async fn create(app: &App, caller: &Caller, new: CompanyChange) -> Result<Company> {
    let allowed = caller.allowed(Privilege::ContactsEdit)?;
    change(app, allowed, move |c| {
        let mut company = records::new_company(c, String::new());
        apply(c, &mut company, new.clone())?;
        if let Some((_, other)) = companies::named(c.tx, c.w, [company.name.as_str()])?.first() {
            let message = format!("There is already a company {:?} ({other}).", company.name);
            return Err(ActionError::refused("duplicate", message).into());
        }
        companies::insert(c.tx, c.w, std::slice::from_ref(&company))?;
        let after = serde_json::to_value(&company).map_err(ActionError::internal)?;
        c.note("company.create", Some(company.id.0), None, Some(after))?;
        Ok(company)
    })
    .await
}

/// Changes a company. Enrollments of its contacts that waited for what is there now go on by themselves.
///
/// # Errors
/// `Invalid` naming each field; `Missing`.
pub async fn update(app: &App, caller: &Caller, id: CompanyId, new: CompanyChange) -> Result<Company> {
    let allowed = caller.allowed(Privilege::ContactsEdit)?;
    change(app, allowed, move |c| {
        let old = companies::get(c.tx, c.w, id)?;
        let mut company = old.clone();
        apply(c, &mut company, new.clone())?;
        if !c.note_difference("company.update", id.0, &old, &company)? {
            return Ok(old);
        }
        companies::update(c.tx, c.w, &company, c.now)?;
        follow::company(c, id, if old.zone == company.zone { Zone::Same } else { Zone::Changed })?;
        Ok(companies::get(c.tx, c.w, id)?)
    })
    .await
}

/// # Errors
/// `Missing`.
pub async fn get(app: &App, caller: &Caller, id: CompanyId) -> Result<Company> {
    caller.need(Privilege::SequencesView)?;
    let w = caller.workspace;
    Ok(app.db.read_async(move |q| companies::get(q, w, id)).await?)
}

/// A page of companies by name, from behind `after`.
pub async fn search(
    app: &App,
    caller: &Caller,
    typed: String,
    after: Option<After<String>>,
    limit: usize,
) -> Result<Page<Company, String>> {
    caller.need(Privilege::SequencesView)?;
    let w = caller.workspace;
    Ok(app.db.read_async(move |q| companies::search(q, w, &typed, after.as_ref(), limit)).await?)
}

fn apply(c: &mut Change<'_>, company: &mut Company, new: CompanyChange) -> Result<(), Stopped> {
    let mut faults = Faults::default();
    faults.text("name", &mut company.name, new.name, fields::NAME_LENGTH_MAX);
    if company.name.is_empty() {
        faults.add("name", "Say the company's name.");
    }
    faults.opt("website", &mut company.website, new.website, |t| fields::web_address(t));
    faults.opt("time_zone", &mut company.zone, new.time_zone, |t| fields::zone(t));
    faults.opt("country", &mut company.country, new.country, |t| fields::country(t));
    faults.opt("language", &mut company.language, new.language, |t| fields::language(t));
    faults.addresses("emails", &mut company.emails, new.emails, fields::email);
    faults.addresses("phones", &mut company.phones, new.phones, fields::phone);
    records::owner(c, &mut faults, &mut company.owner, new.owner)?;
    records::custom(c, &mut faults, FieldOf::Company, &mut company.custom, new.custom)?;
    Ok(faults.done()?)
}
