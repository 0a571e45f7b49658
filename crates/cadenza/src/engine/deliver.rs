//! Where recorded messages wait for their line: a lane for each connection of each mailbox. It counts what is under way and
//! says when a mailbox has enough, so that one slow mail server holds up nobody else's mail. How a message is brought to its
//! server is `lane`'s business.

use super::Limits;
use super::advance::Advancer;
use super::compose::{self, Prepared};
use super::lane;
use crate::app::App;
use crate::clock::Stopwatch;
use crate::mail::smtp::Timeouts;
use cadenza_core::ids::{EnrollmentId, MailboxId, WorkspaceId};
use cadenza_store::door::{OpenSend, Outgoing, Room};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio::task::JoinHandle;

/// A mailbox takes more as long as what waits for it will be gone within this.
const BACKLOG: Duration = Duration::from_secs(10);
/// What a message is taken to need where nothing is known of the server.
const FIRST_PACE: Duration = Duration::from_millis(300);
/// A lane takes at least so many, however slow it is, and at most so many, however fast.
const LANE_HOLDS: std::ops::RangeInclusive<usize> = 4..=256;
/// A lane that has waited for its server for longer has one that does not answer: what it holds takes nobody's room.
const STUCK: Duration = Duration::from_secs(60);
/// Messages of people that are prepared at once.
const BY_HAND_MAX: usize = 64;
/// Longer than the wait for the answer to a final dot (RFC 5321 §4.5.3.2.6).
const LAST_WORDS: Duration = Duration::from_secs(660);

/// A mailbox of a workspace; `None` for texts.
pub(super) type Of = (WorkspaceId, Option<MailboxId>);
/// With the number of the connection.
pub(super) type LaneKey = (Of, usize);

/// Where recorded messages are handed over.
#[derive(Debug)]
pub(super) struct Post {
    pub app: App,
    pub advancer: Advancer,
    /// Messages past their final mark.
    pub permits: Arc<Semaphore>,
    limits: Limits,
    lanes: Mutex<Lanes>,
    /// Which attempts lanes answer for: what is recorded and not here, nobody works on.
    in_hand: Mutex<HashSet<Attempt>>,
    settled: Notify,
}

/// With its visit and its number there.
type Attempt = (EnrollmentId, u32, u32);

#[derive(Debug, Default)]
struct Lanes {
    open: HashMap<LaneKey, Lane>,
    /// Of lanes that closed themselves for want of work.
    ended: Vec<JoinHandle<()>>,
}

#[derive(Debug)]
struct Lane {
    queue: mpsc::UnboundedSender<Taken>,
    load: Arc<Load>,
    task: JoinHandle<()>,
}

/// How much a lane has to do, and how fast it is.
#[derive(Debug, Default)]
pub(super) struct Load(Mutex<LoadNow>);

#[derive(Debug, Default, Clone, Copy)]
struct LoadNow {
    waiting: usize,
    /// Since when the server is waited for.
    waits_since: Option<Stopwatch>,
    /// For how long it was, for the message in hand.
    waited: Duration,
    /// What the server took for a message lately. Our own commits are not in it: a slow disk must not look like a slow server.
    pace: Duration,
}

/// A message that a lane answers for; dropped when it has come to its end, whatever that was.
#[derive(Debug)]
pub(super) struct Taken {
    pub prepared: Prepared,
    load: Arc<Load>,
    post: Arc<Post>,
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.load.now().waiting -= 1;
        self.post.in_hand().remove(&attempt(&self.prepared.message));
        // Kept for the one who waits, the clock's loop, also while it is at something else.
        self.post.settled.notify_one();
    }
}

impl Load {
    fn now(&self) -> MutexGuard<'_, LoadNow> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
    pub fn waits_for_server(&self, stopwatch: Stopwatch) {
        self.now().waits_since = Some(stopwatch);
    }
    pub fn heard_server(&self) {
        let mut now = self.now();
        let waited = now.waits_since.take().map_or(Duration::ZERO, Stopwatch::elapsed);
        now.waited += waited;
    }
    /// The message in hand has come to its end.
    pub fn done(&self) {
        let mut now = self.now();
        let waited = std::mem::take(&mut now.waited);
        if !waited.is_zero() {
            now.pace = (now.pace * 3 + waited) / 4;
        }
    }
}

impl LoadNow {
    fn is_stuck(&self) -> bool {
        self.waits_since.is_some_and(|s| s.elapsed() > STUCK)
    }
    /// How many more it takes.
    fn room(&self) -> usize {
        let pace = match self.pace {
            // Nothing is known of its server yet.
            Duration::ZERO => FIRST_PACE,
            pace => pace.max(self.waits_since.map_or(Duration::ZERO, Stopwatch::elapsed)),
        };
        let in_time = (BACKLOG.as_micros() / pace.as_micros().max(1)) as usize;
        if self.is_stuck() {
            0
        } else {
            in_time.clamp(*LANE_HOLDS.start(), *LANE_HOLDS.end()).saturating_sub(self.waiting)
        }
    }
}

impl Post {
    pub fn new(app: App, advancer: Advancer, limits: Limits) -> Post {
        Post {
            app,
            advancer,
            permits: Arc::new(Semaphore::new(limits.dot_permits.max(1))),
            limits,
            lanes: Mutex::default(),
            in_hand: Mutex::default(),
            settled: Notify::new(),
        }
    }

    /// How long to wait for mail servers.
    pub fn patience(&self) -> Timeouts {
        self.limits.patience
    }

    fn lanes(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn in_hand(&self) -> MutexGuard<'_, HashSet<Attempt>> {
        self.in_hand.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does a lane answer for it?
    pub fn has(&self, send: &OpenSend) -> bool {
        self.in_hand().contains(&(send.enrollment, send.visit, send.attempt))
    }

    /// How many more messages may be recorded now. What lies before a server that does not answer is not counted: it is
    /// bounded by its mailbox, and must not stop the mail of the others.
    pub fn room_left(&self) -> usize {
        let lanes = self.lanes();
        let loads = lanes.open.values().map(|lane| *lane.load.now());
        let under_way: usize = loads.filter(|load| !load.is_stuck()).map(|load| load.waiting).sum();
        self.limits.claimed_max.saturating_sub(under_way)
    }

    /// How much each mailbox takes for now.
    pub fn room(&self) -> Room {
        let connections = self.limits.connections_per_mailbox.max(1);
        let new = LoadNow::default().room();
        let mut of = HashMap::new();
        for (((workspace, mailbox), _), lane) in &self.lanes().open {
            if let Some(mailbox) = mailbox {
                let (lanes, room): &mut (usize, usize) = of.entry((*workspace, *mailbox)).or_default();
                *lanes += 1;
                *room += lane.load.now().room();
            }
        }
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let of =
            of.into_iter().map(|(id, (lanes, room))| (id, count(room + (connections - lanes.min(connections)) * new)));
        Room { of: of.collect(), others: count(connections * new) }
    }

    /// Has a mailbox half of what it takes, or less? Its line is drawn then, many at once rather than one by one.
    pub fn is_free(&self, of: Of) -> bool {
        let lanes = self.lanes();
        let loads = lanes.open.iter().filter(|((o, _), _)| *o == of).map(|(_, lane)| *lane.load.now());
        let (waiting, room) = loads.fold((0, 0), |(w, r), load| (w + load.waiting, r + load.room()));
        waiting <= room
    }

    /// Waits until a message has come to its end, or has since this was last asked.
    pub async fn settles(&self) {
        self.settled.notified().await;
    }

    /// Waits until there is room for half of what may be under way: work goes on in batches, not one by one.
    pub async fn has_room(&self) {
        loop {
            let settled = self.settled.notified();
            tokio::pin!(settled);
            settled.as_mut().enable();
            if self.room_left() >= self.limits.claimed_max.div_ceil(2) {
                return;
            }
            // Looked at anew now and then: a lane that is stuck makes room by time alone.
            let _ = tokio::time::timeout(STUCK / 4, settled).await;
        }
    }

    /// Into the connection of its mailbox with the least to do.
    fn take(self: &Arc<Self>, prepared: Prepared) {
        let of = (prepared.message.workspace, prepared.message.mailbox);
        let mut lanes = self.lanes();
        let waiting = |n: &usize| lanes.open.get(&(of, *n)).map_or(0, |lane| lane.load.now().waiting);
        let number = (0..self.limits.connections_per_mailbox.max(1)).min_by_key(waiting).unwrap_or(0);
        let key = (of, number);
        let lane = lanes.open.entry(key).or_insert_with(|| self.open(key));
        lane.load.now().waiting += 1;
        self.in_hand().insert(attempt(&prepared.message));
        let taken = Taken { prepared, load: lane.load.clone(), post: self.clone() };
        // A lane leaves the map under this lock before it ends, so its other end is there.
        if lane.queue.send(taken).is_err() {
            tracing::error!("a lane was gone; its message is found at the next start");
        }
    }

    /// Takes recorded messages over, with what composing them needs.
    pub async fn take_all(self: &Arc<Self>, messages: Vec<Outgoing>) {
        if !messages.is_empty() {
            compose::prepare(&self.app, messages).await.into_iter().for_each(|prepared| self.take(prepared));
        }
    }

    fn open(self: &Arc<Self>, key: LaneKey) -> Lane {
        let (queue, messages) = mpsc::unbounded_channel();
        let load = Arc::new(Load::default());
        let task = tokio::spawn(lane::run(self.clone(), key, load.clone(), messages));
        Lane { queue, load, task }
    }

    /// Closes a lane that found nothing to do, unless something came meanwhile.
    pub fn retire(&self, key: LaneKey, messages: &mut mpsc::UnboundedReceiver<Taken>) -> Option<Taken> {
        let mut lanes = self.lanes();
        let more = messages.try_recv().ok();
        if more.is_none()
            && let Some(lane) = lanes.open.remove(&key)
        {
            lanes.ended.retain(|task| !task.is_finished());
            lanes.ended.push(lane.task);
        }
        more
    }

    /// Ends all lanes: whoever waits for its mark gives its message back, whoever is past it waits for the answer.
    pub async fn close(&self) {
        self.permits.close();
        let tasks: Vec<JoinHandle<()>> = {
            let mut lanes = self.lanes();
            let open: Vec<Lane> = lanes.open.drain().map(|(_, lane)| lane).collect();
            open.into_iter().map(|lane| lane.task).chain(std::mem::take(&mut lanes.ended)).collect()
        };
        let all = async {
            for task in tasks {
                if let Err(e) = task.await {
                    tracing::error!("a lane ended badly: {e}");
                }
            }
        };
        if tokio::time::timeout(LAST_WORDS, all).await.is_err() {
            tracing::warn!("some messages are still without an answer; they will be shown as unknown");
        }
    }
}

fn attempt(message: &Outgoing) -> Attempt {
    (message.enrollment, message.visit, message.attempt)
}

/// Takes over what people send, until the stop.
pub(super) async fn run(app: App, post: Arc<Post>) {
    let mut stopping = app.stopping();
    let Some(mut by_hand) = app.to_send() else { return };
    let mut messages = Vec::new();
    loop {
        tokio::select! {
            received = by_hand.recv_many(&mut messages, BY_HAND_MAX) => if received == 0 { return },
            _ = stopping.wait_for(|stop| *stop) => return,
        }
        post.take_all(std::mem::take(&mut messages)).await;
    }
}
