//! What a person says of an answer of which nobody knows whether it arrived, or which was refused: it arrived, or it is to be sent
//! again. Nothing but a person sends such an answer again.

use super::locked;
use crate::App;
use crate::actions::change::{Stopped, change};
use crate::actions::{ActionError, Caller, Privilege, Result};
use cadenza_core::ids::{AnswerId, MessageId};
use cadenza_core::machine::{Actor, Event};
use cadenza_store::StoreError;
use cadenza_store::answers::{self, Answer, Verdict};
use cadenza_store::door::Put;
use serde_json::json;

/// Settles an answer in the thread of a message, by the words `mark_sent` and `send_again`.
///
/// # Errors
/// `Missing`; `Invalid` for another word; `Refused` (`not_unknown`) where the answer is on its way or known to have been sent.
pub async fn settle(app: &App, caller: &Caller, message: MessageId, id: AnswerId, word: &str) -> Result<Answer> {
    let allowed = caller.allowed(Privilege::SequencesEnroll)?;
    let verdict = match word {
        "mark_sent" => Verdict::Arrived,
        "send_again" => Verdict::Again,
        other => {
            let why = format!("Expected mark_sent or send_again, not {other:?}.");
            return Err(ActionError::invalid("outcome", why));
        }
    };
    change(app, allowed, move |c| {
        let thread = locked(c, message)?;
        let missing = || Stopped::from(ActionError::missing("answer", id));
        let before = match answers::get(c.tx, c.w, id) {
            Err(StoreError::Missing { .. }) => return Err(missing()),
            found => found?,
        };
        let in_thread =
            before.to_message == message || (before.enrollment.is_some() && before.enrollment == thread.enrollment);
        if !in_thread {
            return Err(missing());
        }
        if !answers::decide(c.tx, c.w, id, verdict, c.now)? {
            let only = match verdict {
                Verdict::Arrived => "an answer of which nobody knows whether it arrived can be marked as sent",
                Verdict::Again => {
                    "an answer that was refused, or of which nobody knows whether it arrived, can be sent again"
                }
            };
            let why = format!("This answer is {}: only {only}.", before.state.as_str());
            return Err(ActionError::refused("not_unknown", why).into());
        }
        if let (Verdict::Arrived, Some(enrollment)) = (verdict, before.enrollment) {
            c.advance(vec![Put { enrollment, event: Event::OwnMail, actor: Actor::User(before.by) }])?;
        }
        let after = answers::get(c.tx, c.w, id)?;
        c.note(
            "message.settle_answer",
            Some(message.0),
            Some(json!({ "answer": id, "state": before.state })),
            Some(json!({ "answer": id, "state": after.state })),
        )?;
        Ok(after)
    })
    .await
}
