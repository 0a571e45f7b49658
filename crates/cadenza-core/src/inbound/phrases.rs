//! Comparing text with tables of phrases: case, apostrophes and runs of blanks do not count.

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

/// The first phrase of the table that the folded text contains.
pub(super) fn first<'p>(folded: &str, table: &[&'p str]) -> Option<&'p str> {
    if folded.len() < LONG || table.len() < 8 {
        return table.iter().copied().find(|phrase| has(folded, phrase));
    }
    let triples = Triples::of(folded);
    table.iter().copied().filter(|phrase| triples.may_hold(phrase)).find(|phrase| has(folded, phrase))
}

/// A text from which length on it pays to look through it once for all phrases of a table, in bytes.
const LONG: usize = 400;

/// Which three bytes stand together somewhere in a text, by a hash of sixteen bits: nearly all phrases of a table are ruled out
/// by it, so that a long text costs hardly more for a long table.
struct Triples(Vec<u64>);

impl Triples {
    fn of(text: &str) -> Triples {
        let mut bits = vec![0u64; 1 << 10];
        for triple in text.as_bytes().windows(3) {
            let place = place(triple);
            bits[place >> 6] |= 1 << (place & 63);
        }
        Triples(bits)
    }

    /// False where the text surely does not contain the phrase.
    fn may_hold(&self, phrase: &str) -> bool {
        phrase.split('…').all(|part| {
            part.as_bytes().windows(3).all(|triple| {
                let place = place(triple);
                self.0[place >> 6] & (1 << (place & 63)) != 0
            })
        })
    }
}

fn place(triple: &[u8]) -> usize {
    let number = triple.iter().fold(0u32, |n, b| n << 8 | u32::from(*b));
    (number.wrapping_mul(0x9e37_79b1) >> 16) as usize
}

/// Whether the folded text contains the phrase, from the beginning of a word on; `…` in a phrase stands for up to 60 bytes
/// of the same sentence. Scripts without blanks between words have no such beginnings.
pub(super) fn has(folded: &str, phrase: &str) -> bool {
    let (head, tail) = phrase.split_once('…').unwrap_or((phrase, ""));
    let spaced = head.starts_with(|c: char| c.is_alphanumeric() && c < '\u{2e80}');
    folded.match_indices(head).take(200).any(|(at, _)| {
        if spaced && folded[..at].ends_with(char::is_alphanumeric) {
            return false;
        }
        let rest = &folded[at + head.len()..];
        let near = &rest[..rest.floor_char_boundary(60 + tail.len())];
        tail.is_empty() || near.find(tail).is_some_and(|end| !ends_sentence(&near[..end]))
    })
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

    #[test]
    fn a_long_text_is_looked_through_like_a_short_one() {
        let table =
            ["mailbox full", "no such user", "exceeded…quota", "переполнен", "容量を超え", "a", "zz", "user unknown"];
        for phrase in table {
            let said = phrase.replace('…', " the ");
            let long = format!("{} {said} {}", "x y ".repeat(200), "q ".repeat(200));
            assert_eq!(first(&long, &table), Some(phrase));
            assert_eq!(first(&said, &table), Some(phrase));
        }
        assert_eq!(first(&"x y ".repeat(200), &table), None);
    }
}
