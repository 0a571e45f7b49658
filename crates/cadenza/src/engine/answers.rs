//! Brings answers that people wrote to their mail servers, by the protocol of docs/delivery.md: claimed, up to the dot, marked
//! durably with the gates asked again, the dot, settled. A handful at once, so that one slow server holds up nobody else's.

use super::deliver::Post;
use super::transport::{Outcome, Parcel, Setback, Transport};
use crate::app::App;
use cadenza_core::compose::{self, Address, Content, HeaderText, Letter, Mailbox as Named, MessageId, SentAt};
use cadenza_core::ids::WorkspaceId;
use cadenza_core::machine::{Actor, Event};
use cadenza_core::suppression::Suppressible;
use cadenza_core::time::Span;
use cadenza_store::answers::{self, Answer, Left, State};
use cadenza_store::door::Put;
use cadenza_store::mailboxes::{self, Mailbox};
use cadenza_store::{StoreError, suppression, workspaces};
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// On their way at once.
const AT_ONCE: usize = 4;
/// Between two looks where nothing rings.
const LOOK_EVERY: Span = Span::minutes(1);
const PAUSE_AFTER_ERROR: Duration = Duration::from_secs(2);
/// Before another try of an answer whose mailbox is held.
const HELD_PAUSE: Span = Span::minutes(1);
/// Minutes before each further try; after the last it is refused.
const BACKOFF: [i64; 8] = [1, 5, 15, 30, 60, 120, 240, 480];
const ENDED: &str = "the server stopped while the answer to the final dot was awaited";

/// Runs until the stop.
pub(super) async fn run(app: App, post: Arc<Post>) {
    let mut stopping = app.stopping();
    let mut commits = app.commits();
    let mut under_way = JoinSet::new();
    while !*stopping.borrow() {
        commits.mark_unchanged();
        let wake = match round(&app, &post, &mut under_way).await {
            Ok(wake) => wake,
            Err(e) => {
                tracing::warn!("answers wait for the database: {e}");
                tokio::time::sleep(PAUSE_AFTER_ERROR).await;
                app.clock.now()
            }
        };
        tokio::select! {
            _ = commits.changed() => {}
            Some(_) = under_way.join_next() => {}
            () = app.clock.until(wake) => {}
            _ = stopping.wait_for(|stop| *stop) => {}
        }
    }
    while under_way.join_next().await.is_some() {}
}

/// Starts what is due, as far as there is room. Answers when to look again at the latest.
async fn round(
    app: &App,
    post: &Arc<Post>,
    under_way: &mut JoinSet<()>,
) -> Result<cadenza_core::time::Time, StoreError> {
    let now = app.clock.now();
    while under_way.try_join_next().is_some() {}
    let room = AT_ONCE.saturating_sub(under_way.len());
    // Claimed by this run and in nobody's hands: the answer to a commit was lost.
    let idle = under_way.is_empty().then_some(app.door.node().epoch);
    let (left, due, next) = app
        .db
        .read_async(move |q| Ok((answers::left_behind(q, idle)?, answers::due(q, now, room)?, answers::next_due(q)?)))
        .await?;
    for one in left {
        settle_left(app, one).await?;
    }
    for (w, id) in due {
        let epoch = app.door.node().epoch;
        let Some(answer) = app.db.write_async(move |tx| answers::claim(tx, w, id, epoch)).await? else { continue };
        let (app, post) = (app.clone(), post.clone());
        under_way.spawn(async move {
            let became = bring(&app, &post, w, &answer).await;
            note(&app, w, &answer, became).await;
        });
    }
    let latest = now + LOOK_EVERY;
    Ok(if room == 0 { latest } else { next.map_or(latest, |t| t.min(latest)) })
}

/// What a run left open that is over: due again where it was not marked, known where the sandbox has it, else unknown.
async fn settle_left(app: &App, left: Left) -> Result<(), StoreError> {
    let now = app.clock.now();
    app.db
        .write_async(move |tx| {
            let (w, id, epoch) = (left.workspace, left.id, left.epoch);
            if !left.marked {
                return answers::put_off(tx, w, id, epoch, now, "");
            }
            let state = if answers::is_in_sandbox(tx, &left)? { State::Sent } else { State::Unknown };
            answers::settle(tx, w, id, epoch, (state, ENDED), now).map(drop)
        })
        .await
}

/// What became of one.
enum Became {
    Sent,
    Refused(String),
    Unknown(String),
    /// Not given whole; tried again after the pause.
    Later(Span, String),
    /// Not given whole, for no fault of its own.
    Returned,
}

impl Became {
    /// A passing failure, the `attempt`th.
    fn later(attempt: u32, why: String) -> Became {
        let place = usize::try_from(attempt.saturating_sub(1)).unwrap_or(usize::MAX);
        match BACKOFF.get(place) {
            Some(minutes) => Became::Later(Span::minutes(*minutes), why),
            None => Became::Refused(why),
        }
    }

    fn of(setback: Setback, attempt: u32) -> Became {
        match setback {
            Setback::Later { detail } | Setback::Stale { detail } => Became::later(attempt, detail),
            Setback::Refused { detail, .. } => Became::Refused(detail),
        }
    }
}

async fn bring(app: &App, post: &Arc<Post>, w: WorkspaceId, answer: &Answer) -> Became {
    let (id, mailbox_id) = (answer.id, answer.mailbox);
    let mailbox = match app.db.read_async(move |q| mailboxes::get(q, w, mailbox_id)).await {
        Ok(mailbox) => mailbox,
        Err(StoreError::Missing { .. }) => return Became::Refused("its mailbox was deleted".into()),
        Err(e) => return Became::later(answer.attempt, e.to_string()),
    };
    let parcel = match parcel(answer, &mailbox) {
        Ok(parcel) => parcel,
        Err(why) => return Became::Refused(why),
    };
    let mut transport = match Transport::of(app, w, Some(&mailbox), post.patience()) {
        Ok(transport) => transport,
        Err(setback) => return Became::of(setback, answer.attempt),
    };
    let mut stopping = app.stopping();
    let offered = tokio::select! {
        biased;
        // Before the dot nothing can have been accepted: a stop need not wait for a slow server.
        _ = stopping.wait_for(|stop| *stop) => return Became::Returned,
        offered = transport.offer(app, &parcel) => offered,
    };
    let ready = match offered {
        Ok(ready) => ready,
        Err(setback) => return Became::of(setback, answer.attempt),
    };
    // Closed when the server stops. It counts what a crash would leave unknown.
    let Ok(_permit) = post.permits.clone().acquire_owned().await else {
        ready.abandon();
        return Became::Returned;
    };
    let (epoch, now, version, to) = (app.door.node().epoch, app.clock.now(), mailbox.version, answer.to.clone());
    let marked = app
        .db
        .write_async(move |tx| {
            // The same order as of a step's mark: what is put on the list meanwhile waits for this commit.
            answers::hold_still(tx, w, mailbox_id)?;
            let key = suppression::key(tx, w)?;
            let asked = [(Suppressible::Email, to.as_str())];
            if let Some(why) = suppression::check(tx, w, &key, asked)?.into_values().next() {
                return Ok(Err(Became::Refused(format!("the address is suppressed: {why}"))));
            }
            if workspaces::get(tx, w)?.restore_hold {
                let why = "the database was restored: sending waits for a release";
                return Ok(Err(Became::Later(HELD_PAUSE, why.into())));
            }
            let of = mailboxes::get(tx, w, mailbox_id)?;
            if let Some((why, _)) = of.held {
                return Ok(Err(Became::Later(HELD_PAUSE, format!("the mailbox is held: {why}"))));
            }
            if of.version != version || !answers::mark(tx, w, id, epoch, now)? {
                return Ok(Err(Became::Returned));
            }
            Ok(Ok(()))
        })
        .await;
    match marked {
        Ok(Ok(())) => {}
        Ok(Err(became)) => {
            ready.abandon();
            return became;
        }
        Err(e) => {
            // Whether the mark stands may be unknown; without the dot nothing can have been accepted.
            ready.abandon();
            return Became::later(answer.attempt, e.to_string());
        }
    }
    match ready.finish(app, &parcel).await {
        Outcome::Accepted => Became::Sent,
        Outcome::Set(setback) => Became::of(setback, answer.attempt),
        Outcome::Unknown { detail } => Became::Unknown(detail),
    }
}

/// The same bytes at every try.
fn parcel(answer: &Answer, mailbox: &Mailbox) -> Result<Parcel, String> {
    fn said(e: impl Display) -> String {
        e.to_string()
    }
    let address = |text: &str| text.parse::<Address>().map_err(said);
    let own = address(&mailbox.address)?;
    let from = match mailbox.name.as_str() {
        "" => Named::bare(own),
        name => Named::named(name, own).map_err(said)?,
    };
    let subject = HeaderText::new(answer.subject.clone()).map_err(said)?;
    let id: MessageId = answer.message_id.parse().map_err(said)?;
    let to = Named::bare(address(&answer.to)?);
    let mut letter = Letter::new(from, to, subject, SentAt::utc(answer.created_at), id);
    // A foreign Message-ID that is none is left out: the thread holds without it.
    letter.references = answer.references.iter().filter_map(|id| id.parse().ok()).collect();
    letter.in_reply_to = letter.references.last().cloned();
    letter.content = Content::Text(answer.text.clone());
    Ok(Parcel {
        from: mailbox.address.clone(),
        to: answer.to.clone(),
        subject: answer.subject.clone(),
        message_id: answer.message_id.clone(),
        raw: compose::compose(&letter),
        text: false,
    })
}

/// Notes what became of it, however long the database is away. The enrollment hears of it as of the user's own mail (REC-10).
async fn note(app: &App, w: WorkspaceId, answer: &Answer, became: Became) {
    let (id, epoch) = (answer.id, app.door.node().epoch);
    let (enrollment, by) = (answer.enrollment, answer.by);
    loop {
        let (app2, now) = (app.clone(), app.clock.now());
        let (state, words, not_before) = match &became {
            Became::Sent => (Some(State::Sent), String::new(), now),
            Became::Refused(why) => (Some(State::Refused), why.clone(), now),
            Became::Unknown(why) => (Some(State::Unknown), why.clone(), now),
            Became::Later(pause, why) => (None, why.clone(), now + *pause),
            Became::Returned => (None, String::new(), now),
        };
        let noted = app.db.write_async(move |tx| {
            let Some(state) = state else { return answers::put_off(tx, w, id, epoch, not_before, &words) };
            let own = answers::settle(tx, w, id, epoch, (state, &words), now)?;
            if let Some(enrollment) = enrollment.filter(|_| own && state == State::Sent) {
                let put = Put { enrollment, event: Event::OwnMail, actor: Actor::User(by) };
                app2.door.advance(tx, w, vec![put], now)?;
            }
            Ok(())
        });
        match noted.await {
            Ok(()) => return,
            Err(e @ (StoreError::Unavailable { .. } | StoreError::Contention { .. })) => {
                tracing::warn!("what became of an answer waits for the database: {e}");
                tokio::time::sleep(PAUSE_AFTER_ERROR).await;
            }
            Err(e) => return tracing::error!(answer = %id, "what became of an answer could not be noted: {e}"),
        }
    }
}
