//! `/tasks`: what people have to do. A step's task is named by its enrollment and visit, `enr_….2`; a task of one's own by
//! its id, `tsk_…`.

use super::enrollments::operate::Operated;
use super::enrollments::record::{CompanyRef, ContactRef};
use super::query::{At, Cursor, Limit, Several};
use super::schema;
use crate::App;
use crate::actions::enrollments::Applied;
use crate::actions::tasks::{self, NewTask, TaskChange};
use crate::actions::{ActionError, Caller, enrollments};
use crate::http::error::Result;
use crate::http::wire::{Body, Page, Params};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use cadenza_core::enrollment::{BlockReason, SequenceState, Subject};
use cadenza_core::flow::{Key, Outcome, Priority};
use cadenza_core::ids::{CompanyId, ContactId, EnrollmentId, SequenceId, TaskId, UserId};
use cadenza_core::time::Time;
use cadenza_store::page::After;
use cadenza_store::tasks::{Filter, Kind, Of, Own, OwnKind, Task as Stored, Worker};
use serde::{Deserialize, Deserializer, Serialize};
use std::str::FromStr;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(counts))
        .routes(routes!(change))
        .routes(routes!(mark))
        .routes(routes!(send))
}

/// A task.
#[derive(Debug, Serialize, ToSchema)]
struct Task {
    /// `enr_….2` of a step, `tsk_…` of one's own.
    #[schema(example = "enr_00dk3v9xk000a.2")]
    id: String,
    /// A kind of step, or `own_task`, `meeting`, `question`.
    #[schema(example = "call")]
    kind: &'static str,
    #[schema(value_type = String)]
    owner: UserId,
    #[schema(value_type = String, example = "normal")]
    priority: Priority,
    /// Null for an own task without a date.
    #[schema(value_type = Option<String>, format = DateTime)]
    due: Option<Time>,
    contact: Option<ContactRef>,
    company: Option<CompanyRef>,
    /// Of a step.
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<StepTask>,
    /// Of an own task.
    #[serde(skip_serializing_if = "Option::is_none")]
    own: Option<OwnTask>,
}

#[derive(Debug, Serialize, ToSchema)]
struct StepTask {
    #[schema(value_type = String)]
    enrollment: EnrollmentId,
    visit: u32,
    #[schema(value_type = String)]
    step: Key,
    #[schema(value_type = String)]
    sequence: SequenceId,
    sequence_name: String,
    /// In a paused sequence the task is listed; its outcome can be noted, and the flow goes on at resume.
    #[schema(schema_with = schema::sequence_state)]
    sequence_state: SequenceState,
    #[schema(schema_with = schema::state)]
    state: cadenza_core::enrollment::State,
    /// Why an automatic step cannot run.
    #[schema(schema_with = schema::nullable_block)]
    block: Option<BlockReason>,
    detail: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
struct OwnTask {
    name: String,
    /// The end of a meeting.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Time>,
    /// What a question is about.
    #[schema(value_type = Option<String>)]
    enrollment: Option<EnrollmentId>,
}

impl From<Stored> for Task {
    fn from(t: Stored) -> Task {
        let (mut contact, mut company) = (None, None);
        match t.subject {
            Some(Subject::Contact(id)) => {
                contact = Some(ContactRef { id, name: t.subject_name, company: t.company_name });
            }
            Some(Subject::Company(id)) => company = Some(CompanyRef { id, name: t.subject_name }),
            None => {}
        }
        let (id, step, own) = match t.of {
            Of::Activity { enrollment, visit, step, sequence, sequence_name, sequence_state, state, block } => {
                let (block, detail) = block.map_or((None, None), |(b, detail)| (Some(b), detail));
                let id = TaskRef::Step(enrollment, visit);
                let step =
                    StepTask { enrollment, visit, step, sequence, sequence_name, sequence_state, state, block, detail };
                (id, Some(step), None)
            }
            Of::Own { id, name, until, enrollment } => {
                (TaskRef::Own(id), None, Some(OwnTask { name, until, enrollment }))
            }
        };
        Task {
            id: id.to_string(),
            kind: t.kind.as_str(),
            owner: t.owner,
            priority: t.priority,
            due: Some(t.due).filter(|due| *due != Time::MAX),
            contact,
            company,
            step,
            own,
        }
    }
}

/// The name of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TaskRef {
    Step(EnrollmentId, u32),
    Own(TaskId),
}

impl std::fmt::Display for TaskRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            TaskRef::Step(enrollment, visit) => write!(f, "{enrollment}.{visit}"),
            TaskRef::Own(id) => write!(f, "{id}"),
        }
    }
}

impl FromStr for TaskRef {
    type Err = String;
    fn from_str(text: &str) -> Result<TaskRef, String> {
        let step =
            |(enrollment, visit): (&str, &str)| Some(TaskRef::Step(enrollment.parse().ok()?, visit.parse().ok()?));
        let found = match text.split_once('.') {
            Some(parts) => step(parts),
            None => text.parse().ok().map(TaskRef::Own),
        };
        found.ok_or_else(|| {
            let found: String = text.chars().take(64).collect();
            format!("{found:?} is no task: expected enr_….VISIT of a step, or tsk_… of an own task")
        })
    }
}

impl<'de> Deserialize<'de> for TaskRef {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<TaskRef, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Which tasks; several values of one filter go with commas between.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Query {
    #[param(value_type = Option<String>)]
    sequence: Several<SequenceId>,
    /// Users whose tasks they are.
    #[param(value_type = Option<String>)]
    owner: Several<UserId>,
    /// `high`, `normal`, `low`.
    #[param(value_type = Option<String>)]
    priority: Several<Priority>,
    /// Kinds of steps, `own_task`, `meeting`, `question`.
    #[param(value_type = Option<String>, example = "call,email_manual")]
    kind: Several<String>,
    #[param(value_type = Option<String>, format = DateTime)]
    due_before: Option<Time>,
    #[param(value_type = Option<String>)]
    contact: Option<ContactId>,
    #[param(value_type = Option<String>)]
    company: Option<CompanyId>,
    /// 1 to 200; 50 where nothing is said.
    #[param(value_type = Option<u16>)]
    limit: Limit,
    /// `next` of the page before.
    #[param(value_type = Option<String>)]
    after: Option<Cursor<After<i64>>>,
}

impl Query {
    fn filter(self, caller: &Caller) -> Result<Filter, ActionError> {
        let kind = |word: &String| {
            Kind::named(word).ok_or_else(|| {
                let words: Vec<&str> = Kind::all().map(Kind::as_str).collect();
                ActionError::invalid("kind", format!("{word:?} is no kind of task: expected {}.", words.join(", ")))
            })
        };
        Ok(Filter {
            worker: Worker::User(caller.user),
            sequences: self.sequence.0,
            owners: self.owner.0,
            priorities: self.priority.0,
            kinds: self.kind.0.iter().map(kind).collect::<Result<_, _>>()?,
            due_before: self.due_before,
            subject: self.contact.map(Subject::Contact).or(self.company.map(Subject::Company)),
        })
    }
}

/// Open tasks, the next due first
///
/// Your own and those of the sequences you work on; everybody's with `tasks.all`.
#[utoipa::path(get, path = "/tasks", tag = "tasks", params(Query), responses((status = 200, body = Page<Task>)))]
async fn list(State(app): State<App>, caller: Caller, Params(query): Params<Query>) -> Result<Json<Page<Task>>> {
    let (limit, after) = (query.limit.0, query.after.map(|c| c.0));
    let page = tasks::list(&app, &caller, query.filter(&caller)?, after, limit).await?;
    Ok(Json(Page {
        items: page.rows.into_iter().map(Task::from).collect(),
        next: page.next.as_ref().map(Cursor::write),
    }))
}

#[derive(Debug, Serialize, ToSchema)]
struct KindCount {
    #[schema(example = "call")]
    kind: &'static str,
    count: i64,
}

/// How many open tasks there are of each kind
///
/// With the filters of the list. Kinds without any are left out.
#[utoipa::path(get, path = "/tasks/counts", tag = "tasks", params(Query), responses((status = 200, body = Page<KindCount>)))]
async fn counts(State(app): State<App>, caller: Caller, Params(query): Params<Query>) -> Result<Json<Page<KindCount>>> {
    let counts = tasks::counts(&app, &caller, query.filter(&caller)?).await?;
    let items = counts.into_iter().map(|(kind, count)| KindCount { kind: kind.as_str(), count }).collect();
    Ok(Json(Page { items, next: None }))
}

/// A task of one's own, whole.
#[derive(Debug, Serialize, ToSchema)]
struct OwnRecord {
    #[schema(value_type = String, example = "tsk_00dk3v9xk000c")]
    id: TaskId,
    kind: &'static str,
    name: String,
    instructions: String,
    #[schema(value_type = String)]
    owner: UserId,
    #[schema(value_type = String)]
    priority: Priority,
    #[schema(value_type = Option<String>, format = DateTime)]
    due: Option<Time>,
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Time>,
    #[schema(value_type = Option<String>)]
    contact: Option<ContactId>,
    #[schema(value_type = Option<String>)]
    company: Option<CompanyId>,
    #[schema(value_type = Option<String>, format = DateTime)]
    done_at: Option<Time>,
    outcome: Option<String>,
}

impl From<Own> for OwnRecord {
    fn from(own: Own) -> OwnRecord {
        let (done_at, outcome) = own.done.map_or((None, None), |(at, outcome)| (Some(at), outcome));
        OwnRecord {
            id: own.id,
            kind: Kind::Own(own.kind).as_str(),
            name: own.name,
            instructions: own.instructions,
            owner: own.owner,
            priority: own.priority,
            due: own.due,
            until: own.until,
            contact: own.contact,
            company: own.company,
            done_at,
            outcome,
        }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewTask, example = json!({ "name": "Prepare the interview", "due": "2027-03-02T09:00:00Z" }))]
struct Wanted {
    name: String,
    /// `task` (the default) or `meeting`.
    #[serde(default)]
    #[schema(inline)]
    kind: WantedKind,
    #[serde(default)]
    instructions: String,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    priority: Priority,
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    due: Option<Time>,
    /// The end of a meeting.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Time>,
    /// Yourself, or with `tasks.all` anybody who works here.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    owner: Option<UserId>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    contact: Option<ContactId>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    company: Option<CompanyId>,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum WantedKind {
    #[default]
    Task,
    Meeting,
}

/// Add a task of your own
#[utoipa::path(post, path = "/tasks", tag = "tasks", request_body = Wanted, responses((status = 201, body = OwnRecord)))]
async fn add(
    State(app): State<App>,
    caller: Caller,
    Body(wanted): Body<Wanted>,
) -> Result<(StatusCode, Json<OwnRecord>)> {
    let new = NewTask {
        kind: match wanted.kind {
            WantedKind::Task => OwnKind::Task,
            WantedKind::Meeting => OwnKind::Meeting,
        },
        name: wanted.name,
        instructions: wanted.instructions,
        priority: wanted.priority,
        due: wanted.due,
        until: wanted.until,
        owner: wanted.owner,
        about: wanted.contact.map(Subject::Contact).or(wanted.company.map(Subject::Company)),
    };
    let own = tasks::add(&app, &caller, new).await?;
    Ok((StatusCode::CREATED, Json(own.into())))
}

/// What is to be changed; what is absent stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = TaskChange, example = json!({ "due": "2027-03-03T09:00:00Z" }))]
struct Change {
    name: Option<String>,
    instructions: Option<String>,
    #[schema(value_type = Option<String>)]
    priority: Option<Priority>,
    /// Null for no date.
    #[serde(deserialize_with = "said")]
    #[schema(value_type = Option<String>, format = DateTime)]
    due: Option<Option<Time>>,
    #[serde(deserialize_with = "said")]
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Option<Time>>,
    #[schema(value_type = Option<String>)]
    owner: Option<UserId>,
}

/// Tells `null` from absent.
fn said<'de, D: Deserializer<'de>, T: Deserialize<'de>>(d: D) -> Result<Option<T>, D::Error> {
    T::deserialize(d).map(Some)
}

/// Change a task of your own
#[utoipa::path(patch, path = "/tasks/{task}", tag = "tasks", params(("task" = String, Path, example = "tsk_00dk3v9xk000c")),
    request_body = Change, responses((status = 200, body = OwnRecord)))]
async fn change(
    State(app): State<App>,
    caller: Caller,
    At(task): At<TaskRef>,
    Body(change): Body<Change>,
) -> Result<Json<OwnRecord>> {
    let id = match task {
        TaskRef::Own(id) => id,
        TaskRef::Step(enrollment, visit) => {
            enrollments::may_do_task(&app, &caller, enrollment, visit).await?;
            let why =
                "A step's task changes with its enrollment: see the operations on enrollments, such as set_owner.";
            return Err(ActionError::refused("not_an_own_task", why).into());
        }
    };
    let change = TaskChange {
        name: change.name,
        instructions: change.instructions,
        priority: change.priority,
        due: change.due,
        until: change.until,
        owner: change.owner,
    };
    Ok(Json(tasks::update(&app, &caller, id, change).await?.into()))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MarkTask, example = json!({ "outcome": "no_answer" }))]
struct Mark {
    /// One of the step's outcomes: call: `no_answer`, `left_voicemail`, `interested`, `not_interested`; task: `none`,
    /// `positive`, `negative`; manual messages: `done`; and the step's own. Of an own task: any word.
    outcome: String,
}

/// What a mark came to: the enrollment of a step, or the own task.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
enum Marked {
    Step(Operated),
    Own(OwnRecord),
}

/// Mark a task with its outcome
///
/// The flow follows at once; in a paused enrollment or sequence it follows at resume.
#[utoipa::path(post, path = "/tasks/{task}/mark", tag = "tasks", params(("task" = String, Path, example = "enr_00dk3v9xk000a.2")),
    request_body = Mark, responses((status = 200, body = Marked)))]
async fn mark(
    State(app): State<App>,
    caller: Caller,
    At(task): At<TaskRef>,
    Body(mark): Body<Mark>,
) -> Result<Json<Marked>> {
    Ok(Json(match task {
        TaskRef::Step(id, visit) => {
            let applied = enrollments::mark_task(&app, &caller, id, visit, Outcome::named(&mark.outcome)).await?;
            Marked::Step(operated(&applied))
        }
        TaskRef::Own(id) => Marked::Own(tasks::finish(&app, &caller, id, Some(mark.outcome)).await?.into()),
    }))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SendTask, example = json!({ "subject": "Backend engineering in Berlin", "text": "Hi Ana, …" }))]
struct Message {
    /// Empty for a text message, and in a thread.
    #[serde(default)]
    subject: String,
    text: String,
}

/// Send the manual message of a task in your own words
///
/// From the mailbox of the enrollment; the task is done when the mail server has taken it.
#[utoipa::path(post, path = "/tasks/{task}/send", tag = "tasks", params(("task" = String, Path, example = "enr_00dk3v9xk000a.2")),
    request_body = Message, responses((status = 200, body = Operated)))]
async fn send(
    State(app): State<App>,
    caller: Caller,
    At(task): At<TaskRef>,
    Body(message): Body<Message>,
) -> Result<Json<Operated>> {
    let (id, visit) = match task {
        TaskRef::Step(id, visit) => (id, visit),
        TaskRef::Own(id) => {
            tasks::get(&app, &caller, id).await?;
            let why = "Only a step's task can be sent: enr_….VISIT.";
            return Err(ActionError::refused("not_a_message", why).into());
        }
    };
    let applied = enrollments::send_by_hand(&app, &caller, id, visit, &message.subject, &message.text).await?;
    Ok(Json(operated(&applied)))
}

fn operated(applied: &Applied) -> Operated {
    let e = &applied.enrollment;
    Operated { id: e.id, state: applied.state, reason: applied.reason.as_str(), version: e.version }
}
