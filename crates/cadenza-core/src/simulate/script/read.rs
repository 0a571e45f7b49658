//! Reads a script's TOML.

use super::{Act, Reaction, Script, WHOLE};
use crate::calendar::{Delay, DelayUnit};
use crate::document::{Item, Section};
use crate::flow::{Key, Outcome};
use crate::machine::{BounceClass, By, Reach};
use crate::time::Span;
use std::collections::HashMap;

const ACTS: [&str; 12] = [
    "reply",
    "out_of_office",
    "open",
    "click",
    "bounce",
    "deliver",
    "unsubscribe",
    "complain",
    "meeting",
    "own_mail",
    "mark",
    "send",
];

pub(super) fn script(root: &Section<'_, '_>) -> Option<Script> {
    let seed = root.number("seed", u32::MAX).unwrap_or_default();
    let mut lots: HashMap<String, u32> = HashMap::new();
    let mut reactions: Vec<Reaction> = Vec::new();
    for (n, section) in root.sections("reaction").into_iter().enumerate() {
        let read = reaction(&section, n + 1);
        if let Some(r) = &read {
            if reactions.iter().any(|e| e.name == r.name) {
                section.wrong(format!("there is a reaction called {:?} already: names must differ", r.name));
            }
            if let Some(lot) = &r.lot {
                let sum = lots.entry(lot.clone()).or_default();
                *sum = sum.saturating_add(r.share);
                if *sum > WHOLE {
                    section.wrong(format!("the shares of the lot {lot:?} come to more than 1"));
                }
            }
        }
        section.finish();
        reactions.extend(read);
    }
    if reactions.is_empty() && !root.has("reaction") {
        root.wrong("reaction is missing: expected at least one [[reaction]] with do = \"reply\", for example");
    }
    Some(Script { seed: u64::from(seed), reactions })
}

fn reaction(section: &Section<'_, '_>, number: usize) -> Option<Reaction> {
    let name = section.text("name").unwrap_or_else(|| number.to_string());
    let pattern = |key| section.text(key).filter(|p| p != "*");
    let (contact, company, zone) = (pattern("contact"), pattern("company"), pattern("zone"));
    let share = match section.item("share") {
        None => Some(WHOLE),
        Some(item) => share(&item),
    };
    let lot = section.text("lot");
    let steps = section.item("step").map(|item| steps(&item)).unwrap_or_default();
    let after = match section.item("after") {
        None => Some((Span::ZERO, Span::ZERO)),
        Some(item) => range(&item),
    };
    let times = section.number("times", 1_000).unwrap_or(1);
    let what = "what is done, such as \"reply\"";
    let act = section.required("do", what, section.item("do")).and_then(|item| act(section, &item));
    Some(Reaction { name, contact, company, zone, share: share?, lot, steps, after: after?, act: act?, times })
}

/// From 0 to 1, in millionths.
fn share(item: &Item<'_, '_>) -> Option<u32> {
    let share = item.fraction()?;
    if !(0.0..=1.0).contains(&share) {
        item.wrong(format!("expected a share from 0 to 1, such as 0.15, found {share}"));
        return None;
    }
    Some((share * f64::from(WHOLE)).round() as u32)
}

/// One key, or a list of them.
fn steps(item: &Item<'_, '_>) -> Vec<Key> {
    let one = |item: &Item<'_, '_>| item.parsed::<Key>().into_iter().collect::<Vec<_>>();
    if item.is_text() { one(item) } else { item.list().unwrap_or_default().iter().flat_map(one).collect() }
}

/// `"2 hours"`, or `"2 hours..3 days"`.
fn range(item: &Item<'_, '_>) -> Option<(Span, Span)> {
    let text = item.text()?;
    let (least, most) = text.split_once("..").unwrap_or((&text, &text));
    let (least, most) = (span(item, least)?, span(item, most)?);
    if most < least {
        item.wrong(format!("{text:?} ends before it begins: expected the shorter time first"));
        return None;
    }
    Some((least, most))
}

/// A time by the clock: days are of 24 hours, business days are none.
fn span(item: &Item<'_, '_>, text: &str) -> Option<Span> {
    let delay: Delay =
        text.trim().parse().map_err(|e: crate::calendar::InvalidDelay| item.wrong(e.to_string())).ok()?;
    let amount = i64::from(delay.amount());
    match delay.unit() {
        DelayUnit::Minutes => Some(Span::minutes(amount)),
        DelayUnit::Hours => Some(Span::hours(amount)),
        DelayUnit::Days => Some(Span::days(amount)),
        DelayUnit::BusinessDays => {
            item.wrong("people do not wait in business days: expected minutes, hours or days");
            None
        }
    }
}

/// The act and the keys that belong to it alone; others of them are refused.
fn act(section: &Section<'_, '_>, item: &Item<'_, '_>) -> Option<Act> {
    let word = item.text()?;
    let by = || section.word("by", &[("person", By::Person), ("machine", By::Machine)]).unwrap_or(By::Person);
    Some(match word.as_str() {
        "reply" => Act::Reply,
        "out_of_office" => {
            let until = section.item("until");
            Act::OutOfOffice { until: until.and_then(|item| span(&item, item.text()?.trim_start_matches('+'))) }
        }
        "open" => Act::Open(by()),
        "click" => Act::Click { link: section.text("link"), by: by() },
        "bounce" => {
            let classes = [("hard", BounceClass::Hard), ("soft", BounceClass::Soft), ("sender", BounceClass::Sender)];
            Act::Bounce(section.word("class", &classes).unwrap_or(BounceClass::Hard))
        }
        "deliver" => Act::Deliver,
        "unsubscribe" => {
            let reach = [("channel", Reach::Channel), ("everything", Reach::Everything)];
            Act::Unsubscribe(section.word("reach", &reach).unwrap_or(Reach::Channel))
        }
        "complain" => Act::Complain,
        "meeting" => Act::Meeting,
        "own_mail" => Act::OwnMail,
        "mark" => {
            let what = "how the task is marked, such as \"no_answer\"";
            let outcome = section.required("outcome", what, section.text("outcome"))?;
            Act::Mark(Outcome::named(outcome.strip_prefix("outcome:").unwrap_or(&outcome).trim()))
        }
        "send" => Act::Send,
        _ => {
            item.not_among(&word, ACTS);
            return None;
        }
    })
}
