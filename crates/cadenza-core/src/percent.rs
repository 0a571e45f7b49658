//! Percent encoding (RFC 3986 §2.1), read.

/// Without percent encoding; what is no hexadecimal stays as it is, and bytes that are no UTF-8 become U+FFFD.
pub fn decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let hex =
            after.get(..2).filter(|h| h.iter().all(u8::is_ascii_hexdigit)).and_then(|h| std::str::from_utf8(h).ok());
        match hex.and_then(|h| u8::from_str_radix(h, 16).ok()).filter(|_| *first == b'%') {
            Some(byte) => {
                out.push(byte);
                rest = &after[2..];
            }
            None => {
                out.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::decoded;

    #[test]
    fn only_hexadecimal_is_decoded() {
        assert_eq!(decoded("a%20b%C3%BC%2f"), "a bü/");
        assert_eq!(decoded("100%"), "100%");
        assert_eq!(decoded("%zz%+1%4"), "%zz%+1%4");
        assert_eq!(decoded("%FF"), "\u{fffd}");
    }
}
