//! Raw mail bytes → what the mail is: a reply, an automatic answer, a bounce, a complaint or other (SPEC §9).
//!
//! Pure and bounded: limits come first, then linear scans over tables of phrases. It believes what the mail says about
//! itself; whether the mail is trusted, and which send it belongs to, the caller decides by the tokens and ids given here.

mod auto_reply;
mod bounce;
mod complaint;
mod decode;
mod headers;
mod html;
mod mail;
mod opt_out;
mod other;
mod phrases;
pub mod reply_text;
pub mod report;
mod return_date;
mod texts;
mod tree;
mod verdict;

pub use complaint::FeedbackType;
pub use headers::Address;
pub use texts::{TextKind, read_text};
pub use tree::{DEPTH_MAX, HEADER_BYTES_MAX, HEADER_FIELDS_MAX, PARTS_MAX, SIZE_MAX, Unreadable};
pub use verdict::{
    AutoReply, Bounce, BounceClass, BounceReason, CalendarAnswer, Complaint, Delivered, Evidence, Failed, Kind,
    OtherMail, RULES_VERSION, Reply, Verdict,
};

use crate::time::Time;
use mail::Mail;
use serde::{Deserialize, Serialize};
use tree::Tree;

/// The longest full text that is kept, in bytes.
const FULL_TEXT_MAX: usize = 256 * 1024;

/// A mail, read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incoming {
    pub from: Vec<Address>,
    pub reply_to: Vec<Address>,
    pub to: Vec<Address>,
    pub cc: Vec<Address>,
    /// Every address that the mail was, or may have been, delivered to: To, Cc, Delivered-To, X-Original-To, Envelope-To and
    /// the like. A send's own token (`reply+TOKEN@…`) is looked for here.
    pub delivered_to: Vec<String>,
    /// The envelope's sender; none where the field is missing or empty.
    pub return_path: Option<String>,
    /// Whether the return path is there and empty (`<>`).
    pub null_return_path: bool,
    pub subject: String,
    pub message_id: Option<String>,
    pub in_reply_to: Vec<String>,
    pub references: Vec<String>,
    /// The Message-ID of the mail that this one encloses, returns or reports on.
    pub original_message_id: Option<String>,
    /// When it was written, as the mail says.
    pub date: Option<Time>,
    pub verdict: Verdict,
    /// What the writer wrote now, without quotations and signature.
    pub text: String,
    /// The whole body as text, at most 256 KiB.
    pub full_text: String,
    pub has_html: bool,
    pub attachments: Vec<Attachment>,
}

/// A part that is not the body: listed, not opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// As the mail names it; never to be used as a path.
    pub filename: Option<String>,
    pub media_type: String,
    /// Bytes before decoding.
    pub size: usize,
}

/// Reads one mail.
///
/// `received_at` stands in for a missing Date field, against which relative return dates are counted.
///
/// # Errors
/// [`Unreadable`], where the mail passes a limit; it never fails for bad contents within the limits.
pub fn read(raw: &[u8], received_at: Time) -> Result<Incoming, Unreadable> {
    let tree = Tree::split(raw)?;
    let mail = Mail::read(&tree, received_at);
    let verdict = judge(&mail);
    let head = mail.head;
    let (to, cc) = (head.addresses("to"), head.addresses("cc"));
    let return_path = head.addresses("return-path").into_iter().next().map(|a| a.address);
    Ok(Incoming {
        delivered_to: delivered_to(&mail),
        reply_to: head.addresses("reply-to"),
        to,
        cc,
        null_return_path: mail.null_return_path(),
        return_path,
        subject: mail.subject.clone(),
        message_id: head.ids("message-id").into_iter().next(),
        in_reply_to: head.ids("in-reply-to"),
        references: head.ids("references"),
        original_message_id: original_message_id(&mail, &verdict.kind),
        date: head.date("date").map(|(time, _)| time),
        verdict,
        text: mail.fresh.clone(),
        full_text: phrases::head(&mail.text, FULL_TEXT_MAX).replace(html::QUOTE_MARK, ""),
        has_html: mail.leaves().any(|p| mail.media(p) == "text/html"),
        attachments: attachments(&mail),
        from: mail.from.clone(),
    })
}

/// Complaints and bounces before automatic answers: half of all bounces call themselves `auto-replied`.
fn judge(mail: &Mail<'_>) -> Verdict {
    let found = complaint::find(mail)
        .or_else(|| other::reports(mail))
        .or_else(|| bounce::find(mail))
        .or_else(|| other::notices(mail))
        .or_else(|| auto_reply::find(mail))
        .or_else(|| other::notifications(mail));
    let (kind, evidence) = found.unwrap_or_else(|| {
        let opt_out = opt_out::find(mail);
        let threaded = mail.head.has("in-reply-to") || mail.head.has("references") || answers_by_subject(&mail.subject);
        let reply = Reply { opt_out: opt_out.is_some(), in_thread: threaded };
        let mut evidence = vec![Evidence::new("reply.default", "headers", "nothing says that a machine wrote it")];
        evidence.splice(0..0, opt_out);
        (Kind::Reply(reply), evidence)
    });
    Verdict { kind, evidence, version: RULES_VERSION }
}

fn original_message_id(mail: &Mail<'_>, kind: &Kind) -> Option<String> {
    match kind {
        Kind::Bounce(bounce) => bounce.original_message_id.clone(),
        Kind::Delivered(delivered) => delivered.original_message_id.clone(),
        Kind::Complaint(complaint) => complaint.original_message_id.clone(),
        _ => bounce::split(mail, String::new()).original.and_then(|o| o.message_id),
    }
}

/// "Re:" and what it is in other languages.
fn answers_by_subject(subject: &str) -> bool {
    let lower = subject.trim_start().to_lowercase();
    let marks = [
        "re:",
        "re :",
        "aw:",
        "antw:",
        "sv:",
        "vs:",
        "odp:",
        "rif:",
        "r:",
        "ref:",
        "res:",
        "回复:",
        "回复：",
        "答复:",
        "答复：",
        "yanıt:",
        "ynt:",
        "vá:",
        "απ:",
        "re[",
    ];
    marks.iter().any(|m| lower.starts_with(m))
}

fn delivered_to(mail: &Mail<'_>) -> Vec<String> {
    let names = [
        "delivered-to",
        "x-original-to",
        "envelope-to",
        "x-envelope-to",
        "x-delivered-to",
        "x-forwarded-to",
        "apparently-to",
        "to",
        "cc",
        "resent-to",
    ];
    let mut all: Vec<String> = Vec::new();
    for address in names.iter().flat_map(|n| mail.head.addresses(n)) {
        if !all.contains(&address.address) {
            all.push(address.address);
        }
        if all.len() >= 200 {
            break;
        }
    }
    all
}

fn attachments(mail: &Mail<'_>) -> Vec<Attachment> {
    let parts = mail.tree.parts.iter().enumerate().filter(|(_, p)| !p.enclosed);
    let listed = parts.filter(|(_, p)| !p.media.is_multipart() && (p.media.attachment || is_extra(&p.media.name)));
    let list = listed.map(|(id, p)| Attachment {
        filename: p.media.filename.clone(),
        media_type: p.media.name.clone(),
        size: mail.tree.body_len(id),
    });
    list.collect()
}

fn is_extra(media: &str) -> bool {
    !media.starts_with("text/") || media == "text/calendar"
}
