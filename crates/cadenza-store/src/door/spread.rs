//! News that one enrollment has for others: the contact's other sequences, colleagues at the same company (REC-1, REC-4).

use super::Put;
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
    let (column, id) = match subject {
        Subject::Contact(id) => ("contact_id", id.0),
        Subject::Company(id) => ("company_id", id.0),
    };
    let rows = tx.query(&others(column), &[round.workspace.into(), source.into(), id.into()])?;
    rows.iter().map(|row| row.int(0).map(EnrollmentId)).collect()
}

/// By the index of the subject and then by key: asked for in one, all enrollments of the workspace would be looked through in the
/// order of their ids.
fn others(column: &str) -> String {
    format!(
        "SELECT id FROM enrollment WHERE workspace_id = $1
         AND id IN (SELECT id FROM enrollment WHERE workspace_id = $1 AND {column} = $3)
         AND id <> $2 AND life IN (0, 1) ORDER BY id"
    )
}

const COLLEAGUES: &str = "SELECT id FROM enrollment WHERE workspace_id = $1
     AND id IN (SELECT id FROM enrollment WHERE workspace_id = $1
         AND contact_id IN (SELECT id FROM contact WHERE workspace_id = $1 AND company_id = $2 AND id <> $3))
     AND life IN (0, 1) ORDER BY id";

fn colleagues_of(tx: &mut Tx, round: &Round, subject: Subject) -> Result<Vec<EnrollmentId>> {
    let Subject::Contact(contact) = subject else { return Ok(Vec::new()) };
    let Some(company) = round.people.get(&subject).and_then(|p| p.company) else { return Ok(Vec::new()) };
    let rows = tx.query(COLLEAGUES, &[round.workspace.into(), company.into(), contact.into()])?;
    rows.iter().map(|row| row.int(0).map(EnrollmentId)).collect()
}

#[cfg(test)]
mod tests {
    use super::{COLLEAGUES, others};
    use crate::schema::tests::plan_of;

    /// Each reply and opt-out asks this.
    #[test]
    fn others_are_found_without_looking_through_the_workspace() {
        for (sql, index) in [
            (others("contact_id"), "enrollment_contact (workspace_id=? AND contact_id=?)"),
            (others("company_id"), "enrollment_company (workspace_id=? AND company_id=?)"),
            (COLLEAGUES.to_owned(), "enrollment_contact (workspace_id=? AND contact_id=?)"),
        ] {
            let plan = plan_of(&sql, None, 3);
            assert!(plan.contains(index) && plan.contains("PRIMARY KEY (workspace_id=? AND id=?)"), "{plan}");
        }
    }
}
