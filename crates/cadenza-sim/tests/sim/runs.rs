//! The tests: wild worlds in which everything fails, broad ones for the number of days, the same run twice, and each planted
//! bug found.

use crate::coverage::Coverage;
use crate::plant::Plant;
use crate::scenario::Scenario;
use crate::world::World;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A planted bug is found in so many runs, or it is not found.
const RUNS_TO_FIND: u64 = 24;

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text}: expected a whole number")))
}

/// A run that must hold, else the words of its failure: the seed, and the last that happened.
fn lived(scenario: Scenario) -> Result<World, String> {
    let seed = scenario.seed;
    let mut world = World::begin(scenario);
    match world.run() {
        Ok(()) => Ok(world),
        Err(breach) => Err(format!(
            "seed {seed} (CADENZA_SIM_FROM={seed} CADENZA_SIM_RUNS=1 runs it alone), at {} after {} transactions:\n{breach}\n{}",
            world.now,
            world.op,
            world.trace.tail()
        )),
    }
}

fn lives(scenario: Scenario) -> World {
    lived(scenario).unwrap_or_else(|failure| panic!("{failure}"))
}

#[test]
fn wild_worlds_keep_what_always_holds() {
    let from = number("CADENZA_SIM_FROM").unwrap_or(1);
    let runs = number("CADENZA_SIM_RUNS").unwrap_or(24);
    let begun = Instant::now();
    let (mut coverage, mut days, mut ops, mut failures) = (Coverage::default(), 0, 0, Vec::new());
    for seed in from..from + runs {
        // Alone, it is looked into: with all that happened.
        match lived(Scenario { keep_trace: runs == 1, ..Scenario::wild(seed) }) {
            Ok(world) => {
                coverage.add(&world.coverage);
                days += world.shadows.days;
                ops += world.op;
            }
            Err(failure) => {
                eprintln!("{}", failure.lines().take(2).collect::<Vec<_>>().join(" "));
                failures.push(failure);
            }
        }
    }
    println!("{}", coverage.table());
    println!("{runs} runs, {days} days of enrollments, {ops} transactions in {:?}", begun.elapsed());
    assert!(failures.is_empty(), "{} of {runs} runs failed, the first:\n{}", failures.len(), failures[0]);
}

#[test]
fn the_same_seed_runs_the_same() {
    let run = || {
        let world = lives(Scenario { keep_trace: true, ..Scenario::wild(4_711) });
        (world.trace.whole().to_owned(), world.trace.fingerprint())
    };
    let (first, second) = (run(), run());
    assert!(first.0.len() > 10_000);
    assert_eq!(first.1, second.1);
    assert!(first.0 == second.0, "two runs of one seed");
}

/// How many people a broad world has in each workspace, and for how many days.
const BROAD: (usize, i64) = (300, 16);

/// Worlds are independent of each other, so one is lived through on each processor. The first that fails ends all, after the
/// run it is in.
#[test]
fn broad_worlds_live_through_many_days() {
    let wanted = number("CADENZA_SIM_DAYS").unwrap_or(20_000);
    let at_once = number("CADENZA_SIM_AT_ONCE").unwrap_or_else(|| {
        std::thread::available_parallelism().map_or(1, |n| u64::try_from(n.get()).expect("a number of processors"))
    });
    let begun = Instant::now();
    let next_seed = AtomicU64::new(number("CADENZA_SIM_FROM").unwrap_or(1));
    let lived_through = Mutex::new(Broad::default());
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                while lived_through.lock().expect("no run panics while it adds").goes_on(wanted) {
                    let seed = next_seed.fetch_add(1, Ordering::Relaxed);
                    let run = lived(Scenario::broad(seed, BROAD.0, BROAD.1));
                    lived_through.lock().expect("no run panics while it adds").add(seed, run, begun.elapsed());
                }
            });
        }
    });
    let Broad { days, runs, ops, failure } = lived_through.into_inner().expect("no run panics while it adds");
    println!("{days} days of enrollments in {runs} runs, {ops} transactions, {:?}", begun.elapsed());
    if let Some(failure) = failure {
        panic!("{failure}");
    }
}

/// What the broad worlds came to, all together.
#[derive(Default)]
struct Broad {
    days: u64,
    runs: u64,
    ops: u64,
    failure: Option<String>,
}

impl Broad {
    fn goes_on(&self, wanted: u64) -> bool {
        self.days < wanted && self.failure.is_none()
    }

    fn add(&mut self, seed: u64, run: Result<World, String>, after: Duration) {
        match run {
            Ok(world) => {
                (self.days, self.runs, self.ops) = (self.days + world.shadows.days, self.runs + 1, self.ops + world.op);
                if self.runs % 10 == 1 {
                    let [product, checks, whole] = world.spent;
                    println!(
                        "{} days in {} runs after {after:.0?}; in run {seed} transactions {product:.0?}, checks {checks:.0?}, looks at \
                         all {whole:.0?}",
                        self.days, self.runs
                    );
                }
            }
            Err(failure) => {
                self.failure.get_or_insert(failure);
            }
        }
    }
}

/// Runs worlds with a planted bug until it is found, by a line that is meant to find it.
fn is_found(plant: Plant) {
    let begun = Instant::now();
    for seed in 1..=RUNS_TO_FIND {
        let mut world = World::begin(Scenario::planted(seed, plant));
        if let Err(breach) = world.run() {
            println!("{plant:?}: run {seed}, transaction {}, {:?}: {breach}", world.op, begun.elapsed());
            assert!(plant.lines().contains(&breach.line), "{plant:?} was found as {breach}\n{}", world.trace.tail());
            return;
        }
    }
    panic!("{plant:?} was not found in {RUNS_TO_FIND} runs");
}

macro_rules! planted {
    ($($name:ident = $plant:ident;)*) => {
        mod planted {
            $(#[test]
            fn $name() {
                super::is_found(super::Plant::$plant);
            })*
        }

        #[test]
        fn every_planted_bug_has_its_test() {
            let tested = [$(Plant::$plant),*];
            assert_eq!(tested, Plant::ALL);
        }
    };
}

planted! {
    an_answer_that_was_lost_is_sent_again = LostAnswerSentAgain;
    recovery_sends_again_what_was_marked = RecoverySendsMarkedAgain;
    the_mark_is_skipped = MarkSkipped;
    the_refusal_of_a_mark_is_ignored = MarkRefusalIgnored;
    nothing_is_cleaned_up_at_the_start = NoRecovery;
    the_fence_of_a_node_that_is_gone_is_ignored = FenceIgnored;
    what_a_gone_node_had_marked_is_sent_again = TakeOverSendsMarkedAgain;
    a_database_put_back_sends_at_once = RestoredWithoutHold;
    what_was_sent_is_given_back = SentThenGivenBack;
    one_refusal_tries_a_batch_again = BatchTriedAgain;
    an_answer_is_noted_for_another = AnswerToAnother;
    a_commit_is_lost_in_a_crash = CommitLostInCrash;
    one_opt_out_stops_all = OneStopsAll;
    enrolling_in_bulk_enrolls_again = EnrollsAgain;
    back_on_the_list_begins_anew = BackOnListBeginsAnew;
    the_window_is_ignored = WindowIgnored;
    a_cap_is_not_counted = CapNotCounted;
    a_gap_is_forgotten = GapForgotten;
    a_line_of_history_is_lost = HistoryLineLost;
    a_counter_drifts = CounterDrifts;
    resuming_begins_at_the_top = ResumesFromTheTop;
    the_pause_of_a_sequence_is_forgotten = PauseOfSequenceForgotten;
    a_reply_is_forgotten = ReplyForgotten;
    silence_is_forgotten = SilenceForgotten;
    silence_crosses_workspaces = SilenceCrossesWorkspaces;
    a_wake_is_lost = WakeLost;
    a_line_is_never_drawn = LineNeverDrawn;
}
