//! Reads a template into literals and tags, and admits only the small language that messages need: fields, filters, text,
//! comparisons, and `if`. No loops, assignments, calls, arithmetic or inclusion, so what a template may cost is bounded by its
//! length. Values and rendering are `template`'s.

use super::filters;
use super::tokens::{Token, tokenize};
use crate::nearest::did_you_mean;
use std::collections::{HashMap, HashSet};

/// Where a template is wrong, in words for its author.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    /// Counted from 1.
    pub line: usize,
    pub message: String,
}

/// A stretch of a template, in order.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Part<'s> {
    Literal(&'s str),
    Tag(Tag<'s>),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tag<'s> {
    pub kind: TagKind,
    pub line: usize,
    /// The whole tag with its braces.
    pub source: &'s str,
    pub tokens: Vec<Token<'s>>,
    /// It takes away white space around it (`{{- … -}}`).
    pub trims: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TagKind {
    /// `{{ … }}`
    Output,
    /// `{% … %}`
    Statement,
    /// `{# … #}`
    Comment,
}

/// A field that a template names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldUse {
    /// Such as `contact.first_name`.
    pub path: String,
    /// The template can do without a value: it has a fallback, or only asks whether there is one.
    pub has_fallback: bool,
    /// Of the first use, counted from 1.
    pub line: usize,
}

/// Bounds that no message comes near; the engine's reader goes as deep as a template does.
const TOKENS_MAX: usize = 100;
const DEPTH_MAX: usize = 16;
const ELIF_MAX: usize = 50;

const STATEMENTS: [&str; 4] = ["if", "elif", "else", "endif"];
const WORDS: [&str; 13] =
    ["and", "or", "not", "is", "if", "else", "elif", "endif", "true", "false", "none", "defined", "undefined"];

/// Takes a template apart and refuses what is not admitted.
pub(super) fn scan(source: &str) -> Result<Vec<Part<'_>>, Wrong> {
    let mut parts = Vec::new();
    let (mut at, mut line) = (0, 1);
    // How many elifs each open if has.
    let mut open = Vec::new();
    while let Some((start, kind)) = next_tag(source, at) {
        if start > at {
            parts.push(Part::Literal(&source[at..start]));
        }
        line += lines_in(&source[at..start]);
        let tag = read_tag(source, start, kind, line)?;
        line += lines_in(tag.source);
        at = start + tag.source.len();
        admit(&tag)?;
        bound(&tag, &mut open)?;
        parts.push(Part::Tag(tag));
    }
    if at < source.len() {
        parts.push(Part::Literal(&source[at..]));
    }
    Ok(parts)
}

/// Every field that is named, once, in the order of first use.
pub(super) fn uses(parts: &[Part<'_>]) -> Vec<FieldUse> {
    let mut found = Found::default();
    // The fields that the enclosing ifs ask for, one set for each if.
    let mut guards: Vec<HashSet<String>> = Vec::new();
    for part in parts {
        let Part::Tag(tag) = part else { continue };
        let named = paths(&tag.tokens);
        match tag.kind {
            TagKind::Comment => {}
            TagKind::Statement => {
                let word = if let Some(Token::Word(word)) = tag.tokens.first() { word } else { "" };
                let asked = || named.iter().map(|(_, path)| path.clone()).collect();
                match word {
                    "if" => guards.push(asked()),
                    "elif" => guards.last_mut().into_iter().for_each(|g| g.extend(asked())),
                    "endif" => drop(guards.pop()),
                    _ => {}
                }
                named.into_iter().for_each(|(_, path)| found.note(path, true, tag.line));
            }
            TagKind::Output => {
                let inline_if = tag.tokens.iter().position(|t| *t == Token::Word("if"));
                let asked: Vec<String> =
                    named.iter().filter(|(i, _)| inline_if.is_some_and(|n| *i > n)).map(|(_, p)| p.clone()).collect();
                for (index, path) in named {
                    let guarded = asked.contains(&path) || guards.iter().any(|g| g.contains(&path));
                    let spared = guarded || has_fallback_after(&tag.tokens, index);
                    found.note(path, spared, tag.line);
                }
            }
        }
    }
    found.uses
}

/// The uses so far, and where each path stands among them.
#[derive(Default)]
struct Found {
    uses: Vec<FieldUse>,
    places: HashMap<String, usize>,
}

impl Found {
    fn note(&mut self, path: String, has_fallback: bool, line: usize) {
        match self.places.get(&path).and_then(|place| self.uses.get_mut(*place)) {
            Some(known) => known.has_fallback &= has_fallback,
            None => {
                self.places.insert(path.clone(), self.uses.len());
                self.uses.push(FieldUse { path, has_fallback, line });
            }
        }
    }
}

/// The fields named in a tag, each with the index of the token after it.
fn paths(tokens: &[Token<'_>]) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut i = 0;
    while i < tokens.len() {
        let before = i.checked_sub(1).map(|b| &tokens[b]);
        let (Token::Word(word), false) = (&tokens[i], matches!(before, Some(Token::Pipe))) else {
            i += 1;
            continue;
        };
        i += 1;
        if WORDS.contains(&word.to_ascii_lowercase().as_str()) {
            continue;
        }
        let mut path = (*word).to_owned();
        while let (Some(Token::Dot), Some(Token::Word(part))) = (tokens.get(i), tokens.get(i + 1)) {
            path.push('.');
            path.push_str(part);
            i += 2;
        }
        found.push((i, path));
    }
    found
}

/// Is what ends before `tokens[at]` given a fallback, by a filter or by `or`?
fn has_fallback_after(tokens: &[Token<'_>], mut at: usize) -> bool {
    loop {
        match (tokens.get(at), tokens.get(at + 1)) {
            (Some(Token::Word("or")), _) => return true,
            (Some(Token::Pipe), Some(Token::Word(filter))) if filters::FALLBACKS.contains(filter) => return true,
            (Some(Token::Pipe), Some(Token::Word(_))) => at += 2,
            _ => return false,
        }
        if tokens.get(at) == Some(&Token::Open) {
            at = after_parentheses(tokens, at);
        }
    }
}

/// The index after the parenthesis that closes the one at `open`.
fn after_parentheses(tokens: &[Token<'_>], open: usize) -> usize {
    let mut depth = 0usize;
    for (i, token) in tokens.iter().enumerate().skip(open) {
        match token {
            Token::Open => depth += 1,
            Token::Close => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return i + 1;
        }
    }
    tokens.len()
}

fn next_tag(source: &str, from: usize) -> Option<(usize, TagKind)> {
    let mut at = from;
    while let Some(found) = source[at..].find('{') {
        let start = at + found;
        let kind = match source.as_bytes().get(start + 1) {
            Some(b'{') => TagKind::Output,
            Some(b'%') => TagKind::Statement,
            Some(b'#') => TagKind::Comment,
            _ => {
                at = start + 1;
                continue;
            }
        };
        return Some((start, kind));
    }
    None
}

fn read_tag<'s>(source: &'s str, start: usize, kind: TagKind, line: usize) -> Result<Tag<'s>, Wrong> {
    let (open, close) = match kind {
        TagKind::Output => ("{{", "}}"),
        TagKind::Statement => ("{%", "%}"),
        TagKind::Comment => ("{#", "#}"),
    };
    let unclosed = || Wrong { line, message: format!("{open} is never closed: expected {close}") };
    if kind == TagKind::Comment {
        let end = source[start + 2..].find(close).ok_or_else(unclosed)? + start + 4;
        let source = &source[start..end];
        let trims = source[2..].starts_with(['-', '+']) || source[..source.len() - 2].ends_with(['-', '+']);
        return Ok(Tag { kind, line, source, tokens: Vec::new(), trims });
    }
    let body = &source[start + 2..];
    let trims_before = body.starts_with(['-', '+']);
    let read = tokenize(&body[usize::from(trims_before)..], close);
    let (tokens, length, trims_after) = read.map_err(|message| match message {
        Some(message) => Wrong { line, message },
        None => unclosed(),
    })?;
    let end = start + 2 + usize::from(trims_before) + length;
    Ok(Tag { kind, line, source: &source[start..end], tokens, trims: trims_before || trims_after })
}

fn admit(tag: &Tag<'_>) -> Result<(), Wrong> {
    let wrong = |message: String| Err(Wrong { line: tag.line, message });
    let tokens = &tag.tokens;
    match (tag.kind, tokens.first()) {
        (TagKind::Comment, _) => return Ok(()),
        (_, None) => return wrong(format!("{} is empty: expected a field, such as contact.first_name", tag.source)),
        (TagKind::Statement, Some(Token::Word(word))) if STATEMENTS.contains(word) => {}
        (TagKind::Statement, _) => {
            return wrong(format!("{} is not possible here: expected if, elif, else or endif", tag.source));
        }
        (TagKind::Output, _) => {}
    }
    for (i, token) in tokens.iter().enumerate() {
        let Token::Word(word) = token else { continue };
        let before = i.checked_sub(1).map(|b| &tokens[b]);
        if before == Some(&Token::Pipe) {
            if !filters::NAMES.contains(word) {
                let guess = did_you_mean(word, filters::NAMES.iter().copied());
                let all = filters::NAMES.join(", ");
                return wrong(format!("there is no filter {word:?}: expected one of {all}{guess}"));
            }
        } else if tokens.get(i + 1) == Some(&Token::Open) && !WORDS.contains(word) {
            return wrong(format!("{word}(…) is not possible here: nothing can be called, only fields and filters"));
        }
        let negated = before == Some(&Token::Word("not")) && i >= 2 && tokens[i - 2] == Token::Word("is");
        let tests = before == Some(&Token::Word("is")) || negated;
        if tests && !["defined", "undefined", "not"].contains(word) {
            return wrong(format!("there is no test \"is {word}\": expected is defined or is undefined"));
        }
        if word.starts_with('_') || word.contains("__") {
            return wrong(format!("{word:?} is not the name of a field"));
        }
    }
    Ok(())
}

/// Keeps expressions short and ifs shallow.
fn bound(tag: &Tag<'_>, open: &mut Vec<usize>) -> Result<(), Wrong> {
    let wrong = |message: String| Err(Wrong { line: tag.line, message });
    if tag.tokens.len() > TOKENS_MAX {
        return wrong(format!("a tag has more than {TOKENS_MAX} names and signs"));
    }
    let mut depth = 0usize;
    for token in &tag.tokens {
        match token {
            Token::Open => depth += 1,
            Token::Close => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH_MAX {
            return wrong(format!("parentheses stand more than {DEPTH_MAX} deep"));
        }
    }
    match tag.tokens.first() {
        Some(Token::Word("if")) if tag.kind == TagKind::Statement => open.push(0),
        Some(Token::Word("endif")) => drop(open.pop()),
        Some(Token::Word("elif")) => open.last_mut().into_iter().for_each(|n| *n += 1),
        _ => {}
    }
    if open.len() > DEPTH_MAX {
        return wrong(format!("ifs stand more than {DEPTH_MAX} deep"));
    }
    if open.last().is_some_and(|n| *n > ELIF_MAX) {
        return wrong(format!("an if has more than {ELIF_MAX} elifs"));
    }
    Ok(())
}

fn lines_in(text: &str) -> usize {
    text.bytes().filter(|b| *b == b'\n').count()
}
