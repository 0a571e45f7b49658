//! The process that works on the database, step by step as the engine does: the clock's round, the lanes to the mail servers,
//! answers in batches, what conditions asked for, and cleaning up at the start. It decides nothing; it is the part of the
//! product that the simulation stands in for.

use crate::breach::Held;
use crate::house::WORKSPACES;
use crate::plant::Plant;
use crate::scenario::{Pace, Scenario};
use crate::servers::{AfterDot, Offer};
use crate::world::{Happening, Told, World};
use cadenza_core::facts::Outage;
use cadenza_core::ids::{MailboxId, WorkspaceId};
use cadenza_core::machine::{Actor, Event};
use cadenza_core::time::{Span, Time};
use cadenza_store::door::{self, Advanced, Door, Line, OpenSend, Outgoing, Put, Room};
use cadenza_store::nodes::{self, Moment, Node as NodeId, Share};
use cadenza_store::workspaces;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

pub const BATCH_MAX: usize = 500;
const LINES_MAX: usize = 32;
/// Messages recorded and not settled.
const CLAIMED_MAX: usize = 1_000;
/// Signs of life are so far apart.
const BEAT_SECONDS: i64 = 10;
const OUTAGE_MIN: Span = Span::minutes(1);
pub const LOOK_EVERY: Span = Span::minutes(10);

/// There is one node, and its clock is the database's.
fn moment(now: Time) -> Moment {
    Moment { now, clock: now, lease: Span::seconds(15) }
}

/// A mailbox of a workspace; `None` for texts.
pub type Key = (WorkspaceId, Option<MailboxId>);

#[derive(Debug, Default)]
struct Lane {
    waiting: VecDeque<Outgoing>,
    busy: usize,
}

/// Why an event waits to be put.
#[derive(Debug, Clone)]
enum For {
    Mark(Key, Box<Outgoing>),
    Settle(Key),
    Nobody,
}

#[derive(Debug)]
pub struct Node {
    pub door: Arc<Door>,
    pub is_up: bool,
    pub up_since: Time,
    /// Grows with every start; a thought of an earlier run is nobody's.
    pub run: u32,
    lanes: BTreeMap<Key, Lane>,
    /// Waiting to share a commit.
    asked: Vec<(WorkspaceId, Put, For)>,
    flush_at: Option<Time>,
    round_at: Option<Time>,
    side_at: Option<Time>,
    short: BTreeSet<(WorkspaceId, MailboxId)>,
    /// Has anything been committed since the last look for what stands still?
    pub moved: bool,
    pub looks_until: Time,
    /// Connections to each server, and how many messages a lane holds.
    connections: usize,
    holds: usize,
    /// What the file beside the database says: its identity, and how far it was.
    pub witness: Option<(i64, i64)>,
    /// For a planted bug.
    spoiled: u32,
}

impl Node {
    pub fn new(scenario: &Scenario) -> Node {
        let (connections, holds) = if scenario.pace == Pace::Fine { (1, 8) } else { (200, 200) };
        Node {
            door: Arc::new(Door::new(NodeId { number: 1, epoch: 1 })),
            is_up: false,
            up_since: Time::MIN,
            run: 0,
            lanes: BTreeMap::new(),
            asked: Vec::new(),
            flush_at: None,
            round_at: None,
            side_at: None,
            short: BTreeSet::new(),
            moved: true,
            looks_until: Time::MIN,
            connections,
            holds,
            witness: None,
            spoiled: 0,
        }
    }

    /// The process is gone, and with it all it knew.
    pub fn vanish(&mut self) {
        self.is_up = false;
        self.run += 1;
        self.lanes.clear();
        self.asked.clear();
        (self.flush_at, self.round_at, self.side_at) = (None, None, None);
        self.short.clear();
    }

    fn under_way(&self) -> usize {
        self.lanes.values().map(|lane| lane.waiting.len() + lane.busy).sum()
    }
    pub fn has_waiting(&self) -> bool {
        self.under_way() > 0
    }
    fn room_left(&self) -> usize {
        CLAIMED_MAX.saturating_sub(self.under_way())
    }
    fn room_of(&self, key: Key) -> usize {
        self.lanes.get(&key).map_or(self.holds, |lane| self.holds.saturating_sub(lane.waiting.len() + lane.busy))
    }
    fn room(&self) -> Room {
        let of = self.lanes.keys().filter_map(|(w, mailbox)| {
            let mailbox = (*mailbox)?;
            Some(((*w, mailbox), self.room_of((*w, Some(mailbox))) as u32))
        });
        Room { of: of.collect(), others: self.holds as u32 }
    }
    fn is_free(&self, key: Key) -> bool {
        self.room_of(key) * 2 >= self.holds
    }
}

impl World {
    // --- the clock's round ---

    /// A commit rang.
    pub fn ring(&mut self) {
        self.node.moved = true;
        let soon =
            self.now + if self.scenario.pace == Pace::Fine { Span::from_micros(1_000) } else { Span::seconds(2) };
        self.round_by(soon);
        if self.node.side_at.is_none_or(|at| at > soon) {
            self.node.side_at = Some(soon);
            self.thinks(soon, Happening::Side);
        }
    }

    fn round_by(&mut self, at: Time) {
        if self.node.round_at.is_none_or(|planned| planned > at) {
            self.node.round_at = Some(at);
            self.thinks(at, Happening::Round);
        }
    }

    pub fn round(&mut self) -> Held<()> {
        // One that was planned for later than the one that came first.
        if self.node.round_at.is_none_or(|at| at > self.now) {
            return Ok(());
        }
        self.node.round_at = None;
        let (now, room) = (self.now, self.node.room_left().min(BATCH_MAX));
        if room == 0 {
            return Ok(());
        }
        self.tell_room()?;
        let (turn, due, lines) = self.read(|q| {
            Ok((
                door::sequences_turn(q, now)?,
                door::due(q, now, room, &Share::All)?,
                door::lines(q, now, LINES_MAX, &Share::All)?,
            ))
        })?;
        if !turn && due.is_empty() && lines.is_empty() {
            let next = self
                .read(|q| door::next_due(q, &Share::All))?
                .unwrap_or(now + Span::hours(1))
                .min(now + Span::hours(1));
            self.round_by(next.max(now + Span::from_micros(1)));
            return Ok(());
        }
        // Whatever comes of it, there may be more.
        self.round_by(now + Span::seconds(1));
        if turn {
            self.turn_sequences()?;
        }
        let mut puts: BTreeMap<WorkspaceId, Vec<Put>> = BTreeMap::new();
        for due in due {
            let put = Put { enrollment: due.enrollment, event: Event::Wake, actor: Actor::Engine };
            puts.entry(due.workspace).or_default().push(put);
        }
        for (w, puts) in puts {
            if let Some(answers) = self.put("due", w, puts)?.done() {
                self.hand_over(answers);
            }
            if !self.node.is_up {
                return Ok(());
            }
        }
        for line in lines {
            self.draw(line)?;
            if !self.node.is_up {
                return Ok(());
            }
        }
        Ok(())
    }

    fn tell_room(&mut self) -> Held<()> {
        self.node.door.set_room(self.node.room());
        let short = self.node.door.take_short();
        self.node.short.extend(short);
        let free: Vec<_> = self.node.short.iter().copied().filter(|(w, m)| self.node.is_free((*w, Some(*m)))).collect();
        if free.is_empty() {
            return Ok(());
        }
        let now = self.now;
        let rung = free.clone();
        let told = self.commit(
            "draw",
            move |_, tx| rung.iter().try_for_each(|(w, m)| door::ring_mailbox(tx, *w, *m, now)),
            |_, ()| Ok(()),
        )?;
        if told.is_done() {
            self.node.short.retain(|of| !free.contains(of));
        }
        Ok(())
    }

    fn draw(&mut self, line: Line) -> Held<()> {
        let room = self.node.room_left().min(BATCH_MAX) as u32;
        if room == 0 {
            return Ok(());
        }
        let now = self.now;
        let standing = self.read(|q| door::in_line(q, line, room))?;
        let told = self.commit(
            "draw",
            move |door, tx| door.draw(tx, line, room, now),
            |world, answers| {
                let puts: Vec<Put> = standing
                    .iter()
                    .map(|one| Put { enrollment: one.enrollment, event: Event::Drawn, actor: Actor::Engine })
                    .take(answers.len())
                    .collect();
                world.note(line.workspace, &puts, answers)
            },
        )?;
        if let Told::Done(answers) = told {
            self.hand_over(answers);
        }
        Ok(())
    }

    fn turn_sequences(&mut self) -> Held<()> {
        let now = self.now;
        let told = self.commit(
            "due",
            move |_, tx| door::turn_sequences(tx, now),
            |world, turned| {
                turned.begun.iter().for_each(|(w, id)| world.truth.begins(*w, *id));
                let op = world.op;
                turned.ended.iter().for_each(|(w, id)| world.truth.ends(*w, *id, op));
                world.look_at_all()
            },
        )?;
        let Some(turned) = told.done() else { return Ok(()) };
        for (w, sequence) in turned.ended {
            self.end_sequence(w, sequence)?;
        }
        Ok(())
    }

    pub fn end_sequence(&mut self, w: WorkspaceId, sequence: cadenza_core::ids::SequenceId) -> Held<()> {
        let mut after = None;
        loop {
            let live = self.read(|q| door::live_in(q, w, sequence, after, BATCH_MAX))?;
            after = live.last().copied();
            if live.is_empty() {
                return Ok(());
            }
            let puts = live
                .into_iter()
                .map(|enrollment| Put { enrollment, event: Event::SequenceEnded, actor: Actor::Engine })
                .collect();
            if !self.put("due", w, puts)?.is_done() {
                return Ok(());
            }
        }
    }

    // --- the lanes ---

    pub fn hand_over(&mut self, answers: Vec<Advanced>) {
        let messages: Vec<Outgoing> = answers.into_iter().flatten().flat_map(|applied| applied.outgoing).collect();
        for message in messages {
            let key = (message.workspace, message.mailbox);
            self.node.lanes.entry(key).or_default().waiting.push_back(message);
            self.go_on(key);
        }
    }

    /// Lets the connections of a lane take what waits for them.
    fn go_on(&mut self, key: Key) {
        let connections = self.node.connections;
        while let Some(lane) = self.node.lanes.get_mut(&key).filter(|lane| lane.busy < connections) {
            let Some(message) = lane.waiting.pop_front() else { return };
            lane.busy += 1;
            let (took, said) = self.offer(&message);
            self.thinks(self.now + took, Happening::Offered { key, message: Box::new(message), said });
        }
    }

    fn is_done_with(&mut self, key: Key) {
        if let Some(lane) = self.node.lanes.get_mut(&key) {
            lane.busy -= 1;
        }
        self.go_on(key);
        if !self.node.short.is_empty() {
            self.round_by(self.now);
        }
    }

    /// The message is up to its dot, or the server would not have it.
    pub fn offered(&mut self, key: Key, message: Box<Outgoing>, said: Offer) -> Held<()> {
        let (visit, attempt) = (message.visit, message.attempt);
        match said {
            Offer::Ready if self.scenario.is(Plant::MarkSkipped) && self.chance.percent(30) => {
                self.thinks(self.now + Span::seconds(60), Happening::Dot { key, message });
            }
            Offer::Ready => {
                let put = self.of_server(&message, Event::DotMark { visit, attempt });
                self.ask(key.0, put, For::Mark(key, message));
            }
            Offer::Not(event) => {
                let put = self.of_server(&message, event);
                self.ask(key.0, put, For::Settle(key));
            }
        }
        Ok(())
    }

    fn of_server(&self, message: &Outgoing, event: Event) -> Put {
        Put { enrollment: message.enrollment, event, actor: Actor::Server }
    }

    /// The dot is written: from here only the server knows.
    pub fn dot(&mut self, key: Key, message: Box<Outgoing>) -> Held<()> {
        self.check_dot(&message)?;
        let (took, said) = self.past_the_dot(&message)?;
        self.thinks(self.now + took, Happening::Answered { key, message, said });
        Ok(())
    }

    pub fn answered(&mut self, key: Key, message: Box<Outgoing>, said: AfterDot) -> Held<()> {
        let taken = matches!(said, AfterDot::Taken);
        let event = self.answer_event(&message, said);
        let (visit, attempt) = (message.visit, message.attempt);
        let given_back =
            taken && (self.scenario.is(Plant::SentThenGivenBack) && self.chance.percent(15) || self.is_spoiled(&event));
        let event = if given_back { Event::Returned { visit, attempt } } else { event };
        if self.scenario.is(Plant::AnswerToAnother) && taken {
            self.tell_another(&message)?;
        }
        let put = self.of_server(&message, event);
        self.later_words(&message, &put);
        self.ask(key.0, put, For::Settle(key));
        Ok(())
    }

    /// The planted bug that tries a whole batch again because of one of it.
    fn is_spoiled(&mut self, event: &Event) -> bool {
        if !self.scenario.is(Plant::BatchTriedAgain) {
            return false;
        }
        let refused = self.chance.percent(10);
        self.node.spoiled = if refused { 4 } else { self.node.spoiled.saturating_sub(1) };
        matches!(event, Event::Sent { .. }) && self.node.spoiled > 0
    }

    /// The planted bug that takes an answer for that to another message.
    fn tell_another(&mut self, message: &Outgoing) -> Held<()> {
        let (door, now) = (self.node.door.clone(), self.now);
        let open = self.read(move |q| door.open_before(q, now + Span::seconds(1)))?;
        let other = open
            .into_iter()
            .find(|s| s.workspace == message.workspace && s.enrollment != message.enrollment && s.marked);
        if let Some(other) = other {
            let event = Event::Sent { visit: other.visit, attempt: other.attempt };
            let put = Put { enrollment: other.enrollment, event, actor: Actor::Server };
            self.ask(other.workspace, put, For::Nobody);
        }
        Ok(())
    }

    pub fn stale(&mut self, w: WorkspaceId, put: Put) -> Held<()> {
        self.ask(w, put, For::Nobody);
        Ok(())
    }

    // --- answers, in batches ---

    fn ask(&mut self, w: WorkspaceId, put: Put, then: For) {
        self.node.asked.push((w, put, then));
        if self.node.flush_at.is_none() {
            let at =
                self.now + if self.scenario.pace == Pace::Fine { Span::from_micros(500) } else { Span::seconds(1) };
            self.node.flush_at = Some(at);
            self.thinks(at, Happening::Flush);
        }
    }

    pub fn flush(&mut self) -> Held<()> {
        self.node.flush_at = None;
        let asked = std::mem::take(&mut self.node.asked);
        let mut by_workspace: BTreeMap<WorkspaceId, Vec<(Put, For)>> = BTreeMap::new();
        for (w, put, then) in asked {
            by_workspace.entry(w).or_default().push((put, then));
        }
        for (w, group) in by_workspace {
            for chunk in group.chunks(512) {
                let marks = chunk.iter().any(|(_, then)| matches!(then, For::Mark(..)));
                let puts = chunk.iter().map(|(put, _)| put.clone()).collect();
                let told = self.put(if marks { "mark" } else { "settle" }, w, puts)?;
                self.told(w, chunk, told)?;
                if !self.node.is_up {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Whoever asked goes on with what they were told.
    fn told(&mut self, w: WorkspaceId, asked: &[(Put, For)], told: Told<Vec<Advanced>>) -> Held<()> {
        let answers = match told {
            Told::Crashed => return Ok(()),
            Told::Done(answers) => answers.into_iter().map(Some).collect(),
            Told::Failed | Told::Unknown => vec![None; asked.len()],
        };
        for ((put, then), answer) in asked.iter().zip(answers) {
            match (then, answer) {
                (For::Mark(key, message), Some(Ok(applied))) if applied.permitted => self.permitted(*key, message),
                // The clock of the connection is dropped without the dot; the door has settled it.
                (For::Mark(key, _), Some(Ok(_))) => self.is_done_with(*key),
                (For::Mark(key, message), _) if self.scenario.is(Plant::MarkRefusalIgnored) => {
                    self.permitted(*key, message);
                }
                // Refused, or nobody knows whether the mark stands: without the dot nothing was accepted.
                (For::Mark(key, message), _) => {
                    let (visit, attempt) = (message.visit, message.attempt);
                    let put = self.of_server(message, Event::Returned { visit, attempt });
                    self.ask(w, put, For::Settle(*key));
                }
                (For::Settle(key), Some(_)) => self.is_done_with(*key),
                // An answer that was read is never lost while the process lives.
                (For::Settle(key), None) => self.ask(w, put.clone(), For::Settle(*key)),
                (For::Nobody, _) => {}
            }
        }
        Ok(())
    }

    /// The answer to the commit may take its time; until it is there, no dot.
    fn permitted(&mut self, key: Key, message: &Outgoing) {
        let slow = !self.is_over && self.chance.one_in(self.scenario.faults.slow);
        let wait = if slow { self.chance.span(Span::seconds(1), Span::seconds(40)) } else { Span::ZERO };
        if slow {
            self.coverage.note("slow commit", "mark");
        }
        self.thinks(self.now + wait, Happening::Dot { key, message: Box::new(message.clone()) });
    }

    // --- what conditions asked for ---

    pub fn side_round(&mut self) -> Held<()> {
        if self.node.side_at.is_none_or(|at| at > self.now) {
            return Ok(());
        }
        self.node.side_at = None;
        let now = self.now;
        let jobs = self.read(|q| door::side_jobs(q, now, 100, &Share::All))?;
        for job in jobs {
            let told = self.commit(
                "side",
                |door, tx| door.do_side_job(tx, &job, now),
                |world, ()| world.note_subject_of(job.workspace, job.enrollment),
            )?;
            if !told.is_done() {
                // Tried again a little later, by the same round.
                if self.node.is_up {
                    self.ring();
                }
                return Ok(());
            }
        }
        Ok(())
    }

    // --- the start ---

    /// The last sign of life before a moment, as the process would have given it.
    pub fn beat(&mut self) {
        let at = Time::from_seconds(self.now.seconds() / BEAT_SECONDS * BEAT_SECONDS);
        if self.node.is_up {
            let node = self.node.door.node();
            let beat = self.stage.db().write(|tx| nodes::beat(tx, node, moment(at))).unwrap();
            self.node.witness = beat.map(|beat| (beat.life.identity, beat.life.beats));
        }
    }

    pub fn start_node(&mut self) -> Held<()> {
        let now = self.now;
        let (before, life, node) = self.stage.db().write(|tx| {
            let before = nodes::life(tx)?;
            let doubt = match (self.node.witness, &before) {
                (_, None) => false,
                (None, Some(_)) => true,
                (Some((identity, beats)), Some(life)) => identity != life.identity || beats > life.beats,
            };
            if doubt && !self.scenario.is(Plant::RestoredWithoutHold) {
                workspaces::hold_all(tx)?;
            }
            let node = nodes::begin(tx, Some(0), 4_711, moment(now))?;
            Ok((before, nodes::life(tx)?, node))
        })?;
        self.node.witness = life.map(|life| (life.identity, life.beats));
        let door = Door::new(node);
        let outage = before.map(|b| b.alive_at).filter(|alive| now - *alive >= OUTAGE_MIN);
        door.set_outage(outage.map(|from| Outage { from, to: now }));
        self.node.door = Arc::new(door);
        self.node.is_up = true;
        self.node.up_since = now;
        self.trace.line(now, format_args!("start {}", self.node.run));
        self.look_at_all()?;
        if self.truth.is_held {
            self.learn_anew()?;
        }
        self.recover()?;
        if self.node.is_up {
            self.node.moved = true;
            self.thinks(self.now, Happening::Look);
            self.ring();
        }
        Ok(())
    }

    /// Before anything is sent: what the last run left open.
    fn recover(&mut self) -> Held<()> {
        if self.scenario.is(Plant::NoRecovery) {
            return Ok(());
        }
        let open = self.read(door::left_behind)?;
        for w in WORKSPACES {
            let puts: Vec<Put> = open.iter().filter(|send| send.workspace == w).map(|s| self.recovered(s)).collect();
            for chunk in puts.chunks(BATCH_MAX) {
                // A start that fails is begun anew.
                while self.node.is_up {
                    match self.put("recover", w, chunk.to_vec())? {
                        Told::Done(_) => break,
                        Told::Crashed => return Ok(()),
                        Told::Failed | Told::Unknown => {}
                    }
                }
            }
        }
        Ok(())
    }

    fn recovered(&self, send: &OpenSend) -> Put {
        let OpenSend { visit, attempt, marked, .. } = *send;
        let event = if marked && !self.scenario.is(Plant::RecoverySendsMarkedAgain) {
            let detail = "the server stopped while the answer to the final dot was awaited".to_owned();
            Event::Unknown { visit, attempt, detail }
        } else {
            Event::Returned { visit, attempt }
        };
        Put { enrollment: send.enrollment, event, actor: Actor::Engine }
    }
}
