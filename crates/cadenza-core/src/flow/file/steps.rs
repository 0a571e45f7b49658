//! Branches and steps of a file, read and written.

use super::conditions;
use super::words::Words;
use crate::calendar::Delay;
use crate::document::write::{Writer, inline, one_line, text};
use crate::document::{Item, Section};
use crate::flow::{
    AddressKind, AttachmentRef, Branch, Content, Key, OwnerRule, Priority, Regarding, SenderRule, Step, StepKind,
    Tracking, Variant,
};

/// Keys and targets with their places, so that what does not fit together is named where it stands.
#[derive(Default)]
pub(super) struct Places<'d, 't> {
    branches: Vec<(Key, Item<'d, 't>)>,
    steps: Vec<(Key, Item<'d, 't>)>,
    /// A branch has no readable key, so the first one read may not be the first.
    keyless: bool,
    pub step_targets: Vec<(Key, Item<'d, 't>)>,
    pub branch_targets: Vec<(Key, Item<'d, 't>)>,
}

impl Places<'_, '_> {
    /// Keys that stand twice, targets that do not exist, a first branch that is not main.
    pub fn check(&self) {
        for (keys, what) in [(&self.branches, "branch"), (&self.steps, "step")] {
            for (n, (key, item)) in keys.iter().enumerate() {
                if keys[..n].iter().any(|(k, _)| k == key) {
                    item.wrong(format!(
                        "there is a {what} with the key \"{key}\" already: keys must differ over the whole file"
                    ));
                }
            }
        }
        for (targets, keys, what) in
            [(&self.step_targets, &self.steps, "step"), (&self.branch_targets, &self.branches, "branch")]
        {
            for (target, item) in targets {
                if keys.iter().any(|(k, _)| k == target) {
                    continue;
                }
                let guess = crate::nearest::nearest(target.as_str(), keys.iter().map(|(k, _)| k.as_str()));
                let guess = guess.map(|k| format!("; did you mean \"{what}:{k}\"?")).unwrap_or_default();
                item.wrong(format!("there is no {what} with the key \"{target}\"{guess}"));
            }
        }
        if let Some((key, item)) = self.branches.first()
            && key.as_str() != "main"
            && !self.keyless
        {
            item.wrong("the first branch is where everyone begins: expected key = \"main\"");
        }
    }
}

pub(super) fn branches<'d, 't>(root: &Section<'d, 't>, places: &mut Places<'d, 't>) -> Vec<Branch> {
    let mut branches = Vec::new();
    for section in root.sections("branch") {
        let key = key(&section, "interested", &mut places.branches);
        places.keyless |= key.is_none();
        let name = section.text_or_empty("name");
        let steps = section.sections("step").iter().filter_map(|s| step(s, places)).collect();
        section.finish();
        branches.extend(key.map(|key| Branch { key, name, steps }));
    }
    branches
}

fn key<'d, 't>(section: &Section<'d, 't>, example: &str, into: &mut Vec<(Key, Item<'d, 't>)>) -> Option<Key> {
    let what = format!("a permanent name such as \"{example}\"");
    let item = section.required("key", &what, section.item("key"))?;
    let key: Key = item.parsed()?;
    into.push((key.clone(), item));
    Some(key)
}

fn step<'d, 't>(section: &Section<'d, 't>, places: &mut Places<'d, 't>) -> Option<Step> {
    let key = key(section, "intro", &mut places.steps);
    let kind_words = "what the step does: email_auto, email_manual, call, sms_auto, sms_manual, linkedin or task";
    let kind = section.required("kind", kind_words, section.word("kind", StepKind::WORDS));
    let content = Content {
        name: section.text_or_empty("name"),
        delay: section.parsed("delay").unwrap_or(Delay::NONE),
        priority: section.word("priority", Priority::WORDS).unwrap_or_default(),
        owner: section.item("owner").and_then(|item| owner(&item)).unwrap_or_default(),
        sender: section.item("sender").and_then(|item| sender(&item)).unwrap_or_default(),
        address: section.word("address", AddressKind::WORDS).unwrap_or_default(),
        regarding: section.word("regarding", Regarding::WORDS).unwrap_or_default(),
        same_thread: section.flag("same_thread").unwrap_or_default(),
        tracking: Tracking {
            opens: section.flag("track_opens"),
            clicks: section.flag("track_clicks"),
            unsubscribe: section.flag("unsubscribe_link"),
        },
        attachments: section.items("attachments").iter().filter_map(attachment).collect(),
        instructions: section.text_or_empty("instructions"),
        script: section.text_or_empty("script"),
        variants: variants(section),
    };
    let conditions = section.sections("on").iter().filter_map(|on| conditions::read(on, kind, places)).collect();
    section.finish();
    Some(Step { key: key?, kind: kind?, conditions, content, revision: 0 })
}

const OWNERS: &[(&str, OwnerRule)] = &[
    ("enroller", OwnerRule::Enroller),
    ("contact_owner", OwnerRule::ContactOwner),
    ("company_owner", OwnerRule::CompanyOwner),
];

fn owner(item: &Item<'_, '_>) -> Option<OwnerRule> {
    let text = item.text()?;
    if is_address(&text) {
        return Some(OwnerRule::User(text));
    }
    let found = OWNERS.iter().find(|(word, _)| *word == text).map(|(_, rule)| rule.clone());
    if found.is_none() {
        let words = OWNERS.iter().map(|(word, _)| *word).chain(["a user's sign-in address"]);
        item.not_among(&text, words);
    }
    found
}

fn sender(item: &Item<'_, '_>) -> Option<SenderRule> {
    let text = item.text()?;
    match text.as_str() {
        "owner" => Some(SenderRule::Owner),
        address if is_address(address) => Some(SenderRule::Mailbox(text)),
        _ => {
            item.not_among(&text, ["owner", "the address of a mailbox"]);
            None
        }
    }
}

fn is_address(text: &str) -> bool {
    text.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
}

fn attachment(item: &Item<'_, '_>) -> Option<AttachmentRef> {
    let section = item.section()?;
    let id = section.required("id", "the id of an uploaded file, such as \"att_…\"", section.parsed("id"));
    let name = section.required("name", "the file name that the recipient sees", section.text("name"));
    section.finish();
    Some(AttachmentRef { id: id?, name: name? })
}

/// One wording may stand in the step itself; several are tables of their own.
fn variants(section: &Section<'_, '_>) -> Vec<Variant> {
    if let Some(item) = section.item("weight") {
        item.wrong("a weight is a variant's: expected it in a [[branch.step.variant]]");
    }
    let listed = section.sections("variant");
    if listed.is_empty() {
        let stated = ["subject", "text", "html", "template"].into_iter().any(|key| section.has(key));
        let wording = wording(section, first_key());
        return if stated { wording.into_iter().collect() } else { Vec::new() };
    }
    for key in ["subject", "text", "html", "template"] {
        if let Some(item) = section.item(key) {
            item.wrong("this step has variants: expected the wording in each [[branch.step.variant]]");
        }
    }
    let mut variants: Vec<Variant> = Vec::new();
    for section in listed {
        let example = "a short name such as \"a\"";
        let key: Option<Key> = section.required("key", example, section.item("key")).and_then(|item| item.parsed());
        let weight = section.number("weight", 1_000).unwrap_or(1);
        if let Some(key) = &key
            && variants.iter().any(|v| v.key == *key)
        {
            section.wrong(format!("there is a variant with the key \"{key}\" already"));
        }
        let wording = wording(&section, key);
        section.finish();
        variants.extend(wording.map(|v| Variant { weight, ..v }));
    }
    variants
}

fn wording(section: &Section<'_, '_>, key: Option<Key>) -> Option<Variant> {
    let template = section.text("template");
    let (subject, text, html) =
        (section.text_or_empty("subject"), section.text_or_empty("text"), section.text_or_empty("html"));
    if template.is_some() {
        for key in ["subject", "text", "html"] {
            if section.has(key) {
                section.item(key)?.wrong("the wording is the template's: expected either template or this");
            }
        }
    }
    Some(Variant { key: key?, weight: 1, template, subject, text, html })
}

/// Of a wording that stands in the step itself.
fn first_key() -> Option<Key> {
    "a".parse().ok()
}

pub(super) fn write_branch(branch: &Branch, out: &mut Writer) {
    out.heading("[[branch]]");
    out.entry("key", one_line(branch.key.as_str()));
    out.text("name", &branch.name);
    branch.steps.iter().for_each(|step| write_step(step, out));
}

fn write_step(step: &Step, out: &mut Writer) {
    let c = &step.content;
    out.heading("[[branch.step]]");
    out.entry("key", one_line(step.key.as_str()));
    out.entry("kind", one_line(step.kind.as_str()));
    out.text("name", &c.name);
    if c.delay != Delay::NONE {
        out.entry("delay", one_line(&c.delay.to_string()));
    }
    write_word(out, "priority", c.priority);
    match &c.owner {
        OwnerRule::User(address) => out.entry("owner", one_line(address)),
        OwnerRule::Enroller => {}
        other => {
            let word = OWNERS.iter().find(|(_, rule)| rule == other).map(|(word, _)| *word);
            out.text_if("owner", word);
        }
    }
    if let SenderRule::Mailbox(address) = &c.sender {
        out.entry("sender", one_line(address));
    }
    write_word(out, "address", c.address);
    write_word(out, "regarding", c.regarding);
    if c.same_thread {
        out.entry("same_thread", "true");
    }
    let Tracking { opens, clicks, unsubscribe } = c.tracking;
    for (key, flag) in [("track_opens", opens), ("track_clicks", clicks), ("unsubscribe_link", unsubscribe)] {
        flag.into_iter().for_each(|flag| out.entry(key, flag.to_string()));
    }
    if !c.attachments.is_empty() {
        let entry = |a: &AttachmentRef| inline(&[("id", one_line(&a.id.to_string())), ("name", one_line(&a.name))]);
        out.entry("attachments", crate::document::write::lines(&c.attachments.iter().map(entry).collect::<Vec<_>>()));
    }
    out.text("instructions", &c.instructions);
    out.text("script", &c.script);
    match c.variants.as_slice() {
        [only] if stands_in_step(only) => write_wording(only, out),
        several => several.iter().for_each(|v| {
            out.heading("[[branch.step.variant]]");
            out.entry("key", one_line(v.key.as_str()));
            if v.weight != 1 {
                out.entry("weight", v.weight.to_string());
            }
            write_wording(v, out);
        }),
    }
    step.conditions.iter().for_each(|c| conditions::write(c, out));
}

fn stands_in_step(v: &Variant) -> bool {
    let blank = v.template.is_none() && v.subject.is_empty() && v.text.is_empty() && v.html.is_empty();
    v.key.as_str() == "a" && v.weight == 1 && !blank
}

fn write_wording(v: &Variant, out: &mut Writer) {
    if let Some(name) = &v.template {
        // The wording is the template's and stands there.
        return out.entry("template", text(name));
    }
    out.text("subject", &v.subject);
    out.text("text", &v.text);
    out.text("html", &v.html);
}

/// A choice, unless it is the default.
pub(super) fn write_word<W: Words + Default>(out: &mut Writer, key: &str, value: W) {
    if value != W::default() {
        out.entry(key, one_line(value.word()));
    }
}
