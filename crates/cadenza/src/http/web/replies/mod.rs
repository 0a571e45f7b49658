//! Replies (REC-6): what came in, with its thread, and what a person does with it. This file is what is shown; `read` and `panel`
//! fill it, `act` does what is done there, `ask` shows the dialogs.

mod act;
mod ask;
mod panel;
mod read;

pub use act::router;

use super::lists::{Empty, Filter, Link, Search};
use super::parts::{Avatar, Badge, Icon, Moment};
use super::shell::Shell;
use super::tasks::TypeTab;
use askama::Template;

/// The whole screen.
#[derive(Debug, Template)]
#[template(path = "replies/page.html", blocks = ["main"])]
pub struct RepliesPage {
    pub shell: Shell,
    pub total: String,
    pub search: Search,
    pub filters: Vec<Filter>,
    /// The classes, with how many of each; the first is all.
    pub tabs: Vec<TypeTab>,
    pub rows: Vec<ReplyRow>,
    pub more: Option<Link>,
    pub panel: Option<ReplyPanel>,
    /// The message was asked for, and did not open by itself: where there is room for one of both, it is shown.
    pub asked_for: bool,
    /// The list without an open message.
    pub list: String,
    pub empty: Option<Empty>,
}

#[derive(Debug, Clone)]
pub struct ReplyRow {
    pub href: String,
    pub current: bool,
    pub unseen: bool,
    pub who: String,
    pub company: String,
    pub subject: String,
    pub preview: String,
    pub badge: Badge,
    /// Whose work it is; empty for nobody's.
    pub assigned: String,
    pub at: Moment,
}

/// The open message, with everything one needs to decide about it.
#[derive(Debug, Clone, Template)]
#[template(path = "replies/panel.html")]
pub struct ReplyPanel {
    /// Where its actions are: `/replies/ID`.
    pub path: String,
    /// The address to come back to, with its filters.
    pub back: String,
    /// The same, as the value of a query.
    pub back_query: String,
    pub who: String,
    /// The record, where it was matched to one.
    pub href: String,
    pub company: String,
    pub badges: Vec<Badge>,
    /// The enrollment that it was matched to.
    pub enrollment: Option<AboutEnrollment>,
    /// Others that heard of it.
    pub others: Vec<AboutEnrollment>,
    pub letter: Letter,
    /// Not looked at yet.
    pub unseen: bool,
    pub handled: Option<String>,
    pub matched: String,
    pub is_matched: bool,
    pub verdict: Verdict,
    pub may_act: bool,
    pub assigned: String,
    /// Where it can be answered.
    pub answer: Option<Answering>,
    pub thread: Vec<Letter>,
}

/// An enrollment beside a message.
#[derive(Debug, Clone)]
pub struct AboutEnrollment {
    pub id: String,
    pub sequence: Link,
    pub badge: Badge,
    pub status: String,
    /// Marks that can be set (ENR-5): value, label, question.
    pub marks: Vec<(&'static str, &'static str, &'static str)>,
    pub marked: bool,
}

/// An answer before it is written.
#[derive(Debug, Clone)]
pub struct Answering {
    pub from: String,
    pub to: String,
    pub subject: String,
    pub text: String,
}

/// One message of the thread.
#[derive(Debug, Clone)]
pub struct Letter {
    pub icon: &'static str,
    pub tone: &'static str,
    pub from: String,
    pub to: String,
    pub subject: String,
    pub at: Moment,
    pub text: String,
    /// The whole with its quotations, where that is more.
    pub whole: String,
    pub attachments: Vec<String>,
    pub note: String,
    pub settle: Option<SettleForm>,
}

/// What can be said of an answer that may not have arrived.
#[derive(Debug, Clone)]
pub struct SettleForm {
    pub path: String,
    /// It was not refused: it may have arrived.
    pub may_have_arrived: bool,
}

/// What a message was taken for, and why (REC-6).
#[derive(Debug, Clone)]
pub struct Verdict {
    pub words: String,
    /// What a person said instead.
    pub corrected: Option<String>,
    /// Rule, where it looked, what it found.
    pub evidence: Vec<(String, String, String)>,
    pub version: String,
}

impl askama::filters::HtmlSafe for ReplyPanel {}
