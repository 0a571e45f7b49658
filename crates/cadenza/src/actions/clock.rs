//! *Skip ahead* (API-5): moves the clock of a sandbox workspace, so that days pass in a moment. Where anything real could be
//! sent, the clock is left alone.

use super::enrollments::tried;
use super::{ActionError, Caller, Privilege, Result};
use crate::app::App;
use cadenza_core::time::{Span, Time};
use cadenza_store::{mailboxes, workspaces};

/// The longest skip at once.
const SKIP_MAX: Span = Span::days(400);

/// Moves the clock forward and answers what it shows then.
///
/// # Errors
/// `Refused` where any workspace has a real mailbox: the clock is everybody's.
pub async fn skip_ahead(app: &App, caller: &Caller, by: Span) -> Result<Time> {
    caller.need(Privilege::SettingsManage)?;
    if by <= Span::ZERO || by > SKIP_MAX {
        return Err(ActionError::invalid("by", "Skip by at least a moment and at most 400 days."));
    }
    let real = app.db.read_async(|q| {
        for w in workspaces::all(q)? {
            if mailboxes::all(q, w.id)?.iter().any(|m| !m.sandbox) {
                return Ok(true);
            }
        }
        Ok(false)
    });
    if real.await? {
        let why = "The clock can be moved only while every mailbox is a sandbox.";
        return Err(ActionError::refused("real_mailboxes", why));
    }
    let ahead = app.clock.skipped() + by;
    let w = caller.workspace;
    tried(app, move |tx| workspaces::set_clock_ahead(tx, w, ahead)).await?;
    app.clock.skip_ahead(by);
    Ok(app.clock.now())
}
