//! The first run: a workspace with its roles, its first administrator and its sandbox mailbox. Everything else is set up by
//! the people who work there. From a browser it is done by a link: `link`.

mod link;

pub use link::{Key, Typed, by_link, is_needed, recognise, token};

use super::{ActionError, Privilege, Privileges, Result};
use crate::app::App;
use cadenza_core::calendar::Zone;
use cadenza_core::ids::{MailboxId, UserId, WorkspaceId};
use cadenza_core::settings::WorkspaceSettings;
use cadenza_core::time::Span;
use cadenza_store::mailboxes::{self, Caps, Mailbox};
use cadenza_store::roles::{self, Role};
use cadenza_store::users::{self, User, UserState};
use cadenza_store::workspaces::{self, Workspace};

/// The roles that every workspace begins with (PRM-1).
const ROLES: [&str; 4] = ["Admin", "Manager", "Member", "Viewer"];

/// What the first run asks.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Of the organisation.
    pub name: String,
    /// As it stands below each mail; may be given later, before the first activation.
    pub postal_address: String,
    pub zone: Zone,
    /// The first administrator.
    pub user_name: String,
    pub user_address: String,
}

/// Makes a workspace.
///
/// # Errors
/// `Invalid` for an empty name or an address that is none; `Refused` where somebody signs in with that address already.
pub async fn first_run(app: &App, setup: Setup) -> Result<(WorkspaceId, UserId)> {
    let address: cadenza_core::compose::Address = setup
        .user_address
        .parse()
        .map_err(|e: cadenza_core::compose::InvalidAddress| ActionError::invalid("user_address", e.to_string()))?;
    let need = |field: &'static str, text: &str| match text.trim() {
        "" => Err(ActionError::invalid(field, format!("Say the {}.", field.replace('_', " ")))),
        text => Ok(text.to_owned()),
    };
    let (name, user_name) = (need("name", &setup.name)?, need("user_name", &setup.user_name)?);
    let now = app.clock.now();
    let (w, user, mailbox) = (WorkspaceId(app.next_id()), UserId(app.next_id()), MailboxId(app.next_id()));
    let mut settings = WorkspaceSettings::default();
    settings.sequence.zone = setup.zone.clone();
    let workspace = Workspace {
        id: w,
        name,
        settings,
        signing_key: app.clock.entropy::<32>().to_vec(),
        postal_address: setup.postal_address.trim().to_owned(),
        public_url: String::new(),
        restore_hold: false,
        clock_ahead: Span::ZERO,
        created_at: now,
    };
    let account = User {
        id: user,
        address: address.as_str().to_lowercase(),
        name: user_name.clone(),
        role: "Admin".into(),
        state: UserState::Active,
        zone: Some(setup.zone),
        settings: serde_json::json!({}),
        created_at: now,
        seen_at: None,
    };
    let sandbox = Mailbox {
        id: mailbox,
        owner: user,
        address: format!("{}@sandbox.invalid", address.local().to_lowercase()),
        name: user_name,
        sandbox: true,
        signature: String::new(),
        smtp: None,
        imap: None,
        folders: Vec::new(),
        sent_folder: None,
        caps: Caps::default(),
        freshness_minutes: 10,
        plus_addresses: false,
        journaled: false,
        readable: true,
        read_at: None,
        read_failure: None,
        held: None,
        created_at: now,
        version: 1,
    };
    app.db
        .write_async(move |tx| {
            workspaces::create(tx, &workspace)?;
            for role in ROLES {
                let privileges = Privileges::of_role(role).unwrap_or(Privileges::NONE);
                let words = privileges.iter().map(Privilege::as_str).map(str::to_owned).collect();
                roles::save(tx, w, &Role { name: role.into(), privileges: words, built_in: true })?;
            }
            users::create(tx, w, &account, None)?;
            mailboxes::create(tx, w, &sandbox)
        })
        .await?;
    Ok((w, user))
}
