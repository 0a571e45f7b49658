//! How text is folded for finding and sorting: lower case, Latin letters without their marks, words apart. What is shown
//! is never folded.

use std::collections::BTreeSet;

/// Folded text of a name or title: what "Ærø Søndergård" and "aero sondergard" share.
pub fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.trim().chars().flat_map(char::to_lowercase) {
        match base(c) {
            Some(plain) => out.push_str(plain),
            None if is_mark(c) => {}
            None => out.push(c),
        }
    }
    out
}

/// The folded words of some texts: letters and digits belong together. Addresses and domains are also kept whole, so that
/// they are found by their beginning.
pub fn words<'a>(texts: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for text in texts {
        let folded = fold(text);
        for piece in folded.split_whitespace() {
            if piece.contains('@') {
                found.insert(clipped(piece));
            }
            found.extend(piece.split(['@', '/', ':']).filter(|part| part.contains('.')).map(clipped));
            found.extend(piece.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).map(clipped));
        }
    }
    found
}

/// What somebody typed, as words that must all be found, each as the beginning of one.
pub fn terms(typed: &str) -> Vec<String> {
    let folded = fold(typed);
    let mut terms: Vec<String> = Vec::new();
    for piece in folded.split_whitespace() {
        if piece.contains(['@', '.']) {
            terms.push(clipped(piece.trim_end_matches(['.', '@'])));
        } else {
            terms.extend(piece.split(|c: char| !c.is_alphanumeric()).map(clipped));
        }
    }
    terms.retain(|t| !t.is_empty());
    terms.sort_unstable();
    terms.dedup();
    terms
}

/// The first text behind all that begin with `prefix`, so that `x >= prefix AND x < end_of(prefix)` finds them.
pub fn end_of(prefix: &str) -> String {
    format!("{prefix}\u{10ffff}")
}

/// Words are keys of an index; nobody types longer ones.
fn clipped(word: &str) -> String {
    word.chars().take(64).collect()
}

/// Combining marks that stay when a letter was written in two characters.
fn is_mark(c: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&c)
}

/// The plain letters of a marked Latin one, in lower case.
fn base(c: char) -> Option<&'static str> {
    const PLAIN: [(&str, &str); 26] = [
        ("a", "àáâãäåāăąǎ"),
        ("ae", "æ"),
        ("c", "çćĉċč"),
        ("d", "ďđð"),
        ("e", "èéêëēĕėęě"),
        ("g", "ĝğġģ"),
        ("h", "ĥħ"),
        ("i", "ìíîïĩīĭįı"),
        ("j", "ĵ"),
        ("k", "ķ"),
        ("l", "ĺļľŀł"),
        ("n", "ñńņňŉ"),
        ("o", "òóôõöøōŏőǒ"),
        ("oe", "œ"),
        ("r", "ŕŗř"),
        ("s", "śŝşšș"),
        ("ss", "ß"),
        ("t", "ţťŧț"),
        ("th", "þ"),
        ("u", "ùúûüũūŭůűųǔ"),
        ("w", "ŵ"),
        ("y", "ýÿŷ"),
        ("z", "źżž"),
        ("'", "’‘"),
        ("-", "‐‑–"),
        (" ", "\u{a0}\u{202f}"),
    ];
    if c.is_ascii() {
        return None;
    }
    PLAIN.iter().find(|(_, marked)| marked.contains(c)).map(|(plain, _)| *plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fold_to_what_people_type() {
        for (name, typed) in [
            ("Ærø Søndergård", "aero sondergard"),
            ("  STRASSE", "Straße"),
            ("Łukasz", "lukasz"),
            ("Jose\u{301}", "José"),
            ("O’Neill", "o'neill"),
            ("İstanbul", "istanbul"),
            ("Ελένη", "ελένη"),
        ] {
            assert_eq!(fold(name), fold(typed), "{name}");
        }
    }

    #[test]
    fn words_and_terms_meet() {
        let found = words(["Anna-Lena Müller", "anna.mueller@example.com", "4930123456", "https://acme.test/a"]);
        for typed in ["lena MÜL", "anna.mue", "example.com", "4930", "anna.mueller@example.", "acme.test"] {
            for term in terms(typed) {
                let hit = found.range(term.clone()..end_of(&term)).next();
                assert!(hit.is_some(), "{typed}: {term} in {found:?}");
            }
        }
        assert!(terms(" -- ").is_empty());
    }
}
