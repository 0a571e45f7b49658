//! Bends texts and bytes: cut, doubled, overwritten, spliced with each other and with pieces that readers look for. Each case is
//! made from a number, which is printed where one fails: `CADENZA_LAW_FROM` begins at that number, and `CADENZA_LAW_CASES` bends
//! so many in place of the usual.

use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// Chance from a number: the same number gives the same throws.
#[derive(Debug)]
pub struct Dice(u64);

impl Dice {
    pub fn of(case: u64) -> Dice {
        Dice(mix(case))
    }
    pub fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(1);
        mix(self.0)
    }
    /// Below `n`; 0 where there is nothing.
    pub fn below(&mut self, n: usize) -> usize {
        (self.throw() % (n.max(1) as u64)) as usize
    }
    pub fn pick<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.below(all.len())]
    }
    /// One of the corpus, bent a few times.
    pub fn bent(&mut self, corpus: &[&[u8]], pieces: &[&str]) -> Vec<u8> {
        let mut bytes = self.pick(corpus).to_vec();
        for _ in 0..=self.below(6) {
            self.bend(&mut bytes, corpus, pieces);
        }
        bytes.truncate(200_000);
        bytes
    }

    fn bend(&mut self, bytes: &mut Vec<u8>, corpus: &[&[u8]], pieces: &[&str]) {
        let at = self.below(bytes.len() + 1);
        let length = if self.below(4) == 0 { self.below(400) } else { self.below(8) };
        let end = (at + length).min(bytes.len());
        match self.below(9) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..end)),
            2 => {
                let copy = bytes[at..end].to_vec();
                bytes.splice(at..at, copy);
            }
            3 => {
                let noise: Vec<u8> = (0..length).map(|_| self.throw() as u8).collect();
                bytes.splice(at..end, noise);
            }
            4 => {
                let tail = self.pick(corpus);
                let from = self.below(tail.len() + 1);
                bytes.truncate(at);
                bytes.extend_from_slice(&tail[from..]);
            }
            5 => {
                let odd = self.pick(ODD).as_bytes().to_vec();
                bytes.splice(at..end, odd);
            }
            // Often and again: what is slow shows.
            6 if self.below(8) == 0 => {
                let piece = if pieces.is_empty() || self.below(2) == 0 {
                    bytes[at..end].to_vec()
                } else {
                    self.pick(pieces).as_bytes().to_vec()
                };
                let times = self.below(60_000 / piece.len().max(1) + 1);
                bytes.splice(at..at, piece.repeat(times));
            }
            _ if !pieces.is_empty() => {
                let piece = self.pick(pieces).as_bytes().to_vec();
                bytes.splice(at..end, piece);
            }
            _ => bytes.reverse(),
        }
    }
}

/// What readers trip over, whatever they read.
const ODD: &[&str] = &[
    "\0",
    "\r",
    "\n",
    "\r\n",
    "\t",
    "\u{7f}",
    "\u{a0}",
    "\u{feff}",
    "\u{202e}",
    "\u{301}",
    "İ",
    "ß",
    "é",
    "日",
    "😀",
    "٣",
    "²",
    "\u{10ffff}",
    "-",
    "--1",
    "+",
    "0",
    "00",
    "-1",
    "255",
    "65536",
    "2147483648",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "99999999999999999999999999",
    "1e309",
    "nan",
    "inf",
    "\"",
    "'",
    "\\",
    "\\u0000",
    "%00",
    "/",
    "../",
    ":",
    "@",
    "<",
    ">",
    "=",
    "{",
    "}",
    "[",
    "]",
    ",",
];

/// The finalizer of SplitMix64: neighbours give numbers that have nothing to do with each other.
fn mix(number: u64) -> u64 {
    let x = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text}: expected a whole number")))
}

/// Judges case after case; a panic, and a case that takes longer than `most` three times over, fail with the case's number
/// and input.
///
/// # Panics
/// Where a case fails.
pub fn hold<T: Debug>(cases: u64, most: Duration, make: impl Fn(&mut Dice) -> T, judge: impl Fn(&T)) {
    hold_or(cases, most, make, judge, |input| format!("{input:?}"));
}

/// As [`hold`], with a say in how an input that fails is told.
pub(crate) fn hold_or<T>(
    cases: u64,
    most: Duration,
    make: impl Fn(&mut Dice) -> T,
    judge: impl Fn(&T),
    told: impl Fn(&T) -> String,
) {
    let from = number("CADENZA_LAW_FROM").unwrap_or(0);
    let cases = number("CADENZA_LAW_CASES").unwrap_or(cases);
    let mut slowest = (Duration::ZERO, 0);
    let begun = Instant::now();
    for case in from..from.saturating_add(cases) {
        let input = make(&mut Dice::of(case));
        let again = format!("case {case} (CADENZA_LAW_FROM={case} CADENZA_LAW_CASES=1 runs it alone)");
        let took = || {
            let begun = Instant::now();
            let result = catch_unwind(AssertUnwindSafe(|| judge(&input)));
            assert!(result.is_ok(), "{again}: {}", told(&input));
            begun.elapsed()
        };
        let mut best = took();
        // The machine may have been busy with something else.
        for _ in 0..3 {
            if best > most {
                best = best.min(took());
            }
        }
        slowest = slowest.max((best, case));
        assert!(best <= most, "{again} took {best:?}: {}", told(&input));
    }
    println!("{cases} cases from {from} on in {:?}, the slowest {:?} (case {})", begun.elapsed(), slowest.0, slowest.1);
}

/// In an optimised build, and what an unoptimised one may take.
pub fn within(optimised_ms: u64) -> Duration {
    Duration::from_millis(if cfg!(debug_assertions) { optimised_ms * 40 } else { optimised_ms })
}
