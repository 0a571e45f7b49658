//! A line to a mail server, whatever is spoken over it: which addresses may be reached, the socket, TLS, and the
//! secrets that are said over it. Knows no commands.

mod connect;
mod secret;
mod stream;

pub use crate::reach::{InvalidTrust, Reach, Trust};
pub use connect::{LineFailure, Security};
pub use secret::Auth;

pub(super) use connect::{Peer, needs_protection};
pub(super) use secret::{is_sayable, plain, xoauth2, xoauth2_cause};
pub(super) use stream::Stream;
