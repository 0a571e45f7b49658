//! The fault of several nodes: one of two does not breathe for longer than its lease, in the middle of its work, is taken for
//! gone by the other, which settles what it left; then it wakes up, and goes on with what it had in its hands.

use crate::breach::Held;
use crate::nodes::{Asleep, LEASE};
use crate::plant::Plant;
use crate::scenario::Pace;
use crate::world::{Happening, World};
use cadenza_core::time::Span;
use cadenza_store::nodes::Node as NodeId;

/// A mail server waits so long for the next word (RFC 5321 §4.5.3.2.7).
const SERVER_WAITS: Span = Span::minutes(5);
/// Two nodes do not wait longer for the moment that was meant.
const PATIENCE: Span = Span::minutes(40);

/// Right before which step of its work a node falls asleep, or ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// What is due is claimed.
    Round,
    /// The message is up to its dot.
    Ready,
    /// The mark is on its way to the database.
    Mark,
    /// The mark was told of.
    Dot,
    /// The answer lies on the line.
    Answer,
    /// The answer is on its way to the database.
    Note,
    Anything,
}

/// The nearer to the dot, the oftener.
const MOMENTS: &[Before] = &[
    Before::Round,
    Before::Ready,
    Before::Ready,
    Before::Mark,
    Before::Mark,
    Before::Dot,
    Before::Dot,
    Before::Answer,
    Before::Answer,
    Before::Note,
];

impl World {
    /// What a node is to do next is what was waited for.
    pub fn is_the_moment(&self, before: Before, what: &Happening) -> bool {
        match (before, what) {
            (Before::Anything, Happening::Beat | Happening::Lost | Happening::Look) => false,
            (Before::Anything, _)
            | (Before::Round, Happening::Round)
            | (Before::Ready, Happening::Offered { .. })
            | (Before::Dot, Happening::Dot { .. })
            | (Before::Answer, Happening::Answered { .. }) => true,
            (Before::Mark, Happening::Flush) => self.node.has_asked(true),
            (Before::Note, Happening::Flush) => self.node.has_asked(false),
            _ => false,
        }
    }

    /// It is time for a second node, or at the moment that is waited for from now on.
    pub fn joins_or_waits(&mut self) -> Held<()> {
        let after = self.some_days(self.scenario.faults.pause_days);
        self.happens(after, Happening::Joins);
        if self.is_over || self.other.is_some() || !self.node.is_at_work() {
            return Ok(());
        }
        if self.chance.percent(30) {
            self.joins()?;
        }
        self.waits_for_the_moment()
    }

    /// One of the nodes will fall asleep, at a moment of its work.
    pub fn waits_for_the_moment(&mut self) -> Held<()> {
        if self.is_over {
            return Ok(());
        }
        self.pause_before = Some(self.some_moment());
        self.happens(PATIENCE, Happening::AnyMoment);
        Ok(())
    }

    pub fn some_moment(&mut self) -> Before {
        *self.chance.pick(MOMENTS)
    }

    /// The node that is about to do something ends.
    pub fn ends(&mut self, before: &Happening) {
        self.end_before = None;
        self.coverage.note("end in the middle of its work", self.phase_before(before));
        self.kill();
    }

    /// The moment did not come: any will do, where two nodes wait for it.
    pub fn any_moment(&mut self) {
        if self.pause_before.is_some() && self.other.is_some() {
            self.pause_before = Some(Before::Anything);
        }
    }

    /// The node that is about to do something falls asleep.
    pub fn pauses(&mut self, before: &Happening) -> Held<()> {
        if self.other.is_none() {
            self.joins()?;
            // At work is the new one; asleep falls the one that has its hands full.
            self.turn();
        }
        if !self.node.is_at_work() || !self.other.as_ref().is_some_and(|other| other.is_at_work()) {
            return Ok(());
        }
        self.pause_before = None;
        let (since, phase) = (self.now, self.phase_before(before));
        self.trace.line(since, format_args!("node {} pauses: {phase}", self.node.door.node().number));
        self.node.is_up = false;
        self.node.asleep = Some(Asleep { waiting: Vec::new(), since, phase });
        let length = match self.chance.below(10) {
            0 | 1 => self.chance.span(Span::seconds(5), LEASE),
            2..=6 => self.chance.span(LEASE, Span::minutes(6)),
            7 | 8 => self.chance.span(Span::minutes(6), Span::hours(2)),
            _ => self.chance.span(Span::hours(2), Span::hours(7)),
        };
        self.happens(length, Happening::Wakes);
        Ok(())
    }

    fn phase_before(&self, what: &Happening) -> &'static str {
        match what {
            Happening::Dot { .. } | Happening::Answered { .. } => "marked",
            Happening::Offered { .. } => "offered",
            Happening::Flush if self.node.has_asked(true) => "mark",
            Happening::Flush => "settle",
            Happening::Round => "due",
            _ => self.under_way(),
        }
    }

    /// It goes on where it was, all at once and in any order.
    pub fn wakes(&mut self) -> Held<()> {
        if self.node.asleep.is_none() {
            self.turn();
        }
        let Some(Asleep { waiting, since, phase }) = self.node.asleep.take() else { return Ok(()) };
        let epoch = self.node.door.node().epoch;
        let gone = !self.truth.signs.contains_key(&epoch);
        self.coverage.note(if gone { "pause beyond the lease" } else { "pause within the lease" }, phase);
        self.trace.line(self.now, format_args!("wakes up: {phase}, gone is {gone}"));
        let after = self.chance.span(Span::minutes(1), Span::hours(1));
        self.happens(after, Happening::Leaves);
        (self.node.is_up, self.node.up_since) = (true, self.now);
        if self.chance.percent(10) {
            self.coverage.note("ends as it wakes up", phase);
            self.kill();
            return Ok(());
        }
        if self.now - since > SERVER_WAITS {
            let cut_off = self.at_servers(&waiting);
            self.node.cut_off.extend(cut_off);
        }
        if gone && self.scenario.is(Plant::FenceIgnored) {
            self.node.door.become_node(NodeId { number: 500, epoch });
        }
        let prompt = self.scenario.pace == Pace::Fine && self.chance.percent(60);
        for what in waiting {
            let most = if matches!(what, Happening::Beat) && !prompt { 20_000_000 } else { 500_000 };
            let soon = Span::from_micros(self.chance.below(most) as i64);
            self.thinks(self.now + soon, what);
        }
        self.ring();
        // And it may fall asleep again, or the other one.
        if self.chance.percent(40) {
            let soon = self.chance.span(Span::seconds(5), Span::minutes(20));
            self.happens(soon, Happening::Pauses);
        }
        Ok(())
    }
}
