//! What goes wrong beside the database and the mail servers: the process ends without a word, the clock jumps, the database is
//! put back as it was days ago.

use crate::breach::Held;
use crate::house::{USERS, WORKSPACES};
use crate::plant::Plant;
use crate::world::{Happening, World};
use cadenza_core::enrollment::Subject;
use cadenza_core::ids::EnrollmentId;
use cadenza_core::machine::{Actor, Event, StopReason};
use cadenza_core::time::Span;
use cadenza_store::door::{self, Put};
use cadenza_store::{contacts, flows, sequences, workspaces};
use std::path::{Path, PathBuf};

impl World {
    pub fn some_days(&mut self, days: i64) -> Span {
        self.chance.span(Span::hours(days * 6), Span::hours(days * 42))
    }

    /// The first of each; the next follows from it.
    pub fn plan_faults(&mut self) {
        let faults = self.scenario.faults;
        for (days, what) in [
            (faults.crash_days, Happening::Kill),
            (faults.jump_days, Happening::Jump),
            (faults.pause_days, Happening::Joins),
            (faults.restore_days, Happening::Snapshot),
        ] {
            if days > 0 {
                let after = self.some_days(days);
                self.happens(after, what);
            }
        }
    }

    pub fn killed(&mut self) -> Held<()> {
        if self.is_over {
            return Ok(());
        }
        let after = self.some_days(self.scenario.faults.crash_days);
        self.happens(after, Happening::Kill);
        if self.end_before.is_none() && self.chance.percent(50) {
            self.end_before = Some(self.some_moment());
        } else if self.node.is_up {
            self.coverage.note("end at any moment", self.under_way());
            self.kill();
        }
        Ok(())
    }

    /// The process ends: what it knew is gone, what it committed is not.
    pub fn kill(&mut self) {
        self.trace.line(self.now, format_args!("killed"));
        self.beat();
        let run = self.next_run();
        self.node.vanish(run);
        match self.earlier.take().filter(|_| self.scenario.is(Plant::CommitLostInCrash)) {
            // The database lives on with the other one.
            _ if self.other_is_there() => {}
            Some(path) => self.stage.go_back(&path),
            None => self.stage.kill(),
        }
        let down = match self.chance.below(10) {
            0 => self.chance.span(Span::hours(20), Span::hours(60)),
            1 | 2 => self.chance.span(Span::hours(1), Span::hours(9)),
            _ => self.chance.span(Span::seconds(2), Span::minutes(20)),
        };
        self.happens(down, Happening::Start);
    }

    /// The clock was wrong, or the machine asleep.
    pub fn jump(&mut self) -> Held<()> {
        if self.is_over {
            return Ok(());
        }
        let after = self.some_days(self.scenario.faults.jump_days);
        self.happens(after, Happening::Jump);
        let far = match self.chance.below(3) {
            0 => self.chance.span(Span::seconds(2), Span::minutes(9)),
            1 => self.chance.span(Span::hours(1), Span::hours(8)),
            _ => self.chance.span(Span::hours(9), Span::hours(50)),
        };
        self.coverage.note("clock jumps", self.under_way());
        self.trace.line(self.now, format_args!("the clock jumps by {} s", far.as_seconds()));
        self.now = self.now + far;
        // Everything is late at once, and none of it for want of looking.
        for node in [Some(&mut self.node), self.other.as_mut()].into_iter().flatten() {
            node.up_since = node.up_since.max(self.now);
        }
        Ok(())
    }

    pub fn snapshot(&mut self) -> Held<()> {
        if self.is_over {
            return Ok(());
        }
        let after = self.some_days(self.scenario.faults.restore_days);
        self.happens(after, Happening::Snapshot);
        if let Some(path) = self.stage.snapshot() {
            (self.snapshot_at, self.snapshot_op) = (self.now, self.op);
            let later = self.chance.span(Span::hours(1), Span::hours(70));
            self.happens(later, Happening::GoBack(path));
        }
        Ok(())
    }

    /// The database is put back; what was sent since stays sent.
    pub fn go_back(&mut self, path: &PathBuf) -> Held<()> {
        if self.is_over {
            return Ok(());
        }
        if self.op == self.snapshot_op && !self.node.is_up && !self.other_is_there() {
            // It is what it was: nothing has happened since.
            return Ok(());
        }
        self.coverage.note("database put back", self.under_way());
        self.trace.line(self.now, format_args!("the database is put back"));
        self.beat();
        let run = self.next_run();
        self.node.vanish(run);
        self.other = None;
        self.stage.go_back(Path::new(path));
        self.shadows.clear();
        self.truth.is_held = true;
        self.truth.went_back(self.snapshot_at);
        self.happens(Span::minutes(3), Happening::Start);
        let looked_into = self.chance.span(Span::hours(1), Span::hours(20));
        self.happens(looked_into, Happening::Released);
        Ok(())
    }

    /// After the first look at a database that was put back: what it says is what is on record now.
    pub fn learn_anew(&mut self) -> Held<()> {
        for w in WORKSPACES {
            for s in self.read(|q| sequences::all(q, w))? {
                let op = self.op;
                self.truth.rests(w, s.id, s.state, op);
                let flows = self.read(|q| {
                    let versions = flows::versions(q, w, s.id)?;
                    versions.iter().map(|v| Ok((v.version, flows::flow_at(q, w, s.id, v.version)?))).collect()
                })?;
                let course = self.truth.course_mut(w, s.id);
                (course.end, course.settings, course.flows) = (s.end, s.settings.clone(), flows);
            }
            for (_, contact) in self.house.contacts.iter_mut().filter(|(of, _)| *of == w) {
                *contact = self.stage.db().read(|q| contacts::get(q, w, contact.id))?;
                let emails = contact.emails.iter().map(|a| a.value.clone()).collect();
                self.truth.addresses.entry((w, Subject::Contact(contact.id))).or_default().0 = emails;
            }
        }
        let op = self.op;
        for (id, shadow) in &self.shadows.of {
            let story = self.truth.stories.entry(*id).or_default();
            story.stopped = (!shadow.e.is_live()).then(|| (op, "so it was put back".to_owned()));
        }
        Ok(())
    }

    /// A person has looked into it: those to whom something was sent since are stopped, then all is let go.
    pub fn release(&mut self) -> Held<()> {
        if !self.truth.is_held {
            return Ok(());
        }
        if !self.node.is_up {
            self.happens(Span::minutes(10), Happening::Released);
            return Ok(());
        }
        for w in WORKSPACES {
            let mut lost: Vec<EnrollmentId> = (self.truth.stories.iter())
                .filter(|((of, id), story)| *of == w && story.is_lost && self.shadows.knows(w, *id))
                .map(|((_, id), _)| *id)
                .collect();
            lost.sort_unstable();
            let stop = |enrollment| Put {
                enrollment,
                event: Event::Stop { reason: StopReason::Other },
                actor: Actor::User(USERS[0]),
            };
            let puts: Vec<Put> = lost.into_iter().map(stop).collect();
            if !puts.is_empty() && !self.put("user", w, puts)?.is_done() {
                self.happens(Span::minutes(10), Happening::Released);
                return Ok(());
            }
        }
        let now = self.now;
        let told = self.commit(
            "user",
            move |_, tx| {
                WORKSPACES.into_iter().try_for_each(|w| {
                    workspaces::set_restore_hold(tx, w, false)?;
                    door::rouse_workspace(tx, w, now).map(drop)
                })
            },
            |world, ()| {
                world.truth.is_held = false;
                Ok(())
            },
        )?;
        if !told.is_done() {
            self.happens(Span::minutes(10), Happening::Released);
        }
        Ok(())
    }

    /// At the end of a run: whatever waits for a person that only a fault had made wait.
    pub fn let_all_go(&mut self) -> Held<()> {
        if self.truth.is_held {
            self.happens(Span::hours(1), Happening::Released);
        }
        Ok(())
    }
}
