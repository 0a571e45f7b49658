//! What a simulation came to, as lines for people and as lines of JSON for programs. The same simulation gives the same
//! bytes.

use super::world::{Moved, World};
use crate::calendar::Zone;
use crate::flow::Verdict;
use crate::time::Time;
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;

/// Everything that happened, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Timeline {
    /// In which people read the times.
    pub zone: Zone,
    /// Address of each, by the index that the moves name.
    pub contacts: Vec<String>,
    pub moves: Vec<Moved>,
    pub summary: Summary,
}

/// Counts over all contacts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    pub seed: u64,
    pub from: Time,
    pub until: Time,
    pub contacts: usize,
    /// How many stand in each state and reason at the end, as `finished: replied`.
    pub states: BTreeMap<String, usize>,
    pub stages: BTreeMap<&'static str, usize>,
    pub positive: usize,
    pub negative: usize,
    pub emails: u64,
    pub texts: u64,
    pub calls: u64,
    pub tasks: u64,
    pub replies: u64,
    /// Outcomes of the activities of each step, in the order of the flow.
    pub steps: Vec<StepCount>,
    /// When the last thing happened.
    pub last_at: Option<Time>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepCount {
    pub step: String,
    pub outcomes: BTreeMap<String, usize>,
}

impl Summary {
    pub(super) fn of(world: &World, seed: u64, from: Time, until: Time) -> Summary {
        let mut states: BTreeMap<String, usize> = BTreeMap::new();
        let mut stages: BTreeMap<&'static str, usize> = BTreeMap::new();
        let (mut positive, mut negative) = (0, 0);
        let sum = |of: fn(&crate::enrollment::Enrollment) -> u32| -> u64 {
            world.enrollments.iter().map(|e| u64::from(of(e))).sum()
        };
        for e in &world.enrollments {
            let (state, reason) = e.state(world.sequence.state);
            *states.entry(format!("{state}: {reason}")).or_default() += 1;
            let days = world.sequence.settings.unresponsive_days;
            *stages.entry(e.stage(world.sequence.state, days, until).as_str()).or_default() += 1;
            match e.outcome {
                Verdict::Positive => positive += 1,
                Verdict::Negative => negative += 1,
                Verdict::None => {}
            }
        }
        let mut steps: Vec<StepCount> =
            world.flow.steps().map(|s| StepCount { step: s.key.to_string(), outcomes: BTreeMap::new() }).collect();
        for done in world.timeline.iter().filter_map(|m| m.done.as_ref()) {
            if let Some(count) = steps.iter_mut().find(|s| s.step == done.step.as_str()) {
                *count.outcomes.entry(done.outcome.to_string()).or_default() += 1;
            }
        }
        Summary {
            seed,
            from,
            until,
            contacts: world.enrollments.len(),
            states,
            stages,
            positive,
            negative,
            emails: sum(|e| e.emails),
            texts: sum(|e| e.texts),
            calls: sum(|e| e.calls),
            tasks: sum(|e| e.tasks),
            replies: sum(|e| e.replies),
            steps,
            last_at: world.timeline.last().map(|m| m.at),
        }
    }
}

impl Timeline {
    /// One JSON object for each move, then one with the summary under `summary`.
    ///
    /// Fields of a move: `at`, `contact`, `event`, `cause`, `done` (`step`, `visit`, `outcome` of the activity that ended),
    /// `step` and `visit` (where it stands afterwards), `state`, `reason`, `next_at`.
    pub fn json(&self) -> impl Iterator<Item = String> {
        let moves = self.moves.iter().map(|m| {
            let done = m.done.as_ref();
            json!({
                "at": m.at,
                "contact": self.contact(m),
                "event": m.event,
                "cause": m.cause,
                "done": done.map(|d| json!({"step": d.step, "visit": d.visit, "outcome": d.outcome})),
                "step": m.step,
                "visit": m.visit,
                "state": m.state,
                "reason": m.reason.as_str(),
                "next_at": m.next_at,
            })
            .to_string()
        });
        moves.chain(std::iter::once_with(|| json!({"summary": self.summary}).to_string()))
    }

    /// For people: what happened to whom, and what comes next. The sender's own moves, which every send has, are left out.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        let width = self.contacts.iter().map(|c| c.chars().count()).max().unwrap_or(0).min(40);
        let head = format!("Times are those of {}.", self.zone.name());
        let moves = self.moves.iter().filter(|m| is_told(m)).map(move |m| {
            let next = match (m.next_at, &m.step) {
                (Some(t), Some(step)) => format!("; {step} at {}", self.local(t)),
                (Some(t), None) => format!("; next at {}", self.local(t)),
                _ => String::new(),
            };
            let state = format!("{} ({})", m.state, m.reason);
            format!("{:19}  {:width$}  {:34}  {state}{next}", self.local(m.at), self.contact(m), what(m))
        });
        std::iter::once(head).chain(moves).chain(self.summary_lines())
    }

    fn contact(&self, m: &Moved) -> &str {
        self.contacts.get(m.who).map_or("", String::as_str)
    }

    fn local(&self, t: Time) -> String {
        self.zone.wall(t).to_string()
    }

    fn summary_lines(&self) -> Vec<String> {
        let s = &self.summary;
        let mut lines = vec![String::new(), format!("{} contacts, seed {}", s.contacts, s.seed)];
        lines.extend(s.states.iter().map(|(state, n)| format!("{n:>7}  {state}")));
        lines.push(format!("{:>7}  with a positive outcome, {} with a negative one", s.positive, s.negative));
        let sums = [("emails", s.emails), ("texts", s.texts), ("calls", s.calls), ("replies", s.replies)];
        lines.push(sums.map(|(name, n)| format!("{n} {name}")).join(", "));
        for step in s.steps.iter().filter(|s| !s.outcomes.is_empty()) {
            let outcomes: Vec<String> = step.outcomes.iter().map(|(o, n)| format!("{n} {o}")).collect();
            lines.push(format!("  {:20} {}", step.step, outcomes.join(", ")));
        }
        lines
    }
}

/// Claims, final marks and turns in a queue say nothing that the sending does not say.
fn is_told(m: &Moved) -> bool {
    match m.event {
        "dot_mark" => false,
        "wake" | "drawn" => m.done.is_some() || !matches!(m.cause, None | Some("claimed" | "lined_up" | "drawn")),
        _ => true,
    }
}

fn what(m: &Moved) -> String {
    let event = match m.event {
        "wake" | "drawn" => String::new(),
        other => other.replace('_', " "),
    };
    let cause = m.cause.map(|c| c.replace('_', " "));
    match (&m.done, cause) {
        (Some(done), _) if event == "sent" => format!("{} sent", done.step),
        (Some(done), Some(cause)) if event.is_empty() => format!("{} {} ({cause})", done.step, done.outcome),
        (Some(done), _) if event.is_empty() => format!("{} {}", done.step, done.outcome),
        (Some(done), _) => format!("{event}: {} {}", done.step, done.outcome),
        (None, Some(cause)) if event.is_empty() => cause,
        (None, Some(cause)) => format!("{event} ({cause})"),
        (None, None) if event.is_empty() => "planned".into(),
        (None, None) => event,
    }
}
