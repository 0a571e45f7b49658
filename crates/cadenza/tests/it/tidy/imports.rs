//! Which part of the server may name which other: read off the paths in the code, grouped `use` declarations included.

use super::Finding;
use super::source::Source;

/// (the part, what it may not name, why and what instead)
const FORBIDDEN: &[(&str, &[&str], &str)] = &[
    (
        "http",
        &["engine"],
        "http and engine meet in the database: commit the change and ring the bell, or a page would work on the one \
         server that happens to run the engine",
    ),
    ("engine", &["http"], "http and engine meet in the database: the engine does not know who asked"),
    ("mail", &["http", "engine", "actions"], "mail/ carries bytes to and from mail servers and decides nothing"),
    (
        "actions",
        &["http", "commands"],
        "an action is called by pages, API and command line alike and knows none of them",
    ),
];

pub fn forbidden(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources {
        let Some(inner) = source.path.strip_prefix("crates/cadenza/src/") else { continue };
        for (part, others, why) in FORBIDDEN {
            let within = inner.strip_prefix(part).is_some_and(|rest| rest.starts_with(['/', '.']));
            for other in others.iter().filter(|_| within) {
                findings.extend(
                    named(source, other).map(|line| source.finding(line, format!("`crate::{other}` in {part}: {why}"))),
                );
            }
        }
    }
    findings
}

/// The lines on which the crate's module `other` is named, tests aside: `crate::other`, or `other` as a first name
/// inside `crate::{ … }`.
fn named<'a>(source: &'a Source, other: &'a str) -> impl Iterator<Item = usize> + 'a {
    let mut depth = 0; // inside `crate::{`, how many braces are open
    source.code.iter().enumerate().filter_map(move |(index, line)| {
        let mut found = false;
        let mut rest = line.as_str();
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix("crate::{").filter(|_| depth == 0) {
                (depth, rest) = (1, after);
                continue;
            }
            let path = if depth == 1 {
                rest.strip_prefix(other)
            } else {
                rest.strip_prefix("crate::").and_then(|path| path.strip_prefix(other))
            };
            let whole = path.is_some_and(|after| !after.starts_with(|c: char| c.is_alphanumeric() || c == '_'));
            let first = depth != 1
                || line[..line.len() - rest.len()].trim_end().ends_with(['{', ','])
                || line.trim_start() == rest;
            found |= whole && first;
            let character = rest.chars().next().unwrap_or_default();
            if depth > 0 {
                depth += i32::from(character == '{') - i32::from(character == '}');
            }
            rest = &rest[character.len_utf8()..];
        }
        (found && !source.is_test(index + 1)).then_some(index + 1)
    })
}

#[test]
fn planted_imports_are_found() {
    for (path, text, lines) in [
        ("crates/cadenza/src/http/a.rs", "use crate::engine::Bell;", vec![1]),
        ("crates/cadenza/src/http.rs", "fn f() { crate::engine::go() }", vec![1]),
        (
            "crates/cadenza/src/http/a.rs",
            "use crate::{\n    actions::{self, engine},\n    engine::Bell,\n};\n",
            vec![3],
        ),
        ("crates/cadenza/src/http/a.rs", "use crate::{actions, engine};", vec![1]),
        ("crates/cadenza/src/http/a.rs", "use crate::{actions::engine, engine_room};", vec![]),
        ("crates/cadenza/src/http/a.rs", "// crate::engine", vec![]),
        ("crates/cadenza/src/engine/a.rs", "use crate::http::Wire;", vec![1]),
        ("crates/cadenza/src/commands/a.rs", "use crate::{engine, http};", vec![]),
        ("crates/cadenza/src/mail/smtp.rs", "use crate::actions;", vec![1]),
    ] {
        let found = forbidden(&[Source::new(path, text)]);
        let expected: Vec<_> = lines.iter().map(|line| format!("{path}:{line}")).collect();
        assert_eq!(found.into_iter().map(|finding| finding.place).collect::<Vec<_>>(), expected, "{text}");
    }
}
