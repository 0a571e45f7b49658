//! What was found: a part of the installation, how bad it is, and a sentence.

use serde::{Deserialize, Serialize};
use std::fmt;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Ok,
    /// Works, or will by itself; somebody should know.
    Warning,
    /// Does not work until somebody mends it.
    Error,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    pub level: Level,
    /// Such as `database` or `mailbox`.
    pub part: String,
    pub message: String,
}

/// All of them, in the order in which they were looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Findings(Vec<Finding>);

impl Findings {
    pub fn add(&mut self, level: Level, part: &str, message: impl Into<String>) {
        self.0.push(Finding { level, part: part.to_owned(), message: message.into() });
    }
    pub fn ok(&mut self, part: &str, message: impl Into<String>) {
        self.add(Level::Ok, part, message);
    }
    pub fn warning(&mut self, part: &str, message: impl Into<String>) {
        self.add(Level::Warning, part, message);
    }
    pub fn error(&mut self, part: &str, message: impl Into<String>) {
        self.add(Level::Error, part, message);
    }
    pub fn take(&mut self, others: Findings) {
        self.0.extend(others.0);
    }
    pub fn all(&self) -> &[Finding] {
        &self.0
    }
    pub fn count(&self, level: Level) -> usize {
        self.0.iter().filter(|f| f.level == level).count()
    }
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "findings": self.0, "errors": self.count(Level::Error), "warnings": self.count(Level::Warning),
        })
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Level::Ok => "ok",
            Level::Warning => "warning",
            Level::Error => "error",
        })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:8} {}: {}", self.level.to_string(), self.part, self.message)
    }
}
