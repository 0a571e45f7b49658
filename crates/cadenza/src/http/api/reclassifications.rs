//! `/reclassifications`: the present rules over kept mail, the differences, and adopting them (REC-12).

use super::query::{At, Cursor, Limit};
use super::schema;
use crate::App;
use crate::actions::reclassify::{self, Standing};
use crate::http::caller::{Allowed, may};
use crate::http::error::Result;
use crate::http::wire::{Body, Page, Params};
use axum::Json;
use axum::extract::State;
use cadenza_core::ids::{JobId, MessageId};
use cadenza_core::time::Time;
use cadenza_store::inbound_messages::Class;
use cadenza_store::jobs::JobState;
use cadenza_store::reclassified::{Listed, State as DifferenceState};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(start)).routes(routes!(get)).routes(routes!(differences)).routes(routes!(adopt))
}

/// How far reading the kept mail again is.
#[derive(Debug, Serialize, ToSchema)]
struct Reclassification {
    #[schema(value_type = String, example = "job_00dk3v9xk0012")]
    id: JobId,
    /// `queued`, `running`, `finished`, `failed` or `cancelled`.
    #[schema(value_type = String)]
    state: JobState,
    /// Messages that were read, of so many.
    read: i64,
    total: Option<i64>,
    /// Differences: `found`, `adopted`, `refused`, `over`.
    differences: BTreeMap<&'static str, i64>,
}

impl From<Standing> for Reclassification {
    fn from(s: Standing) -> Reclassification {
        Reclassification {
            id: s.job.id,
            state: s.job.state,
            read: s.job.done,
            total: s.job.total,
            differences: s.counts.into_iter().map(|(state, n)| (state.as_str(), n)).collect(),
        }
    }
}

/// Read the kept mail again
///
/// By the present rules, in the background. Nothing changes until a difference is adopted. It needs `settings.manage`.
#[utoipa::path(post, path = "/reclassifications", tag = "reclassifications", responses((status = 200, body = Reclassification)))]
async fn start(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::SettingsManage>,
) -> Result<Json<Reclassification>> {
    let id = reclassify::start(&app, &caller).await?;
    Ok(Json(reclassify::get(&app, &caller, id).await?.into()))
}

/// How far it is
#[utoipa::path(get, path = "/reclassifications/{reclassification}", tag = "reclassifications",
    params(("reclassification" = String, Path, example = "job_00dk3v9xk0012")),
    responses((status = 200, body = Reclassification)))]
async fn get(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::SettingsManage>,
    At(id): At<JobId>,
) -> Result<Json<Reclassification>> {
    Ok(Json(reclassify::get(&app, &caller, id).await?.into()))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Query {
    /// 1 to 200; 50 where nothing is said.
    #[param(value_type = Option<u16>)]
    limit: Limit,
    /// `next` of the page before.
    #[param(value_type = Option<String>)]
    after: Option<Cursor<i64>>,
}

/// A message that the present rules judge otherwise.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReclassifiedMessage)]
struct Difference {
    #[schema(value_type = String, example = "msg_00dk3v9xk000e")]
    message: MessageId,
    from: Option<String>,
    subject: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    received_at: Time,
    #[schema(schema_with = schema::message_class)]
    before: Class,
    #[schema(schema_with = schema::message_class)]
    now: Class,
    /// Version of the rules that had judged it.
    version_before: Option<u32>,
    version: u32,
    /// Enrollments that would be told otherwise than they were.
    enrollments: u32,
    #[schema(value_type = String, example = "found")]
    state: DifferenceState,
    /// Why an enrollment could not follow.
    why: Option<String>,
}

impl From<Listed> for Difference {
    fn from(l: Listed) -> Difference {
        let d = l.difference;
        Difference {
            message: d.message,
            from: l.from,
            subject: l.subject,
            received_at: l.received_at,
            before: d.before,
            now: d.now,
            version_before: d.version_before,
            version: d.version,
            enrollments: d.enrollments,
            state: d.state,
            why: d.why,
        }
    }
}

/// What the present rules judge otherwise
///
/// In the order in which the messages came.
#[utoipa::path(get, path = "/reclassifications/{reclassification}/differences", tag = "reclassifications",
    params(("reclassification" = String, Path, example = "job_00dk3v9xk0012"), Query),
    responses((status = 200, body = Page<Difference>)))]
async fn differences(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::SettingsManage>,
    At(id): At<JobId>,
    Params(query): Params<Query>,
) -> Result<Json<Page<Difference>>> {
    let (limit, after) = (query.limit.0, query.after.map(|c| MessageId(c.0)));
    let mut found = reclassify::differences(&app, &caller, id, after, limit + 1).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|l| Cursor::write(&l.difference.message.0));
    Ok(Json(Page { items: found.into_iter().map(Difference::from).collect(), next }))
}

/// Which differences to adopt.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AdoptReclassified, example = json!({ "messages": null }))]
struct Adopt {
    /// 1 to 10,000 ids; null for all.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    messages: Option<Vec<MessageId>>,
}

/// Adopt what the present rules say
///
/// The enrollments follow as they do a correction by hand. What a person corrected is left alone.
#[utoipa::path(post, path = "/reclassifications/{reclassification}/adopt", tag = "reclassifications",
    params(("reclassification" = String, Path, example = "job_00dk3v9xk0012")), request_body = Adopt,
    responses((status = 200, body = Reclassification)))]
async fn adopt(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::SettingsManage>,
    At(id): At<JobId>,
    Body(wanted): Body<Adopt>,
) -> Result<Json<Reclassification>> {
    Ok(Json(reclassify::adopt(&app, &caller, id, wanted.messages).await?.into()))
}
