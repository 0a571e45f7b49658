//! Finds what may be a date in a folded text: numbers, names, distances in days. Which of them matters is decided in `mod`,
//! which day they are in `resolve`.

use super::index::{self, Index};
use super::ranges::{CONNECTORS, ends_with_word, opens_range};
use super::words::{MONTHS_CROATIAN, NOT_IN_ENGLISH, Relative, Unit};

/// How a text names a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// Day and month by name, the year if given.
    Named {
        year: Option<i16>,
        month: u8,
        day: u8,
    },
    /// Two numbers whose order is not plain, the year if given.
    Numbers {
        first: u8,
        second: u8,
        year: Option<i16>,
        slash: bool,
    },
    /// A month without a day: the day its part stands for, 99 for the last.
    Month {
        year: Option<i16>,
        month: u8,
        day: u8,
    },
    /// A day without a month.
    Day(u8),
    /// Days from Monday.
    Weekday {
        index: u8,
        next: bool,
    },
    Relative(Relative),
    /// So many days, weeks or months from today.
    Distance {
        count: u16,
        unit: Unit,
    },
}

/// A possible date and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    pub when: When,
    pub start: usize,
    pub end: usize,
    /// It closes a range such as "3-14 August".
    pub closes_range: bool,
}

impl Found {
    /// Whether the text is a date whatever stands around it.
    pub fn is_full(&self) -> bool {
        matches!(self.when, When::Named { .. } | When::Numbers { .. })
    }
}

/// At most so many dates are looked at.
const FOUND_MAX: usize = 60;
/// The most letters that may follow a table's entry ending in `*`.
const ENDING_MAX: usize = 6;

/// What may stand between a day and its month, or a weekday and its date.
#[rustfmt::skip]
const BETWEEN: &[&str] = &[
    "of", "de", "di", "d", "den", "der", "dem", "the", "del", "da", "do", "la", "le", "el", "il", "dnia", "em",
    "ngay", "dia", "na", "w", "am", "on", "τησ", "του", "i", "og", "a", "zi", "pe", "din", "m", "ב",
];
/// Endings of ordinal numbers.
#[rustfmt::skip]
const ORDINALS: &[&str] = &[
    "st", "nd", "rd", "th", "er", "re", "e", "eme", "te", "ten", "ter", "ste", "го", "ого", "-го", "º", "ª", "°", "o",
    "en", "an", "jen", "d", "dj", "a",
];
/// Words before a lone day.
#[rustfmt::skip]
const ARTICLES: &[&str] = &[
    "the", "le", "el", "il", "den", "dia", "au", "al", "dem", "zum", "am", "il giorno", "dnia", "giorno",
];

/// Every possible date in the folded text, in order. `english` tells whether month names that are English words count.
pub(super) fn scan(text: &str, english: bool, croatian: bool) -> Vec<Found> {
    let scanner = Scanner { text, english, croatian };
    let mut found: Vec<Found> = Vec::new();
    let mut at = 0;
    while at < text.len() && found.len() < FOUND_MAX {
        let begins = text[at..].chars().next().is_some_and(|c| c.is_alphanumeric());
        let fresh = at == 0 || scanner.is_start(at);
        if let Some(one) = (begins && fresh).then(|| scanner.at(at)).flatten() {
            at = one.end.max(at + 1);
            found.push(one);
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    found
}

/// How many bytes of `rest` the entry takes, as a word.
pub(super) fn matches(entry: &str, rest: &str) -> Option<usize> {
    let (stem, open) = entry.strip_suffix('*').map_or((entry, false), |s| (s, true));
    let tail = rest.strip_prefix(stem)?;
    let spaced = stem.ends_with(|c: char| c.is_alphanumeric() && c < '\u{2e80}');
    if !spaced {
        return Some(stem.len());
    }
    let ending = tail.chars().take_while(|c| c.is_alphabetic() && *c < '\u{2e80}').count();
    let allowed = if open { ENDING_MAX } else { 0 };
    let bytes: usize = tail.chars().take(ending).map(char::len_utf8).sum();
    (ending <= allowed).then_some(stem.len() + bytes)
}

struct Scanner<'t> {
    text: &'t str,
    english: bool,
    croatian: bool,
}

impl Scanner<'_> {
    fn rest(&self, at: usize) -> &str {
        self.text.get(at..).unwrap_or_default()
    }

    /// Whether a word or number begins here rather than going on.
    fn is_start(&self, at: usize) -> bool {
        let before = self.text[..at].chars().next_back().unwrap_or(' ');
        let here = self.rest(at).chars().next().unwrap_or(' ');
        let wide = |c: char| c >= '\u{2e80}';
        !before.is_alphanumeric() || wide(before) || wide(here) || before.is_ascii_digit() != here.is_ascii_digit()
    }

    fn at(&self, at: usize) -> Option<Found> {
        let found = |when, end| Some(Found { when, start: at, end, closes_range: false });
        if let Some((index, end)) = self.weekday(at) {
            let date_at = self.skip(end);
            if let Some(date) = self.date(date_at).filter(|d| d.is_full()) {
                return Some(Found { start: at, ..date });
            }
            if let Some((day, end)) = self.day_in_range(date_at) {
                return found(When::Day(day), end);
            }
            return found(When::Weekday { index, next: false }, end);
        }
        self.date(at).or_else(|| self.relative(at)).or_else(|| self.distance(at))
    }

    /// Behind blanks, commas and the small words that stand within a date.
    fn skip(&self, at: usize) -> usize {
        let mut at = at;
        for _ in 0..3 {
            at += self.rest(at).len() - self.rest(at).trim_start_matches([' ', ',', '.', '(', '\'', ')']).len();
            let word = BETWEEN.iter().filter_map(|w| matches(w, self.rest(at))).max();
            let Some(len) = word else { break };
            // Danish writes "mandag d. 20. juli".
            let behind = self.rest(at + len);
            if !behind.starts_with([' ', '\'']) && !behind.starts_with(". ") {
                break;
            }
            at += len;
        }
        at + self.rest(at).len() - self.rest(at).trim_start_matches([' ', ',']).len()
    }

    fn weekday(&self, at: usize) -> Option<(u8, usize)> {
        let rest = self.rest(at);
        let short = || if self.english { index::WEEKDAY_SHORT.longest(rest) } else { None };
        let (index, len) = index::WEEKDAY.longest(rest).or_else(short)?;
        let end = at + len;
        // "月曜日", "(월)".
        Some((index, end + self.rest(end).strip_prefix('日').map_or(0, |_| '日'.len_utf8())))
    }

    /// The month that begins here, with where it ends; short names if `beside_day`.
    fn month(&self, at: usize, beside_day: bool) -> Option<(u8, usize)> {
        let rest = self.rest(at);
        if self.croatian
            && let Some((len, month)) = MONTHS_CROATIAN.iter().find_map(|(n, m)| matches(n, rest).map(|l| (l, *m)))
        {
            return Some((month, at + len));
        }
        let fits = |word: &str| !(self.english && NOT_IN_ENGLISH.contains(&word));
        let by = |table: &Index<u8>| {
            let all = table.all(rest).filter(|(word, ..)| fits(word));
            all.max_by_key(|(.., len)| *len).map(|(_, month, len)| (month, at + len))
        };
        let short = || if beside_day { by(&index::MONTH_SHORT) } else { None };
        let (month, end) = by(&index::MONTH).or_else(short)?;
        let end = end + usize::from(self.rest(end).starts_with('.') && end - at <= 6);
        Some((month, end))
    }

    fn number(&self, at: usize) -> Option<(u32, usize)> {
        let rest = self.rest(at);
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let value = rest.get(..digits)?.parse().ok()?;
        (1..=4).contains(&digits).then_some((value, at + digits))
    }

    fn year(&self, at: usize) -> Option<(i16, usize)> {
        let (value, end) = self.number(at)?;
        (end - at == 4 && (2000..2100).contains(&value)).then_some((value as i16, end))
    }

    /// A year that may follow a date, with its end; else the date's own end.
    fn year_after(&self, end: usize) -> (Option<i16>, usize) {
        let at = self.skip_marks(end, &[",", ".", "-", "de", "del", "of", "'", "г", "р"]);
        match self.year(at) {
            Some((year, end)) => (Some(year), end),
            None => (None, end),
        }
    }

    fn skip_marks(&self, at: usize, marks: &[&str]) -> usize {
        let mut at = at;
        for _ in 0..3 {
            at += self.rest(at).len() - self.rest(at).trim_start_matches(' ').len();
            match marks.iter().find_map(|m| matches(m, self.rest(at))) {
                Some(len) => at += len,
                None => break,
            }
        }
        at + self.rest(at).len() - self.rest(at).trim_start_matches(' ').len()
    }

    fn date(&self, at: usize) -> Option<Found> {
        let found = self.year_first(at).or_else(|| self.cjk(at)).or_else(|| self.numeric(at));
        let found = found.or_else(|| self.day_month(at)).or_else(|| self.month_day(at));
        found.or_else(|| self.month_only(at)).or_else(|| self.day_only(at))
    }

    /// 2026-08-15, 2026. augusztus 15., 2026 m. rugpjūčio 15 d.
    fn year_first(&self, at: usize) -> Option<Found> {
        let (year, end) = self.year(at)?;
        let mark = self.rest(end).chars().next().filter(|c| matches!(c, '-' | '/' | '.'));
        if let Some(mark) = mark {
            let month_at = self.skip_marks(end + 1, &[]);
            if let Some((month, end)) = self.number(month_at).filter(|(m, _)| (1..=12).contains(m)) {
                let day_at = self.skip_marks(end, &[&mark.to_string()]);
                if day_at > end
                    && let Some((day, end)) = self.number(day_at).filter(|(d, _)| (1..=31).contains(d))
                {
                    return self.named(at, end, Some(year), month as u8, day as u8);
                }
            }
        }
        let month_at = self.skip_marks(end, &[".", "m", ","]);
        let (month, end) = self.month(month_at, true)?;
        let (day, end) =
            self.number(self.skip_marks(end, &[])).filter(|(d, e)| (1..=31).contains(d) && !self.is_time(*e))?;
        let found = self.named(at, end, Some(year), month, day as u8)?;
        Some(self.range_in_month(found))
    }

    /// 8月15日, 2026年8月15日, 8월 15일.
    fn cjk(&self, at: usize) -> Option<Found> {
        let (mut value, mut end) = self.number(at)?;
        let mut year = None;
        if let Some(len) = self.sign(end, &["年", "년"]) {
            year = Some(value as i16).filter(|y| (2000..2100).contains(y));
            (value, end) = self.number(self.skip_marks(end + len, &[]))?;
        }
        let month = u8::try_from(value).ok().filter(|m| (1..=12).contains(m))?;
        let len = self.sign(end, &["月", "월"])?;
        let day_at = self.skip_marks(end + len, &[]);
        let whole_month =
            Found { when: When::Month { year, month, day: 1 }, start: at, end: end + len, closes_range: false };
        let Some((day, end)) = self.number(day_at).filter(|(d, _)| (1..=31).contains(d)) else {
            return Some(whole_month);
        };
        let end = end + self.sign(end, &["日", "일", "号", "號"]).unwrap_or_default();
        let end = self.weekday_behind(end);
        let found = self.named(at, end, year, month, day as u8)?;
        Some(self.range_in_month(found))
    }

    fn sign(&self, at: usize, signs: &[&str]) -> Option<usize> {
        signs.iter().find(|s| self.rest(at).starts_with(**s)).map(|s| s.len())
    }

    /// "(月)" and "(월)" behind a date.
    fn weekday_behind(&self, at: usize) -> usize {
        let rest = self.rest(at);
        let open = rest.trim_start().strip_prefix('(');
        let close = open.and_then(|o| o.find(')').filter(|n| *n <= 12).map(|n| rest.len() - o.len() + n + 1));
        let wide = open.is_some_and(|o| o.starts_with(|c: char| c >= '\u{2e80}'));
        if wide { at + close.unwrap_or_default() } else { at }
    }

    /// 15.08.2026, 15. 8., 08/15/26, 15-08-2026.
    fn numeric(&self, at: usize) -> Option<Found> {
        let (first, end) = self.number(at).filter(|(n, e)| (1..=31).contains(n) && e - at <= 2)?;
        let joined = self.text[..at].ends_with(['.', '/', ':', '+', '-'])
            && self.text[..at - 1].ends_with(|c: char| c.is_ascii_digit());
        let mark = self.rest(end).chars().next().filter(|c| matches!(c, '.' | '/' | '-'))?;
        let next = if mark == '.' { self.skip_marks(end + 1, &[]) } else { end + 1 };
        let (second, second_end) = self.number(next).filter(|(n, e)| (1..=31).contains(n) && e - next <= 2)?;
        let marked = self.rest(second_end).starts_with(mark);
        let third_at = if mark == '.' { self.skip_marks(second_end + 1, &[]) } else { second_end + 1 };
        let third = if marked { self.number(third_at) } else { None };
        let (year, end) = match third {
            Some((y, e)) if e - third_at == 4 && (2000..2100).contains(&y) => (Some(y as i16), e),
            Some((y, e)) if e - third_at == 2 && (20..80).contains(&y) && !self.is_time(e) => {
                (Some(2000 + y as i16), e)
            }
            _ => (None, second_end + usize::from(marked && mark == '.')),
        };
        let more = self.rest(end).strip_prefix(mark).is_some_and(|r| r.starts_with(|c: char| c.is_ascii_digit()));
        let bare = year.is_none() && (mark == '-' || (mark == '.' && self.english && !marked));
        if joined && year.is_none() || more || bare || self.is_time(second_end) || (first > 12 && second > 12) {
            return None;
        }
        if year.is_none() && mark == '.' && self.after_clock_word(at) {
            return None;
        }
        let when = When::Numbers { first: first as u8, second: second as u8, year, slash: mark != '.' };
        let end = self.weekday_behind(end);
        Some(Found { when, start: at, end, closes_range: opens_range(&self.text[..at]) })
    }

    /// 15 August 2026, 15. srpna, 15th of August, 15 de agosto de 2026.
    fn day_month(&self, at: usize) -> Option<Found> {
        let (day, end) = self.number(at).filter(|(n, e)| (1..=31).contains(n) && e - at <= 2)?;
        let end = self.ordinal(end);
        let month_at = if self.rest(end).starts_with('-') { end + 1 } else { self.skip(end) };
        let (month, end) = self.month(month_at, true).or_else(|| self.numbered_month(month_at))?;
        let (year, end) = self.year_after(end);
        let mut found = self.named(at, end, year, month, day as u8)?;
        found.closes_range = opens_range(&self.text[..at]);
        Some(found)
    }

    /// "tháng 8".
    fn numbered_month(&self, at: usize) -> Option<(u8, usize)> {
        let len = matches("thang", self.rest(at))?;
        let (month, end) = self.number(self.skip_marks(at + len, &[]))?;
        (1..=12).contains(&month).then_some((month as u8, end))
    }

    /// August 15th, 2026; augusztus 15.
    fn month_day(&self, at: usize) -> Option<Found> {
        let (month, end) = self.month(at, true)?;
        let day_at = self.skip_marks(end, &["the", ","]);
        let (day, end) = self.number(day_at).filter(|(n, e)| (1..=31).contains(n) && e - day_at <= 2)?;
        let end = self.ordinal(end);
        if self.is_time(end) {
            return None;
        }
        let found = self.named(at, end, None, month, day as u8)?;
        let mut found = self.range_in_month(found);
        let (year, end) = self.year_after(found.end);
        if let (When::Named { month, day, .. }, Some(_)) = (found.when, year) {
            found.when = When::Named { year, month, day };
            found.end = end;
        }
        Some(found)
    }

    fn month_only(&self, at: usize) -> Option<Found> {
        for (_, day, len) in index::PART.all(self.rest(at)) {
            let month_at = self.skip(at + len);
            let Some((month, end)) = self.month(month_at, false) else { continue };
            let (year, end) = self.year_after(end);
            return Some(Found { when: When::Month { year, month, day }, start: at, end, closes_range: false });
        }
        let (month, end) = self.month(at, false)?;
        let (year, end) = self.year_after(end);
        // "may" and "march" are verbs where no year stands by them.
        let verb = self.english && year.is_none() && matches!(self.text.get(at..end), Some("may" | "march"));
        let preceded = ["in ", "until ", "till ", "of "].iter().any(|p| self.text[..at].ends_with(p));
        (!verb || preceded).then_some(Found {
            when: When::Month { year, month, day: 1 },
            start: at,
            end,
            closes_range: false,
        })
    }

    /// the 15th, am 15., 15日.
    fn day_only(&self, at: usize) -> Option<Found> {
        let (day, end) = self.number(at).filter(|(n, e)| (1..=31).contains(n) && e - at <= 2)?;
        let ordinal_end = self.ordinal(end);
        let sign = self.sign(end, &["日", "일", "号"]);
        let head = self.text[..at].trim_end();
        let article = ARTICLES
            .iter()
            .any(|a| head.ends_with(a) && !head[..head.len() - a.len()].ends_with(char::is_alphanumeric));
        let end = sign.map_or(ordinal_end, |len| end + len);
        let joined = self.text[..at].ends_with(['.', '/', ':', '+', '-', '@', '#']);
        let unit = self.unit(self.skip_marks(end, &[])).is_some();
        let after = self.rest(end).trim_start();
        let more = after.starts_with(['/', ':', '%', '€', '$']) || after.starts_with(|c: char| c.is_ascii_digit());
        let fits = (ordinal_end > at + 2 || ordinal_end > end - sign.unwrap_or_default() || sign.is_some() || article)
            && !joined
            && !more
            && !unit
            && !self.is_time(end);
        fits.then_some(Found { when: When::Day(day as u8), start: at, end, closes_range: false })
    }

    /// A bare day behind a weekday, where a range goes on: "Monday 3 to Friday 14 March".
    fn day_in_range(&self, at: usize) -> Option<(u8, usize)> {
        let (day, end) = self.number(at).filter(|(n, e)| (1..=31).contains(n) && e - at <= 2)?;
        let end = self.ordinal(end);
        let behind = self.rest(end).trim_start_matches([' ', ',']);
        let behind_at = self.text.len() - behind.len();
        let goes_on = CONNECTORS.iter().filter_map(|c| matches(c, behind)).any(|len| {
            let next = self.skip(behind_at + len);
            self.weekday(next).is_some() || self.date(next).is_some_and(|d| d.is_full())
        });
        goes_on.then_some((day as u8, end))
    }

    /// Tomorrow, next week, the end of the month.
    fn relative(&self, at: usize) -> Option<Found> {
        let (relative, len) = index::RELATIVE.longest(self.rest(at))?;
        Some(Found { when: When::Relative(relative), start: at, end: at + len, closes_range: false })
    }

    /// Two weeks, 10 days, 2週間.
    fn distance(&self, at: usize) -> Option<Found> {
        let (count, end) = self
            .number(at)
            .filter(|(n, e)| *n <= 400 && e - at <= 3)
            .or_else(|| index::NUMBER.longest(self.rest(at)).map(|(count, len)| (u32::from(count), at + len)))?;
        let unit_at = self.skip_marks(end, &["full", "weitere", "weiteren"]);
        let (unit, end) = self.unit(unit_at)?;
        Some(Found { when: When::Distance { count: count as u16, unit }, start: at, end, closes_range: false })
    }

    fn unit(&self, at: usize) -> Option<(Unit, usize)> {
        index::UNIT.longest(self.rest(at)).map(|(unit, len)| (unit, at + len))
    }

    fn named(&self, start: usize, end: usize, year: Option<i16>, month: u8, day: u8) -> Option<Found> {
        (1..=31).contains(&day).then_some(Found {
            when: When::Named { year, month, day },
            start,
            end,
            closes_range: false,
        })
    }

    /// The end of an ordinal number's ending.
    fn ordinal(&self, at: usize) -> usize {
        let rest = self.rest(at);
        // Swedish writes "16:e".
        let dash = usize::from(rest.starts_with(['-', '.']) || rest.starts_with(":e") || rest.starts_with(":a"));
        let dotted = usize::from(rest.starts_with('.'));
        let ending = ORDINALS.iter().filter_map(|o| matches(o, &rest[dash..])).max();
        ending.map_or(at + dotted, |len| at + dash + len)
    }

    /// "August 3-14", "8月10日から15日": the day that closes the range.
    fn range_in_month(&self, found: Found) -> Found {
        let When::Named { year, month, .. } = found.when else { return found };
        let close_at = self.skip_marks(
            found.end,
            &["-", "to", "until", "till", "through", "thru", "bis", "tol", "から", "부터", "至", "到", "and", "es"],
        );
        if self.rest(found.end).trim_start().len() == self.rest(close_at).len() {
            return found;
        }
        match self.number(close_at).filter(|(n, e)| (1..=31).contains(n) && e - close_at <= 2) {
            Some((day, end)) => {
                let end = self.sign(end, &["日", "일", "号"]).map_or_else(|| self.ordinal(end), |len| end + len);
                let month_follows =
                    self.month(self.skip(end), true).is_some() || self.sign(end, &["月", "월"]).is_some();
                let dotted = self.rest(end).starts_with(['/', ':']) || self.numeric(close_at).is_some();
                if month_follows || dotted || self.is_time(end) {
                    return found;
                }
                let end = self.weekday_behind(end);
                Found { when: When::Named { year, month, day: day as u8 }, end, closes_range: true, ..found }
            }
            None => found,
        }
    }

    /// Whether what ends here is an hour.
    fn is_time(&self, at: usize) -> bool {
        let rest = self.rest(at);
        let digits = rest.strip_prefix(':').is_some_and(|r| r.starts_with(|c: char| c.is_ascii_digit()));
        digits || super::cues::CLOCK_AFTER.iter().any(|c| matches(c, rest.trim_start_matches([' ', '.'])).is_some())
    }

    fn after_clock_word(&self, at: usize) -> bool {
        let head = self.text[..at].trim_end();
        super::cues::CLOCK_BEFORE.iter().any(|c| ends_with_word(head, c).is_some())
    }
}
