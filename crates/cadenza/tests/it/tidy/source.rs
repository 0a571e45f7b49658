//! The repository's text files, as git knows them, and for Rust the same text without comments, string contents and
//! test modules. A small lexer rather than a parser: it must only never mistake a comment or a string for code.

use super::Finding;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Beyond this a file has two subjects, or one that a reader loses sight of.
const LINES_AT_MOST: usize = 600;
/// A screen is seventy; a few more for a table that would not be clearer in two.
const FUNCTION_LINES_AT_MOST: usize = 80;
/// A file's opening words; longer ones belong to the items they speak of.
const OPENING_AT_MOST: usize = 15;

/// One file.
#[derive(Debug)]
pub struct Source {
    /// From the repository's root, with slashes.
    pub path: String,
    pub text: String,
    /// For Rust the code alone, line for line as in `text`: comments and the contents of strings are blank. Otherwise empty.
    pub code: Vec<String>,
    /// Whether a line belongs to tests: one flag for each of `code`.
    in_tests: Vec<bool>,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Self {
        let rust = path.ends_with(".rs");
        let code = if rust { code_of(text) } else { Vec::new() };
        let all = path.contains("/tests/") || path.ends_with("tests.rs");
        let in_tests = if all { vec![true; code.len()] } else { test_lines(&code) };
        Source { path: path.to_owned(), text: text.to_owned(), code, in_tests }
    }

    /// Line numbers, from 1, and the lines of `text`.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }

    /// Whether a line, counted from 1, belongs to tests.
    pub fn is_test(&self, line: usize) -> bool {
        self.in_tests.get(line - 1).copied().unwrap_or(false)
    }

    pub fn finding(&self, line: usize, what: impl Into<String>) -> Finding {
        Finding { place: format!("{}:{line}", self.path), what: what.into() }
    }

    /// Too long, or without opening words.
    pub fn shape(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        if !self.path.ends_with(".rs") {
            return findings;
        }
        let lines = self.text.lines().count();
        if lines > LINES_AT_MOST {
            let what = format!("{lines} lines, {LINES_AT_MOST} at most: split it by noun or by verb");
            findings.push(self.finding(lines, what));
        }
        let opening = self.text.lines().take_while(|line| line.starts_with("//!")).count();
        if opening == 0 {
            let what = "begin with one to five lines of `//!`: what the file is for and what it leaves to others";
            findings.push(self.finding(1, what));
        }
        if opening > OPENING_AT_MOST {
            let what = format!("{opening} opening lines, {OPENING_AT_MOST} at most: say the rest at the items");
            findings.push(self.finding(1, what));
        }
        for (line, length) in self.functions().into_iter().filter(|(_, length)| *length > FUNCTION_LINES_AT_MOST) {
            let what = format!("a function of {length} lines, {FUNCTION_LINES_AT_MOST} at most: give its parts names");
            findings.push(self.finding(line, what));
        }
        findings
    }

    /// Where each function outside tests begins, and how many lines it has from there to its closing brace.
    fn functions(&self) -> Vec<(usize, usize)> {
        let mut functions = Vec::new();
        for (index, line) in self.code.iter().enumerate().filter(|(index, _)| !self.is_test(index + 1)) {
            let declares = line.split(' ').take_while(|word| *word != "{").any(|word| word == "fn");
            if declares && let Some(length) = block_length(&self.code[index..]) {
                functions.push((index + 1, length));
            }
        }
        functions
    }
}

/// The lines up to the end of the first block in braces; `None` where a semicolon comes first.
fn block_length(code: &[String]) -> Option<usize> {
    let mut depth = 0;
    let mut parentheses = 0;
    for (index, line) in code.iter().enumerate() {
        for character in line.chars() {
            match character {
                '(' | '[' => parentheses += 1,
                ')' | ']' => parentheses -= 1,
                ';' if depth == 0 && parentheses == 0 => return None,
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => continue,
            }
            if depth == 0 && character == '}' {
                return Some(index + 1);
            }
        }
    }
    None
}

pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// Every text file that git has or would take, generated lock files aside.
pub fn tracked() -> Vec<Source> {
    let listing = Command::new("git")
        .current_dir(root())
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .output()
        .unwrap_or_else(|error| panic!("git lists the files to read, and did not start: {error}"));
    assert!(listing.status.success(), "git ls-files: {}", String::from_utf8_lossy(&listing.stderr));
    let listing = String::from_utf8_lossy(&listing.stdout).into_owned();
    let paths: BTreeSet<&str> = listing.split('\0').filter(|path| !path.is_empty()).collect();
    let generated = |path: &str| path.ends_with("Cargo.lock") || path.ends_with("package-lock.json");
    let mut sources: Vec<_> = paths
        .into_iter()
        .filter(|path| !generated(path))
        // Pictures and mails in other encodings are no text; what was deleted and not yet committed is gone.
        .filter_map(|path| Some(Source::new(path, &std::fs::read_to_string(root().join(path)).ok()?)))
        .collect();
    mark_test_modules(&mut sources);
    sources
}

/// `#[cfg(test)] mod stories;` makes a test of the file that it names and of all below.
fn mark_test_modules(sources: &mut [Source]) {
    let mut tests = Vec::new();
    for source in sources.iter().filter(|source| source.path.ends_with(".rs")) {
        for pair in source.code.windows(2) {
            let declared = pair[1].trim().strip_suffix(';').and_then(|line| line.rsplit_once("mod "));
            if let (true, Some((_, name))) = (pair[0].trim() == "#[cfg(test)]", declared) {
                let stem = source.path.trim_end_matches(".rs");
                let folder = ["/mod", "/lib", "/main"].iter().find_map(|own| stem.strip_suffix(own)).unwrap_or(stem);
                tests.push(format!("{folder}/{name}"));
            }
        }
    }
    for source in sources {
        let is = |test: &String| source.path.strip_prefix(test).is_some_and(|rest| rest.starts_with(['.', '/']));
        if tests.iter().any(is) {
            source.in_tests.fill(true);
        }
    }
}

/// The lines of `#[cfg(test)] mod … { }`.
fn test_lines(code: &[String]) -> Vec<bool> {
    let mut flags = vec![false; code.len()];
    let mut line = 0;
    while line < code.len() {
        let begins =
            code[line].trim() == "#[cfg(test)]" && code.get(line + 1).is_some_and(|next| next.contains("mod "));
        if !begins {
            line += 1;
            continue;
        }
        let mut depth = 0;
        let mut opened = false;
        while line < code.len() {
            flags[line] = true;
            for character in code[line].chars() {
                depth += i32::from(character == '{') - i32::from(character == '}');
                opened |= character == '{' || (character == ';' && depth == 0);
            }
            line += 1;
            if opened && depth == 0 {
                break;
            }
        }
    }
    flags
}

/// Blanks comments and the contents of strings and characters, keeping every line's number and column.
fn code_of(text: &str) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while at < characters.len() {
        let end = token_end(&characters, at);
        let quoted = end - at > 1;
        for (index, character) in characters[at..end].iter().enumerate() {
            let edge = characters[at] != '/' && (index == 0 || index == end - at - 1);
            code.push(if !quoted || edge || *character == '\n' { *character } else { ' ' });
        }
        at = end;
    }
    code.split('\n').map(str::to_owned).collect()
}

/// Where the comment, string or character that begins at `at` ends; `at + 1` where none begins.
fn token_end(characters: &[char], at: usize) -> usize {
    let next = |ahead: usize| characters.get(at + ahead).copied().unwrap_or('\n');
    let find = |from: usize, pattern: &[char]| {
        let rest = characters.get(from..).unwrap_or_default();
        rest.windows(pattern.len()).position(|window| window == pattern).map_or(characters.len(), |found| from + found)
    };
    let word_before = at > 0 && (characters[at - 1].is_alphanumeric() || characters[at - 1] == '_');
    match characters[at] {
        '/' if next(1) == '/' => find(at, &['\n']),
        '/' if next(1) == '*' => block_comment_end(characters, at),
        '"' => string_end(characters, at),
        'r' if !word_before && (next(1) == '"' || next(1) == '#') => {
            let hashes = characters[at + 1..].iter().take_while(|character| **character == '#').count();
            if next(hashes + 1) != '"' {
                return at + 1; // a raw identifier such as r#type
            }
            let closing: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
            (find(at + hashes + 2, &closing) + closing.len()).min(characters.len())
        }
        // A lifetime has no closing quote after its one letter or escape.
        '\'' if next(1) == '\\' => (find(at + 3, &['\'']) + 1).min(characters.len()),
        '\'' if next(2) == '\'' => at + 3,
        _ => at + 1,
    }
}

fn string_end(characters: &[char], at: usize) -> usize {
    let mut end = at + 1;
    while end < characters.len() && characters[end] != '"' {
        end += if characters[end] == '\\' { 2 } else { 1 };
    }
    (end + 1).min(characters.len())
}

fn block_comment_end(characters: &[char], at: usize) -> usize {
    let mut depth = 0;
    let mut end = at;
    while end < characters.len() {
        match (characters[end], characters.get(end + 1)) {
            ('/', Some('*')) => (depth, end) = (depth + 1, end + 2),
            ('*', Some('/')) => (depth, end) = (depth - 1, end + 2),
            _ => end += 1,
        }
        if depth == 0 {
            return end;
        }
    }
    characters.len()
}

#[test]
fn comments_and_strings_are_blank() {
    let source = Source::new(
        "a.rs",
        "let a = \"x // y\"; // z\nlet b = 'c'; let r#type = r#\"\"q\"\"#;\n/* /* */ d */ e\n'\\'' f<'a>",
    );
    let code: Vec<_> = source.code.iter().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(code, ["let a = \" \";", "let b = ' '; let r#type = r #;", "e", "' ' f<'a>"]);
}

#[test]
fn test_modules_are_known() {
    let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n  fn b() { \"}\" }\n}\nfn c() {}\n";
    let source = Source::new("crates/x/src/a.rs", text);
    assert_eq!((1..=6).map(|line| source.is_test(line)).collect::<Vec<_>>(), [false, true, true, true, true, false]);

    let mut sources = vec![
        Source::new("crates/x/src/a/mod.rs", "#[cfg(test)]\nmod stories;\nmod days;\n"),
        Source::new("crates/x/src/a/stories.rs", "fn f() {}\n"),
        Source::new("crates/x/src/a/stories/one.rs", "fn f() {}\n"),
        Source::new("crates/x/src/a/days.rs", "fn f() {}\n"),
    ];
    mark_test_modules(&mut sources);
    assert_eq!(sources.iter().map(|source| source.is_test(1)).collect::<Vec<_>>(), [true, true, true, false]);
}

#[test]
fn a_long_file_and_one_without_a_beginning_are_found() {
    let long = format!("//! Long.\n{}", "fn a() {}\n".repeat(600));
    assert!(Source::new("a.rs", &long).shape()[0].what.starts_with("601 lines"));
    assert!(Source::new("a.rs", "fn a() {}\n").shape()[0].what.starts_with("begin with"));
    assert_eq!(Source::new("a.rs", "//! Good.\n").shape(), []);
}

#[test]
fn a_long_function_is_found() {
    let body = |lines| {
        format!("//! F.\ntrait T {{\n    fn a(x: [u8; 2]);\n}}\nfn b(\n) {{\n{}}}\n", "    x();\n".repeat(lines))
    };
    assert_eq!(Source::new("a.rs", &body(77)).shape(), []);
    let found = Source::new("a.rs", &body(78)).shape();
    assert_eq!(found.len(), 1);
    assert!(found[0].place == "a.rs:5" && found[0].what.starts_with("a function of 81 lines"), "{found:?}");
}
