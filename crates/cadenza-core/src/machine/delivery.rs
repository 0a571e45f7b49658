//! What becomes of an attempt to send: the last question before the final dot, and the server's answer after it.

use super::Level;
use super::effect::{Effect, Settled, SuppressWhat, SuppressWhy};
use super::event::Fault;
use super::refusal::Refusal;
use super::turn::Turn;
use crate::enrollment::{BlockReason, Finish, Life, Phase, Wait};
use crate::facts::Attempt;
use crate::flow::{Channel, Condition, Outcome, Spot, Then, Verdict, When};
use crate::gates::Occasion;
use crate::time::Time;

/// Temporary refusals of one visit before the step counts as failed; with the sender's backoff about three days.
const TRIES_MAX: u32 = 16;

impl Turn<'_> {
    /// Asks every gate of INV-1 and INV-2 a last time.
    pub fn dot_mark(&mut self, visit: u32, attempt: u32) -> Result<(), Refusal> {
        if !self.is_current(visit, attempt) || self.facts.attempt != Attempt::Claimed || self.e.life != Life::Running {
            return Err(Refusal::AttemptOver);
        }
        match self.first_shut(Occasion::FinalMark) {
            None => self.effects.push(Effect::Permit { visit, attempt }),
            Some(shut) => {
                self.withdraw();
                self.react(shut);
            }
        }
        Ok(())
    }

    pub fn sent(&mut self, visit: u32, attempt: u32) -> Result<(), Refusal> {
        // No dot was written before the mark, so no server can have taken it.
        if !self.is_current(visit, attempt) || self.facts.attempt == Attempt::Claimed {
            return Err(Refusal::AttemptOver);
        }
        self.settle(visit, attempt, Settled::Sent, String::new());
        self.clear_block();
        self.count_as_sent(visit);
        Ok(())
    }

    /// The message of the current activity is out: notes it, and goes on where the enrollment still lives.
    pub fn count_as_sent(&mut self, visit: u32) {
        let Some(spot) = self.spot() else { return };
        let now = self.now;
        self.e.place = None;
        let automatic = spot.step.kind.is_automatic();
        let outcome = if automatic { Outcome::Sent } else { Outcome::Done };
        self.executed(spot, visit, outcome.clone(), now);
        if self.e.life != Life::Running {
            self.cause = Some("noted_after_end");
            return;
        }
        if automatic {
            return self.after_sent(spot, visit, now);
        }
        if let Some((then, also)) = spot.step.rule_for(&outcome) {
            self.side_actions(visit, also);
            self.take_way(&then, spot, now, Finish::Rule);
        } else {
            self.go_on(spot, now);
        }
    }

    /// Opens the step's conditions, or plans the next step at once where it has none.
    fn after_sent(&mut self, spot: Spot<'_>, visit: u32, at: Time) {
        let rule = spot.step.nothing_rule();
        if rule.is_none() && spot.step.waits().next().is_none() {
            return self.go_on(spot, at);
        }
        let longest = spot.step.waits().map(|(_, c)| self.deadline(c, at, at)).max().unwrap_or(at);
        let until = rule.map_or(longest, |r| self.deadline(r, at, longest));
        self.e.wait =
            Some(Wait { branch: spot.branch.key.clone(), step: spot.step.key.clone(), visit, sent_at: at, until });
        let (next, delay) = match rule.map_or(&Then::Next, |r| &r.then) {
            Then::Next => (spot.next(), None),
            Then::Step { step, delay } => (self.flow.spot(step), *delay),
            Then::Branch { branch, delay } => (self.flow.start_of_branch(branch), *delay),
            Then::End(_) | Then::Pause | Then::OptOut => (None, None),
        };
        let Some(next) = next else { return };
        let due = self.due_after_wait(next, at, delay, until);
        self.plan_at(next, at, delay, due);
    }

    /// The later of the delay and the end of the wait, inside the window (FLOW-3).
    pub fn due_after_wait(
        &self,
        next: Spot<'_>,
        sent_at: Time,
        delay: Option<crate::calendar::Delay>,
        until: Time,
    ) -> Time {
        let calendar = self.facts.calendar();
        let wanted = delay.unwrap_or(next.step.content.delay);
        let after = calendar.after(sent_at, wanted).unwrap_or(sent_at).max(until);
        calendar.next_open(after).unwrap_or(after)
    }

    pub fn deferred(&mut self, visit: u32, attempt: u32, not_before: Time, detail: &str) -> Result<(), Refusal> {
        if !self.is_current(visit, attempt) || self.is_unknown() {
            return Err(Refusal::AttemptOver);
        }
        self.settle(visit, attempt, Settled::Deferred, detail.to_owned());
        let now = self.now;
        if !self.e.is_live() {
            self.close(visit, Outcome::Cancelled);
        }
        let Some(place) = self.e.place.as_mut() else { return Ok(()) };
        place.phase = Phase::Due;
        place.tries += 1;
        place.not_before = Some(not_before.max(now));
        let tries = place.tries;
        if self.e.life != Life::Running {
            self.cause = Some("noted_after_end");
        } else if tries >= TRIES_MAX {
            self.fail(visit, detail);
        } else {
            self.say(Level::Warning, "tried_again", Some(detail.to_owned()));
        }
        Ok(())
    }

    pub fn refused(&mut self, visit: u32, attempt: u32, fault: Fault, detail: &str) -> Result<(), Refusal> {
        if !self.is_current(visit, attempt) || self.is_unknown() {
            return Err(Refusal::AttemptOver);
        }
        self.settle(visit, attempt, Settled::Refused, detail.to_owned());
        if !self.e.is_live() {
            self.close(visit, Outcome::Failed);
            self.cause = Some("noted_after_end");
        }
        if let Some(place) = self.e.place.as_mut() {
            place.phase = Phase::Due;
        }
        match fault {
            Fault::Sender => {
                if let Some(mailbox) = self.e.mailbox {
                    self.effects.push(Effect::HoldMailbox { mailbox, detail: detail.to_owned() });
                }
                if self.e.life == Life::Running {
                    self.block(BlockReason::Mailbox, Some(detail.to_owned()));
                }
            }
            Fault::Message if self.e.life == Life::Running => self.fail(visit, detail),
            Fault::Message => {}
            Fault::Recipient => self.refused_recipient(visit, detail),
        }
        Ok(())
    }

    /// The address takes no mail: bounced, unless the step's own condition knows a way on (FLOW-8).
    fn refused_recipient(&mut self, visit: u32, detail: &str) {
        let by_text = self.spot().is_some_and(|s| s.step.kind.channel() == Channel::Text);
        if by_text {
            self.suppress(SuppressWhat::Phone { visit: Some(visit) }, SuppressWhy::HardBounce);
        } else {
            self.e.bounced = true;
            self.suppress(SuppressWhat::Email { visit: Some(visit) }, SuppressWhy::HardBounce);
        }
        if self.e.life != Life::Running {
            return;
        }
        self.detail = Some(detail.to_owned());
        let Some(spot) = self.spot() else { return };
        let own = condition_on(spot, &When::Bounced).or_else(|| condition_on(spot, &When::Failed));
        match own {
            Some(condition) => self.fail_by(spot, visit, condition),
            None if by_text => self.fail(visit, detail),
            None => {
                self.close(visit, Outcome::Failed);
                self.e.place = None;
                self.finish(Finish::Bounced, Verdict::None);
            }
        }
    }

    /// The step failed for good: its own condition decides, else a person must.
    fn fail(&mut self, visit: u32, detail: &str) {
        let Some(spot) = self.spot() else { return };
        match condition_on(spot, &When::Failed) {
            Some(condition) => self.fail_by(spot, visit, condition),
            None => self.block(BlockReason::StepFailed, Some(detail.to_owned())),
        }
    }

    fn fail_by(&mut self, spot: Spot<'_>, visit: u32, condition: &Condition) {
        self.close(visit, Outcome::Failed);
        self.e.place = None;
        self.side_actions(visit, &condition.also);
        self.take_way(&condition.then, spot, self.now, Finish::Rule);
        self.say(Level::Warning, "failed_by_condition", None);
    }

    pub fn unknown(&mut self, visit: u32, attempt: u32, detail: &str) -> Result<(), Refusal> {
        // Before the mark it is known: it was never offered whole.
        if !self.is_current(visit, attempt) || self.facts.attempt == Attempt::Claimed || self.is_unknown() {
            return Err(Refusal::AttemptOver);
        }
        self.settle(visit, attempt, Settled::Unknown, detail.to_owned());
        self.block(BlockReason::DeliveryUnknown, Some(detail.to_owned()));
        if !self.e.is_live() {
            // Nobody needs to look now; reopened, it will not send that message again by itself.
            self.level = Level::Info;
        }
        Ok(())
    }

    /// The sender gave the attempt back without its dot, so nothing was accepted, marked or not.
    pub fn returned(&mut self, visit: u32, attempt: u32) -> Result<(), Refusal> {
        if !self.is_current(visit, attempt) || self.is_unknown() {
            return Err(Refusal::AttemptOver);
        }
        self.effects.push(Effect::Withdraw { visit, attempt });
        if !self.e.is_live() {
            self.close(visit, Outcome::Cancelled);
        }
        let now = self.now;
        let by_hand = self.spot().is_some_and(|s| !s.step.kind.is_automatic());
        if let Some(place) = self.e.place.as_mut() {
            place.phase = Phase::Due;
            // A person's message goes again by itself; without a moment it would wait for the person.
            place.not_before = by_hand.then_some(now);
        }
        self.cause = Some(if self.e.life == Life::Running { "returned" } else { "noted_after_end" });
        Ok(())
    }

    pub fn not_composed(
        &mut self,
        visit: u32,
        attempt: u32,
        missing_field: Option<&str>,
        detail: &str,
    ) -> Result<(), Refusal> {
        if !self.is_current(visit, attempt) || self.facts.attempt != Attempt::Claimed {
            return Err(Refusal::AttemptOver);
        }
        self.withdraw();
        match missing_field {
            Some(field) => self.block(BlockReason::MissingField, Some(field.to_owned())),
            None => self.block(BlockReason::StepFailed, Some(detail.to_owned())),
        }
        Ok(())
    }

    pub fn settle(&mut self, visit: u32, attempt: u32, how: Settled, detail: String) {
        self.effects.push(Effect::Settle { visit, attempt, how, detail });
    }

    /// Evidence that carries the send's own token: an unknown delivery was delivered (REC-11).
    pub fn settle_by_evidence(&mut self, visit: Option<u32>) {
        let Some(place) = self.e.place.as_ref() else { return };
        if self.e.block != Some(BlockReason::DeliveryUnknown) || visit != Some(place.visit) {
            return;
        }
        let (visit, attempt) = (place.visit, place.attempt);
        self.settle(visit, attempt, Settled::Sent, "settled by what came back".into());
        self.clear_block();
        self.count_as_sent(visit);
    }
}

fn condition_on<'a>(spot: Spot<'a>, when: &When) -> Option<&'a Condition> {
    spot.step.conditions.iter().find(|c| c.when == *when)
}
