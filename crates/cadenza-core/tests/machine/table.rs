//! Every cell of the page put to the machine.

use crate::case::Case;
use crate::cell::{Word, claims, differences};
use crate::columns::{ENDED, Ended, HELD, LIVE, build};
use crate::page::{Cell, Table, tables};
use crate::rows::{KINDS, Row, SOURCES, kind, of_source};
use crate::rules::broken;
use cadenza_core::flow::Verdict;
use cadenza_core::machine::{Decision, Effect, Event};
use cadenza_core::settings::Settings;
use std::collections::BTreeSet;

const GROUPS: &[(&str, &[&str], Ended)] = &[
    ("pending and active", LIVE, Ended::No),
    ("blocked and paused", HELD, Ended::No),
    ("finished and removed", ENDED, Ended::Yes),
];

/// The tables that put each event in each state, with their source and group.
fn decision_tables() -> Vec<(Table, &'static [Row], &'static [&'static str], Ended)> {
    let mut found = Vec::new();
    for table in tables() {
        let Some((source, group)) = table.heading.split_once(": ") else { continue };
        let Some(rows) = of_source(source) else { continue };
        let Some((_, columns, ended)) = GROUPS.iter().find(|(name, ..)| *name == group) else {
            panic!("[{}] {group:?} is no group of states", table.heading);
        };
        found.push((table, rows, *columns, *ended));
    }
    found
}

#[test]
fn the_page_has_every_event_in_every_state() {
    let tables = decision_tables();
    assert_eq!(tables.len(), SOURCES.len() * GROUPS.len(), "a table for each source and group of states");
    let mut kinds = BTreeSet::new();
    for (table, rows, columns, _) in &tables {
        let mut wanted = vec!["event", "notes"];
        wanted.extend(columns.iter().copied());
        assert_eq!(table.columns, wanted, "[{}] its columns", table.heading);
        let labels: Vec<&str> = table.rows.iter().map(|r| r[0].as_str()).collect();
        let wanted: Vec<&str> = rows.iter().map(|r| r.label).collect();
        assert_eq!(labels, wanted, "[{}] its rows", table.heading);
        for row in *rows {
            kinds.insert(kind(&(row.event)(&mut Case::new(Settings::default()))));
        }
    }
    let missing: Vec<_> = KINDS.iter().filter(|k| !kinds.contains(*k)).collect();
    assert!(missing.is_empty(), "events without a row: {missing:?}");
}

#[test]
fn the_machine_does_what_every_cell_says() {
    let mut wrong = Vec::new();
    for (table, rows, _, ended) in decision_tables() {
        for (written, row) in table.rows.iter().zip(rows) {
            let notes = table.at(written, "notes");
            for column in table.columns.iter().skip(2) {
                let cell = Cell { table: &table.heading, row: row.label, column, text: table.at(written, column) };
                for state in column.split(" · ") {
                    wrong.extend(check(cell, notes, state, ended, row));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} differences\n{}", wrong.len(), wrong.join("\n"));
}

/// Puts one row to one state; the differences.
fn check(cell: Cell<'_>, notes: &str, state: &str, ended: Ended, row: &Row) -> Vec<String> {
    let mut settings = Settings::default();
    (row.settings)(&mut settings);
    let mut case = build(state, ended, settings);
    let event = (row.event)(&mut case);
    let claimed = match claims(cell.text, state) {
        Ok(words) => words,
        Err(why) => return vec![format!("{cell}, {why}")],
    };
    let bounced = if let Event::Bounce { .. } = event { bounced_step(&case) } else { None };
    let result = case.ask(&event);
    let mut wrong = differences(&claimed, &case, bounced.as_deref(), &result);
    if let Ok(decision) = &result {
        if !claimed.contains(&Word::Nothing) {
            wrong.extend(unnoted(notes, &case, decision));
        }
        wrong.extend(broken(&decision.enrollment, &case.flow).into_iter().map(|rule| format!("breaks {rule}")));
    }
    wrong.into_iter().map(|why| format!("{cell} ({state})\n    {why}")).collect()
}

/// The step of the last message, which a bounce report names.
fn bounced_step(case: &Case) -> Option<String> {
    let visit = case.last_message?;
    let current = case.e.place.as_ref().filter(|p| p.visit == visit).map(|p| p.step.to_string());
    current.or_else(|| case.e.last_step.as_ref().map(ToString::to_string))
}

/// What the column *notes* promises and the decision did not note.
fn unnoted(notes: &str, case: &Case, decision: &Decision) -> Vec<String> {
    let (old, new) = (&case.e, &decision.enrollment);
    let noted = |fact: &str| match fact {
        "replies" => new.replies == old.replies + 1 && new.last_reply_at == Some(case.now),
        "opens" => new.opens == old.opens + 1,
        "clicks" => new.clicks == old.clicks + 1,
        "emails" => new.emails == old.emails + 1 && new.last_email_at == Some(case.now),
        "steps" => new.steps_executed == old.steps_executed + 1 && new.last_action_at == Some(case.now),
        "bounced" => new.bounced,
        "opted_out" => new.opted_out,
        "positive" => new.outcome == Verdict::Positive,
        "negative" => new.outcome == Verdict::Negative,
        "status" => decision.effects.iter().any(|e| matches!(e, Effect::Status { .. })),
        "owner" => new.owner.is_some() && new.owner != old.owner,
        "mailbox" => new.mailbox == Some(crate::case::OTHER_MAILBOX),
        "version" => new.flow_version == 2,
        other => panic!("the page notes {other:?}, which is no fact"),
    };
    let facts = notes.split(", ").filter(|f| !f.is_empty());
    facts.filter(|f| !noted(f)).map(|f| format!("{f} was not noted")).collect()
}
