//! A calendar date without a zone, as a count of days, so that a walk over days is additions. Which moments belong to a
//! date is the zone's business.

use super::Weekday;
use super::text;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

const EPOCH: jiff::civil::Date = jiff::civil::date(1970, 1, 1);

/// A date of the Gregorian calendar: days since 1970-01-01, between [`Date::FIRST`] and [`Date::LAST`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Date(i32);

/// Why a text or three numbers are no date.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is not a date: expected year-month-day, such as 2027-03-01")]
pub struct InvalidDate {
    pub found: String,
}

impl Date {
    /// 1 January of the year -9999.
    pub const FIRST: Date = Date(-4_371_587);
    /// 31 December of the year 9999.
    pub const LAST: Date = Date(2_932_896);

    /// Errors where the month has no such day.
    pub fn new(year: i16, month: i8, day: i8) -> Result<Date, InvalidDate> {
        jiff::civil::Date::new(year, month, day)
            .map(Date::from_jiff)
            .map_err(|_| InvalidDate { found: format!("{year:04}-{month:02}-{day:02}") })
    }

    /// Days since 1970-01-01; what lies beyond the first or last date becomes that one.
    pub fn from_days(days: i64) -> Date {
        // The clamp makes the conversion exact.
        Date(days.clamp(i64::from(Date::FIRST.0), i64::from(Date::LAST.0)) as i32)
    }
    pub const fn days(self) -> i64 {
        self.0 as i64
    }
    pub fn plus_days(self, days: i64) -> Date {
        Date::from_days(self.days().saturating_add(days))
    }
    /// The same day `months` later, or the last of that month where it is shorter: 31 January + 1 month = 28 or 29 February.
    pub fn plus_months(self, months: i32) -> Date {
        Date::from_jiff(self.to_jiff().saturating_add(jiff::Span::new().months(months.clamp(-200_000, 200_000))))
    }

    pub fn year(self) -> i16 {
        self.to_jiff().year()
    }
    /// 1 to 12.
    pub fn month(self) -> i8 {
        self.to_jiff().month()
    }
    /// 1 to 31.
    pub fn day(self) -> i8 {
        self.to_jiff().day()
    }
    pub fn weekday(self) -> Weekday {
        Weekday::of_days(self.days())
    }

    pub fn to_jiff(self) -> jiff::civil::Date {
        EPOCH.saturating_add(jiff::Span::new().days(self.0))
    }
    pub fn from_jiff(date: jiff::civil::Date) -> Date {
        Date::from_days(date.duration_since(EPOCH).as_hours() / 24)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.to_jiff())
    }
}
impl fmt::Debug for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
impl FromStr for Date {
    type Err = InvalidDate;
    fn from_str(text: &str) -> Result<Date, InvalidDate> {
        let invalid = || InvalidDate { found: text::excerpt(text) };
        let bytes = text.trim().as_bytes();
        // Strict, since jiff would also take a date with a time and drop the time.
        let [y @ .., b'-', m1, m2, b'-', d1, d2] = bytes else { return Err(invalid()) };
        if y.len() != 4 || !y.iter().chain([m1, m2, d1, d2]).all(u8::is_ascii_digit) {
            return Err(invalid());
        }
        let number = |digits: &[u8]| digits.iter().fold(0_i16, |n, digit| n * 10 + i16::from(digit - b'0'));
        // Two digits fit an i8.
        Date::new(number(y), number(&[*m1, *m2]) as i8, number(&[*d1, *d2]) as i8).map_err(|_| invalid())
    }
}
impl Serialize for Date {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Date, D::Error> {
        text::deserialize(d, "a date, such as \"2027-03-01\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn the_ends_are_where_they_are_said_to_be() {
        assert_eq!(Date::FIRST.to_jiff(), jiff::civil::Date::MIN);
        assert_eq!(Date::LAST.to_jiff(), jiff::civil::Date::MAX);
        assert_eq!(Date::LAST.plus_days(1), Date::LAST);
        assert_eq!(Date::from_days(i64::MIN), Date::FIRST);
        assert_eq!(Date::from_days(0).to_string(), "1970-01-01");
    }

    #[test]
    fn every_date_reads_back_as_written() {
        let mut day = date("1999-12-31");
        while day < date("2005-01-02") {
            assert_eq!(date(&day.to_string()), day);
            assert_eq!(Date::new(day.year(), day.month(), day.day()), Ok(day));
            assert_eq!(day.weekday().name(), day.to_jiff().strftime("%A").to_string());
            day = day.plus_days(1);
        }
    }

    #[test]
    fn a_date_that_is_none_is_refused_with_what_was_found() {
        for wrong in ["", "2027-02-29", "2027-13-01", "2027-1-1", "27-01-01", "2027-01-01T09:00", "12-25", "2027–01–01"]
        {
            let error = wrong.parse::<Date>().unwrap_err();
            assert_eq!(error.found, wrong);
            assert!(error.to_string().contains("such as 2027-03-01"));
        }
    }

    #[test]
    fn months_clamp_to_the_end_of_a_shorter_month() {
        assert_eq!(date("2027-01-31").plus_months(1), date("2027-02-28"));
        assert_eq!(date("2028-01-31").plus_months(1), date("2028-02-29"));
        assert_eq!(date("2028-02-29").plus_months(12), date("2029-02-28"));
        assert_eq!(date("2027-03-31").plus_months(-1), date("2027-02-28"));
        assert_eq!(date("2027-12-15").plus_months(1), date("2028-01-15"));
    }

    #[test]
    fn toml_dates_need_no_quotes() {
        #[derive(Deserialize)]
        struct Form {
            day: Date,
        }
        assert_eq!(toml::from_str::<Form>("day = 2028-02-29").unwrap().day, date("2028-02-29"));
        assert_eq!(toml::from_str::<Form>("day = \"2028-02-29\"").unwrap().day, date("2028-02-29"));
        assert!(toml::from_str::<Form>("day = 2028-02-29T09:00:00Z").is_err());
        assert!(toml::from_str::<Form>("day = { year = 2028 }").is_err());
    }
}
