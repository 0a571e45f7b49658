//! The machine held against its own page, its life stories and the laws that every enrollment obeys.

#![expect(clippy::unwrap_used, reason = "a fixture that cannot be made is a failed test")]

mod case;
mod cell;
mod columns;
mod foretold;
mod gates;
mod laws;
mod page;
mod rows;
mod rules;
mod stories;
mod table;
mod views;
mod words;
