//! Mails of every kind, bent: read or refused, each within the time that one mail may take.

use crate::mutate::{hold, within};
use cadenza_core::inbound;
use cadenza_core::time::Time;
use std::fmt;

/// Printed as text where it is text.
struct Raw(Vec<u8>);

impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes: {}", self.0.len(), String::from_utf8_lossy(&self.0[..self.0.len().min(20_000)]))
    }
}

/// Own mails, of every kind that is told apart.
fn fixtures() -> Vec<Vec<u8>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/inbound/fixtures");
    let files = std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().path());
    let mut paths: Vec<_> = files.filter(|p| p.extension().is_some_and(|e| e == "eml")).collect();
    paths.sort();
    paths.iter().map(|p| std::fs::read(p).unwrap()).collect()
}

const PIECES: &[&str] = &[
    "\n\n",
    "--",
    "--b\n",
    "--b--\n",
    "Content-Type: multipart/report; boundary=b\n",
    "Content-Type: message/rfc822\n",
    "Content-Type: text/html\n",
    "Content-Transfer-Encoding: base64\n",
    "Content-Transfer-Encoding: quoted-printable\n",
    "Auto-Submitted: auto-replied\n",
    "Return-Path: <>\n",
    "Final-Recipient: rfc822; a@b.example\n",
    "Status: 5.1.1\n",
    "Action: failed\n",
    "Diagnostic-Code: smtp; 550 ",
    "Feedback-Type: abuse\n",
    "Received: from a by b; ",
    "X-Failed-Recipients: a@b.example\n",
    "=?utf-8?q?=C3=A4?=",
    "=?utf-8?b?",
    "=C3=28",
    "<a@b.example>",
    "a@b.example",
    "> ",
    ">>> ",
    "On Mon, 1 Mar 2027 at 10:00, A wrote:\n",
    "Von: ",
    "-- \n",
    "-----Original Message-----\n",
    "until 15 March",
    "bis zum 3.4.",
    "2027-03-15",
    "<div>",
    "<blockquote>",
    "&nbsp;",
    "(",
    "((((",
    "\"",
    ",",
    ";",
    ":",
    "\u{2028}",
    "unsubscribe",
    "550 5.1.1 <a@b.example>: user unknown\n",
    "charset=utf-7",
    "charset=gb18030",
];

#[test]
fn bent_mails_are_read_or_refused_in_time() {
    let fixtures = fixtures();
    let corpus: Vec<&[u8]> = fixtures.iter().map(Vec::as_slice).collect();
    let received = Time::from_seconds(1_782_900_000);
    hold(
        400,
        within(50),
        |dice| Raw(dice.bent(&corpus, PIECES)),
        |raw| {
            if let Ok(read) = inbound::read(&raw.0, received) {
                let again = inbound::read(&raw.0, received).unwrap();
                assert_eq!(read.verdict.kind, again.verdict.kind);
            }
        },
    );
}
