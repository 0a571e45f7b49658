//! Reads the Replies screen: the list as it is asked for, and the message that is open.

use super::super::kind::message_badge;
use super::super::lists::{Choice, Empty, Filter, Link, Search};
use super::super::page::query_value;
use super::super::parts::count;
use super::super::query::{self, address, text};
use super::super::queue::sequence_filter;
use super::super::rows::Names;
use super::super::shell::Place;
use super::super::tasks::TypeTab;
use super::super::viewer::Viewer;
use super::{RepliesPage, ReplyRow, panel};
use crate::App;
use crate::actions::inbound;
use crate::http::error::Result;
use cadenza_core::ids::{EnrollmentId, MessageId, SequenceId, UserId};
use cadenza_store::inbound_messages::{Assigned, COUNTED_AT_MOST, Class, Filter as Wanted, Handled, Listed};
use cadenza_store::sequences;
use serde::Deserialize;

/// Messages of one page.
const ROWS: usize = 100;
/// Asks for whichever message is first.
pub const NEXT: &str = "next";

/// The query of the screen's address.
#[derive(Debug, Default, Clone, Deserialize)]
pub struct Asked {
    #[serde(default)]
    q: String,
    show: Option<String>,
    whose: Option<String>,
    matched: Option<String>,
    sequence: Option<String>,
    enrollment: Option<String>,
    class: Option<String>,
    after: Option<String>,
    /// The open one.
    pub message: Option<String>,
}

/// The tabs: label, word in the address, classes.
const TABS: [(&str, &str, &[Class]); 7] = [
    ("Replies", "reply", &[Class::Reply]),
    ("Opt-outs", "opt_out", &[Class::OptOut]),
    ("Meetings", "meeting", &[Class::Meeting]),
    ("Out of office", "out_of_office", &[Class::OutOfOffice]),
    ("Bounces", "bounce", &[Class::Bounce]),
    ("Complaints", "complaint", &[Class::Complaint]),
    ("Other", "other", &[Class::Other, Class::Delivered, Class::OwnMail, Class::OptIn]),
];

impl Asked {
    /// What waits for somebody at first, everything where that is asked for.
    fn filter(&self, viewer: &Viewer) -> Wanted {
        let mut wanted = Wanted::new(inbound::looker(&viewer.caller));
        wanted.typed = self.q.clone();
        wanted.handled = match text(&self.show) {
            "all" => Handled::All,
            "done" => Handled::Done,
            _ => Handled::Open,
        };
        wanted.assigned = match text(&self.whose) {
            "mine" => Assigned::To(viewer.caller.user),
            "nobody" => Assigned::Nobody,
            _ => query::filter::<UserId>(&self.whose).map_or(Assigned::Anybody, Assigned::To),
        };
        wanted.unmatched = text(&self.matched) == "nobody";
        wanted.sequence = query::filter::<SequenceId>(&self.sequence);
        wanted.enrollment = query::filter::<EnrollmentId>(&self.enrollment);
        let tab = TABS.iter().find(|(_, word, _)| *word == text(&self.class));
        wanted.classes = tab.map(|(_, _, classes)| classes.to_vec()).unwrap_or_default();
        wanted
    }

    fn is_filtered(&self) -> bool {
        self.pairs().iter().any(|(name, value)| !value.is_empty() && *name != "after")
    }

    fn pairs(&self) -> [(&'static str, &str); 8] {
        [
            ("class", text(&self.class)),
            ("q", self.q.as_str()),
            ("show", text(&self.show)),
            ("whose", text(&self.whose)),
            ("matched", text(&self.matched)),
            ("sequence", text(&self.sequence)),
            ("enrollment", text(&self.enrollment)),
            ("after", text(&self.after)),
        ]
    }

    /// The address with the same filters and that message open.
    pub fn with_message(&self, message: &str) -> String {
        let base = address("/replies", &self.pairs());
        let mark = if base.contains('?') { '&' } else { '?' };
        if message.is_empty() { base } else { format!("{base}{mark}message={}", query_value(message)) }
    }

    fn with(&self, changed: &str, to: &str) -> String {
        let pairs = self.pairs().map(|(name, value)| match name {
            _ if name == changed => (name, to),
            "after" => (name, ""),
            _ => (name, value),
        });
        address("/replies", &pairs)
    }
}

/// The whole screen, or as much of it as is swapped.
pub async fn screen(app: &App, viewer: &Viewer, asked: &Asked) -> Result<RepliesPage> {
    let wanted = asked.filter(viewer);
    let before = query::after::<i64>(&asked.after).map(|a| MessageId(a.id));
    let of_all = Wanted { classes: Vec::new(), ..wanted.clone() };
    let page = inbound::list(app, &viewer.caller, wanted, before, ROWS).await?;
    let counts = inbound::counts(app, &viewer.caller, of_all).await?;
    let w = viewer.caller.workspace;
    let (names, all) = app.db.read_async(move |q| Ok((Names::read(q, w)?, sequences::all(q, w)?))).await?;
    let first = page.rows.first().map(|l| l.message.id);
    let open = match text(&asked.message) {
        "" | NEXT => first,
        id => id.parse().ok(),
    };
    let panel = match open {
        Some(id) => panel::read(app, viewer, asked, id, &names).await?,
        None => None,
    };
    let total: i64 = counts.iter().map(|(_, n)| n).sum();
    let more = page.next.as_ref().map(|a| {
        let cursor = crate::http::wire::cursor(&cadenza_store::page::After { key: a.key.micros(), id: a.id });
        Link::new(asked.with("after", &cursor), "Earlier messages")
    });
    Ok(RepliesPage {
        shell: viewer.shell(Some(Place::Replies)),
        total: counted(total),
        search: Search { value: asked.q.clone(), label: "Search sender or subject" },
        filters: filters(asked, viewer, &names, &all),
        tabs: tabs(asked, &counts, total),
        rows: page.rows.iter().map(|l| row(asked, l, open, &names, viewer)).collect(),
        more,
        asked_for: asked.message.is_some(),
        list: asked.with_message(""),
        empty: page.rows.is_empty().then(|| empty(asked)),
        panel,
    })
}

fn counted(n: i64) -> String {
    let more = if n >= COUNTED_AT_MOST { "+" } else { "" };
    format!("{}{more}", count(u64::try_from(n).unwrap_or(0)))
}

fn row(asked: &Asked, l: &Listed, open: Option<MessageId>, names: &Names, viewer: &Viewer) -> ReplyRow {
    let m = &l.message;
    let sender = m.from_address.clone().unwrap_or_default();
    let unknown = if sender.is_empty() { "Unknown sender".to_owned() } else { sender };
    ReplyRow {
        href: asked.with_message(&m.id.to_string()),
        current: open == Some(m.id),
        unseen: m.seen_at.is_none() && m.handled_at.is_none(),
        who: l.subject_name.clone().filter(|n| !n.is_empty()).unwrap_or(unknown),
        company: l.company_name.clone().unwrap_or_default(),
        subject: m.subject.clone().unwrap_or_else(|| "(no subject)".into()),
        preview: m.preview.clone(),
        badge: message_badge(m.class),
        assigned: names.of(m.assigned_to),
        at: viewer.watch.near(m.received_at),
    }
}

fn tabs(asked: &Asked, counts: &[(Class, i64)], total: i64) -> Vec<TypeTab> {
    let current = text(&asked.class);
    let tab = |label: &str, word: &str, n: i64| TypeTab {
        label: label.to_owned(),
        count: u64::try_from(n).unwrap_or(0),
        href: asked.with("class", word),
        current: current == word,
    };
    let mut tabs = vec![tab("All", "", total)];
    for (label, word, classes) in TABS {
        let n: i64 = counts.iter().filter(|(class, _)| classes.contains(class)).map(|(_, n)| n).sum();
        if n > 0 || current == word {
            tabs.push(tab(label, word, n));
        }
    }
    tabs
}

fn filters(asked: &Asked, viewer: &Viewer, names: &Names, all: &[sequences::Sequence]) -> Vec<Filter> {
    let choices = |pairs: &[(&str, &str)]| pairs.iter().map(|(v, l)| Choice::new(*v, *l)).collect();
    let filter =
        |name, label, value: &Option<String>, choices| Filter { name, label, value: text(value).to_owned(), choices };
    let mut whose = vec![Choice::new("mine", "Mine"), Choice::new("nobody", "Nobody’s")];
    let me = viewer.caller.user.to_string();
    whose.extend(names.choices().into_iter().filter(|c| c.value != me));
    vec![
        filter("show", "Open", &asked.show, choices(&[("done", "Handled"), ("all", "All")])),
        filter("whose", "Everybody’s", &asked.whose, whose),
        sequence_filter(all, text(&asked.sequence).to_owned()),
        filter("matched", "Matched or not", &asked.matched, choices(&[("nobody", "Matched to nobody")])),
    ]
}

fn empty(asked: &Asked) -> Empty {
    let everything = asked.with("show", "all");
    if asked.is_filtered() && text(&asked.show) == "all" {
        return Empty::new("replies", "No message matches", "").offering("/replies?show=all", "Show all messages");
    }
    if asked.is_filtered() {
        let text = "Only open messages are looked through: bounces and automatic answers are handled by themselves.";
        return Empty::new("replies", "No open message matches", text).offering(everything, "Look through all");
    }
    let text = "Replies, opt-outs and accepted meetings wait here until somebody has handled them. Bounces and automatic \
                answers are handled by themselves.";
    Empty::new("replies", "No reply waits for anybody", text).offering(everything, "Show everything that came in")
}
