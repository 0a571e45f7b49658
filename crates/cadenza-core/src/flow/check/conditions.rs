//! Do the conditions of a step make sense for its kind, and do they lead somewhere?

use super::{At, Findings, Grounds, timing};
use crate::flow::{Channel, Condition, Flow, Outcome, SideAction, Then, Verdict, When};

pub(super) fn check(at: At<'_>, flow: &Flow, grounds: &Grounds<'_>, findings: &mut Findings) {
    let conditions = &at.step.conditions;
    for (i, c) in conditions.iter().enumerate() {
        fits_kind(at, c, findings);
        tracking(at, c, grounds, findings);
        within(at, c, findings);
        target(at, c, flow, findings);
        c.also.iter().for_each(|action| side_action(at, c, action, findings));
        let earlier = &conditions[..i];
        if earlier.iter().any(|e| e.when == c.when) {
            let what = format!("the condition “{}” stands twice.", words(&c.when));
            findings.error("duplicate_condition", at, what);
        } else if shadowed(c, earlier) {
            let what =
                format!("“{}” never decides: a click on any link stands before it and lasts as long.", words(&c.when));
            findings.warning("shadowed_condition", at, what);
        }
    }
    nothing_comes_last(at, findings);
}

/// As a person reads it.
pub(super) fn words(when: &When) -> String {
    match when {
        When::Opened => "opened".into(),
        When::Clicked(None) => "clicked".into(),
        When::Clicked(Some(link)) => format!("clicked {link}"),
        When::Replied => "replied".into(),
        When::Bounced => "bounced".into(),
        When::Unsubscribed => "unsubscribed".into(),
        When::Delivered => "delivered".into(),
        When::Failed => "failed".into(),
        When::Nothing => "no condition met".into(),
        When::Outcome(outcome) => outcome.label(),
    }
}

fn fits_kind(at: At<'_>, c: &Condition, findings: &mut Findings) {
    let (kind, what) = (at.step.kind, words(&c.when));
    match &c.when {
        When::Outcome(outcome) => {
            if kind.is_automatic() {
                let what = format!(
                    "“{what}” is a person's answer, but this step is automatic: expected clicked, replied and so on."
                );
                findings.error("outcome_on_automatic", at, what);
            } else if matches!(
                outcome,
                Outcome::Sent | Outcome::Delivered | Outcome::Skipped | Outcome::Cancelled | Outcome::Failed
            ) {
                let what = format!("“{what}” is noted by Cadenza itself and cannot be chosen in Mark as.");
                findings.error("outcome_not_markable", at, what);
            } else if matches!(outcome, Outcome::Custom(name) if name.trim().is_empty()) {
                findings.error("outcome_not_markable", at, "an outcome needs a name.");
            }
        }
        _ if !kind.is_automatic() => {
            let what =
                format!("“{what}” cannot be waited for: the way on from a step that a person does is what they mark.");
            findings.error("event_on_manual", at, what);
        }
        When::Opened | When::Clicked(_) | When::Bounced if kind.channel() == Channel::Text => {
            let what = format!("a text cannot be {what}: expected replied, unsubscribed, delivered or failed.");
            findings.error("event_on_text", at, what);
        }
        _ => {}
    }
    let ends = matches!(c.then, Then::OptOut | Then::End(Verdict::Negative | Verdict::None));
    if c.when == When::Unsubscribed && !ends {
        let what = "who unsubscribes is always taken out, so this way on is never taken; side actions still run.";
        findings.warning("opt_out_always_ends", at, what);
    }
}

fn tracking(at: At<'_>, c: &Condition, grounds: &Grounds<'_>, findings: &mut Findings) {
    let (step, settings) = (at.step, grounds.settings);
    if step.kind.channel() != Channel::Email || !step.kind.is_automatic() {
        return;
    }
    match &c.when {
        When::Opened => {
            if !step.content.tracking.opens.unwrap_or(settings.track_opens) {
                findings.error("not_tracked", at, "it waits for an open, but opens are not tracked.");
            }
            let what = "opens are a weak sign: mail programs open mails by themselves, and many people's opens are never seen. \
                        A click or a reply is a better condition.";
            findings.warning("opened_is_unreliable", at, what);
        }
        When::Clicked(link) => {
            if !step.content.tracking.clicks.unwrap_or(settings.track_clicks) {
                findings.error("not_tracked", at, "it waits for a click, but clicks are not tracked.");
            }
            let has = |part: &str| step.content.variants.iter().any(|v| v.text.contains(part) || v.html.contains(part));
            let wordless = step.content.variants.is_empty();
            match link {
                Some(link) if !wordless && !has(link) => {
                    findings.warning("no_such_link", at, format!("its text has no link to {link}."));
                }
                None if !wordless && !has("http://") && !has("https://") && !has("_url") && !has("href") => {
                    findings.warning("no_such_link", at, "it waits for a click, but its text has no link.");
                }
                _ => {}
            }
        }
        _ => {}
    }
}

fn within(at: At<'_>, c: &Condition, findings: &mut Findings) {
    let what = words(&c.when);
    match (&c.when, &c.within) {
        (When::Outcome(_), Some(_)) => {
            findings.error("within_on_outcome", at, format!("“{what}” is marked by a person and takes no “within”."));
        }
        (When::Outcome(_) | When::Nothing | When::Failed, _) => {}
        (_, None) => {
            let what = format!("“{what}” has no “within”: expected a time such as 3 days.");
            findings.error("no_within", at, what);
        }
        (_, Some(within)) if within.is_none() => {
            findings.error("no_within", at, format!("“{what}” has a “within” of no time, so it could never be met."));
        }
        _ => {}
    }
}

fn target(at: At<'_>, c: &Condition, flow: &Flow, findings: &mut Findings) {
    let what = words(&c.when);
    match &c.then {
        Then::Step { step, .. } if flow.spot(step).is_none() => {
            findings.error("no_such_step", at, format!("“{what}” leads to the step {step}, which does not exist."));
        }
        Then::Branch { branch, .. } if flow.branch(branch).is_none() => {
            findings.error(
                "no_such_branch",
                at,
                format!("“{what}” leads to the branch {branch}, which does not exist."),
            );
        }
        _ => {}
    }
}

fn side_action(at: At<'_>, c: &Condition, action: &SideAction, findings: &mut Findings) {
    let blank = |t: &String| t.trim().is_empty();
    let (empty, name) = match action {
        SideAction::Enroll(sequence) => (blank(sequence), "the name of a sequence"),
        SideAction::AddToList(list) | SideAction::RemoveFromList(list) => (blank(list), "the name of a list"),
        SideAction::SetField { field, .. } => (blank(field), "the name of a field"),
        SideAction::SetWorkflowStage { workflow, stage } => (blank(workflow) || blank(stage), "a workflow and a stage"),
        SideAction::AddTask { name, .. } => (blank(name), "a name for the task"),
        SideAction::Notify { user, .. } => (blank(user), "a user"),
        SideAction::CallWebhook(url) => {
            let good =
                url.strip_prefix("https://").or(url.strip_prefix("http://")).is_some_and(|rest| !rest.is_empty());
            (!good, "an address that begins with https://")
        }
    };
    if empty {
        let what = format!("a side action of “{}” is incomplete: expected {name}.", words(&c.when));
        findings.error("incomplete_side_action", at, what);
    }
}

/// A given link after any link, in time for no longer.
fn shadowed(c: &Condition, earlier: &[Condition]) -> bool {
    let When::Clicked(Some(_)) = c.when else { return false };
    let length = |c: &Condition| c.within.map(timing::rough_minutes);
    earlier.iter().any(|e| e.when == When::Clicked(None) && length(e) >= length(c))
}

fn nothing_comes_last(at: At<'_>, findings: &mut Findings) {
    let Some(own) = at.step.nothing_rule().and_then(|c| c.within) else { return };
    let longest =
        at.step.waits().filter_map(|(_, c)| c.within.map(|w| (timing::rough_minutes(w), w))).max_by_key(|(m, _)| *m);
    if let Some((minutes, within)) = longest
        && timing::rough_minutes(own) < minutes
    {
        let what = format!(
            "“no condition met” decides after {own}, before the {within} that another condition may take are over."
        );
        findings.warning("decides_too_early", at, what);
    }
}
