//! The dialog that activation opens where it has to ask: what becomes of the steps' senders (SEQ-4), and whether a sequence is to
//! run that replies cannot stop (REC-8). What it was told is done in `state`.

use super::super::page::{go_to, html};
use super::super::parts::Icon;
use super::super::rows::Names;
use super::super::shell::Shell;
use super::super::viewer::Viewer;
use super::state;
use crate::App;
use crate::actions::sequences::{self as actions, Arm, Senders, Start};
use crate::http::error::Result;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use cadenza_core::enrollment::SequenceState;
use cadenza_store::sequences::Sequence;
use serde::Deserialize;

/// Said where the box is to be ticked and is not.
pub const UNCONFIRMED: &str = "Tick this to activate it all the same, or let these mailboxes be read first.";

/// What the dialog posts.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Activation {
    /// `primary_user` moves the steps' senders.
    senders: String,
    accept_unreadable: String,
}

impl Activation {
    pub fn start(&self) -> Start {
        let senders = if self.senders == "primary_user" { Senders::PrimaryUser } else { Senders::Stay };
        Start { arm: Arm::Later, senders, unreadable: (!self.accept_unreadable.is_empty()).into() }
    }
}

/// Mailboxes that cannot be read, whichever senders are chosen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unread {
    pub addresses: String,
    /// The choice of the senders leads round none of it.
    pub always: bool,
}

impl Unread {
    /// With the senders as they are, and moved where that can be chosen.
    pub fn of(stay: Vec<String>, moved: Option<Vec<String>>) -> Unread {
        let always = !stay.is_empty() && moved.as_ref().is_none_or(|m| !m.is_empty());
        let mut all = stay;
        all.extend(moved.unwrap_or_default());
        all.sort();
        all.dedup();
        Unread { addresses: all.join(", "), always }
    }
}

#[derive(Debug, Template)]
#[template(path = "sequences/activate.html", blocks = ["dialog"])]
pub struct ActivatePage {
    pub shell: Shell,
    pub id: String,
    pub name: String,
    pub primary_user: String,
    /// Empty where the primary user has none.
    pub mailbox: String,
    /// That write from somewhere else; 0 where nothing is asked about the senders.
    pub steps: usize,
    /// The steps' senders are to be moved.
    pub moves: bool,
    pub unread: Unread,
    /// What is wrong with the confirmation; empty for nothing.
    pub fault: &'static str,
}

/// Does activating it ask anything?
pub async fn asks(app: &App, viewer: &Viewer, sequence: &Sequence) -> Result<bool> {
    if sequence.state != SequenceState::Draft {
        return Ok(false);
    }
    let (caller, id) = (&viewer.caller, sequence.id);
    Ok(actions::offer(app, caller, id).await?.is_some()
        || !actions::unreadable(app, caller, id, Senders::Stay).await?.is_empty())
}

async fn page(app: &App, viewer: &Viewer, sequence: Sequence, typed: Option<&Activation>) -> Result<ActivatePage> {
    let (w, caller, id) = (viewer.caller.workspace, &viewer.caller, sequence.id);
    let offer = actions::offer(app, caller, id).await?;
    let stay = actions::unreadable(app, caller, id, Senders::Stay).await?;
    let moved = match offer.as_ref().and_then(|o| o.mailbox.as_ref()) {
        Some(_) => Some(actions::unreadable(app, caller, id, Senders::PrimaryUser).await?),
        None => None,
    };
    let names = app.db.read_async(move |q| Names::read(q, w)).await?;
    Ok(ActivatePage {
        shell: viewer.shell(None),
        id: id.to_string(),
        name: sequence.name,
        primary_user: names.of(Some(sequence.primary_user)),
        steps: offer.as_ref().map_or(0, |o| o.steps),
        mailbox: offer.and_then(|o| o.mailbox).unwrap_or_default(),
        moves: typed.is_none_or(|t| t.start().senders == Senders::PrimaryUser),
        unread: Unread::of(stay, moved),
        fault: if typed.is_some() { UNCONFIRMED } else { "" },
    })
}

pub async fn ask(State(app): State<App>, viewer: Viewer, Path(id): Path<String>) -> Result<Response> {
    let sequence = super::read(&app, &viewer, &id).await?;
    state::need(&viewer.caller, &sequence)?;
    let page = page(&app, &viewer, sequence, None).await?;
    Ok(if viewer.part { html(&page.as_dialog()) } else { html(&page) })
}

/// Asks again, since what was posted does not confirm what it has to. A page that showed no question opens the one that does.
pub async fn unconfirmed(app: &App, viewer: &Viewer, id: String, typed: &Activation) -> Result<Response> {
    if viewer.part {
        return Ok(go_to(&format!("/sequences/{id}/activate")));
    }
    let sequence = super::read(app, viewer, &id).await?;
    let page = page(app, viewer, sequence, Some(typed)).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, html(&page)).into_response())
}
