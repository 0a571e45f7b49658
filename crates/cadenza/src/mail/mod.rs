//! The mail protocols. Only this folder opens mail sockets; what to send, and when, is decided elsewhere.

pub mod imap;
mod line;
pub mod oauth;
pub mod recipient;
pub mod smtp;
