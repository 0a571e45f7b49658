//! Whom a notice without machine-readable report is about: the addresses in its words, weighed by where they stand.

use crate::inbound::headers::tidy_address;

use crate::inbound::phrases::{Phrases, fold};

/// At most so many lines are looked at.
const LINES_MAX: usize = 2_000;
/// At most so many addresses are weighed.
const CANDIDATES_MAX: usize = 500;
/// What a plainly named address weighs at least.
const PLAIN: i32 = 4;
/// Words that announce failed addresses, on their line or above them.
#[rustfmt::skip]
static ANNOUNCED: Phrases = Phrases::new(&[
    "recipient", "failed", "could not", "couldn't", "can't be", "cannot", "undeliver", "not delivered", "unable to",
    "not be delivered", "not able to deliver", "did not reach", "didn't reach", "addressed to", "following address",
    "following recipient", "fatal error", "delivery error", "permanent error", "wasn't able", "unknown", "rejected",
    "rcpt to", "no such", "doesn't exist", "does not exist", "error", "not valid", "invalid", "not deliverable",
    "problem", "delayed", "empfänger", "destinataire", "destinatario", "zugestellt", "宛先", "送信できませんでした", "配信できませんでした",
]);
/// Words around addresses that one may turn to, or that only belong to the mail's envelope.
static ASIDE: Phrases = Phrases::new(&[
    "contact",
    "message-id",
    "references:",
    "in-reply-to:",
    "mailto:",
    "from:",
    "sender:",
    "send mail to",
    "assistance",
    "help",
    "forward",
    "mail from",
    "sent by",
    "reply-to",
    "http",
    "from <",
]);
/// Local parts that name a server or a desk, never the person written to.
#[rustfmt::skip]
const DESKS: &[&str] = &[
    "postmaster", "mailer-daemon", "mail-daemon", "maildaemon", "abuse", "hostmaster", "helpdesk", "noreply",
    "no-reply", "mailerdaemon",
];

/// Words that stand before a failed address as a mark does.
const MARKS: &[&str] = &["rcpt to:", "expanded from:", "generated from", "original address:"];

struct Candidate {
    weight: i32,
    /// Nothing but marks stands before it on its line.
    leads: bool,
    address: String,
}

/// How long an announcement above still holds.
#[derive(Default)]
struct Announced {
    lines: i32,
    /// It ended with a colon, as above a list.
    ends_list: bool,
}

/// The failed addresses that the notice names plainly, in their order. `own` are addresses of the sender, `sent_to` those
/// in the returned mail's To and Cc.
pub(super) fn plain(notice: &str, own: &[String], sent_to: &[String]) -> Vec<String> {
    let all = weigh(notice, own, sent_to);
    let best = all.iter().map(|c| c.weight).max().unwrap_or_default();
    if best < PLAIN {
        return Vec::new();
    }
    let Some(first) = all.iter().find(|c| c.weight == best) else { return Vec::new() };
    if !first.leads {
        return vec![first.address.clone()];
    }
    let alike = all.iter().filter(|c| c.leads && c.weight >= PLAIN && c.weight >= best - 4);
    alike.map(|c| c.address.clone()).collect()
}

/// The likeliest address, where none is named plainly.
pub(super) fn likeliest(notice: &str, own: &[String]) -> Option<String> {
    let all = weigh(notice, own, &[]);
    let best = all.iter().map(|c| c.weight).max().filter(|best| *best > -6)?;
    all.into_iter().find(|c| c.weight == best).map(|c| c.address)
}

/// What the notice says about one address: from its last mention at the beginning of a line to the next blank line or
/// address.
pub(super) fn about(notice: &str, address: &str) -> Option<String> {
    let lines: Vec<&str> = notice.lines().take(LINES_MAX).collect();
    let mentions = |line: &&str| in_line(line).iter().any(|(_, a)| a.eq_ignore_ascii_case(address));
    let leads = |line: &&str| {
        in_line(line).first().is_some_and(|(at, a)| a.eq_ignore_ascii_case(address) && marks(&line[..*at]))
    };
    let at = lines.iter().rposition(leads).or_else(|| lines.iter().rposition(mentions))?;
    let mut text = lines[at].to_owned();
    for line in lines[at + 1..].iter().take(12) {
        let other =
            in_line(line).first().is_some_and(|(start, a)| !a.eq_ignore_ascii_case(address) && marks(&line[..*start]));
        if line.trim().is_empty() || other {
            break;
        }
        text.push('\n');
        text.push_str(line);
    }
    Some(text)
}

fn weigh(notice: &str, own: &[String], sent_to: &[String]) -> Vec<Candidate> {
    let mut all: Vec<Candidate> = Vec::new();
    // An announcement holds for the list below it, until two lines have gone by without an address.
    let mut announced = Announced::default();
    for line in notice.lines().filter(|l| !l.trim().is_empty()).take(LINES_MAX) {
        let lower = fold(line);
        let here = ANNOUNCED.first(&lower).is_some();
        let aside = ASIDE.first(&lower).is_some();
        let found = in_line(line);
        for (at, address) in &found {
            if all.len() >= CANDIDATES_MAX {
                break;
            }
            let local = address.split('@').next().unwrap_or_default().to_ascii_lowercase();
            let leads = marks(&line[..*at]);
            let mut weight = if leads { 4 } else { 0 };
            weight += if here || announced.ends_list {
                4
            } else if announced.lines > 0 {
                3
            } else {
                0
            };
            weight += if contains(sent_to, address) { 4 } else { 0 };
            weight -= if contains(own, address) { 8 } else { 0 };
            weight -= if DESKS.contains(&local.as_str()) { 6 } else { 0 };
            weight -= if aside { 5 } else { 0 };
            match all.iter_mut().find(|c| c.address.eq_ignore_ascii_case(address)) {
                Some(known) => {
                    known.weight = known.weight.max(weight);
                    known.leads |= leads;
                }
                None => all.push(Candidate { weight, leads, address: address.clone() }),
            }
        }
        if here {
            announced = Announced { lines: 2, ends_list: lower.trim_end().ends_with(':') };
        } else if found.is_empty() {
            announced.lines -= 1;
            announced.ends_list &= announced.lines > 0;
        }
    }
    all
}

/// Whether the text before an address is nothing but marks of a list, a quotation or an SMTP dialogue.
fn marks(text: &str) -> bool {
    let text = text.trim_matches(|c: char| {
        c.is_whitespace() || matches!(c, '<' | '>' | '*' | '-' | '"' | '\'' | '|' | '(' | '[' | '•')
    });
    let code = text.len() == 3 && text.bytes().all(|b| b.is_ascii_digit());
    text.is_empty() || code || MARKS.iter().any(|m| text.eq_ignore_ascii_case(m))
}

fn contains(list: &[String], address: &str) -> bool {
    list.iter().any(|a| a.eq_ignore_ascii_case(address))
}

/// Every address in a line with where it begins.
pub(super) fn in_line(line: &str) -> Vec<(usize, String)> {
    let bytes = line.as_bytes();
    let mut found = Vec::new();
    for (at, _) in line.match_indices('@').take(50) {
        let local = bytes[..at].iter().rev().take(128).take_while(|b| is_local(**b)).count();
        let domain = bytes[at + 1..]
            .iter()
            .take(255)
            .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'))
            .count();
        let (Some(before), Some(domain)) = (line.get(at - local..at), line.get(at + 1..at + 1 + domain)) else {
            continue;
        };
        // Exchange writes addresses as "SMTP=ann@example.com".
        let local = before.rsplit_once("SMTP=").map_or(before, |(_, local)| local);
        let local = local.trim_start_matches(['\'', '=', '.', '-']);
        let domain = domain.trim_end_matches(['.', '-']);
        let lettered = domain.chars().any(|c| c.is_ascii_alphabetic());
        if let (true, Some(address)) = (lettered && !local.is_empty(), tidy_address(&format!("{local}@{domain}"))) {
            found.push((at - local.len(), address));
        }
    }
    found
}

fn is_local(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_{}~.-".contains(&b)
}
