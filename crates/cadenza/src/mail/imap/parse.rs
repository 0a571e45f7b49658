//! The grammar of responses: atoms, strings, literals and lists (RFC 9051 §9), from the pieces of a response to values.
//! Lenient where servers are known to be loose, bounded everywhere.

use super::inbox::Piece;
use std::collections::VecDeque;

/// Lists within lists; no answer that is asked for goes deeper than three.
const DEPTH_MAX: usize = 16;

/// One value of a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// An atom, a number or NIL.
    Atom(String),
    /// A quoted string or a literal.
    Text(Vec<u8>),
    List(Vec<Value>),
}

impl Value {
    pub fn atom(&self) -> Option<&str> {
        match self {
            Value::Atom(text) => Some(text),
            Value::Text(_) | Value::List(_) => None,
        }
    }

    pub fn number(&self) -> Option<u32> {
        self.atom()?.parse().ok()
    }

    /// An atom or a string, as text.
    pub fn words(&self) -> Option<String> {
        match self {
            Value::Atom(text) => Some(text.clone()),
            Value::Text(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
            Value::List(_) => None,
        }
    }
}

/// All values of a response; `None` where it is none.
pub(super) fn values(pieces: Vec<Piece>) -> Option<Vec<Value>> {
    let mut reader = Reader { pieces: pieces.into(), at: 0 };
    let values = reader.list(0, None)?;
    reader.pieces.is_empty().then_some(values)
}

/// Takes pieces from the front; `at` counts in the first, which is a text.
struct Reader {
    pieces: VecDeque<Piece>,
    at: usize,
}

impl Reader {
    /// Up to the closing parenthesis, or the end where none is expected.
    fn list(&mut self, depth: usize, end: Option<u8>) -> Option<Vec<Value>> {
        if depth > DEPTH_MAX {
            return None;
        }
        let mut values = Vec::new();
        loop {
            let Some(byte) = self.peek() else {
                match self.pieces.pop_front() {
                    None => return end.is_none().then_some(values),
                    Some(Piece::Text(_)) => self.at = 0,
                    Some(Piece::Literal(bytes)) => values.push(Value::Text(bytes)),
                }
                continue;
            };
            match byte {
                b' ' => self.at += 1,
                b'(' => {
                    self.at += 1;
                    values.push(Value::List(self.list(depth + 1, Some(b')'))?));
                }
                b')' => {
                    self.at += 1;
                    return end.is_some().then_some(values);
                }
                b'"' => values.push(Value::Text(self.quoted()?)),
                _ => values.push(Value::Atom(self.atom())),
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        match self.pieces.front()? {
            Piece::Text(text) => text.get(self.at).copied(),
            Piece::Literal(_) => None,
        }
    }

    fn quoted(&mut self) -> Option<Vec<u8>> {
        self.at += 1;
        let mut text = Vec::new();
        loop {
            let byte = self.peek()?;
            self.at += 1;
            match byte {
                b'"' => return Some(text),
                b'\\' => {
                    text.push(self.peek()?);
                    self.at += 1;
                }
                byte => text.push(byte),
            }
        }
    }

    /// With what stands in brackets, spaces and all: `BODY[HEADER.FIELDS (FROM)]<0>` is one.
    fn atom(&mut self) -> String {
        let mut text = Vec::new();
        let mut inside = false;
        while let Some(byte) = self.peek() {
            match byte {
                b'[' => inside = true,
                b']' => inside = false,
                b' ' | b'(' | b')' | b'"' if !inside => break,
                _ => {}
            }
            text.push(byte);
            self.at += 1;
        }
        String::from_utf8_lossy(&text).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Vec<Value>> {
        values(vec![Piece::Text(text.as_bytes().to_vec())])
    }

    #[test]
    fn a_response_is_read_into_values() {
        let atom = |text: &str| Value::Atom(text.to_owned());
        let text = |text: &str| Value::Text(text.as_bytes().to_vec());
        let list = read(r#"* LIST (\Noselect \Sent) "/" "a \"b\"""#).unwrap();
        let flags = Value::List(vec![atom("\\Noselect"), atom("\\Sent")]);
        assert_eq!(list, [atom("*"), atom("LIST"), flags, text("/"), text("a \"b\"")]);
        let pieces = vec![
            Piece::Text(b"* 7 FETCH (UID 5 BODY[HEADER.FIELDS (A)]<0> ".to_vec()),
            Piece::Literal(b"x)\"".to_vec()),
            Piece::Text(b")".to_vec()),
        ];
        let items = vec![atom("UID"), atom("5"), atom("BODY[HEADER.FIELDS (A)]<0>"), text("x)\"")];
        assert_eq!(values(pieces).unwrap(), [atom("*"), atom("7"), atom("FETCH"), Value::List(items)]);
    }

    #[test]
    fn what_does_not_close_or_goes_too_deep_is_no_response() {
        for bad in ["* LIST (", "* )", "* \"a", "* \"a\\", &"(".repeat(1000)] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
