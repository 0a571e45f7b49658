//! Tells a story: its sequence in a simulated world, its timeline line by line, the trace as text.

use super::Story;
use super::script::{Line, OfMessage, What, read};
use crate::case::{MAILBOX, USER, mailbox, person};
use cadenza_core::calendar::Zone;
use cadenza_core::enrollment::SequenceState;
use cadenza_core::facts::{Address, Attempt, SequenceFacts, Surroundings};
use cadenza_core::flow::file::{SequenceFile, parse};
use cadenza_core::flow::{Key, Then, When};
use cadenza_core::machine::{Actor, By, Event, Incoming, Reach};
use cadenza_core::pacing::{Limit, ScopeKind};
use cadenza_core::settings::Settings;
use cadenza_core::simulate::{Actors, Happened, Moment, Moved, Reactor, ServerSays, World};
use cadenza_core::time::Time;
use std::collections::{HashMap, VecDeque};
use std::fmt::Write;
use std::sync::Arc;

/// What the world says to the story: which visit wrote which step, and how the mail server is.
#[derive(Debug, Default)]
struct Listener {
    visits: HashMap<(usize, Key), u32>,
    answers: VecDeque<ServerSays>,
}

impl Reactor for Listener {
    fn react(&mut self, moment: &Moment<'_>) -> Vec<(Time, Event, Actor)> {
        if let Happened::Sent { step, visit } = moment.happened {
            self.visits.insert((moment.who, step.key.clone()), visit);
        }
        Vec::new()
    }
    fn answer(&mut self, _who: usize, _visit: u32, _attempt: u32) -> ServerSays {
        self.answers.pop_front().unwrap_or(ServerSays::Taken)
    }
}

struct Teller {
    world: World,
    listener: Listener,
    names: Vec<String>,
    zone: Zone,
    addresses: Vec<Vec<Address>>,
    version: Option<SequenceFile>,
    told: usize,
    trace: String,
}

pub fn tell(story: &Story) -> String {
    let file = parse(&story.sequence).unwrap_or_else(|e| panic!("{}: {e:?}", story.path.display()));
    let version =
        story.version.as_ref().map(|v| parse(v).unwrap_or_else(|e| panic!("{}: {e:?}", story.path.display())));
    let settings = file.settings.over(&Settings::default());
    let zone = settings.zone.clone();
    let lines = read(&story.timeline, &zone);
    let enrolled = lines.iter().filter(|l| matches!(l.what, What::Enrolled));
    let names = enrolled.map(|l| l.who.clone().unwrap_or_else(|| "ada".into())).collect();
    let start = lines.first().map_or(Time::MIN, |l| l.at);
    let mut limits = HashMap::new();
    if let Some(rate) = settings.email_rate {
        limits.insert(ScopeKind::SequenceEmails, Limit::Rate { rate, zone: zone.clone() });
    }
    let sequence = SequenceFacts {
        state: if file.begin.is_some_and(|t| t > start) { SequenceState::Scheduled } else { SequenceState::Active },
        name: file.name.clone(),
        begin: file.begin,
        end: file.end,
        primary_user: USER,
        priority: file.priority,
        settings,
    };
    let around = Surroundings { mailboxes: vec![mailbox(MAILBOX, USER)], ..Default::default() };
    let world = World::new(start, sequence, Arc::new(file.flow()), around, limits);
    let mut teller = Teller {
        world,
        listener: Listener::default(),
        names,
        zone,
        addresses: Vec::new(),
        version,
        told: 0,
        trace: String::new(),
    };
    for line in &lines {
        teller.line(line);
    }
    teller.ends();
    teller.trace
}

impl Teller {
    fn line(&mut self, line: &Line) {
        self.world.run(line.at, &mut self.listener);
        self.catch_up();
        if let What::Enrolled = &line.what {
            let name = line.who.clone().unwrap_or_else(|| "ada".into());
            let mut person = person();
            person.emails[0].value = format!("{name}@{name}.example");
            self.addresses.push(person.emails.clone());
            assert_eq!(self.names[self.addresses.len() - 1], name);
            self.world.enroll(Actors { person, missing: HashMap::new() }, USER);
        }
        for who in 0..self.addresses.len() {
            if line.who.as_ref().is_none_or(|name| *name == self.names[who]) {
                self.happens(who, line);
            }
        }
        self.of_all(line);
        self.catch_up();
    }

    /// What happens to one.
    fn happens(&mut self, who: usize, line: &Line) {
        let event = match &line.what {
            What::Put(event) => event.clone(),
            What::Marked(outcome) => {
                let visit = self.world.enrollments[who].place.as_ref().map_or(0, |p| p.visit);
                Event::MarkTask { visit, outcome: outcome.clone() }
            }
            What::OfMessage(step, what) => self.of_message(who, step, *what),
            What::AddressGone => {
                self.world.people[who].person.emails.clear();
                return;
            }
            What::AddressFound => {
                self.world.people[who].person.emails.clone_from(&self.addresses[who]);
                Event::Mended
            }
            _ => return,
        };
        self.put(who, &event, &line.text);
    }

    /// What happens to the sequence and the server.
    fn of_all(&mut self, line: &Line) {
        match &line.what {
            What::Sequence(state) => self.world.set_state(*state, &mut self.listener),
            What::End(end) => self.world.set_end(*end, &mut self.listener),
            What::StandStill(until) => self.world.stand_still(*until),
            What::Server(says) => self.listener.answers.push_back(says.clone()),
            What::Version(stand) => {
                let flow = self.version.as_ref().expect("the story has a later version").flow();
                let version = self.world.flow.version + 1;
                self.world.flow = Arc::new(cadenza_core::flow::Flow { version, ..flow });
                for who in 0..self.addresses.len() {
                    let gone =
                        self.world.enrollments[who].place.as_ref().map(|p| self.world.flow.spot(&p.step).is_none());
                    let stand = stand.clone().filter(|_| gone.unwrap_or(true));
                    self.put(who, &Event::MoveToVersion { version, stand }, &line.text);
                }
                self.world.put_all(&Event::Retimed, &mut self.listener);
            }
            _ => {}
        }
    }

    fn of_message(&self, who: usize, step: &Key, what: OfMessage) -> Event {
        // A message whose delivery is unknown carries the visit of the current activity.
        let current = self.world.enrollments[who].place.as_ref().filter(|p| p.step == *step && p.attempt > 0);
        let sent = self.listener.visits.get(&(who, step.clone())).copied();
        let visit = current.map(|p| p.visit).or(sent).unwrap_or_else(|| panic!("{step} has not been sent"));
        let (channel, by) = (Incoming::Email, By::Person);
        match what {
            OfMessage::Reply => Event::Reply { channel, visit: Some(visit) },
            OfMessage::Opened => Event::Opened { visit, by },
            OfMessage::Clicked => Event::Clicked { visit, link: "https://example.com/".into(), by },
            OfMessage::Delivered => Event::Delivered { visit },
            OfMessage::Bounced(class) => Event::Bounce { visit: Some(visit), class, detail: "a report".into() },
            OfMessage::OptedOut => Event::OptOut { channel, visit: Some(visit), reach: Reach::Channel },
            OfMessage::OutOfOffice(until) => Event::OutOfOffice { visit: Some(visit), until },
        }
    }

    /// Puts an event; a refusal is a line of the trace, and so is an event that changes nothing.
    fn put(&mut self, who: usize, event: &Event, said: &str) {
        let lines = self.world.timeline.len();
        let refused = self.world.decide(who, event, Actor::User(USER)).err();
        self.world.put(who, event, Actor::User(USER), &mut self.listener);
        if let Some(refusal) = refused {
            self.note(who, said, &format!("refused: {refusal}"));
        } else if self.world.timeline.len() == lines && !matches!(event, Event::Mended) {
            self.note(who, said, "changes nothing");
        }
        self.catch_up();
    }

    fn note(&mut self, who: usize, said: &str, what: &str) {
        let at = self.clock(self.world.now);
        let name = self.name(who);
        let _ = writeln!(self.trace, "{at:<24} {name}{said}: {what}");
    }

    fn name(&self, who: usize) -> String {
        if self.names.len() > 1 { format!("{:<6}", self.names[who]) } else { String::new() }
    }

    /// Writes what the world has done since.
    fn catch_up(&mut self) {
        while let Some(moved) = self.world.timeline.get(self.told).cloned() {
            self.told += 1;
            // A mark that is permitted is no news.
            if moved.event != "dot_mark" || moved.cause.is_some() {
                let line = self.moved(&moved);
                self.trace.push_str(&line);
            }
        }
    }

    fn moved(&self, moved: &Moved) -> String {
        let what = match moved.cause {
            Some(cause) => format!("{}: {cause}", moved.event),
            None => moved.event.to_owned(),
        };
        let state = format!("{}: {}", moved.state, moved.reason);
        let place = match (&moved.step, moved.next_at) {
            (Some(step), Some(due)) => format!("{step} {}, due {}", moved.visit, self.clock(due)),
            (None, Some(until)) => format!("waits until {}", self.clock(until)),
            _ => String::new(),
        };
        let name = self.name(moved.who);
        let line = format!("{:<24} {name}{what:<30} {state:<26} {place}", self.clock(moved.at));
        format!("{}\n", line.trim_end())
    }

    fn clock(&self, t: Time) -> String {
        let wall = self.zone.wall(t);
        let seconds = wall.micros / 1_000_000;
        let minutes = seconds / 60;
        let day = wall.date.weekday().short();
        let second = if seconds % 60 == 0 { String::new() } else { format!(":{:02}", seconds % 60) };
        let clock = format!("{day} {} {:02}:{:02}{second}", wall.date, minutes / 60, minutes % 60);
        let offset =
            if self.zone.name() == "UTC" { String::new() } else { format!(" {:+}h", wall.offset_seconds / 3600) };
        format!("{:<width$}{offset}", clock, width = if offset.is_empty() { 0 } else { 23 })
    }

    /// How it stands in the end.
    fn ends(&mut self) {
        let state = self.world.sequence.state;
        let days = self.world.sequence.settings.unresponsive_days;
        for who in 0..self.names.len() {
            let e = &self.world.enrollments[who];
            let reason = e.status_reason(state).map_or("nothing", |s| s.label());
            let stage = e.stage(state, days, self.world.now).label();
            let open = if self.world.facts(who).attempt == Attempt::None { "" } else { "; an attempt is open" };
            let counts = format!("{} emails, {} replies, {} clicks", e.emails, e.replies, e.clicks);
            let _ = writeln!(self.trace, "{:<24} {}{reason}; {stage}; {counts}{open}", "in the end", self.name(who));
        }
        check_fixture(&self.world);
    }
}

/// A story in which no condition could ever decide tells nothing of conditions; guards against a misspelt file.
fn check_fixture(world: &World) {
    for step in world.flow.steps() {
        for condition in &step.conditions {
            let target = match &condition.then {
                Then::Step { step, .. } => world.flow.spot(step).is_some(),
                Then::Branch { branch, .. } => world.flow.branch(branch).is_some(),
                _ => true,
            };
            assert!(target, "{}: {:?} leads nowhere", step.key, condition.when);
            assert!(
                condition.within.is_some() || matches!(condition.when, When::Nothing | When::Outcome(_) | When::Failed)
            );
        }
    }
}
