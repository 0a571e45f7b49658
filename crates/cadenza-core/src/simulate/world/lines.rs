//! The limiters' lines of the simulated world: who was held back stands in the published order (TIM-5) and is drawn as room
//! appears.

use super::{Item, Reactor, World};
use crate::enrollment::Phase;
use crate::machine::{Actor, Event};
use crate::pacing::{Rank, Scope};
use crate::time::Time;
use std::collections::BTreeSet;

impl World {
    /// Whoever was parked stands in the line of the limiter; the line is drawn when it opens.
    pub(super) fn stand_in_line(&mut self, who: usize) {
        let e = &self.enrollments[who];
        let Some(number) = e.parked else { return };
        let Some(place) = e.place.as_ref().filter(|p| p.phase == Phase::Due) else { return };
        let rank = Rank::new(self.sequence.priority, e.steps_executed, place.due);
        self.lines.entry(number).or_default().insert((rank.class(), place.due, who));
        if let Some(scope) = self.scopes.get(&number).copied() {
            let when = self.ledger.opens_at(scope, self.now).unwrap_or(self.now);
            self.push(when, Item::Draw(scope));
        }
    }

    pub(super) fn draw(&mut self, scope: Scope, reactor: &mut dyn Reactor) {
        while self.ledger.room(scope, self.now).is_none_or(|room| room > 0) {
            let next = self.lines.get_mut(&scope.number()).and_then(BTreeSet::pop_first);
            let Some((_, _, who)) = next else { return };
            if self.enrollments[who].parked == Some(scope.number()) {
                self.put(who, &Event::Drawn, Actor::Engine, reactor);
            }
        }
        let waiting = self.lines.get(&scope.number()).is_some_and(|line| !line.is_empty());
        let opens = self.ledger.opens_at(scope, self.now).filter(|t| *t > self.now && *t < Time::MAX);
        if let (true, Some(t)) = (waiting, opens) {
            self.push(t, Item::Draw(scope));
        }
    }
}
