//! `/users` and `/roles`: who works here, and what their roles allow (PRM-1). What people do with their own account is on
//! their pages.

use super::query::At;
use super::schema;
use crate::App;
use crate::actions::users::{self, NewUser};
use crate::actions::{ActionError, Caller, Privilege, Privileges, roles};
use crate::http::caller::{Allowed, may};
use crate::http::error::Result;
use crate::http::wire::{Body, Page};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use cadenza_core::ids::UserId;
use cadenza_core::time::Time;
use cadenza_store::roles as role_store;
use cadenza_store::users::{self as store, UserState};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(get, change))
        .routes(routes!(link))
        .routes(routes!(depart))
        .routes(routes!(take_back))
        .routes(routes!(all_roles, create_role))
        .routes(routes!(change_role, delete_role))
}

/// Somebody who works here.
#[derive(Debug, Serialize, ToSchema)]
struct User {
    #[schema(value_type = String, example = "usr_00dk3v9xk0004")]
    id: UserId,
    name: String,
    /// To sign in with.
    address: String,
    role: String,
    #[schema(schema_with = schema::user_state)]
    state: UserState,
    time_zone: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
    #[schema(value_type = Option<String>, format = DateTime)]
    seen_at: Option<Time>,
}

impl From<store::User> for User {
    fn from(u: store::User) -> User {
        User {
            id: u.id,
            name: u.name,
            address: u.address,
            role: u.role,
            state: u.state,
            time_zone: u.zone.map(|z| z.name().to_owned()),
            created_at: u.created_at,
            seen_at: u.seen_at,
        }
    }
}

/// All users, by name
///
/// The departed too. There are few, so this list has no pages.
#[utoipa::path(get, path = "/users", tag = "users", responses((status = 200, body = Page<User>)))]
async fn list(State(app): State<App>, Allowed { caller, .. }: Allowed<may::SequencesView>) -> Result<Json<Page<User>>> {
    let items = users::all(&app, &caller).await?.into_iter().map(User::from).collect();
    Ok(Json(Page { items, next: None }))
}

/// Somebody to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewUser, example = json!({ "name": "Ben Okafor", "address": "ben.okafor@example.com", "role": "Member" }))]
struct Wanted {
    name: String,
    /// To sign in with; unique over all workspaces.
    address: String,
    role: String,
}

/// A user who was added, and how they get in.
#[derive(Debug, Serialize, ToSchema)]
struct Invited {
    user: User,
    /// Opens once and lets them choose a password. Shown this once.
    link: String,
}

/// Add a user
///
/// They are invited: pass the link on to them.
#[utoipa::path(post, path = "/users", tag = "users", request_body = Wanted, responses((status = 201, body = Invited)))]
async fn add(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::SettingsManage>,
    Body(new): Body<Wanted>,
) -> Result<(StatusCode, Json<Invited>)> {
    let new = NewUser { address: new.address, name: new.name, role: new.role };
    let id = users::add(&app, &caller, new).await?;
    let link = link_for(&app, &caller, id).await?;
    Ok((StatusCode::CREATED, Json(Invited { user: users::get(&app, &caller, id).await?.into(), link })))
}

async fn link_for(app: &App, caller: &Caller, id: UserId) -> Result<String> {
    let token = users::link(app, caller, id).await?;
    Ok(format!("{}/sign-in?token={}", app.public_url(), token.reveal()))
}

/// One user
#[utoipa::path(get, path = "/users/{user}", tag = "users", params(("user" = String, Path, example = "usr_00dk3v9xk0004")),
    responses((status = 200, body = User)))]
async fn get(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::SequencesView>,
    At(id): At<UserId>,
) -> Result<Json<User>> {
    Ok(Json(users::get(&app, &caller, id).await?.into()))
}

/// What is to change of a user.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UserChange, example = json!({ "role": "Manager" }))]
struct Changed {
    role: String,
}

/// Give a user another role
#[utoipa::path(patch, path = "/users/{user}", tag = "users", params(("user" = String, Path, example = "usr_00dk3v9xk0004")),
    request_body = Changed, responses((status = 200, body = User)))]
async fn change(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::SettingsManage>,
    At(id): At<UserId>,
    Body(new): Body<Changed>,
) -> Result<Json<User>> {
    users::set_role(&app, &caller, id, new.role).await?;
    Ok(Json(users::get(&app, &caller, id).await?.into()))
}

/// A link to sign in by.
#[derive(Debug, Serialize, ToSchema)]
struct SignInLink {
    /// Opens once. Shown this once.
    link: String,
}

/// Make a link by which a user signs in once
///
/// In place of an earlier one. Who is invited chooses a password by it.
#[utoipa::path(post, path = "/users/{user}/link", tag = "users", params(("user" = String, Path, example = "usr_00dk3v9xk0004")),
    responses((status = 200, body = SignInLink)))]
async fn link(State(app): State<App>, caller: Caller, At(id): At<UserId>) -> Result<Json<SignInLink>> {
    Ok(Json(SignInLink { link: link_for(&app, &caller, id).await? }))
}

/// A user no longer works here
///
/// They cannot sign in and their sessions end; what they did keeps their name.
#[utoipa::path(post, path = "/users/{user}/depart", tag = "users", params(("user" = String, Path, example = "usr_00dk3v9xk0004")),
    responses((status = 200, body = User)))]
async fn depart(State(app): State<App>, caller: Caller, At(id): At<UserId>) -> Result<Json<User>> {
    users::depart(&app, &caller, id).await?;
    Ok(Json(users::get(&app, &caller, id).await?.into()))
}

/// A departed user works here again
///
/// Invited anew, with the role of before.
#[utoipa::path(post, path = "/users/{user}/take-back", tag = "users",
    params(("user" = String, Path, example = "usr_00dk3v9xk0004")), responses((status = 200, body = User)))]
async fn take_back(State(app): State<App>, caller: Caller, At(id): At<UserId>) -> Result<Json<User>> {
    users::take_back(&app, &caller, id).await?;
    Ok(Json(users::get(&app, &caller, id).await?.into()))
}

/// A role and what it allows.
#[derive(Debug, Serialize, ToSchema)]
struct Role {
    name: String,
    #[schema(example = json!(["sequences.view", "reports.view"]))]
    privileges: Vec<String>,
    /// Comes with Cadenza and cannot be deleted.
    built_in: bool,
}

impl From<role_store::Role> for Role {
    fn from(r: role_store::Role) -> Role {
        Role { name: r.name, privileges: r.privileges, built_in: r.built_in }
    }
}

/// All roles, those that come with Cadenza first
#[utoipa::path(get, path = "/roles", tag = "roles", responses((status = 200, body = Page<Role>)))]
async fn all_roles(State(app): State<App>, caller: Caller) -> Result<Json<Page<Role>>> {
    let items = roles::all(&app, &caller).await?.into_iter().map(Role::from).collect();
    Ok(Json(Page { items, next: None }))
}

/// A role that is wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewRole, example = json!({ "name": "Caller", "privileges": ["sequences.view", "tasks.mine"] }))]
struct WantedRole {
    name: String,
    privileges: Vec<String>,
}

/// Add a role
#[utoipa::path(post, path = "/roles", tag = "roles", request_body = WantedRole, responses((status = 201, body = Role)))]
async fn create_role(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::SettingsManage>,
    Body(new): Body<WantedRole>,
) -> Result<(StatusCode, Json<Role>)> {
    let made = roles::create(&app, &caller, new.name, read(&new.privileges)?).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// What a role is to allow: all of it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RoleChange, example = json!({ "privileges": ["sequences.view", "tasks.mine", "reports.view"] }))]
struct ChangedRole {
    privileges: Vec<String>,
}

/// Change what a role allows
///
/// The role Admin allows everything, always.
#[utoipa::path(patch, path = "/roles/{role}", tag = "roles", params(("role" = String, Path, example = "Caller")),
    request_body = ChangedRole, responses((status = 200, body = Role)))]
async fn change_role(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::SettingsManage>,
    At(name): At<String>,
    Body(new): Body<ChangedRole>,
) -> Result<Json<Role>> {
    Ok(Json(roles::change_privileges(&app, &caller, name, read(&new.privileges)?).await?.into()))
}

/// Delete a role of your own that nobody has
#[utoipa::path(delete, path = "/roles/{role}", tag = "roles", params(("role" = String, Path, example = "Caller")),
    responses((status = 204, description = "It is gone.")))]
async fn delete_role(State(app): State<App>, caller: Caller, At(name): At<String>) -> Result<StatusCode> {
    roles::delete(&app, &caller, name).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn read(words: &[String]) -> Result<Privileges, ActionError> {
    let read = |(i, word): (usize, &String)| {
        word.parse::<Privilege>().map_err(|e| ActionError::invalid(format!("privileges.{i}"), format!("{e}.")))
    };
    words.iter().enumerate().map(read).collect()
}
