//! Links from one document of the repository to another file or heading. Addresses on the web are not followed: a test
//! needs no network.

use super::Finding;
use super::source::{Source, root};
use std::path::{Component, Path, PathBuf};

pub fn broken(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources.iter().filter(|source| source.path.ends_with(".md")) {
        for (line, target) in links(&source.text) {
            if let Some(what) = problem(sources, &source.path, &target) {
                findings.push(source.finding(line, what));
            }
        }
    }
    findings
}

fn problem(sources: &[Source], from: &str, target: &str) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (path, heading) = target.split_once('#').map_or((target, None), |(path, heading)| (path, Some(heading)));
    let path = if path.is_empty() { PathBuf::from(from) } else { beside(from, path) };
    let known = sources.iter().find(|source| Path::new(&source.path) == path);
    if known.is_none() && !root().join(&path).exists() {
        return Some(format!("the link to `{target}` leads nowhere: there is no {}", path.display()));
    }
    let (heading, known) = (heading?, known?);
    let headings = headings(&known.text);
    (!headings.iter().any(|slug| slug == heading))
        .then(|| format!("the link to `{target}` leads nowhere: {} has the headings {headings:?}", path.display()))
}

fn beside(from: &str, path: &str) -> PathBuf {
    let mut whole = Path::new(from).parent().map(Path::to_owned).unwrap_or_default();
    for component in Path::new(path).components() {
        match component {
            Component::ParentDir => drop(whole.pop()),
            Component::Normal(name) => whole.push(name),
            _ => {}
        }
    }
    whole
}

/// The lines that are no code, with their numbers.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        (!fenced && !fence).then_some((index + 1, line))
    })
}

/// `[text](target)` with the number of its line.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut links = Vec::new();
    for (number, line) in prose(text) {
        for (at, _) in line.match_indices("](") {
            let target = line[at + 2..].split([')', ' ']).next().unwrap_or_default();
            let quoted = line[..at].matches('`').count() % 2 == 1;
            if !quoted && !target.is_empty() {
                links.push((number, target.to_owned()));
            }
        }
    }
    links
}

/// Headings as a link names them: lower case, spaces as hyphens, no punctuation.
fn headings(text: &str) -> Vec<String> {
    let titles =
        prose(text).filter(|(_, line)| line.starts_with('#')).map(|(_, line)| line.trim_start_matches('#').trim());
    titles
        .map(|title| {
            let kept = title.to_lowercase().replace(' ', "-");
            kept.chars().filter(|c| c.is_alphanumeric() || *c == '-' || *c == '_').collect()
        })
        .collect()
}

#[test]
fn planted_links_are_found() {
    let text = "# One thing\n[a](b.md) [c](../README.md#the-tour)\n```\n[x](gone.md)\n```\n`[y](gone.md)` [d](gone.md)\n[e](#two)\n[f](#one-thing) [g](https://shop.example/)\n";
    let sources =
        [Source::new("docs/a.md", text), Source::new("docs/b.md", ""), Source::new("README.md", "## The tour!\n")];
    let places: Vec<_> = broken(&sources).into_iter().map(|finding| finding.place).collect();
    assert_eq!(places, ["docs/a.md:6", "docs/a.md:7"]);
}
