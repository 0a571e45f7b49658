//! What people decide about messages (REC-6): `/messages/{message}/thread`, and what is done to it. Taking mail in and the list
//! are in `messages`.

use super::messages::Message;
use super::query::At;
use super::schema;
use crate::App;
use crate::actions::ActionError;
use crate::actions::replies::{self, Correction, Decided, Done, ItemOf, Whose};
use crate::http::caller::{Allowed, may};
use crate::http::error::Result;
use crate::http::wire::Body;
use axum::Json;
use axum::extract::{Path, State};
use cadenza_core::enrollment::{State as EnrollmentState, Subject};
use cadenza_core::ids::{AnswerId, CompanyId, ContactId, EnrollmentId, MessageId, UserId};
use cadenza_core::inbound::Attachment;
use cadenza_core::time::Time;
use cadenza_store::answers::State as AnswerState;
use cadenza_store::enrollments::Listed;
use cadenza_store::inbound_messages::Class;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(thread))
        .routes(routes!(answer))
        .routes(routes!(settle))
        .routes(routes!(correct))
        .routes(routes!(give))
        .routes(routes!(assign))
        .routes(routes!(handle))
        .routes(routes!(reopen))
        .routes(routes!(see))
}

/// A message with its thread.
#[derive(Debug, Serialize, ToSchema)]
struct Thread {
    message: Message,
    /// What went out in its enrollment and what came in, oldest first.
    items: Vec<ThreadItem>,
    /// Those that it was told to, as they are now; the one that it was matched to first.
    enrollments: Vec<AboutEnrollment>,
}

/// One message of a thread.
#[derive(Debug, Serialize, ToSchema)]
struct ThreadItem {
    /// `sent` by a step, `received`, or `answer`: what a person wrote back.
    #[schema(example = "received")]
    way: &'static str,
    /// Of what went out: `sent` or `unknown`; of an answer also `queued`, `claimed`, `marked` (on its way) and `refused`.
    #[schema(example = "sent")]
    state: Option<&'static str>,
    /// Of an answer: why it waits, was refused, or is unknown.
    words: Option<String>,
    #[schema(value_type = Option<String>)]
    answer: Option<AnswerId>,
    /// The visit that sent it.
    visit: Option<u32>,
    /// Of what came in.
    #[schema(value_type = Option<String>)]
    id: Option<MessageId>,
    #[schema(value_type = Option<String>)]
    class: Option<Class>,
    #[schema(value_type = String, format = DateTime)]
    at: Time,
    from: String,
    to: String,
    subject: String,
    /// What was written then, without quotations.
    text: String,
    /// All of it, where that is more.
    whole: Option<String>,
    attachments: Vec<AttachmentOf>,
}

/// A file that came along. It is in the message's bytes, and nowhere else.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MessageAttachment)]
struct AttachmentOf {
    name: Option<String>,
    media_type: String,
    bytes: usize,
}

impl From<Attachment> for AttachmentOf {
    fn from(a: Attachment) -> AttachmentOf {
        AttachmentOf { name: a.filename, media_type: a.media_type, bytes: a.size }
    }
}

impl From<replies::Item> for ThreadItem {
    fn from(i: replies::Item) -> ThreadItem {
        let attachments = i.attachments.into_iter().map(AttachmentOf::from).collect();
        let replies::Item { of, at, from, to, subject, text, whole, words, .. } = i;
        let (way, state) = match of {
            ItemOf::Sent { unknown: false, .. } => ("sent", Some("sent")),
            ItemOf::Sent { unknown: true, .. } => ("sent", Some("unknown")),
            ItemOf::Received { .. } => ("received", None),
            ItemOf::Answer { state, .. } => ("answer", Some(state.as_str())),
        };
        let (visit, id, class, answer) = match of {
            ItemOf::Sent { visit, .. } => (Some(visit), None, None, None),
            ItemOf::Received { id, class } => (None, Some(id), Some(class), None),
            ItemOf::Answer { id, .. } => (None, None, None, Some(id)),
        };
        ThreadItem { way, state, words, answer, visit, id, class, at, from, to, subject, text, whole, attachments }
    }
}

/// An enrollment that a message was told to.
#[derive(Debug, Serialize, ToSchema)]
struct AboutEnrollment {
    #[schema(value_type = String)]
    id: EnrollmentId,
    sequence_name: String,
    contact_name: String,
    #[schema(schema_with = schema::state)]
    state: EnrollmentState,
    #[schema(example = "replied")]
    reason: &'static str,
}

impl From<Listed> for AboutEnrollment {
    fn from(l: Listed) -> AboutEnrollment {
        let (state, reason) = l.enrollment.state(l.sequence_state);
        AboutEnrollment {
            id: l.enrollment.id,
            sequence_name: l.sequence_name,
            contact_name: l.subject_name,
            state,
            reason: reason.as_str(),
        }
    }
}

/// What a decision about a message did.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MessageDecided)]
struct Answer {
    message: Message,
    /// The enrollments that were told of it, as it is now.
    #[schema(value_type = Vec<String>)]
    enrollments: Vec<EnrollmentId>,
    /// Others that had heard of it: what that did is taken back.
    #[schema(value_type = Vec<String>)]
    others: Vec<EnrollmentId>,
    /// Addresses and numbers that may be written to again.
    allowed: u64,
}

impl From<Decided> for Answer {
    fn from(d: Decided) -> Answer {
        Answer { message: d.message.into(), enrollments: d.enrollments, others: d.others, allowed: d.allowed }
    }
}

/// A message with its thread
///
/// What went out in the enrollment that it belongs to, as it was sent, and what came in.
#[utoipa::path(get, path = "/messages/{message}/thread", tag = "messages",
    params(("message" = String, Path, example = "msg_00dk3v9xk000e")), responses((status = 200, body = Thread)))]
async fn thread(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::SequencesView>,
    At(id): At<MessageId>,
) -> Result<Json<Thread>> {
    let found = replies::thread(&app, &caller, id).await?;
    Ok(Json(Thread {
        message: found.message.into(),
        items: found.items.into_iter().map(ThreadItem::from).collect(),
        enrollments: found.enrollments.into_iter().map(AboutEnrollment::from).collect(),
    }))
}

/// An answer to a message.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AnswerMessage, example = json!({ "subject": "Re: Hello", "text": "Thursday at ten?" }))]
struct Written {
    subject: String,
    /// Plain text.
    text: String,
}

/// An answer that is on its way.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MessageAnswer)]
struct AnswerOf {
    #[schema(value_type = String, example = "ans_00dk3v9xk0013")]
    id: AnswerId,
    /// `queued` at first; its thread says what becomes of it.
    #[schema(value_type = String)]
    state: AnswerState,
    to: String,
    subject: String,
    /// Without angle brackets.
    message_id: String,
}

impl From<cadenza_store::answers::Answer> for AnswerOf {
    fn from(a: cadenza_store::answers::Answer) -> AnswerOf {
        AnswerOf { id: a.id, state: a.state, to: a.to, subject: a.subject, message_id: a.message_id }
    }
}

/// Answer a message in its thread
///
/// From the mailbox that the contact wrote to. It is recorded and sent as a step's mail is, never twice; the message is handled
/// then. A suppressed address is refused. It needs `sequences.enroll`.
#[utoipa::path(post, path = "/messages/{message}/answer", tag = "messages",
    params(("message" = String, Path, example = "msg_00dk3v9xk000e")), request_body = Written,
    responses((status = 200, body = AnswerOf)))]
async fn answer(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::SequencesEnroll>,
    At(id): At<MessageId>,
    Body(wanted): Body<Written>,
) -> Result<Json<AnswerOf>> {
    let a = replies::answer(&app, &caller, id, &wanted.subject, &wanted.text).await?;
    Ok(Json(a.into()))
}

/// What is known of an answer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SettleAnswer, example = json!({ "outcome": "mark_sent" }))]
struct Settled {
    /// `mark_sent`: it arrived. `send_again`: the same mail is sent once more.
    outcome: String,
}

/// Settle an answer
///
/// One of which nobody knows whether it arrived: `mark_sent` or `send_again`. One that was refused: `send_again`. Nothing sends either
/// again by itself. It needs `sequences.enroll`.
#[utoipa::path(post, path = "/messages/{message}/answers/{answer}/settle", tag = "messages",
    params(("message" = String, Path, example = "msg_00dk3v9xk000e"), ("answer" = String, Path, example = "ans_00dk3v9xk0013")),
    request_body = Settled, responses((status = 200, body = AnswerOf)))]
async fn settle(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::SequencesEnroll>,
    Path((message, answer)): Path<(String, String)>,
    Body(wanted): Body<Settled>,
) -> Result<Json<AnswerOf>> {
    let message = message.parse().map_err(|_| ActionError::missing("message", message))?;
    let answer = answer.parse().map_err(|_| ActionError::missing("answer", answer))?;
    Ok(Json(replies::settle(&app, &caller, message, answer, &wanted.outcome).await?.into()))
}

/// What a message is.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it is read as a correction and stands here for the OpenAPI document")]
#[schema(as = MessageCorrection, example = json!({ "class": "out_of_office", "until": "2027-03-08" }))]
struct Right {
    /// `reply`, `out_of_office`, `bounce`, `complaint`, `opt_out` or `other` (any other automatic mail).
    class: String,
    /// Of `out_of_office`: the first day the person is back, where the message says so.
    until: Option<String>,
    /// Of `bounce`: `hard` (the default) or `soft`.
    bounce: Option<String>,
}

/// Correct what a message is
///
/// What the wrong verdict did is taken back in its enrollments, in others that had heard of it, and on the suppression list where
/// only this message had put the address there; then what the right one asks is done. It needs `sequences.enroll`.
#[utoipa::path(post, path = "/messages/{message}/correct", tag = "messages",
    params(("message" = String, Path, example = "msg_00dk3v9xk000e")), request_body = inline(Right),
    responses((status = 200, body = Answer)))]
async fn correct(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::SequencesEnroll>,
    At(id): At<MessageId>,
    Body(right): Body<Correction>,
) -> Result<Json<Answer>> {
    Ok(Json(replies::correct(&app, &caller, id, right).await?.into()))
}

/// Whose a message is: one of these.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MessageOwner, example = json!({ "contact": "con_00dk3v9xk0001" }))]
struct Owner {
    /// All its live enrollments hear of the message, else the latest.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    contact: Option<ContactId>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    company: Option<CompanyId>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    enrollment: Option<EnrollmentId>,
}

/// Say whose a message is
///
/// Where it was matched to nobody, or to the wrong one: what it had done there is taken back. It needs `sequences.enroll`.
#[utoipa::path(post, path = "/messages/{message}/match", tag = "messages",
    params(("message" = String, Path, example = "msg_00dk3v9xk000e")), request_body = Owner,
    responses((status = 200, body = Answer)))]
async fn give(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::SequencesEnroll>,
    At(id): At<MessageId>,
    Body(owner): Body<Owner>,
) -> Result<Json<Answer>> {
    let whose = match (owner.contact, owner.company, owner.enrollment) {
        (Some(id), None, None) => Whose::Subject(Subject::Contact(id)),
        (None, Some(id), None) => Whose::Subject(Subject::Company(id)),
        (None, None, Some(id)) => Whose::Enrollment(id),
        _ => return Err(ActionError::invalid("body", "Expected one of contact, company and enrollment.").into()),
    };
    Ok(Json(replies::give(&app, &caller, id, whose).await?.into()))
}

/// Who handles a message.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AssignMessage, example = json!({ "to": "usr_00dk3v9xk0005" }))]
struct Assign {
    /// A user's id; null for nobody.
    #[schema(value_type = Option<String>)]
    to: Option<UserId>,
}

/// Hand a message over
///
/// It needs `sequences.enroll`. Whoever has it sees it, also where the sequence is not shared with them.
#[utoipa::path(post, path = "/messages/{message}/assign", tag = "messages",
    params(("message" = String, Path, example = "msg_00dk3v9xk000e")), request_body = Assign,
    responses((status = 200, body = Message)))]
async fn assign(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::SequencesEnroll>,
    At(id): At<MessageId>,
    Body(wanted): Body<Assign>,
) -> Result<Json<Message>> {
    Ok(Json(replies::assign(&app, &caller, id, wanted.to).await?.into()))
}

/// Mark a message as handled
///
/// It needs `sequences.enroll`.
#[utoipa::path(post, path = "/messages/{message}/handle", tag = "messages",
    params(("message" = String, Path, example = "msg_00dk3v9xk000e")), responses((status = 200, body = Message)))]
async fn handle(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::SequencesEnroll>,
    At(id): At<MessageId>,
) -> Result<Json<Message>> {
    Ok(Json(replies::handle(&app, &caller, id, Done::Yes).await?.into()))
}

/// Open a handled message again
///
/// It needs `sequences.enroll`.
#[utoipa::path(post, path = "/messages/{message}/reopen", tag = "messages",
    params(("message" = String, Path, example = "msg_00dk3v9xk000e")), responses((status = 200, body = Message)))]
async fn reopen(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::SequencesEnroll>,
    At(id): At<MessageId>,
) -> Result<Json<Message>> {
    Ok(Json(replies::handle(&app, &caller, id, Done::No).await?.into()))
}

/// Note that a message was looked at
///
/// The first time counts.
#[utoipa::path(post, path = "/messages/{message}/see", tag = "messages",
    params(("message" = String, Path, example = "msg_00dk3v9xk000e")), responses((status = 200, body = Message)))]
async fn see(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::SequencesView>,
    At(id): At<MessageId>,
) -> Result<Json<Message>> {
    Ok(Json(replies::see(&app, &caller, id).await?.into()))
}
