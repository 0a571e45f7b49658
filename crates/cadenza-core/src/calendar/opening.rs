//! The calendar: a window in a zone less holidays. Is it open, when does it open next, where does a delay lead (TIM-1,
//! TIM-3). Quiet hours are a rule of their own, which no window opens.

use super::zone::DAY;
use super::{Date, Delay, DelayUnit, Holidays, Window, Zone};
use crate::time::{Span, Time};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How far ahead an opening is looked for.
const DAYS_AHEAD: i64 = 400;
/// So many days in a row without an opening are worth a warning.
const LONG_CLOSURE_DAYS: i64 = 30;

/// When work may run. A moment is open when its date is an allowed day and no holiday and the clock is inside the window;
/// what the clock shows a second time is shut, except in a window of whole days, which has no times to use twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calendar {
    pub zone: Zone,
    #[serde(default)]
    pub window: Window,
    #[serde(default)]
    pub holidays: Holidays,
}

/// Why a calendar is shut at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shut {
    /// The day of the week is not allowed.
    Day,
    /// A holiday, by its name or else its date.
    Holiday(String),
    /// Before the window starts on that day.
    Before,
    /// After the window stopped on that day.
    After,
    /// The clock was put back and shows a time again that was open once.
    Repeated,
}

/// No opening within 400 days.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("nothing can run in the {DAYS_AHEAD} days from {from} ({zone}, {window}): {cause}")]
pub struct NeverOpens {
    pub from: Date,
    pub zone: Zone,
    pub window: Window,
    pub cause: NeverOpensCause,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NeverOpensCause {
    /// Every allowed day is a holiday.
    Holidays { first: Date, name: String },
    /// The calendar ends with the year 9999.
    EndOfTime,
}

/// Dates in a row on which nothing opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closure {
    pub first: Date,
    pub last: Date,
}

impl Calendar {
    /// Without holidays.
    pub fn new(zone: Zone, window: Window) -> Calendar {
        Calendar { zone, window, holidays: Holidays::none() }
    }
    /// Open at every moment.
    pub fn always() -> Calendar {
        Calendar::new(Zone::utc(), Window::always())
    }

    pub fn is_open(&self, t: Time) -> bool {
        let (stretch, _) = self.zone.stretch(t.micros());
        if self.window.is_all_day() {
            return self.is_allowed(day_of(stretch.latest_reading(t.micros())));
        }
        let reading = t.micros().saturating_add(stretch.offset);
        reading >= stretch.high && self.is_within_times(reading) && self.is_allowed(day_of(reading))
    }

    /// `None` while it is open.
    pub fn why_shut(&self, t: Time) -> Option<Shut> {
        let (stretch, _) = self.zone.stretch(t.micros());
        let mut reading = t.micros().saturating_add(stretch.offset);
        let repeated = reading < stretch.high;
        if self.window.is_all_day() {
            reading = stretch.latest_reading(t.micros());
        }
        let date = day_of(reading);
        let minute = reading.rem_euclid(DAY);
        if !self.window.days().contains(date.weekday()) {
            Some(Shut::Day)
        } else if let Some(name) = self.holidays.on(date) {
            Some(Shut::Holiday(name.into_owned()))
        } else if minute < self.window.start().micros() {
            Some(Shut::Before)
        } else if minute >= self.window.stop().micros() {
            Some(Shut::After)
        } else if repeated && !self.window.is_all_day() {
            Some(Shut::Repeated)
        } else {
            None
        }
    }

    /// The first open moment that is not before `t`: `t` itself while it is open.
    pub fn next_open(&self, t: Time) -> Result<Time, NeverOpens> {
        let (stretch, _) = self.zone.stretch(t.micros());
        // Readings below were used before; looking from the latest one on, each is used once.
        let from = if self.window.is_all_day() {
            stretch.latest_reading(t.micros())
        } else {
            t.micros().saturating_add(stretch.offset).max(stretch.high)
        };
        let today = day_of(from);
        if today.plus_days(DAYS_AHEAD) == Date::LAST {
            return Err(self.never_opens(today, NeverOpensCause::EndOfTime));
        }
        for day in (today.days()..today.days() + DAYS_AHEAD).map(Date::from_days) {
            let midnight = day.days() * DAY;
            let (start, stop) = (midnight + self.window.start().micros(), midnight + self.window.stop().micros());
            if from >= stop || !self.is_allowed(day) {
                continue;
            }
            let open = self.zone.first_at(from.max(start)).max(t);
            // Where the clock skips the whole window, the first moment after lies behind it.
            if open.micros().saturating_add(self.zone.stretch(open.micros()).0.offset) < stop {
                return Ok(open);
            }
        }
        Err(self.only_holidays(today))
    }

    /// When the opening that holds `t` ends; `None` where it is shut at `t`; [`Time::MAX`] where it does not shut within 400
    /// days.
    pub fn closes_at(&self, t: Time) -> Option<Time> {
        if !self.is_open(t) {
            return None;
        }
        let (stretch, later) = self.zone.stretch(t.micros());
        if self.window.is_all_day() {
            let today = day_of(stretch.latest_reading(t.micros()));
            let mut days = (today.days()..=today.days() + DAYS_AHEAD).map(Date::from_days);
            // A date that the zone left out takes no time: nothing shuts on it.
            let shut = days.find(|day| !self.is_allowed(*day) && self.zone.has_date(*day));
            return Some(shut.map_or(Time::MAX, |day| self.zone.day_bounds(day).0));
        }
        let midnight = t.micros().saturating_add(stretch.offset).div_euclid(DAY).saturating_mul(DAY);
        let stop = self.zone.first_at(midnight.saturating_add(self.window.stop().micros()));
        // Put back before the window stops, the clock shows what was open already.
        let put_back =
            later.iter().find(|next| next.from + next.offset < next.high).map(|next| Time::from_micros(next.from));
        Some(put_back.map_or(stop, |moment| moment.min(stop)))
    }

    /// Where a delay from `t` leads, before the window is asked. Minutes and hours are absolute. Days keep the time of day
    /// in the zone; business days count allowed days less holidays. The result is never before `t`.
    pub fn after(&self, t: Time, delay: Delay) -> Result<Time, NeverOpens> {
        let amount = i64::from(delay.amount());
        if delay.is_none() {
            return Ok(t);
        }
        let days = match delay.unit() {
            DelayUnit::Minutes => return Ok(t + Span::minutes(amount)),
            DelayUnit::Hours => return Ok(t + Span::hours(amount)),
            DelayUnit::Days => amount,
            DelayUnit::BusinessDays => {
                let today = self.zone.wall(t).date;
                self.business_day(today, amount)?.days() - today.days()
            }
        };
        let reading = t.micros().saturating_add(self.zone.stretch(t.micros()).0.offset);
        Ok(self.zone.first_at(reading.saturating_add(days * DAY)).max(t))
    }

    /// When work is due that waits for `delay` from `t`: the first open moment after it.
    pub fn due(&self, t: Time, delay: Delay) -> Result<Time, NeverOpens> {
        self.next_open(self.after(t, delay)?)
    }

    /// The first run of 30 or more dates without an opening among the 400 from `from` on: not wrong, but worth a warning,
    /// since whatever falls due in it waits.
    pub fn long_closure(&self, from: Date) -> Option<Closure> {
        let mut first = from;
        for day in (from.days()..from.days() + DAYS_AHEAD).map(Date::from_days) {
            let is_over = self.is_allowed(day);
            if is_over && day.days() - first.days() >= LONG_CLOSURE_DAYS {
                return Some(Closure { first, last: day.plus_days(-1) });
            }
            if is_over {
                first = day.plus_days(1);
            }
        }
        let last = from.plus_days(DAYS_AHEAD - 1);
        (last.days() - first.days() + 1 >= LONG_CLOSURE_DAYS).then_some(Closure { first, last })
    }

    /// An allowed day and no holiday.
    pub(super) fn is_allowed(&self, date: Date) -> bool {
        self.window.days().contains(date.weekday()) && !self.holidays.contains(date)
    }

    fn is_within_times(&self, reading: i64) -> bool {
        (self.window.start().micros()..self.window.stop().micros()).contains(&reading.rem_euclid(DAY))
    }

    /// The `count`th business day after `today`. A date that the zone left out is none.
    fn business_day(&self, today: Date, count: i64) -> Result<Date, NeverOpens> {
        let (mut day, mut left, mut last_found) = (today, count, today);
        while left > 0 {
            if day == Date::LAST {
                return Err(self.never_opens(today, NeverOpensCause::EndOfTime));
            }
            day = day.plus_days(1);
            if self.is_allowed(day) && self.zone.has_date(day) {
                left -= 1;
                last_found = day;
            } else if day.days() - last_found.days() > DAYS_AHEAD {
                return Err(self.only_holidays(last_found.plus_days(1)));
            }
        }
        Ok(day)
    }

    fn only_holidays(&self, from: Date) -> NeverOpens {
        let mut days = (from.days()..).map(Date::from_days);
        // A window has a day, so one of any seven is found.
        let first = days.find(|day| self.window.days().contains(day.weekday())).unwrap_or(from);
        let name = self.holidays.on(first).map_or_else(String::new, |name| name.into_owned());
        self.never_opens(from, NeverOpensCause::Holidays { first, name })
    }

    fn never_opens(&self, from: Date, cause: NeverOpensCause) -> NeverOpens {
        NeverOpens { from, zone: self.zone.clone(), window: self.window, cause }
    }
}

impl Shut {
    /// A word for the API: `day`, `holiday`, `before`, `after` or `repeated`.
    pub const fn code(&self) -> &'static str {
        match self {
            Shut::Day => "day",
            Shut::Holiday(_) => "holiday",
            Shut::Before => "before",
            Shut::After => "after",
            Shut::Repeated => "repeated",
        }
    }
}

impl fmt::Display for Shut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shut::Day => f.write_str("not an allowed day of the week"),
            Shut::Holiday(name) => write!(f, "a holiday ({name})"),
            Shut::Before => f.write_str("before the window starts"),
            Shut::After => f.write_str("after the window stopped"),
            Shut::Repeated => f.write_str("the clocks were put back and this hour was already used"),
        }
    }
}

impl fmt::Display for NeverOpensCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NeverOpensCause::Holidays { first, name } => {
                write!(f, "every allowed day is a holiday, the first of them {first} ({name})")
            }
            NeverOpensCause::EndOfTime => f.write_str("the calendar ends with the year 9999"),
        }
    }
}

fn day_of(reading: i64) -> Date {
    Date::from_days(reading.div_euclid(DAY))
}
