//! Spam complaints: feedback reports (RFC 5965) and the older formats of providers. Authentication-failure reports
//! (RFC 6591) look the same and are told apart here.

use super::bounce;
use super::headers::{Headers, tidy_address};
use super::mail::{Mail, header_block};
use super::phrases::fold;
use super::verdict::{Complaint, Evidence, Kind, OtherMail};
use serde::{Deserialize, Serialize};

/// The Feedback-Type of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FeedbackType {
    Abuse,
    Fraud,
    Virus,
    /// The recipient used the provider's own way of leaving (RFC 5965's registry calls it so).
    OptOut,
    NotSpam,
    Other,
}

/// Subjects of providers whose complaints carry no report part.
const SUBJECTS: &[&str] = &["complaint about message from", "abuse report", "spam complaint", "email feedback report"];

/// Judges whether the mail is a complaint or a report of failed authentication.
pub(super) fn find(mail: &Mail<'_>) -> Option<bounce::Found> {
    by_report(mail).or_else(|| by_provider(mail))
}

fn by_report(mail: &Mail<'_>) -> Option<bounce::Found> {
    let part = mail.leaves().find(|p| mail.media(*p) == "message/feedback-report");
    let part = part.or_else(|| {
        let is_report = mail.tree.parts[0].media.attribute("report-type") == Some("feedback-report");
        mail.leaves().filter(|_| is_report).find(|p| fold(&mail.part_text(*p)).contains("feedback-type:"))
    })?;
    let text = mail.part_text(part);
    let tree = header_block(text.trim_start()).ok()?;
    let fields = Headers::of(&tree, 0);
    let kind = fields.lower("feedback-type");
    let evidence = vec![Evidence::new("complaint.report", "message/feedback-report", kind.clone())];
    if kind.starts_with("auth-failure") || kind == "dmarc" || fields.has("auth-failure") {
        return Some((Kind::Other(OtherMail::AuthenticationFailure), evidence));
    }
    let feedback_type = match kind.as_str() {
        "abuse" | "" => FeedbackType::Abuse,
        "fraud" => FeedbackType::Fraud,
        "virus" => FeedbackType::Virus,
        "opt-out" | "opt-out-list" => FeedbackType::OptOut,
        "not-spam" => FeedbackType::NotSpam,
        _ => FeedbackType::Other,
    };
    let mut recipients: Vec<String> = Vec::new();
    for name in ["original-rcpt-to", "removal-recipient"] {
        recipients.extend(fields.addresses(name).into_iter().map(|a| a.address));
    }
    Some((Kind::Complaint(assemble(mail, recipients, feedback_type)), evidence))
}

/// Outlook.com's reports enclose the mail and name themselves in the subject only.
fn by_provider(mail: &Mail<'_>) -> Option<bounce::Found> {
    let subject = fold(&mail.subject);
    let named = SUBJECTS.iter().find(|s| subject.trim_start().starts_with(**s))?;
    mail.enclosed()?;
    let evidence = vec![Evidence::new("complaint.provider", "subject", *named)];
    let mut recipients: Vec<String> = Vec::new();
    if let Some(enclosed) = mail.enclosed() {
        recipients.extend(enclosed.addresses("x-hmxmroriginalrecipient").into_iter().map(|a| a.address));
    }
    Some((Kind::Complaint(assemble(mail, recipients, FeedbackType::Abuse)), evidence))
}

fn assemble(mail: &Mail<'_>, mut recipients: Vec<String>, feedback_type: FeedbackType) -> Complaint {
    let original = bounce::split(mail, String::new()).original.unwrap_or_default();
    if recipients.is_empty() {
        recipients.extend(original.to.iter().filter_map(|a| tidy_address(a)));
    }
    recipients.dedup();
    Complaint {
        recipient: recipients.first().cloned(),
        recipients,
        feedback_type,
        original_message_id: original.message_id,
    }
}
