//! `/tokens`: what programs sign in with. `/me`: who asks.

use super::query::At;
use crate::App;
use crate::actions::tokens::{self, NewToken, Whose};
use crate::actions::{ActionError, Caller, Privilege, Via};
use crate::http::error::Result;
use crate::http::wire::{Body, Page, Params};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use cadenza_core::ids::{TokenId, UserId, WorkspaceId};
use cadenza_core::time::Time;
use cadenza_store::api_tokens::ApiToken;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(me)).routes(routes!(list, create)).routes(routes!(end))
}

/// Who asks, and what they may.
#[derive(Debug, Serialize, ToSchema)]
struct Me {
    #[schema(value_type = String, example = "usr_00dk3v9xk0004")]
    user: UserId,
    name: String,
    #[schema(value_type = String, example = "wsp_00dk3v9xk0000")]
    workspace: WorkspaceId,
    /// The token that the request came with; absent for a browser.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    token: Option<TokenId>,
    #[schema(example = json!(["sequences.view", "sequences.enroll"]))]
    privileges: Vec<String>,
}

/// Who asks
#[utoipa::path(get, path = "/me", tag = "tokens", responses((status = 200, body = Me)))]
async fn me(caller: Caller) -> Json<Me> {
    Json(Me {
        user: caller.user,
        name: caller.name,
        workspace: caller.workspace,
        token: match caller.via {
            Via::Token(id) => Some(id),
            Via::Session(_) | Via::Console => None,
        },
        privileges: caller.privileges.iter().map(|p| p.to_string()).collect(),
    })
}

/// A token, without its secret.
#[derive(Debug, Serialize, ToSchema)]
struct Token {
    #[schema(value_type = String, example = "tok_00dk3v9xk0007")]
    id: TokenId,
    name: String,
    #[schema(value_type = String)]
    user: UserId,
    scopes: Vec<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Time>,
    /// Exact to five minutes.
    #[schema(value_type = Option<String>, format = DateTime)]
    used_at: Option<Time>,
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Time>,
}

impl From<ApiToken> for Token {
    fn from(t: ApiToken) -> Token {
        Token {
            id: t.id,
            name: t.name,
            user: t.user,
            scopes: t.scopes,
            created_at: t.created_at,
            expires_at: t.expires_at,
            used_at: t.used_at,
            ended_at: t.ended_at,
        }
    }
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// `me` (the default), or `everyone`, which needs `settings.manage`.
    #[param(inline)]
    of: Of,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Of {
    #[default]
    Me,
    Everyone,
}

/// All tokens, newest first
///
/// The ended ones too. There are few, so this list has no pages.
#[utoipa::path(get, path = "/tokens", tag = "tokens", params(Asked), responses((status = 200, body = Page<Token>)))]
async fn list(State(app): State<App>, caller: Caller, Params(asked): Params<Asked>) -> Result<Json<Page<Token>>> {
    let whose = match asked.of {
        Of::Me => Whose::Mine,
        Of::Everyone => Whose::Everybodys,
    };
    let items = tokens::list(&app, &caller, whose).await?.into_iter().map(Token::from).collect();
    Ok(Json(Page { items, next: None }))
}

/// A token that is wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewToken, example = json!({ "name": "CRM sync", "scopes": ["sequences.view"] }))]
struct Wanted {
    /// What it is for.
    name: String,
    /// Privileges; never more than your own.
    scopes: Vec<String>,
    /// When it ends by itself; absent for never.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Time>,
}

/// A new token with its secret.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MadeToken)]
struct Made {
    token: Token,
    /// Shown once. Send it as `Authorization: Bearer cdz_…`.
    secret: String,
}

/// Make a token
///
/// It acts in your name. Its secret is in this answer and nowhere else.
#[utoipa::path(post, path = "/tokens", tag = "tokens", request_body = Wanted, responses((status = 201, body = Made)))]
async fn create(
    State(app): State<App>,
    caller: Caller,
    Body(wanted): Body<Wanted>,
) -> Result<(StatusCode, Json<Made>)> {
    let read = |(i, word): (usize, &String)| {
        word.parse::<Privilege>().map_err(|e| ActionError::invalid(format!("scopes.{i}"), format!("{e}.")))
    };
    let scopes = wanted.scopes.iter().enumerate().map(read).collect::<Result<_, _>>()?;
    let new = NewToken { name: wanted.name, scopes, expires_at: wanted.expires_at };
    let (token, secret) = tokens::create(&app, &caller, new).await?;
    Ok((StatusCode::CREATED, Json(Made { token: token.into(), secret: secret.reveal().to_owned() })))
}

/// End a token
///
/// Your own, or with `settings.manage` anybody's. It is refused from then on.
#[utoipa::path(delete, path = "/tokens/{token}", tag = "tokens", params(("token" = String, Path, example = "tok_00dk3v9xk0007")),
    responses((status = 204, description = "It has ended.")))]
async fn end(State(app): State<App>, caller: Caller, At(id): At<TokenId>) -> Result<StatusCode> {
    tokens::end(&app, &caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
