//! The script of a simulation (API-4): what people do when something reaches them, by rules. Who falls under a rule that
//! holds for a share of them is decided by a hash of seed, rule and contact, so the same seed always gives the same story.
//! The format is described in `docs/sequence-file.md`; running it is the world's business.

mod read;
#[cfg(test)]
mod tests;

use super::{Happened, Moment, Reactor};
use crate::document::FileError;
use crate::flow::{Channel, Flow, Key, Outcome, Step};
use crate::ids::UserId;
use crate::machine::{Actor, BounceClass, By, Event, Incoming, Reach};
use crate::pacing::{hash_text, mix};
use crate::time::{Span, Time};
use std::collections::HashMap;

/// The rules of a simulation.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Script {
    pub seed: u64,
    pub reactions: Vec<Reaction>,
}

/// One rule: who does what, on which step, after how long.
#[derive(Debug, Clone, PartialEq)]
pub struct Reaction {
    /// What its draws are made from; its number in the file where it has no name.
    pub name: String,
    /// Email address, with `*` for any letters; `None` for everybody.
    pub contact: Option<String>,
    pub company: Option<String>,
    pub zone: Option<String>,
    /// Of those who fit, in millionths.
    pub share: u32,
    /// Rules of one lot share one draw: a contact falls under one of them at most.
    pub lot: Option<String>,
    /// Empty for any step.
    pub steps: Vec<Key>,
    /// The shortest and the longest time after the step reached the contact or the user.
    pub after: (Span, Span),
    pub act: Act,
    /// How often one contact does it at most.
    pub times: u32,
}

/// What somebody does.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    Reply,
    /// Back after so long; `None` where the message names no date.
    OutOfOffice {
        until: Option<Span>,
    },
    Open(By),
    /// On the given link, or any.
    Click {
        link: Option<String>,
        by: By,
    },
    Bounce(BounceClass),
    Deliver,
    Unsubscribe(Reach),
    Complain,
    Meeting,
    /// The user's own mail to the contact.
    OwnMail,
    /// *Mark as* on a task.
    Mark(Outcome),
    /// A person sends the manual message.
    Send,
}

/// A contact as rules see it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Who {
    pub email: String,
    pub company: String,
    /// IANA name.
    pub zone: String,
}

/// All of a share.
const WHOLE: u32 = 1_000_000;

impl Script {
    /// Reads a script; all mistakes at once, with their places.
    pub fn parse(text: &str) -> Result<Script, Vec<FileError>> {
        crate::document::read(text, read::script)
    }

    /// What does not fit the flow, in words: steps that do not exist, outcomes that a step does not know.
    pub fn check(&self, flow: &Flow) -> Vec<String> {
        let mut found = Vec::new();
        for r in &self.reactions {
            for key in &r.steps {
                let Some(spot) = flow.spot(key) else {
                    let guess = crate::nearest::did_you_mean(key.as_str(), flow.steps().map(|s| s.key.as_str()));
                    found.push(format!("reaction {}: the flow has no step {key}{guess}", r.name));
                    continue;
                };
                if let Act::Mark(outcome) = &r.act
                    && spot.step.rule_for(outcome).is_none()
                {
                    let menu: Vec<String> = spot.step.mark_as().iter().map(ToString::to_string).collect();
                    let menu = if menu.is_empty() { "nothing, it is automatic".to_owned() } else { menu.join(", ") };
                    found.push(format!("reaction {}: step {key} cannot be marked {outcome}: expected {menu}", r.name));
                }
                if r.act.is_on_task() && spot.step.kind.is_automatic() && !matches!(r.act, Act::Mark(_)) {
                    found.push(format!("reaction {}: step {key} is automatic; nobody sends it by hand", r.name));
                }
            }
        }
        found
    }

    /// Does this contact do what the rule says, when it gets the chance?
    pub fn draws(&self, rule: usize, who: &Who) -> bool {
        let Some(r) = self.reactions.get(rule) else { return false };
        if !r.fits(who) {
            return false;
        }
        let draw = (self.hash(r.lot.as_deref().unwrap_or(&r.name), who, 0) % u64::from(WHOLE)) as u32;
        let before: u32 = match &r.lot {
            Some(_) => self.reactions[..rule].iter().filter(|e| e.lot == r.lot && e.fits(who)).map(|e| e.share).sum(),
            None => 0,
        };
        (before..before.saturating_add(r.share)).contains(&draw)
    }

    /// How long this contact takes, on the given visit.
    fn wait(&self, r: &Reaction, who: &Who, visit: u32) -> Span {
        let (least, most) = r.after;
        let width = (most.micros() - least.micros()).max(0) as u64;
        let draw = self.hash(&r.name, who, u64::from(visit) + 1) % (width + 1);
        Span::from_micros(least.micros() + draw as i64)
    }

    fn hash(&self, rule: &str, who: &Who, salt: u64) -> u64 {
        let contact = hash_text(&who.email.to_lowercase()) as u64;
        mix(mix(self.seed ^ contact).wrapping_add(mix(hash_text(rule) as u64).wrapping_add(salt)))
    }
}

impl Reaction {
    /// Is the contact among those the rule speaks of, whatever its share?
    pub fn fits(&self, who: &Who) -> bool {
        let fits = |pattern: &Option<String>, value: &str| pattern.as_ref().is_none_or(|p| matches_pattern(p, value));
        fits(&self.contact, &who.email) && fits(&self.company, &who.company) && fits(&self.zone, &who.zone)
    }
}

impl Act {
    /// A user's doing, when a task is there; else the contact's, when a message came.
    fn is_on_task(&self) -> bool {
        matches!(self, Act::Mark(_) | Act::Send)
    }

    /// The event, where such a step can bring it about.
    fn event(&self, step: &Step, visit: u32, at: Time) -> Option<Event> {
        let channel = step.kind.channel();
        let incoming = match channel {
            Channel::Email => Incoming::Email,
            Channel::Text => Incoming::Text,
            _ => Incoming::ByHand,
        };
        let mail = channel == Channel::Email;
        Some(match self {
            Act::Reply => Event::Reply { channel: incoming, visit: Some(visit) },
            Act::Unsubscribe(reach) => Event::OptOut { channel: incoming, visit: Some(visit), reach: *reach },
            Act::Deliver => Event::Delivered { visit },
            Act::Meeting => Event::MeetingBooked,
            Act::OwnMail => Event::OwnMail,
            Act::Mark(outcome) => {
                step.rule_for(outcome)?;
                Event::MarkTask { visit, outcome: outcome.clone() }
            }
            Act::Send if matches!(channel, Channel::Email | Channel::Text) => Event::SendByHand { visit },
            Act::OutOfOffice { until } if mail => {
                Event::OutOfOffice { visit: Some(visit), until: until.map(|away| at + away) }
            }
            Act::Open(by) if mail => Event::Opened { visit, by: *by },
            Act::Click { link, by } if mail => {
                Event::Clicked { visit, link: link.clone().unwrap_or_else(|| first_link(step)), by: *by }
            }
            Act::Bounce(class) if mail => {
                Event::Bounce { visit: Some(visit), class: *class, detail: "simulated".into() }
            }
            Act::Complain if mail => Event::Complaint { visit: Some(visit) },
            _ => return None,
        })
    }
}

/// The first link of a step's wordings, for a click that names none.
fn first_link(step: &Step) -> String {
    let link = |text: &str| {
        let start = text.find("https://").or_else(|| text.find("http://"))?;
        let end = text[start..].find(|c: char| c.is_whitespace() || "\"'<>)".contains(c)).unwrap_or(text.len() - start);
        Some(text[start..start + end].to_owned())
    };
    step.content.variants.iter().flat_map(|v| [&v.text, &v.html]).find_map(|t| link(t)).unwrap_or_default()
}

/// `*` stands for any letters; upper and lower case are alike.
fn matches_pattern(pattern: &str, value: &str) -> bool {
    let (pattern, value) = (pattern.to_lowercase(), value.to_lowercase());
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = value.strip_prefix(first) else { return false };
    let mut middle: Vec<&str> = parts.collect();
    let Some(last) = middle.pop() else { return rest.is_empty() };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// A script at work on the contacts of one world.
#[derive(Debug)]
pub struct ScriptReactor {
    script: Script,
    /// In the order in which they were enrolled.
    contacts: Vec<Who>,
    /// Who marks and sends.
    user: UserId,
    /// How often a contact did what a rule says.
    done: HashMap<(usize, usize), u32>,
}

impl ScriptReactor {
    pub fn new(script: Script, contacts: Vec<Who>, user: UserId) -> ScriptReactor {
        ScriptReactor { script, contacts, user, done: HashMap::new() }
    }
}

impl Reactor for ScriptReactor {
    fn react(&mut self, moment: &Moment<'_>) -> Vec<(Time, Event, Actor)> {
        self.follows(moment.now, moment.who, moment.happened)
    }
}

impl ScriptReactor {
    /// What follows from one thing that happened to a contact (by its place among those given to [`ScriptReactor::new`]),
    /// and when. To be asked once for each thing.
    pub fn follows(&mut self, now: Time, contact: usize, happened: Happened<'_>) -> Vec<(Time, Event, Actor)> {
        let Some(who) = self.contacts.get(contact) else { return Vec::new() };
        let (step, visit, on_task) = match happened {
            Happened::Sent { step, visit } => (step, visit, false),
            Happened::TaskDue { step, visit } => (step, visit, true),
        };
        let mut events = Vec::new();
        for (n, r) in self.script.reactions.iter().enumerate() {
            let here = r.steps.is_empty() || r.steps.contains(&step.key);
            if !here || r.act.is_on_task() != on_task || !self.script.draws(n, who) {
                continue;
            }
            let at = now + self.script.wait(r, who, visit);
            let Some(event) = r.act.event(step, visit, at) else { continue };
            let done = self.done.entry((contact, n)).or_default();
            if *done < r.times {
                *done += 1;
                let actor = match r.act {
                    Act::Mark(_) | Act::Send | Act::OwnMail => Actor::User(self.user),
                    Act::Bounce(_) | Act::Deliver => Actor::Server,
                    _ => Actor::Contact,
                };
                events.push((at, event, actor));
            }
        }
        events
    }
}
