//! Days on which no window opens: single dates, and dates of every year. Which country's they are, and of which edition,
//! whoever supplies the set says; moving feasts are given as single dates.

use super::text;
use super::{Date, Days};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// A set of holidays, cheap to clone. In TOML and JSON a list: `["12-25", { date = "2027-03-26", name = "Good Friday" }]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Holidays {
    set: Arc<Set>,
}

/// One date, or a day of every year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HolidayDate {
    On(Date),
    /// 29 February is a holiday in leap years only.
    Yearly {
        month: i8,
        day: i8,
    },
}

/// Why a text is no holiday.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{found:?} is not a holiday: expected a date such as 2027-03-26, or a month and day of every year such as 12-25"
)]
pub struct InvalidHolidayDate {
    pub found: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Set {
    dates: BTreeMap<Date, Option<Box<str>>>,
    yearly: BTreeMap<(i8, i8), Option<Box<str>>>,
}

impl Holidays {
    pub fn none() -> Holidays {
        Holidays::default()
    }
    pub fn is_empty(&self) -> bool {
        self.set.dates.is_empty() && self.set.yearly.is_empty()
    }
    pub fn len(&self) -> usize {
        self.set.dates.len() + self.set.yearly.len()
    }
    /// Single dates first, each in order.
    pub fn iter(&self) -> impl Iterator<Item = (HolidayDate, Option<&str>)> {
        let dates = self.set.dates.iter().map(|(date, name)| (HolidayDate::On(*date), name.as_deref()));
        let yearly = self.set.yearly.iter();
        dates.chain(yearly.map(|(&(month, day), name)| (HolidayDate::Yearly { month, day }, name.as_deref())))
    }

    /// With one more; a name given later takes the place of the one before, no name takes nothing's place.
    pub fn with(mut self, date: HolidayDate, name: Option<&str>) -> Holidays {
        Arc::make_mut(&mut self.set).insert(date, name);
        self
    }
    /// All days of both; where both name a day, `other`'s name is kept.
    pub fn merged(mut self, other: &Holidays) -> Holidays {
        if self.is_empty() {
            return other.clone();
        }
        let set = Arc::make_mut(&mut self.set);
        other.iter().for_each(|(date, name)| set.insert(date, name));
        self
    }

    pub fn contains(&self, date: Date) -> bool {
        self.entry(date).is_some()
    }
    /// What the holiday on that date is called: its name, else its date. `None` where it is none.
    pub fn on(&self, date: Date) -> Option<Cow<'_, str>> {
        let name = self.entry(date)?;
        Some(name.map_or_else(|| Cow::Owned(date.to_string()), Cow::Borrowed))
    }

    /// How many dates from `from` up to but without `until` are holidays on one of `days`.
    pub(super) fn count_on(&self, days: Days, from: Date, until: Date) -> i64 {
        if self.is_empty() || from >= until {
            return 0;
        }
        let counts = |date: Date| days.contains(date.weekday());
        let single = self.set.dates.range(from..until).filter(|(date, _)| counts(**date)).count();
        let yearly = |year: i16| {
            let dates = self.set.yearly.keys().filter_map(move |&(month, day)| Date::new(year, month, day).ok());
            dates.filter(|date| (from..until).contains(date) && counts(*date) && !self.set.dates.contains_key(date))
        };
        let yearly = if self.set.yearly.is_empty() { 0 } else { (from.year()..=until.year()).flat_map(yearly).count() };
        (single + yearly) as i64
    }

    /// Outer `None`: no holiday; inner: one without a name.
    fn entry(&self, date: Date) -> Option<Option<&str>> {
        if let Some(name) = self.set.dates.get(&date) {
            return Some(name.as_deref());
        }
        if self.set.yearly.is_empty() {
            return None;
        }
        let civil = date.to_jiff();
        self.set.yearly.get(&(civil.month(), civil.day())).map(Option::as_deref)
    }
}

impl Set {
    fn insert(&mut self, date: HolidayDate, name: Option<&str>) {
        let slot = match date {
            HolidayDate::On(date) => self.dates.entry(date).or_default(),
            HolidayDate::Yearly { month, day } => self.yearly.entry((month, day)).or_default(),
        };
        if let Some(name) = name {
            *slot = Some(name.into());
        }
    }
}

impl FromIterator<(HolidayDate, Option<String>)> for Holidays {
    fn from_iter<I: IntoIterator<Item = (HolidayDate, Option<String>)>>(list: I) -> Holidays {
        let mut set = Set::default();
        list.into_iter().for_each(|(date, name)| set.insert(date, name.as_deref()));
        Holidays { set: Arc::new(set) }
    }
}

impl HolidayDate {
    /// Errors where no year has such a day.
    pub fn yearly(month: i8, day: i8) -> Result<HolidayDate, InvalidHolidayDate> {
        // A leap year has every day that any year has.
        match Date::new(2028, month, day) {
            Ok(_) => Ok(HolidayDate::Yearly { month, day }),
            Err(_) => Err(InvalidHolidayDate { found: format!("{month:02}-{day:02}") }),
        }
    }
}
impl fmt::Display for HolidayDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HolidayDate::On(date) => write!(f, "{date}"),
            HolidayDate::Yearly { month, day } => write!(f, "{month:02}-{day:02}"),
        }
    }
}
impl FromStr for HolidayDate {
    type Err = InvalidHolidayDate;
    fn from_str(text: &str) -> Result<HolidayDate, InvalidHolidayDate> {
        let trimmed = text.trim();
        if let Ok(date) = trimmed.parse() {
            return Ok(HolidayDate::On(date));
        }
        // Read as a date of a leap year, "12-25" is held to the same form as a whole date.
        match format!("2028-{trimmed}").parse::<Date>() {
            Ok(date) => Ok(HolidayDate::Yearly { month: date.month(), day: date.day() }),
            Err(_) => Err(InvalidHolidayDate { found: text::excerpt(text) }),
        }
    }
}
impl Serialize for HolidayDate {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for HolidayDate {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<HolidayDate, D::Error> {
        text::deserialize(d, "a date, such as \"2027-03-26\" or \"12-25\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }
    fn holidays(list: &[(&str, Option<&str>)]) -> Holidays {
        list.iter().map(|(date, name)| (date.parse().unwrap(), name.map(str::to_owned))).collect()
    }

    #[test]
    fn single_and_yearly_dates_are_found_by_name() {
        let set = holidays(&[("12-25", Some("Christmas")), ("2027-03-26", Some("Good Friday")), ("05-01", None)]);
        assert_eq!(set.on(date("2031-12-25")).as_deref(), Some("Christmas"));
        assert_eq!(set.on(date("2027-03-26")).as_deref(), Some("Good Friday"));
        assert_eq!(set.on(date("2028-03-26")), None);
        assert_eq!(set.on(date("2029-05-01")).as_deref(), Some("2029-05-01"));
        assert!(Holidays::none().is_empty());
        assert_eq!(set.len(), 3);
    }

    #[test]
    fn the_29th_of_february_is_a_holiday_in_leap_years_only() {
        let set = holidays(&[("02-29", Some("Leap day"))]);
        assert!(set.contains(date("2028-02-29")));
        assert!(!set.contains(date("2027-02-28")) && !set.contains(date("2027-03-01")));
        assert_eq!(set.count_on(Days::ALL, date("2024-01-01"), date("2037-01-01")), 4);
    }

    #[test]
    fn a_single_date_names_the_yearly_one_it_falls_on() {
        let set = holidays(&[("12-25", Some("Christmas")), ("2027-12-25", Some("Christmas, office shut all week"))]);
        assert_eq!(set.on(date("2027-12-25")).as_deref(), Some("Christmas, office shut all week"));
        assert_eq!(set.on(date("2028-12-25")).as_deref(), Some("Christmas"));
        assert_eq!(set.count_on(Days::ALL, date("2027-01-01"), date("2029-01-01")), 2, "no day counts twice");
    }

    #[test]
    fn merging_keeps_every_day_and_the_later_name() {
        let country = holidays(&[("12-25", Some("Christmas")), ("05-01", Some("Labour Day"))]);
        let company = holidays(&[("12-25", None), ("12-24", Some("Office party")), ("05-01", Some("Spring outing"))]);
        let both = country.clone().merged(&company);
        assert_eq!(both.len(), 3);
        assert_eq!(both.on(date("2027-12-25")).as_deref(), Some("Christmas"));
        assert_eq!(both.on(date("2027-05-01")).as_deref(), Some("Spring outing"));
        assert_eq!(country.len(), 2, "merging leaves the set merged from alone");
    }

    #[test]
    fn counting_equals_looking_at_each_day() {
        let set =
            holidays(&[("12-25", None), ("01-01", None), ("02-29", None), ("2027-12-25", None), ("2027-03-26", None)]);
        let days: Days = "mon-fri".parse().unwrap();
        for (from, until) in [("2024-02-20", "2033-07-01"), ("2027-12-25", "2027-12-26"), ("2027-12-26", "2027-12-25")]
        {
            let (from, until) = (date(from), date(until));
            let looked = (from.days()..until.days()).map(Date::from_days);
            let looked = looked.filter(|day| days.contains(day.weekday()) && set.contains(*day)).count();
            assert_eq!(set.count_on(days, from, until), looked as i64);
        }
    }

    #[test]
    fn what_no_year_has_is_refused() {
        for wrong in ["02-30", "13-01", "1-1", "Christmas", "2027-02-29", ""] {
            let error = wrong.parse::<HolidayDate>().unwrap_err().to_string();
            assert!(error.contains("such as 12-25"), "{error}");
        }
        assert!(HolidayDate::yearly(2, 29).is_ok());
        assert!(HolidayDate::yearly(4, 31).is_err());
    }
}
