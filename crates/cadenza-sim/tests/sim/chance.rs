//! The chance of a run: everything that is drawn comes from one seed, so that the same seed runs the same again.

use cadenza_core::pacing::mix;
use cadenza_core::time::Span;

#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Chance {
        Chance(mix(seed ^ 0x5eed))
    }
    /// A stream of its own, which draws of others do not move.
    pub fn branch(&self, of: u64) -> Chance {
        Chance(mix(self.0 ^ mix(of)))
    }
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }
    /// Less than `n`; 0 where `n` is.
    pub fn below(&mut self, n: u64) -> u64 {
        if n == 0 { 0 } else { self.next() % n }
    }
    /// True once in `n`; never where `n` is 0.
    pub fn one_in(&mut self, n: u64) -> bool {
        n > 0 && self.below(n) == 0
    }
    pub fn percent(&mut self, share: u64) -> bool {
        self.below(100) < share
    }
    pub fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len() as u64) as usize]
    }
    /// Between two lengths, in whole seconds.
    pub fn span(&mut self, least: Span, most: Span) -> Span {
        let (least, most) = (least.as_seconds(), most.as_seconds());
        Span::seconds(least + self.below((most - least).max(0) as u64 + 1) as i64)
    }
}
