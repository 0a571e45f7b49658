//! What a mailbox gets its access tokens with, as it is typed: checked, its secrets sealed, and kept only while one of the
//! mailbox's servers signs in so. Stored secrets go to no other endpoint or client than those they were given for.

use super::super::change::{Change, Stopped};
use super::super::fields::{Faults, Patch};
use super::super::{Caller, Privilege, Result};
use crate::App;
use crate::engine::tokens::sealed;
use crate::mail::oauth;
use cadenza_core::ids::MailboxId;
use cadenza_store::mailbox_grants::{self, Grant};
use cadenza_store::mailboxes::{Auth, Mailbox};
use serde::Deserialize;
use serde_json::{Value, json};

const CLIENT_ID_LENGTH_MAX: usize = 500;
const SECRET_LENGTH_MAX: usize = 16 * 1024;

/// As it is typed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OAuthInput {
    /// `google`, `microsoft`, or an https address.
    pub token_endpoint: String,
    pub client_id: String,
    /// Absent: the stored one stays. Null: the client has none.
    #[serde(default)]
    pub client_secret: Patch<String>,
    /// Absent: the stored one stays.
    #[serde(default)]
    pub refresh_token: Option<String>,
}

/// What becomes of what is stored.
pub(super) enum Becomes {
    Same,
    Another(Grant),
    Gone,
}

/// What a mailbox gets its access tokens with. Its secrets are sealed.
///
/// # Errors
/// `Forbidden`; `Missing` is left to whoever reads the mailbox.
pub async fn oauth(app: &App, caller: &Caller, id: MailboxId) -> Result<Option<Grant>> {
    caller.need(Privilege::MailboxesManage)?;
    let w = caller.workspace;
    Ok(app.db.read_async(move |q| mailbox_grants::get(q, w, id)).await?)
}

pub(super) fn judged(
    c: &Change<'_>,
    faults: &mut Faults,
    m: &Mailbox,
    old: Option<&Grant>,
    typed: Patch<OAuthInput>,
) -> Becomes {
    let used = m.smtp.iter().chain(&m.imap).any(|s| s.auth == Auth::Xoauth2);
    match (used, typed) {
        (true, Patch::Set(typed)) => match another(c, faults, m.id, old, typed) {
            Some(grant) if old != Some(&grant) => Becomes::Another(grant),
            _ => Becomes::Same,
        },
        (true, Patch::Keep) if old.is_some() => Becomes::Same,
        (true, _) => {
            let message = "A server that signs in by xoauth2 needs token_endpoint, client_id and refresh_token.";
            faults.add("oauth", message);
            Becomes::Same
        }
        (false, Patch::Set(_)) => {
            faults.add("oauth", "It is for servers that sign in by xoauth2, and none of this mailbox's does.");
            Becomes::Same
        }
        (false, _) => Becomes::Gone,
    }
}

/// The stored grant as it is to be; the same where nothing of it was changed.
fn another(
    c: &Change<'_>,
    faults: &mut Faults,
    id: MailboxId,
    old: Option<&Grant>,
    typed: OAuthInput,
) -> Option<Grant> {
    let endpoint = faults.take("oauth.token_endpoint", oauth::endpoint(&typed.token_endpoint));
    let client_id = typed.client_id.trim().to_owned();
    let plain = |text: &str| !text.chars().any(char::is_control);
    if client_id.is_empty() || client_id.len() > CLIENT_ID_LENGTH_MAX || !plain(&client_id) {
        faults.add(
            "oauth.client_id",
            format!("Expected up to {CLIENT_ID_LENGTH_MAX} characters, as the provider gave it."),
        );
    }
    let token_endpoint = endpoint?.to_string();
    let old = old.filter(|o| o.token_endpoint == token_endpoint && o.client_id == client_id);
    let mut seal = |field: &'static str, column, typed: String| {
        let typed = typed.trim();
        if typed.len() > SECRET_LENGTH_MAX || !plain(typed) {
            faults.add(field, format!("Expected one line of up to {SECRET_LENGTH_MAX} characters."));
        }
        sealed(c.app(), (c.w, id), column, typed)
    };
    let client_secret = match typed.client_secret {
        Patch::Set(secret) if !secret.trim().is_empty() => Some(seal("oauth.client_secret", "client_secret", secret)),
        Patch::Set(_) | Patch::Keep => old.and_then(|o| o.client_secret.clone()),
        Patch::Clear => None,
    };
    let refresh_token = match typed.refresh_token.filter(|t| !t.trim().is_empty()) {
        Some(token) => Some(seal("oauth.refresh_token", "refresh_token", token)),
        None => old.map(|o| o.refresh_token.clone()),
    };
    let Some(refresh_token) = refresh_token else {
        faults.add("oauth.refresh_token", "Say the refresh token that was given for this client and endpoint.");
        return None;
    };
    Some(match old {
        Some(old) if old.client_secret == client_secret && old.refresh_token == refresh_token => old.clone(),
        _ => Grant { token_endpoint, client_id, client_secret, refresh_token, access: None, failure: None, version: 1 },
    })
}

pub(super) fn write(c: &mut Change<'_>, id: MailboxId, becomes: &Becomes) -> Result<(), Stopped> {
    match becomes {
        Becomes::Same => {}
        Becomes::Another(grant) => mailbox_grants::set(c.tx, c.w, id, grant)?,
        Becomes::Gone => mailbox_grants::remove(c.tx, c.w, id)?,
    }
    Ok(())
}

/// What the audit log says of it: no secret, sealed or not.
pub(super) fn shown(grant: Option<&Grant>) -> Value {
    grant.map_or(Value::Null, |g| json!({ "token_endpoint": g.token_endpoint, "client_id": g.client_id }))
}
