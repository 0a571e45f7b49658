//! Finds the name a person probably meant. Used by error messages only; decides nothing.

/// The candidate that differs least from `found`, where it differs little enough to be a slip of the pen: at most a third of
/// its letters, and never more than three.
pub fn nearest<'a>(found: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let found: Vec<char> = found.chars().take(80).flat_map(char::to_lowercase).collect();
    let most = (found.len() / 3).clamp(1, 3);
    // Most are given up at a glance.
    let alike = candidates.into_iter().filter(|c| c.chars().count().abs_diff(found.len()) <= most);
    let scored = alike.map(|c| (distance(&found, c), c));
    scored.filter(|(d, _)| *d <= most).min_by_key(|(d, _)| *d).map(|(_, c)| c)
}

/// `; did you mean "…"?` or nothing, to follow a message.
pub fn did_you_mean<'a>(found: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(found, candidates).map(|c| format!("; did you mean {c:?}?")).unwrap_or_default()
}

/// Insertions, deletions, replacements and swaps of neighbours that lead from one to the other.
fn distance(a: &[char], b: &str) -> usize {
    let b: Vec<char> = b.chars().flat_map(char::to_lowercase).collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let replaced = last[j] + usize::from(x != y);
            let mut best = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                best = best.min(before_last[j - 1] + 1);
            }
            row.push(best);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_found_and_another_word_is_not() {
        let words = ["first_name", "last_name", "full_name", "email"];
        assert_eq!(nearest("firstname", words), Some("first_name"));
        assert_eq!(nearest("fisrt_name", words), Some("first_name"));
        assert_eq!(nearest("Email", words), Some("email"));
        assert_eq!(nearest("emial", words), Some("email"));
        assert_eq!(nearest("telephone", words), None);
        assert_eq!(did_you_mean("emial", words), "; did you mean \"email\"?");
        assert_eq!(did_you_mean("x", words), "");
    }
}
