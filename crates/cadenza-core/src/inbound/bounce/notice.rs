//! The words of a server's notice: tables of what servers say and who says it, and how they weigh together.

use super::reason;
use super::{Split, addresses, one_line};
use crate::inbound::headers::message_ids;
use crate::inbound::mail::Mail;

use crate::inbound::phrases::{Phrases, fold, head};
use crate::inbound::verdict::{BounceClass, BounceReason as Reason, Evidence};

/// The longest notice that is read, in bytes.
const NOTICE_MAX: usize = 256 * 1024;
/// The most parts that it may be spread over.
const NOTICE_PARTS_MAX: usize = 20;

/// Local parts of those that write notices, letters and digits only.
#[rustfmt::skip]
const DAEMON_LOCALS: &[&str] = &[
    "mailerdaemon", "maildaemon", "postmaster", "mailsystem", "mailadmin", "mailadministrator", "systemadministrator",
    "root", "mmdf", "uucp", "mdaemon", "mailmaster", "bounce", "bounces", "mailerror", "mailer", "smtpdaemon",
    "maildeliverysystem",
];
/// Names of those that write notices.
#[rustfmt::skip]
static DAEMON_NAMES: Phrases = Phrases::new(&[
    "mailer-daemon", "mail delivery", "mail system", "mail administrator", "delivery subsystem",
    "system administrator", "microsoft outlook", "microsoftexchange", "e-mail delivery", "nondelivery", "mail router",
    "internet mail delivery", "e-mail interconnect", "mailer daemon", "postmaster", "delivery notification",
    "mail-daemon",
]);
/// Beginnings and ends of local parts that are no person's.
const MACHINES: &[&str] = &[
    "noreply",
    "no-reply",
    "no_reply",
    "donotreply",
    "do-not-reply",
    "-admin",
    "-owner",
    "-request",
    "-bounces",
    "owner-",
    "listserv",
    "majordomo",
    "mailman",
];
/// Subjects of notices of failure.
#[rustfmt::skip]
static SUBJECTS: Phrases = Phrases::new(&[
    "mail failed", "returning to sender", "returning message to sender", "メールエラー", "エラー通知", "配信不能", "送信できませんでした",
    "loop alert", "are not member", "delivery warning", "mail warning", "mailbox unavailable", "undeliver",
    "undelivered mail", "delivery status notification", "delivery failure", "delivery failed", "mail delivery fail",
    "mail delivery", "failure notice", "failed mail", "returned mail", "mail returned", "return to sender",
    "returned to sender", "delivery report", "nondeliverable", "non deliverable", "non-deliverable", "nondelivery",
    "non-delivery", "not delivered", "could not be delivered", "delivery error", "delivery problem",
    "delivery notification", "delivery status", "message status - undeliverable", "couldn't be delivered",
    "unable to deliver", "permanent delivery failure", "mail failure", "mail error", "mailer error", "error sending",
    "message delivery", "user unknown", "mail could not be delivered", "mail system error", "bounced mail", "bounce",
    "rejected mail", "rejected:", "undeliverable mail", "cannot deliver", "can't deliver", "unzustellbar",
    "zustellung fehlgeschlagen", "fehlgeschlagen", "non remis", "échec de la remise", "no entregado",
    "no se puede entregar", "não entregue", "non recapitabile", "onbestelbaar", "не доставлено", "недоставленн",
]);
/// What notices of failure say.
#[rustfmt::skip]
static FAILED: Phrases = Phrases::new(&[
    "action not taken", "error delivering your mail", "there was an error delivering", "did not receive this message",
    "was aborted after", "not a member of this mailing list", "you are not allowed to post", "not authorized to post",
    "duplicated message-id", "had permanent delivery errors", "no valid recipients were found", "配信不能", "失敗",
    "届けることができません", "could not be delivered", "couldn't be delivered", "cannot be delivered", "can't be delivered",
    "can not be delivered", "not be delivered", "was not delivered", "not delivered", "wasn't able to deliver",
    "was not able to deliver", "wasn't delivered", "unable to deliver", "failed to deliver", "not able to deliver",
    "could not deliver", "couldn't deliver", "cannot deliver", "delivery failed", "delivery to the following",
    "delivery failure", "did not reach", "didn't reach", "undeliverable", "undelivered", "had permanent fatal errors",
    "permanent fatal errors", "had permanent delivery errors", "delivery has failed", "delivery error",
    "permanently failed", "permanent failure", "permanent error", "fatal error", "is the failure", "failure notice",
    "returned to you", "being returned", "is returned", "was returned", "following addresses failed",
    "following recipients failed", "following address failed", "transcript of session", "has been returned",
    "message was rejected", "mail was rejected", "was rejected by", "rejected your message", "could not be sent",
    "cannot send", "couldn't send", "unable to send", "could not send", "non-deliverable", "nondeliverable",
    "not deliverable", "undeliver", "while talking to", "remote host said", "giving up on",
    "konnte nicht zugestellt werden", "nicht zugestellt", "nicht zustellbar", "n'a pas pu être", "pas pu être remis",
    "no se pudo entregar", "no ha podido ser", "não pôde ser entregue", "non è stato possibile",
    "не может быть доставлен", "не удалось доставить", "не доставлен", "配信できませんでした", "送信できませんでした",
]);
/// What warnings of delay say.
#[rustfmt::skip]
static DELAYED: Phrases = Phrases::new(&[
    "delivery delayed", "has been delayed", "been delayed", "delivery…delayed", "is delayed", "still being retried",
    "not yet been delivered", "has not yet been", "will continue to try", "will keep trying",
    "attempts to deliver…will continue", "warning: could not send", "warning: message", "warning message only",
    "do not need to resend", "don't need to resend", "not need to resend", "will be retried", "will be re-attempted",
    "will retry", "delay notification", "(delay)", "delivery is delayed", "temporarily delayed", "delayed mail",
    "verzögert",
]);
/// What only a last word says.
static FINAL: Phrases = Phrases::new(&[
    "giving up",
    "gave up",
    "permanent",
    "will not be retried",
    "no further attempts",
    "not going to try again",
    "has been returned",
    "could not be delivered for",
    "being returned",
    "retry timeout exceeded",
]);
/// Lines that hold the rejecting server's words.
#[rustfmt::skip]
static SAID: Phrases = Phrases::new(&[
    "said:", "<<< 4", "<<< 5", "diagnostic-code:", "remote host said", "response was:", "response:", "smtp error",
    "error was:", "reason:", "the error that the other server returned was", "550 ",
]);

/// Who sent the mail, as far as it matters here.
pub(super) struct Sender {
    /// A mail server, by its address or its name.
    pub daemon: bool,
    /// By its address.
    pub daemon_address: bool,
    /// An address that takes no answers, or a mailing list's own.
    pub machine: bool,
    pub null_path: bool,
}

impl Sender {
    pub fn of(mail: &Mail<'_>) -> Sender {
        let raw = mail.head.text("from").unwrap_or_default();
        let unnamed = mail.head.has("from") && mail.from.is_empty();
        let path = mail.head.text("return-path").unwrap_or_default();
        let daemon_address = mail.from.iter().any(|a| is_daemon_address(&a.address))
            || is_daemon_address(path.trim_matches(['<', '>', ' ']))
            || (unnamed && (is_daemon_address(&raw) || raw.trim_matches(['<', '>', ' ']).is_empty()));
        let named = |name: &str| DAEMON_NAMES.first(&fold(name)).is_some();
        let daemon = daemon_address || named(&raw) || mail.from.iter().any(|a| named(&a.name));
        let machine = mail.from.iter().any(|a| {
            let local = local_part(&a.address).to_ascii_lowercase();
            MACHINES.iter().any(|m| local.starts_with(m) || local.ends_with(m))
        });
        Sender { daemon, daemon_address, machine, null_path: mail.null_return_path() }
    }
}

fn is_daemon_address(address: &str) -> bool {
    let local: String = local_part(address).chars().filter(|c| c.is_alphanumeric()).collect();
    let local = local.to_ascii_lowercase();
    DAEMON_LOCALS.contains(&local.as_str()) || local.starts_with("mailerdaemon")
}

/// What a text says.
pub(super) struct Words {
    pub failed: bool,
    pub delayed: bool,
    pub final_failure: bool,
    /// Sounds like the subject of a notice.
    pub subject: bool,
    coded: bool,
    reason: Option<Reason>,
}

impl Words {
    pub fn read(text: &str) -> Words {
        let folded = fold(text);
        Words {
            failed: FAILED.first(&folded).is_some(),
            delayed: DELAYED.first(&folded).is_some(),
            final_failure: FINAL.first(&folded).is_some(),
            subject: SUBJECTS.first(&folded).is_some(),
            coded: super::codes::enhanced(text).is_some() || super::codes::reply(text).is_some(),
            reason: reason::find(&folded),
        }
    }
}

/// Whether the signs together make a notice of failure or delay; the evidence if so.
pub(super) fn weigh(
    mail: &Mail<'_>,
    sender: &Sender,
    subject: &Words,
    body: &Words,
    split: &Split,
) -> Option<Vec<Evidence>> {
    let mut points = 0;
    let mut evidence = Vec::new();
    let mut sign = |holds: bool, weight: i32, rule: &str, part: &str, detail: &str| {
        if holds {
            points += weight;
            evidence.push(Evidence::new(rule, part, detail));
        }
    };
    let folded = fold(head(&split.notice, 4_096));
    let dialogue = folded.contains("rcpt to:") && folded.contains("mail from:");
    sign(sender.daemon, 3, "bounce.sender", "from", "a mail server's address");
    sign(!sender.daemon && sender.machine, 2, "bounce.sender", "from", "an address that takes no answers");
    sign(sender.null_path, 2, "bounce.sender", "return-path", "empty");
    sign(subject.subject || subject.failed, 3, "bounce.words", "subject", "notice of failure");
    sign(subject.delayed, 2, "bounce.words", "subject", "warning of delay");
    sign(body.failed, 3, "bounce.words", "text", "says that a mail was not delivered");
    sign(body.delayed && !body.failed, 2, "bounce.words", "text", "says that a mail is delayed");
    sign(body.coded, 1, "bounce.words", "text", "an SMTP code of failure");
    sign(body.reason.is_some(), 1, "bounce.words", "text", "a server's reason");
    sign(dialogue, 2, "bounce.words", "text", "an SMTP dialogue");
    sign(
        body.failed && names_alone(&split.notice, mail.sender()),
        2,
        "bounce.words",
        "text",
        "an address on a line of its own",
    );
    sign(split.original.is_some(), 2, "bounce.returned", "text", "a returned mail");
    sign(mail.tree.parts[0].media.name == "multipart/report", 1, "bounce.report", "content-type", "multipart/report");
    let says = subject.subject || subject.failed || subject.delayed || body.failed || body.delayed || dialogue;
    let server = sender.daemon || sender.null_path;
    // People answer and pass on; so do those whose name merely sounds like a server's.
    if !(sender.null_path || sender.daemon_address) && (answers(mail) || is_passed_on(&mail.subject)) {
        points -= 6;
    }
    let returns = split.original.is_some();
    let about_recipient =
        body.reason.is_some_and(|r| r == Reason::MailboxFull || reason::class(r) == BounceClass::Hard);
    let says = says || (sender.daemon && (returns || (sender.null_path && about_recipient)));
    let enough = match (server, sender.machine) {
        (true, _) => 5,
        (false, true) => 7,
        (false, false) => 8,
    };
    (says && points >= enough).then_some(evidence)
}

/// Whether the mail answers one as mail programs do when a person writes.
pub(super) fn answers(mail: &Mail<'_>) -> bool {
    let threaded = mail.head.has("in-reply-to") || mail.head.has("references");
    threaded && fold(&mail.subject).trim_start().starts_with("re:")
}

/// Whether the subject is one of a mail passed on.
pub(super) fn is_passed_on(subject: &str) -> bool {
    let folded = fold(subject);
    ["fwd:", "fw:", "wg:", "tr:", "rv:", "enc:", "i:", "vs:", "vb:", "doorst:"]
        .iter()
        .any(|p| folded.trim_start().starts_with(p))
}

/// Whether an address stands alone on the line under one that says that a mail was not delivered.
fn names_alone(notice: &str, writer: &str) -> bool {
    let lines: Vec<&str> = notice.lines().filter(|l| !l.trim().is_empty()).take(60).collect();
    let announced = |above: &str| FAILED.first(&fold(above)).is_some();
    let alone = |line: &str| {
        let bare = line.trim().trim_matches(['<', '>', ':', ' ']);
        addresses::in_line(bare).first().is_some_and(|(_, a)| a.len() == bare.len() && !a.eq_ignore_ascii_case(writer))
    };
    lines.windows(2).any(|pair| announced(pair[0]) && alone(pair[1]))
}

/// The report's own words: its plain parts, or its HTML where it has none.
pub(super) fn text(mail: &Mail<'_>) -> String {
    let own = |name: &str| -> Vec<String> {
        let parts = mail.leaves().filter(|p| mail.media(*p) == name).take(NOTICE_PARTS_MAX);
        parts.map(|p| mail.part_text(p)).filter(|t| !t.trim().is_empty()).collect()
    };
    let plain = own("text/plain");
    let texts = if plain.is_empty() { own("text/html") } else { plain };
    let joined = texts.join("\n");
    head(&joined, NOTICE_MAX).to_owned()
}

/// The rejecting server's words within a notice, on one line.
pub(super) fn diagnostic(notice: &str) -> Option<String> {
    let lines: Vec<&str> = notice.lines().take(400).collect();
    let said = lines.iter().position(|l| SAID.first(&fold(l)).is_some());
    let coded = || lines.iter().position(|l| super::codes::enhanced(l).is_some() || super::codes::reply(l).is_some());
    let at = said.or_else(coded)?;
    let end =
        (at + 1..lines.len().min(at + 4)).find(|i| lines[*i].trim().is_empty()).unwrap_or(lines.len().min(at + 4));
    Some(one_line(&lines[at..end].join(" ")))
}

/// A Message-ID that the notice names in its words.
pub(super) fn message_id(mail: &Mail<'_>) -> Option<String> {
    let own = mail.head.ids("message-id");
    for part in mail.leaves().filter(|p| mail.media(*p).starts_with("text/") || mail.media(*p).starts_with("message/"))
    {
        let text = mail.part_text(part);
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let lower = head(line, 200).to_ascii_lowercase();
            let Some(found) =
                ["message-id", "message id", "messageid"].iter().find_map(|w| lower.find(w).map(|i| i + w.len()))
            else {
                continue;
            };
            let next = lines.get(at + 1).copied().unwrap_or_default();
            let rest = format!("{} {next}", line.get(found..).unwrap_or_default());
            let id = message_ids(&rest).into_iter().find(|id| id.contains('@') && !own.contains(id));
            if id.is_some() {
                return id.map(|i| i.trim_matches(|c| matches!(c, ',' | '.' | ';' | '"' | '(' | ')')).to_owned());
            }
        }
    }
    None
}

fn local_part(address: &str) -> &str {
    address.split('@').next().unwrap_or_default()
}
