//! Decisions into rows: what each effect of the machine writes.

use super::load::{Claim, Loaded, Round};
use super::outbox::Outgoing;
use super::sequence::SequenceInfo;
use super::write::{Closed, Line, Planned, Sent, SettledSend, Suppressed};
use super::{Door, Put, room};
use crate::error::Result;
use crate::query::Tx;
use cadenza_core::enrollment::{Enrollment, Subject, first_changes};
use cadenza_core::facts::Attempt;
use cadenza_core::flow::{Channel, Flow, Regarding, Step};
use cadenza_core::ids::MailboxId;
use cadenza_core::machine::{Actor, Decision, Effect, Event, Level, Send, Settled};
use cadenza_core::merge;
use cadenza_core::time::{Span, Time};
use std::sync::Arc;

/// Before another look at what is due and does not move.
const STANDS_STILL: Span = Span::minutes(5);
/// Every mail has it, and only the sender knows under which address the server is reached.
const MADE_WHEN_COMPOSED: &str = "unsubscribe_url";

/// The first merge field that the current step misses, for events that may claim.
pub(super) fn missing_field(
    door: &Door,
    round: &Round,
    e: &Enrollment,
    info: &SequenceInfo,
    flow: &Flow,
    event: &Event,
) -> Option<String> {
    if !matches!(event, Event::Wake | Event::Drawn | Event::Mended | Event::Retry) {
        return None;
    }
    let place = e.place.as_ref()?;
    let step = flow.spot(&place.step).filter(|s| s.step.kind.is_automatic())?.step;
    let variant = step.variant_for(e, place.visit)?;
    let fields = fields(round, e, info, step)?;
    match door.message(variant, step.kind.channel()) {
        Ok(message) => message.missing(&fields),
        // A template that does not compile is told by the sender, as a failed step.
        Err(_) => None,
    }
}

/// What the message of a step may say: of the person, the sender and the sequence.
pub(super) fn fields(round: &Round, e: &Enrollment, info: &SequenceInfo, step: &Step) -> Option<merge::Fields> {
    let person = round.people.get(&e.subject)?;
    let facts = round.facts(e, info, None).ok()?;
    let mut fields = person.fields.clone();
    fields.set("sequence.name", &info.facts.name);
    if step.content.regarding == Regarding::Opportunity {
        for (path, value) in person.opportunity.iter() {
            fields.set(path, value);
        }
    }
    if let Some(to) = facts.address_for(step) {
        let of = if matches!(e.subject, Subject::Contact(_)) { "contact" } else { "company" };
        let what = if step.kind.channel() == Channel::Email { "email" } else { "phone" };
        fields.set(&format!("{of}.{what}"), &to.value);
    }
    let mails = step.kind.channel() == Channel::Email;
    let mailbox = facts.mailbox_for(e, step).and_then(|m| round.ws.mailboxes.get(&m.id));
    // Calls and texts are the owner's, mails are the mailbox's.
    let writer = mailbox.filter(|_| mails).map_or_else(|| facts.owner_of(e, step), |m| m.owner);
    let writer = round.ws.users.get(&writer).cloned().unwrap_or_default();
    let mut name = writer.name;
    if let Some(row) = mailbox {
        if mails && !row.name.trim().is_empty() {
            name.clone_from(&row.name);
        } else if name.trim().is_empty() {
            name.clone_from(&row.address);
        }
        fields.set("sender.email", &row.address);
        fields.set("sender.signature", &row.signature);
        if mails {
            fields.set(MADE_WHEN_COMPOSED, "/");
        }
    }
    fields.set("sender.name", &name);
    fields.set("sender.first_name", name.split_whitespace().next().unwrap_or_default());
    for (path, value) in [("sender.title", writer.title), ("sender.phone", writer.phone)] {
        if let Some(value) = value {
            fields.set(path, &value);
        }
    }
    Some(fields)
}

/// Takes a decision into the batch. Answers the messages it recorded.
#[expect(clippy::too_many_arguments, reason = "the parts of one step; a struct would only rename them")]
pub(super) fn take_in(
    door: &Door,
    tx: &mut Tx,
    round: &mut Round,
    put: &Put,
    before: &Enrollment,
    info: &Arc<SequenceInfo>,
    flow: &Arc<Flow>,
    decision: Decision,
) -> Result<Vec<Outgoing>> {
    let Decision { enrollment: mut after, effects, wake_at, level, cause, detail } = decision;
    let wake_at = wake_at.map(|at| forward(put, before, &after, effects.is_empty(), at, round.now));
    let only_permit = effects.iter().all(|e| matches!(e, Effect::Permit { .. }));
    let unchanged = *before == after;
    let same_clock = round.enrollments.get(&put.enrollment).is_some_and(|l| l.wake_at == wake_at);
    if unchanged && effects.is_empty() && same_clock && !is_news(&put.event) {
        return Ok(Vec::new());
    }
    after.version = before.version + 1;
    if !(unchanged && only_permit && matches!(put.event, Event::DotMark { .. } | Event::Wake)) {
        round.writes.lines.push(Line {
            enrollment: after.id,
            version: after.version,
            at: round.now,
            event: put.event.name(),
            actor: put.actor,
            level,
            cause,
            detail,
            changes: cadenza_core::enrollment::changes(&before.to_flat(), &after.to_flat()),
        });
    }
    round.counts.transition(Some(before), &after, &effects);
    round.records.transition(&put.event, before, &after, &effects);
    touch_person(round, before, &after);
    if let Some(loaded) = round.enrollments.get_mut(&put.enrollment) {
        loaded.now = after;
        loaded.wake_at = wake_at;
        loaded.touched = true;
    }
    let mut outgoing = Vec::new();
    for effect in effects {
        if let Effect::Send(send) = effect {
            outgoing.push(record(door, tx, round, put, send, info, flow)?);
        } else {
            write_effect(tx, round, put, info, effect)?;
        }
    }
    Ok(outgoing)
}

/// Looking at an enrollment must bring it on, or put it off: one that would be looked at again at once, and nothing has
/// changed, is put off and told. It would keep the clock busy for ever.
fn forward(put: &Put, before: &Enrollment, after: &Enrollment, nothing_done: bool, at: Time, now: Time) -> Time {
    if !matches!(put.event, Event::Wake) || at > now || !nothing_done || before != after {
        return at;
    }
    tracing::error!(enrollment = %put.enrollment, "due, and nothing becomes of it: looked at again later");
    now + STANDS_STILL
}

/// Events that are kept as a line even where they change nothing (LOG: *noted, logged*).
fn is_news(event: &Event) -> bool {
    !matches!(event, Event::Wake | Event::Drawn | Event::Mended | Event::Retimed | Event::DotMark { .. })
}

/// The contact's own *last contacted* and *last engaged* (ENR-6).
fn touch_person(round: &mut Round, before: &Enrollment, after: &Enrollment) {
    let contacted = after.emails + after.texts + after.calls > before.emails + before.texts + before.calls;
    let engaged = after.clicks + after.replies > before.clicks + before.replies;
    if contacted || engaged {
        let entry = round.writes.touched_people.entry(after.subject).or_default();
        entry.0 |= contacted;
        entry.1 |= engaged;
    }
}

/// An attempt into the outbox, with its room taken and its merge values frozen.
fn record(
    door: &Door,
    tx: &mut Tx,
    round: &mut Round,
    put: &Put,
    send: Send,
    info: &Arc<SequenceInfo>,
    flow: &Arc<Flow>,
) -> Result<Outgoing> {
    let now = round.now;
    let Some(loaded) = round.enrollments.get(&put.enrollment) else {
        return Err(crate::error::StoreError::missing("enrollment", put.enrollment));
    };
    let e = loaded.now.clone();
    // What no limit holds for is not counted, and never given back.
    let scopes: Vec<_> = send.scopes.iter().copied().filter(|scope| round.ledger.has(*scope)).collect();
    let send = Send { scopes, ..send };
    round.ledger.take(&send.scopes, now, e.id.0 as u64 ^ (u64::from(send.visit) << 32) ^ u64::from(send.attempt));
    if let Some(mailbox) = send.mailbox {
        round.give(mailbox);
    }
    let step = flow.spot(&send.step).map(|s| s.step);
    let fields = step.and_then(|step| fields(round, &e, info, step)).unwrap_or_default();
    let wording = step.and_then(|s| s.content.variants.iter().find(|v| v.key == send.variant));
    let message = wording.and_then(|v| door.message(v, send.channel).ok());
    let mut frozen = message.as_ref().map_or_else(|| fields.clone(), |m| m.values(&fields));
    frozen.set(MADE_WHEN_COMPOSED, "");
    let by_hand = match round.writes.by_hand.remove(&(put.enrollment, send.visit)) {
        Some(wording) => Some(wording),
        // Tried again: in the person's words, which stand with the attempt before.
        None if step.is_some_and(|s| !s.kind.is_automatic()) => {
            super::outbox::wording_before(tx, round.workspace, e.id, send.visit)?
        }
        None => None,
    };
    let continues = send.same_thread && e.emails > 0;
    let subject = match &by_hand {
        _ if continues || send.channel != Channel::Email => None,
        Some(json) => super::outbox::subject_of(json),
        None => message.as_ref().and_then(|m| m.subject.render(&fields).ok()),
    };
    let domain = domain_of(round, send.mailbox);
    let message_id = super::outbox::message_id(&round.ws.key, e.id, send.visit, domain);
    if let Some(loaded) = round.enrollments.get_mut(&put.enrollment) {
        loaded.attempt = Attempt::Claimed;
        loaded.claim = Some(Claim { scopes: send.scopes.clone(), claimed_at: now, to: send.to.clone() });
    }
    round.writes.sends.push(Sent {
        enrollment: e.id,
        send: send.clone(),
        message_id: message_id.clone(),
        subject,
        fields: frozen.to_json().to_string(),
        by_hand: by_hand.clone(),
        claimed_at: now,
    });
    Ok(Outgoing {
        workspace: round.workspace,
        enrollment: e.id,
        sequence: info.id,
        subject: e.subject,
        visit: send.visit,
        attempt: send.attempt,
        channel: send.channel,
        mailbox: send.mailbox,
        to: send.to,
        message_id,
        step: send.step,
        variant: send.variant,
        same_thread: send.same_thread,
        fields: frozen,
        by_hand,
        claimed_at: now,
        flow: flow.clone(),
        info: info.clone(),
    })
}

/// What stands behind the @ of a Message-ID.
fn domain_of(round: &Round, mailbox: Option<MailboxId>) -> &str {
    let address = mailbox.and_then(|id| round.ws.mailboxes.get(&id)).map(|m| m.address.as_str());
    address.and_then(|a| a.rsplit_once('@')).map_or("text.invalid", |(_, domain)| domain)
}

fn write_effect(tx: &mut Tx, round: &mut Round, put: &Put, info: &Arc<SequenceInfo>, effect: Effect) -> Result<()> {
    let id = put.enrollment;
    let Some(e) = round.enrollments.get(&id).map(|l| (l.now.subject, l.now.sequence)) else { return Ok(()) };
    let (subject, sequence) = e;
    let writes = &mut round.writes;
    match effect {
        Effect::Plan(plan) => writes.plans.push(Planned { enrollment: id, sequence, subject, plan }),
        Effect::Redue { visit, due } => writes.redues.push((id, visit, due)),
        Effect::Appear { visit, at } => writes.appears.push((id, visit, at)),
        Effect::Own { visit, owner } => writes.owners.push((id, visit, owner)),
        Effect::Close { visit, outcome, at, by } => {
            writes.closes.push(Closed { enrollment: id, visit, outcome: outcome.as_str().to_owned(), at, by });
        }
        Effect::Permit { visit, attempt } => writes.permits.push((id, visit, attempt)),
        Effect::Withdraw { visit, attempt } => {
            give_back(tx, round, id, info)?;
            round.writes.settles.push(SettledSend {
                enrollment: id,
                visit,
                attempt,
                how: Settled::Withdrawn,
                detail: String::new(),
            });
        }
        Effect::Settle { visit, attempt, how, detail } => {
            if matches!(how, Settled::Deferred | Settled::Refused) {
                give_back(tx, round, id, info)?;
            }
            if let Some(loaded) = round.enrollments.get_mut(&id) {
                loaded.attempt = Attempt::None;
            }
            round.writes.settles.push(SettledSend { enrollment: id, visit, attempt, how, detail });
        }
        Effect::Suppress { what, why } => writes.suppress.push(Suppressed { enrollment: id, subject, what, why }),
        Effect::HoldMailbox { mailbox, detail } => writes.hold_mailboxes.push((mailbox, detail)),
        Effect::Spread(spread) => round.news.push((id, spread)),
        Effect::Side { visit, action } => writes.sides.push((id, visit, action)),
        Effect::Status { mark } => {
            if mark.is_none() {
                writes.unsuppress.push(subject);
            }
        }
        Effect::Erase => writes.erase.push(id),
        Effect::TakeOffList => {
            if let Some(list) = info.list {
                writes.off_list.push((list, subject));
            }
        }
        // Recorded apart, since it answers with the message.
        Effect::Send(_) => {}
    }
    Ok(())
}

/// Gives the room of the open attempt back.
fn give_back(
    tx: &mut Tx,
    round: &mut Round,
    id: cadenza_core::ids::EnrollmentId,
    info: &Arc<SequenceInfo>,
) -> Result<()> {
    let Some(claim) = round.enrollments.get_mut(&id).and_then(|l| {
        l.attempt = Attempt::None;
        l.claim.take()
    }) else {
        return Ok(());
    };
    room::load(tx, round, info, &claim.scopes)?;
    round.ledger.give_back(&claim.scopes, claim.claimed_at);
    Ok(())
}

/// A new enrollment enters the batch: its first line, its counters.
pub(super) fn take_in_new(round: &mut Round, e: Enrollment, actor: Actor) {
    round.counts.transition(None, &e, &[]);
    round.writes.lines.push(Line {
        enrollment: e.id,
        version: e.version,
        at: round.now,
        event: "enrolled",
        actor,
        level: Level::Info,
        cause: None,
        detail: None,
        changes: first_changes(&e.to_flat()),
    });
    let loaded = Loaded {
        stored: None,
        stored_version: 0,
        stored_wake_at: None,
        now: e,
        wake_at: None,
        attempt: Attempt::None,
        claim: None,
        newer_live: cadenza_core::facts::NewerLive::No,
        touched: true,
    };
    round.enrollments.insert(loaded.now.id, loaded);
}

/// Ids of contact and company columns.
pub(super) fn subject_ids(subject: Subject) -> (Option<i64>, Option<i64>) {
    match subject {
        Subject::Contact(c) => (Some(c.0), None),
        Subject::Company(c) => (None, Some(c.0)),
    }
}
