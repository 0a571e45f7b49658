//! Calendars at their edges: windows of a minute in hours that a change of clocks leaves out or repeats, ten years of
//! holidays, the ends of time. Each question is answered soon, and truly.

use cadenza_core::calendar::{
    Calendar, Date, Days, Delay, DelayUnit, HolidayDate, Holidays, LocalMinute, Quiet, Window, Zone, all_zone_names,
};
use cadenza_core::time::{Span, Time};
use cadenza_testkit::bend::{Dice, hold, within};

#[derive(Debug)]
struct Case {
    calendar: Calendar,
    at: Time,
    delay: Delay,
    quiet: Quiet,
}

fn case(dice: &mut Dice, names: &[&str]) -> Case {
    let zone: Zone = dice.pick(names).parse().unwrap();
    let start = dice.below(1440) as u16;
    let long = if dice.below(2) == 0 { 1 } else { 1 + dice.below(600) as u16 };
    // Most changes of clocks lie in the small hours.
    let start = if dice.below(2) == 0 { start % 240 } else { start };
    let stop = (start + long).min(1440);
    let minute = |m: u16| LocalMinute::new(m / 60, m % 60).unwrap();
    let days: Days = dice.pick(&["sun", "mon", "sat,sun", "mon-fri", "mon-sun"]).parse().unwrap();
    let window =
        if dice.below(6) == 0 { Window::always() } else { Window::new(days, minute(start), minute(stop)).unwrap() };
    let at = match dice.below(8) {
        0 => Time::MIN,
        1 => Time::MAX,
        2 => Time::from_micros(dice.throw() as i64),
        3 => "9998-12-31T23:59:59Z".parse().unwrap(),
        _ => Time::from_seconds(dice.below(4_000_000_000) as i64),
    };
    let mut holidays = Holidays::none();
    for _ in 0..dice.below(4) {
        holidays =
            holidays.with(HolidayDate::yearly(1 + dice.below(12) as i8, 1 + dice.below(28) as i8).unwrap(), None);
    }
    if dice.below(10) == 0 {
        holidays = closed_for(zone.local_date(at), dice.below(800) as i64);
    }
    let unit = [DelayUnit::Minutes, DelayUnit::Hours, DelayUnit::Days, DelayUnit::BusinessDays][dice.below(4)];
    let most = if dice.below(4) == 0 { unit.most() as usize } else { 10 };
    let amount = dice.below(most) as u32;
    let (from, long) = (dice.below(1440) as u16, 1 + dice.below(1438) as u16);
    let quiet = Quiet::new(minute(from), minute((from + long) % 1440)).unwrap_or_default();
    Case { calendar: Calendar { zone, window, holidays }, at, delay: Delay::new(amount, unit).unwrap(), quiet }
}

/// Holidays on so many days in a row.
fn closed_for(from: Date, days: i64) -> Holidays {
    let dates = (0..days).map(|n| (HolidayDate::On(from.plus_days(n)), None));
    dates.collect()
}

#[test]
fn every_question_is_answered() {
    let names: Vec<&str> = all_zone_names().collect();
    hold(
        2_000,
        within(50),
        |dice| case(dice, &names),
        |case| {
            let Case { calendar, at, delay, quiet } = case;
            let open = calendar.is_open(*at);
            let (next, after) = (calendar.next_open(*at), calendar.after(*at, *delay));
            let _ = (calendar.why_shut(*at), calendar.closes_at(*at), quiet.next_allowed(&[Zone::utc()], *at));
            // Beyond the years that a calendar can name there is nothing to be right about.
            if *at < "1000-01-01T00:00:00Z".parse().unwrap() || *at > "9000-01-01T00:00:00Z".parse().unwrap() {
                return;
            }
            assert_eq!(open, calendar.why_shut(*at).is_none());
            assert_eq!(open, calendar.closes_at(*at).is_some());
            if let Ok(next) = next {
                assert!(next >= *at && calendar.is_open(next), "{next}");
                assert_eq!(open, next == *at);
                // Nothing before it is open.
                for before in [Span::from_micros(1), Span::minutes(1), Span::minutes(17), Span::hours(1)] {
                    let t = next - before;
                    assert!(t < *at || !calendar.is_open(t), "{t} is open too");
                }
            }
            if let Ok(after) = after {
                assert!(after >= *at);
            }
            let _ = calendar.long_closure(calendar.zone.local_date(*at));
            let _ = calendar.open_time_between(*at, *at + Span::days(30));
            let zones = [calendar.zone.clone(), Zone::utc()];
            if let Ok(t) = quiet.next_allowed(&zones, *at) {
                assert!(t >= *at && !quiet.is_quiet_anywhere(&zones, t));
            }
        },
    );
}

#[test]
fn ten_closed_years_never_open_and_are_said_so_at_once() {
    let from: Date = "2027-01-01".parse().unwrap();
    let zone: Zone = "Europe/Berlin".parse().unwrap();
    let calendar = Calendar { zone: zone.clone(), window: Window::default(), holidays: closed_for(from, 3_660) };
    let begun = std::time::Instant::now();
    let at = zone.day_bounds(from).0;
    assert!(calendar.next_open(at).is_err());
    assert!(calendar.after(at, Delay::new(2600, DelayUnit::BusinessDays).unwrap()).is_err());
    assert!(begun.elapsed() < within(20), "{:?}", begun.elapsed());
}
