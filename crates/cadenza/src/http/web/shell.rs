//! The frame around every page for who is signed in: what they may go to, whose workspace it is, what was just said.

use super::parts::Moment;
use crate::actions::{Caller, Privilege};

/// What the layout shows around a page.
#[derive(Debug, Clone, Default)]
pub struct Shell {
    pub nav: Vec<NavItem>,
    pub workspace: String,
    pub user: String,
    pub role: String,
    /// Shown where the workspace's clock can be skipped ahead: what it shows now.
    pub clock: Option<Moment>,
    /// Which commit the page shows at least; `/live` tells of those after it.
    pub seen: u64,
    /// What the last action answered.
    pub said: Option<Said>,
    pub banners: Vec<Banner>,
}

/// One place of the navigation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NavItem {
    pub place: Place,
    pub current: bool,
    /// Beside the name, where there is something to do.
    pub count: Option<u64>,
}

/// What an action answered, for the page after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    pub text: String,
    pub bad: bool,
}

/// A state of the whole workspace that everybody should know: sending is held, a mailbox does not work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Banner {
    /// A class of the style sheet: `red`, `amber`, `blue`.
    pub tone: &'static str,
    pub text: String,
    pub link: Option<(String, String)>,
}

macro_rules! places {
    ($($variant:ident = $path:literal, $label:literal, $icon:literal, $key:literal, $needs:expr;)*) => {
        /// The places of the navigation, in its order (NAV-1); those that are not built are not here.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Place { $($variant),* }
        impl Place {
            pub const ALL: &'static [Place] = &[$(Place::$variant),*];
            pub fn path(self) -> &'static str { match self { $(Place::$variant => $path),* } }
            pub fn label(self) -> &'static str { match self { $(Place::$variant => $label),* } }
            pub fn icon(self) -> &'static str { match self { $(Place::$variant => $icon),* } }
            /// After `g` on the keyboard.
            pub fn key(self) -> &'static str { match self { $(Place::$variant => $key),* } }
            /// Without any of these the place is not offered.
            pub fn needs(self) -> &'static [Privilege] { match self { $(Place::$variant => $needs),* } }
        }
    };
}

places! {
    Tasks = "/tasks", "Tasks", "tasks", "t", &[Privilege::TasksMine, Privilege::TasksAll];
    Queue = "/queue", "Queue", "queue", "q", &[Privilege::SequencesView];
    Overview = "/overview", "Overview", "overview", "o", &[Privilege::SequencesView];
    Enrollments = "/enrollments", "Enrollments", "enrollments", "e", &[Privilege::SequencesView];
    Replies = "/replies", "Replies", "replies", "r", &[Privilege::SequencesView];
    Contacts = "/contacts", "Contacts", "contacts", "c", &[Privilege::SequencesView, Privilege::ContactsEdit];
    Lists = "/lists", "Lists", "lists", "l", &[Privilege::SequencesView, Privilege::ContactsEdit];
    Templates = "/templates", "Templates", "templates", "m", &[Privilege::SequencesView];
    Sandbox = "/sandbox", "Sandbox", "sandbox", "b", &[Privilege::SequencesView];
    Settings = "/settings", "Settings", "settings", "s", &[Privilege::SequencesView, Privilege::TasksMine, Privilege::SettingsManage];
}

/// The navigation for one caller, with where they are.
pub fn navigation(caller: &Caller, here: Option<Place>, hidden: &[Place]) -> Vec<NavItem> {
    let offered = |p: &&Place| !hidden.contains(p) && p.needs().iter().any(|n| caller.may(*n));
    let item = |place: &Place| NavItem { place: *place, current: here == Some(*place), count: None };
    Place::ALL.iter().filter(offered).map(item).collect()
}
