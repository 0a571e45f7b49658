//! The operations on enrollments by name (SPEC §7): each says, for each enrollment, done or why not.

use super::ask::{self, Saying, Who};
use super::{Ended, Failure, print};
use crate::actions::Caller;
use crate::actions::enrollments::{self, Operation};
use crate::app::App;
use crate::config::Flags;
use cadenza_core::enrollment::Mark;
use cadenza_core::flow::Outcome;
use cadenza_core::ids::EnrollmentId;
use cadenza_core::machine::{Answer, DueChoice, StopReason};
use cadenza_store::{mailboxes, sequences, users};
use serde::de::DeserializeOwned;
use serde::de::value::{Error as WordError, StrDeserializer};
use serde::{Deserialize, Serialize};

/// The enrollments that are meant.
#[derive(Debug, clap::Args)]
pub struct Of {
    /// By id
    #[arg(required = true, value_name = "ENROLLMENT")]
    pub ids: Vec<EnrollmentId>,
    #[command(flatten)]
    pub who: Who,
}

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Hold enrollments until they are resumed
    Pause(Of),
    /// Let paused enrollments go on
    Resume(Of),
    /// Stop enrollments: no further step is done
    Stop {
        #[command(flatten)]
        of: Of,
        /// unsaid, called, wrote_elsewhere, met, answered (counts as a reply) or other
        #[arg(long, value_name = "WORD", default_value = "unsaid", value_parser = word::<StopReason>)]
        reason: StopReason,
    },
    /// Take up enrollments again that were finished, where they stood
    Reactivate {
        #[command(flatten)]
        of: Of,
        /// When the step is due: old (its old date) or now
        #[arg(long, value_name = "WORD", default_value = "old", value_parser = word::<DueChoice>)]
        due: DueChoice,
    },
    /// Try the step of blocked enrollments again
    Retry(Of),
    /// Mark the person: success, not_interested, unsubscribed or bounced
    Mark {
        #[arg(value_name = "STATUS", value_parser = word::<Mark>)]
        status: Mark,
        #[command(flatten)]
        of: Of,
    },
    /// Take a mark back, except an opt-out
    UndoMark(Of),
    /// Note the outcome of the current task, such as done or no_answer
    MarkTask {
        #[arg(value_name = "OUTCOME")]
        outcome: String,
        #[command(flatten)]
        of: Of,
    },
    /// Do the next step now: passes its delay and conditions
    MoveNow {
        #[command(flatten)]
        of: Of,
        /// Pass the window as well
        #[arg(long)]
        outside_window: bool,
    },
    /// Skip the current step
    Skip(Of),
    /// Go on at another step or branch
    #[command(group = clap::ArgGroup::new("target").required(true))]
    Jump {
        #[command(flatten)]
        of: Of,
        /// The step's key
        #[arg(long, value_name = "KEY", group = "target")]
        step: Option<String>,
        /// The branch's key
        #[arg(long, value_name = "KEY", group = "target")]
        branch: Option<String>,
    },
    /// Give all further steps to somebody
    Owner {
        /// Sign-in address, or - for the rule of each step
        #[arg(value_name = "ADDRESS")]
        user: String,
        #[command(flatten)]
        of: Of,
    },
    /// Write from another mailbox
    Mailbox {
        /// The mailbox's address
        #[arg(value_name = "ADDRESS")]
        mailbox: String,
        #[command(flatten)]
        of: Of,
    },
    /// Take off the sequence and its list; what was done stays
    Remove(Of),
    /// Take off and delete everything but the completed activities, for good
    Erase {
        #[command(flatten)]
        of: Of,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Settle an unknown delivery: it arrived
    MarkSent(Of),
    /// Settle an unknown delivery: send it again
    SendAgain(Of),
    /// Let overdue work go out
    Release(Of),
    /// Note that the person asked by another way not to be written to any more
    OptOut(Of),
}

/// What is wanted, with names that only the workspace knows.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Wanted {
    Plain(Operation),
    Owner(Option<String>),
    Mailbox(String),
    Task(Outcome),
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Ask {
    ids: Vec<EnrollmentId>,
    wanted: Wanted,
}

impl Command {
    /// Whether it was confirmed, where that is asked; else what is wanted.
    fn wanted(self) -> Option<(Of, Wanted)> {
        let plain = |of, operation| Some((of, Wanted::Plain(operation)));
        match self {
            Command::Pause(of) => plain(of, Operation::Pause),
            Command::Resume(of) => plain(of, Operation::Resume),
            Command::Stop { of, reason } => plain(of, Operation::Stop { reason }),
            Command::Reactivate { of, due } => plain(of, Operation::Reactivate { due }),
            Command::Retry(of) => plain(of, Operation::Retry),
            Command::Mark { status, of } => plain(of, Operation::MarkStatus { status }),
            Command::UndoMark(of) => plain(of, Operation::UndoMark),
            Command::MarkTask { outcome, of } => Some((of, Wanted::Task(Outcome::named(outcome.trim())))),
            Command::MoveNow { of, outside_window } => {
                let outside_window = if outside_window { Answer::Yes } else { Answer::NotAsked };
                plain(of, Operation::MoveNow { outside_window })
            }
            Command::Skip(of) => plain(of, Operation::Skip),
            Command::Jump { of, step: Some(step), .. } => plain(of, Operation::JumpToStep { step }),
            Command::Jump { of, branch, .. } => {
                plain(of, Operation::JumpToBranch { branch: branch.unwrap_or_default() })
            }
            Command::Owner { user, of } => Some((of, Wanted::Owner(Some(user).filter(|u| u != "-")))),
            Command::Mailbox { mailbox, of } => Some((of, Wanted::Mailbox(mailbox))),
            Command::Remove(of) => plain(of, Operation::Remove),
            Command::Erase { of, yes } => {
                let sure = yes || print::confirmed("This deletes what is not completed for good. Go on?");
                if sure { plain(of, Operation::Erase) } else { None }
            }
            Command::MarkSent(of) => plain(of, Operation::MarkSent),
            Command::SendAgain(of) => plain(of, Operation::SendAgain),
            Command::Release(of) => plain(of, Operation::Release),
            Command::OptOut(of) => plain(of, Operation::OptOut),
        }
    }
}

pub async fn run(command: Command, flags: &Flags) -> Result<Ended, Failure> {
    let Some((of, wanted)) = command.wanted() else {
        return Err(Failure::said("nothing was done: say --yes where nobody can be asked"));
    };
    ask::ask(flags, &of.who, ask::Ask::Operate(Ask { ids: of.ids, wanted })).await
}

pub async fn answer(app: &App, caller: &Caller, ask: Ask, saying: &Saying) -> Result<Ended, Failure> {
    let operation = match ask.wanted {
        Wanted::Plain(operation) => operation,
        Wanted::Task(outcome) => return mark_tasks(app, caller, &ask.ids, &outcome, saying).await,
        Wanted::Owner(None) => Operation::SetOwner { owner: None },
        Wanted::Owner(Some(address)) => {
            let folded = address.to_lowercase();
            let found = app.db.read_async(move |q| users::signs_in_as(q, &folded)).await?;
            let owner = found.filter(|(w, _)| *w == caller.workspace).map(|(_, id)| id);
            let missing = || Failure::said(format!("nobody signs in as {address:?} in this workspace"));
            Operation::SetOwner { owner: Some(owner.ok_or_else(missing)?) }
        }
        Wanted::Mailbox(address) => {
            let (w, asked) = (caller.workspace, address.clone());
            let found = app.db.read_async(move |q| mailboxes::at_address(q, w, &asked)).await?;
            let missing = || Failure::said(format!("there is no mailbox {address:?} in this workspace"));
            Operation::SetMailbox { mailbox: found.ok_or_else(missing)?.id }
        }
    };
    let done = enrollments::operate(app, caller, &ask.ids, operation).await?;
    let mut ended = Ended::Well;
    for one in done {
        match one.answer {
            Ok(applied) => {
                saying.line(format!("{}: done; {} ({})", one.id, applied.state, applied.reason)).await;
            }
            Err(refusal) => {
                ended = Ended::Badly;
                saying.line(format!("{}: not done: {refusal} [{}]", one.id, refusal.code())).await;
            }
        }
    }
    Ok(ended)
}

async fn mark_tasks(
    app: &App,
    caller: &Caller,
    ids: &[EnrollmentId],
    outcome: &Outcome,
    saying: &Saying,
) -> Result<Ended, Failure> {
    let mut ended = Ended::Well;
    for id in ids {
        let enrollment = enrollments::get(app, caller, *id).await?.enrollment;
        let Some(visit) = enrollment.place.as_ref().map(|p| p.visit) else {
            ended = Ended::Badly;
            let w = caller.workspace;
            let sequence = app.db.read_async(move |q| sequences::get(q, w, enrollment.sequence)).await?;
            saying.line(format!("{id}: not done: it has no task at present in {:?}", sequence.name)).await;
            continue;
        };
        match enrollments::mark_task(app, caller, *id, visit, outcome.clone()).await {
            Ok(applied) => saying.line(format!("{id}: done; {} ({})", applied.state, applied.reason)).await,
            Err(e) => {
                ended = Ended::Badly;
                saying.line(format!("{id}: not done: {e} [{}]", e.code())).await;
            }
        }
    }
    Ok(ended)
}

/// Reads a word of the API, such as `not_interested`.
pub fn word<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let words: StrDeserializer<'_, WordError> = serde::de::IntoDeserializer::into_deserializer(text);
    T::deserialize(words).map_err(|e| e.to_string().replace("unknown variant", "there is no").replace('`', "\""))
}
