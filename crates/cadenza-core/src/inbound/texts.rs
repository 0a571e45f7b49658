//! What a text message says: STOP, START, or words for a person. The keywords are those that carriers and regulators name
//! (47 CFR 64.1200(a)(10)), alone or with punctuation; any other wording that asks for an end counts as well.

use super::opt_out;
use super::phrases::fold;
use super::verdict::Evidence;

/// What a text message asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextKind {
    /// Not to be written to any more.
    Stop(Evidence),
    /// To be written to again.
    Start(Evidence),
    /// Anything else: an answer.
    Words,
}

const STOP: &[&str] = &[
    "stop",
    "stopall",
    "stop all",
    "quit",
    "end",
    "revoke",
    "opt out",
    "optout",
    "cancel",
    "unsubscribe",
    "arret",
    "arrêt",
    "alto",
    "stopp",
];
const START: &[&str] = &["start", "unstop", "yes start", "subscribe"];

/// Reads a text message.
pub fn read_text(text: &str) -> TextKind {
    let folded = fold(text);
    let bare = folded.trim_matches(|c: char| !c.is_alphanumeric()).replace('-', " ");
    if let Some(word) = STOP.iter().find(|w| **w == bare) {
        return TextKind::Stop(Evidence::new("text.keyword", "text", *word));
    }
    if let Some(word) = START.iter().find(|w| **w == bare) {
        return TextKind::Start(Evidence::new("text.keyword", "text", *word));
    }
    opt_out::in_words(text).map_or(TextKind::Words, TextKind::Stop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_stand_alone_and_wishes_anywhere() {
        for text in ["STOP", " stop. ", "Unsubscribe!", "opt-out", "Please take me off your list, thanks", "QUIT"] {
            assert!(matches!(read_text(text), TextKind::Stop(_)), "{text}");
        }
        for text in ["START", "unstop", "Start."] {
            assert!(matches!(read_text(text), TextKind::Start(_)), "{text}");
        }
        for text in ["Yes", "When does it start?", "The bus will stop at noon", "HELP", ""] {
            assert_eq!(read_text(text), TextKind::Words, "{text}");
        }
    }
}
