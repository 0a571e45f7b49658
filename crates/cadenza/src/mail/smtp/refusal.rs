//! What a 4xx or 5xx is about: whose fault it is, and whether it stands. Judged by the enhanced code (RFC 3463, 5248)
//! where there is a telling one, else by the code and the stage; the words of the text only where both leave it open.

use super::outcome::Stage;
use super::reply::Reply;
use std::fmt;

/// A refusal, as the server gave it and as it is understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// 400 to 599.
    pub code: u16,
    pub enhanced: Option<Enhanced>,
    /// The server's words, lines joined by `\n`, without control characters.
    pub text: String,
    pub stage: Stage,
    pub blame: Blame,
}

/// What has to change for the mail to go through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Blame {
    /// The address does not exist, takes no mail, or is full: a bounce.
    Recipient,
    /// The sender's address, sign-in, reputation or policy: concerns the mailbox, never the recipient.
    Sender,
    /// This mail: too large, or its content.
    Message,
    /// The server or the line to it.
    Server,
}

/// An enhanced status code such as 5.1.1 (RFC 3463 §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Enhanced {
    /// 2, 4 or 5.
    pub class: u8,
    pub subject: u16,
    pub detail: u16,
}

/// Whether a refusal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Term {
    ForGood,
    ForNow,
}

impl Enhanced {
    /// From the beginning of a reply's text.
    pub fn parse(text: &str) -> Option<Enhanced> {
        let word = text.split([' ', '\n', '\t']).next()?;
        let mut numbers = word.split('.');
        let mut number = |digits: usize| {
            let part = numbers.next().filter(|p| (1..=digits).contains(&p.len()))?;
            part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse::<u16>().ok())?
        };
        let (class, subject, detail) = (number(1)?, number(3)?, number(3)?);
        let class = u8::try_from(class).ok().filter(|c| matches!(c, 2 | 4 | 5))?;
        numbers.next().is_none().then_some(Enhanced { class, subject, detail })
    }
}

/// Judges a negative reply.
pub fn judge(stage: Stage, reply: Reply) -> (Term, Refusal) {
    let enhanced = Enhanced::parse(&reply.text);
    let words = Words(reply.text.to_ascii_lowercase());
    let blame = blame(stage, reply.code, enhanced, &words);
    let refusal = Refusal { code: reply.code, enhanced, text: reply.text, stage, blame };
    let term = if reply.code < 500 || is_full(&refusal, &words) { Term::ForNow } else { Term::ForGood };
    (term, refusal)
}

/// A mailbox that is full may be emptied: tried again, even where the server says 5xx. So are too many recipients at
/// once (RFC 5321 §4.5.3.1.10).
fn is_full(refusal: &Refusal, words: &Words) -> bool {
    match refusal.enhanced {
        Some(Enhanced { subject: 2, detail: 2, .. } | Enhanced { subject: 5, detail: 3, .. }) => true,
        Some(Enhanced { subject, .. }) if subject != 0 => false,
        _ if refusal.code == 552 && refusal.stage == Stage::Rcpt => true,
        _ => refusal.blame == Blame::Recipient && words.any(FULL),
    }
}

fn blame(stage: Stage, code: u16, enhanced: Option<Enhanced>, words: &Words) -> Blame {
    // The server is going away, or signing in failed: whatever else it says.
    if code == 421 {
        return enhanced.filter(|e| e.subject == 7).map_or(Blame::Server, |_| Blame::Sender);
    }
    match stage {
        Stage::Greeting | Stage::Hello | Stage::StartTls | Stage::Reset => return Blame::Server,
        Stage::Auth if code >= 500 => return Blame::Sender,
        Stage::Auth => return Blame::Server,
        Stage::Mail | Stage::Rcpt | Stage::Data | Stage::Body | Stage::Dot => {}
    }
    match enhanced.and_then(|e| by_enhanced(stage, e, words)) {
        Some(blame) => blame,
        None => by_code(stage, code, words),
    }
}

/// `None` where the enhanced code says too little.
fn by_enhanced(stage: Stage, enhanced: Enhanced, words: &Words) -> Option<Blame> {
    let Enhanced { class, subject, detail } = enhanced;
    Some(match (subject, detail) {
        // Addressing: 7 and 8 are the sender's address, the rest the recipient's.
        (1, 7 | 8) => Blame::Sender,
        (1, _) => Blame::Recipient,
        (2, 3) => Blame::Message,
        (2, _) => Blame::Recipient,
        (3, 4) => Blame::Message,
        (3, _) => Blame::Server,
        // Routing: no way to the recipient's domain. Exchange answers 5.4.1 for a mailbox that does not exist.
        (4, 4) => Blame::Recipient,
        (4, 1) if class == 5 && stage == Stage::Rcpt => Blame::Recipient,
        (4, _) => Blame::Server,
        // Protocol. Outlook.com says 5.5.0 where it means that there is no such mailbox.
        (5, 0) => return None,
        (5, 3) => Blame::Message,
        (5, _) => Blame::Server,
        (6, _) => Blame::Message,
        // The mailbox or domain has another owner now (RFC 7293 §14).
        (7, 17 | 18) => Blame::Recipient,
        // Greylisting is about a pair that the server does not know yet, and passes by itself.
        (7, _) if class == 4 && words.any(GREYLISTED) => Blame::Recipient,
        (7, _) => Blame::Sender,
        _ => return None,
    })
}

fn by_code(stage: Stage, code: u16, words: &Words) -> Blame {
    match (stage, code) {
        (_, 530 | 534 | 535 | 538) => Blame::Sender,
        (_, 500 | 502 | 503 | 504 | 555) => Blame::Server,
        (Stage::Mail, 552) => Blame::Message,
        (Stage::Mail, 400..500) => Blame::Server,
        (Stage::Mail, _) => Blame::Sender,
        (Stage::Rcpt, 452) => Blame::Server,
        (Stage::Rcpt, 454) => Blame::Sender,
        (Stage::Rcpt, _) if words.any(NO_RELAY) => Blame::Sender,
        (Stage::Rcpt, 551 | 552 | 553 | 556) => Blame::Recipient,
        (Stage::Rcpt, _) if words.any(NO_MAILBOX) || words.any(FULL) || words.any(GREYLISTED) => Blame::Recipient,
        (Stage::Rcpt, 500..) if words.any(REPUTATION) => Blame::Sender,
        (Stage::Rcpt, _) => Blame::Recipient,
        (_, 451 | 452) => Blame::Server,
        (_, _) if words.any(FULL) || words.any(NO_MAILBOX) => Blame::Recipient,
        (_, 552) => Blame::Message,
        (_, _) if words.any(REPUTATION) => Blame::Sender,
        (_, 400..500) => Blame::Server,
        (_, _) => Blame::Message,
    }
}

const FULL: &[&str] =
    &["quota", "mailbox full", "mailbox is full", "over limit", "storage allocation", "inbox is full"];
const NO_MAILBOX: &[&str] = &[
    "no such user",
    "user unknown",
    "unknown user",
    "no such recipient",
    "no such mailbox",
    "no mailbox",
    "mailbox unavailable",
    "mailbox not found",
    "recipient not found",
    "user not found",
    "does not exist",
    "unknown recipient",
    "account disabled",
    "account has been disabled",
];
const NO_RELAY: &[&str] = &["relay", "not permitted to send", "authentication required", "must authenticate"];
const REPUTATION: &[&str] = &[
    "spam",
    "blocked",
    "blacklist",
    "blocklist",
    "black list",
    "block list",
    "spamhaus",
    "reputation",
    "dmarc",
    "spf",
    "dkim",
    "policy",
    "rate limit",
    "too many",
    "reverse dns",
    "ptr record",
    "banned",
];
const GREYLISTED: &[&str] = &["greylist", "graylist", "grey list", "gray list", "grey-list", "gray-list"];

/// The reply's text in lower case.
struct Words(String);

impl Words {
    fn any(&self, phrases: &[&str]) -> bool {
        phrases.iter().any(|phrase| self.0.contains(phrase))
    }
}

impl fmt::Display for Enhanced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} (at {})", self.code, self.text.replace('\n', " "), self.stage)
    }
}

#[cfg(test)]
#[path = "refusal_tests.rs"]
mod tests;
