//! What a batch needs to know, loaded in a few statements: enrollments, sequences with their flows, people, attempts.

use super::breaker::Records;
use super::person::{PersonInfo, Wanted};
use super::sequence::{SequenceInfo, load_flow, load_sequence};
use super::workspace::{Workspace, load_workspace};
use super::{Door, Put, count::Counts, write::Writes};
use crate::error::{Result, StoreError};
use crate::hashed::{HashMap, HashSet};
use crate::query::Query;
use crate::row::Row;
use crate::value::{Columns, Val};
use cadenza_core::enrollment::{COLUMNS, Enrollment, Flat, Phase, Subject};
use cadenza_core::facts::{Attempt, Facts, NewerLive};
use cadenza_core::ids::{EnrollmentId, MailboxId, SequenceId, WorkspaceId};
use cadenza_core::machine::{Event, Spread};
use cadenza_core::pacing::{Ledger, Scope, Used};
use cadenza_core::time::Time;
use std::fmt::Write as _;
use std::sync::{Arc, LazyLock};

/// One enrollment of a batch, as loaded and as it stands by now.
#[derive(Debug)]
pub(super) struct Loaded {
    /// `None` where this batch made it.
    pub stored: Option<Vec<Flat>>,
    pub stored_version: i64,
    pub stored_wake_at: Option<Time>,
    pub now: Enrollment,
    pub wake_at: Option<Time>,
    pub attempt: Attempt,
    pub claim: Option<Claim>,
    pub newer_live: NewerLive,
    pub touched: bool,
}

/// The open attempt of an enrollment, with the room it holds.
#[derive(Debug, Clone)]
pub(super) struct Claim {
    pub scopes: Vec<Scope>,
    pub claimed_at: Time,
    /// Where it goes.
    pub to: String,
}

/// Whether what a decision looks at, beside the enrollments themselves, must stay as it is until the decision is committed.
/// A pause or a release that was answered is then seen by every later decision, and by none that it should have stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// Only asked: "why?", previews.
    Only,
    Held,
}

/// One call of [`Door::advance`]: everything loaded, everything to be written.
pub(super) struct Round {
    pub now: Time,
    pub workspace: WorkspaceId,
    pub ws: Workspace,
    pub sequences: HashMap<SequenceId, Arc<SequenceInfo>>,
    pub enrollments: HashMap<EnrollmentId, Loaded>,
    pub people: HashMap<Subject, Arc<PersonInfo>>,
    pub ledger: Ledger,
    /// What the limiters had counted when they were loaded.
    pub counted: HashMap<Scope, Used>,
    pub scopes: HashMap<i64, Scope>,
    pub writes: Writes,
    pub counts: Counts,
    pub records: Records,
    pub news: Vec<(EnrollmentId, Spread)>,
    given: HashMap<MailboxId, u32>,
    pub look: Look,
}

impl Round {
    pub fn new(door: &Door, q: &mut Query, workspace: WorkspaceId, now: Time, look: Look) -> Result<Round> {
        Ok(Round {
            now,
            workspace,
            ws: load_workspace(door, q, workspace, now, look)?,
            sequences: HashMap::default(),
            enrollments: HashMap::default(),
            people: HashMap::default(),
            ledger: Ledger::default(),
            counted: HashMap::default(),
            scopes: HashMap::default(),
            writes: Writes::default(),
            counts: Counts::default(),
            records: Records::default(),
            news: Vec::new(),
            given: HashMap::default(),
            look,
        })
    }

    /// How many messages this batch has recorded for a mailbox.
    pub fn given(&self, mailbox: MailboxId) -> u32 {
        self.given.get(&mailbox).copied().unwrap_or(0)
    }
    pub fn give(&mut self, mailbox: MailboxId) {
        *self.given.entry(mailbox).or_default() += 1;
    }

    pub fn sequence(&self, id: SequenceId) -> Result<Arc<SequenceInfo>> {
        self.sequences.get(&id).cloned().ok_or_else(|| StoreError::missing("sequence", id))
    }

    /// Loads what the puts need and is not here yet.
    pub fn load(&mut self, door: &Door, q: &mut Query, puts: &[Put]) -> Result<()> {
        let mut seen = HashSet::default();
        let wanted: Vec<EnrollmentId> = puts
            .iter()
            .map(|p| p.enrollment)
            .filter(|id| !self.enrollments.contains_key(id) && seen.insert(*id))
            .collect();
        let rows =
            q.query_rows(&SELECT_ENROLLMENTS, &Columns::new().ints(wanted.iter().copied()), &[self.workspace.into()])?;
        for row in rows {
            let (e, flat, wake_at) = read_enrollment(row)?;
            let loaded = Loaded {
                stored: Some(flat),
                stored_version: e.version,
                stored_wake_at: wake_at,
                now: e,
                wake_at,
                attempt: Attempt::None,
                claim: None,
                newer_live: NewerLive::No,
                touched: false,
            };
            self.enrollments.insert(loaded.now.id, loaded);
        }
        self.load_attempts(q, &wanted)?;
        if puts.iter().any(|p| matches!(p.event, Event::DotMark { .. })) {
            self.hold_mailboxes(q)?;
        }
        let events: Vec<(EnrollmentId, &Event)> = puts.iter().map(|p| (p.enrollment, &p.event)).collect();
        self.load_surroundings(door, q, &events)
    }

    /// Sequences, flows and people of enrollments that are in memory.
    pub fn load_surroundings(&mut self, door: &Door, q: &mut Query, events: &[(EnrollmentId, &Event)]) -> Result<()> {
        let mut versions: HashMap<SequenceId, HashSet<u32>> = HashMap::default();
        let mut subjects: HashSet<Subject> = HashSet::default();
        let mut wanted = Wanted::default();
        for (id, event) in events {
            let Some(loaded) = self.enrollments.get(id) else { return Err(StoreError::missing("enrollment", id)) };
            versions.entry(loaded.now.sequence).or_default().insert(flow_version_for(&loaded.now, event));
            subjects.insert(loaded.now.subject);
            wanted.suppression |= needs_suppression(event);
            wanted.fields |= may_claim(event);
        }
        for (sequence, versions) in versions {
            let info = match self.sequences.get(&sequence) {
                Some(info) => info.clone(),
                None => {
                    let info = load_sequence(door, q, &self.ws, sequence, self.look)?;
                    self.sequences.insert(sequence, info.clone());
                    info
                }
            };
            for version in versions {
                let flow = load_flow(q, self.workspace, &info, version)?;
                wanted.opportunity |= wanted.fields && super::sequence::regards_opportunities(&flow);
            }
        }
        super::person::load(self, q, subjects, wanted)?;
        self.load_newer(q, events)
    }

    fn load_attempts(&mut self, q: &mut Query, ids: &[EnrollmentId]) -> Result<()> {
        let executing: Vec<(EnrollmentId, u32, u32)> = ids
            .iter()
            .filter_map(|id| self.enrollments.get(id))
            .filter_map(|l| {
                l.now.place.as_ref().filter(|p| p.phase == Phase::Executing).map(|p| (l.now.id, p.visit, p.attempt))
            })
            .collect();
        let columns = Columns::new()
            .ints(executing.iter().map(|x| x.0))
            .ints(executing.iter().map(|x| x.1))
            .ints(executing.iter().map(|x| x.2));
        let rows = q.query_rows(
            "SELECT s.enrollment_id, s.state, s.scopes, s.claimed_at, s.address
             FROM rows(e BIGINT, v BIGINT, a BIGINT) AS r
             JOIN send s ON s.workspace_id = $1 AND s.enrollment_id = r.e AND s.visit = r.v AND s.attempt = r.a",
            &columns,
            &[self.workspace.into()],
        )?;
        for row in rows {
            let Some(loaded) = self.enrollments.get_mut(&EnrollmentId(row.int(0)?)) else { continue };
            loaded.attempt = match row.text(1)? {
                "claimed" => Attempt::Claimed,
                "marked" => Attempt::Marked,
                _ => Attempt::None,
            };
            let scopes = serde_json::from_str(row.text(2)?).unwrap_or_default();
            loaded.claim = Some(Claim { scopes, claimed_at: row.time(3)?, to: row.text(4)?.to_owned() });
        }
        Ok(())
    }

    /// The mailboxes of this batch, so that nobody holds one between the last question and the mark.
    fn hold_mailboxes(&mut self, q: &mut Query) -> Result<()> {
        let mut used: Vec<MailboxId> = self.enrollments.values().filter_map(|l| l.now.mailbox).collect();
        used.sort_unstable();
        used.dedup();
        let rows = q.query_rows(
            "SELECT m.id, m.held FROM rows(id BIGINT) AS r JOIN mailbox m ON m.workspace_id = $1 AND m.id = r.id
             FOR SHARE OF m",
            &Columns::new().ints(used),
            &[self.workspace.into()],
        )?;
        for row in rows {
            let (id, held) = (MailboxId(row.int(0)?), row.opt_text(1)?.map(str::to_owned));
            if let Some(mailbox) = self.ws.around.mailboxes.iter_mut().find(|m| m.id == id) {
                mailbox.held = held;
            }
        }
        Ok(())
    }

    /// The mail that waits for its mark goes to where the contact had its address when it was written. Since then the
    /// address may have been changed, or taken away: what holds for the new one says nothing of the old.
    pub fn is_misdirected(&self, put: &Put, to: Option<&str>) -> bool {
        let claim = self.enrollments.get(&put.enrollment).and_then(|l| l.claim.as_ref());
        matches!(put.event, Event::DotMark { .. }) && claim.is_some_and(|claim| to != Some(claim.to.as_str()))
    }

    /// For events that lead a finished enrollment back: is there a newer live one of the same contact here?
    fn load_newer(&mut self, q: &mut Query, events: &[(EnrollmentId, &Event)]) -> Result<()> {
        for (id, event) in events {
            let reopens = matches!(
                event,
                Event::Reactivate { .. }
                    | Event::UndoMark
                    | Event::TakeBack { .. }
                    | Event::SequenceReopened
                    | Event::EnrollAgain
            );
            let Some(loaded) = self.enrollments.get_mut(id).filter(|_| reopens) else { continue };
            let (contact, company) = match loaded.now.subject {
                Subject::Contact(c) => (Some(c.0), None),
                Subject::Company(c) => (None, Some(c.0)),
            };
            let newer = q.query(
                "SELECT id FROM enrollment WHERE workspace_id = $1 AND sequence_id = $2 AND life IN (0, 1) AND id <> $3
                 AND (contact_id = $4 OR company_id = $5) LIMIT 1",
                &[self.workspace.into(), loaded.now.sequence.into(), (*id).into(), contact.into(), company.into()],
            )?;
            loaded.newer_live = if newer.is_empty() { NewerLive::No } else { NewerLive::Yes };
        }
        Ok(())
    }

    pub fn facts<'a>(
        &'a self,
        e: &Enrollment,
        info: &'a SequenceInfo,
        missing_field: Option<&'a str>,
    ) -> Result<Facts<'a>> {
        let person =
            self.people.get(&e.subject).ok_or_else(|| StoreError::missing("contact", format!("of {}", e.id)))?;
        let loaded = self.enrollments.get(&e.id);
        Ok(Facts {
            sequence: &info.facts,
            around: &self.ws.around,
            person: &person.person,
            missing_field,
            attempt: loaded.map_or(Attempt::None, |l| l.attempt),
            newer_live: loaded.map_or(NewerLive::No, |l| l.newer_live),
            ledger: &self.ledger,
        })
    }
}

/// Which version of the flow an event is decided on.
pub(super) fn flow_version_for(e: &Enrollment, event: &Event) -> u32 {
    if let Event::MoveToVersion { version, .. } = event { *version } else { e.flow_version }
}

/// Events whose decision looks at suppression: all that ask gates, and what leads back.
fn needs_suppression(event: &Event) -> bool {
    matches!(
        event,
        Event::Wake
            | Event::Drawn
            | Event::DotMark { .. }
            | Event::SendByHand { .. }
            | Event::Reactivate { .. }
            | Event::Mended
            | Event::Retry
            | Event::SequenceReopened
    )
}

/// Events whose decision may record a message, with its merge values.
fn may_claim(event: &Event) -> bool {
    matches!(event, Event::Wake | Event::Drawn | Event::SendByHand { .. } | Event::Mended | Event::Retry)
}

static SELECT_ENROLLMENTS: LazyLock<String> = LazyLock::new(|| {
    let mut sql = String::from("SELECT ");
    for column in COLUMNS {
        let _ = write!(sql, "e.{column}, ");
    }
    sql.push_str("e.wake_at FROM rows(id BIGINT) AS r JOIN enrollment e ON e.workspace_id = $1 AND e.id = r.id");
    sql
});

/// All enrollments of a sequence.
pub(super) fn select_of_sequence() -> String {
    select_by("sequence_id")
}

/// All enrollments with a value in one column.
pub(super) fn select_by(column: &str) -> String {
    let columns: Vec<String> = COLUMNS.iter().map(|c| format!("e.{c}")).collect();
    format!(
        "SELECT {}, e.wake_at FROM enrollment e WHERE e.workspace_id = $1 AND e.{column} = $2 ORDER BY e.id",
        columns.join(", ")
    )
}

/// An enrollment from a row of [`COLUMNS`] and `wake_at`.
pub(super) fn read_enrollment(row: Row) -> Result<(Enrollment, Vec<Flat>, Option<Time>)> {
    let (id, wake_at) = (EnrollmentId(row.int(0)?), row.opt_time(COLUMNS.len())?);
    let values = row.into_values().into_iter().take(COLUMNS.len());
    let flat: Vec<Flat> = values
        .map(|v| match v {
            Val::Int(n) => Flat::Int(n),
            Val::Text(t) => Flat::Text(t),
            _ => Flat::Null,
        })
        .collect();
    let e = Enrollment::from_flat(&flat).map_err(|why| StoreError::inconsistent("enrollment", id, why))?;
    Ok((e, flat, wake_at))
}

/// Reads one enrollment outside a batch.
pub fn enrollment(q: &mut Query, workspace: WorkspaceId, id: EnrollmentId) -> Result<Option<Enrollment>> {
    let rows = q.query_rows(&SELECT_ENROLLMENTS, &Columns::new().ints([id]), &[workspace.into()])?;
    rows.into_iter().next().map(|row| read_enrollment(row).map(|(e, _, _)| e)).transpose()
}
