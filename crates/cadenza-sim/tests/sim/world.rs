//! One run: the virtual clock with everything that is to happen, the database, the node that works on it, and what is true of
//! the world whatever the database says. Whoever acts (`node`, `servers`, `people`, `users`, `faults`) does so through here:
//! one transaction at a time, and the checkers look after each.

use crate::agenda::Agenda;
use crate::breach::{Breach, Held};
use crate::chance::Chance;
use crate::check::Shadows;
use crate::coverage::Coverage;
use crate::house::House;
use crate::node::{Key, Node};
use crate::pause::Before;
use crate::people::Came;
use crate::scenario::{Scenario, start};
use crate::servers::{AfterDot, Offer};
use crate::stage::Stage;
use crate::trace::Trace;
use crate::truth::Truth;
use cadenza_core::ids::WorkspaceId;
use cadenza_core::time::{Span, Time};
use cadenza_store::door::{Advanced, Door, OpenSend, Outgoing, Put};
use cadenza_store::{Query, StoreError, Tx};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// After the last day nobody does anything new any more, and nothing fails; what is under way comes to its end.
const AFTERMATH: Span = Span::hours(30);
/// Transactions between two looks at everything.
const WHOLE_EVERY: u64 = 400;

/// Something that is to happen.
#[derive(Debug)]
pub enum Happening {
    // --- in the process; gone with it ---
    Round,
    Side,
    Look,
    Beat,
    Lost,
    TakeOver {
        workspace: WorkspaceId,
        lost: Vec<OpenSend>,
    },
    Flush,
    Offered {
        key: Key,
        message: Box<Outgoing>,
        said: Offer,
    },
    Dot {
        key: Key,
        message: Box<Outgoing>,
    },
    Answered {
        key: Key,
        message: Box<Outgoing>,
        said: AfterDot,
    },
    /// A word of a server that was heard before, or that comes after all.
    Stale {
        workspace: WorkspaceId,
        put: Put,
    },
    // --- in the world ---
    Came(Came),
    Users,
    Work,
    Reading,
    Kill,
    Start,
    Jump,
    Joins,
    Pauses,
    AnyMoment,
    Wakes,
    Leaves,
    Snapshot,
    GoBack(PathBuf),
    Released,
}

#[derive(Debug)]
struct Entry {
    /// Of which run of the process it is a thought; `None` of what happens without it.
    run: Option<u32>,
    what: Happening,
}

/// What whoever asked for a transaction is told of it.
#[derive(Debug)]
pub enum Told<T> {
    Done(T),
    /// Nothing of it is there.
    Failed,
    /// Nothing of it is there, for the node is taken for gone.
    Fenced,
    /// It is there, but nobody says so.
    Unknown,
    /// It is there, and whoever asked is not any more.
    Crashed,
}

impl<T> Told<T> {
    pub fn done(self) -> Option<T> {
        if let Told::Done(answer) = self { Some(answer) } else { None }
    }
    pub fn is_done(&self) -> bool {
        matches!(self, Told::Done(_))
    }
}

#[derive(Debug)]
pub struct World {
    pub scenario: Scenario,
    pub chance: Chance,
    pub now: Time,
    agenda: Agenda<Entry>,
    pub stage: Stage,
    /// The process that acts.
    pub node: Node,
    /// Another one on the same database.
    pub other: Option<Node>,
    pub runs: u32,
    /// At which moment of its work a node falls asleep, and at which one ends.
    pub pause_before: Option<Before>,
    pub end_before: Option<Before>,
    pub house: House,
    pub truth: Truth,
    pub shadows: Shadows,
    pub trace: Trace,
    pub coverage: Coverage,
    /// Transactions so far; the order of all that is on record.
    pub op: u64,
    looked_at_all: u64,
    /// Faults and people rest.
    pub is_over: bool,
    /// When the last snapshot of the disk was taken.
    pub snapshot_at: Time,
    pub snapshot_op: u64,
    /// How long the product worked in transactions, and the checkers at what came of them.
    pub spent: [Duration; 3],
    /// For the planted bug that loses commits.
    pub earlier: Option<PathBuf>,
    /// Up to whom the people of a sequence were enrolled in turn.
    pub enrolled: std::collections::BTreeMap<(WorkspaceId, cadenza_core::ids::SequenceId), i64>,
}

impl World {
    pub fn begin(scenario: Scenario) -> World {
        let stage = Stage::new(scenario.place);
        let house = House::build(&scenario, stage.db());
        if let Some(sql) = scenario.plant.and_then(|plant| plant.sql()) {
            stage.tamper(sql);
        }
        let mut world = World {
            chance: Chance::new(scenario.seed),
            now: start(),
            agenda: Agenda::default(),
            node: Node::new(&scenario, 0),
            other: None,
            runs: 0,
            pause_before: None,
            end_before: None,
            truth: Truth::of(&house),
            shadows: Shadows::of(&house),
            trace: Trace::new(scenario.keep_trace),
            coverage: Coverage::default(),
            op: 0,
            looked_at_all: 0,
            is_over: false,
            snapshot_at: start(),
            snapshot_op: 0,
            spent: [Duration::ZERO; 3],
            earlier: None,
            enrolled: std::collections::BTreeMap::new(),
            stage,
            house,
            scenario,
        };
        world.happens(Span::ZERO, Happening::Start);
        world.happens(Span::minutes(5), Happening::Users);
        world.happens(Span::hours(3), Happening::Work);
        world.happens(Span::hours(1), Happening::Reading);
        world.plan_faults();
        world
    }

    /// Lives through all the days; then the aftermath, in which everything must come to rest.
    pub fn run(&mut self) -> Held<()> {
        let last = start() + Span::days(self.scenario.days);
        self.run_until(last)?;
        self.is_over = true;
        self.let_all_go()?;
        self.run_until(last + AFTERMATH)?;
        self.look_at_all()?;
        self.nothing_is_left()
    }

    fn run_until(&mut self, last: Time) -> Held<()> {
        while self.agenda.next_at().is_some_and(|at| at <= last) {
            let Some((at, entry)) = self.agenda.next() else { break };
            // After a jump of the clock, what was to happen meanwhile happens late.
            self.now = self.now.max(at);
            if let Some(what) = self.comes_to(entry)? {
                self.happen(what)?;
            }
        }
        self.now = self.now.max(last);
        Ok(())
    }

    /// Whom it concerns acts from now on. The thoughts of a run that is over are nobody's; those of a node that is asleep wait.
    fn comes_to(&mut self, entry: Entry) -> Held<Option<Happening>> {
        let Some(run) = entry.run else {
            self.somebody_acts();
            return Ok(Some(entry.what));
        };
        if run != self.node.run {
            match &self.other {
                Some(other) if other.run == run => self.turn(),
                _ => return Ok(None),
            }
        }
        if self.pause_before.is_some_and(|before| self.is_the_moment(before, &entry.what)) {
            self.pauses(&entry.what)?;
        }
        if self.end_before.is_some_and(|before| self.is_the_moment(before, &entry.what)) && self.node.is_up {
            self.ends(&entry.what);
            return Ok(None);
        }
        Ok(match &mut self.node.asleep {
            Some(asleep) => {
                asleep.waiting.push(entry.what);
                None
            }
            None => Some(entry.what),
        })
    }

    fn happen(&mut self, what: Happening) -> Held<()> {
        match what {
            Happening::Round => self.round(),
            Happening::Side => self.side_round(),
            Happening::Look => self.look(),
            Happening::Beat => self.beats(),
            Happening::Lost => self.lost(),
            Happening::TakeOver { workspace, lost } => self.take_over(workspace, &lost),
            Happening::Flush => self.flush(),
            Happening::Offered { key, message, said } => self.offered(key, message, said),
            Happening::Dot { key, message } => self.dot(key, message),
            Happening::Answered { key, message, said } => self.answered(key, message, said),
            Happening::Stale { workspace, put } => self.stale(workspace, put),
            Happening::Came(came) => self.came(came),
            Happening::Users => self.users(),
            Happening::Work => self.work(),
            Happening::Reading => self.reading(),
            Happening::Kill => self.killed(),
            Happening::Start => self.start_node(),
            Happening::Jump => self.jump(),
            Happening::Joins => self.joins_or_waits(),
            Happening::Pauses => self.waits_for_the_moment(),
            Happening::AnyMoment => {
                self.any_moment();
                Ok(())
            }
            Happening::Wakes => self.wakes(),
            Happening::Leaves => self.leaves(),
            Happening::Snapshot => self.snapshot(),
            Happening::GoBack(path) => self.go_back(&path),
            Happening::Released => self.release(),
        }
    }

    /// Enters something of the world.
    pub fn happens(&mut self, after: Span, what: Happening) {
        self.agenda.enter(self.now + after, Entry { run: None, what });
    }
    /// Enters a thought of the process.
    pub fn thinks(&mut self, at: Time, what: Happening) {
        self.agenda.enter(at, Entry { run: Some(self.node.run), what });
    }

    /// What messages are in, for the table of faults and phases.
    pub fn under_way(&self) -> &'static str {
        let mut phase = "idle";
        let of_now = self.agenda.all().filter(|entry| entry.run == Some(self.node.run));
        for entry in of_now {
            match entry.what {
                Happening::Dot { .. } | Happening::Answered { .. } => return "marked",
                Happening::Offered { .. } => phase = "offered",
                _ => {}
            }
        }
        if phase == "idle" && self.node.has_waiting() { "claimed" } else { phase }
    }

    pub fn read<T: Send>(&self, f: impl FnOnce(&mut Query) -> cadenza_store::Result<T> + Send) -> Held<T> {
        Ok(self.stage.db().read(f)?)
    }

    /// One transaction of the process, which may fail, or be its last. What is on record, whatever is told of it, goes to
    /// `seen` before anything else happens.
    pub fn commit<T: Send>(
        &mut self,
        phase: &'static str,
        mut f: impl FnMut(&Door, &mut Tx) -> cadenza_store::Result<T> + Send,
        seen: impl FnOnce(&mut World, &T) -> Held<()>,
    ) -> Held<Told<T>> {
        let faults = if self.is_over { crate::scenario::Faults::NONE } else { self.scenario.faults };
        if self.chance.one_in(faults.failed) {
            let rolled_back = self.chance.one_in(2);
            if rolled_back {
                let undone = self.stage.db().write(|tx| {
                    f(&self.node.door, tx)?;
                    Err::<(), _>(StoreError::Unavailable { why: "planned".into(), commit_unknown: false })
                });
                self.only_planned(undone)?;
            }
            self.coverage.note(if rolled_back { "transaction rolled back" } else { "database away" }, phase);
            self.trace.line(self.now, format_args!("{phase}: fails"));
            return Ok(Told::Failed);
        }
        let begun = Instant::now();
        let gone = !self.truth.signs.contains_key(&self.node.door.node().epoch);
        if gone {
            self.coverage.note("by a node that is gone", phase);
        }
        let answer = match self.stage.db().write(|tx| f(&self.node.door, tx)) {
            Err(StoreError::Contention { .. }) if gone && phase == "mark" => {
                self.trace.line(self.now, format_args!("{phase}: the node is gone"));
                return Ok(Told::Fenced);
            }
            answer => answer.map_err(|e| Breach::of("ERROR", format!("{phase}: {e}")))?,
        };
        self.op += 1;
        let committed = Instant::now();
        seen(self, &answer)?;
        self.spent[0] += committed - begun;
        self.spent[1] += committed.elapsed();
        self.after_commit()?;
        if self.chance.one_in(faults.unknown) {
            self.coverage.note("outcome of the commit unknown", phase);
            self.trace.line(self.now, format_args!("{phase}: nobody knows"));
            return Ok(Told::Unknown);
        }
        if self.chance.one_in(faults.crash_after) && self.node.is_up {
            self.coverage.note("end right after the commit", phase);
            self.kill();
            return Ok(Told::Crashed);
        }
        Ok(Told::Done(answer))
    }

    fn only_planned(&self, outcome: cadenza_store::Result<()>) -> Held<()> {
        match outcome {
            Err(StoreError::Unavailable { why, .. }) if why == "planned" => Ok(()),
            Err(e) => Err(e.into()),
            Ok(()) => Err(Breach::of("ERROR", "a transaction that was undone took place")),
        }
    }

    /// The bell: whoever waits for a commit looks again. And now and then everything is looked at.
    fn after_commit(&mut self) -> Held<()> {
        if self.node.is_up {
            self.ring();
        }
        if self.scenario.is(crate::plant::Plant::CommitLostInCrash) && self.op.is_multiple_of(40) {
            self.earlier = self.stage.snapshot();
        }
        if self.op >= self.looked_at_all + WHOLE_EVERY * if self.scenario.plain { 8 } else { 1 } {
            self.look_at_all()?;
        }
        Ok(())
    }

    pub fn look_at_all(&mut self) -> Held<()> {
        self.looked_at_all = self.op;
        let begun = Instant::now();
        let outcome = self.whole();
        self.spent[2] += begun.elapsed();
        outcome
    }

    /// Events through the door, as the process puts them.
    pub fn put(&mut self, phase: &'static str, w: WorkspaceId, puts: Vec<Put>) -> Held<Told<Vec<Advanced>>> {
        let now = self.now;
        let asked = puts.clone();
        self.commit(
            phase,
            move |door, tx| door.advance(tx, w, asked.clone(), now),
            |world, answers| world.note(w, &puts, answers),
        )
    }
}
