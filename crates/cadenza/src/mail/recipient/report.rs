//! What mail servers send back: a delivery report (RFC 3464) for a mail that could not be delivered, and a feedback report
//! (RFC 5965) for one that was called unwanted.

use super::{NotAnswerable, Original, Pen};
use cadenza_core::compose::{self, HeaderText, Letter, Mailbox, MessageId, SentAt};

/// Why a mail could not be delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// There is no such person.
    Hard,
    /// The mailbox is full; the server gave up after days.
    Soft,
}

/// The report that the recipient's server returns, with the original's header.
///
/// # Errors
/// As [`super::reply`].
pub fn bounce(original: &Original, failure: Failure, pen: Pen<'_>) -> Result<Vec<u8>, NotAnswerable> {
    let (status, code, reason) = match failure {
        Failure::Hard => ("5.1.1", "550", "Recipient address rejected: User unknown"),
        Failure::Soft => ("4.2.2", "452", "The recipient's mailbox is full"),
    };
    let (to, server) = (original.to.as_str(), format!("mx.{}", original.to.domain()));
    let notice = format!(
        "This is the mail system at host {server}.\r\n\r\nI'm sorry to have to inform you that your message could not\r\n\
         be delivered to one or more recipients. It's attached below.\r\n\r\n\
         <{to}>: host {server} said: {code} {status} <{to}>: {reason}\r\n"
    );
    let fields = format!(
        "Reporting-MTA: dns; {server}\r\n\r\nFinal-Recipient: rfc822; {to}\r\nOriginal-Recipient: rfc822;{to}\r\n\
         Action: failed\r\nStatus: {status}\r\nRemote-MTA: dns; {server}\r\n\
         Diagnostic-Code: smtp; {code} {status} <{to}>: {reason}\r\n"
    );
    let parts = [
        Part { media: "text/plain; charset=us-ascii", bytes: notice.as_bytes() },
        Part { media: "message/delivery-status", bytes: fields.as_bytes() },
        Part { media: "text/rfc822-headers", bytes: header_of(&original.raw) },
    ];
    let daemon = ("Mail Delivery System", "MAILER-DAEMON", "Undelivered Mail Returned to Sender");
    report(original, daemon, "delivery-status", &parts, pen)
}

/// The report of a provider at which the recipient called the mail spam.
///
/// # Errors
/// As [`super::reply`].
pub fn complaint(original: &Original, pen: Pen<'_>) -> Result<Vec<u8>, NotAnswerable> {
    let to = original.to.as_str();
    let notice = format!("This is an email abuse report for a message that was sent to {to}.\r\n");
    let fields = format!(
        "Feedback-Type: abuse\r\nUser-Agent: {}-FBL/1.0\r\nVersion: 1\r\nOriginal-Mail-From: <{}>\r\n\
         Original-Rcpt-To: <{to}>\r\n",
        original.to.domain(),
        original.returned_to
    );
    let parts = [
        Part { media: "text/plain; charset=us-ascii", bytes: notice.as_bytes() },
        Part { media: "message/feedback-report", bytes: fields.as_bytes() },
        Part { media: "message/rfc822", bytes: &original.raw },
    ];
    let provider = ("Feedback Loop", "fbl", "Abuse report");
    report(original, provider, "feedback-report", &parts, pen)
}

struct Part<'a> {
    media: &'a str,
    bytes: &'a [u8],
}

/// A `multipart/report` (RFC 6522) from the recipient's server to the sender. `from` is name, local part and subject.
fn report(
    original: &Original,
    from: (&str, &str, &str),
    kind: &str,
    parts: &[Part<'_>],
    pen: Pen<'_>,
) -> Result<Vec<u8>, NotAnswerable> {
    let (name, local, subject) = from;
    let domain = original.to.domain();
    let server = format!("{local}@{domain}").parse().map_err(|_| NotAnswerable("recipient"))?;
    let server = Mailbox::named(name, server).map_err(|_| NotAnswerable("recipient"))?;
    let subject = HeaderText::new(subject).map_err(|_| NotAnswerable("subject"))?;
    let id = MessageId::new(pen.unique, domain).map_err(|_| NotAnswerable("recipient"))?;
    let letter = Letter::new(server, Mailbox::bare(original.returned_to.clone()), subject, SentAt::utc(pen.now), id);
    let mut raw = b"Return-Path: <>\r\nAuto-Submitted: auto-replied\r\n".to_vec();
    // The header fields of a letter are those of a report, up to where its contents begin.
    let composed = compose::compose(&letter);
    raw.extend_from_slice(header_until(&composed, b"MIME-Version:"));
    let boundary = format!("report_{}", pen.unique);
    let content = format!(
        "MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type={kind};\r\n boundary=\"{boundary}\"\r\n\r\n\
         This is a MIME-encapsulated message.\r\n"
    );
    raw.extend_from_slice(content.as_bytes());
    for part in parts {
        raw.extend_from_slice(format!("\r\n--{boundary}\r\nContent-Type: {}\r\n\r\n", part.media).as_bytes());
        raw.extend_from_slice(part.bytes);
    }
    raw.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    Ok(raw)
}

/// The header fields, up to and with the last line end before the empty line.
fn header_of(raw: &[u8]) -> &[u8] {
    let end = raw.windows(4).position(|w| w == b"\r\n\r\n").map_or(raw.len(), |at| at + 2);
    &raw[..end]
}

/// The fields before the one that begins so.
fn header_until<'r>(raw: &'r [u8], field: &[u8]) -> &'r [u8] {
    let at = raw.windows(field.len()).position(|w| w == field).unwrap_or(raw.len());
    &raw[..at]
}
