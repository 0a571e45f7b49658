//! The values that a message is merged with: a small map from path (`contact.first_name`) to text. Which paths exist is
//! `known`'s business; where the values come from is the caller's.

use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Path to value; cheap to clone. A blank value (empty or white space) is no value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields {
    values: Arc<BTreeMap<Box<str>, Arc<str>>>,
}

/// Why a JSON value is no set of fields.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: expected a text or an object of texts")]
pub struct InvalidFields {
    pub path: String,
}

impl Fields {
    pub fn new() -> Fields {
        Fields::default()
    }

    /// Puts a value in place of the one before; a blank one takes the field away.
    pub fn set(&mut self, path: &str, value: &str) {
        let values = Arc::make_mut(&mut self.values);
        if value.trim().is_empty() {
            values.remove(path);
        } else {
            values.insert(path.into(), value.into());
        }
    }

    #[must_use]
    pub fn with(mut self, path: &str, value: &str) -> Fields {
        self.set(path, value);
        self
    }

    pub fn get(&self, path: &str) -> Option<&str> {
        self.values.get(path).map(|v| &**v)
    }
    pub(super) fn shared(&self, path: &str) -> Option<Arc<str>> {
        self.values.get(path).cloned()
    }

    /// In order of their paths.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(path, value)| (&**path, &**value))
    }
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Those of the given paths alone: what a message that was composed has to keep.
    #[must_use]
    pub fn only<'a>(&self, paths: impl IntoIterator<Item = &'a str>) -> Fields {
        let kept = paths.into_iter().filter_map(|path| Some((path.into(), self.shared(path)?)));
        Fields { values: Arc::new(kept.collect()) }
    }

    /// `{"contact": {"first_name": "Ada"}, "unsubscribe_url": "…"}`, keys in order.
    pub fn to_json(&self) -> Value {
        let mut json = Map::new();
        for (path, value) in self.iter() {
            let value = Value::from(value);
            match path.split_once('.') {
                None => drop(json.insert(path.to_owned(), value)),
                Some((space, name)) => {
                    let inner = json.entry(space).or_insert_with(|| Value::Object(Map::new()));
                    if let Value::Object(inner) = inner {
                        inner.insert(name.to_owned(), value);
                    }
                }
            }
        }
        Value::Object(json)
    }

    /// Reads [`Fields::to_json`] back; numbers and booleans become text, nulls are no values.
    pub fn from_json(json: &Value) -> Result<Fields, InvalidFields> {
        let invalid = |path: &str| InvalidFields { path: path.to_owned() };
        let Value::Object(spaces) = json else { return Err(invalid("fields")) };
        let mut fields = Fields::new();
        for (space, value) in spaces {
            let Value::Object(inner) = value else {
                fields.set(space, &text_of(value).ok_or_else(|| invalid(space))?);
                continue;
            };
            for (name, value) in inner {
                let path = format!("{space}.{name}");
                let text = text_of(value).ok_or_else(|| invalid(&path))?;
                fields.set(&path, &text);
            }
        }
        Ok(fields)
    }
}

/// `None` for lists and objects.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn json_reads_back_and_blanks_are_no_values() {
        let fields = Fields::new()
            .with("contact.first_name", "Ada")
            .with("contact.title", " \t ")
            .with("custom.years", "7")
            .with("unsubscribe_url", "https://go.example/u/1");
        assert_eq!(fields.len(), 3);
        let json = fields.to_json();
        assert_eq!(
            json,
            json!({"contact": {"first_name": "Ada"}, "custom": {"years": "7"}, "unsubscribe_url": "https://go.example/u/1"})
        );
        assert_eq!(Fields::from_json(&json), Ok(fields));
    }

    #[test]
    fn numbers_become_text_and_lists_are_refused_by_name() {
        let fields = Fields::from_json(&json!({"custom": {"years": 7, "remote": true, "gone": null}})).unwrap();
        assert_eq!(fields.get("custom.years"), Some("7"));
        assert_eq!(fields.get("custom.remote"), Some("true"));
        assert_eq!(fields.get("custom.gone"), None);
        let error = Fields::from_json(&json!({"custom": {"skills": ["rust"]}})).unwrap_err();
        assert_eq!(error.to_string(), "custom.skills: expected a text or an object of texts");
        assert!(Fields::from_json(&json!("x")).is_err());
    }

    #[test]
    fn only_keeps_what_was_used() {
        let fields = Fields::new().with("contact.first_name", "Ada").with("contact.email", "ada@example.org");
        let kept = fields.only(["contact.first_name", "contact.phone"]);
        assert_eq!(kept.iter().collect::<Vec<_>>(), [("contact.first_name", "Ada")]);
    }
}
