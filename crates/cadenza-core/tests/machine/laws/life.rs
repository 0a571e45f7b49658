//! A life of random events, watched after every one of them: the rules of the row, the activities, the attempts, the
//! history, and what the clock is told.

use super::flows::{flow, settings, straight_flow};
use super::random::{ACTS, Act, event, pass, surroundings};
use crate::case::Case;
use crate::rows::{KINDS, kind};
use crate::rules::broken;
use cadenza_core::enrollment::{
    BlockReason, Enrollment, Finish, Hold, Life, Phase, Released, SequenceState, State, changes, first_changes, fold,
};
use cadenza_core::facts::Attempt;
use cadenza_core::flow::{Flow, Key, Outcome};
use cadenza_core::gates::{Occasion, Question, Until};
use cadenza_core::machine::{Decision, Effect, Event, Spread};
use cadenza_core::settings::{OptOutEnds, Settings};
use cadenza_core::time::Time;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::collections::{BTreeMap, BTreeSet};

/// Everything that is remembered of one life beside the enrollment.
struct Watch {
    case: Case,
    wake_at: Option<Time>,
    lines: Vec<(i64, String)>,
    /// Visits that were planned and have not ended.
    open: BTreeSet<u32>,
    executed: Vec<u32>,
    /// The step of each visit.
    steps: BTreeMap<u32, Key>,
    attempts: BTreeSet<(u32, u32)>,
    told: Vec<String>,
    taken: BTreeSet<&'static str>,
    seen: BTreeSet<String>,
}

impl Watch {
    fn new(flow: Flow, settings: Settings) -> Watch {
        let mut case = Case::new(settings);
        case.flow = flow;
        let first = first_changes(&case.e.to_flat());
        Watch {
            wake_at: Some(case.now),
            lines: vec![(0, first)],
            open: BTreeSet::new(),
            executed: Vec::new(),
            steps: BTreeMap::new(),
            attempts: BTreeSet::new(),
            told: Vec::new(),
            taken: BTreeSet::new(),
            seen: BTreeSet::new(),
            case,
        }
    }

    fn act(&mut self, act: Act) -> Result<(), String> {
        pass(&mut self.case, self.wake_at, act);
        let event = match surroundings(&mut self.case, act) {
            Some(Some(event)) => event,
            Some(None) => return Ok(()),
            None => event(&self.case, act),
        };
        self.told.push(format!("{} {event:?}", self.case.now));
        self.put(&event)
    }

    fn put(&mut self, event: &Event) -> Result<(), String> {
        let before = self.case.clone();
        // A refusal changes nothing; there is nothing to watch.
        let Ok(decision) = self.case.put(event) else { return Ok(()) };
        let after = self.case.e.clone();
        self.taken.insert(kind(event));
        let (state, reason) = after.state(self.case.sequence.state);
        self.seen.insert(format!("{state}: {reason}"));
        self.wake_at = decision.wake_at;
        self.lines.push((after.version, changes(&before.e.to_flat(), &after.to_flat())));
        let rules = broken(&after, &self.case.flow);
        ensure(rules.is_empty(), || format!("breaks {rules:?}"))?;
        self.activities(&before, &decision)?;
        sends_rightly(&before, event, &decision)?;
        spreads_opt_outs(&before, event, &decision)?;
        self.wakes(event, &decision)
    }

    /// Every activity ends once; while it lives there is at most one, the current; executed in the order of their visits.
    fn activities(&mut self, before: &Case, decision: &Decision) -> Result<(), String> {
        for effect in &decision.effects {
            match effect {
                Effect::Plan(plan) => {
                    ensure(self.open.insert(plan.visit), || format!("visit {} planned twice", plan.visit))?;
                    self.steps.insert(plan.visit, plan.step.clone());
                    ensure(plan.visit <= decision.enrollment.visits, || "a visit beyond the last".into())?;
                }
                Effect::Close { visit, outcome, .. } => {
                    ensure(self.open.remove(visit), || format!("visit {visit} ends, {outcome}, without being open"))?;
                    let idle = matches!(outcome, Outcome::Skipped | Outcome::Cancelled | Outcome::Failed);
                    if !idle {
                        let last = self.executed.last().copied().unwrap_or(0);
                        ensure(*visit > last, || format!("visit {visit} executed after {last}"))?;
                        self.executed.push(*visit);
                    }
                }
                Effect::Send(send) => {
                    let new = self.attempts.insert((send.visit, send.attempt));
                    ensure(new, || format!("attempt {} of visit {} twice", send.attempt, send.visit))?;
                    ensure(self.open.contains(&send.visit), || "a message of no open activity".into())?;
                }
                Effect::Erase => {
                    self.open.retain(|v| decision.enrollment.place.as_ref().is_some_and(|p| p.visit == *v))
                }
                _ => {}
            }
        }
        let e = &decision.enrollment;
        let current = e.place.as_ref().map(|p| p.visit).filter(|v| *v > 0);
        let known = match e.life {
            Life::Pending => self.open.is_empty(),
            Life::Running => self.open.iter().copied().eq(current),
            // What may have been delivered is still to be settled.
            Life::Finished | Life::Removed => self.open.iter().all(|v| Some(*v) == current),
        };
        ensure(known, || format!("open activities {:?}, current {current:?}, before {:?}", self.open, before.e.place))
    }

    /// The clock is told when to look again, and looking again brings it on.
    fn wakes(&mut self, event: &Event, decision: &Decision) -> Result<(), String> {
        let (e, case) = (&decision.enrollment, &self.case);
        let runs = e.life == Life::Running && e.holds.is_empty() && e.block.is_none() && e.parked.is_none();
        let place = e.place.as_ref().filter(|_| runs && case.sequence.state == SequenceState::Active);
        let automatic =
            |p: &cadenza_core::enrollment::Place| case.flow.spot(&p.step).is_some_and(|s| s.step.kind.is_automatic());
        let waits = place.is_some_and(|p| p.phase == Phase::Waiting || (p.phase == Phase::Due && automatic(p)));
        if waits && decision.wake_at.is_none() {
            let question = Question {
                enrollment: e,
                flow: &case.flow,
                facts: case.facts(),
                now: case.now,
                occasion: Occasion::Claim,
            };
            let shut = question.all().into_iter().filter_map(|(_, shut)| shut);
            let by_itself = shut.clone().all(|s| matches!(s.until, Until::At(_)));
            ensure(!by_itself, || "nobody will look again, and no gate says why".into())?;
        }
        if let (Event::Wake, Some(t)) = (event, decision.wake_at) {
            let mut later = case.clone();
            later.now = later.now.max(t);
            // Steps to a suppressed address are skipped one after the other, each by a look of its own.
            let mut looks = 0;
            while looks < 4 {
                let visits = later.e.visits;
                let Ok(next) = later.put(&Event::Wake) else { break };
                match next.wake_at {
                    Some(t) if t <= later.now => {}
                    _ => return Ok(()),
                }
                looks += u32::from(later.e.visits == visits);
            }
            return Err("the clock spins".into());
        }
        Ok(())
    }

    fn history(&self) -> Result<(), String> {
        let lines = self.lines.iter().map(|(version, text)| (*version, text.as_str()));
        let folded: Enrollment = fold(lines).map_err(|e| e.to_string())?;
        ensure(folded == self.case.e, || "the history folds to another enrollment".into())
    }
}

fn ensure(holds: bool, why: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(why()) }
}

/// REC-4: whoever opts out here is out of the other sequences too, where that is the setting, however it came about.
fn spreads_opt_outs(before: &Case, event: &Event, decision: &Decision) -> Result<(), String> {
    let opted_out = |e: &Enrollment| e.life == Life::Finished && e.finish == Some(Finish::OptedOut);
    let by_this = opted_out(&decision.enrollment) && !opted_out(&before.e);
    let all = before.sequence.settings.opt_out_ends == OptOutEnds::AllSequences;
    // What is reopened after an opt-out only ends as such: the others heard of it when it came in.
    let told = matches!(event, Event::OptedOutElsewhere { .. } | Event::SequenceReopened);
    if !by_this || !all || told {
        return Ok(());
    }
    let spread = decision
        .effects
        .iter()
        .any(|effect| matches!(effect, Effect::Spread(Spread::OtherSequences(Event::OptedOutElsewhere { .. }))));
    ensure(spread, || "opted out of this sequence alone".into())
}

/// INV-1 and INV-2: what is recorded to be sent, and what may pass its mark.
fn sends_rightly(before: &Case, event: &Event, decision: &Decision) -> Result<(), String> {
    let by_hand = |step: &cadenza_core::flow::Key| before.flow.spot(step).is_some_and(|s| !s.step.kind.is_automatic());
    for effect in &decision.effects {
        let (what, step) = match effect {
            Effect::Send(send) => ("sent", send.step.clone()),
            Effect::Permit { .. } => match &before.e.place {
                Some(place) => ("permitted", place.step.clone()),
                None => return Err("a mark of nothing".into()),
            },
            _ => continue,
        };
        let Some(spot) = before.flow.spot(&step) else { return Err(format!("{what}: a step that is not there")) };
        let address = before.facts().address_for(spot.step);
        let suppressed = address.is_some_and(|a| a.suppressed.is_some());
        ensure(!suppressed, || format!("{what} to a suppressed address by {event:?}"))?;
        ensure(!before.around.restore_hold || what == "sent", || "past its mark in a restored database".into())?;
        ensure(before.e.is_live(), || format!("{what} after the end by {event:?}"))?;
        if by_hand(&step) {
            continue;
        }
        let released = before.e.place.as_ref().map_or(Released::No, |p| p.released);
        let open = before.facts().calendar().is_open(before.now) || released == Released::Window;
        let held = !decision.enrollment.holds.is_empty();
        let runs = before.sequence.state == SequenceState::Active && before.sequence.end.is_none_or(|t| t > before.now);
        ensure(open, || format!("{what} outside the window"))?;
        ensure(!held, || format!("{what} while paused"))?;
        ensure(runs, || format!("{what} while the sequence does not run"))?;
        ensure(address.is_some(), || format!("{what} to nowhere"))?;
        let state = decision.enrollment.state(before.sequence.state).0;
        ensure(state == State::Active, || format!("{what} while {state}"))?;
        let unknown = before.e.block == Some(BlockReason::DeliveryUnknown);
        ensure(!unknown, || "a message of unknown delivery is sent again by itself".into())?;
        let other = before.attempt != Attempt::None && what == "sent";
        ensure(!other, || "two attempts at once".into())?;
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_life_breaks_a_law(
        flow in flow(),
        settings in settings(),
        acts in proptest::collection::vec((0..ACTS, any::<u8>(), any::<u8>()), 1..90),
    ) {
        let mut watch = Watch::new(flow, settings);
        for act in acts {
            if let Err(why) = watch.act(act) {
                prop_assert!(false, "{why}\n{}\n{:#?}", watch.told.join("\n"), watch.case.e);
            }
        }
        let history = watch.history();
        prop_assert!(history.is_ok(), "{history:?}\n{}", watch.told.join("\n"));
    }
}

/// Acts that may bring a step about once more: a soft bounce, a jump, an erasure, an edit.
const AGAIN: &[u8] = &[26, 53, 57, 76];

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// INV-3: in a flow without loops, whatever happens, no step is executed twice and none out of order.
    #[test]
    fn a_straight_flow_is_walked_once(
        flow in straight_flow(),
        settings in settings(),
        acts in proptest::collection::vec((0..ACTS, any::<u8>(), any::<u8>()), 1..120),
    ) {
        let order: Vec<Key> = flow.steps().map(|s| s.key.clone()).collect();
        let mut watch = Watch::new(flow, settings);
        for act in acts.into_iter().filter(|(kind, ..)| !AGAIN.contains(kind)) {
            watch.act(act).map_err(TestCaseError::fail)?;
        }
        let walked = watch.executed.iter().map(|v| order.iter().position(|k| *k == watch.steps[v]));
        let walked: Vec<_> = walked.collect();
        prop_assert!(walked.is_sorted_by(|a, b| a < b), "{walked:?}\n{}", watch.told.join("\n"));
    }
}

/// The lives above are worth watching only if they come everywhere.
#[test]
fn random_lives_take_every_event_and_reach_every_state() {
    let mut runner = TestRunner::deterministic();
    let lives = (flow(), settings(), proptest::collection::vec((0..ACTS, any::<u8>(), any::<u8>()), 60..90));
    let (mut taken, mut seen) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..400 {
        let (flow, settings, acts) = lives.new_tree(&mut runner).unwrap().current();
        let mut watch = Watch::new(flow, settings);
        for act in acts {
            watch.act(act).unwrap();
        }
        taken.extend(watch.taken);
        seen.extend(watch.seen);
    }
    let never: Vec<_> = KINDS.iter().filter(|k| !taken.contains(*k)).collect();
    assert!(never.is_empty(), "never taken: {never:?}");
    let mut states: BTreeSet<String> =
        ["pending: starting", "pending: sequence", "removed: removed"].map(str::to_owned).into();
    states.extend(["waiting", "due", "executing"].map(|r| format!("active: {r}")));
    states.extend(BlockReason::ALL.iter().map(|r| format!("blocked: {r}")));
    states.extend(Hold::ALL.iter().map(|r| format!("paused: {r}")));
    states.extend(Finish::ALL.iter().map(|r| format!("finished: {r}")));
    let never: Vec<_> = states.difference(&seen).collect();
    assert!(never.is_empty(), "never reached: {never:?}");
}
