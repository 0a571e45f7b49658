//! What Cadenza decides: pure values and functions over them. No I/O, no async, no clock, no randomness; everything a
//! decision needs is a parameter, so the server, the simulator, the preview and the tests cannot disagree.

pub mod absence;
pub mod address_tag;
pub mod breaker;
pub mod calendar;
pub mod compose;
pub mod document;
pub mod enrollment;
pub mod explain;
pub mod facts;
pub mod flow;
pub mod gates;
pub mod ids;
pub mod inbound;
pub mod language;
pub mod machine;
pub mod merge;
pub mod nearest;
pub mod pacing;
pub mod percent;
pub mod settings;
pub mod simulate;
pub mod suppression;
pub mod time;
pub mod tokens;
pub mod views;
pub mod visitor;
