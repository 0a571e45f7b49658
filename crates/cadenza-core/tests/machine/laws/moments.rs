//! What "why?" foretells against what the simulation does (ENR-13). Alone, the next moment is the very one at which something
//! happens; where others compete for room under a cap, nothing happens before it.

use super::plot::{Plot, interfere, plot, turn_sequence};
use super::seeded::{broken, hold, sample};
use cadenza_core::enrollment::{BlockReason, Hold, Phase, Reason, State};
use cadenza_core::explain::explain;
use cadenza_core::simulate::{Moved, World};
use cadenza_core::time::{Span, Time};
use proptest::test_runner::TestCaseError;
use std::collections::BTreeMap;

/// What was foretold of somebody, and how long the timeline was then.
#[derive(Debug)]
struct Foretold {
    who: usize,
    now: Time,
    next: Option<Time>,
    /// What was shut.
    codes: Vec<&'static str>,
    lines: usize,
    /// Did it stand in a limiter's line, or was it put before the clock again?
    due: bool,
}

/// A simulation that has run, with what was foretold on the way.
struct Story {
    world: World,
    foretold: Vec<Foretold>,
    /// When the sequence was turned on or off, or what is known of people was changed, by the length of the timeline.
    turned: Vec<(usize, Time)>,
}

/// Runs on from look to look; at each, does something to people, and foretells of everybody.
fn live(plot: &Plot) -> Story {
    let (mut world, mut folk) = plot.begin();
    let (mut foretold, mut turned) = (Vec::new(), Vec::new());
    for (minutes, what) in &plot.looks {
        let until = world.now + Span::minutes(i64::from(*minutes));
        world.run(until, &mut folk);
        let lines = world.timeline.len();
        let mut other = turn_sequence(&mut world, &mut folk, *what);
        for who in 0..world.people.len() {
            other |= interfere(&mut world, &mut folk, who, *what);
        }
        if other {
            turned.push((lines, world.now));
        }
        for who in 0..world.people.len() {
            let e = &world.enrollments[who];
            let phase = e.place.as_ref().map(|p| p.phase);
            // Until the answer comes, the world is busy with what was claimed.
            if phase == Some(Phase::Executing) {
                continue;
            }
            let told = explain(e, &world.flow, world.facts(who), world.now);
            foretold.push(Foretold {
                who,
                now: world.now,
                next: told.next_at,
                codes: told.lines.iter().filter(|l| !l.open).map(|l| l.code).collect(),
                lines: world.timeline.len(),
                due: phase == Some(Phase::Due),
            });
        }
    }
    // What is due this very moment still happens.
    world.run(world.now, &mut folk);
    Story { world, foretold, turned }
}

/// What came of something foretold.
struct Came {
    /// When the clock brought it on.
    at: Option<Time>,
    /// Did it stand in a limiter's line on the way, or before a mailbox that was held?
    in_line: bool,
    /// Before this moment nobody did anything to it.
    alone_until: Time,
    /// Room that others had taken was given back meanwhile.
    given_back: bool,
}

impl Story {
    fn came(&self, told: &Foretold) -> Came {
        let world = &self.world;
        let timeline = &world.timeline;
        let turned = self.turned.iter().find(|(lines, _)| *lines >= told.lines);
        let (end, mut alone_until) = turned.copied().unwrap_or((timeline.len(), world.now + Span::seconds(1)));
        let mut last = timeline[..told.lines].iter().rfind(|l| l.who == told.who);
        let (mut at, mut in_line, mut given_back) = (None, told.due, false);
        for (n, line) in (told.lines..).zip(&timeline[told.lines..end]) {
            given_back |= gives_back(timeline, n);
            if line.who != told.who {
                continue;
            }
            if matches!(line.event, "wake" | "drawn") && brings_on(world, n, last) {
                at = Some(line.at);
                in_line |= line.event == "drawn";
                break;
            }
            // The end of its sequence comes by the clock too: then nothing more does.
            if !matches!(line.event, "wake" | "drawn" | "sequence_ended") {
                alone_until = line.at;
                break;
            }
            // What a server said of another's mail may hold the mailbox of all.
            in_line |= matches!(line.reason, Reason::Due | Reason::Blocked(BlockReason::Mailbox));
            last = Some(line);
        }
        Came { at, in_line, alone_until, given_back }
    }
}

/// Was a claim taken back by this line, with the room it had?
fn gives_back(timeline: &[Moved], n: usize) -> bool {
    let line = &timeline[n];
    let last = timeline[..n].iter().rfind(|l| l.who == line.who);
    !matches!(line.event, "dot_mark" | "sent") && last.is_some_and(|l| l.reason == Reason::Executing)
}

/// Does this line bring somebody on: planned, claimed, shown as a task, decided, ended?
fn brings_on(world: &World, n: usize, last: Option<&Moved>) -> bool {
    let line = &world.timeline[n];
    let step = line.step.as_ref().and_then(|s| world.flow.spot(&s.parse().ok()?));
    let manual = step.is_some_and(|s| !s.step.kind.is_automatic());
    // A task appears once; resumed, it is still there.
    let is_due = |l: &Moved| (l.who, l.visit, l.reason) == (line.who, line.visit, Reason::Due);
    let is_task = manual && is_due(line) && !world.timeline[..n].iter().any(is_due);
    let moved = last.is_none_or(|l| (&l.step, l.visit) != (&line.step, line.visit));
    let decided = last.is_none_or(|l| l.step.is_none() && l.next_at != line.next_at);
    let changed = last.is_none_or(|l| l.reason != line.reason);
    let ended = changed && (line.state == State::Finished || line.reason == Reason::Paused(Hold::Rule));
    line.reason == Reason::Executing || is_task || moved || decided || ended
}

/// Where nobody competes: what was foretold comes at that moment, and nothing comes that was not foretold.
fn alone(plot: Plot) -> Result<(), TestCaseError> {
    let story = live(&plot);
    for told in &story.foretold {
        let came = story.came(told);
        let next = told.next.filter(|t| *t < came.alone_until);
        if next != came.at && came.at.is_none_or(|t| t < came.alone_until) {
            return Err(broken(format!("{told:?} came at {:?}\n{}", came.at, tell(&story.world))));
        }
    }
    Ok(())
}

/// Among others: nothing comes before its moment, and what no limiter holds back comes at it.
fn among_others(plot: Plot) -> Result<(), TestCaseError> {
    let story = live(&plot.all_taken());
    for told in &story.foretold {
        let came = story.came(told);
        let next = told.next.filter(|t| *t < came.alone_until);
        let holds = match (next, came.at) {
            _ if came.given_back => true,
            (next, Some(at)) if came.in_line => at >= came.alone_until || next.is_some_and(|t| t <= at),
            (next, Some(at)) => at >= came.alone_until || next == Some(at),
            // Still in line.
            (Some(_), None) => came.in_line,
            (None, None) => true,
        };
        if !holds {
            return Err(broken(format!("{told:?} came at {:?}\n{}", came.at, tell(&story.world))));
        }
    }
    Ok(())
}

#[test]
fn alone_the_next_moment_is_the_very_one() {
    hold(600, &plot(1..2), alone);
}

#[test]
fn among_others_nothing_happens_before_the_next_moment() {
    hold(200, &plot(2..7), among_others);
}

/// The laws above say something only where much is foretold and comes, whatever it waits for.
#[test]
fn much_is_foretold() {
    let worlds = plot(1..2);
    let (mut moments, mut nothing) = (0, 0);
    let mut waited = BTreeMap::<&str, u32>::new();
    for seed in 0..600 {
        let story = live(&sample(&worlds, seed));
        for told in &story.foretold {
            match (told.next, story.came(told).at) {
                (Some(next), Some(_)) => {
                    moments += 1;
                    let shut = told.codes.iter().filter(|_| next > told.now);
                    shut.for_each(|code| *waited.entry(code).or_default() += 1);
                }
                (None, None) => nothing += 1,
                _ => {}
            }
        }
    }
    println!("{moments} moments, {nothing} times nothing, waited for {waited:?}");
    assert!(moments > 900 && nothing > 900, "{moments} moments, {nothing} times nothing");
    for code in WAITED_FOR {
        assert!(waited.contains_key(code), "never waited for {code}: {waited:?}");
    }
}

const WAITED_FOR: &[&str] = &[
    "sequence_not_begun",
    "out_of_office",
    "owner_absent",
    "conditions_open",
    "not_due",
    "tried_again_later",
    "outside_window",
    "holiday",
    "quiet_hours",
    "suppressed",
    "sequence_emails",
    "contact",
    "mailbox_day",
    "workspace",
];

fn tell(world: &World) -> String {
    let lines = world
        .timeline
        .iter()
        .map(|m| format!("{} {} {} {:?} {} {:?} {}", m.at, m.who, m.event, m.cause, m.reason, m.step, m.visit));
    lines.collect::<Vec<_>>().join("\n")
}
