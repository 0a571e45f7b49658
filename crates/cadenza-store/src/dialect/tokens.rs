//! SQL text cut into pieces, just finely enough to rewrite it safely: words, parameters, quoted text, gaps and symbols.
//! It knows no grammar.

use crate::error::{Result, StoreError};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// A keyword or a plain name, or a number.
    Word(&'a str),
    /// `$n`, counted from 1.
    Param(usize),
    /// `'text'` or `"name"`, with its quotes.
    Quoted(&'a str),
    /// White space and comments.
    Gap(&'a str),
    Symbol(&'a str),
}

impl<'a> Token<'a> {
    pub(crate) fn is_word(&self, word: &str) -> bool {
        matches!(self, Token::Word(w) if w.eq_ignore_ascii_case(word))
    }
    pub(crate) fn is_symbol(&self, symbol: &str) -> bool {
        matches!(self, Token::Symbol(s) if *s == symbol)
    }
    pub(crate) fn word(&self) -> Option<&'a str> {
        if let Token::Word(w) = self { Some(w) } else { None }
    }
}

/// Cuts `sql`; refuses an open quote or comment and a `$` without number.
pub(crate) fn tokens(sql: &str) -> Result<Vec<Token<'_>>> {
    let bytes = sql.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &sql[at..];
        let (token, length) = match bytes[at] {
            b if b.is_ascii_whitespace() => gap(rest, span(rest, |b| b.is_ascii_whitespace())),
            b'-' if rest.starts_with("--") => gap(rest, rest.find('\n').unwrap_or(rest.len())),
            b'/' if rest.starts_with("/*") => match rest.find("*/") {
                Some(end) => gap(rest, end + 2),
                None => return Err(StoreError::statement(sql, "a comment is not closed")),
            },
            quote @ (b'\'' | b'"') => {
                let length = quoted(rest, quote).ok_or_else(|| StoreError::statement(sql, "a quote is not closed"))?;
                (Token::Quoted(&rest[..length]), length)
            }
            b'$' => {
                let length = 1 + span(&rest[1..], |b| b.is_ascii_digit());
                match rest[1..length].parse() {
                    Ok(n) if n > 0 => (Token::Param(n), length),
                    _ => return Err(StoreError::statement(sql, "expected a number from 1 after $")),
                }
            }
            b if is_word(b) => {
                let length = span(rest, is_word);
                (Token::Word(&rest[..length]), length)
            }
            _ => (Token::Symbol(&rest[..1]), 1),
        };
        out.push(token);
        at += length;
    }
    Ok(out)
}

/// The index of the next token from `from` on that is no gap.
pub(crate) fn next_solid(tokens: &[Token<'_>], from: usize) -> Option<usize> {
    (from..tokens.len()).find(|i| !matches!(tokens[*i], Token::Gap(_)))
}

/// The index of the last token before `before` that is no gap.
pub(crate) fn previous_solid(tokens: &[Token<'_>], before: usize) -> Option<usize> {
    (0..before).rev().find(|i| !matches!(tokens[*i], Token::Gap(_)))
}

/// The index of the parenthesis that closes the one at `open`.
pub(crate) fn closing(tokens: &[Token<'_>], open: usize) -> Option<usize> {
    let mut depth = 0usize;
    for (i, token) in tokens.iter().enumerate().skip(open) {
        if token.is_symbol("(") {
            depth += 1;
        } else if token.is_symbol(")") {
            depth = depth.checked_sub(1)?;
            if depth == 0 {
                return Some(i);
            }
        }
    }
    None
}

fn gap(rest: &str, length: usize) -> (Token<'_>, usize) {
    (Token::Gap(&rest[..length]), length)
}

fn span(text: &str, belongs: impl Fn(u8) -> bool) -> usize {
    text.bytes().take_while(|b| belongs(*b)).count()
}

/// Bytes above ASCII belong to words, so cuts never fall inside a character.
fn is_word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_' || b >= 0x80
}

/// A doubled quote inside reads as two quoted texts side by side, which is as good.
fn quoted(rest: &str, quote: u8) -> Option<usize> {
    rest.bytes().skip(1).position(|b| b == quote).map(|end| end + 2)
}
