//! Holds the source to the rules that the compiler and clippy cannot know: which crate may depend on what, which file
//! may say what, how long a file may be, that links lead somewhere. The rules are data; each says why it is there and
//! what to do instead, and is tried on planted offences.

mod imports;
mod links;
mod packages;
mod source;
mod words;

use source::Source;

/// One breach of a rule, as the failed test prints it.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    /// `path:line`, or a package.
    place: String,
    /// What is wrong, why that matters and what to do instead.
    what: String,
}

fn hold(findings: Vec<Finding>) {
    let lines: Vec<_> = findings.iter().map(|finding| format!("{}: {}", finding.place, finding.what)).collect();
    assert!(lines.is_empty(), "{} not tidy:\n\n{}\n", lines.len(), lines.join("\n"));
}

#[test]
fn packages_have_allowed_licences() {
    hold(packages::licences(&packages::read()));
}

#[test]
fn packages_stand_once_but_for_the_reviewed() {
    hold(packages::doubled(&packages::read()));
}

#[test]
fn crates_depend_on_what_their_part_allows() {
    hold(packages::dependencies(&packages::read()));
}

#[test]
fn manifests_take_the_workspace_lints() {
    hold(packages::manifests(&source::tracked()));
}

#[test]
fn words_stand_where_they_may() {
    hold(words::misplaced(&source::tracked()));
}

#[test]
fn files_say_what_they_are_for_and_stay_readable() {
    hold(source::tracked().iter().flat_map(Source::shape).collect());
}

#[test]
fn names_say_what_a_thing_does() {
    hold(source::tracked().iter().flat_map(words::empty_names).collect());
}

#[test]
fn parts_import_only_what_they_may() {
    hold(imports::forbidden(&source::tracked()));
}

#[test]
fn links_in_documents_lead_somewhere() {
    hold(links::broken(&source::tracked()));
}
