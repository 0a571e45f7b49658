//! The first run from a browser: only for whoever has the link that the server showed when it started, since on an open network
//! the first to come would otherwise be the administrator. The link lives as long as the process and is spent by its use.

use super::super::attempts::Of;
use super::super::fields::{self, Faults};
use super::super::secrets::{Purpose, Secret};
use super::super::sign_in::{self, Browser, SignedIn};
use super::super::{ActionError, Result, passwords};
use super::{Setup, first_run};
use crate::App;
use cadenza_core::calendar::Zone;
use cadenza_core::ids::WorkspaceId;
use cadenza_store::{users, workspaces};
use std::sync::OnceLock;
use tokio::sync::Mutex;

/// The token of this process's link.
#[derive(Debug, Default)]
pub struct Key {
    token: OnceLock<Secret>,
    /// Of two who come at once only one makes the workspace.
    turn: Mutex<()>,
}

/// What is typed at the first run.
#[derive(Debug, Clone, Default)]
pub struct Typed {
    pub name: String,
    pub postal_address: String,
    pub zone: String,
    pub user_name: String,
    pub user_address: String,
    pub password: String,
}

/// Whether there is no workspace yet.
pub async fn is_needed(app: &App) -> Result<bool> {
    Ok(!app.db.read_async(workspaces::any).await?)
}

/// The token for `/setup?token=`, always the same while the process lives. To be shown to whoever started it and to nobody else.
pub fn token(app: &App) -> &Secret {
    app.setup.token.get_or_init(|| Secret::new(Purpose::Setup, WorkspaceId(0), &app.clock))
}

/// Does somebody show the link?
///
/// # Errors
/// `NotRecognised`; `TooMany`.
pub fn recognise(app: &App, text: &str, browser: &Browser) -> Result<()> {
    let tries = [(Of::network(browser.address), app.config.sign_in.attempts_per_address)];
    app.attempts.take(&tries, app.clock.real())?;
    // Hashes are compared, so that how long it takes tells nothing of the token.
    let shown = Secret::read(Purpose::Setup, text.trim()).map(|s| s.hash());
    if shown.is_some_and(|hash| hash == token(app).hash()) {
        return Ok(());
    }
    Err(ActionError::NotRecognised(
        "This is not the link that the server showed when it was started. Started again, it shows another one.",
    ))
}

/// Makes the first workspace and its administrator, and signs them in.
///
/// # Errors
/// `NotRecognised` without the link; `Invalid` naming each field; `Refused` where there is a workspace (`set_up`).
pub async fn by_link(app: &App, link: &str, typed: Typed, browser: Browser) -> Result<SignedIn> {
    recognise(app, link, &browser)?;
    let _turn = app.setup.turn.lock().await;
    if !is_needed(app).await? {
        return Err(ActionError::refused("set_up", "Cadenza is set up already: sign in."));
    }
    let setup = understood(app, &typed)?;
    let hash = app.passwords.hash(typed.password).await?;
    let (w, user) = first_run(app, setup).await?;
    app.db.write_async(move |tx| users::set_password(tx, w, user, &hash)).await?;
    sign_in::begin(app, w, user, browser).await
}

fn understood(app: &App, typed: &Typed) -> Result<Setup> {
    let mut faults = Faults::default();
    let name = faults.take("name", fields::name(&typed.name));
    let zone: Option<Zone> = faults.take("zone", fields::zone(&typed.zone));
    let user_name = faults.take("user_name", fields::name(&typed.user_name));
    let user_address = faults.take("user_address", fields::email(&typed.user_address));
    let address = user_address.as_deref().unwrap_or_default();
    if let Err(ActionError::Invalid(wrong)) =
        passwords::accept(&typed.password, address, app.config.sign_in.password_length_min)
    {
        wrong.into_iter().for_each(|f| faults.add(f.field, f.message));
    }
    faults.done()?;
    Ok(Setup {
        name: name.unwrap_or_default(),
        postal_address: typed.postal_address.clone(),
        zone: zone.unwrap_or_else(Zone::utc),
        user_name: user_name.unwrap_or_default(),
        user_address: user_address.unwrap_or_default(),
    })
}
