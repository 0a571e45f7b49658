//! What tests need of the machine they run on: free ports, throw-away mail servers, a throw-away PostgreSQL, a browser. Real
//! servers, Debian's own, in temporary folders on loopback; nothing here stands in for one. Also the bending of input for
//! whatever reads foreign bytes. No product code may depend on this crate.

pub mod bend;
mod browser;
mod dialogue;
mod error;
mod keeper;
mod mail_servers;
mod port;
pub mod postgres;
mod scratch;
mod smtp_sink;
mod target;

pub use browser::{BrowserRun, run_browser_tests};
pub use dialogue::{Dialogue, Reply};
pub use error::{Error, Result};
pub use keeper::Keeper;
pub use mail_servers::{MailServers, RawMail};
pub use port::free_port;
pub use scratch::Scratch;
pub use smtp_sink::SmtpSink;
pub use target::Target;

/// The root of this repository.
pub fn repository() -> std::path::PathBuf {
    std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}
