//! A time of day as a clock on the wall shows it, to the minute. It is no moment: only a zone and a date make it one.

use super::text;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// Minutes since midnight on the clock, 0 to 1440; "24:00" is the end of the day.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LocalMinute(u16);

/// Why a text is no time of day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is not a time of day: expected hours and minutes from 00:00 to 24:00, such as 09:00")]
pub struct InvalidMinute {
    pub found: String,
}

impl LocalMinute {
    pub const START_OF_DAY: LocalMinute = LocalMinute(0);
    pub const END_OF_DAY: LocalMinute = LocalMinute(24 * 60);

    /// Errors beyond 24:00.
    pub fn new(hour: u16, minute: u16) -> Result<LocalMinute, InvalidMinute> {
        if minute < 60 && (hour < 24 || (hour == 24 && minute == 0)) {
            Ok(LocalMinute(hour * 60 + minute))
        } else {
            Err(InvalidMinute { found: format!("{hour:02}:{minute:02}") })
        }
    }
    /// `hour` must be below 24: later ones become the end of the day.
    pub const fn hour(hour: u16) -> LocalMinute {
        if hour < 24 { LocalMinute(hour * 60) } else { LocalMinute::END_OF_DAY }
    }
    /// Minutes since midnight.
    pub const fn minutes(self) -> u16 {
        self.0
    }
    /// Microseconds since midnight.
    pub(super) const fn micros(self) -> i64 {
        self.0 as i64 * 60_000_000
    }
}

impl fmt::Display for LocalMinute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}
impl fmt::Debug for LocalMinute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
/// "09:00" and "9:00"; seconds only where they are zero, as TOML's own times have them.
impl FromStr for LocalMinute {
    type Err = InvalidMinute;
    fn from_str(text: &str) -> Result<LocalMinute, InvalidMinute> {
        let invalid = || InvalidMinute { found: text::excerpt(text) };
        let trimmed = text.trim();
        let (hour, minute) = trimmed.split_once(':').ok_or_else(invalid)?;
        let minute = minute.strip_suffix(":00").unwrap_or(minute);
        let is_number = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if !is_number(hour) || !is_number(minute) || !(1..=2).contains(&hour.len()) || minute.len() != 2 {
            return Err(invalid());
        }
        let number = |part: &str| part.parse::<u16>().map_err(|_| invalid());
        LocalMinute::new(number(hour)?, number(minute)?).map_err(|_| invalid())
    }
}
impl Serialize for LocalMinute {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for LocalMinute {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<LocalMinute, D::Error> {
        text::deserialize(d, "a time of day, such as \"09:00\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_minute_reads_back_as_written() {
        for minutes in 0..=1440 {
            let minute = LocalMinute(minutes);
            assert_eq!(minute.to_string().parse(), Ok(minute));
        }
        assert_eq!("9:05".parse(), LocalMinute::new(9, 5));
        assert_eq!(" 17:00:00 ".parse(), Ok(LocalMinute::hour(17)));
    }

    #[test]
    fn what_no_clock_shows_is_refused() {
        for wrong in ["", "9", "09:0", "24:01", "25:00", "09:60", "-1:00", "+9:00", "09:00:30", "9am", "009:00"] {
            let error = wrong.parse::<LocalMinute>().unwrap_err();
            assert_eq!(error.found, wrong);
        }
    }
}
