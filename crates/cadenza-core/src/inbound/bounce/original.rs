//! The returned mail within a bounce: enclosed as a part, as header lines of a part, or in the notice's own text.

use crate::inbound::headers::Headers;
use crate::inbound::mail::{Mail, header_block};

/// What is known of the mail that was sent.
#[derive(Debug, Default, Clone)]
pub(in crate::inbound) struct Original {
    pub message_id: Option<String>,
    /// Whom it was sent to, by its own To, Cc and Delivered-To.
    pub to: Vec<String>,
    pub from: Vec<String>,
}

/// The notice without the returned mail, and the returned mail.
pub(in crate::inbound) struct Split {
    pub notice: String,
    pub original: Option<Original>,
    /// The returned mail as it stands in the notice's text, without marks before its lines.
    pub returned_text: Option<String>,
}

/// Field names that tell a header from other text.
#[rustfmt::skip]
const NAMES: &[&str] = &[
    "received", "return-path", "from", "to", "subject", "date", "message-id", "mime-version", "content-type", "cc",
    "reply-to", "in-reply-to", "references", "x-mailer", "sender", "content-transfer-encoding", "dkim-signature",
    "delivered-to", "user-agent", "x-originating-ip", "organization", "list-unsubscribe",
];

/// Those of them that a person does not write in a text, nor a server above its reasons.
const MACHINE_NAMES: &[&str] = &[
    "received",
    "return-path",
    "message-id",
    "mime-version",
    "content-type",
    "x-mailer",
    "dkim-signature",
    "delivered-to",
];
/// Parts that hold the header of the returned mail without its body.
const HEADER_PARTS: &[&str] =
    &["text/rfc822-headers", "message/rfc822-headers", "message/global-headers", "text/rfc822"];

/// Takes the returned mail out of a report.
pub(in crate::inbound) fn split(mail: &Mail<'_>, notice: String) -> Split {
    if let Some(enclosed) = mail.enclosed() {
        let original = of(enclosed);
        if original.message_id.is_some() || !original.to.is_empty() {
            let end = header_start(&notice).unwrap_or(notice.len());
            let notice = notice[..end].to_owned();
            return Split { notice, original: Some(original), returned_text: None };
        }
    }
    let header_part = mail.leaves().find(|p| HEADER_PARTS.contains(&mail.media(*p)));
    if let Some(original) = header_part.and_then(|p| read(&mail.part_text(p))) {
        return Split { notice, original: Some(original), returned_text: None };
    }
    if let Some(part) = mail.leaves().find(|p| mail.media(*p) == "message/disposition-notification") {
        let fields = read_field(&mail.part_text(part), "original-message-id");
        return Split {
            notice,
            original: fields.map(|id| Original { message_id: Some(id), ..Original::default() }),
            returned_text: None,
        };
    }
    match header_start(&notice) {
        Some(at) => {
            let text = without_marks(&notice[at..]);
            let original = header_block(&text).ok().map(|tree| of(Headers::of(&tree, 0)));
            Split { original, notice: notice[..at].to_owned(), returned_text: Some(text) }
        }
        None => Split { notice, original: None, returned_text: None },
    }
}

/// The fields of a returned mail that are a part of their own.
fn read(text: &str) -> Option<Original> {
    let text = without_marks(text);
    let tree = header_block(&text).ok()?;
    Some(of(Headers::of(&tree, 0)))
}

fn read_field(text: &str, name: &str) -> Option<String> {
    let tree = header_block(text).ok()?;
    Headers::of(&tree, 0).ids(name).into_iter().next()
}

/// The lines from the first header field on, without what stands before each: a quotation mark, an indentation.
fn without_marks(text: &str) -> String {
    let Some(first) = text.lines().find(|l| field_name(l).is_some()) else { return text.to_owned() };
    let mark = &first[..first.len() - unmarked(first).len()];
    let from = text.find(first).unwrap_or_default();
    let bare = |l| str::strip_prefix(l, mark).or_else(|| str::strip_prefix(l, mark.trim_end())).unwrap_or(l);
    text[from..].lines().flat_map(|l| [bare(l), "\n"]).collect()
}

fn of(head: Headers<'_>) -> Original {
    let ids = head.ids("message-id");
    let mut to = Vec::new();
    for name in ["to", "cc", "delivered-to", "x-original-to", "envelope-to", "resent-to", "apparently-to"] {
        to.extend(head.addresses(name).into_iter().map(|a| a.address));
    }
    let mut from = Vec::new();
    for name in ["from", "sender", "return-path", "reply-to"] {
        from.extend(head.addresses(name).into_iter().map(|a| a.address));
    }
    Original { message_id: ids.into_iter().next(), to, from }
}

/// Where a block of header lines begins in a text: three different well-known fields in a row, one of them a machine's.
fn header_start(text: &str) -> Option<usize> {
    let mut start = None;
    let mut seen: Vec<&str> = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let bare = unmarked(line.trim_end());
        match field_name(line) {
            Some(name) => {
                start.get_or_insert(at);
                if !seen.contains(&name) {
                    seen.push(name);
                }
                if seen.len() >= 3 && seen.iter().any(|n| MACHINE_NAMES.contains(n)) {
                    return start;
                }
            }
            None if bare.is_empty() || !(line.starts_with([' ', '\t']) || is_other_field(bare)) => {
                start = None;
                seen.clear();
            }
            None => (),
        }
        at += line.len();
    }
    None
}

/// The line without the quotation mark or indentation before it.
fn unmarked(line: &str) -> &str {
    line.trim_start_matches(['>', '|', ' ', '\t'])
}

/// The well-known field that the line begins.
fn field_name(line: &str) -> Option<&'static str> {
    let bare = unmarked(line);
    let colon = bare.bytes().take(30).position(|b| b == b':')?;
    let name = bare.get(..colon)?;
    NAMES.iter().copied().find(|n| n.eq_ignore_ascii_case(name))
}

fn is_other_field(bare: &str) -> bool {
    let Some(colon) = bare.bytes().take(60).position(|b| b == b':') else { return false };
    colon > 1 && bare.as_bytes()[..colon].iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-')
}
