//! What every list has around its rows: filters that stand in the address, search, pages, and what is said when there is
//! nothing to show.

use super::parts::{Icon, count};
use askama::Template;

/// One thing to choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    pub value: String,
    pub label: String,
}

impl Choice {
    pub fn new(value: impl Into<String>, label: impl Into<String>) -> Choice {
        Choice { value: value.into(), label: label.into() }
    }
}

/// A filter as a select; the first choice is none.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "part/filter.html")]
pub struct Filter {
    pub name: &'static str,
    pub label: &'static str,
    /// As in the address; empty for none.
    pub value: String,
    pub choices: Vec<Choice>,
}

/// The search field of a list.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "part/search.html")]
pub struct Search {
    pub value: String,
    pub label: &'static str,
}

/// Which page of a list is shown and where the others are.
#[derive(Debug, Clone, PartialEq, Eq, Default, Template)]
#[template(path = "part/foot.html")]
pub struct Foot {
    pub shown: usize,
    /// Of all pages; `None` where counting would cost more than it tells.
    pub total: Option<u64>,
    /// What one row is, in the plural.
    pub what: &'static str,
    /// Where the list begins, unless this is there.
    pub first: Option<String>,
    pub next: Option<String>,
}

impl Foot {
    fn words(&self) -> String {
        match self.total {
            Some(total) if total == self.shown as u64 => format!("{} {}", count(total), self.what),
            Some(total) => format!("{} of {} {}", count(self.shown as u64), count(total), self.what),
            None => format!("{} {} on this page", count(self.shown as u64), self.what),
        }
    }
}

/// Somewhere to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub href: String,
    pub label: String,
}

impl Link {
    pub fn new(href: impl Into<String>, label: impl Into<String>) -> Link {
        Link { href: href.into(), label: label.into() }
    }
}

/// One reason why nothing is shown, with its number in the words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmptyReason {
    pub text: String,
    pub link: Option<Link>,
}

/// What stands where rows would: what is missing, why, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "part/empty.html")]
pub struct Empty {
    pub icon: &'static str,
    pub title: String,
    pub text: String,
    pub reasons: Vec<EmptyReason>,
    pub action: Option<Link>,
}

impl Empty {
    pub fn new(icon: &'static str, title: impl Into<String>, text: impl Into<String>) -> Empty {
        Empty { icon, title: title.into(), text: text.into(), reasons: Vec::new(), action: None }
    }
    #[must_use]
    pub fn offering(mut self, href: impl Into<String>, label: impl Into<String>) -> Empty {
        self.action = Some(Link::new(href, label));
        self
    }
}

impl askama::filters::HtmlSafe for Filter {}
impl askama::filters::HtmlSafe for Search {}
impl askama::filters::HtmlSafe for Foot {}
impl askama::filters::HtmlSafe for Empty {}
