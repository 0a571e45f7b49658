//! Compose, read by somebody else: mail-parser must see exactly what the letter says, whatever the letter says.

mod golden;
mod grammar;
mod readback;

use super::*;
use crate::time::Time;

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

fn text(text: &str) -> HeaderText {
    HeaderText::new(text).unwrap()
}

fn letter(subject: &str, content: Content) -> Letter {
    let mut letter = Letter::new(
        Mailbox::named("Ada Lovelace", address("ada@sender.example")).unwrap(),
        Mailbox::bare(address("bob@recipient.example")),
        text(subject),
        SentAt { at: "2027-03-01T09:00:00Z".parse::<Time>().unwrap(), offset_minutes: 60 },
        MessageId::new("01hx-7.s1", "sender.example").unwrap(),
    );
    letter.content = content;
    letter
}

/// What every mail must keep to, whoever reads it.
fn assert_wire_rules(mail: &[u8]) {
    assert!(mail.ends_with(b"\r\n"));
    for line in mail.split_inclusive(|b| *b == b'\n') {
        let line = line.strip_suffix(b"\r\n").expect("a bare LF");
        assert!(!line.contains(&b'\r'), "a bare CR");
        assert!(line.len() <= 998, "a line of {}", line.len());
        assert!(line.iter().all(|b| (b' '..=b'~').contains(b) || *b == b'\t'), "a byte outside ASCII: {line:?}");
        assert!(!line.starts_with(b"."), "a line that needs dot stuffing");
        assert!(!line.starts_with(b"From "), "a line that a mailbox file would break at");
    }
}
