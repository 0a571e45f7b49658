//! Calendars in life: changes of clocks, the date line, leap days, holidays, and the mistakes that others made with them.

use super::*;
use crate::time::{Span, Time};

fn time(text: &str) -> Time {
    text.parse().unwrap()
}
fn date(text: &str) -> Date {
    text.parse().unwrap()
}
fn delay(text: &str) -> Delay {
    text.parse().unwrap()
}
fn zone(name: &str) -> Zone {
    name.parse().unwrap()
}
/// "mon-fri 09:00-17:00"
fn window(text: &str) -> Window {
    let (days, times) = text.split_once(' ').unwrap();
    let (start, stop) = times.split_once('-').unwrap();
    Window::new(days.parse().unwrap(), start.parse().unwrap(), stop.parse().unwrap()).unwrap()
}
fn calendar(name: &str, times: &str) -> Calendar {
    Calendar::new(zone(name), window(times))
}
fn office(name: &str) -> Calendar {
    Calendar::new(zone(name), Window::default())
}
fn with_holidays(mut calendar: Calendar, list: &[(&str, &str)]) -> Calendar {
    let named = |(date, name): &(&str, &str)| (date.parse().unwrap(), Some((*name).to_owned()));
    calendar.holidays = list.iter().map(named).collect();
    calendar
}

/// `t` on the clock of the calendar's zone.
#[track_caller]
fn assert_shows(calendar: &Calendar, t: Time, wall: &str) {
    assert_eq!(calendar.zone.wall(t).to_string(), wall);
}
/// The next opening from a moment, on the clock.
fn opens(calendar: &Calendar, from: &str) -> String {
    calendar.zone.wall(calendar.next_open(time(from)).unwrap()).to_string()
}

mod windows {
    use super::*;

    #[test]
    fn the_default_window_through_a_week() {
        let berlin = office("Europe/Berlin");
        let at = |text: &str| berlin.why_shut(time(text));
        assert_eq!(at("2027-03-01T07:59:59Z"), Some(Shut::Before), "Monday, a second to nine");
        assert_eq!(at("2027-03-01T08:00:00Z"), None);
        assert_eq!(at("2027-03-01T15:59:59.999999Z"), None);
        assert_eq!(at("2027-03-01T16:00:00Z"), Some(Shut::After));
        assert_eq!(at("2027-03-06T11:00:00Z"), Some(Shut::Day), "Saturday");
        assert_eq!(opens(&berlin, "2027-03-05T16:00:00Z"), "2027-03-08 09:00");
        assert_eq!(opens(&berlin, "2027-03-03T10:15:30Z"), "2027-03-03 11:15:30");
        assert_eq!(berlin.closes_at(time("2027-03-03T10:15:30Z")), Some(time("2027-03-03T16:00:00Z")));
        assert_eq!(berlin.closes_at(time("2027-03-03T06:00:00Z")), None);
    }

    #[test]
    fn the_day_is_the_zones_own_on_either_side_of_the_date_line() {
        // Sunday evening in UTC is Monday morning at UTC+14.
        let kiritimati = office("Pacific/Kiritimati");
        assert!(kiritimati.is_open(time("2027-02-28T19:00:00Z")));
        assert_eq!(kiritimati.why_shut(time("2027-03-05T19:00:00Z")), Some(Shut::Day), "Saturday there");
        // Midday on Monday in UTC is the middle of Sunday's night at UTC-11.
        let pago_pago = office("Pacific/Pago_Pago");
        assert_eq!(pago_pago.why_shut(time("2027-03-01T09:00:00Z")), Some(Shut::Day));
        assert_eq!(opens(&pago_pago, "2027-03-01T09:00:00Z"), "2027-03-01 09:00");
        assert!(office("Asia/Kathmandu").is_open(time("2027-03-01T03:15:00Z")), "UTC+05:45");
        assert!(!office("Asia/Kathmandu").is_open(time("2027-03-01T03:14:59Z")));
    }

    #[test]
    fn holidays_are_days_off_by_name() {
        let list = [("12-25", "Christmas"), ("12-24", "Christmas Eve"), ("2027-12-27", "Works holiday")];
        let berlin = with_holidays(office("Europe/Berlin"), &list);
        assert_eq!(berlin.why_shut(time("2027-12-24T10:00:00Z")), Some(Shut::Holiday("Christmas Eve".into())));
        assert_eq!(berlin.why_shut(time("2027-12-25T10:00:00Z")), Some(Shut::Day), "a Saturday anyway");
        assert_eq!(opens(&berlin, "2027-12-23T16:00:00Z"), "2027-12-28 09:00");
        // New Year's Eve in Berlin is New Year's Day on Kiritimati: the date is the zone's.
        let kiritimati = with_holidays(calendar("Pacific/Kiritimati", "mon-sun 00:00-24:00"), &[("01-01", "New Year")]);
        assert_eq!(kiritimati.why_shut(time("2027-12-31T12:00:00Z")), Some(Shut::Holiday("New Year".into())));
        assert_eq!(kiritimati.closes_at(time("2027-12-30T12:00:00Z")), Some(time("2027-12-31T10:00:00Z")));
    }

    #[test]
    fn a_window_that_never_opens_is_an_error_that_says_why() {
        let mut mondays = calendar("Europe/Berlin", "mon 09:00-17:00");
        let first = date("2027-03-01").days();
        let all: Holidays = (0..60).map(|week| (HolidayDate::On(Date::from_days(first + 7 * week)), None)).collect();
        mondays.holidays = all.with(HolidayDate::On(date("2027-03-01")), Some("Closed for good"));
        let error = mondays.next_open(time("2027-02-26T12:00:00Z")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "nothing can run in the 400 days from 2027-02-26 (Europe/Berlin, Mon 09:00–17:00): every allowed day is a \
             holiday, the first of them 2027-03-01 (Closed for good)"
        );
        assert_eq!(
            mondays.due(time("2027-02-26T12:00:00Z"), delay("1 business day")),
            Err(NeverOpens { from: date("2027-02-27"), ..error })
        );
        assert_eq!(opens(&mondays, "2027-03-26T12:00:00Z"), "2028-04-24 09:00", "within 400 days it is found");
        assert!(mondays.next_open(Time::MAX).is_err());
    }

    #[test]
    fn a_month_without_an_opening_is_flagged() {
        let mut berlin = office("Europe/Berlin");
        assert_eq!(berlin.long_closure(date("2027-01-01")), None);
        let summer = date("2027-07-19").days()..=date("2027-08-20").days();
        berlin.holidays = summer.map(|day| (HolidayDate::On(Date::from_days(day)), None)).collect();
        let closure = Closure { first: date("2027-07-17"), last: date("2027-08-22") };
        assert_eq!(berlin.long_closure(date("2027-01-01")), Some(closure));
        assert_eq!(berlin.long_closure(date("2027-08-10")), None, "what is left of it is short");
    }

    #[test]
    fn a_window_that_is_always_open_stays_open_when_the_clocks_are_put_back() {
        let always = Calendar::new(zone("Europe/Berlin"), Window::always());
        for minutes in -300..300 {
            let t = time("2027-10-31T01:00:00Z") + Span::minutes(minutes);
            assert_eq!(always.next_open(t), Ok(t));
            assert_eq!(always.why_shut(t), None);
        }
        assert_eq!(always.closes_at(time("2027-10-31T01:00:00Z")), Some(Time::MAX));
        assert!(Calendar::always().is_open(Time::MAX) && Calendar::always().is_open(Time::MIN));
    }

    #[test]
    fn a_calendar_reads_as_a_person_writes_it() {
        let toml = "zone = \"america/new_york\"\nholidays = [\"07-04\"]\n[window]\nstop = \"12:00\"";
        let read: Calendar = toml::from_str(toml).unwrap();
        assert_eq!(read, with_unnamed(calendar("America/New_York", "mon-fri 09:00-12:00"), "07-04"));
        let json = serde_json::to_string(&read).unwrap();
        assert_eq!(serde_json::from_str::<Calendar>(&json).unwrap(), read);
        let error = toml::from_str::<Calendar>("zone = \"Europe/Berln\"").unwrap_err().to_string();
        assert!(error.contains("\"Europe/Berln\" is not a time zone") && error.contains("Europe/Berlin?"), "{error}");
    }

    fn with_unnamed(mut calendar: Calendar, day: &str) -> Calendar {
        calendar.holidays = Holidays::none().with(day.parse().unwrap(), None);
        calendar
    }
}

mod changes_of_clocks {
    use super::*;

    #[test]
    fn a_window_that_begins_in_a_gap_opens_at_the_first_moment_after() {
        // Berlin, 2027-03-28: 02:00 becomes 03:00 at 01:00Z.
        let night = calendar("Europe/Berlin", "sun 02:30-04:00");
        assert_eq!(night.next_open(time("2027-03-28T00:00:00Z")), Ok(time("2027-03-28T01:00:00Z")));
        assert_shows(&night, time("2027-03-28T01:00:00Z"), "2027-03-28 03:00");
        assert_eq!(night.closes_at(time("2027-03-28T01:30:00Z")), Some(time("2027-03-28T02:00:00Z")));
        assert_eq!(night.open_time_between(time("2027-03-28T00:00:00Z"), time("2027-03-28T12:00:00Z")), Span::hours(1));
    }

    #[test]
    fn a_window_wholly_in_a_gap_does_not_exist_that_day() {
        let night = calendar("Europe/Berlin", "mon-sun 02:00-03:00");
        assert_eq!(opens(&night, "2027-03-27T12:00:00Z"), "2027-03-29 02:00");
        // Others skipped the day after, too, or the hour before the change.
        assert_eq!(opens(&night, "2027-03-26T12:00:00Z"), "2027-03-27 02:00");
        let before = calendar("Europe/Berlin", "mon-sun 01:00-02:00");
        assert_eq!(before.closes_at(time("2027-03-28T00:30:00Z")), Some(time("2027-03-28T01:00:00Z")));
    }

    #[test]
    fn a_window_over_a_gap_stays_open_through_it() {
        let night = calendar("Europe/Berlin", "mon-sun 01:00-05:00");
        assert_eq!(night.closes_at(time("2027-03-28T00:00:00Z")), Some(time("2027-03-28T03:00:00Z")));
        assert_eq!(night.open_time_between(time("2027-03-27T12:00:00Z"), time("2027-03-28T12:00:00Z")), Span::hours(3));
    }

    #[test]
    fn what_occurs_twice_is_used_once() {
        // Berlin, 2027-10-31: 03:00 becomes 02:00 at 01:00Z.
        let night = calendar("Europe/Berlin", "sun 02:15-02:45");
        let day = (time("2027-10-30T22:00:00Z"), time("2027-10-31T23:00:00Z"));
        assert_eq!(night.next_open(day.0), Ok(time("2027-10-31T00:15:00Z")));
        assert_eq!(night.why_shut(time("2027-10-31T01:30:00Z")), Some(Shut::Repeated));
        assert_eq!(opens(&night, "2027-10-31T00:45:00Z"), "2027-11-07 02:15");
        assert_eq!(night.open_time_between(day.0, day.1), Span::minutes(30));
        // A window over the change shuts while the hour is shown again, and goes on after it.
        let longer = calendar("Europe/Berlin", "sun 02:15-04:00");
        assert_eq!(longer.closes_at(time("2027-10-31T00:15:00Z")), Some(time("2027-10-31T01:00:00Z")));
        assert_eq!(longer.next_open(time("2027-10-31T01:00:00Z")), Ok(time("2027-10-31T02:00:00Z")));
        assert_eq!(longer.open_time_between(day.0, day.1), Span::minutes(105));
    }

    #[test]
    fn the_hour_that_changes_does_not_move_the_working_day() {
        // Another system computed its window by hours of the wrong offset on 2021-10-31 and went round in circles.
        let berlin = calendar("Europe/Berlin", "mon-sun 09:00-17:00");
        assert_eq!(berlin.next_open(time("2021-10-31T07:00:00Z")), Ok(time("2021-10-31T08:00:00Z")));
        assert_eq!(berlin.next_open(time("2021-10-30T06:00:00Z")), Ok(time("2021-10-30T07:00:00Z")));
        let mut t = time("2021-10-30T00:00:00Z");
        for _ in 0..6 {
            let open = berlin.next_open(t).unwrap();
            let close = berlin.closes_at(open).unwrap();
            assert!(t < open && open < close, "each look goes forward");
            assert_eq!(close - open, Span::hours(8));
            t = close;
        }
    }

    #[test]
    fn days_keep_the_time_of_day_and_hours_do_not() {
        let berlin = Calendar::new(zone("Europe/Berlin"), Window::always());
        let saturday_evening = time("2027-03-27T17:00:00Z");
        assert_shows(&berlin, berlin.due(saturday_evening, delay("1 day")).unwrap(), "2027-03-28 18:00");
        assert_shows(&berlin, berlin.due(saturday_evening, delay("24 hours")).unwrap(), "2027-03-28 19:00");
        assert_shows(&berlin, berlin.due(saturday_evening, delay("1440 minutes")).unwrap(), "2027-03-28 19:00");
        // To a time that is skipped, and to one that occurs twice.
        assert_eq!(berlin.after(time("2027-03-27T01:30:00Z"), delay("1 day")), Ok(time("2027-03-28T01:00:00Z")));
        assert_eq!(berlin.after(time("2027-10-30T00:30:00Z"), delay("1 day")), Ok(time("2027-10-31T00:30:00Z")));
        // From the second of two: nothing goes back, and the day after is right.
        let second = time("2027-10-31T01:30:00Z");
        assert_eq!(berlin.after(second, delay("0 days")), Ok(second));
        assert_shows(&berlin, berlin.after(second, delay("1 day")).unwrap(), "2027-11-01 02:30");
    }

    #[test]
    fn midnight_gaps_start_the_day_late() {
        // Cairo: Thursday 24:00 becomes Friday 01:00; Beirut: Saturday 24:00 becomes Sunday 01:00; Havana likewise.
        for (name, day, first) in [
            ("Africa/Cairo", "2027-04-30", "2027-04-29T22:00:00Z"),
            ("Asia/Beirut", "2027-03-28", "2027-03-27T22:00:00Z"),
            ("America/Havana", "2027-03-14", "2027-03-14T05:00:00Z"),
        ] {
            let here = calendar(name, "mon-sun 00:00-01:00");
            let (start, end) = here.zone.day_bounds(date(day));
            assert_eq!(start, time(first), "{name}");
            assert_eq!(end - start, Span::hours(23), "{name}");
            assert_shows(&here, start, &format!("{day} 01:00"));
            assert_eq!(here.zone.local_date(start - Span::from_micros(1)), date(day).plus_days(-1));
            // Midnight's hour does not exist that day, and a whole day begins where it first can.
            assert_eq!(here.zone.local_date(here.next_open(start).unwrap()), date(day).plus_days(1), "{name}");
            let all_day = calendar(name, &format!("{} 00:00-24:00", date(day).weekday().short()));
            assert_eq!(all_day.next_open(start - Span::hours(3)), Ok(start), "{name}");
            assert_eq!(all_day.closes_at(start), Some(end), "{name}");
        }
    }

    #[test]
    fn clocks_put_back_to_or_over_midnight_do_not_start_a_day_twice() {
        // Havana: Sunday 01:00 becomes Sunday 00:00. Cairo: Thursday 24:00 becomes Thursday 23:00.
        for (name, day) in
            [("America/Havana", "2027-11-07"), ("Africa/Cairo", "2027-10-28"), ("Asia/Beirut", "2027-10-30")]
        {
            let zone = zone(name);
            let (start, end) = zone.day_bounds(date(day));
            assert_eq!(end - start, Span::hours(25), "{name}");
            for minutes in 0..25 * 60 {
                assert_eq!(zone.local_date(start + Span::minutes(minutes)), date(day), "{name}");
            }
        }
        let havana = calendar("America/Havana", "mon-sun 00:00-00:30");
        assert_eq!(havana.next_open(time("2027-11-07T04:30:00Z")).unwrap(), time("2027-11-08T05:00:00Z"));
        // St. John's put its clocks back at 00:01, to 23:01 of the day before.
        let st_johns = zone("America/St_Johns");
        let sunday = date("2010-11-07");
        let (start, end) = st_johns.day_bounds(sunday);
        assert_eq!((start, end - start), (time("2010-11-07T02:30:00Z"), Span::hours(25)));
        let back = time("2010-11-07T02:45:00Z");
        assert_eq!(st_johns.wall(back).to_string(), "2010-11-06 23:15");
        assert_eq!(st_johns.local_date(back), sunday, "a cap for the day is not given out twice");
        assert!(calendar("America/St_Johns", "sun 00:00-24:00").is_open(back));
        assert!(!calendar("America/St_Johns", "sat 00:00-24:00").is_open(back));
        assert!(!calendar("America/St_Johns", "sat 22:00-24:00").is_open(back));
    }

    #[test]
    fn lord_howe_changes_by_half_an_hour() {
        let zone = zone("Australia/Lord_Howe");
        let length = |day: &str| zone.day_bounds(date(day)).1 - zone.day_bounds(date(day)).0;
        assert_eq!(length("2027-04-04"), Span::minutes(24 * 60 + 30));
        assert_eq!(length("2027-10-03"), Span::minutes(23 * 60 + 30));
        let night = calendar("Australia/Lord_Howe", "sun 01:45-02:15");
        assert_eq!(opens(&night, "2027-10-02T12:00:00Z"), "2027-10-03 01:45");
        assert_eq!(
            night.open_time_between(time("2027-10-02T12:00:00Z"), time("2027-10-03T12:00:00Z")),
            Span::minutes(15),
            "02:00 becomes 02:30"
        );
    }

    #[test]
    fn troll_changes_by_two_hours() {
        let night = calendar("Antarctica/Troll", "mon-sun 01:00-03:00");
        assert_eq!(opens(&night, "2027-03-27T12:00:00Z"), "2027-03-29 01:00", "01:00 becomes 03:00");
        let (from, until) = (time("2027-10-30T12:00:00Z"), time("2027-10-31T12:00:00Z"));
        assert_eq!(night.open_time_between(from, until), Span::hours(2), "03:00 becomes 01:00, and is used once");
    }

    fn opens_at(calendar: &Calendar, day: &str) -> Time {
        calendar.next_open(calendar.zone.day_bounds(date(day)).0).unwrap()
    }

    #[test]
    fn morocco_puts_its_clocks_back_for_ramadan() {
        let casablanca = office("Africa/Casablanca");
        assert_eq!(opens_at(&casablanca, "2026-02-12"), time("2026-02-12T08:00:00Z"));
        assert_eq!(opens_at(&casablanca, "2026-03-02"), time("2026-03-02T09:00:00Z"), "Ramadan");
        assert_eq!(opens_at(&casablanca, "2026-04-01"), time("2026-04-01T08:00:00Z"));
        assert_eq!(opens_at(&casablanca, "2027-04-01"), time("2027-04-01T09:00:00Z"), "for good since September 2026");
        let night = calendar("Africa/Casablanca", "mon-sun 02:00-03:00");
        assert_eq!(night.why_shut(time("2026-02-15T02:30:00Z")), Some(Shut::Repeated));
        assert_eq!(opens(&night, "2026-03-21T12:00:00Z"), "2026-03-23 02:00");
    }
}

mod dates {
    use super::*;

    #[test]
    fn apia_left_a_friday_out() {
        let apia = office("Pacific/Apia");
        let friday = date("2011-12-30");
        assert!(!apia.zone.has_date(friday) && apia.zone.has_date(friday.plus_days(1)));
        let (start, end) = apia.zone.day_bounds(friday);
        assert_eq!((start, end), (time("2011-12-30T10:00:00Z"), time("2011-12-30T10:00:00Z")));
        let thursday_noon = apia.zone.at(date("2011-12-29"), LocalMinute::hour(12));
        // A day later is no more; the next that exists is Saturday, which is no working day.
        assert_eq!(apia.after(thursday_noon, delay("1 day")), Ok(start));
        assert_shows(&apia, start, "2011-12-31 00:00");
        assert_shows(&apia, apia.due(thursday_noon, delay("1 day")).unwrap(), "2012-01-02 09:00");
        assert_shows(&apia, apia.due(thursday_noon, delay("1 business day")).unwrap(), "2012-01-02 12:00");
        assert_shows(&apia, apia.next_open(thursday_noon + Span::hours(6)).unwrap(), "2012-01-02 09:00");
        let fridays = calendar("Pacific/Apia", "fri 00:00-24:00");
        assert_shows(&fridays, fridays.next_open(thursday_noon).unwrap(), "2012-01-06 00:00");
        let not_fridays = calendar("Pacific/Apia", "sat-thu 00:00-24:00");
        assert_shows(&not_fridays, not_fridays.closes_at(thursday_noon).unwrap(), "2012-01-06 00:00");
        let week = (apia.zone.day_bounds(date("2011-12-26")).0, apia.zone.day_bounds(date("2012-01-02")).0);
        assert_eq!(apia.open_time_between(week.0, week.1), Span::hours(4 * 8));
    }

    #[test]
    fn kwajalein_had_a_date_twice() {
        // 1969-10-01 00:00 became 1969-09-30 01:00.
        let zone = zone("Pacific/Kwajalein");
        let (start, end) = zone.day_bounds(date("1969-09-30"));
        assert_eq!(end - start, Span::hours(47));
        let all_day = calendar("Pacific/Kwajalein", "tue 00:00-24:00");
        assert_eq!(all_day.closes_at(start), Some(end));
        let office = office("Pacific/Kwajalein");
        assert_eq!(office.open_time_between(start, end), Span::hours(8), "what occurs twice is used once");
    }

    #[test]
    fn business_days_leave_out_weekends_and_holidays() {
        let berlin =
            with_holidays(office("Europe/Berlin"), &[("2027-03-26", "Good Friday"), ("2027-03-29", "Easter Monday")]);
        let thursday = time("2027-03-25T15:30:00Z");
        assert_shows(&berlin, berlin.due(thursday, delay("1 business day")).unwrap(), "2027-03-30 16:30");
        assert_shows(&berlin, berlin.due(thursday, delay("4 business days")).unwrap(), "2027-04-02 16:30");
        assert_shows(&berlin, berlin.due(thursday, delay("4 days")).unwrap(), "2027-03-30 09:00");
        // Counted from a day off, the first business day is the next one that is none.
        let saturday = time("2027-03-06T11:00:00Z");
        assert_shows(&berlin, berlin.due(saturday, delay("1 business day")).unwrap(), "2027-03-08 12:00");
        assert_shows(&berlin, berlin.due(saturday, delay("none")).unwrap(), "2027-03-08 09:00");
        // After the window has stopped, the day counts all the same.
        let evening = time("2027-03-04T20:00:00Z");
        assert_shows(&berlin, berlin.due(evening, delay("1 business day")).unwrap(), "2027-03-08 09:00");
    }

    #[test]
    fn the_29th_of_february_is_a_day_like_any() {
        let berlin = Calendar::new(zone("Europe/Berlin"), Window::always());
        let leap = time("2028-02-28T11:00:00Z");
        assert_shows(&berlin, berlin.due(leap, delay("1 day")).unwrap(), "2028-02-29 12:00");
        assert_shows(&berlin, berlin.due(leap, delay("366 days")).unwrap(), "2029-02-28 12:00");
        assert_shows(&berlin, berlin.due(time("2027-01-31T11:00:00Z"), delay("30 days")).unwrap(), "2027-03-02 12:00");
        let leap_days = with_holidays(office("Europe/Berlin"), &[("02-29", "Leap day")]);
        assert_eq!(opens(&leap_days, "2028-02-28T16:00:00Z"), "2028-03-01 09:00", "a Tuesday off");
    }

    #[test]
    fn zones_are_found_by_any_case_and_near_misses_are_named() {
        assert_eq!(zone("europe/BERLIN").name(), "Europe/Berlin");
        assert_eq!(zone(" utc "), Zone::utc());
        assert_eq!(serde_json::to_string(&zone("asia/kolkata")).unwrap(), "\"Asia/Kolkata\"");
        let nearest = |text: &str| text.parse::<Zone>().unwrap_err().nearest;
        assert_eq!(nearest("Europe/Berln")[0], "Europe/Berlin");
        assert_eq!(nearest("Berlin")[0], "Europe/Berlin");
        assert_eq!(nearest("America/New York")[0], "America/New_York");
        assert_eq!(nearest("US/Newyork").first().map(String::as_str), Some("America/New_York"));
        assert!(nearest("Asia/Paris").contains(&"Europe/Paris".to_owned()));
        for none in ["", "+02:00", "Factory", "nowhere at all"] {
            let error = none.parse::<Zone>().unwrap_err();
            assert!(error.to_string().contains("expected an IANA name such as Europe/Berlin"), "{error}");
        }
        assert_eq!(nearest("+02:00"), Vec::<String>::new());
        assert!(all_zone_names().count() > 590 && all_zone_names().all(|name| zone(name).name() == name));
    }
}

mod changed_plans {
    use super::*;

    #[test]
    fn new_rules_of_a_zone_move_what_was_planned_under_the_old() {
        // Brazil abolished summer time in 2019; who had the old rules sent an hour off for years.
        let old_rules = jiff::tz::TimeZone::posix("<-03>3<-02>,M11.1.0/0,M2.3.0/0").unwrap();
        let old = Calendar::new(Zone::from_jiff("America/Sao_Paulo", &old_rules), Window::default());
        let new = office("America/Sao_Paulo");
        assert_ne!(old.zone, new.zone);
        let planned = old.due(time("2027-11-12T19:00:00Z"), delay("1 business day")).unwrap();
        assert_eq!(planned, time("2027-11-16T11:00:00Z"));
        assert_eq!(new.why_shut(planned), Some(Shut::Before), "the window is asked again at the moment of sending");
        assert_eq!(new.next_open(planned), Ok(time("2027-11-16T12:00:00Z")));
    }

    #[test]
    fn a_contact_who_moves_is_asked_for_in_the_new_zone() {
        let planned = office("Europe/Berlin").due(time("2027-06-07T07:30:00Z"), delay("1 day")).unwrap();
        let moved = office("America/New_York");
        assert_eq!(moved.why_shut(planned), Some(Shut::Before));
        assert_shows(&moved, moved.next_open(planned).unwrap(), "2027-06-08 09:00");
        assert_eq!(office("Asia/Tokyo").why_shut(planned), None);
        assert_eq!(office("Pacific/Auckland").why_shut(planned), Some(Shut::After));
    }

    #[test]
    fn only_open_time_counts_towards_overdue() {
        let berlin = office("Europe/Berlin");
        let friday = time("2027-03-05T15:00:00Z");
        assert_eq!(berlin.open_time_between(friday, time("2027-03-08T08:30:00Z")), Span::minutes(90));
        assert_eq!(berlin.open_time_between(friday, friday), Span::ZERO);
        assert_eq!(berlin.open_time_between(friday, friday - Span::days(3)), Span::ZERO);
        // Ten years: 2,609 working days from 2027 to 2036, less 25 and 26 December where they fall on one.
        let (from, until) =
            (berlin.zone.day_bounds(date("2027-01-01")).0, berlin.zone.day_bounds(date("2037-01-01")).0);
        assert_eq!(berlin.open_time_between(from, until), Span::hours(2_609 * 8));
        let christmas = with_holidays(berlin, &[("12-25", "Christmas"), ("12-26", "Boxing Day")]);
        assert_eq!(christmas.open_time_between(from, until), Span::hours((2_609 - 15) * 8));
        let whole = Calendar::new(zone("Europe/Berlin"), Window::always());
        assert_eq!(whole.open_time_between(from, until), until - from, "summer time takes and gives");
        assert!(whole.open_time_between(Time::MIN, Time::MAX) > Span::ZERO);
    }
}

mod quiet_hours {
    use super::*;

    fn zones(names: &[&str]) -> Vec<Zone> {
        names.iter().map(|name| zone(name)).collect()
    }

    #[test]
    fn a_text_waits_until_every_plausible_zone_is_awake() {
        // A New York number whose owner lives in Los Angeles: both must be outside 21:00–08:00.
        let both = zones(&["America/New_York", "America/Los_Angeles"]);
        let quiet = Quiet::default();
        let eight_in_new_york = time("2027-06-07T12:00:00Z");
        assert_eq!(quiet.quiet_zone(&both, eight_in_new_york), Some(&both[1]));
        assert_eq!(quiet.next_allowed(&both, eight_in_new_york), Ok(time("2027-06-07T15:00:00Z")));
        assert_eq!(quiet.next_allowed(&both, time("2027-06-08T00:59:59Z")), Ok(time("2027-06-08T00:59:59Z")));
        assert_eq!(quiet.next_allowed(&both, time("2027-06-08T01:00:00Z")), Ok(time("2027-06-08T15:00:00Z")));
        assert!(!quiet.is_quiet_anywhere(&both, time("2027-06-07T15:00:00Z")));
    }

    #[test]
    fn zones_that_are_never_awake_together_are_an_error() {
        let far = zones(&["Pacific/Kiritimati", "Pacific/Pago_Pago"]);
        assert!(
            Quiet::default().next_allowed(&far, time("2027-06-07T12:00:00Z")).is_ok(),
            "25 hours apart is one hour"
        );
        let far = zones(&["America/Los_Angeles", "Europe/London", "Asia/Tokyo"]);
        let never = Quiet::default().next_allowed(&far, time("2027-06-07T12:00:00Z")).unwrap_err();
        assert_eq!(
            never.to_string(),
            "no moment in the 14 days from 2027-06-07T12:00:00Z is outside the quiet hours 21:00–08:00 in all of \
             America/Los_Angeles, Europe/London, Asia/Tokyo"
        );
        assert!(Quiet::default().is_quiet_anywhere(&[], time("2027-06-07T12:00:00Z")), "no zone known, no text");
        assert!(Quiet::default().next_allowed(&[], time("2027-06-07T12:00:00Z")).is_err());
    }

    #[test]
    fn a_change_of_clocks_ends_or_begins_the_quiet() {
        // Berlin, 2027-03-28: 02:00 becomes 03:00, so 02:30 is passed at 01:00Z. On 2027-10-31 02:30 comes twice.
        let until = Quiet::new("21:00".parse().unwrap(), "02:30".parse().unwrap()).unwrap();
        let berlin = zones(&["Europe/Berlin"]);
        assert_eq!(until.next_allowed(&berlin, time("2027-03-27T23:00:00Z")), Ok(time("2027-03-28T01:00:00Z")));
        assert_eq!(until.next_allowed(&berlin, time("2027-10-30T23:00:00Z")), Ok(time("2027-10-31T00:30:00Z")));
        assert_eq!(
            until.next_allowed(&berlin, time("2027-10-31T01:00:00Z")),
            Ok(time("2027-10-31T01:30:00Z")),
            "quiet again"
        );
    }

    #[test]
    fn quiet_hours_read_as_a_person_writes_them() {
        let quiet: Quiet = toml::from_str("from = \"22:00\"\nto = \"7:30\"").unwrap();
        assert_eq!(quiet.to_string(), "22:00–07:30");
        assert_eq!(serde_json::to_string(&Quiet::default()).unwrap(), r#"{"from":"21:00","to":"08:00"}"#);
        let error = toml::from_str::<Quiet>("from = \"00:00\"\nto = \"24:00\"").unwrap_err().to_string();
        assert!(error.contains("two different times of day"), "{error}");
        let midday = Quiet::new(LocalMinute::hour(12), LocalMinute::hour(14)).unwrap();
        assert!(midday.is_quiet_anywhere(&[Zone::utc()], time("2027-06-07T13:59:59Z")));
        assert!(!midday.is_quiet_anywhere(&[Zone::utc()], time("2027-06-07T14:00:00Z")));
    }
}
