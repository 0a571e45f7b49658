//! Months of Cadenza on a virtual clock: the real core and the real SQL, with faults, and checkers for what always holds. See
//! docs/simulation.md.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod agenda;
mod breach;
mod chance;
mod check;
mod coverage;
mod edits;
mod faults;
mod house;
mod lanes;
mod look;
mod node;
mod nodes;
mod pause;
mod people;
mod plant;
mod plots;
mod runs;
mod scenario;
mod servers;
mod stage;
mod trace;
mod truth;
mod users;
mod world;

// Of the core's own laws: what a flow may be, and what holds of every row.
#[expect(dead_code, reason = "of the cases of the core only the making of steps is used here")]
#[path = "../../../cadenza-core/tests/machine/case.rs"]
mod case;
#[expect(dead_code, reason = "of the drawn flows only those of any size are used here")]
#[path = "../../../cadenza-core/tests/machine/laws/flows.rs"]
mod flows;
#[path = "../../../cadenza-core/tests/machine/rules.rs"]
mod rules;
#[expect(dead_code, reason = "one value is drawn here, no law is tried")]
#[path = "../../../cadenza-core/tests/machine/laws/seeded.rs"]
mod seeded;
