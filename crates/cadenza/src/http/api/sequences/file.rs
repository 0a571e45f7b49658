//! Sequences as files (SEQ-11) over the API: TOML as it stands in a file, or as a text in JSON.

use super::record::Sequence;
use crate::App;
use crate::actions::sequences::{self, AppliedFile, Choice, Planned};
use crate::actions::{ActionError, Caller, Fault, Privilege};
use crate::http::api::query::At;
use crate::http::caller::{Allowed, may};
use crate::http::error::{HttpError, Result};
use crate::http::wire::{Body, Params};
use axum::Json;
use axum::extract::{FromRequest, Request, State};
use axum::http::{HeaderName, StatusCode, header};
use cadenza_core::flow::edit::Movers;
use cadenza_core::flow::file::{self, Change, SequenceFile};
use cadenza_core::ids::SequenceId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// The content type of a sequence file.
pub const TOML: &str = "application/toml";

/// A sequence file in JSON.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SequenceFile, example = json!({ "file": "name = \"First contact\"\n\n[[branch]]\nkey = \"main\"\n\n\
    [[branch.step]]\nkey = \"call\"\nkind = \"call\"\n" }))]
struct InJson {
    /// The text of a sequence file, as `docs/sequence-file.md` describes it.
    file: String,
}

/// A sequence file of a request, read.
#[derive(Debug)]
pub struct File(pub SequenceFile);

impl FromRequest<App> for File {
    type Rejection = HttpError;
    async fn from_request(request: Request, app: &App) -> Result<File, HttpError> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let text = if kind.split(';').next() == Some(TOML) {
            String::from_request(request, app).await.map_err(|e| match e.status() {
                StatusCode::PAYLOAD_TOO_LARGE => ActionError::refused("too_large", "The file is too large."),
                _ => ActionError::invalid("file", "Expected a sequence file in UTF-8."),
            })?
        } else {
            Body::<InJson>::from_request(request, app).await?.0.file
        };
        read(&text).map(File).map_err(HttpError)
    }
}

/// Every mistake with its line.
pub fn read(text: &str) -> Result<SequenceFile, ActionError> {
    let fault = |e: file::FileError| {
        let field = if e.path.is_empty() { format!("line {}", e.line) } else { e.path };
        let end = if e.message.ends_with(['.', '?']) { "" } else { "." };
        Fault { field, message: format!("Line {}, column {}: {}{end}", e.line, e.column, e.message) }
    };
    file::parse(text).map_err(|mistakes| ActionError::Invalid(mistakes.into_iter().map(fault).collect()))
}

/// Make a sequence from a file
///
/// A draft, with its flow. The file comes as it is (`application/toml`) or as a text in JSON.
#[utoipa::path(post, path = "/sequences", tag = "sequences",
    request_body(content((InJson = "application/json"), (String = "application/toml"))),
    responses((status = 201, body = Sequence)))]
pub async fn create(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::SequencesSave>,
    File(file): File,
) -> Result<(StatusCode, Json<Sequence>)> {
    // Whoever cannot see it afterwards is told before it is made.
    caller.need(Privilege::SequencesView)?;
    let id = sequences::create(&app, &caller, &file).await?;
    Ok((StatusCode::CREATED, Json(sequences::get(&app, &caller, id).await?.into())))
}

/// A sequence as a file
///
/// Everything that applying a file reads: applying it again changes nothing.
#[utoipa::path(get, path = "/sequences/{sequence}/file", tag = "sequences",
    params(("sequence" = String, Path, example = "seq_00dk3v9xk0009")),
    responses((status = 200, body = String, content_type = "application/toml")))]
pub async fn export(
    State(app): State<App>,
    caller: Caller,
    At(id): At<SequenceId>,
) -> Result<([(HeaderName, &'static str); 1], String)> {
    sequences::seen(&app, &caller, id).await?;
    let file = sequences::export(&app, &caller, id).await?;
    Ok(([(header::CONTENT_TYPE, TOML)], file::write(&file)))
}

/// What applying a file would do.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SequencePlan)]
pub struct Plan {
    /// The sequence of that name; null where it would be made.
    #[schema(value_type = Option<String>)]
    sequence: Option<SequenceId>,
    /// Each with its `kind` and a `message`; empty where nothing changes.
    #[schema(value_type = Vec<Object>)]
    changes: Vec<Change>,
    /// What it means for those who are in the sequence.
    in_flight: Vec<String>,
    /// Where branches, steps or conditions change while people are in it: who may move to the new version (`movers`), and
    /// what becomes of everybody then (`lines`). Empty where there is nothing to choose.
    #[schema(value_type = Vec<Object>)]
    choices: Vec<Choice>,
    /// Names file and sequence as they were looked at; `apply` takes it.
    digest: String,
}

impl From<Planned> for Plan {
    fn from(p: Planned) -> Plan {
        Plan { sequence: p.sequence, changes: p.changes, in_flight: p.in_flight, choices: p.choices, digest: p.digest }
    }
}

/// What applying a file would change
///
/// It is checked as applying checks it; nothing is changed.
#[utoipa::path(post, path = "/sequences/plan", tag = "sequences",
    request_body(content((InJson = "application/json"), (String = "application/toml"))),
    responses((status = 200, body = Plan)))]
pub async fn plan(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::SequencesSave>,
    File(file): File,
) -> Result<Json<Plan>> {
    Ok(Json(sequences::plan_file(&app, &caller, &file).await?.into()))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Query {
    /// Of the plan: where file or sequence are not what was planned, it is refused as `plan_outdated`. Without it, what is
    /// planned at this moment is done.
    digest: Option<String>,
    /// Who moves to the new version, where the plan offers a choice: `nobody`, `unreached` (who has not come to the change
    /// yet) or `everyone`. Without it such an edit is refused as `choose_who_moves`.
    #[serde(rename = "move")]
    #[param(value_type = Option<String>)]
    movers: Option<Movers>,
}

/// What was done.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SequenceApplied)]
pub struct Applied {
    #[schema(value_type = String)]
    sequence: SequenceId,
    /// How many moved to the new version, or stand on a step whose content or timing changed: their due dates followed.
    followed: i64,
    /// Why some stayed as they were, the first of them.
    failures: Vec<String>,
    /// Empty where nothing changed.
    #[schema(value_type = Vec<Object>)]
    changes: Vec<Change>,
}

/// Make a sequence what a file says
///
/// It is found by its name, and made where there is none. Applying the same file again changes nothing.
#[utoipa::path(post, path = "/sequences/apply", tag = "sequences", params(Query),
    request_body(content((InJson = "application/json"), (String = "application/toml"))),
    responses((status = 200, body = Applied)))]
pub async fn apply(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::SequencesSave>,
    Params(query): Params<Query>,
    File(file): File,
) -> Result<Json<Applied>> {
    let planned = sequences::plan_file(&app, &caller, &file).await?;
    let digest = query.digest.unwrap_or_else(|| planned.digest.clone());
    let done = sequences::apply_file(&app, &caller, &file, &digest, query.movers).await?;
    let AppliedFile { sequence, followed, failures } = done;
    Ok(Json(Applied { sequence, followed, failures, changes: planned.changes }))
}
