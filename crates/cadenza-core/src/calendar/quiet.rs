//! Quiet hours for texts (SND-7): a text goes out only when the clock is outside them in every zone the contact may be in.
//! They know no weekdays and no holidays, and nothing passes them.

use super::zone::DAY;
use super::{LocalMinute, Zone};
use crate::time::{Span, Time};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How far ahead a moment outside the quiet hours of all zones is looked for.
const DAYS_AHEAD: i64 = 14;

/// The hours of the clock, `from` included, `to` not, between which no text goes out; over midnight where `to` is before
/// `from`. In TOML `{ from = "21:00", to = "08:00" }`, which is the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Form")]
pub struct Quiet {
    from: LocalMinute,
    to: LocalMinute,
}

/// Why two times are no quiet hours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("quiet hours need two different times of day: {from} to {to} is either no time or the whole day")]
pub struct InvalidQuiet {
    pub from: LocalMinute,
    pub to: LocalMinute,
}

/// No moment is outside the quiet hours of all zones.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no moment in the {DAYS_AHEAD} days from {from} is outside the quiet hours {quiet} in {}", Names(.zones))]
pub struct AlwaysQuiet {
    pub quiet: Quiet,
    pub zones: Vec<Zone>,
    pub from: Time,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    from: LocalMinute,
    to: LocalMinute,
}

impl Quiet {
    /// Errors where both are the same time of day.
    pub fn new(from: LocalMinute, to: LocalMinute) -> Result<Quiet, InvalidQuiet> {
        if from.micros() % DAY == to.micros() % DAY { Err(InvalidQuiet { from, to }) } else { Ok(Quiet { from, to }) }
    }
    pub const fn from(&self) -> LocalMinute {
        self.from
    }
    pub const fn to(&self) -> LocalMinute {
        self.to
    }

    /// The first of the zones in which it is quiet at `t`.
    pub fn quiet_zone<'z>(&self, zones: &'z [Zone], t: Time) -> Option<&'z Zone> {
        zones.iter().find(|zone| self.contains(zone.wall(t).micros))
    }

    /// True also where no zone is given: nobody's clock was asked.
    pub fn is_quiet_anywhere(&self, zones: &[Zone], t: Time) -> bool {
        zones.is_empty() || self.quiet_zone(zones, t).is_some()
    }

    /// The first moment, not before `t`, outside the quiet hours of every zone.
    pub fn next_allowed(&self, zones: &[Zone], t: Time) -> Result<Time, AlwaysQuiet> {
        let never = || AlwaysQuiet { quiet: *self, zones: zones.to_vec(), from: t };
        if zones.is_empty() {
            return Err(never());
        }
        let mut at = t;
        // Each round ends the quiet hours of one zone, so that the moments only go forward.
        while let Some(zone) = self.quiet_zone(zones, at) {
            at = self.end_in(zone, at);
            if at - t > Span::days(DAYS_AHEAD) || at == Time::MAX {
                return Err(never());
            }
        }
        Ok(at)
    }

    /// Whether a time of day, in microseconds since midnight, is quiet. Here a time that occurs twice is quiet twice.
    fn contains(&self, micros: i64) -> bool {
        let (from, to) = (self.from.micros(), self.to.micros());
        if from < to { (from..to).contains(&micros) } else { micros >= from || micros < to }
    }

    /// The first moment after `t`, at which it is quiet in the zone, when it no longer is; at the latest the next change of
    /// clocks, after which the caller asks again.
    fn end_in(&self, zone: &Zone, t: Time) -> Time {
        let wait = (self.to.micros() - zone.wall(t).micros).rem_euclid(DAY);
        let end = t + Span::from_micros(wait);
        let (_, later) = zone.stretch(t.micros());
        later.first().map_or(end, |change| end.min(Time::from_micros(change.from)))
    }
}

/// 21:00 to 08:00.
impl Default for Quiet {
    fn default() -> Quiet {
        Quiet { from: LocalMinute::hour(21), to: LocalMinute::hour(8) }
    }
}
impl TryFrom<Form> for Quiet {
    type Error = InvalidQuiet;
    fn try_from(form: Form) -> Result<Quiet, InvalidQuiet> {
        Quiet::new(form.from, form.to)
    }
}
/// "21:00–08:00".
impl fmt::Display for Quiet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}–{}", self.from, self.to)
    }
}

/// The zones by name, for a message.
struct Names<'a>(&'a [Zone]);

impl fmt::Display for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("any zone, since none is known");
        }
        let names: Vec<&str> = self.0.iter().map(Zone::name).collect();
        write!(f, "all of {}", names.join(", "))
    }
}
