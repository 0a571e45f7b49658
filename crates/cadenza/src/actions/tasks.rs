//! Tasks (TSK-1, TSK-7): the list that people work from, with its counts, and users' own tasks. Steps are marked and sent in
//! `enrollments`.

use super::{ActionError, Caller, Privilege, Result};
use crate::App;
use cadenza_core::enrollment::Subject;
use cadenza_core::flow::Priority;
use cadenza_core::ids::{CompanyId, ContactId, TaskId, UserId};
use cadenza_core::time::Time;
use cadenza_store::page::{After, Page};
use cadenza_store::tasks::{self, Filter, Kind, Own, OwnKind, Task, Worker};
use cadenza_store::users::{self, UserState};
use cadenza_store::{Query, StoreError, audit, companies, contacts};

const NAME_LENGTH_MAX: usize = 200;

/// Whose tasks the caller sees: everybody's with `tasks.all`, else their own and those of the sequences they work on.
///
/// # Errors
/// `Forbidden` without either privilege.
pub fn worker(caller: &Caller) -> Result<Worker> {
    if caller.may(Privilege::TasksAll) {
        return Ok(Worker::All);
    }
    caller.need(Privilege::TasksMine)?;
    Ok(Worker::User(caller.user))
}

/// A page of tasks by due date. Whose they may be is decided by the caller, whatever the filter says.
///
/// # Errors
/// `Forbidden`.
pub async fn list(
    app: &App,
    caller: &Caller,
    filter: Filter,
    after: Option<After<i64>>,
    limit: usize,
) -> Result<Page<Task, i64>> {
    let (w, filter) = (caller.workspace, Filter { worker: worker(caller)?, ..filter });
    Ok(app.db.read_async(move |q| tasks::list(q, w, &filter, after, limit)).await?)
}

/// How many there are of each kind, in the order of the screen.
///
/// # Errors
/// `Forbidden`.
pub async fn counts(app: &App, caller: &Caller, filter: Filter) -> Result<Vec<(Kind, i64)>> {
    let (w, filter) = (caller.workspace, Filter { worker: worker(caller)?, ..filter });
    Ok(app.db.read_async(move |q| tasks::counts(q, w, &filter)).await?)
}

/// A task of one's own that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTask {
    pub kind: OwnKind,
    pub name: String,
    pub instructions: String,
    pub priority: Priority,
    pub due: Option<Time>,
    /// The end of a meeting.
    pub until: Option<Time>,
    /// Oneself, or with `tasks.all` anybody who works here.
    pub owner: Option<UserId>,
    pub about: Option<Subject>,
}

/// Adds a task.
///
/// # Errors
/// `Invalid` naming the field; `Forbidden` for somebody else's without `tasks.all`.
pub async fn add(app: &App, caller: &Caller, new: NewTask) -> Result<Own> {
    worker(caller)?;
    let owner = new.owner.unwrap_or(caller.user);
    caller.need_for(owner, Privilege::TasksMine, Privilege::TasksAll)?;
    check(&new.name, new.due, new.until)?;
    if new.kind == OwnKind::Question {
        return Err(ActionError::invalid("kind", "Expected task or meeting: questions are asked by rules."));
    }
    let (contact, company) = match new.about {
        Some(Subject::Contact(id)) => (Some(id), None),
        Some(Subject::Company(id)) => (None, Some(id)),
        None => (None, None),
    };
    let w = caller.workspace;
    app.db.read_async(move |q| Ok(known(q, w, owner, contact, company))).await??;
    let own = Own {
        id: TaskId(app.next_id()),
        kind: new.kind,
        owner,
        name: new.name.trim().to_owned(),
        instructions: new.instructions,
        priority: new.priority,
        due: new.due,
        until: new.until,
        contact,
        company,
        opportunity: None,
        enrollment: None,
        created_by: Some(caller.user),
        created_at: app.clock.now(),
        done: None,
    };
    let stored = own.clone();
    let mut line = caller.audit_line(app, "task.create", "task", Some(own.id.0));
    line.after = Some(said(&own));
    app.db
        .write_async(move |tx| {
            tasks::add(tx, w, &stored)?;
            audit::add(tx, w, &line)
        })
        .await?;
    Ok(own)
}

/// One own task.
///
/// # Errors
/// `Missing`, also for somebody else's without `tasks.all`.
pub async fn get(app: &App, caller: &Caller, id: TaskId) -> Result<Own> {
    let (w, worker) = (caller.workspace, worker(caller)?);
    let own = app.db.read_async(move |q| tasks::get(q, w, id)).await?;
    match worker {
        Worker::User(user) if own.owner != user => Err(ActionError::missing("task", id)),
        _ => Ok(own),
    }
}

/// What may be changed of an own task; `None` leaves it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaskChange {
    pub name: Option<String>,
    pub instructions: Option<String>,
    pub priority: Option<Priority>,
    pub due: Option<Option<Time>>,
    pub until: Option<Option<Time>>,
    pub owner: Option<UserId>,
}

/// Changes an own task.
///
/// # Errors
/// As [`get`] and [`add`].
pub async fn update(app: &App, caller: &Caller, id: TaskId, change: TaskChange) -> Result<Own> {
    let before = get(app, caller, id).await?;
    let mut own = before.clone();
    if let Some(owner) = change.owner {
        caller.need_for(owner, Privilege::TasksMine, Privilege::TasksAll)?;
        own.owner = owner;
    }
    own.name = change.name.map_or(own.name, |n| n.trim().to_owned());
    own.instructions = change.instructions.unwrap_or(own.instructions);
    own.priority = change.priority.unwrap_or(own.priority);
    own.due = change.due.unwrap_or(own.due);
    own.until = change.until.unwrap_or(own.until);
    check(&own.name, own.due, own.until)?;
    let (w, stored) = (caller.workspace, own.clone());
    let owner = own.owner;
    app.db.read_async(move |q| Ok(known(q, w, owner, None, None))).await??;
    let mut line = caller.audit_line(app, "task.update", "task", Some(id.0));
    (line.before, line.after) = (Some(said(&before)), Some(said(&own)));
    app.db
        .write_async(move |tx| {
            tasks::update(tx, w, &stored)?;
            audit::add(tx, w, &line)
        })
        .await?;
    get(app, caller, id).await
}

/// It is done; said again, the first time counts.
///
/// # Errors
/// As [`get`].
pub async fn finish(app: &App, caller: &Caller, id: TaskId, outcome: Option<String>) -> Result<Own> {
    if get(app, caller, id).await?.done.is_none() {
        let (w, now) = (caller.workspace, app.clock.now());
        let mut line = caller.audit_line(app, "task.finish", "task", Some(id.0));
        line.after = Some(serde_json::json!({ "outcome": outcome }));
        app.db
            .write_async(move |tx| {
                tasks::finish(tx, w, id, outcome.as_deref(), now)?;
                audit::add(tx, w, &line)
            })
            .await?;
    }
    get(app, caller, id).await
}

/// What the audit log keeps of a task.
fn said(own: &Own) -> serde_json::Value {
    serde_json::json!({ "name": own.name, "owner": own.owner, "priority": own.priority, "due": own.due, "until": own.until })
}

fn check(name: &str, due: Option<Time>, until: Option<Time>) -> Result<()> {
    if !(1..=NAME_LENGTH_MAX).contains(&name.trim().chars().count()) {
        let message = format!("Say what is to be done, in at most {NAME_LENGTH_MAX} characters.");
        return Err(ActionError::invalid("name", message));
    }
    match (due, until) {
        (None, Some(_)) => Err(ActionError::invalid("due", "What has an end has a begin: say when it is due.")),
        (Some(due), Some(until)) if until < due => {
            Err(ActionError::invalid("until", "Expected an end after the begin, `due`."))
        }
        _ => Ok(()),
    }
}

/// Whether all that a task names is there.
fn known(
    q: &mut Query,
    w: cadenza_core::ids::WorkspaceId,
    owner: UserId,
    contact: Option<ContactId>,
    company: Option<CompanyId>,
) -> Result<()> {
    let there = |found: Result<(), StoreError>, field: &str, what: &str| match found {
        Err(StoreError::Missing { .. }) => Err(ActionError::invalid(field, format!("Expected the id of {what}."))),
        other => Ok(other?),
    };
    let user = users::get(q, w, owner).and_then(|u| match u.state {
        UserState::Active => Ok(()),
        _ => Err(StoreError::missing("user", owner)),
    });
    there(user, "owner", "a user who works here")?;
    if let Some(id) = contact {
        there(contacts::get(q, w, id).map(drop), "contact", "a contact of this workspace")?;
    }
    if let Some(id) = company {
        there(companies::get(q, w, id).map(drop), "company", "a company of this workspace")?;
    }
    Ok(())
}
