//! A typed letter to the bytes of a mail: RFC 5322, MIME (RFC 2045–2049, 2231), encoded words (RFC 2047), one-click
//! unsubscribe (RFC 8058). Pure and deterministic: the same letter gives the same bytes, so a retry is byte-identical.
//! Nothing here merges fields, knows a server, or writes a Bcc; whatever becomes a header is a type that holds no CR, LF or NUL.

mod address;
mod body;
mod date;
mod fold;
mod headers;
mod ids;
mod letter;
mod plain;
mod text;
mod tracked;

#[cfg(test)]
mod tests;

pub use address::{Address, InvalidAddress, Mailbox};
pub use date::SentAt;
pub use headers::{
    AutoSubmitted, FeedbackId, HeaderName, Headers, InvalidHeader, ListUnsubscribe, MailtoUrl, MimeType, OneClickUrl,
};
pub use ids::{InvalidMessageId, MessageId};
pub use letter::{Attachment, Content, Letter, compose};
pub use plain::plain_text;
pub use text::{HeaderText, InvalidHeaderText};
pub use tracked::{
    Body, CLICK_PATH, Link, OPEN_PATH, Tracked, TrackingFor, Tracks, UNSUBSCRIBE_PATH, UNSUBSCRIBE_SUBJECT, images_of,
    leads_to_the_web, links_of, links_of_text, track,
};
