//! Comparing text with tables of phrases: case, apostrophes and runs of blanks do not count.

use aho_corasick::AhoCorasick;
use std::sync::OnceLock;

/// Text made comparable: lower case, one blank between words, plain quotation marks.
pub(super) fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '’' | '‘' | '´' | '`' => out.push('\''),
            '“' | '”' | '„' => out.push('"'),
            '\u{ad}' | '\u{200b}' | '\u{200c}' | '\u{200d}' | '\u{feff}' => (),
            c if c.is_whitespace() => {
                if !out.ends_with(' ') {
                    out.push(' ');
                }
            }
            c if c.is_ascii() => out.push(c.to_ascii_lowercase()),
            c => out.extend(c.to_lowercase()),
        }
    }
    out
}

/// A table of phrases, the most telling first. `…` in a phrase stands for up to 60 bytes of the same sentence; a phrase is found
/// from the beginning of a word on, but scripts without blanks between words have no such beginnings.
pub(super) struct Phrases {
    list: &'static [&'static str],
    automaton: OnceLock<Automaton>,
}

impl Phrases {
    pub const fn new(list: &'static [&'static str]) -> Phrases {
        Phrases { list, automaton: OnceLock::new() }
    }

    /// The first phrase of the table that the folded text contains.
    pub fn first(&self, folded: &str) -> Option<&'static str> {
        let all = || Automaton::of(self.list.iter().copied().enumerate().map(|(place, phrase)| (phrase, place)));
        self.automaton.get_or_init(all).first(folded).map(|place| self.list[place])
    }
}

/// All phrases of some tables, found in one look through a text (Aho and Corasick 1975).
pub(super) struct Automaton {
    /// `None` where there is nothing to look for, or more than a table of ours ever holds.
    heads: Option<AhoCorasick>,
    /// What is after the `…`, and the place that the phrase stands for.
    phrases: Vec<(&'static str, &'static str, usize)>,
}

impl Automaton {
    pub fn of(phrases: impl Iterator<Item = (&'static str, usize)>) -> Automaton {
        let phrases: Vec<_> = phrases
            .map(|(phrase, place)| {
                let (head, tail) = phrase.split_once('…').unwrap_or((phrase, ""));
                (head, tail, place)
            })
            .collect();
        Automaton { heads: AhoCorasick::new(phrases.iter().map(|(head, ..)| head)).ok(), phrases }
    }

    /// The least place of which the folded text contains a phrase.
    pub fn first(&self, folded: &str) -> Option<usize> {
        let mut least = None;
        for found in self.heads.as_ref()?.find_overlapping_iter(folded) {
            let (head, tail, place) = self.phrases[found.pattern().as_usize()];
            if least.is_none_or(|least| place < least) && stands(folded, found.start(), head, tail) {
                least = Some(place);
                if place == 0 {
                    break;
                }
            }
        }
        least
    }
}

/// Whether the phrase of which the head was found there stands there.
fn stands(folded: &str, at: usize, head: &str, tail: &str) -> bool {
    let spaced = head.starts_with(|c: char| c.is_alphanumeric() && c < '\u{2e80}');
    if spaced && folded[..at].ends_with(char::is_alphanumeric) {
        return false;
    }
    let rest = &folded[at + head.len()..];
    let near = &rest[..rest.floor_char_boundary(60 + tail.len())];
    tail.is_empty() || near.find(tail).is_some_and(|end| !ends_sentence(&near[..end]))
}

fn ends_sentence(text: &str) -> bool {
    [". ", "! ", "? "].iter().any(|mark| text.contains(mark))
}

/// At most that many bytes of the text, cut between characters.
pub(super) fn head(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

#[cfg(test)]
mod tests {
    use super::*;

    static TABLE: Phrases = Phrases::new(&[
        "mailbox full",
        "no such user",
        "exceeded…quota",
        "переполнен",
        "容量を超え",
        "a",
        "zz",
        "the mailbox full of",
    ]);

    #[test]
    fn the_first_phrase_of_the_table_is_found_wherever_it_stands() {
        for phrase in &TABLE.list[..7] {
            let said = phrase.replace('…', " the ");
            let long = format!("{} {said} {}", "x y ".repeat(200), "q ".repeat(200));
            assert_eq!(TABLE.first(&long), Some(*phrase));
            assert_eq!(TABLE.first(&said), Some(*phrase));
        }
        assert_eq!(TABLE.first("zz, the mailbox full of mail, exceeded its quota"), Some("mailbox full"));
        assert_eq!(TABLE.first(&"x y ".repeat(200)), None);
    }

    #[test]
    fn a_phrase_begins_where_a_word_does_and_its_halves_share_a_sentence() {
        assert_eq!(TABLE.first("fuzz"), None);
        assert_eq!(TABLE.first("das ist 容量を超えました"), Some("容量を超え"));
        assert_eq!(TABLE.first("it exceeded its size. see our quota"), None);
        assert_eq!(TABLE.first(&format!("exceeded {} quota", "x".repeat(80))), None);
    }
}
