//! The only reader of time and entropy. Everything else is handed a [`Clock`] and asks it, so that tests, demos and the
//! sandbox decide what time it is. It knows no calendars and no zones.

use cadenza_core::time::{Span, Time};
use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::Notify;

/// The longest that [`Clock::until`] sleeps at once: clocks are set, machines are suspended, and a wait that was right
/// when it began may not be right when it ends.
pub const LONGEST_SLEEP: Duration = Duration::from_secs(15);

/// What time it is here. Clones are the same clock.
#[derive(Clone)]
pub struct Clock {
    inner: Arc<Inner>,
}

struct Inner {
    source: Source,
    /// Added to what the source says, microseconds: the difference to the database's clock.
    offset: AtomicI64,
    /// Added as well: how far somebody skipped ahead.
    skipped: AtomicI64,
    moved: Notify,
}

enum Source {
    /// The machine's clock, `scale` times as fast since `began`, when it showed `shown`.
    System { began: Time, shown: Time, scale: f64 },
    /// Stands still until a test moves it.
    Standing(Mutex<Time>),
}

/// Why a clock cannot run at that speed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{found} is not a speed for the clock: expected a number from 0.01 to 1000000")]
pub struct InvalidScale {
    pub found: f64,
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Clock {
        let now = machine_time();
        Clock::from(Source::System { began: now, shown: now, scale: 1.0 })
    }

    /// A clock that runs `scale` times as fast as the machine's, from now on. For loopback and the sandbox only; that is
    /// for the caller to check. Socket timeouts stay real.
    ///
    /// Errors: a scale outside 0.01 to 1,000,000.
    pub fn scaled(scale: f64) -> Result<Clock, InvalidScale> {
        Clock::starting_at(machine_time(), scale)
    }

    /// As [`Clock::scaled`], beginning at another moment than the machine's: for rehearsals.
    ///
    /// Errors: a scale outside 0.01 to 1,000,000.
    pub fn starting_at(shown: Time, scale: f64) -> Result<Clock, InvalidScale> {
        if !(0.01..=1_000_000.0).contains(&scale) {
            return Err(InvalidScale { found: scale });
        }
        Ok(Clock::from(Source::System { began: machine_time(), shown, scale }))
    }

    /// A clock for tests: it shows `time` until [`Clock::skip_ahead`] moves it.
    pub fn standing(time: Time) -> Clock {
        Clock::from(Source::Standing(Mutex::new(time)))
    }

    pub fn now(&self) -> Time {
        let source = match &self.inner.source {
            // Read anew, so that a machine whose clock is set is followed.
            Source::System { .. } if self.is_machines() => machine_time(),
            Source::System { began, shown, scale } => {
                let passed = (machine_time() - *began).micros() as f64 * scale;
                *shown + Span::from_micros(passed as i64)
            }
            Source::Standing(time) => *time.lock().unwrap_or_else(PoisonError::into_inner),
        };
        let offset = self.inner.offset.load(Ordering::Relaxed).saturating_add(self.skipped().micros());
        source + Span::from_micros(offset)
    }

    /// The machine's time, whatever was skipped and however fast the clock runs: for what people in front of it wait for,
    /// such as sessions, which a *Skip ahead* must not end.
    pub fn real(&self) -> Time {
        match &self.inner.source {
            Source::System { .. } => machine_time(),
            Source::Standing(time) => *time.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Lets time pass on a standing clock, real time too; another clock does not heed it.
    pub fn pass(&self, by: Span) {
        if let Source::Standing(time) = &self.inner.source {
            let mut time = time.lock().unwrap_or_else(PoisonError::into_inner);
            *time = *time + by;
        }
        self.inner.moved.notify_waiters();
    }

    /// Moves the clock forward, for the sandbox's *Skip ahead* and for tests. A clock never goes back: a negative span
    /// does nothing. Wakes everyone who waits in [`Clock::until`].
    pub fn skip_ahead(&self, by: Span) {
        if by.micros() > 0 {
            self.inner.skipped.fetch_add(by.micros(), Ordering::Relaxed);
            self.inner.moved.notify_waiters();
        }
    }

    /// How far the clock was skipped ahead in all; to be kept where the sandbox's mail is kept, and skipped again at start.
    pub fn skipped(&self) -> Span {
        Span::from_micros(self.inner.skipped.load(Ordering::Relaxed))
    }

    /// Sets the difference to the database's clock (its time minus ours), measured by whoever talks to it. A clock that does not
    /// show the machine's time heeds no other either.
    pub fn set_offset(&self, offset: Span) {
        if self.is_machines() {
            self.inner.offset.store(offset.micros(), Ordering::Relaxed);
        }
    }

    pub fn offset(&self) -> Span {
        Span::from_micros(self.inner.offset.load(Ordering::Relaxed))
    }

    fn is_machines(&self) -> bool {
        matches!(&self.inner.source, Source::System { scale, began, shown } if *scale == 1.0 && began == shown)
    }

    /// How many times faster than real time it runs.
    pub fn scale(&self) -> f64 {
        match self.inner.source {
            Source::System { scale, .. } => scale,
            Source::Standing(_) => 1.0,
        }
    }

    /// Waits until this clock shows `moment`, but never longer than [`LONGEST_SLEEP`], and less when the clock is moved:
    /// ask [`Clock::now`] again afterwards.
    pub async fn until(&self, moment: Time) {
        let moved = self.inner.moved.notified();
        tokio::pin!(moved);
        // From here on a move is not missed, even one made while the time below is being read.
        moved.as_mut().enable();
        let left = (moment - self.now()).micros().max(0) as f64 / self.scale();
        let sleep = Duration::from_micros(left as u64).min(LONGEST_SLEEP);
        tokio::select! {
            () = tokio::time::sleep(sleep) => {}
            () = moved => {}
        }
    }

    /// For measuring how long something took, in real time.
    pub fn stopwatch(&self) -> Stopwatch {
        Stopwatch { began: Instant::now() }
    }

    /// Bytes that nobody can guess, from the operating system.
    pub fn entropy<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        if let Err(e) = getrandom::fill(&mut bytes) {
            // Without it no key, token or session may be made, and there is no lesser way to go on.
            tracing::error!("the operating system gives no random bytes: {e}");
            std::process::abort();
        }
        bytes
    }
}

/// Real time that passed since it was made.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch {
    began: Instant,
}

impl Stopwatch {
    pub fn elapsed(self) -> Duration {
        self.began.elapsed()
    }
}

impl From<Source> for Clock {
    fn from(source: Source) -> Clock {
        let inner = Inner { source, offset: AtomicI64::new(0), skipped: AtomicI64::new(0), moved: Notify::new() };
        Clock { inner: Arc::new(inner) }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({}, {}x)", self.now(), self.scale())
    }
}

fn machine_time() -> Time {
    let micros = |d: Duration| i64::try_from(d.as_micros()).unwrap_or(i64::MAX);
    Time::from_micros(match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => micros(since),
        Err(before) => -micros(before.duration()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standing_clock_moves_forward_only() {
        let start: Time = "2027-03-01T09:00:00Z".parse().unwrap();
        let clock = Clock::standing(start);
        let same = clock.clone();
        assert_eq!(clock.now(), start);
        clock.skip_ahead(Span::hours(3));
        clock.skip_ahead(Span::hours(-2));
        assert_eq!(same.now(), start + Span::hours(3));
        assert_eq!(same.skipped(), Span::hours(3));
        assert_eq!(same.real(), start, "skipping is not waiting");
        clock.set_offset(Span::seconds(-2));
        assert_eq!(same.now(), start + Span::hours(3), "a clock of its own heeds no other");
        clock.pass(Span::minutes(1));
        assert_eq!(same.real(), start + Span::minutes(1));
    }

    #[test]
    fn a_scaled_clock_runs_ahead_of_the_machine() {
        let clock = Clock::scaled(100_000.0).unwrap();
        let before = clock.now();
        std::thread::sleep(Duration::from_millis(20));
        assert!(clock.now() - before >= Span::seconds(1_900));
        let start: Time = "2027-03-01T09:00:00Z".parse().unwrap();
        let clock = Clock::starting_at(start, 1.0).unwrap();
        assert!((Span::ZERO..Span::minutes(5)).contains(&(clock.now() - start)), "{}", clock.now());
        clock.skip_ahead(Span::days(30));
        assert!((Span::days(30)..Span::days(31)).contains(&(clock.now() - start)), "{}", clock.now());
        assert!(Clock::scaled(0.0).is_err());
        assert!(Clock::scaled(f64::NAN).is_err());
    }

    #[tokio::test]
    async fn a_wait_ends_when_the_clock_is_moved() {
        let clock = Clock::standing(Time::from_seconds(0));
        let waiting = clock.until(Time::from_seconds(14));
        let real = clock.stopwatch();
        let moving = async {
            tokio::task::yield_now().await;
            clock.skip_ahead(Span::seconds(14));
        };
        tokio::join!(waiting, moving);
        assert!(real.elapsed() < Duration::from_secs(10), "it slept on");
        assert_eq!(clock.now(), Time::from_seconds(14));
    }

    #[test]
    fn entropy_is_not_the_same_twice() {
        let clock = Clock::system();
        assert_ne!(clock.entropy::<16>(), clock.entropy::<16>());
    }
}
