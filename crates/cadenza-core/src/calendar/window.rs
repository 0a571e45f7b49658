//! When work may run on the clock: which weekdays, from when until when. Zone and holidays are the calendar's.

use super::{Days, LocalMinute};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Allowed days and the times of day between which work runs, `start` included, `stop` not. In TOML:
/// `window = { days = ["mon", "tue"], start = "09:00", stop = "17:00" }`; what is left out is the default, Mon–Fri 09:00–17:00.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Form")]
pub struct Window {
    days: Days,
    start: LocalMinute,
    stop: LocalMinute,
}

/// Why days and times make no window.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidWindow {
    #[error("a window needs at least one day of the week, such as mon")]
    NoDay,
    #[error(
        "a window must stop after it starts: {stop} is not after {start} (the latest stop is 24:00; a window lies within one day)"
    )]
    StopNotAfterStart { start: LocalMinute, stop: LocalMinute },
}

/// What a person writes.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Form {
    days: Days,
    start: LocalMinute,
    stop: LocalMinute,
}

impl Window {
    /// Errors where no day is allowed, or `stop` is not after `start`.
    pub fn new(days: Days, start: LocalMinute, stop: LocalMinute) -> Result<Window, InvalidWindow> {
        if days.is_empty() {
            Err(InvalidWindow::NoDay)
        } else if stop <= start {
            Err(InvalidWindow::StopNotAfterStart { start, stop })
        } else {
            Ok(Window { days, start, stop })
        }
    }
    /// Every day, all day.
    pub const fn always() -> Window {
        Window { days: Days::ALL, start: LocalMinute::START_OF_DAY, stop: LocalMinute::END_OF_DAY }
    }
    pub const fn days(&self) -> Days {
        self.days
    }
    /// The first minute inside.
    pub const fn start(&self) -> LocalMinute {
        self.start
    }
    /// The first minute no longer inside.
    pub const fn stop(&self) -> LocalMinute {
        self.stop
    }
    /// From midnight to midnight: such a window has no times of day to keep to, only days.
    pub(super) fn is_all_day(&self) -> bool {
        self.start == LocalMinute::START_OF_DAY && self.stop == LocalMinute::END_OF_DAY
    }
}

/// Mon–Fri 09:00–17:00.
impl Default for Window {
    fn default() -> Window {
        Window { days: Days::MONDAY_TO_FRIDAY, start: LocalMinute::hour(9), stop: LocalMinute::hour(17) }
    }
}

/// "Mon–Fri 09:00–17:00", "every day, all day".
impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_all_day() {
            write!(f, "{}, all day", self.days)
        } else {
            write!(f, "{} {}–{}", self.days, self.start, self.stop)
        }
    }
}

impl Default for Form {
    fn default() -> Form {
        let Window { days, start, stop } = Window::default();
        Form { days, start, stop }
    }
}
impl TryFrom<Form> for Window {
    type Error = InvalidWindow;
    fn try_from(form: Form) -> Result<Window, InvalidWindow> {
        Window::new(form.days, form.start, form.stop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn toml_and_json_as_a_person_writes_them() {
        let full: Window = toml::from_str("days = [\"mon\", \"sat\"]\nstart = \"8:30\"\nstop = \"24:00\"").unwrap();
        assert_eq!(full.to_string(), "Mon, Sat 08:30–24:00");
        let short: Window = toml::from_str("days = \"mon-sat\"").unwrap();
        assert_eq!(short.to_string(), "Mon–Sat 09:00–17:00");
        let native: Window = toml::from_str("start = 10:00:00\nstop = 12:30:00").unwrap();
        assert_eq!(native.to_string(), "Mon–Fri 10:00–12:30");
        let json = serde_json::to_string(&Window::default()).unwrap();
        assert_eq!(json, r#"{"days":["mon","tue","wed","thu","fri"],"start":"09:00","stop":"17:00"}"#);
        assert_eq!(serde_json::from_str::<Window>(&json).unwrap(), Window::default());
        assert_eq!(toml::from_str::<Window>(&toml::to_string(&full).unwrap()).unwrap(), full);
        assert_eq!(serde_json::from_str::<Window>("{}").unwrap(), Window::default());
    }

    #[test]
    fn a_window_that_cannot_be_says_why() {
        let error = |toml: &str| toml::from_str::<Window>(toml).unwrap_err().to_string();
        assert!(error("start = \"17:00\"\nstop = \"09:00\"").contains("09:00 is not after 17:00"));
        assert!(error("start = \"09:00\"\nstop = \"09:00\"").contains("must stop after it starts"));
        assert!(error("days = []").contains("at least one day"));
        assert!(error("from = \"09:00\"").contains("unknown field `from`, expected one of `days`, `start`, `stop`"));
        assert!(error("start = \"nine\"").contains("\"nine\" is not a time of day"));
    }

    #[test]
    fn windows_are_shown_for_people() {
        assert_eq!(Window::always().to_string(), "every day, all day");
        assert_eq!(Window::default().to_string(), "Mon–Fri 09:00–17:00");
    }
}
