//! How the kinds of steps and the states of enrollments and sequences look: one picture, colour and word each, wherever
//! they are shown.

use super::parts::{Badge, Icon, Tone};
use cadenza_core::enrollment::{Hold, Reason, SequenceState, State};
use cadenza_core::flow::{Channel, Priority, StepKind};
use cadenza_store::inbound_messages::Class;
use std::fmt;

/// A kind of step as a coloured picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KindIcon(pub StepKind);

impl KindIcon {
    /// Of `icons.svg`.
    pub fn icon(self) -> &'static str {
        match self.0 {
            StepKind::EmailAuto => "email",
            StepKind::EmailManual => "email_manual",
            StepKind::Call => "call",
            StepKind::SmsAuto | StepKind::SmsManual => "text",
            StepKind::Linkedin => "linkedin",
            StepKind::Task => "task",
        }
    }
    /// A class of the style sheet.
    pub fn class(self) -> &'static str {
        match self.0.channel() {
            Channel::Email => "email",
            Channel::Text => "text",
            Channel::Call => "call",
            Channel::Linkedin => "linkedin",
            Channel::Task => "task",
        }
    }
}

impl fmt::Display for KindIcon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "<span class=\"kind-icon {}\" title=\"{}\">{}</span>",
            self.class(),
            self.0.label(),
            Icon(self.icon())
        )
    }
}
impl askama::filters::HtmlSafe for KindIcon {}

/// The badge of an enrollment: its state and reason; what exactly blocks is on hover.
pub fn state_badge(state: State, reason: Reason, detail: Option<&str>) -> Badge {
    let tone = match (state, reason) {
        (State::Pending, _) | (State::Removed, _) => Tone::Grey,
        (State::Active, Reason::Executing | Reason::Due) => Tone::Blue,
        (State::Active, _) => Tone::Green,
        (State::Blocked, _) => Tone::Red,
        (State::Paused, Reason::Paused(Hold::Reply | Hold::Colleague)) => Tone::Violet,
        (State::Paused, _) => Tone::Amber,
        (State::Finished, Reason::Finished(cadenza_core::enrollment::Finish::Replied)) => Tone::Violet,
        (State::Finished, Reason::Finished(cadenza_core::enrollment::Finish::Bounced)) => Tone::Red,
        (State::Finished, _) => Tone::Grey,
    };
    let text = match state {
        State::Active | State::Removed | State::Finished => reason.label().to_owned(),
        State::Pending => format!("Pending: {}", lower(reason.label())),
        State::Blocked => format!("Blocked: {}", lower(reason.label())),
        State::Paused => format!("Paused: {}", lower(reason.label().trim_start_matches("Paused "))),
    };
    Badge::new(tone, text).titled(detail.unwrap_or_default())
}

/// The badge of a sequence.
pub fn sequence_badge(state: SequenceState) -> Badge {
    let tone = match state {
        SequenceState::Active => Tone::Green,
        SequenceState::Paused => Tone::Amber,
        SequenceState::Scheduled => Tone::Blue,
        SequenceState::Draft | SequenceState::Ended | SequenceState::Archived => Tone::Grey,
    };
    Badge::new(tone, state.label())
}

/// What a message that came in is.
pub fn message_badge(class: Class) -> Badge {
    let (tone, text) = match class {
        Class::Reply => (Tone::Violet, "Reply"),
        Class::OutOfOffice => (Tone::Amber, "Out of office"),
        Class::Bounce => (Tone::Red, "Bounce"),
        Class::Complaint => (Tone::Red, "Complaint"),
        Class::OptOut => (Tone::Red, "Opt-out"),
        Class::Delivered => (Tone::Grey, "Delivery report"),
        Class::OwnMail => (Tone::Grey, "Own mail"),
        Class::Meeting => (Tone::Green, "Meeting"),
        Class::OptIn => (Tone::Green, "Opt-in"),
        Class::Other => (Tone::Grey, "Automatic"),
    };
    Badge::new(tone, text)
}

/// Normal priority is not worth a badge.
pub fn priority_badge(priority: Priority) -> Option<Badge> {
    match priority {
        Priority::High => Some(Badge::new(Tone::Red, "High")),
        Priority::Normal => None,
        Priority::Low => Some(Badge::new(Tone::Grey, "Low")),
    }
}

fn lower(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|c| c.to_lowercase().chain(letters).collect()).unwrap_or_default()
}
