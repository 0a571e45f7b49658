//! A reader of foreign bytes as something to be fuzzed: what it is given to begin with, and what must hold for whatever comes of
//! bending that. A test bends some hundreds of inputs by numbers; the fuzzer of `fuzz/` lets coverage lead it (docs/fuzzing.md).

use crate::bend::{hold_or, within};
use crate::repository;
use std::path::PathBuf;

/// One target. Made and named by [`targets!`](crate::targets).
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// As `./x fuzz` and its test know it.
    pub name: &'static str,
    /// Inputs to begin with, of every kind that is told apart.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// What the reader looks for, to be put anywhere: the fuzzer's dictionary.
    pub pieces: &'static [&'static str],
    /// Panics where something does not hold. Nothing may be left from one input to the next.
    pub judge: fn(&[u8]),
    /// Inputs of the short run.
    pub cases: u64,
    /// Milliseconds that one input may take in an optimised build.
    pub most_ms: u64,
}

impl Target {
    /// Seeds bent by numbers, for a few seconds at most. An input that fails is put into a file and named.
    ///
    /// # Panics
    /// Where one fails.
    pub fn short_run(&self) {
        let seeds = (self.seeds)();
        let corpus: Vec<&[u8]> = seeds.iter().map(Vec::as_slice).collect();
        corpus.iter().for_each(|seed| (self.judge)(seed));
        let judge = |input: &Vec<u8>| (self.judge)(input);
        hold_or(
            self.cases,
            within(self.most_ms),
            |dice| dice.bent(&corpus, self.pieces),
            judge,
            |input| {
                let shown = String::from_utf8_lossy(&input[..input.len().min(4_000)]).into_owned();
                format!("{} bytes, {}: {shown:?}", input.len(), self.kept(input))
            },
        );
    }

    /// Puts an input where `./x fuzz NAME FILE` can take it from, and says where.
    fn kept(&self, input: &[u8]) -> String {
        let folder = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| repository().join("target"), PathBuf::from);
        let file = folder.join("fuzz").join("failed").join(format!("{}-{}", self.name, std::process::id()));
        let parent = file.parent().map_or(Ok(()), std::fs::create_dir_all);
        match parent.and_then(|()| std::fs::write(&file, input)) {
            Ok(()) => format!("kept in {}", file.display()),
            Err(e) => format!("{} could not be written: {e}", file.display()),
        }
    }
}

/// Lists targets as `TARGETS`, each under its name, and makes a test of each, its short run.
#[macro_export]
macro_rules! targets {
    ($($name:ident: $target:expr,)*) => {
        pub const TARGETS: &[$crate::Target] = &[$($crate::Target { name: stringify!($name), ..$target }),*];
        $(#[test]
        fn $name() {
            $crate::Target { name: stringify!($name), ..$target }.short_run();
        })*

        #[test]
        fn every_target_has_something_to_begin_with() {
            for target in TARGETS {
                assert!(!(target.seeds)().is_empty() && !target.pieces.is_empty(), "{}", target.name);
            }
        }
    };
}
