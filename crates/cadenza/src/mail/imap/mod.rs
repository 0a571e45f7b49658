//! An IMAP client that reads and changes nothing (RFC 9051, 3501): folders are opened with EXAMINE, mail is fetched with
//! BODY.PEEK, so no flag moves and nobody's unread mail turns read. It asks by UID only, believes an answer only when the
//! command was answered OK, and takes in no more bytes than the caller has room for.
//!
//! With STARTTLS, implicit TLS, LOGIN, AUTHENTICATE PLAIN and XOAUTH2 (RFC 4959 where offered), IDLE (2177). It retries
//! nothing, and logs neither addresses nor secrets nor mail.

mod account;
mod failure;
mod folder_name;
mod inbox;
mod open;
mod parse;
mod response;
mod session;
mod wire;

pub use super::line::{Auth, LineFailure, Reach, Security, Trust};
pub use account::{Account, Timeouts};
pub use failure::{Failure, Lost, Stage};
pub use inbox::Inbox;
pub use response::{Fetched, Folder, Response, Status};
pub use session::{Idled, Mail, Opened, Part, Session, Sized};
