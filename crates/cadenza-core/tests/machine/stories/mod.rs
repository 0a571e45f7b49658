//! Life stories: each file of this folder is a sequence, what happens, and the trace that must come of it. To write the
//! traces anew after a change of the machine, run with `STORIES=write`, and read every difference.

mod script;
mod tell;

use std::path::{Path, PathBuf};

/// The parts of a story, as they stand in its file.
#[derive(Debug, Clone)]
pub struct Story {
    pub path: PathBuf,
    /// Title and prose.
    pub about: String,
    pub sequence: String,
    /// A later version of the flow, where the story has one.
    pub version: Option<String>,
    pub timeline: String,
    pub trace: String,
}

const MARK: &str = "=== ";

fn read(path: &Path) -> Story {
    let text = std::fs::read_to_string(path).unwrap();
    let mut story = Story {
        path: path.to_owned(),
        about: String::new(),
        sequence: String::new(),
        version: None,
        timeline: String::new(),
        trace: String::new(),
    };
    let mut part = &mut story.about;
    for line in text.lines() {
        match line.strip_prefix(MARK) {
            Some("sequence") => part = &mut story.sequence,
            Some("a later version") => part = story.version.insert(String::new()),
            Some("what happens") => part = &mut story.timeline,
            Some("what comes of it") => part = &mut story.trace,
            Some(other) => panic!("{}: {other:?} is no part of a story", path.display()),
            None => {
                part.push_str(line);
                part.push('\n');
            }
        }
    }
    story
}

fn write(story: &Story, trace: &str) {
    let mut text = format!("{}{MARK}sequence\n{}", story.about, story.sequence);
    if let Some(version) = &story.version {
        text += &format!("{MARK}a later version\n{version}");
    }
    text += &format!("{MARK}what happens\n{}{MARK}what comes of it\n{trace}", story.timeline);
    std::fs::write(&story.path, text).unwrap();
}

#[test]
fn every_story_ends_as_it_is_told() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/machine/stories");
    let files = std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().path());
    let mut files: Vec<PathBuf> = files.filter(|p| p.extension().is_some_and(|e| e == "txt")).collect();
    files.sort();
    assert!(files.len() >= 16, "the stories are there: {files:?}");
    let mut wrong = Vec::new();
    for path in files {
        let story = read(&path);
        let trace = tell::tell(&story);
        if std::env::var("STORIES").is_ok_and(|v| v == "write") {
            write(&story, &trace);
        } else if trace != story.trace {
            wrong.push(format!("{}\n{}", path.display(), difference(&story.trace, &trace)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Line by line: what is told and what came of it.
fn difference(told: &str, came: &str) -> String {
    let (told, came): (Vec<&str>, Vec<&str>) = (told.lines().collect(), came.lines().collect());
    let mut out = Vec::new();
    for i in 0..told.len().max(came.len()) {
        let (t, c) = (told.get(i), came.get(i));
        if t == c {
            continue;
        }
        out.extend(t.map(|t| format!("  told {t}")));
        out.extend(c.map(|c| format!("  came {c}")));
    }
    out.join("\n")
}
