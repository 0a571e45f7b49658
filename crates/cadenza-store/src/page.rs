//! Long lists, page by page: each page begins behind the last row of the one before, however many rows there are.

use crate::error::Result;
use crate::row::Row;
use serde::{Deserialize, Serialize};

/// Where a page ends: the sort key of its last row, and that row's id, which tells rows of the same key apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct After<K> {
    pub key: K,
    pub id: i64,
}

/// Some rows of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T, K> {
    pub rows: Vec<T>,
    /// Where the next page begins; `None` on the last.
    pub next: Option<After<K>>,
}

impl<T, K> Page<T, K> {
    /// A page from one row more than it shows, which tells whether there is a next one.
    pub(crate) fn of(rows: &[Row], limit: usize, mut read: impl FnMut(&Row) -> Result<(T, After<K>)>) -> Result<Self> {
        let mut page = Page { rows: Vec::with_capacity(limit.min(rows.len())), next: None };
        for row in rows.iter().take(limit) {
            let (item, after) = read(row)?;
            page.rows.push(item);
            page.next = Some(after);
        }
        if rows.len() <= limit {
            page.next = None;
        }
        Ok(page)
    }
}
