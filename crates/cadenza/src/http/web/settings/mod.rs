//! Settings: one's own, and those of the workspace. Each with its help and its default beside it (NAV-2). This file is their
//! index and the list beside each of them; it offers nobody what they may not do.

mod absences;
mod mailboxes;
mod me;
mod reclassify;
mod roles;
mod tokens;
mod users;
pub mod workspace;

use super::page::html;
use super::parts::Icon;
use super::shell::{Place, Shell};
use super::viewer::Viewer;
use crate::App;
use crate::actions::{Caller, Privilege};
use askama::Template;
use axum::response::Response;
use axum::{Router, routing::get};

pub fn router() -> Router<App> {
    Router::new()
        .route("/settings", get(index))
        .merge(me::router())
        .merge(absences::router())
        .merge(workspace::router())
        .merge(mailboxes::router())
        .merge(users::router())
        .merge(roles::router())
        .merge(tokens::router())
        .merge(reclassify::router())
}

macro_rules! sections {
    ($($variant:ident = $path:literal, $label:literal, $icon:literal, $needs:expr, $about:literal;)*) => {
        /// The pages of the settings.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Section { $($variant),* }
        impl Section {
            const ALL: &'static [Section] = &[$(Section::$variant),*];
            fn path(self) -> &'static str { match self { $(Section::$variant => $path),* } }
            fn label(self) -> &'static str { match self { $(Section::$variant => $label),* } }
            fn icon(self) -> &'static str { match self { $(Section::$variant => $icon),* } }
            fn about(self) -> &'static str { match self { $(Section::$variant => $about),* } }
            /// Without it the page is not offered and not answered.
            fn needs(self) -> Option<Privilege> { match self { $(Section::$variant => $needs),* } }
        }
    };
}

sections! {
    Me = "/settings/me", "My settings", "contact", None, "Password, and the browsers that are signed in.";
    Absences = "/settings/absences", "Absences", "sun", Some(Privilege::TasksMine),
        "When you are away, and what becomes of your work meanwhile.";
    Workspace = "/settings/workspace", "Workspace", "settings", Some(Privilege::SettingsManage),
        "Name and postal address; windows, answers, caps, limits.";
    Mailboxes = "/settings/mailboxes", "Mailboxes", "mailbox", Some(Privilege::MailboxesManage),
        "The addresses that are sent from: servers, caps, holds.";
    Users = "/settings/users", "Users", "users", Some(Privilege::SettingsManage),
        "Who works here, with which role; links to sign in by.";
    Roles = "/settings/roles", "Roles", "lock", Some(Privilege::SettingsManage), "What each role may do.";
    Reclassify = "/settings/reclassify", "Reclassify mail", "retry", Some(Privilege::SettingsManage),
        "Put the present rules to kept mail, and adopt what differs.";
    Tokens = "/settings/tokens", "API tokens", "key", None, "What programs sign in with.";
}

/// One line beside the settings.
#[derive(Debug, Clone, Copy)]
pub struct SectionLink {
    pub section: Section,
    pub current: bool,
}

/// Title and neighbours of a page of the settings.
pub fn frame(caller: &Caller, here: Section) -> (&'static str, Vec<SectionLink>) {
    (here.label(), offered(caller).map(|section| SectionLink { section, current: section == here }).collect())
}

fn offered(caller: &Caller) -> impl Iterator<Item = Section> {
    Section::ALL.iter().copied().filter(|s| s.needs().is_none_or(|p| caller.may(p)))
}

#[derive(Debug, Template)]
#[template(path = "settings/index.html")]
struct IndexPage {
    shell: Shell,
    sections: Vec<Section>,
}

async fn index(viewer: Viewer) -> Response {
    html(&IndexPage { shell: viewer.shell(Some(Place::Settings)), sections: offered(&viewer.caller).collect() })
}
