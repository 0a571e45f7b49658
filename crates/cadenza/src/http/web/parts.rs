//! Small things that every page shows the same way: icons, badges, moments, people. Each writes its own HTML, escaped.

use cadenza_core::time::Time;
use jiff::tz::TimeZone;
use std::fmt::{self, Display, Write};

/// A picture of `assets/icons.svg`, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Icon(pub &'static str);

impl Display for Icon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sprite = crate::http::assets::url("icons.svg");
        write!(f, "<svg class=\"icon\" aria-hidden=\"true\"><use href=\"{sprite}#{}\"/></svg>", self.0)
    }
}

/// What a colour means: good, needs care, wrong, moving, special, at rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Green,
    Amber,
    Red,
    Blue,
    Violet,
    Grey,
}

impl Display for Tone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Tone::Green => "green",
            Tone::Amber => "amber",
            Tone::Red => "red",
            Tone::Blue => "blue",
            Tone::Violet => "violet",
            Tone::Grey => "grey",
        })
    }
}

/// A state in a word, its colour, and what stands behind it on hover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Badge {
    pub tone: Tone,
    pub text: String,
    /// Shown on hover; empty for none.
    pub title: String,
}

impl Badge {
    pub fn new(tone: Tone, text: impl Into<String>) -> Badge {
        Badge { tone, text: text.into(), title: String::new() }
    }
    #[must_use]
    pub fn titled(mut self, title: impl Into<String>) -> Badge {
        self.title = title.into();
        self
    }
}

impl Display for Badge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<span class=\"badge {}\"", self.tone)?;
        if !self.title.is_empty() {
            write!(f, " title=\"{}\"", Escaped(&self.title))?;
        }
        write!(f, ">{}</span>", Escaped(&self.text))
    }
}

/// A person as a round picture of their initials, always in the same colour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Avatar<'a>(pub &'a str);

impl Display for Avatar<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hue = self.0.bytes().fold(7u32, |h, b| h.wrapping_mul(31).wrapping_add(u32::from(b))) % 6;
        let mut words = self.0.split_whitespace();
        let first = words.next().and_then(|w| w.chars().next()).unwrap_or('?');
        let last = words.next_back().and_then(|w| w.chars().next());
        let letters: String = [Some(first), last].into_iter().flatten().flat_map(char::to_uppercase).collect();
        write!(f, "<span class=\"avatar h{hue}\" aria-hidden=\"true\">{}</span>", Escaped(&letters))
    }
}

/// How moments are shown to one viewer: from when, and in which zone.
#[derive(Debug, Clone)]
pub struct Watch {
    pub now: Time,
    pub zone: TimeZone,
}

/// A moment as one viewer reads it; on hover it is exact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    pub iso: String,
    pub text: String,
    pub title: String,
}

impl Watch {
    /// Near moments by distance ("in 3 h"), the others by date.
    pub fn near(&self, t: Time) -> Moment {
        self.moment(t, self.distance(t).unwrap_or_else(|| self.date(t)))
    }
    /// With day and time: "Mon 3 Mar, 09:00".
    pub fn exact(&self, t: Time) -> Moment {
        let text = format!("{}, {}", self.date(t), t.to_jiff().to_zoned(self.zone.clone()).strftime("%H:%M"));
        self.moment(t, text)
    }

    /// As a control takes it that asks for day and time.
    pub fn input(&self, t: Time) -> String {
        t.to_jiff().to_zoned(self.zone.clone()).strftime("%Y-%m-%dT%H:%M").to_string()
    }
    /// What was typed into such a control, in the viewer's zone.
    pub fn typed(&self, text: &str) -> Option<Time> {
        let local: jiff::civil::DateTime = text.trim().parse().ok()?;
        Some(Time::from_jiff(local.to_zoned(self.zone.clone()).ok()?.timestamp()))
    }

    /// A sentence of the core with its moments as this viewer reads them: the core knows no zones of people.
    pub fn sentence(&self, text: &str) -> String {
        let word = |word: &str| {
            let bare = word.trim_end_matches(['.', ',', ';', ')']);
            match bare.parse::<Time>() {
                Ok(t) => format!("{}{}", self.exact(t).text, &word[bare.len()..]),
                Err(_) => word.to_owned(),
            }
        };
        text.split(' ').map(word).collect::<Vec<_>>().join(" ")
    }

    fn moment(&self, t: Time, text: String) -> Moment {
        let zoned = t.to_jiff().to_zoned(self.zone.clone());
        let title = zoned.strftime("%A %-d %B %Y, %H:%M:%S %Z").to_string();
        Moment { iso: t.to_string(), text, title }
    }

    /// The year only where it is another one.
    fn date(&self, t: Time) -> String {
        let (day, today) = (t.to_jiff().to_zoned(self.zone.clone()), self.now.to_jiff().to_zoned(self.zone.clone()));
        let days = day.date().since((jiff::Unit::Day, today.date())).map_or(i64::MAX, |s| i64::from(s.get_days()));
        match days {
            0 => "Today".to_owned(),
            1 => "Tomorrow".to_owned(),
            -1 => "Yesterday".to_owned(),
            _ if day.year() == today.year() => day.strftime("%a %-d %b").to_string(),
            _ => day.strftime("%-d %b %Y").to_string(),
        }
    }

    fn distance(&self, t: Time) -> Option<String> {
        let span = t - self.now;
        let (ahead, seconds) = (span.micros() >= 0, span.as_seconds().unsigned_abs());
        let text = match seconds {
            0..45 => return Some(if ahead { "now" } else { "just now" }.to_owned()),
            45..5_400 => format!("{} min", (seconds + 30) / 60),
            5_400..79_200 => format!("{} h", (seconds + 1_800) / 3_600),
            79_200..691_200 => format!("{} d", (seconds + 43_200) / 86_400),
            _ => return None,
        };
        Some(if ahead { format!("in {text}") } else { format!("{text} ago") })
    }
}

impl Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "<time datetime=\"{}\" title=\"{}\">{}</time>",
            Escaped(&self.iso),
            Escaped(&self.title),
            Escaped(&self.text)
        )
    }
}

/// A number with commas between its thousands.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A share in per cent with one decimal; a dash where there is no whole.
pub fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "–".to_owned();
    }
    format!("{:.1} %", 100.0 * part as f64 / whole as f64)
}

/// Text between tags or within quoted attributes.
#[derive(Debug, Clone, Copy)]
pub struct Escaped<'a>(pub &'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

impl askama::filters::HtmlSafe for Icon {}
impl askama::filters::HtmlSafe for Tone {}
impl askama::filters::HtmlSafe for Badge {}
impl askama::filters::HtmlSafe for Avatar<'_> {}
impl askama::filters::HtmlSafe for Moment {}

#[cfg(test)]
mod tests {
    use super::*;
    use cadenza_core::time::Span;

    #[test]
    fn moments_are_near_or_dated() {
        let now: Time = "2027-03-01T09:00:00Z".parse().unwrap();
        let watch = Watch { now, zone: TimeZone::UTC };
        let near = |span| watch.near(now + span).text;
        assert_eq!(near(Span::seconds(10)), "now");
        assert_eq!(near(Span::minutes(-5)), "5 min ago");
        assert_eq!(near(Span::minutes(95)), "in 2 h");
        assert_eq!(near(Span::days(2)), "in 2 d");
        assert_eq!(near(Span::days(9)), "Wed 10 Mar");
        assert_eq!(near(Span::days(-300)), "5 May 2026");
        assert_eq!(watch.exact(now + Span::days(1)).text, "Tomorrow, 09:00");
        assert_eq!(
            watch.exact(now).to_string(),
            "<time datetime=\"2027-03-01T09:00:00Z\" title=\"Monday 1 March 2027, 09:00:00 UTC\">Today, 09:00</time>"
        );
    }

    #[test]
    fn moments_within_sentences_are_the_viewers() {
        let watch =
            Watch { now: "2027-03-01T09:00:00Z".parse().unwrap(), zone: TimeZone::get("Europe/Berlin").unwrap() };
        let text = "It is due at 2027-03-02T12:30:00.5Z. Wait.";
        assert_eq!(watch.sentence(text), "It is due at Tomorrow, 13:30. Wait.");
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(count(12), "12");
        assert_eq!(percent(1, 3), "33.3 %");
        assert_eq!(percent(0, 0), "–");
    }

    #[test]
    fn nothing_gets_out_of_its_tag() {
        let badge = Badge::new(Tone::Red, "<b>").titled("\"'&");
        assert_eq!(badge.to_string(), "<span class=\"badge red\" title=\"&quot;&#39;&amp;\">&lt;b&gt;</span>");
        assert!(Avatar("ann lee").to_string().contains(">AL<"));
        assert!(Avatar("<").to_string().contains("&lt;"));
    }
}
