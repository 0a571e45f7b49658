//! How a mailbox signs in to its servers: the stored settings with their secrets opened.

use crate::app::App;
use crate::mail::smtp::{Account, Auth, HeloName, Security, Timeouts, Trust};
use crate::mail::{imap, smtp};
use crate::seal::Place;
use cadenza_core::ids::WorkspaceId;
use cadenza_store::mailboxes::{self, Mailbox, Server};

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

fn auth(app: &App, workspace: WorkspaceId, row: &Mailbox, server: &Server, column: &str) -> Result<Auth, String> {
    let secret = match &server.secret {
        None => String::new(),
        Some(sealed) => {
            let place = Place { workspace: workspace.0, table: "mailbox", row: row.id.0, column };
            let bytes = app.seal.open(place, sealed).map_err(|e| e.to_string())?;
            String::from_utf8(bytes).map_err(|_| "the stored secret is no text".to_owned())?
        }
    };
    let user = server.login.clone().unwrap_or_else(|| row.address.clone());
    Ok(match server.auth {
        mailboxes::Auth::None => Auth::None,
        mailboxes::Auth::Password => Auth::Password { user, password: secret },
        mailboxes::Auth::Xoauth2 => Auth::XOAuth2 { user, token: secret },
    })
}

fn security(server: &Server) -> Security {
    match server.security {
        mailboxes::Security::None => Security::None,
        mailboxes::Security::Starttls => Security::StartTls,
        mailboxes::Security::Tls => Security::Tls,
    }
}

fn trust(app: &App) -> Result<Trust, String> {
    let trust = match &app.config.mail.root_certificates {
        None => Trust::system(),
        Some(path) => Trust::with_root(&std::fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?),
    };
    trust.map_err(|e| e.to_string())
}
