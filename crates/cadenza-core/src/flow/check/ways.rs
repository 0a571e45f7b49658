//! The ways from step to step: is every step reached, does no circle run without a wait, and is there always an end?

use super::{At, Findings};
use crate::flow::{Flow, Key, Then, When};
use std::collections::HashMap;

/// One way on from a step.
struct Way {
    /// Index of the step it leads to; `None` for an end, a pause, an opt-out, or a target that does not exist.
    to: Option<usize>,
    /// Some time always passes on it.
    waits: bool,
}

pub(super) fn check(flow: &Flow, findings: &mut Findings) {
    let steps: Vec<At<'_>> = flow
        .branches
        .iter()
        .flat_map(|branch| branch.steps.iter().enumerate().map(move |(index, step)| At { branch, index, step }))
        .collect();
    if steps.is_empty() {
        return;
    }
    let ways: Vec<Vec<Way>> = steps.iter().map(|at| ways_from(*at, &steps, flow)).collect();
    unreachable(&steps, &ways, findings);
    let circle = circles(&steps, &ways, findings);
    endless(&steps, &ways, &circle, findings);
}

fn ways_from(at: At<'_>, steps: &[At<'_>], flow: &Flow) -> Vec<Way> {
    let index: HashMap<&Key, usize> = steps.iter().enumerate().rev().map(|(i, s)| (&s.step.key, i)).collect();
    let next = at.branch.steps.get(at.index + 1).map(|s| &s.key);
    let lead = |then: &Then, waited: bool| {
        let (to, delay) = match then {
            Then::Next => (next, None),
            Then::Step { step, delay } => (Some(step), *delay),
            Then::Branch { branch, delay } => (flow.start_of_branch(branch).map(|s| &s.step.key), *delay),
            Then::End(_) | Then::Pause | Then::OptOut => (None, None),
        };
        let to = to.and_then(|key| index.get(key).copied());
        let delay = delay.or(to.map(|t| steps[t].step.content.delay));
        Way { to, waits: waited || delay.is_some_and(|d| !d.is_none()) }
    };
    if !at.step.kind.is_automatic() {
        let outcomes = at.step.mark_as();
        return outcomes.iter().filter_map(|o| at.step.rule_for(o)).map(|(then, _)| lead(&then, false)).collect();
    }
    let waits_for_events = at.step.waits().any(|(_, c)| c.within.is_some_and(|w| !w.is_none()));
    let mut ways: Vec<Way> = at
        .step
        .conditions
        .iter()
        .filter(|c| !matches!(c.when, When::Nothing | When::Outcome(_)))
        .map(|c| lead(&c.then, false))
        .collect();
    ways.push(match at.step.nothing_rule() {
        Some(c) => lead(&c.then, waits_for_events || c.within.is_some_and(|w| !w.is_none())),
        None => lead(&Then::Next, waits_for_events),
    });
    ways
}

fn unreachable(steps: &[At<'_>], ways: &[Vec<Way>], findings: &mut Findings) {
    let reached = reach(0, ways, |_, _| true);
    for (i, at) in steps.iter().enumerate() {
        if i > 0 && !reached[i] {
            findings.warning("unreachable", *at, "no way leads to it, so nobody gets there by themselves.");
        }
    }
}

/// Circles in which no time need pass: wrong where nobody has to do anything, doubtful where a person does. Answers which
/// steps were reported.
fn circles(steps: &[At<'_>], ways: &[Vec<Way>], findings: &mut Findings) -> Vec<bool> {
    let mut reported = vec![false; steps.len()];
    let automatic = |i: usize| steps[i].step.kind.is_automatic();
    for start in 0..steps.len() {
        if reported[start] {
            continue;
        }
        let on_circle = |only_automatic: bool| {
            let allowed = |from: usize, way: &Way| !way.waits && (!only_automatic || automatic(from));
            let forward = reach_from_ways(start, ways, allowed);
            if !forward[start] {
                return None;
            }
            let members = (0..steps.len()).filter(|i| forward[*i] && reach_from_ways(*i, ways, allowed)[start]);
            Some(members.collect::<Vec<_>>())
        };
        let (members, runs_away) = match on_circle(true) {
            Some(members) => (members, true),
            None => match on_circle(false) {
                Some(members) => (members, false),
                None => continue,
            },
        };
        members.iter().for_each(|i| reported[*i] = true);
        let others: Vec<String> = members.iter().filter(|i| **i != start).map(|i| steps[*i].words()).collect();
        let through = if others.is_empty() { String::new() } else { format!(" through {}", others.join(", ")) };
        if runs_away {
            let what = format!("it leads back to itself{through} without any delay; give one of these ways a delay.");
            findings.error("loop_without_wait", steps[start], what);
        } else {
            let what = format!("it leads back to itself{through} without any delay, as often as a person marks it so.");
            findings.warning("loop_without_wait", steps[start], what);
        }
    }
    reported
}

/// Steps from which no end is ever reached; a way to nowhere counts as an end.
fn endless(steps: &[At<'_>], ways: &[Vec<Way>], reported: &[bool], findings: &mut Findings) {
    let ends = |i: usize| ways[i].iter().any(|w| w.to.is_none());
    let mut told = reported.to_vec();
    for (i, at) in steps.iter().enumerate() {
        let reached = reach(i, ways, |_, _| true);
        if (0..steps.len()).any(|j| reached[j] && ends(j)) || told[i] {
            continue;
        }
        // Once for everything that is caught together.
        (0..steps.len()).filter(|j| reached[*j]).for_each(|j| told[j] = true);
        findings.warning(
            "no_way_on",
            *at,
            "from here no way leads to an end: people go round until they answer or are stopped.",
        );
    }
}

/// What is reached from a step, itself included.
fn reach(start: usize, ways: &[Vec<Way>], allowed: impl Fn(usize, &Way) -> bool) -> Vec<bool> {
    let mut reached = reach_from_ways(start, ways, allowed);
    reached[start] = true;
    reached
}

/// What is reached by at least one way from a step; the step itself only by a circle.
fn reach_from_ways(start: usize, ways: &[Vec<Way>], allowed: impl Fn(usize, &Way) -> bool) -> Vec<bool> {
    let mut reached = vec![false; ways.len()];
    let mut open = vec![start];
    while let Some(from) = open.pop() {
        for way in ways[from].iter().filter(|way| allowed(from, way)) {
            if let Some(to) = way.to
                && !reached[to]
            {
                reached[to] = true;
                open.push(to);
            }
        }
    }
    reached
}
