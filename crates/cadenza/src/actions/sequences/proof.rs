//! Proofreads the text of a sequence file while it is written: every mistake, finding and unknown name at its line. Changes
//! nothing and needs no sequence; what applying the file would do is in `apply`.

use super::super::templates;
use super::apply::{filled_flow, team};
use super::{ActionError, Caller, Fault, Privilege, Result, Tried, findings, referred};
use crate::app::App;
use cadenza_core::flow::Flow;
use cadenza_core::flow::check::{Finding, Severity};
use cadenza_core::flow::file::{self, Form, SequenceFile};
use cadenza_store::{Query, workspaces};

/// What a text says.
#[derive(Debug, Clone)]
pub struct Proof {
    /// With every wording in its place; `None` where the text cannot be read.
    pub flow: Option<Flow>,
    pub name: String,
    /// In the order of the text.
    pub remarks: Vec<Remark>,
}

/// One thing that is wrong or doubtful.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// Counted from 1.
    pub line: usize,
    pub severity: Severity,
    pub message: String,
}

/// What a text is to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    Sequence,
    Template,
}

impl Expected {
    /// # Errors
    /// `Invalid` where the file holds the other.
    pub fn check(self, file: &SequenceFile) -> Result<()> {
        match (self, file.form) {
            (Expected::Sequence, Form::Sequence) => Ok(()),
            (Expected::Template, Form::Template | Form::TemplateForList) => Ok(()),
            (Expected::Sequence, _) => {
                Err(ActionError::invalid("form", "This holds a template; a sequence was expected, which has no form."))
            }
            (Expected::Template, _) => {
                let why = "This holds a sequence; a template was expected, which says form = \"template\", or \
                           \"template_for_list\" where a list is to feed its sequences.";
                Err(ActionError::invalid("form", why))
            }
        }
    }
}

impl Proof {
    pub fn is_good(&self) -> bool {
        self.remarks.iter().all(|r| r.severity != Severity::Error)
    }
}

/// Proofreads a text.
///
/// # Errors
/// `Forbidden` for who may not save sequences.
pub async fn proofread(app: &App, caller: &Caller, text: &str, expected: Expected) -> Result<Proof> {
    caller.need(Privilege::SequencesSave)?;
    let read = match file::parse(text) {
        Ok(read) => read,
        Err(errors) => {
            let said = |e: file::FileError| Remark {
                line: e.line,
                severity: Severity::Error,
                message: if e.path.is_empty() { e.message } else { format!("{}: {}", e.path, e.message) },
            };
            return Ok(Proof { flow: None, name: String::new(), remarks: errors.into_iter().map(said).collect() });
        }
    };
    let (app2, caller2, file) = (app.clone(), caller.clone(), read.clone());
    let found = app.db.read_async(move |q| proofread_in(&app2, q, &caller2, &file, expected)).await?;
    let (flow, mut remarks) = match found {
        Ok((flow, found)) => (Some(flow), found.into_iter().map(|f| of_finding(text, f)).collect::<Vec<_>>()),
        Err(ActionError::Invalid(faults)) => (Some(read.flow()), remarks(text, &faults)),
        Err(e) => return Err(e),
    };
    remarks.sort_by_key(|r| (r.line, r.severity));
    Ok(Proof { flow, name: read.name, remarks })
}

fn proofread_in(
    app: &App,
    q: &mut Query,
    caller: &Caller,
    file: &SequenceFile,
    expected: Expected,
) -> Tried<(Flow, Vec<Finding>)> {
    if let Err(e) = expected.check(file) {
        return Ok(Err(e));
    }
    if let Err(e) = templates::owner(q, caller, file)? {
        return Ok(Err(e));
    }
    if let Err(e) = referred(q, caller, file)? {
        return Ok(Err(e));
    }
    if let Err(e) = team(q, caller, file)? {
        return Ok(Err(e));
    }
    let w = caller.workspace;
    let workspace = workspaces::get(q, w)?;
    let settings = file.settings.over(&workspace.settings.sequence);
    let flow = filled_flow(q, w, file)?;
    let snippets = file.snippets.iter().map(|s| s.name.clone()).collect();
    let found = findings(q, w, &flow, file.of, &settings, file.begin, &workspace, snippets, app.clock.now())?;
    Ok(Ok((flow, found)))
}

/// What an action refused of a text, at the lines that it is about.
pub fn remarks(text: &str, faults: &[Fault]) -> Vec<Remark> {
    let place = |field: &str| match field.strip_prefix("steps.") {
        Some(key) => line_of_step(text, key),
        None => line_of_key(text, field),
    };
    let said = |f: &Fault| Remark { line: place(&f.field), severity: Severity::Error, message: f.message.clone() };
    faults.iter().map(said).collect()
}

fn of_finding(text: &str, f: Finding) -> Remark {
    let line = match (&f.step, &f.branch) {
        (Some(key), _) | (None, Some(key)) => line_of_step(text, key.as_str()),
        (None, None) => 1,
    };
    Remark { line, severity: f.severity, message: f.message }
}

/// Where a step or branch of that key is written; the top where it is not.
fn line_of_step(text: &str, key: &str) -> usize {
    let is = |line: &str| {
        let value = line.trim().strip_prefix("key").map(str::trim_start).and_then(|l| l.strip_prefix('='));
        value
            .map(str::trim)
            .and_then(|v| v.strip_prefix(['"', '\'']))
            .is_some_and(|v| v.strip_prefix(key).is_some_and(|rest| rest.starts_with(['"', '\''])))
    };
    text.lines().position(is).map_or(1, |i| i + 1)
}

/// Where a key of the top is written.
fn line_of_key(text: &str, key: &str) -> usize {
    let is = |line: &str| line.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('='));
    text.lines().position(is).map_or(1, |i| i + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_those_of_the_text() {
        let text = "name = \"A\"\nlist = \"L\"\n[[branch]]\nkey = \"main\"\n[[branch.step]]\n  key   = 'intro-2'\n[[branch.step]]\nkey = \"intro\"\n";
        assert_eq!((line_of_step(text, "intro"), line_of_step(text, "intro-2"), line_of_step(text, "gone")), (8, 6, 1));
        assert_eq!((line_of_key(text, "list"), line_of_key(text, "team")), (2, 1));
    }
}
