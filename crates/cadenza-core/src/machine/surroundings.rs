//! What the surroundings bring: the list, the end of the sequence, edits of the flow, mended data, absences.

use super::Level;
use super::effect::Effect;
use super::operations::first_place;
use super::refusal::Refusal;
use super::turn::Turn;
use crate::absence::Meanwhile;
use crate::enrollment::{BlockReason, Finish, Hold, Life, Phase, Released};
use crate::flow::{Key, Spot, Verdict, When};
use crate::gates::{Gate, Occasion, Question};
use crate::settings::{BlockedGoesOn, OnReply, OptOutSuppresses};

impl Turn<'_> {
    pub fn left_list(&mut self) {
        if self.e.is_live() {
            self.hold(Hold::LeftList);
        }
    }

    pub fn back_on_list(&mut self) {
        if self.e.holds.has(Hold::LeftList) {
            self.lift(Hold::LeftList);
            self.after_lifting();
        }
    }

    /// Where the sequence was reopened before this reached everybody, those whom it did not reach go on.
    pub fn sequence_ended(&mut self) {
        if self.e.is_live() && self.sequence_is_over() {
            self.finish(Finish::SequenceEnded, Verdict::None);
        }
    }

    /// Leads back whom the end of the sequence had finished, but for what came in since: whoever answered or opted out
    /// after the end gets no further step (INV-1).
    pub fn sequence_reopened(&mut self) {
        let ended = self.e.life == Life::Finished && self.e.finish == Some(Finish::SequenceEnded);
        if !ended || self.sequence_is_over() {
            return;
        }
        let answered = self.e.last_reply_at.is_some_and(|at| Some(at) >= self.e.finished_at);
        if self.e.mark.is_none()
            && let Some(finish) = self.ended_since(answered)
        {
            self.e.finish = Some(finish);
            return;
        }
        if self.reopen_unless_judged().is_err() {
            self.say(Level::Info, "newer_live_enrollment", None);
        } else if answered && self.e.is_live() && self.facts.settings().reply == OnReply::Pause {
            self.hold(Hold::Reply);
        }
    }

    /// What would have ended it had it been live when that came in.
    fn ended_since(&self, answered: bool) -> Option<Finish> {
        let settings = self.facts.settings();
        // Of somebody who opted out of one channel and was live still, the steps on others went on by this setting. An
        // opt-out of everything leaves no address.
        let person = self.facts.person;
        let reachable = || person.emails.iter().chain(&person.phones).any(|address| address.suppressed.is_none());
        let others_go_on = settings.opt_out_suppresses == OptOutSuppresses::AddressOtherChannelsGoOn && reachable();
        // A bounce that did not end it was decided by a condition of its flow.
        let bounces_decide = || self.flow.steps().flat_map(|s| &s.conditions).any(|c| c.when == When::Bounced);
        if self.e.opted_out && !others_go_on {
            Some(Finish::OptedOut)
        } else if answered && settings.reply == OnReply::Stop {
            Some(Finish::Replied)
        } else if self.e.bounced && !bounces_decide() {
            Some(Finish::Bounced)
        } else {
            None
        }
    }

    /// Moves to another version of the flow, which is the one this turn reads. Nobody gets a step twice by it: a step that
    /// is still there keeps its activity, one that is gone gives way to where the plan said to go on (SEQ-9). What has not
    /// begun begins where the plan says.
    pub fn move_to_version(&mut self, version: u32, stand: Option<&Key>) -> Result<(), Refusal> {
        if !self.e.is_live() {
            return Ok(());
        }
        let flow = self.flow;
        let gone = self.e.place.is_some() && self.spot().is_none();
        if gone && self.is_under_way() && self.is_marked() {
            return Err(self.not_while("moving to another version", ": its message is being sent"));
        }
        self.e.flow_version = version;
        // What the message's conditions would have led to is gone with its step.
        let wait_gone = self.e.wait.as_ref().is_some_and(|w| flow.spot(&w.step).is_none());
        if wait_gone {
            self.e.wait = None;
        }
        if let (Some(spot), Some(place)) = (self.spot(), self.e.place.as_mut()) {
            place.branch = spot.branch.key.clone();
        }
        let begins = self.e.life == Life::Pending && stand.is_some();
        if gone || begins || (wait_gone && self.e.place.is_none()) {
            self.stand_at(stand.and_then(|key| flow.spot(key)));
        }
        Ok(())
    }

    /// Goes on at the step that the plan of an edit named, or is at its end where it named none.
    fn stand_at(&mut self, spot: Option<Spot<'_>>) {
        if self.e.life == Life::Pending {
            self.e.place = spot.map(|s| first_place(s, self.now));
            return;
        }
        let old = self.e.place.as_ref().map(|p| (p.base, p.due));
        self.drop_planned();
        let (base, due) = old.unwrap_or((self.e.last_action_at.unwrap_or(self.now), self.now));
        match spot {
            Some(spot) => self.plan_at(spot, base, None, due.max(self.now)),
            None => self.finish(Finish::Completed, Verdict::None),
        }
    }

    /// Content or timing was edited: a due date that has not come follows (ENR-12).
    pub fn retimed(&mut self) {
        if !self.e.is_live() {
            return;
        }
        let Some(spot) = self.spot() else { return };
        let Some(place) = self.e.place.clone().filter(|p| p.visit > 0) else { return };
        let owner = self.facts.owner_of(&self.e, spot.step);
        self.effects.push(Effect::Own { visit: place.visit, owner });
        // A task stays once it has appeared (TIM-1), and what a person moved up stays there; a mail in a queue follows.
        let mends_itself = self.e.block.is_none_or(BlockReason::mends_itself);
        let may_follow = match place.phase {
            Phase::Waiting => true,
            Phase::Due => spot.step.kind.is_automatic() && mends_itself,
            Phase::Executing => false,
        };
        if !may_follow || place.released != Released::No {
            return;
        }
        let base = place.base;
        let due = match self.e.wait.as_ref().map(|w| w.until) {
            Some(until) => self.due_after_wait(spot, base, place.delay, until),
            None => self.due_after_wait(spot, base, place.delay, base),
        };
        if due == place.due || (place.phase == Phase::Due && due <= self.now) {
            return;
        }
        if let Some(p) = self.e.place.as_mut() {
            p.due = due;
            p.phase = Phase::Waiting;
        }
        self.e.parked = None;
        self.effects.push(Effect::Redue { visit: place.visit, due });
    }

    /// What blocked may be mended: asks again, and goes on by itself where the workspace lets it. Whoever stands in the line
    /// of a limiter that the present address does not use is looked at anew.
    pub fn mended(&mut self) {
        if self.stands_in_a_wrong_line() {
            self.e.parked = None;
            return self.look_now();
        }
        let Some(block) = self.e.block.filter(|b| b.mends_itself()) else { return };
        if !self.e.is_live() || self.facts.settings().blocked_goes_on == BlockedGoesOn::ByRetry {
            return;
        }
        let occasion = Occasion::Claim;
        let question = Question { enrollment: &self.e, flow: self.flow, facts: self.facts, now: self.now, occasion };
        let still = match block {
            BlockReason::Mailbox => question.ask(Gate::Mailbox),
            _ => question.ask(Gate::MissingData),
        };
        if still.is_some() {
            return;
        }
        self.clear_block();
        self.look_now();
        self.say(Level::Info, "mended", None);
    }

    fn stands_in_a_wrong_line(&self) -> bool {
        let (Some(parked), Some(spot)) = (self.e.parked, self.spot()) else { return false };
        let mailbox = self.mailbox_of(spot.step).map(|(id, _)| id);
        self.facts.scopes_for(&self.e, spot.step, mailbox).iter().all(|scope| scope.number() != parked)
    }

    /// The owner of the current step went away: it waits, is somebody else's, or is skipped, as they wanted (TIM-7). What is
    /// planned later is kept by its gate when it is due.
    pub fn absence_began(&mut self) {
        if self.e.life != Life::Running {
            return;
        }
        let Some(spot) = self.spot() else { return };
        if self.is_held_away(spot) {
            self.hold(Hold::Absence);
            self.because("held_while_away");
        }
        match self.facts.meanwhile(&self.e, spot.step) {
            Some((_, Meanwhile::Skip)) if self.is_open_task(spot) => self.skip_as("skipped_while_away"),
            Some((_, Meanwhile::Delegate(_))) => {
                self.give_to_owner(spot);
                self.because("handed_over");
            }
            _ => {}
        }
    }

    /// Does the step wait for somebody who is away?
    pub fn is_held_away(&self, spot: Spot<'_>) -> bool {
        let away = self.facts.held_by(&self.e, spot.step);
        away.is_some_and(|away| away.until.is_none_or(|until| until > self.now))
    }

    /// A task that a person could do at this moment.
    fn is_open_task(&self, spot: Spot<'_>) -> bool {
        let free = self.e.holds.is_empty() && self.e.block.is_none() && self.sequence_runs();
        free && !spot.step.kind.is_automatic() && self.phase() == Some(Phase::Due)
    }

    /// Somebody is back: what waited for them goes on, and what was handed over is theirs again.
    pub fn absence_ended(&mut self) {
        let spot = self.spot();
        let held = spot.is_some_and(|spot| self.is_held_away(spot));
        if let Some(spot) = spot {
            self.give_to_owner(spot);
        }
        if held {
            return;
        }
        if self.e.holds.has(Hold::Absence) {
            self.lift(Hold::Absence);
            self.after_lifting();
        } else if self.e.life == Life::Running && self.e.parked.is_none() {
            // Its gate may have been shut without a moment at which it opens.
            self.look_now();
        }
    }

    fn give_to_owner(&mut self, spot: Spot<'_>) {
        let running = self.e.life == Life::Running;
        let Some(visit) = self.e.place.as_ref().map(|p| p.visit).filter(|v| running && *v > 0) else { return };
        let owner = self.facts.owner_of(&self.e, spot.step);
        self.effects.push(Effect::Own { visit, owner });
    }
}
