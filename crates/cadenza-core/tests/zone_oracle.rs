//! Holds zones and windows against an independent judge: Python's zoneinfo with the tzdata package of the same release
//! (`zone_oracle.py`). Around every change of clocks from 2024 to 2037, in quarters of an hour.
//!
//! `CADENZA_PYTHON` names the interpreter (default `python3`). Where it lacks that release the comparison is skipped, with a
//! word on standard error; with `CI` set it fails. `CADENZA_ORACLE=all` takes every zone and fifty windows.

#![expect(clippy::unwrap_used, reason = "a test may panic, in its own functions too")]

use cadenza_core::calendar::{
    Calendar, Date, Days, Delay, DelayUnit, HolidayDate, Holidays, LocalMinute, Weekday, Window, Zone, all_zone_names,
    tzdb_version,
};
use cadenza_core::time::{Span, Time};
use std::collections::HashSet;
use std::env;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::thread;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/zone_oracle.py");
const REQUIREMENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/requirements.txt");
const QUARTER: i64 = 900;

#[test]
fn the_pinned_tzdata_is_the_built_in_release() {
    // Release 2026e is the fifth of its year, which the package calls 2026.5.
    let (year, letter) = tzdb_version().split_at(4);
    let number = letter.bytes().next().unwrap() - b'a' + 1;
    let pins = std::fs::read_to_string(REQUIREMENTS).unwrap();
    let pin = format!("tzdata=={year}.{number}");
    assert!(pins.lines().any(|line| line.trim() == pin), "tests/requirements.txt must hold {pin}");
}

#[test]
fn every_zone_changes_when_the_database_says() {
    let Some(python) = python_with_tzdata() else { return };
    let output = Command::new(&python).args([SCRIPT, "changes"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told = String::from_utf8(output.stdout).unwrap();
    let mut names = HashSet::new();
    for line in told.lines() {
        let (name, changes) = line.split_once(' ').unwrap();
        assert_eq!(changes_of(&zone(name)), changes, "{name}");
        names.insert(name);
    }
    assert_eq!(names, all_zone_names().collect(), "both know the same zones");
}

#[test]
fn clocks_delays_and_windows_agree_around_every_change() {
    let Some(python) = python_with_tzdata() else { return };
    let is_full = env::var("CADENZA_ORACLE").is_ok_and(|value| value == "all");
    let windows = if is_full { fifty_windows() } else { seven_windows() };
    let mut seen = HashSet::new();
    let zones = all_zone_names().filter(|name| seen.insert(changes_of(&zone(name))) || is_full).collect::<Vec<_>>();
    let query = serde_json::json!({
        "zones": &zones,
        "windows": windows.iter().map(|window| &window.form).collect::<Vec<_>>(),
    });

    let mut judge = ask(&python, query.to_string());
    let mut lines = BufReader::new(judge.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut compared = 0;
    while let Some(head) = lines.next() {
        compared += compare_around(&head, &windows, &mut lines);
    }
    assert!(judge.wait().unwrap().success(), "the judge stopped with an error");
    // 71 sets of rules with 838 changes in release 2026e; a release that loses most of them is to be looked at.
    assert!(zones.len() > 50 && compared > 500 * 200, "{} zones, {compared} moments compared", zones.len());
}

/// Reads and compares what the judge says around one change; returns the number of moments.
fn compare_around(head: &str, windows: &[Case], lines: &mut impl Iterator<Item = String>) -> usize {
    let [_, name, start] = head.split(' ').collect::<Vec<_>>()[..] else { panic!("{head:?} is no headline") };
    let zone = zone(name);
    let start: i64 = start.parse().unwrap();
    let mut numbers = |word: &str| -> Vec<i64> {
        let line = lines.next().unwrap();
        let rest = line.strip_prefix(word).unwrap_or_else(|| panic!("{line:?} is not about {word}"));
        rest.split_ascii_whitespace().map(|number| number.parse().unwrap()).collect()
    };
    let at = |quarter: usize| Time::from_seconds(start + quarter as i64 * QUARTER);
    let calendars: Vec<Calendar> = windows.iter().map(|case| case.calendar(&zone)).collect();

    let offsets = numbers("offsets");
    for (quarter, offset) in offsets.iter().enumerate() {
        assert_clock(&zone, at(quarter), *offset);
    }
    for (word, amount, unit) in [("day", 1, DelayUnit::Days), ("business", 3, DelayUnit::BusinessDays)] {
        let delay = Delay::new(amount, unit).unwrap();
        for (quarter, later) in numbers(word).into_iter().enumerate() {
            let t = at(quarter);
            assert_eq!(calendars[0].after(t, delay), Ok(Time::from_seconds(later)), "{name}: {delay} after {t}");
        }
    }
    for calendar in &calendars {
        let opens = numbers("opens");
        assert_eq!(opens.len(), offsets.len());
        for (quarter, next) in opens.into_iter().enumerate() {
            assert_opens(calendar, at(quarter), Time::from_seconds(next));
        }
    }
    offsets.len()
}

#[track_caller]
fn assert_clock(zone: &Zone, t: Time, offset: i64) {
    let wall = zone.wall(t);
    assert_eq!(i64::from(wall.offset_seconds), offset, "{zone}: offset at {t}");
    let shown = t.seconds() + offset;
    assert_eq!(
        (wall.date.days(), wall.micros),
        (shown.div_euclid(86_400), shown.rem_euclid(86_400) * 1_000_000),
        "{zone} {t}"
    );
}

/// At a quarter, and somewhere between it and the next, where nothing changes.
#[track_caller]
fn assert_opens(calendar: &Calendar, t: Time, next: Time) {
    let (zone, window) = (&calendar.zone, &calendar.window);
    assert_eq!(calendar.is_open(t), next == t, "{zone}, {window}: is it open at {t}?");
    assert_eq!(calendar.next_open(t), Ok(next), "{zone}, {window}: opening after {t}");
    let between = t + Span::from_micros(437_000_001);
    assert_eq!(calendar.is_open(between), next == t, "{zone}, {window}: is it open at {between}?");
    let next = if next == t { between } else { next };
    assert_eq!(calendar.next_open(between), Ok(next), "{zone}, {window}: opening after {between}");
}

/// A window with its holidays, and the form in which the judge gets it.
struct Case {
    window: Window,
    holidays: Holidays,
    form: serde_json::Value,
}

impl Case {
    /// `days` and `times` such as "mon-fri", "09:00-17:00".
    fn new(days: &str, times: &str, holidays: &[&str]) -> Case {
        let days: Days = days.parse().unwrap();
        let (start, stop) = times.split_once('-').unwrap();
        let (start, stop): (LocalMinute, LocalMinute) = (start.parse().unwrap(), stop.parse().unwrap());
        let form = serde_json::json!({
            "days": days.iter().map(|day| day as u8).collect::<Vec<_>>(),
            "start": start.minutes(),
            "stop": stop.minutes(),
            "holidays": holidays,
        });
        let holidays = holidays.iter().map(|day| (day.parse::<HolidayDate>().unwrap(), None)).collect();
        Case { window: Window::new(days, start, stop).unwrap(), holidays, form }
    }

    fn calendar(&self, zone: &Zone) -> Calendar {
        Calendar { zone: zone.clone(), window: self.window, holidays: self.holidays.clone() }
    }
}

/// Days off near changes of clocks: at Easter, after summer, at the ends of Ramadan, and in every year.
const HOLIDAYS: [&str; 9] =
    ["2024-03-29", "2024-04-01", "2026-10-26", "2027-03-26", "2027-03-29", "2027-10-29", "03-31", "10-25", "11-01"];

fn seven_windows() -> Vec<Case> {
    vec![
        Case::new("mon-fri", "09:00-17:00", &HOLIDAYS),
        Case::new("mon-sun", "00:00-24:00", &[]),
        Case::new("mon-sun", "02:00-03:00", &[]),
        Case::new("mon-sun", "00:00-01:00", &["03-31"]),
        Case::new("sat,sun", "01:30-03:30", &[]),
        Case::new("mon-fri", "08:00-24:00", &HOLIDAYS),
        Case::new("sun", "00:00-24:00", &HOLIDAYS),
    ]
}

fn fifty_windows() -> Vec<Case> {
    let days = ["mon-fri", "mon-sun", "sat,sun", "mon,wed,fri", "sun"];
    let times = [
        "09:00-17:00",
        "00:00-24:00",
        "02:00-03:00",
        "00:00-01:00",
        "01:30-03:30",
        "23:00-24:00",
        "00:00-00:15",
        "08:45-12:15",
        "22:30-24:00",
        "02:15-02:45",
    ];
    let both = days.iter().flat_map(|days| times.iter().map(move |times| (days, times)));
    both.enumerate()
        .map(|(n, (days, times))| Case::new(days, times, if n % 2 == 0 { &HOLIDAYS } else { &[] }))
        .collect()
}

fn zone(name: &str) -> Zone {
    name.parse().unwrap()
}

/// The zone's rules from 2024 to 2037 as the judge writes them: the first offset, then moment:offset.
fn changes_of(zone: &Zone) -> String {
    let [from, until] = ["2024-01-01", "2038-01-01"].map(|day| Zone::utc().day_bounds(day.parse::<Date>().unwrap()).0);
    let changes =
        zone.changes(from + Span::from_micros(1), until).map(|(at, offset)| format!(" {}:{offset}", at.seconds()));
    format!("{}{}", zone.wall(from).offset_seconds, changes.collect::<String>())
}

fn ask(python: &str, query: String) -> Child {
    let mut judge =
        Command::new(python).args([SCRIPT, "openings"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = judge.stdin.take().unwrap();
    // Written aside, so that neither end waits for the other.
    thread::spawn(move || input.write_all(query.as_bytes()));
    judge
}

/// The interpreter, if it has the tzdata package of the built-in release.
fn python_with_tzdata() -> Option<String> {
    let python = env::var("CADENZA_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let found = match Command::new(&python).args([SCRIPT, "version"]).output() {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        Ok(output) => String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or("an error").to_owned(),
        Err(error) => error.to_string(),
    };
    let wanted = tzdb_version();
    if found == wanted {
        return Some(python);
    }
    let lacking =
        format!("{python} has no tzdata package of release {wanted} ({found}): install tests/requirements.txt");
    assert!(env::var_os("CI").is_none(), "{lacking}");
    eprintln!("SKIPPED, nothing compared: {lacking}");
    None
}

#[test]
fn weekdays_are_numbered_as_the_judge_numbers_them() {
    assert_eq!(Weekday::ALL.map(|day| day as u8), [0, 1, 2, 3, 4, 5, 6]);
    assert_eq!(Weekday::ALL[0], Weekday::Monday);
}
