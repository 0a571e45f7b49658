//! Delivery reports: tells bounces, delay warnings and success reports from other mail, and reads whom and why.
//!
//! Three ways in, the surest first: the machine-readable report of RFC 3464, the field X-Failed-Recipients, and the words
//! of a server's notice. A person's mail about a bounce, or with one attached, is none.

mod addresses;
mod class;
mod codes;
mod notice;
mod notification;
mod original;
mod reason;
mod report;

pub(super) use original::{Original, Split, split};

use super::mail::Mail;
use super::reply_text::{fresh_text, is_all_quoted};
use super::tree::Tree;
use super::verdict::{Bounce, Delivered, Evidence, Failed, Kind};
use super::{auto_reply, phrases};
use crate::time::Time;
use notice::{Sender, Words};
use report::{RECIPIENTS_MAX, Report};

/// The longest diagnostic that is kept, in bytes.
const DIAGNOSTIC_MAX: usize = 500;

/// Where the reason for one of several recipients is looked for, in bytes of the notice.
const ABOUT_MAX: usize = 16 * 1024;

/// What the rules found: the kind and why.
pub(super) type Found = (Kind, Vec<Evidence>);

/// Judges whether the mail is a delivery report.
pub(super) fn find(mail: &Mail<'_>) -> Option<Found> {
    let (kind, mut evidence) = by_report(mail)
        .or_else(|| notification::find(mail))
        .or_else(|| by_field(mail))
        .or_else(|| forwarded(mail))
        .or_else(|| by_words(mail))?;
    if let Kind::Bounce(bounce) = &kind {
        evidence.extend(why_class(bounce));
    }
    Some((kind, evidence))
}

/// What the class of a bounce rests on.
fn why_class(bounce: &Bounce) -> Vec<Evidence> {
    let status = bounce.status.as_ref().map(|s| Evidence::new("bounce.class", "status", s));
    let reason = bounce.recipients.first().and_then(|r| r.reason);
    let reason = reason.map(|r| Evidence::new("bounce.class", "diagnostic", format!("{r:?}")));
    status.into_iter().chain(reason).collect()
}

/// The machine-readable report of RFC 3464.
fn by_report(mail: &Mail<'_>) -> Option<Found> {
    let own: Vec<usize> = mail.leaves().collect();
    let part = report_part(mail, &own)?;
    let sender = Sender::of(mail);
    let text = phrases::fold(phrases::head(&notice::text(mail), 8_192));
    if !sender.daemon && !sender.null_path && auto_reply::is_challenge(&text) {
        return None;
    }
    Some(from_report(mail, part))
}

/// The part whose fields are a delivery report.
fn report_part(mail: &Mail<'_>, parts: &[usize]) -> Option<usize> {
    let named = |part: &&usize| {
        let media = mail.media(**part);
        matches!(media, "message/delivery-status" | "message/global-delivery-status" | "message/x-delivery-status")
    };
    if let Some(part) = parts.iter().find(named) {
        return Some(*part);
    }
    // Broken or unlabelled reports still name their fields.
    let raw_type = mail.head.lower("content-type");
    let sender = Sender::of(mail);
    if raw_type.contains("feedback-report")
        || !(raw_type.contains("multipart/report") || sender.daemon || sender.null_path)
    {
        return None;
    }
    let has_fields = |p: &&usize| {
        let text = phrases::fold(phrases::head(&mail.part_text(**p), 8_192));
        text.contains("final-recipient:") && text.contains("action:") && text.contains("status:")
    };
    parts.iter().filter(|p| mail.media(**p).starts_with("text/")).find(has_fields).copied()
}

fn from_report(mail: &Mail<'_>, part: usize) -> Found {
    let report = report::read(&mail.part_text(part));
    let split = split(mail, notice::text(mail));
    let message_id = message_id(mail, Some(&report), &split);
    let evidence = |detail: &str| vec![Evidence::new("bounce.report", mail.media(part), detail)];
    let some_failed = report.recipients.iter().any(report::Recipient::failed);
    if !some_failed && report.recipients.iter().any(report::Recipient::delivered) {
        let recipients = report.recipients.iter().filter_map(|r| r.address().map(str::to_owned)).collect();
        let delivered = Delivered { recipients, original_message_id: message_id, envelope_id: report.envelope_id };
        return (Kind::Delivered(delivered), evidence("action: delivered"));
    }
    let words = Words::read(&split.notice);
    let some_delayed = report.recipients.iter().any(report::Recipient::delayed);
    let delayed = !some_failed && (some_delayed || (report.recipients.is_empty() && words.delayed));
    let counts = |r: &&report::Recipient| delayed || r.failed() || !some_failed;
    let failed = report.recipients.iter().filter(counts).filter_map(|r| one_failed(r, &split.notice, delayed));
    let mut failed: Vec<Failed> = failed.collect();
    if failed.is_empty() {
        let named = mail.head.addresses("x-failed-recipients").into_iter().take(RECIPIENTS_MAX);
        failed = named.map(|a| said_of(&a.address, &split.notice, delayed)).collect();
    }
    if failed.is_empty() {
        failed = from_words(mail, &split, delayed);
    }
    name_written_to(&mut failed, &split);
    let bounce = assemble(failed, message_id, report.envelope_id, delayed, &split.notice);
    (Kind::Bounce(bounce), evidence(if delayed { "action: delayed" } else { "action: failed" }))
}

fn one_failed(r: &report::Recipient, notice: &str, delayed: bool) -> Option<Failed> {
    let address = r.address()?;
    let original_recipient = r.original_recipient.clone().filter(|o| !o.eq_ignore_ascii_case(address));
    // Some servers give the reason in the notice only.
    let said = r.diagnostic.clone().or_else(|| {
        let about = |a: &str| addresses::about(phrases::head(notice, ABOUT_MAX), a);
        about(address).or_else(|| original_recipient.as_deref().and_then(about))
    });
    let diagnostic = said.unwrap_or_default();
    let (class, reason) =
        class::of(&class::Facts { status: r.status.as_deref(), diagnostic: &diagnostic, notice, delayed });
    let status = match codes::enhanced(&diagnostic) {
        Some(inner) if r.status.as_deref().is_none_or(|s| s.ends_with(".0.0")) => Some(inner),
        _ => r.status.clone(),
    };
    let diagnostic = Some(one_line(&diagnostic)).filter(|d| !d.is_empty());
    Some(Failed { recipient: address.to_owned(), original_recipient, class, reason, status, diagnostic })
}

/// The final address may be an alias's target that nobody wrote to. The notice may name the one of the returned mail.
fn name_written_to(failed: &mut [Failed], split: &Split) {
    let [one] = failed else { return };
    let sent_to = split.original.as_ref().map_or(&[][..], |o| &o.to);
    let was_sent = |a: &str| sent_to.iter().any(|s| s.eq_ignore_ascii_case(a));
    if one.original_recipient.is_none() && !was_sent(&one.recipient) {
        let told = addresses::plain(&split.notice, &[], sent_to);
        one.original_recipient = told.into_iter().find(|t| was_sent(t));
    }
}

/// Exim and Gmail name the failed addresses in a header field.
fn by_field(mail: &Mail<'_>) -> Option<Found> {
    let named = mail.head.addresses("x-failed-recipients");
    if named.is_empty() {
        return None;
    }
    let split = split(mail, notice::text(mail));
    let delayed = Words::read(&split.notice).delayed && !Words::read(&mail.subject).failed;
    let mut failed: Vec<Failed> =
        named.iter().take(RECIPIENTS_MAX).map(|a| said_of(&a.address, &split.notice, delayed)).collect();
    name_written_to(&mut failed, &split);
    let bounce = assemble(failed, message_id(mail, None, &split), None, delayed, &split.notice);
    Some((Kind::Bounce(bounce), vec![Evidence::new("bounce.field", "x-failed-recipients", "present")]))
}

/// A delivery report that a server or, without a word of their own, a person passed on.
fn forwarded(mail: &Mail<'_>) -> Option<Found> {
    let sender = Sender::of(mail);
    if sender.daemon {
        let own: Vec<usize> = mail.leaves().collect();
        let enclosed: Vec<usize> = (0..mail.tree.parts.len()).filter(|p| !own.contains(p)).collect();
        let part = enclosed.iter().find(|p| mail.media(**p) == "message/delivery-status")?;
        let (kind, mut evidence) = from_report(mail, *part);
        evidence.push(Evidence::new("bounce.sender", "from", "a mail server's address"));
        return Some((kind, evidence));
    }
    let passed_on = notice::is_passed_on(&mail.subject);
    let words = Words::read(&mail.subject);
    let lines: String = mail.text.lines().flat_map(|l| [l.trim_start_matches(['>', ' ']), "\n"]).collect();
    let folded = phrases::fold(phrases::head(&lines, 16_384));
    let fields = folded.contains("final-recipient:") && folded.contains("action:") && folded.contains("status:");
    if !(passed_on && words.subject && fields && is_all_quoted(&mail.text)) {
        return None;
    }
    let report = report::read(&lines[lines.find("inal-").map_or(0, |at| at.saturating_sub(1))..]);
    let failed: Vec<Failed> = report.recipients.iter().filter_map(|r| one_failed(r, &lines, false)).collect();
    let split = split(mail, lines);
    let bounce = assemble(failed, message_id(mail, Some(&report), &split), report.envelope_id, false, &split.notice);
    Some((Kind::Bounce(bounce), vec![Evidence::new("bounce.forwarded", "text", "a delivery report, passed on")]))
}

/// A notice in words alone: who sent it, what it says and whether it returns a mail must fit together.
fn by_words(mail: &Mail<'_>) -> Option<Found> {
    let sender = Sender::of(mail);
    let split = split(mail, notice::text(mail));
    let subject = Words::read(&mail.subject);
    // A person's own words count, not what they quote.
    let own_words = (!sender.daemon && !sender.null_path).then(|| fresh_text(&split.notice));
    let body = Words::read(phrases::head(own_words.as_deref().unwrap_or(&split.notice), 16_384));
    let evidence = notice::weigh(mail, &sender, &subject, &body, &split)?;
    if let Some((Kind::Bounce(inner), _)) = split.returned_text.as_deref().and_then(inner_report) {
        return Some((Kind::Bounce(inner), evidence));
    }
    let delayed = (subject.delayed || body.delayed) && !subject.failed && !body.final_failure;
    let failed = from_words(mail, &split, delayed);
    let bounce = assemble(failed, message_id(mail, None, &split), None, delayed, &split.notice);
    Some((Kind::Bounce(bounce), evidence))
}

/// A whole delivery report that stands in the text of a notice.
fn inner_report(text: &str) -> Option<Found> {
    let tree = Tree::split(text.as_bytes()).ok()?;
    if tree.parts[0].media.name != "multipart/report" {
        return None;
    }
    by_report(&Mail::read(&tree, Time::from_seconds(0)))
}

/// The failed recipients as the notice's words name them.
fn from_words(mail: &Mail<'_>, split: &Split, delayed: bool) -> Vec<Failed> {
    let empty = Original::default();
    let original = split.original.as_ref().unwrap_or(&empty);
    let mut own: Vec<String> = mail.head.addresses("to").into_iter().map(|a| a.address).collect();
    own.extend(original.from.iter().cloned());
    own.extend(mail.from.iter().map(|a| a.address.clone()));
    own.retain(|a| !original.to.iter().any(|t| t.eq_ignore_ascii_case(a)));
    let mut named = addresses::plain(&split.notice, &own, &original.to);
    if named.is_empty() {
        named.extend(original.to.first().cloned());
    }
    if named.is_empty() {
        named.extend(addresses::likeliest(&split.notice, &own));
    }
    if named.is_empty() {
        named.extend(addresses::likeliest(&mail.text, &own));
    }
    named.iter().take(RECIPIENTS_MAX).map(|address| said_of(address, &split.notice, delayed)).collect()
}

/// One failure as the notice's words tell it.
fn said_of(address: &str, notice: &str, delayed: bool) -> Failed {
    let about = addresses::about(notice, address).unwrap_or_default();
    let status = codes::enhanced(&about).or_else(|| codes::enhanced(notice));
    let (class, reason) = class::of(&class::Facts { status: status.as_deref(), diagnostic: &about, notice, delayed });
    let diagnostic = notice::diagnostic(&about).or_else(|| notice::diagnostic(notice));
    Failed { recipient: address.to_owned(), original_recipient: None, class, reason, status, diagnostic }
}

fn assemble(
    recipients: Vec<Failed>,
    original_message_id: Option<String>,
    envelope_id: Option<String>,
    delayed: bool,
    notice: &str,
) -> Bounce {
    let first = recipients.first();
    let by_notice = || class::of(&class::Facts { notice, delayed, ..class::Facts::default() }).0;
    Bounce {
        class: first.map_or_else(by_notice, |f| f.class),
        recipient: first.map(|f| f.recipient.clone()),
        status: first.and_then(|f| f.status.clone()),
        diagnostic: first.and_then(|f| f.diagnostic.clone()).or_else(|| notice::diagnostic(notice)),
        recipients,
        original_message_id,
        envelope_id,
        delayed,
    }
}

/// The sent mail's Message-ID: of the returned mail, of the report's fields, of the notice, of the threading fields.
fn message_id(mail: &Mail<'_>, report: Option<&Report>, split: &Split) -> Option<String> {
    let of_original = split.original.as_ref().and_then(|o| o.message_id.clone());
    let of_report = || report.and_then(|r| r.message_id.clone());
    let of_threads = || {
        let ids = [mail.head.ids("in-reply-to"), mail.head.ids("references")].concat();
        ids.into_iter().last()
    };
    of_original.or_else(of_report).or_else(|| notice::message_id(mail)).or_else(of_threads)
}

fn one_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    phrases::head(&line, DIAGNOSTIC_MAX).to_owned()
}
