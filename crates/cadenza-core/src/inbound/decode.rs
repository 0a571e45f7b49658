//! Undoes transfer encodings and character sets, forgivingly: returned mails are often cut off in the middle.

use mail_parser::decoders::charsets::map::charset_decoder;
use std::borrow::Cow;

/// The transfer encodings of RFC 2045, section 6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Encoding {
    /// 7bit, 8bit, binary and whatever is unknown.
    #[default]
    Identity,
    QuotedPrintable,
    Base64,
}

impl Encoding {
    pub fn named(name: &str) -> Encoding {
        match name.trim().to_ascii_lowercase().as_str() {
            "base64" => Encoding::Base64,
            "quoted-printable" => Encoding::QuotedPrintable,
            _ => Encoding::Identity,
        }
    }
}

pub(super) fn transfer(bytes: &[u8], encoding: Encoding) -> Cow<'_, [u8]> {
    match encoding {
        Encoding::Identity => Cow::Borrowed(bytes),
        Encoding::QuotedPrintable => Cow::Owned(quoted_printable(bytes)),
        Encoding::Base64 => Cow::Owned(base64(bytes)),
    }
}

/// Text in the given character set; where that is missing, plain ASCII or wrong, UTF-8 if the bytes are such.
pub(super) fn text(bytes: &[u8], charset: Option<&str>) -> String {
    let charset = charset.unwrap_or_default().trim().to_ascii_lowercase();
    if matches!(charset.as_str(), "" | "utf-8" | "utf8" | "us-ascii" | "ascii") {
        return match std::str::from_utf8(bytes) {
            // ISO-2022-JP is seven-bit, so it passes for ASCII where the label is missing.
            Ok(text) if text.contains("\u{1b}$") => decode_as("iso-2022-jp", bytes),
            Ok(text) => text.to_owned(),
            Err(_) if charset.starts_with("utf") => String::from_utf8_lossy(bytes).into_owned(),
            Err(_) => decode_as("windows-1252", bytes),
        };
    }
    match (charset_decoder(charset.as_bytes()), std::str::from_utf8(bytes)) {
        (Some(decode), _) => decode(bytes),
        (None, Ok(text)) => text.to_owned(),
        (None, Err(_)) => decode_as("windows-1252", bytes),
    }
}

fn decode_as(charset: &str, bytes: &[u8]) -> String {
    match charset_decoder(charset.as_bytes()) {
        Some(decode) => decode(bytes),
        None => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// Characters outside the alphabet are skipped, an incomplete group at the end gives the bytes it has.
fn base64(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() / 4 * 3);
    let (mut group, mut bits) = (0u32, 0);
    for b in bytes {
        let value = match b {
            b'A'..=b'Z' => b - b'A',
            b'a'..=b'z' => b - b'a' + 26,
            b'0'..=b'9' => b - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => {
                (group, bits) = (0, 0);
                continue;
            }
            _ => continue,
        };
        group = (group << 6) | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push((group >> bits) as u8);
            group &= (1 << bits) - 1;
        }
    }
    out
}

/// An escape that is none stays as it is written.
fn quoted_printable(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let taken = match rest {
            [b'=', b'\n', ..] => 2,
            [b'=', b'\r', b'\n', ..] => 3,
            [b'=', high, low, ..] => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => {
                    out.push(high << 4 | low);
                    3
                }
                _ => soft_break(rest).unwrap_or_else(|| {
                    out.push(b'=');
                    1
                }),
            },
            [b'='] => 1,
            _ => {
                out.push(rest[0]);
                1
            }
        };
        at += taken;
    }
    out
}

/// `=` followed by blanks and a line end: blanks that some server added (RFC 2045, section 6.7, rule 3).
fn soft_break(rest: &[u8]) -> Option<usize> {
    let blanks = rest[1..].iter().take(80).take_while(|b| matches!(b, b' ' | b'\t' | b'\r')).count();
    (rest.get(1 + blanks) == Some(&b'\n')).then_some(blanks + 2)
}

fn hex(b: u8) -> Option<u8> {
    char::from(b).to_digit(16).map(|d| d as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cut_off_encodings_give_what_they_have() {
        assert_eq!(transfer(b"SGVsbG8sIHdvcmxkIQ", Encoding::Base64), &b"Hello, world!"[..]);
        assert_eq!(transfer(b"a=3Db=\r\nc=E4 =zz=", Encoding::QuotedPrintable), &b"a=bc\xe4 =zz"[..]);
        assert_eq!(transfer(b"soft= \t\r\nbreak", Encoding::QuotedPrintable), &b"softbreak"[..]);
    }

    #[test]
    fn a_missing_or_wrong_charset_still_reads() {
        assert_eq!(text("né".as_bytes(), None), "né");
        assert_eq!(text(b"n\xe9", Some("us-ascii")), "né");
        assert_eq!(text(b"n\xe9", Some("x-nobody-knows")), "né");
        assert_eq!(text(b"\x1b$B$3$s\x1b(B", None), "こん");
        assert_eq!(text(b"\xc4\xe3", Some("gb2312")), "你");
    }
}
