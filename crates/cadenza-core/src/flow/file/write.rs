//! Writes a file: the sequence, its settings, its branches, then its templates. Steps are written in `steps`.

use super::steps::{write_branch, write_word};
use super::words::Words;
use super::{Form, SequenceFile};
use crate::document::write::{Writer, one_line, texts};
use crate::merge::Of;
use crate::time::Time;

pub(super) fn file(file: &SequenceFile) -> String {
    let mut out = Writer::default();
    out.entry("name", one_line(&file.name));
    out.text("description", &file.description);
    if file.form != Form::Sequence {
        out.entry("form", one_line(file.form.word()));
    }
    if file.of != Of::Contacts {
        out.entry("type", one_line(file.of.word()));
    }
    out.text_if("owner", file.owner.as_deref());
    out.text_if("primary_user", file.primary_user.as_deref());
    if !file.team.is_empty() {
        out.entry("team", texts(file.team.iter().map(String::as_str)));
    }
    out.text_if("list", file.list.as_deref());
    file.begin.into_iter().for_each(|t| out.entry("begin", moment(t)));
    file.end.into_iter().for_each(|t| out.entry("end", moment(t)));
    write_word(&mut out, "priority", file.priority);
    file.settings.write(&mut out);
    file.branches.iter().for_each(|branch| write_branch(branch, &mut out));
    for t in &file.email_templates {
        out.heading("[[email_template]]");
        out.entry("name", one_line(&t.name));
        out.text("subject", &t.subject);
        out.text("text", &t.text);
        out.text("html", &t.html);
    }
    for t in &file.text_templates {
        out.heading("[[text_template]]");
        out.entry("name", one_line(&t.name));
        out.text("text", &t.text);
    }
    for s in &file.snippets {
        out.heading("[[snippet]]");
        out.entry("name", one_line(&s.name));
        out.text("text", &s.text);
    }
    out.finish()
}

/// As TOML's own moment; one that TOML cannot name is a text.
fn moment(t: Time) -> String {
    let text = t.to_string();
    if text.starts_with(|c: char| c.is_ascii_digit()) { text } else { one_line(&text) }
}
