//! What people do to an enrollment (SPEC §7, OPS-13): each operation in each state does what the table says, or is refused
//! with a code that names the state. Asked for twice, it answers done.

use super::effect::{Effect, Settled, SuppressWhat, SuppressWhy};
use super::event::{Answer, DueChoice, StopReason, Target};
use super::refusal::Refusal;
use super::turn::Turn;
use crate::enrollment::{BlockReason, Finish, Hold, Holds, Life, Mark, Phase, Place, Released, SequenceState, State};
use crate::flow::{Channel, Outcome, Spot, StepKind, Then, Verdict};
use crate::ids::{MailboxId, UserId};

impl<'a> Turn<'a> {
    pub fn enroll_again(&mut self) -> Result<(), Refusal> {
        if self.e.life != Life::Removed {
            return Err(self.not_while("enrolling", ""));
        }
        if self.e.finish.is_some() {
            return Err(self.not_while("resuming", ": it had finished, so it can only be enrolled anew"));
        }
        if self.sequence_is_over() {
            return Err(self.not_while("enrolling", ": the sequence has ended"));
        }
        self.reopen(None)
    }

    pub fn pause(&mut self) -> Result<(), Refusal> {
        if !self.e.is_live() {
            return Err(self.not_while("pausing", ""));
        }
        self.hold(Hold::Manual);
        Ok(())
    }

    pub fn resume(&mut self) -> Result<(), Refusal> {
        match self.state() {
            State::Paused => {}
            State::Blocked => return Err(self.not_while("resuming", ": use Retry")),
            State::Finished => return Err(self.not_while("resuming", ": use Reactivate")),
            _ => return Err(self.not_while("resuming", "")),
        }
        let stays = Holds::of(Hold::LeftList);
        if self.e.holds == stays {
            return Err(self.not_while("resuming", ": put the contact back on the list"));
        }
        let left_list = self.e.holds.has(Hold::LeftList);
        if self.e.holds.has(Hold::Overdue) {
            self.let_go();
        }
        self.e.holds = if left_list { stays } else { Holds::NONE };
        self.e.hold_until = None;
        self.after_lifting();
        Ok(())
    }

    /// With the last hold gone, an enrollment with nothing planned looks for what is next.
    pub fn after_lifting(&mut self) {
        let idle = self.e.place.is_none() && self.e.wait.is_none();
        if self.e.life != Life::Running || !self.e.holds.is_empty() || !idle {
            return self.look_now();
        }
        match self.spot_after_last() {
            Some(next) => self.plan(next, self.e.last_action_at.unwrap_or(self.now), None),
            None => self.finish(Finish::Completed, Verdict::None),
        }
    }

    pub fn sequence_is_over(&self) -> bool {
        matches!(self.facts.sequence.state, SequenceState::Ended | SequenceState::Archived)
    }

    pub fn stop(&mut self, reason: StopReason) -> Result<(), Refusal> {
        match self.e.life {
            Life::Finished => return Ok(()),
            Life::Removed => return Err(self.not_while("stopping", "")),
            Life::Pending | Life::Running => {}
        }
        if reason == StopReason::Answered {
            self.note_reply();
            self.finish(Finish::Replied, Verdict::None);
        } else {
            self.finish(Finish::Stopped, Verdict::None);
        }
        Ok(())
    }

    pub fn reactivate(&mut self, due: DueChoice) -> Result<(), Refusal> {
        let opted_out = self.e.finish == Some(Finish::OptedOut) || self.e.mark == Some(Mark::OptedOut);
        match (self.e.life, self.e.finish) {
            (Life::Finished, Some(Finish::Completed)) => {
                return Err(self.not_while("reactivating", ": it walked the whole sequence"));
            }
            (Life::Finished, _) if opted_out => return Err(self.not_while("reactivating", ": the person opted out")),
            (Life::Finished, _) if self.sequence_is_over() => {
                return Err(self.not_while("reactivating", ": the sequence has ended"));
            }
            (Life::Finished, _) => {}
            _ => return Err(self.not_while("reactivating", "")),
        }
        self.refuse_suppressed()?;
        let when = if due == DueChoice::Now { Some(self.now) } else { None };
        self.reopen(when)?;
        // Whoever takes it up again takes back what was said of it.
        if self.e.mark.is_some() {
            self.clear_mark();
        }
        Ok(())
    }

    fn refuse_suppressed(&self) -> Result<(), Refusal> {
        match self.facts.person.emails.iter().find_map(|a| a.suppressed.clone()) {
            Some(why) => Err(Refusal::Suppressed { why }),
            None => Ok(()),
        }
    }

    pub fn retry(&mut self) -> Result<(), Refusal> {
        match self.e.block {
            Some(BlockReason::DeliveryUnknown) if self.e.is_live() => {
                Err(self.not_while("retrying", ": use Mark as sent, Send again or Skip"))
            }
            Some(_) if self.e.is_live() => {
                self.clear_block();
                if let Some(place) = self.e.place.as_mut() {
                    place.tries = 0;
                    place.not_before = None;
                }
                self.look_now();
                Ok(())
            }
            _ => Err(self.not_while("retrying", "")),
        }
    }

    pub fn mark_status(&mut self, mark: Mark) -> Result<(), Refusal> {
        if self.e.life == Life::Removed {
            return Err(self.not_while("marking", ""));
        }
        if self.e.mark == Some(mark) {
            return Ok(());
        }
        let before = self.e.outcome;
        let live = self.e.is_live();
        if self.e.mark.is_none() {
            self.e.mark_outcome_before = before;
            self.e.mark_finished = live;
        }
        self.e.mark = Some(mark);
        let verdict = match mark {
            Mark::Success => Verdict::Positive,
            Mark::NotInterested => Verdict::Negative,
            Mark::OptedOut => {
                self.suppress(SuppressWhat::Everything, SuppressWhy::OptOut);
                before
            }
            Mark::Bounced => {
                self.suppress(SuppressWhat::Email { visit: None }, SuppressWhy::Mark);
                before
            }
        };
        if live {
            self.finish(Finish::Judged, verdict);
        } else {
            self.e.outcome = verdict;
        }
        self.effects.push(Effect::Status { mark: Some(mark) });
        Ok(())
    }

    pub fn undo_mark(&mut self) -> Result<(), Refusal> {
        if self.e.life == Life::Removed {
            return Err(self.not_while("undoing a mark", ""));
        }
        let Some(mark) = self.e.mark else { return Err(Refusal::NothingToUndo) };
        if mark == Mark::OptedOut {
            return Err(Refusal::OptOutStays);
        }
        let before = self.e.mark_outcome_before;
        if self.e.mark_finished && self.e.life == Life::Finished {
            self.reopen(None)?;
        }
        self.e.outcome = before;
        self.clear_mark();
        Ok(())
    }

    fn clear_mark(&mut self) {
        self.e.mark = None;
        self.e.mark_finished = false;
        self.e.mark_outcome_before = Verdict::None;
        self.effects.push(Effect::Status { mark: None });
    }

    pub fn mark_task(&mut self, visit: u32, outcome: &Outcome) -> Result<(), Refusal> {
        if self.e.life != Life::Running {
            return Err(self.not_while("marking a task", ""));
        }
        let Some(spot) = self.current(visit)? else { return Ok(()) };
        match (outcome, self.e.block) {
            (Outcome::Skipped, _) => return self.skip(),
            (Outcome::Sent, Some(BlockReason::DeliveryUnknown)) => return self.mark_sent(),
            _ => {}
        }
        if self.is_under_way() {
            return Err(self.not_while("marking a task", ""));
        }
        let Some((then, also)) = spot.step.rule_for(outcome) else {
            let possible = spot.step.mark_as().iter().map(Outcome::label).collect::<Vec<_>>().join(", ");
            return Err(Refusal::NoSuchOutcome { given: outcome.clone(), possible });
        };
        self.clear_block();
        self.e.place = None;
        self.e.wait = None;
        self.executed(spot, visit, outcome.clone(), self.now);
        self.side_actions(visit, also);
        let judged = matches!(then, Then::End(Verdict::Positive | Verdict::Negative));
        self.take_way(&then, spot, self.now, if judged { Finish::Judged } else { Finish::Rule });
        Ok(())
    }

    /// The step of the current activity if it has this visit; `None` where that visit was done before.
    fn current(&self, visit: u32) -> Result<Option<Spot<'a>>, Refusal> {
        let flow = self.flow;
        match &self.e.place {
            Some(place) if place.visit == visit && visit > 0 => Ok(flow.spot(&place.step)),
            _ if visit == self.e.last_visit && visit > 0 => Ok(None),
            _ => Err(Refusal::NotCurrent),
        }
    }

    pub fn send_by_hand(&mut self, visit: u32) -> Result<(), Refusal> {
        if self.e.life != Life::Running || self.is_under_way() {
            return Err(self.not_while("sending", ""));
        }
        let Some(spot) = self.current(visit)? else { return Ok(()) };
        if !matches!(spot.step.kind, StepKind::EmailManual | StepKind::SmsManual) {
            return Err(Refusal::NotCurrent);
        }
        let address = self.facts.address_for(spot.step).ok_or(Refusal::NoAddress)?;
        if let Some(why) = &address.suppressed {
            return Err(Refusal::Suppressed { why: why.clone() });
        }
        if spot.step.kind.channel() == Channel::Email {
            match self.facts.mailbox_for(&self.e, spot.step) {
                None => return Err(Refusal::NoMailbox { why: "there is none".into() }),
                Some(m) => {
                    if let Some(why) = &m.held {
                        return Err(Refusal::NoMailbox { why: why.clone() });
                    }
                }
            }
        }
        self.clear_block();
        self.attempt_send();
        Ok(())
    }

    pub fn move_now(&mut self, outside_window: Answer) -> Result<(), Refusal> {
        let waiting = matches!(self.phase(), Some(Phase::Waiting) | None);
        if self.state() != State::Active || !waiting {
            return Err(self.not_while("moving to the next task", ""));
        }
        let flow = self.flow;
        if let Some(wait) = self.e.wait.clone()
            && let Some(spot) = flow.spot(&wait.step)
        {
            self.nothing_met(spot, wait.visit);
        }
        let calendar = self.facts.calendar();
        let released = if outside_window == Answer::Yes { Released::Window } else { Released::Delay };
        let due = match released {
            Released::Window => self.now,
            _ => calendar.next_open(self.now).unwrap_or(self.now),
        };
        if self.e.life != Life::Running {
            return Ok(());
        }
        if let Some(place) = self.e.place.as_mut() {
            place.released = released;
            place.due = due;
            self.effects.push(Effect::Redue { visit: place.visit, due });
        }
        Ok(())
    }

    pub fn skip(&mut self) -> Result<(), Refusal> {
        if self.e.life != Life::Running || self.is_under_way() {
            return Err(self.not_while("skipping", ""));
        }
        let flow = self.flow;
        match (self.spot(), self.e.place.take()) {
            (Some(spot), Some(place)) => {
                self.close(place.visit, Outcome::Skipped);
                self.clear_block();
                self.e.wait = None;
                self.e.parked = None;
                self.go_on(spot, self.now);
            }
            (_, place) => {
                if let Some(place) = place {
                    self.close(place.visit, Outcome::Skipped);
                    self.clear_block();
                    self.e.parked = None;
                }
                match self.e.wait.clone().and_then(|w| flow.spot(&w.step).map(|s| (s, w.visit))) {
                    Some((spot, visit)) => self.nothing_met(spot, visit),
                    None => self.after_lifting(),
                }
            }
        }
        Ok(())
    }

    pub fn jump(&mut self, to: &Target) -> Result<(), Refusal> {
        if !self.e.is_live() || self.is_under_way() {
            return Err(self.not_while("jumping", ""));
        }
        let flow = self.flow;
        let (spot, key) = match to {
            Target::Step(key) => (flow.spot(key), key),
            Target::Branch(key) => (flow.start_of_branch(key), key),
        };
        let Some(spot) = spot else { return Err(Refusal::NoSuchTarget { key: key.to_string() }) };
        if self.e.life == Life::Pending {
            self.e.place = Some(first_place(spot, self.now));
            return Ok(());
        }
        self.drop_planned();
        self.e.wait = None;
        self.plan(spot, self.now, Some(crate::calendar::Delay::NONE));
        Ok(())
    }

    pub fn set_owner(&mut self, owner: Option<UserId>) -> Result<(), Refusal> {
        if !self.e.is_live() || (self.state() == State::Active && self.is_under_way()) {
            return Err(self.not_while("changing the owner", ""));
        }
        self.e.owner = owner;
        if let (Some(spot), Some(place)) = (self.spot(), self.e.place.as_ref()) {
            let owner = self.facts.owner_of(&self.e, spot.step);
            self.effects.push(Effect::Own { visit: place.visit, owner });
            if self.e.holds.has(Hold::Absence) && !self.is_held_away(spot) {
                self.lift(Hold::Absence);
                self.after_lifting();
            }
        }
        Ok(())
    }

    pub fn set_mailbox(&mut self, mailbox: MailboxId) -> Result<(), Refusal> {
        if !self.e.is_live() || (self.state() == State::Active && self.is_under_way()) {
            return Err(self.not_while("changing the mailbox", ""));
        }
        let new = self.facts.mailbox(mailbox).ok_or(Refusal::NoSuchMailbox)?;
        let old = self.e.mailbox.and_then(|id| self.facts.mailbox(id));
        if old.is_some_and(|old| old.sandbox != new.sandbox) {
            return Err(Refusal::SandboxStays);
        }
        self.e.mailbox = Some(mailbox);
        if self.e.block == Some(BlockReason::Mailbox) && new.held.is_none() {
            self.clear_block();
        }
        self.look_now();
        Ok(())
    }

    pub fn remove(&mut self) -> Result<(), Refusal> {
        if self.e.life == Life::Removed {
            return Ok(());
        }
        self.take_off();
        Ok(())
    }

    fn take_off(&mut self) {
        if self.e.is_live() {
            let (finish, at, outcome) = (self.e.finish, self.e.finished_at, self.e.outcome);
            self.finish(Finish::Stopped, Verdict::None);
            // It did not finish: added again, it goes on where it stood.
            (self.e.finish, self.e.finished_at, self.e.outcome) = (finish, at, outcome);
        }
        self.e.life = Life::Removed;
        self.effects.push(Effect::TakeOffList);
    }

    pub fn erase(&mut self) -> Result<(), Refusal> {
        if self.e.life != Life::Removed {
            self.take_off();
        }
        let marked = self.is_marked();
        let e = &mut self.e;
        e.place = e.place.take().filter(|_| marked);
        e.wait = None;
        e.holds = Holds::NONE;
        e.hold_until = None;
        e.finish = None;
        e.finished_at = None;
        e.outcome = Verdict::None;
        e.mark = None;
        e.mark_finished = false;
        e.mark_outcome_before = Verdict::None;
        e.last_step = None;
        e.last_action_at = None;
        e.last_email_at = None;
        e.first_reply_at = None;
        e.last_reply_at = None;
        e.soft_bounces = 0;
        e.soft_bounce_at = None;
        e.owner = None;
        self.clear_block();
        self.effects.push(Effect::Erase);
        Ok(())
    }

    pub fn mark_sent(&mut self) -> Result<(), Refusal> {
        let (visit, attempt) = self.unknown_attempt("marking as sent")?;
        self.settle(visit, attempt, Settled::Sent, "marked as sent by a person".into());
        self.clear_block();
        self.count_as_sent(visit);
        Ok(())
    }

    pub fn send_again(&mut self) -> Result<(), Refusal> {
        self.unknown_attempt("sending again")?;
        self.clear_block();
        if let Some(place) = self.e.place.as_mut() {
            place.phase = Phase::Due;
        }
        self.look_now();
        Ok(())
    }

    fn unknown_attempt(&self, operation: &'static str) -> Result<(u32, u32), Refusal> {
        match &self.e.place {
            Some(p) if self.is_unknown() && self.e.is_live() => Ok((p.visit, p.attempt)),
            _ => Err(self.not_while(operation, "")),
        }
    }

    pub fn release(&mut self) -> Result<(), Refusal> {
        if !self.e.is_live() {
            return Err(self.not_while("releasing", ""));
        }
        if self.e.holds.has(Hold::Overdue) {
            self.let_go();
            self.lift(Hold::Overdue);
            self.after_lifting();
        }
        Ok(())
    }

    /// A person has looked at the overdue activity: it is not held for that again.
    fn let_go(&mut self) {
        if let Some(place) = self.e.place.as_mut() {
            place.released = place.released.max(Released::Delay);
        }
    }
}

/// Where a pending enrollment will start, by a person's choice; its activity is planned when the sequence runs.
pub(super) fn first_place(spot: Spot<'_>, now: crate::time::Time) -> Place {
    Place {
        branch: spot.branch.key.clone(),
        step: spot.step.key.clone(),
        visit: 0,
        base: now,
        delay: None,
        due: now,
        phase: Phase::Waiting,
        released: Released::No,
        attempt: 0,
        tries: 0,
        not_before: None,
    }
}
