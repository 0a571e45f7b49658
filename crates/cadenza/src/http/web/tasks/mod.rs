//! Tasks, the start screen (TSK-1 to TSK-5): what there is to do, grouped by type, and beside it the task that is open. This
//! file is what is shown; `read` and `panel` fill it, `act` and `mend` do what is done there.

pub mod act;
mod mend;
mod nothing;
mod panel;
mod read;

pub use act::router;

use super::kind::KindIcon;
use super::lists::{Empty, Filter, Link};
use super::parts::{Avatar, Badge, Icon, Moment};
use super::shell::Shell;
use super::story::Entry;
use askama::Template;

/// The whole screen.
#[derive(Debug, Template)]
#[template(path = "tasks/page.html", blocks = ["main"])]
pub struct TasksPage {
    pub shell: Shell,
    pub total: u64,
    pub filters: Vec<Filter>,
    /// The types, with how many of each; the first is all.
    pub types: Vec<TypeTab>,
    pub groups: Vec<Group>,
    /// Where the rest is, when there are more than are shown.
    pub more: Option<Link>,
    pub panel: Option<TaskPanel>,
    /// The panel was asked for, and did not open by itself: where there is room for one of both, it is shown.
    pub asked_for: bool,
    /// The list without an open task.
    pub list: String,
    pub empty: Option<Empty>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeTab {
    pub label: String,
    pub count: u64,
    pub href: String,
    pub current: bool,
}

/// Tasks of one type.
#[derive(Debug, Clone)]
pub struct Group {
    pub label: String,
    pub count: u64,
    pub rows: Vec<TaskRow>,
}

#[derive(Debug, Clone)]
pub struct TaskRow {
    pub href: String,
    pub current: bool,
    /// `None` for what needs mending.
    pub kind: Option<KindIcon>,
    pub who: String,
    pub company: String,
    pub what: String,
    pub sequence: String,
    pub due: Option<Moment>,
    pub overdue: bool,
    pub badge: Option<Badge>,
}

/// The open task, with everything one needs to do it.
#[derive(Debug, Clone, Template)]
#[template(path = "tasks/panel.html")]
pub struct TaskPanel {
    /// Where its actions are: `/tasks/ID`.
    pub path: String,
    /// The address to come back to, with its filters.
    pub back: String,
    pub kind: Option<KindIcon>,
    pub title: String,
    pub badges: Vec<Badge>,
    pub due: Option<Moment>,
    /// "Step 3 of 6 in main".
    pub step: String,
    pub sequence: Option<Link>,
    /// The enrollment's record, and its *Why?*.
    pub enrollment: Option<Link>,
    pub card: ContactCard,
    pub trouble: Option<Trouble>,
    pub instructions: String,
    pub script: String,
    pub compose: Option<Compose>,
    pub outcomes: Vec<OutcomeButton>,
    pub fields: Vec<OverviewField>,
    /// Location in branch (FLOW-7), an SVG.
    pub picture: Option<String>,
    pub entries: Vec<Entry>,
    pub notes: Vec<Entry>,
    pub resume: String,
}

/// Whom the task is for.
#[derive(Debug, Clone)]
pub struct ContactCard {
    pub name: String,
    pub href: String,
    pub title: String,
    pub company: Option<Link>,
    /// "10:24 in Europe/Berlin (the company's zone)".
    pub local_time: String,
    /// As a person reads it, and for `tel:`.
    pub phone: Option<(String, String)>,
}

/// Why an automatic step cannot run, and what to fill in (TSK-4).
#[derive(Debug, Clone)]
pub struct Trouble {
    pub text: String,
    /// The field that is missing: its name and label.
    pub field: Option<(String, String)>,
    /// What can be done: value, label, whether it is the one to expect.
    pub ways: Vec<(String, String, bool)>,
}

/// A manual message, merged and ready to be edited (TSK-3).
#[derive(Debug, Clone)]
pub struct Compose {
    pub from: String,
    pub to: String,
    pub subject: Option<String>,
    pub body: String,
    /// What the sender should know first: outside the window, above a cap.
    pub warnings: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutcomeButton {
    pub value: String,
    pub label: String,
    /// What follows, on hover: "goes on", "ends it as positive".
    pub then: String,
}

/// A field of the record, editable in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverviewField {
    pub name: String,
    pub label: String,
    pub value: String,
    /// Shown instead of an input.
    pub fixed: bool,
}

impl TaskPanel {
    /// Keys 1 to 9 mark as the first to the ninth outcome.
    fn numbered(&self) -> impl Iterator<Item = (usize, &OutcomeButton)> {
        self.outcomes.iter().enumerate().map(|(i, o)| (i + 1, o))
    }
}

impl askama::filters::HtmlSafe for TaskPanel {}
