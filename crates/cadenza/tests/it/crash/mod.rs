//! The real program, killed, cut off and starved: `serve` as a process, a mail server that forgets nothing, and a verdict over
//! what both remember. docs/delivery.md says what must hold, and which test here tries which line of its table.

mod answers;
mod chance;
mod disk;
mod full;
mod gone;
mod killed;
mod nodes;
mod points;
mod power;
mod proxy;
mod serving;
mod sink;
mod site;
mod stops;
mod verdict;

use std::time::Duration;

/// Longer than anything here takes on a busy machine; and a delivery that nobody can know about is shown sooner.
const LONG: Duration = Duration::from_secs(60);
