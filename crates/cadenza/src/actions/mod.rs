//! What a person or a key may do: the one layer of operations under the API, the pages and the command line. Every action
//! is told who asks (a [`Caller`]), checks what they may, and answers in words a user understands. Knows no HTTP.

pub mod absences;
pub mod attempts;
mod caller;
mod change;
pub mod clock;
pub mod companies;
pub mod contacts;
pub mod custom_fields;
pub mod enrollments;
mod error;
pub mod export;
pub mod fields;
mod follow;
pub mod import;
pub mod inbound;
pub mod links;
pub mod listing;
pub mod lists;
pub mod log_entries;
pub mod mailboxes;
mod overlay;
pub mod overview;
pub mod passwords;
mod privilege;
pub mod reclassify;
pub mod recognise;
mod records;
pub mod repeats;
pub mod replies;
pub mod roles;
pub mod sandbox;
pub mod secrets;
pub mod sequences;
pub mod settings;
pub mod setup;
pub mod sign_in;
pub mod suppressions;
pub mod tasks;
pub mod templates;
pub mod tokens;
pub mod users;

pub use caller::{Caller, Via};
pub use change::Allowed;
pub use error::{ActionError, Fault, Result};
pub use privilege::{Privilege, Privileges, UnknownPrivilege};

#[cfg(test)]
mod tests;
