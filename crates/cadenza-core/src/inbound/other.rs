//! Machine mail that answers nothing: statistics, server notes to the postmaster, notifications and newsletters.

use super::auto_reply;
use super::bounce::Found;
use super::mail::Mail;
use super::phrases::fold;
use super::verdict::{Evidence, Kind, OtherMail};

/// Local parts that write notifications.
const MACHINES: &[&str] = &[
    "noreply",
    "no-reply",
    "no_reply",
    "donotreply",
    "do-not-reply",
    "do_not_reply",
    "notification",
    "notifications",
    "newsletter",
    "alerts",
];

/// Subjects of reports on failed authentication that carry no report part.
const FAILURES: &[&str] = &["dmarc failure report", "dmarc forensic report"];
/// Fields that bulk mailers write beside List-Unsubscribe.
const BULK: &[&str] =
    &["list-unsubscribe-post", "feedback-id", "x-campaign", "x-campaignid", "x-mailgun-tag", "x-sg-eid"];

/// DMARC and TLS statistics (RFC 7489, RFC 8460).
pub(super) fn reports(mail: &Mail<'_>) -> Option<Found> {
    let subject = fold(&mail.subject);
    let subject = subject.trim_start_matches(['[', ' ']);
    let dmarc = subject.starts_with("report domain:") && subject.contains("submitter:");
    let tls = mail.head.has("tls-report-domain") || mail.tree.parts[0].media.attribute("report-type") == Some("tlsrpt");
    let failure = FAILURES.iter().find(|f| subject.starts_with(**f) || subject.contains(&format!("{f}]")));
    let evidence = |detail: &str| vec![Evidence::new("other.report", "subject", detail)];
    if dmarc || tls {
        return Some((Kind::Other(OtherMail::AggregateReport), evidence("aggregate report")));
    }
    let encloses = mail.enclosed().is_some() || mail.leaves().any(|p| mail.media(p) == "text/rfc822-headers");
    failure.filter(|_| encloses).map(|f| (Kind::Other(OtherMail::AuthenticationFailure), evidence(f)))
}

/// A mail server's notes that are about no delivery, to its postmaster or its users.
pub(super) fn notices(mail: &Mail<'_>) -> Option<Found> {
    let first = mail.from.first()?;
    let local = fold(first.address.split('@').next().unwrap_or_default());
    let daemon =
        matches!(local.as_str(), "mailer-daemon" | "postmaster") || fold(&first.name) == "mail delivery system";
    let evidence = vec![Evidence::new("other.notice", "from", "a mail server's address")];
    let answers = mail.head.has("in-reply-to") && !mail.head.has("auto-submitted") && !mail.null_return_path();
    (daemon && !answers && !auto_reply::says_absent(mail)).then_some((Kind::Other(OtherMail::DaemonNotice), evidence))
}

/// Notifications and newsletters: a sender that takes no answer, and no thread that it answers.
pub(super) fn notifications(mail: &Mail<'_>) -> Option<Found> {
    if mail.head.has("in-reply-to") || mail.head.has("references") {
        return None;
    }
    let local = fold(mail.sender().split('@').next().unwrap_or_default());
    let found = |part: &str, detail: &str| {
        Some((Kind::Other(OtherMail::Notification), vec![Evidence::new("other.notification", part, detail)]))
    };
    if let Some(machine) = MACHINES.iter().find(|m| local == **m || local.starts_with(&format!("{m}+"))) {
        return found("from", machine);
    }
    // Discussion lists can be posted to; what people write there stays theirs.
    let bulk = BULK.iter().find(|name| mail.head.has(name));
    let newsletter = mail.head.has("list-unsubscribe") && !mail.head.has("list-post") && bulk.is_some();
    bulk.filter(|_| newsletter).and_then(|name| found("list-unsubscribe", name))
}
