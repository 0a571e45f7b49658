//! Shows [`Fields`] to the template engine, and remembers the last field that had no value, so that an error can name it.

use super::Fields;
use minijinja::value::{Object, ObjectRepr, Value};
use std::sync::{Arc, Mutex, PoisonError};

/// The last field without a value that was looked up.
pub(super) type Missed = Arc<Mutex<Option<String>>>;

/// What a template sees at its top: `contact`, `company`, …, and fields without a dot.
#[derive(Debug)]
pub(super) struct Root {
    pub fields: Fields,
    pub missed: Missed,
}

/// What stands before the dot of a field.
#[derive(Debug)]
struct Space {
    name: String,
    fields: Fields,
    missed: Missed,
}

impl Object for Root {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }
    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        if let Some(value) = self.fields.shared(key) {
            return Some(Value::from(value));
        }
        if !is_space(key) {
            note(&self.missed, key.to_owned());
            return None;
        }
        let space = Space { name: key.to_owned(), fields: self.fields.clone(), missed: Arc::clone(&self.missed) };
        Some(Value::from_object(space))
    }
}

impl Object for Space {
    /// No map: it can be neither printed nor walked through.
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }
    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let path = format!("{}.{key}", self.name);
        let found = self.fields.shared(&path);
        if found.is_none() {
            note(&self.missed, path);
        }
        found.map(Value::from)
    }
    /// Filters and comparisons see nothing in it.
    fn render(self: &Arc<Self>, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Ok(())
    }
}

const SPACES: [&str; 7] = ["contact", "company", "opportunity", "sender", "sequence", "custom", "snippet"];

pub(super) fn is_space(name: &str) -> bool {
    SPACES.contains(&name)
}

fn note(missed: &Missed, path: String) {
    *missed.lock().unwrap_or_else(PoisonError::into_inner) = Some(path);
}
