//! The message of a person's current task as it would be sent now: merged, for them to edit (TSK-3). Reads only.

use super::load::{Look, Round};
use super::{Door, Put, effects};
use crate::error::{Result, StoreError};
use crate::query::Query;
use cadenza_core::flow::{Channel, Step};
use cadenza_core::ids::{EnrollmentId, WorkspaceId};
use cadenza_core::machine::{Actor, Event};
use cadenza_core::merge::{Fields, Template};
use cadenza_core::time::Time;

/// Where a person's own wording of an email has this, the link to unsubscribe is put.
pub const UNSUBSCRIBE_PLACE: &str = "{{ unsubscribe_url }}";

/// A manual message, ready to be edited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Name and address of the mailbox, of an email.
    pub from: Option<(String, String)>,
    /// The address or number of the contact; `None` where there is none of the kind that the step asks for.
    pub to: Option<String>,
    pub subject: String,
    pub text: String,
    /// What could not be merged; its place in the text stands as the template has it.
    pub missing: Option<String>,
}

impl Door {
    /// The draft of the current activity of an enrollment; `None` where it is no email or text, or has no wording.
    ///
    /// # Errors
    /// `Missing` where there is no such enrollment.
    pub fn draft(&self, q: &mut Query, workspace: WorkspaceId, id: EnrollmentId, now: Time) -> Result<Option<Draft>> {
        let mut round = Round::new(self, q, workspace, now, Look::Only)?;
        let put = Put { enrollment: id, event: Event::Wake, actor: Actor::Engine };
        round.load(self, q, std::slice::from_ref(&put))?;
        let e = round.enrollments.get(&id).ok_or_else(|| StoreError::missing("enrollment", id))?.now.clone();
        let info = round.sequence(e.sequence)?;
        let flow = info.flow_at(e.flow_version)?;
        let Some(place) = e.place.as_ref() else { return Ok(None) };
        let Some(step) = flow.spot(&place.step).map(|s| s.step) else { return Ok(None) };
        let channel = step.kind.channel();
        let Some(variant) = step.variant_for(&e, place.visit).filter(|_| writes(step)) else { return Ok(None) };
        let facts = round.facts(&e, &info, None)?;
        let from = facts.mailbox_for(&e, step).and_then(|m| round.ws.mailboxes.get(&m.id));
        let mut fields = effects::fields(&round, &e, &info, step).unwrap_or_default();
        if channel == Channel::Email {
            // Made when the mail is composed; until then its place stands in the text.
            fields.set("unsubscribe_url", UNSUBSCRIBE_PLACE);
        }
        let message = self.message(variant, channel);
        let merged = |template: &Template| template.render(&fields).unwrap_or_else(|_| template.source().to_owned());
        Ok(Some(Draft {
            from: from.filter(|_| channel == Channel::Email).map(|m| (m.name.clone(), m.address.clone())),
            to: facts.address_for(step).map(|a| a.value.clone()),
            subject: message.as_ref().map_or_else(|_| variant.subject.clone(), |m| merged(&m.subject)),
            text: message.as_ref().map_or_else(|_| variant.text.clone(), |m| merged(&m.text)),
            missing: match &message {
                Ok(message) => missing_of(message.missing(&fields)),
                Err(e) => Some(e.to_string()),
            },
        }))
    }

    /// Instructions and script of the current activity with their fields filled in, each as it stands where that fails.
    ///
    /// # Errors
    /// `Missing` where there is no such enrollment.
    pub fn told(&self, q: &mut Query, workspace: WorkspaceId, id: EnrollmentId, now: Time) -> Result<(String, String)> {
        let mut round = Round::new(self, q, workspace, now, Look::Only)?;
        let put = Put { enrollment: id, event: Event::Wake, actor: Actor::Engine };
        round.load(self, q, std::slice::from_ref(&put))?;
        let e = round.enrollments.get(&id).ok_or_else(|| StoreError::missing("enrollment", id))?.now.clone();
        let info = round.sequence(e.sequence)?;
        let flow = info.flow_at(e.flow_version)?;
        let spot = e.place.as_ref().and_then(|p| flow.spot(&p.step));
        let Some(step) = spot.map(|s| s.step) else { return Ok((String::new(), String::new())) };
        let fields = effects::fields(&round, &e, &info, step).unwrap_or_default();
        Ok((filled(&step.content.instructions, &fields), filled(&step.content.script, &fields)))
    }
}

fn writes(step: &Step) -> bool {
    matches!(step.kind.channel(), Channel::Email | Channel::Text)
}

fn missing_of(field: Option<String>) -> Option<String> {
    field.map(|field| format!("{field} is unknown or empty, and the template has no fallback for it"))
}

fn filled(text: &str, fields: &Fields) -> String {
    let template = Template::compile(text, cadenza_core::merge::Escape::Text);
    template.and_then(|t| t.render(fields)).unwrap_or_else(|_| text.to_owned())
}
