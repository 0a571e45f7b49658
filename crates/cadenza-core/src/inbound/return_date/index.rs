//! The tables of words by their first byte: a note has a thousand places where one may begin, and the tables two thousand words.

use super::scan::matches;
use super::words::{MONTHS, MONTHS_SHORT, NUMBERS, PARTS, RELATIVES, Relative, UNITS, Unit, WEEKDAYS, WEEKDAYS_SHORT};
use std::sync::LazyLock;

/// Words with what each stands for, in the order of their table.
pub(super) struct Index<T>(Vec<Vec<(&'static str, T)>>);

impl<T: Copy> Index<T> {
    fn of(entries: impl Iterator<Item = (&'static str, T)>) -> Index<T> {
        let mut buckets = vec![Vec::new(); 256];
        for (word, value) in entries {
            if let Some(first) = word.bytes().next() {
                buckets[usize::from(first)].push((word, value));
            }
        }
        Index(buckets)
    }

    /// Every word with which the text begins: the word, what it stands for, and the bytes it takes.
    pub fn all(&self, rest: &str) -> impl Iterator<Item = (&'static str, T, usize)> {
        let bucket = rest.bytes().next().map_or(&[][..], |first| &self.0[usize::from(first)]);
        bucket.iter().filter_map(move |(word, value)| matches(word, rest).map(|len| (*word, *value, len)))
    }

    /// The longest of them.
    pub fn longest(&self, rest: &str) -> Option<(T, usize)> {
        self.all(rest).max_by_key(|(.., len)| *len).map(|(_, value, len)| (value, len))
    }
}

/// Those of a table whose rows are numbered from `first`.
fn numbered<const N: usize>(table: &'static [&'static [&'static str]; N], first: u8) -> Index<u8> {
    let rows = table.iter().zip(first..);
    Index::of(rows.flat_map(|(words, n)| words.iter().map(move |word| (*word, n))))
}

/// Days from Monday.
pub(super) static WEEKDAY: LazyLock<Index<u8>> = LazyLock::new(|| numbered(&WEEKDAYS, 0));
pub(super) static WEEKDAY_SHORT: LazyLock<Index<u8>> = LazyLock::new(|| numbered(&WEEKDAYS_SHORT, 0));
pub(super) static MONTH: LazyLock<Index<u8>> = LazyLock::new(|| numbered(&MONTHS, 1));
pub(super) static MONTH_SHORT: LazyLock<Index<u8>> = LazyLock::new(|| numbered(&MONTHS_SHORT, 1));
pub(super) static NUMBER: LazyLock<Index<u8>> = LazyLock::new(|| numbered(&NUMBERS, 1));
pub(super) static PART: LazyLock<Index<u8>> =
    LazyLock::new(|| Index::of(PARTS.iter().flat_map(|(day, words)| words.iter().map(|word| (*word, *day)))));
pub(super) static RELATIVE: LazyLock<Index<Relative>> =
    LazyLock::new(|| Index::of(RELATIVES.iter().flat_map(|(r, words)| words.iter().map(|word| (*word, *r)))));
pub(super) static UNIT: LazyLock<Index<Unit>> =
    LazyLock::new(|| Index::of(UNITS.iter().flat_map(|(u, words)| words.iter().map(|word| (*word, *u)))));
