//! The API as programs meet it: whole requests through the router, answers as JSON. What holds for every operation is tried
//! on every operation that the OpenAPI document names.

mod docs;
mod document;
mod enrolling;
mod idempotency;
mod inbound;
mod looking;
mod matrix;
pub mod program;
mod records;
mod sandbox;
mod sequences;
mod settings;
pub mod specimens;
mod suppressions;
mod tasks;
mod templates;
mod tokens;
