//! Finds SMTP reply codes (RFC 5321, section 4.2) and enhanced status codes (RFC 3463) in text.

/// The first enhanced status code of failure in the text, such as `5.1.1`. Parts of IP addresses are none.
pub(super) fn enhanced(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let opens = matches!(bytes[at], b'2' | b'4' | b'5') && bytes.get(at + 1) == Some(&b'.');
        if opens
            && free_before(bytes, at)
            && let Some(end) = code_end(bytes, at)
        {
            return Some(text[at..end].to_owned());
        }
        at += 1;
    }
    None
}

/// The first reply code of 4xx or 5xx in the text: three digits of their own, followed by a blank, dash or the end.
pub(super) fn reply(text: &str) -> Option<u16> {
    let bytes = text.as_bytes();
    (0..bytes.len().saturating_sub(2)).find_map(|at| {
        let code = &bytes[at..at + 3];
        let digits = matches!(code[0], b'4' | b'5') && matches!(code[1], b'0'..=b'7') && code[2].is_ascii_digit();
        let before = at == 0
            || matches!(
                bytes[at - 1],
                b' ' | b'\n' | b'\t' | b':' | b'(' | b'#' | b'<' | b'"' | b'\'' | b'-' | b'=' | b'[' | b';'
            );
        let after = matches!(
            bytes.get(at + 3),
            None | Some(b' ' | b'-' | b'\n' | b'\t' | b'.' | b',' | b')' | b':' | b'"' | b'\'')
        );
        (digits && before && after)
            .then(|| u16::from(code[0] - b'0') * 100 + u16::from(code[1] - b'0') * 10 + u16::from(code[2] - b'0'))
    })
}

fn free_before(bytes: &[u8], at: usize) -> bool {
    at == 0 || !(bytes[at - 1].is_ascii_alphanumeric() || matches!(bytes[at - 1], b'.' | b'-'))
}

/// Where `d.ddd.ddd` ends; none where it is something else.
fn code_end(bytes: &[u8], at: usize) -> Option<usize> {
    let mut end = at + 2;
    for last in [false, true] {
        let digits = bytes[end.min(bytes.len())..].iter().take_while(|b| b.is_ascii_digit()).count();
        if !(1..=3).contains(&digits) {
            return None;
        }
        end += digits;
        if !last {
            if bytes.get(end) != Some(&b'.') {
                return None;
            }
            end += 1;
        }
    }
    let more = bytes.get(end).is_some_and(|b| b.is_ascii_alphanumeric())
        || (bytes.get(end) == Some(&b'.') && bytes.get(end + 1).is_some_and(u8::is_ascii_digit));
    (!more).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_told_from_addresses_and_versions() {
        assert_eq!(enhanced("said: 550 5.1.1 unknown"), Some("5.1.1".to_owned()));
        assert_eq!(enhanced("host 5.1.1.9 (v15.5.12.3)"), None);
        assert_eq!(enhanced("#4.4.7"), Some("4.4.7".to_owned()));
        assert_eq!(reply("host [192.0.2.550] said: 552 too big"), Some(552));
        assert_eq!(reply("room 5501, 5 550s"), None);
    }
}
