//! Fields that a workspace adds to its records (CRM-1): defined, changed, deleted. Their values are the records' business.

use super::change::change;
use super::fields::{self, Faults};
use super::{ActionError, Caller, Privilege, Result, records};
use crate::App;
use cadenza_store::custom_fields::{self, CustomField, FieldKind, FieldOf};
use serde::Deserialize;
use serde_json::{Value, json};

/// Fields of one kind of record.
const FIELDS_MAX: usize = 200;
/// Words that a field of kind `choice` offers.
const CHOICES_MAX: usize = 200;

/// What is said of a field; what is not said stays, or for a new one is the default.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FieldChange {
    /// As people read it; the name where nothing is said.
    pub label: Option<String>,
    /// Text where nothing is said.
    pub kind: Option<FieldKind>,
    /// Of a field of kind `choice`: all of them.
    pub choices: Option<Vec<String>>,
    /// Lower stands further up.
    pub position: Option<i64>,
}

/// The fields of a kind of record, in their order.
///
/// # Errors
/// `Forbidden`.
pub async fn all(app: &App, caller: &Caller, of: FieldOf) -> Result<Vec<CustomField>> {
    caller.need(Privilege::SequencesView)?;
    let w = caller.workspace;
    Ok(app.db.read_async(move |q| custom_fields::all(q, w, of)).await?)
}

/// Defines a field. `name` is what merge fields say: `custom.name`.
///
/// # Errors
/// `Invalid` naming what makes no sense; `Refused` where there is one of that name (`name_taken`).
pub async fn create(app: &App, caller: &Caller, of: FieldOf, name: String, new: FieldChange) -> Result<CustomField> {
    let allowed = caller.allowed(Privilege::SettingsManage)?;
    records::field_name(&name).map_err(|e| ActionError::invalid("name", e))?;
    change(app, allowed, move |c| {
        let known = custom_fields::all(c.tx, c.w, of)?;
        if known.iter().any(|f| f.name == name) {
            let message = format!("There is already a field {name} of {of} records.");
            return Err(ActionError::refused("name_taken", message).into());
        }
        if known.len() >= FIELDS_MAX {
            let message = format!("There are {FIELDS_MAX} fields of {of} records already (limit: custom fields).");
            return Err(ActionError::refused("limit_custom_fields", message).into());
        }
        let position = known.last().map_or(0, |f| f.position + 1);
        let (kind, choices) = (FieldKind::Text, Vec::new());
        let mut field = CustomField { of, name: name.clone(), label: name.clone(), kind, choices, position };
        apply(&mut field, &new)?;
        custom_fields::save(c.tx, c.w, &field)?;
        c.note("custom_field.create", None, None, Some(shown(&field)))?;
        Ok(field)
    })
    .await
}

/// Changes a field. Values that stand in records stay as they are.
///
/// # Errors
/// `Invalid` naming what makes no sense; `Missing`.
pub async fn update(app: &App, caller: &Caller, of: FieldOf, name: String, new: FieldChange) -> Result<CustomField> {
    let allowed = caller.allowed(Privilege::SettingsManage)?;
    change(app, allowed, move |c| {
        let known = custom_fields::all(c.tx, c.w, of)?;
        let old = known.into_iter().find(|f| f.name == name).ok_or_else(|| ActionError::missing("field", &name))?;
        let mut field = old.clone();
        apply(&mut field, &new)?;
        custom_fields::save(c.tx, c.w, &field)?;
        c.note("custom_field.update", None, Some(shown(&old)), Some(shown(&field)))?;
        Ok(field)
    })
    .await
}

/// Deletes a field. Its values stay with the records and are no longer checked.
///
/// # Errors
/// `Missing`.
pub async fn delete(app: &App, caller: &Caller, of: FieldOf, name: String) -> Result<()> {
    let allowed = caller.allowed(Privilege::SettingsManage)?;
    change(app, allowed, move |c| {
        custom_fields::delete(c.tx, c.w, of, &name)?;
        c.note("custom_field.delete", None, Some(json!({ "of": of, "name": name })), None)
    })
    .await
}

fn apply(field: &mut CustomField, new: &FieldChange) -> Result<()> {
    let mut faults = Faults::default();
    if let Some(label) = new.label.as_deref().and_then(|l| faults.take("label", fields::name(l))) {
        field.label = label;
    }
    field.kind = new.kind.unwrap_or(field.kind);
    field.position = new.position.unwrap_or(field.position);
    if let Some(typed) = &new.choices {
        let mut choices: Vec<String> = Vec::new();
        for (n, text) in typed.iter().enumerate() {
            match faults.take(format!("choices.{n}"), fields::name(text)) {
                Some(text) if choices.contains(&text) => faults.add(format!("choices.{n}"), "It stands there twice."),
                Some(text) => choices.push(text),
                None => {}
            }
        }
        field.choices = choices;
    }
    match field.kind {
        FieldKind::Choice if field.choices.is_empty() => faults.add("choices", "Name at least one choice."),
        FieldKind::Choice if field.choices.len() > CHOICES_MAX => {
            faults.add("choices", format!("At most {CHOICES_MAX} choices are kept."));
        }
        FieldKind::Choice => {}
        _ if new.choices.as_ref().is_some_and(|c| !c.is_empty()) => {
            faults.add("choices", "Only a field of kind choice has choices.");
        }
        _ => field.choices.clear(),
    }
    faults.done()
}

fn shown(f: &CustomField) -> Value {
    json!({
        "of": f.of, "name": f.name, "label": f.label, "kind": f.kind, "choices": f.choices, "position": f.position,
    })
}
