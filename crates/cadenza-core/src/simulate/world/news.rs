//! What a decision comes to in the simulated world: rows that are not there become facts of people and mailboxes, attempts
//! become messages, and whoever may react is asked.

use super::{Done, Happened, Item, Moment, Moved, Reactor, ServerSays, World};
use crate::enrollment::Enrollment;
use crate::facts::{Address, Attempt};
use crate::machine::{Actor, Decision, Effect, Event, Send, Settled, Spread, SuppressWhat, SuppressWhy};
use crate::time::{Span, Time};

/// From the claim to the server's answer.
const DELIVERY_TAKES: Span = Span::seconds(2);

type News = Vec<(Time, Event, Actor)>;

impl World {
    pub(super) fn take_in(&mut self, who: usize, event: &Event, decision: Decision, reactor: &mut dyn Reactor) {
        let before = self.enrollments[who].clone();
        let changed = before != decision.enrollment || !decision.effects.is_empty();
        let version = before.version + 1;
        let mut after = decision.enrollment;
        after.version = version;
        self.enrollments[who] = after;
        let mut news = Vec::new();
        if changed {
            let mut done = None;
            for effect in &decision.effects {
                self.effect(who, effect);
                news.extend(self.reactions(who, effect, &before, event, reactor));
                done = ended_activity(effect, &before).or(done);
            }
            self.line(who, event, decision.cause, done);
        }
        // A look that changed nothing still may name when to look again.
        if let Some(t) = decision.wake_at {
            self.push(t, Item::Wake { who, version });
        }
        if changed {
            self.stand_in_line(who);
        }
        for (when, event, actor) in news {
            self.at(when, who, event, actor);
        }
    }

    fn effect(&mut self, who: usize, effect: &Effect) {
        match effect {
            Effect::Send(send) => self.record(who, send),
            Effect::Permit { .. } => self.attempts[who] = Attempt::Marked,
            Effect::Withdraw { .. } => {
                self.attempts[who] = Attempt::None;
                self.give_back(who);
            }
            Effect::Settle { how, .. } => {
                self.attempts[who] = Attempt::None;
                if matches!(how, Settled::Deferred | Settled::Refused) {
                    self.give_back(who);
                } else {
                    self.claims.remove(&who);
                }
            }
            Effect::Suppress { what, why } => self.suppress(who, *what, *why),
            Effect::Spread(Spread::Colleagues(event)) => {
                let company = self.companies.0.get(&who).and_then(|c| self.companies.1.get(c));
                for other in company.into_iter().flatten().copied().filter(|o| *o != who).collect::<Vec<_>>() {
                    self.at(self.now, other, event.clone(), Actor::Engine);
                }
            }
            Effect::HoldMailbox { mailbox, detail } => {
                let mut all = self.around.mailboxes.iter_mut();
                if let Some(held) = all.find(|m| m.id == *mailbox) {
                    held.held = Some(detail.clone());
                }
            }
            _ => {}
        }
    }

    fn record(&mut self, who: usize, send: &Send) {
        self.ledger.take(&send.scopes, self.now, self.enrollments[who].id.0 as u64 ^ u64::from(send.visit));
        self.claims.insert(who, (send.scopes.clone(), self.now));
        self.sent_to.insert((who, send.visit), send.to.clone());
        self.attempts[who] = Attempt::Claimed;
        let item = Item::Deliver { who, visit: send.visit, attempt: send.attempt };
        self.push(self.now + DELIVERY_TAKES, item);
    }

    fn give_back(&mut self, who: usize) {
        if let Some((scopes, then)) = self.claims.remove(&who) {
            self.ledger.give_back(&scopes, then);
        }
    }

    fn suppress(&mut self, who: usize, what: SuppressWhat, why: SuppressWhy) {
        let (emails, phones, visit) = match what {
            SuppressWhat::Email { visit } => (true, false, visit),
            SuppressWhat::Phone { visit } => (false, true, visit),
            SuppressWhat::Everything => (true, true, None),
        };
        let only = visit.and_then(|v| self.sent_to.get(&(who, v)));
        let fits = |address: &Address| only.is_none_or(|sent| *sent == address.value);
        let person = &mut self.people[who].person;
        let emails = person.emails.iter_mut().filter(|_| emails);
        let phones = person.phones.iter_mut().filter(|_| phones);
        for address in emails.chain(phones).filter(|a| fits(a)) {
            address.suppressed = Some(why.as_str().into());
        }
    }

    fn reactions(
        &self,
        who: usize,
        effect: &Effect,
        before: &Enrollment,
        event: &Event,
        reactor: &mut dyn Reactor,
    ) -> News {
        let place = self.enrollments[who].place.as_ref();
        let happened = match effect {
            Effect::Settle { visit, how: Settled::Sent, .. } if matches!(event, Event::Sent { .. }) => {
                let spot = before.place.as_ref().and_then(|p| self.flow.spot(&p.step));
                spot.map(|s| Happened::Sent { step: s.step, visit: *visit })
            }
            Effect::Appear { visit, .. } => {
                let spot = place.and_then(|p| self.flow.spot(&p.step)).filter(|s| !s.step.kind.is_automatic());
                spot.map(|s| Happened::TaskDue { step: s.step, visit: *visit })
            }
            _ => None,
        };
        let Some(happened) = happened else { return Vec::new() };
        reactor.react(&Moment { now: self.now, who, enrollment: &self.enrollments[who], happened })
    }

    fn line(&mut self, who: usize, event: &Event, cause: Option<&'static str>, done: Option<Done>) {
        let e = &self.enrollments[who];
        let (state, reason) = e.state(self.sequence.state);
        self.timeline.push(Moved {
            at: self.now,
            who,
            event: event.name(),
            cause,
            step: e.place.as_ref().map(|p| p.step.to_string()),
            visit: e.place.as_ref().map_or(e.last_visit, |p| p.visit),
            state,
            reason,
            next_at: e.next_action_on(),
            done,
        });
    }

    pub(super) fn deliver(&mut self, who: usize, visit: u32, attempt: u32, reactor: &mut dyn Reactor) {
        let place = self.enrollments[who].place.as_ref();
        if place.is_none_or(|p| (p.visit, p.attempt) != (visit, attempt)) || self.attempts[who] != Attempt::Claimed {
            return;
        }
        self.put(who, &Event::DotMark { visit, attempt }, Actor::Engine, reactor);
        if self.attempts[who] != Attempt::Marked {
            return;
        }
        let detail = "simulated".to_owned();
        let result = match reactor.answer(who, visit, attempt) {
            ServerSays::Taken => Event::Sent { visit, attempt },
            ServerSays::Later(after) => Event::Deferred { visit, attempt, not_before: self.now + after, detail },
            ServerSays::Refused(fault) => Event::Refused { visit, attempt, fault, detail },
            ServerSays::Nothing => Event::Unknown { visit, attempt, detail },
        };
        self.put(who, &result, Actor::Server, reactor);
    }
}

/// The activity that stood before and ends by this effect.
fn ended_activity(effect: &Effect, before: &Enrollment) -> Option<Done> {
    let Effect::Close { visit, outcome, .. } = effect else { return None };
    let place = before.place.as_ref().filter(|p| p.visit == *visit)?;
    Some(Done { step: place.step.clone(), visit: *visit, outcome: outcome.clone() })
}
