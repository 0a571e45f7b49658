//! Whom an absence concerns (TIM-7): whose current step is the absent user's, and whose it no longer is. What becomes of each is
//! the machine's to say, by the same facts.

use super::load::{Look, Round};
use super::{Door, Put};
use crate::absences::Absence;
use crate::error::{Result, StoreError};
use crate::hashed::HashSet;
use crate::query::Query;
use cadenza_core::absence::Meanwhile;
use cadenza_core::enrollment::{Hold, Holds};
use cadenza_core::flow::StepKind;
use cadenza_core::ids::{EnrollmentId, UserId, WorkspaceId};
use cadenza_core::machine::{Actor, Event};
use cadenza_core::time::Time;
use std::fmt::Write as _;

/// Whose current step the absence holds, hands over or skips, and has not yet; the next of them in order of their ids. What
/// is due after the user's return is left alone.
pub fn met_by_absence(
    q: &mut Query,
    workspace: WorkspaceId,
    absence: &Absence,
    after: EnrollmentId,
    most: usize,
) -> Result<Vec<EnrollmentId>> {
    let kinds = |wanted: fn(Meanwhile) -> bool| {
        kinds_in_sql(absence.rules.iter().filter(|(_, meanwhile)| wanted(*meanwhile)).map(|(kind, _)| kind))
    };
    let held = kinds(|m| m == Meanwhile::Hold);
    let handed = kinds(|m| matches!(m, Meanwhile::Delegate(_)));
    let skipped = kinds(|m| m == Meanwhile::Skip);
    let bit = Holds::of(Hold::Absence).bits();
    let sql = format!(
        "SELECT e.id FROM enrollment e
         JOIN activity a ON a.workspace_id = $1 AND a.enrollment_id = e.id AND a.visit = e.visit
         WHERE e.workspace_id = $1 AND e.id > $2 AND e.life = 1 AND a.phase < 3 AND a.owner_id = $3 AND a.due_at < $4
           AND ((a.kind IN ({held}) AND e.holds & {bit} = 0) OR a.kind IN ({handed})
                OR (a.kind IN ({skipped}) AND a.phase = 1))
         ORDER BY e.id LIMIT $5"
    );
    let until = absence.until.unwrap_or(Time::MAX);
    let values = [workspace.into(), after.into(), absence.user.into(), until.into(), (most as i64).into()];
    q.query(&sql, &values)?.iter().map(|row| row.int(0).map(EnrollmentId)).collect()
}

/// A piece of those whom the end of an absence may concern.
#[derive(Debug, Default)]
pub struct Freed {
    /// How far the piece went; `None` where there is nobody more.
    pub last: Option<EnrollmentId>,
    /// For whom something changes.
    pub enrollments: Vec<EnrollmentId>,
}

impl Door {
    /// The next piece of those who are held by an absence and no longer are, whose task is somebody else's and is the
    /// user's again, or whose due step stood before the gate of the absence.
    pub fn freed_by_return(
        &self,
        q: &mut Query,
        workspace: WorkspaceId,
        absence: &Absence,
        after: EnrollmentId,
        most: usize,
        now: Time,
    ) -> Result<Freed> {
        let standing = touched(q, workspace, absence, after, most, now)?;
        let last = standing.last().map(|s| s.enrollment);
        let concerned = match self.concerned(q, workspace, &standing, now) {
            Err(StoreError::Inconsistent { .. } | StoreError::Missing { .. }) => {
                // One that cannot be read holds up nobody; whoever posts says what is wrong with it.
                let mut each = Vec::new();
                for one in &standing {
                    match self.concerned(q, workspace, std::slice::from_ref(one), now) {
                        Err(StoreError::Inconsistent { .. } | StoreError::Missing { .. }) => each.push(one.enrollment),
                        concerned => each.extend(concerned?),
                    }
                }
                each
            }
            concerned => concerned?,
        };
        Ok(Freed { last, enrollments: concerned })
    }

    fn concerned(
        &self,
        q: &mut Query,
        workspace: WorkspaceId,
        standing: &[Standing],
        now: Time,
    ) -> Result<Vec<EnrollmentId>> {
        let mut round = Round::new(self, q, workspace, now, Look::Only)?;
        let ended = |s: &Standing| Put { enrollment: s.enrollment, event: Event::AbsenceEnded, actor: Actor::Engine };
        let puts: Vec<Put> = standing.iter().map(ended).collect();
        round.load(self, q, &puts)?;
        let mut concerned = Vec::new();
        for one in standing {
            if one.concerns(&round)? {
                concerned.push(one.enrollment);
            }
        }
        Ok(concerned)
    }
}

/// One that the end of an absence may concern, as it is stored.
struct Standing {
    enrollment: EnrollmentId,
    held: bool,
    /// Of its current activity, while that is open.
    owner: Option<UserId>,
    before_the_gate: bool,
}

impl Standing {
    fn concerns(&self, round: &Round) -> Result<bool> {
        let Some(loaded) = round.enrollments.get(&self.enrollment) else { return Ok(false) };
        let e = &loaded.now;
        let info = round.sequence(e.sequence)?;
        let flow = info.flow_at(e.flow_version)?;
        let Some(spot) = e.place.as_ref().and_then(|place| flow.spot(&place.step)) else { return Ok(self.held) };
        let facts = round.facts(e, &info, None)?;
        let waits = facts.held_by(e, spot.step).is_some();
        let elsewhere = self.owner.is_some_and(|owner| owner != facts.owner_of(e, spot.step));
        Ok(elsewhere || (!waits && (self.held || self.before_the_gate)))
    }
}

fn touched(
    q: &mut Query,
    workspace: WorkspaceId,
    absence: &Absence,
    after: EnrollmentId,
    most: usize,
    now: Time,
) -> Result<Vec<Standing>> {
    let to: HashSet<i64> = absence
        .rules
        .iter()
        .filter_map(|(_, meanwhile)| if let Meanwhile::Delegate(to) = meanwhile { Some(to.0) } else { None })
        .collect();
    let mut handed = String::from("0");
    for id in to {
        let _ = write!(handed, ", {id}");
    }
    let automatic = kinds_in_sql(StepKind::ALL.into_iter().filter(|kind| kind.is_automatic()));
    let bit = Holds::of(Hold::Absence).bits();
    // What was finished while it was held would keep its hold for ever, and come back with it.
    let sql = format!(
        "SELECT e.id, CASE WHEN e.holds & {bit} <> 0 THEN 1 ELSE 0 END, CASE WHEN a.phase < 3 THEN a.owner_id END,
             CASE WHEN e.holds = 0 AND a.due_at <= $4 THEN 1 ELSE 0 END
         FROM enrollment e
         LEFT JOIN activity a ON a.workspace_id = $1 AND a.enrollment_id = e.id AND a.visit = e.visit
         WHERE e.workspace_id = $1 AND e.id > $2 AND (e.holds & {bit} <> 0
           OR (e.life = 1 AND a.phase < 3 AND a.owner_id IN ({handed}))
           OR (e.life = 1 AND a.owner_id = $3 AND a.due_at <= $4 AND e.holds = 0 AND e.block IS NULL AND e.parked IS NULL
               AND (a.phase = 0 OR (a.phase = 1 AND a.kind IN ({automatic})))
               AND (e.wake_at IS NULL OR e.wake_at > $4)))
         ORDER BY e.id LIMIT $5"
    );
    let values = [workspace.into(), after.into(), absence.user.into(), now.into(), (most as i64).into()];
    q.query(&sql, &values)?
        .iter()
        .map(|row| {
            Ok(Standing {
                enrollment: EnrollmentId(row.int(0)?),
                held: row.int(1)? == 1,
                owner: row.opt_int(2)?.map(UserId),
                before_the_gate: row.int(3)? == 1,
            })
        })
        .collect()
}

/// Kinds of steps as a list of SQL; none as a list that nothing is in.
fn kinds_in_sql(kinds: impl Iterator<Item = StepKind>) -> String {
    let words: Vec<String> = kinds.map(|kind| format!("'{}'", kind.as_str())).collect();
    if words.is_empty() { "''".into() } else { words.join(", ") }
}
