//! The one integration binary: what can only be tried on the whole. One module a subject, so that the crate is linked
//! once for all of them; beside the subjects, what several of them need.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod api;
mod browser;
mod certificates;
mod commands;
mod crash;
mod engine;
mod examples;
mod foreign;
mod grace;
mod house;
mod imap_server;
mod links;
mod oauth;
mod pages;
mod plus_addresses;
mod reading;
mod receive;
mod reclassify;
mod rehearsal;
mod replies;
mod smtp;
mod smtp_server;
mod tidy;
