//! Contacts: add, change, find, merge, erase. Importing many is in `import`; what they do in sequences in `enrollments`.

mod merge;

pub use merge::merge;

use super::change::{Change, Stopped, change};
use super::fields::{self, Faults, Patch, TypedInput};
use super::follow::{self, Zone};
use super::{ActionError, Caller, Privilege, Result, records};
use crate::App;
use cadenza_core::enrollment::Subject;
use cadenza_core::ids::{ContactId, EnrollmentId};
use cadenza_core::machine::Event;
use cadenza_store::contacts::{self, Contact, Filter, Found, Order};
use cadenza_store::custom_fields::FieldOf;
use cadenza_store::door::{self, Put};
use cadenza_store::page::{After, Page};
use cadenza_store::suppression;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// A résumé may be long, and no longer than this, characters.
const RESUME_LENGTH_MAX: usize = 100_000;

/// What is said of a contact; for a new one, what is not said is empty.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ContactChange {
    pub first_name: Patch<String>,
    pub last_name: Patch<String>,
    pub title: Patch<String>,
    /// The id of a company, or its name; a company that is not there yet is made.
    pub company: Patch<String>,
    /// The id of a user, or the address they sign in with.
    pub owner: Patch<String>,
    pub time_zone: Patch<String>,
    pub country: Patch<String>,
    pub language: Patch<String>,
    pub linkedin: Patch<String>,
    /// All of them, in the order in which they are tried.
    pub emails: Option<Vec<TypedInput>>,
    pub phones: Option<Vec<TypedInput>>,
    /// By name; null takes a value away, what is not named stays.
    pub custom: Map<String, Value>,
}

/// Adds a contact.
///
/// # Errors
/// `Invalid` naming each field; `Refused` where another contact has one of the addresses (`duplicate`).
pub async fn create(app: &App, caller: &Caller, new: ContactChange) -> Result<Contact> {
    let allowed = caller.allowed(Privilege::ContactsEdit)?;
    change(app, allowed, move |c| {
        let mut contact = empty(c);
        apply(c, &mut contact, new.clone())?;
        if contact.full_name().is_empty() {
            return Err(ActionError::invalid("last_name", "Say a name or an email address.").into());
        }
        refuse_duplicate(c, &contact)?;
        contacts::insert(c.tx, c.w, std::slice::from_ref(&contact))?;
        let after = serde_json::to_value(&contact).map_err(ActionError::internal)?;
        c.note("contact.create", Some(contact.id.0), None, Some(after))?;
        Ok(contact)
    })
    .await
}

/// Changes a contact. Enrollments that waited for what is there now go on by themselves (ENR-1).
///
/// # Errors
/// `Invalid` naming each field; `Missing`; `Refused` where another contact has one of the addresses (`duplicate`).
pub async fn update(app: &App, caller: &Caller, id: ContactId, new: ContactChange) -> Result<Contact> {
    let allowed = caller.allowed(Privilege::ContactsEdit)?;
    change(app, allowed, move |c| {
        let old = contacts::lock(c.tx, c.w, id)?;
        let mut contact = old.clone();
        apply(c, &mut contact, new.clone())?;
        if contact.full_name().is_empty() {
            return Err(ActionError::invalid("last_name", "A contact needs a name or an email address.").into());
        }
        if contact.emails != old.emails {
            refuse_duplicate(c, &contact)?;
        }
        if !c.note_difference("contact.update", id.0, &old, &contact)? {
            return Ok(old);
        }
        contacts::update(c.tx, c.w, &contact, c.now)?;
        let zone = if old.zone == contact.zone && old.company == contact.company { Zone::Same } else { Zone::Changed };
        follow::records(c, &[Subject::Contact(id)], zone)?;
        Ok(contacts::get(c.tx, c.w, id)?)
    })
    .await
}

/// Sets a contact's résumé.
///
/// # Errors
/// `Invalid` where it is too long; `Missing`.
pub async fn set_resume(app: &App, caller: &Caller, id: ContactId, body: String) -> Result<()> {
    let allowed = caller.allowed(Privilege::ContactsEdit)?;
    if body.chars().count() > RESUME_LENGTH_MAX {
        return Err(ActionError::invalid("resume", format!("A résumé has {RESUME_LENGTH_MAX} characters at most.")));
    }
    change(app, allowed, move |c| {
        contacts::lock(c.tx, c.w, id)?;
        contacts::set_resume(c.tx, c.w, id, &body, c.now)?;
        c.note("contact.set_resume", Some(id.0), None, None)
    })
    .await
}

/// Erases a person for good (CRM-4): everything goes but counts and, where they were on it, the keyed hash in the
/// suppression list, so that an import does not bring them back.
///
/// # Errors
/// `Missing`; `Refused` while a mail to them is on its way (`being_sent`).
pub async fn erase(app: &App, caller: &Caller, id: ContactId) -> Result<()> {
    let allowed = caller.allowed(Privilege::ContactsErase)?;
    change(app, allowed, move |c| {
        contacts::lock(c.tx, c.w, id)?;
        let enrollments = door::enrollments_of(c.tx, c.w, Subject::Contact(id))?;
        let ids: Vec<EnrollmentId> = enrollments.iter().map(|e| e.id).collect();
        let actor = c.actor();
        let puts = ids.iter().map(|e| Put { enrollment: *e, event: Event::Erase, actor }).collect();
        for answer in c.advance(puts)? {
            let applied = answer.map_err(super::enrollments::refused)?;
            if applied.enrollment.place.is_some() {
                let message = "A mail to them is just being sent. Try again in a minute.";
                return Err(ActionError::refused("being_sent", message).into());
            }
        }
        door::forget_addresses(c.tx, c.w, &ids)?;
        let key = suppression::key(c.tx, c.w)?;
        contacts::erase(c.tx, c.w, &key, id)?;
        c.note("contact.erase", Some(id.0), None, Some(json!({ "enrollments": ids.len() })))
    })
    .await
}

/// # Errors
/// `Missing`.
pub async fn get(app: &App, caller: &Caller, id: ContactId) -> Result<Contact> {
    caller.need(Privilege::SequencesView)?;
    let w = caller.workspace;
    Ok(app.db.read_async(move |q| contacts::get(q, w, id)).await?)
}

/// # Errors
/// `Missing`.
pub async fn resume(app: &App, caller: &Caller, id: ContactId) -> Result<String> {
    caller.need(Privilege::SequencesView)?;
    let w = caller.workspace;
    let found = app.db.read_async(move |q| {
        contacts::get(q, w, id)?;
        contacts::resume(q, w, id)
    });
    Ok(found.await?)
}

/// A page of contacts, from behind `after`.
pub async fn search(
    app: &App,
    caller: &Caller,
    filter: Filter,
    order: Order,
    after: Option<After<String>>,
    limit: usize,
) -> Result<Page<Found, String>> {
    caller.need(Privilege::SequencesView)?;
    let (w, now) = (caller.workspace, app.clock.now());
    Ok(app.db.read_async(move |q| contacts::search(q, w, &filter, order, after.as_ref(), limit, now)).await?)
}

/// How many there are, counted no further than `at_most`.
pub async fn count(app: &App, caller: &Caller, filter: Filter, at_most: usize) -> Result<i64> {
    caller.need(Privilege::SequencesView)?;
    let (w, now) = (caller.workspace, app.clock.now());
    Ok(app.db.read_async(move |q| contacts::count(q, w, &filter, at_most, now)).await?)
}

fn empty(c: &Change<'_>) -> Contact {
    Contact {
        id: ContactId(c.next_id()),
        first_name: String::new(),
        last_name: String::new(),
        title: String::new(),
        company: None,
        owner: None,
        zone: None,
        country: None,
        language: None,
        linkedin: None,
        emails: Vec::new(),
        phones: Vec::new(),
        custom: Map::new(),
        last_contacted_at: None,
        last_engaged_at: None,
        created_by: Some(c.caller.user),
        created_at: c.now,
        updated_at: c.now,
        version: 1,
    }
}

fn apply(c: &mut Change<'_>, contact: &mut Contact, new: ContactChange) -> Result<(), Stopped> {
    let mut faults = Faults::default();
    faults.text("first_name", &mut contact.first_name, new.first_name, fields::NAME_LENGTH_MAX);
    faults.text("last_name", &mut contact.last_name, new.last_name, fields::NAME_LENGTH_MAX);
    faults.text("title", &mut contact.title, new.title, fields::NAME_LENGTH_MAX);
    faults.opt("time_zone", &mut contact.zone, new.time_zone, |t| fields::zone(t));
    faults.opt("country", &mut contact.country, new.country, |t| fields::country(t));
    faults.opt("language", &mut contact.language, new.language, |t| fields::language(t));
    faults.opt("linkedin", &mut contact.linkedin, new.linkedin, |t| fields::web_address(t));
    faults.addresses("emails", &mut contact.emails, new.emails, fields::email);
    faults.addresses("phones", &mut contact.phones, new.phones, fields::phone);
    records::owner(c, &mut faults, &mut contact.owner, new.owner)?;
    records::custom(c, &mut faults, FieldOf::Contact, &mut contact.custom, new.custom)?;
    let company = records::company(c, &mut faults, new.company)?;
    faults.done()?;
    records::settle_company(c, &mut contact.company, company)?;
    Ok(())
}

/// Two contacts of one address would be written to twice: they are one person, to be merged or corrected.
fn refuse_duplicate(c: &mut Change<'_>, contact: &Contact) -> Result<(), Stopped> {
    let Some((address, other)) = records::other_contact_with(c, contact)? else { return Ok(()) };
    let message = format!("{address} belongs to {} ({}) already.", other.full_name(), other.id);
    Err(ActionError::refused("duplicate", message).into())
}
