//! Mail that a machine wrote in answer to a mail: out of office, receipts, calendar answers, challenges.
//!
//! Headers first (RFC 3834 and what vendors write), then subjects, then words. Words alone count only where two different
//! signs of an automatic absence note stand together, since people write about their holidays too.

mod words;

use super::bounce::Found;
use super::mail::Mail;
use super::opt_out;
use super::phrases::{fold, head};
use super::return_date;
use super::verdict::{AutoReply, CalendarAnswer, Evidence, Kind};

/// How much of the text is looked at, in bytes.
const TEXT_MAX: usize = 8_192;

/// Judges whether the mail is an automatic answer.
pub(super) fn find(mail: &Mail<'_>) -> Option<Found> {
    if let Some(found) = read_receipt(mail).or_else(|| calendar(mail)) {
        return Some(found);
    }
    let answered = mail.head.lower("auto-submitted").starts_with("auto-replied") || mail.null_return_path();
    if opt_out::by_subject(mail).is_some() && !answered {
        return None;
    }
    let subject = fold(&mail.subject);
    let text = fold(head(&mail.fresh, TEXT_MAX));
    if is_challenge(&text) && (!is_answer(mail) || by_headers(mail).is_some()) {
        let evidence = vec![Evidence::new("auto_reply.challenge", "text", "asks the sender to prove being a person")];
        return Some((Kind::AutoReply(AutoReply::Challenge), evidence));
    }
    let mut evidence: Vec<Evidence> = by_headers(mail).into_iter().collect();
    evidence.extend(by_subject(&subject, &text));
    if evidence.is_empty() {
        evidence = by_words(mail, &text)?;
    }
    let kind = sort(mail, &subject, &text);
    Some((Kind::AutoReply(kind), evidence))
}

/// Whether the folded text asks the sender to prove being a person: what for, and how.
pub(super) fn is_challenge(text: &str) -> bool {
    let early = head(text, 4_000);
    words::CHALLENGE.first(early).is_some() && words::CHALLENGE_HOW.first(early).is_some()
}

/// Whether subject or text say that somebody is away.
pub(super) fn says_absent(mail: &Mail<'_>) -> bool {
    let text = fold(head(&mail.text, 600));
    words::SUBJECT_ABSENT.first(&fold(&mail.subject)).or_else(|| words::ABSENT.first(&text)).is_some()
}

/// The header fields that say a machine wrote it.
fn by_headers(mail: &Mail<'_>) -> Option<Evidence> {
    let found = |part: &str, detail: &str| Some(Evidence::new("auto_reply.header", part, detail));
    let submitted = mail.head.lower("auto-submitted");
    if !submitted.is_empty() && !submitted.starts_with("no") {
        let kind = if submitted.starts_with("auto-replied") { "auto-replied" } else { "auto-generated" };
        return found("auto-submitted", kind);
    }
    for (name, detail) in words::HEADERS {
        let value = mail.head.lower(name);
        if mail.head.has(name) && !matches!(value.as_str(), "no" | "false" | "0" | "none") {
            return found(name, detail);
        }
    }
    for name in ["precedence", "x-precedence"] {
        if matches!(mail.head.lower(name).as_str(), "auto_reply" | "auto-reply" | "autoreply") {
            return found(name, "auto_reply");
        }
    }
    // Bounces are told before; what else has an empty return path wants no answer.
    mail.null_return_path().then(|| Evidence::new("auto_reply.header", "return-path", "empty"))
}

/// A subject that only automatic answers have, or one of absence over a text that a machine may send.
fn by_subject(subject: &str, text: &str) -> Option<Evidence> {
    let start = subject.trim_start_matches([' ', '[', '(', '*', '"', '\'']);
    let opens = |table: &[&'static str]| table.iter().copied().find(|w| start.starts_with(w));
    let confirmed = || {
        let signs = [&words::ABSENT, &words::NOTE, &words::MACHINE];
        signs.iter().filter(|s| s.first(head(text, 2_000)).is_some()).count() >= 2
    };
    let found = opens(words::SUBJECT_OPENS).or_else(|| opens(words::SUBJECT_MAY_OPEN).filter(|_| confirmed()))?;
    Some(Evidence::new("auto_reply.subject", "subject", found))
}

/// Two signs of different kinds, one of them of absence, or a plain statement that no person wrote it.
fn by_words(mail: &Mail<'_>, text: &str) -> Option<Vec<Evidence>> {
    let sign = |rule: &str, phrase: &str| Evidence::new(rule, "text", phrase);
    let early = head(text, 2_000);
    let machine = words::MACHINE.first(early);
    let absent = words::ABSENT.first(head(text, 600));
    let note = words::NOTE.first(early);
    let receipt = words::RECEIPT.first(early);
    let left = words::LEFT.first(early);
    let quotes = mail.text.trim().len() > mail.fresh.len() + 40;
    match (absent.or(left).or(receipt), machine, note) {
        (Some(a), Some(m), _) => Some(vec![sign("auto_reply.words", a), sign("auto_reply.machine", m)]),
        (Some(a), None, Some(n)) if !quotes && !is_reply(mail) && receipt != Some(a) => {
            Some(vec![sign("auto_reply.absent", a), sign("auto_reply.note", n)])
        }
        (None, Some(m), _) if !quotes && !is_answer(mail) => Some(vec![sign("auto_reply.machine", m)]),
        _ => None,
    }
}

/// Whether it is an answer by its subject too. Programs that answer by themselves write a subject of their own, or a
/// header that says so.
fn is_reply(mail: &Mail<'_>) -> bool {
    is_answer(mail) && super::answers_by_subject(&mail.subject)
}

/// Whether it answers a mail as mail programs do when a person writes.
fn is_answer(mail: &Mail<'_>) -> bool {
    mail.head.has("in-reply-to") || mail.head.has("references")
}

/// Which automatic answer it is.
fn sort(mail: &Mail<'_>, subject: &str, text: &str) -> AutoReply {
    let both = format!("{subject} {text}");
    if words::LEFT.first(&both).is_some() && words::LEFT_FOR_NOW.first(&both).is_none() {
        return AutoReply::LeftCompany;
    }
    let absent = words::SUBJECT_ABSENT.first(subject).or_else(|| words::ABSENT.first(&both));
    if absent.is_some() {
        return AutoReply::OutOfOffice { until: return_date::find(&mail.subject, &mail.fresh, mail.written) };
    }
    // A note in a language whose words for absence are not known still names its day.
    match return_date::find(&mail.subject, &mail.fresh, mail.written) {
        Some(date) => AutoReply::OutOfOffice { until: Some(date) },
        None if words::RECEIPT.first(&both).is_some() => AutoReply::Ticket,
        None => AutoReply::Unspecified,
    }
}

fn read_receipt(mail: &Mail<'_>) -> Option<Found> {
    let part = mail.leaves().find(|p| mail.media(*p) == "message/disposition-notification")?;
    let evidence = vec![Evidence::new("auto_reply.receipt", mail.media(part), "present")];
    Some((Kind::AutoReply(AutoReply::ReadReceipt), evidence))
}

/// An answer to an invitation (RFC 5546, METHOD:REPLY).
fn calendar(mail: &Mail<'_>) -> Option<Found> {
    let part = mail.leaves().find(|p| mail.media(*p) == "text/calendar")?;
    let text = fold(head(&mail.part_text(part), 64 * 1024)).replace(' ', "");
    let method = mail.tree.parts[part].media.attribute("method").unwrap_or_default().to_ascii_lowercase();
    if !(method == "reply" || (method.is_empty() && text.contains("method:reply"))) {
        return None;
    }
    let answer = [
        ("partstat=accepted", CalendarAnswer::Accepted),
        ("partstat=tentative", CalendarAnswer::Tentative),
        ("partstat=declined", CalendarAnswer::Declined),
    ];
    let answer = answer.into_iter().find(|(word, _)| text.contains(word)).map_or(CalendarAnswer::Unknown, |(_, a)| a);
    let evidence = vec![Evidence::new("auto_reply.calendar", "text/calendar", "method: reply")];
    Some((Kind::AutoReply(AutoReply::Calendar(answer)), evidence))
}
