//! Mails made to hurt: every limit, and bodies that cost a careless reader more than their length. Each must end fast,
//! either refused by a limit or read.

use cadenza_core::inbound::{self, DEPTH_MAX, HEADER_BYTES_MAX, HEADER_FIELDS_MAX, PARTS_MAX, SIZE_MAX, Unreadable};
use cadenza_core::time::Time;
use proptest::prelude::*;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// Generous for an unoptimised build on a busy machine; a quadratic reader takes minutes.
const TIME_MAX: Duration = Duration::from_secs(20);

fn read(raw: &[u8]) -> Result<inbound::Incoming, Unreadable> {
    let begun = Instant::now();
    let result = inbound::read(raw, Time::from_seconds(1_782_900_000));
    assert!(begun.elapsed() < TIME_MAX, "took {:?} for {} bytes", begun.elapsed(), raw.len());
    result
}

fn with_body(headers: &str, unit: &str, bytes: usize) -> Vec<u8> {
    let head = format!("From: a@b.example\nTo: c@d.example\nSubject: x\n{headers}\n\n");
    (head + &unit.repeat(bytes / unit.len())).into_bytes()
}

#[test]
fn limits_are_refused_by_name() {
    assert_eq!(read(b" \n\n").unwrap_err(), Unreadable::Empty);
    assert_eq!(read(&vec![b'a'; SIZE_MAX + 1]).unwrap_err(), Unreadable::TooLarge { bytes: SIZE_MAX + 1 });
    let long = format!("X-A: {}\n\nbody", "a".repeat(HEADER_BYTES_MAX));
    assert_eq!(read(long.as_bytes()).unwrap_err(), Unreadable::HeaderTooLarge);
    let fields = with_body(&"a:\n".repeat(HEADER_FIELDS_MAX + 1).trim_end().replace("a:", "ab:"), "x", 10);
    assert_eq!(read(&fields).unwrap_err(), Unreadable::HeaderTooLarge);
    let parts = with_body("Content-Type: multipart/mixed; boundary=b", "--b\n\nx\n", 8 * (PARTS_MAX + 2));
    assert_eq!(read(&parts).unwrap_err(), Unreadable::TooManyParts);
    let nested = "Content-Type: message/rfc822\n\n".repeat(DEPTH_MAX + 3);
    assert_eq!(read(nested.as_bytes()).unwrap_err(), Unreadable::TooDeep);
    let mut wrapped = String::new();
    for level in 0..DEPTH_MAX + 3 {
        wrapped += &format!("Content-Type: multipart/mixed; boundary=b{level}\n\n--b{level}\n");
    }
    assert_eq!(read(wrapped.as_bytes()).unwrap_err(), Unreadable::TooDeep);
}

#[test]
fn as_much_as_the_limits_allow_is_read() {
    let parts = with_body("Content-Type: multipart/mixed; boundary=b", "--b\n\nx\n", 7 * (PARTS_MAX - 1));
    assert_eq!(read(&parts).unwrap().full_text.trim(), "x");
    let nested = "Content-Type: message/rfc822\n\n".repeat(DEPTH_MAX) + "Subject: y\n\nz";
    assert!(read(nested.as_bytes()).is_ok());
}

#[test]
fn costly_bodies_end_in_time() {
    let html = "Content-Type: text/html";
    let report = "Content-Type: multipart/report; boundary=b\nAuto-Submitted: auto-replied";
    let units = [
        ("", "a"),
        ("", ">"),
        ("", "> "),
        ("", "On 2026-01-01 a@b.example "),
        ("", "On 12 May 2026 at 10:00\n"),
        ("", "From: a@b.example\n"),
        ("", "From: a\nSent: b\n"),
        ("", "wrote: 1\n"),
        ("", "a@b.example\n"),
        ("", "@"),
        ("", "550 5.1.1 "),
        ("", "until 1.1. to 2.2. "),
        ("", "back on monday "),
        ("", "1"),
        ("", "user…does "),
        ("", "\n"),
        ("", "{\"notificationType\":"),
        ("", "[[[["),
        (html, "<"),
        (html, "<a"),
        (html, "<a \""),
        (html, "<style>"),
        (html, "<title>x</titl"),
        (html, "<!--"),
        (html, "<blockquote>"),
        (html, "&"),
        (html, "&amp"),
        ("Content-Transfer-Encoding: quoted-printable", "="),
        ("Content-Transfer-Encoding: quoted-printable", "= "),
        ("Content-Transfer-Encoding: base64", "QQ=="),
        ("Content-Type: multipart/mixed; boundary=\"\"", "--\n"),
        ("Content-Type: multipart/mixed; boundary=-", "-"),
        ("Content-Type: multipart/mixed; boundary=b", "--b--\n"),
        (report, "--b\nContent-Type: message/delivery-status\n\nFinal-Recipient: a@b\nAction: failed\n"),
        (report, "Final-Recipient: rfc822; a@b.example\nAction: failed\nStatus: 5.1.1\n"),
        ("Content-Type: text/plain; charset=iso-2022-jp", "\u{1b}$B"),
        ("Content-Type: text/plain; charset=utf-7", "+AAA"),
    ];
    for (headers, unit) in units {
        let raw = with_body(headers, unit, 1_000_000);
        let result = read(&raw);
        assert!(matches!(result, Ok(_) | Err(Unreadable::TooManyParts)), "{headers:?} {unit:?}: {:?}", result.err());
    }
}

#[test]
fn costly_headers_end_in_time() {
    let units = [
        "=?utf-8?q?",
        "=?utf-8?b?QQ==?= ",
        "<",
        "<a@b>,",
        "a@b,",
        "(",
        "\"",
        "\\",
        ",",
        "a:",
        "g:;",
        "=?",
        ";a=",
        ";a*0=b",
        "\u{e4}",
        "Re: ",
    ];
    for unit in units {
        for name in [
            "Subject",
            "From",
            "To",
            "References",
            "Content-Type: text/plain",
            "Return-Path",
            "Date",
            "X-Failed-Recipients",
        ] {
            let name = if name.contains(':') { name.to_owned() } else { format!("{name}:") };
            let raw = format!("{name} {}\nMessage-ID: <1@b>\n\nbody", unit.repeat(200_000 / unit.len()));
            assert!(read(raw.as_bytes()).is_ok(), "{name} {unit}");
        }
    }
}

#[test]
fn encoded_messages_within_messages_are_bounded() {
    let mut raw = "Subject: innermost\n\nhello".to_owned() + &"=41".repeat(300_000);
    for _ in 0..8 {
        raw = format!("Content-Type: message/rfc822\nContent-Transfer-Encoding: quoted-printable\n\n{raw}");
    }
    assert!(read(raw.as_bytes()).is_ok());
}

static FIXTURES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(fixtures);

/// Own mails, of every kind that is told apart.
fn fixtures() -> Vec<Vec<u8>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/inbound/fixtures");
    let files = std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().path());
    files.filter(|p| p.extension().is_some_and(|e| e == "eml")).map(|p| std::fs::read(p).unwrap()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Cut, doubled, overwritten and spliced: whatever comes out is read or refused, and never panics.
    #[test]
    fn broken_mails_are_read_or_refused(
        pick in any::<prop::sample::Index>(),
        other in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        len in 0usize..400,
        bytes in prop::collection::vec(any::<u8>(), 0..40),
        how in 0u8..5,
    ) {
        let all = FIXTURES.as_slice();
        let mut raw = pick.get(all).clone();
        let at = at.index(raw.len());
        let end = (at + len).min(raw.len());
        match how {
            0 => raw.truncate(at),
            1 => drop(raw.drain(at..end)),
            2 => drop(raw.splice(at..end, bytes)),
            3 => { let copy = raw[at..end].to_vec(); drop(raw.splice(at..at, copy)); }
            _ => { let tail = other.get(all).clone(); let from = at.min(tail.len()); raw.truncate(at); raw.extend(&tail[from..]); }
        }
        let _ = read(&raw);
    }

    /// Texts of pieces that the readers look for, in any order, with any characters between them.
    #[test]
    fn odd_texts_are_read(pieces in prop::collection::vec((any::<prop::sample::Index>(), "\\PC{0,3}"), 0..60)) {
        let text: String = pieces.iter().map(|(pick, odd)| format!("{}{odd}", pick.get(&PIECES))).collect();
        let raw = format!("From: a@b.example\nSubject: {}\nAuto-Submitted: auto-replied\nContent-Type: text/plain; charset=utf-8\n\n{text}",
            text.replace('\n', " "));
        prop_assert!(read(raw.as_bytes()).is_ok());
        prop_assert!(read(raw.replace("Auto-Submitted: auto-replied", "Return-Path: <>").as_bytes()).is_ok());
        prop_assert!(read(raw.replace("Auto-Submitted: auto-replied", "X-Own: 1").replace("plain", "html").as_bytes()).is_ok());
    }
}

const PIECES: [&str; 60] = [
    " ",
    "\n",
    "\n\n",
    ".",
    ". ",
    ":",
    "：",
    "-",
    "–",
    "/",
    "15",
    "31",
    "2026",
    "99",
    "1.",
    "15.08.",
    "8/15",
    "2026-08-15",
    "th",
    "º",
    "'",
    "(",
    ")",
    "月",
    "日",
    "年",
    "월",
    "일",
    "August",
    "août",
    "мая",
    "Ağustos'a",
    "kadar",
    "まで",
    "까지",
    "until ",
    "bis zum ",
    "jusqu’au ",
    "back on ",
    "zurück ",
    "from ",
    "Monday",
    "週",
    "next week",
    "two weeks",
    "in ",
    "ß",
    "İ",
    "\u{202b}",
    "\u{301}",
    "> ",
    "wrote:",
    "Von: ",
    "From: ",
    "<a@b.example>",
    "550 5.1.1 ",
    "<b>",
    "&amp;",
    "<blockquote>",
    "=?utf-8?q?=C3?=",
];
