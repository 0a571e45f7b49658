//! What contacts and companies have in common when they are changed: their owner, company and custom fields, and what else
//! has the same address.

use super::change::{Change, Stopped};
use super::fields::{self, Faults, Patch};
use cadenza_core::calendar::Date;
use cadenza_core::enrollment::Subject;
use cadenza_core::ids::{CompanyId, UserId};
use cadenza_store::addresses::{self, Reach};
use cadenza_store::companies::{self, Company};
use cadenza_store::contacts::{self, Contact, Custom};
use cadenza_store::custom_fields::{self, CustomField, FieldKind, FieldOf};
use cadenza_store::users::{self, UserState};
use serde_json::{Map, Value};

/// Longer values belong into notes.
const CUSTOM_LENGTH_MAX: usize = 5_000;

/// Sets an owner by id or sign-in address.
pub(super) fn owner(
    c: &mut Change<'_>,
    faults: &mut Faults,
    at: &mut Option<UserId>,
    change: Patch<String>,
) -> Result<(), Stopped> {
    match change {
        Patch::Keep => {}
        Patch::Clear => *at = None,
        Patch::Set(typed) => match user(c, &typed)? {
            Some(id) => *at = Some(id),
            None => faults.add("owner", format!("Nobody of this workspace is {typed:?}: expected a sign-in address.")),
        },
    }
    Ok(())
}

/// A user who works here, by id or sign-in address.
pub(super) fn user(c: &mut Change<'_>, typed: &str) -> Result<Option<UserId>, Stopped> {
    let id = match typed.trim().parse::<UserId>() {
        Ok(id) => Some(id),
        Err(_) => users::signs_in_as(c.tx, &typed.trim().to_lowercase())?.filter(|(w, _)| *w == c.w).map(|(_, id)| id),
    };
    let Some(id) = id else { return Ok(None) };
    let here = users::all(c.tx, c.w)?.into_iter().find(|u| u.id == id && u.state != UserState::Departed);
    Ok(here.map(|u| u.id))
}

/// A company that was named, found or to be made.
#[derive(Debug)]
pub(super) enum Named {
    Keep,
    Clear,
    Found(CompanyId),
    New(String),
}

pub(super) fn company(c: &mut Change<'_>, faults: &mut Faults, change: Patch<String>) -> Result<Named, Stopped> {
    let typed = match change {
        Patch::Keep => return Ok(Named::Keep),
        Patch::Clear => return Ok(Named::Clear),
        Patch::Set(typed) => typed,
    };
    if let Ok(id) = typed.trim().parse::<CompanyId>() {
        if companies::many(c.tx, c.w, [id])?.is_empty() {
            faults.add("company", format!("There is no company {id}."));
        }
        return Ok(Named::Found(id));
    }
    let Some(name) = faults.take("company", fields::name(&typed)) else { return Ok(Named::Keep) };
    let found = companies::named(c.tx, c.w, [name.as_str()])?;
    Ok(found.first().map_or(Named::New(name), |(_, id)| Named::Found(*id)))
}

/// Puts the company down, and makes it where it is new: only once nothing else is wrong.
pub(super) fn settle_company(c: &mut Change<'_>, at: &mut Option<CompanyId>, named: Named) -> Result<(), Stopped> {
    match named {
        Named::Keep => {}
        Named::Clear => *at = None,
        Named::Found(id) => *at = Some(id),
        Named::New(name) => {
            let company = new_company(c, name);
            companies::insert(c.tx, c.w, std::slice::from_ref(&company))?;
            let after = serde_json::json!({ "name": company.name });
            c.note("company.create", Some(company.id.0), None, Some(after))?;
            *at = Some(company.id);
        }
    }
    Ok(())
}

pub(super) fn new_company(c: &Change<'_>, name: String) -> Company {
    Company {
        id: CompanyId(c.next_id()),
        name,
        website: None,
        owner: None,
        zone: None,
        country: None,
        language: None,
        emails: Vec::new(),
        phones: Vec::new(),
        custom: Custom::new(),
        last_contacted_at: None,
        last_engaged_at: None,
        created_by: Some(c.caller.user),
        created_at: c.now,
        updated_at: c.now,
        version: 1,
    }
}

/// Sets custom fields. Values of a field that the workspace defined are of its kind; others are texts or numbers.
pub(super) fn custom(
    c: &mut Change<'_>,
    faults: &mut Faults,
    of: FieldOf,
    at: &mut Custom,
    change: Map<String, Value>,
) -> Result<(), Stopped> {
    if change.is_empty() {
        return Ok(());
    }
    let defined = custom_fields::all(c.tx, c.w, of)?;
    for (name, value) in change {
        let place = format!("custom.{name}");
        if let Err(why) = field_name(&name) {
            faults.add(place, why);
            continue;
        }
        if value.is_null() || value.as_str().is_some_and(|s| s.trim().is_empty()) {
            at.remove(&name);
            continue;
        }
        let field = defined.iter().find(|f| f.name == name);
        if let Some(value) = faults.take(place, custom_value(field, value)) {
            at.insert(name, value);
        }
    }
    Ok(())
}

/// A name that merge fields can say: `custom.name`.
pub(super) fn field_name(name: &str) -> Result<(), String> {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let begins = name.chars().next().is_some_and(|c| c.is_ascii_lowercase());
    if begins && name.len() <= 60 && name.chars().all(good) {
        Ok(())
    } else {
        Err(format!("{name:?} is no name of a field: expected a-z, 0-9 and _, the first a letter, at most 60."))
    }
}

fn custom_value(field: Option<&CustomField>, value: Value) -> Result<Value, String> {
    let text = match &value {
        Value::String(s) => s.trim().to_owned(),
        Value::Number(n) => n.to_string(),
        Value::Bool(b) => b.to_string(),
        _ => return Err("Expected a text, a number, true or false.".to_owned()),
    };
    if text.chars().count() > CUSTOM_LENGTH_MAX {
        return Err(format!("It is longer than {CUSTOM_LENGTH_MAX} characters."));
    }
    let Some(field) = field else {
        return Ok(if value.is_string() { Value::String(text) } else { value });
    };
    match field.kind {
        FieldKind::Text => Ok(Value::String(text)),
        FieldKind::Number => match serde_json::from_str::<Value>(&text) {
            Ok(number @ Value::Number(_)) => Ok(number),
            _ => Err(format!("{text:?} is no number.")),
        },
        FieldKind::Date => match text.parse::<Date>() {
            Ok(date) => Ok(Value::String(date.to_string())),
            Err(e) => Err(e.to_string()),
        },
        FieldKind::Choice if field.choices.contains(&text) => Ok(Value::String(text)),
        FieldKind::Choice => Err(format!("{text:?} is none of {}.", field.choices.join(", "))),
        FieldKind::Flag => match text.to_lowercase().as_str() {
            "true" | "yes" | "1" | "on" => Ok(Value::Bool(true)),
            "false" | "no" | "0" | "off" => Ok(Value::Bool(false)),
            _ => Err(format!("{text:?} is neither yes nor no.")),
        },
    }
}

/// Another contact that has one of a contact's email addresses.
pub(super) fn other_contact_with(c: &mut Change<'_>, contact: &Contact) -> Result<Option<(String, Contact)>, Stopped> {
    let values = contact.emails.iter().map(|a| a.value.as_str());
    let owners = addresses::owners(c.tx, c.w, Reach::Email, values)?;
    let other = owners.into_iter().find_map(|(value, subject)| match subject {
        Subject::Contact(id) if id != contact.id => Some((value, id)),
        _ => None,
    });
    match other {
        Some((value, id)) => Ok(Some((value, contacts::get(c.tx, c.w, id)?))),
        None => Ok(None),
    }
}
