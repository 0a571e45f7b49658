//! What is true of the world, kept without asking the database: what servers have taken, what was stopped, held and suppressed
//! by which transaction, how sequences stand. The checks of sending hold every mark and every dot against it.

use crate::house::House;
use cadenza_core::enrollment::{SequenceState, Subject};
use cadenza_core::flow::{Channel, Flow, Key, Then, When};
use cadenza_core::ids::{CompanyId, ContactId, EnrollmentId, MailboxId, SequenceId, WorkspaceId};
use cadenza_core::settings::Settings;
use cadenza_core::time::{Span, Time};
use cadenza_store::door::Outgoing;
use std::collections::{BTreeMap, BTreeSet, HashMap};

pub type Id = (WorkspaceId, EnrollmentId);
/// Enrollment, visit, attempt.
pub type AttemptKey = (EnrollmentId, u32, u32);

/// A message as it was recorded.
#[derive(Debug, Clone)]
pub struct Recorded {
    pub to: String,
    pub channel: Channel,
    pub step: Key,
    pub automatic: bool,
    pub sequence: SequenceId,
    pub subject: Subject,
    /// The transaction that let it pass its mark.
    pub permit: Option<u64>,
}

/// A message that a server has taken.
#[derive(Debug, Clone)]
pub struct Taken {
    pub visit: u32,
    pub at: Time,
}

/// Of one enrollment.
#[derive(Debug, Clone, Default)]
pub struct Story {
    /// Which transaction ended it, and by what.
    pub stopped: Option<(u64, String)>,
    /// Causes that pause it, with their transactions.
    pub held: BTreeMap<&'static str, u64>,
    pub taken: Vec<Taken>,
    /// How often a person asked for a message of unknown delivery to be sent again.
    pub again: BTreeMap<u32, u32>,
    /// Visits of unknown delivery of which a person has said what becomes of them.
    pub decided: BTreeSet<u32>,
    /// Visits that a person let pass the window.
    pub free_of_window: BTreeSet<u32>,
    /// What it was is lost with a database that was put back.
    pub is_lost: bool,
}

/// Of one sequence.
#[derive(Debug, Clone)]
pub struct Course {
    pub state: SequenceState,
    /// The transaction since which it does not run.
    pub rests_since: u64,
    pub end: Option<Time>,
    pub settings: Settings,
    pub of_companies: bool,
    pub flows: BTreeMap<u32, Flow>,
}

impl Course {
    pub fn flow(&self, version: u32) -> Option<&Flow> {
        self.flows.get(&version)
    }
    pub fn newest(&self) -> &Flow {
        self.flows.values().next_back().unwrap()
    }
    fn has(&self, wanted: impl Fn(&cadenza_core::flow::Condition) -> bool) -> bool {
        self.flows.values().flat_map(Flow::steps).flat_map(|s| &s.conditions).any(wanted)
    }
    /// Has any step a condition on this?
    pub fn waits_for(&self, when: &When) -> bool {
        self.has(|c| c.when == *when)
    }
    pub fn opts_out(&self) -> bool {
        self.has(|c| c.then == Then::OptOut)
    }
    /// No condition leads to a step or branch: each step comes once.
    pub fn is_straight(&self) -> bool {
        !self.has(|c| matches!(c.then, Then::Step { .. } | Then::Branch { .. }))
    }
}

/// What a cap counts: of which kind, for whom, in which minute, hour or day.
pub type Bucket = (WorkspaceId, &'static str, i64, i64);

#[derive(Debug)]
pub struct Truth {
    pub stories: HashMap<Id, Story>,
    pub courses: BTreeMap<(WorkspaceId, SequenceId), Course>,
    pub recorded: HashMap<AttemptKey, Recorded>,
    /// Addresses and numbers that asked for silence, by the transaction that put it on record.
    pub silent: HashMap<(WorkspaceId, String), u64>,
    pub silent_domains: HashMap<(WorkspaceId, String), u64>,
    /// How often each step was taken, of a person in a sequence.
    pub steps: HashMap<(WorkspaceId, Subject, SequenceId, Key), u32>,
    /// How often it may be, beyond once; `None` where nobody can say.
    pub allowed: HashMap<(WorkspaceId, Subject, SequenceId), Option<u32>>,
    /// When what a server took had taken its room, and whether by itself.
    pub buckets: HashMap<Bucket, Vec<(Time, bool)>>,
    pub gaps: HashMap<(WorkspaceId, MailboxId), Vec<Time>>,
    /// Epochs that are not over, by their last sign of life.
    pub signs: BTreeMap<i64, Time>,
    /// A database that was put back, until a person lets it go.
    pub is_held: bool,
    /// Who stands in a line that rests, since when that was seen.
    pub resting: HashMap<Id, Time>,
    pub addresses: HashMap<(WorkspaceId, Subject), (Vec<String>, Vec<String>)>,
}

impl Truth {
    pub fn of(house: &House) -> Truth {
        let mut addresses = HashMap::new();
        let values = |all: &[cadenza_store::addresses::TypedAddress]| all.iter().map(|a| a.value.clone()).collect();
        for (w, c) in &house.contacts {
            addresses.insert((*w, Subject::Contact(c.id)), (values(&c.emails), values(&c.phones)));
        }
        for (w, c) in &house.companies {
            addresses.insert((*w, Subject::Company(c.id)), (values(&c.emails), values(&c.phones)));
        }
        let courses = house.sequences.iter().map(|made| {
            let s = &made.sequence;
            let course = Course {
                state: s.state,
                rests_since: 0,
                end: s.end,
                settings: s.settings.clone(),
                of_companies: s.of == cadenza_store::sequences::SubjectType::Companies,
                flows: BTreeMap::from([(1, made.flow.clone())]),
            };
            ((made.workspace, s.id), course)
        });
        Truth {
            stories: HashMap::new(),
            courses: courses.collect(),
            recorded: HashMap::new(),
            silent: HashMap::new(),
            silent_domains: HashMap::new(),
            steps: HashMap::new(),
            allowed: HashMap::new(),
            buckets: HashMap::new(),
            gaps: HashMap::new(),
            signs: BTreeMap::new(),
            is_held: false,
            resting: HashMap::new(),
            addresses,
        }
    }

    pub fn course(&self, w: WorkspaceId, sequence: SequenceId) -> &Course {
        &self.courses[&(w, sequence)]
    }
    pub fn course_mut(&mut self, w: WorkspaceId, sequence: SequenceId) -> &mut Course {
        self.courses.get_mut(&(w, sequence)).unwrap()
    }
    pub fn story(&mut self, id: Id) -> &mut Story {
        self.stories.entry(id).or_default()
    }
    pub fn begins(&mut self, w: WorkspaceId, sequence: SequenceId) {
        self.course_mut(w, sequence).state = SequenceState::Active;
    }
    pub fn rests(&mut self, w: WorkspaceId, sequence: SequenceId, state: SequenceState, op: u64) {
        let course = self.course_mut(w, sequence);
        course.state = state;
        course.rests_since = op;
    }
    pub fn ends(&mut self, w: WorkspaceId, sequence: SequenceId, op: u64) {
        self.rests(w, sequence, SequenceState::Ended, op);
    }

    /// A message is on record.
    pub fn records(&mut self, message: &Outgoing) {
        let automatic = message.flow.spot(&message.step).is_some_and(|s| s.step.kind.is_automatic());
        let recorded = Recorded {
            to: message.to.clone(),
            channel: message.channel,
            step: message.step.clone(),
            automatic,
            sequence: message.sequence,
            subject: message.subject,
            permit: None,
        };
        self.recorded.insert((message.enrollment, message.visit, message.attempt), recorded);
    }

    pub fn silence(&mut self, w: WorkspaceId, address: &str, op: u64) {
        self.silent.entry((w, address.to_owned())).or_insert(op);
    }
    /// Since which transaction nothing may go to an address.
    pub fn silent_since(&self, w: WorkspaceId, address: &str) -> Option<u64> {
        let own = self.silent.get(&(w, address.to_owned())).copied();
        let domain = address.rsplit_once('@').and_then(|(_, d)| self.silent_domains.get(&(w, d.to_owned()))).copied();
        match (own, domain) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// One more time for every step.
    pub fn allow(&mut self, w: WorkspaceId, subject: Subject, sequence: SequenceId) {
        if let Some(n) = self.allowed.entry((w, subject, sequence)).or_insert(Some(0)) {
            *n += 1;
        }
    }
    /// Nobody can say how often a step may come.
    pub fn excuse(&mut self, w: WorkspaceId, subject: Subject, sequence: SequenceId) {
        self.allowed.insert((w, subject, sequence), None);
    }

    /// A sign of life: it comes too late, or those of whom none came for so long are gone.
    pub fn gives_sign(&mut self, epoch: i64, now: Time, lease: Span) -> bool {
        let Some(at) = self.signs.get_mut(&epoch) else { return false };
        *at = now;
        self.signs.retain(|_, at| *at >= now - lease);
        true
    }

    /// The database is as it was at a moment: what is on record since is not, and what was sent since was sent.
    pub fn went_back(&mut self, to: Time) {
        for ((w, id), story) in &mut self.stories {
            story.is_lost |= story.taken.iter().any(|taken| taken.at >= to);
            story.held.clear();
            if story.is_lost {
                let whose =
                    self.recorded.iter().find(|((of, ..), _)| of == id).map(|(_, r)| (*w, r.subject, r.sequence));
                self.allowed.extend(whose.map(|whose| (whose, None)));
            }
        }
        self.silent.clear();
        self.silent_domains.clear();
        self.signs.clear();
        self.buckets.clear();
        self.gaps.clear();
    }

    /// Does an address belong to this workspace?
    pub fn is_of(w: WorkspaceId, address: &str) -> bool {
        let mail = address.contains('@');
        if mail {
            address.ends_with(&format!(".w{}.example", w.0))
        } else {
            address.starts_with(&format!("+1555{}", w.0))
        }
    }
}

pub fn number_of(subject: Subject) -> i64 {
    match subject {
        Subject::Contact(ContactId(n)) | Subject::Company(CompanyId(n)) => n,
    }
}
