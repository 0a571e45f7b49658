//! The settings of a workspace while they are typed: what several fields make together (a window, quiet hours) is put together
//! in the end, so that the order of the fields does not matter.

use crate::actions::Fault;
use cadenza_core::calendar::{Days, HolidayDate, Holidays, InvalidWindow, LocalMinute, Quiet, Window, Zone};
use cadenza_core::settings::{Again, Per, Rate, WorkspaceSettings};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Display;

/// What a form shows and what it says.
#[derive(Debug, Clone)]
pub struct Draft {
    pub settings: WorkspaceSettings,
    /// `mon,tue`.
    pub days: String,
    pub start: String,
    pub stop: String,
    pub zone: String,
    /// One a line.
    pub holidays: String,
    pub quiet_from: String,
    pub quiet_to: String,
    pub again: String,
    pub again_days: String,
}

impl Draft {
    pub fn of(settings: WorkspaceSettings) -> Draft {
        let own = &settings.sequence;
        let days: Vec<String> = own.window.days().iter().map(|d| d.short().to_ascii_lowercase()).collect();
        let line = |(date, name): (HolidayDate, Option<&str>)| match name {
            Some(name) => format!("{date} {name}"),
            None => date.to_string(),
        };
        let (again, again_days) = match own.again {
            Again::Ask => ("ask", String::new()),
            Again::Never => ("never", String::new()),
            Again::AfterDays(n) => ("after_days", n.to_string()),
        };
        Draft {
            days: days.join(","),
            start: own.window.start().to_string(),
            stop: own.window.stop().to_string(),
            zone: own.zone.name().to_owned(),
            holidays: own.holidays.iter().map(line).collect::<Vec<_>>().join("\n"),
            quiet_from: settings.quiet.from().to_string(),
            quiet_to: settings.quiet.to().to_string(),
            again: again.to_owned(),
            again_days,
            settings,
        }
    }

    /// The settings, or what is wrong with which field.
    pub fn done(mut self, faults: &mut Vec<Fault>) -> WorkspaceSettings {
        let mut fault = |field: &str, message: String| faults.push(Fault { field: field.into(), message });
        let window = self.window(&mut fault);
        let holidays = holidays(&self.holidays).map_err(|e| fault("holidays", e));
        let zone = self.zone.trim().parse::<Zone>().map_err(|e| fault("zone", capital(&e)));
        let quiet = self.quiet(&mut fault);
        let again = self.enroll_again(&mut fault);
        let own = &mut self.settings.sequence;
        if let (Some(window), Ok(holidays), Ok(zone)) = (window, holidays, zone) {
            (own.window, own.holidays, own.zone) = (window, holidays, zone);
        }
        if let Some(again) = again {
            own.again = again;
        }
        if let Some(quiet) = quiet {
            self.settings.quiet = quiet;
        }
        self.settings
    }

    fn window(&self, fault: &mut impl FnMut(&str, String)) -> Option<Window> {
        let days: Result<Vec<Days>, _> = self.days.split(',').filter(|d| !d.is_empty()).map(str::parse).collect();
        let days = days.map_err(|e| fault("days", capital(&e))).ok()?;
        let start = minute(&self.start, "start", fault);
        let stop = minute(&self.stop, "stop", fault);
        let days: Days = days.iter().flat_map(|d| d.iter().collect::<Vec<_>>()).collect();
        let made = Window::new(days, start?, stop?);
        made.map_err(|e| fault(if e == InvalidWindow::NoDay { "days" } else { "stop" }, capital(&e))).ok()
    }

    fn quiet(&self, fault: &mut impl FnMut(&str, String)) -> Option<Quiet> {
        let (from, to) = (minute(&self.quiet_from, "quiet_from", fault), minute(&self.quiet_to, "quiet_to", fault));
        Quiet::new(from?, to?).map_err(|e| fault("quiet_to", capital(&e))).ok()
    }

    fn enroll_again(&self, fault: &mut impl FnMut(&str, String)) -> Option<Again> {
        match self.again.as_str() {
            "ask" => Some(Again::Ask),
            "never" => Some(Again::Never),
            "after_days" => {
                positive(self.again_days.trim()).map(Again::AfterDays).map_err(|e| fault("again_days", e)).ok()
            }
            _ => {
                fault("again", "Expected ask, never or after some days.".into());
                None
            }
        }
    }
}

fn minute(text: &str, field: &str, fault: &mut impl FnMut(&str, String)) -> Option<LocalMinute> {
    text.parse::<LocalMinute>().map_err(|e| fault(field, capital(&e))).ok()
}

/// A date, and behind it maybe its name; one a line.
fn holidays(text: &str) -> Result<Holidays, String> {
    let mut all = Holidays::none();
    for (n, line) in text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()) {
        let (date, name) = line.trim().split_once(char::is_whitespace).unwrap_or((line.trim(), ""));
        let date: HolidayDate = date.parse().map_err(|e| format!("Line {}: {e}.", n + 1))?;
        all = all.with(date, Some(name.trim()).filter(|n| !n.is_empty()));
    }
    Ok(all)
}

/// A word as files and the API have it.
pub fn word<T: Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

pub fn read_word<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_value(text.into()).map_err(|_| format!("{text:?} is none of these: choose one."))
}

pub fn whole(text: &str) -> Result<u32, String> {
    text.trim().parse().map_err(|_| format!("{text:?} is no whole number: expected 0 or more."))
}

pub fn positive(text: &str) -> Result<u32, String> {
    whole(text).ok().filter(|n| *n > 0).ok_or_else(|| format!("{text:?} is no such number: expected 1 or more."))
}

/// Thousandths as per cent: 50 is "5", 1 is "0.1".
pub fn percent(per_mille: u32) -> String {
    match per_mille % 10 {
        0 => (per_mille / 10).to_string(),
        tenth => format!("{}.{tenth}", per_mille / 10),
    }
}

pub fn per_mille(text: &str) -> Result<u32, String> {
    let wrong = || format!("{text:?} is no share: expected a number from 0.1 to 100, with one decimal at most.");
    let plain = text.trim().trim_end_matches('%').trim().replace(',', ".");
    let (whole, tenth) = plain.split_once('.').unwrap_or((&plain, "0"));
    let whole: u32 = whole.parse().map_err(|_| wrong())?;
    let tenth: u32 = if tenth.len() == 1 { tenth.parse().map_err(|_| wrong())? } else { return Err(wrong()) };
    let share = whole.saturating_mul(10).saturating_add(tenth);
    if (1..=1_000).contains(&share) { Ok(share) } else { Err(wrong()) }
}

/// `200/day`, empty for none.
pub fn rate(rate: Option<Rate>) -> String {
    rate.map(|r| format!("{}/{}", r.count, word(&r.per))).unwrap_or_default()
}

pub fn read_rate(text: &str) -> Result<Option<Rate>, String> {
    let Some((count, per)) = text.split_once('/') else { return Ok(None) };
    Ok(Some(Rate { count: positive(count)?, per: read_word::<Per>(per)? }))
}

/// What a library says in lower case, as a sentence.
fn capital(e: &impl Display) -> String {
    let text = e.to_string();
    let mut letters = text.chars();
    let first: String = letters.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
    format!("{first}{}.", letters.as_str().trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::super::table::GROUPS;
    use super::*;

    fn sample() -> WorkspaceSettings {
        let mut settings = WorkspaceSettings::default();
        settings.sequence.window =
            Window::new("mon-sat".parse().unwrap(), "8:30".parse().unwrap(), "24:00".parse().unwrap()).unwrap();
        settings.sequence.holidays = holidays("2027-03-26 Good Friday\n12-25").unwrap();
        settings.sequence.again = Again::AfterDays(90);
        settings.sequence.track_opens = false;
        settings.workspace_cap = Some(Rate { count: 500, per: Per::Hour });
        settings.touch_gap_days = Some(14);
        settings.quiet = Quiet::new("20:00".parse().unwrap(), "09:00".parse().unwrap()).unwrap();
        settings
    }

    #[test]
    fn what_the_page_shows_reads_back_as_it_was() {
        for settings in [WorkspaceSettings::default(), sample()] {
            let shown = Draft::of(settings.clone());
            let mut read = Draft::of(WorkspaceSettings::default());
            for setting in GROUPS.iter().flat_map(|g| g.settings) {
                (setting.set)(&mut read, &(setting.show)(&shown)).unwrap();
            }
            let mut faults = Vec::new();
            assert_eq!(read.done(&mut faults), settings);
            assert_eq!(faults, vec![]);
        }
    }

    #[test]
    fn every_setting_has_a_place() {
        // A setting that is changed and not shown would be put back by the next saving.
        let json = |s: &WorkspaceSettings| serde_json::to_value(s).unwrap();
        let count = |v: &serde_json::Value| v.as_object().unwrap().len();
        let all = count(&json(&WorkspaceSettings::default())) + count(&json(&WorkspaceSettings::default())["sequence"]);
        assert_eq!(all, 12 + 24, "a setting was added: give it a line in the table");
        let mut names: Vec<_> = GROUPS.iter().flat_map(|g| g.settings).map(|s| s.name).collect();
        let n = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), n);
    }

    #[test]
    fn what_makes_no_sense_is_named_with_its_field() {
        let mut draft = Draft::of(WorkspaceSettings::default());
        draft.days = String::new();
        draft.zone = "Europe/Berln".into();
        draft.holidays = "2027-03-26\nsoon".into();
        draft.quiet_to = "21:00".into();
        draft.again = "after_days".into();
        let mut faults = Vec::new();
        draft.done(&mut faults);
        let said: Vec<_> = faults
            .iter()
            .map(|f| (f.field.as_str(), f.message.contains("expected") || f.message.contains("need")))
            .collect();
        assert_eq!(
            said.iter().map(|s| s.0).collect::<Vec<_>>(),
            ["days", "holidays", "zone", "quiet_to", "again_days"]
        );
        assert!(faults[1].message.starts_with("Line 2") && faults[2].message.contains("Europe/Berlin"), "{faults:?}");
        for bad in ["", "-1", "0", "101", "1.25", "x"] {
            assert!(per_mille(bad).is_err(), "{bad}");
        }
        assert_eq!(
            (per_mille("5"), per_mille("0,1 %"), percent(50), percent(1)),
            (Ok(50), Ok(1), "5".into(), "0.1".into())
        );
    }
}
