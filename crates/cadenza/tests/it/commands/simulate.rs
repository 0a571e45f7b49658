//! `cadenza simulate` and `classify` over the examples and over files with mistakes.

use super::{cadenza, told};
use cadenza_testkit::Scratch;

#[test]
fn ten_invented_people_walk_through_the_example() {
    let output = cadenza(&[
        "simulate",
        "examples/outreach.toml",
        "--script",
        "examples/reactions.toml",
        "--start",
        "2027-03-01",
    ]);
    insta::assert_snapshot!(told(&output));
}

#[test]
fn the_example_with_its_people_repeats_to_the_byte() {
    let words = "simulate examples/outreach.toml --contacts examples/contacts.csv --script examples/reactions.toml \
                 --start 2027-03-01 --seed 3 --json";
    let words: Vec<&str> = words.split_whitespace().collect();
    let first = cadenza(&words);
    assert!(first.status.success(), "{}", told(&first));
    assert_eq!(first.stdout, cadenza(&words).stdout);
    let text = String::from_utf8(first.stdout).unwrap();
    for line in text.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
    let summary: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!(summary["summary"]["contacts"], 1_000);
    assert_eq!(summary["summary"]["seed"], 3);
}

#[test]
fn mistakes_name_file_line_and_field() {
    let folder = Scratch::new("simulate");
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).unwrap();
        folder.path().join(name).display().to_string()
    };
    let sequence = write(
        "bad.toml",
        "name = \"x\"\n[[branch]]\nkey = \"main\"\n[[branch.step]]\nkey = \"a\"\nkind = \"emial_auto\"\n",
    );
    let contacts = write("bad.csv", "email,time_zone\nada@example.com,Europe/Berln\nada,UTC\n");
    let script = write("bad-script.toml", "[[reaction]]\ndo = \"replay\"\n");
    let good = "examples/outreach.toml";
    let runs: [&[&str]; 5] = [
        &["simulate", &sequence],
        &["simulate", good, "--contacts", &contacts],
        &["simulate", good, "--script", &script],
        &["simulate", good, "--start", "soon"],
        &["simulate", "examples/no-such-file.toml"],
    ];
    let all: Vec<String> = runs.iter().map(|words| told(&cadenza(words))).collect();
    let all = all.join("\n\n").replace(&folder.path().display().to_string(), "FOLDER");
    insta::assert_snapshot!(all);
}

#[test]
fn classify_says_what_a_mail_is_and_goes_on_after_one_it_cannot_read() {
    let fixtures = "crates/cadenza-core/tests/inbound/fixtures";
    let paths: Vec<String> =
        ["auto-out-of-office.eml", "no-such.eml", "bounce-report-hard.eml", "reply-plain.eml", "complaint.eml"]
            .iter()
            .map(|name| format!("{fixtures}/{name}"))
            .collect();
    let words: Vec<&str> = std::iter::once("classify").chain(paths.iter().map(String::as_str)).collect();
    insta::assert_snapshot!(told(&cadenza(&words)));
    let json = cadenza(&["classify", "--json", &paths[2]]);
    let line: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!((line["kind"].as_str(), line["bounce_type"].as_str()), (Some("bounce"), Some("hard")));
}
