//! INV-5 and INV-7: every counter of a sequence equals what is counted here of its enrollments, change by change; the recount
//! of all rows by the product itself comes with the look at everything.

use super::rows::Seen;
use crate::breach::{Held, holds};
use crate::world::World;
use cadenza_core::enrollment::{Enrollment, Finish, Life, SequenceState, State};
use cadenza_core::flow::Verdict;
use cadenza_core::ids::{SequenceId, WorkspaceId};
use std::collections::{BTreeMap, BTreeSet};

/// Transactions between two comparisons where days are to be many.
const EVERY: u32 = 40;

const STATES: [&str; 6] =
    ["state:pending", "state:active", "state:blocked", "state:paused", "state:finished", "state:removed"];

fn state_of(e: &Enrollment) -> &'static str {
    STATES[match e.state(SequenceState::Active).0 {
        State::Pending => 0,
        State::Active => 1,
        State::Blocked => 2,
        State::Paused => 3,
        State::Finished => 4,
        State::Removed => 5,
    }]
}

/// What one enrollment adds to the figures, told apart from the product's own list of them.
fn figures(e: &Enrollment) -> [(&'static str, i64); 15] {
    let touched = e.emails > 0 || e.texts > 0 || e.calls > 0;
    let completed = e.life == Life::Finished && e.finish == Some(Finish::Completed);
    [
        ("enrolled", 1),
        ("contacted", i64::from(touched)),
        ("in_progress", i64::from(matches!(e.life, Life::Pending | Life::Running) && e.steps_executed > 0)),
        ("completed", i64::from(completed)),
        ("emails", i64::from(e.emails)),
        ("texts", i64::from(e.texts)),
        ("opened", i64::from(e.opens > 0)),
        ("clicked", i64::from(e.clicks > 0)),
        ("replied", i64::from(e.replies > 0)),
        ("bounced", i64::from(e.bounced)),
        ("opted_out", i64::from(e.opted_out)),
        ("positive", i64::from(e.outcome == Verdict::Positive)),
        ("negative", i64::from(e.outcome == Verdict::Negative)),
        ("steps_executed", i64::from(e.steps_executed)),
        (state_of(e), 1),
    ]
}

impl World {
    pub fn count(&mut self, w: WorkspaceId, seen: &[Seen]) -> Held<()> {
        let mut touched = BTreeSet::new();
        for one in seen {
            let sequence = one.after.sequence;
            touched.insert(sequence);
            let counted = self.shadows.counted.entry((w, sequence)).or_default();
            for (name, n) in one.before.iter().flat_map(figures) {
                *counted.entry(name).or_default() -= n;
            }
            for (name, n) in figures(&one.after) {
                *counted.entry(name).or_default() += n;
            }
        }
        self.shadows.uncompared += 1;
        if self.scenario.plain && self.shadows.uncompared < EVERY {
            return Ok(());
        }
        self.shadows.uncompared = 0;
        touched.into_iter().try_for_each(|sequence| self.compare(w, sequence))
    }

    pub fn compare(&mut self, w: WorkspaceId, sequence: SequenceId) -> Held<()> {
        let stored: BTreeMap<String, i64> = self.read(|q| {
            let sql = "SELECT name, SUM(n) FROM counter WHERE workspace_id = $1 AND sequence_id = $2 AND step = ''
                GROUP BY name";
            let rows = q.query(sql, &[w.into(), sequence.into()])?;
            rows.iter().map(|row| Ok((row.text(0)?.to_owned(), row.int(1)?))).collect()
        })?;
        let counted = self.shadows.counted.get(&(w, sequence)).cloned().unwrap_or_default();
        for (name, n) in &counted {
            let kept = stored.get(*name).copied().unwrap_or(0);
            holds("INV-5", kept == *n, || format!("{name} of sequence {}: counted {n}, kept {kept}", sequence.0))?;
        }
        let enrolled = stored.get("enrolled").copied().unwrap_or(0);
        let in_states: i64 = STATES.iter().filter_map(|name| stored.get(*name)).sum();
        holds("INV-7", enrolled == in_states, || format!("enrolled {enrolled}, in states {in_states}"))
    }
}
