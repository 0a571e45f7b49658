//! The settings that a file states; what it does not state is the workspace's default (SPEC §14).

use super::words::Words;
use crate::calendar::{Days, HolidayDate, Holidays, LocalMinute, Window, Zone};
use crate::document::write::{Writer, inline, one_line, texts};
use crate::document::{Item, Section};
use crate::settings::{
    Again, BlockedGoesOn, Meeting, OnElsewhere, OnReply, OptOutEnds, OptOutSuppresses, OutOfOffice, OwnMail, Per, Rate,
    ResumeAfter, Settings, SoftBounce, StructuralEdits, ZoneOf,
};
use serde::{Deserialize, Deserializer, Serialize};

/// A setting as a value in a file.
trait Entry: Sized {
    /// `None` where it cannot be read; then the mistake is reported.
    fn read(item: &Item<'_, '_>) -> Option<Self>;
    fn toml(&self) -> String;
}

macro_rules! settings {
    ($($name:ident: $kind:ty),* $(,)?) => {
        /// Settings of a sequence that differ from what it starts from; `None` keeps that.
        #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct SettingsPatch {
            $(
                #[serde(default, deserialize_with = "stated", skip_serializing_if = "Option::is_none")]
                pub $name: Option<$kind>
            ),*
        }

        impl SettingsPatch {
            /// The settings that a sequence with this file has, where the workspace's are `base`.
            pub fn over(&self, base: &Settings) -> Settings {
                Settings { $($name: self.$name.clone().unwrap_or_else(|| base.$name.clone())),* }
            }
            /// What has to be stated so that `base` becomes `own`.
            pub fn between(base: &Settings, own: &Settings) -> SettingsPatch {
                SettingsPatch { $($name: (base.$name != own.$name).then(|| own.$name.clone())),* }
            }
            pub(super) fn read(section: &Section<'_, '_>) -> SettingsPatch {
                SettingsPatch { $($name: section.item(stringify!($name)).and_then(|item| Entry::read(&item))),* }
            }
            /// Name and value of each that is stated, as they stand in the file.
            pub(super) fn stated(&self) -> Vec<(&'static str, String)> {
                let mut stated = Vec::new();
                $(if let Some(value) = &self.$name { stated.push((stringify!($name), value.toml())); })*
                stated
            }
        }
    };
}

settings! {
    window: Window,
    zone: Zone,
    zone_of: ZoneOf,
    holidays: Holidays,
    reply: OnReply,
    reply_others: OnElsewhere,
    reply_colleagues: OnElsewhere,
    out_of_office: OutOfOffice,
    soft_bounce: SoftBounce,
    own_mail: OwnMail,
    meeting: Meeting,
    opt_out_ends: OptOutEnds,
    opt_out_suppresses: OptOutSuppresses,
    unresponsive_days: u32,
    unsubscribe_link: bool,
    track_opens: bool,
    track_clicks: bool,
    email_rate: Option<Rate>,
    text_rate: Option<Rate>,
    blocked_goes_on: BlockedGoesOn,
    overdue_hours: u32,
    again: Again,
    structural_edits: StructuralEdits,
    end_when_all_finished: bool,
}

/// What is there is stated, also where that is "no limit".
fn stated<'de, D: Deserializer<'de>, T: Deserialize<'de>>(d: D) -> Result<Option<T>, D::Error> {
    T::deserialize(d).map(Some)
}

impl SettingsPatch {
    pub fn is_empty(&self) -> bool {
        *self == SettingsPatch::default()
    }
    pub(super) fn write(&self, out: &mut Writer) {
        if self.is_empty() {
            return;
        }
        out.heading("[settings]");
        self.stated().into_iter().for_each(|(name, value)| out.entry(name, value));
    }
}

macro_rules! word_entries {
    ($($kind:ident)*) => {$(impl Entry for $kind {
        fn read(item: &Item<'_, '_>) -> Option<Self> {
            item.word($kind::WORDS)
        }
        fn toml(&self) -> String {
            one_line(self.word())
        }
    })*};
}
word_entries! { ZoneOf OnReply OnElsewhere OwnMail Meeting OptOutEnds OptOutSuppresses BlockedGoesOn StructuralEdits }

impl Entry for bool {
    fn read(item: &Item<'_, '_>) -> Option<Self> {
        item.flag()
    }
    fn toml(&self) -> String {
        self.to_string()
    }
}
impl Entry for u32 {
    fn read(item: &Item<'_, '_>) -> Option<Self> {
        item.number(u32::MAX)
    }
    fn toml(&self) -> String {
        self.to_string()
    }
}
impl Entry for Zone {
    fn read(item: &Item<'_, '_>) -> Option<Self> {
        item.parsed()
    }
    fn toml(&self) -> String {
        one_line(self.name())
    }
}

/// `{ days = ["mon", "tue"], start = "09:00", stop = "17:00" }`; days also `"mon-fri"`.
impl Entry for Window {
    fn read(item: &Item<'_, '_>) -> Option<Self> {
        let section = item.section()?;
        let usual = Window::default();
        let days = match section.item("days") {
            None => Some(usual.days()),
            Some(days) if days.is_text() => days.parsed(),
            Some(days) => days.list().map(|list| {
                let each = list.iter().filter_map(|day| day.parsed::<Days>());
                each.flat_map(|days| days.iter().collect::<Vec<_>>()).collect()
            }),
        };
        let minute = |key, usual: LocalMinute| if section.has(key) { section.parsed(key) } else { Some(usual) };
        let (start, stop) = (minute("start", usual.start()), minute("stop", usual.stop()));
        section.finish();
        Window::new(days?, start?, stop?).map_err(|e| item.wrong(e.to_string())).ok()
    }
    fn toml(&self) -> String {
        let days: Vec<String> = self.days().iter().map(|d| d.short().to_ascii_lowercase()).collect();
        inline(&[
            ("days", texts(days.iter().map(String::as_str))),
            ("start", one_line(&self.start().to_string())),
            ("stop", one_line(&self.stop().to_string())),
        ])
    }
}

/// `["12-25", { date = "2027-03-26", name = "Good Friday" }]`
impl Entry for Holidays {
    fn read(item: &Item<'_, '_>) -> Option<Self> {
        let entry = |item: Item<'_, '_>| -> Option<(HolidayDate, Option<String>)> {
            if !item.is_table() {
                return Some((item.parsed()?, None));
            }
            let section = item.section()?;
            let date = section.required("date", "a date such as \"2027-03-26\" or \"12-25\"", section.parsed("date"));
            let name = section.text("name");
            section.finish();
            Some((date?, name))
        };
        Some(item.list()?.into_iter().filter_map(entry).collect())
    }
    fn toml(&self) -> String {
        let entries: Vec<String> = self
            .iter()
            .map(|(date, name)| match name {
                None => one_line(&date.to_string()),
                Some(name) => inline(&[("date", one_line(&date.to_string())), ("name", one_line(name))]),
            })
            .collect();
        if entries.is_empty() { "[]".into() } else { crate::document::write::lines(&entries) }
    }
}

/// `"by_hand"`, `"return"`, or a table that states the days too.
impl Entry for OutOfOffice {
    fn read(item: &Item<'_, '_>) -> Option<Self> {
        let usual = OutOfOffice::default();
        if item.is_text() {
            return Some(OutOfOffice { resume: item.word(ResumeAfter::WORDS)?, ..usual });
        }
        let section = item.section()?;
        let read = OutOfOffice {
            resume: section.word("resume", ResumeAfter::WORDS).unwrap_or(usual.resume),
            days_after_return: section.number("days_after_return", 365).unwrap_or(usual.days_after_return),
            days_without_date: section.number("days_without_date", 365).unwrap_or(usual.days_without_date),
        };
        section.finish();
        Some(read)
    }
    fn toml(&self) -> String {
        let usual = OutOfOffice { resume: self.resume, ..OutOfOffice::default() };
        if *self == usual {
            return one_line(self.resume.word());
        }
        inline(&[
            ("resume", one_line(self.resume.word())),
            ("days_after_return", self.days_after_return.to_string()),
            ("days_without_date", self.days_without_date.to_string()),
        ])
    }
}

/// `{ tries = 3, hours = 72 }`
impl Entry for SoftBounce {
    fn read(item: &Item<'_, '_>) -> Option<Self> {
        let section = item.section()?;
        let usual = SoftBounce::default();
        let read = SoftBounce {
            tries: section.number("tries", 100).unwrap_or(usual.tries),
            hours: section.number("hours", 8_760).unwrap_or(usual.hours),
        };
        section.finish();
        Some(read)
    }
    fn toml(&self) -> String {
        inline(&[("tries", self.tries.to_string()), ("hours", self.hours.to_string())])
    }
}

/// `"40 per hour"`, or `"none"`.
impl Entry for Option<Rate> {
    fn read(item: &Item<'_, '_>) -> Option<Self> {
        let text = item.text()?;
        let words: Vec<&str> = text.split_whitespace().collect();
        let rate = match words.as_slice() {
            ["none"] => return Some(None),
            [count, "per", per] => count.parse().ok().zip(Per::WORDS.iter().find(|(w, _)| w == per).map(|(_, p)| *p)),
            _ => None,
        };
        if rate.is_none() {
            item.wrong(format!(
                "{text:?} is no rate: expected a number per minute, hour or day, such as \"40 per hour\", or \"none\""
            ));
        }
        rate.map(|(count, per)| Some(Rate { count, per }))
    }
    fn toml(&self) -> String {
        one_line(&self.map_or_else(|| "none".into(), |rate| format!("{} per {}", rate.count, rate.per.word())))
    }
}

/// `"ask"`, `"never"`, `"after 90 days"`.
impl Entry for Again {
    fn read(item: &Item<'_, '_>) -> Option<Self> {
        let text = item.text()?;
        let words: Vec<&str> = text.split_whitespace().collect();
        let again = match words.as_slice() {
            ["ask"] => Some(Again::Ask),
            ["never"] => Some(Again::Never),
            ["after", days, "day" | "days"] => days.parse().ok().map(Again::AfterDays),
            _ => None,
        };
        if again.is_none() {
            item.wrong(format!(
                "{text:?} is not possible here: expected \"ask\", \"never\" or such as \"after 90 days\""
            ));
        }
        again
    }
    fn toml(&self) -> String {
        one_line(&match self {
            Again::Ask => "ask".to_owned(),
            Again::Never => "never".to_owned(),
            Again::AfterDays(1) => "after 1 day".to_owned(),
            Again::AfterDays(days) => format!("after {days} days"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stated_is_kept_as_json_and_nothing_else() {
        let own = Settings { reply: OnReply::Pause, ..Settings::default() };
        let limited = Settings { email_rate: Some(Rate { count: 4, per: Per::Hour }), ..own.clone() };
        for (patch, json) in [
            (SettingsPatch::default(), "{}"),
            // No limit, where the workspace has one.
            (SettingsPatch::between(&limited, &own), r#"{"email_rate":null}"#),
            (SettingsPatch::between(&Settings::default(), &own), r#"{"reply":"pause"}"#),
        ] {
            assert_eq!(serde_json::to_string(&patch).unwrap(), json);
            assert_eq!(serde_json::from_str::<SettingsPatch>(json).unwrap(), patch);
        }
        assert!(serde_json::from_str::<SettingsPatch>(r#"{"replay":"pause"}"#).is_err());
    }
}
