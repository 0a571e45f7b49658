//! `/overview`: a row for each sequence (OVR-1), and the figures of one.

use super::query::At;
use super::schema;
use crate::App;
use crate::actions::{Caller, overview};
use crate::http::caller::{Allowed, may};
use crate::http::error::Result;
use crate::http::wire::{Page, Params};
use axum::Json;
use axum::extract::State;
use cadenza_core::enrollment::SequenceState;
use cadenza_core::ids::{SequenceId, UserId};
use cadenza_core::time::Time;
use cadenza_store::overview::{Archived, Figures, Overviewed};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(figures))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Query {
    /// `hidden` (the default) or `shown`.
    #[param(inline)]
    archived: Put,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Put {
    #[default]
    Hidden,
    Shown,
}

/// A sequence with its figures.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OverviewRow)]
struct Row {
    #[schema(value_type = String, example = "seq_00dk3v9xk0009")]
    id: SequenceId,
    name: String,
    /// `contacts` or `companies`.
    #[serde(rename = "type")]
    of: &'static str,
    #[schema(schema_with = schema::sequence_state)]
    state: SequenceState,
    /// Why it paused itself.
    held: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    begin: Option<Time>,
    #[schema(value_type = Option<String>, format = DateTime)]
    end: Option<Time>,
    #[schema(value_type = String)]
    primary_user: UserId,
    /// Live, at least one activity executed.
    in_progress: i64,
    /// Live, nothing executed yet.
    not_started: i64,
    completed: i64,
    open_tasks: i64,
    done_tasks: i64,
    /// Whether opens, clicks, replies, bounces and opt-outs mean anything.
    has_email_step: bool,
    /// `enrolled`, `contacted`, `emails`, `opened`, `clicked`, `replied`, `bounced`, `opted_out`, `positive`, `negative`, and
    /// `state:…` for each state; what is 0 may be absent.
    figures: BTreeMap<String, i64>,
}

impl From<Overviewed> for Row {
    fn from(o: Overviewed) -> Row {
        Row {
            id: o.id,
            name: o.name,
            of: o.of.as_str(),
            state: o.state,
            held: o.held,
            begin: o.begin,
            end: o.end,
            primary_user: o.primary_user,
            in_progress: o.in_progress,
            not_started: o.not_started,
            completed: o.completed,
            open_tasks: o.open_tasks,
            done_tasks: o.done_tasks,
            has_email_step: o.has_email_step,
            figures: numbers(&o.figures),
        }
    }
}

fn numbers(figures: &Figures) -> BTreeMap<String, i64> {
    figures.iter().map(|(name, n)| (name.to_owned(), n)).collect()
}

/// Every sequence that you see, by name
///
/// A workspace has at most some thousands, so this list has no pages.
#[utoipa::path(get, path = "/overview", tag = "overview", params(Query), responses((status = 200, body = Page<Row>)))]
async fn list(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::SequencesView>,
    Params(query): Params<Query>,
) -> Result<Json<Page<Row>>> {
    let archived = match query.archived {
        Put::Hidden => Archived::Hidden,
        Put::Shown => Archived::Shown,
    };
    let items = overview::list(&app, &caller, archived).await?.into_iter().map(Row::from).collect();
    Ok(Json(Page { items, next: None }))
}

/// The figures of a sequence, whole and by step.
#[derive(Debug, Serialize, ToSchema)]
struct SequenceFigures {
    whole: BTreeMap<String, i64>,
    /// By the key of the step: `done`, `sent`, `closed:skipped`, …
    steps: BTreeMap<String, BTreeMap<String, i64>>,
}

/// The figures of one sequence
#[utoipa::path(get, path = "/sequences/{sequence}/figures", tag = "overview",
    params(("sequence" = String, Path, example = "seq_00dk3v9xk0009")), responses((status = 200, body = SequenceFigures)))]
async fn figures(State(app): State<App>, caller: Caller, At(id): At<SequenceId>) -> Result<Json<SequenceFigures>> {
    let mut found = overview::figures(&app, &caller, id).await?;
    let whole = found.remove("").map(|f| numbers(&f)).unwrap_or_default();
    let steps = found.into_iter().map(|(step, f)| (step, numbers(&f))).collect();
    Ok(Json(SequenceFigures { whole, steps }))
}
