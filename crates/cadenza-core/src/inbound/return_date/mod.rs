//! The day a person is back, read out of an absence note's subject and text, in some thirty languages.
//!
//! `scan` finds everything that may be a date, the words around it (`cues`) say what it is, `resolve` counts it from the
//! day the note was written. A date counts only where words make it an end: no guess is better than a wrong day.

mod cues;
mod fold;
mod index;
mod ranges;
mod resolve;
mod scan;
mod words;

use jiff::civil::Date;
use resolve::Order;
use scan::{Found, When};

/// How much of the text is looked at, in bytes.
const TEXT_MAX: usize = 6_000;
/// How far before and behind a date words may stand that belong to it, in bytes.
const BEFORE_MAX: usize = 100;
const AFTER_MAX: usize = 60;
/// How far before a date a word may stand that makes it another matter's.
const UNRELATED_MAX: usize = 40;
/// A day back may come so many days after the last day away.
const PAUSE_MAX: i32 = 10;

/// What the words make of a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Return,
    Until,
}

/// The day from which a note counts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Written {
    pub on: Date,
    /// Whether the mail itself says so. Where it does not, a date with its year is believed however long ago it is.
    pub stated: bool,
}

/// The day back, or the last day away where the note names no other; none that had gone by when the note was written.
pub(super) fn find(subject: &str, text: &str, written: Written) -> Option<Date> {
    let earliest = if written.stated { written.on } else { Date::MIN };
    let text = crate::inbound::phrases::head(text, TEXT_MAX);
    let folded = fold::plain(&format!("{subject}\n\n{text}"));
    let english = is_english(&folded);
    let found = scan::scan(&folded, english, is_croatian(&folded));
    let fallback = if english { Order::Nearest } else { Order::DayMonth };
    let order = resolve::order(found.iter().map(|f| f.when), fallback);
    let found = ranges::join(&folded, found);
    let mut best: Option<(Role, Date)> = None;
    for (at, one) in found.iter().enumerate() {
        let Some((role, when)) = role(&folded, &found, at) else { continue };
        let _ = one;
        let Some(date) = resolve::day(when, written.on, earliest, order) else { continue };
        match best {
            None => best = Some((role, date)),
            Some((Role::Until, until)) if role == Role::Return => {
                let pause = until.until(date).map_or(i32::MAX, |s| s.get_days());
                if (0..=PAUSE_MAX).contains(&pause) {
                    best = Some((role, date));
                }
            }
            Some(_) => (),
        }
    }
    best.map(|(_, date)| date)
}

/// What the words around a date make of it, and the date as they tell it.
fn role(text: &str, found: &[Found], at: usize) -> Option<(Role, When)> {
    let one = found[at];
    let floor = if at > 0 { found[at - 1].end } else { 0 };
    let before = sentence_before(text, one.start, floor);
    let ceiling = found.get(at + 1).map_or(text.len(), |n| n.start);
    let after = sentence_after(text, one.end, ceiling);
    let last_in_sentence = found.get(at + 1).is_none_or(|n| one.end + after.len() < n.start);
    if nearest(before, cues::UNRELATED).is_some_and(|gap| gap <= UNRELATED_MAX)
        || nearest(before, cues::OPENING).is_some()
    {
        return None;
    }
    let when = with_next(one.when, before);
    let returns_after = last_in_sentence && nearest(after, cues::RETURN).is_some();
    let returned = earliest(nearest(before, cues::RETURN), not_before(before));
    let until = nearest(before, cues::UNTIL).filter(|gap| *gap <= near(one.when));
    let from = nearest(before, cues::FROM).filter(|gap| *gap <= near(one.when));
    let until_after = begins_with(after, cues::UNTIL_AFTER);
    let from_after = begins_with(after, cues::FROM_AFTER);
    if let When::Distance { .. } = one.when {
        return distance_role(before, after, returned.is_some() || returns_after).map(|role| (role, when));
    }
    if one.closes_range && !matches!(one.when, When::Weekday { .. }) {
        return Some((Role::Until, when));
    }
    if until_after {
        return Some((Role::Until, when));
    }
    if from_after {
        return (returns_after || returned.is_some()).then_some((Role::Return, when));
    }
    let nearest_gap = [until, from, returned].into_iter().flatten().min();
    match nearest_gap {
        Some(gap) if until == Some(gap) => Some((Role::Until, when)),
        Some(gap) if from == Some(gap) => (returns_after || returned.is_some()).then_some((Role::Return, when)),
        Some(_) => Some((Role::Return, when)),
        None => returns_after.then_some((Role::Return, when)),
    }
}

/// "In two weeks" goes with a return, "for two weeks" with an absence.
fn distance_role(before: &str, after: &str, returns: bool) -> Option<Role> {
    const WITHIN: &[&str] = &[
        "within",
        "binnen",
        "innerhalb",
        "dans un delai",
        "sous",
        "plazo",
        "entro",
        "prazo",
        "inom",
        "innen",
        "w ciagu",
        "behem",
        "в течение",
    ];
    const ANSWER: &[&str] = &[
        "reply",
        "respond*",
        "response",
        "answer",
        "get back to you",
        "antwort*",
        "repond*",
        "respond*",
        "rispond*",
        "svar*",
    ];
    if nearest(before, WITHIN).is_some() || nearest(before, ANSWER).is_some() && !returns {
        return None;
    }
    if returns {
        return Some(Role::Return);
    }
    let away = nearest(before, cues::AWAY).is_some() || nearest(after, cues::AWAY).is_some();
    // "The next two weeks" are the length of what the note is about.
    let ahead = nearest(before, cues::NEXT).is_some_and(|gap| gap <= 2);
    (away || ahead).then_some(Role::Until)
}

/// How far before a date it is said that it will not be before then.
fn not_before(before: &str) -> Option<usize> {
    let gaps = cues::NOT_BEFORE.iter().filter_map(|(denial, word)| {
        let end = last_end(before, word)?;
        let denied = last_end(&before[..end - word.len()], denial).is_some();
        Some(before.len() - end).filter(|gap| denied && *gap <= 16)
    });
    gaps.min()
}

fn earliest(a: Option<usize>, b: Option<usize>) -> Option<usize> {
    a.into_iter().chain(b).min()
}

/// How far before a date a short word may stand that belongs to it.
fn near(when: When) -> usize {
    match when {
        When::Named { .. } | When::Numbers { .. } | When::Relative(_) => 30,
        _ => 16,
    }
}

/// A weekday with "next" before it.
fn with_next(when: When, before: &str) -> When {
    match when {
        When::Weekday { index, .. } => {
            let next = nearest(before, cues::NEXT).is_some_and(|gap| gap <= 2);
            When::Weekday { index, next }
        }
        when => when,
    }
}

/// How many bytes lie between the last of the words in `before` and its end.
fn nearest(before: &str, words: &[&str]) -> Option<usize> {
    words.iter().filter_map(|w| last_end(before, w)).max().map(|end| before.len() - end)
}

/// Where the last whole occurrence of a word ends.
fn last_end(text: &str, word: &str) -> Option<usize> {
    let stem = word.strip_suffix('*').unwrap_or(word);
    let spaced = stem.starts_with(|c: char| c.is_alphanumeric() && c < '\u{2e80}');
    text.rmatch_indices(stem).find_map(|(at, _)| {
        let joined = spaced && text[..at].ends_with(char::is_alphanumeric);
        let len = scan::matches(word, &text[at..])?;
        (!joined).then_some(at + len)
    })
}

/// Whether one of the words stands right behind, an apostrophe, a dash or a case ending aside.
fn begins_with(after: &str, words: &[&str]) -> bool {
    let bare = after.trim_start_matches([' ', '\'', ')', ',']);
    let behind_ending =
        bare.split_once(' ').filter(|(ending, _)| ending.chars().count() <= 4).map_or("", |(_, rest)| rest);
    words.iter().any(|w| scan::matches(w, bare).is_some() || scan::matches(w, behind_ending).is_some())
}

/// What stands before a date in its own sentence.
fn sentence_before(text: &str, end: usize, floor: usize) -> &str {
    let start = text.ceil_char_boundary(end.saturating_sub(BEFORE_MAX)).max(floor.min(end));
    let window = &text[start..end];
    let cut = window
        .rmatch_indices(['.', '!', '?', fold::BREAK, ';', '|'])
        .find(|(at, mark)| ends_sentence(text, start + *at, mark));
    cut.map_or(window, |(at, mark)| &window[at + mark.len()..])
}

/// What stands behind a date in its own sentence.
fn sentence_after(text: &str, start: usize, ceiling: usize) -> &str {
    let end = text.floor_char_boundary(start + AFTER_MAX).min(ceiling.max(start));
    let window = &text[start..end];
    let cut = window
        .match_indices(['.', '!', '?', fold::BREAK, ';', '|'])
        .find(|(at, mark)| *at > 0 && ends_sentence(text, start + *at, mark));
    cut.map_or(window, |(at, _)| &window[..at])
}

/// A full stop within a number, an abbreviation or a word ends nothing; nor one right before a number.
fn ends_sentence(text: &str, at: usize, mark: &str) -> bool {
    if mark != "." {
        return true;
    }
    let word = text[..at].rsplit(' ').next().unwrap_or_default();
    let rest = &text[at + 1..];
    let followed = rest.chars().next().is_none_or(char::is_whitespace);
    let numbered = rest.trim_start().starts_with(|c: char| c.is_ascii_digit());
    let abbreviated = word.chars().count() <= 2 || word.contains('.') || word.ends_with(|c: char| c.is_ascii_digit());
    followed && !numbered && !abbreviated
}

/// Whether the note is mostly English: its small words outnumber what they could be elsewhere.
fn is_english(folded: &str) -> bool {
    const SMALL: [&str; 12] =
        ["the", "and", "will", "of", "my", "with", "your", "you", "please", "office", "until", "out"];
    let words = folded.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty());
    let (mut all, mut english) = (0usize, 0usize);
    for word in words.take(400) {
        all += 1;
        english += usize::from(SMALL.contains(&word));
    }
    english * 12 > all && english > 0
}

/// Croatian calls October what Czech and Polish call November.
fn is_croatian(folded: &str) -> bool {
    const SMALL: [&str; 8] = ["sam", "cu", "odmoru", "vracam", "ponovno", "uredu", "hitno", "postovani"];
    folded.split(|c: char| !c.is_alphanumeric()).any(|w| SMALL.contains(&w))
}
