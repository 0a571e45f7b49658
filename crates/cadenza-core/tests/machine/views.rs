//! The page's tables of what users see, each cell put to the views.

use crate::case::Case;
use crate::columns::{ENDED, Ended, HELD, LIVE, build};
use crate::page::{Table, tables};
use cadenza_core::enrollment::{BlockReason, Enrollment, Finish, Hold, Mark, SequenceState};
use cadenza_core::flow::Verdict;
use cadenza_core::settings::Settings;
use cadenza_core::time::Span;

fn table(heading: &str) -> Table {
    tables().into_iter().find(|t| t.heading == heading).unwrap_or_else(|| panic!("the page has no {heading:?}"))
}

/// A state of the page, by what is shown.
fn state_shown(shown: &str) -> Case {
    let (state, reason) = shown.split_once(": ").unwrap_or_else(|| panic!("{shown:?} is no state with its reason"));
    let ended = if matches!(state, "finished" | "removed") { Ended::Yes } else { Ended::No };
    let column = match shown {
        "active: due" => "due: task",
        "active: executing" => "before the mark",
        _ => reason,
    };
    build(column, ended, Settings::default())
}

/// Nothing noted, one step executed.
fn plain(e: &mut Enrollment) {
    e.opted_out = false;
    e.bounced = false;
    e.mark = None;
    e.outcome = Verdict::None;
    e.first_reply_at = None;
    e.last_reply_at = None;
    e.last_email_at = None;
    e.steps_executed = 1;
    e.steps_at_last_email = 0;
}

#[test]
fn status_reason_and_record_status_are_those_of_the_page() {
    let table = table("Status reason and record status");
    let columns = ["state", "no reply", "a reply noted", "a reply after the end", "record status"];
    assert_eq!(table.columns, columns);
    let mut wrong = Vec::new();
    for row in &table.rows {
        let case = state_shown(&row[0]);
        for column in columns.iter().skip(1) {
            let mut e = case.e.clone();
            plain(&mut e);
            e.first_reply_at = match *column {
                "a reply noted" => Some(e.finished_at.unwrap_or(case.now)),
                "a reply after the end" => e.finished_at.map(|t| t + Span::seconds(1)),
                _ => None,
            };
            if *column == "a reply after the end" && e.first_reply_at.is_none() {
                assert_eq!(table.at(row, column), "", "{} has no end", row[0]);
                continue;
            }
            let state = case.sequence.state;
            let seen = if *column == "record status" {
                e.record_status(state).map(|s| s.label())
            } else {
                e.status_reason(state).map(|s| s.label())
            };
            if seen.unwrap_or("") != table.at(row, column) {
                wrong.push(format!("{}, {column}: {seen:?}, not {:?}", row[0], table.at(row, column)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_state_with_its_reason_has_a_row() {
    let listed: Vec<String> = table("Status reason and record status").rows.iter().map(|r| r[0].clone()).collect();
    let mut wanted: Vec<String> = ["starting", "sequence"].map(|r| format!("pending: {r}")).into_iter().collect();
    wanted.extend(["waiting", "due", "executing"].map(|r| format!("active: {r}")));
    wanted.extend(BlockReason::ALL.iter().map(|r| format!("blocked: {r}")));
    wanted.extend(Hold::ALL.iter().map(|r| format!("paused: {r}")));
    wanted.extend(Finish::ALL.iter().map(|r| format!("finished: {r}")));
    wanted.push("removed: removed".into());
    assert_eq!(listed, wanted);
}

#[test]
fn the_stage_is_the_first_that_holds() {
    let table = table("Stage and person status");
    assert_eq!(table.columns, ["noted", "stage", "person status"]);
    let live = LIVE.iter().chain(HELD).map(|c| (*c, Ended::No));
    let columns: Vec<_> = live.chain(ENDED.iter().map(|c| (*c, Ended::Yes))).collect();
    let mut wrong = Vec::new();
    for (column, ended) in columns {
        for state in column.split(" · ") {
            let case = build(state, ended, Settings::default());
            for row in &table.rows {
                let mut e = case.e.clone();
                plain(&mut e);
                row[0].split(", ").for_each(|fact| note(&mut e, fact, &case));
                let days = case.sequence.settings.unresponsive_days;
                let stage = e.stage(SequenceState::Active, days, case.now).label();
                let person = e.person_status(SequenceState::Active, days, case.now).label();
                if (stage, person) != (row[1].as_str(), row[2].as_str()) {
                    wrong.push(format!("{} while {state:?}: {stage}, {person}", row[0]));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn note(e: &mut Enrollment, fact: &str, case: &Case) {
    let now = case.now;
    match fact {
        "nothing" => {}
        "opted out" => e.opted_out = true,
        "bounced" => e.bounced = true,
        "marked unsubscribed" => e.mark = Some(Mark::OptedOut),
        "marked bounced" => e.mark = Some(Mark::Bounced),
        "outcome positive" => e.outcome = Verdict::Positive,
        "outcome negative" => e.outcome = Verdict::Negative,
        "email 7 days ago" => {
            e.last_email_at = Some(now - Span::days(7));
            e.steps_at_last_email = e.steps_executed;
        }
        "email 6 days ago" => {
            e.last_email_at = Some(now - Span::days(7) + Span::seconds(1));
            e.steps_at_last_email = e.steps_executed;
        }
        "reply before it" => e.last_reply_at = e.last_email_at.map(|t| t - Span::seconds(1)),
        "reply since" => e.last_reply_at = Some(now - Span::days(1)),
        "click since" => e.clicks += 1,
        "later step" => e.steps_executed += 1,
        other => panic!("the page notes {other:?}, which is no fact"),
    }
}

#[test]
fn before_the_first_step_the_stage_asks_for_sequence_and_plan() {
    let table = table("Stage before the first step");
    assert_eq!(table.columns, ["state", "sequence active", "sequence paused"]);
    for row in &table.rows {
        let mut case = state_shown(&row[0]);
        plain(&mut case.e);
        case.e.steps_executed = 0;
        for (column, state) in [("sequence active", SequenceState::Active), ("sequence paused", SequenceState::Paused)]
        {
            let stage = case.e.stage(state, 7, case.now).label();
            assert_eq!(stage, table.at(row, column), "{}, {column}", row[0]);
        }
    }
}
