//! `POST /templates/…/activate`: a sequence is made from a template and activated in one step (SEQ-3, SEQ-4).

use crate::App;
use crate::actions::sequences;
use crate::actions::templates::{self, Activation};
use crate::http::api::query::At;
use crate::http::api::sequences::record::Sequence;
use crate::http::caller::{Allowed, may};
use crate::http::error::Result;
use crate::http::wire::Body;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use cadenza_core::ids::TemplateId;
use utoipa::ToSchema;

/// What the sequence is to be; only its name is required, and its list where the template's source is a list.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it is read by the action's own type and stands here for the OpenAPI document")]
#[schema(as = Activation, example = json!({ "name": "Engineers, spring", "settings": { "email_rate": { "count": 40, "per": "hour" } } }))]
struct Activated {
    /// Unique in the workspace, ended and archived sequences included.
    name: String,
    /// Else the template's.
    description: Option<String>,
    /// Else now. Still to come, the sequence is paused until it is resumed, unless `arm` says otherwise.
    #[schema(format = DateTime)]
    begin: Option<String>,
    /// Else never.
    #[schema(format = DateTime)]
    end: Option<String>,
    /// The id of a user, or the address they sign in with; else you.
    primary_user: Option<String>,
    /// Additional team members: ids of users or teams, or sign-in addresses.
    team: Option<Vec<String>>,
    /// The id of a list, or its name.
    list: Option<String>,
    /// `high`, `normal` or `low`; else the template's.
    priority: Option<String>,
    /// Those that differ from the template's, by the names of `docs/sequence-file.md`: `window`, `zone` (else the primary
    /// user's), `email_rate` and so on. An unknown one is refused.
    #[schema(value_type = Option<Object>)]
    settings: Option<serde_json::Value>,
    /// `private`, `some` or `everyone`.
    sharing: Option<String>,
    /// For `sharing: some`: ids of users or teams, or sign-in addresses.
    shared_with: Option<Vec<String>>,
    /// With a begin that is still to come: `later` (the default) pauses it until it is resumed, `now` lets it begin by itself.
    arm: Option<String>,
    /// `stay` (the default) leaves the steps' senders as they are, `primary_user` lets every step write from the primary
    /// user's mailbox.
    senders: Option<String>,
    /// True confirms that it is to run although replies cannot stop it, since it would write from mailboxes that cannot be read;
    /// else it is refused then as `unreadable_mailbox`.
    accept_unreadable: Option<bool>,
}

/// Activate a template
///
/// Makes a sequence from it and lets it run, or wait for its begin; as often as wanted. Where anything is wrong, nothing is made.
#[utoipa::path(post, path = "/templates/{template}/activate", tag = "templates",
    params(("template" = String, Path, example = "tpl_00dk3v9xk000t")), request_body = Activated,
    responses((status = 201, body = Sequence)))]
pub async fn activate(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::SequencesSave>,
    At(id): At<TemplateId>,
    Body(new): Body<Activation>,
) -> Result<(StatusCode, Json<Sequence>)> {
    let made = templates::activate(&app, &caller, id, new).await?;
    Ok((StatusCode::CREATED, Json(sequences::get(&app, &caller, made).await?.into())))
}
