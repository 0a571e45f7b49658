//! `/sandbox`: what was sent there, the recipient whom the caller plays, and its clock (API-5).

use super::query::{At, Cursor, Limit};
use super::schema;
use crate::App;
use crate::actions::links::Answer;
use crate::actions::sandbox::{self, Reacted, Reaction};
use crate::actions::{ActionError, Caller, clock};
use crate::http::caller::{Allowed, may};
use crate::http::error::Result;
use crate::http::wire::{Body, Page, Params};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, header};
use cadenza_core::flow::Channel;
use cadenza_core::ids::{EnrollmentId, MailboxId, MessageId, SandboxMessageId};
use cadenza_core::time::{Span, Time};
use cadenza_store::inbound_messages::{Class, MatchedBy};
use cadenza_store::sandbox_messages::SandboxMessage;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(recipients))
        .routes(routes!(get))
        .routes(routes!(raw))
        .routes(routes!(react))
        .routes(routes!(skip))
}

/// A message that lies in the sandbox.
#[derive(Debug, Serialize, ToSchema)]
struct SandboxRow {
    #[schema(value_type = String, example = "sbx_00dk3v9xk000g")]
    id: SandboxMessageId,
    /// `email` or `text`.
    channel: &'static str,
    #[schema(value_type = Option<String>)]
    mailbox: Option<MailboxId>,
    from: String,
    to: String,
    subject: String,
    /// Without angle brackets.
    message_id: String,
    #[schema(value_type = String, format = DateTime)]
    at: Time,
    /// When somebody looked at it on its page; that is no open of the mail.
    #[schema(value_type = Option<String>, format = DateTime)]
    read_at: Option<Time>,
    /// The enrollment that it came from.
    #[schema(value_type = Option<String>)]
    enrollment: Option<EnrollmentId>,
}

impl From<SandboxMessage> for SandboxRow {
    fn from(m: SandboxMessage) -> SandboxRow {
        SandboxRow {
            enrollment: sandbox::sent_by(&m),
            id: m.id,
            channel: if m.channel == Channel::Text { "text" } else { "email" },
            mailbox: m.mailbox,
            from: m.sender,
            to: m.recipient,
            subject: m.subject,
            message_id: m.message_id,
            at: m.at,
            read_at: m.read_at,
        }
    }
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Query {
    /// An address or number.
    recipient: Option<String>,
    /// 1 to 200; 50 where nothing is said.
    #[param(value_type = Option<u16>)]
    limit: Limit,
    /// `next` of the page before.
    #[param(value_type = Option<String>)]
    after: Option<Cursor<i64>>,
}

/// What was sent to the sandbox, newest first
#[utoipa::path(get, path = "/sandbox/messages", tag = "sandbox", params(Query), responses((status = 200, body = Page<SandboxRow>)))]
async fn list(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::SequencesView>,
    Params(query): Params<Query>,
) -> Result<Json<Page<SandboxRow>>> {
    let before = query.after.map(|c| SandboxMessageId(c.0));
    let page = sandbox::list(&app, &caller, query.recipient, before, query.limit.0).await?;
    Ok(Json(Page {
        items: page.rows.into_iter().map(SandboxRow::from).collect(),
        next: page.next.map(|after| Cursor::write(&after.id)),
    }))
}

/// Somebody who got something in the sandbox.
#[derive(Debug, Serialize, ToSchema)]
struct SandboxRecipient {
    address: String,
    messages: i64,
    unread: i64,
    #[schema(value_type = String, format = DateTime)]
    last_at: Time,
}

/// Who got something in the sandbox, the latest first
///
/// The latest 500.
#[utoipa::path(get, path = "/sandbox/recipients", tag = "sandbox", responses((status = 200, body = Page<SandboxRecipient>)))]
async fn recipients(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::SequencesView>,
) -> Result<Json<Page<SandboxRecipient>>> {
    let found = sandbox::recipients(&app, &caller).await?;
    let item = |r: cadenza_store::sandbox_messages::Recipient| SandboxRecipient {
        address: r.address,
        messages: r.messages,
        unread: r.unread,
        last_at: r.last_at,
    };
    Ok(Json(Page { items: found.into_iter().map(item).collect(), next: None }))
}

/// A message of the sandbox, as its recipient sees it.
#[derive(Debug, Serialize, ToSchema)]
struct SandboxMail {
    #[serde(flatten)]
    row: SandboxRow,
    text: String,
    /// As it was sent; show it where nothing in it can run.
    html: Option<String>,
    links: Vec<SandboxLink>,
    /// Whether an open can be seen.
    has_pixel: bool,
    can_unsubscribe: bool,
    attachments: Vec<String>,
    /// The header as it was sent.
    header: String,
}

/// A link of a mail.
#[derive(Debug, Serialize, ToSchema)]
struct SandboxLink {
    /// What a click names.
    number: usize,
    text: String,
    address: String,
}

/// One message of the sandbox
#[utoipa::path(get, path = "/sandbox/messages/{sandbox_message}", tag = "sandbox",
    params(("sandbox_message" = String, Path, example = "sbx_00dk3v9xk000g")), responses((status = 200, body = SandboxMail)))]
async fn get(State(app): State<App>, caller: Caller, At(id): At<SandboxMessageId>) -> Result<Json<SandboxMail>> {
    let seen = sandbox::look(&app, &caller, id).await?;
    let links = seen.links.into_iter().enumerate();
    let links = links.map(|(n, l)| SandboxLink { number: n + 1, text: l.text, address: l.address }).collect();
    Ok(Json(SandboxMail {
        row: seen.message.into(),
        text: seen.text,
        html: seen.html,
        links,
        has_pixel: seen.has_pixel,
        can_unsubscribe: seen.can_unsubscribe,
        attachments: seen.attachments,
        header: seen.header,
    }))
}

/// Its bytes, as they were sent
///
/// The words of a text message.
#[utoipa::path(get, path = "/sandbox/messages/{sandbox_message}/raw", tag = "sandbox",
    params(("sandbox_message" = String, Path, example = "sbx_00dk3v9xk000g")),
    responses((status = 200, body = String, content_type = "message/rfc822")))]
async fn raw(
    State(app): State<App>,
    caller: Caller,
    At(id): At<SandboxMessageId>,
) -> Result<([(HeaderName, &'static str); 2], Vec<u8>)> {
    let (message, raw) = sandbox::raw(&app, &caller, id).await?;
    let kind = if message.channel == Channel::Text { "text/plain; charset=utf-8" } else { "message/rfc822" };
    // Whatever it holds, a browser shows none of it as a page of ours.
    Ok(([(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, "attachment")], raw))
}

/// What the recipient does.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it is read by the action's own type and stands here for the OpenAPI document")]
#[schema(as = Reaction, example = json!({ "reaction": "reply", "text": "Yes, let us talk." }))]
struct Wanted {
    /// `open`, `click`, `reply`, `out_of_office`, `bounce`, `unsubscribe` or `complaint`.
    reaction: String,
    /// Of `click`: its number.
    link: Option<usize>,
    /// Of `reply`.
    text: Option<String>,
    /// Of `out_of_office`: the first day back, as 2027-03-15.
    until: Option<String>,
    /// Of `out_of_office`: as `de`; English where it is not said.
    language: Option<String>,
    /// Of `bounce`: `hard` or `soft`.
    kind: Option<String>,
}

/// What came of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Reacted)]
struct Done {
    /// `message`: one came in. `visit`: a link or picture of ours was asked for. `elsewhere`: the link is not tracked.
    came_of_it: &'static str,
    /// Of a message.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    message: Option<MessageId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    class: Option<Class>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = schema::nullable_matched_by)]
    matched_by: Option<MatchedBy>,
    /// Those that were told of a message.
    #[schema(value_type = Vec<String>)]
    enrollments: Vec<EnrollmentId>,
    /// What a visit was answered: `pixel`, `redirect`, `unsubscribed`, `nothing`, …
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<&'static str>,
    /// Where a link leads.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
}

impl From<Reacted> for Done {
    fn from(reacted: Reacted) -> Done {
        let nothing = |came_of_it| Done {
            came_of_it,
            message: None,
            class: None,
            matched_by: None,
            enrollments: Vec::new(),
            answer: None,
            address: None,
        };
        match reacted {
            Reacted::Message(received) => Done {
                message: received.id,
                class: Some(received.class),
                matched_by: received.matched_by,
                enrollments: received.enrollments,
                ..nothing("message")
            },
            Reacted::Elsewhere { address } => Done { address: Some(address), ..nothing("elsewhere") },
            Reacted::Visit(answer) => {
                let (answer, address) = match answer {
                    Answer::Pixel => ("pixel", None),
                    Answer::Redirect(to) => ("redirect", Some(to)),
                    Answer::Ask { .. } | Answer::AskAgain { .. } => ("asked", None),
                    Answer::Unsubscribed { .. } => ("unsubscribed", None),
                    Answer::Nothing { .. } | Answer::NotSo => ("nothing", None),
                };
                Done { answer: Some(answer), address, ..nothing("visit") }
            }
        }
    }
}

/// Play the recipient of a message
///
/// Whatever the recipient does goes through the product's own receiving code. A person needs a moment to read: an open or a click
/// in the first seconds waits for it.
#[utoipa::path(post, path = "/sandbox/messages/{sandbox_message}/reactions", tag = "sandbox",
    params(("sandbox_message" = String, Path, example = "sbx_00dk3v9xk000g")), request_body = Wanted,
    responses((status = 200, body = Done)))]
async fn react(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::SequencesEnroll>,
    At(id): At<SandboxMessageId>,
    Body(reaction): Body<Reaction>,
) -> Result<Json<Done>> {
    Ok(Json(sandbox::react(&app, &caller, id, reaction).await?.into()))
}

/// How far the clock is to be moved, all together.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = SkipAhead, example = json!({ "days": 3 }))]
struct Ahead {
    days: u16,
    hours: u16,
    minutes: u16,
}

/// What the clock shows now.
#[derive(Debug, Serialize, ToSchema)]
struct Clock {
    #[schema(value_type = String, format = DateTime)]
    now: Time,
}

/// Skip ahead
///
/// Moves the clock, so that days pass in a moment; at most 400 days. Refused where any mailbox is a real one: the clock is
/// everybody's. It needs `settings.manage`.
#[utoipa::path(post, path = "/sandbox/skip", tag = "sandbox", request_body = Ahead, responses((status = 200, body = Clock)))]
async fn skip(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::SettingsManage>,
    Body(ahead): Body<Ahead>,
) -> Result<Json<Clock>> {
    let (days, hours, minutes) = (i64::from(ahead.days), i64::from(ahead.hours), i64::from(ahead.minutes));
    let by = Span::days(days) + Span::hours(hours) + Span::minutes(minutes);
    if by == Span::ZERO {
        return Err(ActionError::invalid("days", "Say how far: days, hours or minutes.").into());
    }
    Ok(Json(Clock { now: clock::skip_ahead(&app, &caller, by).await? }))
}
