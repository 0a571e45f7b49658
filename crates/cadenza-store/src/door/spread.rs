//! News that one enrollment has for others: the contact's other sequences, colleagues at the same company (REC-1, REC-4).

use super::Put;
use super::effects::subject_ids;
use super::load::Round;
use crate::error::Result;
use crate::query::Tx;
use cadenza_core::enrollment::Subject;
use cadenza_core::ids::EnrollmentId;
use cadenza_core::machine::{Actor, Spread};

/// Turns the news of a round into puts for those whom it concerns. What was told is not told again.
pub(super) fn follow_ups(tx: &mut Tx, round: &mut Round) -> Result<Vec<Put>> {
    let mut puts = Vec::new();
    for (source, spread) in std::mem::take(&mut round.news) {
        let Some(loaded) = round.enrollments.get(&source) else { continue };
        let subject = loaded.now.subject;
        match spread {
            Spread::OtherSequences(event) => {
                for enrollment in others_of(tx, round, source, subject)? {
                    puts.push(Put { enrollment, event: event.clone(), actor: Actor::Contact });
                }
            }
            Spread::Colleagues(event) => {
                for enrollment in colleagues_of(tx, round, subject)? {
                    puts.push(Put { enrollment, event: event.clone(), actor: Actor::Contact });
                }
            }
            Spread::Ask { colleagues, .. } => round.writes.questions.push((source, colleagues)),
        }
    }
    Ok(puts)
}

fn others_of(tx: &mut Tx, round: &Round, source: EnrollmentId, subject: Subject) -> Result<Vec<EnrollmentId>> {
    let (contact, company) = subject_ids(subject);
    let rows = tx.query(
        "SELECT id FROM enrollment WHERE workspace_id = $1 AND id <> $2 AND life IN (0, 1)
         AND (contact_id = $3 OR company_id = $4) ORDER BY id",
        &[round.workspace.into(), source.into(), contact.into(), company.into()],
    )?;
    rows.iter().map(|row| row.int(0).map(EnrollmentId)).collect()
}

fn colleagues_of(tx: &mut Tx, round: &Round, subject: Subject) -> Result<Vec<EnrollmentId>> {
    let Subject::Contact(contact) = subject else { return Ok(Vec::new()) };
    let Some(company) = round.people.get(&subject).and_then(|p| p.company) else { return Ok(Vec::new()) };
    let rows = tx.query(
        "SELECT e.id FROM contact c JOIN enrollment e ON e.workspace_id = $1 AND e.contact_id = c.id AND e.life IN (0, 1)
         WHERE c.workspace_id = $1 AND c.company_id = $2 AND c.id <> $3 ORDER BY e.id",
        &[round.workspace.into(), company.into(), contact.into()],
    )?;
    rows.iter().map(|row| row.int(0).map(EnrollmentId)).collect()
}
