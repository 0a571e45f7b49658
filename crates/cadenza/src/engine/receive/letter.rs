//! A mail as it came, read once: what it says, and the key by which the same mail is known when it comes again.

use cadenza_core::inbound::{self, Incoming, Kind, Unreadable};
use cadenza_core::time::Time;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// Characters of the beginning that lists show.
const PREVIEW: usize = 200;

/// A mail with its bytes.
#[derive(Debug, Clone)]
pub(super) struct Letter {
    pub raw: Vec<u8>,
    pub incoming: Result<Incoming, Unreadable>,
    pub dedupe_key: String,
}

impl Letter {
    pub fn read(raw: Vec<u8>, received_at: Time) -> Letter {
        let incoming = inbound::read(&raw, received_at);
        let dedupe_key = match &incoming {
            Ok(incoming) => key_of(incoming),
            Err(_) => format!("raw:{}", hex(&Sha256::digest(&raw))),
        };
        Letter { raw, incoming, dedupe_key }
    }

    pub fn kind(&self) -> Option<&Kind> {
        self.incoming.as_ref().ok().map(|i| &i.verdict.kind)
    }

    pub fn message_id(&self) -> Option<String> {
        self.incoming.as_ref().ok().and_then(|i| i.message_id.clone()).map(|id| storable(&id))
    }
    pub fn sender(&self) -> Option<String> {
        self.incoming.as_ref().ok().and_then(|i| i.from.first()).map(|a| storable(&a.address))
    }
    pub fn subject(&self) -> Option<String> {
        self.incoming.as_ref().ok().map(|i| storable(&i.subject)).filter(|s| !s.is_empty())
    }

    /// The beginning of what the writer wrote, on one line.
    pub fn preview(&self) -> String {
        let incoming = match &self.incoming {
            Ok(incoming) => incoming,
            Err(why) => return format!("This message could not be read: {why}."),
        };
        let text = if incoming.text.trim().is_empty() { &incoming.full_text } else { &incoming.text };
        preview(text)
    }

    /// The verdict with its evidence, or why it could not be read. `whole` is the size of a mail of which this is the beginning.
    pub fn classification(&self, whole: Option<u32>) -> String {
        let mut verdict = match &self.incoming {
            Ok(incoming) => serde_json::json!(incoming.verdict),
            Err(why) => serde_json::json!({ "unreadable": why.to_string() }),
        };
        if let Some(bytes) = whole {
            verdict["read_of_bytes"] = serde_json::json!({ "read": self.raw.len(), "of": bytes });
        }
        verdict.to_string()
    }
}

/// Words on one line.
pub(super) fn preview(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    storable(&line.chars().take(PREVIEW).collect::<String>())
}

/// No database takes U+0000 in a text.
pub(super) fn storable(text: &str) -> String {
    text.replace('\0', "")
}

/// Of what does not change on a mail's ways: another server's trace fields, an inbox's numbers and re-encoded bodies do not
/// count. The Message-ID alone would not do: whoever sent a second mail with the same one would hide it.
fn key_of(incoming: &Incoming) -> String {
    let mut hash = Sha256::new();
    let mut add = |text: &str| {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    };
    add(incoming.message_id.as_deref().unwrap_or_default());
    add(incoming.from.first().map_or("", |a| a.address.as_str()));
    add(&incoming.date.map(|d| d.micros().to_string()).unwrap_or_default());
    add(&incoming.subject);
    for word in incoming.full_text.split_whitespace() {
        add(word);
    }
    format!("mail:{}", hex(&hash.finalize()))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(raw: &str) -> String {
        Letter::read(raw.as_bytes().to_vec(), Time::from_seconds(1)).dedupe_key
    }

    #[test]
    fn the_same_mail_by_two_ways_has_one_key() {
        let mail = "From: a@example.test\r\nMessage-ID: <1@x.example>\r\nDate: Mon, 1 Mar 2027 10:00:00 +0000\r\n\
                    Subject: Hi\r\n\r\nYes, gladly.\r\n";
        let journal = format!("Received: from gateway.example\r\nDelivered-To: b@example.test\r\n{mail}\r\n");
        assert_eq!(key(mail), key(&journal));
        let encoded = mail.replace(
            "Subject: Hi\r\n\r\nYes, gladly.",
            "Subject: Hi\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nYes,=20gla=\r\ndly.",
        );
        assert_eq!(key(mail), key(&encoded));
        assert_ne!(key(mail), key(&mail.replace("gladly", "never")), "another mail under the same Message-ID");
        assert_ne!(key(mail), key(&mail.replace("10:00:00", "10:00:01")));
    }
}
