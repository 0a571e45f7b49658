//! The query of a list's address: filters that mean something, and where its next page begins.

use super::lists::Foot;
use crate::http::wire;
use cadenza_store::page::{After, Page};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Write as _;

/// Rows of one page.
pub const ROWS: usize = 100;

/// Reads a filter; what means nothing is no filter, so that an old link still shows a list.
pub fn filter<T: std::str::FromStr>(text: &Option<String>) -> Option<T> {
    text.as_deref().and_then(|t| t.parse().ok())
}

/// As it stands in the address; empty where it does not.
pub fn text(value: &Option<String>) -> &str {
    value.as_deref().unwrap_or_default()
}

/// Where the page of an address begins; what is no cursor begins at the top.
pub fn after<K: DeserializeOwned>(text: &Option<String>) -> Option<After<K>> {
    text.as_deref().and_then(|t| wire::read_cursor(t).ok())
}

/// A query string of those pairs that have a value, beginning with `?`; empty where none has.
pub fn address(path: &str, pairs: &[(&str, &str)]) -> String {
    let mut out = path.to_owned();
    for (name, value) in pairs.iter().filter(|(_, v)| !v.is_empty()) {
        let mark = if out.contains('?') { '&' } else { '?' };
        // Writing to a string does not fail.
        let _ = write!(out, "{mark}{name}={}", super::page::query_value(value));
    }
    out
}

/// The foot of a list: what is shown, and the way to the first and the next page. `pairs` are the filters.
pub fn foot<T, K: Serialize>(
    page: &Page<T, K>,
    path: &str,
    pairs: &[(&str, &str)],
    what: &'static str,
    total: Option<u64>,
) -> Foot {
    let is_first = !pairs.iter().any(|(name, value)| *name == "after" && !value.is_empty());
    let filters: Vec<_> = pairs.iter().filter(|(name, _)| *name != "after").copied().collect();
    let next = page.next.as_ref().map(|after| {
        let cursor = wire::cursor(after);
        let with: Vec<_> = filters.iter().copied().chain([("after", cursor.as_str())]).collect();
        address(path, &with)
    });
    let first = (!is_first).then(|| address(path, &filters));
    let total = total.or((is_first && next.is_none()).then_some(page.rows.len() as u64));
    Foot { shown: page.rows.len(), total, what, first, next }
}
