//! Operations on enrollments (SPEC §7), one by one and in bulk. Which are possible in which state is the machine's to say;
//! each answer says done, or why not.

use crate::App;
use crate::actions::enrollments::{self, Done, Operation};
use crate::actions::{ActionError, Caller};
use crate::http::api::query::At;
use crate::http::api::schema;
use crate::http::error::Result;
use crate::http::wire::Body;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use cadenza_core::enrollment::State as EnrollmentState;
use cadenza_core::ids::EnrollmentId;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Enrollments of one bulk operation.
const BULK_MAX: usize = 10_000;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(bulk)).routes(routes!(one))
}

/// What an operation may be told. Each takes what its name says and refuses the rest.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it is read as a map and stands here for the OpenAPI document")]
#[schema(as = OperationOptions, example = json!({}))]
struct Options {
    /// Of `stop`: `called`, `wrote_elsewhere`, `met`, `answered` (counts as a reply), `other`.
    reason: Option<String>,
    /// Of `reactivate`: `old` (the default) or `now`.
    due: Option<String>,
    /// Of `mark_status`.
    #[schema(schema_with = schema::mark)]
    status: Option<String>,
    /// Of `move_now`: `yes` to pass the window too; by default it holds (`not_asked`).
    outside_window: Option<String>,
    /// Of `jump_to_step`: its key.
    step: Option<String>,
    /// Of `jump_to_branch`: its key.
    branch: Option<String>,
    /// Of `set_owner`: a user's id, or null for each step's own rule.
    owner: Option<String>,
    /// Of `set_mailbox`: its id.
    mailbox: Option<String>,
}

/// One operation on many enrollments.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it is read as a map and stands here for the OpenAPI document")]
#[schema(as = BulkOperation, example = json!({ "enrollments": ["enr_00dk3v9xk000a"], "operation": "stop", "reason": "met" }))]
struct Bulk {
    /// At most 10,000 ids.
    enrollments: Vec<String>,
    /// As in the path of the single operation.
    operation: String,
    #[schema(inline)]
    #[serde(flatten)]
    options: Options,
}

/// What an operation came to.
#[derive(Debug, Serialize, ToSchema)]
pub struct Operated {
    #[schema(value_type = String, example = "enr_00dk3v9xk000a")]
    pub id: EnrollmentId,
    #[schema(schema_with = schema::state)]
    pub state: EnrollmentState,
    #[schema(example = "manual")]
    pub reason: &'static str,
    pub version: i64,
}

/// What a bulk came to, enrollment by enrollment.
#[derive(Debug, Serialize, ToSchema)]
pub struct Results<T> {
    pub done: usize,
    pub refused: usize,
    /// In the order asked.
    pub items: Vec<T>,
}

/// Done, with what came of it; or not, with why not.
#[derive(Debug, Serialize, ToSchema)]
struct ItemResult {
    #[schema(value_type = String, example = "enr_00dk3v9xk000a")]
    id: EnrollmentId,
    done: bool,
    /// Where done.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    now: Option<Now>,
    /// Where not done.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    not: Option<NotDone>,
}

#[derive(Debug, Serialize, ToSchema)]
struct Now {
    #[schema(schema_with = schema::state)]
    state: EnrollmentState,
    reason: &'static str,
}

/// Why one of many was not done.
#[derive(Debug, Serialize, ToSchema)]
pub struct NotDone {
    /// Stable, as in a problem.
    #[schema(example = "not_while_finished")]
    pub code: String,
    /// In words.
    pub why: String,
}

impl From<&ActionError> for NotDone {
    fn from(e: &ActionError) -> NotDone {
        NotDone { code: e.code().to_owned(), why: e.to_string() }
    }
}

/// One operation
///
/// `pause`, `resume`, `stop`, `reactivate`, `retry`, `mark_status`, `undo_mark`, `move_now`, `skip`, `jump_to_step`,
/// `jump_to_branch`, `set_owner`, `set_mailbox`, `remove`, `erase`, `mark_sent`, `send_again`, `release`, `opt_out`. Asked
/// for twice, it answers done; what the state does not allow is refused with a code that names the state.
#[utoipa::path(post, path = "/enrollments/{enrollment}/{operation}", tag = "enrollments",
    params(("enrollment" = String, Path, example = "enr_00dk3v9xk000a"), ("operation" = String, Path, example = "pause")),
    request_body(content = Option<Options>), responses((status = 200, body = Operated)))]
async fn one(
    State(app): State<App>,
    caller: Caller,
    At((id, name)): At<(EnrollmentId, String)>,
    body: Bytes,
) -> Result<Json<Operated>> {
    let options = if body.is_empty() { Map::new() } else { object(&body)? };
    let operation = read(name, options)?;
    let done = enrollments::operate(&app, &caller, &[id], operation).await?;
    let Some(Done { answer, .. }) = done.into_iter().next() else {
        return Err(ActionError::internal("an operation without an answer").into());
    };
    let applied = answer?;
    let (state, reason) = (applied.state, applied.reason.as_str());
    Ok(Json(Operated { id, state, reason, version: applied.enrollment.version }))
}

/// One operation on many
///
/// Each is done or refused by itself; the answer says so for each.
#[utoipa::path(post, path = "/enrollments/bulk", tag = "enrollments", request_body = Bulk,
    responses((status = 200, body = Results<ItemResult>)))]
async fn bulk(
    State(app): State<App>,
    caller: Caller,
    Body(mut body): Body<Map<String, Value>>,
) -> Result<Json<Results<ItemResult>>> {
    let ids = body.remove("enrollments").unwrap_or_default();
    let ids: Vec<EnrollmentId> = serde_json::from_value(ids)
        .map_err(|e| ActionError::invalid("enrollments", format!("Expected a list of ids: {e}.")))?;
    if ids.len() > BULK_MAX {
        let message = format!("At most {BULK_MAX} at once; these are {}.", ids.len());
        return Err(ActionError::invalid("enrollments", message).into());
    }
    let name = match body.remove("operation") {
        Some(Value::String(name)) => name,
        _ => return Err(ActionError::invalid("operation", "Expected the name of an operation, such as pause.").into()),
    };
    let operation = read(name, body)?;
    let items: Vec<ItemResult> =
        enrollments::operate(&app, &caller, &ids, operation).await?.into_iter().map(item).collect();
    let done = items.iter().filter(|i| i.done).count();
    Ok(Json(Results { done, refused: items.len() - done, items }))
}

fn item(done: Done) -> ItemResult {
    match done.answer {
        Ok(applied) => ItemResult {
            id: done.id,
            done: true,
            now: Some(Now { state: applied.state, reason: applied.reason.as_str() }),
            not: None,
        },
        Err(e) => ItemResult { id: done.id, done: false, now: None, not: Some(NotDone::from(&e)) },
    }
}

fn object(body: &Bytes) -> Result<Map<String, Value>, ActionError> {
    serde_json::from_slice(body).map_err(|e| ActionError::invalid("body", format!("Expected a JSON object: {e}.")))
}

/// The operation of that name with these options.
fn read(name: String, mut options: Map<String, Value>) -> Result<Operation, ActionError> {
    let given: Vec<String> = options.keys().cloned().collect();
    options.insert("operation".to_owned(), Value::String(name.clone()));
    let operation: Operation = serde_json::from_value(Value::Object(options))
        .map_err(|e| ActionError::invalid("operation", format!("{name}: {e}.")))?;
    // What it does not know it would not heed, and a misspelt option must not be taken for its default.
    let known = serde_json::to_value(&operation).map_err(ActionError::internal)?;
    let known = known.as_object().map(|o| o.keys().cloned().collect::<Vec<_>>()).unwrap_or_default();
    match given.iter().find(|field| !known.contains(field)) {
        None => Ok(operation),
        Some(field) => {
            let options: Vec<&str> = known.iter().map(String::as_str).filter(|k| *k != "operation").collect();
            let message = match options.as_slice() {
                [] => format!("{name} takes no options."),
                options => format!("{name} takes {} only.", options.join(", ")),
            };
            Err(ActionError::invalid(field, message))
        }
    }
}
