//! Changing settings by naming only what changes: a JSON object laid over what there is, member by member. What is not
//! known is refused with what is, so that a misspelt setting is not silently ignored. Stores nothing.

use super::fields::Faults;
use super::{ActionError, Result};
use cadenza_core::nearest::did_you_mean;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// The settings with the changes in them; `field` is where the changes stood in what was asked, empty for all of it.
///
/// # Errors
/// `Invalid` naming each setting that is not known or whose value makes no sense.
pub fn lay_over<T>(settings: &T, changes: &Map<String, Value>, field: &str) -> Result<T>
where
    T: Serialize + DeserializeOwned,
{
    let whole = serde_json::to_value(settings).map_err(ActionError::internal)?;
    let mut faults = Faults::default();
    let mut changed = whole.clone();
    for (path, given) in leaves(&whole, changes, &mut faults, field) {
        let value = completed(at(&whole, &path), given);
        // Each by itself, so that each fault is told with its place.
        let mut one = whole.clone();
        put(&mut one, &path, value.clone());
        let place = place(field, &path);
        match serde_json::from_value::<T>(one) {
            Ok(read) => {
                let said = serde_json::to_value(&read).map_err(ActionError::internal)?;
                unknown_inside(given, at(&said, &path), &place, &mut faults);
                put(&mut changed, &path, value);
            }
            Err(e) => faults.add(place, sentence(&e.to_string())),
        }
    }
    faults.done()?;
    // Two that are fine alone may not be together.
    serde_json::from_value(changed).map_err(|e| ActionError::invalid(field_or_body(field), sentence(&e.to_string())))
}

/// The changes one by one, each with the names that lead to it; the unknown among them are faults.
fn leaves<'v>(
    whole: &Value,
    changes: &'v Map<String, Value>,
    faults: &mut Faults,
    field: &str,
) -> Vec<(Vec<String>, &'v Value)> {
    let mut found = Vec::new();
    let mut open = vec![(Vec::<String>::new(), whole, changes)];
    while let Some((path, known, changes)) = open.pop() {
        for (name, value) in changes {
            let mut here = path.clone();
            here.push(name.clone());
            match (known.get(name), value) {
                (None, _) => faults.add(place(field, &here), not_known(name, known)),
                (Some(inner @ Value::Object(_)), Value::Object(changes)) if group(inner) => {
                    open.push((here, inner, changes));
                }
                (Some(_), value) => found.push((here, value)),
            }
        }
    }
    found
}

/// Is it a group of settings, each of which can be changed alone? The parts of a rate or a window make sense together only,
/// and the form of others depends on their value (`{"after_days": 7}`).
fn group(value: &Value) -> bool {
    value.as_object().is_some_and(|o| o.len() > 1 && !o.contains_key("per") && !o.contains_key("start"))
}

/// A value of several parts, with those that were not said as they are.
fn completed(known: Option<&Value>, given: &Value) -> Value {
    match (known, given) {
        (Some(Value::Object(known)), Value::Object(given)) if known.len() > 1 => {
            let mut whole = known.clone();
            whole.extend(given.clone());
            Value::Object(whole)
        }
        (_, given) => given.clone(),
    }
}

fn not_known(name: &str, known: &Value) -> String {
    let names: Vec<&str> = known.as_object().into_iter().flatten().map(|(n, _)| n.as_str()).collect();
    let guess = did_you_mean(name, names.iter().copied());
    let end = if guess.is_empty() { "." } else { "" };
    format!("There is no setting {name:?}{guess}{end} Expected one of {}.", names.join(", "))
}

/// What the value names and nothing took.
fn unknown_inside(value: &Value, taken: Option<&Value>, place: &str, faults: &mut Faults) {
    if let (Value::Object(given), Some(Value::Object(taken))) = (value, taken) {
        for name in given.keys().filter(|name| !taken.contains_key(*name)) {
            let names: Vec<&str> = taken.keys().map(String::as_str).collect();
            faults.add(format!("{place}.{name}"), format!("It is not known here: expected {}.", names.join(", ")));
        }
    }
}

fn at<'v>(value: &'v Value, path: &[String]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, name| value.get(name))
}

fn put(whole: &mut Value, path: &[String], value: Value) {
    let mut here = whole;
    for name in path {
        here = &mut here[name.as_str()];
    }
    *here = value;
}

fn place(field: &str, path: &[String]) -> String {
    let path = path.join(".");
    if field.is_empty() { path } else { format!("{field}.{path}") }
}

fn field_or_body(field: &str) -> &str {
    if field.is_empty() { "body" } else { field }
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let text: String = letters.next().map(|c| c.to_uppercase().chain(letters).collect()).unwrap_or_default();
    if text.ends_with('.') { text } else { format!("{text}.") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cadenza_core::settings::{Again, OnReply, Settings, WorkspaceSettings};
    use serde_json::json;

    fn over(changes: Value) -> Result<Settings> {
        lay_over(&Settings::default(), changes.as_object().unwrap(), "settings")
    }

    fn fields(e: ActionError) -> Vec<String> {
        let ActionError::Invalid(faults) = e else { panic!("{e:?}") };
        faults.into_iter().map(|f| format!("{}: {}", f.field, f.message)).collect()
    }

    #[test]
    fn what_is_named_changes_and_the_rest_stays() {
        let settings = over(json!({
            "reply": "pause", "again": { "after_days": 30 }, "email_rate": { "count": 5, "per": "hour" },
            "soft_bounce": { "tries": 1 }, "window": { "days": ["sat"], "start": "10:00", "stop": "11:00" }
        }))
        .unwrap();
        let expected = Settings { reply: OnReply::Pause, again: Again::AfterDays(30), ..Settings::default() };
        assert_eq!((settings.reply, settings.again), (expected.reply, expected.again));
        assert_eq!((settings.soft_bounce.tries, settings.soft_bounce.hours), (1, 72));
        assert_eq!(settings.email_rate.map(|r| r.count), Some(5));
        assert_eq!(settings.zone, expected.zone);
        let later = lay_over(&settings, json!({ "window": { "stop": "12:00" } }).as_object().unwrap(), "").unwrap();
        assert_eq!((later.window.days(), later.window.start()), (settings.window.days(), settings.window.start()));
        assert_ne!(later.window, settings.window);
        let again: Settings = lay_over(&settings, json!({ "email_rate": null }).as_object().unwrap(), "").unwrap();
        assert_eq!(again.email_rate, None);
    }

    #[test]
    fn what_is_not_known_is_named_with_what_is() {
        let said = fields(over(json!({ "replay": "stop" })).unwrap_err());
        assert!(said[0].starts_with("settings.replay: There is no setting \"replay\""), "{said:?}");
        assert!(said[0].contains("did you mean \"reply\"") && said[0].contains("unsubscribe_link"), "{said:?}");
        let said = fields(over(json!({ "soft_bounce": { "trys": 1 } })).unwrap_err());
        assert!(said[0].starts_with("settings.soft_bounce.trys: "), "{said:?}");
        let said = fields(over(json!({ "email_rate": { "count": 1, "per": "day", "each": 2 } })).unwrap_err());
        assert_eq!(said, ["settings.email_rate.each: It is not known here: expected count, per."]);
    }

    #[test]
    fn every_wrong_value_is_named_at_once() {
        let said = fields(
            over(json!({ "reply": "halt", "unresponsive_days": -1, "window": { "stop": "25:00" } })).unwrap_err(),
        );
        let places: Vec<_> = said.iter().map(|s| s.split(": ").next().unwrap()).collect();
        assert_eq!(places, ["settings.reply", "settings.unresponsive_days", "settings.window"], "{said:?}");
        assert!(said[0].contains("go_on"), "{said:?}");
    }

    #[test]
    fn settings_of_a_workspace_lead_to_those_of_its_sequences() {
        let whole = WorkspaceSettings::default();
        let changes = json!({ "sequence": { "reply": "go_on" }, "steps_max": 10, "breaker": { "days": 3 } });
        let new: WorkspaceSettings = lay_over(&whole, changes.as_object().unwrap(), "").unwrap();
        assert_eq!((new.sequence.reply, new.steps_max, new.breaker.days), (OnReply::GoOn, 10, 3));
        assert_eq!(new.breaker.bounces_floor, whole.breaker.bounces_floor);
        let wrong = json!({ "sequence": { "replies": 1 } });
        let said = fields(lay_over(&whole, wrong.as_object().unwrap(), "").unwrap_err());
        assert!(said[0].starts_with("sequence.replies: "), "{said:?}");
    }
}
