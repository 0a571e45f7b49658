//! Sequences as files, people as CSV: from an empty folder to a running sequence by the command line alone.

use super::{cadenza, told};
use cadenza_testkit::Scratch;
use cadenza_testkit::postgres::{TestDatabase, cluster};

/// A folder with a workspace, and what is said in it without the ids of this run.
struct Place {
    folder: Scratch,
    /// Which installation the commands are to work on.
    flags: Vec<String>,
    _server: Option<TestDatabase>,
}

impl Place {
    fn sqlite(name: &str) -> Place {
        Place::new(name, None)
    }

    /// `None` where PostgreSQL is not installed.
    fn postgres(name: &str) -> Option<Place> {
        Some(Place::new(name, Some(cluster()?.database())))
    }

    fn new(name: &str, server: Option<TestDatabase>) -> Place {
        let folder = Scratch::new(name);
        let mut flags = vec!["--data".to_owned(), folder.join("data").display().to_string()];
        flags.extend(server.iter().flat_map(|s| ["--database".to_owned(), s.url()]));
        let place = Place { folder, flags, _server: server };
        let made = place.run(&[
            "user",
            "add",
            "ada@example.com",
            "--name",
            "Ada",
            "--workspace",
            "Acme",
            "--zone",
            "Europe/Berlin",
            "--postal-address",
            "1 Main Street",
        ]);
        assert!(made.contains("exit code 0"), "{made}");
        place
    }

    fn run(&self, words: &[&str]) -> String {
        let words: Vec<&str> = words.iter().copied().chain(self.flags.iter().map(String::as_str)).collect();
        let text = told(&cadenza(&words)).replace(&self.folder.path().display().to_string(), "FOLDER");
        let id = |word: &str| {
            let (prefix, digits) = word.split_once('_')?;
            let digits = digits.trim_end_matches(|c: char| !c.is_alphanumeric());
            (prefix.len() == 3 && digits.len() == 13).then(|| word.replace(digits, "ID"))
        };
        let line = |line: &str| {
            line.split(' ').map(|word| id(word).unwrap_or_else(|| word.to_owned())).collect::<Vec<_>>().join(" ")
        };
        text.lines().map(line).collect::<Vec<_>>().join("\n")
    }

    fn write(&self, name: &str, text: &str) -> String {
        std::fs::write(self.folder.join(name), text).unwrap();
        self.folder.join(name).display().to_string()
    }
}

const NAME: &str = "Backend engineers, Berlin";

fn outreach() -> String {
    include_str!("../../../../../examples/outreach.toml").replace("list = \"Berlin backend, spring\"\n", "")
}

/// What the story says is the same on both databases.
fn on_both(name: &str, story: impl Fn(&Place) -> Vec<String>) {
    let text = |place: &Place| story(place).join("\n--\n");
    let first = text(&Place::sqlite(name));
    if let Some(place) = Place::postgres(name) {
        assert_eq!(text(&place), first, "the second database says something else");
    }
    insta::assert_snapshot!(name, first);
}

#[test]
fn a_file_becomes_a_running_sequence_and_applying_it_again_changes_nothing() {
    on_both("apply", from_file_to_end);
}

fn from_file_to_end(place: &Place) -> Vec<String> {
    let file = place.write("outreach.toml", &outreach());
    let mut story = vec![
        place.run(&["apply", "examples/outreach.toml", "--yes"]),
        place.run(&["apply", &file]),
        place.run(&["apply", &file, "--yes"]),
        place.run(&["apply", &file, "--yes"]),
        place.run(&["export"]),
    ];
    let exported = place.run(&["export", NAME]);
    let exported = exported.trim_end_matches("exit code 0");
    assert!(exported.contains("{{ snippet.closing }}") && exported.contains("[[snippet]]"), "{exported}");
    let again = place.write("exported.toml", exported);
    story.push(place.run(&["apply", &again, "--yes"]));
    story.push(place.run(&["import", "examples/contacts.csv"]));
    story.push(place.run(&["sequence", "activate", NAME]));
    story.push(place.run(&[
        "enroll",
        NAME,
        "--contact",
        "naomi.pemberton@lantern-foods.example",
        "--contact",
        "no@example.com",
    ]));
    story.push(place.run(&["enroll", NAME, "--all"]));
    let content = exported.replace("Would you be open to a first", "Would you like a first");
    story.push(place.run(&["apply", &place.write("content.toml", &content), "--yes"]));
    let structure = exported.replace("key = \"goodbye\"", "key = \"farewell\"");
    let structure = place.write("structure.toml", &structure);
    story.push(place.run(&["apply", &structure, "--yes"]));
    story.push(place.run(&["sequence", "pause", NAME]));
    story.push(place.run(&["apply", &structure, "--yes"]));
    story.push(place.run(&["apply", &structure, "--yes", "--move", "all"]));
    story.push(place.run(&["apply", &structure, "--yes", "--move", "everyone"]));
    story.push(place.run(&["apply", &structure, "--yes", "--move", "everyone"]));
    story.push(place.run(&["export", NAME, "--version", "9"]));
    let before = place.run(&["export", NAME, "--version", "1"]);
    let before = place.write("before.toml", before.trim_end_matches("exit code 0"));
    story.push(place.run(&["apply", &before, "--yes", "--move", "unreached"]));
    story.push(place.run(&["sequence", "end", NAME, "--yes"]));
    story.push(place.run(&["sequence", "archive", NAME]));
    story.push(place.run(&["sequence", "pause", NAME]));
    story
}

#[test]
fn a_template_is_applied_and_exported_as_a_sequence_is() {
    on_both("templates", template);
}

const TEMPLATE: &str = "name = \"First contact\"\nform = \"template\"\n\n[[branch]]\nkey = \"main\"\n\n[[branch.step]]\nkey = \"call\"\n\
    kind = \"call\"\ndelay = \"1 day\"\n";

fn template(place: &Place) -> Vec<String> {
    let file = place.write("template.toml", TEMPLATE);
    let mut story = vec![
        place.run(&["apply", &file]),
        place.run(&["apply", &file, "--yes"]),
        place.run(&["apply", &file, "--yes"]),
        place.run(&["export", "--template"]),
        place.run(&["export"]),
    ];
    let exported = place.run(&["export", "--template", "first CONTACT"]);
    let again = place.write("exported.toml", exported.trim_end_matches("exit code 0"));
    story.push(exported);
    story.push(place.run(&["apply", &again, "--yes"]));
    let changed = TEMPLATE.replace("1 day", "2 days").replace("\"template\"", "\"template_for_list\"");
    story.push(place.run(&["apply", &place.write("changed.toml", &changed), "--yes"]));
    let companies = changed.replace("form", "type = \"companies\"\nform");
    story.push(place.run(&["apply", &place.write("companies.toml", &companies), "--yes"]));
    let broken = changed.replace("\"call\"\ndelay", "\"email_auto\"\ndelay");
    story.push(place.run(&["apply", &place.write("broken.toml", &broken), "--yes"]));
    story.push(place.run(&["export", "--template", "First contract"]));
    story.push(place.run(&["export", "First contact"]));
    story
}

#[test]
fn mistakes_leave_nothing_half_done() {
    on_both("mistakes", mistakes);
}

fn mistakes(place: &Place) -> Vec<String> {
    let unknown = outreach().replace("contact.first_name", "contact.firstname");
    let contacts = "email,First Name\nada@example.com,Ada\nnot an address,Bob\n";
    vec![
        place.run(&["apply", &place.write("unknown.toml", &unknown), "--yes"]),
        place.run(&["apply", &place.write("broken.toml", "name = \"x\"\nzone = 1\n"), "--yes"]),
        place.run(&["export"]),
        place.run(&["import", &place.write("bad.csv", contacts), "--dry-run"]),
        place.run(&["import", &place.write("bad.csv", contacts), "--map", "First Name=shoe"]),
        place.run(&["sequence", "activate", "Backend"]),
        place.run(&["explain", "enr_0000000000001"]),
        place.run(&["stop", "enr_0000000000001", "--reason", "bored"]),
        place.run(&["erase", "enr_0000000000001"]),
        place.run(&["user", "add", "bob", "--name", "Bob"]),
        place.run(&["user", "link", "ada@example.com", "--workspace", "Acne"]),
        place.run(&["apply", &place.write("draft.toml", &outreach()), "--yes"]),
        place.run(&["sequence", "delete", NAME]),
        place.run(&["export"]),
    ]
}
