//! Chance that can be had again: everything here that looks random is made from one number, which is printed where a test
//! fails and can be given by `CADENZA_CRASH_SEED`. How much is tried is read here too.

/// SplitMix64.
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    pub fn of(number: u64) -> Chance {
        Chance(number)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Evenly from 0 to below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

/// The number of this run: the one given, else another each time.
pub fn seed() -> u64 {
    given("CADENZA_CRASH_SEED").unwrap_or_else(|| {
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos() as u64 % 1_000_000
    })
}

/// How often a server is killed at random; `few` where nothing is said.
pub fn kills(few: u32) -> u32 {
    given("CADENZA_KILLS").map_or(few, |n| n as u32)
}

/// Is every point of a small run to be tried, not only a sample?
pub fn every_point() -> bool {
    given("CADENZA_KILLS").is_some()
}

fn given(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}
