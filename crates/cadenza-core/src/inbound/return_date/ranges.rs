//! Ranges of dates: of "3-14 August", "from the 3rd to the 14th" and "between 3 and 14 August" the second end counts.

use super::scan::{Found, When};

/// What connects the two ends of a range.
#[rustfmt::skip]
pub(super) const CONNECTORS: &[&str] = &[
    "-", "to", "until", "till", "through", "thru", "bis", "bis zum", "bis einschliesslich", "bis zum einschliesslich",
    "au", "jusqu'au", "al", "hasta el", "hasta", "ate", "ate o dia", "a", "ao", "fino al", "tot", "tot en met", "t/m",
    "til", "till", "til og med", "till och med", "t.o.m.", "t.o.m", "do", "az do", "по", "до", "pana la", "pana pe",
    "la", "εωσ", "μεχρι", "から", "至", "到", "부터", "ile", "hingga", "sampai", "den het", "fins al", "kuni", "iki", "עד",
    "حتى", "إلى", "ig",
];

/// What connects them behind a word for "between".
#[rustfmt::skip]
const ANDS: &[&str] = &[
    "and", "and the", "und", "und dem", "et", "et le", "y", "y el", "e", "e il", "en", "och", "og", "ja", "i", "a",
    "и", "і", "si", "και", "es",
];
#[rustfmt::skip]
const BETWEENS: &[&str] = &[
    "between", "zwischen", "entre", "tra", "fra", "tussen", "mellan", "mellem", "mellom", "miedzy", "pomiedzy",
    "mezi", "medzi", "между", "між", "intre", "izmedu", "μεταξυ",
];

/// Of two dates joined by "to" only the second is kept.
pub(super) fn join(text: &str, found: Vec<Found>) -> Vec<Found> {
    let mut joined: Vec<Found> = Vec::new();
    for mut one in found {
        if let Some(last) = joined.last().copied() {
            let between = text[last.end.min(one.start)..one.start].trim_matches([' ', ',', '(', ')', '\'']);
            let between = ["the ", "le ", "den ", "dem "]
                .iter()
                .fold(between, |b, a| b.strip_suffix(a.trim()).map_or(b, str::trim_end));
            let both_days = matches!((last.when, one.when), (When::Weekday { .. }, When::Weekday { .. }));
            let dated = last.is_full() || matches!(last.when, When::Day(_));
            if joins(between, &text[..last.start]) && (dated || both_days) {
                one.closes_range = one.closes_range || !both_days;
                one.start = last.start;
                joined.pop();
            } else if matches!(one.when, When::Weekday { .. }) && last.is_full() && between.is_empty() {
                continue;
            }
        }
        joined.push(one);
    }
    joined
}

/// Whether a day and a connecting word end the text: the first half of "10-31 July".
pub(super) fn opens_range(before: &str) -> bool {
    let head = before.trim_end();
    let longest = |words: &[&str]| {
        let found = words.iter().filter_map(|c| ends_with_word(head, c).map(|h| (c.len(), h)));
        found.max_by_key(|(n, _)| *n).map(|(_, head)| head)
    };
    let between = || longest(ANDS).filter(|head| follows_between(head));
    let Some(head) = longest(CONNECTORS).or_else(between) else { return false };
    let head = head.trim_end();
    let digits = head.trim_end_matches(|c: char| c == '.' || c.is_ascii_lowercase() && !head.ends_with(' '));
    let day: String = digits.chars().rev().take_while(char::is_ascii_digit).collect();
    (1..=2).contains(&day.len()) && head.len() - digits.len() <= 4
}

/// What is left of `head` before the word it ends with.
pub(super) fn ends_with_word<'h>(head: &'h str, word: &str) -> Option<&'h str> {
    let rest = head.strip_suffix(word)?;
    let spaced = word.starts_with(|c: char| c.is_alphanumeric() && c < '\u{2e80}');
    (!spaced || !rest.ends_with(char::is_alphabetic)).then_some(rest)
}

/// Whether a word for "between" stands close before.
fn follows_between(head: &str) -> bool {
    let near = &head[head.ceil_char_boundary(head.len().saturating_sub(30))..];
    near.split(|c: char| !c.is_alphanumeric()).any(|w| BETWEENS.contains(&w))
}

/// Whether the text is a word that joins the ends of a range, "between" standing before its first end or not.
fn joins(text: &str, head: &str) -> bool {
    CONNECTORS.contains(&text) || (ANDS.contains(&text) && follows_between(head))
}
