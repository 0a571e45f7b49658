//! The people who get the messages, and the machines before them: what they do with a message, and when that comes in.

use crate::breach::Held;
use crate::scenario::Pace;
use crate::world::{Happening, Told, World};
use cadenza_core::enrollment::Subject;
use cadenza_core::flow::Channel;
use cadenza_core::ids::{EnrollmentId, MessageId, WorkspaceId};
use cadenza_core::machine::{Actor, BounceClass, By, Event, Incoming, Reach};
use cadenza_core::time::Span;
use cadenza_store::door::{Outgoing, Put};
use cadenza_store::inbound_messages::{self, Class, Inbound, MatchedBy, Source};

/// Something that comes in about a message.
#[derive(Debug, Clone)]
pub struct Came {
    pub workspace: WorkspaceId,
    pub enrollment: EnrollmentId,
    pub event: Event,
    pub actor: Actor,
    /// Tells a message from every other; `None` of a look at a pixel or link.
    pub key: Option<u64>,
    pub class: Class,
}

impl World {
    /// What becomes of a message that was taken.
    pub fn react(&mut self, message: &Outgoing) {
        let visit = message.visit;
        let text = message.channel == Channel::Text;
        let channel = if text { Incoming::Text } else { Incoming::Email };
        let bland = self.scenario.plain;
        let draw = self.chance.below(1_000);
        let hours = |chance: &mut crate::chance::Chance, n| chance.span(Span::minutes(1), Span::hours(n));
        let detail = "5.1.1".to_owned();
        let told = |event| (event, Actor::Contact);
        let (after, (event, actor), class) = match (draw, bland, text) {
            (0..60, false, _) => {
                (hours(&mut self.chance, 90), told(Event::Reply { channel, visit: Some(visit) }), Class::Reply)
            }
            (0..6, true, _) => {
                (hours(&mut self.chance, 90), told(Event::Reply { channel, visit: Some(visit) }), Class::Reply)
            }
            (60..75, false, _) => {
                (hours(&mut self.chance, 60), told(Event::Reply { channel, visit: None }), Class::Reply)
            }
            (75..120, false, false) => {
                let until = self.chance.percent(60).then(|| self.now + Span::days(1 + draw as i64 % 9));
                (hours(&mut self.chance, 1), told(Event::OutOfOffice { visit: Some(visit), until }), Class::OutOfOffice)
            }
            (120..150, false, _) => {
                let reach = if draw.is_multiple_of(3) { Reach::Everything } else { Reach::Channel };
                (hours(&mut self.chance, 80), told(Event::OptOut { channel, visit: Some(visit), reach }), Class::OptOut)
            }
            (150..160, false, false) => {
                (hours(&mut self.chance, 50), told(Event::Complaint { visit: Some(visit) }), Class::Complaint)
            }
            (160..190, false, false) => {
                let class = BounceClass::Soft;
                let event = Event::Bounce { visit: Some(visit), class, detail };
                (hours(&mut self.chance, 5), (event, Actor::Server), Class::Bounce)
            }
            (190..205, false, false) => {
                let event = Event::Bounce { visit: Some(visit), class: BounceClass::Hard, detail };
                (hours(&mut self.chance, 5), (event, Actor::Server), Class::Bounce)
            }
            (205..209, false, false) => {
                let event = Event::Bounce { visit: Some(visit), class: BounceClass::Sender, detail };
                (hours(&mut self.chance, 5), (event, Actor::Server), Class::Bounce)
            }
            (209..230, false, _) => (hours(&mut self.chance, 30), told(Event::Delivered { visit }), Class::Delivered),
            (230..240, false, false) => {
                (hours(&mut self.chance, 30), told(Event::OtherMail { visit: Some(visit) }), Class::Other)
            }
            (240..245, false, _) => (hours(&mut self.chance, 30), told(Event::MeetingBooked), Class::Meeting),
            (245..250, false, _) => (hours(&mut self.chance, 30), told(Event::OwnMail), Class::OwnMail),
            (250..350, _, false) => {
                (hours(&mut self.chance, 40), told(Event::Opened { visit, by: By::Person }), Class::Other)
            }
            (350..380, _, false) => {
                (hours(&mut self.chance, 1), told(Event::Opened { visit, by: By::Machine }), Class::Other)
            }
            (380..460, _, false) => {
                let link = if draw.is_multiple_of(2) { "https://example.com/a" } else { "https://example.com/b" };
                (
                    hours(&mut self.chance, 60),
                    told(Event::Clicked { visit, link: link.into(), by: By::Person }),
                    Class::Other,
                )
            }
            _ => return,
        };
        let look = matches!(event, Event::Opened { .. } | Event::Clicked { .. });
        let key = (!look).then(|| self.chance.next());
        let came = Came { workspace: message.workspace, enrollment: message.enrollment, event, actor, key, class };
        // The same message in two folders, or by two ways.
        if key.is_some() && !bland && self.chance.percent(10) {
            self.coverage.note("message read twice", "inbound");
            let again = after + self.chance.span(Span::ZERO, Span::hours(20));
            self.happens(again, Happening::Came(came.clone()));
        }
        self.happens(after, Happening::Came(came));
    }

    /// It comes in, and is kept in the transaction that tells of it. A message waits in its inbox until it was taken in; a look
    /// that nobody served is lost.
    pub fn came(&mut self, came: Came) -> Held<()> {
        if !self.node.is_up {
            if came.key.is_some() {
                self.happens(Span::minutes(7), Happening::Came(came));
            }
            return Ok(());
        }
        if !self.shadows.knows(came.workspace, came.enrollment) {
            // A database that was put back does not know it yet.
            return Ok(());
        }
        let (w, now) = (came.workspace, self.now);
        let put = Put { enrollment: came.enrollment, event: came.event.clone(), actor: came.actor };
        let keeps = came.key.filter(|_| self.scenario.pace == Pace::Fine);
        let told = match keeps {
            None => self.put("inbound", w, vec![put])?,
            Some(key) => {
                let subject = self.shadows.subject(w, came.enrollment);
                let message = kept(&came, key, subject, now);
                let put2 = put.clone();
                let told = self.commit(
                    "inbound",
                    move |door, tx| {
                        let message = Inbound { id: MessageId(door.id(now)), ..message.clone() };
                        if !inbound_messages::insert(tx, w, &message, None)? {
                            return Ok(None);
                        }
                        door.advance(tx, w, vec![put2.clone()], now).map(Some)
                    },
                    |world, answers| match answers {
                        Some(answers) => world.note(w, std::slice::from_ref(&put), answers),
                        None => Ok(()),
                    },
                )?;
                match told {
                    Told::Done(answers) => Told::Done(answers.unwrap_or_default()),
                    Told::Failed => Told::Failed,
                    Told::Fenced => Told::Fenced,
                    Told::Unknown => Told::Unknown,
                    Told::Crashed => Told::Crashed,
                }
            }
        };
        if self.scenario.is(crate::plant::Plant::OneStopsAll) && matches!(came.event, Event::OptOut { .. }) {
            self.stop_all(w)?;
        }
        match told {
            Told::Done(answers) => self.hand_over(answers),
            // Read again, and told once: it is known by its key.
            _ if keeps.is_some() => self.happens(Span::minutes(2), Happening::Came(came)),
            _ => {}
        }
        Ok(())
    }
}

impl World {
    /// The planted bug: one asks for silence, and nobody gets anything any more.
    fn stop_all(&mut self, w: WorkspaceId) -> Held<()> {
        let stop = |enrollment: &EnrollmentId| Put {
            enrollment: *enrollment,
            event: Event::SequenceEnded,
            actor: Actor::Engine,
        };
        let puts: Vec<Put> = self.shadows.of_workspace(w).iter().map(stop).collect();
        if self.node.is_up { self.put("inbound", w, puts).map(drop) } else { Ok(()) }
    }
}

fn kept(came: &Came, key: u64, subject: Option<Subject>, now: cadenza_core::time::Time) -> Inbound {
    Inbound {
        id: MessageId(0),
        dedupe_key: format!("{key:x}"),
        source: Source::Imap,
        mailbox: None,
        received_at: now,
        message_id: None,
        from_address: None,
        subject: None,
        preview: String::new(),
        class: came.class,
        classification: "{}".into(),
        correction: None,
        corrected_by: None,
        corrected_at: None,
        matched_by: Some(MatchedBy::Reference),
        subject_of: subject,
        sequence: None,
        enrollment: Some(came.enrollment),
        visit: None,
        assigned_to: None,
        seen_at: None,
        handled_at: Some(now),
    }
}
