//! What a run is like: how many people for how long, and what goes wrong how often.

use crate::plant::Plant;
use crate::stage::Place;
use cadenza_core::time::Time;

/// How finely time is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// Every message takes its own time: what can come between two steps of the work does.
    Fine,
    /// What belongs to the same seconds happens at once: many more days in the same time.
    Coarse,
}

/// One of so many; 0 is never.
#[derive(Debug, Clone, Copy, Default)]
pub struct Faults {
    /// A transaction fails before it begins, or is rolled back at its end.
    pub failed: u64,
    /// It is committed, and whoever asked is told that nobody knows.
    pub unknown: u64,
    /// The process ends right after a commit, before anybody hears of it.
    pub crash_after: u64,
    /// The answer to a commit takes seconds.
    pub slow: u64,
    /// Days between two ends of the process that nothing announces.
    pub crash_days: i64,
    /// Days between two jumps of the clock.
    pub jump_days: i64,
    /// Days between two times when a second node joins and one of both does not breathe for longer than its lease.
    pub pause_days: i64,
    /// Days between two snapshots that are put back.
    pub restore_days: i64,
    /// Of a hundred offers, how many the mail server does not simply take.
    pub server: u64,
}

impl Faults {
    pub const NONE: Faults = Faults {
        failed: 0,
        unknown: 0,
        crash_after: 0,
        slow: 0,
        crash_days: 0,
        jump_days: 0,
        pause_days: 0,
        restore_days: 0,
        server: 0,
    };
    pub const ALL: Faults = Faults {
        failed: 250,
        unknown: 250,
        crash_after: 400,
        slow: 12,
        crash_days: 5,
        jump_days: 9,
        pause_days: 4,
        restore_days: 21,
        server: 14,
    };
}

#[derive(Debug, Clone)]
pub struct Scenario {
    pub seed: u64,
    pub days: i64,
    /// Contacts of each workspace.
    pub people: usize,
    /// Sequences of each workspace.
    pub sequences: usize,
    pub mailboxes: usize,
    pub place: Place,
    pub pace: Pace,
    pub faults: Faults,
    /// Of a hundred moments at which somebody may do something, how often somebody does.
    pub users: u64,
    /// Drawn flows and settings, or the plain ones in which every day has its step.
    pub plain: bool,
    pub plant: Option<Plant>,
    pub keep_trace: bool,
}

impl Scenario {
    /// A small world in which everything happens.
    pub fn wild(seed: u64) -> Scenario {
        Scenario {
            seed,
            days: 25,
            people: 24,
            sequences: 3,
            mailboxes: 2,
            place: Place::File,
            pace: Pace::Fine,
            faults: Faults::ALL,
            users: 60,
            plain: false,
            plant: None,
            keep_trace: false,
        }
    }

    /// Many people for long, few faults: for the number of days.
    pub fn broad(seed: u64, people: usize, days: i64) -> Scenario {
        Scenario {
            days,
            people,
            sequences: 4,
            mailboxes: 6,
            place: Place::Memory,
            pace: Pace::Coarse,
            faults: Faults {
                crash_days: 9,
                pause_days: 24,
                failed: 2_000,
                unknown: 2_000,
                crash_after: 4_000,
                server: 3,
                ..Faults::NONE
            },
            users: 10,
            plain: true,
            ..Scenario::wild(seed)
        }
    }

    pub fn planted(seed: u64, plant: Plant) -> Scenario {
        Scenario { plant: Some(plant), days: 24, ..Scenario::wild(seed) }
    }

    pub fn is(&self, plant: Plant) -> bool {
        self.plant == Some(plant)
    }
}

/// When every run begins: a Monday.
pub fn start() -> Time {
    "2027-03-01T06:00:00Z".parse().unwrap()
}
