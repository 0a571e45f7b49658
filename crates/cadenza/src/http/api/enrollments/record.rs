//! Enrollments as JSON: the record of ENR-6 with its views, its activities, and the lines of its history.

use crate::actions::listing::{Shown, Standing};
use crate::http::api::schema;
use cadenza_core::enrollment::{BlockReason, Hold, Mark, Phase, SequenceState, State, Subject};
use cadenza_core::flow::{Key, Outcome, StepKind, Verdict};
use cadenza_core::ids::{CompanyId, ContactId, EnrollmentId, MailboxId, SequenceId, UserId};
use cadenza_core::machine::Actor;
use cadenza_core::time::Time;
use cadenza_core::views::{PersonStatus, RecordStatus, Stage, StatusReason};
use cadenza_store::activities::{Activity as Stored, ActivityPhase};
use cadenza_store::history::Line;
use serde::Serialize;
use utoipa::ToSchema;

/// One contact or company in one sequence.
#[derive(Debug, Serialize, ToSchema)]
pub struct Enrollment {
    #[schema(value_type = String, example = "enr_00dk3v9xk000a")]
    pub id: EnrollmentId,
    pub sequence: SequenceRef,
    /// Present for a sequence of contacts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<ContactRef>,
    /// Present for a sequence of companies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<CompanyRef>,
    #[schema(schema_with = schema::state)]
    pub state: State,
    /// Beside the state: `waiting`, `missing_address`, `reply`, …
    pub reason: &'static str,
    /// The text for a person, such as why exactly it is blocked.
    pub detail: Option<String>,
    #[schema(schema_with = schema::nullable_status_reason)]
    pub status_reason: Option<StatusReason>,
    #[schema(schema_with = schema::nullable_record_status)]
    pub record_status: Option<RecordStatus>,
    #[schema(schema_with = schema::stage)]
    pub stage: Stage,
    #[schema(schema_with = schema::person_status)]
    pub person_status: PersonStatus,
    /// `positive`, `negative` or `none`.
    #[schema(value_type = String, example = "none")]
    pub outcome: Verdict,
    /// What a person marked it as.
    #[schema(schema_with = schema::nullable_mark)]
    pub mark: Option<Mark>,
    /// Everything that pauses it.
    #[schema(schema_with = schema::holds)]
    pub holds: Vec<Hold>,
    #[schema(schema_with = schema::nullable_block)]
    pub block: Option<BlockReason>,
    /// Where it stands; null where nothing is planned and no condition is open.
    pub step: Option<Step>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_action_on: Option<Time>,
    pub next_activity: Option<NextActivity>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_action_on: Option<Time>,
    pub last_activity: Option<LastActivity>,
    /// Its start date.
    #[schema(value_type = String, format = DateTime)]
    pub enrolled_at: Time,
    pub enrolled_by: UserRef,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub finished_at: Option<Time>,
    /// Of the next activity.
    pub owner: Option<UserRef>,
    pub mailbox: Option<MailboxRef>,
    pub counts: Counts,
    /// Of the contact or company: the last click or reply of a person, over all sequences.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_engaged_at: Option<Time>,
    /// Of the contact or company: the last mail or text sent or call made, over all sequences.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_contacted_at: Option<Time>,
    /// Grows with every change.
    pub version: i64,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct SequenceRef {
    #[schema(value_type = String, example = "seq_00dk3v9xk0009")]
    pub id: SequenceId,
    pub name: String,
    #[schema(schema_with = schema::sequence_state)]
    pub state: SequenceState,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ContactRef {
    #[schema(value_type = String, example = "con_00dk3v9xk0008")]
    pub id: ContactId,
    pub name: String,
    /// The name of the contact's company.
    pub company: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct CompanyRef {
    #[schema(value_type = String, example = "com_00dk3v9xk0008")]
    pub id: CompanyId,
    pub name: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct UserRef {
    #[schema(value_type = String, example = "usr_00dk3v9xk0004")]
    pub id: UserId,
    pub name: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct MailboxRef {
    #[schema(value_type = String, example = "mbx_00dk3v9xk0005")]
    pub id: MailboxId,
    pub address: String,
}

/// A step and its place in its branch.
#[derive(Debug, Serialize, ToSchema)]
pub struct Step {
    /// Permanent in its sequence.
    #[schema(value_type = String, example = "intro")]
    pub key: Key,
    pub name: String,
    #[schema(schema_with = schema::step_kind)]
    pub kind: StepKind,
    #[schema(value_type = String, example = "main")]
    pub branch: Key,
    /// Counted from 1 in its branch.
    pub number: usize,
    /// How many steps the branch has.
    pub of: usize,
}

impl From<Standing> for Step {
    fn from(s: Standing) -> Step {
        Step { key: s.key, name: s.name, kind: s.kind, branch: s.branch, number: s.number, of: s.steps }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct NextActivity {
    /// Counts the activities of the enrollment; with its id it names the task: `enr_….2`.
    pub visit: u32,
    /// `waiting`, `due` or `executing`.
    pub phase: &'static str,
    #[schema(value_type = String, format = DateTime)]
    pub due: Time,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct LastActivity {
    pub visit: u32,
    #[schema(value_type = Option<String>)]
    pub step: Option<Key>,
    pub name: Option<String>,
}

/// Of this enrollment alone.
#[derive(Debug, Serialize, ToSchema)]
pub struct Counts {
    pub emails: u32,
    pub texts: u32,
    pub opens: u32,
    pub clicks: u32,
    pub replies: u32,
    pub calls: u32,
    pub tasks: u32,
    /// Whole days from its start until it finished, or until now.
    pub days: i64,
    pub steps_executed: u32,
}

impl From<Shown> for Enrollment {
    fn from(shown: Shown) -> Enrollment {
        let listed = shown.listed;
        let e = listed.enrollment;
        let (state, reason) = e.state(listed.sequence_state);
        let (mut contact, mut company) = (None, None);
        match e.subject {
            Subject::Contact(id) => {
                contact = Some(ContactRef { id, name: listed.subject_name, company: listed.company_name });
            }
            Subject::Company(id) => company = Some(CompanyRef { id, name: listed.subject_name }),
        }
        Enrollment {
            id: e.id,
            sequence: SequenceRef { id: e.sequence, name: listed.sequence_name, state: listed.sequence_state },
            contact,
            company,
            state,
            reason: reason.as_str(),
            next_action_on: e.next_action_on(),
            next_activity: e.place.as_ref().filter(|_| e.is_live()).map(|p| NextActivity {
                visit: p.visit,
                phase: phase(p.phase),
                due: p.due,
            }),
            detail: e.block_detail,
            status_reason: shown.status,
            record_status: shown.record_status,
            stage: shown.stage,
            person_status: shown.person_status,
            outcome: e.outcome,
            mark: e.mark,
            holds: e.holds.iter().collect(),
            block: e.block,
            step: shown.here.map(Step::from),
            last_action_on: e.last_action_at,
            last_activity: (e.last_visit > 0).then(|| LastActivity {
                visit: e.last_visit,
                step: e.last_step,
                name: shown.last.map(|s| s.name),
            }),
            enrolled_at: e.enrolled_at,
            enrolled_by: UserRef { id: e.enrolled_by, name: shown.enrolled_by },
            finished_at: e.finished_at,
            owner: listed.owner.map(|id| UserRef { id, name: shown.owner.unwrap_or_default() }),
            mailbox: e.mailbox.map(|id| MailboxRef { id, address: shown.mailbox.unwrap_or_default() }),
            counts: Counts {
                emails: e.emails,
                texts: e.texts,
                opens: e.opens,
                clicks: e.clicks,
                replies: e.replies,
                calls: e.calls,
                tasks: e.tasks,
                days: shown.days,
                steps_executed: e.steps_executed,
            },
            last_engaged_at: listed.last_engaged_at,
            last_contacted_at: listed.last_contacted_at,
            version: e.version,
        }
    }
}

fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Waiting => "waiting",
        Phase::Due => "due",
        Phase::Executing => "executing",
    }
}

/// One execution of one step.
#[derive(Debug, Serialize, ToSchema)]
pub struct Activity {
    pub visit: u32,
    /// Null for a step that an edit has taken out of the flow.
    pub step: Option<Step>,
    #[schema(value_type = String)]
    pub step_key: Key,
    #[schema(schema_with = schema::step_kind)]
    pub kind: StepKind,
    /// `waiting`, `due`, `executing` or `closed`.
    pub phase: &'static str,
    #[schema(value_type = String, format = DateTime)]
    pub due: Time,
    /// When a person could see it as a task.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub appeared_at: Option<Time>,
    #[schema(value_type = Option<String>, example = "sent")]
    pub outcome: Option<Outcome>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub closed_at: Option<Time>,
    /// `engine`, `contact`, `server`, or a user's id.
    pub closed_by: Option<String>,
    #[schema(value_type = String)]
    pub owner: UserId,
    /// Of the step's content.
    pub revision: u32,
    #[schema(value_type = Option<String>)]
    pub variant: Option<Key>,
}

impl From<(Stored, Option<Standing>)> for Activity {
    fn from((a, step): (Stored, Option<Standing>)) -> Activity {
        let (phase, outcome, closed_at, closed_by) = match a.phase {
            ActivityPhase::Waiting => ("waiting", None, None, None),
            ActivityPhase::Due => ("due", None, None, None),
            ActivityPhase::Executing => ("executing", None, None, None),
            ActivityPhase::Closed { outcome, at, by } => ("closed", Some(outcome), Some(at), Some(by)),
        };
        Activity {
            visit: a.visit,
            step: step.map(Step::from),
            step_key: a.step,
            kind: a.kind,
            phase,
            due: a.due,
            appeared_at: a.appeared_at,
            outcome,
            closed_at,
            closed_by,
            owner: a.owner,
            revision: a.revision,
            variant: a.variant,
        }
    }
}

/// One thing that happened to an enrollment.
#[derive(Debug, Serialize, ToSchema)]
pub struct HistoryLine {
    /// Counts the lines of the enrollment.
    pub version: i64,
    #[schema(value_type = String, format = DateTime)]
    pub at: Time,
    #[schema(example = "sent")]
    pub event: String,
    /// `engine`, `contact`, `server`, or a user's id.
    pub actor: String,
    /// `info`, `warning` or `error`.
    pub level: &'static str,
    pub cause: Option<String>,
    pub detail: Option<String>,
}

impl From<Line> for HistoryLine {
    fn from(line: Line) -> HistoryLine {
        HistoryLine {
            version: line.version,
            at: line.at,
            event: line.event,
            actor: actor(line.actor),
            level: line.level.as_str(),
            cause: line.cause,
            detail: line.detail,
        }
    }
}

/// `engine`, `contact`, `server`, or a user's id.
pub fn actor(actor: Actor) -> String {
    match actor {
        Actor::Engine => "engine".to_owned(),
        Actor::Contact => "contact".to_owned(),
        Actor::Server => "server".to_owned(),
        Actor::User(id) => id.to_string(),
    }
}
