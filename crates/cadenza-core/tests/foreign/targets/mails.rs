//! Mails of every kind: read or refused, each within the time that one mail may take (50 ms; it is read twice), and always alike.

use cadenza_core::inbound;
use cadenza_core::time::Time;
use cadenza_testkit::Target;

pub const MAIL: Target =
    Target { name: "", seeds: fixtures, pieces: PIECES, judge: is_read_or_refused, cases: 250, most_ms: 100 };

/// Own mails, of every kind that is told apart.
fn fixtures() -> Vec<Vec<u8>> {
    let folder = cadenza_testkit::repository().join("crates/cadenza-core/tests/inbound/fixtures");
    let files = std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().path());
    let mut paths: Vec<_> = files.filter(|p| p.extension().is_some_and(|e| e == "eml")).collect();
    paths.sort();
    paths.iter().map(|p| std::fs::read(p).unwrap()).collect()
}

fn is_read_or_refused(raw: &[u8]) {
    let received = Time::from_seconds(1_782_900_000);
    let read = inbound::read(raw, received);
    assert_eq!(read, inbound::read(raw, received), "read twice");
    let Ok(mail) = read else { return };
    assert!(mail.full_text.len() <= 256 * 1024 && mail.text.len() <= 256 * 1024);
    let addresses = [&mail.from, &mail.reply_to, &mail.to, &mail.cc].into_iter().flatten().map(|a| &a.address);
    let ids = mail.in_reply_to.iter().chain(&mail.references).chain(&mail.message_id).chain(&mail.original_message_id);
    for word in addresses.chain(&mail.delivered_to).chain(&mail.return_path).chain(ids) {
        assert!(!word.is_empty() && !word.contains(['\r', '\n']), "{word:?} would end a line");
    }
    let text = serde_json::to_string(&mail).unwrap();
    assert_eq!(serde_json::from_str::<inbound::Incoming>(&text).unwrap(), mail, "as it is kept");
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
