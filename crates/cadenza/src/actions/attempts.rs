//! How often a password may be guessed: buckets of tries, for each account and for each network address, that fill again
//! by themselves. Nobody is locked out for good. Kept in memory: a restart forgives.

use super::{ActionError, Result};
use cadenza_core::time::{Span, Time};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// A bucket is full again after this.
const FILLS_IN: Span = Span::minutes(15);
/// Above so many buckets the full ones are forgotten.
const BUCKETS: usize = 20_000;

/// What tries are counted for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Of {
    /// By sign-in address, whether there is such an account or not.
    Account(String),
    /// An IPv4 address, or an IPv6 network of 64 bits: whoever has one of its addresses has them all.
    Network(IpAddr),
}

impl Of {
    pub fn network(address: IpAddr) -> Of {
        Of::Network(match address.to_canonical() {
            IpAddr::V6(v6) => {
                let mut octets = v6.octets();
                octets[8..].fill(0);
                IpAddr::from(octets)
            }
            v4 => v4,
        })
    }
}

/// The buckets of one server.
#[derive(Debug, Default)]
pub struct Attempts {
    buckets: Mutex<HashMap<Of, Bucket>>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    /// Tries used, at `at`.
    used: f64,
    at: Time,
}

impl Attempts {
    /// Takes one try out of each bucket, which holds as many as is said with it.
    ///
    /// Errors: `TooMany` where one is empty; then none is taken.
    pub fn take(&self, wanted: &[(Of, u32)], now: Time) -> Result<()> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let mut wait = 0.0_f64;
        for (of, size) in wanted {
            let used = buckets.get(of).map_or(0.0, |b| b.now(*size, now));
            let missing = used + 1.0 - f64::from(*size);
            wait = wait.max(missing / f64::from(*size) * FILLS_IN.as_seconds() as f64);
        }
        if wait > 0.0 {
            let retry_after = Duration::from_secs(wait.ceil() as u64);
            let minutes = retry_after.as_secs().div_ceil(60);
            let message = format!("There were too many attempts to sign in. Try again in {minutes} min.");
            return Err(ActionError::TooMany { message, retry_after });
        }
        if buckets.len() > BUCKETS {
            buckets.retain(|_, b| now - b.at < FILLS_IN);
        }
        for (of, size) in wanted {
            let used = buckets.get(of).map_or(0.0, |b| b.now(*size, now));
            buckets.insert(of.clone(), Bucket { used: used + 1.0, at: now });
        }
        Ok(())
    }

    /// Whoever got in was no guesser: what they took for the account is given back.
    pub fn give_back(&self, of: &Of) {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner).remove(of);
    }
}

impl Bucket {
    fn now(self, size: u32, now: Time) -> f64 {
        let filled = (now - self.at).micros().max(0) as f64 / FILLS_IN.micros() as f64 * f64::from(size);
        (self.used - filled).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_empties_and_fills_again() {
        let attempts = Attempts::default();
        let start: Time = "2027-03-01T09:00:00Z".parse().unwrap();
        let account = || [(Of::Account("ann@a.example".into()), 3)];
        for _ in 0..3 {
            attempts.take(&account(), start).unwrap();
        }
        let refused = attempts.take(&account(), start).unwrap_err();
        assert!(
            matches!(&refused, ActionError::TooMany { retry_after, .. } if retry_after.as_secs() == 300),
            "{refused:?}"
        );
        assert!(attempts.take(&account(), start + Span::minutes(4)).is_err());
        attempts.take(&account(), start + Span::minutes(5)).unwrap();
        assert!(attempts.take(&[(Of::Account("ben@a.example".into()), 3)], start).is_ok(), "somebody else");
        attempts.give_back(&account()[0].0);
        attempts.take(&account(), start).unwrap();
    }

    #[test]
    fn ten_thousand_guesses_in_an_hour_get_fifty() {
        let attempts = Attempts::default();
        let start: Time = "2027-03-01T09:00:00Z".parse().unwrap();
        let tried = (0..10_000).filter(|i| {
            let now = start + Span::from_micros(i * 360_000);
            attempts.take(&[(Of::Account("ann".into()), 10), (Of::network([192, 0, 2, 1].into()), 50)], now).is_ok()
        });
        assert!((45..=50).contains(&tried.count()));
    }

    #[test]
    fn an_ipv6_network_is_one_guesser() {
        let of = |a: &str| Of::network(a.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }
}
