//! Properties: for arbitrary and hostile input, an independent parser sees the intended headers, people, bodies and
//! attachments, and nothing else.

use super::*;
use mail_parser::{Addr, HeaderValue, Message, MessageParser, MimeHeaders};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// What attackers and spreadsheets put into fields.
const HOSTILE: &[&str] = &[
    "\r\nBcc: evil@evil.example",
    "\nX-Injected: 1",
    "\r\n\r\n<script>alert(1)</script>",
    "\r\n.\r\nMAIL FROM:<evil@evil.example>",
    "\u{2028}Bcc: x@y.example",
    "=?utf-8?Q?=0D=0ABcc:_evil@evil.example?=",
    "\" <evil@evil.example>, \"",
    "a\\\"b",
    "--=_a",
    "\u{0}",
    "From here",
    ".",
    "..\n.\n",
    "  two  spaces  ",
    "Grüße, 日本語, 👩‍👩‍👧‍👦",
    "=\n=3D=",
    ";filename=x",
    "%0d%0a",
];

/// Anything at all, mixed with what is meant to break out.
fn anything() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => any::<String>(),
        2 => "[ -~]{0,90}",
        2 => "[a-zäöüß ]{0,60}",
        2 => prop::sample::select(HOSTILE).prop_map(str::to_owned),
        1 => "[\r\n\t .=a]{0,40}",
    ];
    vec(piece, 0..5).prop_map(|pieces| pieces.concat())
}

/// Anything that is accepted for a header; what is refused must have a control character or be too long.
fn header_text() -> impl Strategy<Value = HeaderText> {
    anything().prop_map(|raw| match HeaderText::new(raw.clone()) {
        Ok(text) => text,
        Err(_) => {
            assert!(raw.len() > 4096 || raw.chars().any(|c| c.is_control() && c != '\t'));
            HeaderText::new(raw.chars().filter(|c| !c.is_control()).take(1000).collect::<String>()).unwrap()
        }
    })
}

fn any_address() -> impl Strategy<Value = Address> {
    let local = "[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]{1,12}(\\.[a-z0-9]{1,8}){0,3}";
    let domain = "[a-z]([a-z0-9-]{0,20}[a-z0-9])?(\\.[a-z]([a-z0-9]{0,6})){1,3}";
    (local, domain).prop_map(|(local, domain)| format!("{local}@{domain}").parse().unwrap())
}

fn any_mailbox() -> impl Strategy<Value = Mailbox> {
    (option::of(header_text()), any_address()).prop_map(|(name, address)| match name {
        Some(name) => Mailbox::named(name.as_str(), address).unwrap(),
        None => Mailbox::bare(address),
    })
}

fn any_id() -> impl Strategy<Value = MessageId> {
    prop_oneof![
        "[a-z0-9]{1,30}@[a-z]{1,20}\\.example".prop_map(|id| id.parse().unwrap()),
        "[a-zA-Z0-9+/=._%-]{1,200}(@[a-z.]{1,200})?".prop_map(|id| id.parse().unwrap()),
    ]
}

fn any_content() -> impl Strategy<Value = Content> {
    prop_oneof![
        anything().prop_map(Content::Text),
        (anything(), anything()).prop_map(|(text, html)| Content::Both { text, html }),
    ]
}

fn any_attachment() -> impl Strategy<Value = Attachment> {
    let mime = prop::sample::select(&["application/pdf", "text/plain", "image/svg+xml", "text/html"][..]);
    (header_text(), mime, vec(any::<u8>(), 0..300)).prop_map(|(name, mime, bytes)| Attachment {
        name,
        mime: mime.parse().unwrap(),
        bytes,
    })
}

prop_compose! {
    fn any_letter()(
        from in any_mailbox(),
        to in vec(any_mailbox(), 1..4),
        cc in vec(any_mailbox(), 0..3),
        reply_to in option::of(any_mailbox()),
        subject in header_text(),
        date in (any::<i64>(), any::<i16>()),
        message_id in any_id(),
        in_reply_to in option::of(any_id()),
        references in vec(any_id(), 0..5),
        content in any_content(),
        attachments in vec(any_attachment(), 0..3),
        custom in vec(("X-[A-Za-z0-9]{1,20}", header_text()), 0..3),
    ) -> Letter {
        let custom = custom.into_iter().map(|(name, value)| (name.parse().unwrap(), value)).collect();
        let date = SentAt { at: Time::from_micros(date.0), offset_minutes: date.1 };
        let headers = Headers { custom, ..Headers::default() };
        Letter { from, to, cc, reply_to, subject, date, message_id, in_reply_to, references, content, attachments, headers }
    }
}

/// Line ends at the very end are the transport's.
fn lines(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.trim_end_matches('\n').to_owned()
}

/// Blanks at either end of a header's value are not the parser's to keep, and a tab may be read as a space.
fn words(text: &str) -> Vec<&str> {
    text.split([' ', '\t']).filter(|w| !w.is_empty()).collect()
}

fn same_people(seen: Option<&mail_parser::Address<'_>>, meant: &[Mailbox]) {
    let seen: Vec<&Addr<'_>> = seen.map(|list| list.iter().collect()).unwrap_or_default();
    assert_eq!(seen.len(), meant.len(), "{seen:?}");
    for (seen, meant) in seen.iter().zip(meant) {
        assert_eq!(seen.address(), Some(meant.address().as_str()));
        assert_eq!(words(seen.name().unwrap_or("")), words(meant.name().unwrap_or("")));
    }
}

fn ids<'a>(value: &'a HeaderValue<'_>) -> Vec<&'a str> {
    match value {
        HeaderValue::Text(one) => vec![one],
        list => list.as_text_list().unwrap_or_default().iter().map(AsRef::as_ref).collect(),
    }
}

fn header_names(letter: &Letter) -> Vec<String> {
    let mut names = vec!["date", "from", "to"];
    names.extend((!letter.cc.is_empty()).then_some("cc"));
    names.extend(letter.reply_to.as_ref().map(|_| "reply-to"));
    names.extend(["subject", "message-id"]);
    names.extend(letter.in_reply_to.as_ref().map(|_| "in-reply-to"));
    names.extend((!letter.references.is_empty()).then_some("references"));
    let custom = letter.headers.custom.iter().map(|(name, _)| format!("{name:?}"));
    let mut names: Vec<String> = names.into_iter().map(str::to_owned).collect();
    names.extend(custom.map(|debug| debug.trim_start_matches("HeaderName(\"").trim_end_matches("\")").to_lowercase()));
    names.extend(["mime-version".to_owned(), "content-type".to_owned()]);
    if letter.attachments.is_empty() && matches!(letter.content, Content::Text(_)) {
        names.push("content-transfer-encoding".to_owned());
    }
    names
}

fn same_bodies(mail: &Message<'_>, letter: &Letter) {
    let (text, html) = match &letter.content {
        Content::Text(text) => (Some(text), None),
        Content::Html(html) => (None, Some(html)),
        Content::Both { text, html } => (Some(text), Some(html)),
    };
    let bodies: Vec<_> = mail
        .parts
        .iter()
        .filter(|p| p.content_disposition().is_none() && !p.is_multipart())
        .map(|p| lines(p.text_contents().unwrap()))
        .collect();
    let meant: Vec<_> = text.into_iter().chain(html).map(|t| lines(t)).collect();
    assert_eq!(bodies, meant);
}

fn same_attachments(mail: &Message<'_>, letter: &Letter) {
    let files: Vec<_> = mail.parts.iter().filter(|p| p.content_disposition().is_some()).collect();
    assert_eq!(files.len(), letter.attachments.len());
    for (seen, meant) in files.iter().zip(&letter.attachments) {
        let name = seen.attachment_name().unwrap_or("");
        assert_eq!(name.trim(), meant.name.as_str().trim());
        let kind = seen.content_type().unwrap();
        assert_eq!(format!("{}/{}", kind.ctype(), kind.subtype().unwrap()), meant.mime.as_str());
        // The parser decodes text attachments from the charset it guesses; the raw bytes are what was promised.
        if seen.is_binary() {
            assert_eq!(seen.contents(), meant.bytes);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn a_parser_sees_the_letter_and_nothing_else(letter in any_letter()) {
        let mail = compose(&letter);
        assert_wire_rules(&mail);
        assert_eq!(compose(&letter), mail, "the same letter gives the same bytes");
        let seen = MessageParser::default().parse(&mail).unwrap();
        let names: Vec<_> = seen.headers().iter().map(|h| h.name().to_lowercase()).collect();
        assert_eq!(names, header_names(&letter));
        assert_eq!(words(seen.subject().unwrap_or("")), words(letter.subject.as_str()));
        same_people(seen.from(), std::slice::from_ref(&letter.from));
        same_people(seen.to(), &letter.to);
        same_people(seen.cc(), &letter.cc);
        same_people(seen.reply_to(), letter.reply_to.as_slice());
        assert!(seen.bcc().is_none());
        assert_eq!(seen.message_id(), Some(letter.message_id.as_str()));
        assert_eq!(ids(seen.in_reply_to()), Vec::from_iter(letter.in_reply_to.iter().map(MessageId::as_str)));
        assert_eq!(ids(seen.references()), Vec::from_iter(letter.references.iter().map(MessageId::as_str)));
        let moment = letter.date.at.seconds().clamp(0, 253_402_120_800);
        assert_eq!(seen.date().map(mail_parser::DateTime::to_timestamp), Some(moment));
        same_bodies(&seen, &letter);
        same_attachments(&seen, &letter);
    }

    #[test]
    fn no_text_that_could_end_a_line_becomes_a_header(raw in anything()) {
        let control = raw.chars().any(|c| c.is_control() && c != '\t');
        assert_eq!(HeaderText::new(raw.clone()).is_err(), control || raw.len() > 4096);
        assert!(!control || Mailbox::named(&raw, address("a@b.example")).is_err());
        if let Ok(parsed) = raw.parse::<Address>() {
            assert!(parsed.as_str().bytes().all(|b| (b' '..=b'~').contains(&b)));
        }
        assert!(!raw.contains(['\r', '\n', '\0', ' ']) || raw.parse::<MessageId>().is_err());
        assert!(raw.is_ascii() || raw.parse::<HeaderName>().is_err());
        let parts = [raw.parse::<OneClickUrl>().is_ok(), raw.parse::<MimeType>().is_ok()];
        assert!(raw.bytes().all(|b| b.is_ascii_graphic()) || parts == [false, false]);
    }

    #[test]
    fn bytes_of_any_attachment_come_back(bytes in vec(any::<u8>(), 0..4000)) {
        let mut letter = letter("a", Content::Text("b".to_owned()));
        letter.attachments.push(Attachment { name: text("a.bin"), mime: MimeType::octet_stream(), bytes });
        let mail = compose(&letter);
        let seen = MessageParser::default().parse(&mail).unwrap();
        assert_eq!(seen.attachment(0).unwrap().contents(), letter.attachments[0].bytes);
    }

    #[test]
    fn html_alone_gets_a_text_beside_it(html in anything()) {
        let mail = compose(&letter("a", Content::Html(format!("<p>before {html}</p>"))));
        assert_wire_rules(&mail);
        let seen = MessageParser::default().parse(&mail).unwrap();
        assert_eq!(seen.parts.iter().filter(|p| p.is_text() && !p.is_text_html()).count(), 1);
        assert!(seen.body_text(0).unwrap().contains("before"));
    }
}
