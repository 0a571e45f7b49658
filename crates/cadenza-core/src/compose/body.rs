//! Bodies as MIME encodes them (RFC 2045 §6): text as quoted-printable or base64, whichever is shorter, attachments as
//! base64. Every body is encoded, so lines have at most 76 columns, line ends are CRLF, and all of it is 7-bit ASCII.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// 57 bytes make 76 columns of base64.
const BASE64_ROW: usize = 57;
/// Columns of quoted-printable, so that the `=` of a soft break is the 76th at most.
const QP_COLUMNS: usize = 75;

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    QuotedPrintable,
    Base64,
}

impl Encoding {
    /// The shorter one for this text.
    pub fn of(text: &str) -> Encoding {
        let escaped = text.bytes().filter(|b| KIND[usize::from(*b)] == Kind::Escaped).count();
        // base64 adds a third of the length, an escape two bytes.
        if escaped * 6 > text.len() { Encoding::Base64 } else { Encoding::QuotedPrintable }
    }
    pub fn name(self) -> &'static str {
        match self {
            Encoding::QuotedPrintable => "quoted-printable",
            Encoding::Base64 => "base64",
        }
    }
}

/// Appends the text; its line ends, of whatever kind, become CRLF. Ends with exactly one line end, which in a multipart
/// belongs to the delimiter that follows (RFC 2046 §5.1.1), so one line end at the end of the text is not kept there.
pub(super) fn write_text(out: &mut Vec<u8>, text: &str, encoding: Encoding) {
    let start = out.len();
    match encoding {
        Encoding::QuotedPrintable => write_quoted_printable(out, text.as_bytes()),
        Encoding::Base64 => write_base64(out, &normalised(text)),
    }
    if !out[start..].ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
}

/// Appends base64 in rows of 76 columns, each with its CRLF; no bytes are one empty row.
pub(super) fn write_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    out.reserve(bytes.len() / BASE64_ROW * 78 + 80);
    if bytes.is_empty() {
        out.extend_from_slice(b"\r\n");
    }
    for row in bytes.chunks(BASE64_ROW) {
        let start = out.len();
        out.resize(start + row.len().div_ceil(3) * 4, 0);
        // The room was just made to measure, so this cannot fail.
        let _ = STANDARD.encode_slice(row, &mut out[start..]);
        out.extend_from_slice(b"\r\n");
    }
}

/// With every CR, LF and CRLF as CRLF.
fn normalised(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + text.len() / 16);
    let mut bytes = text.bytes().peekable();
    while let Some(b) = bytes.next() {
        match b {
            b'\r' => {
                bytes.next_if_eq(&b'\n');
                out.extend_from_slice(b"\r\n");
            }
            b'\n' => out.extend_from_slice(b"\r\n"),
            b => out.push(b),
        }
    }
    out
}

/// What quoted-printable does with a byte (RFC 2045 §6.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    /// Space and tab: plain, but not at the end of a line.
    Blank,
    LineEnd,
    Escaped,
}

const KIND: [Kind; 256] = {
    let mut kinds = [Kind::Escaped; 256];
    let mut b = b'!';
    while b <= b'~' {
        kinds[b as usize] = Kind::Plain;
        b += 1;
    }
    kinds[b'=' as usize] = Kind::Escaped;
    kinds[b' ' as usize] = Kind::Blank;
    kinds[b'\t' as usize] = Kind::Blank;
    kinds[b'\r' as usize] = Kind::LineEnd;
    kinds[b'\n' as usize] = Kind::LineEnd;
    kinds
};

fn write_quoted_printable(out: &mut Vec<u8>, text: &[u8]) {
    let mut rest = text;
    let mut column = 0;
    while let Some(&first) = rest.first() {
        if KIND[usize::from(first)] == Kind::LineEnd {
            out.extend_from_slice(b"\r\n");
            rest = &rest[if rest.starts_with(b"\r\n") { 2 } else { 1 }..];
            column = 0;
            continue;
        }
        if column == 0 && is_hazard(rest) {
            super::text::push_hex(out, b'=', first);
            rest = &rest[1..];
            column = 3;
            continue;
        }
        let run = plain_run(rest, QP_COLUMNS - column);
        out.extend_from_slice(&rest[..run]);
        rest = &rest[run..];
        column += run;
        match rest.first() {
            None => break,
            Some(&b) if KIND[usize::from(b)] == Kind::LineEnd => continue,
            // An escape, or a blank that ends its line.
            Some(&b) if column + 3 <= QP_COLUMNS && !goes_plain(rest) => {
                super::text::push_hex(out, b'=', b);
                rest = &rest[1..];
                column += 3;
            }
            Some(_) => {
                out.extend_from_slice(b"=\r\n");
                column = 0;
            }
        }
    }
}

/// How many bytes from the start go as they are, at most `room`.
fn plain_run(text: &[u8], room: usize) -> usize {
    let text = &text[..text.len().min(room + 1)];
    let plain = |b: &u8| matches!(KIND[usize::from(*b)], Kind::Plain | Kind::Blank);
    let run = text.iter().position(|b| !plain(b)).unwrap_or(text.len());
    let run = run.min(room);
    // A blank in front of a line end, or of the end of all, is escaped; more than one: all but the last are safe then.
    if run > 0 && !goes_plain(&text[run - 1..]) { run - 1 } else { run }
}

/// Whether the first byte may stand as it is: a blank may not end a line.
fn goes_plain(text: &[u8]) -> bool {
    match KIND[usize::from(text[0])] {
        Kind::Plain => true,
        Kind::Blank => text.get(1).is_some_and(|b| KIND[usize::from(*b)] != Kind::LineEnd),
        Kind::LineEnd | Kind::Escaped => false,
    }
}

/// What servers and mailbox files trip over at the start of a line: a dot (RFC 5321 §4.5.2) and `From `.
fn is_hazard(text: &[u8]) -> bool {
    text[0] == b'.' || text.starts_with(b"From ")
}
