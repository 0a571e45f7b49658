//! A recorded attempt into a mail: its wording with the frozen values, its thread, tracking, headers. The same attempt gives
//! the same bytes at every try. What mails need from the database is read for many at once.

use super::transport::Parcel;
use crate::app::App;
use cadenza_core::address_tag::{AddressTag, tagged};
use cadenza_core::compose::{
    self, Address, Attachment, Body, Content, FeedbackId, HeaderText, Letter, Mailbox as Named, MessageId, MimeType,
    SentAt, TrackingFor, Tracks, track,
};
use cadenza_core::flow::{AttachmentRef, Channel, Key};
use cadenza_core::ids::{EnrollmentId, MailboxId, SequenceId, WorkspaceId};
use cadenza_core::language::Language;
use cadenza_core::merge::{Fields, MergeError};
use cadenza_store::door::{self, Outgoing, StoredAttachment, ThreadMail, UNSUBSCRIBE_PLACE};
use cadenza_store::mailboxes::{self, Mailbox};
use cadenza_store::workspaces::{self, Workspace};
use cadenza_store::{Query, StoreError};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt::Display;
use std::hash::Hash;
use std::sync::Arc;

/// Why there is no mail.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotComposed {
    /// A merge field without value and fallback.
    #[error("{detail}")]
    MissingField { field: String, detail: String },
    /// A person must mend it.
    #[error("{0}")]
    Faulty(String),
    /// The database was away; the same may do later.
    #[error("{0}")]
    Unread(String),
}

/// A person's own wording of a manual message.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ByHand {
    pub subject: String,
    pub text: String,
}

impl NotComposed {
    fn because(why: impl Display) -> NotComposed {
        NotComposed::Faulty(why.to_string())
    }
}

impl From<MergeError> for NotComposed {
    fn from(e: MergeError) -> Self {
        let detail = e.to_string();
        match e {
            MergeError::MissingField { field } => NotComposed::MissingField { field, detail },
            _ => NotComposed::Faulty(detail),
        }
    }
}

impl From<StoreError> for NotComposed {
    fn from(e: StoreError) -> Self {
        match e {
            StoreError::Unavailable { .. } | StoreError::Contention { .. } => NotComposed::Unread(e.to_string()),
            e => NotComposed::Faulty(e.to_string()),
        }
    }
}

/// What is read from the database for one message; what many have in common is read once.
#[derive(Debug)]
pub(super) struct Read {
    workspace: Arc<Workspace>,
    pub mailbox: Option<Arc<Mailbox>>,
    /// The mails that this one continues, oldest first.
    thread: Vec<ThreadMail>,
    attachments: Arc<Vec<StoredAttachment>>,
}

/// A recorded message with what composing it needs.
#[derive(Debug)]
pub(super) struct Prepared {
    pub message: Outgoing,
    pub read: Result<Read, StoreError>,
}

/// Reads what these messages need, all at one moment.
pub(super) async fn prepare(app: &App, messages: Vec<Outgoing>) -> Vec<Prepared> {
    let wanted: Vec<Wanted> = messages.iter().map(Wanted::of).collect();
    let read = app.db.read_async(move |q| Ok(Desk::default().all(q, &wanted))).await;
    match read {
        Ok(read) => messages.into_iter().zip(read).map(|(message, read)| Prepared { message, read }).collect(),
        Err(e) => messages.into_iter().map(|message| Prepared { message, read: Err(e.clone()) }).collect(),
    }
}

/// What a message needs that it does not carry along.
struct Wanted {
    workspace: WorkspaceId,
    mailbox: Option<MailboxId>,
    /// Whose thread it continues, and which visit it is.
    thread: Option<(EnrollmentId, u32)>,
    step: (SequenceId, Key),
    attachments: Vec<AttachmentRef>,
}

impl Wanted {
    fn of(message: &Outgoing) -> Wanted {
        let step = message.flow.spot(&message.step).map(|s| s.step);
        Wanted {
            workspace: message.workspace,
            mailbox: message.mailbox,
            thread: message.same_thread.then_some((message.enrollment, message.visit)),
            step: (message.sequence, message.step.clone()),
            attachments: step.map(|s| s.content.attachments.clone()).unwrap_or_default(),
        }
    }
}

/// What was read for the messages before.
#[derive(Default)]
struct Desk {
    workspaces: HashMap<WorkspaceId, Arc<Workspace>>,
    mailboxes: HashMap<(WorkspaceId, MailboxId), Arc<Mailbox>>,
    attachments: HashMap<(WorkspaceId, SequenceId, Key), Arc<Vec<StoredAttachment>>>,
}

impl Desk {
    /// One that cannot be read is an error of its own message only (ENR-9).
    fn all(&mut self, q: &mut Query, wanted: &[Wanted]) -> Vec<Result<Read, StoreError>> {
        wanted.iter().map(|one| self.one(q, one)).collect()
    }

    fn one(&mut self, q: &mut Query, wanted: &Wanted) -> Result<Read, StoreError> {
        let w = wanted.workspace;
        let workspace = kept(&mut self.workspaces, w, || workspaces::get(q, w))?;
        let mailbox = match wanted.mailbox {
            None => None,
            Some(id) => Some(kept(&mut self.mailboxes, (w, id), || mailboxes::get(q, w, id))?),
        };
        let thread = match wanted.thread {
            None => Vec::new(),
            Some((enrollment, visit)) => door::thread_of(q, w, enrollment, visit)?,
        };
        let attachments = match wanted.attachments.as_slice() {
            [] => Arc::default(),
            files => {
                let (sequence, step) = wanted.step.clone();
                kept(&mut self.attachments, (w, sequence, step), || door::attachments(q, w, files))?
            }
        };
        Ok(Read { workspace, mailbox, thread, attachments })
    }
}

/// From memory, or read and kept.
fn kept<K: Hash + Eq, V>(
    map: &mut HashMap<K, Arc<V>>,
    key: K,
    read: impl FnOnce() -> Result<V, StoreError>,
) -> Result<Arc<V>, StoreError> {
    match map.entry(key) {
        Entry::Occupied(found) => Ok(found.get().clone()),
        Entry::Vacant(place) => Ok(place.insert(Arc::new(read()?)).clone()),
    }
}

/// Makes the mail of an attempt.
pub(super) fn compose(app: &App, message: &Outgoing, read: &Read) -> Result<Parcel, NotComposed> {
    if message.channel == Channel::Text {
        let raw = wording(app, message, &message.fields, read)?.text.into_bytes();
        return Ok(parcel(message, read.workspace.name.clone(), String::new(), raw));
    }
    let Some(mailbox) = &read.mailbox else { return Err(NotComposed::because("the message has no mailbox")) };
    let letter = letter(app, message, read, mailbox)?;
    let subject = letter.subject.as_str().to_owned();
    // Reports come back to where answers do.
    let from = letter.reply_to.as_ref().unwrap_or(&letter.from).address().to_string();
    Ok(parcel(message, from, subject, compose::compose(&letter)))
}

/// A mail that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AsSent {
    /// The envelope's sender.
    pub returned_to: String,
    pub to: String,
    pub raw: Vec<u8>,
}

/// A mail that was sent, composed once more from what the outbox recorded.
///
/// # Errors
/// Nothing was sent on that visit, or the database is away.
pub async fn as_sent(
    app: &App,
    workspace: WorkspaceId,
    enrollment: EnrollmentId,
    visit: u32,
) -> Result<AsSent, NotComposed> {
    let app2 = app.clone();
    let recorded =
        app.db.read_async(move |q| app2.door.recorded(q, workspace, enrollment, visit, app2.clock.now())).await?;
    let gone = || NotComposed::because("there is no message");
    let Prepared { message, read } = prepare(app, vec![recorded]).await.pop().ok_or_else(gone)?;
    let parcel = compose(app, &message, &read?)?;
    Ok(AsSent { returned_to: parcel.from, to: parcel.to, raw: parcel.raw })
}

fn parcel(message: &Outgoing, from: String, subject: String, raw: Vec<u8>) -> Parcel {
    Parcel {
        from,
        to: message.to.clone(),
        subject,
        message_id: message.message_id.clone(),
        raw,
        text: message.channel == Channel::Text,
    }
}

/// A wording with its values.
struct Worded {
    subject: String,
    text: String,
    html: Option<String>,
}

fn wording(app: &App, message: &Outgoing, fields: &Fields, read: &Read) -> Result<Worded, NotComposed> {
    if let Some(json) = &message.by_hand {
        let own: ByHand = serde_json::from_str(json).map_err(NotComposed::because)?;
        let link = fields.get("unsubscribe_url").unwrap_or_default();
        return Ok(Worded { subject: own.subject, text: own.text.replace(UNSUBSCRIBE_PLACE, link), html: None });
    }
    let gone = || NotComposed::because(format!("the step {} has no wording {}", message.step, message.variant));
    let spot = message.flow.spot(&message.step).ok_or_else(gone)?;
    let variant = spot.step.content.variants.iter().find(|v| v.key == message.variant).ok_or_else(gone)?;
    let templates = app.door.message(variant, message.channel)?;
    let subject = match answered_subject(&read.thread) {
        Some(subject) => subject,
        None => templates.subject.render(fields)?,
    };
    Ok(Worded {
        subject,
        text: templates.text.render(fields)?,
        html: templates.html.as_ref().map(|t| t.render(fields)).transpose()?,
    })
}

/// The subject of the thread's first mail with "Re:"; `None` where there is no thread to continue.
fn answered_subject(thread: &[ThreadMail]) -> Option<String> {
    let first = thread.first()?.subject.as_deref()?;
    let answers = first.get(..3).is_some_and(|p| p.eq_ignore_ascii_case("re:"));
    Some(if answers { first.to_owned() } else { format!("Re: {first}") })
}

fn letter(app: &App, message: &Outgoing, read: &Read, mailbox: &Mailbox) -> Result<Letter, NotComposed> {
    let address = |text: &str| text.parse::<Address>().map_err(NotComposed::because);
    let own = address(&mailbox.address)?;
    let public_url = match read.workspace.public_url.as_str() {
        "" => app.public_url(),
        url => url.trim_end_matches('/').to_owned(),
    };
    let how = TrackingFor {
        public_url: &public_url,
        key: &read.workspace.signing_key,
        workspace: message.workspace,
        enrollment: message.enrollment,
        visit: message.visit,
        tracks: tracks(message),
        reads_at: mailbox.readable.then_some(&own),
        postal_address: &read.workspace.postal_address,
        language: Language::default(),
    };
    let fields = message.fields.clone().with("unsubscribe_url", &how.unsubscribe_url());
    let worded = wording(app, message, &fields, read)?;
    let tracked = track(Body { text: worded.text, html: worded.html }, &how);
    let named = |address: Address| match mailbox.name.as_str() {
        "" => Ok(Named::bare(address)),
        name => Named::named(name, address).map_err(NotComposed::because),
    };
    let from = named(own.clone())?;
    let id: MessageId = message.message_id.parse().map_err(NotComposed::because)?;
    let subject = HeaderText::new(worded.subject).map_err(NotComposed::because)?;
    let to = Named::bare(address(&message.to)?);
    let mut letter = Letter::new(from, to, subject, SentAt::utc(message.claimed_at), id);
    let ids = read.thread.iter().map(|m| m.message_id.parse::<MessageId>());
    letter.references = ids.collect::<Result<Vec<_>, _>>().map_err(NotComposed::because)?;
    letter.in_reply_to = letter.references.last().cloned();
    letter.reply_to = returns_to(message, read, mailbox, &own).map(named).transpose()?;
    letter.headers.unsubscribe = tracked.unsubscribe;
    letter.headers.feedback_id =
        FeedbackId::new(&[&message.sequence.to_string(), &message.step.to_string()], "cadenza").ok();
    letter.content = match tracked.html {
        Some(html) => Content::Both { text: tracked.text, html },
        None => Content::Text(tracked.text),
    };
    for file in read.attachments.iter() {
        letter.attachments.push(Attachment {
            name: HeaderText::new(file.name.clone()).map_err(NotComposed::because)?,
            mime: file.media_type.parse().unwrap_or_else(|_| MimeType::octet_stream()),
            bytes: file.content.clone(),
        });
    }
    Ok(letter)
}

/// The address of this one message, where the mailbox's server delivers such and the mailbox's name leaves room for it.
fn returns_to(message: &Outgoing, read: &Read, mailbox: &Mailbox, own: &Address) -> Option<Address> {
    let tag = AddressTag { enrollment: message.enrollment, visit: message.visit };
    let signed = || tag.sign(message.workspace, &read.workspace.signing_key);
    mailbox.plus_addresses.then(signed).and_then(|tag| tagged(own, &tag))
}

/// A person's own mail is not tracked; the way to unsubscribe it has like any other.
fn tracks(message: &Outgoing) -> Tracks {
    let settings = &message.info.facts.settings;
    match message.flow.spot(&message.step).filter(|_| message.by_hand.is_none()) {
        Some(spot) => Tracks::of(&spot.step.content.tracking, settings),
        None => Tracks { opens: false, clicks: false, unsubscribe: settings.unsubscribe_link },
    }
}
