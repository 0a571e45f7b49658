//! What would change if a file took the place of another, in words (SEQ-11). Whether a change may be made while people are
//! enrolled (SEQ-9) is decided elsewhere; here is only said which changes touch the structure.

use super::conditions::{side_action_toml, way_word, when_word};
use super::words::Words;
use super::{Form, SequenceFile};
use crate::flow::{Branch, Condition, Key, Step, Variant, When};
use serde::Serialize;

/// One line of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    pub kind: ChangeKind,
    /// For people, such as `step intro: subject changed`.
    pub message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// Branches, steps, their order, kinds and conditions: makes a new version of the flow (SEQ-9).
    Structure,
    /// What a step says and when, and templates: reaches everyone who has not passed it (ENR-12).
    Content,
    /// Name, dates, people and settings of the sequence.
    Settings,
}

impl Change {
    pub fn is_structural(&self) -> bool {
        self.kind == ChangeKind::Structure
    }
}

/// The changes from `old` to `new`, in the order of the file; all of `new` where there is no `old`. Empty where nothing
/// would change.
pub fn plan(old: Option<&SequenceFile>, new: &SequenceFile) -> Vec<Change> {
    let mut plan = Plan::default();
    let Some(old) = old else {
        let what = if new.form == Form::Sequence { "sequence" } else { "template" };
        plan.say(ChangeKind::Settings, format!("{what} {:?} is new", new.name));
        for branch in &new.branches {
            plan.branch_is_new(branch);
        }
        plan.templates(&SequenceFile::new(""), new);
        return plan.changes;
    };
    plan.top(old, new);
    plan.branches(&old.branches, &new.branches);
    plan.templates(old, new);
    plan.changes
}

#[derive(Default)]
struct Plan {
    changes: Vec<Change>,
}

impl Plan {
    fn say(&mut self, kind: ChangeKind, message: String) {
        self.changes.push(Change { kind, message });
    }

    fn top(&mut self, old: &SequenceFile, new: &SequenceFile) {
        let none = || "none".to_owned();
        let moment = |t: Option<crate::time::Time>| t.map_or_else(none, |t| t.to_string());
        let text = |t: &Option<String>| t.clone().unwrap_or_else(none);
        let pairs = [
            ("name", old.name.clone(), new.name.clone()),
            ("form", old.form.word().into(), new.form.word().into()),
            ("type", old.of.word().into(), new.of.word().into()),
            ("owner", text(&old.owner), text(&new.owner)),
            ("primary user", text(&old.primary_user), text(&new.primary_user)),
            ("team", list(&old.team), list(&new.team)),
            ("list", text(&old.list), text(&new.list)),
            ("begin", moment(old.begin), moment(new.begin)),
            ("end", moment(old.end), moment(new.end)),
            ("priority", old.priority.word().into(), new.priority.word().into()),
        ];
        for (name, before, after) in pairs {
            if before != after {
                self.say(ChangeKind::Settings, format!("{name}: {before} becomes {after}"));
            }
        }
        if old.description != new.description {
            self.say(ChangeKind::Settings, "description changed".into());
        }
        let (before, after) = (old.settings.stated(), new.settings.stated());
        let value = |all: &[(&'static str, String)], name: &str| {
            all.iter().find(|(n, _)| *n == name).map_or("the workspace's default".to_owned(), |(_, v)| flat(v))
        };
        let mut names: Vec<&str> = before.iter().map(|(n, _)| *n).collect();
        names.extend(after.iter().map(|(n, _)| *n).filter(|n| !before.iter().any(|(b, _)| b == n)));
        for name in names {
            let (before, after) = (value(&before, name), value(&after, name));
            if before != after {
                self.say(ChangeKind::Settings, format!("setting {name}: {before} becomes {after}"));
            }
        }
    }

    fn branches(&mut self, old: &[Branch], new: &[Branch]) {
        for branch in old.iter().filter(|b| !new.iter().any(|n| n.key == b.key)) {
            self.say(ChangeKind::Structure, format!("branch {} is gone", branch.key));
        }
        // Steps first seen as gone, wherever they stood.
        let stays = |key: &Key| new.iter().flat_map(|b| &b.steps).any(|s| s.key == *key);
        for step in old.iter().flat_map(|b| &b.steps).filter(|s| !stays(&s.key)) {
            self.say(ChangeKind::Structure, format!("step {} is gone", step.key));
        }
        for branch in new {
            let Some(before) = old.iter().find(|b| b.key == branch.key) else {
                self.branch_is_new_among(branch, old);
                continue;
            };
            if before.name != branch.name {
                self.say(ChangeKind::Content, format!("branch {}: name changed to {:?}", branch.key, branch.name));
            }
            self.steps(branch, before, old);
        }
        let order = |from: &[Branch], other: &[Branch]| -> Vec<Key> {
            from.iter().map(|b| b.key.clone()).filter(|k| other.iter().any(|b| b.key == *k)).collect()
        };
        if order(old, new) != order(new, old) {
            self.say(ChangeKind::Structure, "the branches stand in another order".into());
        }
    }

    fn branch_is_new(&mut self, branch: &Branch) {
        self.branch_is_new_among(branch, &[]);
    }

    fn branch_is_new_among(&mut self, branch: &Branch, old: &[Branch]) {
        self.say(ChangeKind::Structure, format!("branch {} is new", branch.key));
        for (index, step) in branch.steps.iter().enumerate() {
            match find(old, &step.key) {
                Some((from, before)) => {
                    self.say(
                        ChangeKind::Structure,
                        format!("step {} moves from branch {} to branch {}", step.key, from.key, branch.key),
                    );
                    self.step(before, step);
                }
                None => self.step_is_new(branch, index),
            }
        }
    }

    fn step_is_new(&mut self, branch: &Branch, index: usize) {
        let step = &branch.steps[index];
        let place = match index.checked_sub(1).map(|before| &branch.steps[before].key) {
            Some(before) => format!("after {before}"),
            None => format!("at the start of branch {}", branch.key),
        };
        self.say(
            ChangeKind::Structure,
            format!("step {} is new {place} ({})", step.key, step.kind.label().to_lowercase()),
        );
    }

    fn steps(&mut self, branch: &Branch, before: &Branch, old: &[Branch]) {
        let kept = in_old_order(branch, before);
        for (index, step) in branch.steps.iter().enumerate() {
            let Some((from, old_step)) = find(old, &step.key) else {
                self.step_is_new(branch, index);
                continue;
            };
            if from.key != branch.key {
                self.say(
                    ChangeKind::Structure,
                    format!("step {} moves from branch {} to branch {}", step.key, from.key, branch.key),
                );
            } else if !kept.contains(&&step.key) {
                let place = match index.checked_sub(1).map(|i| &branch.steps[i].key) {
                    Some(previous) => format!("after {previous}"),
                    None => format!("to the start of branch {}", branch.key),
                };
                self.say(ChangeKind::Structure, format!("step {} moves {place}", step.key));
            }
            self.step(old_step, step);
        }
    }

    fn step(&mut self, old: &Step, new: &Step) {
        let key = &new.key;
        if old.kind != new.kind {
            let (before, after) = (old.kind.as_str(), new.kind.as_str());
            self.say(ChangeKind::Structure, format!("step {key}: kind {before} becomes {after}"));
        }
        self.conditions(key, &old.conditions, &new.conditions);
        let (a, b) = (&old.content, &new.content);
        if a.delay != b.delay {
            self.say(ChangeKind::Content, format!("step {key}: delay {} becomes {}", a.delay, b.delay));
        }
        let changed = [
            ("name", a.name != b.name),
            ("priority", a.priority != b.priority),
            ("owner", a.owner != b.owner),
            ("sender", a.sender != b.sender),
            ("address", a.address != b.address),
            ("regarding", a.regarding != b.regarding),
            ("same_thread", a.same_thread != b.same_thread),
            ("tracking", a.tracking != b.tracking),
            ("attachments", a.attachments != b.attachments),
            ("instructions", a.instructions != b.instructions),
            ("script", a.script != b.script),
        ];
        for (what, _) in changed.into_iter().filter(|(_, changed)| *changed) {
            self.say(ChangeKind::Content, format!("step {key}: {what} changed"));
        }
        self.variants(key, &a.variants, &b.variants);
    }

    fn conditions(&mut self, key: &Key, old: &[Condition], new: &[Condition]) {
        let words = |c: &Condition| match &c.when {
            When::Clicked(Some(link)) => format!("clicked {link}"),
            when => when_word(when),
        };
        for c in old.iter().filter(|c| !new.iter().any(|n| n.when == c.when)) {
            self.say(ChangeKind::Structure, format!("step {key}: condition {} is gone", words(c)));
        }
        for c in new {
            let Some(before) = old.iter().find(|o| o.when == c.when) else {
                self.say(
                    ChangeKind::Structure,
                    format!("step {key}: condition {} is new, leads to {}", words(c), way_word(&c.then).0),
                );
                continue;
            };
            if before.within != c.within || before.then != c.then {
                self.say(ChangeKind::Structure, format!("step {key}: condition {} becomes {}", words(c), way(c)));
            }
            let actions = |c: &Condition| c.also.iter().map(side_action_toml).collect::<Vec<_>>();
            if actions(before) != actions(c) {
                self.say(ChangeKind::Structure, format!("step {key}: side actions of {} changed", words(c)));
            }
        }
        let order = |from: &[Condition], other: &[Condition]| -> Vec<When> {
            from.iter().map(|c| c.when.clone()).filter(|w| other.iter().any(|o| o.when == *w)).collect()
        };
        if order(old, new) != order(new, old) {
            self.say(ChangeKind::Structure, format!("step {key}: the conditions stand in another order"));
        }
    }

    fn variants(&mut self, key: &Key, old: &[Variant], new: &[Variant]) {
        for v in old.iter().filter(|v| !new.iter().any(|n| n.key == v.key)) {
            self.say(ChangeKind::Content, format!("step {key}: variant {} is gone", v.key));
        }
        let several = old.len().max(new.len()) > 1;
        for v in new {
            let of = if several { format!(" of variant {}", v.key) } else { String::new() };
            let Some(before) = old.iter().find(|o| o.key == v.key) else {
                self.say(ChangeKind::Content, format!("step {key}: variant {} is new", v.key));
                continue;
            };
            let changed = [
                ("template", before.template != v.template),
                ("subject", before.subject != v.subject),
                ("text", before.text != v.text),
                ("html", before.html != v.html),
            ];
            for (what, _) in changed.into_iter().filter(|(_, changed)| *changed) {
                self.say(ChangeKind::Content, format!("step {key}: {what}{of} changed"));
            }
            if before.weight != v.weight {
                let message = format!("step {key}: weight{of} {} becomes {}", before.weight, v.weight);
                self.say(ChangeKind::Content, message);
            }
        }
        let order = |from: &[Variant], other: &[Variant]| -> Vec<Key> {
            from.iter().map(|v| v.key.clone()).filter(|k| other.iter().any(|o| o.key == *k)).collect()
        };
        if order(old, new) != order(new, old) {
            self.say(ChangeKind::Content, format!("step {key}: the variants stand in another order"));
        }
    }

    fn templates(&mut self, old: &SequenceFile, new: &SequenceFile) {
        self.records("email template", &old.email_templates, &new.email_templates, |t| &t.name);
        self.records("text template", &old.text_templates, &new.text_templates, |t| &t.name);
        self.records("snippet", &old.snippets, &new.snippets, |s| &s.name);
    }

    fn records<R: PartialEq>(&mut self, what: &str, old: &[R], new: &[R], name: impl Fn(&R) -> &String) {
        for record in old.iter().filter(|o| !new.iter().any(|n| name(n) == name(o))) {
            self.say(ChangeKind::Content, format!("{what} {:?} is no longer in the file", name(record)));
        }
        for record in new {
            match old.iter().find(|o| name(o) == name(record)) {
                None => self.say(ChangeKind::Content, format!("{what} {:?} is new", name(record))),
                Some(before) if before != record => {
                    self.say(ChangeKind::Content, format!("{what} {:?} changed", name(record)));
                }
                Some(_) => {}
            }
        }
    }
}

fn find<'a>(branches: &'a [Branch], key: &Key) -> Option<(&'a Branch, &'a Step)> {
    branches.iter().find_map(|b| b.steps.iter().find(|s| s.key == *key).map(|s| (b, s)))
}

/// The steps of the branch that kept their order: as many as can be (a longest increasing subsequence of old places).
fn in_old_order<'a>(branch: &'a Branch, before: &Branch) -> Vec<&'a Key> {
    let place = |key: &Key| before.steps.iter().position(|s| s.key == *key);
    let kept: Vec<(usize, &Key)> = branch.steps.iter().filter_map(|s| Some((place(&s.key)?, &s.key))).collect();
    // For each: the length of the longest run that ends there, and where it came from.
    let mut best: Vec<(usize, Option<usize>)> = Vec::with_capacity(kept.len());
    for (i, (at, _)) in kept.iter().enumerate() {
        let from = (0..i).filter(|j| kept[*j].0 < *at).max_by_key(|j| best[*j].0);
        best.push((from.map_or(1, |j| best[j].0 + 1), from));
    }
    let mut at = (0..kept.len()).max_by_key(|i| best[*i].0);
    let mut order = Vec::new();
    while let Some(i) = at {
        order.push(kept[i].1);
        at = best[i].1;
    }
    order
}

fn way(c: &Condition) -> String {
    let (then, delay) = way_word(&c.then);
    let delay = delay.map(|d| format!(" after {d}")).unwrap_or_default();
    let within = c.within.map(|w| format!(" within {w}")).unwrap_or_default();
    format!("{then}{delay}{within}")
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "none".into() } else { names.join(", ") }
}

/// A value of several lines on one.
fn flat(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ")
}
