//! Runs a law over many cases, each made from a number: the number is printed where the law is broken, and replays the case.
//! `CADENZA_LAW_CASES` runs so many cases in place of the usual, `CADENZA_LAW_FROM` starts at that number.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestCaseResult, TestError, TestRng, TestRunner};
use std::time::Instant;

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text}: expected a whole number")))
}

/// The chance of one case.
pub fn runner(seed: u64) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config { failure_persistence: None, max_shrink_iters: 20_000, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

/// Tries the law on each case; panics with the number of the first that breaks it and the simplest breach found from there.
pub fn hold<S: Strategy>(cases: u64, strategy: &S, law: impl Fn(S::Value) -> TestCaseResult) {
    let from = number("CADENZA_LAW_FROM").unwrap_or(0);
    let cases = number("CADENZA_LAW_CASES").unwrap_or(cases);
    let begun = Instant::now();
    for seed in from..from + cases {
        let mut runner = runner(seed);
        let tree = strategy.new_tree(&mut runner).unwrap_or_else(|e| panic!("case {seed}: {e}"));
        match runner.run_one(tree, &law) {
            Ok(_) | Err(TestError::Abort(_)) => {}
            Err(TestError::Fail(why, simplest)) => panic!(
                "case {seed} (CADENZA_LAW_FROM={seed} CADENZA_LAW_CASES=1 runs it alone): {why}\nsimplest: {simplest:#?}"
            ),
        }
    }
    println!("{cases} cases from {from} on in {:?}", begun.elapsed());
}

/// A value of one case, for tests that only look.
pub fn sample<S: Strategy>(strategy: &S, seed: u64) -> S::Value {
    strategy.new_tree(&mut runner(seed)).unwrap_or_else(|e| panic!("case {seed}: {e}")).current()
}

/// A broken law, in words.
pub fn broken(why: String) -> TestCaseError {
    TestCaseError::fail(why)
}
