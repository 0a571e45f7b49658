//! Writes TOML that people read and compare: one key a line, long texts as they are, nothing in another order next time.

use std::fmt::Write;

/// A text in quotes; one of several lines in three quotes, its lines as they are.
pub(crate) fn text(value: &str) -> String {
    if value.contains('\n') { many_lines(value) } else { one_line(value) }
}

/// A text in quotes on one line, line breaks escaped.
pub(crate) fn one_line(value: &str) -> String {
    let mut out = String::with_capacity(value.len() + 2);
    out.push('"');
    for c in value.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            c => escaped(&mut out, c),
        }
    }
    out.push('"');
    out
}

fn many_lines(value: &str) -> String {
    let mut out = String::with_capacity(value.len() + 8);
    out.push_str("\"\"\"\n");
    let mut quotes = 0;
    for c in value.chars() {
        match c {
            // Three in a row would end the text.
            '"' if quotes == 2 => {
                out.push_str("\\\"");
                quotes = 0;
                continue;
            }
            '"' => {
                quotes += 1;
                out.push('"');
                continue;
            }
            '\n' => out.push('\n'),
            c => escaped(&mut out, c),
        }
        quotes = 0;
    }
    if quotes > 0 {
        out.pop();
        out.push_str("\\\"");
    }
    out.push_str("\"\"\"");
    out
}

fn escaped(out: &mut String, c: char) {
    match c {
        '\\' => out.push_str("\\\\"),
        '\t' => out.push('\t'),
        '\r' => out.push_str("\\r"),
        c if c.is_control() => {
            // Writing to a String cannot fail.
            let _ = write!(out, "\\u{:04X}", u32::from(c));
        }
        c => out.push(c),
    }
}

/// A list of texts on one line.
pub(crate) fn texts<'a>(values: impl IntoIterator<Item = &'a str>) -> String {
    let list: Vec<String> = values.into_iter().map(one_line).collect();
    format!("[{}]", list.join(", "))
}

/// A list with an entry a line.
pub(crate) fn lines(entries: &[String]) -> String {
    let mut out = String::from("[\n");
    entries.iter().for_each(|entry| {
        out.push_str("  ");
        out.push_str(entry);
        out.push_str(",\n");
    });
    out.push(']');
    out
}

/// A table on one line.
pub(crate) fn inline(entries: &[(&str, String)]) -> String {
    let pairs: Vec<String> = entries.iter().map(|(key, value)| format!("{key} = {value}")).collect();
    format!("{{ {} }}", pairs.join(", "))
}

/// A document that grows line by line.
#[derive(Default)]
pub(crate) struct Writer {
    out: String,
}

impl Writer {
    /// Begins a table, after an empty line.
    pub fn heading(&mut self, heading: &str) {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
        self.out.push_str(heading);
        self.out.push('\n');
    }
    pub fn entry(&mut self, key: &str, value: impl AsRef<str>) {
        self.out.push_str(key);
        self.out.push_str(" = ");
        self.out.push_str(value.as_ref());
        self.out.push('\n');
    }
    /// A text, unless it is empty.
    pub fn text(&mut self, key: &str, value: &str) {
        if !value.is_empty() {
            self.entry(key, text(value));
        }
    }
    /// A text on one line, where there is one.
    pub fn text_if(&mut self, key: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.entry(key, one_line(value));
        }
    }
    pub fn finish(self) -> String {
        self.out
    }
}
