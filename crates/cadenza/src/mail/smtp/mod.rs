//! An SMTP client that knows what was accepted. A mail is handed over in two moves: [`Connection::offer`] brings
//! everything but the final dot, and [`AtDot::finish`] gives the dot and reads the answer. Whatever fails before the
//! dot was provably not accepted; after it, a missing answer is [`Answer::Unknown`], and the caller must not send again.
//!
//! RFC 5321 with STARTTLS (3207), implicit TLS (8314), AUTH (4954), PIPELINING (2920), SIZE (1870), 8BITMIME (6152),
//! DSN (3461) and enhanced codes (3463, 5248). It retries nothing, keeps no pool, and logs neither addresses nor secrets.

mod account;
mod auth;
mod connect;
mod connection;
mod envelope;
mod extensions;
mod inbox;
mod offer;
mod outcome;
mod probe;
mod refusal;
mod reply;
mod stuffing;
mod transaction;
mod wire;

pub use super::line::{Auth, InvalidTrust, LineFailure, Reach, Security, Trust};
pub use account::{Account, HeloName, InvalidHeloName, Timeouts};
pub use connection::Connection;
pub use envelope::{DeliveryReports, Envelope, EnvelopeId, InvalidEnvelopeId, Notify, Return};
pub use extensions::Extensions;
pub use inbox::Inbox;
pub use offer::AtDot;
pub use outcome::{Answer, ConnectFailure, Lost, OfferFailure, Stage, Unfit};
pub use probe::{Findings, probe};
pub use refusal::{Blame, Enhanced, Refusal, Term, judge};
pub use reply::Reply;
pub use stuffing::Stuffing;
