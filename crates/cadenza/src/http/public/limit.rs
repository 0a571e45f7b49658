//! How often one network address may ask for links: a bucket that fills again by itself. It holds back floods and guessing, never
//! a mail gateway that looks at many mails. Kept in memory: a restart forgives.

use crate::clock::{Clock, Stopwatch};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Mutex, PoisonError};

/// Above so many buckets the full ones are forgotten.
const BUCKETS: usize = 50_000;

/// Of one server.
#[derive(Debug)]
pub(super) struct Limits {
    pub all: Buckets,
    /// Requests for what does not exist.
    pub unknown: Buckets,
}

/// One bucket for each address.
#[derive(Debug)]
pub(super) struct Buckets {
    size: f64,
    per_second: f64,
    running: Stopwatch,
    /// What was used, and when that was, in seconds since the start.
    used: Mutex<HashMap<IpAddr, (f64, f64)>>,
}

impl Buckets {
    /// `size` at once, and `per_second` in the long run.
    pub fn new(size: f64, per_second: f64, clock: &Clock) -> Buckets {
        Buckets { size, per_second, running: clock.stopwatch(), used: Mutex::default() }
    }

    /// Takes one; `false` where the bucket of this address is empty. Peers without an address share one.
    pub fn take(&self, address: Option<IpAddr>) -> bool {
        self.take_at(network(address), self.running.elapsed().as_secs_f64())
    }

    fn take_at(&self, address: IpAddr, now: f64) -> bool {
        let mut all = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let left = |used: f64, at: f64| (used - (now - at) * self.per_second).max(0.0);
        if all.len() > BUCKETS {
            all.retain(|_, (used, at)| left(*used, *at) > 0.0);
        }
        let entry = all.entry(address).or_insert((0.0, now));
        let used = left(entry.0, entry.1);
        let free = used + 1.0 <= self.size;
        *entry = (if free { used + 1.0 } else { used }, now);
        free
    }
}

/// An IPv4 address, or an IPv6 network of 64 bits: whoever has one of its addresses has them all.
fn network(address: Option<IpAddr>) -> IpAddr {
    match address.map(|a| a.to_canonical()) {
        None => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        Some(IpAddr::V6(v6)) => {
            let mut octets = v6.octets();
            octets[8..].fill(0);
            IpAddr::from(octets)
        }
        Some(v4) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_empties_and_fills_again() {
        let buckets = Buckets::new(3.0, 1.0, &Clock::system());
        let (one, other) = (network("192.0.2.1".parse().ok()), network("2001:db8::1".parse().ok()));
        assert_eq!((0..4).map(|_| buckets.take_at(one, 10.0)).collect::<Vec<_>>(), [true, true, true, false]);
        assert!(buckets.take_at(other, 10.0), "others are not held back");
        assert_eq!(network("2001:db8::2".parse().ok()), other, "a neighbour in the same network");
        assert!(!buckets.take_at(one, 10.5));
        assert!(buckets.take_at(one, 11.1));
        assert!(!buckets.take_at(one, 11.2));
    }
}
