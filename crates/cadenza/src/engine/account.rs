//! How a mailbox signs in to its servers: the stored settings with their secrets opened, and for OAuth 2 a token that is good.

use super::tokens::{NoToken, Of, access_token};
use crate::app::App;
use crate::mail::smtp::{Account, Auth, ConnectFailure, Connection, HeloName, Security, Stage, Timeouts, Trust};
use crate::mail::{imap, smtp};
use crate::seal::Place;
use cadenza_core::ids::WorkspaceId;
use cadenza_store::mailboxes::{self, Mailbox, Server};

/// Why there is no line to a mailbox's server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotOpen<E> {
    #[error("{0}")]
    Token(NoToken),
    #[error("{0}")]
    Line(E),
}

/// For sending. An error is for people: what of the settings is of no use.
pub(crate) fn account(app: &App, workspace: WorkspaceId, row: &Mailbox, server: &Server) -> Result<Account, String> {
    let domain = row.address.rsplit_once('@').map_or("localhost", |(_, d)| d);
    Ok(smtp::Account {
        host: server.host.clone(),
        port: server.port,
        security: security(server),
        auth: auth(app, workspace, row, server, "smtp_secret")?,
        helo: HeloName::new(domain).map_err(|e| e.to_string())?,
        timeouts: Timeouts::default(),
        trust: trust(app)?,
        reach: app.config.server.private_addresses.clone(),
    })
}

/// For reading.
pub(crate) fn inbox_account(
    app: &App,
    workspace: WorkspaceId,
    row: &Mailbox,
    server: &Server,
) -> Result<imap::Account, String> {
    Ok(imap::Account {
        host: server.host.clone(),
        port: server.port,
        security: security(server),
        auth: auth(app, workspace, row, server, "imap_secret")?,
        timeouts: imap::Timeouts::default(),
        trust: trust(app)?,
        reach: app.config.server.private_addresses.clone(),
    })
}

/// A line to send by. A token that the server refuses is renewed, once.
pub(crate) async fn connect(app: &App, of: Of, account: &mut Account) -> Result<Connection, NotOpen<ConnectFailure>> {
    let with_token = take_token(app, of, &mut account.auth, Refused::No).await?;
    match Connection::open(account, &app.clock).await {
        Err(ConnectFailure::Refused(refusal)) if with_token && refusal.stage == Stage::Auth => {
            take_token(app, of, &mut account.auth, Refused::Yes).await?;
            Connection::open(account, &app.clock).await.map_err(NotOpen::Line)
        }
        done => done.map_err(NotOpen::Line),
    }
}

/// A session to read by, likewise.
pub(crate) async fn sign_in(
    app: &App,
    of: Of,
    account: &mut imap::Account,
) -> Result<imap::Session, NotOpen<imap::Failure>> {
    let with_token = take_token(app, of, &mut account.auth, Refused::No).await?;
    match imap::Session::open(account).await {
        Err(imap::Failure::SignIn { passing: false, .. }) if with_token => {
            take_token(app, of, &mut account.auth, Refused::Yes).await?;
            imap::Session::open(account).await.map_err(NotOpen::Line)
        }
        done => done.map_err(NotOpen::Line),
    }
}

/// Whether the server refused the token that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refused {
    Yes,
    No,
}

/// Puts a good token in; false where the mailbox signs in otherwise.
async fn take_token<E>(app: &App, of: Of, auth: &mut Auth, refused: Refused) -> Result<bool, NotOpen<E>> {
    let Auth::XOAuth2 { token, .. } = auth else { return Ok(false) };
    let old = (refused == Refused::Yes).then_some(token.as_str());
    *token = access_token(app, of, old).await.map_err(NotOpen::Token)?;
    Ok(true)
}

fn auth(app: &App, workspace: WorkspaceId, row: &Mailbox, server: &Server, column: &str) -> Result<Auth, String> {
    let user = server.login.clone().unwrap_or_else(|| row.address.clone());
    Ok(match server.auth {
        mailboxes::Auth::None => Auth::None,
        // Filled in for each connection.
        mailboxes::Auth::Xoauth2 => Auth::XOAuth2 { user, token: String::new() },
        mailboxes::Auth::Password => {
            let password = match &server.secret {
                None => String::new(),
                Some(sealed) => {
                    let place = Place { workspace: workspace.0, table: "mailbox", row: row.id.0, column };
                    let bytes = app.seal.open(place, sealed).map_err(|e| e.to_string())?;
                    String::from_utf8(bytes).map_err(|_| "the stored secret is no text".to_owned())?
                }
            };
            Auth::Password { user, password }
        }
    })
}

fn security(server: &Server) -> Security {
    match server.security {
        mailboxes::Security::None => Security::None,
        mailboxes::Security::Starttls => Security::StartTls,
        mailboxes::Security::Tls => Security::Tls,
    }
}

pub(super) fn trust(app: &App) -> Result<Trust, String> {
    let trust = match &app.config.mail.root_certificates {
        None => Trust::system(),
        Some(path) => Trust::with_root(&std::fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?),
    };
    trust.map_err(|e| e.to_string())
}
