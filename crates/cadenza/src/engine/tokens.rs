//! Access tokens for mailboxes that sign in by OAuth 2, the same for sending and reading: kept until shortly before their end,
//! then renewed, by one at a time over all nodes. A refresh token that comes with the answer is stored before the access token is
//! used, since the one before may be good no more. What only a person can mend holds the mailbox; the rest is tried again.

use super::backoff::{Outlook, pause};
use crate::app::App;
use crate::mail::oauth::{self, Issued, Refusal, Request};
use crate::seal::Place;
use cadenza_core::ids::{MailboxId, WorkspaceId};
use cadenza_core::time::{Span, Time};
use cadenza_store::mailbox_grants::{self, Access, Grant};
use cadenza_store::{StoreError, mailboxes};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;

/// How long a token endpoint is waited for.
const LIMIT: Duration = Duration::from_secs(10);
/// A token is renewed so long before its end, and up to a minute earlier, so that not all mailboxes ask at once; but never before
/// three quarters of its time are over.
const MARGIN: Span = Span::minutes(5);
const APART_SECONDS: u64 = 60;
/// A token that could not be renewed is used to so shortly before its end.
const LAST_USE: Span = Span::seconds(10);
/// Whoever renews has the right for so long; a node that dies in the middle is waited for no longer.
const CLAIM: Span = Span::seconds(30);
/// Between two looks at what another node makes of its renewal, and how often.
const LOOK: Duration = Duration::from_millis(250);
const LOOKS: u32 = 80;
/// Before a token endpoint that failed is asked again, at first.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
/// Before another try of the database.
const DATABASE_PAUSE: Duration = Duration::from_millis(500);
/// Renewals at one moment.
const AT_ONCE: u32 = 64;
/// What a stop waits for renewals at most; the endpoint answers before, or not at all.
const STOP: Duration = Duration::from_secs(12);

/// Of which mailbox.
pub(crate) type Of = (WorkspaceId, MailboxId);

/// Why there is no access token, for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoToken {
    /// Somebody has to change something.
    #[error("{0}")]
    Settled(String),
    #[error("{0}")]
    Passing(String),
}

/// The renewals of this process.
pub struct Tokens {
    turns: Mutex<HashMap<Of, Arc<tokio::sync::Mutex<Rest>>>>,
    at_work: Semaphore,
}

/// After failures: until when the endpoint is left alone.
#[derive(Debug, Default)]
struct Rest {
    failures: u32,
    /// Of the grant that failed; another is tried at once.
    version: i64,
    until: Time,
    why: String,
}

impl Default for Tokens {
    fn default() -> Tokens {
        Tokens { turns: Mutex::default(), at_work: Semaphore::new(AT_ONCE as usize) }
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens")
    }
}

impl Tokens {
    fn turn(&self, of: Of) -> Arc<tokio::sync::Mutex<Rest>> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner).entry(of).or_default().clone()
    }

    /// Waits until no renewal is under way: what was answered is stored then.
    pub(super) async fn at_rest(&self) {
        let _ = tokio::time::timeout(STOP, self.at_work.acquire_many(AT_ONCE)).await;
    }
}

/// A token to sign in with. After a refusal, another than the one that was `refused`.
pub(crate) async fn access_token(app: &App, of: Of, refused: Option<&str>) -> Result<String, NoToken> {
    let grant = stored(app, of).await?;
    if let Some(token) = kept(app, of, &grant, refused, Until::Renewal)? {
        return Ok(token);
    }
    let (app, refused) = (app.clone(), refused.map(str::to_owned));
    // Whoever waits may be called off in the middle; the answer is stored all the same.
    match tokio::spawn(async move { renew(&app, of, refused.as_deref()).await }).await {
        Ok(done) => done,
        Err(e) => {
            tracing::error!(mailbox = %of.1, "the renewal of an access token ended badly: {e}");
            Err(NoToken::Passing("the renewal of the access token ended badly".into()))
        }
    }
}

/// Whether the stored secrets open. Asks nobody.
pub(crate) async fn check(app: &App, of: Of) -> Result<(), NoToken> {
    let grant = stored(app, of).await?;
    request(app, of, &grant).map(drop)?;
    grant.failure.map_or(Ok(()), |why| Err(NoToken::Settled(why)))
}

/// Seals a secret of a mailbox's grant.
pub(crate) fn sealed(app: &App, of: Of, column: &'static str, secret: &str) -> Vec<u8> {
    app.seal.seal(&app.clock, place(of, column), secret.as_bytes())
}

async fn stored(app: &App, (w, id): Of) -> Result<Grant, NoToken> {
    match app.db.read_async(move |q| mailbox_grants::get(q, w, id)).await {
        Ok(Some(grant)) => Ok(grant),
        Ok(None) => Err(NoToken::Settled("no refresh token is stored: say it in the mailbox's settings".into())),
        Err(e) => Err(NoToken::Passing(e.to_string())),
    }
}

/// Until when a stored token is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Until {
    Renewal,
    Last,
}

/// The stored access token, where it may be used.
fn kept(app: &App, of: Of, grant: &Grant, refused: Option<&str>, until: Until) -> Result<Option<String>, NoToken> {
    let Some(access) = &grant.access else { return Ok(None) };
    // Others' time: a clock that was skipped ahead or runs fast does not end it.
    let now = app.clock.real();
    let end = if until == Until::Renewal { access.renew_at } else { access.expires_at - LAST_USE };
    if now >= end {
        return Ok(None);
    }
    let token = opened(app, of, "access_token", &access.token)?;
    Ok(Some(token).filter(|token| refused != Some(token)))
}

async fn renew(app: &App, of: Of, refused: Option<&str>) -> Result<String, NoToken> {
    let turn = app.tokens.turn(of);
    let mut rest = turn.lock().await;
    let _at_work = app.tokens.at_work.acquire().await;
    for _ in 0..LOOKS {
        let grant = stored(app, of).await?;
        if let Some(token) = kept(app, of, &grant, refused, Until::Renewal)? {
            return Ok(token);
        }
        if let Some(why) = grant.failure {
            return Err(NoToken::Settled(why));
        }
        if rest.failures > 0 && rest.version == grant.version && app.clock.real() < rest.until {
            return meanwhile(app, of, &grant, refused, &rest.why);
        }
        if claim(app, of, grant.version).await? {
            return fetch(app, of, grant, refused, &mut rest).await;
        }
        tokio::time::sleep(LOOK).await;
    }
    Err(NoToken::Passing("another node renews the access token and does not come to an end".into()))
}

/// A token that should have been renewed by now does until its end.
fn meanwhile(app: &App, of: Of, grant: &Grant, refused: Option<&str>, why: &str) -> Result<String, NoToken> {
    kept(app, of, grant, refused, Until::Last)?.ok_or_else(|| NoToken::Passing(why.to_owned()))
}

async fn claim(app: &App, (w, id): Of, version: i64) -> Result<bool, NoToken> {
    let now = app.clock.real();
    let claimed = app.db.write_async(move |tx| mailbox_grants::claim(tx, w, id, version, now, now + CLAIM));
    claimed.await.map_err(|e| NoToken::Passing(e.to_string()))
}

async fn fetch(app: &App, of: Of, grant: Grant, refused: Option<&str>, rest: &mut Rest) -> Result<String, NoToken> {
    let trust = super::account::trust(app).map_err(NoToken::Settled);
    let asked = match (request(app, of, &grant), trust) {
        (Ok(request), Ok(trust)) => oauth::ask(&request, &app.config.server.private_addresses, &trust).await,
        (Err(e), _) | (_, Err(e)) => {
            give_back(app, of, grant.version).await;
            return Err(e);
        }
    };
    match asked {
        Ok(issued) => {
            *rest = Rest::default();
            keep(app, of, &grant, issued).await
        }
        Err(refusal @ Refusal::Passing { .. }) => {
            give_back(app, of, grant.version).await;
            let failures = if rest.version == grant.version { rest.failures.saturating_add(1) } else { 1 };
            let pause = pause(&app.clock, FIRST_PAUSE, failures, Outlook::Passing);
            let micros = i64::try_from(pause.as_micros()).unwrap_or(i64::MAX);
            let until = app.clock.real() + Span::from_micros(micros);
            *rest = Rest { failures, version: grant.version, until, why: refusal.to_string() };
            tracing::warn!(mailbox = %of.1, failures, "the access token could not be renewed: {refusal}");
            meanwhile(app, of, &grant, refused, &rest.why)
        }
        Err(refusal) => {
            let why = refusal.to_string();
            tracing::warn!(mailbox = %of.1, "there are no more access tokens for the mailbox, which is held: {why}");
            hold(app, of, grant.version, why.clone()).await?;
            Err(NoToken::Settled(why))
        }
    }
}

/// Stores what was fetched, however long the database is away; only then it is used.
async fn keep(app: &App, of: Of, grant: &Grant, issued: Issued) -> Result<String, NoToken> {
    let (w, id) = of;
    let access = Access { token: sealed(app, of, "access_token", &issued.access_token), ..times(app, id, &issued) };
    let refresh_token = match &issued.refresh_token {
        Some(next) => sealed(app, of, "refresh_token", next),
        None => grant.refresh_token.clone(),
    };
    let version = grant.version;
    loop {
        let (access2, refresh2) = (access.clone(), refresh_token.clone());
        let write = app.db.write_async(move |tx| {
            let written = mailbox_grants::renewed(tx, w, id, version, &access2, &refresh2)?;
            // By an earlier try, whose commit was not heard of.
            Ok(written || mailbox_grants::get(tx, w, id)?.is_some_and(|g| g.access.as_ref() == Some(&access2)))
        });
        match write.await {
            Ok(true) => return Ok(issued.access_token),
            Ok(false) => return Err(NoToken::Passing("the mailbox's settings were changed meanwhile".into())),
            Err(e @ (StoreError::Unavailable { .. } | StoreError::Contention { .. })) => {
                tracing::warn!(mailbox = %id, "a renewed token waits for the database: {e}");
                tokio::time::sleep(DATABASE_PAUSE).await;
            }
            Err(e) => return Err(NoToken::Passing(e.to_string())),
        }
    }
}

/// When a token is to be renewed and when it ends.
fn times(app: &App, id: MailboxId, issued: &Issued) -> Access {
    let now = app.clock.real();
    let lifetime = i64::try_from(issued.lifetime.as_secs()).unwrap_or(i64::MAX);
    let apart = id.0.unsigned_abs().wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
    let margin = MARGIN.as_seconds() + (apart % APART_SECONDS).cast_signed();
    let renew_at = now + Span::seconds((lifetime - margin).max(lifetime / 4 * 3));
    Access { token: Vec::new(), renew_at, expires_at: now + Span::seconds(lifetime) }
}

/// Nothing is asked for any more until somebody has changed or released the mailbox.
async fn hold(app: &App, (w, id): Of, version: i64, why: String) -> Result<(), NoToken> {
    let app2 = app.clone();
    let held = app.db.write_async(move |tx| {
        if mailbox_grants::failed(tx, w, id, version, &why)? && mailboxes::get(tx, w, id)?.held.is_none() {
            mailboxes::hold(tx, w, id, &why, app2.clock.now())?;
        }
        Ok(())
    });
    held.await.map_err(|e| NoToken::Passing(e.to_string()))
}

async fn give_back(app: &App, (w, id): Of, version: i64) {
    if let Err(e) = app.db.write_async(move |tx| mailbox_grants::give_back(tx, w, id, version)).await {
        // It ends by itself.
        tracing::warn!(mailbox = %id, "the right to renew could not be given back: {e}");
    }
}

fn request(app: &App, of: Of, grant: &Grant) -> Result<Request, NoToken> {
    let secret = grant.client_secret.as_ref().map(|sealed| opened(app, of, "client_secret", sealed));
    Ok(Request {
        endpoint: oauth::endpoint(&grant.token_endpoint).map_err(NoToken::Settled)?,
        client_id: grant.client_id.clone(),
        client_secret: secret.transpose()?,
        refresh_token: opened(app, of, "refresh_token", &grant.refresh_token)?,
        limit: LIMIT,
    })
}

fn opened(app: &App, of: Of, column: &'static str, sealed: &[u8]) -> Result<String, NoToken> {
    let bytes = app.seal.open(place(of, column), sealed).map_err(|e| NoToken::Settled(e.to_string()))?;
    String::from_utf8(bytes).map_err(|_| NoToken::Settled("the stored token is no text".into()))
}

fn place((w, id): Of, column: &'static str) -> Place<'static> {
    Place { workspace: w.0, table: "mailbox_grant", row: id.0, column }
}
