//! One mailbox: connects, looks at all its folders, waits for news, and says how fresh what is known of it is (REC-8). A
//! connection that is lost is made anew, with longer and longer pauses.

use super::Reading;
use super::folder::Trouble;
use crate::app::App;
use crate::clock::Clock;
use crate::engine::account::{NotOpen, inbox_account, sign_in};
use crate::engine::backoff::{Outlook, pause};
use crate::engine::tokens::NoToken;
use crate::mail::imap::{Account, Failure, Session};
use cadenza_core::time::{Span, Time};
use cadenza_store::mailboxes::{self, Inbox, Mailbox};
use cadenza_store::{StoreError, door};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// A connection that lasted so long had served; servers end them now and then.
const SERVED: Duration = Duration::from_secs(10);
/// Between two looks, however much a server tells.
const LEAST: Duration = Duration::from_millis(200);
/// Looks that found nothing new are written down this often within the time that makes an inbox stale.
const NOTES_IN_FRESHNESS: i64 = 4;
/// And looks are made that often.
const LOOKS_IN_FRESHNESS: i64 = 2;

/// Why a connection, or the attempt at one, came to its end.
#[derive(Debug)]
pub(super) enum End {
    Server(Failure),
    /// The stored settings are of no use.
    Settings(String),
    Token(NoToken),
    /// The mail was there and could not be kept.
    Store(StoreError),
}

impl From<Failure> for End {
    fn from(failure: Failure) -> End {
        End::Server(failure)
    }
}

impl From<NotOpen<Failure>> for End {
    fn from(e: NotOpen<Failure>) -> End {
        match e {
            NotOpen::Token(e) => End::Token(e),
            NotOpen::Line(failure) => End::Server(failure),
        }
    }
}

impl From<StoreError> for End {
    fn from(e: StoreError) -> End {
        End::Store(e)
    }
}

#[derive(Debug)]
pub(super) struct Reader {
    pub app: App,
    pub inbox: Inbox,
    pub limits: Reading,
    pub memory: Arc<Semaphore>,
    /// Of each folder, the messages at which its reading failed.
    pub trouble: HashMap<String, Trouble>,
    /// Looks that came to their end.
    looks: u64,
    /// When the last one was written down; `None` where something else was written since.
    noted: Option<Time>,
    /// The last failure that was written down.
    failure: Option<String>,
    /// Whoever waits for this mailbox is told once more: they may have joined the line while it was being told.
    ring_again: bool,
    /// This connection's server offered IDLE and refused it.
    idle_refused: bool,
}

impl Reader {
    pub fn new(app: App, inbox: Inbox, memory: Arc<Semaphore>, limits: Reading) -> Reader {
        Reader {
            app,
            inbox,
            limits,
            memory,
            trouble: HashMap::new(),
            looks: 0,
            noted: None,
            failure: None,
            ring_again: false,
            idle_refused: false,
        }
    }

    /// Reads for as long as it is let.
    pub async fn run(mut self) {
        let mut failures: u32 = 0;
        loop {
            let (before, lasted) = (self.looks, self.app.clock.stopwatch());
            let Err(end) = self.visit().await;
            let looked = self.looks > before;
            failures = if looked && lasted.elapsed() >= SERVED { 1 } else { failures.saturating_add(1) };
            let outlook = match end {
                // What was to be seen was seen.
                End::Server(_) if looked => Outlook::Passing,
                end => self.tell(end).await,
            };
            tokio::time::sleep(pause(&self.app.clock, self.limits.pause, failures, outlook)).await;
        }
    }

    /// One connection, from its beginning to its end.
    async fn visit(&mut self) -> Result<std::convert::Infallible, End> {
        let Inbox { workspace, mailbox, .. } = self.inbox;
        let row = self.app.db.read_async(move |q| mailboxes::get(q, workspace, mailbox)).await?;
        let server = row.imap.as_ref().ok_or_else(|| End::Settings("the mailbox has no inbox any more".into()))?;
        let account = inbox_account(&self.app, workspace, &row, server).map_err(End::Settings)?;
        let mut account = Account { timeouts: self.limits.patience, ..account };
        let mut session = sign_in(&self.app, (workspace, mailbox), &mut account).await?;
        self.idle_refused = false;
        loop {
            let began = self.app.clock.now();
            let took = self.app.clock.stopwatch();
            let wrong = self.look(&mut session, &row).await?;
            self.note(&row, began, wrong).await?;
            tokio::time::sleep(LEAST.saturating_sub(took.elapsed())).await;
            self.wait(&mut session, &row, began).await?;
        }
    }

    /// Looks at every folder; the first is the one that is open afterwards. Answers what of them could not be read.
    async fn look(&mut self, session: &mut Session, row: &Mailbox) -> Result<Option<String>, End> {
        let mut folders = row.all_folders();
        if folders.len() > 1 {
            folders.extend(row.folders.first().map(String::as_str));
        }
        let mut wrong = None;
        for folder in folders {
            match self.read_folder(session, row, folder).await {
                Ok(()) => {}
                // The others are read nevertheless.
                Err(End::Server(failure)) if failure.leaves_the_line_usable() => {
                    wrong.get_or_insert(format!("folder {folder}: {failure}"));
                }
                Err(end) => return Err(end),
            }
        }
        Ok(wrong)
    }

    /// Until the server tells of something, or it is time for another look.
    async fn wait(&mut self, session: &mut Session, row: &Mailbox, began: Time) -> Result<(), End> {
        let half = Span::from_micros(freshness(row).micros() / LOOKS_IN_FRESHNESS);
        let due = began + half;
        if session.offers("IDLE") && !self.idle_refused {
            // It tells of one folder only; the others are to be looked at.
            let longest = if row.all_folders().len() == 1 { self.limits.idle } else { self.limits.poll };
            match session.idle(pass(&self.app.clock, longest, due)).await {
                Ok(_) => return Ok(()),
                // It says that it can, and does not let us.
                Err(failure) if failure.leaves_the_line_usable() => self.idle_refused = true,
                Err(failure) => return Err(failure.into()),
            }
        }
        pass(&self.app.clock, self.limits.poll, due).await;
        Ok(())
    }

    /// Writes down what a look came to, and draws the lines of a mailbox that had not been read lately.
    async fn note(&mut self, row: &Mailbox, began: Time, wrong: Option<String>) -> Result<(), End> {
        if let Some(why) = wrong {
            self.looks += 1;
            return Ok(self.write_failure(why).await?);
        }
        let often = Span::from_micros(freshness(row).micros() / NOTES_IN_FRESHNESS);
        if !self.ring_again && self.noted.is_some_and(|noted| began - noted < often) {
            self.looks += 1;
            return Ok(());
        }
        let Inbox { workspace, mailbox, .. } = self.inbox;
        let (app, again, fresh_for) = (self.app.clone(), self.ring_again, freshness(row));
        let rang = self.app.db.write_async(move |tx| {
            let now = app.clock.now();
            let before = mailboxes::get(tx, workspace, mailbox)?.read_at;
            mailboxes::note_reading(tx, workspace, mailbox, began, Ok(()))?;
            let was_stale = before.is_none_or(|read_at| read_at < now - fresh_for);
            if was_stale || again {
                door::ring_mailbox(tx, workspace, mailbox, now)?;
            }
            Ok(was_stale)
        });
        self.ring_again = rang.await?;
        if self.looks == 0 || self.failure.is_some() {
            tracing::info!(mailbox = %mailbox, "the mailbox is read");
        }
        (self.noted, self.failure) = (Some(began), None);
        self.looks += 1;
        Ok(())
    }

    /// Says why the mailbox is not read, where it is looked for: in the settings, by `doctor`, in the API.
    async fn tell(&mut self, end: End) -> Outlook {
        let mailbox = self.inbox.mailbox;
        let (why, kind, outlook) = match end {
            End::Server(failure) => {
                let outlook = if failure.is_passing() { Outlook::Passing } else { Outlook::Settled };
                (failure.to_string(), failure.kind(), outlook)
            }
            End::Settings(why) => (why, "its settings are of no use", Outlook::Settled),
            End::Token(NoToken::Settled(why)) => (why, "it has no access token", Outlook::Settled),
            End::Token(NoToken::Passing(why)) => (why, "it has no access token at present", Outlook::Passing),
            End::Store(e) => {
                tracing::warn!(mailbox = %mailbox, "what came could not be taken in: {e}");
                return Outlook::Passing;
            }
        };
        if self.failure.is_none() {
            tracing::warn!(mailbox = %mailbox, "the mailbox cannot be read ({kind}); Settings shows what its server said");
        }
        if let Err(e) = self.write_failure(why).await {
            tracing::warn!(mailbox = %mailbox, "why it is not read could not be written down: {e}");
        }
        outlook
    }

    async fn write_failure(&mut self, why: String) -> Result<(), StoreError> {
        if self.failure.as_ref() == Some(&why) {
            return Ok(());
        }
        let Inbox { workspace, mailbox, .. } = self.inbox;
        let (now, words) = (self.app.clock.now(), why.replace('\0', ""));
        let write =
            self.app.db.write_async(move |tx| mailboxes::note_reading(tx, workspace, mailbox, now, Err(&words)));
        write.await?;
        (self.failure, self.noted) = (Some(why), None);
        Ok(())
    }
}

/// Until `longest` has passed, or the clock shows `due`, which it may at any moment where it is skipped ahead.
async fn pass(clock: &Clock, longest: Duration, due: Time) {
    let until_due = async {
        while clock.now() < due {
            clock.until(due).await;
        }
    };
    tokio::select! {
        () = tokio::time::sleep(longest) => {}
        () = until_due => {}
    }
}

fn freshness(row: &Mailbox) -> Span {
    Span::minutes(i64::from(row.freshness_minutes))
}
