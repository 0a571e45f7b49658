//! Mailboxes: added, changed, held and released. Passwords come in and never go out again: they are sealed before they
//! are stored, and shown nowhere. Whether their servers answer is tried in `connection`.

mod connection;
mod oauth;
mod servers;

pub use connection::{Progress, Trial, test};
pub use oauth::{OAuthInput, oauth};

use self::oauth::Becomes;
use super::change::{Change, Stopped, change};
use super::fields::{self, Faults, Patch};
use super::follow;
use super::records;
use super::{ActionError, Caller, Fault, Privilege, Result};
use crate::App;
use cadenza_core::ids::MailboxId;
use cadenza_store::mailboxes::{self, Auth, Caps, Mailbox, Security, Server};
use cadenza_store::{door, mailbox_grants, track_record};
use serde::Deserialize;
use serde_json::{Value, json};

/// The caps that a mailbox begins with (SPEC §14).
const CAPS: Caps = Caps { day: Some(200), hour: Some(40), gap_seconds: Some(60), jitter_seconds: Some(30) };
const FRESHNESS_MINUTES: u32 = 10;
const SIGNATURE_LENGTH_MAX: usize = 10_000;
/// One connection looks at them in turn.
const FOLDERS_MAX: usize = 20;

/// How a server is reached, as it is typed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerInput {
    pub host: String,
    pub port: u16,
    pub security: Security,
    pub auth: Auth,
    #[serde(default)]
    pub login: Option<String>,
    /// A password. Absent: the stored one stays. Not for XOAUTH2, whose tokens come by `oauth`.
    #[serde(default)]
    pub secret: Option<String>,
}

/// What is said of a mailbox.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MailboxChange {
    pub address: Patch<String>,
    pub name: Patch<String>,
    /// The id of a user, or the address they sign in with.
    pub owner: Patch<String>,
    pub signature: Patch<String>,
    pub smtp: Option<ServerInput>,
    /// Null: replies cannot be read, which activation then says (REC-8).
    pub imap: Patch<ServerInput>,
    /// Where the access tokens of servers with XOAUTH2 come from.
    pub oauth: Patch<OAuthInput>,
    pub folders: Option<Vec<String>>,
    pub sent_folder: Patch<String>,
    /// Null is no limit.
    pub day_cap: Patch<u32>,
    pub hour_cap: Patch<u32>,
    pub gap_seconds: Patch<u32>,
    pub jitter_seconds: Patch<u32>,
    pub freshness_minutes: Option<u32>,
    /// Mails bear an address of their own behind a plus, where answers and bounces come back to.
    pub plus_addresses: Option<bool>,
    /// A journal or gateway posts what arrives there to `/inbound`: replies are seen without IMAP.
    pub journaled: Option<bool>,
}

/// Adds a mailbox. Who waits for one goes on.
///
/// # Errors
/// `Invalid` naming each field; `Refused` where the address is taken.
pub async fn create(app: &App, caller: &Caller, new: MailboxChange) -> Result<Mailbox> {
    let allowed = caller.allowed(Privilege::MailboxesManage)?;
    let forbidden = servers::forbidden(app, &new).await;
    let added = change(app, allowed, move |c| {
        let mut mailbox = empty(c);
        let tokens = apply(c, &mut mailbox, new.clone(), &forbidden)?;
        refuse_taken(c, &mailbox)?;
        mailboxes::create(c.tx, c.w, &mailbox)?;
        oauth::write(c, mailbox.id, &tokens)?;
        let after = shown(c, &mailbox)?;
        c.note("mailbox.create", Some(mailbox.id.0), None, Some(after))?;
        Ok(mailbox)
    })
    .await?;
    follow::mailbox(app, caller.workspace, added.id).await?;
    Ok(added)
}

/// Changes a mailbox. The sandbox's keeps its transport and has no caps.
///
/// # Errors
/// `Invalid` naming each field; `Missing`; `Refused` where the address is taken.
pub async fn update(app: &App, caller: &Caller, id: MailboxId, new: MailboxChange) -> Result<Mailbox> {
    let allowed = caller.allowed(Privilege::MailboxesManage)?;
    let forbidden = servers::forbidden(app, &new).await;
    let changed = change(app, allowed, move |c| {
        let old = mailboxes::get(c.tx, c.w, id)?;
        let mut mailbox = old.clone();
        let before = shown(c, &old)?;
        let tokens = apply(c, &mut mailbox, new.clone(), &forbidden)?;
        refuse_taken(c, &mailbox)?;
        mailboxes::update(c.tx, c.w, &mailbox)?;
        if whose_inbox(&old) != whose_inbox(&mailbox) {
            mailboxes::forget_reading(c.tx, c.w, id)?;
        }
        oauth::write(c, id, &tokens)?;
        let mut after = shown(c, &mailbox)?;
        if secrets(&old) != secrets(&mailbox) || matches!(tokens, Becomes::Another(_)) {
            after["secrets"] = "changed".into();
        }
        c.note("mailbox.update", Some(id.0), Some(before), Some(after))?;
        // A cap may have been lifted: whoever stands in its line is drawn anew.
        door::ring_mailbox(c.tx, c.w, id, c.now)?;
        Ok(mailboxes::get(c.tx, c.w, id)?)
    })
    .await?;
    follow::mailbox(app, caller.workspace, id).await?;
    Ok(changed)
}

/// Nothing goes out from a mailbox until it is released. What is under way to its server comes to its end.
///
/// # Errors
/// `Invalid` for a reason that is no line of text; `Missing`.
pub async fn hold(app: &App, caller: &Caller, id: MailboxId, why: &str) -> Result<()> {
    let allowed = caller.allowed(Privilege::MailboxesManage)?;
    let why = fields::plain(why, fields::NAME_LENGTH_MAX).map_err(|e| ActionError::invalid("why", e))?;
    let why = if why.is_empty() { format!("held by {}", caller.name) } else { why };
    change(app, allowed, move |c| {
        let before = mailboxes::get(c.tx, c.w, id)?.held.map(|(why, _)| why);
        mailboxes::hold(c.tx, c.w, id, &why, c.now)?;
        c.note("mailbox.hold", Some(id.0), Some(json!({ "held": before })), Some(json!({ "held": why })))
    })
    .await
}

/// Lets a held mailbox send again.
///
/// # Errors
/// `Missing`.
pub async fn release(app: &App, caller: &Caller, id: MailboxId) -> Result<()> {
    let allowed = caller.allowed(Privilege::MailboxesManage)?;
    change(app, allowed, move |c| {
        let mailbox = mailboxes::get(c.tx, c.w, id)?;
        mailboxes::release(c.tx, c.w, id)?;
        mailbox_grants::forget_failure(c.tx, c.w, id)?;
        track_record::forget(c.tx, c.w, track_record::Of::Mailbox(id))?;
        let before = json!({ "held": mailbox.held.map(|(why, _)| why) });
        c.note("mailbox.release", Some(id.0), Some(before), Some(json!({ "held": null })))?;
        Ok(door::ring_mailbox(c.tx, c.w, id, c.now)?)
    })
    .await?;
    follow::mailbox(app, caller.workspace, id).await
}

/// Deletes a mailbox from which nothing was ever sent.
///
/// # Errors
/// `Missing`; `Refused` where it has sent (`in_use`): what was sent keeps its sender.
pub async fn delete(app: &App, caller: &Caller, id: MailboxId) -> Result<()> {
    let allowed = caller.allowed(Privilege::MailboxesManage)?;
    change(app, allowed, move |c| {
        let mailbox = mailboxes::get(c.tx, c.w, id)?;
        if mailboxes::is_used(c.tx, c.w, id)? {
            let message = format!("{} has sent mail, which stays in the records. Hold it instead.", mailbox.address);
            return Err(ActionError::refused("in_use", message).into());
        }
        let before = shown(c, &mailbox)?;
        mailboxes::delete(c.tx, c.w, id)?;
        c.note("mailbox.delete", Some(id.0), Some(before), None)
    })
    .await
}

/// # Errors
/// `Missing`.
pub async fn get(app: &App, caller: &Caller, id: MailboxId) -> Result<Mailbox> {
    caller.need(Privilege::MailboxesManage)?;
    let w = caller.workspace;
    Ok(app.db.read_async(move |q| mailboxes::get(q, w, id)).await?)
}

/// All mailboxes, oldest first. Their secrets are sealed.
pub async fn all(app: &App, caller: &Caller) -> Result<Vec<Mailbox>> {
    caller.need(Privilege::SequencesView)?;
    let w = caller.workspace;
    Ok(app.db.read_async(move |q| mailboxes::all(q, w)).await?)
}

fn empty(c: &Change<'_>) -> Mailbox {
    Mailbox {
        id: MailboxId(c.next_id()),
        owner: c.caller.user,
        address: String::new(),
        name: c.caller.name.clone(),
        sandbox: false,
        signature: String::new(),
        smtp: None,
        imap: None,
        folders: vec!["INBOX".into()],
        sent_folder: None,
        caps: CAPS,
        freshness_minutes: FRESHNESS_MINUTES,
        plus_addresses: false,
        journaled: false,
        readable: false,
        read_at: None,
        read_failure: None,
        held: None,
        created_at: c.now,
        version: 1,
    }
}

fn apply(c: &mut Change<'_>, m: &mut Mailbox, new: MailboxChange, forbidden: &[Fault]) -> Result<Becomes, Stopped> {
    let mut faults = Faults::default();
    forbidden.iter().for_each(|fault| faults.add(&fault.field, &fault.message));
    let typed_address = matches!(new.address, Patch::Set(_));
    let mut address = Some(m.address.clone());
    faults.opt("address", &mut address, new.address, |t| fields::email(t));
    m.address = address.unwrap_or_default();
    if m.address.is_empty() && !typed_address {
        faults.add("address", "Say the address that it writes from.");
    }
    faults.text("name", &mut m.name, new.name, fields::NAME_LENGTH_MAX);
    let mut owner = Some(m.owner);
    records::owner(c, &mut faults, &mut owner, new.owner)?;
    m.owner = owner.unwrap_or(c.caller.user);
    match new.signature {
        Patch::Keep => {}
        Patch::Clear => m.signature.clear(),
        Patch::Set(text) if text.chars().count() <= SIGNATURE_LENGTH_MAX => m.signature = text,
        Patch::Set(_) => faults.add("signature", format!("It is longer than {SIGNATURE_LENGTH_MAX} characters.")),
    }
    let typed_smtp = new.smtp.is_some();
    if let Some(typed) = new.smtp {
        m.smtp = servers::server(c, &mut faults, m.id, "smtp", typed, m.smtp.as_ref());
    }
    match new.imap {
        Patch::Keep => {}
        Patch::Clear => m.imap = None,
        Patch::Set(typed) if typed.auth == Auth::None => faults.add("imap.auth", "Expected password or xoauth2."),
        Patch::Set(typed) => m.imap = servers::server(c, &mut faults, m.id, "imap", typed, m.imap.as_ref()),
    }
    if !m.sandbox {
        m.journaled = new.journaled.unwrap_or(m.journaled);
        m.readable = m.imap.is_some() || m.journaled;
        if m.smtp.is_none() && !typed_smtp {
            faults.add("smtp", "Say the server that takes its mail.");
        }
        let caps = &mut m.caps;
        let parts = [
            (&mut caps.day, new.day_cap),
            (&mut caps.hour, new.hour_cap),
            (&mut caps.gap_seconds, new.gap_seconds),
            (&mut caps.jitter_seconds, new.jitter_seconds),
        ];
        for (at, change) in parts {
            match change {
                Patch::Keep => {}
                Patch::Clear => *at = None,
                Patch::Set(n) => *at = Some(n),
            }
        }
    }
    if let Some(folders) = new.folders {
        m.folders.clear();
        for folder in folders.iter().map(|f| f.trim()).filter(|f| !f.is_empty()) {
            match fields::name(folder) {
                Ok(name) if m.folders.contains(&name) => {}
                Ok(name) => m.folders.push(name),
                Err(why) => faults.add("folders", why),
            }
        }
        if m.folders.is_empty() {
            faults.add("folders", "Name at least one folder, such as INBOX.");
        } else if m.folders.len() > FOLDERS_MAX {
            faults.add("folders", format!("At most {FOLDERS_MAX} folders are read."));
        }
    }
    faults.opt("sent_folder", &mut m.sent_folder, new.sent_folder, |t| fields::name(t));
    match new.freshness_minutes {
        Some(0) => faults.add("freshness_minutes", "Expected 1 minute or more."),
        Some(n) => m.freshness_minutes = n,
        None => {}
    }
    m.plus_addresses = new.plus_addresses.unwrap_or(m.plus_addresses);
    let grant = mailbox_grants::get(c.tx, c.w, m.id)?;
    let tokens = oauth::judged(c, &mut faults, m, grant.as_ref(), new.oauth);
    faults.done()?;
    Ok(tokens)
}

fn refuse_taken(c: &mut Change<'_>, mailbox: &Mailbox) -> Result<(), Stopped> {
    match mailboxes::at_address(c.tx, c.w, &mailbox.address)? {
        Some(other) if other.id != mailbox.id => {
            let message = format!("There is already a mailbox {}.", mailbox.address);
            Err(ActionError::refused("address_taken", message).into())
        }
        _ => Ok(()),
    }
}

/// What tells one inbox from another.
fn whose_inbox(m: &Mailbox) -> Option<(&str, u16, Option<&str>)> {
    m.imap.as_ref().map(|s| (s.host.as_str(), s.port, s.login.as_deref()))
}

fn secrets(m: &Mailbox) -> [Option<&Vec<u8>>; 2] {
    [&m.smtp, &m.imap].map(|s| s.as_ref().and_then(|s| s.secret.as_ref()))
}

/// What the audit log says of a mailbox: no secret, sealed or not.
fn shown(c: &mut Change<'_>, m: &Mailbox) -> Result<Value, Stopped> {
    let grant = mailbox_grants::get(c.tx, c.w, m.id)?;
    let server = |s: &Option<Server>| {
        s.as_ref().map(
            |s| json!({ "host": s.host, "port": s.port, "security": s.security, "auth": s.auth, "login": s.login }),
        )
    };
    Ok(json!({
        "address": m.address, "name": m.name, "owner": m.owner, "smtp": server(&m.smtp), "imap": server(&m.imap),
        "folders": m.folders, "sent_folder": m.sent_folder, "freshness_minutes": m.freshness_minutes,
        "day_cap": m.caps.day, "hour_cap": m.caps.hour, "gap_seconds": m.caps.gap_seconds,
        "jitter_seconds": m.caps.jitter_seconds, "plus_addresses": m.plus_addresses,
        "journaled": m.journaled,
        "oauth": oauth::shown(grant.as_ref()),
    }))
}
