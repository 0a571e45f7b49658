//! A simulation repeats to the byte, and its timeline keeps what always holds (SPEC §13).

use super::*;
use crate::calendar::Calendar;
use crate::flow::file::{SequenceFile, parse};
use crate::time::{Span, Time};
use std::collections::{HashMap, HashSet};

const OUTREACH: &str = include_str!("../../../../examples/outreach.toml");
const REACTIONS: &str = include_str!("../../../../examples/reactions.toml");
const CONTACTS: &str = include_str!("../../../../examples/contacts.csv");

/// The example's people; no cell of it has a comma or a quote.
fn contacts(count: usize) -> Vec<Contact> {
    let mut lines = CONTACTS.lines();
    let columns: Vec<&str> = lines.next().unwrap().split(',').collect();
    lines.take(count).map(|l| Contact::from_row(columns.iter().copied().zip(l.split(','))).unwrap()).collect()
}

fn setup() -> Setup {
    Setup { start: "2027-03-01T08:00:00Z".parse().unwrap(), days: 90, seed: None }
}

fn simulate(file: &SequenceFile, people: usize, setup: &Setup) -> Timeline {
    run(file, &contacts(people), &Script::parse(REACTIONS).unwrap(), setup).unwrap()
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_another_story() {
    let file = parse(OUTREACH).unwrap();
    let text = |setup: &Setup| simulate(&file, 200, setup).json().collect::<Vec<_>>().join("\n");
    let first = text(&setup());
    assert_eq!(first, text(&setup()));
    assert_eq!(first, text(&Setup { seed: Some(7), ..setup() }), "7 is the script's own");
    assert_ne!(first, text(&Setup { seed: Some(8), ..setup() }));
}

#[test]
fn the_timeline_of_three_months_keeps_what_always_holds() {
    let file = parse(OUTREACH).unwrap();
    let flow = file.flow();
    let people = contacts(300);
    let timeline = simulate(&file, 300, &setup());
    let settings = file.settings.over(&crate::settings::Settings::default());
    let mut visits: HashSet<(usize, u32)> = HashSet::new();
    let mut last_visit: HashMap<usize, u32> = HashMap::new();
    let mut over: HashSet<usize> = HashSet::new();
    let mut sent_at: HashMap<usize, Vec<Time>> = HashMap::new();
    let mut at = Time::MIN;
    for m in &timeline.moves {
        assert!(m.at >= at, "time goes back at {m:?}");
        at = m.at;
        if let Some(done) = &m.done {
            let executed = !matches!(done.outcome, crate::flow::Outcome::Cancelled | crate::flow::Outcome::Skipped);
            if executed {
                assert!(visits.insert((m.who, done.visit)), "INV-3: a visit twice: {m:?}");
                let before = last_visit.insert(m.who, done.visit);
                assert!(before.is_none_or(|b| b < done.visit), "INV-3: out of order: {m:?}");
                assert!(!over.contains(&m.who), "INV-1: executed after the end: {m:?}");
            }
        }
        match m.state {
            crate::enrollment::State::Finished => drop(over.insert(m.who)),
            _ => assert!(!over.contains(&m.who), "nothing leads out of a finish here: {m:?}"),
        }
        if m.event == "dot_mark" && m.reason.as_str() == "executing" {
            let step = flow.spot(&m.step.as_ref().unwrap().parse().unwrap()).unwrap().step;
            let zone = people[m.who].person.zone.clone().unwrap_or_else(|| settings.zone.clone());
            let calendar = Calendar { zone, window: settings.window, holidays: settings.holidays.clone() };
            // What a person sends by hand is asked, not held.
            assert!(
                !step.kind.is_automatic() || calendar.is_open(m.at),
                "INV-2: {} outside the window: {m:?}",
                step.key
            );
            if step.kind == crate::flow::StepKind::EmailAuto {
                sent_at.entry(m.who).or_default().push(m.at);
            }
        }
    }
    assert!(visits.len() > 600, "too little happened: {}", visits.len());
    assert!(over.len() > 100, "too few came to an end: {}", over.len());
    // INV-2: no mailbox above its caps. Everybody's mail is that of the primary user, who enrolled them.
    let mut days: HashMap<String, usize> = HashMap::new();
    let mut all: Vec<Time> = sent_at.into_values().flatten().collect();
    all.sort();
    for t in &all {
        *days.entry(settings.zone.local_date(*t).to_string()).or_default() += 1;
    }
    assert!(days.values().all(|n| *n <= 200), "{days:?}");
    for pair in all.windows(2) {
        assert!(pair[1] - pair[0] >= Span::seconds(30), "two mails within half a minute");
    }
    assert_eq!(timeline.summary.contacts, 300);
    assert_eq!(timeline.summary.states.values().sum::<usize>(), 300, "INV-7");
}

#[test]
fn an_end_date_ends_everybody_and_a_later_begin_is_waited_for() {
    let text = OUTREACH.replace(
        "priority = \"normal\"",
        "priority = \"normal\"\nbegin = 2027-03-08T00:00:00Z\nend = 2027-03-20T00:00:00Z",
    );
    let timeline = simulate(&parse(&text).unwrap(), 50, &setup());
    let begin: Time = "2027-03-08T00:00:00Z".parse().unwrap();
    let end: Time = "2027-03-20T00:00:00Z".parse().unwrap();
    assert!(timeline.moves.iter().all(|m| m.at >= begin));
    assert!(timeline.moves.iter().filter(|m| m.done.is_some() && m.event == "sent").all(|m| m.at < end));
    assert!(timeline.summary.states.keys().all(|s| s.starts_with("finished")), "{:?}", timeline.summary.states);
    assert!(timeline.summary.states["finished: sequence_ended"] > 20);
}

#[test]
fn whoever_lacks_a_field_is_blocked_with_its_name() {
    let file = "name = \"x\"\n[settings]\nzone = \"Europe/Berlin\"\n[[branch]]\nkey = \"main\"\n[[branch.step]]\nkey = \"hello\"\n\
                kind = \"email_auto\"\n[[branch.step.variant]]\nkey = \"a\"\nsubject = \"Hi\"\ntext = \"{{ custom.team }}\"\n";
    let script = Script::parse("[[reaction]]\ndo = \"open\"\n").unwrap();
    let rows = [[("email", "a@example.com"), ("team", "Blue")], [("email", "b@example.com"), ("team", "")]];
    let people: Vec<Contact> = rows.iter().map(|r| Contact::from_row(r.iter().copied()).unwrap()).collect();
    let timeline = run(&parse(file).unwrap(), &people, &script, &setup()).unwrap();
    assert_eq!(timeline.summary.states["finished: completed"], 1);
    assert_eq!(timeline.summary.states["blocked: missing_field"], 1);
    let lines: Vec<String> = timeline.lines().collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn a_colleague_s_answer_reaches_the_others_of_the_company() {
    let text = OUTREACH.replace("reply_colleagues = \"ask\"", "reply_colleagues = \"pause\"");
    let timeline = simulate(&parse(&text).unwrap(), 300, &setup());
    let paused: HashSet<usize> =
        timeline.moves.iter().filter(|m| m.event == "colleague_replied").map(|m| m.who).collect();
    assert!(!paused.is_empty());
    let people = contacts(300);
    let replied: HashSet<&str> =
        timeline.moves.iter().filter(|m| m.event == "reply").map(|m| people[m.who].who.company.as_str()).collect();
    assert!(paused.iter().all(|who| replied.contains(people[*who].who.company.as_str())));
}

#[test]
fn what_does_not_fit_is_said_before_anything_runs() {
    let file = parse(OUTREACH).unwrap();
    let script = Script::parse("[[reaction]]\nstep = \"nowhere\"\ndo = \"reply\"\n").unwrap();
    let wrong = run(&file, &contacts(1), &script, &setup()).unwrap_err();
    assert_eq!(wrong, ["reaction 1: the flow has no step nowhere"]);
}
