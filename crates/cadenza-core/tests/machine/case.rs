//! One enrollment of the page's example with everything it may know, put through the public machine event by event.

use cadenza_core::calendar::{Delay, DelayUnit};
use cadenza_core::enrollment::{Enrollment, SequenceState, Subject};
use cadenza_core::facts::{
    Address, Attempt, Facts, Inbox, MailboxFacts, NewerLive, Person, SequenceFacts, Surroundings,
};
use cadenza_core::flow::{
    AddressKind, Branch, Condition, Content, Flow, Key, Priority, Step, StepKind, Then, Variant, Verdict, When,
};
use cadenza_core::ids::{ContactId, EnrollmentId, MailboxId, SequenceId, UserId};
use cadenza_core::machine::{Actor, Decision, Effect, Event, Refusal, Settled, decide};
use cadenza_core::pacing::Ledger;
use cadenza_core::settings::Settings;
use cadenza_core::time::{Span, Time};

pub const USER: UserId = UserId(7);
pub const COLLEAGUE: UserId = UserId(8);
pub const MAILBOX: MailboxId = MailboxId(70);
pub const OTHER_MAILBOX: MailboxId = MailboxId(71);

/// Everything that [`decide`] is told.
#[derive(Debug, Clone)]
pub struct Case {
    pub e: Enrollment,
    pub flow: Flow,
    pub sequence: SequenceFacts,
    pub around: Surroundings,
    pub person: Person,
    pub missing_field: Option<String>,
    pub attempt: Attempt,
    pub newer_live: NewerLive,
    pub ledger: Ledger,
    pub now: Time,
    /// The last attempt that was recorded: its visit and number.
    pub last_attempt: (u32, u32),
    /// The visit of the last message that the server took or may have taken.
    pub last_message: Option<u32>,
    message_before: Option<u32>,
}

impl Case {
    /// Just added to a running sequence, on Monday, 2027-03-01, at 10:00.
    pub fn new(settings: Settings) -> Case {
        let now: Time = "2027-03-01T10:00:00Z".parse().unwrap();
        let e = Enrollment::new(EnrollmentId(1), SequenceId(1), Subject::Contact(ContactId(1)), 1, USER, now);
        Case {
            e,
            flow: example_flow(),
            sequence: SequenceFacts {
                state: SequenceState::Active,
                name: "example".into(),
                begin: None,
                end: None,
                primary_user: USER,
                priority: Priority::Normal,
                settings,
            },
            around: Surroundings {
                mailboxes: vec![mailbox(MAILBOX, USER), mailbox(OTHER_MAILBOX, COLLEAGUE)],
                ..Default::default()
            },
            person: person(),
            missing_field: None,
            attempt: Attempt::None,
            newer_live: NewerLive::No,
            ledger: Ledger::default(),
            now,
            last_attempt: (1, 1),
            last_message: None,
            message_before: None,
        }
    }

    pub fn facts(&self) -> Facts<'_> {
        Facts {
            sequence: &self.sequence,
            around: &self.around,
            person: &self.person,
            missing_field: self.missing_field.as_deref(),
            attempt: self.attempt,
            newer_live: self.newer_live,
            ledger: &self.ledger,
        }
    }

    /// What the machine says to an event, without anything changing.
    pub fn ask(&self, event: &Event) -> Result<Decision, Refusal> {
        decide(&self.e, &self.flow, self.facts(), event, actor_of(event), self.now)
    }

    /// Puts an event and takes in what it came to, as the shell does.
    pub fn put(&mut self, event: &Event) -> Result<Decision, Refusal> {
        let decision = self.ask(event)?;
        self.take_in(&decision);
        Ok(decision)
    }

    /// Puts an event that must be taken.
    pub fn must(&mut self, event: Event) -> &mut Case {
        if let Err(refusal) = self.put(&event) {
            panic!("{event:?} was refused: {refusal}\n{:#?}", self.e);
        }
        self
    }

    fn take_in(&mut self, decision: &Decision) {
        let version = self.e.version + 1;
        self.e = decision.enrollment.clone();
        self.e.version = version;
        for effect in &decision.effects {
            match effect {
                Effect::Send(send) => {
                    self.attempt = Attempt::Claimed;
                    self.last_attempt = (send.visit, send.attempt);
                }
                Effect::Permit { visit, .. } => {
                    self.attempt = Attempt::Marked;
                    self.message_before = self.last_message.replace(*visit);
                }
                Effect::Settle { how: Settled::Refused | Settled::Deferred, .. } => {
                    if self.attempt == Attempt::Marked {
                        self.last_message = self.message_before;
                    }
                    self.attempt = Attempt::None;
                }
                Effect::Withdraw { .. } | Effect::Settle { .. } => self.attempt = Attempt::None,
                Effect::Suppress { why, .. } => {
                    for address in self.person.emails.iter_mut().chain(&mut self.person.phones) {
                        address.suppressed = Some(why.as_str().into());
                    }
                }
                _ => {}
            }
        }
    }

    /// The clock goes on to the next planned moment and rings.
    pub fn wake_at_its_moment(&mut self) -> &mut Case {
        self.await_its_moment();
        self.must(Event::Wake)
    }

    pub fn await_its_moment(&mut self) {
        self.now = self.e.next_action_on().map_or(self.now, |t| t.max(self.now));
    }

    pub fn later(&mut self, span: Span) -> &mut Case {
        self.now = self.now + span;
        self
    }

    /// The attempt under way passes its mark.
    pub fn mark(&mut self) -> &mut Case {
        let (visit, attempt) = self.last_attempt;
        self.must(Event::DotMark { visit, attempt });
        assert_eq!(self.attempt, Attempt::Marked);
        self
    }

    /// The attempt under way is sent, two seconds later.
    pub fn deliver(&mut self) -> &mut Case {
        self.mark().later(Span::seconds(2));
        let (visit, attempt) = self.last_attempt;
        self.must(Event::Sent { visit, attempt })
    }

    /// The visit of the current activity, else of the last executed.
    pub fn current_visit(&self) -> u32 {
        self.e.place.as_ref().map_or(self.e.last_visit, |p| p.visit)
    }

    /// With these settings for the moment of one event.
    pub fn with(&mut self, change: impl FnOnce(&mut Settings), event: Event) -> &mut Case {
        let before = self.sequence.settings.clone();
        change(&mut self.sequence.settings);
        self.must(event);
        self.sequence.settings = before;
        self
    }
}

/// Who puts an event, as far as the machine cares.
pub fn actor_of(event: &Event) -> Actor {
    match event {
        Event::Sent { .. } | Event::Deferred { .. } | Event::Refused { .. } | Event::Bounce { .. } => Actor::Server,
        Event::Reply { .. } | Event::Opened { .. } | Event::Clicked { .. } | Event::OptOut { .. } => Actor::Contact,
        Event::Pause | Event::Resume | Event::Stop { .. } | Event::MarkTask { .. } | Event::MarkStatus { .. } => {
            Actor::User(USER)
        }
        _ => Actor::Engine,
    }
}

pub fn key(text: &str) -> Key {
    text.parse().unwrap()
}

pub fn days(n: u32) -> Delay {
    Delay::new(n, DelayUnit::Days).unwrap()
}

pub fn hours(n: u32) -> Delay {
    Delay::new(n, DelayUnit::Hours).unwrap()
}

pub fn person() -> Person {
    let email = Address { kind: AddressKind::Work, value: "ada@example.org".into(), suppressed: None };
    let phone = Address { kind: AddressKind::Work, value: "+15550100".into(), suppressed: None };
    Person { emails: vec![email], phones: vec![phone], ..Default::default() }
}

pub fn mailbox(id: MailboxId, owner: UserId) -> MailboxFacts {
    MailboxFacts {
        id,
        address: format!("user{}@example.com", id.0),
        owner,
        sandbox: false,
        held: None,
        inbox: Inbox::Fresh,
    }
}

pub fn step(name: &str, kind: StepKind, delay: Delay, conditions: Vec<Condition>) -> Step {
    let variants = match kind {
        StepKind::EmailAuto | StepKind::EmailManual | StepKind::SmsAuto | StepKind::SmsManual => vec![Variant {
            key: key("a"),
            weight: 1,
            template: None,
            subject: format!("{name} subject"),
            text: format!("{name} text"),
            html: String::new(),
        }],
        _ => Vec::new(),
    };
    Step {
        key: key(name),
        kind,
        conditions,
        content: Content {
            name: name.into(),
            delay,
            variants,
            instructions: String::new(),
            script: String::new(),
            priority: Priority::Normal,
            owner: Default::default(),
            sender: Default::default(),
            address: AddressKind::Any,
            regarding: Default::default(),
            tracking: Default::default(),
            same_thread: false,
            attachments: Vec::new(),
        },
        revision: 0,
    }
}

pub fn when(when: When, within: Option<Delay>, then: Then) -> Condition {
    Condition { when, within, then, also: Vec::new() }
}

pub fn branch(name: &str, steps: Vec<Step>) -> Branch {
    Branch { key: key(name), name: name.into(), steps }
}

/// The flow of the page.
pub fn example_flow() -> Flow {
    let to_hot = || Then::Branch { branch: key("hot"), delay: None };
    let follow = vec![when(When::Clicked(None), Some(days(3)), to_hot())];
    let close =
        vec![when(When::Clicked(None), Some(days(2)), to_hot()), when(When::Nothing, None, Then::End(Verdict::None))];
    Flow {
        version: 1,
        branches: vec![
            branch(
                "main",
                vec![
                    step("hello", StepKind::EmailAuto, hours(1), Vec::new()),
                    step("follow", StepKind::EmailAuto, days(2), follow),
                    step("ring", StepKind::Call, days(1), Vec::new()),
                    step("note", StepKind::EmailManual, days(1), Vec::new()),
                    step("close", StepKind::EmailAuto, days(1), close),
                ],
            ),
            branch("hot", vec![step("warm", StepKind::Task, hours(1), Vec::new())]),
        ],
    }
}
