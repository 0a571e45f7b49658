//! What a mail turned out to be, with the rules that said so. Values only; the rules are in the files named after each noun.

use super::complaint::FeedbackType;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// Counts up whenever the rules change what they answer, so that stored mail can be read again (REC-12).
pub const RULES_VERSION: u32 = 1;

/// What a mail is and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    pub kind: Kind,
    /// The rules that decided, most telling first.
    pub evidence: Vec<Evidence>,
    /// [`RULES_VERSION`] of the rules that judged.
    pub version: u32,
}

/// One rule that spoke. It never quotes the mail's text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The rule's lasting name, such as `bounce.report`.
    pub rule: String,
    /// Where it looked: a header field, `text`, or a part's media type.
    pub part: String,
    /// Words of the rule's own: the table entry or value class that matched.
    pub detail: String,
}

impl Evidence {
    pub(super) fn new(rule: &str, part: &str, detail: impl Into<String>) -> Evidence {
        Evidence { rule: rule.to_owned(), part: part.to_owned(), detail: detail.into() }
    }
}

/// The kinds of mail that Cadenza tells apart (SPEC REC-1 to REC-5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Kind {
    /// Written by a person.
    Reply(Reply),
    AutoReply(AutoReply),
    Bounce(Bounce),
    /// A delivery report of success: the mail arrived.
    Delivered(Delivered),
    Complaint(Complaint),
    /// Machine mail that is none of the above, such as an aggregate report: logged, changes nothing.
    Other(OtherMail),
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Reply {
    /// The person asks not to be written to any more.
    pub opt_out: bool,
    /// Headers or subject say that it answers a mail. False also for a new mail that an answering contact wrote.
    pub in_thread: bool,
}

/// A mail that a machine wrote in answer to a mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "auto_reply", rename_all = "snake_case")]
pub enum AutoReply {
    OutOfOffice {
        /// The first day the person is back, as far as the mail says so.
        until: Option<Date>,
    },
    LeftCompany,
    /// A receipt of a help desk or a form.
    Ticket,
    /// A disposition notification (RFC 8098): the mail was opened or deleted.
    ReadReceipt,
    /// An answer to an invitation.
    Calendar(CalendarAnswer),
    /// Asks the sender to prove being a person.
    Challenge,
    /// Says by header or text that a machine wrote it, and no more.
    Unspecified,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum CalendarAnswer {
    Accepted,
    Tentative,
    Declined,
    /// A request, a counter-proposal or a cancellation.
    Unknown,
}

/// A report that a mail was not, or not yet, delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounce {
    pub class: BounceClass,
    /// The address it failed for, as the report says; the first where there are several.
    pub recipient: Option<String>,
    /// All of them; a mail of Cadenza's own has one.
    pub recipients: Vec<Failed>,
    /// The enhanced status code (RFC 3463), such as `5.1.1`.
    pub status: Option<String>,
    /// The rejecting server's words, on one line, at most 500 characters.
    pub diagnostic: Option<String>,
    pub original_message_id: Option<String>,
    /// The `ENVID` given to the server when the mail was sent.
    pub envelope_id: Option<String>,
    /// Still being tried: a warning, not a failure.
    pub delayed: bool,
}

/// One recipient of a delivery report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// Where the mail was to end up.
    pub recipient: String,
    /// The address it was sent to, where the report names another than `recipient`.
    pub original_recipient: Option<String>,
    pub class: BounceClass,
    pub reason: Option<BounceReason>,
    pub status: Option<String>,
    pub diagnostic: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BounceClass {
    /// The address will not work again: suppress it.
    Hard,
    /// It may work later.
    Soft,
    /// The rejection blames the sender (authentication, reputation, policy, content): hold the mailbox, not the contact.
    Sender,
    /// The report does not say.
    Unknown,
}

/// Why a server refused a mail, as far as its words tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BounceReason {
    MailboxFull,
    TooBig,
    Moved,
    /// The sender's address or domain is refused.
    SenderAddress,
    /// Name servers that answered nothing usable: not the same as a domain that is none.
    Resolver,
    HostUnknown,
    /// Too many mails or connections at once.
    Speed,
    Greylisted,
    /// SPF, DKIM or DMARC, or a login that is missing.
    Authentication,
    /// The sending address or network is on a list, or has no name.
    Reputation,
    Spam,
    Relaying,
    Virus,
    UserUnknown,
    Disabled,
    /// A rule of the receiver's.
    Policy,
    /// Tried for too long.
    Expired,
    Network,
    /// Trouble within a server.
    System,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivered {
    pub recipients: Vec<String>,
    pub original_message_id: Option<String>,
    pub envelope_id: Option<String>,
}

/// A recipient told the provider that the mail is unwanted (RFC 5965).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Complaint {
    /// Who complained, where the report does not hide it.
    pub recipient: Option<String>,
    pub recipients: Vec<String>,
    pub feedback_type: FeedbackType,
    pub original_message_id: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "other", rename_all = "snake_case")]
pub enum OtherMail {
    /// A report on failed authentication (RFC 6591), formatted like a complaint but not one.
    AuthenticationFailure,
    /// DMARC or TLS statistics.
    AggregateReport,
    /// A server's note to its postmaster.
    DaemonNotice,
    /// A notification or a newsletter.
    Notification,
}
