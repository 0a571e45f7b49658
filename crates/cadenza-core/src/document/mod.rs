//! Reads TOML that people write, so that every mistake is named at once: line and column, the field, and what would be
//! accepted. What the fields mean is for `flow::file` and `simulate::script`; the other direction is in `write`.

mod item;
mod section;
pub(crate) mod write;

#[cfg(test)]
mod tests;

pub(crate) use item::Item;
pub(crate) use section::Section;

use serde::Serialize;
use std::cell::RefCell;
use std::fmt;
use std::ops::Range;
use toml::de::DeTable;

/// One mistake in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileError {
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    /// Such as `branch.main.step.intro.delay`; empty where it concerns the whole file.
    pub path: String,
    /// For people: what is wrong and what would be accepted.
    pub message: String,
}

/// `12:9: branch.main.step.intro.delay: …`, as editors and terminals understand it behind a file name and a colon.
impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.line, self.column)?;
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

/// The text that is read, and the mistakes found so far.
pub(crate) struct Source<'t> {
    text: &'t str,
    mistakes: RefCell<Vec<Mistake>>,
}

/// A mistake before its place is counted out: a file may have as many as lines.
struct Mistake {
    /// In bytes.
    at: usize,
    path: String,
    message: String,
}

/// Reads a whole document: `read` asks for what it knows and answers `None` where a mistake left it without a value. Keys
/// that nobody asked for are mistakes.
pub(crate) fn read<T>(text: &str, read: impl FnOnce(&Section<'_, '_>) -> Option<T>) -> Result<T, Vec<FileError>> {
    let source = Source { text, mistakes: RefCell::default() };
    let value = match DeTable::parse(text) {
        Err(e) => {
            source.report(e.span().unwrap_or(0..0), "", format!("this is not TOML: {}", e.message()));
            None
        }
        Ok(table) => {
            let root = Section::new(&source, table.get_ref(), 0..0, String::new());
            let value = read(&root);
            root.finish();
            value
        }
    };
    let errors = placed(text, source.mistakes.into_inner());
    match value {
        Some(value) if errors.is_empty() => Ok(value),
        _ => Err(errors),
    }
}

/// So many mistakes are told with what was probably meant; nobody reads that of more.
const EXPLAINED_MAX: usize = 200;

impl Source<'_> {
    fn explains(&self) -> bool {
        self.mistakes.borrow().len() < EXPLAINED_MAX
    }

    fn report(&self, span: Range<usize>, path: &str, message: String) {
        let at = if self.text.is_char_boundary(span.start) { span.start } else { self.text.len() };
        self.mistakes.borrow_mut().push(Mistake { at, path: path.to_owned(), message });
    }
}

/// The mistakes in the order of the text, with line and column, in one walk through it.
fn placed(text: &str, mut mistakes: Vec<Mistake>) -> Vec<FileError> {
    mistakes.sort_by_key(|m| m.at);
    let (mut at, mut line, mut column) = (0, 1, 1);
    let mut errors = Vec::with_capacity(mistakes.len());
    for mistake in mistakes {
        for c in text[at..mistake.at].chars() {
            (line, column) = if c == '\n' { (line + 1, 1) } else { (line, column + 1) };
        }
        at = mistake.at;
        errors.push(FileError { line, column, path: mistake.path, message: mistake.message });
    }
    errors
}
