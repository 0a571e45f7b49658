//! Signing in: by password or by a one-time link, and out again. Whoever a token belongs to is found in `recognise`.

use super::attempts::Of;
use super::secrets::{Purpose, Secret};
use super::{ActionError, Caller, Result, Via};
use crate::App;
use cadenza_core::ids::{SessionId, UserId, WorkspaceId};
use cadenza_core::time::{Span, Time};
use cadenza_store::sessions::{self, Session};
use cadenza_store::users::{self, Invitation, User, UserState};
use std::net::IpAddr;

const WRONG: ActionError = ActionError::NotRecognised("Address and password do not belong together.");
const SPENT: ActionError =
    ActionError::NotRecognised("This link was used already, or is too old. Ask for another one.");
/// Longer names of browsers are cut.
const AGENT_LENGTH_MAX: usize = 200;

/// From where somebody signs in, for the list of sessions.
#[derive(Debug, Clone)]
pub struct Browser {
    pub address: IpAddr,
    pub agent: Option<String>,
}

/// A session that has just begun.
#[derive(Debug, Clone)]
pub struct SignedIn {
    pub token: Secret,
    pub session: SessionId,
}

/// Whom a one-time link is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkFor {
    pub name: String,
    pub address: String,
    /// Whether a password is to be chosen on this occasion.
    pub needs_password: bool,
}

/// Begins a session for whoever has that address and password.
///
/// Errors: `NotRecognised`, always the same and after the same time; `TooMany`.
pub async fn by_password(app: &App, address: &str, password: String, browser: Browser) -> Result<SignedIn> {
    let address = address.trim().to_lowercase();
    let limits = &app.config.sign_in;
    let account = Of::Account(address.chars().take(200).collect());
    let wanted =
        [(account.clone(), limits.attempts_per_account), (Of::network(browser.address), limits.attempts_per_address)];
    app.attempts.take(&wanted, app.clock.real())?;
    let found = app
        .db
        .read_async(move |q| {
            let Some((w, id)) = users::signs_in_as(q, &address)? else { return Ok(None) };
            let user = users::get(q, w, id)?;
            let password = users::password(q, w, id)?;
            Ok(Some((w, user, password)))
        })
        .await?;
    let (known, stored) = match found {
        Some((w, user, stored)) if user.state == UserState::Active => (Some((w, user)), stored),
        _ => (None, None),
    };
    if !app.passwords.check(password, stored).await? {
        return Err(WRONG);
    }
    let Some((w, user)) = known else { return Err(WRONG) };
    app.attempts.give_back(&account);
    begin(app, w, user.id, browser).await
}

/// Makes a link by which a user signs in once; in place of an earlier one. Answers the token for `/sign-in?token=`.
pub async fn make_link(app: &App, w: WorkspaceId, user: UserId, by: UserId) -> Result<Secret> {
    let secret = Secret::new(Purpose::Link, w, &app.clock);
    let now = app.clock.real();
    let invitation = Invitation {
        user,
        token_hash: secret.hash(),
        invited_by: by,
        created_at: now,
        expires_at: now + Span::minutes(i64::from(app.config.sign_in.link_minutes)),
    };
    app.db.write_async(move |tx| users::invite(tx, w, &invitation)).await?;
    Ok(secret)
}

/// Whom a link is for; asking does not use it up.
///
/// Errors: `NotRecognised`.
pub async fn read_link(app: &App, token: &str) -> Result<LinkFor> {
    let (_, user) = of_link(app, token).await?;
    Ok(LinkFor { name: user.name, address: user.address, needs_password: user.state == UserState::Invited })
}

/// Uses a link up and begins a session; who was invited chooses a password.
///
/// Errors: `NotRecognised`; `Invalid` for a password that is not good enough, with the link still good.
pub async fn by_link(app: &App, token: &str, password: Option<String>, browser: Browser) -> Result<SignedIn> {
    let (secret, user) = of_link(app, token).await?;
    let (w, id) = (secret.workspace, user.id);
    let hash = match (user.state, password) {
        (UserState::Invited, None) => return Err(ActionError::invalid("password", "Choose a password.")),
        (UserState::Invited, Some(password)) => {
            super::passwords::accept(&password, &user.address, app.config.sign_in.password_length_min)?;
            Some(app.passwords.hash(password).await?)
        }
        _ => None,
    };
    let (token_hash, now) = (secret.hash(), app.clock.real());
    let used = app
        .db
        .write_async(move |tx| {
            // Asked again inside: of two who come at once only one gets in.
            if users::invited(tx, w, &token_hash, now)? != Some(id) {
                return Ok(false);
            }
            users::end_invitation(tx, w, id)?;
            if let Some(hash) = &hash {
                users::set_password(tx, w, id, hash)?;
            }
            Ok(true)
        })
        .await?;
    if !used {
        return Err(SPENT);
    }
    begin(app, w, id, browser).await
}

/// Ends the caller's own session.
pub async fn out(app: &App, caller: &Caller) -> Result<()> {
    if let Via::Session(id) = caller.via {
        end_session(app, caller, id).await?;
    }
    Ok(())
}

/// The caller's sessions, the last used first.
pub async fn my_sessions(app: &App, caller: &Caller) -> Result<Vec<Session>> {
    let (w, user, now) = (caller.workspace, caller.user, app.clock.real());
    Ok(app.db.read_async(move |q| sessions::of_user(q, w, user, now)).await?)
}

/// Ends one session of the caller.
///
/// Errors: `Missing`.
pub async fn end_session(app: &App, caller: &Caller, id: SessionId) -> Result<()> {
    let (w, user) = (caller.workspace, caller.user);
    let ended = app.db.write_async(move |tx| sessions::end(tx, w, user, id)).await?;
    if ended { Ok(()) } else { Err(ActionError::missing("session", id)) }
}

/// Changes the caller's password and ends all their other sessions.
///
/// Errors: `Invalid` for `old_password` or `password`; `TooMany`.
pub async fn change_password(app: &App, caller: &Caller, old: String, new: String) -> Result<()> {
    let (w, id) = (caller.workspace, caller.user);
    let (user, stored) = app.db.read_async(move |q| Ok((users::get(q, w, id)?, users::password(q, w, id)?))).await?;
    let account = Of::Account(user.address.clone());
    app.attempts.take(&[(account.clone(), app.config.sign_in.attempts_per_account)], app.clock.real())?;
    // Who came by a link and never had a password has none to show.
    if stored.is_some() && !app.passwords.check(old, stored).await? {
        return Err(ActionError::invalid("old_password", "This is not your present password."));
    }
    app.attempts.give_back(&account);
    super::passwords::accept(&new, &user.address, app.config.sign_in.password_length_min)?;
    let hash = app.passwords.hash(new).await?;
    let kept = match caller.via {
        Via::Session(session) => Some(session),
        Via::Token(_) | Via::Console => None,
    };
    let audit = caller.audit_line(app, "user.change_password", "user", Some(id.0));
    app.db
        .write_async(move |tx| {
            users::set_password(tx, w, id, &hash)?;
            sessions::end_all_but(tx, w, id, kept)?;
            cadenza_store::audit::add(tx, w, &audit)
        })
        .await?;
    Ok(())
}

/// How long a session lasts that was begun at `created` and is used now.
pub(super) fn expires(app: &App, created: Time, now: Time) -> Time {
    let limits = &app.config.sign_in;
    let idle = now + Span::hours(i64::from(limits.session_idle_hours));
    idle.min(created + Span::days(i64::from(limits.session_days)))
}

async fn of_link(app: &App, token: &str) -> Result<(Secret, User)> {
    let secret = Secret::read(Purpose::Link, token).ok_or(SPENT)?;
    let (w, hash, now) = (secret.workspace, secret.hash(), app.clock.real());
    let found = app
        .db
        .read_async(move |q| {
            let Some(id) = users::invited(q, w, &hash, now)? else { return Ok(None) };
            users::get(q, w, id).map(Some)
        })
        .await?;
    match found {
        Some(user) if user.state != UserState::Departed => Ok((secret, user)),
        _ => Err(SPENT),
    }
}

pub(super) async fn begin(app: &App, w: WorkspaceId, user: UserId, browser: Browser) -> Result<SignedIn> {
    let (token, now) = (Secret::new(Purpose::Session, w, &app.clock), app.clock.real());
    let session = Session {
        id: SessionId(app.next_id()),
        user,
        created_at: now,
        seen_at: now,
        expires_at: expires(app, now, now),
        from: Some(browser.address.to_string()),
        user_agent: browser.agent.map(|a| a.chars().take(AGENT_LENGTH_MAX).collect()),
    };
    let (id, hash) = (session.id, token.hash());
    app.db
        .write_async(move |tx| {
            sessions::sweep(tx, w, now)?;
            sessions::create(tx, w, &session, &hash)?;
            users::note_seen(tx, w, user, now)
        })
        .await?;
    Ok(SignedIn { token, session: id })
}
