//! Text that may stand in a header, and how it is written there: as it is where that is safe, else as encoded words
//! (RFC 2047). Control characters are refused here, so no header can be injected further down.

use super::fold::Header;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt;

/// The most bytes of UTF-8 that one header text may have; longer ones make mails that servers refuse.
const BYTES_MAX: usize = 4096;
/// An encoded word, delimiters included, has at most 75 characters (RFC 2047 §2).
const WORD_MAX: usize = 75;
/// `=?utf-8?Q?` and `?=`.
const WORD_FRAME: usize = 12;
/// A shorter rest of a line is not worth an encoded word; the line is folded first.
const WORD_WORTH: usize = 24;

/// Text for a header: a subject, a display name, a file name, the value of a header of one's own. Any Unicode but
/// control characters (a tab is allowed), at most 4,096 bytes.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct HeaderText(String);

/// Why a text may not stand in a header.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidHeaderText {
    #[error(
        "character {position} is the control character U+{code:04X}{}: a header is one line of text without control characters",
        control_name(*code)
    )]
    Control {
        code: u32,
        /// Counted from 1, in characters.
        position: usize,
    },
    #[error("{bytes} bytes long: a header takes at most {BYTES_MAX}")]
    TooLong { bytes: usize },
}

impl HeaderText {
    pub fn new(text: impl Into<String>) -> Result<HeaderText, InvalidHeaderText> {
        let text = text.into();
        if text.len() > BYTES_MAX {
            return Err(InvalidHeaderText::TooLong { bytes: text.len() });
        }
        match text.chars().enumerate().find(|(_, c)| c.is_control() && *c != '\t') {
            Some((i, c)) => Err(InvalidHeaderText::Control { code: u32::from(c), position: i + 1 }),
            None => Ok(HeaderText(text)),
        }
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
    pub fn is_blank(&self) -> bool {
        self.0.trim().is_empty()
    }
}

impl fmt::Debug for HeaderText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}
impl fmt::Display for HeaderText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl TryFrom<&str> for HeaderText {
    type Error = InvalidHeaderText;
    fn try_from(text: &str) -> Result<HeaderText, InvalidHeaderText> {
        HeaderText::new(text)
    }
}

fn control_name(code: u32) -> &'static str {
    match code {
        0 => " (NUL)",
        0x0a => " (line feed)",
        0x0d => " (carriage return)",
        0x1b => " (escape)",
        _ => "",
    }
}

/// Writes unstructured text (RFC 5322 §2.2.1), such as a subject.
pub(super) fn write_unstructured(header: &mut Header<'_>, text: &HeaderText) {
    let text = text.as_str();
    if text.is_empty() {
        return;
    }
    if reads_back_unstructured(text) {
        text.split(' ').for_each(|word| header.word(word.as_bytes()));
    } else {
        write_encoded_words(header, text);
    }
}

/// Writes a display name (RFC 5322 §3.2.5, phrase): atoms, a quoted string or encoded words. `text` is not blank.
pub(super) fn write_phrase(header: &mut Header<'_>, text: &HeaderText) {
    let text = text.as_str();
    if !reads_back_unstructured(text) {
        return write_encoded_words(header, text);
    }
    if text.bytes().all(|b| b == b' ' || is_atom(b)) {
        return text.split(' ').for_each(|word| header.word(word.as_bytes()));
    }
    let mut quoted = Vec::with_capacity(text.len() + 8);
    quote(&mut quoted, text);
    if quoted.len() <= WORD_MAX {
        header.word(&quoted);
    } else {
        write_encoded_words(header, text);
    }
}

/// Appends `text`, printable ASCII, as a quoted string (RFC 5322 §3.2.4).
pub(super) fn quote(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    for b in text.bytes() {
        if matches!(b, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(b);
    }
    out.push(b'"');
}

/// An atom's character (RFC 5322 §3.2.3).
pub(super) fn is_atom(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b)
}

/// Whether every reader gives the text back when it is written as it is: printable ASCII, single spaces between words
/// (folding may touch others), words that fit a line, and nothing that looks like an encoded word.
fn reads_back_unstructured(text: &str) -> bool {
    let mut word = 0;
    let mut last = b' ';
    for b in text.bytes() {
        match b {
            b' ' if last == b' ' => return false,
            b' ' => word = 0,
            b'!'..=b'~' => word += 1,
            _ => return false,
        }
        if word > WORD_MAX || (last == b'=' && b == b'?') {
            return false;
        }
        last = b;
    }
    last != b' '
}

/// Q where most of the text is plain letters, which a person can still read, B where it is not. No character is cut in two (RFC 2047 §5); white space
/// between two encoded words is no part of the text (§6.2), so the words join without a seam.
fn write_encoded_words(header: &mut Header<'_>, text: &str) {
    let q = text.bytes().map(q_width).sum::<usize>() <= text.len() * 2;
    let mut word = Vec::with_capacity(WORD_MAX);
    let mut rest = text;
    while !rest.is_empty() {
        let room = match header.room() {
            room if room >= WORD_WORTH => room.min(WORD_MAX),
            _ => WORD_MAX,
        };
        let cut = encoded_cut(rest, room - WORD_FRAME, q);
        let (now, later) = rest.split_at(cut);
        word.clear();
        word.extend_from_slice(if q { b"=?utf-8?Q?" } else { b"=?utf-8?B?" });
        if q {
            now.bytes().for_each(|b| push_q(&mut word, b));
        } else {
            word.extend_from_slice(STANDARD.encode(now).as_bytes());
        }
        word.extend_from_slice(b"?=");
        header.word(&word);
        rest = later;
    }
}

/// How many bytes of `text`, whole characters and at least one, fit `room` columns once encoded.
fn encoded_cut(text: &str, room: usize, q: bool) -> usize {
    let mut cut = 0;
    let mut columns = 0;
    for c in text.chars() {
        let bytes = c.len_utf8();
        columns += if q { q_char_width(c) } else { 0 };
        let needed = if q { columns } else { (cut + bytes).div_ceil(3) * 4 };
        if needed > room && cut > 0 {
            break;
        }
        cut += bytes;
    }
    cut
}

fn q_char_width(c: char) -> usize {
    if c.is_ascii() { q_width(c as u8) } else { 3 * c.len_utf8() }
}

fn q_width(b: u8) -> usize {
    if b == b' ' || q_plain(b) { 1 } else { 3 }
}

/// The narrow set that is safe in a phrase as well (RFC 2047 §5, rule 3).
fn q_plain(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"!*+-/".contains(&b)
}

fn push_q(out: &mut Vec<u8>, b: u8) {
    match b {
        b' ' => out.push(b'_'),
        b if q_plain(b) => out.push(b),
        b => push_hex(out, b'=', b),
    }
}

/// Appends `mark` and two upper-case hexadecimal digits.
pub(super) fn push_hex(out: &mut Vec<u8>, mark: u8, b: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    out.extend_from_slice(&[mark, DIGITS[usize::from(b >> 4)], DIGITS[usize::from(b & 15)]]);
}
