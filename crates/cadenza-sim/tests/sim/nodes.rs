//! Two processes on one database, as the product lets several work on it: each has its door, a number, an epoch and its shards,
//! gives signs of life and settles what those left that are gone. The one that acts is `World::node`. Alone, a node gives its
//! signs of life only when somebody may ask for them.

use crate::breach::{Breach, Held, holds};
use crate::house::WORKSPACES;
use crate::node::{BATCH_MAX, Node};
use crate::plant::Plant;
use crate::world::{Happening, Told, World};
use cadenza_core::facts::Outage;
use cadenza_core::ids::WorkspaceId;
use cadenza_core::machine::{Actor, Event};
use cadenza_core::time::{Span, Time};
use cadenza_store::door::{self, Door, OpenSend, Put};
use cadenza_store::nodes::{self, Moment, Share};
use cadenza_store::workspaces;
use std::sync::Arc;

/// A node that gives no sign of life for so long is gone.
pub const LEASE: Span = Span::seconds(120);
const BEAT_SECONDS: i64 = 40;
const BEAT_EVERY: Span = Span::seconds(BEAT_SECONDS);
const OUTAGE_MIN: Span = Span::minutes(1);
/// The database's, drawn at the first start of all.
const IDENTITY: i64 = 4_711;
const ENDED: &str = "the server stopped while the answer to the final dot was awaited";

/// A node that does not breathe.
#[derive(Debug)]
pub struct Asleep {
    /// What it was about to do.
    pub waiting: Vec<Happening>,
    pub since: Time,
    /// What it had in its hands.
    pub phase: &'static str,
}

/// All clocks are right.
fn moment(now: Time) -> Moment {
    Moment { now, clock: now, lease: LEASE }
}

impl World {
    /// The other one acts from now on.
    pub fn turn(&mut self) {
        if let Some(other) = &mut self.other {
            std::mem::swap(&mut self.node, other);
        }
    }

    pub fn next_run(&mut self) -> u32 {
        self.runs += 1;
        self.runs
    }

    /// Whoever did not think of it: any of those at work.
    pub fn somebody_acts(&mut self) {
        let Some(other) = &self.other else { return };
        let turns = match (self.node.is_at_work(), other.is_at_work()) {
            (true, true) => self.chance.percent(50),
            (here, there) => !here && there,
        };
        if turns {
            self.turn();
        }
    }

    /// Since when there was always somebody at work.
    pub fn tended_since(&self) -> Option<Time> {
        let both = [Some(&self.node), self.other.as_ref()];
        both.into_iter().flatten().filter(|node| node.is_at_work()).map(|node| node.up_since).min()
    }

    pub fn other_is_there(&self) -> bool {
        self.other.as_ref().is_some_and(Node::is_there)
    }

    // --- signs of life ---

    /// The last sign of life before a moment, as a process that is alone would have given it.
    pub fn beat(&mut self) {
        let at = Time::from_seconds(self.now.seconds() / BEAT_SECONDS * BEAT_SECONDS);
        if self.node.is_up && !self.node.beats {
            let node = self.node.door.node();
            let beat = self.stage.db().write(|tx| nodes::beat(tx, node, moment(at))).unwrap();
            self.node.witness = beat.map(|beat| (beat.life.identity, beat.life.beats, node));
            self.truth.gives_sign(node.epoch, at, LEASE);
        }
    }

    /// Gives signs of life from now on, one by one.
    fn begins_to_beat(&mut self) {
        if self.node.is_up && !self.node.beats {
            self.node.beats = true;
            self.thinks(self.now + BEAT_EVERY, Happening::Beat);
        }
    }

    /// A sign of life, and what comes of it.
    pub fn beats(&mut self) -> Held<()> {
        self.give_sign()?;
        if self.node.leaves && self.node.is_through() {
            return self.is_left();
        }
        if self.is_alone_again()? {
            self.node.beats = false;
            return Ok(());
        }
        self.thinks(self.now + BEAT_EVERY, Happening::Beat);
        let soon = self.chance.span(Span::ZERO, BEAT_EVERY);
        self.thinks(self.now + soon, Happening::Lost);
        Ok(())
    }

    /// Nobody waits for a sign of life, and nothing of another is left.
    fn is_alone_again(&self) -> Held<bool> {
        if self.other_is_there() || !self.node.share.is_all() {
            return Ok(false);
        }
        self.read(|q| Ok(nodes::working(q)? == 1 && door::left_behind(q)?.is_empty()))
    }

    fn give_sign(&mut self) -> Held<()> {
        let (node, now) = (self.node.door.node(), self.now);
        let beat = self.stage.db().write(|tx| nodes::beat(tx, node, moment(now)))?;
        let lives = self.truth.gives_sign(node.epoch, now, LEASE);
        holds("ERROR", beat.is_some() == lives, || {
            format!(
                "node {} with epoch {}: alive is {lives}, and its sign of life says otherwise",
                node.number, node.epoch
            )
        })?;
        let Some(beat) = beat else { return self.begins_anew() };
        self.node.witness = Some((beat.life.identity, beat.life.beats, node));
        if self.node.share != beat.share {
            let (number, shards) = (node.number, beat.share.len());
            self.trace.line(now, format_args!("node {number} works {shards} shards of {} nodes", beat.nodes));
            self.node.share = beat.share;
            self.ring();
        }
        Ok(())
    }

    /// It was taken for gone: it begins anew, with all that it has in its hands.
    fn begins_anew(&mut self) -> Held<()> {
        self.coverage.note("begins anew after a pause", self.under_way());
        let now = self.now;
        let node = self.stage.db().write(|tx| nodes::begin(tx, None, IDENTITY, moment(now)))?;
        self.trace.line(now, format_args!("gone, and begins anew as {} with epoch {}", node.number, node.epoch));
        self.node.door.become_node(node);
        self.node.share = Share::Some(String::new());
        self.truth.signs.insert(node.epoch, now);
        if self.node.leaves {
            self.stage.db().write(|tx| nodes::retire(tx, node))?;
        }
        self.give_sign()
    }

    // --- starts and ends ---

    /// A second one, with a data folder of its own.
    pub fn joins(&mut self) -> Held<()> {
        let run = self.next_run();
        self.other = Some(Node::new(&self.scenario, run));
        self.turn();
        self.start_node()
    }

    /// The one that is down starts.
    pub fn start_node(&mut self) -> Held<()> {
        if self.node.is_there() {
            match &self.other {
                Some(other) if !other.is_there() => self.turn(),
                _ => return Ok(()),
            }
        }
        if self.other.is_some() {
            self.turn();
            self.beat();
            self.begins_to_beat();
            self.turn();
        }
        let now = self.now;
        // Others that give signs of life know the database.
        let vouched = self.node.witness.is_none() && self.other.as_ref().is_some_and(|other| other.is_up);
        let (before, life, node) = self.stage.db().write(|tx| {
            let before = nodes::life(tx)?;
            let doubt = match (self.node.witness, &before) {
                (_, None) => false,
                (None, Some(_)) => !vouched,
                (Some((identity, beats, _)), Some(life)) => identity != life.identity || beats > life.beats,
            };
            if doubt && !self.scenario.is(Plant::RestoredWithoutHold) {
                workspaces::hold_all(tx)?;
            }
            let last = self.node.witness.map(|(.., last)| last);
            let own = last.map_or(Ok(None), |last| nodes::number_of(tx, last))?;
            let node = nodes::begin(tx, own, IDENTITY, moment(now))?;
            Ok((before, nodes::life(tx)?, node))
        })?;
        self.truth.signs.remove(&self.node.door.node().epoch);
        self.truth.signs.insert(node.epoch, now);
        self.node.witness = life.map(|life| (life.identity, life.beats, node));
        let door = Door::new(node);
        let outage = before.map(|b| b.alive_at).filter(|alive| now - *alive >= OUTAGE_MIN);
        door.set_outage(outage.map(|from| Outage { from, to: now }));
        self.node.door = Arc::new(door);
        (self.node.is_up, self.node.up_since) = (true, now);
        self.trace.line(now, format_args!("start {} as node {}", self.node.run, node.number));
        self.give_sign()?;
        self.begins_to_beat();
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

    /// One of two goes for good: in order, or all at once.
    pub fn leaves(&mut self) -> Held<()> {
        self.pause_before = None;
        match &self.other {
            None => return Ok(()),
            Some(other) if !other.is_there() => self.other = None,
            Some(_) if !self.node.is_there() => {
                self.turn();
                self.other = None;
            }
            Some(other) if !self.node.is_at_work() || !other.is_at_work() => {
                self.happens(Span::minutes(10), Happening::Leaves);
            }
            Some(_) if self.chance.percent(40) => {
                self.coverage.note("one of two nodes ends", self.under_way());
                self.trace.line(self.now, format_args!("killed, for good"));
                self.is_no_more();
            }
            Some(_) => {
                self.coverage.note("one of two nodes leaves in order", self.under_way());
                let node = self.node.door.node();
                self.stage.db().write(|tx| nodes::retire(tx, node))?;
                self.trace.line(self.now, format_args!("node {} leaves", node.number));
                self.node.leaves = true;
                self.node.share = Share::Some(String::new());
                self.give_all_back();
            }
        }
        Ok(())
    }

    fn is_left(&mut self) -> Held<()> {
        let node = self.node.door.node();
        self.stage.db().write(|tx| nodes::leave(tx, node))?;
        self.truth.signs.remove(&node.epoch);
        self.trace.line(self.now, format_args!("node {} has left", node.number));
        self.is_no_more();
        Ok(())
    }

    fn is_no_more(&mut self) {
        let run = self.next_run();
        self.node.vanish(run);
        self.turn();
        self.other = None;
    }

    // --- what others have left ---

    /// Before anything is sent: what runs that are over left open.
    fn recover(&mut self) -> Held<()> {
        if self.scenario.is(Plant::NoRecovery) {
            return Ok(());
        }
        let open = self.read(door::left_behind)?;
        for w in WORKSPACES {
            let left: Vec<OpenSend> = open.iter().filter(|send| send.workspace == w).copied().collect();
            for chunk in left.chunks(BATCH_MAX) {
                // A start that fails is begun anew.
                while self.node.is_up && !self.settle_left("recover", w, chunk)? {}
            }
        }
        Ok(())
    }

    /// The look now and then for what those left that are gone. Between it and the settling others go on.
    pub fn lost(&mut self) -> Held<()> {
        if self.scenario.is(Plant::NoRecovery) {
            return Ok(());
        }
        let mut left = self.read(door::left_behind)?;
        left.retain(|send| !self.node.in_hand.contains(&(send.enrollment, send.visit, send.attempt)));
        for workspace in WORKSPACES {
            let lost: Vec<OpenSend> = left.iter().filter(|send| send.workspace == workspace).copied().collect();
            if !lost.is_empty() {
                let soon = Span::from_micros(self.chance.below(2_000_000) as i64);
                self.thinks(self.now + soon, Happening::TakeOver { workspace, lost });
            }
        }
        Ok(())
    }

    pub fn take_over(&mut self, w: WorkspaceId, lost: &[OpenSend]) -> Held<()> {
        self.settle_left("take over", w, lost).map(drop)
    }

    /// Says whether that is done with, as far as this process will ever know.
    fn settle_left(&mut self, phase: &'static str, w: WorkspaceId, lost: &[OpenSend]) -> Held<bool> {
        let at_start = phase == "recover";
        let again = if at_start { Plant::RecoverySendsMarkedAgain } else { Plant::TakeOverSendsMarkedAgain };
        if self.scenario.is(again) {
            let puts = lost.iter().map(given_back).collect();
            return Ok(matches!(self.put(phase, w, puts)?, Told::Done(_) | Told::Crashed));
        }
        let (now, open) = (self.now, lost.to_vec());
        let told = self.commit(
            phase,
            move |door, tx| door.settle_lost(tx, w, &open, ENDED, now),
            |world, settled| world.note_settled(phase, w, lost, *settled),
        )?;
        match told {
            Told::Done(_) | Told::Crashed => Ok(true),
            Told::Failed | Told::Unknown => Ok(false),
            Told::Fenced => Err(Breach::of("ERROR", "settling is no mark")),
        }
    }
}

/// The planted bug: past its mark or not, it is due again.
fn given_back(send: &OpenSend) -> Put {
    let event = Event::Returned { visit: send.visit, attempt: send.attempt };
    Put { enrollment: send.enrollment, event, actor: Actor::Engine }
}
