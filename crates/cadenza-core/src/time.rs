//! A moment and a length of time, in microseconds. Nothing here knows what time it is; zones and calendars are in `calendar`.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::ops::{Add, Sub};
use std::str::FromStr;

/// A moment: microseconds since 1970-01-01T00:00:00Z, without leap seconds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Time(i64);

/// A length of time in microseconds; negative where it points back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Span(i64);

/// Why a text is no moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is not a moment: expected RFC 3339, such as 2027-03-01T09:00:00Z")]
pub struct InvalidTime {
    pub found: String,
}

impl Time {
    pub const MIN: Time = Time(i64::MIN);
    /// Later than every moment a calendar can name: "never".
    pub const MAX: Time = Time(i64::MAX);

    pub const fn from_micros(micros: i64) -> Time {
        Time(micros)
    }
    pub const fn from_seconds(seconds: i64) -> Time {
        Time(seconds.saturating_mul(1_000_000))
    }
    pub const fn micros(self) -> i64 {
        self.0
    }
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }
    /// As jiff's timestamp; moments that jiff cannot name are clamped to its range.
    pub fn to_jiff(self) -> jiff::Timestamp {
        jiff::Timestamp::from_microsecond(self.0).unwrap_or(if self.0 < 0 {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        })
    }
    pub fn from_jiff(t: jiff::Timestamp) -> Time {
        Time(t.as_microsecond())
    }
}

impl Span {
    pub const ZERO: Span = Span(0);
    pub const fn micros(self) -> i64 {
        self.0
    }
    pub const fn from_micros(micros: i64) -> Span {
        Span(micros)
    }
    pub const fn seconds(n: i64) -> Span {
        Span(n.saturating_mul(1_000_000))
    }
    pub const fn minutes(n: i64) -> Span {
        Span::seconds(n.saturating_mul(60))
    }
    pub const fn hours(n: i64) -> Span {
        Span::minutes(n.saturating_mul(60))
    }
    /// Of 24 hours each; calendar days are the calendar's business.
    pub const fn days(n: i64) -> Span {
        Span::hours(n.saturating_mul(24))
    }
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }
}

impl Add<Span> for Time {
    type Output = Time;
    fn add(self, span: Span) -> Time {
        Time(self.0.saturating_add(span.0))
    }
}
impl Sub<Span> for Time {
    type Output = Time;
    fn sub(self, span: Span) -> Time {
        Time(self.0.saturating_sub(span.0))
    }
}
impl Sub for Time {
    type Output = Span;
    fn sub(self, other: Time) -> Span {
        Span(self.0.saturating_sub(other.0))
    }
}
impl Add for Span {
    type Output = Span;
    fn add(self, other: Span) -> Span {
        Span(self.0.saturating_add(other.0))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.to_jiff())
    }
}
impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
impl FromStr for Time {
    type Err = InvalidTime;
    fn from_str(text: &str) -> Result<Time, InvalidTime> {
        text.parse::<jiff::Timestamp>()
            .map(Time::from_jiff)
            .map_err(|_| InvalidTime { found: text.chars().take(64).collect() })
    }
}
impl Serialize for Time {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Time, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_reads_back_as_written() {
        let t: Time = "2027-03-01T09:00:00.000001Z".parse().unwrap();
        assert_eq!(t.to_string().parse::<Time>(), Ok(t));
        assert!("2027-03-01".parse::<Time>().is_err());
    }
}
