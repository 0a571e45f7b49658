//! Who asks for an action: a person at a browser, a program with a token, or whoever sits at the machine itself.

use super::{ActionError, Privilege, Privileges, Result};
use crate::App;
use cadenza_core::ids::{AuditId, SessionId, TokenId, UserId, WorkspaceId};
use cadenza_store::audit;
use std::net::IpAddr;

/// By what a caller was recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    Session(SessionId),
    Token(TokenId),
    /// The command line of the machine that holds the database.
    Console,
}

/// Somebody who was recognised, and what they may do. Everything they see and change is in their workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    pub workspace: WorkspaceId,
    pub user: UserId,
    /// As others see them.
    pub name: String,
    pub privileges: Privileges,
    pub via: Via,
    /// The network address they ask from, where they come over the network.
    pub from: Option<IpAddr>,
}

impl Caller {
    pub fn may(&self, privilege: Privilege) -> bool {
        self.privileges.has(privilege)
    }
    /// Errors: `Forbidden`, naming the privilege.
    pub fn need(&self, privilege: Privilege) -> Result<()> {
        if self.may(privilege) { Ok(()) } else { Err(ActionError::Forbidden(privilege)) }
    }
    /// For what somebody with `all` may do to everything and somebody with `own` to what is theirs.
    pub fn need_for(&self, owner: UserId, own: Privilege, all: Privilege) -> Result<()> {
        if self.may(all) || (owner == self.user && self.may(own)) {
            return Ok(());
        }
        Err(ActionError::Forbidden(if self.may(own) { all } else { own }))
    }

    /// The line of the audit log (PRM-3) for what they do now, to be added in the transaction that does it; what was before
    /// and after is the action's to say. `action` is noun and verb: `contact.update`.
    pub fn audit_line(&self, app: &App, action: &str, object: &str, object_id: Option<i64>) -> audit::Line {
        audit::Line {
            id: AuditId(app.next_id()),
            at: app.clock.now(),
            user: Some(self.user),
            token: match self.via {
                Via::Token(id) => Some(id),
                Via::Session(_) | Via::Console => None,
            },
            from: self.from.map(|a| a.to_string()),
            action: action.to_owned(),
            object: object.to_owned(),
            object_id,
            before: None,
            after: None,
        }
    }
}
