//! A time zone as a table of its changes of offset: what the clock on the wall shows at a moment, and at which moment the
//! clock shows a reading. Where zones come from is `tzdb`'s business.
//!
//! The table is kept because profiling said so: the bundled rules hold recent years as a formula, and working it out took
//! 0.7 µs a look-up with five look-ups to a due date. With the table a whole due date takes under 0.5 µs.

use super::tzdb;
use super::{Date, LocalMinute};
use crate::time::Time;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, LazyLock};

pub(super) const DAY: i64 = 86_400_000_000;

/// Changes of clocks are known up to here, 2100-01-01; from then on the last offset stands.
const HORIZON_SECONDS: i64 = 4_102_444_800;

/// An IANA time zone with its rules; cheap to clone. Equal are two zones of one name and the same rules.
#[derive(Clone)]
pub struct Zone {
    table: Arc<Table>,
}

/// Why a text names no zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is not a time zone: expected an IANA name such as Europe/Berlin{}", Nearest(.nearest))]
pub struct InvalidZone {
    pub found: String,
    /// Names that look alike, the nearest first; may be empty.
    pub nearest: Vec<String>,
}

/// What the clock and the calendar on the wall show at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Wall {
    pub date: Date,
    /// Since midnight on the clock, below 24 hours.
    pub micros: i64,
    /// Seconds east of UTC.
    pub offset_seconds: i32,
}

/// A stretch of time with one offset. Moments and readings are in microseconds, a reading being what the clock shows,
/// counted as if it stood at UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stretch {
    /// The first moment.
    pub from: i64,
    pub offset: i64,
    /// Up to (without) which reading the clock had already come before; what lies below is shown again.
    pub high: i64,
}

#[derive(Debug, PartialEq, Eq)]
struct Table {
    name: Box<str>,
    /// In order; the first begins at `i64::MIN`.
    stretches: Vec<Stretch>,
    /// Dates that the zone left out when it crossed the date line, as days since 1970-01-01.
    left_out: Vec<i64>,
}

impl Zone {
    pub fn utc() -> Zone {
        static UTC: LazyLock<Zone> = LazyLock::new(|| Zone::from_jiff("UTC", &jiff::tz::TimeZone::UTC));
        UTC.clone()
    }
    pub fn name(&self) -> &str {
        &self.table.name
    }

    /// A zone from a compiled TZif file (RFC 9636), as the system's zone directory has them. Errors are jiff's.
    pub fn from_tzif(name: &str, bytes: &[u8]) -> Result<Zone, jiff::Error> {
        Ok(Zone::from_jiff(name, &jiff::tz::TimeZone::tzif(name, bytes)?))
    }

    /// What the wall shows at `t`.
    pub fn wall(&self, t: Time) -> Wall {
        let (stretch, _) = self.stretch(t.micros());
        let reading = t.micros().saturating_add(stretch.offset);
        Wall {
            date: Date::from_days(reading.div_euclid(DAY)),
            micros: reading.rem_euclid(DAY),
            // Offsets are below a day and a half.
            offset_seconds: (stretch.offset / 1_000_000) as i32,
        }
    }

    /// The date that `t` belongs to: always the one whose [`Zone::day_bounds`] hold it. It never goes back: where the clock
    /// is put back over midnight, the new day has begun.
    pub fn local_date(&self, t: Time) -> Date {
        let (stretch, _) = self.stretch(t.micros());
        Date::from_days(stretch.latest_reading(t.micros()).div_euclid(DAY))
    }

    /// The first moment of the date and the first of the next one: 23 to 25 hours as a rule, and an empty stretch for a date
    /// that the zone left out.
    pub fn day_bounds(&self, date: Date) -> (Time, Time) {
        (self.first_at(date.days() * DAY), self.first_at(date.plus_days(1).days() * DAY))
    }

    /// The first moment at which the clock shows `minute` on `date`, or, where it skips it, the first after.
    pub fn at(&self, date: Date, minute: LocalMinute) -> Time {
        self.first_at(date.days() * DAY + minute.micros())
    }

    /// False for a date that the zone left out, such as 2011-12-30 in Apia.
    pub fn has_date(&self, date: Date) -> bool {
        !self.table.left_out.contains(&date.days())
    }

    /// The changes of offset in `from..until`: the moment and the seconds east of UTC from then on.
    pub fn changes(&self, from: Time, until: Time) -> impl Iterator<Item = (Time, i32)> {
        let inside = move |s: &&Stretch| (from.micros()..until.micros()).contains(&s.from);
        self.table
            .stretches
            .iter()
            .skip(1)
            .filter(inside)
            .map(|s| (Time::from_micros(s.from), (s.offset / 1_000_000) as i32))
    }

    /// The stretch that holds moment `t`, and those after it.
    pub(super) fn stretch(&self, t: i64) -> (&Stretch, &[Stretch]) {
        let stretches = &self.table.stretches;
        // The first begins before all moments, so at least one is counted.
        let after = stretches.partition_point(|s| s.from <= t).max(1);
        (&stretches[after - 1], &stretches[after..])
    }

    /// The first moment at which the clock shows `reading` or has passed it.
    pub(super) fn first_at(&self, reading: i64) -> Time {
        let stretches = &self.table.stretches;
        // `high` never falls, and what the clock had come to when a stretch ended is the `high` of the next.
        let at = stretches[1..].partition_point(|next| next.high <= reading);
        Time::from_micros(reading.saturating_sub(stretches[at].offset).max(stretches[at].from))
    }

    pub(super) fn from_jiff(name: &str, rules: &jiff::tz::TimeZone) -> Zone {
        let offset_at = |t| i64::from(rules.to_offset(t).seconds()) * 1_000_000;
        let mut stretches = vec![Stretch { from: i64::MIN, offset: offset_at(jiff::Timestamp::MIN), high: i64::MIN }];
        let mut left_out = Vec::new();
        let changes = rules.following(jiff::Timestamp::MIN);
        for change in changes.take_while(|change| change.timestamp().as_second() < HORIZON_SECONDS) {
            let (from, offset) =
                (change.timestamp().as_microsecond(), i64::from(change.offset().seconds()) * 1_000_000);
            let before = stretches[stretches.len() - 1];
            if offset == before.offset {
                continue;
            }
            let high = before.high.max(from + before.offset);
            let whole_days_skipped =
                high.div_euclid(DAY) + i64::from(high.rem_euclid(DAY) != 0)..(from + offset).div_euclid(DAY);
            left_out.extend(whole_days_skipped);
            stretches.push(Stretch { from, offset, high });
        }
        Zone { table: Arc::new(Table { name: name.into(), stretches, left_out }) }
    }
}

impl Stretch {
    /// The latest reading the clock has come to at moment `t`: its own, or, where it shows a stretch again, the last before
    /// it was put back.
    pub(super) fn latest_reading(&self, t: i64) -> i64 {
        t.saturating_add(self.offset).max(self.high.saturating_sub(1))
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Zone) -> bool {
        Arc::ptr_eq(&self.table, &other.table) || self.table == other.table
    }
}
impl Eq for Zone {}
impl std::hash::Hash for Zone {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.name().hash(state);
    }
}
impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
/// An IANA name, upper and lower case alike; the zone bears the name as the database spells it.
impl FromStr for Zone {
    type Err = InvalidZone;
    fn from_str(text: &str) -> Result<Zone, InvalidZone> {
        tzdb::find(text)
    }
}
impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.name())
    }
}
impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Zone, D::Error> {
        super::text::deserialize(d, "a time zone, such as \"Europe/Berlin\"")
    }
}

/// "2027-03-01 09:00", with seconds where there are some.
impl fmt::Display for Wall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.micros / 1_000_000;
        write!(f, "{} {:02}:{:02}", self.date, seconds / 3600, seconds / 60 % 60)?;
        if seconds % 60 != 0 { write!(f, ":{:02}", seconds % 60) } else { Ok(()) }
    }
}

/// Completes a message with names that may have been meant.
struct Nearest<'a>(&'a [String]);

impl fmt::Display for Nearest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [] => Ok(()),
            names => write!(f, "; did you mean {}?", names.join(", ")),
        }
    }
}
