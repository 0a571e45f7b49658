//! Conditions and side actions of a step, read and written.

use super::steps::Places;
use crate::document::write::{Writer, inline, lines, one_line};
use crate::document::{Item, Section};
use crate::flow::{Condition, Key, Outcome, SideAction, StepKind, Then, Verdict, When};

const EVENTS: [(&str, When); 8] = [
    ("opened", When::Opened),
    ("clicked", When::Clicked(None)),
    ("replied", When::Replied),
    ("bounced", When::Bounced),
    ("unsubscribed", When::Unsubscribed),
    ("delivered", When::Delivered),
    ("failed", When::Failed),
    ("nothing", When::Nothing),
];

/// Outcomes that *Mark as* offers without a prefix.
const ANSWERS: [(&str, Outcome); 8] = [
    ("done", Outcome::Done),
    ("none", Outcome::None),
    ("no_answer", Outcome::NoAnswer),
    ("left_voicemail", Outcome::LeftVoicemail),
    ("interested", Outcome::Interested),
    ("not_interested", Outcome::NotInterested),
    ("positive", Outcome::Positive),
    ("negative", Outcome::Negative),
];

const WAYS: [(&str, Then); 7] = [
    ("next", Then::Next),
    ("end", Then::End(Verdict::None)),
    ("end:none", Then::End(Verdict::None)),
    ("end:positive", Then::End(Verdict::Positive)),
    ("end:negative", Then::End(Verdict::Negative)),
    ("pause", Then::Pause),
    ("opt_out", Then::OptOut),
];

pub(super) fn read<'d, 't>(
    on: &Section<'d, 't>,
    kind: Option<StepKind>,
    places: &mut Places<'d, 't>,
) -> Option<Condition> {
    let expected = match kind {
        Some(kind) if !kind.is_automatic() => "what the person marks, such as \"interested\"",
        _ => "what happens, such as \"replied\"",
    };
    let when = on.required("when", expected, on.item("when")).and_then(|item| when(&item, kind));
    let link = on.item("link");
    let when = match (when, link) {
        (Some(When::Clicked(_)), Some(link)) => link.text().map(|link| When::Clicked(Some(link))),
        (when, Some(link)) => {
            link.wrong("only a condition with when = \"clicked\" has a link");
            when
        }
        (when, None) => when,
    };
    let within = on.parsed("within");
    let delay = on.item("delay");
    let then = match on.item("then") {
        None => Some(Then::Next),
        Some(item) => way(&item, places),
    };
    let then = match (then, delay) {
        (Some(Then::Step { step, .. }), Some(d)) => Some(Then::Step { step, delay: d.parsed() }),
        (Some(Then::Branch { branch, .. }), Some(d)) => Some(Then::Branch { branch, delay: d.parsed() }),
        (then, Some(d)) => {
            d.wrong("only a way to a step or branch has a delay of its own; the next step has its own delay");
            then
        }
        (then, None) => then,
    };
    let also = on.items("also").iter().filter_map(side_action).collect();
    on.finish();
    Some(Condition { when: when?, within, then: then?, also })
}

fn when(item: &Item<'_, '_>, kind: Option<StepKind>) -> Option<When> {
    let text = item.text()?;
    if let Some(name) = text.strip_prefix("outcome:") {
        let name = name.trim();
        if name.is_empty() {
            item.wrong("expected a name after \"outcome:\", such as \"outcome:call back later\"");
            return None;
        }
        return Some(When::Outcome(Outcome::named(name)));
    }
    let event = EVENTS.iter().find(|(word, _)| *word == text).map(|(_, when)| when.clone());
    let answer = ANSWERS.iter().find(|(word, _)| *word == text).map(|(_, outcome)| When::Outcome(outcome.clone()));
    let found = event.or(answer);
    if found.is_none() {
        let (events, answers) = (EVENTS.iter().map(|(w, _)| *w), ANSWERS.iter().map(|(w, _)| *w));
        let own = ["outcome:… for an outcome of your own"];
        match kind.map(StepKind::is_automatic) {
            Some(true) => item.not_among(&text, events),
            Some(false) => item.not_among(&text, answers.chain(own)),
            None => item.not_among(&text, events.chain(answers).chain(own)),
        }
    }
    found
}

fn way<'d, 't>(item: &Item<'d, 't>, places: &mut Places<'d, 't>) -> Option<Then> {
    let text = item.text()?;
    let key = |key: &str| key.parse::<Key>().map_err(|e| item.wrong(e.to_string())).ok();
    if let Some(step) = text.strip_prefix("step:") {
        let step = key(step)?;
        places.step_targets.push((step.clone(), item.clone()));
        return Some(Then::Step { step, delay: None });
    }
    if let Some(branch) = text.strip_prefix("branch:") {
        let branch = key(branch)?;
        places.branch_targets.push((branch.clone(), item.clone()));
        return Some(Then::Branch { branch, delay: None });
    }
    let found = WAYS.iter().find(|(word, _)| *word == text).map(|(_, then)| then.clone());
    if found.is_none() {
        let words = WAYS.iter().map(|(word, _)| *word).filter(|w| *w != "end:none");
        item.not_among(&text, words.chain(["step:<key>", "branch:<key>"]));
    }
    found
}

/// One table with one action; its further keys depend on it.
fn side_action(item: &Item<'_, '_>) -> Option<SideAction> {
    let section = item.section()?;
    const ACTIONS: [&str; 8] = [
        "enroll",
        "add_to_list",
        "remove_from_list",
        "set_field",
        "set_workflow_stage",
        "add_task",
        "notify",
        "call_webhook",
    ];
    let mut stated = ACTIONS.into_iter().filter_map(|action| Some((action, section.item(action)?)));
    let Some((action, value)) = stated.next() else {
        let known = ACTIONS.join(", ");
        section.finish();
        item.wrong(format!("this side action does nothing: expected one of {known}"));
        return None;
    };
    if let Some((_, second)) = stated.next() {
        second.wrong("one side action a table: expected this one in a table of its own");
    }
    let value = value.text();
    let action = match action {
        "enroll" => SideAction::Enroll(value?),
        "add_to_list" => SideAction::AddToList(value?),
        "remove_from_list" => SideAction::RemoveFromList(value?),
        "set_field" => {
            let new = section.required("value", "the value that the field gets", section.text("value"));
            SideAction::SetField { field: value?, value: new? }
        }
        "set_workflow_stage" => {
            let workflow = section.required("workflow", "the name of the workflow", section.text("workflow"));
            SideAction::SetWorkflowStage { workflow: workflow?, stage: value? }
        }
        "add_task" => SideAction::AddTask { name: value?, instructions: section.text_or_empty("instructions") },
        "notify" => SideAction::Notify { user: value?, message: section.text_or_empty("message") },
        _ => SideAction::CallWebhook(value?),
    };
    section.finish();
    Some(action)
}

pub(super) fn write(c: &Condition, out: &mut Writer) {
    out.heading("[[branch.step.on]]");
    out.entry("when", one_line(&when_word(&c.when)));
    if let When::Clicked(Some(link)) = &c.when {
        out.entry("link", one_line(link));
    }
    if let Some(within) = c.within {
        out.entry("within", one_line(&within.to_string()));
    }
    let (then, delay) = way_word(&c.then);
    out.entry("then", one_line(&then));
    delay.into_iter().for_each(|delay| out.entry("delay", one_line(&delay.to_string())));
    if !c.also.is_empty() {
        out.entry("also", lines(&c.also.iter().map(side_action_toml).collect::<Vec<_>>()));
    }
}

pub(super) fn when_word(when: &When) -> String {
    match when {
        When::Clicked(_) => "clicked".into(),
        When::Outcome(outcome) => match ANSWERS.iter().find(|(_, o)| o == outcome) {
            Some((word, _)) => (*word).to_owned(),
            None => format!("outcome:{outcome}"),
        },
        event => EVENTS.iter().find(|(_, w)| w == event).map_or("", |(word, _)| word).to_owned(),
    }
}

pub(super) fn way_word(then: &Then) -> (String, Option<crate::calendar::Delay>) {
    match then {
        Then::Step { step, delay } => (format!("step:{step}"), *delay),
        Then::Branch { branch, delay } => (format!("branch:{branch}"), *delay),
        other => (WAYS.iter().find(|(_, t)| t == other).map_or("", |(word, _)| word).to_owned(), None),
    }
}

pub(super) fn side_action_toml(action: &SideAction) -> String {
    let one = |key, value: &str| inline(&[(key, one_line(value))]);
    let two = |key, value: &str, key2, value2: &str| {
        if value2.is_empty() && key2 != "value" && key2 != "workflow" {
            return inline(&[(key, one_line(value))]);
        }
        inline(&[(key, one_line(value)), (key2, one_line(value2))])
    };
    match action {
        SideAction::Enroll(sequence) => one("enroll", sequence),
        SideAction::AddToList(list) => one("add_to_list", list),
        SideAction::RemoveFromList(list) => one("remove_from_list", list),
        SideAction::SetField { field, value } => two("set_field", field, "value", value),
        SideAction::SetWorkflowStage { workflow, stage } => two("set_workflow_stage", stage, "workflow", workflow),
        SideAction::AddTask { name, instructions } => two("add_task", name, "instructions", instructions),
        SideAction::Notify { user, message } => two("notify", user, "message", message),
        SideAction::CallWebhook(url) => one("call_webhook", url),
    }
}
