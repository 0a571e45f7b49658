//! Sequences and their templates as files (SEQ-11): TOML that is pleasant to write by hand and to compare. The format is
//! described in `docs/sequence-file.md`. Reading, writing and comparing only; applying a file to a workspace is elsewhere.

mod conditions;
mod plan;
mod read;
mod settings;
mod steps;
mod words;
mod write;

#[cfg(test)]
mod page;
#[cfg(test)]
mod tests;

pub use crate::document::FileError;
pub use plan::{Change, ChangeKind, plan};
pub use settings::SettingsPatch;

use super::{Branch, Channel, Flow, Priority};
use crate::merge::{Escape, Known, Of, expand};
use crate::time::Time;
use serde::{Deserialize, Serialize};

/// A file: one sequence or sequence template, and the email templates, text templates and snippets that go with it.
#[derive(Debug, Clone, PartialEq)]
pub struct SequenceFile {
    /// Unique in the workspace; what `apply` finds the sequence by.
    pub name: String,
    pub description: String,
    pub of: Of,
    pub form: Form,
    /// By sign-in address; of a template.
    pub owner: Option<String>,
    /// By sign-in address; where there is none, who activates it.
    pub primary_user: Option<String>,
    /// By sign-in address.
    pub team: Vec<String>,
    /// By name.
    pub list: Option<String>,
    pub begin: Option<Time>,
    pub end: Option<Time>,
    pub priority: Priority,
    pub settings: SettingsPatch,
    pub branches: Vec<Branch>,
    pub email_templates: Vec<EmailTemplate>,
    pub text_templates: Vec<TextTemplate>,
    pub snippets: Vec<Snippet>,
}

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    #[default]
    Sequence,
    /// A template whose sequences enroll one by one.
    Template,
    /// A template whose sequences are fed by a list (SEQ-1).
    TemplateForList,
}

/// A wording of emails, used by steps and by users (SEQ-12).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct EmailTemplate {
    pub name: String,
    pub subject: String,
    pub text: String,
    pub html: String,
}

/// A wording of texts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TextTemplate {
    pub name: String,
    pub text: String,
}

/// A passage that templates take in by `{{ snippet.name }}`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Snippet {
    /// Letters, digits and underscores, as it stands in templates.
    pub name: String,
    pub text: String,
}

/// Reads a file. All mistakes are named at once, in the order of the text.
pub fn parse(text: &str) -> Result<SequenceFile, Vec<FileError>> {
    crate::document::read(text, read::file)
}

/// Writes a file: the same value always gives the same text, and [`parse`] gives the value back.
pub fn write(file: &SequenceFile) -> String {
    write::file(file)
}

impl SequenceFile {
    /// An empty sequence of that name.
    pub fn new(name: &str) -> SequenceFile {
        SequenceFile {
            name: name.to_owned(),
            description: String::new(),
            of: Of::Contacts,
            form: Form::Sequence,
            owner: None,
            primary_user: None,
            team: Vec::new(),
            list: None,
            begin: None,
            end: None,
            priority: Priority::Normal,
            settings: SettingsPatch::default(),
            branches: Vec::new(),
            email_templates: Vec::new(),
            text_templates: Vec::new(),
            snippets: Vec::new(),
        }
    }

    /// The flow, at version 1, with the wording of the file's own templates in the variants that name them, and its own
    /// snippets in their places.
    pub fn flow(&self) -> Flow {
        let mut flow = Flow { version: 1, branches: self.branches.clone() };
        flow.take_wordings(|channel, name| match channel {
            Channel::Email => self.email_templates.iter().find(|t| t.name == name).cloned(),
            _ => self.text_templates.iter().find(|t| t.name == name).map(|t| EmailTemplate {
                name: t.name.clone(),
                text: t.text.clone(),
                ..EmailTemplate::default()
            }),
        });
        flow.take_snippets(&|name| self.snippet(name));
        flow
    }

    /// The merge fields that the file's templates may use; the workspace's custom fields and snippets come to them.
    pub fn known(&self) -> Known {
        Known::new(self.of)
    }

    /// The text of one of the file's snippets.
    pub fn snippet(&self, name: &str) -> Option<&str> {
        self.snippets.iter().find(|s| s.name == name).map(|s| s.text.as_str())
    }
}

impl Flow {
    /// Puts the wording of templates into the variants that name them; a text template has no subject and no HTML. A
    /// template that is not found leaves its variant empty, which `check` reports.
    pub fn take_wordings(&mut self, find: impl Fn(Channel, &str) -> Option<EmailTemplate>) {
        for step in self.branches.iter_mut().flat_map(|b| &mut b.steps) {
            let channel = step.kind.channel();
            for variant in &mut step.content.variants {
                let Some(name) = &variant.template else { continue };
                let found = find(channel, name).unwrap_or_default();
                (variant.subject, variant.text, variant.html) = (found.subject, found.text, found.html);
            }
        }
    }

    /// Puts snippets in their places in every wording, once for all who get it. A wording that cannot be read, or whose
    /// snippets stand in themselves, stays as it is, which `check` reports; so do snippets that are not found.
    pub fn take_snippets<'a>(&mut self, find: &dyn Fn(&str) -> Option<&'a str>) {
        for step in self.branches.iter_mut().flat_map(|b| &mut b.steps) {
            for v in &mut step.content.variants {
                let parts =
                    [(&mut v.subject, Escape::Header), (&mut v.text, Escape::Text), (&mut v.html, Escape::Html)];
                for (part, escape) in parts {
                    if part.contains("snippet")
                        && let Ok(expanded) = expand(part, escape, find)
                    {
                        *part = expanded;
                    }
                }
            }
        }
    }
}
