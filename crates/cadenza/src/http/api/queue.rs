//! `/queue`: who has executed a step and waits for the next (QUE-1).

use super::enrollments::record::Enrollment;
use super::query::{Cursor, Limit, Several};
use super::schema;
use crate::App;
use crate::actions::Caller;
use crate::actions::listing::{self, Waiting};
use crate::http::caller::{Allowed, may};
use crate::http::error::Result;
use crate::http::wire::{Page, Params};
use axum::Json;
use axum::extract::State;
use cadenza_core::flow::{Key, Outcome, StepKind};
use cadenza_core::ids::{SequenceId, UserId};
use cadenza_core::time::Time;
use cadenza_store::page::After;
use cadenza_store::queue::{Filter, FirstSteps};
use cadenza_store::sequences::Viewer;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Counts go no further.
const COUNTED_MAX: usize = 10_000;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(counts))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Query {
    #[param(value_type = Option<String>)]
    sequence: Several<SequenceId>,
    /// Whose the next activity is.
    #[param(value_type = Option<String>)]
    owner: Option<UserId>,
    /// Words of the contact or company, or beginnings of words.
    typed: String,
    /// Scheduled before.
    #[param(value_type = Option<String>, format = DateTime)]
    before: Option<Time>,
    /// `left_out` (the default), or `shown`: those who wait for their first step, too.
    #[param(inline)]
    first_steps: First,
    /// 1 to 200; 50 where nothing is said.
    #[param(value_type = Option<u16>)]
    limit: Limit,
    /// `next` of the page before.
    #[param(value_type = Option<String>)]
    after: Option<Cursor<After<i64>>>,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum First {
    #[default]
    LeftOut,
    Shown,
}

impl Query {
    fn filter(self, caller: &Caller) -> Filter {
        Filter {
            viewer: Viewer::User(caller.user),
            sequences: self.sequence.0,
            owner: self.owner,
            typed: self.typed,
            before: self.before,
            first_steps: match self.first_steps {
                First::LeftOut => FirstSteps::LeftOut,
                First::Shown => FirstSteps::Shown,
            },
        }
    }
}

/// One who waits.
#[derive(Debug, Serialize, ToSchema)]
struct Queued {
    enrollment: Enrollment,
    /// Null for the first step.
    last: Option<Last>,
    /// Null while only conditions are open.
    #[schema(schema_with = nullable_kind)]
    next_kind: Option<StepKind>,
    /// Null where nothing has a date yet.
    #[schema(value_type = Option<String>, format = DateTime)]
    scheduled_for: Option<Time>,
}

/// The last executed activity.
#[derive(Debug, Serialize, ToSchema)]
struct Last {
    #[schema(value_type = String)]
    step: Key,
    #[schema(schema_with = schema::step_kind)]
    kind: StepKind,
    /// Null while its conditions are open.
    #[schema(value_type = Option<String>)]
    outcome: Option<Outcome>,
}

fn nullable_kind() -> utoipa::openapi::Object {
    schema::nullable(schema::step_kind())
}

impl From<Waiting> for Queued {
    fn from(w: Waiting) -> Queued {
        Queued {
            enrollment: w.shown.into(),
            last: w.queued.last.map(|(step, kind, outcome)| Last { step, kind, outcome }),
            next_kind: w.queued.next_kind,
            scheduled_for: Some(w.queued.scheduled_for).filter(|t| *t != Time::MAX),
        }
    }
}

/// Who waits for the next step, the next scheduled first
#[utoipa::path(get, path = "/queue", tag = "queue", params(Query), responses((status = 200, body = Page<Queued>)))]
async fn list(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::SequencesView>,
    Params(query): Params<Query>,
) -> Result<Json<Page<Queued>>> {
    let (limit, after) = (query.limit.0, query.after.map(|c| c.0));
    let page = listing::waiting(&app, &caller, query.filter(&caller), after, limit).await?;
    let items = page.rows.into_iter().map(Queued::from).collect();
    Ok(Json(Page { items, next: page.next.as_ref().map(Cursor::write) }))
}

/// Each counted no further than 10,000.
#[derive(Debug, Serialize, ToSchema)]
struct QueueCounts {
    /// Who wait for their next step.
    next: i64,
    /// Who wait for their first.
    first: i64,
}

/// How many wait
#[utoipa::path(get, path = "/queue/counts", tag = "queue", params(Query), responses((status = 200, body = QueueCounts)))]
async fn counts(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::SequencesView>,
    Params(query): Params<Query>,
) -> Result<Json<QueueCounts>> {
    let (next, first) = listing::waiting_counts(&app, &caller, query.filter(&caller), COUNTED_MAX).await?;
    Ok(Json(QueueCounts { next, first }))
}
