//! What is said to whom: which event ends, holds and silences whom, as the specification says it, and that nobody comes back to
//! life but by an event that leads back (INV-1).

use super::rows::Seen;
use crate::breach::{Breach, Held, holds};
use crate::world::World;
use cadenza_core::enrollment::{BlockReason, Enrollment, Life, Mark, SequenceState};
use cadenza_core::flow::{Channel, When};
use cadenza_core::ids::{EnrollmentId, WorkspaceId};
use cadenza_core::machine::{Answer, BounceClass, Correctable, Event, Incoming, Reach};
use cadenza_core::settings::{OnReply, OptOutSuppresses, ResumeAfter};
use cadenza_store::door::{Applied, Put};

/// Events that lead back from an end.
const REVIVES: &[&str] = &["reactivate", "undo_mark", "enroll_again", "take_back", "sequence_reopened"];

impl World {
    /// What an event that was taken means from now on.
    pub fn follow(&mut self, w: WorkspaceId, put: &Put, applied: &Applied, seen: &Seen) -> Held<()> {
        let (id, e) = (put.enrollment, &applied.enrollment);
        let was_live = seen.before.as_ref().is_some_and(|b| b.is_live());
        if let (Event::DotMark { visit, attempt }, true) = (&put.event, applied.permitted) {
            return self.check_mark(w, id, *visit, *attempt);
        }
        if was_live && self.must_end(w, &put.event, e.sequence) {
            holds("INV-1", !e.is_live(), || format!("{} still lives after {}", id.0, put.event.name()))?;
        }
        self.is_true(w, put, e.sequence)?;
        self.hold(w, put, applied, seen);
        self.silence(w, put, applied);
        self.allow(w, put, applied, seen);
        Ok(())
    }

    /// What is said to have happened in the world has happened there.
    fn is_true(&mut self, w: WorkspaceId, put: &Put, sequence: cadenza_core::ids::SequenceId) -> Held<()> {
        let id = put.enrollment;
        match &put.event {
            Event::Sent { visit, .. } => {
                let taken = self.truth.story((w, id)).taken.iter().any(|t| t.visit == *visit);
                holds("INV-3", taken, || format!("{}.{visit} is noted as sent, and no server took it", id.0))
            }
            Event::SequenceEnded => {
                let over =
                    matches!(self.truth.course(w, sequence).state, SequenceState::Ended | SequenceState::Archived);
                holds("ENR-9", over, || format!("{} is finished with its sequence, which goes on", id.0))
            }
            _ => Ok(()),
        }
    }

    /// Does the event end whoever is live, whatever else?
    fn must_end(&self, w: WorkspaceId, event: &Event, sequence: cadenza_core::ids::SequenceId) -> bool {
        let course = self.truth.course(w, sequence);
        let settings = &course.settings;
        match event {
            Event::Stop { .. } | Event::Remove | Event::Erase | Event::MarkStatus { .. } | Event::SequenceEnded => true,
            Event::Complaint { .. } | Event::OptedOutElsewhere { .. } => true,
            Event::Reply { .. } => settings.reply == OnReply::Stop && !course.waits_for(&When::Replied),
            Event::OptOut { reach, .. } => {
                *reach == Reach::Everything || settings.opt_out_suppresses == OptOutSuppresses::Address
            }
            Event::Bounce { class: BounceClass::Hard, .. } => !course.waits_for(&When::Bounced),
            _ => false,
        }
    }

    fn hold(&mut self, w: WorkspaceId, put: &Put, applied: &Applied, seen: &Seen) {
        let before = seen.before.as_ref();
        let live = before.is_some_and(|b| b.is_live());
        let running = before.is_some_and(|b| b.life == Life::Running);
        let course = self.truth.course(w, applied.enrollment.sequence);
        let by_reply = course.settings.reply == OnReply::Pause && !course.waits_for(&When::Replied);
        let by_hand = course.settings.out_of_office.resume == ResumeAfter::ByHand;
        let op = self.op;
        let held = &mut self.truth.story((w, put.enrollment)).held;
        match &put.event {
            Event::Pause => drop(held.entry("pause").or_insert(op)),
            Event::LeftList if live => drop(held.entry("left_list").or_insert(op)),
            Event::Reply { .. } if live && by_reply => drop(held.entry("reply").or_insert(op)),
            Event::OutOfOffice { .. } if running && by_hand => drop(held.entry("out_of_office").or_insert(op)),
            Event::BackOnList => drop(held.remove("left_list")),
            Event::TakeBack { what: Correctable::Reply, .. } => drop(held.remove("reply")),
            Event::TakeBack { what: Correctable::OutOfOffice, .. } => drop(held.remove("out_of_office")),
            Event::Resume => held.retain(|cause, _| *cause == "left_list"),
            Event::Erase => held.clear(),
            _ => {}
        }
    }

    fn silence(&mut self, w: WorkspaceId, put: &Put, applied: &Applied) {
        let (id, op) = (put.enrollment, self.op);
        let (emails, phones) = self.truth.addresses.get(&(w, applied.enrollment.subject)).cloned().unwrap_or_default();
        let whole = |all: Vec<String>| (all, None);
        let (addresses, one) = match &put.event {
            Event::OptOut { reach: Reach::Everything, .. } | Event::MarkStatus { mark: Mark::OptedOut } => {
                whole(emails.into_iter().chain(phones).collect())
            }
            Event::OptOut { channel: Incoming::Text, visit, .. } => (phones, visit.map(|v| (v, Channel::Text))),
            Event::OptOut { visit, .. } | Event::Complaint { visit } => (emails, visit.map(|v| (v, Channel::Email))),
            Event::Bounce { class: BounceClass::Hard, visit: Some(v), .. } => (emails, Some((*v, Channel::Email))),
            _ => return,
        };
        let sent_to = one.and_then(|(visit, channel)| self.sent_to(id, visit, channel));
        match sent_to {
            Some(address) => self.truth.silence(w, &address, op),
            None => addresses.iter().for_each(|address| self.truth.silence(w, address, op)),
        }
    }

    /// Where the last attempt of a visit went, if by this channel.
    fn sent_to(&self, id: EnrollmentId, visit: u32, channel: Channel) -> Option<String> {
        (1..40).rev().find_map(|attempt| {
            let recorded = self.truth.recorded.get(&(id, visit, attempt))?;
            (recorded.channel == channel).then(|| recorded.to.clone())
        })
    }

    /// What may bring a step, or a message, once more.
    fn allow(&mut self, w: WorkspaceId, put: &Put, applied: &Applied, seen: &Seen) {
        let e = &applied.enrollment;
        let unknown = |e: &Enrollment| e.block == Some(BlockReason::DeliveryUnknown);
        if let Some(before) = seen.before.as_ref().filter(|before| unknown(before) && !unknown(e))
            && let Some(place) = &before.place
        {
            self.truth.story((w, e.id)).decided.insert(place.visit);
        }
        match &put.event {
            Event::MoveNow { outside_window: Answer::Yes } => {
                if let Some(place) = &e.place {
                    self.truth.story((w, e.id)).free_of_window.insert(place.visit);
                }
            }
            Event::SendAgain => {
                if let Some(place) = &e.place {
                    *self.truth.story((w, e.id)).again.entry(place.visit).or_default() += 1;
                    self.truth.allow(w, e.subject, e.sequence);
                }
            }
            Event::Erase => self.truth.allow(w, e.subject, e.sequence),
            Event::Jump { .. } => self.truth.excuse(w, e.subject, e.sequence),
            // Tried again as another message.
            Event::Bounce { class: BounceClass::Soft, .. }
                if seen.before.as_ref().is_some_and(|b| b.visits < e.visits) =>
            {
                self.truth.allow(w, e.subject, e.sequence);
            }
            _ => {}
        }
    }

    /// Who ended, and who came back.
    pub fn lives_and_ends(&mut self, w: WorkspaceId, seen: &[Seen]) -> Held<()> {
        let op = self.op;
        for one in seen {
            let Some(before) = &one.before else { continue };
            let (was, is, id) = (before.is_live(), one.after.is_live(), (w, one.after.id));
            let executed = one.after.steps_executed > before.steps_executed;
            if !was && executed && !is {
                self.noted_after_end(w, one)?;
            }
            match (was, is) {
                (true, false) => self.truth.story(id).stopped = Some((op, one.events.join(", "))),
                (false, true) => {
                    let led = one.events.iter().any(|e| REVIVES.contains(&e.as_str()));
                    holds("INV-1", led, || format!("{} lives again after {:?}", id.1.0, one.events))?;
                    self.truth.story(id).stopped = None;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// After its end only the result of what had passed its mark before is noted.
    fn noted_after_end(&mut self, w: WorkspaceId, one: &Seen) -> Held<()> {
        let (id, visit) = (one.after.id, one.after.last_visit);
        let ended = self.truth.story((w, id)).stopped.as_ref().map_or(0, |(op, _)| *op);
        let permit = (1..40).filter_map(|n| self.truth.recorded.get(&(id, visit, n)).and_then(|r| r.permit)).min();
        match permit {
            Some(permit) if permit < ended || self.truth.story((w, id)).is_lost => Ok(()),
            _ => {
                Err(Breach::of("INV-1", format!("{}: visit {visit} executed after its end, by {:?}", id.0, one.events)))
            }
        }
    }
}
