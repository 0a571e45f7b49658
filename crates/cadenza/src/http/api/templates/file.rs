//! Templates as files (SEQ-11) over the API: TOML as it stands in a file, or as a text in JSON.

use super::record::Template;
use super::shown;
use crate::App;
use crate::actions::templates::{self, PlannedTemplate};
use crate::actions::{Caller, Privilege};
use crate::http::api::query::At;
use crate::http::api::sequences::file::{File, TOML};
use crate::http::caller::{Allowed, may};
use crate::http::error::Result;
use crate::http::wire::Params;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use cadenza_core::flow::file::{self, Change};
use cadenza_core::ids::TemplateId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A template's file in JSON.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it is read as every sequence file is and stands here for the OpenAPI document")]
#[schema(as = TemplateFile, example = json!({ "file": "name = \"First contact\"\nform = \"template\"\n\n[[branch]]\n\
    key = \"main\"\n\n[[branch.step]]\nkey = \"call\"\nkind = \"call\"\n" }))]
pub struct InJson {
    /// The text of a sequence file that says `form = "template"` or `"template_for_list"`; see `docs/sequence-file.md`.
    file: String,
}

/// Make a template from a file
///
/// The file comes as it is (`application/toml`) or as a text in JSON.
#[utoipa::path(post, path = "/templates", tag = "templates",
    request_body(content((InJson = "application/json"), (String = "application/toml"))),
    responses((status = 201, body = Template)))]
pub async fn create(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::SequencesSave>,
    File(file): File,
) -> Result<(StatusCode, Json<Template>)> {
    // Whoever cannot see it afterwards is told before it is made.
    caller.need(Privilege::SequencesView)?;
    let id = templates::create(&app, &caller, &file).await?;
    Ok((StatusCode::CREATED, shown(&app, &caller, id).await?))
}

/// A template as a file
///
/// Everything that applying a file reads: applying it again changes nothing.
#[utoipa::path(get, path = "/templates/{template}/file", tag = "templates",
    params(("template" = String, Path, example = "tpl_00dk3v9xk000t")),
    responses((status = 200, body = String, content_type = "application/toml")))]
pub async fn export(
    State(app): State<App>,
    caller: Caller,
    At(id): At<TemplateId>,
) -> Result<([(HeaderName, &'static str); 1], String)> {
    let file = templates::export(&app, &caller, id).await?;
    Ok(([(header::CONTENT_TYPE, TOML)], file::write(&file)))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LookedAt {
    /// The version that was looked at: at another one it is refused as `changed_meanwhile`.
    version: Option<i64>,
}

/// Make a template what a file says
///
/// Its name too; its type stays. The flow is checked as activation checks it. Sequences made from it before stay as they are.
#[utoipa::path(put, path = "/templates/{template}/file", tag = "templates",
    params(("template" = String, Path, example = "tpl_00dk3v9xk000t"), LookedAt),
    request_body(content((InJson = "application/json"), (String = "application/toml"))),
    responses((status = 200, body = Template)))]
pub async fn save(
    State(app): State<App>,
    caller: Caller,
    At(id): At<TemplateId>,
    Params(at): Params<LookedAt>,
    File(file): File,
) -> Result<Json<Template>> {
    templates::save_file(&app, &caller, id, &file, at.version).await?;
    shown(&app, &caller, id).await
}

/// What applying a file would do.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TemplatePlan)]
pub struct Plan {
    /// The template of that name; null where it would be made.
    #[schema(value_type = Option<String>)]
    template: Option<TemplateId>,
    /// Each with its `kind` and a `message`; empty where nothing changes.
    #[schema(value_type = Vec<Object>)]
    changes: Vec<Change>,
    /// Names file and template as they were looked at; `apply` takes it.
    digest: String,
}

impl From<PlannedTemplate> for Plan {
    fn from(p: PlannedTemplate) -> Plan {
        Plan { template: p.template, changes: p.changes, digest: p.digest }
    }
}

/// What applying a template's file would change
///
/// It is checked as applying checks it; nothing is changed.
#[utoipa::path(post, path = "/templates/plan", tag = "templates",
    request_body(content((InJson = "application/json"), (String = "application/toml"))),
    responses((status = 200, body = Plan)))]
pub async fn plan(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::SequencesSave>,
    File(file): File,
) -> Result<Json<Plan>> {
    Ok(Json(templates::plan_file(&app, &caller, &file).await?.into()))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Query {
    /// Of the plan: where file or template are not what was planned, it is refused as `plan_outdated`. Without it, what is
    /// planned at this moment is done.
    digest: Option<String>,
}

/// What was done.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TemplateApplied)]
pub struct Applied {
    #[schema(value_type = String)]
    template: TemplateId,
    /// Empty where nothing changed.
    #[schema(value_type = Vec<Object>)]
    changes: Vec<Change>,
}

/// Apply a template's file
///
/// The template is found by its name, and made where there is none. Applying the same file again changes nothing.
#[utoipa::path(post, path = "/templates/apply", tag = "templates", params(Query),
    request_body(content((InJson = "application/json"), (String = "application/toml"))),
    responses((status = 200, body = Applied)))]
pub async fn apply(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::SequencesSave>,
    Params(query): Params<Query>,
    File(file): File,
) -> Result<Json<Applied>> {
    let planned = templates::plan_file(&app, &caller, &file).await?;
    let digest = query.digest.unwrap_or_else(|| planned.digest.clone());
    let template = templates::apply_file(&app, &caller, &file, &digest).await?;
    Ok(Json(Applied { template, changes: planned.changes }))
}
