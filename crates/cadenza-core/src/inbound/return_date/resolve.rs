//! Turns what was found into a day, counted from the day the note was written. Years that are left out are inferred.

use super::scan::When;
use super::words::{Relative, Unit};
use jiff::ToSpan;
use jiff::civil::{Date, Weekday, date};

/// A date without a year lies at most so many days ahead; further off it is taken for one gone by.
const AHEAD_MAX: i32 = 300;

/// How two bare numbers are ordered in this text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    DayMonth,
    MonthDay,
    /// Whichever lies nearer ahead.
    Nearest,
}

/// The day meant, not before `today`, or where a year is stated not before `earliest`; none where it has gone by or does
/// not exist.
pub(super) fn day(when: When, today: Date, earliest: Date, order: Order) -> Option<Date> {
    let found = match when {
        When::Named { year: Some(year), month, day } => Date::new(year, month as i8, day as i8).ok(),
        When::Named { year: None, month, day } => upcoming(today, month, day),
        When::Numbers { first, second, year, .. } => numbers(first, second, year, (today, earliest), order),
        When::Month { year, month, day } => whole_month(year, month, day, today),
        When::Day(day) => (0..=2).find_map(|n| {
            let month = today.first_of_month().checked_add(n.months()).ok()?;
            Date::new(month.year(), month.month(), day as i8).ok().filter(|d| *d >= today)
        }),
        When::Weekday { index, next } => weekday(index, next, today),
        When::Relative(relative) => self::relative(relative, today),
        When::Distance { count, unit } => distance(count, unit, today),
    }?;
    let stated = matches!(
        when,
        When::Named { year: Some(_), .. } | When::Numbers { year: Some(_), .. } | When::Month { year: Some(_), .. }
    );
    (found >= if stated { earliest } else { today }).then_some(found)
}

/// How numbers are ordered, told by those whose order is plain; else `fallback`.
pub(super) fn order(all: impl Iterator<Item = When>, fallback: Order) -> Order {
    for when in all {
        if let When::Numbers { first, second, .. } = when {
            match (first > 12, second > 12) {
                (true, false) => return Order::DayMonth,
                (false, true) => return Order::MonthDay,
                _ => (),
            }
        }
    }
    fallback
}

fn upcoming(today: Date, month: u8, day: u8) -> Option<Date> {
    [today.year(), today.year() + 1].into_iter().find_map(|year| {
        let found = Date::new(year, month as i8, day as i8).ok()?;
        (0..=AHEAD_MAX).contains(&days_between(today, found)).then_some(found)
    })
}

fn numbers(first: u8, second: u8, year: Option<i16>, (today, earliest): (Date, Date), order: Order) -> Option<Date> {
    let as_date = |month: u8, day: u8| match year {
        Some(year) => Date::new(year, month as i8, day as i8).ok().filter(|d| *d >= earliest),
        None => upcoming(today, month, day),
    };
    let day_first = || as_date(second, first);
    let month_first = || as_date(first, second);
    match order {
        _ if first > 12 => day_first(),
        _ if second > 12 => month_first(),
        Order::DayMonth => day_first().or_else(month_first),
        Order::MonthDay => month_first().or_else(day_first),
        Order::Nearest => match (day_first(), month_first()) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        },
    }
}

fn whole_month(year: Option<i16>, month: u8, day: u8, today: Date) -> Option<Date> {
    let of = |year: i16| {
        let first = Date::new(year, month as i8, 1).ok()?;
        if day == 99 { Some(first.last_of_month()) } else { first.with().day(day as i8).build().ok() }
    };
    match year {
        Some(year) => of(year),
        None => [today.year(), today.year() + 1]
            .into_iter()
            .find_map(|y| of(y).filter(|d| (0..=AHEAD_MAX).contains(&days_between(today, *d)))),
    }
}

/// The weekday after today; with `next`, the one of the next week where this week's is still to come.
fn weekday(index: u8, next: bool, today: Date) -> Option<Date> {
    let weekday = Weekday::from_monday_zero_offset(index as i8).ok()?;
    let coming = today.nth_weekday(1, weekday).ok()?;
    let this_week = coming.weekday().to_monday_zero_offset() > today.weekday().to_monday_zero_offset();
    if next && this_week { coming.checked_add(7.days()).ok() } else { Some(coming) }
}

fn relative(relative: Relative, today: Date) -> Option<Date> {
    let monday = today.checked_add((7 - i64::from(today.weekday().to_monday_zero_offset())).days()).ok()?;
    match relative {
        Relative::Tomorrow => today.tomorrow().ok(),
        Relative::AfterTomorrow => today.checked_add(2.days()).ok(),
        Relative::NextWeek => Some(monday),
        Relative::NextMonth => today.first_of_month().checked_add(1.month()).ok(),
        Relative::WeekEnd => {
            let friday = monday.checked_sub(3.days()).ok()?;
            Some(friday.max(today))
        }
        Relative::NextWeekEnd => monday.checked_add(4.days()).ok(),
        Relative::MonthEnd => Some(today.last_of_month()),
        Relative::NewYear => Some(date(today.year() + 1, 1, 1)),
    }
}

fn distance(count: u16, unit: Unit, today: Date) -> Option<Date> {
    let count = i64::from(count);
    match unit {
        Unit::Day => today.checked_add(count.days()).ok(),
        Unit::Week => today.checked_add(count.weeks()).ok(),
        Unit::Month => today.checked_add(count.months()).ok(),
        Unit::WorkDay => {
            let mut day = today;
            for _ in 0..count.min(400) {
                day = day.tomorrow().ok()?;
                while matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) {
                    day = day.tomorrow().ok()?;
                }
            }
            Some(day)
        }
    }
}

fn days_between(from: Date, to: Date) -> i32 {
    from.until(to).map_or(i32::MAX, |span| span.get_days())
}
