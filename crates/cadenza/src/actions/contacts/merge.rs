//! Merging duplicates (CRM-3): histories join; of two enrollments in one sequence the further one stays, the other is
//! removed.

use super::super::change::{Change, Stopped, change};
use super::super::enrollments::refused;
use super::super::follow::{self, Zone};
use super::super::{ActionError, Caller, Privilege, Result};
use crate::App;
use cadenza_core::enrollment::{Enrollment, Life, Subject};
use cadenza_core::ids::{ContactId, EnrollmentId, SequenceId};
use cadenza_core::machine::Event;
use cadenza_store::contacts::{self, Contact};
use cadenza_store::door::{self, Put};
use std::collections::BTreeMap;

/// Merges `from` into `into`, which keeps what it has and takes what it lacks. `from` is gone then.
///
/// # Errors
/// `Invalid` where both are the same; `Missing`; `Refused` where an enrollment that is to go has a mail on its way.
pub async fn merge(app: &App, caller: &Caller, from: ContactId, into: ContactId) -> Result<Contact> {
    let allowed = caller.allowed(Privilege::ContactsEdit)?;
    if from == into {
        return Err(ActionError::invalid("from", "A contact cannot be merged with itself."));
    }
    change(app, allowed, move |c| {
        // Both in the order of their ids, so that two who merge the other way round do not wait for each other.
        let (first, second) = (contacts::lock(c.tx, c.w, from.min(into))?, contacts::lock(c.tx, c.w, from.max(into))?);
        let (gone, kept) = if first.id == from { (first, second) } else { (second, first) };
        let removed = remove_shorter(c, &gone, &kept)?;
        let actor = c.actor();
        let given = door::give_enrollments(c.tx, c.w, gone.id, kept.id, actor, c.now)?;
        let merged = overlay(&gone, &kept);
        contacts::absorb(c.tx, c.w, gone.id, &merged, c.now)?;
        follow::records(c, &[Subject::Contact(kept.id)], Zone::Changed)?;
        let before = serde_json::json!({ "from": gone, "into": kept });
        let after = serde_json::json!({ "into": merged, "enrollments": given, "removed": removed });
        c.note("contact.merge", Some(kept.id.0), Some(before), Some(after))?;
        Ok(contacts::get(c.tx, c.w, kept.id)?)
    })
    .await
}

/// Removes, in every sequence where both are, the enrollment that is less far.
fn remove_shorter(c: &mut Change<'_>, gone: &Contact, kept: &Contact) -> Result<Vec<EnrollmentId>, Stopped> {
    let mut furthest: BTreeMap<SequenceId, Enrollment> = BTreeMap::new();
    let mut shorter = Vec::new();
    for contact in [kept.id, gone.id] {
        // One contact may have several in a sequence, of which one is live at most: its best stands for it.
        let mut best: BTreeMap<SequenceId, Enrollment> = BTreeMap::new();
        for e in door::enrollments_of(c.tx, c.w, Subject::Contact(contact))? {
            if e.life != Life::Removed && best.get(&e.sequence).is_none_or(|other| rank(&e) > rank(other)) {
                best.insert(e.sequence, e);
            }
        }
        for (sequence, e) in best {
            match furthest.remove(&sequence) {
                None => {
                    furthest.insert(sequence, e);
                }
                Some(other) if rank(&e) > rank(&other) => {
                    shorter.push(other.id);
                    furthest.insert(sequence, e);
                }
                Some(other) => {
                    shorter.push(e.id);
                    furthest.insert(sequence, other);
                }
            }
        }
    }
    let actor = c.actor();
    let puts = shorter.iter().map(|id| Put { enrollment: *id, event: Event::Remove, actor }).collect();
    for answer in c.advance(puts)? {
        answer.map_err(refused)?;
    }
    Ok(shorter)
}

/// Further: live before over, then more steps executed, then the older one.
fn rank(e: &Enrollment) -> (bool, u32, std::cmp::Reverse<EnrollmentId>) {
    (e.is_live(), e.steps_executed, std::cmp::Reverse(e.id))
}

/// The one that stays, with what it lacks from the other.
fn overlay(gone: &Contact, kept: &Contact) -> Contact {
    let text = |own: &str, other: &str| if own.is_empty() { other.to_owned() } else { own.to_owned() };
    let mut merged = kept.clone();
    if kept.first_name.is_empty() && kept.last_name.is_empty() {
        (merged.first_name, merged.last_name) = (gone.first_name.clone(), gone.last_name.clone());
    }
    merged.title = text(&kept.title, &gone.title);
    merged.company = kept.company.or(gone.company);
    merged.owner = kept.owner.or(gone.owner);
    merged.zone = kept.zone.clone().or_else(|| gone.zone.clone());
    merged.country = kept.country.clone().or_else(|| gone.country.clone());
    merged.language = kept.language.clone().or_else(|| gone.language.clone());
    merged.linkedin = kept.linkedin.clone().or_else(|| gone.linkedin.clone());
    for (own, others) in [(&mut merged.emails, &gone.emails), (&mut merged.phones, &gone.phones)] {
        for address in others {
            if !own.iter().any(|a| a.value == address.value) {
                own.push(address.clone());
            }
        }
    }
    for (name, value) in &gone.custom {
        merged.custom.entry(name.clone()).or_insert_with(|| value.clone());
    }
    merged
}
