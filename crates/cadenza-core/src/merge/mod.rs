//! Merge fields (SND-2): templates of messages, made whole with the values of one contact. The engine is closed: it knows
//! the fields and filters named here and nothing else, and a field without value and fallback stops the message.
//! Composing a mail from what is rendered here is `compose`'s business.

mod fields;
mod filters;
mod known;
mod lookup;
mod scan;
mod snippet;
mod template;
mod tokens;

#[cfg(test)]
mod laws;

pub use fields::{Fields, InvalidFields};
pub use filters::NAMES as FILTERS;
pub use known::{FIELDS, Known, Of};
pub use scan::FieldUse;
pub use snippet::expand;
pub use template::{Cache, Template};

use crate::flow::{Channel, Variant};

/// The longest template, in bytes.
pub const SOURCE_MAX: usize = 256 * 1024;
/// The longest rendered text, in bytes.
pub const OUTPUT_MAX: usize = 1024 * 1024;
/// The longest value that a filter takes or makes, in bytes.
const LENGTH_MAX: usize = 32 * 1024;
/// Instructions of the engine for one rendering; a letter with three fields takes some twenty.
const FUEL: u64 = 8_000;

/// What a template becomes, and so how its values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Escape {
    /// Plain text, as it is.
    Text,
    /// HTML: the letters `& < > " '` of every value are escaped.
    Html,
    /// A header such as the subject: one line, no control characters.
    Header,
}

/// Why a template cannot be read or rendered; understandable to its author.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    #[error("{field} is unknown or empty, and the template has no fallback for it")]
    MissingField { field: String },
    #[error("line {line}: {message}")]
    Invalid { line: usize, message: String },
    #[error("the subject has a line break or another control character{}", in_field(.field))]
    ControlInHeader { field: Option<String> },
    #[error("the template takes too long or grows too large")]
    TooExpensive,
    #[error("the template has {bytes} bytes: at most {SOURCE_MAX} are possible")]
    TooLong { bytes: usize },
}

fn in_field(field: &Option<String>) -> String {
    field.as_ref().map(|f| format!(": see {f}")).unwrap_or_default()
}

/// Every field that a template names, once. An unreadable template names none: compiling it says why.
pub fn fields_used(text: &str) -> Vec<FieldUse> {
    scan::scan(text).map(|parts| scan::uses(&parts)).unwrap_or_default()
}

/// The templates of one wording, ready to render.
#[derive(Debug, Clone)]
pub struct Message {
    pub subject: std::sync::Arc<Template>,
    pub text: std::sync::Arc<Template>,
    /// `None` where the wording has no HTML of its own.
    pub html: Option<std::sync::Arc<Template>>,
}

impl Message {
    /// Compiles a wording, or takes it from the cache. On a channel without subjects, the subject is empty.
    pub fn compile(variant: &Variant, channel: Channel, cache: &mut Cache) -> Result<Message, MergeError> {
        let subject = if channel == Channel::Email { variant.subject.as_str() } else { "" };
        let html = if channel == Channel::Email { variant.html.as_str() } else { "" };
        Ok(Message {
            subject: cache.get(subject, Escape::Header)?,
            text: cache.get(&variant.text, Escape::Text)?,
            html: if html.is_empty() { None } else { Some(cache.get(html, Escape::Html)?) },
        })
    }

    /// The first field of subject, text or HTML that has neither value nor fallback.
    pub fn missing(&self, fields: &Fields) -> Option<String> {
        self.templates().find_map(|t| t.missing(fields))
    }

    /// The values that rendering looks at; what the outbox keeps with the message.
    pub fn values(&self, fields: &Fields) -> Fields {
        fields.only(self.templates().flat_map(|t| t.uses()).map(|u| u.path.as_str()))
    }

    fn templates(&self) -> impl Iterator<Item = &Template> {
        [Some(&self.subject), Some(&self.text), self.html.as_ref()].into_iter().flatten().map(|t| &**t)
    }
}
