//! Templates and snippets by themselves, also those that no step uses: can they be read, and do their fields exist?

use super::content::unknown;
use super::{Finding, Findings, Severity};
use crate::flow::file::{EmailTemplate, Snippet, TextTemplate};
use crate::merge::{Escape, Known, expand, fields_used};

/// What is wrong with the records of a file or workspace; `known` need not name the snippets given here.
pub fn check_records(
    emails: &[EmailTemplate],
    texts: &[TextTemplate],
    snippets: &[Snippet],
    known: &Known,
) -> Vec<Finding> {
    let known = known.clone().with_snippets(snippets.iter().map(|s| s.name.as_str()));
    let mut records = Records { snippets, known, findings: Findings::default() };
    for t in emails {
        let whose = format!("Email template “{}”", t.name);
        records.part(&whose, "subject", &t.subject, Escape::Header);
        records.part(&whose, "text", &t.text, Escape::Text);
        records.part(&whose, "HTML", &t.html, Escape::Html);
    }
    for t in texts {
        records.part(&format!("Text template “{}”", t.name), "text", &t.text, Escape::Text);
    }
    for s in snippets {
        records.part(&format!("Snippet “{}”", s.name), "text", &s.text, Escape::Text);
    }
    records.findings.found
}

struct Records<'a> {
    snippets: &'a [Snippet],
    known: Known,
    findings: Findings,
}

impl Records<'_> {
    fn part(&mut self, whose: &str, name: &str, text: &str, escape: Escape) {
        let find = |name: &str| self.snippets.iter().find(|s| s.name == name).map(|s| s.text.as_str());
        let whole = expand(text, escape, &find).and_then(|whole| crate::merge::Template::compile(&whole, escape));
        if let Err(e) = whole {
            let message = format!("{whose}: in the {name}, {e}.");
            return self.findings.flow(Severity::Error, "invalid_template", message);
        }
        for field in fields_used(text) {
            if let Some(what) = unknown(&field.path, &self.known) {
                let message = format!("{whose}: in the {name}, line {}: {what}", field.line);
                self.findings.flow(Severity::Error, "unknown_field", message);
            }
        }
    }
}
