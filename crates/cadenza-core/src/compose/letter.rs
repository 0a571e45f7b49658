//! The letter, and the whole mail made of it. The order of headers and parts is fixed; see `body` for the encodings.

use super::address::{Mailbox, write_mailboxes};
use super::body::{Encoding, write_base64, write_text};
use super::date::{SentAt, write_date};
use super::fold::Header;
use super::headers::{Headers, MimeType, write_headers};
use super::ids::MessageId;
use super::plain::plain_text;
use super::text::{HeaderText, push_hex, quote, write_unstructured};
use sha2::{Digest, Sha256};
use std::borrow::Cow;

/// A mail before it is bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Letter {
    pub from: Mailbox,
    /// Shown in the header; who receives it is the envelope's business.
    pub to: Vec<Mailbox>,
    pub cc: Vec<Mailbox>,
    pub reply_to: Option<Mailbox>,
    pub subject: HeaderText,
    pub date: SentAt,
    pub message_id: MessageId,
    pub in_reply_to: Option<MessageId>,
    /// Oldest first, as RFC 5322 §3.6.4 has it.
    pub references: Vec<MessageId>,
    pub content: Content,
    pub attachments: Vec<Attachment>,
    pub headers: Headers,
}

/// What is to be read. Line ends may be of any kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    Text(String),
    /// Goes out with a text alternative made from it by [`plain_text`].
    Html(String),
    Both {
        text: String,
        html: String,
    },
}

/// A file sent along, as its very bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    pub name: HeaderText,
    pub mime: MimeType,
    pub bytes: Vec<u8>,
}

impl Letter {
    /// A letter with the required parts; the others are public fields.
    pub fn new(from: Mailbox, to: Mailbox, subject: HeaderText, date: SentAt, message_id: MessageId) -> Letter {
        Letter {
            from,
            to: vec![to],
            cc: Vec::new(),
            reply_to: None,
            subject,
            date,
            message_id,
            in_reply_to: None,
            references: Vec::new(),
            content: Content::Text(String::new()),
            attachments: Vec::new(),
            headers: Headers::default(),
        }
    }
}

/// The mail as it goes over the wire, before dot stuffing: 7-bit ASCII, CRLF line ends and never a CR or LF by itself,
/// no line over 998 bytes (bodies 76, headers 78 wherever there is a place to fold). Depends on the letter alone.
pub fn compose(letter: &Letter) -> Vec<u8> {
    let mut out = Vec::with_capacity(size_guess(letter));
    write_envelope_headers(&mut out, letter);
    write_headers(&mut out, &letter.headers);
    out.extend_from_slice(b"MIME-Version: 1.0\r\n");
    let boundary = Boundary::of(&letter.message_id);
    if letter.attachments.is_empty() {
        write_content(&mut out, &letter.content, &boundary);
        return out;
    }
    boundary.open(&mut out, Level::Mixed);
    boundary.part(&mut out, Level::Mixed);
    write_content(&mut out, &letter.content, &boundary);
    for attachment in &letter.attachments {
        boundary.part(&mut out, Level::Mixed);
        write_attachment(&mut out, attachment);
    }
    boundary.close(&mut out, Level::Mixed);
    out
}

fn size_guess(letter: &Letter) -> usize {
    let content = match &letter.content {
        Content::Text(text) => text.len(),
        Content::Html(html) => html.len() * 2,
        Content::Both { text, html } => text.len() + html.len(),
    };
    let attached: usize = letter.attachments.iter().map(|a| a.bytes.len() / 57 * 78 + 512).sum();
    2048 + content + content / 4 + attached
}

fn write_envelope_headers(out: &mut Vec<u8>, letter: &Letter) {
    out.extend_from_slice(b"Date: ");
    write_date(out, letter.date);
    out.extend_from_slice(b"\r\n");
    write_people(out, "From", std::slice::from_ref(&letter.from));
    write_people(out, "To", &letter.to);
    write_people(out, "Cc", &letter.cc);
    write_people(out, "Reply-To", letter.reply_to.as_slice());
    let mut subject = Header::begin(out, "Subject");
    write_unstructured(&mut subject, &letter.subject);
    subject.end();
    write_ids(out, "Message-ID", std::slice::from_ref(&letter.message_id));
    write_ids(out, "In-Reply-To", letter.in_reply_to.as_slice());
    write_ids(out, "References", &letter.references);
}

/// Nothing where there is nobody: an empty address list is no valid header.
fn write_people(out: &mut Vec<u8>, name: &str, people: &[Mailbox]) {
    if !people.is_empty() {
        let mut header = Header::begin(out, name);
        write_mailboxes(&mut header, people);
        header.end();
    }
}

fn write_ids(out: &mut Vec<u8>, name: &str, ids: &[MessageId]) {
    if !ids.is_empty() {
        let mut header = Header::begin(out, name);
        ids.iter().for_each(|id| header.bracketed(id.as_str()));
        header.end();
    }
}

fn write_content(out: &mut Vec<u8>, content: &Content, boundary: &Boundary) {
    let (text, html): (Cow<'_, str>, &str) = match content {
        Content::Text(text) => return write_part(out, "text/plain", text),
        Content::Html(html) => (plain_text(html).into(), html),
        Content::Both { text, html } => (text.into(), html),
    };
    boundary.open(out, Level::Alternative);
    boundary.part(out, Level::Alternative);
    write_part(out, "text/plain", &text);
    boundary.part(out, Level::Alternative);
    write_part(out, "text/html", html);
    boundary.close(out, Level::Alternative);
}

fn write_part(out: &mut Vec<u8>, mime: &str, text: &str) {
    let encoding = Encoding::of(text);
    for piece in ["Content-Type: ", mime, "; charset=utf-8\r\nContent-Transfer-Encoding: ", encoding.name(), "\r\n\r\n"]
    {
        out.extend_from_slice(piece.as_bytes());
    }
    write_text(out, text, encoding);
}

fn write_attachment(out: &mut Vec<u8>, attachment: &Attachment) {
    let mut kind = Header::begin(out, "Content-Type");
    kind.word(attachment.mime.as_str().as_bytes());
    kind.end();
    out.extend_from_slice(b"Content-Transfer-Encoding: base64\r\n");
    let mut disposition = Header::begin(out, "Content-Disposition");
    disposition.word(b"attachment");
    write_file_name(&mut disposition, attachment.name.as_str());
    disposition.end();
    out.extend_from_slice(b"\r\n");
    write_base64(out, &attachment.bytes);
}

/// Columns of the value of one section of a long name.
const SECTION: usize = 54;

/// The `filename` parameter (RFC 2183 §2.3): quoted if it is short and plain, else percent-encoded UTF-8 (RFC 2231 §4),
/// in numbered sections where it is long (§3).
fn write_file_name(header: &mut Header<'_>, name: &str) {
    if name.is_empty() {
        return;
    }
    header.glue(b';');
    let plain = |b: u8| (b' '..=b'~').contains(&b) && b != b'"' && b != b'\\';
    if name.len() <= SECTION && name.bytes().all(plain) && !name.contains("=?") {
        let mut word = b"filename=".to_vec();
        quote(&mut word, name);
        return header.word(&word);
    }
    let mut encoded = Vec::with_capacity(name.len() * 3);
    let mut sections: Vec<Vec<u8>> = Vec::new();
    let mut bytes = [0; 4];
    for c in name.chars() {
        let start = encoded.len();
        for b in c.encode_utf8(&mut bytes).bytes() {
            // RFC 2231 §7, attribute-char; narrower, as RFC 5987 has it.
            match b.is_ascii_alphanumeric() || b"-._~".contains(&b) {
                true => encoded.push(b),
                false => push_hex(&mut encoded, b'%', b),
            }
        }
        // Characters stay whole: some readers decode section by section.
        if encoded.len() > SECTION {
            let next = encoded.split_off(start);
            sections.push(std::mem::replace(&mut encoded, next));
        }
    }
    sections.push(encoded);
    let last = sections.len() - 1;
    for (i, section) in sections.iter().enumerate() {
        let mut word = if last == 0 { b"filename*=".to_vec() } else { format!("filename*{i}*=").into_bytes() };
        if i == 0 {
            word.extend_from_slice(b"utf-8''");
        }
        word.extend_from_slice(section);
        header.word(&word);
        if i < last {
            header.glue(b';');
        }
    }
}

/// Which multipart a delimiter belongs to.
#[derive(Debug, Clone, Copy)]
enum Level {
    Mixed,
    Alternative,
}

/// The delimiters of one mail: `=_`, a letter for the level, and a hash of the Message-ID, so that a retry has the same.
/// It cannot stand in a body: every body is quoted-printable, where `=` is followed by two hexadecimal digits or the end
/// of the line, never by `_`, or base64, which has neither `_` nor a `=` in front of anything (RFC 2045 §6.7 advises it).
struct Boundary {
    hash: [u8; 32],
}

impl Boundary {
    fn of(id: &MessageId) -> Boundary {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digest = Sha256::digest(id.as_str().as_bytes());
        let mut hash = [0; 32];
        for (two, byte) in hash.chunks_exact_mut(2).zip(digest) {
            two.copy_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
        }
        Boundary { hash }
    }

    fn write(&self, out: &mut Vec<u8>, level: Level) {
        out.extend_from_slice(match level {
            Level::Mixed => b"=_m",
            Level::Alternative => b"=_a",
        });
        out.extend_from_slice(&self.hash);
    }

    /// The Content-Type header and the empty line after it.
    fn open(&self, out: &mut Vec<u8>, level: Level) {
        out.extend_from_slice(match level {
            Level::Mixed => b"Content-Type: multipart/mixed;\r\n boundary=\"".as_slice(),
            Level::Alternative => b"Content-Type: multipart/alternative;\r\n boundary=\"",
        });
        self.write(out, level);
        out.extend_from_slice(b"\"\r\n\r\n");
    }

    fn part(&self, out: &mut Vec<u8>, level: Level) {
        out.extend_from_slice(b"--");
        self.write(out, level);
        out.extend_from_slice(b"\r\n");
    }

    fn close(&self, out: &mut Vec<u8>, level: Level) {
        out.extend_from_slice(b"--");
        self.write(out, level);
        out.extend_from_slice(b"--\r\n");
    }
}
