//! Enrolling: the guards of ENR-10, ENR-11 and OPS-12, and new enrollments in bulk.

use super::effects::take_in_new;
use super::load::{Look, Round};
use super::person::Wanted;
use super::sequence::{SequenceInfo, load_sequence};
use super::{Door, Put, write};
use crate::error::{Result, StoreError};
use crate::hashed::{HashMap, HashSet};
use crate::query::Tx;
use crate::value::Columns;
use cadenza_core::enrollment::{Enrollment, SequenceState, Subject};
use cadenza_core::ids::{CompanyId, ContactId, EnrollmentId, SequenceId, UserId, WorkspaceId};
use cadenza_core::machine::{Actor, Event};
use cadenza_core::settings::{Again as AgainSetting, AtATime};
use cadenza_core::time::{Span, Time};

/// Did the caller say that those who finished here may be enrolled anew (OPS-12)?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Again {
    Said,
    #[default]
    NotSaid,
}

/// What became of one subject.
pub type Enrolled = (Subject, std::result::Result<EnrollmentId, EnrollRefusal>);

/// Why somebody was not enrolled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnrollRefusal {
    #[error("the record does not exist")]
    NoSuchRecord,
    #[error("the sequence is for {0}")]
    WrongType(String),
    #[error("the sequence is {0}; nobody can be enrolled")]
    SequenceOver(&'static str),
    #[error("already live in this sequence")]
    AlreadyLive(EnrollmentId),
    #[error("already in the sequence {name:?}; the workspace allows one sequence at a time")]
    InAnother { name: String },
    #[error("finished this sequence before; say again to enroll anew")]
    FinishedBefore,
    #[error("finished this sequence before, and the sequence never enrolls anybody twice")]
    NeverAgain,
    #[error("finished this sequence at {finished}; it can be enrolled again after {days} days")]
    TooSoonAgain { finished: Time, days: u32 },
    #[error("the address is suppressed: {0}")]
    Suppressed(String),
    #[error("last touched at {last}; the workspace asks for {days} days between")]
    TouchedLately { last: Time, days: u32 },
    #[error("{live} contacts of the company are live already; the workspace allows {most}")]
    CompanyFull { live: u32, most: u32 },
    #[error("{0}")]
    Resume(String),
}

impl EnrollRefusal {
    /// Stable for programs.
    pub fn code(&self) -> &'static str {
        match self {
            EnrollRefusal::NoSuchRecord => "no_such_record",
            EnrollRefusal::WrongType(_) => "wrong_type",
            EnrollRefusal::SequenceOver(_) => "sequence_over",
            EnrollRefusal::AlreadyLive(_) => "already_live",
            EnrollRefusal::InAnother { .. } => "in_another_sequence",
            EnrollRefusal::FinishedBefore => "finished_before",
            EnrollRefusal::NeverAgain => "never_again",
            EnrollRefusal::TooSoonAgain { .. } => "too_soon_again",
            EnrollRefusal::Suppressed(_) => "suppressed",
            EnrollRefusal::TouchedLately { .. } => "touched_lately",
            EnrollRefusal::CompanyFull { .. } => "company_full",
            EnrollRefusal::Resume(_) => "cannot_resume",
        }
    }
}

/// An earlier enrollment of a subject.
struct Earlier {
    id: EnrollmentId,
    sequence: SequenceId,
    sequence_name: String,
    life: i64,
    finished_at: Option<Time>,
}

impl Door {
    /// Enrolls subjects into a sequence, each by itself: one that is refused harms no other. Somebody who was removed goes
    /// on where it stood.
    #[expect(clippy::too_many_arguments, reason = "each is one thing that enrolling asks")]
    pub fn enroll(
        &self,
        tx: &mut Tx,
        workspace: WorkspaceId,
        sequence: SequenceId,
        subjects: &[Subject],
        by: (UserId, Actor),
        again: Again,
        now: Time,
    ) -> Result<Vec<Enrolled>> {
        let mut round = Round::new(self, tx, workspace, now, Look::Held)?;
        // Held: a sequence that begins or is resumed meanwhile would not see whom this adds, and they would wait for ever.
        let info = load_sequence(self, tx, &round.ws, sequence, Look::Held)?;
        round.sequences.insert(sequence, info.clone());
        let wanted: HashSet<Subject> = subjects.iter().copied().collect();
        super::person::load(&mut round, tx, wanted, Wanted { suppression: true, ..Wanted::default() })?;
        let mut earlier = earlier_of(tx, workspace, subjects)?;
        let mut live_of = HashMap::default();
        let mut answers = Vec::with_capacity(subjects.len());
        let mut resumed = Vec::new();
        for subject in subjects {
            // Kept up to date: named twice in one call, a subject is the second time what the first time made of it.
            let before = earlier.entry(*subject).or_default();
            let answer = match self.admit(tx, &round, &info, *subject, before, again, &mut live_of)? {
                Err(refusal) => Err(refusal),
                Ok(Some(removed)) => {
                    before.iter_mut().filter(|e| e.id == removed).for_each(|e| e.life = 0);
                    resumed.push((answers.len(), removed));
                    Ok(removed)
                }
                Ok(None) => {
                    let id = EnrollmentId(self.id(now));
                    let mut e = Enrollment::new(id, sequence, *subject, info.flow_version, by.0, now);
                    e.version = 1;
                    take_in_new(&mut round, e, by.1);
                    if let Some(loaded) = round.enrollments.get_mut(&id) {
                        loaded.wake_at = (info.facts.state == SequenceState::Active).then_some(now);
                    }
                    let sequence_name = info.facts.name.clone();
                    before.push(Earlier { id, sequence, sequence_name, life: 0, finished_at: None });
                    Ok(id)
                }
            };
            answers.push((*subject, answer));
        }
        write::write(self, tx, &mut round)?;
        if !resumed.is_empty() {
            let puts =
                resumed.iter().map(|(_, id)| Put { enrollment: *id, event: Event::EnrollAgain, actor: by.1 }).collect();
            for ((at, _), outcome) in resumed.iter().zip(self.advance(tx, workspace, puts, now)?) {
                if let Err(refusal) = outcome {
                    answers[*at].1 = Err(EnrollRefusal::Resume(refusal.to_string()));
                }
            }
        }
        Ok(answers)
    }

    /// May this subject enter? `Some` names a removed enrollment that goes on instead of a new one.
    #[expect(clippy::too_many_arguments, reason = "each is one thing the guards look at")]
    fn admit(
        &self,
        tx: &mut Tx,
        round: &Round,
        info: &SequenceInfo,
        subject: Subject,
        before: &[Earlier],
        again: Again,
        live_of: &mut HashMap<i64, u32>,
    ) -> Result<std::result::Result<Option<EnrollmentId>, EnrollRefusal>> {
        let right = matches!(
            (subject, info.of.as_str()),
            (Subject::Contact(_), "contacts") | (Subject::Company(_), "companies")
        );
        if !right {
            return Ok(Err(EnrollRefusal::WrongType(info.of.clone())));
        }
        match info.facts.state {
            SequenceState::Ended => return Ok(Err(EnrollRefusal::SequenceOver("ended"))),
            SequenceState::Archived => return Ok(Err(EnrollRefusal::SequenceOver("archived"))),
            _ => {}
        }
        let Some(person) = round.people.get(&subject) else { return Ok(Err(EnrollRefusal::NoSuchRecord)) };
        let here = || before.iter().filter(|e| e.sequence == info.id);
        if let Some(live) = here().find(|e| e.life < 2) {
            return Ok(Err(EnrollRefusal::AlreadyLive(live.id)));
        }
        if round.ws.settings.at_a_time == AtATime::One
            && let Some(other) = before.iter().find(|e| e.life < 2)
        {
            return Ok(Err(EnrollRefusal::InAnother { name: other.sequence_name.clone() }));
        }
        let latest = here().max_by_key(|e| e.id);
        if let Some(removed) = latest.filter(|e| e.life == 3 && e.finished_at.is_none()) {
            return Ok(Ok(Some(removed.id)));
        }
        if let Some(why) = person.person.emails.iter().find_map(|a| a.suppressed.clone()) {
            return Ok(Err(EnrollRefusal::Suppressed(why)));
        }
        if let Some(finished) = latest.and_then(|e| e.finished_at)
            && let Err(refusal) = may_enter_again(info.facts.settings.again, finished, again, round.now)
        {
            return Ok(Err(refusal));
        }
        self.guards(tx, round, subject, person.company.map(|c| c.0), live_of)
    }

    /// The workspace's further guards: least time since the last touch, live contacts per company.
    fn guards(
        &self,
        tx: &mut Tx,
        round: &Round,
        subject: Subject,
        company: Option<i64>,
        live_of: &mut HashMap<i64, u32>,
    ) -> Result<std::result::Result<Option<EnrollmentId>, EnrollRefusal>> {
        let (Subject::Contact(contact), ws) = (subject, &round.ws.settings) else { return Ok(Ok(None)) };
        if let Some(days) = ws.touch_gap_days {
            let last = tx
                .query_opt(
                    "SELECT last_contacted_at FROM contact WHERE workspace_id = $1 AND id = $2",
                    &[round.workspace.into(), contact.into()],
                )?
                .map_or(Ok(None), |row| row.opt_time(0))?;
            if let Some(last) = last.filter(|t| round.now - *t < Span::days(i64::from(days))) {
                return Ok(Err(EnrollRefusal::TouchedLately { last, days }));
            }
        }
        if let (Some(most), Some(company)) = (ws.live_per_company, company) {
            let live = match live_of.get(&company) {
                Some(n) => *n,
                None => {
                    let row = tx.query_one(
                        "SELECT COUNT(DISTINCT c.id) FROM contact c
                         JOIN enrollment e ON e.workspace_id = $1 AND e.contact_id = c.id AND e.life IN (0, 1)
                         WHERE c.workspace_id = $1 AND c.company_id = $2",
                        &[round.workspace.into(), company.into()],
                    )?;
                    u32::try_from(row.int(0)?).unwrap_or(u32::MAX)
                }
            };
            if live >= most {
                return Ok(Err(EnrollRefusal::CompanyFull { live, most }));
            }
            live_of.insert(company, live + 1);
        }
        Ok(Ok(None))
    }
}

fn may_enter_again(
    setting: AgainSetting,
    finished: Time,
    again: Again,
    now: Time,
) -> std::result::Result<(), EnrollRefusal> {
    match setting {
        AgainSetting::Never => Err(EnrollRefusal::NeverAgain),
        AgainSetting::Ask if again == Again::NotSaid => Err(EnrollRefusal::FinishedBefore),
        AgainSetting::AfterDays(days) if now - finished < Span::days(i64::from(days)) => {
            Err(EnrollRefusal::TooSoonAgain { finished, days })
        }
        _ => Ok(()),
    }
}

/// By the index of the subject and then by key: asked for in one, all enrollments of the workspace would be looked through for
/// each subject.
fn earlier(column: &str) -> String {
    format!(
        "SELECT e.{column}, e.id, e.sequence_id, s.name, e.life, e.finished_at
         FROM rows(id BIGINT) AS r
         JOIN enrollment k ON k.workspace_id = $1 AND k.{column} = r.id
         JOIN enrollment e ON e.workspace_id = $1 AND e.id = k.id
         JOIN sequence s ON s.workspace_id = $1 AND s.id = e.sequence_id"
    )
}

/// What the subjects were enrolled in before, over all sequences.
fn earlier_of(tx: &mut Tx, workspace: WorkspaceId, subjects: &[Subject]) -> Result<HashMap<Subject, Vec<Earlier>>> {
    let mut found: HashMap<Subject, Vec<Earlier>> = HashMap::default();
    let contacts = subjects.iter().filter_map(|s| if let Subject::Contact(c) = s { Some(c.0) } else { None });
    let companies = subjects.iter().filter_map(|s| if let Subject::Company(c) = s { Some(c.0) } else { None });
    let asked: [(&str, Vec<i64>); 2] = [("contact_id", contacts.collect()), ("company_id", companies.collect())];
    for (column, ids) in asked {
        for row in tx.query_rows(&earlier(column), &Columns::new().ints(ids), &[workspace.into()])? {
            let id = row.int(0)?;
            let subject =
                if column == "contact_id" { Subject::Contact(ContactId(id)) } else { Subject::Company(CompanyId(id)) };
            let life = row.int(4)?;
            if !(0..=3).contains(&life) {
                return Err(StoreError::inconsistent("enrollment", row.int(1)?, "life"));
            }
            found.entry(subject).or_default().push(Earlier {
                id: EnrollmentId(row.int(1)?),
                sequence: SequenceId(row.int(2)?),
                sequence_name: row.text(3)?.to_owned(),
                life,
                finished_at: row.opt_time(5)?,
            });
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::earlier;
    use crate::schema::tests::plan_of;
    use crate::value::Columns;

    #[test]
    fn earlier_enrollments_are_found_without_looking_through_the_workspace() {
        for column in ["contact_id", "company_id"] {
            let plan = plan_of(&earlier(column), Some(Columns::new().ints([1i64])), 1);
            let index = format!("(workspace_id=? AND {column}=?)");
            assert!(plan.contains(&index) && plan.contains("PRIMARY KEY (workspace_id=? AND id=?)"), "{plan}");
        }
    }
}
