//! The look at everything: what is on record is still there as it was (INV-6), nobody stands still without a reason (INV-4),
//! histories only grew (INV-5), all recounts agree (INV-5, INV-7), no row stands in another's workspace (INV-8).

use crate::breach::{Breach, Held, holds};
use crate::house::WORKSPACES;
use crate::world::World;
use cadenza_core::ids::{EnrollmentId, WorkspaceId};
use cadenza_core::time::{Span, Time};
use cadenza_store::door;

/// INV-4.
const OVERDUE: Span = Span::minutes(5);
/// The engine looks for lines that rest every ten minutes; one that takes over from another, in ten minutes again.
const RESTS_AT_MOST: Span = Span::minutes(22);
/// A message is recorded, and whoever has it is not done with it after that.
const UNDER_WAY_MAX: Span = Span::hours(6);

impl World {
    pub fn whole(&mut self) -> Held<()> {
        for w in WORKSPACES {
            self.as_it_was(w)?;
            self.lines_are_there(w)?;
            let sequences: Vec<_> = self.truth.courses.keys().filter(|(of, _)| *of == w).map(|(_, id)| *id).collect();
            for id in sequences {
                self.compare(w, id)?;
                if self.is_over {
                    self.recounts(w, id)?;
                }
            }
        }
        self.at_home()?;
        self.in_one_hand()?;
        if let Some(since) = self.tended_since().filter(|since| self.now - *since > OVERDUE) {
            self.nobody_is_overdue(since)?;
            self.nobody_is_forgotten()?;
        }
        Ok(())
    }

    /// Nothing changed but by the transactions that said so.
    fn as_it_was(&mut self, w: WorkspaceId) -> Held<()> {
        let ids: Vec<EnrollmentId> = self.read(|q| {
            let rows = q.query("SELECT id FROM enrollment WHERE workspace_id = $1 ORDER BY id", &[w.into()])?;
            rows.iter().map(|row| row.int(0).map(EnrollmentId)).collect()
        })?;
        let known = self.shadows.of.keys().filter(|(of, _)| *of == w).count();
        holds("INV-6", known <= ids.len(), || format!("{known} enrollments were on record, {} are there", ids.len()))?;
        for chunk in ids.chunks(500) {
            for seen in self.look_at(w, chunk.to_vec())? {
                let Some(mut before) = seen.before else { continue };
                before.version = seen.after.version;
                let same = before == seen.after;
                holds("INV-6", same, || {
                    let id = seen.after.id.0;
                    format!("{id} is not what it was: {:?}, last seen as {before:?}, now {:?}", seen.events, seen.after)
                })?;
            }
        }
        let known_now = self.shadows.of.keys().filter(|(of, _)| *of == w).count();
        holds("INV-6", known_now == ids.len(), || {
            format!("{known_now} enrollments are on record, {} are there", ids.len())
        })
    }

    /// No line of any history went, and none was added that nobody saw.
    fn lines_are_there(&mut self, w: WorkspaceId) -> Held<()> {
        let counts: Vec<(i64, i64, i64)> = self.read(|q| {
            let sql = "SELECT enrollment_id, COUNT(*), MAX(version) FROM history WHERE workspace_id = $1 GROUP BY enrollment_id";
            let rows = q.query(sql, &[w.into()])?;
            rows.iter().map(|row| Ok((row.int(0)?, row.int(1)?, row.int(2)?))).collect()
        })?;
        for (id, count, last) in counts {
            let shadow = self.shadows.of.get(&(w, EnrollmentId(id)));
            let same = shadow.is_some_and(|s| (s.lines, s.last_line) == (count, last));
            holds("INV-5", same, || {
                let seen = shadow.map(|s| (s.lines, s.last_line));
                format!("the history of {id} has {count} lines up to {last}, seen were {seen:?}")
            })?;
        }
        Ok(())
    }

    /// By the product's own recount and fold.
    fn recounts(&mut self, w: WorkspaceId, id: cadenza_core::ids::SequenceId) -> Held<()> {
        let wrong = self.read(|q| door::miscounted(q, w, id))?;
        holds("INV-5", wrong.is_empty(), || format!("sequence {}: {wrong:?}", id.0))?;
        let unfolded = self.read(|q| door::unfolded(q, w, id))?;
        holds("INV-5", unfolded.is_empty(), || format!("histories of sequence {} fold to others: {unfolded:?}", id.0))
    }

    /// Every row of an enrollment is in its workspace, and what is silent there is of there.
    fn at_home(&mut self) -> Held<()> {
        for table in ["activity", "send", "history"] {
            let sql = format!(
                "SELECT COUNT(*) FROM {table} t WHERE NOT EXISTS
                     (SELECT 1 FROM enrollment e WHERE e.workspace_id = t.workspace_id AND e.id = t.enrollment_id)"
            );
            let strangers = self.read(|q| q.query_one(&sql, &[])?.int(0))?;
            holds("INV-8", strangers == 0, || {
                format!("{strangers} rows of {table} belong to nobody of their workspace")
            })?;
        }
        let silent: Vec<(i64, String)> = self.read(|q| {
            let rows = q.query("SELECT workspace_id, value FROM suppression WHERE value IS NOT NULL", &[])?;
            rows.iter().map(|row| Ok((row.int(0)?, row.text(1)?.to_owned()))).collect()
        })?;
        for (w, value) in silent {
            let mail = value.contains('@') || value.starts_with('+');
            let own = !mail || crate::truth::Truth::is_of(WorkspaceId(w), &value);
            holds("INV-8", own, || format!("{value} is suppressed in workspace {w}"))?;
        }
        Ok(())
    }

    fn first(&self, sql: &str, values: &[cadenza_store::Val]) -> Held<Option<(i64, i64, i64)>> {
        self.read(|q| {
            let rows = q.query(sql, values)?;
            rows.first().map(|row| Ok((row.int(0)?, row.int(1)?, row.int(2)?))).transpose()
        })
    }

    /// No enrollment has two attempts under way.
    fn in_one_hand(&mut self) -> Held<()> {
        let sql = "SELECT workspace_id, enrollment_id, COUNT(*) FROM send
             WHERE state IN ('claimed', 'marked') AND shard >= 0 AND shard < 256
             GROUP BY workspace_id, enrollment_id HAVING COUNT(*) > 1 LIMIT 1";
        match self.first(sql, &[])? {
            Some((_, id, n)) => Err(Breach::of("INV-3", format!("{id} is being sent {n} messages at once"))),
            None => Ok(()),
        }
    }

    fn nobody_is_overdue(&mut self, since: Time) -> Held<()> {
        let late: cadenza_store::Val = (self.now - OVERDUE).into();
        // What happened to somebody a moment ago may have put them before the clock at a moment that is long over.
        let sql =
            "SELECT e.workspace_id, e.id, e.wake_at FROM enrollment e WHERE e.wake_at IS NOT NULL AND e.wake_at < $1
             AND NOT EXISTS (SELECT 1 FROM history h
                 WHERE h.workspace_id = e.workspace_id AND h.enrollment_id = e.id AND h.at >= $1) LIMIT 1";
        if let Some((_, id, at)) = self.first(sql, std::slice::from_ref(&late))? {
            return Err(Breach::of("INV-4", format!("{id} was to be looked at at {}", Time::from_micros(at))));
        }
        let sql = "SELECT workspace_id, of_id, wake_at FROM limiter WHERE wake_at IS NOT NULL AND wake_at < $1 LIMIT 1";
        if let Some((_, of, at)) = self.first(sql, &[late])? {
            return Err(Breach::of("INV-4", format!("the line of {of} was to be drawn at {}", Time::from_micros(at))));
        }
        if self.now - since > UNDER_WAY_MAX {
            let sql = "SELECT workspace_id, enrollment_id, claimed_at FROM send
                 WHERE state IN ('claimed', 'marked') AND claimed_at < $1 AND COALESCE(marked_at, 0) < $1 LIMIT 1";
            if let Some((_, id, at)) = self.first(sql, &[(self.now - UNDER_WAY_MAX).into()])? {
                let at = Time::from_micros(at);
                return Err(Breach::of(
                    "INV-4",
                    format!("a message of {id} is being sent since {at}, and nobody has it"),
                ));
            }
        }
        Ok(())
    }

    /// Whoever no clock will look at has a reason to stand where it stands.
    fn nobody_is_forgotten(&mut self) -> Held<()> {
        let late: cadenza_store::Val = (self.now - OVERDUE).into();
        let pending = "SELECT e.workspace_id, e.id, e.enrolled_at FROM enrollment e
             JOIN sequence s ON s.workspace_id = e.workspace_id AND s.id = e.sequence_id
             WHERE e.life = 0 AND e.holds = 0 AND e.wake_at IS NULL AND s.state = 'active' LIMIT 1";
        if let Some((_, id, _)) = self.first(pending, &[])? {
            return Err(Breach::of("INV-4", format!("{id} waits for its start, and nobody will look")));
        }
        let waiting = "SELECT e.workspace_id, e.id, e.wait_until FROM enrollment e
             JOIN sequence s ON s.workspace_id = e.workspace_id AND s.id = e.sequence_id
             WHERE e.life = 1 AND e.holds = 0 AND e.block IS NULL AND e.step IS NULL AND e.wake_at IS NULL
               AND e.wait_until < $1 AND s.state = 'active' LIMIT 1";
        if let Some((_, id, _)) = self.first(waiting, std::slice::from_ref(&late))? {
            return Err(Breach::of("INV-4", format!("the wait of {id} is over, and nobody will look")));
        }
        self.due_have_a_reason(late)?;
        self.lines_will_be_drawn()
    }

    fn due_have_a_reason(&mut self, late: cadenza_store::Val) -> Held<()> {
        let due = "SELECT e.workspace_id, e.id FROM enrollment e
             JOIN activity a ON a.workspace_id = e.workspace_id AND a.enrollment_id = e.id AND a.visit = e.visit
             WHERE e.life = 1 AND e.holds = 0 AND e.block IS NULL AND e.parked IS NULL AND e.wake_at IS NULL
               AND e.due_at < $1 AND (e.phase = 0 OR (e.phase = 1 AND a.kind IN ('email_auto', 'sms_auto'))) LIMIT 20";
        let all: Vec<(WorkspaceId, EnrollmentId)> = self.read(|q| {
            let rows = q.query(due, &[late])?;
            rows.iter().map(|row| Ok((WorkspaceId(row.int(0)?), EnrollmentId(row.int(1)?)))).collect()
        })?;
        for (w, id) in all {
            let (door, now) = (self.node.door.clone(), self.now);
            let why = self.read(move |q| door.why(q, w, id, now))?;
            let shut = why.explanation.lines.iter().any(|line| !line.open);
            holds("INV-4", shut, || format!("{} is due, and nothing says why it is not sent", id.0))?;
        }
        Ok(())
    }

    /// A line whose limiter is open is drawn before long. One that rests is woken by the next look for what stands still.
    fn lines_will_be_drawn(&mut self) -> Held<()> {
        let sql = "SELECT e.workspace_id, e.id FROM enrollment e
             LEFT JOIN limiter l ON l.workspace_id = e.workspace_id AND l.id = e.parked
             WHERE e.parked IS NOT NULL AND (l.wake_at IS NULL OR l.wake_at > $1) LIMIT 20";
        let (now, soon) = (self.now, self.now + OVERDUE);
        let resting: Vec<(WorkspaceId, EnrollmentId)> = self.read(|q| {
            let rows = q.query(sql, &[soon.into()])?;
            rows.iter().map(|row| Ok((WorkspaceId(row.int(0)?), EnrollmentId(row.int(1)?)))).collect()
        })?;
        let mut open = std::collections::HashMap::new();
        for (w, id) in resting {
            let door = self.node.door.clone();
            let why = self.read(move |q| door.why(q, w, id, now))?;
            if why.explanation.lines.iter().any(|line| !line.open) {
                continue;
            }
            let since = self.truth.resting.get(&(w, id)).copied().unwrap_or(now);
            open.insert((w, id), since);
            holds("INV-4", now - since < RESTS_AT_MOST, || {
                format!("{} stands in a line that nobody draws, since {since} every gate is open", id.0)
            })?;
        }
        self.truth.resting = open;
        Ok(())
    }
}
