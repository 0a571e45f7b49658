//! Simulate (API-4): a whole sequence for given people and a script of reactions, months in milliseconds, on the machine that
//! the server runs. The same seed gives the same timeline.

mod contact;
mod run;
mod script;
#[cfg(test)]
mod tests;
mod timeline;
mod world;

pub use contact::{Contact, RowError, columns};
pub use run::{Setup, Simulation, run};
pub use script::{Act, Reaction, Script, ScriptReactor, Who};
pub use timeline::{StepCount, Summary, Timeline};
pub use world::{Actors, Done, Happened, Moment, Moved, Reactor, ServerSays, World};
