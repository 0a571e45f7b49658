//! Acts: everything of Cadenza that touches the world.

pub mod actions;
pub mod app;
pub mod clock;
pub mod commands;
pub mod config;
pub mod engine;
pub mod http;
pub mod mail;
pub mod reach;
pub mod seal;

pub use app::App;
