//! A table of a document. It remembers which keys it was asked for, so that all others can be refused by name.

use super::{Item, Source};
use crate::nearest::nearest;
use std::cell::RefCell;
use std::fmt::Display;
use std::ops::Range;
use std::str::FromStr;
use toml::de::{DeTable, DeValue};

pub(crate) struct Section<'d, 't> {
    source: &'d Source<'t>,
    table: &'d DeTable<'t>,
    span: Range<usize>,
    path: String,
    asked: RefCell<Vec<&'static str>>,
}

impl<'d, 't> Section<'d, 't> {
    pub(super) fn new(source: &'d Source<'t>, table: &'d DeTable<'t>, span: Range<usize>, path: String) -> Self {
        Section { source, table, span, path, asked: RefCell::default() }
    }

    /// The value of a key, which counts as asked for from now on.
    pub fn item(&self, key: &'static str) -> Option<Item<'d, 't>> {
        self.asked.borrow_mut().push(key);
        let value = self.table.get(key)?;
        Some(Item::new(self.source, value, self.path_of(key)))
    }
    pub fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    pub fn text(&self, key: &'static str) -> Option<String> {
        self.item(key)?.text()
    }
    /// Empty where there is none.
    pub fn text_or_empty(&self, key: &'static str) -> String {
        self.text(key).unwrap_or_default()
    }
    pub fn parsed<T: FromStr<Err: Display>>(&self, key: &'static str) -> Option<T> {
        self.item(key)?.parsed()
    }
    pub fn flag(&self, key: &'static str) -> Option<bool> {
        self.item(key)?.flag()
    }
    /// A whole number from 0 to `most`.
    pub fn number(&self, key: &'static str, most: u32) -> Option<u32> {
        self.item(key)?.number(most)
    }
    pub fn word<T: Clone>(&self, key: &'static str, words: &[(&str, T)]) -> Option<T> {
        self.item(key)?.word(words)
    }
    /// Reports a key that is not there; a value that is there but wrong was reported already.
    pub fn required<T>(&self, key: &'static str, what: &str, value: Option<T>) -> Option<T> {
        if value.is_none() && !self.has(key) {
            self.wrong(format!("{key} is missing: expected {what}"));
        }
        value
    }

    /// The entries of a list; empty where there is none.
    pub fn items(&self, key: &'static str) -> Vec<Item<'d, 't>> {
        self.item(key).and_then(|item| item.list()).unwrap_or_default()
    }
    /// The tables of a list, such as `[[branch]]`, each named in messages by its key or name.
    pub fn sections(&self, key: &'static str) -> Vec<Section<'d, 't>> {
        let items = self.items(key);
        let named = |(n, item): (usize, Item<'d, 't>)| {
            let mut section = item.section()?;
            let label = ["key", "name"].into_iter().find_map(|k| section.table.get(k)?.get_ref().as_str());
            section.path = match label {
                Some(label) => format!("{}.{label}", self.path_of(key)),
                None => format!("{}[{}]", self.path_of(key), n + 1),
            };
            Some(section)
        };
        items.into_iter().enumerate().filter_map(named).collect()
    }

    /// A mistake of the table as a whole.
    pub fn wrong(&self, message: impl Into<String>) {
        self.source.report(self.span.clone(), &self.path, message.into());
    }

    /// Reports every key that nobody asked for.
    pub fn finish(&self) {
        let asked = self.asked.borrow();
        for (key, _) in self.table.iter() {
            let name: &str = key.get_ref();
            if asked.contains(&name) {
                continue;
            }
            let meant = if self.source.explains() { nearest(name, asked.iter().copied()) } else { None };
            let message = match meant {
                _ if !self.source.explains() => format!("there is no {name:?} here"),
                Some(meant) => format!("there is no {name:?} here; did you mean {meant:?}?"),
                None => format!("there is no {name:?} here: expected {}", choice(asked.iter().copied())),
            };
            self.source.report(key.span(), &self.path_of(name), message);
        }
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }
}

/// `a, b or c`.
pub(super) fn choice<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let mut words: Vec<&str> = words.into_iter().collect();
    let last = words.pop().unwrap_or_default();
    if words.is_empty() { last.to_owned() } else { format!("{} or {last}", words.join(", ")) }
}

/// What a value is, as a person calls it.
pub(super) fn kind_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
