//! What a sequence's state allows (SEQ-8), as buttons, as a menu and as the switch of the Overview.

use super::super::page::{html, local_path};
use super::super::parts::{Icon, Watch};
use super::super::said;
use super::super::shell::Shell;
use super::super::story::Entry;
use super::super::viewer::Viewer;
use super::activate::{self, Activation};
use crate::App;
use crate::actions::sequences::{self as actions, Hide};
use crate::actions::{ActionError, Caller, Privilege};
use crate::http::error::Result;
use askama::Template;
use axum::extract::{Form, Path, State};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use cadenza_core::enrollment::SequenceState;
use cadenza_core::ids::SequenceId;
use cadenza_core::time::Time;
use cadenza_store::sequences::{EndedBy, Sequence};
use serde::Deserialize;

/// One thing to do with a sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    pub name: &'static str,
    pub label: &'static str,
    pub icon: &'static str,
    /// Asked before; empty for none.
    pub question: &'static str,
    pub danger: bool,
}

#[derive(Debug, Template)]
#[template(path = "sequences/menu.html", blocks = ["items"])]
pub struct SequenceMenu {
    pub shell: Shell,
    pub id: String,
    pub name: String,
    pub operations: Vec<Turn>,
    /// Whether its text and name can be changed, and copies made, by whoever looks.
    pub can_edit: bool,
    pub can_copy: bool,
    pub can_reopen: bool,
    /// Activating asks something first.
    pub asks: bool,
}

/// What the state allows.
pub fn turns(state: SequenceState) -> Vec<Turn> {
    let turn = |name, label, icon| Turn { name, label, icon, question: "", danger: false };
    let end = Turn {
        question: "End this sequence for good? Everybody in it is finished and open tasks are cancelled.",
        danger: true,
        ..turn("end", "End", "stop")
    };
    match state {
        SequenceState::Draft => {
            let delete =
                Turn { question: "Delete this draft for good?", danger: true, ..turn("delete", "Delete", "trash") };
            vec![turn("activate", "Activate", "play"), delete]
        }
        SequenceState::Scheduled | SequenceState::Active => vec![turn("pause", "Pause", "pause"), end],
        SequenceState::Paused => vec![turn("resume", "Resume", "play"), end],
        SequenceState::Ended => vec![turn("archive", "Archive", "lists")],
        SequenceState::Archived => vec![turn("unarchive", "Show in the overview again", "lists")],
    }
}

/// When a sequence ended, and by what.
pub fn ended_words(at: Time, by: EndedBy, watch: &Watch) -> String {
    format!("Ended on {}: {}.", watch.exact(at).text, cause(by))
}

/// The same as the newest line of its event log: what comes in for those who were in it stands below.
pub fn ended_entry(at: Time, by: EndedBy, watch: &Watch) -> Entry {
    Entry {
        icon: "stop",
        tone: "",
        text: "The sequence ended".into(),
        detail: cause(by).into(),
        when: watch.near(at),
        planned: false,
    }
}

fn cause(by: EndedBy) -> &'static str {
    match by {
        EndedBy::Hand => "somebody ended it",
        EndedBy::Date => "its end date came",
        EndedBy::AllFinished => "everybody in it was finished",
    }
}

/// Did its date end it? Then a later one reopens it.
pub fn can_reopen(sequence: &Sequence) -> bool {
    sequence.state == SequenceState::Ended && matches!(sequence.ended, Some((_, EndedBy::Date)))
}

/// One's own need `sequences.save`, others' `sequences.manage_all`.
pub fn may(caller: &Caller, sequence: &Sequence) -> bool {
    need(caller, sequence).is_ok()
}

/// # Errors
/// `Forbidden`.
pub fn need(caller: &Caller, sequence: &Sequence) -> std::result::Result<(), ActionError> {
    caller.need_for(sequence.primary_user, Privilege::SequencesSave, Privilege::SequencesManageAll)
}

pub async fn menu(State(app): State<App>, viewer: Viewer, Path(id): Path<String>) -> Result<Response> {
    let sequence = super::read(&app, &viewer, &id).await?;
    let own = may(&viewer.caller, &sequence);
    let over = matches!(sequence.state, SequenceState::Ended | SequenceState::Archived);
    let asks = activate::asks(&app, &viewer, &sequence).await?;
    let page = SequenceMenu {
        shell: viewer.shell(None),
        id,
        operations: if own { turns(sequence.state) } else { Vec::new() },
        can_edit: own && !over,
        can_copy: viewer.caller.may(Privilege::SequencesSave),
        can_reopen: own && can_reopen(&sequence),
        asks,
        name: sequence.name,
    };
    Ok(if viewer.part { html(&page.as_items()) } else { html(&page) })
}

#[derive(Deserialize)]
pub struct To {
    to: String,
    #[serde(flatten)]
    activation: Activation,
}

pub async fn turn(
    State(app): State<App>,
    viewer: Viewer,
    headers: HeaderMap,
    Path(id): Path<String>,
    Form(form): Form<To>,
) -> Result<Response> {
    let parsed: SequenceId = id.parse().map_err(|_| ActionError::missing("sequence", &id))?;
    let caller = viewer.caller.clone();
    let words = match form.to.as_str() {
        "activate" => match actions::activate_with(&app, &caller, parsed, form.activation.start()).await {
            Ok(SequenceState::Scheduled) => "Activated: it starts at its begin.",
            Ok(SequenceState::Paused) => "Activated, and paused until somebody resumes it.",
            Ok(_) => "Activated: it runs.",
            Err(ActionError::Refused { code: "unreadable_mailbox", .. }) => {
                return activate::unconfirmed(&app, &viewer, id, &form.activation).await;
            }
            Err(e) => return Err(e.into()),
        },
        "pause" => {
            actions::pause(&app, &caller, parsed).await.map(|()| "Paused: nothing is executed until it is resumed.")?
        }
        "resume" => actions::resume(&app, &caller, parsed).await.map(|()| "Resumed.")?,
        "end" => actions::end(&app, &caller, parsed).await.map(|()| "Ended.")?,
        "archive" => actions::archive(&app, &caller, parsed, Hide::Yes).await.map(|()| "Archived.")?,
        "unarchive" => actions::archive(&app, &caller, parsed, Hide::No).await.map(|()| "It is shown again.")?,
        "delete" => {
            actions::delete(&app, &caller, parsed).await?;
            return Ok(said::done("/overview", "Deleted."));
        }
        other => return Err(ActionError::invalid("to", format!("A sequence cannot be told to {other:?}.")).into()),
    };
    let referer = headers.get(header::REFERER).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let path = referer.split_once("://").and_then(|(_, rest)| rest.find('/').map(|i| &rest[i..]));
    let back = path.filter(|p| !p.ends_with("/menu")).map_or_else(|| format!("/sequences/{id}"), local_path);
    Ok(said::done(&back, words))
}
