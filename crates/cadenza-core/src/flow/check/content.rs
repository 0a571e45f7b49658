//! Is there something to send or do, and are its templates sound? Where a variant takes its wording from a template, the
//! caller has put that wording in; a variant that is still empty names a template that does not exist.

use super::{At, Findings, Grounds};
use crate::flow::{Channel, Flow, Regarding, StepKind, Variant};
use crate::merge::{Escape, FieldUse, Known, Template};
use std::collections::{BTreeMap, HashSet};

pub(super) fn check(at: At<'_>, flow: &Flow, grounds: &Grounds<'_>, findings: &mut Findings) {
    let content = &at.step.content;
    match at.step.kind.channel() {
        Channel::Email | Channel::Text => message(at, flow, findings),
        Channel::Call | Channel::Linkedin | Channel::Task => {
            if content.instructions.trim().is_empty() && content.script.trim().is_empty() {
                let what = "it has neither instructions nor a script for the person who does it.";
                findings.warning("no_instructions", at, what);
            }
            if content.variants.iter().any(|v| !is_blank(v)) {
                findings.warning("unused_content", at, "it sends nothing, so its subject and text are never used.");
            }
        }
    }
    if content.same_thread && at.step.kind.channel() != Channel::Email {
        findings.warning("unused_content", at, "only emails can continue a thread.");
    }
    if content.regarding != Regarding::Nothing && at.step.kind.channel() == Channel::Text {
        findings.error("regarding_on_text", at, "a text cannot be regarding an opportunity.");
    }
    if !content.attachments.is_empty() && at.step.kind.channel() != Channel::Email {
        findings.warning("unused_content", at, "only emails can have attachments.");
    }
    templates(at, grounds, findings);
}

fn is_blank(v: &Variant) -> bool {
    [&v.subject, &v.text, &v.html].into_iter().all(|t| t.trim().is_empty())
}

/// Subject and text by kind; a person's message may begin empty.
fn message(at: At<'_>, flow: &Flow, findings: &mut Findings) {
    let content = &at.step.content;
    let automatic = at.step.kind.is_automatic();
    if content.variants.is_empty() {
        match automatic {
            true => findings.error("no_content", at, "it has nothing to send: write a text or choose a template."),
            false => findings.warning("no_content", at, "it has no text to begin from; the person writes it all."),
        }
        return;
    }
    if content.variants.iter().all(|v| v.weight == 0) {
        findings.error("no_weight", at, "all its variants have weight 0, so none would ever be drawn.");
    }
    let mut keys = HashSet::new();
    for v in &content.variants {
        if !keys.insert(&v.key) {
            let what = format!("two of its variants have the key {}: keys must differ.", v.key);
            findings.error("duplicate_variant", at, what);
        }
        wording(at, flow, v, findings);
    }
}

fn wording(at: At<'_>, flow: &Flow, v: &Variant, findings: &mut Findings) {
    let which = which(at, v);
    if let (Some(name), true) = (&v.template, is_blank(v)) {
        let what = format!("the template “{name}”{which} does not exist or is empty.");
        return findings.error("no_such_template", at, what);
    }
    let email = at.step.kind.channel() == Channel::Email;
    let no_text = v.text.trim().is_empty() && (!email || v.html.trim().is_empty());
    if no_text {
        let what = format!("the text{which} is empty.");
        match at.step.kind.is_automatic() {
            true => findings.error("no_text", at, what),
            false => findings.warning("no_text", at, what),
        }
    }
    let more_than_text = !v.subject.trim().is_empty() || !v.html.trim().is_empty();
    if !email && more_than_text {
        findings.warning(
            "unused_content",
            at,
            format!("a text has no subject and no HTML; those{which} are never used."),
        );
    }
    if email && v.subject.trim().is_empty() {
        let continues = at.step.content.same_thread;
        if !continues && at.step.kind == StepKind::EmailAuto {
            findings.error("no_subject", at, format!("the subject{which} is empty."));
        } else if continues && !an_email_may_come_before(at, flow) {
            let what = "it continues a thread, but no email can come before it: give it a subject of its own.";
            findings.error("no_thread", at, what);
        }
    }
}

/// Any other email step may have been on the way, except after this one in the same branch of a flow without loops; that
/// fine point is left to the person.
fn an_email_may_come_before(at: At<'_>, flow: &Flow) -> bool {
    let in_main = flow.main().is_some_and(|b| b.key == at.branch.key);
    let mut earlier = flow.steps().filter(|s| s.key != at.step.key && s.kind.channel() == Channel::Email);
    if in_main && flow.branches.len() == 1 {
        return at.branch.steps[..at.index].iter().any(|s| s.kind.channel() == Channel::Email);
    }
    earlier.next().is_some()
}

/// ` of variant b`, where there are several.
fn which(at: At<'_>, v: &Variant) -> String {
    if at.step.content.variants.len() > 1 { format!(" of variant {}", v.key) } else { String::new() }
}

/// Reads every template and looks at its fields.
fn templates(at: At<'_>, grounds: &Grounds<'_>, findings: &mut Findings) {
    let email = at.step.kind.channel() == Channel::Email;
    // Each field once a step, however many templates name it.
    let mut used: BTreeMap<String, FieldUse> = BTreeMap::new();
    let content = &at.step.content;
    let notes = [("instructions", &content.instructions), ("script", &content.script)];
    let notes = notes.into_iter().map(|(name, text)| (name.to_owned(), text, Escape::Text));
    let wordings = content.variants.iter().flat_map(|v| {
        let which = which(at, v);
        [
            (format!("subject{which}"), &v.subject, Escape::Header),
            (format!("text{which}"), &v.text, Escape::Text),
            (format!("HTML{which}"), &v.html, Escape::Html),
        ]
    });
    for (name, text, escape) in notes.chain(wordings) {
        let template = match Template::compile(text, escape) {
            Ok(template) => template,
            Err(e) => {
                findings.error("invalid_template", at, format!("in the {name}, {e}."));
                continue;
            }
        };
        for field in template.uses() {
            let known = used.entry(field.path.clone()).or_insert_with(|| field.clone());
            known.has_fallback &= field.has_fallback;
        }
        if escape == Escape::Header && text.chars().any(char::is_control) {
            findings.error("invalid_template", at, format!("the {name} must be one line."));
        }
    }
    for field in used.into_values() {
        let path = &field.path;
        if let Some(what) = unknown(path, grounds.known) {
            findings.error("unknown_field", at, what);
        } else if path == "unsubscribe_url" && !email {
            findings.error("unknown_field", at, "unsubscribe_url exists in emails only.");
        } else if !field.has_fallback && Known::may_be_empty(path) {
            let what = format!(
                "{path} may be empty, and then the step stops for that contact; a fallback lets it go on: \
                 {{{{ {path} | default(\"…\") }}}}."
            );
            findings.warning("no_fallback", at, what);
        }
    }
}

/// What to say of a field that does not exist.
pub(super) fn unknown(path: &str, known: &Known) -> Option<String> {
    if known.contains(path) {
        return None;
    }
    Some(match known.nearest(path) {
        Some(meant) => format!("there is no merge field {path}; did you mean {meant}?"),
        None => format!("there is no merge field {path}."),
    })
}
