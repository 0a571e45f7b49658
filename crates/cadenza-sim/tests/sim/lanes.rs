//! The lanes to the mail servers, as the engine's: up to the dot, the mark, the dot, the answer; and what came of each, put
//! through the door in batches.

use crate::breach::Held;
use crate::node::Key;
use crate::plant::Plant;
use crate::scenario::Pace;
use crate::servers::{AfterDot, Offer};
use crate::truth::AttemptKey;
use crate::world::{Happening, Told, World};
use cadenza_core::ids::WorkspaceId;
use cadenza_core::machine::{Actor, Event};
use cadenza_core::time::Span;
use cadenza_store::door::{Advanced, Outgoing, Put};
use std::collections::{BTreeMap, VecDeque};

#[derive(Debug, Default)]
pub struct Lane {
    pub waiting: VecDeque<Outgoing>,
    pub busy: usize,
}

/// Why an event waits to be put.
#[derive(Debug, Clone)]
pub enum For {
    Mark(Key, Box<Outgoing>),
    Settle(Key, AttemptKey),
    Nobody,
}

pub fn attempt(message: &Outgoing) -> AttemptKey {
    (message.enrollment, message.visit, message.attempt)
}

impl World {
    pub fn hand_over(&mut self, answers: Vec<Advanced>) {
        let messages: Vec<Outgoing> = answers.into_iter().flatten().flat_map(|applied| applied.outgoing).collect();
        for message in messages {
            let key = (message.workspace, message.mailbox);
            self.node.in_hand.insert(attempt(&message));
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

    fn is_done_with(&mut self, key: Key, attempt: AttemptKey) {
        self.node.in_hand.remove(&attempt);
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
        let (visit, attempt, of) = (message.visit, message.attempt, attempt(&message));
        match said {
            // Before the dot nothing can have been accepted: an orderly end need not wait for it.
            _ if self.node.leaves => self.give_back(key, &message),
            Offer::Ready if self.scenario.is(Plant::MarkSkipped) && self.chance.percent(30) => {
                self.thinks(self.now + Span::seconds(60), Happening::Dot { key, message });
            }
            Offer::Ready => {
                let put = self.of_server(&message, Event::DotMark { visit, attempt });
                self.ask(key.0, put, For::Mark(key, message));
            }
            Offer::Not(event) => {
                let put = self.of_server(&message, event);
                self.ask(key.0, put, For::Settle(key, of));
            }
        }
        Ok(())
    }

    fn give_back(&mut self, key: Key, message: &Outgoing) {
        let (visit, attempt, of) = (message.visit, message.attempt, attempt(message));
        let put = self.of_server(message, Event::Returned { visit, attempt });
        self.ask(key.0, put, For::Settle(key, of));
    }

    /// What waits in the lanes of a node that ends in order is due again.
    pub fn give_all_back(&mut self) {
        let mut waiting = Vec::new();
        for (key, lane) in &mut self.node.lanes {
            lane.busy += lane.waiting.len();
            waiting.extend(lane.waiting.drain(..).map(|message| (*key, message)));
        }
        waiting.iter().for_each(|(key, message)| self.give_back(*key, message));
    }

    /// Messages of this node that have been told to their server, up to the dot or over it.
    pub fn at_servers(&self, waiting: &[Happening]) -> Vec<AttemptKey> {
        let asked = self.node.asked.iter().filter_map(|(.., then)| match then {
            For::Mark(_, message) => Some(attempt(message)),
            _ => None,
        });
        let told = waiting.iter().filter_map(|what| match what {
            Happening::Offered { message, .. } | Happening::Dot { message, .. } => Some(attempt(message)),
            _ => None,
        });
        asked.chain(told).collect()
    }

    fn of_server(&self, message: &Outgoing, event: Event) -> Put {
        Put { enrollment: message.enrollment, event, actor: Actor::Server }
    }

    /// The dot is written: from here only the server knows.
    pub fn dot(&mut self, key: Key, message: Box<Outgoing>) -> Held<()> {
        self.check_dot(&message)?;
        if self.node.cut_off.remove(&attempt(&message)) {
            self.coverage.note("line lost in a pause", "marked");
            self.thinks(self.now, Happening::Answered { key, message, said: AfterDot::Nothing });
            return Ok(());
        }
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
        let of = (message.enrollment, visit, attempt);
        self.ask(key.0, put, For::Settle(key, of));
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
                if !self.put_asked(w, chunk)? {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Says whether the process is still there.
    fn put_asked(&mut self, w: WorkspaceId, chunk: &[(Put, For)]) -> Held<bool> {
        let marks = chunk.iter().any(|(_, then)| matches!(then, For::Mark(..)));
        let puts = chunk.iter().map(|(put, _)| put.clone()).collect();
        let told = self.put(if marks { "mark" } else { "settle" }, w, puts)?;
        if matches!(told, Told::Fenced) && chunk.len() > 1 {
            // One of them must not fail the others: each by itself.
            for one in chunk {
                if !self.put_asked(w, std::slice::from_ref(one))? {
                    return Ok(false);
                }
            }
            return Ok(true);
        }
        self.told(w, chunk, told)?;
        Ok(self.node.is_up)
    }

    /// Whoever asked goes on with what they were told.
    fn told(&mut self, w: WorkspaceId, asked: &[(Put, For)], told: Told<Vec<Advanced>>) -> Held<()> {
        let answers = match told {
            Told::Crashed => return Ok(()),
            Told::Done(answers) => answers.into_iter().map(Some).collect(),
            Told::Failed | Told::Fenced | Told::Unknown => vec![None; asked.len()],
        };
        for ((put, then), answer) in asked.iter().zip(answers) {
            match (then, answer) {
                (For::Mark(key, message), Some(Ok(applied))) if applied.permitted => self.permitted(*key, message),
                // The clock of the connection is dropped without the dot; the door has settled it.
                (For::Mark(key, message), Some(Ok(_))) => self.is_done_with(*key, attempt(message)),
                (For::Mark(key, message), _) if self.scenario.is(Plant::MarkRefusalIgnored) => {
                    self.permitted(*key, message);
                }
                // Refused, or nobody knows whether the mark stands: without the dot nothing was accepted.
                (For::Mark(key, message), _) => self.give_back(*key, message),
                (For::Settle(key, of), Some(_)) => self.is_done_with(*key, *of),
                // An answer that was read is never lost while the process lives.
                (For::Settle(key, of), None) => self.ask(w, put.clone(), For::Settle(*key, *of)),
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
}
