//! Laws that hold of every enrollment, whatever the flow, the settings and the order of events (SPEC §13).

mod flows;
mod life;
mod moments;
mod plot;
mod random;
mod seeded;
