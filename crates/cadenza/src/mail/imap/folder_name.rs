//! Names of folders as IMAP writes them: modified UTF-7 (RFC 3501 §5.1.3), in quotes.

use base64::Engine;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig, general_purpose::NO_PAD};

const BASE64: GeneralPurpose = GeneralPurpose::new(&IMAP_MUTF7, NO_PAD);
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &IMAP_MUTF7,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(base64::engine::DecodePaddingMode::Indifferent),
);

/// For a command: encoded and quoted.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", encode(name).replace('\\', "\\\\").replace('"', "\\\""))
}

fn encode(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut shifted: Vec<u16> = Vec::new();
    let end = |shifted: &mut Vec<u16>, out: &mut String| {
        if !shifted.is_empty() {
            let bytes: Vec<u8> = shifted.drain(..).flat_map(u16::to_be_bytes).collect();
            out.push('&');
            out.push_str(&BASE64.encode(bytes));
            out.push('-');
        }
    };
    for c in name.chars() {
        match c {
            '&' => {
                end(&mut shifted, &mut out);
                out.push_str("&-");
            }
            ' '..='~' => {
                end(&mut shifted, &mut out);
                out.push(c);
            }
            _ => shifted.extend_from_slice(c.encode_utf16(&mut [0; 2])),
        }
    }
    end(&mut shifted, &mut out);
    out
}

/// As people read it. What is no modified UTF-7 (a server that writes UTF-8) stays as it is.
pub(super) fn decode(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(start) = rest.find('&') {
        out.push_str(&rest[..start]);
        rest = &rest[start..];
        let Some(end) = rest.find('-') else { break };
        match shifted(&rest[1..end]) {
            Some(text) => out.push_str(&text),
            None => out.push_str(&rest[..=end]),
        }
        rest = &rest[end + 1..];
    }
    out.push_str(rest);
    out
}

fn shifted(coded: &str) -> Option<String> {
    if coded.is_empty() {
        return Some("&".to_owned());
    }
    let bytes = LENIENT.decode(coded).ok()?;
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
    String::from_utf16(&units).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_there_and_back() {
        for (name, coded) in [
            ("INBOX", "INBOX"),
            ("Éléments envoyés", "&AMk-l&AOk-ments envoy&AOk-s"),
            ("R&D", "R&-D"),
            ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
            ("😀", "&2D3eAA-"),
        ] {
            assert_eq!(encode(name), coded);
            assert_eq!(decode(coded), name);
        }
        assert_eq!(quoted("a\"b\\c"), r#""a\"b\\c""#);
        for odd in ["a&b", "&!!-", "Entwürfe", "&", "&AA-"] {
            decode(odd);
        }
        assert_eq!(decode("Entwürfe"), "Entwürfe");
        assert_eq!(decode("a&b"), "a&b");
    }
}
