//! Splits the inside of a template tag into tokens, and refuses characters that the admitted language does not have.

/// One token inside a tag.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token<'s> {
    /// A name or key word.
    Word(&'s str),
    /// A quoted text, as written between its quotes.
    Text(&'s str),
    Number(&'s str),
    Dot,
    Pipe,
    Open,
    Close,
    Comma,
    /// `==`, `!=`, `<`, `<=`, `>`, `>=`
    Compare(&'s str),
}

/// The tokens of a tag's inside up to and with `close`: how many bytes were read, and whether a minus or plus stands before
/// the end. The error is a message, or `None` where the tag never ends.
pub(super) fn tokenize<'s>(body: &'s str, close: &str) -> Result<(Vec<Token<'s>>, usize, bool), Option<String>> {
    let mut tokens = Vec::new();
    let mut at = 0;
    loop {
        let rest = &body[at..];
        let Some(c) = rest.chars().next() else { return Err(None) };
        if rest.starts_with(close) {
            return Ok((tokens, at + close.len(), false));
        }
        if let Some(after) = rest.strip_prefix(['-', '+'])
            && after.starts_with(close)
        {
            return Ok((tokens, at + 1 + close.len(), true));
        }
        let single = match c {
            '.' => Some(Token::Dot),
            '|' => Some(Token::Pipe),
            '(' => Some(Token::Open),
            ')' => Some(Token::Close),
            ',' => Some(Token::Comma),
            _ => None,
        };
        if let Some(token) = single {
            tokens.push(token);
            at += 1;
        } else if c.is_ascii_whitespace() {
            at += 1;
        } else if c.is_ascii_alphabetic() || c == '_' {
            let length = rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
            tokens.push(Token::Word(&rest[..length]));
            at += length;
        } else if c.is_ascii_digit() {
            let length = rest.bytes().take_while(u8::is_ascii_digit).count();
            tokens.push(Token::Number(&rest[..length]));
            at += length;
        } else if c == '"' || c == '\'' {
            let inside = quoted(rest, c)?;
            tokens.push(Token::Text(inside));
            at += inside.len() + 2;
        } else if let Some(sign) = ["==", "!=", "<=", ">=", "<", ">"].into_iter().find(|s| rest.starts_with(s)) {
            tokens.push(Token::Compare(&rest[..sign.len()]));
            at += sign.len();
        } else {
            return Err(Some(format!("{c:?} is not possible here: expected a field, a filter or a comparison")));
        }
    }
}

/// The inside of the quoted text at the start of `rest`.
fn quoted(rest: &str, quote: char) -> Result<&str, Option<String>> {
    let mut escaped = false;
    for (i, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return Ok(&rest[1..i]),
            _ => {}
        }
    }
    Err(Some(format!("a text that begins with {quote} is never closed")))
}
