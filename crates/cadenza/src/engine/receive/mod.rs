//! Takes in what comes: raw mail from an inbox, an endpoint or the sandbox, and text messages. Each is read once (REC-7), judged,
//! matched to what was sent, kept, and put through the door, in one transaction. A message that matches nothing is kept and
//! shown. Nothing that comes in can start or continue an enrollment; forged mail can at most stop one (REC-9). What a person sets
//! right is in `correct`, what later rules make of kept mail in `reread`.

mod correct;
mod letter;
mod meaning;
mod reread;
mod texts;
mod unread;
mod whose;

pub use correct::{Corrected, Correction, NotCorrected, Severity, correct, give};
pub use reread::{Reread, adopt, reread};
pub use texts::{TextMessage, receive_text};
pub use unread::{Unread, keep_unread};

use crate::app::App;
use cadenza_core::enrollment::Subject;
use cadenza_core::ids::{EnrollmentId, MailboxId, MessageId, WorkspaceId};
use cadenza_core::machine::{Actor, Event};
use cadenza_core::settings::ZoneOf;
use cadenza_core::time::{Span, Time};
use cadenza_store::door::{Outgoing, Put};
use cadenza_store::inbound_messages::{self, Class, Inbound, MatchedBy};
use cadenza_store::matching::{self, Candidate};
use cadenza_store::{Query, StoreError, Tx, answers, sequences};
use letter::Letter;
use meaning::{Meaning, What};
use std::collections::HashSet;
use whose::Match;

/// The way a mail came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Sandbox,
    /// An inbound gateway or a journal.
    Http,
    Imap {
        mailbox: MailboxId,
        /// The mail's size, where no more than its beginning was fetched.
        whole: Option<u32>,
    },
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Where it is kept; `None` for copies of our own mail, which are not.
    pub id: Option<MessageId>,
    /// It had come before; nothing was done this time.
    pub repeated: bool,
    pub class: Class,
    pub matched_by: Option<MatchedBy>,
    /// Those that were told.
    pub enrollments: Vec<EnrollmentId>,
}

/// Takes one mail in. `received_at` is when it reached the inbox; the enrollments learn of it now.
///
/// # Errors
/// Those of the store; nothing was done then, except where a lost commit says that it is unknown. Taking the same mail in
/// again is always safe.
pub async fn receive(
    app: &App,
    workspace: WorkspaceId,
    source: Source,
    raw: Vec<u8>,
    received_at: Time,
) -> Result<Received, StoreError> {
    let mail = Arrived { raw, source, received_at };
    let mut received = receive_together(app, workspace, vec![mail]).await?;
    received.pop().ok_or_else(|| StoreError::missing("inbound_message", "new"))
}

/// A mail as it reached an inbox.
#[derive(Debug, Clone)]
pub struct Arrived {
    pub raw: Vec<u8>,
    pub source: Source,
    /// When it reached the inbox.
    pub received_at: Time,
}

/// Takes some mails in, all of them or none, in one transaction: far quicker than one by one. The answers are in their order.
///
/// # Errors
/// As [`receive`]. What one of them cannot bear keeps out the others; alone they are taken in.
pub async fn receive_together(
    app: &App,
    workspace: WorkspaceId,
    mails: Vec<Arrived>,
) -> Result<Vec<Received>, StoreError> {
    // Reading a large mail takes a while, which other requests should not have to wait for.
    let reading = tokio::task::spawn_blocking(move || {
        let read = |mail: Arrived| (Letter::read(mail.raw, mail.received_at), mail.source, mail.received_at);
        mails.into_iter().map(read).collect::<Vec<_>>()
    });
    let letters = reading.await.map_err(|e| StoreError::inconsistent("inbound_message", "new", e))?;
    let app2 = app.clone();
    let done = app.db.write_async(move |tx| {
        let taken = letters.iter().map(|(letter, source, at)| take_in(&app2, tx, workspace, *source, letter, *at));
        let taken = taken.collect::<Result<Vec<_>, _>>()?;
        tell(&app2, tx, workspace, taken)
    });
    let (received, outgoing) = done.await?;
    app.hand_over(outgoing);
    Ok(received)
}

/// A message that was kept, and what its enrollments are still to be told.
struct TakenIn {
    received: Received,
    puts: Vec<Put>,
}

/// Through the door, in the transaction that keeps the messages.
fn tell(
    app: &App,
    tx: &mut Tx,
    w: WorkspaceId,
    taken: Vec<TakenIn>,
) -> Result<(Vec<Received>, Vec<Outgoing>), StoreError> {
    let (mut now, mut round, mut outgoing) = (app.clock.now(), Round::default(), Vec::new());
    let mut received = Vec::with_capacity(taken.len());
    for one in taken {
        if one.puts.iter().any(|put| round.told.contains(&put.enrollment)) {
            // The moment says which lines of a history are which message's, should a person correct one of them.
            outgoing.extend(put(app, tx, w, std::mem::take(&mut round).puts, now)?);
            now = app.clock.now().max(now + Span::from_micros(1));
        }
        if let Some(id) = one.received.id.filter(|_| !one.received.repeated) {
            inbound_messages::note_told(tx, w, id, one.received.enrollments.iter().copied(), now)?;
        }
        round.told.extend(one.puts.iter().map(|put| put.enrollment));
        round.puts.extend(one.puts);
        received.push(one.received);
    }
    outgoing.extend(put(app, tx, w, round.puts, now)?);
    Ok((received, outgoing))
}

/// What is told at one moment: each enrollment one thing at most.
#[derive(Default)]
struct Round {
    told: HashSet<EnrollmentId>,
    puts: Vec<Put>,
}

fn take_in(
    app: &App,
    tx: &mut Tx,
    w: WorkspaceId,
    source: Source,
    letter: &Letter,
    received_at: Time,
) -> Result<TakenIn, StoreError> {
    let now = app.clock.now();
    let found = whose::find(tx, w, letter)?;
    let mut taken = kept(app, tx, w, (source, received_at), letter, &found)?;
    // A person's answer of which nobody knew whether it arrived, and which is named here, did: it counts as their own mail then.
    for answer in answers::heard_of(tx, w, &whose::named_in(letter), now)? {
        let Some(enrollment) = answer.enrollment else { continue };
        if !taken.puts.iter().any(|put| put.enrollment == enrollment) {
            taken.puts.push(Put { enrollment, event: Event::OwnMail, actor: Actor::User(answer.by) });
        }
    }
    Ok(taken)
}

fn kept(
    app: &App,
    tx: &mut Tx,
    w: WorkspaceId,
    (source, received_at): (Source, Time),
    letter: &Letter,
    found: &Match,
) -> Result<TakenIn, StoreError> {
    let now = app.clock.now();
    let meaning = meaning::of(letter, found);
    if meaning.what == What::OwnCopy || (meaning.class == Class::OwnMail && found.candidates.is_empty()) {
        return own_copy(tx, w, found, meaning.class);
    }
    let first = found.candidates.first();
    let unmatched_machine = found.subject().is_none() && meaning.class == Class::Other;
    let message = Inbound {
        id: MessageId(app.door.id(now)),
        dedupe_key: letter.dedupe_key.clone(),
        source: match source {
            Source::Sandbox => inbound_messages::Source::Sandbox,
            Source::Http => inbound_messages::Source::Http,
            Source::Imap { .. } => inbound_messages::Source::Imap,
        },
        mailbox: match source {
            Source::Imap { mailbox, .. } => Some(mailbox),
            _ => match found.mailbox.or(first.and_then(|c| c.mailbox)) {
                Some(mailbox) => Some(mailbox),
                None => whose::addressed(tx, w, letter)?,
            },
        },
        received_at,
        message_id: letter.message_id(),
        from_address: letter.sender(),
        subject: letter.subject(),
        preview: letter.preview(),
        class: meaning.class,
        classification: letter.classification(match source {
            Source::Imap { whole, .. } => whole,
            _ => None,
        }),
        correction: None,
        corrected_by: None,
        corrected_at: None,
        matched_by: found.by,
        subject_of: found.subject(),
        sequence: first.map(|c| c.sequence),
        enrollment: first.map(|c| c.enrollment),
        visit: found.visit,
        assigned_to: first.map(|c| c.owner.unwrap_or(c.enrolled_by)),
        seen_at: None,
        // Who knows what a mail says that cannot be read?
        handled_at: (!meaning.class.asks_for_a_person() && letter.incoming.is_ok()).then_some(now),
    };
    // Machine mail that concerns nobody is only noted: an inbox is full of it.
    let raw = (!unmatched_machine && letter.incoming.is_ok()).then_some(letter.raw.as_slice());
    keep(tx, w, &message, raw, &meaning, found)
}

fn keep(
    tx: &mut Tx,
    w: WorkspaceId,
    message: &Inbound,
    raw: Option<&[u8]>,
    meaning: &Meaning,
    found: &Match,
) -> Result<TakenIn, StoreError> {
    if !inbound_messages::insert(tx, w, message, raw)? {
        let before = inbound_messages::with_key(tx, w, &message.dedupe_key)?;
        let received = Received {
            id: before.as_ref().map(|m| m.id),
            repeated: true,
            class: before.as_ref().map_or(message.class, |m| m.class),
            matched_by: before.as_ref().and_then(|m| m.matched_by),
            enrollments: before.and_then(|m| m.enrollment).into_iter().collect(),
        };
        return Ok(TakenIn { received, puts: Vec::new() });
    }
    let mut puts = Vec::new();
    for (place, candidate) in found.candidates.iter().enumerate() {
        // It is about one message at most, of the first; the others are told without.
        let visit = found.visit.filter(|_| place == 0);
        if let Some(event) = event_for(tx, w, candidate, meaning, (found, visit))? {
            puts.push(Put { enrollment: candidate.enrollment, event, actor: meaning.actor() });
        }
    }
    let received = Received {
        id: Some(message.id),
        repeated: false,
        class: message.class,
        matched_by: message.matched_by,
        enrollments: puts.iter().map(|p| p.enrollment).collect(),
    };
    Ok(TakenIn { received, puts })
}

/// What one enrollment is told.
fn event_for(
    q: &mut Query,
    w: WorkspaceId,
    candidate: &Candidate,
    meaning: &Meaning,
    (found, visit): (&Match, Option<u32>),
) -> Result<Option<Event>, StoreError> {
    let until = match &meaning.what {
        What::OutOfOffice { until: Some(date) } => Some(start_of(q, w, candidate, *date)?),
        _ => None,
    };
    Ok(meaning.event(visit, found.by, until))
}

/// The beginning of a day in the zone that the enrollment's window is read in.
fn start_of(
    q: &mut Query,
    w: WorkspaceId,
    candidate: &Candidate,
    date: cadenza_core::calendar::Date,
) -> Result<Time, StoreError> {
    let settings = sequences::get(q, w, candidate.sequence)?.settings;
    let zone = match settings.zone_of {
        ZoneOf::Sequence => settings.zone,
        ZoneOf::Contact => {
            let (own, company) = matching::zones_of(q, w, candidate.subject)?;
            own.or(company).unwrap_or(settings.zone)
        }
    };
    Ok(zone.day_bounds(date).0)
}

/// A copy of our own mail, found in a Sent folder or a journal: it proves that a delivery nobody was sure of took place, and is
/// not kept. The user's own mail to others is nobody's business here.
fn own_copy(tx: &mut Tx, w: WorkspaceId, found: &Match, class: Class) -> Result<TakenIn, StoreError> {
    let mut puts = Vec::new();
    if let (Some(candidate), Some(visit)) = (found.candidates.first(), found.visit)
        && matching::is_unknown(tx, w, candidate.enrollment, visit)?
    {
        let event = Event::OtherMail { visit: Some(visit) };
        puts.push(Put { enrollment: candidate.enrollment, event, actor: Actor::Server });
    }
    let enrollments = puts.iter().map(|p| p.enrollment).collect();
    let received = Received { id: None, repeated: false, class, matched_by: found.by, enrollments };
    Ok(TakenIn { received, puts })
}

fn put(app: &App, tx: &mut Tx, w: WorkspaceId, puts: Vec<Put>, now: Time) -> Result<Vec<Outgoing>, StoreError> {
    if puts.is_empty() {
        return Ok(Vec::new());
    }
    let answers = app.door.advance(tx, w, puts, now)?;
    Ok(answers.into_iter().flatten().flat_map(|a| a.outgoing).collect())
}

impl Match {
    fn subject(&self) -> Option<Subject> {
        self.candidates.first().map(|c| c.subject).or(self.known)
    }
}
