//! The plain-text alternative of an HTML body that comes without one. Layout only: it neither sanitises nor follows links.

/// Columns of the text; tables and quotes are laid out to fit.
const WIDTH: usize = 76;
/// Elements within elements that are laid out. Each level costs as much as all that it holds.
const DEPTH_MAX: usize = 100;
/// Elements without an end tag.
const VOID: &[&str] =
    &["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"];
/// Elements whose end tag is mostly left out; the next of their kind ends them.
const ENDED_BY_NEXT: &[&str] = &["p", "li", "td", "th", "tr", "dd", "dt", "option"];

/// The text that a reader without HTML sees: links as numbered footnotes, images by their alternative text. Never fails:
/// a layout that fits no width, or goes deeper than any message, falls back to the words alone.
pub fn plain_text(html: &str) -> String {
    if is_too_deep(html) {
        return words(html);
    }
    html2text::config::plain()
        .allow_width_overflow()
        .no_link_wrapping()
        .link_footnotes(true)
        .string_from_read(html.as_bytes(), WIDTH)
        .unwrap_or_else(|_| words(html))
}

/// What stands outside of tags.
fn words(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut inside = false;
    for c in html.chars() {
        match c {
            '<' => inside = true,
            '>' if inside => {
                inside = false;
                text.push(' ');
            }
            c if !inside => text.push(c),
            _ => {}
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_too_deep(html: &str) -> bool {
    let mut depth = 0usize;
    for tag in html.split('<').skip(1) {
        let (ends, name) = tag.strip_prefix('/').map_or((false, tag), |t| (true, t));
        let name: String = name.chars().take_while(char::is_ascii_alphanumeric).take(10).collect();
        let name = name.to_ascii_lowercase();
        let counts = !name.is_empty() && ![VOID, ENDED_BY_NEXT].iter().any(|all| all.contains(&name.as_str()));
        match ends {
            _ if !counts => {}
            true => depth = depth.saturating_sub(1),
            false => depth += 1,
        }
        if depth > DEPTH_MAX {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nests_without_end_is_told_in_words() {
        let deep = "<blockquote>".repeat(5_000) + "Hello <b>you</b>";
        assert_eq!(plain_text(&deep), "Hello you");
        let long = "<p>Hello<br>".repeat(5_000);
        assert!(plain_text(&long).lines().count() > 5_000, "long is not deep");
    }
}
