//! A thread as a person reads it: what went out in the enrollment, as it was sent, and what came in, in order.

use crate::App;
use crate::actions::{ActionError, Caller, Result, inbound};
use crate::engine::as_sent;
use cadenza_core::enrollment::Subject;
use cadenza_core::ids::{AnswerId, MessageId, UserId, WorkspaceId};
use cadenza_core::inbound::{self as reading, Attachment};
use cadenza_core::time::Time;
use cadenza_store::answers::{self, Answer, State};
use cadenza_store::enrollments::{self, Listed};
use cadenza_store::inbound_messages::{self, Class, Inbound, Source};
use cadenza_store::sends::{self, Send, SendState};
use cadenza_store::sequences::Viewer;
use cadenza_store::{Query, StoreError, companies, contacts};

/// Messages of one thread that are shown, the latest of each way.
const SENT_MAX: usize = 50;
const RECEIVED_MAX: usize = 30;

/// A message with what it is about.
#[derive(Debug, Clone)]
pub struct Thread {
    pub message: Inbound,
    /// Oldest first. The message itself is one of them.
    pub items: Vec<Item>,
    /// The enrollments that it was told to, the one that it was matched to first.
    pub enrollments: Vec<Listed>,
    /// The contact's or company's name.
    pub subject_name: Option<String>,
}

/// One message of a thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub of: ItemOf,
    pub at: Time,
    pub from: String,
    pub to: String,
    pub subject: String,
    /// What was written then, without quotations.
    pub text: String,
    /// The whole, where it is more than that.
    pub whole: Option<String>,
    /// Of an answer: why it waits, was refused, or is unknown.
    pub words: Option<String>,
    pub attachments: Vec<Attachment>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemOf {
    Sent {
        visit: u32,
        unknown: bool,
    },
    Received {
        id: MessageId,
        class: Class,
    },
    /// What a person answered.
    Answer {
        id: AnswerId,
        by: UserId,
        state: State,
    },
}

/// A message with its thread.
///
/// # Errors
/// `Missing`, also where the caller does not see it.
pub async fn thread(app: &App, caller: &Caller, id: MessageId) -> Result<Thread> {
    let (message, raw) = inbound::load(app, caller, id).await?;
    let (w, enrollment, subject) = (caller.workspace, message.enrollment, message.subject_of);
    let read = move |q: &mut Query| -> Result<_, StoreError> {
        let told = inbound_messages::told_by(q, w, id)?;
        let mut ids: Vec<_> = enrollment.into_iter().chain(told.iter().map(|t| t.enrollment)).collect();
        let mut seen = std::collections::HashSet::new();
        ids.retain(|id| seen.insert(*id));
        let mut about = Vec::with_capacity(ids.len());
        for id in ids {
            match enrollments::get(q, w, id, Viewer::All) {
                Ok(listed) => about.push(listed),
                // Erased since.
                Err(StoreError::Missing { .. }) => {}
                Err(e) => return Err(e),
            }
        }
        let answers = answers::of_thread(q, w, id, enrollment)?;
        let name = subject.map_or(Ok(None), |subject| name_of(q, w, subject))?;
        let Some(id) = enrollment else { return Ok((about, Vec::new(), Vec::new(), answers, name)) };
        let mut received = Vec::new();
        for other in inbound_messages::of_enrollment(q, w, id, RECEIVED_MAX)? {
            let raw = inbound_messages::raw(q, w, other.id)?;
            received.push((other, raw));
        }
        Ok((about, received, sends::of_enrollment(q, w, id)?, answers, name))
    };
    let (enrollments, mut received, sends, answers, subject_name) = app.db.read_async(read).await?;
    if !received.iter().any(|(m, _)| m.id == id) {
        received.push((message.clone(), raw));
    }
    // Reading large mails takes a while, which other requests should not have to wait for.
    let reading = move || received.iter().map(|(m, raw)| of_received(m, raw.as_deref())).collect::<Vec<Item>>();
    let mut items = tokio::task::spawn_blocking(reading).await.map_err(ActionError::internal)?;
    for send in gone_out(sends) {
        items.push(of_sent(app, caller, &send).await);
    }
    items.extend(answers.into_iter().map(of_answer));
    items.sort_by_key(|i| i.at);
    Ok(Thread { message, items, enrollments, subject_name })
}

fn name_of(q: &mut Query, w: WorkspaceId, subject: Subject) -> Result<Option<String>, StoreError> {
    let found = match subject {
        Subject::Contact(id) => contacts::get(q, w, id).map(|c| format!("{} {}", c.first_name, c.last_name)),
        Subject::Company(id) => companies::get(q, w, id).map(|c| c.name),
    };
    match found {
        Ok(name) => Ok(Some(name.trim().to_owned()).filter(|name| !name.is_empty())),
        // Erased since.
        Err(StoreError::Missing { .. }) => Ok(None),
        Err(e) => Err(e),
    }
}

/// The last attempt of each visit that went out, or may have.
fn gone_out(sends: Vec<Send>) -> Vec<Send> {
    let mut out: Vec<Send> = Vec::new();
    for send in sends.into_iter().filter(|s| matches!(s.state, SendState::Sent | SendState::Unknown)) {
        match out.last_mut() {
            Some(last) if last.visit == send.visit => *last = send,
            _ => out.push(send),
        }
    }
    let first = out.len().saturating_sub(SENT_MAX);
    out.split_off(first)
}

fn of_received(message: &Inbound, raw: Option<&[u8]>) -> Item {
    let base = Item {
        of: ItemOf::Received { id: message.id, class: message.class },
        at: message.received_at,
        from: message.from_address.clone().unwrap_or_default(),
        to: String::new(),
        subject: message.subject.clone().unwrap_or_default(),
        text: message.preview.clone(),
        whole: None,
        words: None,
        attachments: Vec::new(),
    };
    match (message.source, raw) {
        (Source::Text, Some(raw)) => Item { text: String::from_utf8_lossy(raw).into_owned(), ..base },
        (_, Some(raw)) => with_mail(base, raw),
        (_, None) => base,
    }
}

fn of_answer(answer: Answer) -> Item {
    Item {
        of: ItemOf::Answer { id: answer.id, by: answer.by, state: answer.state },
        at: answer.created_at,
        from: String::new(),
        to: answer.to,
        subject: answer.subject,
        text: answer.text,
        whole: None,
        words: answer.words.filter(|w| !w.is_empty() && answer.state != State::Sent),
        attachments: Vec::new(),
    }
}

async fn of_sent(app: &App, caller: &Caller, send: &Send) -> Item {
    let base = Item {
        of: ItemOf::Sent { visit: send.visit, unknown: send.state == SendState::Unknown },
        at: send.marked_at.unwrap_or(send.claimed_at),
        from: String::new(),
        to: send.to.clone(),
        subject: String::new(),
        text: String::new(),
        whole: None,
        words: None,
        attachments: Vec::new(),
    };
    match as_sent(app, caller.workspace, send.enrollment, send.visit).await {
        Ok(sent) if send.mailbox.is_none() => Item { text: String::from_utf8_lossy(&sent.raw).into_owned(), ..base },
        Ok(sent) => Item { whole: None, ..with_mail(base, &sent.raw) },
        Err(e) => {
            tracing::debug!("a mail that was sent cannot be shown: {e}");
            Item { text: "What was sent cannot be composed any more: its step or mailbox is gone.".into(), ..base }
        }
    }
}

fn with_mail(base: Item, raw: &[u8]) -> Item {
    let Ok(mail) = reading::read(raw, base.at) else { return base };
    let sent = matches!(base.of, ItemOf::Sent { .. });
    let (fresh, whole) = (mail.text.trim().to_owned(), mail.full_text.trim().to_owned());
    let named = |a: &reading::Address| match a.name.as_str() {
        "" => a.address.clone(),
        name => format!("{name} <{}>", a.address),
    };
    let text = if sent || fresh.is_empty() { whole.clone() } else { fresh };
    Item {
        from: mail.from.first().map_or(base.from, named),
        to: mail.to.iter().map(named).collect::<Vec<_>>().join(", "),
        subject: mail.subject,
        whole: (whole != text).then_some(whole),
        text,
        attachments: mail.attachments,
        ..base
    }
}
