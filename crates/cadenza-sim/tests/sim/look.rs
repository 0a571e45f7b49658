//! The look now and then for what stands still, as the server's: ended halfway, lines that rest with somebody in them, blocked
//! by a mailbox that is held no more, recorded by a commit whose answer was lost.

use crate::breach::{Breach, Held};
use crate::node::{BATCH_MAX, LOOK_EVERY};
use crate::world::{Happening, World};
use cadenza_core::ids::WorkspaceId;
use cadenza_core::machine::{Actor, Event};
use cadenza_core::time::{Span, Time};
use cadenza_store::door::{self, OpenSend, Put};
use cadenza_store::workspaces;
use std::collections::BTreeMap;

/// A message that was recorded so long ago and has no mark is nobody's: lanes hold what takes them some seconds.
const LEFT_AFTER: Span = Span::minutes(30);

impl World {
    pub fn look(&mut self) -> Held<()> {
        self.thinks(self.now + LOOK_EVERY, Happening::Look);
        // One look for all nodes.
        if !self.node.share.leads() {
            return Ok(());
        }
        // Without a commit since the last look there is nothing new to see, but for what has become old.
        let moved = std::mem::take(&mut self.node.moved);
        if !moved && self.now < self.node.looks_until {
            return Ok(());
        }
        if moved {
            self.node.looks_until = self.now + LEFT_AFTER + LOOK_EVERY;
        } else {
            self.node.looks_until = Time::MAX;
        }
        for (w, sequence) in self.read(door::half_ended)? {
            self.end_sequence(w, sequence)?;
        }
        if !self.node.is_up {
            return Ok(());
        }
        let now = self.now;
        let told = self.commit("look", move |_, tx| door::repair_lines(tx, now), |_, _| Ok(()))?;
        if !told.is_done() {
            return Ok(());
        }
        let mut puts: BTreeMap<WorkspaceId, Vec<Put>> = BTreeMap::new();
        for (w, enrollment) in self.read(|q| door::unheld(q, BATCH_MAX))? {
            puts.entry(w).or_default().push(Put { enrollment, event: Event::Mended, actor: Actor::Engine });
        }
        let door = self.node.door.clone();
        let open = self.read(move |q| door.open_before(q, now - LEFT_AFTER))?;
        let nobodys = |send: &OpenSend| !self.node.in_hand.contains(&(send.enrollment, send.visit, send.attempt));
        let open: Vec<OpenSend> = open.into_iter().filter(|send| !send.marked && nobodys(send)).collect();
        for left in open {
            self.trace.line(now, format_args!("{} is brought by nobody", left.enrollment.0));
            let event = Event::Returned { visit: left.visit, attempt: left.attempt };
            let put = Put { enrollment: left.enrollment, event, actor: Actor::Engine };
            puts.entry(left.workspace).or_default().push(put);
        }
        for (w, puts) in puts {
            if !self.put("look", w, puts)?.is_done() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// At the end of a run no message is under way any more, but for what has just been recorded.
    pub fn nothing_is_left(&mut self) -> Held<()> {
        if !self.node.is_up || self.node.beats {
            // Its next start would settle what it left, or the other does, and comes after the end.
            return Ok(());
        }
        let (door, late) = (self.node.door.clone(), self.now - Span::minutes(10));
        let mut open = self.read(door::left_behind)?;
        open.extend(self.read(move |q| door.open_before(q, late))?);
        match open.first() {
            Some(send) if !self.is_held_back(send.workspace)? => {
                Err(Breach::of("INV-4", format!("a message is under way for ever: {send:?}")))
            }
            _ => Ok(()),
        }
    }

    fn is_held_back(&mut self, w: WorkspaceId) -> Held<bool> {
        Ok(self.read(|q| workspaces::get(q, w))?.restore_hold)
    }
}
