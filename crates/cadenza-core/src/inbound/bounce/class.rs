//! Hard, soft or our own fault: from the enhanced status code, the reply code and the server's words, in that mix which
//! real servers need: they put plain words beside vague or wrong codes.

use super::codes;
use super::reason;
use crate::inbound::phrases::{fold, head};
use crate::inbound::verdict::{BounceClass, BounceReason as Reason};

/// What is known of one failure.
#[derive(Default)]
pub(super) struct Facts<'f> {
    pub status: Option<&'f str>,
    /// The server's words for this recipient; may be empty.
    pub diagnostic: &'f str,
    /// The report's text without the returned mail, looked at where the rest says nothing.
    pub notice: &'f str,
    pub delayed: bool,
}

/// The class of a failure, and the reason that the server's words name.
pub(super) fn of(facts: &Facts<'_>) -> (BounceClass, Option<Reason>) {
    let words = fold(head(facts.diagnostic, 4_096));
    let inner = codes::enhanced(facts.diagnostic);
    let status = match (facts.status, inner.as_deref()) {
        (Some(status), Some(inner)) if is_vague(status) && !is_vague(inner) => Some(inner),
        (Some(status), _) => Some(status),
        (None, inner) => inner,
    };
    // The notice speaks of more than this failure, so it is asked only where the rest leaves the matter open.
    let by_notice = || reason::find(&fold(head(facts.notice, 8_192)));
    let open = status.is_none_or(is_vague);
    let named = reason::find(&words).or_else(|| open.then(by_notice).flatten());
    let temporary = facts.delayed || status.is_some_and(|s| s.starts_with('4'));
    let class = if temporary { BounceClass::Soft } else { permanent(facts, status, &words, named) };
    (class, named)
}

fn permanent(facts: &Facts<'_>, status: Option<&str>, words: &str, named: Option<Reason>) -> BounceClass {
    if let Some(class) = status.and_then(|s| by_status(s, named)) {
        return class;
    }
    let code = codes::reply(facts.diagnostic).or_else(|| codes::reply(head(facts.notice, 8_192)));
    if let Some(reason) = named {
        let temporary = status.is_none() && code.is_some_and(|code| code < 500);
        return if temporary { BounceClass::Soft } else { reason::class(reason) };
    }
    // The reply code alone says so only where the status leaves everything open.
    let open = status.is_none_or(|s| matches!(s, "5.0.0" | "5.1.0"));
    match code {
        Some(code) if code < 500 => BounceClass::Soft,
        Some(552) => BounceClass::Soft,
        Some(550 | 551 | 553) if open && !words.contains("end of data") => BounceClass::Hard,
        _ => BounceClass::Unknown,
    }
}

/// Codes that say no more than "failed".
fn is_vague(status: &str) -> bool {
    let general = ["5.1.0", "5.2.0", "5.3.0", "5.4.0", "5.5.0", "5.7.0", "5.5.1", "5.5.2", "5.5.4"];
    status.ends_with(".0.0") || general.contains(&status)
}

/// What a permanent code means (RFC 3463 and the registry), unless the words name something that outweighs it.
fn by_status(status: &str, words: Option<Reason>) -> Option<BounceClass> {
    let class = match status {
        "5.1.7" | "5.1.8" => return Some(BounceClass::Sender),
        "5.2.2" | "5.2.3" | "5.3.4" | "5.3.1" => BounceClass::Soft,
        "5.4.4" | "5.4.310" | "5.1.1" | "5.1.2" | "5.1.3" | "5.1.4" | "5.1.6" | "5.1.10" | "5.2.1" => BounceClass::Hard,
        _ if is_vague(status) => return None,
        _ if status.starts_with("5.7.") || status.starts_with("5.6.") => BounceClass::Sender,
        _ if status.starts_with("5.4.") => BounceClass::Soft,
        _ => return None,
    };
    let outweighs = |reason: Reason| match class {
        BounceClass::Hard => matches!(
            reason,
            Reason::MailboxFull
                | Reason::SenderAddress
                | Reason::Speed
                | Reason::Resolver
                | Reason::Authentication
                | Reason::Reputation
                | Reason::Spam
                | Reason::Relaying
        ),
        BounceClass::Sender => matches!(
            reason,
            Reason::UserUnknown
                | Reason::HostUnknown
                | Reason::Moved
                | Reason::Disabled
                | Reason::MailboxFull
                | Reason::TooBig
        ),
        BounceClass::Soft => matches!(reason, Reason::UserUnknown | Reason::HostUnknown) && status != "5.2.2",
        BounceClass::Unknown => true,
    };
    Some(words.filter(|w| outweighs(*w)).map_or(class, reason::class))
}
