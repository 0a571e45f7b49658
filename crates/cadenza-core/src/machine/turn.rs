//! One turn of the machine: the enrollment being changed, what it may know, and the moves that all events share.

use super::clock::{deadline, silent_delivery};
use super::effect::{Effect, Plan, SuppressWhat, SuppressWhy};
use super::event::{Actor, Incoming};
use super::refusal::Refusal;
use super::{Decision, Level};
use crate::calendar::Delay;
use crate::enrollment::{
    BlockReason, Enrollment, Finish, Hold, Holds, Life, Phase, Place, Released, SequenceState, State,
};
use crate::facts::{Attempt, Facts, NewerLive};
use crate::flow::{Channel, Condition, Flow, Outcome, SideAction, Spot, Then, Verdict, When};
use crate::time::Time;

pub(super) struct Turn<'a> {
    pub e: Enrollment,
    pub flow: &'a Flow,
    pub facts: Facts<'a>,
    pub actor: Actor,
    pub now: Time,
    pub effects: Vec<Effect>,
    pub level: Level,
    pub cause: Option<&'static str>,
    pub detail: Option<String>,
    /// The earliest moment a shut gate named, where the clock is to look again.
    pub look_again: Option<Time>,
    /// A shut gate that no clock opens keeps the clock away.
    pub no_clock: bool,
}

impl<'a> Turn<'a> {
    pub fn new(e: Enrollment, flow: &'a Flow, facts: Facts<'a>, actor: Actor, now: Time) -> Turn<'a> {
        Turn {
            e,
            flow,
            facts,
            actor,
            now,
            effects: Vec::new(),
            level: Level::Info,
            cause: None,
            detail: None,
            look_again: None,
            no_clock: false,
        }
    }

    pub fn decision(self) -> Decision {
        let wake_at = self.wake_at();
        Decision {
            enrollment: self.e,
            effects: self.effects,
            wake_at,
            level: self.level,
            cause: self.cause,
            detail: self.detail,
        }
    }

    // --- reading ---

    pub fn state(&self) -> State {
        self.e.state(self.facts.sequence.state).0
    }

    pub fn phase(&self) -> Option<Phase> {
        self.e.place.as_ref().map(|p| p.phase)
    }

    /// The step of the current activity.
    pub fn spot(&self) -> Option<Spot<'a>> {
        let flow = self.flow;
        self.e.place.as_ref().and_then(|p| flow.spot(&p.step))
    }

    pub fn is_current(&self, visit: u32, attempt: u32) -> bool {
        self.e.place.as_ref().is_some_and(|p| p.visit == visit && p.attempt == attempt && p.phase == Phase::Executing)
    }

    pub fn not_while(&self, operation: &'static str, hint: &'static str) -> Refusal {
        let (state, reason) = self.e.state(self.facts.sequence.state);
        Refusal::NotWhile { operation, state, reason, hint }
    }

    // --- planning ---

    /// Plans the activity of a step: due after the delay, moved into the window.
    pub fn plan(&mut self, spot: Spot<'_>, base: Time, delay: Option<Delay>) {
        let calendar = self.facts.calendar();
        let wanted = delay.unwrap_or(spot.step.content.delay);
        let after = calendar.after(base, wanted).unwrap_or(base);
        // A window that never opens is said by its gate; the date stays that of the delay.
        let due = calendar.next_open(after).unwrap_or(after);
        self.plan_at(spot, base, delay, due);
    }

    pub fn plan_at(&mut self, spot: Spot<'_>, base: Time, delay: Option<Delay>, due: Time) {
        self.e.visits += 1;
        let visit = self.e.visits;
        let owner = self.facts.owner_of(&self.e, spot.step);
        self.e.life = Life::Running;
        self.e.place = Some(Place {
            branch: spot.branch.key.clone(),
            step: spot.step.key.clone(),
            visit,
            base,
            delay,
            due,
            phase: Phase::Waiting,
            released: Released::No,
            attempt: 0,
            tries: 0,
            not_before: None,
        });
        self.e.parked = None;
        self.effects.push(Effect::Plan(Plan {
            visit,
            branch: spot.branch.key.clone(),
            step: spot.step.key.clone(),
            kind: spot.step.kind,
            revision: spot.step.revision,
            due,
            owner,
            priority: spot.step.content.priority,
        }));
    }

    /// The next step of the branch, or the end of it.
    pub fn go_on(&mut self, from: Spot<'_>, base: Time) {
        match from.next() {
            Some(next) => self.plan(next, base, None),
            None => {
                self.e.place = None;
                self.finish(Finish::Completed, Verdict::None);
            }
        }
    }

    /// Takes the way on that a condition names.
    pub fn take_way(&mut self, then: &Then, from: Spot<'_>, base: Time, ends_as: Finish) {
        match then {
            Then::Next => self.go_on(from, base),
            Then::Step { step, delay } => match self.flow.spot(step) {
                Some(spot) => self.plan(spot, base, *delay),
                None => self.lost(step.as_str()),
            },
            Then::Branch { branch, delay } => match self.flow.start_of_branch(branch) {
                Some(spot) => self.plan(spot, base, *delay),
                None => self.lost(branch.as_str()),
            },
            Then::End(verdict) => {
                self.e.place = None;
                self.finish(ends_as, *verdict);
            }
            Then::Pause => {
                match from.next() {
                    Some(next) => self.plan(next, base, None),
                    None => self.e.place = None,
                }
                self.hold(Hold::Rule);
            }
            Then::OptOut => {
                self.e.place = None;
                self.e.opted_out = true;
                self.suppress(SuppressWhat::Everything, SuppressWhy::OptOut);
                self.spread_opt_out(Incoming::ByHand);
                self.finish(Finish::OptedOut, Verdict::None);
            }
        }
    }

    /// A way that leads nowhere: a checked flow has none, an edit may have taken its goal away.
    fn lost(&mut self, key: &str) {
        self.e.place = None;
        self.hold(Hold::Rule);
        self.say(Level::Error, "no_way_on", Some(format!("there is no step or branch {key:?}")));
    }

    pub fn side_actions(&mut self, visit: u32, actions: &[SideAction]) {
        self.effects.extend(actions.iter().map(|action| Effect::Side { visit, action: action.clone() }));
    }

    // --- conditions ---

    /// Lets an event decide the open conditions of its own message: the first in the list that it meets in time (FLOW-3).
    /// True where one decided.
    pub fn decide_wait(&mut self, visit: u32, meets: impl Fn(&When) -> bool) -> bool {
        let Some(wait) = self.e.wait.clone().filter(|w| w.visit == visit) else { return false };
        let flow = self.flow;
        let Some(spot) = flow.spot(&wait.step) else { return false };
        let in_time = |c: &Condition| self.deadline(c, wait.sent_at, wait.until) >= self.now;
        let Some(condition) = spot.step.waits().map(|(_, c)| c).find(|c| meets(&c.when) && in_time(c)) else {
            return false;
        };
        if self.now > wait.until {
            return false;
        }
        self.decided(spot, visit, condition);
        true
    }

    /// A condition decides: it replaces what was planned in the same commit.
    pub fn decided(&mut self, spot: Spot<'_>, visit: u32, condition: &Condition) {
        self.drop_planned();
        self.e.wait = None;
        self.side_actions(visit, &condition.also);
        self.take_way(&condition.then, spot, self.now, Finish::Rule);
        self.because("condition_decided");
    }

    pub fn deadline(&self, condition: &Condition, sent_at: Time, otherwise: Time) -> Time {
        deadline(&self.facts.calendar(), condition, sent_at, otherwise)
    }

    /// Closes the planned activity as cancelled: nothing of it was done.
    pub fn drop_planned(&mut self) {
        self.withdraw();
        if let Some(place) = self.e.place.take()
            && place.visit > 0
        {
            self.close(place.visit, Outcome::Cancelled);
        }
        self.clear_block();
        self.e.parked = None;
    }

    // --- executing ---

    /// Notes that the step of a visit was executed.
    pub fn executed(&mut self, spot: Spot<'_>, visit: u32, outcome: Outcome, at: Time) {
        let e = &mut self.e;
        e.steps_executed += 1;
        e.last_action_at = Some(at);
        e.last_visit = visit;
        if e.last_step.replace(spot.step.key.clone()).as_ref() != Some(&spot.step.key) {
            // Soft bounces are counted per message: this is another one.
            e.soft_bounces = 0;
            e.soft_bounce_at = None;
        }
        match spot.step.kind.channel() {
            Channel::Email => {
                e.emails += 1;
                e.last_email_at = Some(at);
                e.steps_at_last_email = e.steps_executed;
            }
            Channel::Text => e.texts += 1,
            Channel::Call => e.calls += 1,
            Channel::Linkedin | Channel::Task => e.tasks += 1,
        }
        self.close(visit, outcome);
    }

    /// Takes an attempt back that has not passed its final mark; one that has runs to its result.
    pub fn withdraw(&mut self) {
        if self.facts.attempt != Attempt::Claimed {
            return;
        }
        if let Some(place) = self.e.place.as_mut().filter(|p| p.phase == Phase::Executing) {
            place.phase = Phase::Due;
            self.effects.push(Effect::Withdraw { visit: place.visit, attempt: place.attempt });
        }
    }

    /// Is the current attempt past its final mark?
    pub fn is_marked(&self) -> bool {
        self.facts.attempt == Attempt::Marked && self.phase() == Some(Phase::Executing)
    }

    /// Is an attempt on its way whose result is still to come?
    pub fn is_under_way(&self) -> bool {
        self.phase() == Some(Phase::Executing) && !self.is_unknown()
    }

    pub fn is_unknown(&self) -> bool {
        self.e.block == Some(BlockReason::DeliveryUnknown)
    }

    /// Closes the activity of a visit with what became of it.
    pub fn close(&mut self, visit: u32, outcome: Outcome) {
        self.effects.push(Effect::Close { visit, outcome, at: self.now, by: self.actor });
    }

    // --- holding, blocking, ending ---

    pub fn hold(&mut self, hold: Hold) {
        self.withdraw();
        self.e.holds = self.e.holds.with(hold);
        self.e.parked = None;
    }

    pub fn lift(&mut self, hold: Hold) {
        self.e.holds = self.e.holds.without(hold);
        if hold == Hold::OutOfOffice {
            self.e.hold_until = None;
        }
    }

    pub fn block(&mut self, block: BlockReason, detail: Option<String>) {
        self.e.block = Some(block);
        self.e.block_detail.clone_from(&detail);
        self.e.parked = None;
        let level = if block.mends_itself() { Level::Warning } else { Level::Error };
        self.say(level, block.as_str(), detail);
    }

    pub fn clear_block(&mut self) {
        self.e.block = None;
        self.e.block_detail = None;
    }

    /// Ends it. Place and holds stay, for whoever reopens it; open work is cancelled, but for a message that may have been
    /// delivered: what became of it is still to be noted.
    pub fn finish(&mut self, finish: Finish, verdict: Verdict) {
        self.withdraw();
        let may_be_delivered = self.is_marked() || self.is_unknown();
        if let Some(visit) = self.e.place.as_ref().map(|p| p.visit).filter(|v| *v > 0 && !may_be_delivered) {
            self.close(visit, Outcome::Cancelled);
        }
        self.e.life = Life::Finished;
        self.e.finish = Some(finish);
        self.e.finished_at = Some(self.now);
        self.e.outcome = verdict;
        self.e.parked = None;
    }

    /// Leads a finished or removed enrollment back to where it stood.
    pub fn reopen(&mut self, due: Option<Time>) -> Result<(), Refusal> {
        if self.facts.newer_live == NewerLive::Yes {
            return Err(Refusal::NewerLive);
        }
        self.e.finish = None;
        self.e.finished_at = None;
        self.e.outcome = Verdict::None;
        self.e.life = if self.e.visits > 0 { Life::Running } else { Life::Pending };
        if self.e.life == Life::Pending || self.is_marked() {
            return Ok(());
        }
        if self.is_unknown() {
            return Ok(());
        }
        self.clear_block();
        match (self.e.place.take(), self.spot_after_last()) {
            (Some(place), _) => match self.flow.spot(&place.step) {
                Some(spot) => {
                    let when = due.unwrap_or(place.due);
                    self.plan_at(spot, place.base, place.delay, when);
                }
                None => self.hold(Hold::Rule),
            },
            (None, Some(next)) => match due {
                Some(t) => self.plan_at(next, t, None, t),
                None => self.plan(next, self.e.last_action_at.unwrap_or(self.now), None),
            },
            // A wait stays open by itself; without one there is nothing left to do.
            (None, None) if self.e.wait.is_none() => {
                self.e.life = Life::Running;
                self.finish(Finish::Completed, Verdict::None);
            }
            (None, None) => {}
        }
        Ok(())
    }

    /// What had ended it holds no more. Where a person judged it meanwhile, that ends it in its place.
    pub fn reopen_unless_judged(&mut self) -> Result<(), Refusal> {
        if self.e.mark.is_none() {
            return self.reopen(None);
        }
        self.e.finish = Some(Finish::Judged);
        self.e.mark_finished = true;
        Ok(())
    }

    /// The step after the last executed one: where an enrollment without a planned activity goes on.
    pub fn spot_after_last(&self) -> Option<Spot<'a>> {
        if self.e.wait.is_some() {
            return None;
        }
        let flow = self.flow;
        match &self.e.last_step {
            Some(key) => flow.spot(key).and_then(Spot::next),
            None => flow.first(),
        }
    }

    pub fn suppress(&mut self, what: SuppressWhat, why: SuppressWhy) {
        self.effects.push(Effect::Suppress { what, why });
    }

    pub fn say(&mut self, level: Level, cause: &'static str, detail: Option<String>) {
        self.level = self.level.max(level);
        self.cause = Some(cause);
        if detail.is_some() {
            self.detail = detail;
        }
    }

    /// Names what the event did, unless something before it in the same turn did: that led to this.
    pub fn because(&mut self, cause: &'static str) {
        self.cause = self.cause.or(Some(cause));
    }

    // --- the clock ---

    /// When the clock must look at the result again.
    fn wake_at(&self) -> Option<Time> {
        let e = &self.e;
        match e.life {
            Life::Finished | Life::Removed => return None,
            Life::Pending => return e.holds.is_empty().then_some(()).and_then(|()| self.pending_wake()),
            Life::Running => {}
        }
        if !e.holds.is_empty() {
            let lifts_itself = e.hold_until.filter(|_| e.holds == Holds::of(Hold::OutOfOffice));
            return earliest(lifts_itself, self.wait_wake());
        }
        if e.block.is_some() || e.parked.is_some() {
            return self.wait_wake();
        }
        let place = match &e.place {
            Some(p) if p.phase == Phase::Waiting => Some(p.due),
            Some(p) if p.phase == Phase::Due && self.spot().is_some_and(|s| s.step.kind.is_automatic()) => {
                if self.no_clock { None } else { Some(p.not_before.unwrap_or(self.now)) }
            }
            // A person's message that is to be tried again; a task alone waits for its person.
            Some(p) if p.phase == Phase::Due => p.not_before,
            _ => None,
        };
        let place = if self.no_clock { None } else { place.max(self.look_again.filter(|_| place.is_some())) };
        earliest(place, self.wait_wake())
    }

    fn pending_wake(&self) -> Option<Time> {
        let begin = self.facts.sequence.begin.unwrap_or(self.now);
        self.sequence_runs().then_some(begin.max(self.now))
    }

    /// A paused sequence lets nothing go on by itself; its resuming wakes what waited.
    pub fn sequence_runs(&self) -> bool {
        self.facts.sequence.state == SequenceState::Active
    }

    /// When an open wait needs the clock: at its end where that does something by itself, and a day after the sending where a
    /// condition counts a silent day as delivered.
    fn wait_wake(&self) -> Option<Time> {
        let wait = self.e.wait.as_ref().filter(|_| self.sequence_runs())?;
        let spot = self.flow.spot(&wait.step)?;
        let acts = self.e.place.is_none() || spot.step.nothing_rule().is_some_and(|r| !r.also.is_empty());
        let end = acts.then_some(wait.until);
        earliest(end, silent_delivery(spot.step, &self.facts.calendar(), wait))
    }
}

fn earliest(a: Option<Time>, b: Option<Time>) -> Option<Time> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
