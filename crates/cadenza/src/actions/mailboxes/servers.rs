//! The servers of a mailbox as they are typed: checked, their passwords sealed, and refused where they lead to an address that
//! this installation does not connect to. A name may lead elsewhere later, so each connection asks again.

use super::super::Fault;
use super::super::change::Change;
use super::super::fields::{Faults, Patch};
use super::{MailboxChange, ServerInput};
use crate::App;
use crate::mail::oauth;
use crate::reach::{self, NotFound};
use crate::seal::Place;
use cadenza_core::ids::MailboxId;
use cadenza_store::mailboxes::{Auth, Security, Server};
use std::time::Duration;

/// A person waits for it; what is not known by then is found out by the first connection.
const PATIENCE: Duration = Duration::from_secs(2);

/// Which of the servers that are typed lead to addresses that may not be connected to. One that cannot be found now is no fault:
/// it may be there tomorrow.
pub(super) async fn forbidden(app: &App, new: &MailboxChange) -> Vec<Fault> {
    let imap = if let Patch::Set(typed) = &new.imap { Some(typed) } else { None };
    let typed = |server: Option<&ServerInput>| server.and_then(|s| Some((host(&s.host).ok()?, s.port)));
    let endpoint = if let Patch::Set(typed) = &new.oauth { oauth::endpoint(&typed.token_endpoint).ok() } else { None };
    let endpoint = endpoint.and_then(|url| Some((url.host_str()?.to_owned(), url.port_or_known_default()?)));
    let (smtp, imap, endpoint) = tokio::join!(
        judged(app, "smtp.host", typed(new.smtp.as_ref())),
        judged(app, "imap.host", typed(imap)),
        judged(app, "oauth.token_endpoint", endpoint),
    );
    [smtp, imap, endpoint].into_iter().flatten().collect()
}

async fn judged(app: &App, field: &str, server: Option<(String, u16)>) -> Option<Fault> {
    let (host, port) = server?;
    let reach = &app.config.server.private_addresses;
    let forbidden = match reach.judge_host(&host) {
        Err(forbidden) => forbidden,
        Ok(()) => match reach::find(&host, port, reach, PATIENCE).await {
            Err(NotFound::Forbidden(forbidden)) => forbidden,
            Err(NotFound::Unresolved { .. }) | Ok(_) => return None,
        },
    };
    Some(Fault { field: field.to_owned(), message: format!("{forbidden}.") })
}

pub(super) fn server(
    c: &Change<'_>,
    faults: &mut Faults,
    id: MailboxId,
    field: &'static str,
    typed: ServerInput,
    old: Option<&Server>,
) -> Option<Server> {
    let host = faults.take(format!("{field}.host"), host(&typed.host))?;
    if typed.port == 0 {
        faults.add(format!("{field}.port"), "Expected a port from 1 to 65535.");
    }
    let login = typed.login.map(|l| l.trim().to_owned()).filter(|l| !l.is_empty());
    let typed_secret = typed.secret.filter(|s| !s.is_empty());
    if typed.auth == Auth::Xoauth2 && typed_secret.is_some() {
        faults.add(format!("{field}.secret"), "With xoauth2 there is no password: its tokens come by oauth.");
    }
    let secret = match typed_secret {
        _ if typed.auth == Auth::Xoauth2 => None,
        Some(secret) => {
            let column = if field == "smtp" { "smtp_secret" } else { "imap_secret" };
            let place = Place { workspace: c.w.0, table: "mailbox", row: id.0, column };
            Some(c.app().seal.seal(&c.app().clock, place, secret.as_bytes()))
        }
        // A stored secret goes to no other server than the one it was given for.
        None => old.filter(|o| o.host == host).and_then(|o| o.secret.clone()),
    };
    if typed.auth == Auth::Xoauth2 && login.is_none() {
        faults.add(format!("{field}.login"), "Say the name to sign in with, which usually is the address.");
    }
    if typed.auth == Auth::Password && (login.is_none() || secret.is_none()) {
        faults.add(format!("{field}.secret"), "Say both the name and the password to sign in with.");
    }
    if typed.auth != Auth::None && typed.security == Security::None {
        faults.add(
            format!("{field}.security"),
            "A password goes over a protected connection only: expected tls or starttls.",
        );
    }
    Some(Server { host, port: typed.port, security: typed.security, auth: typed.auth, login, secret })
}

/// A host name or an address in numbers.
fn host(text: &str) -> Result<String, String> {
    let text = text.trim().to_lowercase();
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':');
    if !text.is_empty() && text.len() <= 253 && text.chars().all(good) {
        Ok(text)
    } else {
        Err(format!("{text:?} is no server: expected a name such as smtp.example.com."))
    }
}
