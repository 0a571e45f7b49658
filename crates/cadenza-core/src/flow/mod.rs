//! A flow: branches of steps and the conditions that lead from one to another. Values only; checking a flow before it may
//! run is in `check`, reading and writing it as a file in `file`.

pub mod check;
pub mod edit;
pub mod file;
mod step;

pub use step::{
    AddressKind, AttachmentRef, Channel, Content, InvalidKey, Key, OwnerRule, Priority, Regarding, SenderRule, Step,
    StepKind, Tracking, Variant,
};

use crate::calendar::Delay;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The structure of a sequence at one version, joined with the present content of its steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Flow {
    /// Grows by one with every structural edit.
    pub version: u32,
    /// The first is `main`.
    pub branches: Vec<Branch>,
}

/// A named, ordered run of steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Branch {
    pub key: Key,
    pub name: String,
    pub steps: Vec<Step>,
}

/// On a step: when this outcome or event, do that.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    pub when: When,
    /// Counted from the sending; `None` on conditions of manual steps, and on [`When::Nothing`] for the longest of the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Delay>,
    pub then: Then,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<SideAction>,
}

/// What a condition waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    Opened,
    /// Any link, or the one with this target address.
    Clicked(Option<String>),
    Replied,
    Bounced,
    Unsubscribed,
    Delivered,
    Failed,
    /// No other condition was met in time.
    Nothing,
    /// A person's answer in *Mark as*.
    Outcome(Outcome),
}

/// The one way on that a condition takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Then {
    Next,
    Step { step: Key, delay: Option<Delay> },
    Branch { branch: Key, delay: Option<Delay> },
    End(Verdict),
    Pause,
    OptOut,
}

/// How an enrollment ended, as business: its outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Positive,
    Negative,
    #[default]
    None,
}

/// What a condition does beside its way on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SideAction {
    /// By name or id of the sequence.
    Enroll(String),
    AddToList(String),
    RemoveFromList(String),
    SetField {
        field: String,
        value: String,
    },
    SetWorkflowStage {
        workflow: String,
        stage: String,
    },
    AddTask {
        name: String,
        instructions: String,
    },
    Notify {
        user: String,
        message: String,
    },
    CallWebhook(String),
}

/// How an activity ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Outcome {
    Sent,
    Delivered,
    Done,
    None,
    NoAnswer,
    LeftVoicemail,
    Interested,
    NotInterested,
    Positive,
    Negative,
    Skipped,
    Cancelled,
    Failed,
    /// Defined by a condition of the step.
    Custom(String),
}

const OUTCOMES: [(&str, Outcome); 13] = [
    ("sent", Outcome::Sent),
    ("delivered", Outcome::Delivered),
    ("done", Outcome::Done),
    ("none", Outcome::None),
    ("no_answer", Outcome::NoAnswer),
    ("left_voicemail", Outcome::LeftVoicemail),
    ("interested", Outcome::Interested),
    ("not_interested", Outcome::NotInterested),
    ("positive", Outcome::Positive),
    ("negative", Outcome::Negative),
    ("skipped", Outcome::Skipped),
    ("cancelled", Outcome::Cancelled),
    ("failed", Outcome::Failed),
];

impl Outcome {
    pub fn as_str(&self) -> &str {
        if let Outcome::Custom(name) = self {
            return name;
        }
        OUTCOMES.iter().find(|(_, o)| o == self).map_or("", |(name, _)| name)
    }
    /// The outcome of that name; any other name is a custom one.
    pub fn named(name: &str) -> Outcome {
        OUTCOMES.iter().find(|(n, _)| *n == name).map_or_else(|| Outcome::Custom(name.to_owned()), |(_, o)| o.clone())
    }
    /// As a person reads it.
    pub fn label(&self) -> String {
        match self {
            Outcome::LeftVoicemail => "Left Voicemail".into(),
            Outcome::NoAnswer => "No Answer".into(),
            Outcome::NotInterested => "Not Interested".into(),
            other => {
                let text = other.as_str().replace('_', " ");
                let mut letters = text.chars();
                letters.next().map(|c| c.to_uppercase().chain(letters).collect()).unwrap_or_default()
            }
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
impl Serialize for Outcome {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.as_str())
    }
}
impl<'de> Deserialize<'de> for Outcome {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        Ok(Outcome::named(&text))
    }
}

/// Where a step stands in a flow.
#[derive(Debug, Clone, Copy)]
pub struct Spot<'a> {
    pub branch: &'a Branch,
    /// Counted from 0 in its branch.
    pub index: usize,
    pub step: &'a Step,
}

impl<'a> Spot<'a> {
    /// The step after this one in the branch.
    pub fn next(self) -> Option<Spot<'a>> {
        let index = self.index + 1;
        self.branch.steps.get(index).map(|step| Spot { branch: self.branch, index, step })
    }
}

impl Flow {
    pub fn main(&self) -> Option<&Branch> {
        self.branches.first()
    }
    pub fn branch(&self, key: &Key) -> Option<&Branch> {
        self.branches.iter().find(|b| b.key == *key)
    }
    pub fn first(&self) -> Option<Spot<'_>> {
        self.branches.first().and_then(start_of)
    }
    pub fn start_of_branch(&self, key: &Key) -> Option<Spot<'_>> {
        self.branch(key).and_then(start_of)
    }
    pub fn spot(&self, key: &Key) -> Option<Spot<'_>> {
        self.branches.iter().find_map(|branch| {
            branch.steps.iter().position(|s| s.key == *key).map(|index| Spot {
                branch,
                index,
                step: &branch.steps[index],
            })
        })
    }
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.branches.iter().flat_map(|b| b.steps.iter())
    }
}

fn start_of(branch: &Branch) -> Option<Spot<'_>> {
    branch.steps.first().map(|step| Spot { branch, index: 0, step })
}

impl Step {
    /// The rule for an outcome that a person gave: the step's own condition, else the default of its kind (FLOW-4).
    /// `None` where this step knows no such outcome.
    pub fn rule_for(&self, outcome: &Outcome) -> Option<(Then, &[SideAction])> {
        let own = self.conditions.iter().find(|c| matches!(&c.when, When::Outcome(o) if o == outcome));
        if let Some(c) = own {
            return Some((c.then.clone(), &c.also));
        }
        default_rule(self.kind, outcome).map(|then| (then, [].as_slice()))
    }

    /// The *Mark as* menu: defaults of the kind first, then what the step adds.
    pub fn mark_as(&self) -> Vec<Outcome> {
        let mut menu: Vec<Outcome> = default_outcomes(self.kind).to_vec();
        for c in &self.conditions {
            if let When::Outcome(o) = &c.when
                && !menu.contains(o)
            {
                menu.push(o.clone());
            }
        }
        menu
    }

    /// The conditions that wait for something after the sending, without the rule for nothing.
    pub fn waits(&self) -> impl Iterator<Item = (usize, &Condition)> {
        self.conditions
            .iter()
            .enumerate()
            .filter(|(_, c)| !matches!(c.when, When::Nothing | When::Outcome(_) | When::Failed))
    }

    pub fn nothing_rule(&self) -> Option<&Condition> {
        self.conditions.iter().find(|c| c.when == When::Nothing)
    }
}

fn default_outcomes(kind: StepKind) -> &'static [Outcome] {
    match kind {
        StepKind::Call => &[Outcome::NoAnswer, Outcome::LeftVoicemail, Outcome::Interested, Outcome::NotInterested],
        StepKind::Task => &[Outcome::None, Outcome::Positive, Outcome::Negative],
        StepKind::EmailManual | StepKind::SmsManual | StepKind::Linkedin => &[Outcome::Done],
        StepKind::EmailAuto | StepKind::SmsAuto => &[],
    }
}

fn default_rule(kind: StepKind, outcome: &Outcome) -> Option<Then> {
    if !default_outcomes(kind).contains(outcome) {
        return None;
    }
    Some(match outcome {
        Outcome::Interested | Outcome::Positive => Then::End(Verdict::Positive),
        Outcome::NotInterested | Outcome::Negative => Then::End(Verdict::Negative),
        _ => Then::Next,
    })
}
