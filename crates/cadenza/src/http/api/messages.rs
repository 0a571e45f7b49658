//! `/inbound` takes raw mail in; `/messages` shows what came in, whatever way (SPEC §9). What is decided about one is in `replies`.

use super::query::{At, Cursor, Limit, Several};
use super::schema;
use crate::App;
use crate::actions::Caller;
use crate::actions::inbound::{self, TakenIn, Told};
use crate::http::caller::{Allowed, may};
use crate::http::error::Result;
use crate::http::wire::{Page, Params};
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderName, header};
use cadenza_core::enrollment::{State as EnrollmentState, Subject};
use cadenza_core::ids::{CompanyId, ContactId, EnrollmentId, MailboxId, MessageId, SequenceId, UserId};
use cadenza_core::time::Time;
use cadenza_store::inbound_messages::{self, Assigned, Class, Filter, Inbound, MatchedBy, Source};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use std::borrow::Cow;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<App> {
    let taking_in = OpenApiRouter::new().routes(routes!(take_in)).layer(DefaultBodyLimit::max(inbound::BYTES_MAX));
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(counts))
        .routes(routes!(get))
        .routes(routes!(raw))
        .merge(taking_in)
}

/// A message that came in.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Message {
    #[schema(value_type = String, example = "msg_00dk3v9xk000e")]
    id: MessageId,
    #[schema(schema_with = schema::message_source)]
    source: Source,
    #[schema(value_type = Option<String>)]
    mailbox: Option<MailboxId>,
    #[schema(value_type = String, format = DateTime)]
    received_at: Time,
    /// Without angle brackets.
    message_id: Option<String>,
    from: Option<String>,
    subject: Option<String>,
    /// The beginning of what the writer wrote.
    preview: String,
    #[schema(schema_with = schema::message_class)]
    class: Class,
    /// The verdict with its evidence.
    #[schema(value_type = Object)]
    verdict: Value,
    /// What a person said that it is instead, as in `POST /messages/{message}/correct`.
    #[schema(value_type = Option<Object>)]
    correction: Option<Value>,
    #[schema(value_type = Option<String>)]
    corrected_by: Option<UserId>,
    #[schema(value_type = Option<String>, format = DateTime)]
    corrected_at: Option<Time>,
    /// Null where it was matched to nobody.
    #[schema(schema_with = schema::nullable_matched_by)]
    matched_by: Option<MatchedBy>,
    #[schema(value_type = Option<String>)]
    contact: Option<ContactId>,
    #[schema(value_type = Option<String>)]
    company: Option<CompanyId>,
    #[schema(value_type = Option<String>)]
    sequence: Option<SequenceId>,
    #[schema(value_type = Option<String>)]
    enrollment: Option<EnrollmentId>,
    /// The visit whose message it is about, where that is known for sure.
    visit: Option<u32>,
    #[schema(value_type = Option<String>)]
    assigned_to: Option<UserId>,
    #[schema(value_type = Option<String>, format = DateTime)]
    seen_at: Option<Time>,
    /// Null while somebody should look at it.
    #[schema(value_type = Option<String>, format = DateTime)]
    handled_at: Option<Time>,
}

impl From<Inbound> for Message {
    fn from(m: Inbound) -> Message {
        let (contact, company) = match m.subject_of {
            Some(Subject::Contact(id)) => (Some(id), None),
            Some(Subject::Company(id)) => (None, Some(id)),
            None => (None, None),
        };
        Message {
            id: m.id,
            source: m.source,
            mailbox: m.mailbox,
            received_at: m.received_at,
            message_id: m.message_id,
            from: m.from_address,
            subject: m.subject,
            preview: m.preview,
            class: m.class,
            verdict: serde_json::from_str(&m.classification).unwrap_or(Value::Null),
            correction: m.correction.as_deref().and_then(|json| serde_json::from_str(json).ok()),
            corrected_by: m.corrected_by,
            corrected_at: m.corrected_at,
            matched_by: m.matched_by,
            contact,
            company,
            sequence: m.sequence,
            enrollment: m.enrollment,
            visit: m.visit,
            assigned_to: m.assigned_to,
            seen_at: m.seen_at,
            handled_at: m.handled_at,
        }
    }
}

/// What became of a message.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = InboundAnswer)]
struct Taken {
    /// It had come before: nothing was done this time.
    repeated: bool,
    #[schema(schema_with = schema::message_class)]
    class: Class,
    /// By what it was matched; null where it was matched to nobody. It is kept and shown all the same.
    #[schema(schema_with = schema::nullable_matched_by)]
    matched_by: Option<MatchedBy>,
    /// Those that it is about, as they are now.
    enrollments: Vec<ToldEnrollment>,
    /// As it is kept; null for copies of our own mail, which are not.
    message: Option<Message>,
}

/// An enrollment that a message is about.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ToldEnrollment {
    #[schema(value_type = String)]
    id: EnrollmentId,
    #[schema(value_type = String)]
    sequence: SequenceId,
    #[schema(schema_with = schema::state)]
    state: EnrollmentState,
    #[schema(example = "replied")]
    reason: &'static str,
}

impl From<Told> for ToldEnrollment {
    fn from(t: Told) -> ToldEnrollment {
        ToldEnrollment { id: t.id, sequence: t.sequence, state: t.state, reason: t.reason.as_str() }
    }
}

impl From<TakenIn> for Taken {
    fn from(t: TakenIn) -> Taken {
        Taken {
            repeated: t.received.repeated,
            class: t.received.class,
            matched_by: t.received.matched_by,
            enrollments: t.told.into_iter().map(ToldEnrollment::from).collect(),
            message: t.message.map(Message::from),
        }
    }
}

/// Take in a raw message
///
/// From an inbound gateway or a journal: the message as it came (RFC 5322), 25 MiB at most. It is judged, matched to what was
/// sent, and the enrollments follow. The same message counts once, by whatever way it comes. A forged or unmatched one can at
/// most stop an enrollment. It needs `inbound.receive`.
#[utoipa::path(post, path = "/inbound", tag = "messages", request_body(content = String, content_type = "message/rfc822"),
    responses((status = 200, body = Taken)))]
async fn take_in(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::InboundReceive>,
    raw: Result<Bytes, BytesRejection>,
) -> Result<Json<Taken>> {
    let raw = raw.map_err(|_| inbound::too_large())?;
    Ok(Json(inbound::take_in(&app, &caller, raw.to_vec()).await?.into()))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Query {
    /// Words of the sender's address, of the subject, or of whoever it was matched to; each must begin one.
    typed: String,
    /// Such as `reply,out_of_office`.
    #[param(value_type = Option<String>)]
    class: Several<Class>,
    /// `all` (the default), `open`: those that wait for somebody, or `done`.
    #[param(inline)]
    handled: Handled,
    /// `all` (the default), or `nobody`: those that were matched to nobody.
    #[param(inline)]
    matched: Matched,
    /// A user's id, `me`, or `nobody`.
    #[param(value_type = Option<String>)]
    assigned_to: Option<Whose>,
    #[param(value_type = Option<String>)]
    contact: Option<ContactId>,
    #[param(value_type = Option<String>)]
    enrollment: Option<EnrollmentId>,
    #[param(value_type = Option<String>)]
    sequence: Option<SequenceId>,
    /// 1 to 200; 50 where nothing is said.
    #[param(value_type = Option<u16>)]
    limit: Limit,
    /// `next` of the page before.
    #[param(value_type = Option<String>)]
    after: Option<Cursor<i64>>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Handled {
    #[default]
    All,
    Open,
    Done,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Matched {
    #[default]
    All,
    Nobody,
}

/// Whose work a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    Me,
    Nobody,
    User(UserId),
}

impl<'de> Deserialize<'de> for Whose {
    fn deserialize<D: Deserializer<'de>>(d: D) -> std::result::Result<Whose, D::Error> {
        let text = Cow::<'de, str>::deserialize(d)?;
        Ok(match text.as_ref() {
            "me" => Whose::Me,
            "nobody" => Whose::Nobody,
            id => Whose::User(id.parse().map_err(|_| D::Error::custom("expected the id of a user, me or nobody"))?),
        })
    }
}

impl From<Handled> for inbound_messages::Handled {
    fn from(h: Handled) -> inbound_messages::Handled {
        match h {
            Handled::All => inbound_messages::Handled::All,
            Handled::Open => inbound_messages::Handled::Open,
            Handled::Done => inbound_messages::Handled::Done,
        }
    }
}

fn assigned(whose: Option<Whose>, caller: &Caller) -> Assigned {
    match whose {
        None => Assigned::Anybody,
        Some(Whose::Me) => Assigned::To(caller.user),
        Some(Whose::Nobody) => Assigned::Nobody,
        Some(Whose::User(user)) => Assigned::To(user),
    }
}

/// What came in, newest first
///
/// By whatever way; what is matched to nobody too. Of others' private sequences only what is the caller's to handle.
#[utoipa::path(get, path = "/messages", tag = "messages", params(Query), responses((status = 200, body = Page<Message>)))]
async fn list(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::SequencesView>,
    Params(query): Params<Query>,
) -> Result<Json<Page<Message>>> {
    let filter = Filter {
        typed: query.typed,
        classes: query.class.0,
        handled: query.handled.into(),
        unmatched: query.matched == Matched::Nobody,
        assigned: assigned(query.assigned_to, &caller),
        contact: query.contact,
        enrollment: query.enrollment,
        sequence: query.sequence,
        ..Filter::new(inbound::looker(&caller))
    };
    let before = query.after.map(|c| MessageId(c.0));
    let page = inbound::list(&app, &caller, filter, before, query.limit.0).await?;
    Ok(Json(Page {
        items: page.rows.into_iter().map(|l| Message::from(l.message)).collect(),
        next: page.next.map(|after| Cursor::write(&after.id)),
    }))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct CountQuery {
    /// As of the list.
    #[param(inline)]
    handled: Handled,
    /// As of the list.
    #[param(inline)]
    matched: Matched,
    /// As of the list.
    #[param(value_type = Option<String>)]
    assigned_to: Option<Whose>,
    #[param(value_type = Option<String>)]
    sequence: Option<SequenceId>,
}

/// How many messages there are of a class.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MessageCount)]
struct Count {
    #[schema(schema_with = schema::message_class)]
    class: Class,
    count: i64,
}

/// How many messages there are of each class.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MessageCounts)]
struct Counts {
    /// The most first; no more than the newest 10,000 are counted.
    items: Vec<Count>,
}

/// How many messages there are of each class
#[utoipa::path(get, path = "/messages/counts", tag = "messages", params(CountQuery), responses((status = 200, body = Counts)))]
async fn counts(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::SequencesView>,
    Params(query): Params<CountQuery>,
) -> Result<Json<Counts>> {
    let filter = Filter {
        handled: query.handled.into(),
        unmatched: query.matched == Matched::Nobody,
        assigned: assigned(query.assigned_to, &caller),
        sequence: query.sequence,
        ..Filter::new(inbound::looker(&caller))
    };
    let counts = inbound::counts(&app, &caller, filter).await?;
    Ok(Json(Counts { items: counts.into_iter().map(|(class, count)| Count { class, count }).collect() }))
}

/// One message that came in
#[utoipa::path(get, path = "/messages/{message}", tag = "messages",
    params(("message" = String, Path, example = "msg_00dk3v9xk000e")), responses((status = 200, body = Message)))]
async fn get(State(app): State<App>, caller: Caller, At(id): At<MessageId>) -> Result<Json<Message>> {
    Ok(Json(inbound::get(&app, &caller, id).await?.into()))
}

/// Its bytes, as they came
#[utoipa::path(get, path = "/messages/{message}/raw", tag = "messages",
    params(("message" = String, Path, example = "msg_00dk3v9xk000e")),
    responses((status = 200, body = String, content_type = "message/rfc822")))]
async fn raw(
    State(app): State<App>,
    caller: Caller,
    At(id): At<MessageId>,
) -> Result<([(HeaderName, &'static str); 2], Vec<u8>)> {
    let raw = inbound::raw(&app, &caller, id).await?;
    // Whatever it holds, a browser shows none of it as a page of ours.
    let headers = [(header::CONTENT_TYPE, "message/rfc822"), (header::CONTENT_DISPOSITION, "attachment")];
    Ok((headers, raw))
}
