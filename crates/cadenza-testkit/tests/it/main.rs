//! Proves what this crate gives to other tests, each against the real thing.

mod browser;
mod postgres;
mod real_mail;
