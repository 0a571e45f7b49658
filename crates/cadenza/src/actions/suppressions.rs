//! The suppression list (SND-9) in people's hands: looked at, filled by hand or from another system, and an entry lifted
//! again with the reason why. What fills it by itself (opt-outs, bounces, complaints) goes through the door.

use super::change::change;
use super::fields::{self, Faults};
use super::{ActionError, Caller, Privilege, Result};
use crate::App;
use cadenza_core::suppression::Suppressible;
use cadenza_store::suppression::{self, Entry, Suppress, Why};
use cadenza_store::{Query, StoreError};
use serde_json::json;

/// Entries added at once.
pub const ADDED_MAX: usize = 10_000;
const REASON_LENGTH_MAX: usize = 500;

/// A value as it was typed; its kind is seen by its form where it is not said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Typed {
    pub kind: Option<Suppressible>,
    pub value: String,
}

impl Typed {
    /// Kind and value in the form in which they are compared.
    fn read(&self) -> Result<(Suppressible, String), String> {
        let text = self.value.trim();
        let kind = self.kind.unwrap_or(match text {
            _ if text.contains('@') => Suppressible::Email,
            _ if text.starts_with(['+', '0']) => Suppressible::Phone,
            _ => Suppressible::Domain,
        });
        let value = match kind {
            Suppressible::Email => fields::email(text)?,
            Suppressible::Phone => fields::phone(text)?,
            Suppressible::Domain => domain(text)?,
        };
        Ok((kind, value))
    }
}

fn domain(text: &str) -> Result<String, String> {
    let text = text.to_lowercase();
    let label = |l: &str| !l.is_empty() && l.len() <= 63 && l.chars().all(|c| c.is_alphanumeric() || c == '-');
    if text.contains('.') && text.len() <= 253 && text.split('.').all(label) {
        Ok(text)
    } else {
        Err(format!(
            "{text:?} is no address, domain or number: expected one such as ann@example.com, example.com or +4930123456"
        ))
    }
}

/// Entries by kind and hash, from behind `after`.
///
/// # Errors
/// `Forbidden`.
pub async fn list(
    app: &App,
    caller: &Caller,
    after: Option<(Suppressible, String)>,
    limit: usize,
) -> Result<Vec<Entry>> {
    caller.need(Privilege::SequencesView)?;
    let w = caller.workspace;
    let read =
        move |q: &mut Query| suppression::list(q, w, after.as_ref().map(|(kind, hash)| (*kind, hash.as_str())), limit);
    Ok(app.db.read_async(read).await?)
}

/// Why a value gets nothing more; `None` where it is not suppressed. An address is so by itself or by its domain.
///
/// # Errors
/// `Invalid` for what is no address, domain or number.
pub async fn check(app: &App, caller: &Caller, typed: Typed) -> Result<(Suppressible, String, Option<Why>)> {
    caller.need(Privilege::SequencesView)?;
    let (kind, value) = typed.read().map_err(|e| ActionError::invalid("value", format!("{e}.")))?;
    let (w, asked) = (caller.workspace, value.clone());
    let read = move |q: &mut Query| -> Result<Option<Why>, StoreError> {
        let key = suppression::key(q, w)?;
        Ok(suppression::check(q, w, &key, [(kind, asked.as_str())])?.into_values().next())
    };
    let why = app.db.read_async(read).await?;
    Ok((kind, value, why))
}

/// Where entries come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    Hand,
    /// Brought along from another system.
    Import,
}

/// Puts values on the list. With the answer, nothing more goes to any of them. Answers how many were new.
///
/// # Errors
/// `Invalid` naming each value that is none; then none is added.
pub async fn add(app: &App, caller: &Caller, typed: Vec<Typed>, from: From) -> Result<u64> {
    let allowed = caller.allowed(Privilege::ContactsEdit)?;
    if typed.is_empty() || typed.len() > ADDED_MAX {
        let message = format!("Expected 1 to {ADDED_MAX} values; these are {}.", typed.len());
        return Err(ActionError::invalid("values", message));
    }
    let mut faults = Faults::default();
    let read: Vec<_> =
        typed.iter().enumerate().filter_map(|(n, t)| faults.take(format!("values.{n}"), t.read())).collect();
    faults.done()?;
    let why = match from {
        From::Hand => Why::ByHand,
        From::Import => Why::Import,
    };
    change(app, allowed, move |c| {
        let by = Some(c.caller.user);
        let what: Vec<Suppress> =
            read.iter().map(|(kind, value)| Suppress { kind: *kind, value: value.clone(), why, by }).collect();
        let key = suppression::key(c.tx, c.w)?;
        let added = suppression::add(c.tx, c.w, &key, &what, c.now)?;
        // The values stand in the list; the audit log outlives the people.
        c.note("suppression.add", None, None, Some(json!({ "asked": what.len(), "added": added, "why": why })))?;
        Ok(added)
    })
    .await
}

/// Takes a value off the list: whoever it is may be written to again. The reason stands in the audit log.
///
/// # Errors
/// `Invalid` without a reason; `Missing` where it is not on the list; `Refused` where its domain is.
pub async fn lift(app: &App, caller: &Caller, typed: Typed, reason: String) -> Result<()> {
    let allowed = caller.allowed(Privilege::SettingsManage)?;
    let mut faults = Faults::default();
    let read = faults.take("value", typed.read());
    let reason = faults.take("reason", fields::plain(&reason, REASON_LENGTH_MAX)).unwrap_or_default();
    if reason.is_empty() {
        faults.add("reason", "Say why it may be written to again, such as: asked to be, by phone.");
    }
    faults.done()?;
    let Some((kind, value)) = read else { return Err(ActionError::internal("a value without a kind")) };
    change(app, allowed, move |c| {
        let key = suppression::key(c.tx, c.w)?;
        let found = suppression::check(c.tx, c.w, &key, [(kind, value.as_str())])?.into_values().next();
        if !suppression::remove(c.tx, c.w, &key, kind, &value)? {
            let Some(why) = found else { return Err(ActionError::missing("suppressed value", &value).into()) };
            let message = format!("{value} is suppressed by its domain ({why}). Lift that instead.");
            return Err(ActionError::refused("suppressed_by_domain", message).into());
        }
        let before = json!({ "kind": kind, "why": found });
        c.note("suppression.lift", None, Some(before), Some(json!({ "reason": reason })))
    })
    .await
}
