//! Counters: what a change adds to the figures of its sequence and step. Every counter is a sum over transitions, so that a
//! recount of the rows gives the same (INV-5); the recount itself is in `recount`.

use crate::hashed::HashMap;
use cadenza_core::enrollment::{Enrollment, SequenceState, State};
use cadenza_core::flow::Verdict;
use cadenza_core::ids::SequenceId;
use cadenza_core::machine::{Effect, Settled};

/// Sums of one batch, to be added to the stored ones.
#[derive(Debug, Default)]
pub(super) struct Counts {
    sums: HashMap<(SequenceId, String, &'static str), i64>,
}

impl Counts {
    /// `step` is empty for figures of the whole sequence.
    pub fn add(&mut self, sequence: SequenceId, step: &str, name: &'static str, n: i64) {
        if n != 0 {
            *self.sums.entry((sequence, step.to_owned(), name)).or_default() += n;
        }
    }

    /// What one transition adds. `before` is `None` for an enrollment that was just made.
    pub fn transition(&mut self, before: Option<&Enrollment>, after: &Enrollment, effects: &[Effect]) {
        let sequence = after.sequence;
        for figure in FIGURES {
            let old = before.map_or(0, figure.of);
            self.add(sequence, "", figure.name, (figure.of)(after) - old);
        }
        let state = |e: &Enrollment| e.state(SequenceState::Active).0;
        let (old, new) = (before.map(state), state(after));
        if old != Some(new) {
            if let Some(old) = old {
                self.add(sequence, "", state_name(old), -1);
            }
            self.add(sequence, "", state_name(new), 1);
        }
        for effect in effects {
            match effect {
                Effect::Close { visit, outcome, .. } => {
                    let step = step_of(before, after, *visit);
                    self.add(sequence, step, closed_name(outcome), 1);
                }
                Effect::Settle { visit, how: Settled::Sent, .. } => {
                    let step = step_of(before, after, *visit);
                    self.add(sequence, step, "sent", 1);
                }
                _ => {}
            }
        }
    }

    pub fn take(&mut self) -> Vec<((SequenceId, String, &'static str), i64)> {
        let mut sums: Vec<_> = self.sums.drain().filter(|(_, n)| *n != 0).collect();
        // In a fixed order: two writers that add to the same rows never wait for each other in a circle.
        sums.sort_by(|a, b| a.0.cmp(&b.0));
        sums
    }
}

struct Figure {
    name: &'static str,
    of: fn(&Enrollment) -> i64,
}

/// Figures of a sequence that are sums over its enrollments' rows.
const FIGURES: &[Figure] = &[
    Figure { name: "enrolled", of: |_| 1 },
    Figure { name: "contacted", of: |e| i64::from(e.emails + e.texts + e.calls > 0) },
    Figure { name: "in_progress", of: |e| i64::from(e.is_live() && e.steps_executed > 0) },
    Figure { name: "completed", of: |e| i64::from(finished_as(e, "completed")) },
    Figure { name: "emails", of: |e| i64::from(e.emails) },
    Figure { name: "texts", of: |e| i64::from(e.texts) },
    Figure { name: "opened", of: |e| i64::from(e.opens > 0) },
    Figure { name: "clicked", of: |e| i64::from(e.clicks > 0) },
    Figure { name: "replied", of: |e| i64::from(e.replies > 0) },
    Figure { name: "bounced", of: |e| i64::from(e.bounced) },
    Figure { name: "opted_out", of: |e| i64::from(e.opted_out) },
    Figure { name: "positive", of: |e| i64::from(e.outcome == Verdict::Positive) },
    Figure { name: "negative", of: |e| i64::from(e.outcome == Verdict::Negative) },
    Figure { name: "steps_executed", of: |e| i64::from(e.steps_executed) },
];

fn finished_as(e: &Enrollment, word: &str) -> bool {
    e.finish.is_some_and(|f| f.as_str() == word) && e.life == cadenza_core::enrollment::Life::Finished
}

pub(super) fn state_name(state: State) -> &'static str {
    match state {
        State::Pending => "state:pending",
        State::Active => "state:active",
        State::Blocked => "state:blocked",
        State::Paused => "state:paused",
        State::Finished => "state:finished",
        State::Removed => "state:removed",
    }
}

fn closed_name(outcome: &cadenza_core::flow::Outcome) -> &'static str {
    use cadenza_core::flow::Outcome;
    match outcome {
        Outcome::Cancelled => "closed:cancelled",
        Outcome::Skipped => "closed:skipped",
        Outcome::Failed => "closed:failed",
        _ => "done",
    }
}

/// The step of a visit that a transition closed: it was the current one, or has just become the last.
fn step_of<'a>(before: Option<&'a Enrollment>, after: &'a Enrollment, visit: u32) -> &'a str {
    let current = before.and_then(|e| e.place.as_ref()).filter(|p| p.visit == visit);
    match current {
        Some(place) => place.step.as_str(),
        None => after.last_step.as_ref().map_or("", |k| k.as_str()),
    }
}

/// The names of the figures that a recount of the enrollments' rows gives.
pub(super) fn figures(e: &Enrollment) -> impl Iterator<Item = (&'static str, i64)> {
    FIGURES.iter().map(move |f| (f.name, (f.of)(e)))
}
