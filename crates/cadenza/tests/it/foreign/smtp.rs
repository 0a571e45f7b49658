//! What a mail server answers, in pieces of any size, and what a body becomes between DATA and the final dot.

use super::seeds;
use cadenza::mail::smtp::{Enhanced, Extensions, Inbox, Lost, Refusal, Reply, Stage, Stuffing, Term, judge};
use cadenza_testkit::Target;

pub const ANSWERS: Target =
    Target { name: "", seeds: || seeds(CONVERSATIONS), pieces: PIECES, judge: answers, cases: 1_000, most_ms: 50 };
pub const BODY: Target =
    Target { name: "", seeds: || seeds(BODIES), pieces: LINES, judge: body, cases: 2_000, most_ms: 20 };

const CONVERSATIONS: &[&str] = &[
    "220 mx.example ESMTP\r\n250-mx.example\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n250-AUTH PLAIN LOGIN XOAUTH2\r\n\
     250-AUTH=PLAIN\r\n250-STARTTLS\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250 DSN\r\n250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n\
     354 End data with <CR><LF>.<CR><LF>\r\n250 2.0.0 Ok: queued as 4ABCDE\r\n221 2.0.0 Bye\r\n",
    "220-first\n220 second\n502 no EHLO\n250 hello\n550-5.1.1 <a@b.example>: user\n550 5.1.1 unknown\n",
    "452 4.2.2 The mailbox is full\r\n421 4.7.0 greylisted, come again\r\n552 5.2.3 too large\r\n554 5.7.1 spam\r\n",
    "334 VXNlcm5hbWU6\r\n334 UGFzc3dvcmQ6\r\n235 2.7.0 in\r\n535 5.7.8 no\r\n334 eyJzdGF0dXMiOiI0MDEifQ==\r\n",
];
const PIECES: &[&str] = &[
    "\r\n",
    "\n",
    "250-",
    "250 ",
    "354 ",
    "421 ",
    "550 ",
    "552 5.3.4 ",
    "4.7.1",
    "5.1.1",
    "5.999.999",
    "2.0.0",
    "SIZE",
    "SIZE 18446744073709551616",
    "AUTH=",
    "AUTH PLAIN",
    "8BITMIME",
    "DSN",
    "\u{1b}[31m",
    "quota",
    "user unknown",
];

const STAGES: [Stage; 10] = [
    Stage::Greeting,
    Stage::Hello,
    Stage::StartTls,
    Stage::Auth,
    Stage::Mail,
    Stage::Rcpt,
    Stage::Data,
    Stage::Body,
    Stage::Dot,
    Stage::Reset,
];

/// The same bytes give the same replies wherever they are cut, and every reply can be understood.
fn answers(bytes: &[u8]) {
    let whole = replies([bytes]);
    // Where to cut is made of the bytes, so that an input says all.
    let step = 1 + bytes.iter().fold(7, |sum: usize, b| sum.wrapping_mul(31) ^ usize::from(*b)) % 97;
    assert_eq!(replies(bytes.chunks(step)), whole, "in pieces of {step}");
    if bytes.len() < 5_000 {
        assert_eq!(replies(bytes.chunks(1)), whole, "byte by byte");
    }
    let middle = bytes.len() / 2;
    assert_eq!(replies([&bytes[..middle], &bytes[middle..]]), whole, "in two halves");
    if bytes.len() < 5_000 {
        assert_eq!(one_by_one(bytes), whole.0, "each by itself");
    }
    for reply in whole.0 {
        understood(reply);
    }
}

/// Each reply read by an inbox that has read no other.
fn one_by_one(bytes: &[u8]) -> Vec<Reply> {
    let (mut inbox, mut found) = (Inbox::default(), Vec::new());
    for byte in bytes {
        inbox.end().push(*byte);
        match inbox.reply() {
            Ok(None) => {}
            Ok(Some(reply)) => {
                found.push(reply);
                inbox = Inbox::default();
            }
            Err(_) => break,
        }
    }
    found
}

/// The replies, and why there are no more where that is not the end of the bytes.
fn replies<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Reply>, Option<Lost>) {
    let (mut inbox, mut found) = (Inbox::default(), Vec::new());
    for piece in pieces {
        inbox.end().extend_from_slice(piece);
        loop {
            match inbox.reply() {
                Ok(Some(reply)) => found.push(reply),
                Ok(None) => break,
                Err(why) => return (found, Some(why)),
            }
        }
    }
    (found, None)
}

fn understood(reply: Reply) {
    assert!((200..600).contains(&reply.code));
    assert!(reply.text.len() <= 2_000 && !reply.text.contains(|c: char| c.is_control() && c != '\n'), "{reply:?}");
    let offered = Extensions::parse(&reply.text);
    assert!(offered.auth.iter().all(|a| !a.is_empty() && !a.contains([' ', '\n'])), "{offered:?}");
    assert_eq!(offered.size_limit(), offered.size.filter(|size| *size > 0));
    if let Some(enhanced) = Enhanced::parse(&reply.text) {
        assert_eq!(Enhanced::parse(&enhanced.to_string()), Some(enhanced));
    }
    if reply.code < 400 {
        return;
    }
    for stage in STAGES {
        let (term, refusal): (Term, Refusal) = judge(stage, reply.clone());
        assert!(reply.code >= 500 || term == Term::ForNow, "{refusal:?} stands for ever");
        assert_eq!((refusal.code, &refusal.text, refusal.stage), (reply.code, &reply.text, stage));
        assert!(!refusal.to_string().contains(['\r', '\n']), "{refusal}");
    }
}

const BODIES: &[&str] = &[
    "Subject: a\r\n\r\nHello\r\n.\r\n..\r\n.a\r\n",
    "a\n.\nb\r.\rc\r\r\n\n.\r\n",
    "no line end at all .",
    ".",
    "\r\n",
];
const LINES: &[&str] = &["\r", "\n", "\r\n", ".", "\r\n.\r\n", "\n.\n", "\r.\r", "..", "MAIL FROM:<a@b.example>\r\n"];

/// A server that undoes the dots has the body's lines again, sees one final dot, at the end, and no line end but CRLF; however the
/// body was cut.
fn body(bytes: &[u8]) {
    let wire = stuffed([bytes]);
    let step = 1 + bytes.len() % 13;
    assert_eq!(stuffed(bytes.chunks(step)), wire, "in pieces of {step}");
    let mut sent = wire;
    sent.extend_from_slice(b"\r\n.\r\n");
    let dot = sent.windows(5).position(|w| w == b"\r\n.\r\n");
    let empty = sent.starts_with(b".\r\n");
    assert!(!empty && dot == Some(sent.len() - 5), "a final dot inside: {:?}", String::from_utf8_lossy(&sent));
    let lines: Vec<&[u8]> = split(&sent[..sent.len() - 5], b"\r\n");
    assert!(lines.iter().all(|line| !line.contains(&b'\r') && !line.contains(&b'\n')), "a bare line end");
    let received: Vec<&[u8]> = lines.into_iter().map(|line| line.strip_prefix(b".").unwrap_or(line)).collect();
    let plain = one_kind_of_line_end(bytes);
    let meant = split(plain.strip_suffix(b"\n").unwrap_or(&plain), b"\n");
    assert_eq!(received, meant);
}

fn stuffed<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let (mut out, mut stuffing) = (Vec::new(), Stuffing::default());
    pieces.into_iter().for_each(|piece| stuffing.piece(&mut out, piece));
    stuffing.end(&mut out);
    out
}

/// CRLF, CR and LF as LF.
fn one_kind_of_line_end(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'\n' if at > 0 && bytes[at - 1] == b'\r' => {}
            b'\r' => out.push(b'\n'),
            other => out.push(*other),
        }
    }
    out
}

fn split<'a>(bytes: &'a [u8], by: &[u8]) -> Vec<&'a [u8]> {
    let (mut parts, mut rest) = (Vec::new(), bytes);
    while let Some(at) = rest.windows(by.len()).position(|w| w == by) {
        parts.push(&rest[..at]);
        rest = &rest[at + by.len()..];
    }
    parts.push(rest);
    parts
}

/// The answer that never ends is given up, wherever it is cut.
#[test]
fn an_answer_without_end_is_given_up() {
    let endless = b"250-more\r\n".repeat((1 << 20) / 10 + 1);
    for step in [1 << 20, 4_096, 77] {
        assert_eq!(replies(endless.chunks(step)), (Vec::new(), Some(Lost::Oversized)), "in pieces of {step}");
    }
}
