//! Who looks at a page, with everything the frame around it needs: read once for every page.

use super::page::wants_part;
use super::parts::Watch;
use super::said;
use super::shell::{Banner, Place, Shell, navigation};
use crate::App;
use crate::actions::{Caller, Privilege, inbound};
use crate::http::error::HttpError;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use cadenza_store::inbound_messages::{self, Handled};
use cadenza_store::users::User;
use cadenza_store::workspaces::{self, Workspace};
use cadenza_store::{mailboxes, users};
use jiff::tz::TimeZone;

/// A person at a browser.
#[derive(Debug, Clone)]
pub struct Viewer {
    pub caller: Caller,
    pub user: User,
    pub workspace: Workspace,
    /// How they read moments.
    pub watch: Watch,
    /// Nothing real can be sent from here: every mailbox is a sandbox.
    pub sandbox: bool,
    /// A part of a page is wanted, not the whole.
    pub part: bool,
    /// Messages that wait for somebody, as far as this viewer sees them.
    open_replies: i64,
    seen: u64,
    said: Option<super::shell::Said>,
}

impl FromRequestParts<App> for Viewer {
    type Rejection = HttpError;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Viewer, HttpError> {
        // Before anything is read, so that nothing that happens meanwhile is missed.
        let seen = *app.commits().borrow();
        let caller = Caller::from_request_parts(parts, app).await?;
        let (w, id) = (caller.workspace, caller.user);
        let open = caller.may(Privilege::SequencesView).then(|| {
            let looker = inbound::looker(&caller);
            inbound_messages::Filter { handled: Handled::Open, ..inbound_messages::Filter::new(looker) }
        });
        let read = app.db.read_async(move |q| {
            let sandbox = mailboxes::all(q, w)?.iter().all(|m| m.sandbox);
            let counts = open.map(|open| inbound_messages::counts(q, w, &open)).transpose()?.unwrap_or_default();
            let open = counts.into_iter().map(|(_, n)| n).sum::<i64>();
            Ok((workspaces::get(q, w)?, users::get(q, w, id)?, sandbox, open))
        });
        let (workspace, user, sandbox, open_replies) = read.await?;
        let zone = user.zone.as_ref().unwrap_or(&workspace.settings.sequence.zone);
        let watch = Watch { now: app.clock.now(), zone: TimeZone::get(zone.name()).unwrap_or(TimeZone::UTC) };
        Ok(Viewer {
            caller,
            user,
            workspace,
            watch,
            sandbox,
            part: wants_part(&parts.headers),
            open_replies,
            seen,
            said: said::read(&parts.headers),
        })
    }
}

impl Viewer {
    /// Which sequences they see (SEQ-10).
    pub fn sees(&self) -> cadenza_store::sequences::Viewer {
        use cadenza_store::sequences::Viewer as Sees;
        if self.caller.may(Privilege::SequencesManageAll) { Sees::All } else { Sees::User(self.caller.user) }
    }

    /// The frame of a page in that place; a page of no place has none.
    pub fn shell(&self, place: Option<Place>) -> Shell {
        let mut nav = navigation(&self.caller, place, &[]);
        for item in nav.iter_mut().filter(|item| item.place == Place::Replies) {
            item.count = u64::try_from(self.open_replies).ok().filter(|n| *n > 0);
        }
        Shell {
            nav,
            workspace: self.workspace.name.clone(),
            user: self.user.name.clone(),
            role: self.user.role.clone(),
            clock: (self.sandbox && self.caller.may(Privilege::SettingsManage))
                .then(|| self.watch.exact(self.watch.now)),
            seen: self.seen,
            said: self.said.clone(),
            banners: self.banners(),
        }
    }

    fn banners(&self) -> Vec<Banner> {
        let mut banners = Vec::new();
        if self.workspace.restore_hold {
            banners.push(Banner {
                tone: "red",
                text: "This database was restored or copied: nothing is sent until somebody has looked at it.".into(),
                link: Some(("/settings/workspace#restore".into(), "Look and release".into())),
            });
        }
        banners
    }
}
