//! `POST /sequences/…/…`: activate, pause, resume, end, reopen, archive, unarchive. Which is possible in which state is the action's
//! to say (SEQ-8).

use super::record::Sequence;
use crate::App;
use crate::actions::fields::Patch;
use crate::actions::sequences::{self, Arm, Hide, Senders, Start};
use crate::actions::{ActionError, Caller};
use crate::http::api::query::At;
use crate::http::error::Result;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use cadenza_core::ids::SequenceId;
use cadenza_core::time::Time;
use serde::Deserialize;
use utoipa::ToSchema;

/// The operations, as paths name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Activate,
    Pause,
    Resume,
    End,
    Reopen,
    Archive,
    Unarchive,
}

const OPERATIONS: [(&str, Operation); 7] = [
    ("activate", Operation::Activate),
    ("pause", Operation::Pause),
    ("resume", Operation::Resume),
    ("end", Operation::End),
    ("reopen", Operation::Reopen),
    ("archive", Operation::Archive),
    ("unarchive", Operation::Unarchive),
];

/// What an operation may be told.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SequenceOperationOptions, example = json!({}))]
pub struct Options {
    /// Of `activate` with a begin in the future: `later` (the default) pauses it until it is resumed, `now` lets it begin by
    /// itself.
    #[serde(default)]
    #[schema(inline)]
    arm: Option<When>,
    /// Of `activate`: `stay` (the default) leaves the steps' senders as they are, `primary_user` lets every step write from the
    /// primary user's mailbox.
    #[serde(default)]
    #[schema(inline)]
    senders: Option<Moving>,
    /// Of `activate`: true confirms that it is to run although replies cannot stop it, since it would write from mailboxes that
    /// cannot be read; else it is refused then as `unreadable_mailbox`.
    #[serde(default)]
    accept_unreadable: Option<bool>,
    /// Of `reopen`: the later end date; null for none.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    end: Patch<Time>,
}

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum When {
    Later,
    Now,
}

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Moving {
    Stay,
    PrimaryUser,
}

/// Run it, or stop it
///
/// `activate` (of a draft), `pause`, `resume`, `end`, `reopen` (what its date has ended), `archive`, `unarchive`. What is so
/// already is done; what the state does not allow is refused with a code that names the state. What was ended by hand, or
/// when all were finished, is not reopened (`ended_for_good`).
#[utoipa::path(post, path = "/sequences/{sequence}/{operation}", tag = "sequences", operation_id = "operate_sequence",
    params(("sequence" = String, Path, example = "seq_00dk3v9xk0009"), ("operation" = String, Path, example = "pause")),
    request_body(content = Option<Options>), responses((status = 200, body = Sequence)))]
pub async fn one(
    State(app): State<App>,
    caller: Caller,
    At((id, name)): At<(SequenceId, String)>,
    body: Bytes,
) -> Result<Json<Sequence>> {
    let Some((_, operation)) = OPERATIONS.iter().find(|(word, _)| *word == name) else {
        let words: Vec<&str> = OPERATIONS.iter().map(|(word, _)| *word).collect();
        let message = format!("There is no operation {name:?}: expected one of {}.", words.join(", "));
        return Err(ActionError::invalid("operation", message).into());
    };
    let options = if body.is_empty() { Options::default() } else { read(&body)? };
    for (option, said) in [
        ("arm", options.arm.is_some()),
        ("senders", options.senders.is_some()),
        ("accept_unreadable", options.accept_unreadable.is_some()),
    ] {
        if said && *operation != Operation::Activate {
            return Err(ActionError::invalid(option, format!("{name} takes no {option:?}.")).into());
        }
    }
    if options.end != Patch::Keep && *operation != Operation::Reopen {
        return Err(ActionError::invalid("end", format!("{name} takes no {:?}.", "end")).into());
    }
    sequences::seen(&app, &caller, id).await?;
    match operation {
        Operation::Activate => {
            let arm = match options.arm {
                Some(When::Now) => Arm::Now,
                Some(When::Later) | None => Arm::Later,
            };
            let senders = match options.senders {
                Some(Moving::PrimaryUser) => Senders::PrimaryUser,
                Some(Moving::Stay) | None => Senders::Stay,
            };
            let unreadable = options.accept_unreadable.unwrap_or_default().into();
            sequences::activate_with(&app, &caller, id, Start { arm, senders, unreadable }).await?;
        }
        Operation::Pause => sequences::pause(&app, &caller, id).await?,
        Operation::Resume => sequences::resume(&app, &caller, id).await?,
        Operation::End => sequences::end(&app, &caller, id).await?,
        Operation::Reopen => {
            let end = match options.end {
                Patch::Set(end) => Some(end),
                Patch::Clear => None,
                Patch::Keep => {
                    let why = "Expected the later end date; null for none.";
                    return Err(ActionError::invalid("end", why).into());
                }
            };
            sequences::reopen(&app, &caller, id, end).await?;
        }
        Operation::Archive => sequences::archive(&app, &caller, id, Hide::Yes).await?,
        Operation::Unarchive => sequences::archive(&app, &caller, id, Hide::No).await?,
    }
    Ok(Json(sequences::get(&app, &caller, id).await?.into()))
}

fn read(body: &Bytes) -> Result<Options, ActionError> {
    serde_json::from_slice(body).map_err(|e| ActionError::invalid("body", format!("Expected a JSON object: {e}.")))
}
