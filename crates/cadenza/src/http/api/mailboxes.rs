//! `/mailboxes`: addresses that are sent from and read. Passwords come in and never go out again.

use super::query::At;
use crate::App;
use crate::actions::Caller;
use crate::actions::mailboxes::{self, MailboxChange, Progress, Trial};
use crate::http::caller::{Allowed, may};
use crate::http::error::Result;
use crate::http::wire::{Body, Page};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use cadenza_core::ids::{MailboxId, UserId};
use cadenza_core::time::Time;
use cadenza_store::mailbox_grants::Grant;
use cadenza_store::mailboxes::{self as store, Auth, Security};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, update, delete))
        .routes(routes!(test))
        .routes(routes!(hold))
        .routes(routes!(release))
}

/// A mailbox as everybody who sees sequences may see it.
#[derive(Debug, Serialize, ToSchema)]
struct MailboxRow {
    #[schema(value_type = String, example = "mbx_00dk3v9xk000f")]
    id: MailboxId,
    address: String,
    /// The name beside the address.
    name: String,
    #[schema(value_type = String)]
    owner: UserId,
    /// What is sent from it stays here.
    sandbox: bool,
    /// Whether replies can be seen at all.
    readable: bool,
    #[schema(value_type = Option<String>, format = DateTime)]
    read_at: Option<Time>,
    /// What went wrong at the last reading.
    read_failure: Option<String>,
    /// Why it sends nothing at present.
    held: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    held_at: Option<Time>,
    /// Null: no limit. So for the others.
    day_cap: Option<u32>,
    hour_cap: Option<u32>,
    gap_seconds: Option<u32>,
    jitter_seconds: Option<u32>,
    /// How old the last reading may be before follow-ups wait.
    freshness_minutes: u32,
    /// Whether each mail bears an address of its own behind a plus, where answers and bounces come back to.
    plus_addresses: bool,
    /// Whether a journal or gateway posts what arrives there to `/inbound`.
    journaled: bool,
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
    version: i64,
}

/// A whole mailbox, without its secrets.
#[derive(Debug, Serialize, ToSchema)]
struct Mailbox {
    #[serde(flatten)]
    row: MailboxRow,
    signature: String,
    /// Null for the sandbox's.
    smtp: Option<Server>,
    /// Null: replies cannot be read.
    imap: Option<Server>,
    /// Where access tokens come from; null where no server signs in by `xoauth2`.
    oauth: Option<OAuth>,
    /// Those that are read.
    folders: Vec<String>,
    /// Where sent mail is found, where the server files it.
    sent_folder: Option<String>,
}

/// How a server is reached.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MailServer)]
struct Server {
    host: String,
    port: u16,
    /// `tls`, `starttls` or `none`.
    #[schema(value_type = String)]
    security: Security,
    /// `password`, `xoauth2` or `none`.
    #[schema(value_type = String)]
    auth: Auth,
    login: Option<String>,
    /// Whether a password is stored. It is shown to nobody.
    has_secret: bool,
}

/// Where access tokens come from (RFC 6749 §6). Client secret, refresh token and access token are shown to nobody.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MailboxOAuth)]
struct OAuth {
    token_endpoint: String,
    client_id: String,
    /// Whether a client secret is stored.
    has_client_secret: bool,
    /// Until when the present access token is good; null where there is none yet.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Time>,
    /// Why there will be no more access tokens until somebody changes or releases the mailbox.
    failure: Option<String>,
}

impl From<&store::Mailbox> for MailboxRow {
    fn from(m: &store::Mailbox) -> MailboxRow {
        MailboxRow {
            id: m.id,
            address: m.address.clone(),
            name: m.name.clone(),
            owner: m.owner,
            sandbox: m.sandbox,
            readable: m.readable,
            read_at: m.read_at,
            read_failure: m.read_failure.clone(),
            held: m.held.as_ref().map(|(why, _)| why.clone()),
            held_at: m.held.as_ref().map(|(_, at)| *at),
            day_cap: m.caps.day,
            hour_cap: m.caps.hour,
            gap_seconds: m.caps.gap_seconds,
            jitter_seconds: m.caps.jitter_seconds,
            freshness_minutes: m.freshness_minutes,
            plus_addresses: m.plus_addresses,
            journaled: m.journaled,
            created_at: m.created_at,
            version: m.version,
        }
    }
}

/// A mailbox with what else is told of it.
async fn whole(app: &App, caller: &Caller, m: store::Mailbox) -> Result<Json<Mailbox>> {
    let grant = mailboxes::oauth(app, caller, m.id).await?;
    Ok(Json(Mailbox::of(m, grant)))
}

impl Mailbox {
    fn of(m: store::Mailbox, grant: Option<Grant>) -> Mailbox {
        let server = |s: store::Server| Server {
            has_secret: s.secret.is_some(),
            host: s.host,
            port: s.port,
            security: s.security,
            auth: s.auth,
            login: s.login,
        };
        Mailbox {
            row: MailboxRow::from(&m),
            signature: m.signature,
            smtp: m.smtp.map(server),
            imap: m.imap.map(server),
            oauth: grant.map(|g| OAuth {
                token_endpoint: g.token_endpoint,
                client_id: g.client_id,
                has_client_secret: g.client_secret.is_some(),
                expires_at: g.access.map(|a| a.expires_at),
                failure: g.failure,
            }),
            folders: m.folders,
            sent_folder: m.sent_folder,
        }
    }
}

/// What is said of a mailbox.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it is read by the action's own type and stands here for the OpenAPI document")]
#[schema(as = MailboxChange, example = json!({ "address": "anna@example.com", "name": "Anna Keller", "day_cap": 100,
    "smtp": { "host": "127.0.0.1", "port": 25, "security": "none", "auth": "none" } }))]
struct Input {
    address: Option<String>,
    name: Option<String>,
    /// The id of a user, or the address they sign in with.
    owner: Option<String>,
    signature: Option<String>,
    smtp: Option<ServerInput>,
    /// Null: replies cannot be read.
    imap: Option<ServerInput>,
    /// Where the access tokens of servers with `xoauth2` come from; such a server needs it.
    oauth: Option<OAuthInput>,
    folders: Option<Vec<String>>,
    sent_folder: Option<String>,
    /// Null is no limit. So for the others.
    day_cap: Option<u32>,
    hour_cap: Option<u32>,
    gap_seconds: Option<u32>,
    jitter_seconds: Option<u32>,
    freshness_minutes: Option<u32>,
    /// Whether each mail bears an address of its own behind a plus (`ada+tag@example.com`), where answers and bounces come back
    /// to. For servers that deliver such addresses.
    plus_addresses: Option<bool>,
    /// Whether a journal or gateway posts what arrives there to `/inbound`: replies are seen without IMAP then.
    journaled: Option<bool>,
}

/// How a server is reached, as it is typed.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "as above")]
#[schema(as = MailServerInput)]
struct ServerInput {
    host: String,
    port: u16,
    /// `tls`, `starttls` or `none`. A password goes over a protected connection only.
    security: String,
    /// `password`, `xoauth2` or `none`.
    auth: String,
    login: Option<String>,
    /// A password. Absent: the stored one stays, for the same host. Not for `xoauth2`, whose tokens come by `oauth`.
    secret: Option<String>,
}

/// What access tokens are asked for with. Absent secrets stay, for the same endpoint and client.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "as above")]
#[schema(as = MailboxOAuthInput, example = json!({ "token_endpoint": "google", "client_id": "1234.apps.example",
    "client_secret": "…", "refresh_token": "…" }))]
struct OAuthInput {
    /// `google`, `microsoft`, or an https address.
    token_endpoint: String,
    client_id: String,
    /// Null: the client has none.
    client_secret: Option<String>,
    refresh_token: Option<String>,
}

/// All mailboxes, oldest first
///
/// There are few, so this list has no pages.
#[utoipa::path(get, path = "/mailboxes", tag = "mailboxes", responses((status = 200, body = Page<MailboxRow>)))]
async fn list(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::SequencesView>,
) -> Result<Json<Page<MailboxRow>>> {
    let items = mailboxes::all(&app, &caller).await?.iter().map(MailboxRow::from).collect();
    Ok(Json(Page { items, next: None }))
}

/// Add a mailbox
///
/// Enrollments that wait for one go on.
#[utoipa::path(post, path = "/mailboxes", tag = "mailboxes", request_body = Input, responses((status = 201, body = Mailbox)))]
async fn create(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::MailboxesManage>,
    Body(new): Body<MailboxChange>,
) -> Result<(StatusCode, Json<Mailbox>)> {
    let made = mailboxes::create(&app, &caller, new).await?;
    Ok((StatusCode::CREATED, whole(&app, &caller, made).await?))
}

/// One mailbox
#[utoipa::path(get, path = "/mailboxes/{mailbox}", tag = "mailboxes",
    params(("mailbox" = String, Path, example = "mbx_00dk3v9xk000f")), responses((status = 200, body = Mailbox)))]
async fn get(State(app): State<App>, caller: Caller, At(id): At<MailboxId>) -> Result<Json<Mailbox>> {
    let found = mailboxes::get(&app, &caller, id).await?;
    whole(&app, &caller, found).await
}

/// Change a mailbox
///
/// The sandbox's keeps its transport and has no caps.
#[utoipa::path(patch, path = "/mailboxes/{mailbox}", tag = "mailboxes",
    params(("mailbox" = String, Path, example = "mbx_00dk3v9xk000f")), request_body = Input,
    responses((status = 200, body = Mailbox)))]
async fn update(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::MailboxesManage>,
    At(id): At<MailboxId>,
    Body(new): Body<MailboxChange>,
) -> Result<Json<Mailbox>> {
    let changed = mailboxes::update(&app, &caller, id, new).await?;
    whole(&app, &caller, changed).await
}

/// Delete a mailbox from which nothing was ever sent
#[utoipa::path(delete, path = "/mailboxes/{mailbox}", tag = "mailboxes",
    params(("mailbox" = String, Path, example = "mbx_00dk3v9xk000f")), responses((status = 204, description = "It is gone.")))]
async fn delete(State(app): State<App>, caller: Caller, At(id): At<MailboxId>) -> Result<StatusCode> {
    mailboxes::delete(&app, &caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What trying a mail server came to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MailboxTrial)]
struct Tried {
    passed: bool,
    /// In their order.
    steps: Vec<Step>,
}

/// One step of a trial.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MailboxTrialStep)]
struct Step {
    /// Such as `Sign in`.
    step: &'static str,
    /// `passed`, `failed` or `not_reached`.
    outcome: &'static str,
    /// What was found, or what went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    said: Option<String>,
    /// What may help.
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<&'static str>,
}

impl From<Trial> for Tried {
    fn from(trial: Trial) -> Tried {
        let passed = trial.passed();
        let step = |(step, progress)| match progress {
            Progress::Passed(found) => Step { step, outcome: "passed", said: Some(found), advice: None },
            Progress::Failed { why, advice } => Step { step, outcome: "failed", said: Some(why), advice: Some(advice) },
            Progress::NotReached => Step { step, outcome: "not_reached", said: None, advice: None },
        };
        Tried { passed, steps: trial.steps.into_iter().map(step).collect() }
    }
}

/// Try a mailbox's server
///
/// Connects and signs in as the sender does, with the stored settings, and sends no mail. It answers 200 whether it worked or
/// not; `passed` says so.
#[utoipa::path(post, path = "/mailboxes/{mailbox}/test", tag = "mailboxes",
    params(("mailbox" = String, Path, example = "mbx_00dk3v9xk000f")), responses((status = 200, body = Tried)))]
async fn test(State(app): State<App>, caller: Caller, At(id): At<MailboxId>) -> Result<Json<Tried>> {
    Ok(Json(mailboxes::test(&app, &caller, id).await?.into()))
}

/// Why it is to send nothing.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = HoldMailbox, example = json!({ "why": "The provider asks for a day's rest" }))]
struct Hold {
    /// Shown beside it; who held it, where nothing is said.
    why: String,
}

/// Hold a mailbox
///
/// Nothing goes out from it until it is released. What is under way to its server comes to its end.
#[utoipa::path(post, path = "/mailboxes/{mailbox}/hold", tag = "mailboxes",
    params(("mailbox" = String, Path, example = "mbx_00dk3v9xk000f")), request_body = Hold,
    responses((status = 200, body = Mailbox)))]
async fn hold(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::MailboxesManage>,
    At(id): At<MailboxId>,
    Body(hold): Body<Hold>,
) -> Result<Json<Mailbox>> {
    mailboxes::hold(&app, &caller, id, &hold.why).await?;
    let held = mailboxes::get(&app, &caller, id).await?;
    whole(&app, &caller, held).await
}

/// Let a held mailbox send again
///
/// Whoever waits for it goes on, paced.
#[utoipa::path(post, path = "/mailboxes/{mailbox}/release", tag = "mailboxes",
    params(("mailbox" = String, Path, example = "mbx_00dk3v9xk000f")), responses((status = 200, body = Mailbox)))]
async fn release(State(app): State<App>, caller: Caller, At(id): At<MailboxId>) -> Result<Json<Mailbox>> {
    mailboxes::release(&app, &caller, id).await?;
    let released = mailboxes::get(&app, &caller, id).await?;
    whole(&app, &caller, released).await
}
