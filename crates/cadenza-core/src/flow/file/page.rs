//! The page that describes the format is true: its examples read and check, and its tables name every key there is.

use super::words::Words;
use super::*;
use crate::flow::StepKind;
use crate::simulate::Script;

const PAGE: &str = include_str!("../../../../../docs/sequence-file.md");

/// The blocks of a kind, each with the line it begins on.
fn blocks(kind: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut open: Option<(usize, bool, String)> = None;
    for (n, line) in PAGE.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(word)) => open = Some((n + 2, word == kind, String::new())),
            (Some(_), Some(_)) => {
                let (line, wanted, text) = open.take().unwrap();
                found.extend(wanted.then_some((line, text)));
            }
            (Some((_, _, text)), None) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block is never closed");
    found
}

#[test]
fn every_file_on_the_page_reads_and_checks() {
    let files = blocks("toml");
    assert!(files.len() >= 6, "{}", files.len());
    for (line, text) in files {
        let file = parse(&text).unwrap_or_else(|e| panic!("block at line {line}: {e:#?}"));
        assert_eq!(parse(&write(&file)), Ok(file.clone()), "block at line {line}");
        let wrong: Vec<_> = super::tests::findings(&file)
            .into_iter()
            .filter(|f| f.severity == crate::flow::check::Severity::Error)
            .collect();
        assert!(wrong.is_empty(), "block at line {line}: {wrong:#?}");
    }
    for (line, text) in blocks("toml script") {
        Script::parse(&text).unwrap_or_else(|e| panic!("block at line {line}: {e:#?}"));
    }
    for (line, text) in blocks("jinja") {
        crate::merge::Template::compile(&text, crate::merge::Escape::Text)
            .unwrap_or_else(|e| panic!("line {line}: {e}"));
    }
}

/// The mistake that names every key a table knows.
fn keys_of(text: &str, marker: &str) -> Vec<String> {
    let errors = parse(text).unwrap_err();
    let message = &errors.iter().find(|e| e.message.contains(marker)).unwrap_or_else(|| panic!("{errors:#?}")).message;
    let (_, list) = message.rsplit_once("expected ").unwrap();
    list.replace(" or ", ", ").split(", ").map(str::to_owned).collect()
}

#[test]
fn the_page_names_every_key_and_word() {
    let marker = "there is no \"zzzzzzzz\" here";
    let top = keys_of("zzzzzzzz = 1", marker);
    let settings = keys_of("[settings]\nzzzzzzzz = 1", marker);
    let step = keys_of("[[branch]]\nkey = \"main\"\n[[branch.step]]\nzzzzzzzz = 1", marker);
    let on = keys_of("[[branch]]\n[[branch.step]]\n[[branch.step.on]]\nzzzzzzzz = 1", marker);
    assert!(
        top.len() > 10 && settings.len() > 20 && step.len() > 20 && on.len() == 6,
        "{top:?} {settings:?} {step:?} {on:?}"
    );
    let of = |keys: Vec<String>, inner: &[&str]| {
        keys.into_iter().filter(|k| !inner.contains(&k.as_str())).collect::<Vec<_>>()
    };
    let keys = [of(top, &["settings", "branch"]), settings, of(step, &["variant", "on", "weight"]), on].concat();
    for key in keys {
        assert!(PAGE.contains(&format!("`{key}`")) || PAGE.contains(&format!("[[{key}]]")), "the page has no {key}");
    }
    for (word, _) in StepKind::WORDS.iter() {
        assert!(PAGE.contains(&format!("`{word}`")), "{word}");
    }
    for (path, _) in crate::merge::FIELDS {
        let name = path.rsplit('.').next().unwrap_or(path);
        assert!(PAGE.contains(&format!("`{name}`")), "{path}");
    }
    for filter in crate::merge::FILTERS {
        assert!(PAGE.contains(&format!("`{filter}")), "{filter}");
    }
}
