//! Reads a row cell by cell, in the order of its columns; what does not parse is an error that names table and row.

use crate::error::{Result, StoreError};
use crate::row::Row;
use cadenza_core::time::Time;
use serde::de::DeserializeOwned;
use std::fmt::Display;

/// The cells of one row that are still to be read.
#[derive(Debug)]
pub(crate) struct Cells<'r> {
    row: &'r Row,
    next: usize,
    table: &'static str,
}

macro_rules! cells {
    ($($name:ident -> $ty:ty;)*) => {$(
        pub(crate) fn $name(&mut self) -> Result<$ty> {
            let i = self.skip();
            self.row.$name(i)
        }
    )*};
}

impl<'r> Cells<'r> {
    pub(crate) fn of(row: &'r Row, table: &'static str) -> Cells<'r> {
        Cells { row, next: 0, table }
    }

    cells! {
        int -> i64;
        opt_int -> Option<i64>;
        time -> Time;
        opt_time -> Option<Time>;
        flag -> bool;
        opt_text -> Option<&'r str>;
    }

    pub(crate) fn text(&mut self) -> Result<&'r str> {
        let i = self.skip();
        self.row.text(i)
    }
    pub(crate) fn string(&mut self) -> Result<String> {
        self.text().map(str::to_owned)
    }
    pub(crate) fn opt_string(&mut self) -> Result<Option<String>> {
        Ok(self.opt_text()?.map(str::to_owned))
    }
    pub(crate) fn blob(&mut self) -> Result<Vec<u8>> {
        let i = self.skip();
        self.row.blob(i).map(<[u8]>::to_vec)
    }
    pub(crate) fn opt_blob(&mut self) -> Result<Option<Vec<u8>>> {
        let i = self.skip();
        Ok(self.row.opt_blob(i)?.map(<[u8]>::to_vec))
    }
    /// An id of any kind: `cells.id(ContactId)`.
    pub(crate) fn id<T>(&mut self, of: impl FnOnce(i64) -> T) -> Result<T> {
        self.int().map(of)
    }
    pub(crate) fn opt_id<T>(&mut self, of: impl FnOnce(i64) -> T) -> Result<Option<T>> {
        Ok(self.opt_int()?.map(of))
    }
    pub(crate) fn count(&mut self) -> Result<u32> {
        let n = self.int()?;
        u32::try_from(n).map_err(|_| self.bad(format!("{n} is not a count")))
    }
    pub(crate) fn opt_count(&mut self) -> Result<Option<u32>> {
        match self.opt_int()? {
            None => Ok(None),
            Some(n) => u32::try_from(n).map(Some).map_err(|_| self.bad(format!("{n} is not a count"))),
        }
    }
    pub(crate) fn json<T: DeserializeOwned>(&mut self) -> Result<T> {
        let text = self.text()?;
        serde_json::from_str(text).map_err(|e| self.bad(e))
    }
    pub(crate) fn opt_json<T: DeserializeOwned>(&mut self) -> Result<Option<T>> {
        match self.opt_text()? {
            None => Ok(None),
            Some(text) => serde_json::from_str(text).map(Some).map_err(|e| self.bad(e)),
        }
    }
    /// A word of a closed set.
    pub(crate) fn word<T, E: Display>(&mut self, named: impl FnOnce(&str) -> Result<T, E>) -> Result<T> {
        let text = self.text()?;
        named(text).map_err(|e| self.bad(e))
    }
    pub(crate) fn opt_word<T, E: Display>(&mut self, named: impl FnOnce(&str) -> Result<T, E>) -> Result<Option<T>> {
        match self.opt_text()? {
            None => Ok(None),
            Some(text) => named(text).map(Some).map_err(|e| self.bad(e)),
        }
    }

    /// The next `n` cells as they are; fewer where the row ends.
    pub(crate) fn take(&mut self, n: usize) -> &'r [crate::value::Val] {
        let values = self.row.values().get(self.next..).unwrap_or_default();
        self.next += n;
        &values[..n.min(values.len())]
    }

    /// This row holds what its type cannot. The row is named by its first column, which by custom is its id.
    #[cold]
    pub(crate) fn bad(&self, why: impl Display) -> StoreError {
        let id = match self.row.values().first() {
            Some(crate::value::Val::Int(id)) => id.to_string(),
            _ => "(no number)".to_owned(),
        };
        StoreError::inconsistent(self.table, id, format!("column {}: {why}", self.next.saturating_sub(1)))
    }

    fn skip(&mut self) -> usize {
        self.next += 1;
        self.next - 1
    }
}

/// JSON of a value that cannot fail to be written: maps have texts for keys, numbers are finite.
pub(crate) fn to_json<T: serde::Serialize>(value: &T, table: &'static str, id: impl Display) -> Result<String> {
    serde_json::to_string(value).map_err(|e| StoreError::inconsistent(table, id, e))
}
