//! `/enrollments`: lists, records, history, activities, why. What is done to them is in `operate`, enrolling in `enroll`.

mod enroll;
pub mod operate;
pub mod record;
mod why;

use super::query::{At, Cursor, Limit, Several};
use crate::App;
use crate::actions::listing::{self, Asked};
use crate::actions::{ActionError, Caller};
use crate::http::caller::{Allowed, may};
use crate::http::error::Result;
use crate::http::wire::{Page, Params};
use axum::Json;
use axum::extract::State;
use cadenza_core::enrollment::{State as EnrollmentState, Subject};
use cadenza_core::flow::Key;
use cadenza_core::ids::{CompanyId, ContactId, EnrollmentId, MailboxId, SequenceId, UserId};
use cadenza_core::views::{Stage, StatusReason};
use cadenza_store::enrolled::{Enrolled, When};
use cadenza_store::enrollments::Order;
use cadenza_store::page::After;
use record::{Activity, Enrollment, HistoryLine};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get))
        .routes(routes!(history))
        .routes(routes!(activities))
        .merge(why::routes())
        .merge(operate::routes())
        .merge(enroll::routes())
}

/// Which enrollments: everything that is said must hold; several values of one filter go with commas between.
#[derive(Debug, Default, Clone, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Query {
    /// `ever` (the default): live and finished. `now`: live only. The removed are in no list.
    #[param(inline)]
    when: Time,
    #[param(value_type = Option<String>, example = "seq_00dk3v9xk0009")]
    sequence: Several<SequenceId>,
    /// `pending`, `active`, `blocked`, `paused`, `finished`.
    #[param(value_type = Option<String>, example = "active,paused")]
    state: Several<EnrollmentState>,
    /// Such as `approaching,unresponsive`.
    #[param(value_type = Option<String>)]
    stage: Several<Stage>,
    /// Such as `running,replied`.
    #[param(value_type = Option<String>)]
    status_reason: Several<StatusReason>,
    /// Keys of the steps they stand at.
    #[param(value_type = Option<String>)]
    step: Several<Key>,
    #[param(value_type = Option<String>)]
    contact: Option<ContactId>,
    #[param(value_type = Option<String>)]
    company: Option<CompanyId>,
    /// Whose the next activity is.
    #[param(value_type = Option<String>)]
    owner: Option<UserId>,
    #[param(value_type = Option<String>)]
    enrolled_by: Option<UserId>,
    #[param(value_type = Option<String>)]
    mailbox: Option<MailboxId>,
    /// Words of the contact or company, or beginnings of words.
    typed: String,
    #[param(inline)]
    order: Sorted,
    /// 1 to 200; 50 where nothing is said.
    #[param(value_type = Option<u16>)]
    limit: Limit,
    /// `next` of the page before.
    #[param(value_type = Option<String>)]
    after: Option<Cursor<After<i64>>>,
}

#[derive(Debug, Default, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Time {
    Now,
    #[default]
    Ever,
}

#[derive(Debug, Default, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Sorted {
    #[default]
    Newest,
    NextAction,
}

impl Query {
    fn asked(self) -> Result<Asked, ActionError> {
        let subject = match (self.contact, self.company) {
            (Some(_), Some(_)) => {
                return Err(ActionError::invalid("company", "Expected a contact or a company, not both."));
            }
            (Some(id), None) => Some(Subject::Contact(id)),
            (None, Some(id)) => Some(Subject::Company(id)),
            (None, None) => None,
        };
        Ok(Asked {
            enrolled: Enrolled {
                when: match self.when {
                    Time::Now => When::Now,
                    Time::Ever => When::Ever,
                },
                sequences: self.sequence.0,
                states: self.state.0,
                stages: self.stage.0,
                statuses: self.status_reason.0,
                steps: self.step.0,
            },
            subject,
            typed: self.typed,
            enrolled_by: self.enrolled_by,
            owner: self.owner,
            mailbox: self.mailbox,
        })
    }
}

/// Enrollments over all sequences
///
/// Those of the sequences that you see.
#[utoipa::path(get, path = "/enrollments", tag = "enrollments", params(Query), responses((status = 200, body = Page<Enrollment>)))]
async fn list(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::SequencesView>,
    Params(query): Params<Query>,
) -> Result<Json<Page<Enrollment>>> {
    let order = match query.order {
        Sorted::Newest => Order::Newest,
        Sorted::NextAction => Order::NextAction,
    };
    let (limit, after) = (query.limit.0, query.after.map(|c| c.0));
    let page = listing::list(&app, &caller, query.asked()?, order, after, limit).await?;
    Ok(Json(Page {
        items: page.rows.into_iter().map(Enrollment::from).collect(),
        next: page.next.as_ref().map(Cursor::write),
    }))
}

/// One enrollment
///
/// The removed too.
#[utoipa::path(get, path = "/enrollments/{enrollment}", tag = "enrollments",
    params(("enrollment" = String, Path, example = "enr_00dk3v9xk000a")), responses((status = 200, body = Enrollment)))]
async fn get(State(app): State<App>, caller: Caller, At(id): At<EnrollmentId>) -> Result<Json<Enrollment>> {
    Ok(Json(listing::record(&app, &caller, id).await?.into()))
}

/// Everything that happened to it, oldest first
#[utoipa::path(get, path = "/enrollments/{enrollment}/history", tag = "enrollments",
    params(("enrollment" = String, Path, example = "enr_00dk3v9xk000a")), responses((status = 200, body = Page<HistoryLine>)))]
async fn history(State(app): State<App>, caller: Caller, At(id): At<EnrollmentId>) -> Result<Json<Page<HistoryLine>>> {
    let lines = listing::history(&app, &caller, id).await?;
    Ok(Json(Page { items: lines.into_iter().map(HistoryLine::from).collect(), next: None }))
}

/// Its activities: planned, due and done
#[utoipa::path(get, path = "/enrollments/{enrollment}/activities", tag = "enrollments",
    params(("enrollment" = String, Path, example = "enr_00dk3v9xk000a")), responses((status = 200, body = Page<Activity>)))]
async fn activities(State(app): State<App>, caller: Caller, At(id): At<EnrollmentId>) -> Result<Json<Page<Activity>>> {
    let items = listing::activities(&app, &caller, id).await?.into_iter().map(Activity::from).collect();
    Ok(Json(Page { items, next: None }))
}
