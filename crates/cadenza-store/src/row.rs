//! A row of an answer, read by position. A column that does not hold what was asked for is an error that names the
//! column and the statement; what the values mean is the business of whoever asked.

use crate::error::{Result, StoreError};
use crate::value::Val;
use cadenza_core::time::Time;
use std::sync::Arc;

/// One row of an answer. Columns count from 0.
#[derive(Debug, Clone)]
pub struct Row {
    pub(crate) values: Vec<Val>,
    pub(crate) shape: Arc<Shape>,
}

/// What all rows of a statement have in common.
#[derive(Debug)]
pub(crate) struct Shape {
    pub sql: Arc<str>,
    pub names: Vec<String>,
}

impl Row {
    pub fn int(&self, i: usize) -> Result<i64> {
        match self.values.get(i) {
            Some(Val::Int(n)) => Ok(*n),
            _ => Err(self.mismatch(i, "an integer")),
        }
    }
    pub fn opt_int(&self, i: usize) -> Result<Option<i64>> {
        match self.values.get(i) {
            Some(v) if v.is_null() => Ok(None),
            Some(Val::Int(n)) => Ok(Some(*n)),
            _ => Err(self.mismatch(i, "an integer or NULL")),
        }
    }
    pub fn text(&self, i: usize) -> Result<&str> {
        match self.values.get(i) {
            Some(Val::Text(t)) => Ok(t),
            _ => Err(self.mismatch(i, "a text")),
        }
    }
    pub fn opt_text(&self, i: usize) -> Result<Option<&str>> {
        match self.values.get(i) {
            Some(v) if v.is_null() => Ok(None),
            Some(Val::Text(t)) => Ok(Some(t)),
            _ => Err(self.mismatch(i, "a text or NULL")),
        }
    }
    pub fn blob(&self, i: usize) -> Result<&[u8]> {
        match self.values.get(i) {
            Some(Val::Blob(b)) => Ok(b),
            _ => Err(self.mismatch(i, "bytes")),
        }
    }
    pub fn opt_blob(&self, i: usize) -> Result<Option<&[u8]>> {
        match self.values.get(i) {
            Some(v) if v.is_null() => Ok(None),
            Some(Val::Blob(b)) => Ok(Some(b)),
            _ => Err(self.mismatch(i, "bytes or NULL")),
        }
    }
    /// A moment stored as microseconds.
    pub fn time(&self, i: usize) -> Result<Time> {
        self.int(i).map(Time::from_micros)
    }
    pub fn opt_time(&self, i: usize) -> Result<Option<Time>> {
        Ok(self.opt_int(i)?.map(Time::from_micros))
    }
    /// 0 or 1; also the answer of a comparison.
    pub fn flag(&self, i: usize) -> Result<bool> {
        match self.values.get(i) {
            Some(Val::Int(0)) => Ok(false),
            Some(Val::Int(1)) => Ok(true),
            _ => Err(self.mismatch(i, "0 or 1")),
        }
    }
    /// The number of columns.
    pub fn len(&self) -> usize {
        self.values.len()
    }
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
    /// All values, in the order of the columns.
    pub fn values(&self) -> &[Val] {
        &self.values
    }

    pub fn into_values(self) -> Vec<Val> {
        self.values
    }

    #[cold]
    fn mismatch(&self, index: usize, expected: &'static str) -> StoreError {
        StoreError::Column {
            index,
            name: self.shape.names.get(index).cloned().unwrap_or_default(),
            sql: self.shape.sql.to_string(),
            expected,
            found: match self.values.get(index) {
                None => "no such column",
                Some(Val::Int(_)) if expected == "0 or 1" => "another integer",
                Some(v) => v.found(),
            },
        }
    }
}
