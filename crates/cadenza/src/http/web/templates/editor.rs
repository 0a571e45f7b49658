//! The text of a template in the editor of sequences: a new one from an example, a copy or a file, and one that is there.

use super::super::form::{Input, Typed};
use super::super::page::html;
use super::super::said;
use super::super::sequences::editor::{Checked, EXAMPLES, EditorPage, as_file, checked, good, unfit, wants_check};
use super::super::shell::{Place, Shell};
use super::super::viewer::Viewer;
use super::{parsed, read};
use crate::App;
use crate::actions::sequences::{Expected, Proof, proofread};
use crate::actions::templates as actions;
use crate::actions::{ActionError, Privilege};
use crate::http::error::Result;
use crate::http::web::parts::Icon;
use crate::http::wire::Params;
use askama::Template;
use axum::extract::{Form, Multipart, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use cadenza_core::flow::file::{self, Form as FileForm, SequenceFile};
use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
pub struct From {
    example: Option<String>,
    /// A template to begin with a copy of.
    copy: Option<String>,
}

/// The text of a new template: an example or a copy.
pub async fn new(State(app): State<App>, viewer: Viewer, Params(from): Params<From>) -> Result<Response> {
    viewer.caller.need(Privilege::SequencesSave)?;
    let (text, chosen) = match (&from.copy, &from.example) {
        (Some(id), _) => {
            let mut file = actions::export(&app, &viewer.caller, parsed(id)?).await?;
            file.name = format!("{} (copy)", file.name);
            file.owner = None;
            (file::write(&file), "")
        }
        (None, Some(name)) => {
            let found = EXAMPLES.iter().find(|(n, ..)| n == name);
            let (name, _, text) = found.ok_or_else(|| ActionError::missing("example", name))?;
            (as_template(text), *name)
        }
        (None, None) => (as_template(EXAMPLES[0].2), EXAMPLES[0].0),
    };
    let proof = proofread(&app, &viewer.caller, &text, Expected::Template).await?;
    let page = blank(&viewer, text, chosen, &proof);
    Ok(if viewer.part { html(&page.as_main()) } else { html(&page) })
}

/// An example of a sequence says below its name that it is a template.
fn as_template(text: &str) -> String {
    let line = |line: &str| {
        let more = if line.starts_with("name = ") { "\nform = \"template\"" } else { "" };
        format!("{line}{more}\n")
    };
    let (top, rest) = text.split_once("\n[").unwrap_or((text, ""));
    format!("{}\n[{rest}", top.lines().map(line).collect::<String>().trim_end_matches('\n').to_owned() + "\n")
}

fn blank(viewer: &Viewer, text: String, chosen: &str, proof: &Proof) -> EditorPage {
    EditorPage {
        shell: viewer.shell(Some(Place::Templates)),
        title: "New template".into(),
        what: "template",
        root: "Templates",
        path: "/templates/new".into(),
        back: "/templates".into(),
        text,
        examples: EXAMPLES.iter().map(|(name, label, _)| (*name, *label, *name == chosen)).collect(),
        checked: Checked::of(proof),
        plan: None,
        refused: String::new(),
        save: "Create",
        version: None,
    }
}

pub async fn create(State(app): State<App>, viewer: Viewer, Form(typed): Form<Typed>) -> Result<Response> {
    viewer.caller.need(Privilege::SequencesSave)?;
    let text = typed.of("text", &Input::Area);
    let proof = proofread(&app, &viewer.caller, &text, Expected::Template).await?;
    let mut page = blank(&viewer, text, "", &proof);
    if wants_check(&typed) {
        return Ok(checked(&viewer, &page));
    }
    let made = match good(&page.text, &proof) {
        Ok(file) => actions::create(&app, &viewer.caller, &file).await,
        Err(e) => Err(e),
    };
    match made {
        Ok(id) => Ok(said::done(&format!("/templates/{id}"), "Made: activate it as often as you like.")),
        Err(e) => refuse(&viewer, &mut page, e),
    }
}

fn refuse(viewer: &Viewer, page: &mut EditorPage, e: ActionError) -> Result<Response> {
    page.refuse(match e {
        // It is about a line that is shown.
        ActionError::Refused { code: "name_taken", message } => ActionError::invalid("name", message),
        e => e,
    })?;
    Ok(unfit(viewer, page))
}

#[derive(Debug, Template)]
#[template(path = "templates/import.html", blocks = ["main"])]
pub struct ImportPage {
    pub shell: Shell,
    pub fault: String,
}

/// Asks for a file.
pub async fn ask_file(viewer: Viewer) -> Result<Response> {
    viewer.caller.need(Privilege::SequencesSave)?;
    let page = ImportPage { shell: viewer.shell(Some(Place::Templates)), fault: String::new() };
    Ok(if viewer.part { html(&page.as_main()) } else { html(&page) })
}

/// Shows a file in the editor, with what is to be mended; nothing is made yet.
pub async fn import(State(app): State<App>, viewer: Viewer, form: Multipart) -> Result<Response> {
    viewer.caller.need(Privilege::SequencesSave)?;
    let text = match uploaded(form).await {
        Ok(text) => text,
        Err(fault) => {
            let page = ImportPage { shell: viewer.shell(Some(Place::Templates)), fault };
            let answer = if viewer.part { html(&page.as_main()) } else { html(&page) };
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, answer).into_response());
        }
    };
    let text = match file::parse(&text) {
        Ok(file) if file.form == FileForm::Sequence => file::write(&of_sequence(file)),
        _ => text,
    };
    let proof = proofread(&app, &viewer.caller, &text, Expected::Template).await?;
    let page = blank(&viewer, text, "", &proof);
    Ok(html(&page))
}

/// The file of a sequence as that of a template: without what is asked when it is activated.
fn of_sequence(file: SequenceFile) -> SequenceFile {
    let form = if file.list.is_some() { FileForm::TemplateForList } else { FileForm::Template };
    SequenceFile { form, primary_user: None, team: Vec::new(), list: None, begin: None, end: None, ..file }
}

/// The text of the file, or what is wrong with it.
async fn uploaded(mut form: Multipart) -> Result<String, String> {
    let broken = || "The file did not arrive whole. Choose it again.".to_owned();
    while let Some(part) = form.next_field().await.map_err(|_| broken())? {
        if part.name() == Some("file") {
            let bytes = part.bytes().await.map_err(|_| broken())?;
            let text = String::from_utf8(bytes.to_vec()).map_err(|_| "Expected a text file in UTF-8.".to_owned())?;
            if !text.trim().is_empty() {
                return Ok(text.replace("\r\n", "\n"));
            }
        }
    }
    Err("Choose a file that is not empty.".to_owned())
}

/// The text of a template that is there.
pub async fn edit(State(app): State<App>, viewer: Viewer, Path(id): Path<String>) -> Result<Response> {
    let t = read(&app, &viewer.caller, &id).await?;
    actions::may_save(&viewer.caller, &t)?;
    let text = file::write(&actions::export(&app, &viewer.caller, t.id).await?);
    let proof = proofread(&app, &viewer.caller, &text, Expected::Template).await?;
    let page = of(&viewer, &id, t.name, t.version, text, &proof);
    Ok(if viewer.part { html(&page.as_main()) } else { html(&page) })
}

fn of(viewer: &Viewer, id: &str, name: String, version: i64, text: String, proof: &Proof) -> EditorPage {
    EditorPage {
        shell: viewer.shell(Some(Place::Templates)),
        title: name,
        what: "template",
        root: "Templates",
        path: format!("/templates/{id}/edit"),
        back: format!("/templates/{id}"),
        text,
        examples: Vec::new(),
        checked: Checked::of(proof),
        plan: None,
        refused: String::new(),
        save: "Save",
        version: Some(version),
    }
}

pub async fn save(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<String>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let t = read(&app, &viewer.caller, &id).await?;
    actions::may_save(&viewer.caller, &t)?;
    let text = typed.of("text", &Input::Area);
    let proof = proofread(&app, &viewer.caller, &text, Expected::Template).await?;
    let looked_at = typed.text("version").parse().unwrap_or(t.version);
    let mut page = of(&viewer, &id, t.name, looked_at, text, &proof);
    if wants_check(&typed) {
        return Ok(checked(&viewer, &page));
    }
    let saved = match good(&page.text, &proof) {
        Ok(file) => actions::save_file(&app, &viewer.caller, t.id, &file, Some(looked_at)).await,
        Err(e) => Err(e),
    };
    match saved {
        Ok(()) => Ok(said::done(&page.back, "Saved. Sequences made from it before stay as they are.")),
        Err(e) => refuse(&viewer, &mut page, e),
    }
}

/// The text as a file.
pub async fn export(State(app): State<App>, viewer: Viewer, Path(id): Path<String>) -> Result<Response> {
    Ok(as_file(&actions::export(&app, &viewer.caller, parsed(&id)?).await?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_is_a_template_once_it_says_so() {
        for (name, _, text) in EXAMPLES.iter().filter(|(name, ..)| *name != "blank") {
            let file = file::parse(&as_template(text)).unwrap_or_else(|e| panic!("{name}: {e:#?}"));
            let own = file::parse(text).unwrap_or_else(|e| panic!("{name}: {e:#?}"));
            assert_eq!(file, SequenceFile { form: FileForm::Template, ..own.clone() }, "{name}");
            assert_eq!(of_sequence(own), file, "{name}");
        }
        assert!(
            as_template("name = \"\"\n\n[[branch]]\nkey = \"main\"\n")
                .starts_with("name = \"\"\nform = \"template\"\n\n[[")
        );
    }
}
