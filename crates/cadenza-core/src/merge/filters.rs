//! The filters of message templates. All take text and give text, and none can make much of little.

use super::LENGTH_MAX;
use minijinja::value::{Rest, Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind};

/// Every filter, as error messages list them.
pub const NAMES: &[&str] = &[
    "default",
    "fallback",
    "upper",
    "lower",
    "title",
    "capitalize",
    "trim",
    "first",
    "last",
    "truncate",
    "replace",
    "date",
    "int",
];

/// Filters that stand in for a missing value.
pub(super) const FALLBACKS: &[&str] = &["default", "fallback"];

pub(super) fn install(env: &mut Environment<'static>) {
    for name in FALLBACKS {
        env.add_filter(*name, fallback);
    }
    env.add_filter("upper", |v: &Value| text(v, |t| Ok(t.to_uppercase())));
    env.add_filter("lower", |v: &Value| text(v, |t| Ok(t.to_lowercase())));
    env.add_filter("title", |v: &Value| text(v, |t| Ok(title(t))));
    env.add_filter("capitalize", |v: &Value| text(v, |t| Ok(capitalize(t))));
    env.add_filter("trim", |v: &Value| text(v, |t| Ok(t.trim().to_owned())));
    env.add_filter("first", |v: &Value| text(v, |t| Ok(t.split_whitespace().next().unwrap_or_default().to_owned())));
    env.add_filter("last", |v: &Value| {
        text(v, |t| Ok(t.split_whitespace().next_back().unwrap_or_default().to_owned()))
    });
    env.add_filter("truncate", |v: &Value, letters: u32| text(v, |t| Ok(truncate(t, letters))));
    env.add_filter("replace", |v: &Value, from: &str, to: &str| text(v, |t| replace(t, from, to)));
    env.add_filter("date", |v: &Value, form: Option<&str>| text(v, |t| date(t, form.unwrap_or("%-d %B %Y"))));
    env.add_filter("int", int);
    env.add_test("defined", |v: &Value| !v.is_undefined());
    env.add_test("undefined", |v: &Value| v.is_undefined());
}

/// The value, or where there is none the first of the given ones that there is.
fn fallback(value: &Value, others: Rest<Value>) -> Value {
    if !is_blank(value) {
        return value.clone();
    }
    let Rest(others) = others;
    others.into_iter().find(|v| !v.is_undefined()).unwrap_or(Value::UNDEFINED)
}

fn is_blank(value: &Value) -> bool {
    value.is_undefined() || value.is_none() || value.as_str().is_some_and(|t| t.trim().is_empty())
}

/// Applies `make` to the text of a value; a missing value stays missing, so a later fallback still sees it.
fn text(value: &Value, make: impl FnOnce(&str) -> Result<String, Error>) -> Result<Value, Error> {
    if value.is_undefined() {
        return Ok(value.clone());
    }
    let made = match value.as_str() {
        Some(text) => make(text)?,
        None => make(&printed(value)?)?,
    };
    if made.len() > LENGTH_MAX {
        return Err(Error::new(ErrorKind::OutOfFuel, "a value is too long"));
    }
    Ok(if made.trim().is_empty() { Value::UNDEFINED } else { Value::from(made) })
}

/// A text, number or truth value as text; anything else cannot be printed.
pub(super) fn printed(value: &Value) -> Result<String, Error> {
    match value.kind() {
        ValueKind::String | ValueKind::Number | ValueKind::Bool => Ok(value.to_string()),
        _ => {
            let message = "only a single field can be printed, such as contact.first_name";
            Err(Error::new(ErrorKind::InvalidOperation, message))
        }
    }
}

/// The first letter of every word in upper case, the others in lower case.
fn title(text: &str) -> String {
    let mut starts = true;
    let mut made = String::with_capacity(text.len());
    for c in text.chars() {
        if starts {
            made.extend(c.to_uppercase())
        } else {
            made.extend(c.to_lowercase())
        }
        starts = c.is_whitespace() || c == '-';
    }
    made
}

fn capitalize(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|c| c.to_uppercase().chain(letters.flat_map(char::to_lowercase)).collect()).unwrap_or_default()
}

/// The first letters; what was cut off is marked by an ellipsis.
fn truncate(text: &str, letters: u32) -> String {
    match text.char_indices().nth(letters as usize) {
        None => text.to_owned(),
        Some((cut, _)) => format!("{}…", text[..cut].trim_end()),
    }
}

fn replace(text: &str, from: &str, to: &str) -> Result<String, Error> {
    if from.is_empty() {
        return Err(Error::new(ErrorKind::InvalidOperation, "replace needs a text to look for"));
    }
    let longest = text.len().saturating_add(text.matches(from).count().saturating_mul(to.len()));
    if longest > LENGTH_MAX {
        return Err(Error::new(ErrorKind::OutOfFuel, "a value is too long"));
    }
    Ok(text.replace(from, to))
}

/// A date or moment, written by a pattern of strftime's letters.
fn date(text: &str, form: &str) -> Result<String, Error> {
    let text = text.trim();
    let invalid = |message: String| Error::new(ErrorKind::InvalidOperation, message);
    if form.len() > 100 || form.bytes().any(|b| b.is_ascii_digit()) {
        return Err(invalid(format!("{form:?} is not a pattern for dates: expected letters such as \"%-d %B %Y\"")));
    }
    let day: jiff::civil::DateTime = text
        .parse::<jiff::civil::DateTime>()
        .or_else(|_| text.parse::<jiff::civil::Date>().map(|d| d.at(0, 0, 0, 0)))
        .map_err(|_| {
            invalid(format!("{:?} is not a date such as 2027-03-01", text.chars().take(40).collect::<String>()))
        })?;
    jiff::fmt::strtime::format(form, day)
        .map_err(|_| invalid(format!("{form:?} is not a pattern for dates: expected letters such as \"%-d %B %Y\"")))
}

/// A whole number, for comparisons.
fn int(value: &Value) -> Result<Value, Error> {
    if value.is_undefined() {
        return Ok(value.clone());
    }
    let text = printed(value)?;
    let number = text.trim().parse::<i64>();
    number.map(Value::from).map_err(|_| {
        let found: String = text.chars().take(40).collect();
        Error::new(ErrorKind::InvalidOperation, format!("{found:?} is not a whole number"))
    })
}
