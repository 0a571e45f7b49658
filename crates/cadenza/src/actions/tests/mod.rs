//! Actions on records, as somebody of a workspace does them, in one process with a database in memory.

mod people;
mod records;
mod templates;
mod unreadable;
mod world;
