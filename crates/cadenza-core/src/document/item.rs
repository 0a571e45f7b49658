//! A value of a document with its place, read as what the asker needs; a value of another kind is a mistake that says so.

use super::section::{choice, kind_of};
use super::{Section, Source};
use crate::nearest::nearest;
use std::fmt::Display;
use std::ops::Range;
use std::str::FromStr;
use toml::Spanned;
use toml::de::DeValue;

#[derive(Clone)]
pub(crate) struct Item<'d, 't> {
    source: &'d Source<'t>,
    value: &'d DeValue<'t>,
    span: Range<usize>,
    path: String,
}

impl<'d, 't> Item<'d, 't> {
    pub(super) fn new(source: &'d Source<'t>, value: &'d Spanned<DeValue<'t>>, path: String) -> Self {
        Item { source, value: value.get_ref(), span: value.span(), path }
    }

    pub fn wrong(&self, message: impl Into<String>) {
        self.source.report(self.span.clone(), &self.path, message.into());
    }
    pub fn is_text(&self) -> bool {
        self.value.is_str()
    }
    pub fn is_table(&self) -> bool {
        self.value.is_table()
    }

    pub fn text(&self) -> Option<String> {
        let text = self.value.as_str();
        if text.is_none() {
            self.expected("a text in quotes");
        }
        text.map(str::to_owned)
    }

    /// A text, date or time, read by the type's own parser.
    pub fn parsed<T: FromStr<Err: Display>>(&self) -> Option<T> {
        let text = match self.value {
            DeValue::String(text) => text.to_string(),
            DeValue::Datetime(moment) => moment.to_string(),
            _ => {
                self.expected("a text in quotes");
                return None;
            }
        };
        text.parse().map_err(|e: T::Err| self.wrong(e.to_string())).ok()
    }

    pub fn flag(&self) -> Option<bool> {
        let flag = self.value.as_bool();
        if flag.is_none() {
            self.expected("true or false");
        }
        flag
    }

    /// A whole number from 0 to `most`.
    pub fn number(&self, most: u32) -> Option<u32> {
        let number = match self.value {
            DeValue::Integer(n) => i64::from_str_radix(n.as_str(), n.radix()).unwrap_or(i64::MAX),
            _ => {
                self.expected("a whole number");
                return None;
            }
        };
        let fits = u32::try_from(number).ok().filter(|n| *n <= most);
        if fits.is_none() {
            self.wrong(format!("expected a whole number from 0 to {most}, found {number}"));
        }
        fits
    }

    /// A number with or without a fraction.
    pub fn fraction(&self) -> Option<f64> {
        match self.value {
            DeValue::Float(n) => n.as_str().parse().ok(),
            DeValue::Integer(n) => i64::from_str_radix(n.as_str(), n.radix()).ok().map(|n| n as f64),
            _ => {
                self.expected("a number");
                None
            }
        }
    }

    /// One of the given words.
    pub fn word<T: Clone>(&self, words: &[(&str, T)]) -> Option<T> {
        let text = self.text()?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| value.clone());
        if found.is_none() {
            self.not_among(&text, words.iter().map(|(word, _)| *word));
        }
        found
    }

    /// Says that `found` is none of the words, and which one was probably meant.
    pub fn not_among<'a>(&self, found: &str, words: impl IntoIterator<Item = &'a str> + Clone) {
        let guess = nearest(found, words.clone()).map(|w| format!("; did you mean {w:?}?")).unwrap_or_default();
        let found: String = found.chars().take(64).collect();
        self.wrong(format!("{found:?} is not possible here: expected {}{guess}", choice(words)));
    }

    pub fn list(&self) -> Option<Vec<Item<'d, 't>>> {
        let DeValue::Array(list) = self.value else {
            self.expected("a list");
            return None;
        };
        let entry = |(n, value): (usize, &'d Spanned<DeValue<'t>>)| {
            Item::new(self.source, value, format!("{}[{}]", self.path, n + 1))
        };
        Some(list.iter().enumerate().map(entry).collect())
    }

    pub fn section(&self) -> Option<Section<'d, 't>> {
        let DeValue::Table(table) = self.value else {
            self.expected("a table");
            return None;
        };
        Some(Section::new(self.source, table, self.span.clone(), self.path.clone()))
    }

    fn expected(&self, what: &str) {
        self.wrong(format!("expected {what}, found {}", kind_of(self.value)));
    }
}
