//! Letters of hostile values: whatever stands in subject, names and bodies, the mail has the headers it was given and no other,
//! and it reads back.

use super::{seeds, text};
use cadenza_core::compose::{Content, HeaderText, Letter, Mailbox, MessageId, SentAt, compose};
use cadenza_core::inbound;
use cadenza_core::time::Time;
use cadenza_testkit::Target;

pub const LETTER: Target =
    Target { name: "", seeds: || seeds(LETTERS), pieces: PIECES, judge: letter, cases: 500, most_ms: 50 };

/// Subject, name, text, HTML: parted by U+001F.
const LETTERS: &[&str] = &[
    "Hello Ada\u{1f}Grace Hopper\u{1f}Hi,\r\n\r\nhow are you?\r\n.\r\nGrace\u{1f}<p>Hi</p>",
    "Grüße aus Köln\u{1f}Zoë \"Z\" O'Hara, Dr.\u{1f}From here on\n日本語 =3D= \u{1f}<b>日本語</b>&nbsp;",
    "=?utf-8?Q?=0D=0ABcc:_x@y.example?=\u{1f}a <b@c.example>,\u{1f}\u{1f}",
];
const PIECES: &[&str] = &[
    "\u{1f}",
    "\r\nBcc: evil@evil.example",
    "\r\n.\r\n",
    "\u{2028}Bcc: x@y.example",
    "=?utf-8?Q?=0D=0A?=",
    "\" <evil@evil.example>, \"",
    "--=_a",
    "From ",
    "  ",
    "\t",
    "👩‍👩‍👧‍👦",
    "=\n",
    "%0d%0a",
    "<p>",
    "x@y.example",
];

fn letter(bytes: &[u8]) {
    let input = text(bytes);
    let mut parts = input.splitn(4, '\u{1f}');
    let mut part = || parts.next().unwrap_or_default();
    let (subject, name, plain, html) = (part(), part(), part(), part());
    let Ok(subject) = HeaderText::new(subject) else { return };
    let Ok(to) = Mailbox::named(name, "bob@recipient.example".parse().unwrap()) else { return };
    let from = Mailbox::named("Ada", "ada@sender.example".parse().unwrap()).unwrap();
    let at = SentAt { at: "2027-03-01T09:00:00Z".parse::<Time>().unwrap(), offset_minutes: 60 };
    let id = MessageId::new("01hx-7.s1", "sender.example").unwrap();
    let mut letter = Letter::new(from, to, subject, at, id);
    letter.content = match (plain.is_empty(), html.is_empty()) {
        (_, true) => Content::Text(plain.into()),
        (true, false) => Content::Html(html.into()),
        (false, false) => Content::Both { text: plain.into(), html: html.into() },
    };
    let mail = compose(&letter);
    assert_eq!(mail, compose(&letter), "composed twice");
    for line in mail.split_inclusive(|b| *b == b'\n') {
        let line = line.strip_suffix(b"\r\n").unwrap_or_else(|| panic!("a bare LF in {line:?}"));
        assert!(line.len() <= 998 && line.iter().all(|b| (b' '..=b'~').contains(b) || *b == b'\t'), "{line:?}");
    }
    let text = String::from_utf8(mail.clone()).unwrap();
    let head = text.split("\r\n\r\n").next().unwrap_or_default();
    let names: Vec<_> =
        head.lines().filter(|l| !l.starts_with([' ', '\t'])).map(|l| l.split(':').next().unwrap_or_default()).collect();
    let usual = ["Date", "From", "To", "Subject", "Message-ID", "MIME-Version", "Content-Type"];
    assert_eq!(names[..7], usual, "{head}");
    assert!(names[7..].iter().all(|n| *n == "Content-Transfer-Encoding") && names.len() <= 8, "{head}");
    reads_back(&mail, &letter);
}

fn reads_back(mail: &[u8], letter: &Letter) {
    let seen = inbound::read(mail, letter.date.at).unwrap_or_else(|e| panic!("{e}"));
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(&seen.subject), words(letter.subject.as_str()));
    assert_eq!(seen.message_id.as_deref(), Some(letter.message_id.as_str()));
    let people = |seen: &[inbound::Address]| seen.iter().map(|a| a.address.clone()).collect::<Vec<_>>();
    assert_eq!(people(&seen.from), ["ada@sender.example"]);
    assert_eq!(people(&seen.to), ["bob@recipient.example"]);
    assert_eq!(seen.date, Some(letter.date.at));
    assert!(seen.attachments.is_empty());
}
