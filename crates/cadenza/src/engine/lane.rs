//! One lane: one message after another over one connection. The order is the protocol of docs/delivery.md: everything up to
//! the dot, the durable mark, the dot, the answer.

use super::compose::{NotComposed, compose};
use super::deliver::{LaneKey, Load, Of, Post, Taken};
use super::transport::{Outcome, Parcel, Ready, Setback, Transport};
use cadenza_core::machine::{Actor, Event, Fault};
use cadenza_core::time::Span;
use cadenza_store::StoreError;
use cadenza_store::door::{Advanced, Applied, Outgoing, Put};
use cadenza_store::mailboxes::{self, Mailbox};
use futures_util::future::join_all;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::task::JoinSet;

/// An unused lane ends, and its connection with it.
const IDLE: Duration = Duration::from_secs(25);
/// Before another try of a message whose parts could not be read.
const UNREAD_PAUSE: Span = Span::seconds(5);
/// Before another try of the database.
const DATABASE_PAUSE: Duration = Duration::from_millis(500);

pub(super) async fn run(post: Arc<Post>, key: LaneKey, load: Arc<Load>, mut messages: mpsc::UnboundedReceiver<Taken>) {
    let mut stopping = post.app.stopping();
    let mut transport: Option<Transport> = None;
    // Answers on their way into the database: the next message need not wait for the commit of the last.
    let mut settling = JoinSet::new();
    loop {
        let next = tokio::select! {
            biased;
            _ = stopping.wait_for(|stop| *stop) => break,
            next = tokio::time::timeout(IDLE, messages.recv()) => next,
        };
        let taken = match next {
            Ok(Some(taken)) => taken,
            Ok(None) => break,
            Err(_) => match post.retire(key, &mut messages) {
                Some(taken) => taken,
                None => break,
            },
        };
        deliver(&post, key.0, &load, &mut transport, taken, &mut settling).await;
        load.done();
        while settling.try_join_next().is_some() {}
    }
    give_back(&post, messages).await;
    while settling.join_next().await.is_some() {}
    if let Some(transport) = transport {
        transport.close().await;
    }
}

/// What is still in the lane was recorded and never offered: it is due again, for the next start.
async fn give_back(post: &Arc<Post>, mut messages: mpsc::UnboundedReceiver<Taken>) {
    messages.close();
    let mut left = Vec::new();
    while let Ok(taken) = messages.try_recv() {
        left.push(taken);
    }
    // All at once, so that they share their commits.
    join_all(left.iter().map(|taken| &taken.prepared.message).map(|m| settle(post, m, returned(m)))).await;
}

async fn deliver(
    post: &Arc<Post>,
    of: Of,
    load: &Load,
    transport: &mut Option<Transport>,
    taken: Taken,
    settling: &mut JoinSet<()>,
) {
    let prepared = &taken.prepared;
    let message = &prepared.message;
    let read = prepared.read.as_ref().map_err(|e| NotComposed::from(e.clone()));
    let (parcel, mailbox) = match read
        .and_then(|read| Ok((compose(&post.app, message, read)?, read.mailbox.as_deref())))
    {
        Ok(composed) => composed,
        Err(NotComposed::Unread(why)) => return settle(post, message, later(post, message, &why, UNREAD_PAUSE)).await,
        Err(e) => return settle(post, message, not_composed(message, e)).await,
    };
    // A person may have changed the account since the last message, or released the mailbox with a new password.
    if transport.as_ref().is_some_and(|t| !t.is_for(mailbox))
        && let Some(old) = transport.take()
    {
        old.close().await;
    }
    if transport.is_none() {
        match Transport::of(&post.app, of.0, mailbox, post.patience()) {
            Ok(made) => *transport = Some(made),
            Err(setback) => return settle(post, message, set_back(post, message, setback)).await,
        }
    }
    let Some(line) = transport.as_mut() else { return };
    let errand = Errand { post, load, parcel: &parcel, message, mailbox_version: mailbox.map(|m| m.version) };
    match errand.bring(line).await {
        Brought::Settled => {}
        Brought::Short(Event::Refused { fault: Fault::Sender, .. }) if is_outdated(post, of, mailbox).await => {
            settle(post, message, returned(message)).await;
        }
        Brought::Short(event) => settle(post, message, event).await,
        Brought::Over { event, permit } => {
            let post = post.clone();
            settling.spawn(async move {
                settle(&post, &taken.prepared.message, event).await;
                // Kept until the answer is durable: it counts what a crash would leave unknown.
                drop(permit);
            });
        }
    }
}

/// Was the mailbox changed since this message was prepared? Its server then refused what is no longer so.
async fn is_outdated(post: &Arc<Post>, of: Of, mailbox: Option<&Mailbox>) -> bool {
    let Some((id, version)) = mailbox.map(|m| (m.id, m.version)) else { return false };
    let now = post.app.db.read_async(move |q| mailboxes::get(q, of.0, id)).await;
    now.is_ok_and(|now| now.version != version)
}

/// How far a message came.
enum Brought {
    /// The door has settled it.
    Settled,
    /// Not over its dot: this became of it.
    Short(Event),
    /// Over its dot, with this answer.
    Over { event: Event, permit: OwnedSemaphorePermit },
}

/// One message on its way.
struct Errand<'a> {
    post: &'a Arc<Post>,
    load: &'a Load,
    parcel: &'a Parcel,
    message: &'a Outgoing,
    /// Of the mailbox that it was composed for.
    mailbox_version: Option<i64>,
}

impl Errand<'_> {
    /// Brings the message to its dot and over it.
    async fn bring(&self, line: &mut Transport) -> Brought {
        for last in [false, true] {
            let mut stopping = self.post.app.stopping();
            self.load.waits_for_server(self.post.app.clock.stopwatch());
            let offered = tokio::select! {
                biased;
                // Before the dot nothing can have been accepted: a stop need not wait for a slow server.
                _ = stopping.wait_for(|stop| *stop) => None,
                offered = line.offer(&self.post.app, self.parcel) => Some(offered),
            };
            self.load.heard_server();
            match offered {
                Some(Ok(ready)) => return self.hand_over(ready).await,
                Some(Err(Setback::Stale { .. })) if !last => {}
                Some(Err(setback)) => return Brought::Short(set_back(self.post, self.message, setback)),
                None => {
                    line.drop_line();
                    return Brought::Short(returned(self.message));
                }
            }
            line.drop_line();
        }
        Brought::Settled
    }

    /// The message is up to its dot: asks a last time, durably, and gives the dot.
    async fn hand_over(&self, ready: Ready<'_>) -> Brought {
        let Errand { post, message, .. } = *self;
        // Closed when the server stops.
        let Ok(permit) = post.permits.clone().acquire_owned().await else {
            ready.abandon();
            return Brought::Short(returned(message));
        };
        let mark = Event::DotMark { visit: message.visit, attempt: message.attempt };
        match put(post, message, mark).await {
            // It speaks for a mailbox that was changed since; nothing is past its dot yet.
            Ok(Ok(applied)) if applied.permitted && self.is_of_before(&applied) => {
                ready.abandon();
                return Brought::Short(returned(message));
            }
            Ok(Ok(applied)) if applied.permitted => {}
            Ok(Ok(_)) => {
                ready.abandon();
                return Brought::Settled;
            }
            Ok(Err(_)) => {
                ready.abandon();
                // Over already; or marked by a commit whose answer was lost. Either way there is no dot, and this says so.
                return Brought::Short(returned(message));
            }
            Err(e) => {
                // Whether the mark stands may be unknown; without the dot nothing can have been accepted.
                ready.abandon();
                tracing::warn!("the final mark could not be set: {e}");
                return Brought::Short(returned(message));
            }
        }
        self.load.waits_for_server(post.app.clock.stopwatch());
        let outcome = ready.finish(&post.app, self.parcel).await;
        self.load.heard_server();
        let event = match outcome {
            Outcome::Accepted => Event::Sent { visit: message.visit, attempt: message.attempt },
            Outcome::Set(setback) => set_back(post, message, setback),
            Outcome::Unknown { detail } => Event::Unknown { visit: message.visit, attempt: message.attempt, detail },
        };
        Brought::Over { event, permit }
    }

    fn is_of_before(&self, applied: &Applied) -> bool {
        self.mailbox_version.is_some_and(|version| applied.mailbox_version != Some(version))
    }
}

fn not_composed(message: &Outgoing, e: NotComposed) -> Event {
    let detail = e.to_string();
    let missing_field = if let NotComposed::MissingField { field, .. } = e { Some(field) } else { None };
    Event::NotComposed { visit: message.visit, attempt: message.attempt, missing_field, detail }
}

fn set_back(post: &Post, message: &Outgoing, setback: Setback) -> Event {
    match setback {
        Setback::Later { detail } | Setback::Stale { detail } => {
            later(post, message, &detail, backoff(message.attempt))
        }
        Setback::Refused { fault, detail } => {
            Event::Refused { visit: message.visit, attempt: message.attempt, fault, detail }
        }
    }
}

fn later(post: &Post, message: &Outgoing, detail: &str, pause: Span) -> Event {
    let not_before = post.app.clock.now() + pause;
    Event::Deferred { visit: message.visit, attempt: message.attempt, not_before, detail: detail.to_owned() }
}

fn returned(message: &Outgoing) -> Event {
    Event::Returned { visit: message.visit, attempt: message.attempt }
}

/// The pause before the next attempt: one minute at first, then longer, eight hours at most; sixteen take about three days.
fn backoff(attempt: u32) -> Span {
    const MINUTES: [i64; 10] = [1, 5, 15, 30, 60, 120, 240, 480, 480, 480];
    let at = usize::try_from(attempt.saturating_sub(1)).unwrap_or(0).min(MINUTES.len() - 1);
    Span::minutes(MINUTES[at])
}

async fn put(post: &Post, message: &Outgoing, event: Event) -> Result<Advanced, StoreError> {
    let put = Put { enrollment: message.enrollment, event, actor: Actor::Server };
    post.advancer.put(message.workspace, put).await
}

/// Puts what became of an attempt, however long the database is away: an answer that was read is never lost while we live.
async fn settle(post: &Post, message: &Outgoing, event: Event) {
    loop {
        match put(post, message, event.clone()).await {
            Ok(Ok(_)) => return,
            Ok(Err(refused)) => {
                tracing::debug!(enrollment = %message.enrollment, "an answer came too late: {refused}");
                return;
            }
            Err(e @ (StoreError::Unavailable { .. } | StoreError::Contention { .. })) => {
                tracing::warn!("an answer waits for the database: {e}");
                tokio::time::sleep(DATABASE_PAUSE).await;
            }
            Err(e) => {
                tracing::error!(enrollment = %message.enrollment, "an answer could not be noted: {e}");
                return;
            }
        }
    }
}
