//! The page's own words held against the code: its list of states and reasons, its example flow, its way into each state.

use crate::case::example_flow;
use crate::columns::{ENDED, HELD, LIVE};
use crate::page::tables;
use cadenza_core::enrollment::{BlockReason, Finish, Hold};
use std::collections::BTreeSet;

#[test]
fn the_page_lists_every_reason() {
    let table = tables().into_iter().find(|t| t.columns[0] == "state" && t.columns[1] == "its reasons").unwrap();
    let of = |state: &str| -> Vec<String> {
        let rows = table.rows.iter().filter(|r| r[0] == state);
        rows.flat_map(|r| r[1].split(", ").map(str::to_owned)).collect()
    };
    assert_eq!(of("pending"), ["starting", "sequence"]);
    assert_eq!(of("active"), ["waiting", "due", "executing"]);
    assert_eq!(of("blocked"), words(BlockReason::ALL, |b| b.as_str()));
    // The order is the one shown.
    assert_eq!(of("paused"), words(Hold::ALL, |h| h.as_str()));
    assert_eq!(of("finished"), words(Finish::ALL, |f| f.as_str()));
    assert_eq!(of("removed"), ["removed"]);
}

fn words<T: Copy>(all: &[T], name: fn(T) -> &'static str) -> Vec<&'static str> {
    all.iter().map(|v| name(*v)).collect()
}

#[test]
fn the_example_is_the_flow_of_the_tables() {
    let table = tables().into_iter().find(|t| t.columns[0] == "step").unwrap();
    let flow = example_flow();
    let written: Vec<(String, String)> = table.rows.iter().map(|r| (r[0].clone(), r[2].clone())).collect();
    let real: Vec<(String, String)> = flow.steps().map(|s| (s.key.to_string(), s.content.delay.to_string())).collect();
    assert_eq!(written, real);
    let conditions: Vec<bool> = table.rows.iter().map(|r| !r[3].is_empty()).collect();
    let real: Vec<bool> = flow.steps().map(|s| !s.conditions.is_empty()).collect();
    assert_eq!(conditions, real, "which steps have conditions");
}

#[test]
fn the_page_says_how_each_column_is_reached() {
    let table = tables().into_iter().find(|t| t.columns == ["state", "as it stands"]).unwrap();
    let mut said = BTreeSet::new();
    for row in &table.rows {
        // A comma parts states, but for those that have one in their own name.
        let whole = [LIVE, HELD, ENDED].concat().contains(&row[0].as_str());
        if whole {
            said.insert(row[0].clone());
        } else {
            said.extend(row[0].split(", ").map(str::to_owned));
        }
    }
    let states: BTreeSet<String> =
        [LIVE, HELD, ENDED].concat().iter().flat_map(|c| c.split(" · ")).map(str::to_owned).collect();
    assert_eq!(said, states);
}
