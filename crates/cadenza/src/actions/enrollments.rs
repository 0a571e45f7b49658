//! What people do with enrollments (SPEC §7): enroll, operate on one or many, mark tasks, ask why. Each answer says, for each
//! contact, done or why not.

use super::{ActionError, Caller, Privilege, Result};
use crate::app::App;
use cadenza_core::enrollment::{Mark, Subject};
use cadenza_core::flow::Outcome;
use cadenza_core::ids::{CompanyId, ContactId, EnrollmentId, ListId, MailboxId, SequenceId, UserId};
use cadenza_core::machine::{Actor, Answer, DueChoice, Event, Incoming, Reach, Refusal, StopReason, Target};
use cadenza_store::door::{Advanced, Put, Why};
pub use cadenza_store::door::{Again, Applied, Draft, EnrollRefusal, Enrolled};
use cadenza_store::enrollments::{self, Listed};
use cadenza_store::sequences::{self, SubjectType, Viewer};
use cadenza_store::tasks::{self, Worker};
use cadenza_store::users::{self, UserState};
use cadenza_store::{StoreError, lists, workspaces};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// How often a transaction is tried where others were in its way.
const TRIES: usize = 5;

/// An operation of a person on an enrollment, as API, pages and command line name it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "operation")]
pub enum Operation {
    Pause,
    Resume,
    Stop {
        #[serde(default)]
        reason: StopReason,
    },
    Reactivate {
        #[serde(default)]
        due: DueChoice,
    },
    Retry,
    MarkStatus {
        status: Mark,
    },
    UndoMark,
    MoveNow {
        #[serde(default)]
        outside_window: Answer,
    },
    Skip,
    JumpToStep {
        step: String,
    },
    JumpToBranch {
        branch: String,
    },
    SetOwner {
        owner: Option<UserId>,
    },
    SetMailbox {
        mailbox: MailboxId,
    },
    Remove,
    /// Remove and erase (OPS-7).
    Erase,
    MarkSent,
    SendAgain,
    Release,
    /// The person asked by another way not to be written to any more.
    OptOut,
}

impl Operation {
    fn event(self) -> Result<Event> {
        let key = |field: &str, text: String| {
            text.parse().map_err(|e: cadenza_core::flow::InvalidKey| ActionError::invalid(field, e.to_string()))
        };
        Ok(match self {
            Operation::Pause => Event::Pause,
            Operation::Resume => Event::Resume,
            Operation::Stop { reason } => Event::Stop { reason },
            Operation::Reactivate { due } => Event::Reactivate { due },
            Operation::Retry => Event::Retry,
            Operation::MarkStatus { status } => Event::MarkStatus { mark: status },
            Operation::UndoMark => Event::UndoMark,
            Operation::MoveNow { outside_window } => Event::MoveNow { outside_window },
            Operation::Skip => Event::Skip,
            Operation::JumpToStep { step } => Event::Jump { to: Target::Step(key("step", step)?) },
            Operation::JumpToBranch { branch } => Event::Jump { to: Target::Branch(key("branch", branch)?) },
            Operation::SetOwner { owner } => Event::SetOwner { owner },
            Operation::SetMailbox { mailbox } => Event::SetMailbox { mailbox },
            Operation::Remove => Event::Remove,
            Operation::Erase => Event::Erase,
            Operation::MarkSent => Event::MarkSent,
            Operation::SendAgain => Event::SendAgain,
            Operation::Release => Event::Release,
            Operation::OptOut => Event::OptOut { channel: Incoming::ByHand, visit: None, reach: Reach::Everything },
        })
    }

    fn needs(&self) -> Privilege {
        match self {
            Operation::Erase => Privilege::ContactsErase,
            _ => Privilege::SequencesEnroll,
        }
    }
}

/// Done, or why not.
#[derive(Debug, Clone)]
pub struct Done {
    pub id: EnrollmentId,
    pub answer: Result<Box<Applied>>,
}

/// Enrolls subjects into a sequence; each by itself.
///
/// # Errors
/// `Missing` where there is no such sequence or the caller does not see it; `Refused` above the limit of one bulk.
pub async fn enroll(
    app: &App,
    caller: &Caller,
    sequence: SequenceId,
    mut subjects: Vec<Subject>,
    again: Again,
) -> Result<Vec<Enrolled>> {
    caller.need(Privilege::SequencesEnroll)?;
    let mut named = HashSet::new();
    subjects.retain(|subject| named.insert(*subject));
    let by = (caller.user, Actor::User(caller.user));
    let workspace = caller.workspace;
    let viewer = viewer(caller);
    let (seen, settings) = app
        .db
        .read_async(move |q| {
            Ok((sequences::is_seen_by(q, workspace, sequence, viewer)?, workspaces::settings(q, workspace)?))
        })
        .await?;
    if !seen {
        return Err(ActionError::missing("sequence", sequence));
    }
    let most = settings.bulk_enroll_max;
    if subjects.len() > most as usize {
        let why = format!("At most {most} are enrolled at once (limit: bulk enroll); these are {}.", subjects.len());
        return Err(ActionError::refused("limit_bulk_enroll", why));
    }
    let mut all = Vec::with_capacity(subjects.len());
    // In chunks, so that a bulk enrolling lets the sender work in between.
    for chunk in subjects.chunks(1_000) {
        let (app2, chunk) = (app.clone(), chunk.to_vec());
        let enrolled =
            tried(app, move |tx| app2.door.enroll(tx, workspace, sequence, &chunk, by, again, app2.clock.now()))
                .await?;
        all.extend(enrolled);
    }
    Ok(all)
}

/// Everybody on a list.
///
/// # Errors
/// `Missing`.
pub async fn members(app: &App, caller: &Caller, list: ListId) -> Result<Vec<Subject>> {
    caller.need(Privilege::SequencesEnroll)?;
    let workspace = caller.workspace;
    let (of, ids) = app
        .db
        .read_async(move |q| {
            let of = lists::get(q, workspace, list)?.of;
            Ok((of, lists::members(q, workspace, list, None, i64::MAX as usize)?))
        })
        .await?;
    let subject = |id| match of {
        SubjectType::Contacts => Subject::Contact(ContactId(id)),
        SubjectType::Companies => Subject::Company(CompanyId(id)),
    };
    Ok(ids.into_iter().map(subject).collect())
}

/// Does one operation on enrollments; each answers by itself, also that there is no such enrollment.
///
/// # Errors
/// `Forbidden`; `Invalid` where the operation names what does not exist.
pub async fn operate(app: &App, caller: &Caller, ids: &[EnrollmentId], operation: Operation) -> Result<Vec<Done>> {
    caller.need(operation.needs())?;
    check_owner(app, caller, &operation).await?;
    let event = operation.event()?;
    let actor = Actor::User(caller.user);
    let (workspace, viewer) = (caller.workspace, viewer(caller));
    let mut all = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(500) {
        let asked = chunk.to_vec();
        let seen = app.db.read_async(move |q| enrollments::seen(q, workspace, asked, viewer)).await?;
        let seen: HashSet<EnrollmentId> = seen.into_iter().collect();
        let known = chunk.iter().filter(|id| seen.contains(id));
        let puts: Vec<Put> = known.map(|id| Put { enrollment: *id, event: event.clone(), actor }).collect();
        let app2 = app.clone();
        let answers = tried(app, move |tx| app2.door.advance(tx, workspace, puts.clone(), app2.clock.now())).await?;
        let mut answers = answers.into_iter();
        all.extend(chunk.iter().map(|id| {
            let answer = if seen.contains(id) { answers.next() } else { None };
            let missing = || Err(ActionError::missing("enrollment", id));
            Done { id: *id, answer: answer.map_or_else(missing, |a| a.map(Box::new).map_err(refused)) }
        }));
    }
    Ok(all)
}

/// Work is given to people who work here.
async fn check_owner(app: &App, caller: &Caller, operation: &Operation) -> Result<()> {
    let Operation::SetOwner { owner: Some(owner) } = *operation else { return Ok(()) };
    let workspace = caller.workspace;
    match app.db.read_async(move |q| users::get(q, workspace, owner)).await {
        Ok(user) if user.state == UserState::Active => Ok(()),
        Ok(_) | Err(StoreError::Missing { .. }) => {
            Err(ActionError::invalid("owner", "Expected the id of a user who works here."))
        }
        Err(e) => Err(e.into()),
    }
}

/// Who asks, as the store asks who sees a sequence (SEQ-10).
pub fn viewer(caller: &Caller) -> Viewer {
    if caller.may(Privilege::SequencesManageAll) { Viewer::All } else { Viewer::User(caller.user) }
}

/// Marks the current task of an enrollment with its outcome; the flow follows at once.
pub async fn mark_task(app: &App, caller: &Caller, id: EnrollmentId, visit: u32, outcome: Outcome) -> Result<Applied> {
    let workspace = caller.workspace;
    may_do_task(app, caller, id, visit).await?;
    let put = Put { enrollment: id, event: Event::MarkTask { visit, outcome }, actor: Actor::User(caller.user) };
    let app2 = app.clone();
    let answers = tried(app, move |tx| app2.door.advance(tx, workspace, vec![put.clone()], app2.clock.now())).await?;
    one(answers)
}

/// Sends the manual message of a task in a person's own words.
pub async fn send_by_hand(
    app: &App,
    caller: &Caller,
    id: EnrollmentId,
    visit: u32,
    subject: &str,
    text: &str,
) -> Result<Applied> {
    if text.trim().is_empty() {
        return Err(ActionError::invalid("text", "Write the message before sending it."));
    }
    may_do_task(app, caller, id, visit).await?;
    let workspace = caller.workspace;
    let put = Put { enrollment: id, event: Event::SendByHand { visit }, actor: Actor::User(caller.user) };
    let wording = serde_json::json!({ "subject": subject, "text": text }).to_string();
    let app2 = app.clone();
    let answer = tried(app, move |tx| app2.door.send_by_hand(tx, workspace, &put, &wording, app2.clock.now())).await?;
    let applied = answer.map_err(refused)?;
    app.hand_over(applied.outgoing.clone());
    Ok(applied)
}

/// Asks every gate of an enrollment.
pub async fn why(app: &App, caller: &Caller, id: EnrollmentId) -> Result<Why> {
    let listed = get(app, caller, id).await?;
    let (app2, workspace) = (app.clone(), caller.workspace);
    Ok(app.db.read_async(move |q| app2.door.why(q, workspace, listed.enrollment.id, app2.clock.now())).await?)
}

/// One enrollment, with what stands beside it; the removed too.
///
/// # Errors
/// `Missing`, also where the caller does not see its sequence.
pub async fn get(app: &App, caller: &Caller, id: EnrollmentId) -> Result<Listed> {
    caller.need(Privilege::SequencesView)?;
    let (workspace, viewer) = (caller.workspace, viewer(caller));
    Ok(app.db.read_async(move |q| enrollments::get(q, workspace, id, viewer)).await?)
}

/// One's own tasks and those of the sequences one works on (PRM-2) need `tasks.mine`, everybody's `tasks.all`.
///
/// # Errors
/// `Forbidden`; `Missing`.
pub async fn may_do_task(app: &App, caller: &Caller, id: EnrollmentId, visit: u32) -> Result<()> {
    if !caller.may(Privilege::TasksAll) {
        caller.need(Privilege::TasksMine)?;
    }
    let (workspace, worker) = (caller.workspace, Worker::User(caller.user));
    let theirs = app.db.read_async(move |q| tasks::is_for(q, workspace, id, visit, worker)).await?;
    match theirs.ok_or_else(|| ActionError::missing("task", format!("{id}.{visit}")))? {
        true => Ok(()),
        false => caller.need(Privilege::TasksAll),
    }
}

fn one(mut answers: Vec<Advanced>) -> Result<Applied> {
    match answers.pop() {
        Some(answer) => answer.map_err(refused),
        None => Err(ActionError::internal("the door gave no answer")),
    }
}

/// A refusal of the machine in the words of the action layer.
pub fn refused(refusal: Refusal) -> ActionError {
    ActionError::Refused { code: refusal_code(&refusal), message: format!("{}.", capitalised(&refusal.to_string())) }
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|c| c.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn refusal_code(refusal: &Refusal) -> &'static str {
    use cadenza_core::enrollment::State;
    match refusal {
        Refusal::NotWhile { state, .. } => match state {
            State::Pending => "not_while_pending",
            State::Active => "not_while_active",
            State::Blocked => "not_while_blocked",
            State::Paused => "not_while_paused",
            State::Finished => "not_while_finished",
            State::Removed => "not_while_removed",
        },
        Refusal::NotCurrent => "not_current",
        Refusal::NoSuchOutcome { .. } => "no_such_outcome",
        Refusal::NoSuchTarget { .. } => "no_such_step",
        Refusal::NewerLive => "newer_live_enrollment",
        Refusal::Suppressed { .. } => "suppressed",
        Refusal::NothingToUndo => "nothing_to_undo",
        Refusal::OptOutStays => "opt_out_stays",
        Refusal::SandboxStays => "sandbox_stays",
        Refusal::NoSuchMailbox => "no_such_mailbox",
        Refusal::NoAddress => "no_address",
        Refusal::NoMailbox { .. } => "no_mailbox",
        _ => "refused",
    }
}

/// Runs a transaction, again where others were in its way.
pub(crate) async fn tried<T, F>(app: &App, f: F) -> Result<T, StoreError>
where
    T: Send + 'static,
    F: FnMut(&mut cadenza_store::Tx) -> Result<T, StoreError> + Send + Clone + 'static,
{
    let mut tries = 0;
    loop {
        match app.db.write_async(f.clone()).await {
            Err(StoreError::Contention { .. }) if tries < TRIES => tries += 1,
            done => return done,
        }
    }
}
