//! What each type accepts and how it refuses the rest.

use super::*;

#[test]
fn addresses_are_kept_in_one_canonical_form() {
    for (given, kept) in [
        ("bob@example.com", "bob@example.com"),
        ("Bob.Jones+tag@Example.COM", "Bob.Jones+tag@example.com"),
        ("root@localhost", "root@localhost"),
        ("info@münchen.example", "info@xn--mnchen-3ya.example"),
        ("info@MÜNCHEN.example", "info@xn--mnchen-3ya.example"),
        ("info@例え。テスト", "info@xn--r8jz45g.xn--zckzah"),
        ("info@xn--mnchen-3ya.example", "info@xn--mnchen-3ya.example"),
        ("o'brien!#$%&*/=?^_`{|}~-@a.example", "o'brien!#$%&*/=?^_`{|}~-@a.example"),
    ] {
        let parsed = address(given);
        assert_eq!(parsed.as_str(), kept);
        assert_eq!(format!("{}@{}", parsed.local(), parsed.domain()), kept);
        assert_eq!(address(kept), parsed);
        let json = serde_json::to_string(&parsed).unwrap();
        assert_eq!(serde_json::from_str::<Address>(&json).unwrap(), parsed);
    }
}

#[test]
fn addresses_are_refused_with_the_reason() {
    for (given, reason) in [
        ("", "expected name@domain"),
        ("bob", "expected name@domain"),
        ("@example.com", "empty or longer than 64"),
        ("bob@", "the domain \"\" is not valid"),
        ("bob@example..com", "is not valid: expected labels"),
        ("bob@-a.com", "is not valid: expected labels"),
        ("bob@exa_mple.com", "is not valid: expected labels"),
        ("bob@example.com\r\nBcc: x", "is not valid: expected labels"),
        ("bob@example.com\r\nBcc: x@y.com", "'@' may not stand"),
        ("bob@example.com>", "is not valid: expected labels"),
        ("bob@[192.0.2.1]", "by its number"),
        ("bob@127.0.0.1", "by its number"),
        ("bob@１２７.0.0.1", "by its number"),
        ("jörg@example.com", "letters outside ASCII"),
        ("bob\r\n@example.com", "'\\r' may not stand"),
        ("bob\0@example.com", "'\\0' may not stand"),
        ("bob jones@example.com", "' ' may not stand"),
        ("<bob@example.com", "'<' may not stand"),
        (".bob@example.com", "begins or ends with a dot"),
        ("bo..b@example.com", "two in a row"),
        ("\"bob jones\"@example.com", "'\"' may not stand"),
        ("\"x@evil.example y\"@example.com", "'\"' may not stand"),
    ] {
        let refusal = given.parse::<Address>().unwrap_err().to_string();
        assert!(refusal.contains(reason), "{given:?}: {refusal}");
    }
    assert!(format!("{}@example.com", "a".repeat(65)).parse::<Address>().is_err());
    assert!(format!("a@{}.com", "a".repeat(64)).parse::<Address>().is_err());
    let long = format!("a@{}com", "abcdefghi.".repeat(25));
    assert!(matches!(long.parse::<Address>(), Err(InvalidAddress::TooLong { .. })), "{}", long.len());
}

#[test]
fn header_text_names_the_character_and_its_place() {
    let refusal = HeaderText::new("Hi Bob\r\nBcc: x@y.example").unwrap_err();
    assert_eq!(refusal, InvalidHeaderText::Control { code: 13, position: 7 });
    assert_eq!(
        refusal.to_string(),
        "character 7 is the control character U+000D (carriage return): a header is one line of text without control characters"
    );
    assert!(HeaderText::new("a\u{85}b").is_err(), "NEL ends a line for some readers");
    assert!(HeaderText::new("a\tb").is_ok());
    assert_eq!(HeaderText::new("x".repeat(4097)), Err(InvalidHeaderText::TooLong { bytes: 4097 }));
    assert!(Mailbox::named("Bob\n", address("a@b.example")).is_err(), "not even where it would be trimmed");
}

#[test]
fn message_ids_are_ours_or_as_they_came() {
    let ours = MessageId::new("0198-ab.3", "Mail.Example").unwrap();
    assert_eq!(ours.to_string(), "<0198-ab.3@mail.example>");
    assert_eq!(ours.to_string().parse::<MessageId>().unwrap(), ours);
    assert!("odd[id]=(without)at".parse::<MessageId>().is_ok());
    for bad in ["", "<>", "<a b>", "<a>\r\nBcc: x", "a>b", "ä@b", &"x".repeat(991)] {
        assert!(bad.parse::<MessageId>().is_err(), "{bad:?}");
    }
    for bad in ["", "a b", "a@b", "a..b", "a\r\n", ".a"] {
        assert!(matches!(MessageId::new(bad, "b.example"), Err(InvalidMessageId::Unique { .. })), "{bad:?}");
    }
    assert!(matches!(MessageId::new("a", "b example"), Err(InvalidMessageId::Domain(_))));
}

#[test]
fn extra_headers_accept_only_their_own_form() {
    for good in ["https://a.example/u/1?x=y", "http://127.0.0.1:8080/u", "http://localhost/u", "http://[::1]:1/u"] {
        assert_eq!(good.parse::<OneClickUrl>().unwrap().to_string(), good);
    }
    let long = format!("https://a.example/{}", "x".repeat(900));
    for bad in [
        "http://a.example/u",
        "http://localhost.evil.example/",
        "https://",
        "https:///x",
        "https://a/ b",
        "https://a/>\r\nBcc: x",
        "https://ä.example/",
        "javascript:alert(1)",
        &long,
    ] {
        assert!(bad.parse::<OneClickUrl>().is_err(), "{bad:?}");
    }
    for bad in ["Bcc", "X-", "X-A B", "X-A:", "X-A\r\nBcc", "Subject", "X_A", "X-ä"] {
        assert!(bad.parse::<HeaderName>().is_err(), "{bad:?}");
    }
    assert!("x-trace-1".parse::<HeaderName>().is_ok());
    assert_eq!("Image/SVG+xml".parse::<MimeType>().unwrap().as_str(), "image/svg+xml");
    for bad in ["pdf", "a/b/c", "text/plain; charset=x", "multipart/mixed", "message/rfc822", "a/", "/b", "a/b\r\n"] {
        assert!(bad.parse::<MimeType>().is_err(), "{bad:?}");
    }
    assert!(FeedbackId::new(&["a", "b", "c", "d"], "sender").is_err());
    assert!(FeedbackId::new(&["a:b"], "sender").is_err());
    assert!(FeedbackId::new(&[], "abcd").is_err());
    let url = MailtoUrl::new(&address("u+x/y@a.example"), &text("Abmelden & fertig \u{e4}"));
    assert_eq!(url.as_str(), "mailto:u%2Bx%2Fy@a.example?subject=Abmelden%20%26%20fertig%20%C3%A4");
}
