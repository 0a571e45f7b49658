//! The process that works on the database, step by step as the engine does: the clock's round here, and what conditions asked
//! for; in `lanes` the way to the mail servers; in `nodes` how it starts, and its place beside another one. It decides nothing;
//! it is the part of the product that the simulation stands in for.

use crate::breach::Held;
use crate::lanes::{For, Lane};
use crate::nodes::Asleep;
use crate::scenario::{Pace, Scenario};
use crate::truth::AttemptKey;
use crate::world::{Happening, Told, World};
use cadenza_core::ids::{MailboxId, WorkspaceId};
use cadenza_core::machine::{Actor, Event};
use cadenza_core::time::{Span, Time};
use cadenza_store::door::{self, Door, Line, Put, Room};
use cadenza_store::nodes::{Node as NodeId, Share};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

pub const BATCH_MAX: usize = 500;
const LINES_MAX: usize = 32;
/// Messages recorded and not settled.
const CLAIMED_MAX: usize = 1_000;
/// Between two looks for what other processes have changed.
const LISTEN_EVERY: Span = Span::from_micros(500_000);
pub const LOOK_EVERY: Span = Span::minutes(10);

/// A mailbox of a workspace; `None` for texts.
pub type Key = (WorkspaceId, Option<MailboxId>);

#[derive(Debug)]
pub struct Node {
    pub door: Arc<Door>,
    pub is_up: bool,
    pub up_since: Time,
    /// Another one with every start; a thought of an earlier run is nobody's.
    pub run: u32,
    /// The shards that it works.
    pub share: Share,
    /// While it does not breathe.
    pub asleep: Option<Asleep>,
    /// Signs of life are given one by one, as long as another node may wait for them.
    pub beats: bool,
    /// Its orderly end has begun.
    pub leaves: bool,
    /// Attempts that its lanes answer for.
    pub in_hand: HashSet<AttemptKey>,
    /// Those of them whose mail server has given up on the line.
    pub cut_off: HashSet<AttemptKey>,
    pub lanes: BTreeMap<Key, Lane>,
    /// Waiting to share a commit.
    pub asked: Vec<(WorkspaceId, Put, For)>,
    pub flush_at: Option<Time>,
    round_at: Option<Time>,
    side_at: Option<Time>,
    pub short: BTreeSet<(WorkspaceId, MailboxId)>,
    /// Has anything been committed since the last look for what stands still?
    pub moved: bool,
    pub looks_until: Time,
    /// Connections to each server, and how many messages a lane holds.
    pub connections: usize,
    holds: usize,
    /// What the file beside the database says: its identity, how far it was, and the last run of this folder.
    pub witness: Option<(i64, i64, NodeId)>,
    /// For a planted bug.
    pub spoiled: u32,
}

impl Node {
    pub fn new(scenario: &Scenario, run: u32) -> Node {
        let (connections, holds) = if scenario.pace == Pace::Fine { (1, 8) } else { (200, 200) };
        Node {
            door: Arc::new(Door::new(NodeId { number: 0, epoch: 0 })),
            is_up: false,
            up_since: Time::MIN,
            run,
            share: Share::All,
            asleep: None,
            beats: false,
            leaves: false,
            in_hand: HashSet::new(),
            cut_off: HashSet::new(),
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
    pub fn vanish(&mut self, next_run: u32) {
        (self.is_up, self.asleep, self.beats, self.leaves) = (false, None, false, false);
        self.run = next_run;
        self.share = Share::All;
        self.in_hand.clear();
        self.cut_off.clear();
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
    /// Serves people and works its shards.
    pub fn is_at_work(&self) -> bool {
        self.is_up && !self.leaves
    }
    /// Its process is there, whether it breathes or not.
    pub fn is_there(&self) -> bool {
        self.is_up || self.asleep.is_some()
    }
    /// Has nothing in its hands, and nothing to say.
    pub fn is_through(&self) -> bool {
        !self.has_waiting() && self.asked.is_empty()
    }
    /// Events that wait for their commit: does a mark, or an answer?
    pub fn has_asked(&self, mark: bool) -> bool {
        self.asked.iter().any(|(.., then)| match then {
            For::Mark(..) => mark,
            For::Settle(..) => !mark,
            For::Nobody => false,
        })
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

    /// A commit rang; another process hears of it when it looks next.
    pub fn ring(&mut self) {
        let soon =
            self.now + if self.scenario.pace == Pace::Fine { Span::from_micros(1_000) } else { Span::seconds(2) };
        self.wakes_at(soon);
        if self.other.as_ref().is_some_and(|other| other.is_up) {
            self.turn();
            self.wakes_at(soon + LISTEN_EVERY);
            self.turn();
        }
    }

    fn wakes_at(&mut self, soon: Time) {
        self.node.moved = true;
        self.round_by(soon);
        if self.node.side_at.is_none_or(|at| at > soon) {
            self.node.side_at = Some(soon);
            self.thinks(soon, Happening::Side);
        }
    }

    pub fn round_by(&mut self, at: Time) {
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
        let share = &self.node.share;
        let (turn, due, lines) = self.read(|q| {
            Ok((
                share.leads() && door::sequences_turn(q, now)?,
                door::due(q, now, room, share)?,
                door::lines(q, now, LINES_MAX, share)?,
            ))
        })?;
        if !turn && due.is_empty() && lines.is_empty() {
            let next =
                self.read(|q| door::next_due(q, share))?.unwrap_or(now + Span::hours(1)).min(now + Span::hours(1));
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

    // --- what conditions asked for ---

    pub fn side_round(&mut self) -> Held<()> {
        if self.node.side_at.is_none_or(|at| at > self.now) {
            return Ok(());
        }
        self.node.side_at = None;
        let now = self.now;
        let share = &self.node.share;
        let jobs = self.read(|q| door::side_jobs(q, now, 100, share))?;
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
}
