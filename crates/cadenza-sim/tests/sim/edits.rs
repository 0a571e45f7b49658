//! Edits while people are in it: another delay, steps that come and go under a paused sequence, an address that changes. What
//! an edit means for those in flight is asked of the product, and done as its job does it.

use crate::breach::Held;
use crate::house::USERS;
use crate::world::World;
use cadenza_core::calendar::{Delay, DelayUnit};
use cadenza_core::enrollment::{SequenceState, Subject};
use cadenza_core::flow::edit::{Edit, Movers};
use cadenza_core::flow::{AddressKind, Flow, Key, StepKind, Then};
use cadenza_core::ids::{EnrollmentId, SequenceId, WorkspaceId};
use cadenza_core::machine::{Actor, Event};
use cadenza_store::addresses::TypedAddress;
use cadenza_store::door::{self, Mended, Put};
use cadenza_store::{contacts, sequences};

impl World {
    /// A flow is edited: its timing at any time, its structure where it is paused.
    pub fn edit(&mut self, w: WorkspaceId, id: SequenceId) -> Held<()> {
        let state = self.truth.course(w, id).state;
        if matches!(state, SequenceState::Ended | SequenceState::Archived) {
            return Ok(());
        }
        let mut flow = self.truth.course(w, id).newest().clone();
        let touched = if state == SequenceState::Paused && self.chance.percent(60) {
            self.edit_structure(&mut flow);
            Vec::new()
        } else {
            self.edit_timing(&mut flow)
        };
        let (now, saved) = (self.now, flow.clone());
        let told = self.commit(
            "user",
            move |_, tx| sequences::save_flow(tx, w, id, &saved, USERS[0], now),
            |world, saved| {
                let flow = Flow { version: saved.version, ..flow };
                world.truth.course_mut(w, id).flows.insert(saved.version, flow);
                Ok(())
            },
        )?;
        if told.is_done() { self.follow_edit(w, id, &touched) } else { Ok(()) }
    }

    fn edit_timing(&mut self, flow: &mut Flow) -> Vec<Key> {
        let days = self.chance.below(5) as u32;
        let branch = self.chance.below(flow.branches.len() as u64) as usize;
        let nth = self.chance.below(flow.branches[branch].steps.len() as u64) as usize;
        let step = &mut flow.branches[branch].steps[nth];
        step.content.delay = Delay::new(days, DelayUnit::Days).unwrap();
        vec![step.key.clone()]
    }

    /// A step more, or one less.
    fn edit_structure(&mut self, flow: &mut Flow) {
        let key = format!("n{}", flow.version);
        let branch = self.chance.below(flow.branches.len() as u64) as usize;
        let nth = self.chance.below(flow.branches[branch].steps.len() as u64) as usize;
        let steps = &mut flow.branches[branch].steps;
        if steps.len() < 2 || self.chance.percent(40) {
            let kind = *self.chance.pick(&[StepKind::EmailAuto, StepKind::Task, StepKind::SmsAuto]);
            steps.insert(nth, crate::case::step(&key, kind, Delay::new(1, DelayUnit::Days).unwrap(), Vec::new()));
            return;
        }
        let gone = steps.remove(nth).key;
        for condition in flow.branches.iter_mut().flat_map(|b| &mut b.steps).flat_map(|s| &mut s.conditions) {
            if matches!(&condition.then, Then::Step { step, .. } if *step == gone) {
                condition.then = Then::Next;
            }
        }
    }

    fn follow_edit(&mut self, w: WorkspaceId, id: SequenceId, touched: &[Key]) -> Held<()> {
        let movers = *self.chance.pick(&Movers::ALL);
        let mut after: Option<EnrollmentId> = None;
        loop {
            let all = self.read(|q| door::standings(q, w, id, after, 200))?;
            let Some(last) = all.last() else { return Ok(()) };
            after = Some(last.enrollment);
            let course = self.truth.course(w, id);
            let new = course.newest();
            let mut puts = Vec::new();
            for one in &all {
                let mut put =
                    |event| puts.push(Put { enrollment: one.enrollment, event, actor: Actor::User(USERS[0]) });
                let old = course.flow(one.version).filter(|old| old.version != new.version);
                let fate = old.map(|old| Edit { old, new }.fate(&one.standing, movers)).filter(|fate| fate.moves());
                if let Some(fate) = fate {
                    put(Event::MoveToVersion { version: new.version, stand: fate.stand().cloned() });
                }
                if one.standing.place.as_ref().is_some_and(|place| touched.contains(place)) {
                    put(Event::Retimed);
                }
            }
            if !puts.is_empty() && !self.put("user", w, puts)?.is_done() {
                return Ok(());
            }
        }
    }

    /// A contact has another address, or none any more, or one at last; whoever waited for it is asked again.
    pub fn readdress(&mut self, w: WorkspaceId) -> Held<()> {
        let of_here: Vec<usize> = (0..self.house.contacts.len()).filter(|n| self.house.contacts[*n].0 == w).collect();
        let nth = *self.chance.pick(&of_here);
        let mut contact = self.house.contacts[nth].1.clone();
        let (n, op) = (contact.id.0 - 1, self.op);
        let company = contact.company.map_or(0, |c| c.0 - 1);
        contact.emails = if self.chance.percent(15) {
            Vec::new()
        } else {
            vec![TypedAddress { kind: AddressKind::Work, value: format!("p{n}.{op}@c{company}.w{}.example", w.0) }]
        };
        let (now, new) = (self.now, contact.clone());
        let told = self.commit(
            "user",
            move |_, tx| contacts::update(tx, w, &new, now),
            |world, ()| {
                let emails = contact.emails.iter().map(|a| a.value.clone()).collect();
                world.truth.addresses.entry((w, Subject::Contact(contact.id))).or_default().0 = emails;
                world.house.contacts[nth].1 = contact.clone();
                Ok(())
            },
        )?;
        if told.is_done() { self.mend(w, Mended::Record(Subject::Contact(contact.id))) } else { Ok(()) }
    }

    /// Asks those again whom something had blocked.
    pub fn mend(&mut self, w: WorkspaceId, what: Mended) -> Held<()> {
        let (mut after, now) = (None, self.now);
        while self.node.is_up {
            let from = after;
            let told = self.commit(
                "user",
                move |door, tx| door.mend(tx, w, what, from, 200, now),
                |world, mended| {
                    let answers: Vec<_> = mended.iter().map(|(_, answer)| answer.clone()).collect();
                    let put = |id| Put { enrollment: id, event: Event::Mended, actor: Actor::Engine };
                    let puts: Vec<Put> = mended.iter().map(|(id, _)| put(*id)).collect();
                    world.note(w, &puts, &answers)
                },
            )?;
            let Some(mended) = told.done() else { return Ok(()) };
            after = mended.last().map(|(id, _)| *id);
            let count = mended.len();
            self.hand_over(mended.into_iter().map(|(_, answer)| answer).collect());
            if count < 200 {
                return Ok(());
            }
        }
        Ok(())
    }
}
