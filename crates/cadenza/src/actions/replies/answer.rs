//! Answering a message in its thread (REC-6): a person's own mail, from the mailbox that the contact wrote to. It goes through the
//! outbox and its protocol; it is no step, so a sequence that is over forbids nothing. A suppressed address does (INV-2).

use super::locked;
use crate::App;
use crate::actions::change::{Change, Stopped, change};
use crate::actions::{ActionError, Caller, Privilege, Result, inbound};
use cadenza_core::compose::{Address, HeaderText, MessageId as OwnId};
use cadenza_core::ids::{AnswerId, MailboxId, MessageId};
use cadenza_core::inbound as reading;
use cadenza_core::suppression::Suppressible;
use cadenza_store::answers::{self, Answer, State};
use cadenza_store::inbound_messages::{self, Class, Inbound, Source};
use cadenza_store::mailboxes::Mailbox;
use cadenza_store::{Query, StoreError, mailboxes, matching, suppression};
use serde_json::json;
use std::fmt::Write as _;

/// Characters of an answer.
const TEXT_MAX: usize = 100_000;
/// Message-IDs of a long thread that are named.
const REFERENCES_MAX: usize = 30;

/// How an answer would go out, before it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    pub from: Mailbox,
    pub to: String,
    pub subject: String,
    /// The thread, oldest first; the last one is answered.
    pub references: Vec<String>,
}

/// How an answer to a message would go out; `None` where it cannot be answered by mail.
///
/// # Errors
/// `Missing`.
pub async fn prepare(app: &App, caller: &Caller, id: MessageId) -> Result<Option<Prepared>> {
    let (message, raw) = inbound::load(app, caller, id).await?;
    let w = caller.workspace;
    let prepared = app.db.read_async(move |q| prepared(q, w, &message, raw.as_deref())).await?;
    Ok(prepared)
}

fn prepared(
    q: &mut Query,
    w: cadenza_core::ids::WorkspaceId,
    message: &Inbound,
    raw: Option<&[u8]>,
) -> Result<Option<Prepared>, StoreError> {
    // Reports have nobody behind them who would read it.
    let machine = matches!(message.class, Class::Bounce | Class::Complaint | Class::Delivered | Class::OwnMail);
    let Some(raw) = raw.filter(|_| message.source != Source::Text && !machine) else { return Ok(None) };
    let Ok(mail) = reading::read(raw, message.received_at) else { return Ok(None) };
    let writer = mail.reply_to.first().or(mail.from.first());
    let Some(to) = writer.map(|a| a.address.clone()).filter(|a| a.parse::<Address>().is_ok()) else { return Ok(None) };
    let of_enrollment = match message.enrollment {
        Some(id) => matching::enrollment(q, w, id)?.and_then(|c| c.mailbox),
        None => None,
    };
    let Some(from) = mailbox(q, w, of_enrollment.or(message.mailbox))? else { return Ok(None) };
    let mut references = mail.references.clone();
    references.extend(mail.message_id.clone());
    let first = references.len().saturating_sub(REFERENCES_MAX);
    let references = references.split_off(first);
    let subject = mail.subject.trim();
    let answers = subject.get(..3).is_some_and(|p| p.eq_ignore_ascii_case("re:"));
    let subject = if answers { subject.to_owned() } else { format!("Re: {subject}") };
    Ok(Some(Prepared { from, to, subject: subject.trim_end().to_owned(), references }))
}

/// The mailbox, or where the message names none the workspace's only one.
fn mailbox(
    q: &mut Query,
    w: cadenza_core::ids::WorkspaceId,
    id: Option<MailboxId>,
) -> Result<Option<Mailbox>, StoreError> {
    let mut all = mailboxes::all(q, w)?;
    Ok(match id {
        Some(id) => all.into_iter().find(|m| m.id == id),
        None if all.len() == 1 => all.pop(),
        None => None,
    })
}

/// Answers a message. It is handled then.
///
/// # Errors
/// `Invalid` for an empty answer; `Refused` where it cannot be answered by mail (`not_answerable`), or the address is suppressed
/// (`suppressed`).
pub async fn answer(app: &App, caller: &Caller, id: MessageId, subject: &str, text: &str) -> Result<Answer> {
    let allowed = caller.allowed(Privilege::SequencesEnroll)?;
    let (subject, text) = (subject.trim().to_owned(), text.trim().to_owned());
    if text.is_empty() || text.chars().count() > TEXT_MAX {
        let why = format!("Write the answer, in at most {TEXT_MAX} characters.");
        return Err(ActionError::invalid("text", why));
    }
    if HeaderText::new(subject.clone()).is_err() || subject.is_empty() {
        return Err(ActionError::invalid("subject", "Expected a subject on one line."));
    }
    let unique = app.clock.entropy::<8>().iter().fold(String::new(), |mut out, byte| {
        // Writing to a string does not fail.
        let _ = write!(out, "{byte:02x}");
        out
    });
    change(app, allowed, move |c| {
        let message = locked(c, id)?;
        let raw = inbound_messages::raw(c.tx, c.w, id)?;
        let why =
            "This message cannot be answered by mail: it is a report, its bytes are not kept, or no mailbox is known.";
        let prepared = prepared(c.tx, c.w, &message, raw.as_deref())?;
        let prepared = prepared.ok_or_else(|| ActionError::refused("not_answerable", why))?;
        refuse_suppressed(c, &prepared.to)?;
        let answer = AnswerId(c.next_id());
        let domain = prepared.from.address.rsplit_once('@').map_or("invalid", |(_, domain)| domain);
        let own = OwnId::new(&format!("{answer}.{unique}"), domain).map_err(ActionError::internal)?;
        let answer = Answer {
            id: answer,
            to_message: id,
            enrollment: message.enrollment,
            mailbox: prepared.from.id,
            by: c.caller.user,
            to: prepared.to,
            subject: if subject.is_empty() { prepared.subject } else { subject.clone() },
            text: text.clone(),
            message_id: own.as_str().to_owned(),
            references: prepared.references,
            state: State::Queued,
            attempt: 0,
            created_at: c.now,
            settled_at: None,
            words: None,
        };
        answers::queue(c.tx, c.w, &answer)?;
        inbound_messages::mark_seen(c.tx, c.w, id, c.now)?;
        if message.handled_at.is_none() {
            inbound_messages::set_handled(c.tx, c.w, id, Some(c.now))?;
        }
        c.note("message.answer", Some(id.0), None, Some(json!({ "answer": answer.id, "mailbox": answer.mailbox })))?;
        Ok(answer)
    })
    .await
}

fn refuse_suppressed(c: &mut Change<'_>, to: &str) -> Result<(), Stopped> {
    let key = suppression::key(c.tx, c.w)?;
    match suppression::check(c.tx, c.w, &key, [(Suppressible::Email, to)])?.into_values().next() {
        None => Ok(()),
        Some(why) => {
            let message = format!("The address is suppressed ({why}): nothing may be written to it.");
            Err(ActionError::refused("suppressed", message).into())
        }
    }
}
