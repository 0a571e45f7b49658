//! The checkers of SPEC §13. After every transaction: the enrollments it concerned, row by row and line by line. Now and then,
//! and at the end: everything. `rows` keeps what was last seen of each and folds its history, `stories` follows what is said to
//! whom, `sending` judges marks and dots, `counters` counts, `whole` looks at all.

mod counters;
mod rows;
mod sending;
mod stories;
mod whole;

pub use rows::{Seen, Shadows};

use crate::breach::{Held, holds};
use crate::world::World;
use cadenza_core::enrollment::Subject;
use cadenza_core::ids::{EnrollmentId, WorkspaceId};
use cadenza_core::machine::Event;
use cadenza_store::door::{Advanced, OpenSend, Put, SettledLost};
use std::collections::BTreeSet;

/// Events that may say something to a person's other enrollments, and to colleagues.
fn spreads(event: &Event) -> bool {
    matches!(
        event,
        Event::Reply { .. }
            | Event::OptOut { .. }
            | Event::Complaint { .. }
            | Event::Bounce { .. }
            | Event::MarkStatus { .. }
            | Event::Refused { .. }
    )
}

impl World {
    /// What came of events that are on record now.
    pub fn note(&mut self, w: WorkspaceId, puts: &[Put], answers: &[Advanced]) -> Held<()> {
        let mut touched: BTreeSet<EnrollmentId> = BTreeSet::new();
        for (put, answer) in puts.iter().zip(answers) {
            self.trace_put(put, answer);
            touched.insert(put.enrollment);
            let Ok(applied) = answer else { continue };
            applied.outgoing.iter().for_each(|message| self.truth.records(message));
            let e = &applied.enrollment;
            if spreads(&put.event) || self.truth.course(w, e.sequence).opts_out() {
                touched.extend(self.shadows.relatives(w, e.subject));
            }
        }
        let seen = self.look_at(w, touched.into_iter().collect())?;
        for (put, answer) in puts.iter().zip(answers) {
            if let (Ok(applied), Some(seen)) = (answer, seen.iter().find(|s| s.after.id == put.enrollment)) {
                self.follow(w, put, applied, seen)?;
            }
        }
        self.lives_and_ends(w, &seen)
    }

    /// What became of attempts that a run left which is over.
    pub fn note_settled(
        &mut self,
        phase: &'static str,
        w: WorkspaceId,
        lost: &[OpenSend],
        settled: SettledLost,
    ) -> Held<()> {
        let mut touched: BTreeSet<EnrollmentId> = lost.iter().map(|send| send.enrollment).collect();
        for send in lost {
            let Some(shadow) = self.shadows.of.get(&(w, send.enrollment)) else { continue };
            if self.truth.course(w, shadow.e.sequence).opts_out() {
                touched.extend(self.shadows.relatives(w, shadow.e.subject));
            }
        }
        for (fault, n) in [("due again", settled.again), ("unknown", settled.unknown), ("found as sent", settled.sent)]
        {
            self.trace.line(self.now, format_args!("{phase}: {n} {fault}"));
            (0..n).for_each(|_| self.coverage.note(fault, phase));
        }
        let seen = self.look_at(w, touched.into_iter().collect())?;
        for send in lost {
            let (id, visit) = (send.enrollment, send.visit);
            let Some(one) = seen.iter().find(|seen| seen.after.id == id) else { continue };
            let told = |name: &str| one.events.iter().any(|event| event == name);
            let taken = self.truth.story((w, id)).taken.iter().any(|taken| taken.visit == visit);
            holds("INV-3", !told("sent") || taken, || {
                format!("{}.{visit} is found as sent, and nobody took it", id.0)
            })?;
            let given_back = told("returned") && send.marked;
            holds("SND-5", !given_back, || format!("{}.{visit} is due again, and was past its mark", id.0))?;
        }
        self.lives_and_ends(w, &seen)
    }

    /// Everybody of the subject of an enrollment: something was done beyond it.
    pub fn note_subject_of(&mut self, w: WorkspaceId, id: EnrollmentId) -> Held<()> {
        let Some(subject) = self.shadows.subject(w, id) else { return Ok(()) };
        self.note_subject(w, subject)
    }

    pub fn note_subject(&mut self, w: WorkspaceId, subject: Subject) -> Held<()> {
        let ids = self.read(|q| cadenza_store::door::enrollments_of(q, w, subject))?;
        let seen = self.look_at(w, ids.into_iter().map(|e| e.id).collect())?;
        self.lives_and_ends(w, &seen)
    }

    /// What became of some, whatever was done to them.
    pub fn note_ids(&mut self, w: WorkspaceId, ids: Vec<EnrollmentId>) -> Held<()> {
        let ids: BTreeSet<EnrollmentId> = ids.into_iter().collect();
        let seen = self.look_at(w, ids.into_iter().collect())?;
        self.lives_and_ends(w, &seen)
    }

    /// Reads what is there of some enrollments now, and judges each.
    fn look_at(&mut self, w: WorkspaceId, ids: Vec<EnrollmentId>) -> Held<Vec<Seen>> {
        let mut shadows = std::mem::take(&mut self.shadows);
        let seen = self.read(|q| shadows.look(q, w, &ids));
        self.shadows = shadows;
        let seen = seen??;
        for one in &seen {
            self.judge(w, one)?;
        }
        self.count(w, &seen)?;
        Ok(seen)
    }

    fn trace_put(&mut self, put: &Put, answer: &Advanced) {
        let (id, name) = (put.enrollment.0, put.event.name());
        match answer {
            Ok(applied) => {
                let (state, reason) = (applied.state, applied.reason);
                self.trace.line(self.now, format_args!("{id} {name}: {state} {reason}"));
            }
            Err(refusal) => self.trace.line(self.now, format_args!("{id} {name}: refused {}", refusal.code())),
        }
    }
}
