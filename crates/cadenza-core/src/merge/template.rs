//! One template, compiled: most are literals and plain fields and are put together directly; the others run on minijinja.
//! Both ways give the same result, which `laws` holds them to.

use super::lookup::{Missed, Root};
use super::scan::{FieldUse, Part, TagKind, Wrong, scan, uses};
use super::tokens::Token;
use super::{Escape, FUEL, Fields, MergeError, OUTPUT_MAX, SOURCE_MAX, filters};
use foldhash::fast::FixedState;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Value;
use minijinja::{Environment, Error, ErrorKind, Output, UndefinedBehavior};
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Arc, LazyLock, PoisonError};

/// A template that was read and admitted; cheap to keep, to share and to render often.
#[derive(Debug)]
pub struct Template {
    source: Arc<str>,
    escape: Escape,
    uses: Vec<FieldUse>,
    body: Body,
}

#[derive(Debug)]
enum Body {
    /// Literals and fields, with a fallback at most.
    Plain(Vec<Piece>),
    Full(Box<Environment<'static>>),
}

#[derive(Debug)]
enum Piece {
    Literal(Box<str>),
    Field { path: Box<str>, fallback: Option<Box<str>> },
}

/// The name under which a full template stands in its own environment.
const NAME: &str = "message";

impl Template {
    /// Reads a template. Errors: [`MergeError::Invalid`] with line and what would be accepted, [`MergeError::TooLong`].
    pub fn compile(text: &str, escape: Escape) -> Result<Template, MergeError> {
        if text.len() > SOURCE_MAX {
            return Err(MergeError::TooLong { bytes: text.len() });
        }
        let parts = scan(text)?;
        let uses = uses(&parts);
        let body = match plain(&parts) {
            Some(pieces) => Body::Plain(pieces),
            None => Body::Full(Box::new(full(text, escape)?)),
        };
        Ok(Template { source: text.into(), escape, uses, body })
    }

    /// The text as the contact gets it.
    pub fn render(&self, fields: &Fields) -> Result<String, MergeError> {
        let rendered = match &self.body {
            Body::Plain(pieces) => self.render_plain(pieces, fields)?,
            Body::Full(env) => self.render_full(env, fields)?,
        };
        if rendered.len() > OUTPUT_MAX {
            return Err(MergeError::TooExpensive);
        }
        if self.escape == Escape::Header && rendered.chars().any(char::is_control) {
            let guilty =
                self.uses.iter().find(|u| fields.get(&u.path).is_some_and(|v| v.chars().any(char::is_control)));
            return Err(MergeError::ControlInHeader { field: guilty.map(|u| u.path.clone()) });
        }
        Ok(rendered)
    }

    /// The first field that has neither value nor fallback. Plain templates are only looked through, others rendered.
    pub fn missing(&self, fields: &Fields) -> Option<String> {
        match &self.body {
            Body::Plain(pieces) => pieces.iter().find_map(|piece| match piece {
                Piece::Field { path, fallback: None } if fields.get(path).is_none() => Some(path.to_string()),
                _ => None,
            }),
            Body::Full(env) => match self.render_full(env, fields) {
                Err(MergeError::MissingField { field }) => Some(field),
                _ => None,
            },
        }
    }

    /// Every field that is named, once.
    pub fn uses(&self) -> &[FieldUse] {
        &self.uses
    }
    pub fn source(&self) -> &str {
        &self.source
    }
    pub fn escape(&self) -> Escape {
        self.escape
    }

    fn render_plain(&self, pieces: &[Piece], fields: &Fields) -> Result<String, MergeError> {
        let mut out = String::with_capacity(self.source.len() + 64);
        for piece in pieces {
            match piece {
                Piece::Literal(text) => out.push_str(text),
                Piece::Field { path, fallback } => match fields.get(path).or(fallback.as_deref()) {
                    Some(value) => escape_into(&mut out, self.escape, value).map_err(|_| MergeError::TooExpensive)?,
                    None => return Err(MergeError::MissingField { field: path.to_string() }),
                },
            }
            if out.len() > OUTPUT_MAX {
                return Err(MergeError::TooExpensive);
            }
        }
        Ok(out)
    }

    fn render_full(&self, env: &Environment<'static>, fields: &Fields) -> Result<String, MergeError> {
        let missed = Missed::default();
        let root = Root { fields: fields.clone(), missed: Arc::clone(&missed) };
        let template = env.get_template(NAME).map_err(|e| self.explain(&e, None))?;
        template.render(Value::from_object(root)).map_err(|e| {
            let last = missed.lock().unwrap_or_else(PoisonError::into_inner).take();
            self.explain(&e, last)
        })
    }

    fn explain(&self, error: &Error, missed: Option<String>) -> MergeError {
        let line = error.line().unwrap_or(1);
        match error.kind() {
            ErrorKind::OutOfFuel => MergeError::TooExpensive,
            ErrorKind::UndefinedError => MergeError::MissingField { field: self.culprit(missed, line) },
            ErrorKind::WriteFailure => MergeError::TooExpensive,
            kind => MergeError::Invalid { line, message: message_of(error, kind) },
        }
    }

    /// The field that was missed; where a filter left nothing of it, the first one named on that line.
    fn culprit(&self, missed: Option<String>, line: usize) -> String {
        let on_line = || self.uses.iter().find(|u| u.line == line).or(self.uses.first()).map(|u| u.path.clone());
        missed.or_else(on_line).unwrap_or_else(|| "a value".to_owned())
    }
}

/// Compiled templates by text, so that ten thousand messages of one step compile once. Forgets all when it is full.
#[derive(Debug)]
pub struct Cache {
    compiled: HashMap<(Escape, Arc<str>), Arc<Template>, FixedState>,
    most: usize,
}

impl Default for Cache {
    /// Room for 1,000 templates.
    fn default() -> Cache {
        Cache { compiled: HashMap::default(), most: 1_000 }
    }
}

impl Cache {
    pub fn new(most: usize) -> Cache {
        Cache { compiled: HashMap::default(), most: most.max(1) }
    }
    pub fn get(&mut self, text: &str, escape: Escape) -> Result<Arc<Template>, MergeError> {
        let key = (escape, Arc::<str>::from(text));
        if let Some(found) = self.compiled.get(&key) {
            return Ok(Arc::clone(found));
        }
        let made = Arc::new(Template::compile(text, escape)?);
        if self.compiled.len() >= self.most {
            self.compiled.clear();
        }
        self.compiled.insert(key, Arc::clone(&made));
        Ok(made)
    }
}

/// The pieces of a template that is plain; `None` where it needs the engine.
fn plain(parts: &[Part<'_>]) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    for part in parts {
        let tag = match part {
            Part::Literal(text) => {
                pieces.push(Piece::Literal((*text).into()));
                continue;
            }
            Part::Tag(tag) => tag,
        };
        match tag.kind {
            _ if tag.trims => return None,
            TagKind::Comment => {}
            TagKind::Statement => return None,
            TagKind::Output => pieces.push(plain_field(&tag.tokens)?),
        }
    }
    Some(pieces)
}

fn plain_field(tokens: &[Token<'_>]) -> Option<Piece> {
    let (path, rest) = match tokens {
        [Token::Word(space), Token::Dot, Token::Word(name), rest @ ..] if super::lookup::is_space(space) => {
            (format!("{space}.{name}"), rest)
        }
        [Token::Word(name @ "unsubscribe_url"), rest @ ..] => ((*name).to_owned(), rest),
        _ => return None,
    };
    let fallback = match rest {
        [] => None,
        [Token::Pipe, Token::Word(filter), Token::Open, Token::Text(text), Token::Close]
            if filters::FALLBACKS.contains(filter) && !text.contains('\\') =>
        {
            Some((*text).into())
        }
        _ => return None,
    };
    Some(Piece::Field { path: path.into(), fallback })
}

/// An environment that holds this one template and can reach nothing else.
pub(super) fn full(text: &str, escape: Escape) -> Result<Environment<'static>, MergeError> {
    static TEXT: LazyLock<Environment<'static>> = LazyLock::new(|| environment(Escape::Text));
    static HTML: LazyLock<Environment<'static>> = LazyLock::new(|| environment(Escape::Html));
    let mut env = if escape == Escape::Html { HTML.clone() } else { TEXT.clone() };
    let added = env.add_template_owned(NAME, text.to_owned());
    added.map_err(|e| MergeError::Invalid { line: e.line().unwrap_or(1), message: message_of(&e, e.kind()) })?;
    Ok(env)
}

fn environment(escape: Escape) -> Environment<'static> {
    let mut env = Environment::empty();
    env.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    env.set_fuel(Some(FUEL));
    if let Ok(syntax) = SyntaxConfig::builder().keep_trailing_newline(true).build() {
        env.set_syntax(syntax);
    }
    filters::install(&mut env);
    env.set_formatter(move |out: &mut Output, _, value: &Value| {
        if value.is_undefined() || value.is_none() {
            return Err(Error::from(ErrorKind::UndefinedError));
        }
        let written = match value.as_str() {
            Some(text) => escape_into(out, escape, text),
            None => escape_into(out, escape, &filters::printed(value)?),
        };
        written.map_err(Error::from)
    });
    env
}

fn escape_into(out: &mut impl Write, escape: Escape, value: &str) -> std::fmt::Result {
    if escape != Escape::Html {
        return out.write_str(value);
    }
    let mut rest = value;
    while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
        out.write_str(&rest[..at])?;
        out.write_str(match rest.as_bytes()[at] {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            _ => "&#39;",
        })?;
        rest = &rest[at + 1..];
    }
    out.write_str(rest)
}

fn message_of(error: &Error, kind: ErrorKind) -> String {
    error.detail().map_or_else(|| kind.to_string(), str::to_owned)
}

impl From<Wrong> for MergeError {
    fn from(wrong: Wrong) -> MergeError {
        MergeError::Invalid { line: wrong.line, message: wrong.message }
    }
}

/// For tests that hold both ways of rendering against each other.
#[cfg(test)]
impl Template {
    pub(super) fn compile_full(text: &str, escape: Escape) -> Result<Template, MergeError> {
        let uses = uses(&scan(text)?);
        Ok(Template { source: text.into(), escape, uses, body: Body::Full(Box::new(full(text, escape)?)) })
    }
    pub(super) fn is_plain(&self) -> bool {
        matches!(self.body, Body::Plain(_))
    }
}
