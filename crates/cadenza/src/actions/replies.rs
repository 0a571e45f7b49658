//! What people decide about messages that came in (REC-6): what one is, whose it is, who handles it, that it is done with. What a
//! wrong verdict did is taken back in the same transaction. Reading a thread is in `thread`, answering in `answer`, what became of an answer in `settle`.

mod answer;
mod settle;
mod thread;

pub use answer::{Prepared, answer, prepare};
pub use settle::settle;
pub use thread::{Item, ItemOf, Thread, thread};

use super::change::{Change, Stopped, change};
use super::inbound::is_seen;
use super::{ActionError, Caller, Privilege, Result, enrollments};
use crate::App;
use crate::engine::receive::{self, Corrected, NotCorrected};
pub use crate::engine::receive::{Correction, Severity};
use cadenza_core::enrollment::Subject;
use cadenza_core::ids::{EnrollmentId, MessageId, UserId};
use cadenza_store::inbound_messages::{self, Inbound};
use cadenza_store::users::{self, UserState};
use cadenza_store::{StoreError, companies, contacts, matching};
use serde_json::json;

/// What a decision about a message did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    pub message: Inbound,
    /// The enrollments that were told of it, as it is now.
    pub enrollments: Vec<EnrollmentId>,
    /// Others that had heard of it: what that did is taken back.
    pub others: Vec<EnrollmentId>,
    /// Addresses and numbers that may be written to again.
    pub allowed: u64,
}

/// Says what a message is. What the wrong verdict did is taken back, and what the right one asks is done.
///
/// # Errors
/// `Missing`; `Refused` where an enrollment cannot go back (`newer_live_enrollment`).
pub async fn correct(app: &App, caller: &Caller, id: MessageId, right: Correction) -> Result<Decided> {
    let allowed = caller.allowed(Privilege::SequencesEnroll)?;
    change(app, allowed, move |c| {
        let before = locked(c, id)?;
        let by = c.caller.user;
        let done = receive::correct(c.app(), c.tx, c.w, &before, right, by).map_err(stopped)?;
        let said =
            |correction: Option<&str>| correction.and_then(|t| serde_json::from_str::<serde_json::Value>(t).ok());
        let was = json!({ "class": before.class, "correction": said(before.correction.as_deref()) });
        c.note("message.correct", Some(id.0), Some(was), Some(json!({ "class": right.class(), "correction": right })))?;
        decided(c, id, done)
    })
    .await
}

/// To whom a message belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// All live enrollments of the contact or company hear of it, else the latest.
    Subject(Subject),
    Enrollment(EnrollmentId),
}

/// Says whose a message is, where it was matched to nobody or to the wrong one.
///
/// # Errors
/// `Missing`; `Invalid` where there is no such contact, company or enrollment; `Refused` as [`correct`].
pub async fn give(app: &App, caller: &Caller, id: MessageId, whose: Whose) -> Result<Decided> {
    let allowed = caller.allowed(Privilege::SequencesEnroll)?;
    change(app, allowed, move |c| {
        let before = locked(c, id)?;
        let to = known(c, whose)?;
        let by = c.caller.user;
        let done = receive::give(c.app(), c.tx, c.w, &before, to, by).map_err(stopped)?;
        let was = json!({ "enrollment": before.enrollment, "matched_by": before.matched_by });
        c.note("message.match", Some(id.0), Some(was), Some(json!({ "enrollment": to.1, "matched_by": "hand" })))?;
        decided(c, id, done)
    })
    .await
}

fn known(c: &mut Change<'_>, whose: Whose) -> Result<(Subject, Option<EnrollmentId>), Stopped> {
    let there = |found: Result<(), StoreError>, field: &str, what: &str| match found {
        Err(StoreError::Missing { .. }) => {
            Err(Stopped::from(ActionError::invalid(field, format!("Expected the id of {what} of this workspace."))))
        }
        other => Ok(other?),
    };
    Ok(match whose {
        Whose::Subject(subject) => {
            match subject {
                Subject::Contact(id) => there(contacts::get(c.tx, c.w, id).map(drop), "contact", "a contact")?,
                Subject::Company(id) => there(companies::get(c.tx, c.w, id).map(drop), "company", "a company")?,
            }
            (subject, None)
        }
        Whose::Enrollment(id) => {
            let viewer = enrollments::viewer(c.caller);
            let seen = !cadenza_store::enrollments::seen(c.tx, c.w, [id], viewer)?.is_empty();
            let of = matching::enrollment(c.tx, c.w, id)?.filter(|_| seen);
            let of =
                of.ok_or_else(|| ActionError::invalid("enrollment", "Expected the id of an enrollment that you see."))?;
            (of.subject, Some(id))
        }
    })
}

/// Hands a message over to somebody, or to nobody.
///
/// # Errors
/// `Missing`; `Invalid` for somebody who does not work here.
pub async fn assign(app: &App, caller: &Caller, id: MessageId, to: Option<UserId>) -> Result<Inbound> {
    let allowed = caller.allowed(Privilege::SequencesEnroll)?;
    change(app, allowed, move |c| {
        let before = locked(c, id)?;
        if let Some(user) = to {
            match users::get(c.tx, c.w, user) {
                Ok(user) if user.state == UserState::Active => {}
                Ok(_) | Err(StoreError::Missing { .. }) => {
                    return Err(ActionError::invalid("to", "Expected the id of a user who works here.").into());
                }
                Err(e) => return Err(e.into()),
            }
        }
        inbound_messages::assign(c.tx, c.w, id, to)?;
        let was = json!({ "assigned_to": before.assigned_to });
        c.note("message.assign", Some(id.0), Some(was), Some(json!({ "assigned_to": to })))?;
        Ok(inbound_messages::get(c.tx, c.w, id)?)
    })
    .await
}

/// Is a message done with?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    Yes,
    /// It waits for somebody again.
    No,
}

/// Marks a message as handled, or opens it again. Said twice, the first time counts.
///
/// # Errors
/// `Missing`.
pub async fn handle(app: &App, caller: &Caller, id: MessageId, done: Done) -> Result<Inbound> {
    let allowed = caller.allowed(Privilege::SequencesEnroll)?;
    change(app, allowed, move |c| {
        let before = locked(c, id)?;
        let at = match done {
            Done::Yes => Some(before.handled_at.unwrap_or(c.now)),
            Done::No => None,
        };
        inbound_messages::set_handled(c.tx, c.w, id, at)?;
        inbound_messages::mark_seen(c.tx, c.w, id, c.now)?;
        let was = json!({ "handled_at": before.handled_at });
        c.note("message.handle", Some(id.0), Some(was), Some(json!({ "handled_at": at })))?;
        Ok(inbound_messages::get(c.tx, c.w, id)?)
    })
    .await
}

/// Notes that somebody looked at a message. That it was looked at is no change anybody has to answer for.
///
/// # Errors
/// `Missing`.
pub async fn see(app: &App, caller: &Caller, id: MessageId) -> Result<Inbound> {
    let (message, _) = super::inbound::load(app, caller, id).await?;
    if message.seen_at.is_some() {
        return Ok(message);
    }
    let (w, now) = (caller.workspace, app.clock.now());
    let seen = app.db.write_async(move |tx| {
        inbound_messages::mark_seen(tx, w, id, now)?;
        inbound_messages::get(tx, w, id)
    });
    Ok(seen.await?)
}

/// The message, for a transaction that decides about it.
fn locked(c: &mut Change<'_>, id: MessageId) -> Result<Inbound, Stopped> {
    let missing = || Stopped::from(ActionError::missing("message", id));
    let message = match inbound_messages::lock(c.tx, c.w, id) {
        Err(StoreError::Missing { .. }) => return Err(missing()),
        found => found?,
    };
    if is_seen(c.tx, c.caller, &message)? { Ok(message) } else { Err(missing()) }
}

fn decided(c: &mut Change<'_>, id: MessageId, done: Corrected) -> Result<Decided, Stopped> {
    inbound_messages::mark_seen(c.tx, c.w, id, c.now)?;
    let Corrected { enrollments, others, allowed, .. } = done;
    Ok(Decided { message: inbound_messages::get(c.tx, c.w, id)?, enrollments, others, allowed })
}

fn stopped(e: NotCorrected) -> Stopped {
    match e {
        NotCorrected::Refused(refusal) => enrollments::refused(refusal).into(),
        NotCorrected::Store(e) => e.into(),
    }
}
