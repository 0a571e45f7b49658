//! The headers beyond the usual ones, each a type that cannot hold a line end: unsubscribing (RFC 2369, 8058), feedback
//! loops, automatic answers (RFC 3834) and headers of one's own, which begin with `X-`.

use super::address::Address;
use super::fold::Header;
use super::text::{HeaderText, write_unstructured};
use std::fmt;
use std::str::FromStr;

/// With brackets, comma and space it stays on a line of 998.
const URL_MAX: usize = 900;

/// The optional headers of a letter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Headers {
    pub unsubscribe: ListUnsubscribe,
    pub feedback_id: Option<FeedbackId>,
    pub auto_submitted: Option<AutoSubmitted>,
    /// Written in this order.
    pub custom: Vec<(HeaderName, HeaderText)>,
}

/// Ways to unsubscribe, offered to the recipient's mail program. With `one_click`, `List-Unsubscribe-Post` is written as
/// well (RFC 8058 §3.1). Whoever signs the mail (DKIM) must cover both headers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListUnsubscribe {
    pub one_click: Option<OneClickUrl>,
    pub mailto: Option<MailtoUrl>,
}

/// Where a POST of `List-Unsubscribe=One-Click` unsubscribes: an https URL; http is accepted for this machine itself
/// (`localhost`, `127.0.0.1`, `[::1]`), where nobody else can read along.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OneClickUrl(String);

/// `mailto:address?subject=…` (RFC 6068).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MailtoUrl(String);

/// Google's Feedback-ID: up to three identifiers of one's own, and the sender's.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FeedbackId(String);

/// The name of a header of one's own: `X-` and letters, digits and hyphens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HeaderName(String);

/// Says that no person wrote this (RFC 3834 §5). Sequences' mails carry none of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AutoSubmitted {
    /// A notification.
    Generated,
    /// An automatic answer to a mail.
    Replied,
}

/// An attachment's type, such as `application/pdf`, without parameters. Not `multipart/…` or `message/…`: RFC 2046 §5
/// forbids the encoding that keeps an attachment whole on its way; such files travel as `application/octet-stream`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MimeType(String);

/// Why a text is not valid as a part of a header.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is no {what}: expected {expected}")]
pub struct InvalidHeader {
    what: &'static str,
    expected: &'static str,
    found: String,
}

fn invalid(what: &'static str, expected: &'static str, found: &str) -> InvalidHeader {
    InvalidHeader { what, expected, found: found.chars().take(80).collect() }
}

impl FromStr for OneClickUrl {
    type Err = InvalidHeader;
    fn from_str(text: &str) -> Result<Self, InvalidHeader> {
        let local = ["http://localhost", "http://127.0.0.1", "http://[::1]"].iter().any(|prefix| {
            text.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/', '?']))
        });
        let https = text.strip_prefix("https://").is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'));
        if is_url(text) && (https || local) {
            return Ok(OneClickUrl(text.to_owned()));
        }
        Err(invalid("one-click unsubscribe URL", "https://… in at most 900 visible ASCII characters", text))
    }
}

impl MailtoUrl {
    /// A mail to `address` with this subject, which is escaped as needed and cut at 120 bytes.
    pub fn new(address: &Address, subject: &HeaderText) -> MailtoUrl {
        let mut url = b"mailto:".to_vec();
        push_escaped(&mut url, address.local().as_bytes());
        url.push(b'@');
        url.extend_from_slice(address.domain().as_bytes());
        if !subject.as_str().is_empty() {
            url.extend_from_slice(b"?subject=");
            let cut = subject.as_str().char_indices().map(|(i, c)| i + c.len_utf8()).take_while(|i| *i <= 120).last();
            push_escaped(&mut url, &subject.as_str().as_bytes()[..cut.unwrap_or(0)]);
        }
        // Only ASCII was pushed.
        MailtoUrl(String::from_utf8_lossy(&url).into_owned())
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FeedbackId {
    /// `sender` names who sends, the same in all its mail, 5 to 15 letters, digits or hyphens; `parts`, at most three, say
    /// what the mail belongs to.
    pub fn new(parts: &[&str], sender: &str) -> Result<FeedbackId, InvalidHeader> {
        let plain = |t: &str| t.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        if !(5..=15).contains(&sender.len()) || !plain(sender) {
            return Err(invalid("sender of a Feedback-ID", "5 to 15 letters, digits, '-', '_' or '.'", sender));
        }
        if parts.len() > 3 {
            return Err(invalid("list of identifiers of a Feedback-ID", "at most three", &parts.join(":")));
        }
        if let Some(part) = parts.iter().find(|p| p.len() > 60 || !plain(p)) {
            return Err(invalid("identifier of a Feedback-ID", "at most 60 letters, digits, '-', '_' or '.'", part));
        }
        let part = |i: usize| parts.get(i).copied().unwrap_or_default();
        Ok(FeedbackId(format!("{}:{}:{}:{sender}", part(0), part(1), part(2))))
    }
}

impl FromStr for HeaderName {
    type Err = InvalidHeader;
    fn from_str(text: &str) -> Result<Self, InvalidHeader> {
        let bytes = text.as_bytes();
        let mine = bytes.len() > 2 && bytes[0].eq_ignore_ascii_case(&b'x') && bytes[1] == b'-';
        if mine && bytes.len() <= 60 && bytes.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-') {
            return Ok(HeaderName(text.to_owned()));
        }
        Err(invalid("header name", "X- followed by letters, digits and hyphens, at most 60 in all", text))
    }
}

impl FromStr for MimeType {
    type Err = InvalidHeader;
    fn from_str(text: &str) -> Result<Self, InvalidHeader> {
        // RFC 6838 §4.2, which is narrower than RFC 2045 and all that is registered.
        let name = |t: &str| {
            (1..=64).contains(&t.len())
                && t.as_bytes()[0].is_ascii_alphanumeric()
                && t.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b))
        };
        let lower = text.to_ascii_lowercase();
        match lower.split_once('/') {
            Some(("multipart" | "message", _)) => {
                Err(invalid("type for an attachment", "application/octet-stream for enclosed messages", text))
            }
            Some((kind, sub)) if name(kind) && name(sub) => Ok(MimeType(lower)),
            _ => Err(invalid("MIME type", "type/subtype without parameters, such as application/pdf", text)),
        }
    }
}

impl MimeType {
    pub fn octet_stream() -> MimeType {
        MimeType("application/octet-stream".to_owned())
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OneClickUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Visible ASCII that can stand between angle brackets (RFC 2369 §2).
fn is_url(text: &str) -> bool {
    text.len() <= URL_MAX && text.bytes().all(|b| b.is_ascii_graphic() && !b"<>\"\\".contains(&b))
}

/// Percent-encodes all but unreserved characters (RFC 3986 §2.3).
fn push_escaped(out: &mut Vec<u8>, bytes: &[u8]) {
    for b in bytes {
        if b.is_ascii_alphanumeric() || b"-._~".contains(b) {
            out.push(*b);
        } else {
            super::text::push_hex(out, b'%', *b);
        }
    }
}

pub(super) fn write_headers(out: &mut Vec<u8>, headers: &Headers) {
    let ListUnsubscribe { one_click, mailto } = &headers.unsubscribe;
    if one_click.is_some() || mailto.is_some() {
        let mut header = Header::begin(out, "List-Unsubscribe");
        if let Some(OneClickUrl(url)) = one_click {
            header.bracketed(url);
        }
        if let Some(MailtoUrl(url)) = mailto {
            if one_click.is_some() {
                header.glue(b',');
            }
            header.bracketed(url);
        }
        header.end();
    }
    if one_click.is_some() {
        out.extend_from_slice(b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n");
    }
    if let Some(FeedbackId(id)) = &headers.feedback_id {
        let mut header = Header::begin(out, "Feedback-ID");
        header.word(id.as_bytes());
        header.end();
    }
    match headers.auto_submitted {
        Some(AutoSubmitted::Generated) => out.extend_from_slice(b"Auto-Submitted: auto-generated\r\n"),
        Some(AutoSubmitted::Replied) => out.extend_from_slice(b"Auto-Submitted: auto-replied\r\n"),
        None => {}
    }
    for (HeaderName(name), value) in &headers.custom {
        let mut header = Header::begin(out, name);
        write_unstructured(&mut header, value);
        header.end();
    }
}
