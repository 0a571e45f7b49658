//! The text of a sequence in an editor: its mistakes at their lines and the flow as a picture while one writes; for a sequence
//! that is there, what saving would do to it and to whoever is in it, before it is done (SEQ-9, SEQ-11).

use super::super::flow_picture::{Shown, draw};
use super::super::form::Typed;
use super::super::page::html;
use super::super::parts::Icon;
use super::super::said;
use super::super::shell::{Place, Shell};
use super::super::viewer::Viewer;
use super::state;
use crate::App;
use crate::actions::sequences::{self as actions, Expected, Planned, Proof, Remark, SequenceChange};
use crate::actions::{ActionError, Caller, Privilege};
use crate::http::error::Result;
use crate::http::wire::Params;
use askama::Template;
use axum::extract::{Form, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use cadenza_core::flow::check::Severity;
use cadenza_core::flow::edit::Movers;
use cadenza_core::flow::file::{self, SequenceFile};
use cadenza_core::ids::SequenceId;
use serde::Deserialize;
use std::fmt::Write;

/// What one may begin with: in the address, in words, and the text.
pub const EXAMPLES: &[(&str, &str, &str)] = &[
    ("three-letters", "Three letters", include_str!("../../../../../../examples/three-letters.toml")),
    ("letters-and-calls", "Letters and calls", include_str!("../../../../../../examples/letters-and-calls.toml")),
    ("blank", "One step", BLANK),
];
const BLANK: &str =
    "name = \"\"\n\n[[branch]]\nkey = \"main\"\n\n[[branch.step]]\nkey = \"first\"\nkind = \"task\"\nname = \"\"\n";

#[derive(Debug, Template)]
#[template(path = "sequences/editor.html", blocks = ["main", "checked"])]
pub struct EditorPage {
    pub shell: Shell,
    pub title: String,
    /// What is written: a sequence or a template; and where those are listed.
    pub what: &'static str,
    pub root: &'static str,
    /// Where the form goes.
    pub path: String,
    pub back: String,
    pub text: String,
    /// Of a new sequence: what one may begin with, and which was chosen.
    pub examples: Vec<(&'static str, &'static str, bool)>,
    pub checked: Checked,
    /// What saving would do, to be agreed to.
    pub plan: Option<Planned>,
    /// Why it was not done, where that is about no line.
    pub refused: String,
    /// The word on the button.
    pub save: &'static str,
    /// Of a template that is there: at another version it is not saved over what somebody else wrote.
    pub version: Option<i64>,
}

/// What was found in the text.
#[derive(Debug, Default)]
pub struct Checked {
    pub remarks: Vec<Remark>,
    /// Empty where the text cannot be read.
    pub picture: String,
    pub steps: usize,
}

impl Checked {
    pub fn of(proof: &Proof) -> Checked {
        let picture = proof.flow.as_ref().map(|flow| draw(flow, &Shown::default())).unwrap_or_default();
        let steps = proof.flow.as_ref().map_or(0, |flow| flow.steps().count());
        Checked { remarks: proof.remarks.clone(), picture, steps }
    }
    fn errors(&self) -> usize {
        self.remarks.iter().filter(|r| r.severity == Severity::Error).count()
    }
    /// For the numbers beside the text: `12e 15w`.
    fn marks(&self) -> String {
        let letter = |r: &Remark| if r.severity == Severity::Error { 'e' } else { 'w' };
        self.remarks.iter().map(|r| format!("{}{}", r.line, letter(r))).collect::<Vec<_>>().join(" ")
    }
}

#[derive(Debug, Default, Deserialize)]
pub struct From {
    example: Option<String>,
    /// A sequence to begin with a copy of.
    copy: Option<String>,
}

/// The text of a new sequence: an example, a copy, or something short.
pub async fn new(State(app): State<App>, viewer: Viewer, Params(from): Params<From>) -> Result<Response> {
    viewer.caller.need(Privilege::SequencesSave)?;
    let (text, chosen) = match (&from.copy, &from.example) {
        (Some(id), _) => (copy(&app, &viewer, id).await?, ""),
        (None, Some(name)) => {
            let found = EXAMPLES.iter().find(|(n, ..)| n == name);
            let (name, _, text) = found.ok_or_else(|| ActionError::missing("example", name))?;
            ((*text).to_owned(), *name)
        }
        (None, None) => (EXAMPLES[0].2.to_owned(), EXAMPLES[0].0),
    };
    let proof = actions::proofread(&app, &viewer.caller, &text, Expected::Sequence).await?;
    let page = blank(&viewer, text, chosen, &proof);
    Ok(if viewer.part { html(&page.as_main()) } else { html(&page) })
}

fn blank(viewer: &Viewer, text: String, chosen: &str, proof: &Proof) -> EditorPage {
    EditorPage {
        shell: viewer.shell(Some(Place::Overview)),
        title: "New sequence".into(),
        what: "sequence",
        root: "Overview",
        path: "/sequences/new".into(),
        back: "/overview".into(),
        text,
        examples: EXAMPLES.iter().map(|(name, label, _)| (*name, *label, *name == chosen)).collect(),
        checked: Checked::of(proof),
        plan: None,
        refused: String::new(),
        save: "Create",
        version: None,
    }
}

/// Under another name, and without what one sequence alone may have.
async fn copy(app: &App, viewer: &Viewer, id: &str) -> Result<String> {
    let sequence = super::read(app, viewer, id).await?;
    let mut file = actions::export(app, &viewer.caller, sequence.id).await?;
    file.name = format!("{} (copy)", file.name);
    (file.list, file.begin, file.end) = (None, None, None);
    file.primary_user = None;
    Ok(file::write(&file))
}

pub async fn create(State(app): State<App>, viewer: Viewer, Form(typed): Form<Typed>) -> Result<Response> {
    viewer.caller.need(Privilege::SequencesSave)?;
    let text = typed.of("text", &super::super::form::Input::Area);
    let proof = actions::proofread(&app, &viewer.caller, &text, Expected::Sequence).await?;
    let mut page = blank(&viewer, text, "", &proof);
    if wants_check(&typed) {
        return Ok(checked(&viewer, &page));
    }
    match make(&app, &viewer.caller, &page.text, &proof).await {
        Ok(id) => {
            Ok(said::done(&format!("/sequences/{id}?tab=flow"), "Made, as a draft. Activate it when it is ready."))
        }
        Err(e) => {
            page.refuse(e)?;
            Ok(unfit(&viewer, &page))
        }
    }
}

async fn make(app: &App, caller: &Caller, text: &str, proof: &Proof) -> Result<SequenceId, ActionError> {
    let file = good(text, proof)?;
    let planned = actions::plan_file(app, caller, &file).await?;
    if planned.sequence.is_some() {
        let message = format!("There is already a sequence {:?}; names are unique.", file.name);
        return Err(ActionError::invalid("name", message));
    }
    Ok(actions::apply_file(app, caller, &file, &planned.digest, None).await?.sequence)
}

/// The file of a text in which nothing was found that keeps it from running; else nothing more is said than was.
pub fn good(text: &str, proof: &Proof) -> Result<SequenceFile, ActionError> {
    match file::parse(text) {
        Ok(file) if proof.is_good() => Ok(file),
        _ => Err(ActionError::Invalid(Vec::new())),
    }
}

/// The text of a sequence that is there.
pub async fn edit(State(app): State<App>, viewer: Viewer, Path(id): Path<String>) -> Result<Response> {
    let (sequence, text) = own(&app, &viewer, &id).await?;
    let proof = actions::proofread(&app, &viewer.caller, &text, Expected::Sequence).await?;
    let page = of(&viewer, &id, &sequence.name, text, &proof);
    Ok(if viewer.part { html(&page.as_main()) } else { html(&page) })
}

/// A sequence that the viewer may change, and its text.
async fn own(app: &App, viewer: &Viewer, id: &str) -> Result<(cadenza_store::sequences::Sequence, String)> {
    let sequence = super::read(app, viewer, id).await?;
    viewer.caller.need_for(sequence.primary_user, Privilege::SequencesSave, Privilege::SequencesManageAll)?;
    let text = file::write(&actions::export(app, &viewer.caller, sequence.id).await?);
    Ok((sequence, text))
}

fn of(viewer: &Viewer, id: &str, name: &str, text: String, proof: &Proof) -> EditorPage {
    EditorPage {
        shell: viewer.shell(Some(Place::Overview)),
        title: name.to_owned(),
        what: "sequence",
        root: "Overview",
        path: format!("/sequences/{id}/edit"),
        back: format!("/sequences/{id}?tab=flow"),
        text,
        examples: Vec::new(),
        checked: Checked::of(proof),
        plan: None,
        refused: String::new(),
        save: "Save…",
        version: None,
    }
}

/// Looks, plans or does, as the button says.
pub async fn save(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<String>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let (sequence, _) = own(&app, &viewer, &id).await?;
    let text = typed.of("text", &super::super::form::Input::Area);
    let proof = actions::proofread(&app, &viewer.caller, &text, Expected::Sequence).await?;
    let mut page = of(&viewer, &id, &sequence.name, text, &proof);
    if wants_check(&typed) {
        return Ok(checked(&viewer, &page));
    }
    let agreed = typed.get("digest").filter(|_| typed.text("do") == "apply");
    let agreed = agreed.map(|digest| Agreed { digest, movers: Movers::named(typed.text("move")) });
    match done(&app, &viewer.caller, &sequence, &page.text, &proof, agreed).await {
        Ok(Step::Done(words)) => Ok(said::done(&page.back, &words)),
        Ok(Step::Asks(plan)) => {
            page.plan = Some(plan);
            Ok(if viewer.part { html(&page.as_main()) } else { html(&page) })
        }
        Err(e) => {
            page.refuse(e)?;
            Ok(unfit(&viewer, &page))
        }
    }
}

/// A plan that somebody agreed to.
struct Agreed<'a> {
    digest: &'a str,
    movers: Option<Movers>,
}

/// What became of a wish to save.
enum Step {
    Done(String),
    /// Somebody has to agree first.
    Asks(Planned),
}

async fn done(
    app: &App,
    caller: &Caller,
    sequence: &cadenza_store::sequences::Sequence,
    text: &str,
    proof: &Proof,
    agreed: Option<Agreed<'_>>,
) -> Result<Step, ActionError> {
    let file = good(text, proof)?;
    if file.name != sequence.name {
        let message = format!("Here the name stays {:?}: Rename is in the sequence's menu.", sequence.name);
        return Err(ActionError::invalid("name", message));
    }
    let planned = actions::plan_file(app, caller, &file).await?;
    if planned.is_empty() {
        return Ok(Step::Done("Nothing changed.".into()));
    }
    // A draft has nobody in it, so there is nothing to agree to.
    let is_draft = sequence.state == cadenza_core::enrollment::SequenceState::Draft;
    let agreed = match agreed {
        Some(agreed) => agreed,
        None if is_draft => Agreed { digest: &planned.digest, movers: None },
        None => return Ok(Step::Asks(planned)),
    };
    let done = actions::apply_file(app, caller, &file, agreed.digest, agreed.movers).await?;
    let mut said = match done.followed {
        0 => "Saved.".to_owned(),
        1 => "Saved. One contact follows the edit.".into(),
        n => format!("Saved. {n} contacts follow the edit."),
    };
    if let Some(failure) = done.failures.first() {
        let _ = write!(said, " Some stay as they were ({}): {failure}.", done.failures.len());
    }
    Ok(Step::Done(said))
}

impl EditorPage {
    /// Puts down why it was not done.
    pub fn refuse(&mut self, e: ActionError) -> Result<(), ActionError> {
        match e {
            ActionError::Invalid(faults) => {
                for remark in actions::remarks(&self.text, &faults) {
                    if !self.checked.remarks.contains(&remark) {
                        self.checked.remarks.push(remark);
                    }
                }
            }
            ActionError::Refused { message, .. } => self.refused = message,
            other => return Err(other),
        }
        Ok(())
    }
}

pub fn wants_check(typed: &Typed) -> bool {
    typed.text("do") == "check"
}

/// Answers what was found alone to a browser that shows the text already.
pub fn checked(viewer: &Viewer, page: &EditorPage) -> Response {
    if viewer.part { html(&page.as_checked()) } else { html(page) }
}

pub fn unfit(viewer: &Viewer, page: &EditorPage) -> Response {
    let answer = if viewer.part { html(&page.as_main()) } else { html(page) };
    (StatusCode::UNPROCESSABLE_ENTITY, answer).into_response()
}

/// The text as a file.
pub async fn export(State(app): State<App>, viewer: Viewer, Path(id): Path<String>) -> Result<Response> {
    let sequence = super::read(&app, &viewer, &id).await?;
    Ok(as_file(&actions::export(&app, &viewer.caller, sequence.id).await?))
}

/// A file to be kept, called after what is in it.
pub fn as_file(file: &SequenceFile) -> Response {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let plain: String = file.name.to_lowercase().chars().map(letter).collect();
    let name = format!("attachment; filename=\"{}.toml\"", plain.trim_matches('-'));
    let headers = [(header::CONTENT_TYPE, "application/toml".to_owned()), (header::CONTENT_DISPOSITION, name)];
    (headers, file::write(file)).into_response()
}

#[derive(Debug, Template)]
#[template(path = "sequences/rename.html", blocks = ["dialog"])]
pub struct RenamePage {
    pub shell: Shell,
    pub id: String,
    pub name: String,
    pub fault: String,
}

pub async fn ask_name(State(app): State<App>, viewer: Viewer, Path(id): Path<String>) -> Result<Response> {
    let sequence = super::read(&app, &viewer, &id).await?;
    state::need(&viewer.caller, &sequence)?;
    let page = RenamePage { shell: viewer.shell(None), id, name: sequence.name, fault: String::new() };
    Ok(if viewer.part { html(&page.as_dialog()) } else { html(&page) })
}

pub async fn rename(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<String>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let sequence = super::read(&app, &viewer, &id).await?;
    let name = typed.text("name").to_owned();
    let change = SequenceChange { name: Some(name.clone()), ..SequenceChange::default() };
    let fault = match actions::update(&app, &viewer.caller, sequence.id, change).await {
        Ok(()) => return Ok(said::done(&format!("/sequences/{id}"), "Renamed.")),
        Err(ActionError::Refused { code: "name_taken", message }) => message,
        Err(ActionError::Invalid(faults)) => faults.into_iter().map(|f| f.message).collect::<Vec<_>>().join(" "),
        Err(e) => return Err(e.into()),
    };
    if viewer.part {
        return Err(ActionError::invalid("name", fault).into());
    }
    let page = RenamePage { shell: viewer.shell(None), id, name, fault };
    Ok((StatusCode::UNPROCESSABLE_ENTITY, html(&page)).into_response())
}
