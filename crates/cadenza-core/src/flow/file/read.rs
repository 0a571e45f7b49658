//! Reads a file's top: the sequence itself, its settings and its templates. Branches and steps are read in `steps`.

use super::steps::{Places, branches};
use super::words::Words;
use super::{EmailTemplate, Form, SequenceFile, SettingsPatch, Snippet, TextTemplate};
use crate::document::Section;
use crate::flow::Priority;
use crate::merge::Of;
use crate::time::Time;
use std::collections::HashMap;

pub(super) fn file(root: &Section<'_, '_>) -> Option<SequenceFile> {
    let name = root.required("name", "the name of the sequence", root.text("name"));
    if name.as_deref().is_some_and(|n| n.trim().is_empty()) {
        root.item("name")?.wrong("the name is empty: expected the name of the sequence");
    }
    let mut file = SequenceFile::new(&name.unwrap_or_default());
    file.description = root.text_or_empty("description");
    file.form = root.word("form", Form::WORDS).unwrap_or_default();
    file.of = root.word("type", Of::WORDS).unwrap_or(Of::Contacts);
    file.owner = root.text("owner");
    file.primary_user = root.text("primary_user");
    file.team = root.items("team").iter().filter_map(|user| user.text()).collect();
    file.list = root.text("list");
    file.begin = moment(root, "begin");
    file.end = moment(root, "end");
    file.priority = root.word("priority", Priority::WORDS).unwrap_or_default();
    span(root, &file);
    template_only(root, &file);
    if let Some(section) = root.item("settings").and_then(|item| item.section()) {
        file.settings = SettingsPatch::read(&section);
        section.finish();
    }
    let mut places = Places::default();
    file.branches = branches(root, &mut places);
    places.check();
    if file.branches.is_empty() && !root.has("branch") {
        root.wrong("branch is missing: expected at least one [[branch]] with key = \"main\" and its steps");
    }
    templates(root, &mut file);
    Some(file)
}

/// With its offset: a file does not know the workspace's zone.
fn moment(root: &Section<'_, '_>, key: &'static str) -> Option<Time> {
    let item = root.item(key)?;
    item.parsed()
}

fn span(root: &Section<'_, '_>, file: &SequenceFile) {
    if let (Some(begin), Some(end)) = (file.begin, file.end)
        && end <= begin
        && let Some(item) = root.item("end")
    {
        item.wrong(format!("the end is not after the begin, {begin}"));
    }
}

/// What only a sequence or only a template has.
fn template_only(root: &Section<'_, '_>, file: &SequenceFile) {
    let (keys, why): (&[&'static str], _) = match file.form {
        Form::Sequence => (&["owner"], "only a template has an owner: expected primary_user"),
        Form::Template | Form::TemplateForList => (
            &["primary_user", "team", "list", "begin", "end"],
            "a template never runs itself; this is asked when it is activated",
        ),
    };
    keys.iter().filter(|key| root.has(key)).filter_map(|key| root.item(key)).for_each(|item| item.wrong(why));
}

fn templates(root: &Section<'_, '_>, file: &mut SequenceFile) {
    let mut seen = HashMap::new();
    for section in root.sections("email_template") {
        let name = name_of(&section, "email template", &mut seen);
        let template = EmailTemplate {
            name: name.unwrap_or_default(),
            subject: section.text_or_empty("subject"),
            text: section.text_or_empty("text"),
            html: section.text_or_empty("html"),
        };
        section.finish();
        file.email_templates.push(template);
    }
    for section in root.sections("text_template") {
        let name = name_of(&section, "text template", &mut seen);
        let template = TextTemplate { name: name.unwrap_or_default(), text: section.text_or_empty("text") };
        section.finish();
        file.text_templates.push(template);
    }
    for section in root.sections("snippet") {
        let name = name_of(&section, "snippet", &mut seen).unwrap_or_default();
        let good = |n: &str| {
            let mut letters = n.chars();
            letters.next().is_some_and(|c| c.is_ascii_alphabetic())
                && letters.all(|c| c.is_ascii_alphanumeric() || c == '_')
                && !n.contains("__")
        };
        if !name.is_empty() && !good(&name) {
            let what =
                "a snippet's name stands in templates: expected letters, digits and single underscores, a letter first";
            section.item("name").into_iter().for_each(|item| item.wrong(what));
        }
        let snippet = Snippet { name, text: section.text_or_empty("text") };
        section.finish();
        file.snippets.push(snippet);
    }
}

fn name_of(
    section: &Section<'_, '_>,
    what: &'static str,
    seen: &mut HashMap<(&'static str, String), ()>,
) -> Option<String> {
    let name = section.required("name", "the name that steps use it by", section.text("name"))?;
    if name.trim().is_empty() {
        section.wrong(format!("the name of this {what} is empty"));
    } else if seen.insert((what, name.clone()), ()).is_some() {
        section.wrong(format!("there are two {what}s called {name:?}: names must differ"));
    }
    Some(name)
}
