//! Days of the week and sets of them, written as people write them: "mon", "Monday", "mon-fri".

use super::text;
use serde::de::{self, Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

/// A set of weekdays. In JSON and TOML a list such as `["mon", "tue"]`; ranges ("mon-fri"), full names and one text with
/// commas are read too.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Days(u8);

/// Why a text names no day of the week.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is not a day of the week: expected mon, tue, wed, thu, fri, sat or sun, or a range such as mon-fri")]
pub struct InvalidDays {
    pub found: String,
}

impl Weekday {
    pub const ALL: [Weekday; 7] = [
        Weekday::Monday,
        Weekday::Tuesday,
        Weekday::Wednesday,
        Weekday::Thursday,
        Weekday::Friday,
        Weekday::Saturday,
        Weekday::Sunday,
    ];

    /// The weekday of a count of days since 1970-01-01, which was a Thursday.
    pub const fn of_days(days: i64) -> Weekday {
        Weekday::ALL[(days.rem_euclid(7) as usize + 3) % 7]
    }
    pub const fn name(self) -> &'static str {
        match self {
            Weekday::Monday => "Monday",
            Weekday::Tuesday => "Tuesday",
            Weekday::Wednesday => "Wednesday",
            Weekday::Thursday => "Thursday",
            Weekday::Friday => "Friday",
            Weekday::Saturday => "Saturday",
            Weekday::Sunday => "Sunday",
        }
    }
    /// Three letters: "Mon".
    pub fn short(self) -> &'static str {
        &self.name()[..3]
    }
}

impl Days {
    pub const NONE: Days = Days(0);
    pub const ALL: Days = Days(0b111_1111);
    pub const MONDAY_TO_FRIDAY: Days = Days(0b001_1111);

    pub const fn contains(self, day: Weekday) -> bool {
        self.0 & (1 << day as u8) != 0
    }
    pub const fn with(self, day: Weekday) -> Days {
        Days(self.0 | 1 << day as u8)
    }
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
    pub const fn len(self) -> u32 {
        self.0.count_ones()
    }
    pub fn iter(self) -> impl Iterator<Item = Weekday> {
        Weekday::ALL.into_iter().filter(move |day| self.contains(*day))
    }

    /// From `first` to `last`, both included, over the end of the week where need be ("fri-mon").
    fn between(first: Weekday, last: Weekday) -> Days {
        let mut days = Days::NONE.with(first);
        let mut at = first as usize;
        while at != last as usize {
            at = (at + 1) % 7;
            days = days.with(Weekday::ALL[at]);
        }
        days
    }
    const fn union(self, other: Days) -> Days {
        Days(self.0 | other.0)
    }
}

impl FromIterator<Weekday> for Days {
    fn from_iter<I: IntoIterator<Item = Weekday>>(days: I) -> Days {
        days.into_iter().fold(Days::NONE, Days::with)
    }
}

impl FromStr for Weekday {
    type Err = InvalidDays;
    fn from_str(text: &str) -> Result<Weekday, InvalidDays> {
        let wanted = text.trim();
        Weekday::ALL
            .into_iter()
            .find(|day| wanted.eq_ignore_ascii_case(day.name()) || wanted.eq_ignore_ascii_case(day.short()))
            .ok_or_else(|| InvalidDays { found: text::excerpt(text) })
    }
}

/// Days and ranges, separated by commas.
impl FromStr for Days {
    type Err = InvalidDays;
    fn from_str(text: &str) -> Result<Days, InvalidDays> {
        text.split(',').try_fold(Days::NONE, |days, part| {
            let more = match part.split_once(['-', '–']) {
                Some((first, last)) => Days::between(first.parse()?, last.parse()?),
                None => Days::NONE.with(part.parse()?),
            };
            Ok(days.union(more))
        })
    }
}

/// For people: "Mon–Fri", "Mon, Wed, Fri", "every day".
impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Days::ALL {
            return f.write_str("every day");
        }
        if self.is_empty() {
            return f.write_str("no day");
        }
        let mut left = *self;
        let mut separator = "";
        while let Some(first) = left.iter().next() {
            let run = Weekday::ALL[first as usize..].iter().take_while(|day| self.contains(**day)).count();
            let last = Weekday::ALL[first as usize + run - 1];
            write!(f, "{separator}{}", first.short())?;
            match run {
                1 => {}
                2 => write!(f, ", {}", last.short())?,
                _ => write!(f, "–{}", last.short())?,
            }
            left = left.iter().filter(|day| *day > last).collect();
            separator = ", ";
        }
        Ok(())
    }
}
impl fmt::Debug for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Serialize for Days {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(self.iter().map(|day| day.short().to_ascii_lowercase()))
    }
}
impl<'de> Deserialize<'de> for Days {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Days, D::Error> {
        d.deserialize_any(DaysVisitor)
    }
}

struct DaysVisitor;

impl<'de> Visitor<'de> for DaysVisitor {
    type Value = Days;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("days of the week, such as [\"mon\", \"tue\"] or \"mon-fri\"")
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Days, E> {
        text.parse().map_err(E::custom)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Days, A::Error> {
        let mut days = Days::NONE;
        while let Some(text) = list.next_element::<std::borrow::Cow<'de, str>>()? {
            days = days.union(text.parse().map_err(de::Error::custom)?);
        }
        Ok(days)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_as_people_write_them() {
        for text in ["mon-fri", "Mon–Fri", "monday, tue, Wednesday, THU, fri", "mon,tue-fri"] {
            assert_eq!(text.parse(), Ok(Days::MONDAY_TO_FRIDAY), "{text}");
        }
        assert_eq!("sat-mon".parse::<Days>().unwrap().to_string(), "Mon, Sat, Sun");
        assert_eq!("sun-sun".parse::<Days>().unwrap().to_string(), "Sun");
    }

    #[test]
    fn json_is_a_list_of_three_letters_and_reads_back() {
        let json = serde_json::to_string(&Days::MONDAY_TO_FRIDAY).unwrap();
        assert_eq!(json, r#"["mon","tue","wed","thu","fri"]"#);
        for bits in 0..=127 {
            let days = Days(bits);
            assert_eq!(serde_json::from_value::<Days>(serde_json::to_value(days).unwrap()).unwrap(), days);
            assert_eq!(days.iter().count() as u32, days.len());
        }
        assert_eq!(serde_json::from_str::<Days>(r#"["mon-thu", "Friday"]"#).unwrap(), Days::MONDAY_TO_FRIDAY);
    }

    #[test]
    fn a_day_that_is_none_is_named() {
        let error = serde_json::from_str::<Days>(r#"["mon", "Montag"]"#).unwrap_err().to_string();
        assert!(error.contains("\"Montag\" is not a day of the week: expected mon, tue"), "{error}");
        assert!("".parse::<Days>().is_err());
        assert!("mon-".parse::<Days>().is_err());
        assert!(serde_json::from_str::<Days>("5").unwrap_err().to_string().contains("mon-fri"));
    }

    #[test]
    fn sets_are_shown_for_people() {
        let shown = |text: &str| text.parse::<Days>().unwrap().to_string();
        assert_eq!(shown("mon-fri"), "Mon–Fri");
        assert_eq!(shown("mon,wed,fri"), "Mon, Wed, Fri");
        assert_eq!(shown("mon,tue,fri-sun"), "Mon, Tue, Fri–Sun");
        assert_eq!(shown("mon-sun"), "every day");
        assert_eq!(Days::NONE.to_string(), "no day");
    }

    #[test]
    fn weekdays_of_day_numbers() {
        assert_eq!(Weekday::of_days(0), Weekday::Thursday);
        assert_eq!(Weekday::of_days(-1), Weekday::Wednesday);
        assert_eq!(Weekday::of_days(4), Weekday::Monday);
    }
}
