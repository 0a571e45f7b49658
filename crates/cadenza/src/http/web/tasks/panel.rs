//! Reads the open task (TSK-2): whom it is for, what to do, how it may be marked, where it stands, what happened before.

use super::super::contacts::display_name;
use super::super::flow_picture::{Shown, draw};
use super::super::kind::{KindIcon, priority_badge};
use super::super::lists::Link;
use super::super::parts::{Badge, Tone};
use super::super::rows::{Flows, Names, subject_path};
use super::super::story;
use super::super::viewer::Viewer;
use super::read::{Asked, NEXT, TaskRef, worker};
use super::{Compose, ContactCard, OutcomeButton, OverviewField, TaskPanel, Trouble, mend};
use crate::App;
use crate::actions::ActionError;
use crate::actions::enrollments::Draft;
use crate::http::error::Result;
use cadenza_core::calendar::Zone;
use cadenza_core::enrollment::{BlockReason, SequenceState, Subject};
use cadenza_core::flow::{Flow, Outcome, Priority, Step, StepKind, Then, Verdict};
use cadenza_core::ids::{EnrollmentId, TaskId, UserId, WorkspaceId};
use cadenza_core::time::Time;
use cadenza_store::activities::{self, Activity, ActivityPhase};
use cadenza_store::companies::{self, Company};
use cadenza_store::contacts::{self, Contact};
use cadenza_store::enrollments::{self, Listed};
use cadenza_store::history::{self, Line};
use cadenza_store::log_entries::{self, LogEntry, Record};
use cadenza_store::sequences::Viewer as Sees;
use cadenza_store::tasks::{self, Own, Worker};
use cadenza_store::{Query, StoreError};

/// Lines of the record's own timeline.
const ENTRIES: usize = 50;

/// The record behind a task.
struct About {
    contact: Option<Contact>,
    company: Option<Company>,
    entries: Vec<LogEntry>,
    resume: String,
}

/// Everything that is read of an activity.
struct Loaded {
    listed: Listed,
    activity: Activity,
    done: Vec<Activity>,
    lines: Vec<Line>,
    flows: Flows,
    draft: Option<Draft>,
    told: (String, String),
    about: About,
    names: Names,
}

/// The panel of a task; `None` where it is not there any more, or not for the viewer.
pub async fn read(app: &App, viewer: &Viewer, asked: &Asked, task: TaskRef) -> Result<Option<TaskPanel>> {
    let back = asked.with_task(NEXT);
    let panel = match task {
        TaskRef::Activity(id, visit) => activity(app, viewer, id, visit).await,
        TaskRef::Own(id) => own(app, viewer, id).await,
    };
    match panel {
        Ok(panel) => Ok(Some(TaskPanel { path: format!("/tasks/{task}"), back, ..panel })),
        Err(ActionError::Missing { .. }) => Ok(None),
        Err(e) => Err(e.into()),
    }
}

async fn activity(app: &App, viewer: &Viewer, id: EnrollmentId, visit: u32) -> Result<TaskPanel, ActionError> {
    let (w, now, worker) = (viewer.caller.workspace, viewer.watch.now, seen(viewer)?);
    let app2 = app.clone();
    let read = app.db.read_async(move |q| {
        // Whoever works on it sees it, also where the sequence is not shared with them.
        let listed = enrollments::get(q, w, id, Sees::All)?;
        let done = activities::of_enrollment(q, w, id)?;
        let activity =
            done.iter().find(|a| a.visit == visit).cloned().ok_or_else(|| StoreError::missing("task", id))?;
        if !sees_task(q, w, worker, &listed, activity.owner)? {
            return Err(StoreError::missing("task", id));
        }
        let mut flows = Flows::default();
        flows.add(q, w, [&listed])?;
        Ok(Loaded {
            draft: app2.door.draft(q, w, id, now)?,
            told: app2.door.told(q, w, id, now)?,
            about: about(q, w, Some(listed.enrollment.subject))?,
            lines: history::of_enrollment(q, w, id)?,
            names: Names::read(q, w)?,
            listed,
            activity,
            done,
            flows,
        })
    });
    Ok(of_activity(read.await?, viewer))
}

fn seen(viewer: &Viewer) -> Result<Worker, ActionError> {
    worker(&viewer.caller).map_err(|e| e.0)
}

/// Their own, or of a sequence that they work on (PRM-2): as the list of tasks decides it.
fn sees_task(
    q: &mut Query,
    w: WorkspaceId,
    worker: Worker,
    listed: &Listed,
    owner: UserId,
) -> cadenza_store::Result<bool> {
    if worker == Worker::All || worker == Worker::User(owner) {
        return Ok(true);
    }
    let mut wanted = tasks::Filter::new(worker);
    wanted.subject = Some(listed.enrollment.subject);
    wanted.sequences = vec![listed.enrollment.sequence];
    Ok(!tasks::list(q, w, &wanted, None, 1)?.rows.is_empty())
}

fn about(q: &mut Query, w: WorkspaceId, subject: Option<Subject>) -> cadenza_store::Result<About> {
    let mut about = About { contact: None, company: None, entries: Vec::new(), resume: String::new() };
    match subject {
        Some(Subject::Contact(id)) => {
            let contact = contacts::get(q, w, id)?;
            about.company = contact.company.map(|c| companies::get(q, w, c)).transpose()?;
            about.resume = contacts::resume(q, w, id)?;
            about.entries = log_entries::of_record(q, w, Record::Contact(id), None, None, ENTRIES)?;
            about.contact = Some(contact);
        }
        Some(Subject::Company(id)) => {
            about.company = Some(companies::get(q, w, id)?);
            about.entries = log_entries::of_record(q, w, Record::Company(id), None, None, ENTRIES)?;
        }
        None => {}
    }
    Ok(about)
}

fn of_activity(loaded: Loaded, viewer: &Viewer) -> TaskPanel {
    let Loaded { listed, activity, done, lines, flows, draft, told, about, names } = &loaded;
    let e = &listed.enrollment;
    let flow = flows.of(listed);
    let spot = flow.and_then(|f| f.spot(&activity.step));
    let open = !matches!(activity.phase, ActivityPhase::Closed { .. });
    let is_current = open && e.place.as_ref().is_some_and(|p| p.visit == activity.visit);
    let trouble = e.block.filter(|_| is_current).map(|reason| {
        let asks =
            spot.filter(|_| reason == BlockReason::MissingAddress).map(|s| (s.step.kind, s.step.content.address));
        let field = asks.and_then(|(step, kind)| mend::field(step, kind));
        Trouble { field, ..trouble(reason, e.block_detail.as_deref()) }
    });
    let manual = is_current && trouble.is_none() && !activity.kind.is_automatic();
    let mut badges: Vec<Badge> = priority_badge(activity.priority).into_iter().collect();
    if listed.sequence_state == SequenceState::Paused {
        badges.push(Badge::new(Tone::Amber, "Sequence paused"));
    }
    if !e.holds.is_empty() {
        badges.push(Badge::new(Tone::Amber, "Paused"));
    }
    if !open {
        badges.push(Badge::new(Tone::Grey, "Done"));
    }
    let path = done.iter().filter(|a| executed(a)).map(|a| a.step.clone()).collect();
    let place = e.is_live().then(|| e.place.as_ref().map(|p| p.step.clone())).flatten();
    let picture = flow.map(|f| draw(f, &Shown { path, place, ..Shown::default() }));
    let mut entries = flow.map(|f| story::entries(f, done, lines, names, &viewer.watch)).unwrap_or_default();
    let (notes, other): (Vec<_>, Vec<_>) = about.entries.iter().partition(|l| l.kind == "note");
    entries.extend(other.into_iter().map(|l| story::of_log(l, names, &viewer.watch)));
    TaskPanel {
        path: String::new(),
        back: String::new(),
        kind: trouble.is_none().then_some(KindIcon(activity.kind)),
        title: spot.map_or_else(|| activity.kind.label().to_owned(), |s| s.step.content.name.clone()),
        badges,
        due: Some(viewer.watch.near(activity.due)),
        step: spot.map_or(String::new(), |s| {
            format!("Step {} of {} in {}", s.index + 1, s.branch.steps.len(), s.branch.name)
        }),
        sequence: Some(Link::new(format!("/sequences/{}", e.sequence), listed.sequence_name.clone())),
        enrollment: Some(Link::new(format!("/enrollments/{}", e.id), "Enrollment")),
        card: card(about, Some(e.subject), viewer),
        trouble,
        instructions: if is_current { told.0.clone() } else { String::new() },
        script: if is_current { told.1.clone() } else { String::new() },
        compose: draft.as_ref().filter(|_| manual).map(|d| compose(d, activity.kind)),
        outcomes: match (spot, flow) {
            (Some(s), Some(f)) if manual => outcomes(f, s.step),
            _ => Vec::new(),
        },
        fields: fields(about, names, viewer),
        picture,
        entries,
        notes: notes.into_iter().map(|l| story::of_log(l, names, &viewer.watch)).collect(),
        resume: about.resume.clone(),
    }
}

fn executed(a: &Activity) -> bool {
    matches!(&a.phase, ActivityPhase::Closed { outcome, .. } if *outcome != Outcome::Cancelled)
}

/// What keeps an automatic step from running, and what can be done (TSK-4).
fn trouble(reason: BlockReason, detail: Option<&str>) -> Trouble {
    let way = |value: &str, label: &str, likely| (value.to_owned(), label.to_owned(), likely);
    let ways = if reason == BlockReason::DeliveryUnknown {
        vec![
            way("mark_sent", "Mark as sent", true),
            way("send_again", "Send again", false),
            way("skip", "Skip this step", false),
        ]
    } else {
        vec![
            way("retry", "Retry", true),
            way("skip", "Skip this step", false),
            way("remove", "Remove from the sequence", false),
        ]
    };
    let detail = detail.filter(|d| !d.is_empty()).map_or(String::new(), |d| format!(": {d}"));
    Trouble { text: format!("{}{detail}.", reason.label()), field: None, ways }
}

/// The *Mark as* menu of a step, each with what follows (FLOW-4).
fn outcomes(flow: &Flow, step: &Step) -> Vec<OutcomeButton> {
    let next = flow.spot(&step.key).and_then(|s| s.next()).map(|s| s.step.content.name.clone());
    let named =
        |key: &cadenza_core::flow::Key| flow.spot(key).map_or_else(|| key.to_string(), |s| s.step.content.name.clone());
    let button = |outcome: &Outcome| {
        let then = match step.rule_for(outcome).map(|(then, _)| then) {
            Some(Then::Next) | None => {
                next.as_ref().map_or("Completes the sequence".to_owned(), |n| format!("Goes on: {n}"))
            }
            Some(Then::Step { step, .. }) => format!("Goes on: {}", named(&step)),
            Some(Then::Branch { branch, .. }) => {
                format!("Goes to the branch {}", flow.branch(&branch).map_or("", |b| b.name.as_str()))
            }
            Some(Then::End(Verdict::Positive)) => "Ends it as positive".to_owned(),
            Some(Then::End(Verdict::Negative)) => "Ends it as negative".to_owned(),
            Some(Then::End(Verdict::None)) => "Ends it".to_owned(),
            Some(Then::Pause) => "Pauses it".to_owned(),
            Some(Then::OptOut) => "Opts the contact out".to_owned(),
        };
        OutcomeButton { value: outcome.as_str().to_owned(), label: outcome.label(), then }
    };
    step.mark_as().iter().map(button).collect()
}

fn compose(draft: &Draft, kind: StepKind) -> Compose {
    let mut warnings: Vec<String> = draft.missing.iter().cloned().collect();
    if draft.to.is_none() {
        warnings.push("The contact has no address of the kind that this step asks for.".into());
    }
    if draft.from.is_none() && kind == StepKind::EmailManual {
        warnings.push("You have no mailbox that can send.".into());
    }
    Compose {
        from: draft.from.as_ref().map_or(String::new(), |(name, address)| format!("{name} <{address}>")),
        to: draft.to.clone().unwrap_or_default(),
        subject: (kind == StepKind::EmailManual).then(|| draft.subject.clone()),
        body: draft.text.clone(),
        warnings,
    }
}

fn card(about: &About, subject: Option<Subject>, viewer: &Viewer) -> ContactCard {
    let company = about.company.as_ref();
    let contact = about.contact.as_ref();
    let of_company = subject.is_none_or(|s| matches!(s, Subject::Company(_)));
    let phones = contact.map(|c| &c.phones).or(company.map(|c| &c.phones));
    let zone = contact.and_then(|c| c.zone.as_ref()).or(company.and_then(|c| c.zone.as_ref()));
    let name = contact.map(display_name).or_else(|| company.map(|c| c.name.clone())).unwrap_or_default();
    ContactCard {
        name,
        href: subject.map(subject_path).unwrap_or_default(),
        title: contact.map(|c| c.title.clone()).unwrap_or_default(),
        company: company
            .filter(|_| !of_company)
            .map(|c| Link::new(format!("/contacts?q={}", super::super::page::query_value(&c.name)), c.name.clone())),
        local_time: zone.map_or(String::new(), |z| local_time(z, viewer.watch.now)),
        phone: phones.and_then(|p| p.first()).map(|p| (p.value.clone(), p.value.clone())),
    }
}

/// "10:24 in Europe/Madrid".
fn local_time(zone: &Zone, now: Time) -> String {
    let tz = jiff::tz::TimeZone::get(zone.name()).unwrap_or(jiff::tz::TimeZone::UTC);
    let place = zone.name().rsplit('/').next().unwrap_or(zone.name()).replace('_', " ");
    format!("{} in {place}", now.to_jiff().to_zoned(tz).strftime("%H:%M"))
}

fn fields(about: &About, names: &Names, viewer: &Viewer) -> Vec<OverviewField> {
    let field = |name: &str, label: &str, value: String| OverviewField {
        name: name.into(),
        label: label.into(),
        value,
        fixed: true,
    };
    let Some(c) = about.contact.as_ref() else { return Vec::new() };
    let near = |t: Option<Time>| t.map_or(String::new(), |t| viewer.watch.near(t).text);
    let mut all = vec![
        field("email", "Email", c.emails.first().map(|a| a.value.clone()).unwrap_or_default()),
        field("phone", "Phone", c.phones.first().map(|a| a.value.clone()).unwrap_or_default()),
        field("title", "Title", c.title.clone()),
        field("company", "Company", about.company.as_ref().map(|k| k.name.clone()).unwrap_or_default()),
        field("zone", "Time zone", c.zone.as_ref().map_or(String::new(), |z| z.name().to_owned())),
        field("owner", "Primary owner", names.of(c.owner)),
        field("last_engaged", "Last engaged", near(c.last_engaged_at)),
        field("last_contacted", "Last contacted", near(c.last_contacted_at)),
    ];
    for (name, value) in &c.custom {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        all.push(field(name, &name.replace('_', " "), text));
    }
    all
}

async fn own(app: &App, viewer: &Viewer, id: TaskId) -> Result<TaskPanel, ActionError> {
    let (w, worker) = (viewer.caller.workspace, seen(viewer)?);
    let read = app.db.read_async(move |q| {
        let task = tasks::get(q, w, id)?;
        if worker != Worker::All && worker != Worker::User(task.owner) {
            return Err(StoreError::missing("task", id));
        }
        let subject = task.contact.map(Subject::Contact).or(task.company.map(Subject::Company));
        Ok((about(q, w, subject)?, subject, task, Names::read(q, w)?))
    });
    let (about, subject, task, names) = read.await?;
    Ok(of_own(&about, subject, &task, &names, viewer))
}

fn of_own(about: &About, subject: Option<Subject>, task: &Own, names: &Names, viewer: &Viewer) -> TaskPanel {
    let done = OutcomeButton { value: "done".into(), label: "Done".into(), then: "Closes the task".into() };
    let mut card = card(about, subject, viewer);
    if card.name.is_empty() {
        card.name = names.of(Some(task.owner));
        card.href = "/tasks".into();
    }
    let mut badges: Vec<Badge> = if task.priority == Priority::Normal {
        Vec::new()
    } else {
        priority_badge(task.priority).into_iter().collect()
    };
    if task.done.is_some() {
        badges.push(Badge::new(Tone::Grey, "Done"));
    }
    TaskPanel {
        path: String::new(),
        back: String::new(),
        kind: Some(KindIcon(StepKind::Task)),
        title: task.name.clone(),
        badges,
        due: task.due.map(|t| viewer.watch.near(t)),
        step: "A task of your own".into(),
        sequence: None,
        enrollment: task.enrollment.map(|e| Link::new(format!("/enrollments/{e}"), "Enrollment")),
        card,
        trouble: None,
        instructions: task.instructions.clone(),
        script: String::new(),
        compose: None,
        outcomes: if task.done.is_none() { vec![done] } else { Vec::new() },
        fields: fields(about, names, viewer),
        picture: None,
        entries: Vec::new(),
        notes: about.entries.iter().map(|l| story::of_log(l, names, &viewer.watch)).collect(),
        resume: about.resume.clone(),
    }
}
