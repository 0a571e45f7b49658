//! Tokens of programs: made, listed, ended. A token acts in the name of the user who made it, and may do no more than its
//! scopes and that user may; how one is recognised is in `recognise`.

use super::secrets::{Purpose, Secret};
use super::{ActionError, Caller, Privilege, Privileges, Result, Via};
use crate::App;
use cadenza_core::ids::TokenId;
use cadenza_core::time::Time;
use cadenza_store::api_tokens::{self, ApiToken};
use cadenza_store::audit;

const NAME_LENGTH_MAX: usize = 100;

/// A token that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewToken {
    /// What it is for, in its owner's words.
    pub name: String,
    pub scopes: Privileges,
    pub expires_at: Option<Time>,
}

/// Whose tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Whose {
    #[default]
    Mine,
    Everybodys,
}

/// Makes a token of the caller's own. Its secret is in the answer and nowhere else.
///
/// # Errors
/// `Invalid` for a name, scopes or an end that make no sense; `Forbidden` for a scope that the caller does not have, and for
/// a program that may not manage settings: tokens do not make tokens.
pub async fn create(app: &App, caller: &Caller, new: NewToken) -> Result<(ApiToken, Secret)> {
    if matches!(caller.via, Via::Token(_)) {
        caller.need(Privilege::SettingsManage)?;
    }
    let name = new.name.trim().to_owned();
    if !(1..=NAME_LENGTH_MAX).contains(&name.chars().count()) {
        let message = format!("Say what the token is for, in at most {NAME_LENGTH_MAX} characters.");
        return Err(ActionError::invalid("name", message));
    }
    if new.scopes == Privileges::NONE {
        return Err(ActionError::invalid("scopes", "Choose at least one privilege, or the token can do nothing."));
    }
    for scope in new.scopes.iter() {
        caller.need(scope)?;
    }
    let now = app.clock.real();
    if new.expires_at.is_some_and(|end| end <= now) {
        return Err(ActionError::invalid("expires_at", "Expected a moment in the future, or none."));
    }
    let secret = Secret::new(Purpose::Api, caller.workspace, &app.clock);
    let token = ApiToken {
        id: TokenId(app.next_id()),
        user: caller.user,
        name,
        scopes: new.scopes.iter().map(|p| p.to_string()).collect(),
        created_at: now,
        expires_at: new.expires_at,
        used_at: None,
        ended_at: None,
    };
    let mut line = caller.audit_line(app, "token.create", "token", Some(token.id.0));
    line.after =
        Some(serde_json::json!({ "name": token.name, "scopes": token.scopes, "expires_at": token.expires_at }));
    let (w, kept, hash) = (caller.workspace, token.clone(), secret.hash());
    app.db
        .write_async(move |tx| {
            api_tokens::create(tx, w, &kept, &hash)?;
            audit::add(tx, w, &line)
        })
        .await?;
    Ok((token, secret))
}

/// Newest first, the ended too.
///
/// # Errors
/// `Forbidden` for everybody's without `settings.manage`.
pub async fn list(app: &App, caller: &Caller, whose: Whose) -> Result<Vec<ApiToken>> {
    let user = match whose {
        Whose::Mine => Some(caller.user),
        Whose::Everybodys => {
            caller.need(Privilege::SettingsManage)?;
            None
        }
    };
    let w = caller.workspace;
    Ok(app.db.read_async(move |q| api_tokens::list(q, w, user)).await?)
}

/// Ends a token; one that has ended stays so.
///
/// # Errors
/// `Missing`, also for somebody else's without `settings.manage`.
pub async fn end(app: &App, caller: &Caller, id: TokenId) -> Result<()> {
    let whose = if caller.may(Privilege::SettingsManage) { Whose::Everybodys } else { Whose::Mine };
    let known = list(app, caller, whose).await?;
    let token = known.into_iter().find(|t| t.id == id).ok_or_else(|| ActionError::missing("token", id))?;
    if token.ended_at.is_some() {
        return Ok(());
    }
    let mut line = caller.audit_line(app, "token.end", "token", Some(id.0));
    line.before = Some(serde_json::json!({ "name": token.name }));
    let (w, now) = (caller.workspace, app.clock.real());
    app.db
        .write_async(move |tx| {
            api_tokens::end(tx, w, id, now)?;
            audit::add(tx, w, &line)
        })
        .await?;
    Ok(())
}
