//! The machine-readable part of a delivery report: message/delivery-status (RFC 3464). Reads fields, judges nothing.

use crate::inbound::headers::tidy_address;

/// At most so many recipients are read; a mail of Cadenza's own has one.
pub(super) const RECIPIENTS_MAX: usize = 100;
/// At most so many lines are read.
const LINES_MAX: usize = 10_000;

/// The fields of one delivery-status part.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub envelope_id: Option<String>,
    pub recipients: Vec<Recipient>,
    /// The sent mail's Message-ID, in the extension fields that some servers write.
    pub message_id: Option<String>,
}

#[derive(Debug, Default, Clone)]
pub(super) struct Recipient {
    pub final_recipient: Option<String>,
    pub original_recipient: Option<String>,
    pub action: String,
    pub status: Option<String>,
    pub diagnostic: Option<String>,
}

impl Recipient {
    /// The address to show, as the report names it.
    pub fn address(&self) -> Option<&str> {
        self.final_recipient.as_deref().or(self.original_recipient.as_deref())
    }
    pub fn failed(&self) -> bool {
        let by_status = || self.status.as_deref().is_some_and(|s| s.starts_with('5'));
        self.action.starts_with("fail") || (self.action.is_empty() && by_status())
    }
    pub fn delayed(&self) -> bool {
        self.action.starts_with("delay")
            || (self.action.is_empty() && self.status.as_deref().is_some_and(|s| s.starts_with('4')))
    }
    pub fn delivered(&self) -> bool {
        let known = ["delivered", "relayed", "expanded", "deliverable", "delivery"];
        known.iter().any(|k| self.action.starts_with(k))
            || (self.action.is_empty() && self.status.as_deref().is_some_and(|s| s.starts_with('2')))
    }
}

/// Reads the groups of fields; a group that names a recipient or an action is one recipient's.
pub(super) fn read(text: &str) -> Report {
    let mut report = Report::default();
    for group in groups(text) {
        let mut recipient = Recipient::default();
        let mut names_one = false;
        for (name, value) in &group {
            let value = value.trim();
            match name.as_str() {
                "final-recipient" => {
                    if recipient.final_recipient.is_some() {
                        report.recipients.push(std::mem::take(&mut recipient));
                    }
                    names_one = true;
                    recipient.final_recipient = typed_address(value).or(recipient.final_recipient);
                }
                "original-recipient" | "x-original-recipient" => {
                    names_one = true;
                    recipient.original_recipient = typed_address(value).or(recipient.original_recipient);
                }
                "x-actual-recipient" if recipient.final_recipient.is_none() => {
                    recipient.final_recipient = typed_address(value);
                }
                "action" => {
                    names_one = true;
                    recipient.action = value.to_ascii_lowercase();
                }
                "status" => recipient.status = status_code(value).or(recipient.status),
                "diagnostic-code" => recipient.diagnostic = Some(untyped(value).to_owned()),
                "original-envelope-id" => report.envelope_id = Some(value.to_owned()),
                "x-original-message-id" | "original-message-id" | "x-postfix-message-id" => {
                    let id = value.trim_matches(|c| matches!(c, '<' | '>' | ' '));
                    report.message_id = Some(id.to_owned()).filter(|i| i.contains('@'));
                }
                _ => (),
            }
        }
        if names_one {
            report.recipients.push(recipient);
        }
    }
    report.recipients.truncate(RECIPIENTS_MAX);
    report
}

/// Groups of unfolded fields, separated by blank lines.
fn groups(text: &str) -> Vec<Vec<(String, String)>> {
    let mut groups = vec![Vec::new()];
    for line in text.lines().take(LINES_MAX) {
        let Some(group) = groups.last_mut() else { break };
        if line.trim().is_empty() {
            if !group.is_empty() {
                groups.push(Vec::new());
            }
        } else if let (true, Some((_, value))) =
            (line.starts_with([' ', '\t']), group.last_mut() as Option<&mut (String, String)>)
        {
            value.push(' ');
            value.push_str(line.trim());
        } else if let Some((name, value)) = line.split_once(':') {
            group.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    groups
}

/// `rfc822; ann@example.com` → `ann@example.com`.
fn typed_address(value: &str) -> Option<String> {
    let address = untyped(value);
    let address = address.trim().trim_end_matches([',', ';']);
    let address = match (address.rfind('<'), address.rfind('>')) {
        (Some(open), Some(close)) if open < close => &address[open + 1..close],
        _ => address,
    };
    tidy_address(address)
}

/// A value without its leading type, as in `smtp; 550 no`.
fn untyped(value: &str) -> &str {
    match value.split_once(';') {
        Some((kind, rest)) if kind.trim().len() <= 20 && !kind.trim().contains(['@', ' ']) => rest.trim(),
        _ => value,
    }
}

/// `5.1.1` from `5.1.1 (bad destination mailbox address)`.
fn status_code(value: &str) -> Option<String> {
    super::codes::enhanced(value)
}
