//! Why a command was not done, in words for the person at the terminal.

use crate::actions::ActionError;
use crate::config::ConfigError;
use cadenza_store::StoreError;
use std::io;
use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Action(#[from] ActionError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    /// What is wrong in a file, one line each, with places.
    #[error("{}", .0.join("\n"))]
    Content(Vec<String>),
    #[error("the output cannot be written: {0}")]
    Output(io::Error),
    #[error("{0}")]
    Said(String),
}

impl Failure {
    pub fn file(path: &Path, source: io::Error) -> Failure {
        Failure::File { path: path.to_owned(), source }
    }
    /// One line for each thing that is wrong; of several fields each with its name.
    pub fn lines(&self) -> Vec<String> {
        match self {
            Failure::Content(lines) => lines.clone(),
            Failure::Action(ActionError::Invalid(faults)) => {
                faults.iter().map(|f| format!("{}: {}", f.field, f.message)).collect()
            }
            other => other.to_string().lines().map(str::to_owned).collect(),
        }
    }
    pub fn said(why: impl std::fmt::Display) -> Failure {
        Failure::Said(why.to_string())
    }
}
