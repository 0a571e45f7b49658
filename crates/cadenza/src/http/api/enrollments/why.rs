//! `GET /enrollments/…/why`: every gate, open or shut, in words and in data (ENR-13).

use crate::App;
use crate::actions::{Caller, enrollments};
use crate::http::api::query::At;
use crate::http::error::Result;
use axum::Json;
use axum::extract::State;
use cadenza_core::ids::EnrollmentId;
use cadenza_core::time::Time;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(why))
}

/// What an enrollment waits for.
#[derive(Debug, Serialize, ToSchema)]
struct Why {
    /// One sentence.
    summary: String,
    /// When the current activity will run, as far as the clock alone decides; null where something must be done first.
    #[schema(value_type = Option<String>, format = DateTime)]
    next_at: Option<Time>,
    /// The time zone that the window is read in, and whose it is: `contact`, `company` or `sequence`.
    #[schema(example = "Europe/Berlin")]
    zone: String,
    zone_of: &'static str,
    /// In the order in which the sender asks them.
    gates: Vec<Gate>,
}

#[derive(Debug, Serialize, ToSchema)]
struct Gate {
    #[schema(example = "window")]
    gate: &'static str,
    open: bool,
    /// Stable; `open` where it is.
    #[schema(example = "outside_window")]
    code: &'static str,
    /// What shuts it, in words.
    fact: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    opens_at: Option<Time>,
    /// The one change that would open it.
    remedy: Option<&'static str>,
}

/// Why it does or does not go on
///
/// Asked of the sender's own evaluator, at this moment; it changes nothing.
#[utoipa::path(get, path = "/enrollments/{enrollment}/why", tag = "enrollments",
    params(("enrollment" = String, Path, example = "enr_00dk3v9xk000a")), responses((status = 200, body = Why)))]
async fn why(State(app): State<App>, caller: Caller, At(id): At<EnrollmentId>) -> Result<Json<Why>> {
    let why = enrollments::why(&app, &caller, id).await?.explanation;
    let gate = |line: cadenza_core::explain::Line| Gate {
        gate: line.gate.as_str(),
        open: line.open,
        code: line.code,
        fact: (!line.fact.is_empty()).then_some(line.fact),
        opens_at: line.opens_at,
        remedy: line.remedy,
    };
    Ok(Json(Why {
        summary: why.summary,
        next_at: why.next_at,
        zone: why.zone,
        zone_of: why.zone_of,
        gates: why.lines.into_iter().map(gate).collect(),
    }))
}
