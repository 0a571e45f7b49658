//! Checks a flow before it may run (FLOW-6). Errors keep a sequence from being activated, warnings do not. Reads values only:
//! templates and custom fields are what the caller says they are.

mod conditions;
mod content;
mod records;
mod timing;
mod ways;

#[cfg(test)]
mod tests;

pub use records::check_records;

use super::{Branch, Flow, Key, Step};
use crate::calendar::Quiet;
use crate::merge::Known;
use crate::settings::Settings;
use crate::time::Time;
use serde::Serialize;
use std::collections::HashSet;

/// What a flow is checked against.
#[derive(Debug, Clone, Copy)]
pub struct Grounds<'a> {
    pub settings: &'a Settings,
    pub known: &'a Known,
    /// From when on it is to run; windows are looked at from there.
    pub from: Time,
    /// For texts.
    pub quiet: Quiet,
    /// Steps that a sequence may have (LIM-1).
    pub steps_max: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The flow cannot run.
    Error,
    /// It can, but probably not as meant.
    Warning,
}

/// One thing that is wrong or doubtful.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub severity: Severity,
    /// A stable word for programs, such as `unknown_field`.
    pub code: &'static str,
    pub branch: Option<Key>,
    pub step: Option<Key>,
    /// For people; names the step.
    pub message: String,
}

/// Everything found, errors first, else in the order of the flow.
pub fn check(flow: &Flow, grounds: &Grounds<'_>) -> Vec<Finding> {
    let mut findings = Findings::default();
    structure(flow, grounds, &mut findings);
    // A flow beyond the limit is not looked through: the limit is there to bound such work.
    if flow.steps().count() <= grounds.steps_max as usize {
        timing::calendar(flow, grounds, &mut findings);
        for branch in &flow.branches {
            for (index, step) in branch.steps.iter().enumerate() {
                let at = At { branch, index, step };
                content::check(at, flow, grounds, &mut findings);
                conditions::check(at, flow, grounds, &mut findings);
                timing::step(at, grounds, &mut findings);
            }
        }
        ways::check(flow, &mut findings);
    }
    let mut found = findings.found;
    found.sort_by_key(|f| f.severity);
    found
}

/// Does anything found keep the flow from running?
pub fn may_run(findings: &[Finding]) -> bool {
    findings.iter().all(|f| f.severity != Severity::Error)
}

/// Where in the flow one looks.
#[derive(Clone, Copy)]
struct At<'a> {
    branch: &'a Branch,
    /// Counted from 0 in its branch.
    index: usize,
    step: &'a Step,
}

impl At<'_> {
    /// `Step 2 “Follow up” of branch “Main”`.
    fn words(self) -> String {
        let name = if self.step.content.name.trim().is_empty() {
            self.step.kind.label()
        } else {
            self.step.content.name.as_str()
        };
        format!("Step {} “{name}” of branch “{}”", self.index + 1, branch_name(self.branch))
    }
}

fn branch_name(branch: &Branch) -> &str {
    if branch.name.trim().is_empty() { branch.key.as_str() } else { &branch.name }
}

/// What was found so far.
#[derive(Default)]
struct Findings {
    found: Vec<Finding>,
}

impl Findings {
    fn flow(&mut self, severity: Severity, code: &'static str, message: String) {
        self.found.push(Finding { severity, code, branch: None, step: None, message });
    }
    fn branch(&mut self, severity: Severity, code: &'static str, branch: &Branch, message: String) {
        self.found.push(Finding { severity, code, branch: Some(branch.key.clone()), step: None, message });
    }
    /// `what` follows the step's name and a colon.
    fn step(&mut self, severity: Severity, code: &'static str, at: At<'_>, what: impl AsRef<str>) {
        let message = format!("{}: {}", at.words(), what.as_ref());
        let (branch, step) = (Some(at.branch.key.clone()), Some(at.step.key.clone()));
        self.found.push(Finding { severity, code, branch, step, message });
    }
    fn error(&mut self, code: &'static str, at: At<'_>, what: impl AsRef<str>) {
        self.step(Severity::Error, code, at, what);
    }
    fn warning(&mut self, code: &'static str, at: At<'_>, what: impl AsRef<str>) {
        self.step(Severity::Warning, code, at, what);
    }
}

/// Sizes, names and keys.
fn structure(flow: &Flow, grounds: &Grounds<'_>, findings: &mut Findings) {
    let error = Severity::Error;
    let steps = flow.steps().count();
    if steps == 0 {
        findings.flow(error, "no_steps", "The flow has no steps.".into());
    }
    if steps > grounds.steps_max as usize {
        let most = grounds.steps_max;
        let message = format!("The flow has {steps} steps: the limit “steps per sequence” is {most}.");
        findings.flow(error, "too_many_steps", message);
    }
    if flow.main().is_some_and(|b| b.key.as_str() != "main") {
        findings.flow(
            error,
            "no_main_branch",
            "The first branch must have the key main: everyone begins there.".into(),
        );
    }
    let (mut branches, mut keys) = (HashSet::new(), HashSet::new());
    for branch in &flow.branches {
        let name = branch_name(branch);
        if !branches.insert(&branch.key) {
            let message = format!("Two branches have the key {}: keys must differ.", branch.key);
            findings.branch(error, "duplicate_key", branch, message);
        }
        if branch.steps.is_empty() && steps > 0 {
            let message = format!("Branch “{name}” has no steps: whoever is led there could not go on.");
            findings.branch(error, "empty_branch", branch, message);
        }
        for (index, step) in branch.steps.iter().enumerate() {
            if !keys.insert(&step.key) {
                let at = At { branch, index, step };
                let what = format!("another step has the key {} too: keys must differ over all branches.", step.key);
                findings.error("duplicate_key", at, what);
            }
        }
    }
}
