//! What the clock brings: first steps, due activities, waits that end, holds that end; and the claim of an automatic send.

use super::Level;
use super::effect::{Effect, Send};
use super::turn::Turn;
use crate::calendar::Calendar;
use crate::enrollment::{BlockReason, Hold, Holds, Life, Phase, Released, SequenceState, Wait};
use crate::flow::{Channel, Condition, Outcome, Spot, Step, Then, When};
use crate::gates::{Cause, Gate, Occasion, Question, Shut, Until};
use crate::time::{Span, Time};

/// A mail counts as delivered after so long without a bounce (FLOW-3).
const SILENCE_IS_DELIVERY: Span = Span::hours(24);

impl Turn<'_> {
    pub fn wake(&mut self) {
        match self.e.life {
            Life::Pending => return self.start(),
            Life::Finished | Life::Removed => return,
            Life::Running => {}
        }
        if self.e.hold_until.is_some_and(|t| t <= self.now) {
            self.lift(Hold::OutOfOffice);
            self.say(Level::Info, "resumed_after_absence", None);
        }
        // Conditions decide even while held (FLOW-3); holds stop execution only.
        self.end_of_wait();
        if self.e.life == Life::Running && self.e.holds.is_empty() && self.e.block.is_none() && self.e.parked.is_none()
        {
            self.run_due(Turn::line_up);
        }
    }

    /// Its turn in a limiter's queue.
    pub fn drawn(&mut self) {
        self.e.parked = None;
        if self.e.life == Life::Running && self.e.holds.is_empty() && self.e.block.is_none() {
            self.run_due(Turn::claim);
        }
    }

    /// The first activity, once the sequence runs.
    fn start(&mut self) {
        let sequence = self.facts.sequence;
        let begun = sequence.begin.is_none_or(|begin| begin <= self.now);
        if sequence.state != SequenceState::Active || !begun || !self.e.holds.is_empty() {
            return;
        }
        // A jump while pending names another first step.
        let chosen = self.spot();
        match chosen.or_else(|| self.flow.first()) {
            Some(first) => {
                self.plan(first, self.now, None);
                self.because("started");
            }
            None => {
                self.e.life = Life::Running;
                self.finish(crate::enrollment::Finish::Completed, crate::flow::Verdict::None);
            }
        }
    }

    fn end_of_wait(&mut self) {
        let Some(wait) = self.e.wait.clone().filter(|_| self.sequence_runs()) else { return };
        let flow = self.flow;
        let Some(spot) = flow.spot(&wait.step) else {
            self.e.wait = None;
            return;
        };
        if let Some(silent) = silent_delivery(spot.step, &self.facts.calendar(), &wait)
            && silent <= self.now
            && let Some(condition) = spot.step.conditions.iter().find(|c| c.when == When::Delivered)
        {
            self.decided(spot, wait.visit, condition);
            return;
        }
        if wait.until > self.now {
            return;
        }
        self.nothing_met(spot, wait.visit);
    }

    /// No condition was met: what is planned goes on, or the rule's own way is taken.
    pub fn nothing_met(&mut self, spot: Spot<'_>, visit: u32) {
        self.e.wait = None;
        let rule = spot.step.nothing_rule();
        if let Some(rule) = rule {
            self.side_actions(visit, &rule.also);
        }
        if self.e.place.is_none() {
            let then = rule.map_or(Then::Next, |r| r.then.clone());
            self.take_way(&then, spot, self.now, crate::enrollment::Finish::Rule);
        }
        self.because("no_condition_met");
    }

    fn run_due(&mut self, go: fn(&mut Self)) {
        let Some(place) = self.e.place.as_ref() else { return };
        let due = place.due <= self.now || place.released != Released::No;
        match place.phase {
            Phase::Executing => {}
            Phase::Waiting if !due => {}
            Phase::Waiting | Phase::Due => {
                let Some(spot) = self.spot() else {
                    self.hold(Hold::Rule);
                    return self.say(Level::Error, "no_such_step", None);
                };
                if spot.step.kind.is_automatic() {
                    if self.is_overdue() {
                        self.hold(Hold::Overdue);
                        return self.say(Level::Warning, "overdue", None);
                    }
                    go(self);
                } else if place_is_waiting(self.phase()) {
                    self.show_task();
                } else {
                    self.send_again_by_hand();
                }
            }
        }
    }

    /// A person's message that a server put off is tried again when its moment comes, in the person's words.
    fn send_again_by_hand(&mut self) {
        let again = self.e.place.as_ref().and_then(|p| p.not_before).is_some_and(|t| t <= self.now);
        if !again {
            return;
        }
        match self.first_shut(Occasion::FinalMark) {
            Some(shut) => self.react(shut),
            None => self.attempt_send(),
        }
    }

    /// A manual activity becomes a task inside the window.
    fn show_task(&mut self) {
        if let Some(shut) = self.first_shut(Occasion::Claim) {
            return self.react(shut);
        }
        if let Some(place) = self.e.place.as_mut() {
            place.phase = Phase::Due;
            self.effects.push(Effect::Appear { visit: place.visit, at: self.now });
        }
        self.because("task_due");
    }

    /// Claims at once where nothing limits, or every limit has room for all who could want it; else stands in line first, so
    /// that what competes goes in the published order.
    fn line_up(&mut self) {
        if let Some(shut) = self.first_shut(Occasion::Claim) {
            return self.react(shut);
        }
        let Some(spot) = self.spot() else { return };
        let mailbox = self.mailbox_of(spot.step).map(|(id, _)| id);
        let scopes = self.facts.scopes_for(&self.e, spot.step, mailbox);
        let ledger = self.facts.ledger;
        match scopes.into_iter().find(|s| ledger.has(*s) && !ledger.is_wide(*s, self.now)) {
            Some(scope) => {
                self.become_due();
                self.e.parked = Some(scope.number());
                self.because("lined_up");
            }
            None => self.claim(),
        }
    }

    /// Records the intent to send, with the room it uses.
    pub fn claim(&mut self) {
        if let Some(shut) = self.first_shut(Occasion::Claim) {
            return self.react(shut);
        }
        self.attempt_send();
    }

    /// The attempt itself, its gates being open.
    pub fn attempt_send(&mut self) {
        let Some(spot) = self.spot() else { return };
        let channel = spot.step.kind.channel();
        let Some(to) = self.facts.address_for(spot.step).map(|a| a.value.clone()) else { return };
        let mailbox = if channel == Channel::Email { self.mailbox_of(spot.step).map(|(id, _)| id) } else { None };
        let scopes = self.facts.scopes_for(&self.e, spot.step, mailbox);
        self.e.mailbox = mailbox.or(self.e.mailbox);
        self.e.parked = None;
        let Some(place) = self.e.place.as_mut() else { return };
        place.phase = Phase::Executing;
        place.attempt += 1;
        place.not_before = None;
        let (visit, attempt) = (place.visit, place.attempt);
        let variant = spot.step.variant_for(&self.e, visit).map_or_else(|| spot.step.key.clone(), |v| v.key.clone());
        self.effects.push(Effect::Send(Send {
            visit,
            attempt,
            channel,
            to,
            mailbox,
            step: spot.step.key.clone(),
            revision: spot.step.revision,
            variant,
            same_thread: spot.step.content.same_thread,
            scopes,
        }));
        self.because("claimed");
    }

    pub fn mailbox_of(&self, step: &Step) -> Option<(crate::ids::MailboxId, bool)> {
        self.facts.mailbox_for(&self.e, step).map(|m| (m.id, m.sandbox))
    }

    pub fn first_shut(&self, occasion: Occasion) -> Option<Shut> {
        let question = Question { enrollment: &self.e, flow: self.flow, facts: self.facts, now: self.now, occasion };
        question.first_shut()
    }

    fn become_due(&mut self) {
        if let Some(place) = self.e.place.as_mut().filter(|p| p.phase == Phase::Waiting) {
            place.phase = Phase::Due;
            self.effects.push(Effect::Appear { visit: place.visit, at: self.now });
        }
    }

    /// What a shut gate does to the current activity.
    pub fn react(&mut self, shut: Shut) {
        match shut.gate {
            Gate::MissingData => {
                self.become_due();
                let (block, detail) = match &shut.cause {
                    Cause::MissingField(field) => (BlockReason::MissingField, Some(field.clone())),
                    _ => (BlockReason::MissingAddress, None),
                };
                self.block(block, detail);
            }
            Gate::Mailbox => {
                self.become_due();
                let detail = if let Cause::MailboxHeld { why, .. } = &shut.cause { Some(why.clone()) } else { None };
                self.block(BlockReason::Mailbox, detail);
            }
            Gate::Suppression => self.skip_as("skipped_suppressed"),
            Gate::Absence if matches!(shut.cause, Cause::SkippedWhileAway(_)) => self.skip_as("skipped_while_away"),
            _ => {
                if matches!(
                    shut.gate,
                    Gate::InboxFreshness | Gate::SequenceLimiter | Gate::ContactCap | Gate::MailboxCap
                ) || matches!(shut.gate, Gate::DomainCap | Gate::WorkspaceCap)
                {
                    self.become_due();
                    self.e.parked = self.queue_of(&shut);
                }
                match shut.until {
                    Until::At(t) => self.look_again = Some(self.look_again.map_or(t, |l| l.max(t))),
                    Until::Mended | Until::Never => self.no_clock = true,
                }
                self.because(shut.gate.as_str());
            }
        }
    }

    fn queue_of(&self, shut: &Shut) -> Option<i64> {
        if let Some(scope) = shut.scope {
            return Some(scope.number());
        }
        // A stale inbox: in line at its mailbox, drawn once it was read.
        let step = self.spot()?.step;
        let (mailbox, _) = self.mailbox_of(step)?;
        Some(crate::pacing::Scope { kind: crate::pacing::ScopeKind::MailboxGap, of: mailbox.0 }.number())
    }

    /// A step to a suppressed address ends as skipped, and the flow goes on (SND-9); so does one whose owner is away and wants
    /// it so (TIM-7).
    pub fn skip_as(&mut self, cause: &'static str) {
        let (Some(spot), Some(place)) = (self.spot(), self.e.place.as_ref()) else { return };
        let visit = place.visit;
        self.close(visit, Outcome::Skipped);
        self.say(Level::Info, cause, None);
        self.go_on_after_skip(spot);
    }

    pub fn go_on_after_skip(&mut self, spot: Spot<'_>) {
        self.e.place = None;
        self.go_on(spot, self.now);
    }

    /// Could it have gone out long ago had the server run (TIM-6)?
    fn is_overdue(&self) -> bool {
        let (Some(outage), Some(place)) = (self.facts.around.outage, self.e.place.as_ref()) else { return false };
        if place.released != Released::No || place.due > outage.to || place.phase != Phase::Waiting {
            return false;
        }
        let from = place.due.max(outage.from);
        let ready = self.facts.calendar().next_open(from).unwrap_or(Time::MAX);
        ready < outage.to && self.now - ready > Span::hours(i64::from(self.facts.settings().overdue_hours))
    }

    /// Puts due work back before the clock after something was lifted or mended.
    pub fn look_now(&mut self) {
        self.no_clock = false;
        self.look_again = None;
        if self.e.holds == Holds::NONE {
            self.e.parked = None;
        }
    }
}

/// When silence makes a mail delivered, where a condition waits for that and time is left for it.
pub(crate) fn silent_delivery(step: &Step, calendar: &Calendar, wait: &Wait) -> Option<Time> {
    let at = wait.sent_at + SILENCE_IS_DELIVERY;
    let condition = step.conditions.iter().find(|c| c.when == When::Delivered)?;
    let deadline = deadline(calendar, condition, wait.sent_at, wait.until);
    (deadline >= at && at < wait.until).then_some(at)
}

/// Until when a condition may be met.
pub(super) fn deadline(calendar: &Calendar, condition: &Condition, sent_at: Time, otherwise: Time) -> Time {
    match &condition.within {
        Some(within) => calendar.after(sent_at, *within).unwrap_or(otherwise),
        None => otherwise,
    }
}

fn place_is_waiting(phase: Option<Phase>) -> bool {
    phase == Some(Phase::Waiting)
}
