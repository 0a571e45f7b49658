//! The one door: every change of an enrollment is an event put through [`Door::advance`], inside the caller's transaction.
//! It loads what a batch needs in a few statements, lets the pure machine decide each, and writes states, activities,
//! outbox, history, limiters and counters in bulk. No other code writes these tables.
//!
//! `load`, `workspace`, `sequence` and `person` read, `room` keeps the limiters, `write` and `effects` put decisions into
//! rows, `spread` passes news on to other enrollments, `enroll` makes new ones, `scan` finds what is due, `away` whom an absence concerns, `idle` ends
//! sequences in which nobody is left, `mend` sets going what stands still without need, `reopen` finds whom an end finished, `outbox` serves the sender.

mod away;
mod breaker;
mod count;
mod draft;
mod effects;
mod enroll;
mod idle;
mod lists;
mod load;
mod mend;
mod outbox;
mod people;
mod person;
mod recount;
mod reopen;
mod room;
mod rows;
mod scan;
mod sequence;
mod side;
mod side_jobs;
mod spread;
mod standing;
mod why;
mod workspace;
mod write;

pub use away::{Freed, met_by_absence};
pub use draft::{Draft, UNSUBSCRIBE_PLACE};
pub use enroll::{Again, EnrollRefusal, Enrolled};
pub use load::enrollment;
pub use mend::{Mended, SettledLost, half_ended, repair_lines, rouse_workspace, unheld};
pub use outbox::{
    OpenSend, Outgoing, StoredAttachment, ThreadMail, attachments, is_in_sandbox, left_behind, parse_message_id,
    thread_of,
};
pub use people::{enrollments_of, forget_addresses, give_enrollments};
pub use recount::{Miscounted, miscounted, unfolded};
pub use reopen::{EndedWith, ended_with, ended_with_count, was_paused};
pub use scan::{
    Due, InLine, Line, Rest, Turned, due, in_line, lines, live_in, next_due, rest, ring_mailbox, rouse_sequence,
    sequences_turn, set_aside, standing_on, turn_sequences,
};
pub use sequence::{SequenceInfo, put_words_in};
pub use side_jobs::{SideJob, side_jobs};
pub use standing::{Stands, live_count, standings};
pub use workspace::{MailboxRow, Workspace};

pub use why::Why;
pub(crate) use write::shard;

use crate::error::{Result, StoreError};
use crate::hashed::{HashMap, HashSet};
use crate::nodes::Node;
use crate::query::Tx;
use cadenza_core::enrollment::{Enrollment, Reason, State};
use cadenza_core::facts::Outage;
use cadenza_core::flow::{Channel, Variant};
use cadenza_core::ids::{EnrollmentId, IdSource, MailboxId, WorkspaceId};
use cadenza_core::machine::{Actor, Effect, Event, Refusal, decide};
use cadenza_core::merge::{Cache, MergeError, Message};
use cadenza_core::time::Time;
use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The number of virtual shards, which nodes share (`nodes`).
pub const SHARDS: i64 = 256;

/// Compiled templates kept in memory.
const TEMPLATES_KEPT: usize = 4_096;

/// One event for one enrollment.
#[derive(Debug, Clone)]
pub struct Put {
    pub enrollment: EnrollmentId,
    pub event: Event,
    pub actor: Actor,
}

/// What an event came to.
#[derive(Debug, Clone)]
pub struct Applied {
    pub enrollment: Enrollment,
    pub state: State,
    pub reason: Reason,
    /// An attempt that may pass its final mark now.
    pub permitted: bool,
    /// The version of the enrollment's mailbox at this moment.
    pub mailbox_version: Option<i64>,
    /// Messages recorded by this event, to be handed to the sender after the commit.
    pub outgoing: Vec<Outgoing>,
}

/// How many messages the sender takes for each mailbox.
#[derive(Debug, Clone)]
pub struct Room {
    pub of: HashMap<(WorkspaceId, MailboxId), u32>,
    /// For every mailbox that is not named.
    pub others: u32,
}

impl Default for Room {
    fn default() -> Self {
        Room { of: HashMap::default(), others: u32::MAX }
    }
}

/// The result of one put: applied, or refused with nothing changed.
pub type Advanced = std::result::Result<Applied, Refusal>;

/// What all advances of a process share: caches of flows and sequences, and the source of ids.
#[derive(Debug)]
pub struct Door {
    ids: Mutex<IdSource>,
    flows: Mutex<HashMap<(WorkspaceId, i64), Arc<SequenceInfo>>>,
    templates: Mutex<Cache>,
    outage: Mutex<Option<Outage>>,
    room: Mutex<Room>,
    short: Mutex<HashSet<(WorkspaceId, MailboxId)>>,
    /// How many were due when they were counted last.
    crowd: Mutex<Option<(Time, Option<u32>)>>,
    node: Mutex<Node>,
}

impl Door {
    pub fn new(node: Node) -> Door {
        Door {
            ids: Mutex::new(IdSource::new(node.number)),
            flows: Mutex::new(HashMap::default()),
            templates: Mutex::new(Cache::new(TEMPLATES_KEPT)),
            outage: Mutex::new(None),
            room: Mutex::default(),
            short: Mutex::default(),
            crowd: Mutex::default(),
            node: Mutex::new(node),
        }
    }

    /// Goes on as another node: ids and what is recorded bear its number and epoch from now on.
    pub fn become_node(&self, node: Node) {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner).go_on_as(node.number);
        *self.node.lock().unwrap_or_else(PoisonError::into_inner) = node;
    }

    /// A person sends the manual message of the current activity in their own words (`wording` is JSON the sender reads).
    pub fn send_by_hand(
        &self,
        tx: &mut Tx,
        workspace: WorkspaceId,
        put: &Put,
        wording: &str,
        now: Time,
    ) -> Result<Advanced> {
        let mut round = load::Round::new(self, tx, workspace, now, load::Look::Held)?;
        round.load(self, tx, std::slice::from_ref(put))?;
        if let Event::SendByHand { visit } = put.event {
            round.writes.by_hand.insert((put.enrollment, visit), wording.to_owned());
        }
        let answer = self.step(tx, &mut round, put)?;
        write::write(self, tx, &mut round)?;
        Ok(answer)
    }

    /// A new id.
    pub fn id(&self, now: Time) -> i64 {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner).next(now)
    }

    /// Which run of which process this is.
    pub fn node(&self) -> Node {
        *self.node.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The templates of a wording, compiled once.
    pub fn message(&self, variant: &Variant, channel: Channel) -> std::result::Result<Message, MergeError> {
        Message::compile(variant, channel, &mut self.templates.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The last stop of the whole server, found at start; work that it delayed long is held for a person (TIM-6).
    pub fn set_outage(&self, outage: Option<Outage>) {
        *self.outage.lock().unwrap_or_else(PoisonError::into_inner) = outage;
    }

    fn outage(&self) -> Option<Outage> {
        *self.outage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How much the sender takes at present. What goes beyond that stands in its mailbox's line for some seconds, as before
    /// a shut cap, and everybody else's mail goes on.
    pub fn set_room(&self, room: Room) {
        *self.room.lock().unwrap_or_else(PoisonError::into_inner) = room;
    }

    /// The mailboxes that took no more since this was asked last: once they take something again, their lines are to be drawn.
    pub fn take_short(&self) -> HashSet<(WorkspaceId, MailboxId)> {
        std::mem::take(&mut *self.short.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn note_short(&self, workspace: WorkspaceId, mailbox: MailboxId) {
        self.short.lock().unwrap_or_else(PoisonError::into_inner).insert((workspace, mailbox));
    }

    fn room_of(&self, workspace: WorkspaceId, mailbox: MailboxId) -> u32 {
        let room = self.room.lock().unwrap_or_else(PoisonError::into_inner);
        room.of.get(&(workspace, mailbox)).copied().unwrap_or(room.others)
    }

    fn flows(&self) -> MutexGuard<'_, HashMap<(WorkspaceId, i64), Arc<SequenceInfo>>> {
        self.flows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts events to enrollments of one workspace, in order. Answers in the same order; an unknown enrollment is an error
    /// of the whole batch. News for other enrollments (the contact's other sequences, colleagues) is put in the same
    /// transaction.
    ///
    /// # Errors
    /// `Missing` for an enrollment that does not exist; `Contention` where another transaction changed one meanwhile (the
    /// caller's transaction is to be run again).
    pub fn advance(&self, tx: &mut Tx, workspace: WorkspaceId, puts: Vec<Put>, now: Time) -> Result<Vec<Advanced>> {
        self.advance_among(tx, workspace, &puts, None, now)
    }

    /// As [`Door::advance`], by a caller who has counted how many are due at this moment at most: where every limit has room
    /// for all of them, nobody stands in line.
    ///
    /// # Errors
    /// As of [`Door::advance`].
    pub fn advance_among(
        &self,
        tx: &mut Tx,
        workspace: WorkspaceId,
        puts: &[Put],
        crowd: Option<u32>,
        now: Time,
    ) -> Result<Vec<Advanced>> {
        let asked = puts.len();
        let mut answers: Vec<Advanced> = Vec::with_capacity(asked);
        let mut pending: VecDeque<Cow<'_, [Put]>> = VecDeque::from([Cow::Borrowed(puts)]);
        let mut round = load::Round::new(self, tx, workspace, now, load::Look::Held)?;
        round.ledger.put_crowd(crowd);
        let mut rounds = 0;
        while let Some(batch) = pending.pop_front() {
            rounds += 1;
            if rounds > 64 {
                return Err(StoreError::inconsistent("enrollment", workspace, "news went round without end"));
            }
            round.load(self, tx, &batch)?;
            for put in batch.iter() {
                let answer = self.step(tx, &mut round, put)?;
                if answers.len() < asked {
                    answers.push(answer);
                }
            }
            let news = spread::follow_ups(tx, &mut round)?;
            if !news.is_empty() {
                pending.push_back(Cow::Owned(news));
            }
        }
        write::write(self, tx, &mut round)?;
        Ok(answers)
    }

    /// One event through the machine; its result stays in memory until the batch is written.
    fn step(&self, tx: &mut Tx, round: &mut load::Round, put: &Put) -> Result<Advanced> {
        let loaded = round.enrollments.get(&put.enrollment);
        let before = loaded.ok_or_else(|| StoreError::missing("enrollment", put.enrollment))?.now.clone();
        let info = round.sequence(before.sequence)?;
        let flow = info.flow_at(load::flow_version_for(&before, &put.event))?;
        room::make_room(self, tx, round, &before, &info, &flow)?;
        let missing = effects::missing_field(self, round, &before, &info, &flow, &put.event);
        let facts = round.facts(&before, &info, missing.as_deref())?;
        let step = before.place.as_ref().and_then(|p| flow.spot(&p.step)).map(|s| s.step);
        let to = step.and_then(|step| facts.address_for(step)).map(|a| a.value.as_str());
        let again = Put { event: returned(&put.event), ..put.clone() };
        let put = if round.is_misdirected(put, to) { &again } else { put };
        let decision = match decide(&before, &flow, facts, &put.event, put.actor, round.now) {
            Ok(decision) => decision,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let (state, reason) = decision.enrollment.state(info.facts.state);
        let permitted = decision.effects.iter().any(|e| matches!(e, Effect::Permit { .. }));
        let outgoing = effects::take_in(self, tx, round, put, &before, &info, &flow, decision)?;
        let enrollment = round.enrollments[&put.enrollment].now.clone();
        let mailbox_version = enrollment.mailbox.and_then(|id| round.ws.mailboxes.get(&id)).map(|m| m.version);
        Ok(Ok(Applied { enrollment, state, reason, permitted, mailbox_version, outgoing }))
    }
}

/// In place of a mark that cannot be asked for any more.
fn returned(event: &Event) -> Event {
    match event {
        Event::DotMark { visit, attempt } => Event::Returned { visit: *visit, attempt: *attempt },
        other => other.clone(),
    }
}
