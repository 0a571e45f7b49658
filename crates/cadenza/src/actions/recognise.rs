//! Whom a token belongs to, and what they may do at this moment: asked anew at every request, so that a session that was
//! ended, a role that was changed or a user who left counts at once.

use super::secrets::{Purpose, Secret};
use super::{ActionError, Caller, Privilege, Privileges, Result, Via};
use crate::App;
use cadenza_core::ids::WorkspaceId;
use cadenza_core::time::{Span, Time};
use cadenza_store::users::{self, User, UserState};
use cadenza_store::{Query, StoreError, api_tokens, roles, sessions};

/// That somebody is there is written down at most so often.
const NOTED_EVERY: Span = Span::minutes(5);

/// The caller of a browser's session token.
///
/// Errors: `SignInNeeded`.
pub async fn session(app: &App, token: &str) -> Result<Caller> {
    let secret = Secret::read(Purpose::Session, token).ok_or(ActionError::SignInNeeded)?;
    let (w, hash, now) = (secret.workspace, secret.hash(), app.clock.real());
    let found = app
        .db
        .read_async(move |q| {
            let Some(session) = sessions::with_token(q, w, &hash, now)? else { return Ok(None) };
            let known = active(q, w, session.user)?;
            Ok(known.map(|(user, may)| (session, user, may)))
        })
        .await?;
    let (session, user, privileges) = found.ok_or(ActionError::SignInNeeded)?;
    if now - session.seen_at >= NOTED_EVERY {
        let expires = super::sign_in::expires(app, session.created_at, now);
        let (session, user) = (session.id, user.id);
        note(app, move |tx| {
            sessions::note_seen(tx, w, session, now, expires)?;
            users::note_seen(tx, w, user, now)
        })
        .await?;
    }
    Ok(caller(w, user, privileges, Via::Session(session.id)))
}

/// The caller of a program's token. It may do what its user may, and no more than the token's scopes.
///
/// Errors: `NotRecognised`.
pub async fn token(app: &App, token: &str) -> Result<Caller> {
    const UNKNOWN: ActionError = ActionError::NotRecognised("This token is not valid, has expired, or was ended.");
    let secret = Secret::read(Purpose::Api, token).ok_or(UNKNOWN)?;
    let (w, hash, now) = (secret.workspace, secret.hash(), app.clock.real());
    let found = app
        .db
        .read_async(move |q| {
            let Some(token) = api_tokens::with_hash(q, w, &hash, now)? else { return Ok(None) };
            let known = active(q, w, token.user)?;
            Ok(known.map(|(user, may)| (token, user, may)))
        })
        .await?;
    let (token, user, privileges) = found.ok_or(UNKNOWN)?;
    if token.used_at.is_none_or(|at: Time| now - at >= NOTED_EVERY) {
        let id = token.id;
        note(app, move |tx| api_tokens::note_used(tx, w, id, now)).await?;
    }
    let scopes = token.scopes.iter().filter_map(|s| s.parse::<Privilege>().ok()).collect::<Privileges>();
    Ok(caller(w, user, privileges.and(scopes), Via::Token(token.id)))
}

fn caller(workspace: WorkspaceId, user: User, privileges: Privileges, via: Via) -> Caller {
    Caller { workspace, user: user.id, name: user.name, privileges, via, from: None }
}

/// A user who works here, with the privileges of their role.
fn active(
    q: &mut Query,
    w: WorkspaceId,
    id: cadenza_core::ids::UserId,
) -> cadenza_store::Result<Option<(User, Privileges)>> {
    let user = users::get(q, w, id)?;
    if user.state != UserState::Active {
        return Ok(None);
    }
    let role = roles::get(q, w, &user.role)?;
    let privileges = role
        .privileges
        .iter()
        .map(|word| word.parse::<Privilege>().map_err(|e| StoreError::inconsistent("role", &role.name, e)));
    let privileges = privileges.collect::<std::result::Result<Privileges, _>>()?;
    Ok(Some((user, privileges)))
}

/// Writes down that somebody is there. A session or token that was ended in between is nobody's trouble.
async fn note(
    app: &App,
    f: impl FnMut(&mut cadenza_store::Tx) -> cadenza_store::Result<()> + Send + 'static,
) -> Result<()> {
    match app.db.write_async(f).await {
        Err(StoreError::Missing { .. }) => Err(ActionError::SignInNeeded),
        other => Ok(other?),
    }
}
