//! One step of a flow: its identity and kind (structure), and what may be edited while people are in it (content).

use super::Condition;
use crate::calendar::Delay;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The permanent name of a step or branch within its sequence: 1 to 40 of `a-z 0-9 _ -`, beginning with a letter or digit.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(Arc<str>);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is not a valid key: expected 1 to 40 characters of a-z, 0-9, - and _, the first a letter or digit")]
pub struct InvalidKey {
    pub found: String,
}

impl Key {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
impl FromStr for Key {
    type Err = InvalidKey;
    fn from_str(text: &str) -> Result<Key, InvalidKey> {
        let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let bytes = text.as_bytes();
        let ok = (1..=40).contains(&bytes.len())
            && bytes.first().copied().is_some_and(good)
            && bytes.iter().all(|&b| good(b) || b == b'-' || b == b'_');
        if ok { Ok(Key(Arc::from(text))) } else { Err(InvalidKey { found: text.chars().take(80).collect() }) }
    }
}
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}
impl Serialize for Key {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.0)
    }
}
impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Key, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    EmailAuto,
    EmailManual,
    Call,
    SmsAuto,
    SmsManual,
    Linkedin,
    Task,
}

/// By what a step reaches the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    Email,
    Text,
    Call,
    Linkedin,
    Task,
}

impl StepKind {
    pub const ALL: [StepKind; 7] = [
        StepKind::EmailAuto,
        StepKind::EmailManual,
        StepKind::Call,
        StepKind::SmsAuto,
        StepKind::SmsManual,
        StepKind::Linkedin,
        StepKind::Task,
    ];
    pub fn as_str(self) -> &'static str {
        match self {
            StepKind::EmailAuto => "email_auto",
            StepKind::EmailManual => "email_manual",
            StepKind::Call => "call",
            StepKind::SmsAuto => "sms_auto",
            StepKind::SmsManual => "sms_manual",
            StepKind::Linkedin => "linkedin",
            StepKind::Task => "task",
        }
    }
    pub fn named(name: &str) -> Option<StepKind> {
        StepKind::ALL.into_iter().find(|k| k.as_str() == name)
    }
    /// As a person reads it.
    pub fn label(self) -> &'static str {
        match self {
            StepKind::EmailAuto => "Automatic email",
            StepKind::EmailManual => "Manual email",
            StepKind::Call => "Call",
            StepKind::SmsAuto => "Automatic text",
            StepKind::SmsManual => "Manual text",
            StepKind::Linkedin => "LinkedIn",
            StepKind::Task => "Task",
        }
    }
    pub fn is_automatic(self) -> bool {
        matches!(self, StepKind::EmailAuto | StepKind::SmsAuto)
    }
    pub fn channel(self) -> Channel {
        match self {
            StepKind::EmailAuto | StepKind::EmailManual => Channel::Email,
            StepKind::SmsAuto | StepKind::SmsManual => Channel::Text,
            StepKind::Call => Channel::Call,
            StepKind::Linkedin => Channel::Linkedin,
            StepKind::Task => Channel::Task,
        }
    }
}

/// One thing to do. `key`, `kind` and `conditions` are structure; `content` may change while people are in the sequence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    pub key: Key,
    pub kind: StepKind,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    pub content: Content,
    /// Of the content; activities record which one they used.
    #[serde(default)]
    pub revision: u32,
}

/// What a step says and when: editable at any time, in force for everyone who has not passed the step (ENR-12).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Content {
    pub name: String,
    /// After the execution of the step before.
    pub delay: Delay,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variants: Vec<Variant>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub instructions: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub script: String,
    #[serde(default)]
    pub priority: Priority,
    #[serde(default)]
    pub owner: OwnerRule,
    #[serde(default)]
    pub sender: SenderRule,
    #[serde(default)]
    pub address: AddressKind,
    #[serde(default)]
    pub regarding: Regarding,
    #[serde(default)]
    pub tracking: Tracking,
    /// Continue the thread of the enrollment's last email.
    #[serde(default)]
    pub same_thread: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<AttachmentRef>,
}

/// One wording of a message; a step with several tests them against each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    pub key: Key,
    /// Share among the variants of the step; 0 is never drawn.
    pub weight: u32,
    /// By name: the email or text template whose wording is used in place of this variant's own (FLOW-1). An edited template
    /// reaches everyone who has not passed the step (ENR-12).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// Of an email; empty in a thread, where the thread's subject is used, and on texts.
    #[serde(default)]
    pub subject: String,
    #[serde(default)]
    pub text: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub html: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttachmentRef {
    pub id: crate::ids::AttachmentId,
    pub name: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    High,
    #[default]
    Normal,
    Low,
}

/// Whose work the step is (FLOW-2). Where it resolves to nobody, the sequence's primary user.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OwnerRule {
    #[default]
    Enroller,
    /// By sign-in address.
    User(String),
    ContactOwner,
    CompanyOwner,
}

/// From which mailbox the step writes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SenderRule {
    /// The mailboxes of the owner of the action, in rotation (SND-8).
    #[default]
    Owner,
    /// The mailbox with this address.
    Mailbox(String),
}

/// Which of the contact's addresses or numbers the step uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AddressKind {
    #[default]
    Any,
    Work,
    Personal,
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Regarding {
    #[default]
    Nothing,
    /// The contact's latest opportunity.
    Opportunity,
}

/// Per step; `None` takes the sequence's setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tracking {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opens: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clicks: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsubscribe: Option<bool>,
}
