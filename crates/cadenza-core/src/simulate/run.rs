//! One simulation: a sequence file, people and a script, put into a world and run. It makes up what a file does not say of
//! its surroundings: users, and a mailbox for each with the caps of a real one (SPEC §14).

use super::timeline::{Summary, Timeline};
use super::{Actors, Contact, Script, ScriptReactor, World};
use crate::calendar::Quiet;
use crate::enrollment::SequenceState;
use crate::facts::{Inbox, MailboxFacts, SequenceFacts, Surroundings};
use crate::flow::file::SequenceFile;
use crate::flow::{Flow, OwnerRule, SenderRule};
use crate::ids::{MailboxId, UserId};
use crate::merge::{Cache, Escape, Fields, Message, expand};
use crate::pacing::{Limit, ScopeKind};
use crate::settings::{Per, Rate, Settings};
use crate::time::{Span, Time};
use std::collections::HashMap;
use std::sync::Arc;

/// Who writes where the file names nobody.
const SOMEBODY: &str = "user@example.com";
/// A mailbox's emails in a day and in an hour.
const DAY_CAP: u32 = 200;
const HOUR_CAP: u32 = 40;
/// Between two emails of a mailbox, give or take the jitter.
const GAP: Span = Span::seconds(60);
const JITTER: Span = Span::seconds(30);

/// What is simulated beside the file.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The moment from which everybody is enrolled; a later begin of the sequence counts instead.
    pub start: Time,
    pub days: u32,
    /// In place of the script's.
    pub seed: Option<u64>,
}

/// Runs it. The same arguments give the same timeline.
///
/// # Errors
/// What of the script does not fit the flow, and templates that cannot be read, each in words.
pub fn run(file: &SequenceFile, contacts: &[Contact], script: &Script, setup: &Setup) -> Result<Timeline, Vec<String>> {
    let mut simulation = Simulation::new(file, contacts, script, setup)?;
    simulation.run(simulation.until);
    Ok(simulation.timeline())
}

/// A simulation under way: it can be stopped at any moment, looked at, and run on.
#[derive(Debug)]
pub struct Simulation {
    pub world: World,
    pub reactor: ScriptReactor,
    pub until: Time,
    start: Time,
    seed: u64,
    contacts: Vec<String>,
}

impl Simulation {
    /// Everybody enrolled, and nothing happened yet.
    ///
    /// # Errors
    /// Those of [`run`].
    pub fn new(
        file: &SequenceFile,
        contacts: &[Contact],
        script: &Script,
        setup: &Setup,
    ) -> Result<Simulation, Vec<String>> {
        let flow = flow_of(file)?;
        let unfit = script.check(&flow);
        if !unfit.is_empty() {
            return Err(unfit);
        }
        let users = Users::of(file, &flow, contacts);
        let settings = file.settings.over(&Settings::default());
        let start = file.begin.map_or(setup.start, |begin| begin.max(setup.start));
        let sequence = SequenceFacts {
            state: SequenceState::Active,
            name: file.name.clone(),
            begin: file.begin,
            end: file.end,
            primary_user: users.primary(),
            priority: file.priority,
            settings,
        };
        let limits = limits_of(&sequence.settings);
        let around = Surroundings {
            mailboxes: users.mailboxes(),
            users: users.all(),
            quiet: Some(Quiet::default()),
            ..Surroundings::default()
        };
        let missing = Missing::new(file, &flow)?;
        let primary = sequence.primary_user;
        let mut world = World::new(start, sequence, flow, around, limits);
        let mut companies: HashMap<&str, u32> = HashMap::new();
        for contact in contacts {
            let mut person = contact.person.clone();
            person.owner = contact.owner.as_deref().and_then(|address| users.named(address));
            let who = world.enroll(Actors { person, missing: missing.of(&contact.fields) }, primary);
            if !contact.who.company.is_empty() {
                let next = companies.len() as u32;
                world.at_company(who, *companies.entry(&contact.who.company).or_insert(next));
            }
        }
        let seed = setup.seed.unwrap_or(script.seed);
        let script = Script { seed, ..script.clone() };
        let reactor = ScriptReactor::new(script, contacts.iter().map(|c| c.who.clone()).collect(), primary);
        let until = start + Span::days(i64::from(setup.days));
        let contacts = contacts.iter().map(|c| c.who.email.clone()).collect();
        Ok(Simulation { world, reactor, until, start, seed, contacts })
    }

    /// Until the moment is reached or nothing is left to come.
    pub fn run(&mut self, until: Time) {
        self.world.run(until, &mut self.reactor);
    }

    /// What it came to.
    pub fn timeline(self) -> Timeline {
        let summary = Summary::of(&self.world, self.seed, self.start, self.until);
        let zone = self.world.sequence.settings.zone.clone();
        Timeline { zone, contacts: self.contacts, moves: self.world.timeline, summary }
    }
}

/// The flow with the wording of templates and snippets in place.
fn flow_of(file: &SequenceFile) -> Result<Arc<Flow>, Vec<String>> {
    let mut flow = file.flow();
    let snippet = |name: &str| file.snippets.iter().find(|s| s.name == name).map(|s| s.text.as_str());
    let mut wrong = Vec::new();
    for step in flow.branches.iter_mut().flat_map(|b| &mut b.steps) {
        for variant in &mut step.content.variants {
            let parts = [
                (&mut variant.subject, Escape::Header),
                (&mut variant.text, Escape::Text),
                (&mut variant.html, Escape::Html),
            ];
            for (text, escape) in parts {
                match expand(text, escape, &snippet) {
                    Ok(expanded) => *text = expanded,
                    Err(e) => wrong.push(format!("step {}: {e}", step.key)),
                }
            }
        }
    }
    if wrong.is_empty() { Ok(flow.into()) } else { Err(wrong) }
}

/// What a real mailbox may send, and what the sequence allows itself.
fn limits_of(settings: &Settings) -> HashMap<ScopeKind, Limit> {
    let zone = &settings.zone;
    let rate = |rate| Limit::Rate { rate, zone: zone.clone() };
    let mut limits = HashMap::from([
        (ScopeKind::MailboxDay, rate(Rate { count: DAY_CAP, per: Per::Day })),
        (ScopeKind::MailboxHour, rate(Rate { count: HOUR_CAP, per: Per::Hour })),
        (ScopeKind::MailboxGap, Limit::Gap { gap: GAP, jitter: JITTER }),
    ]);
    let own = [(ScopeKind::SequenceEmails, settings.email_rate), (ScopeKind::SequenceTexts, settings.text_rate)];
    limits.extend(own.into_iter().filter_map(|(kind, own)| Some((kind, rate(own?)))));
    limits
}

/// Everybody whom the file and the people name, by sign-in address; the first is the primary user.
struct Users {
    addresses: Vec<String>,
    /// Further mailboxes that steps write from; they belong to the primary user.
    senders: Vec<String>,
}

impl Users {
    fn of(file: &SequenceFile, flow: &Flow, contacts: &[Contact]) -> Users {
        let mut users = Users { addresses: Vec::new(), senders: Vec::new() };
        users.add(file.primary_user.as_deref().or(file.owner.as_deref()).unwrap_or(SOMEBODY));
        file.team.iter().for_each(|address| users.add(address));
        for step in flow.steps() {
            if let OwnerRule::User(address) = &step.content.owner {
                users.add(address);
            }
        }
        contacts.iter().filter_map(|c| c.owner.as_deref()).for_each(|address| users.add(address));
        for step in flow.steps() {
            if let SenderRule::Mailbox(address) = &step.content.sender {
                let address = address.to_lowercase();
                if !users.addresses.contains(&address) && !users.senders.contains(&address) {
                    users.senders.push(address);
                }
            }
        }
        users
    }

    fn add(&mut self, address: &str) {
        let address = address.to_lowercase();
        if !self.addresses.contains(&address) {
            self.addresses.push(address);
        }
    }

    fn primary(&self) -> UserId {
        UserId(1)
    }
    fn all(&self) -> Vec<(String, UserId)> {
        self.addresses.iter().zip(1..).map(|(address, n)| (address.clone(), UserId(n))).collect()
    }
    fn named(&self, address: &str) -> Option<UserId> {
        self.addresses.iter().position(|a| a.eq_ignore_ascii_case(address)).map(|n| UserId(n as i64 + 1))
    }
    fn mailboxes(&self) -> Vec<MailboxFacts> {
        let own = self.addresses.iter().zip(1..).map(|(address, n)| (address, UserId(n)));
        let further = self.senders.iter().map(|address| (address, self.primary()));
        own.chain(further)
            .zip(1..)
            .map(|((address, owner), n)| MailboxFacts {
                id: MailboxId(n),
                address: address.clone(),
                owner,
                sandbox: false,
                held: None,
                inbox: Inbox::Fresh,
            })
            .collect()
    }
}

/// The messages of the automatic steps, by step, and by `step/variant` where a step has several.
struct Missing {
    messages: Vec<(String, Message)>,
    always: Fields,
}

impl Missing {
    fn new(file: &SequenceFile, flow: &Flow) -> Result<Missing, Vec<String>> {
        let mut cache = Cache::default();
        let (mut messages, mut wrong) = (Vec::new(), Vec::new());
        for step in flow.steps().filter(|s| s.kind.is_automatic()) {
            for variant in &step.content.variants {
                match Message::compile(variant, step.kind.channel(), &mut cache) {
                    Ok(message) => messages.push((format!("{}/{}", step.key, variant.key), message)),
                    Err(e) => wrong.push(format!("step {}, variant {}: {e}", step.key, variant.key)),
                }
            }
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        // Of the surroundings, which a simulation makes up whole.
        let mut always = Fields::new().with("sequence.name", &file.name);
        for path in ["sender.name", "sender.first_name", "sender.email", "sender.title", "sender.phone"] {
            always.set(path, "sender");
        }
        always.set("sender.signature", "sender");
        always.set("unsubscribe_url", "https://example.com/unsubscribe");
        Ok(Missing { messages, always })
    }

    /// What each wording misses for somebody.
    fn of(&self, person: &Fields) -> HashMap<String, String> {
        let mut fields = self.always.clone();
        person.iter().for_each(|(path, value)| fields.set(path, value));
        self.messages.iter().filter_map(|(key, m)| Some((key.clone(), m.missing(&fields)?))).collect()
    }
}
