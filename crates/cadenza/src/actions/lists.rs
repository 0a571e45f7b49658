//! Lists: made, renamed, filled and emptied. Who is put on a list enters the live sequence that it feeds, who is taken off
//! is held there, who is put back goes on (SEQ-5, OPS-8).

use super::change::{Change, Stopped, change};
use super::{ActionError, Caller, Privilege, Result, fields};
use crate::App;
use cadenza_core::enrollment::Subject;
use cadenza_core::ids::{CompanyId, ContactId, ListId};
use cadenza_store::door::Enrolled;
use cadenza_store::lists::{self, List};
use cadenza_store::sequences::{self, SubjectType};
use cadenza_store::{Query, companies, contacts};
use serde_json::json;
use std::collections::HashSet;

/// Members put on or taken off in one transaction.
const CHUNK: usize = 500;

/// What putting members on a list came to.
#[derive(Debug, Default)]
pub struct Added {
    /// How many were not on it before.
    pub added: usize,
    /// What the sequence that it feeds said to each.
    pub enrolled: Vec<Enrolled>,
}

/// Makes a list of contacts or of companies.
///
/// # Errors
/// `Invalid` for an empty name; `Refused` where the name is taken.
pub async fn create(app: &App, caller: &Caller, name: String, of: SubjectType) -> Result<List> {
    let allowed = caller.allowed(Privilege::ContactsEdit)?;
    let name = fields::name(&name).map_err(|e| ActionError::invalid("name", e))?;
    change(app, allowed, move |c| {
        refuse_taken(c, &name, None)?;
        let id = ListId(c.next_id());
        let list = List { id, name: name.clone(), of, owner: Some(c.caller.user), created_at: c.now };
        lists::create(c.tx, c.w, &list)?;
        c.note("list.create", Some(id.0), None, Some(json!({ "name": name, "of": of })))?;
        Ok(list)
    })
    .await
}

/// # Errors
/// `Invalid` for an empty name; `Missing`; `Refused` where the name is taken.
pub async fn rename(app: &App, caller: &Caller, id: ListId, name: String) -> Result<List> {
    let allowed = caller.allowed(Privilege::ContactsEdit)?;
    let name = fields::name(&name).map_err(|e| ActionError::invalid("name", e))?;
    change(app, allowed, move |c| {
        let old = lists::get(c.tx, c.w, id)?;
        refuse_taken(c, &name, Some(id))?;
        let list = List { name: name.clone(), ..old.clone() };
        if c.note_difference("list.rename", id.0, &old, &list)? {
            lists::update(c.tx, c.w, &list)?;
        }
        Ok(list)
    })
    .await
}

/// Deletes a list; who was on it stays.
///
/// # Errors
/// `Missing`; `Refused` while it feeds a live sequence, which is named.
pub async fn delete(app: &App, caller: &Caller, id: ListId) -> Result<()> {
    let allowed = caller.allowed(Privilege::ContactsEdit)?;
    change(app, allowed, move |c| {
        let list = lists::get(c.tx, c.w, id)?;
        if let Some(sequence) = sequences::fed_by(c.tx, c.w, id)? {
            let message = format!("It feeds the sequence {:?}. End that first.", sequence.name);
            return Err(ActionError::refused("feeds_sequence", message).into());
        }
        lists::delete(c.tx, c.w, id)?;
        c.note("list.delete", Some(id.0), Some(json!({ "name": list.name })), None)
    })
    .await
}

/// Puts contacts or companies on a list, and into the live sequence that it feeds.
///
/// # Errors
/// `Missing` for the list or a member; `Invalid` where a member is not of the list's type.
pub async fn add(app: &App, caller: &Caller, id: ListId, members: Vec<Subject>) -> Result<Added> {
    let mut done = Added::default();
    for chunk in members.chunks(CHUNK) {
        let allowed = caller.allowed(Privilege::ContactsEdit)?;
        let chunk = chunk.to_vec();
        let part = change(app, allowed, move |c| {
            let list = lists::get(c.tx, c.w, id)?;
            let numbers = known(c, &list, &chunk)?;
            let present = lists::count_among(c.tx, c.w, id, &numbers)?;
            let by = (c.caller.user, c.actor());
            let enrolled = c.app().door.put_on_list(c.tx, c.w, id, &chunk, by, c.now)?;
            let added = numbers.len().saturating_sub(present);
            c.note("list.add", Some(id.0), None, Some(json!({ "added": added })))?;
            Ok(Added { added, enrolled })
        })
        .await?;
        done.added += part.added;
        done.enrolled.extend(part.enrolled);
    }
    Ok(done)
}

/// Takes contacts or companies off a list; in the live sequence that it feeds they are held. Answers how many were on it.
///
/// # Errors
/// `Missing` for the list.
pub async fn remove(app: &App, caller: &Caller, id: ListId, members: Vec<Subject>) -> Result<u64> {
    let mut gone = 0;
    for chunk in members.chunks(CHUNK) {
        let allowed = caller.allowed(Privilege::ContactsEdit)?;
        let chunk = chunk.to_vec();
        gone += change(app, allowed, move |c| {
            lists::get(c.tx, c.w, id)?;
            let actor = c.actor();
            let gone = c.app().door.take_off_list(c.tx, c.w, id, &chunk, actor, c.now)?;
            c.note("list.remove", Some(id.0), None, Some(json!({ "removed": gone })))?;
            Ok(gone)
        })
        .await?;
    }
    Ok(gone)
}

/// All lists by name, with how many are on each.
pub async fn all(app: &App, caller: &Caller) -> Result<Vec<(List, i64)>> {
    caller.need(Privilege::SequencesView)?;
    let w = caller.workspace;
    Ok(app.db.read_async(move |q| lists::all(q, w)).await?)
}

/// # Errors
/// `Missing`.
pub async fn get(app: &App, caller: &Caller, id: ListId) -> Result<List> {
    caller.need(Privilege::SequencesView)?;
    let w = caller.workspace;
    Ok(app.db.read_async(move |q| lists::get(q, w, id)).await?)
}

/// The members of a list in the order of their ids, from behind `after`.
///
/// # Errors
/// `Missing` for the list.
pub async fn members(app: &App, caller: &Caller, id: ListId, after: Option<i64>, limit: usize) -> Result<Vec<Subject>> {
    caller.need(Privilege::SequencesView)?;
    let w = caller.workspace;
    let read = move |q: &mut Query| Ok((lists::get(q, w, id)?.of, lists::members(q, w, id, after, limit)?));
    let (of, found) = app.db.read_async(read).await?;
    let subject = |id| match of {
        SubjectType::Contacts => Subject::Contact(ContactId(id)),
        SubjectType::Companies => Subject::Company(CompanyId(id)),
    };
    Ok(found.into_iter().map(subject).collect())
}

/// The lists that a contact or company is on, by name.
///
/// # Errors
/// `Missing`.
pub async fn of_member(app: &App, caller: &Caller, subject: Subject) -> Result<Vec<List>> {
    caller.need(Privilege::SequencesView)?;
    let w = caller.workspace;
    let read = move |q: &mut Query| match subject {
        Subject::Contact(id) => contacts::get(q, w, id).and_then(|c| lists::of_member(q, w, c.id.0)),
        Subject::Company(id) => companies::get(q, w, id).and_then(|c| lists::of_member(q, w, c.id.0)),
    };
    Ok(app.db.read_async(read).await?)
}

fn refuse_taken(c: &mut Change<'_>, name: &str, own: Option<ListId>) -> Result<(), Stopped> {
    match lists::named(c.tx, c.w, name)? {
        Some(other) if Some(other.id) != own => {
            let message = format!("There is already a list {:?}; names are unique.", other.name);
            Err(ActionError::refused("name_taken", message).into())
        }
        _ => Ok(()),
    }
}

/// The numbers of members that exist and are of the list's type.
fn known(c: &mut Change<'_>, list: &List, members: &[Subject]) -> Result<Vec<i64>, Stopped> {
    let contacts_wanted: Vec<_> =
        members.iter().filter_map(|s| if let Subject::Contact(id) = s { Some(*id) } else { None }).collect();
    let companies_wanted: Vec<_> =
        members.iter().filter_map(|s| if let Subject::Company(id) = s { Some(*id) } else { None }).collect();
    let wrong = match list.of {
        SubjectType::Contacts => !companies_wanted.is_empty(),
        SubjectType::Companies => !contacts_wanted.is_empty(),
    };
    if wrong {
        let message = format!("{:?} is a list of {}.", list.name, list.of);
        return Err(ActionError::invalid("members", message).into());
    }
    let mut found: HashSet<i64> =
        contacts::many(c.tx, c.w, contacts_wanted.iter().copied())?.iter().map(|x| x.id.0).collect();
    found.extend(companies::many(c.tx, c.w, companies_wanted.iter().copied())?.iter().map(|x| x.id.0));
    for id in &contacts_wanted {
        if !found.contains(&id.0) {
            return Err(ActionError::missing("contact", id).into());
        }
    }
    for id in &companies_wanted {
        if !found.contains(&id.0) {
            return Err(ActionError::missing("company", id).into());
        }
    }
    Ok(found.into_iter().collect())
}
