//! How much open time lay between two moments: the measure of TIM-6's overdue rule, under which time outside the window does
//! not count. Years cost no more than the few changes of offset in them.

use super::zone::DAY;
use super::{Calendar, Date};
use crate::time::{Span, Time};

impl Calendar {
    /// The open time in `from..until`; nothing where `until` is not after `from`.
    pub fn open_time_between(&self, from: Time, until: Time) -> Span {
        // Within the dates that have a name, no sum overflows.
        let (first, last) = (Date::FIRST.days() * DAY, Date::LAST.days() * DAY);
        let (from, until) = (from.micros().clamp(first, last), until.micros().clamp(first, last));
        if from >= until {
            return Span::ZERO;
        }
        let (first, later) = self.zone.stretch(from);
        let mut open = 0;
        let mut stretches = std::iter::once(first).chain(later).peekable();
        while let Some(stretch) = stretches.next().filter(|stretch| stretch.from < until) {
            let end = stretches.peek().map_or(until, |next| next.from.min(until));
            let start = from.max(stretch.from).saturating_add(stretch.offset);
            let end = end.saturating_add(stretch.offset);
            // What the clock shows again belongs to no window but one of whole days, and there to the day it had come to.
            if self.window.is_all_day() && start < stretch.high {
                let day = Date::from_days((stretch.high - 1).div_euclid(DAY));
                open += if self.is_allowed(day) { end.min(stretch.high) - start } else { 0 };
            }
            open += self.open_readings(start.max(stretch.high), end);
        }
        Span::from_micros(open)
    }

    /// How many readings of the clock in `from..until` lie in the window, each day of them taken as 24 hours.
    fn open_readings(&self, from: i64, until: i64) -> i64 {
        if from >= until {
            return 0;
        }
        let (first, last) = (from.div_euclid(DAY), until.div_euclid(DAY));
        let (start, stop) = (self.window.start().micros(), self.window.stop().micros());
        let on_day = |day: i64, from: i64, until: i64| {
            let open = until.min(stop) - from.max(start);
            if open > 0 && self.is_allowed(Date::from_days(day)) { open } else { 0 }
        };
        if first == last {
            return on_day(first, from.rem_euclid(DAY), until.rem_euclid(DAY));
        }
        let between = self.allowed_days(first + 1, last) * (stop - start);
        on_day(first, from.rem_euclid(DAY), DAY) + between + on_day(last, 0, until.rem_euclid(DAY))
    }

    /// How many dates in `from..until` are allowed and no holidays.
    fn allowed_days(&self, from: i64, until: i64) -> i64 {
        let days = self.window.days();
        let weeks = (until - from) / 7;
        let rest = (from + weeks * 7..until).filter(|day| days.contains(Date::from_days(*day).weekday())).count();
        let holidays = self.holidays.count_on(days, Date::from_days(from), Date::from_days(until));
        weeks * i64::from(days.len()) + rest as i64 - holidays
    }
}
