//! Puts snippets (`{{ snippet.name }}`) into a template before it is compiled, so that a snippet may hold merge fields itself.

use super::scan::{Part, Tag, TagKind, scan};
use super::tokens::Token;
use super::{Escape, MergeError, SOURCE_MAX};

/// How deep snippets may stand in snippets.
const DEPTH_MAX: usize = 4;

/// The template with every known snippet in its place; in HTML the snippet's own text is escaped and its line breaks kept.
/// Unknown snippets stay as they are and are missing fields when the template is rendered.
///
/// Errors: a snippet that cannot be read, stands in itself, or makes the template too long.
pub fn expand<'a>(text: &str, escape: Escape, snippet: &dyn Fn(&str) -> Option<&'a str>) -> Result<String, MergeError> {
    let mut out = String::with_capacity(text.len());
    put(&mut out, text, escape, snippet, 0)?;
    Ok(out)
}

fn put<'a>(
    out: &mut String,
    text: &str,
    escape: Escape,
    snippet: &dyn Fn(&str) -> Option<&'a str>,
    depth: usize,
) -> Result<(), MergeError> {
    for part in scan(text)? {
        match &part {
            Part::Literal(literal) if depth > 0 && escape == Escape::Html => put_as_html(out, literal),
            Part::Literal(literal) => out.push_str(literal),
            Part::Tag(tag) => match named(tag).and_then(|name| Some((name, snippet(name)?))) {
                None => out.push_str(tag.source),
                Some((name, _)) if depth == DEPTH_MAX => {
                    let message = format!("snippet {name:?} stands in itself, or more than {DEPTH_MAX} deep");
                    return Err(MergeError::Invalid { line: tag.line, message });
                }
                Some((name, inner)) => put(out, inner.trim_end(), escape, snippet, depth + 1).map_err(|e| match e {
                    MergeError::Invalid { line, message } if depth == 0 => {
                        let message = format!("in snippet {name:?}, line {line}: {message}");
                        MergeError::Invalid { line: tag.line, message }
                    }
                    other => other,
                })?,
            },
        }
        if out.len() > SOURCE_MAX {
            return Err(MergeError::TooLong { bytes: out.len() });
        }
    }
    Ok(())
}

/// The snippet that a tag stands for.
fn named<'s>(tag: &Tag<'s>) -> Option<&'s str> {
    match (tag.kind, tag.tokens.as_slice()) {
        (TagKind::Output, [Token::Word("snippet"), Token::Dot, Token::Word(name)]) => Some(name),
        _ => None,
    }
}

fn put_as_html(out: &mut String, literal: &str) {
    for c in literal.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\n' => out.push_str("<br>\n"),
            '\r' => {}
            c => out.push(c),
        }
    }
}
