//! The fresh text of a reply: what the person wrote now, cut from quotations (`quotation`) and signatures (`signature`).
//! Works on lines of plain text; HTML comes through `html`, which marks quotations the same way.

mod quotation;
mod signature;

use super::html::QUOTE_MARK;
use quotation::{Lines, Quoted};

/// The character that a tracking add-on leaves in mails.
const TRACKER: &str = "ᐧ";
/// Quotations are looked for in so many lines; what follows them is taken as it stands.
const LINES_MAX: usize = 2_000;

/// The part of a mail's text that its writer wrote now; all of it where nothing else is left.
///
/// Answers above, below and between quoted lines are kept, in order. Greetings and closing words stay.
pub fn fresh_text(text: &str) -> String {
    let all: Vec<&str> = text.lines().map(str::trim_end).collect();
    let (lines, rest) = all.split_at(all.len().min(LINES_MAX));
    let looked_at = Lines::new(lines);
    let mut fresh: Vec<&str> = Vec::new();
    let mut at = 0;
    let mut ended = false;
    while at < lines.len() && !ended {
        match looked_at.quoted(at) {
            Some(Quoted::Lines(n)) => {
                at += n;
                if !fresh.is_empty() {
                    fresh.push("");
                }
            }
            // A mail that opens with a quotation and has no answer above it: the answer may stand below.
            Some(Quoted::Rest) if fresh.iter().all(|l| l.trim().is_empty()) => at += looked_at.header_len(at),
            Some(Quoted::Rest) => ended = true,
            None => {
                fresh.push(lines[at]);
                at += 1;
            }
        }
    }
    if !ended {
        fresh.extend(rest);
    }
    let text = tidy(signature::cut(&fresh));
    if text.is_empty() { tidy(&all) } else { text }
}

/// Whether nothing but quoted or forwarded text is there.
pub(super) fn is_all_quoted(text: &str) -> bool {
    let lines: Vec<&str> = text.lines().map(str::trim_end).take(LINES_MAX).collect();
    let first = lines.iter().position(|l| !l.is_empty());
    first.is_some_and(|at| matches!(Lines::new(&lines).quoted(at), Some(Quoted::Rest)))
}

/// Joined lines without blank lines at either end and with at most one in a row.
fn tidy(lines: &[&str]) -> String {
    let mut text = String::new();
    let mut blank = false;
    for line in lines.iter().filter(|l| **l != QUOTE_MARK) {
        if line.trim().is_empty() || line.trim() == TRACKER {
            blank = !text.is_empty();
            continue;
        }
        if blank {
            text.push('\n');
        }
        blank = false;
        text.push_str(line);
        text.push('\n');
    }
    text.truncate(text.trim_end().len());
    text
}
