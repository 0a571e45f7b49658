//! The HTML alternative of a message that was written as plain text: the same words in the same lines, with its web addresses
//! as links. Nothing is added to what the writer wrote.

use super::tags::{Link, escape};

/// What an address in a text may begin with.
const SCHEMES: [&str; 2] = ["https://", "http://"];

/// Is there a web address in the text?
pub(super) fn has_link(text: &str) -> bool {
    !links_of_text(text).is_empty()
}

/// The web addresses in a text.
pub fn links_of_text(text: &str) -> Vec<Link> {
    let mut links = Vec::new();
    let mut rest = text;
    while let Some((at, len)) = next_link(rest) {
        let (link, after) = rest[at..].split_at(len.max(1));
        if len > 0 {
            links.push(Link { address: link.to_owned(), text: link.to_owned() });
        }
        rest = after;
    }
    links
}

/// Paragraphs at blank lines, a break at each other line end.
pub(super) fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2 + 200);
    out.push_str("<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"></head><body>\n");
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut open = false;
    for line in text.trim_end().split('\n') {
        if line.trim().is_empty() {
            if open {
                out.push_str("</p>\n");
            }
            open = false;
            continue;
        }
        out.push_str(if open { "<br>\n" } else { "<p>" });
        open = true;
        push_line(&mut out, line);
    }
    if open {
        out.push_str("</p>\n");
    }
    out.push_str("</body></html>\n");
    out
}

/// One line: its indentation kept, its addresses as links.
fn push_line(out: &mut String, line: &str) {
    let words = line.trim_start();
    for c in line[..line.len() - words.len()].chars() {
        out.push_str(if c == '\t' { "&nbsp;&nbsp;&nbsp;&nbsp;" } else { "&nbsp;" });
    }
    let mut rest = words.trim_end();
    while let Some((at, len)) = next_link(rest) {
        out.push_str(&escape(&rest[..at]));
        let (link, after) = rest[at..].split_at(len.max(1));
        let link = escape(link);
        if len == 0 {
            out.push_str(&link);
        } else {
            out.push_str("<a href=\"");
            out.push_str(&link);
            out.push_str("\">");
            out.push_str(&link);
            out.push_str("</a>");
        }
        rest = after;
    }
    out.push_str(&escape(rest));
}

/// Where the next address begins and its length, 0 where it only looks like one.
fn next_link(text: &str) -> Option<(usize, usize)> {
    let lower_at =
        |at: usize| SCHEMES.iter().find(|s| text.get(at..at + s.len()).is_some_and(|t| t.eq_ignore_ascii_case(s)));
    let (at, scheme) = text.match_indices(['h', 'H']).find_map(|(at, _)| Some((at, lower_at(at)?)))?;
    let part_of_word = text[..at].chars().next_back().is_some_and(char::is_alphanumeric);
    let run = text[at..].find(|c: char| c.is_whitespace() || c.is_control() || "<>\"`".contains(c));
    let whole = &text[at..at + run.unwrap_or(text.len() - at)];
    let len = without_punctuation(whole).len();
    let named = whole[scheme.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '[');
    Some((at, if part_of_word || !named || len <= scheme.len() { 0 } else { len }))
}

/// An address as it ends in a sentence: marks behind it are the sentence's, a bracket only where the address opened none.
fn without_punctuation(address: &str) -> &str {
    let mut end = address;
    while let Some(last) = end.chars().next_back() {
        let outside = match last {
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '_' | '…' | '»' | '”' | '’' => true,
            ')' => end.matches('(').count() < end.matches(')').count(),
            ']' => end.matches('[').count() < end.matches(']').count(),
            '}' => end.matches('{').count() < end.matches('}').count(),
            _ => false,
        };
        if !outside {
            break;
        }
        end = &end[..end.len() - last.len_utf8()];
    }
    end
}
