//! A line of SPEC §13 that did not hold, and how.

use std::fmt;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// `INV-3`, or `ERROR` where the product failed at something that it must not fail at.
    pub line: &'static str,
    pub why: String,
}

pub type Held<T> = Result<T, Breach>;

impl Breach {
    pub fn of(line: &'static str, why: impl Into<String>) -> Breach {
        Breach { line, why: why.into() }
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.line, self.why)
    }
}

impl From<cadenza_store::StoreError> for Breach {
    fn from(e: cadenza_store::StoreError) -> Breach {
        Breach::of("ERROR", e.to_string())
    }
}

/// Breaks the line unless it holds.
pub fn holds(line: &'static str, that: bool, why: impl FnOnce() -> String) -> Held<()> {
    if that { Ok(()) } else { Err(Breach::of(line, why())) }
}
