//! The one way an action fails, in words for the person who asked. How each is shown is decided where it is shown.

use super::Privilege;
use cadenza_store::StoreError;
use std::time::Duration;

pub type Result<T, E = ActionError> = std::result::Result<T, E>;

/// What is wrong with one field of what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// As the API and the form name it: `begin`, `steps.2.subject`.
    pub field: String,
    /// A sentence that says what would be accepted.
    pub message: String,
}

/// Why an action was not done. Nothing was changed, except where `Unavailable` says that it is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ActionError {
    /// What was asked makes no sense as it is.
    #[error("{}", sentence(.0))]
    Invalid(Vec<Fault>),
    /// It makes sense, but not now: `code` is stable and names the state or rule that refuses.
    #[error("{message}")]
    Refused { code: &'static str, message: String },
    /// `what` is a word of the product ("sequence"), `id` as it was asked for. Also where it belongs to somebody else.
    #[error("There is no {what} {id}.")]
    Missing { what: &'static str, id: String },
    #[error("Sign in first.")]
    SignInNeeded,
    /// Name and password, link or token are not right; which of them is not told.
    #[error("{0}")]
    NotRecognised(&'static str),
    #[error("You need the privilege {0} for this. Ask an administrator of the workspace.")]
    Forbidden(Privilege),
    #[error("{message}")]
    TooMany { message: String, retry_after: Duration },
    /// The database cannot be reached. With `unknown`, whether the change took place is not known: look before repeating.
    #[error("{}", unavailable(*unknown))]
    Unavailable { unknown: bool },
    /// A fault of the program. What it is stands in the log.
    #[error("Something went wrong on our side. It has been logged; please try again.")]
    Internal(String),
}

impl ActionError {
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> ActionError {
        ActionError::Invalid(vec![Fault { field: field.into(), message: message.into() }])
    }
    pub fn refused(code: &'static str, message: impl Into<String>) -> ActionError {
        ActionError::Refused { code, message: message.into() }
    }
    pub fn missing(what: &'static str, id: impl std::fmt::Display) -> ActionError {
        ActionError::Missing { what, id: id.to_string() }
    }
    pub fn internal(why: impl std::fmt::Display) -> ActionError {
        ActionError::Internal(why.to_string())
    }

    /// The stable word for this kind of error, as the API says it.
    pub fn code(&self) -> &'static str {
        match self {
            ActionError::Invalid(_) => "invalid",
            ActionError::Refused { code, .. } => code,
            ActionError::Missing { .. } => "missing",
            ActionError::SignInNeeded => "sign_in_needed",
            ActionError::NotRecognised(_) => "not_recognised",
            ActionError::Forbidden(_) => "forbidden",
            ActionError::TooMany { .. } => "too_many",
            ActionError::Unavailable { .. } => "unavailable",
            ActionError::Internal(_) => "internal",
        }
    }
}

/// What the store says in its own words. An action that knows better (a name that is taken, OPS-13) says so before.
impl From<StoreError> for ActionError {
    fn from(e: StoreError) -> ActionError {
        match e {
            StoreError::Missing { table, id } => ActionError::Missing { what: table, id },
            StoreError::Conflict { ref table, ref columns, .. } => {
                let same = if columns.is_empty() { "key".to_owned() } else { columns.join(", ").replace('_', " ") };
                ActionError::refused(
                    "conflict",
                    format!("There is already a {} with the same {same}.", table.replace('_', " ")),
                )
            }
            StoreError::Unavailable { commit_unknown, .. } => {
                tracing::warn!("{e}");
                ActionError::Unavailable { unknown: commit_unknown }
            }
            StoreError::Contention { .. } => {
                tracing::warn!("{e}");
                ActionError::Unavailable { unknown: false }
            }
            other => ActionError::internal(other),
        }
    }
}

fn sentence(faults: &[Fault]) -> String {
    match faults {
        [] => "Something in it is not valid.".to_owned(),
        [one] => one.message.clone(),
        many => many.iter().map(|f| f.message.as_str()).collect::<Vec<_>>().join(" "),
    }
}

fn unavailable(unknown: bool) -> &'static str {
    if unknown {
        "The connection to the database was lost while saving: whether it was saved is not known. Look before trying again."
    } else {
        "The database cannot be reached at the moment. Nothing was changed; please try again."
    }
}
