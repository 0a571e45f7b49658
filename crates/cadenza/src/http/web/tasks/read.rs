//! Reads the Tasks screen: the list as it is asked for, and what the open task needs. What an empty screen says (TSK-5) is in
//! `nothing`.

use super::super::kind::{KindIcon, priority_badge};
use super::super::lists::{Choice, Filter, Link};
use super::super::page::query_value;
use super::super::parts::{Badge, Tone};
use super::super::query::{self, address, text};
use super::super::queue::sequence_filter;
use super::super::rows::Names;
use super::super::shell::Place;
use super::super::viewer::Viewer;
use super::{Group, TaskRow, TasksPage, TypeTab, nothing, panel};
use crate::App;
use crate::actions::{Caller, Privilege};
use crate::http::error::Result;
use cadenza_core::enrollment::SequenceState;
use cadenza_core::flow::{Priority, StepKind};
use cadenza_core::ids::{EnrollmentId, SequenceId, TaskId, UserId};
use cadenza_core::time::{Span, Time};
use cadenza_store::page::Page;
use cadenza_store::tasks::{self, Kind, Of, OwnKind, Task, Worker};
use cadenza_store::{flows, sequences};
use serde::Deserialize;
use std::collections::HashMap;
use std::fmt;

/// Tasks of one page.
const ROWS: usize = 100;
/// Asks for whichever task is first.
pub const NEXT: &str = "next";

/// The query of the screen's address.
#[derive(Debug, Default, Clone, Deserialize)]
pub struct Asked {
    sequence: Option<String>,
    user: Option<String>,
    due: Option<String>,
    priority: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    after: Option<String>,
    /// The open one.
    pub task: Option<String>,
}

/// Names a task in addresses: an activity by its enrollment and visit, or a user's own task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskRef {
    Activity(EnrollmentId, u32),
    Own(TaskId),
}

impl TaskRef {
    pub fn read(word: &str) -> Option<TaskRef> {
        if let Some((id, visit)) = word.split_once('.') {
            return Some(TaskRef::Activity(id.parse().ok()?, visit.parse().ok()?));
        }
        word.parse().ok().map(TaskRef::Own)
    }
    pub fn of(task: &Task) -> TaskRef {
        match &task.of {
            Of::Activity { enrollment, visit, .. } => TaskRef::Activity(*enrollment, *visit),
            Of::Own { id, .. } => TaskRef::Own(*id),
        }
    }
}

impl fmt::Display for TaskRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TaskRef::Activity(id, visit) => write!(f, "{id}.{visit}"),
            TaskRef::Own(id) => write!(f, "{id}"),
        }
    }
}

/// Whose tasks the caller sees.
pub fn worker(caller: &Caller) -> Result<Worker> {
    if caller.may(Privilege::TasksAll) {
        return Ok(Worker::All);
    }
    caller.need(Privilege::TasksMine)?;
    Ok(Worker::User(caller.user))
}

impl Asked {
    /// One's own at first, everybody's where that is asked for and allowed.
    pub fn filter(&self, viewer: &Viewer) -> Result<tasks::Filter> {
        let mut wanted = tasks::Filter::new(worker(&viewer.caller)?);
        wanted.owners = match text(&self.user) {
            "" => vec![viewer.caller.user],
            "all" => Vec::new(),
            _ => query::filter::<UserId>(&self.user).into_iter().collect(),
        };
        wanted.sequences = query::filter::<SequenceId>(&self.sequence).into_iter().collect();
        wanted.kinds = Kind::named(text(&self.kind)).into_iter().collect();
        wanted.priorities = priority(text(&self.priority)).into_iter().collect();
        wanted.due_before = due_before(text(&self.due), viewer.watch.now);
        Ok(wanted)
    }

    pub fn is_filtered(&self) -> bool {
        self.pairs().iter().any(|(name, value)| !value.is_empty() && !matches!(*name, "after" | "user"))
    }

    fn pairs(&self) -> [(&'static str, &str); 6] {
        [
            ("type", text(&self.kind)),
            ("sequence", text(&self.sequence)),
            ("user", text(&self.user)),
            ("due", text(&self.due)),
            ("priority", text(&self.priority)),
            ("after", text(&self.after)),
        ]
    }

    /// The address with the same filters and that task open.
    pub fn with_task(&self, task: &str) -> String {
        let base = address("/tasks", &self.pairs());
        let mark = if base.contains('?') { '&' } else { '?' };
        if task.is_empty() { base } else { format!("{base}{mark}task={}", query_value(task)) }
    }

    fn with_kind(&self, kind: &str) -> String {
        let pairs = self.pairs().map(|(name, value)| match name {
            "type" => (name, kind),
            "after" => (name, ""),
            _ => (name, value),
        });
        address("/tasks", &pairs)
    }

    fn after(&self, cursor: &str) -> String {
        address("/tasks", &self.pairs().map(|(name, value)| (name, if name == "after" { cursor } else { value })))
    }
}

/// The whole screen, or as much of it as is swapped.
pub async fn screen(app: &App, viewer: &Viewer, asked: &Asked) -> Result<TasksPage> {
    let wanted = asked.filter(viewer)?;
    let from = query::after::<i64>(&asked.after);
    let w = viewer.caller.workspace;
    let of_all = tasks::Filter { kinds: Vec::new(), ..wanted.clone() };
    let read = app.db.read_async(move |q| {
        let page = tasks::list(q, w, &wanted, from, ROWS)?;
        let counts = tasks::counts(q, w, &of_all)?;
        let mut names = HashMap::new();
        for task in &page.rows {
            if let Of::Activity { sequence, .. } = &task.of
                && !names.contains_key(sequence)
            {
                let version = sequences::get(q, w, *sequence)?.flow_version;
                names.insert(*sequence, flows::flow_at(q, w, *sequence, version)?);
            }
        }
        Ok((page, counts, names, Names::read(q, w)?, sequences::all(q, w)?))
    });
    let (page, counts, flows, names, all) = read.await?;
    // Without a word on it the first one of the first group is open.
    let first = page.rows.iter().min_by_key(|t| Heading::of(t.kind)).map(TaskRef::of);
    let open = match text(&asked.task) {
        "" | NEXT => first,
        word => TaskRef::read(word),
    };
    let panel = match open {
        Some(task) => panel::read(app, viewer, asked, task).await?,
        None => None,
    };
    let total: i64 = counts.iter().map(|(_, n)| *n).sum();
    let nothing = if page.rows.is_empty() { Some(nothing::why(app, viewer, asked).await?) } else { None };
    Ok(TasksPage {
        shell: viewer.shell(Some(Place::Tasks)),
        total: u64::try_from(total).unwrap_or(0),
        filters: filters(asked, viewer, &names, &all),
        types: types(asked, &counts, total),
        more: page.next.as_ref().map(|a| Link::new(asked.after(&crate::http::wire::cursor(a)), "Later tasks")),
        groups: groups(asked, &page, &flows, open, viewer, &counts),
        asked_for: asked.task.is_some(),
        list: asked.with_task(""),
        panel,
        empty: nothing,
    })
}

fn groups(
    asked: &Asked,
    page: &Page<Task, i64>,
    flows: &HashMap<SequenceId, cadenza_core::flow::Flow>,
    open: Option<TaskRef>,
    viewer: &Viewer,
    counts: &[(Kind, i64)],
) -> Vec<Group> {
    let mut groups: Vec<(Heading, Group)> = Vec::new();
    for task in &page.rows {
        let heading = Heading::of(task.kind);
        let row = row(asked, task, flows, open, viewer);
        match groups.iter_mut().find(|(h, _)| *h == heading) {
            Some((_, group)) => group.rows.push(row),
            None => {
                let of_heading = counts.iter().filter(|(kind, _)| Heading::of(*kind) == heading);
                let count = of_heading.map(|(_, n)| u64::try_from(*n).unwrap_or(0)).sum();
                groups.push((heading, Group { label: heading.label().to_owned(), count, rows: vec![row] }));
            }
        }
    }
    groups.sort_by_key(|(heading, _)| *heading);
    groups.into_iter().map(|(_, group)| group).collect()
}

/// The groups of the screen, in their order: what keeps others waiting first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Heading {
    Mend,
    Questions,
    Calls,
    Emails,
    Texts,
    Linkedin,
    Tasks,
    Meetings,
}

impl Heading {
    fn of(kind: Kind) -> Heading {
        match kind {
            Kind::Step(StepKind::EmailAuto | StepKind::SmsAuto) => Heading::Mend,
            Kind::Step(StepKind::Call) => Heading::Calls,
            Kind::Step(StepKind::EmailManual) => Heading::Emails,
            Kind::Step(StepKind::SmsManual) => Heading::Texts,
            Kind::Step(StepKind::Linkedin) => Heading::Linkedin,
            Kind::Step(StepKind::Task) | Kind::Own(OwnKind::Task) => Heading::Tasks,
            Kind::Own(OwnKind::Question) => Heading::Questions,
            Kind::Own(OwnKind::Meeting) => Heading::Meetings,
        }
    }
    fn label(self) -> &'static str {
        match self {
            Heading::Mend => "To mend",
            Heading::Questions => "Questions",
            Heading::Calls => "Calls",
            Heading::Emails => "Emails",
            Heading::Texts => "Texts",
            Heading::Linkedin => "LinkedIn",
            Heading::Tasks => "Tasks",
            Heading::Meetings => "Meetings",
        }
    }
}

fn row(
    asked: &Asked,
    task: &Task,
    flows: &HashMap<SequenceId, cadenza_core::flow::Flow>,
    open: Option<TaskRef>,
    viewer: &Viewer,
) -> TaskRow {
    let named = TaskRef::of(task);
    let (what, sequence, badge, mends) = match &task.of {
        Of::Activity { step, sequence, sequence_name, sequence_state, block, .. } => {
            let flow = flows.get(sequence).and_then(|f| f.spot(step));
            let name = flow.map_or_else(|| step.as_str().to_owned(), |s| s.step.content.name.clone());
            let what = match block {
                Some((reason, detail)) => format!("{name} – {}", detail.as_deref().unwrap_or(reason.label())),
                None => name,
            };
            let paused = *sequence_state == SequenceState::Paused;
            let badge = paused.then(|| Badge::new(Tone::Amber, "Paused")).or_else(|| priority_badge(task.priority));
            (what, sequence_name.clone(), badge, block.is_some())
        }
        Of::Own { name, .. } => (name.clone(), String::new(), priority_badge(task.priority), false),
    };
    TaskRow {
        href: asked.with_task(&named.to_string()),
        current: open == Some(named),
        kind: match task.kind {
            Kind::Step(kind) if !mends => Some(KindIcon(kind)),
            Kind::Own(_) => Some(KindIcon(StepKind::Task)),
            Kind::Step(_) => None,
        },
        who: if task.subject_name.is_empty() { what.clone() } else { task.subject_name.clone() },
        company: task.company_name.clone().unwrap_or_default(),
        what: if task.subject_name.is_empty() { String::new() } else { what },
        sequence,
        due: (task.due != Time::MAX).then(|| viewer.watch.near(task.due)),
        overdue: task.due < viewer.watch.now - Span::hours(24),
        badge,
    }
}

fn types(asked: &Asked, counts: &[(Kind, i64)], total: i64) -> Vec<TypeTab> {
    let current = text(&asked.kind);
    let tab = |label: &str, kind: &str, n: i64| TypeTab {
        label: label.to_owned(),
        count: u64::try_from(n).unwrap_or(0),
        href: asked.with_kind(kind),
        current: current == kind,
    };
    let mut tabs = vec![tab("All", "", total)];
    let shown = |kind: Kind| match kind {
        Kind::Step(StepKind::EmailAuto) => "Emails to mend",
        Kind::Step(StepKind::SmsAuto) => "Texts to mend",
        kind => Heading::of(kind).label(),
    };
    tabs.extend(counts.iter().map(|(kind, n)| tab(shown(*kind), kind.as_str(), *n)));
    tabs
}

fn filters(asked: &Asked, viewer: &Viewer, names: &Names, all: &[sequences::Sequence]) -> Vec<Filter> {
    let choices = |pairs: &[(&str, &str)]| pairs.iter().map(|(v, l)| Choice::new(*v, *l)).collect();
    let mut filters = vec![sequence_filter(all, text(&asked.sequence).to_owned())];
    if viewer.caller.may(Privilege::TasksAll) {
        let mut people = vec![Choice::new("all", "Everybody's")];
        people.extend(names.choices());
        filters.push(Filter { name: "user", label: "My tasks", value: text(&asked.user).to_owned(), choices: people });
    }
    filters.push(Filter {
        name: "due",
        label: "Due",
        value: text(&asked.due).to_owned(),
        choices: choices(&[("overdue", "Overdue"), ("today", "By tomorrow"), ("week", "This week")]),
    });
    filters.push(Filter {
        name: "priority",
        label: "Priority",
        value: text(&asked.priority).to_owned(),
        choices: choices(&[("high", "High"), ("normal", "Normal"), ("low", "Low")]),
    });
    filters
}

fn priority(word: &str) -> Option<Priority> {
    match word {
        "high" => Some(Priority::High),
        "normal" => Some(Priority::Normal),
        "low" => Some(Priority::Low),
        _ => None,
    }
}

fn due_before(word: &str, now: Time) -> Option<Time> {
    match word {
        "overdue" => Some(now - Span::hours(24)),
        "today" => Some(now + Span::days(1)),
        "week" => Some(now + Span::days(7)),
        _ => None,
    }
}
