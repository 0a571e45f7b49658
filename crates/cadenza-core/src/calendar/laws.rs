//! What holds for every calendar at every moment, tried with made-up ones, most of them at a change of clocks.

use super::*;
use crate::time::{Span, Time};
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// Zones whose changes are of every kind: by one hour, half, two; at midnight; over the date line; none.
const ZONES: [&str; 16] = [
    "Europe/Berlin",
    "America/New_York",
    "America/Havana",
    "America/St_Johns",
    "America/Nuuk",
    "Africa/Casablanca",
    "Africa/Cairo",
    "Asia/Beirut",
    "Asia/Kolkata",
    "Antarctica/Troll",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
    "Pacific/Kwajalein",
    "UTC",
];

const YEAR_DAYS: i64 = 365;

fn zones() -> impl Strategy<Value = Zone> {
    select(&ZONES[..]).prop_map(|name| name.parse().unwrap())
}

/// A whole minute between 1960 and 2090 (since when all changes of these zones are at whole minutes), three in four of them
/// within 30 hours of a change of clocks.
fn minute_in(zone: &Zone) -> impl Strategy<Value = Time> + use<> {
    let epoch = Time::from_seconds(0);
    let (from, until) = (epoch - Span::days(10 * YEAR_DAYS), epoch + Span::days(120 * YEAR_DAYS));
    let changes: Vec<Time> = zone.changes(from, until).map(|(at, _)| at).collect();
    (any::<Index>(), -30 * 60..30 * 60_i64, 0..120 * YEAR_DAYS * 24 * 60_i64, 0..4).prop_map(
        move |(index, near, anywhere, which)| {
            if which == 0 || changes.is_empty() {
                epoch + Span::minutes(anywhere)
            } else {
                *index.get(&changes) + Span::minutes(near)
            }
        },
    )
}

fn windows() -> impl Strategy<Value = Window> {
    let times = prop_oneof![
        1 => Just((0, 1440)),
        3 => (0..1440_u16, 1..=1440_u16),
        3 => (0..300_u16, 1..=240_u16),
    ];
    (1..128_u8, times).prop_map(|(days, (start, length))| {
        let days = Weekday::ALL.into_iter().filter(|day| days & (1 << *day as u8) != 0).collect();
        let minute = |n: u16| LocalMinute::new(n / 60, n % 60).unwrap();
        Window::new(days, minute(start), minute((start + length).min(1440))).unwrap()
    })
}

/// A calendar and two moments, with holidays around the first.
fn calendars() -> impl Strategy<Value = (Calendar, Time, Time)> {
    let holidays = proptest::collection::vec((-3..12_i64, any::<bool>()), 0..6);
    zones().prop_flat_map(move |zone| {
        (Just(zone.clone()), windows(), holidays.clone(), minute_in(&zone), 0..6 * 24 * 60_i64).prop_map(
            |(zone, window, holidays, t, later)| {
                let today = zone.local_date(t);
                let holiday = |(days, yearly): (i64, bool)| match (today.plus_days(days), yearly) {
                    (date, true) => (HolidayDate::Yearly { month: date.month(), day: date.day() }, None),
                    (date, false) => (HolidayDate::On(date), None),
                };
                let holidays = holidays.into_iter().map(holiday).collect();
                (Calendar { zone, window, holidays }, t, t + Span::minutes(later))
            },
        )
    })
}

fn delays() -> impl Strategy<Value = Delay> {
    const UNITS: [DelayUnit; 4] = [DelayUnit::Minutes, DelayUnit::Hours, DelayUnit::Days, DelayUnit::BusinessDays];
    (0..20_u32, select(&UNITS[..])).prop_map(|(amount, unit)| Delay::new(amount, unit).unwrap())
}

const TICK: Span = Span::from_micros(1);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_next_opening_is_open_and_none_is_earlier((calendar, t, _) in calendars()) {
        let open = calendar.next_open(t).unwrap();
        prop_assert!(open >= t && calendar.is_open(open));
        prop_assert_eq!(calendar.next_open(open), Ok(open));
        prop_assert!(open == t || !calendar.is_open(open - TICK));
        let mut earlier = t;
        while earlier < open {
            prop_assert!(!calendar.is_open(earlier), "open at {earlier} already");
            earlier = earlier + Span::minutes(7);
        }
    }

    #[test]
    fn later_moments_never_open_earlier((calendar, t, later) in calendars()) {
        prop_assert!(calendar.next_open(t).unwrap() <= calendar.next_open(later).unwrap());
    }

    #[test]
    fn open_and_shut_have_a_reason_or_an_end((calendar, t, _) in calendars()) {
        prop_assert_eq!(calendar.why_shut(t).is_none(), calendar.is_open(t));
        prop_assert_eq!(calendar.closes_at(t).is_some(), calendar.is_open(t));
        if let Some(close) = calendar.closes_at(t).filter(|close| *close != Time::MAX) {
            prop_assert!(close > t && !calendar.is_open(close) && calendar.is_open(close - TICK));
            let mut inside = t;
            while inside < close {
                prop_assert!(calendar.is_open(inside), "shut at {inside} already");
                inside = inside + Span::minutes(7);
            }
        }
    }

    #[test]
    fn work_is_due_inside_the_window_and_never_before_it_was_planned((calendar, t, _) in calendars(), delay in delays()) {
        let after = calendar.after(t, delay).unwrap();
        prop_assert_eq!(after > t, !delay.is_none());
        let due = calendar.due(t, delay).unwrap();
        prop_assert!(due >= after && calendar.is_open(due));
    }

    /// Whoever plans again and again comes forward: a day a time at the least, with no hour for ever.
    #[test]
    fn planning_again_makes_progress((calendar, t, _) in calendars(), delay in delays()) {
        let mut at = t;
        for _ in 0..20 {
            let due = calendar.due(at, delay).unwrap();
            prop_assert!(due > at || (due == at && delay.is_none()));
            at = match calendar.closes_at(due) {
                Some(Time::MAX) | None => due + Span::days(1),
                Some(close) => close,
            };
            prop_assert!(at > due);
        }
    }

    #[test]
    fn open_time_is_the_sum_of_open_minutes((calendar, t, later) in calendars()) {
        let mut open = 0;
        let mut at = t;
        while at < later {
            open += i64::from(calendar.is_open(at));
            at = at + Span::minutes(1);
        }
        let measured = calendar.open_time_between(t, later);
        prop_assert_eq!(measured, Span::minutes(open));
        let middle = t + Span::from_micros((later - t).micros() / 3);
        let parts = calendar.open_time_between(t, middle) + calendar.open_time_between(middle, later);
        prop_assert_eq!(parts, measured);
    }

    #[test]
    fn open_time_over_years_is_the_sum_of_its_openings((calendar, t, _) in calendars()) {
        let until = t + Span::days(500);
        let mut open = Span::ZERO;
        let mut at = calendar.next_open(t).unwrap();
        while at < until {
            let close = calendar.closes_at(at).unwrap().min(until);
            open = open + (close - at);
            at = calendar.next_open(close).unwrap();
        }
        prop_assert_eq!(calendar.open_time_between(t, until), open);
    }

    #[test]
    fn every_moment_lies_in_the_day_of_its_date((calendar, t, later) in calendars()) {
        let zone = calendar.zone;
        let date = zone.local_date(t);
        let (start, end) = zone.day_bounds(date);
        prop_assert!(start <= t && t < end);
        prop_assert_eq!(zone.day_bounds(date.plus_days(1)).0, end);
        prop_assert!(zone.local_date(later) >= date, "dates never go back");
        prop_assert_eq!(zone.local_date(start), date);
        prop_assert_eq!(zone.has_date(date.plus_days(1)), zone.day_bounds(date.plus_days(1)).1 > end);
    }

    #[test]
    fn a_reading_of_the_clock_is_met_at_its_first_moment((calendar, t, _) in calendars()) {
        let zone = calendar.zone;
        let wall = zone.wall(t);
        let minute = LocalMinute::new((wall.micros / 3_600_000_000) as u16, (wall.micros / 60_000_000 % 60) as u16).unwrap();
        let first = zone.at(wall.date, minute);
        prop_assert!(first <= t, "the clock shows it at {t}");
        let shown = zone.wall(first);
        prop_assert!((shown.date, shown.micros / 60_000_000) <= (wall.date, wall.micros / 60_000_000));
        let jiff = rules(&zone).to_datetime(t.to_jiff());
        prop_assert_eq!(wall.date, Date::from_jiff(jiff.date()));
        prop_assert_eq!(wall.micros / 1_000_000, jiff.time().duration_since(jiff::civil::Time::MIN).as_secs());
    }

    #[test]
    fn quiet_hours_end_at_the_first_moment_awake_everywhere(
        t in minute_in(&"Europe/Berlin".parse().unwrap()),
        zones in proptest::collection::vec(zones(), 1..4),
        (from, to) in (0..1440_u16, 0..1440_u16).prop_filter("two times", |(from, to)| from != to),
    ) {
        let minute = |n: u16| LocalMinute::new(n / 60, n % 60).unwrap();
        let quiet = Quiet::new(minute(from), minute(to)).unwrap();
        let until = quiet.next_allowed(&zones, t);
        prop_assert_eq!(quiet.is_quiet_anywhere(&zones, t), until != Ok(t));
        let end = until.clone().unwrap_or(t + Span::days(2));
        let mut at = t;
        while at < end {
            prop_assert!(quiet.is_quiet_anywhere(&zones, at), "awake at {at} already");
            at = at + Span::minutes(5);
        }
        if let Ok(awake) = until {
            prop_assert!(!quiet.is_quiet_anywhere(&zones, awake));
            prop_assert!(awake == t || quiet.is_quiet_anywhere(&zones, awake - TICK));
        }
    }
}

fn rules(zone: &Zone) -> jiff::tz::TimeZone {
    jiff::tz::TimeZone::get(zone.name()).unwrap()
}
