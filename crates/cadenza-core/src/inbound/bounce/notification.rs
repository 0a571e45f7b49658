//! Amazon SES tells of bounces, complaints and deliveries by mails whose text is JSON (through SNS). Read here as what
//! they are about.

use super::report::RECIPIENTS_MAX;
use super::{Found, class, codes, one_line};
use crate::inbound::complaint::FeedbackType;
use crate::inbound::headers::tidy_address;
use crate::inbound::mail::Mail;
use crate::inbound::phrases;
use crate::inbound::verdict::{Bounce, BounceClass, Complaint, Delivered, Evidence, Failed, Kind};
use serde_json::Value;

/// The longest text that is looked at, in bytes.
const TEXT_MAX: usize = 256 * 1024;

/// Judges whether the text is such a notification.
pub(super) fn find(mail: &Mail<'_>) -> Option<Found> {
    let text = phrases::head(mail.text.trim_start(), TEXT_MAX);
    if !text.starts_with('{') || !(text.contains("notificationType") || text.contains("eventType")) {
        return None;
    }
    // Lines over 1,000 characters are broken by "!" and a line end on their way.
    let joined = text.replace("!\n ", "").replace("!\n", "");
    let value: Value = serde_json::Deserializer::from_str(&joined).into_iter().next()?.ok()?;
    let event = value.get("notificationType").or_else(|| value.get("eventType"))?.as_str()?;
    let original_message_id = message_id(&value);
    let kind = match event {
        "Bounce" => Kind::Bounce(bounce(&value, original_message_id)?),
        "Complaint" => {
            let recipients = addresses(value.pointer("/complaint/complainedRecipients")?);
            let feedback_type = match value.pointer("/complaint/complaintFeedbackType").and_then(Value::as_str) {
                Some("fraud") => FeedbackType::Fraud,
                Some("virus") => FeedbackType::Virus,
                Some("not-spam") => FeedbackType::NotSpam,
                Some("abuse") | None => FeedbackType::Abuse,
                Some(_) => FeedbackType::Other,
            };
            let recipient = recipients.first().cloned();
            Kind::Complaint(Complaint { recipient, recipients, feedback_type, original_message_id })
        }
        "Delivery" => {
            let recipients = addresses(value.pointer("/delivery/recipients")?);
            Kind::Delivered(Delivered { recipients, original_message_id, envelope_id: None })
        }
        _ => return None,
    };
    Some((kind, vec![Evidence::new("bounce.notification", "text", format!("notificationType: {event}"))]))
}

fn bounce(value: &Value, original_message_id: Option<String>) -> Option<Bounce> {
    let kind = value.pointer("/bounce/bounceType").and_then(Value::as_str).unwrap_or_default();
    let mut recipients = Vec::new();
    for one in value.pointer("/bounce/bouncedRecipients")?.as_array()?.iter().take(RECIPIENTS_MAX) {
        let Some(recipient) = one.get("emailAddress").and_then(Value::as_str).and_then(tidy_address) else { continue };
        let said = one.get("diagnosticCode").and_then(Value::as_str).unwrap_or_default();
        let status = one.get("status").and_then(Value::as_str).and_then(codes::enhanced);
        let facts = class::Facts { status: status.as_deref(), diagnostic: said, ..class::Facts::default() };
        let (by_words, reason) = class::of(&facts);
        let class = match (kind, by_words) {
            ("Transient", BounceClass::Hard | BounceClass::Unknown) => BounceClass::Soft,
            ("Permanent", BounceClass::Unknown) => BounceClass::Hard,
            (_, class) => class,
        };
        let diagnostic = Some(one_line(said)).filter(|d| !d.is_empty());
        recipients.push(Failed { recipient, original_recipient: None, class, reason, status, diagnostic });
    }
    let first = recipients.first();
    Some(Bounce {
        class: first.map_or(BounceClass::Unknown, |f| f.class),
        recipient: first.map(|f| f.recipient.clone()),
        status: first.and_then(|f| f.status.clone()),
        diagnostic: first.and_then(|f| f.diagnostic.clone()),
        recipients,
        original_message_id,
        envelope_id: None,
        delayed: false,
    })
}

/// The Message-ID that the sender wrote, else the id that SES gave the mail.
fn message_id(value: &Value) -> Option<String> {
    let common = value.pointer("/mail/commonHeaders/messageId").and_then(Value::as_str);
    let listed = || {
        let headers = value.pointer("/mail/headers")?.as_array()?;
        let field =
            headers.iter().find(|h| h["name"].as_str().is_some_and(|n| n.eq_ignore_ascii_case("message-id")))?;
        field["value"].as_str()
    };
    let given = || value.pointer("/mail/messageId").and_then(Value::as_str);
    let id = common.or_else(listed).or_else(given)?;
    Some(id.trim_matches(['<', '>', ' ']).to_owned())
}

fn addresses(list: &Value) -> Vec<String> {
    let one = |v: &Value| v.as_str().or_else(|| v["emailAddress"].as_str()).and_then(tidy_address);
    list.as_array().map(|l| l.iter().take(RECIPIENTS_MAX).filter_map(one).collect()).unwrap_or_default()
}
