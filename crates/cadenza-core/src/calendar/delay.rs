//! How long a step waits after the one before, as people write it. What a day is, only a calendar can say: see
//! `Calendar::after`.

use super::text;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// A wait of minutes or hours (absolute), of calendar days, or of business days (allowed days less holidays).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Delay {
    amount: u32,
    unit: DelayUnit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DelayUnit {
    Minutes,
    Hours,
    Days,
    BusinessDays,
}

/// Why a text or an amount is no delay.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDelay {
    #[error(
        "{found:?} is not a delay: expected a whole number and a unit (minutes, hours, days or business days), such as \
         \"90 minutes\" or \"2 business days\", or \"none\""
    )]
    Unreadable { found: String },
    #[error("a delay of {amount} {unit} is too long: at most {most} {unit} (ten years) are possible")]
    TooLong { amount: u64, unit: DelayUnit, most: u32 },
}

impl DelayUnit {
    /// The longest delay in this unit: ten years.
    pub const fn most(self) -> u32 {
        match self {
            DelayUnit::Minutes => 3650 * 24 * 60,
            DelayUnit::Hours => 3650 * 24,
            DelayUnit::Days => 3650,
            DelayUnit::BusinessDays => 2600,
        }
    }
    const fn singular(self) -> &'static str {
        match self {
            DelayUnit::Minutes => "minute",
            DelayUnit::Hours => "hour",
            DelayUnit::Days => "day",
            DelayUnit::BusinessDays => "business day",
        }
    }
}

impl Delay {
    pub const NONE: Delay = Delay { amount: 0, unit: DelayUnit::Minutes };

    /// Errors beyond ten years.
    pub fn new(amount: u32, unit: DelayUnit) -> Result<Delay, InvalidDelay> {
        Delay::checked(u64::from(amount), unit)
    }
    pub const fn amount(self) -> u32 {
        self.amount
    }
    pub const fn unit(self) -> DelayUnit {
        self.unit
    }
    pub const fn is_none(self) -> bool {
        self.amount == 0
    }

    fn checked(amount: u64, unit: DelayUnit) -> Result<Delay, InvalidDelay> {
        let most = unit.most();
        match u32::try_from(amount) {
            Ok(amount) if amount <= most => Ok(Delay { amount, unit }),
            _ => Err(InvalidDelay::TooLong { amount, unit, most }),
        }
    }
}

impl Default for Delay {
    fn default() -> Delay {
        Delay::NONE
    }
}

impl fmt::Display for DelayUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}s", self.singular())
    }
}
/// "3 days", "1 hour", "0 minutes".
impl fmt::Display for Delay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.amount {
            1 => write!(f, "1 {}", self.unit.singular()),
            n => write!(f, "{n} {}", self.unit),
        }
    }
}
impl fmt::Debug for Delay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for Delay {
    type Err = InvalidDelay;
    fn from_str(text: &str) -> Result<Delay, InvalidDelay> {
        let unreadable = || InvalidDelay::Unreadable { found: text::excerpt(text) };
        let words = text.trim().to_lowercase();
        if words == "none" {
            return Ok(Delay::NONE);
        }
        let digits = words.bytes().take_while(u8::is_ascii_digit).count();
        let (amount, unit) = words.split_at(digits);
        let unit = match unit.split_whitespace().collect::<Vec<_>>().join(" ").as_str() {
            "minute" | "minutes" | "min" => DelayUnit::Minutes,
            "hour" | "hours" | "h" => DelayUnit::Hours,
            "day" | "days" | "d" => DelayUnit::Days,
            "business day" | "business days" => DelayUnit::BusinessDays,
            _ => return Err(unreadable()),
        };
        if digits == 0 {
            return Err(unreadable());
        }
        // More digits than a number holds are a long delay, not an unreadable one.
        Delay::checked(amount.parse().unwrap_or(u64::MAX), unit)
    }
}
impl Serialize for Delay {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for Delay {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Delay, D::Error> {
        text::deserialize(d, "a delay, such as \"3 days\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use DelayUnit::*;

    #[test]
    fn delays_are_read_as_people_write_them() {
        for (text, amount, unit) in [
            ("3 days", 3, Days),
            ("1 Day", 1, Days),
            ("2 business  days", 2, BusinessDays),
            ("90 minutes", 90, Minutes),
            ("15min", 15, Minutes),
            ("  4 h ", 4, Hours),
            ("0 minutes", 0, Minutes),
            ("none", 0, Minutes),
        ] {
            assert_eq!(text.parse(), Delay::new(amount, unit), "{text}");
        }
    }

    #[test]
    fn what_is_no_delay_says_what_would_be() {
        for wrong in ["", "3", "days", "-1 days", "1.5 hours", "3 weeks", "soon", "2 business", "1 day 2 hours"] {
            let error = wrong.parse::<Delay>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("{wrong:?} is not a delay")), "{error}");
            assert!(error.contains("business days"), "{error}");
        }
    }

    #[test]
    fn ten_years_are_the_most() {
        assert!("3650 days".parse::<Delay>().is_ok());
        let error = "3651 days".parse::<Delay>().unwrap_err().to_string();
        assert_eq!(error, "a delay of 3651 days is too long: at most 3650 days (ten years) are possible");
        assert!(matches!("99999999999999999999999 hours".parse::<Delay>(), Err(InvalidDelay::TooLong { .. })));
    }

    #[test]
    fn the_text_form_reads_back() {
        for unit in [Minutes, Hours, Days, BusinessDays] {
            for amount in [0, 1, 2, 17, unit.most()] {
                let delay = Delay::new(amount, unit).unwrap();
                let json = serde_json::to_string(&delay).unwrap();
                assert_eq!(serde_json::from_str::<Delay>(&json).unwrap(), delay, "{json}");
            }
        }
        assert_eq!(Delay::new(1, BusinessDays).unwrap().to_string(), "1 business day");
    }
}
