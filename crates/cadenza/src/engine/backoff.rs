//! How long to wait before a server is tried again: longer each time, and never all mailboxes at one moment.

use crate::clock::Clock;
use std::time::Duration;

/// The longest pause after a failure that may pass.
const PASSING_MAX: Duration = Duration::from_secs(300);
/// After a refused sign-in: servers lock accounts that are tried too often.
const REFUSED_MIN: Duration = Duration::from_secs(60);
const REFUSED_MAX: Duration = Duration::from_secs(1800);

/// Whether time alone may mend it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outlook {
    Passing,
    /// Somebody has to change something; the reader of the changed settings begins at once.
    Settled,
}

/// The pause after so many failures in a row, from 1, shorter or longer by up to a quarter.
pub(super) fn pause(clock: &Clock, first: Duration, failures: u32, outlook: Outlook) -> Duration {
    let (least, most) = match outlook {
        Outlook::Passing => (first, PASSING_MAX),
        Outlook::Settled => (REFUSED_MIN, REFUSED_MAX),
    };
    let doubled = least.saturating_mul(1 << failures.saturating_sub(1).min(16));
    let chance = f64::from(u16::from_le_bytes(clock.entropy())) / f64::from(u16::MAX);
    doubled.min(most).mul_f64(0.75 + chance / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_their_limit_and_differ() {
        let clock = Clock::system();
        let five = Duration::from_secs(5);
        let of = |n, outlook| pause(&clock, five, n, outlook);
        for (failures, outlook, usual) in [
            (1, Outlook::Passing, 5.0),
            (3, Outlook::Passing, 20.0),
            (99, Outlook::Passing, 300.0),
            (1, Outlook::Settled, 60.0),
            (u32::MAX, Outlook::Settled, 1800.0),
        ] {
            let share = of(failures, outlook).as_secs_f64() / usual;
            assert!((0.74..=1.26).contains(&share), "{failures} {outlook:?}: {share}");
        }
        assert!((0..20).any(|_| of(1, Outlook::Passing) != of(1, Outlook::Passing)));
    }
}
