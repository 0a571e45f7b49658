//! What becomes of a user's work while they are away, by kind of step (TIM-7). Which step is whose is told by the facts; when an
//! absence begins and ends is the shell's to post.

use crate::flow::StepKind;
use crate::ids::UserId;
use crate::time::Time;
use serde::{Deserialize, Serialize};

/// What happens to work of one kind meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Meanwhile {
    /// It waits until the user is back.
    #[default]
    Hold,
    /// As if they were there.
    GoOn,
    /// A step that is due is skipped, and the flow goes on.
    Skip,
    /// Somebody else does it.
    Delegate(UserId),
}

/// What happens to each kind of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AwayRules {
    pub email_auto: Meanwhile,
    pub email_manual: Meanwhile,
    pub call: Meanwhile,
    pub sms_auto: Meanwhile,
    pub sms_manual: Meanwhile,
    pub linkedin: Meanwhile,
    pub task: Meanwhile,
}

impl AwayRules {
    pub fn of(&self, kind: StepKind) -> Meanwhile {
        match kind {
            StepKind::EmailAuto => self.email_auto,
            StepKind::EmailManual => self.email_manual,
            StepKind::Call => self.call,
            StepKind::SmsAuto => self.sms_auto,
            StepKind::SmsManual => self.sms_manual,
            StepKind::Linkedin => self.linkedin,
            StepKind::Task => self.task,
        }
    }
    pub fn set(&mut self, kind: StepKind, meanwhile: Meanwhile) {
        let of_kind = match kind {
            StepKind::EmailAuto => &mut self.email_auto,
            StepKind::EmailManual => &mut self.email_manual,
            StepKind::Call => &mut self.call,
            StepKind::SmsAuto => &mut self.sms_auto,
            StepKind::SmsManual => &mut self.sms_manual,
            StepKind::Linkedin => &mut self.linkedin,
            StepKind::Task => &mut self.task,
        };
        *of_kind = meanwhile;
    }
    /// The kinds with what happens to each.
    pub fn iter(&self) -> impl Iterator<Item = (StepKind, Meanwhile)> {
        StepKind::ALL.into_iter().map(|kind| (kind, self.of(kind)))
    }
}

/// A user who is away at the moment of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Away {
    pub user: UserId,
    /// `None`: until somebody ends it.
    pub until: Option<Time>,
    pub rules: AwayRules,
}

impl Away {
    /// Everything waits.
    pub fn holding(user: UserId, until: Option<Time>) -> Away {
        Away { user, until, rules: AwayRules::default() }
    }
}
