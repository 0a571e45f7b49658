//! One line a mail for scoring and for `cadenza classify --json`: what was read, as a flat JSON object.

use super::Incoming;
use super::verdict::{AutoReply, BounceClass, Kind};
use serde_json::{Value, json};

/// The line for one file.
///
/// Fields: `file`, `kind` (reply, auto_reply, bounce, complaint, other), `recipient` (every address that a
/// report names), `bounce_type` (hard, soft,
/// unknown; a rejection that blames the sender is soft for the contact), `return_date`, `out_of_office`, `reply_text`,
/// `orig_message_id`, `opt_out`, and `verdict` with everything else.
pub fn line(file: &str, incoming: &Incoming) -> Value {
    let mut line = json!({
        "file": file,
        "kind": kind(&incoming.verdict.kind),
        "recipient": [],
        "bounce_type": null,
        "return_date": null,
        "out_of_office": null,
        "reply_text": null,
        "orig_message_id": incoming.original_message_id,
        "opt_out": false,
        "verdict": incoming.verdict,
    });
    match &incoming.verdict.kind {
        Kind::Reply(reply) => {
            line["opt_out"] = json!(reply.opt_out);
            line["reply_text"] = json!(incoming.text);
        }
        Kind::AutoReply(auto) => {
            line["out_of_office"] = json!(matches!(auto, AutoReply::OutOfOffice { .. }));
            if let AutoReply::OutOfOffice { until: Some(until) } = auto {
                line["return_date"] = json!(until.to_string());
            }
        }
        Kind::Bounce(bounce) => {
            let named = bounce.recipients.iter().flat_map(|r| [Some(&r.recipient), r.original_recipient.as_ref()]);
            line["recipient"] = json!(named.flatten().collect::<Vec<_>>());
            line["bounce_type"] = json!(match bounce.class {
                BounceClass::Hard => "hard",
                BounceClass::Soft | BounceClass::Sender => "soft",
                BounceClass::Unknown => "unknown",
            });
        }
        Kind::Delivered(delivered) => line["recipient"] = json!(delivered.recipients),
        Kind::Complaint(complaint) => line["recipient"] = json!(complaint.recipients),
        Kind::Other(_) => (),
    }
    line
}

fn kind(kind: &Kind) -> &'static str {
    match kind {
        Kind::Reply(_) => "reply",
        Kind::AutoReply(_) => "auto_reply",
        Kind::Bounce(_) => "bounce",
        Kind::Complaint(_) => "complaint",
        Kind::Delivered(_) | Kind::Other(_) => "other",
    }
}
