//! A world with a virtual clock: enrollments of one sequence, the queue of what comes next, the limiters' lines, a mail
//! server. It runs the machine that the server runs; what people and mail servers do comes from a [`Reactor`].

mod lines;
mod news;

use crate::enrollment::{Enrollment, Reason, SequenceState, State, Subject};
use crate::facts::{Attempt, Facts, NewerLive, Outage, Person, SequenceFacts, Surroundings};
use crate::flow::{Flow, Key, Outcome, Step};
use crate::ids::{ContactId, EnrollmentId, MailboxId, SequenceId, UserId};
use crate::machine::{Actor, Decision, Event, Fault, Refusal, decide};
use crate::pacing::{Ledger, Limit, Scope, ScopeKind, Used};
use crate::time::{Span, Time};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};
use std::sync::Arc;

/// What people and mail servers do in the world.
pub trait Reactor {
    /// Something was done that a person may react to; answers what happens, and when.
    fn react(&mut self, world: &Moment<'_>) -> Vec<(Time, Event, Actor)>;

    /// What becomes of a message whose final dot is written; taken, where nobody says otherwise.
    fn answer(&mut self, _who: usize, _visit: u32, _attempt: u32) -> ServerSays {
        ServerSays::Taken
    }
}

/// What becomes of one offer of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerSays {
    Taken,
    /// A temporary refusal: tried again after so long.
    Later(Span),
    Refused(Fault),
    /// The line dies after the final dot; nobody knows.
    Nothing,
}

/// What a reactor sees.
#[derive(Debug)]
pub struct Moment<'a> {
    pub now: Time,
    /// Index of the contact among those of the world.
    pub who: usize,
    pub enrollment: &'a Enrollment,
    pub happened: Happened<'a>,
}

#[derive(Debug, Clone, Copy)]
pub enum Happened<'a> {
    Sent { step: &'a Step, visit: u32 },
    TaskDue { step: &'a Step, visit: u32 },
}

/// One line of the timeline.
#[derive(Debug, Clone, PartialEq)]
pub struct Moved {
    pub at: Time,
    pub who: usize,
    pub event: &'static str,
    pub cause: Option<&'static str>,
    pub step: Option<String>,
    pub visit: u32,
    pub state: State,
    pub reason: Reason,
    pub next_at: Option<Time>,
    /// The activity that ended by it.
    pub done: Option<Done>,
}

/// How an activity ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    pub step: Key,
    pub visit: u32,
    pub outcome: Outcome,
}

/// A person of the world.
#[derive(Debug, Clone)]
pub struct Actors {
    pub person: Person,
    /// The first merge field that a step misses for this person, by step key, or by `step/variant` where wordings differ;
    /// empty where nothing misses.
    pub missing: HashMap<String, String>,
}

#[derive(Debug, Clone, PartialEq)]
enum Item {
    Wake {
        who: usize,
        version: i64,
    },
    Deliver {
        who: usize,
        visit: u32,
        attempt: u32,
    },
    Draw(Scope),
    Happen {
        who: usize,
        event: Event,
        actor: Actor,
    },
    /// The begin or the end of the sequence may have come.
    Calendar,
}

/// The world itself.
#[derive(Debug)]
pub struct World {
    pub now: Time,
    pub sequence: SequenceFacts,
    pub flow: Arc<Flow>,
    pub around: Surroundings,
    pub people: Vec<Actors>,
    pub enrollments: Vec<Enrollment>,
    pub timeline: Vec<Moved>,
    /// Company of each person, where colleagues matter; the persons of each company.
    companies: (HashMap<usize, u32>, HashMap<u32, Vec<usize>>),
    limits: HashMap<ScopeKind, Limit>,
    attempts: Vec<Attempt>,
    /// The room that an open attempt has taken, and when.
    claims: HashMap<usize, (Vec<Scope>, Time)>,
    /// Where the message of a visit went.
    sent_to: HashMap<(usize, u32), String>,
    ledger: Ledger,
    lines: BTreeMap<i64, BTreeSet<(i64, Time, usize)>>,
    scopes: HashMap<i64, Scope>,
    queue: BinaryHeap<Reverse<(Time, u64)>>,
    items: HashMap<u64, Item>,
    count: u64,
}

impl World {
    /// An empty world at a moment. `limits` are the caps that hold for every scope of their kind.
    pub fn new(
        now: Time,
        sequence: SequenceFacts,
        flow: Arc<Flow>,
        around: Surroundings,
        limits: HashMap<ScopeKind, Limit>,
    ) -> World {
        let mut world = World {
            now,
            sequence,
            flow,
            around,
            people: Vec::new(),
            enrollments: Vec::new(),
            timeline: Vec::new(),
            companies: Default::default(),
            limits,
            attempts: Vec::new(),
            claims: HashMap::new(),
            sent_to: HashMap::new(),
            ledger: Ledger::default(),
            lines: BTreeMap::new(),
            scopes: HashMap::new(),
            queue: BinaryHeap::new(),
            items: HashMap::new(),
            count: 0,
        };
        world.look_at_the_calendar();
        world
    }

    /// Adds a person, enrolled at this moment.
    pub fn enroll(&mut self, person: Actors, by: UserId) -> usize {
        let who = self.people.len();
        let number = who as i64 + 1;
        let subject = Subject::Contact(ContactId(number));
        let e = Enrollment::new(EnrollmentId(number), SequenceId(1), subject, self.flow.version, by, self.now);
        self.people.push(person);
        self.enrollments.push(e);
        self.attempts.push(Attempt::None);
        self.push(self.now, Item::Wake { who, version: 0 });
        who
    }

    /// Says at which company a person is: what one of them answers may reach the others (REC-1).
    pub fn at_company(&mut self, who: usize, company: u32) {
        self.companies.0.insert(who, company);
        self.companies.1.entry(company).or_default().push(who);
    }

    /// Sets the cap that holds from now on for every scope of a kind of which nobody has used any yet.
    pub fn limit(&mut self, kind: ScopeKind, limit: Limit) {
        self.limits.insert(kind, limit);
    }

    /// Something that will happen by itself.
    pub fn at(&mut self, when: Time, who: usize, event: Event, actor: Actor) {
        self.push(when, Item::Happen { who, event, actor });
    }

    fn push(&mut self, when: Time, item: Item) {
        self.count += 1;
        self.items.insert(self.count, item);
        self.queue.push(Reverse((when.max(self.now), self.count)));
    }

    /// Runs until nothing is left to come or the moment is reached.
    pub fn run(&mut self, until: Time, reactor: &mut dyn Reactor) {
        while let Some(Reverse((when, number))) = self.queue.peek().copied() {
            if when > until {
                break;
            }
            self.queue.pop();
            self.now = self.now.max(when);
            let Some(item) = self.items.remove(&number) else { continue };
            match item {
                Item::Wake { who, version } if self.enrollments[who].version == version => {
                    self.put(who, &Event::Wake, Actor::Engine, reactor);
                }
                Item::Wake { .. } => {}
                Item::Deliver { who, visit, attempt } => self.deliver(who, visit, attempt, reactor),
                Item::Draw(scope) => self.draw(scope, reactor),
                Item::Happen { who, event, actor } => self.put(who, &event, actor, reactor),
                Item::Calendar => self.calendar(reactor),
            }
        }
        self.now = self.now.max(until);
    }

    /// Puts one event; refusals are no lines.
    pub fn put(&mut self, who: usize, event: &Event, actor: Actor, reactor: &mut dyn Reactor) {
        if let Ok(decision) = self.decide(who, event, actor) {
            self.take_in(who, event, decision, reactor);
        }
    }

    /// What the machine says to an event now, without anything changing.
    pub fn decide(&mut self, who: usize, event: &Event, actor: Actor) -> Result<Decision, Refusal> {
        self.make_room(who);
        let e = &self.enrollments[who];
        decide(e, &self.flow, self.facts(who), event, actor, self.now)
    }

    /// The facts of one person at this moment.
    pub fn facts(&self, who: usize) -> Facts<'_> {
        Facts {
            sequence: &self.sequence,
            around: &self.around,
            person: &self.people[who].person,
            missing_field: self.missing_field(who),
            attempt: self.attempts[who],
            newer_live: NewerLive::No,
            ledger: &self.ledger,
        }
    }

    fn missing_field(&self, who: usize) -> Option<&str> {
        let (e, missing) = (&self.enrollments[who], &self.people[who].missing);
        let place = e.place.as_ref().filter(|_| !missing.is_empty())?;
        let of_step = || missing.get(place.step.as_str());
        let wording = self.flow.spot(&place.step).and_then(|s| s.step.variant_for(e, place.visit));
        let of_wording = wording.and_then(|v| missing.get(&format!("{}/{}", place.step, v.key)));
        of_wording.or_else(of_step).map(String::as_str)
    }

    fn scopes_of(&self, who: usize) -> Vec<Scope> {
        let e = &self.enrollments[who];
        let Some(spot) = e.place.as_ref().and_then(|p| self.flow.spot(&p.step)) else { return Vec::new() };
        let facts = self.facts(who);
        let mailbox: Option<MailboxId> = facts.mailbox_for(e, spot.step).map(|m| m.id);
        facts.scopes_for(e, spot.step, mailbox)
    }

    /// Puts the limiters that this person's step uses into the ledger.
    fn make_room(&mut self, who: usize) {
        for scope in self.scopes_of(who) {
            if let Some(limit) = self.limits.get(&scope.kind)
                && !self.ledger.has(scope)
            {
                self.ledger.put(scope, limit.clone(), Used::default());
                self.scopes.insert(scope.number(), scope);
            }
        }
    }

    /// The same event for everybody.
    pub fn put_all(&mut self, event: &Event, reactor: &mut dyn Reactor) {
        for who in 0..self.enrollments.len() {
            self.put(who, event, Actor::Engine, reactor);
        }
    }

    /// Pauses, resumes or schedules the sequence; whoever waited for it goes on.
    pub fn set_state(&mut self, state: SequenceState, reactor: &mut dyn Reactor) {
        self.sequence.state = state;
        self.put_all(&Event::Wake, reactor);
        self.look_at_the_calendar();
    }

    /// Gives the sequence another end; one that had ended by its date is open again (SEQ-7).
    pub fn set_end(&mut self, end: Option<Time>, reactor: &mut dyn Reactor) {
        self.sequence.end = end;
        if self.sequence.state == SequenceState::Ended && end.is_none_or(|t| t > self.now) {
            self.sequence.state = SequenceState::Active;
            self.put_all(&Event::SequenceReopened, reactor);
        }
        self.look_at_the_calendar();
    }

    /// The server stands still from now until then: what would have come happens at its start, people's doings too.
    pub fn stand_still(&mut self, until: Time) {
        self.around.outage = Some(Outage { from: self.now, to: until });
        self.now = self.now.max(until);
    }

    fn look_at_the_calendar(&mut self) {
        for moment in [self.sequence.begin, self.sequence.end].into_iter().flatten() {
            if moment >= self.now {
                self.push(moment, Item::Calendar);
            }
        }
    }

    fn calendar(&mut self, reactor: &mut dyn Reactor) {
        let come = |moment: Option<Time>| moment.is_some_and(|t| t <= self.now);
        let (begun, over) = (come(self.sequence.begin), come(self.sequence.end));
        match self.sequence.state {
            SequenceState::Scheduled | SequenceState::Active | SequenceState::Paused if over => {
                self.sequence.state = SequenceState::Ended;
                self.put_all(&Event::SequenceEnded, reactor);
            }
            SequenceState::Scheduled if begun => self.set_state(SequenceState::Active, reactor),
            _ => {}
        }
    }
}
