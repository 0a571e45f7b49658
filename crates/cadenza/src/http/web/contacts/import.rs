//! Contacts from a CSV file (API-6): uploaded or pasted, its columns recognised and put right by hand, what would be done and
//! which lines would not be taken shown before anything is written, and those lines as a file to mend.

use super::super::lists::Choice;
use super::super::page::html;
use super::super::parts::{Icon, count};
use super::super::said;
use super::super::shell::{Place, Shell};
use super::super::viewer::Viewer;
use crate::App;
use crate::actions::import::{self as actions, Column, Imported, OnDuplicate, Options, Run, Target};
use crate::actions::{ActionError, Privilege};
use crate::http::error::Result;
use crate::http::web::form::Typed;
use askama::Template;
use axum::extract::{DefaultBodyLimit, Multipart, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use std::collections::BTreeMap;

/// The largest file, bytes: a hundred thousand lines of some three hundred.
const BYTES_MAX: usize = 32 * 1024 * 1024;
/// Lines that are shown of those that are not taken.
const BAD_SHOWN: usize = 50;

/// What a column may be; what is none of these is a field of one's own, by the column's name.
const TARGETS: &[(&str, &str, Target)] = &[
    ("first_name", "First name", Target::FirstName),
    ("last_name", "Last name", Target::LastName),
    ("full_name", "Full name", Target::FullName),
    ("title", "Title", Target::Title),
    ("email", "Email", Target::Email),
    ("email_type", "Email: work, personal or other", Target::EmailType),
    ("phone", "Phone", Target::Phone),
    ("company", "Company", Target::Company),
    ("country", "Country", Target::Country),
    ("time_zone", "Time zone", Target::TimeZone),
    ("language", "Language", Target::Language),
    ("linkedin", "LinkedIn", Target::Linkedin),
    ("owner", "Primary owner (sign-in address)", Target::Owner),
    ("ignore", "Leave out", Target::Ignore),
];

pub fn page_routes() -> MethodRouter<App> {
    get(show).post(send).layer(DefaultBodyLimit::max(BYTES_MAX))
}

pub fn error_route() -> MethodRouter<App> {
    post(errors).layer(DefaultBodyLimit::max(BYTES_MAX))
}

#[derive(Debug, Template)]
#[template(path = "contacts/import.html", blocks = ["main"])]
pub struct ImportPage {
    pub shell: Shell,
    /// Why the file as a whole cannot be read.
    pub fault: String,
    pub looked: Option<Looked>,
}

/// A file that was looked at, or imported.
#[derive(Debug)]
pub struct Looked {
    pub text: String,
    pub columns: Vec<ColumnRow>,
    pub skips: bool,
    pub read: String,
    pub added: usize,
    pub updated: usize,
    pub skipped: usize,
    pub bad: Vec<(u64, String, String)>,
    pub bad_count: usize,
    /// It was written, not only looked at.
    pub written: bool,
}

#[derive(Debug)]
pub struct ColumnRow {
    pub header: String,
    pub samples: String,
    pub choices: Vec<Choice>,
    pub chosen: String,
}

async fn show(viewer: Viewer) -> Result<Response> {
    viewer.caller.need(Privilege::ContactsEdit)?;
    Ok(answer(&viewer, StatusCode::OK, None, String::new()))
}

fn answer(viewer: &Viewer, status: StatusCode, looked: Option<Looked>, fault: String) -> Response {
    let page = ImportPage { shell: viewer.shell(Some(Place::Contacts)), fault, looked };
    let body = if viewer.part { html(&page.as_main()) } else { html(&page) };
    (status, body).into_response()
}

/// Looks, looks again with other columns, or imports, as the button says.
async fn send(State(app): State<App>, viewer: Viewer, form: Multipart) -> Result<Response> {
    viewer.caller.need(Privilege::ContactsEdit)?;
    let (typed, text) = match read(form).await {
        Ok(read) => read,
        Err(e) => return fault(&viewer, e),
    };
    let real = typed.text("do") == "import";
    let options = options(&typed, &text, if real { Run::Real } else { Run::Dry });
    let done = match actions::contacts(&app, &viewer.caller, &text, &options).await {
        Ok(done) => done,
        Err(e) => return fault(&viewer, e),
    };
    if real && done.bad.is_empty() {
        return Ok(said::done("/contacts?order=new", &words(&done)));
    }
    let columns = actions::columns(&text, &options)?;
    Ok(answer(&viewer, StatusCode::OK, Some(looked(text, &columns, &options, done, real)), String::new()))
}

fn words(done: &Imported) -> String {
    let n = |n: usize| count(n as u64);
    let mut text = format!("{} added, {} updated", n(done.added), n(done.updated));
    if done.skipped > 0 {
        text.push_str(&format!(", {} left as they were", n(done.skipped)));
    }
    text.push('.');
    text
}

fn fault(viewer: &Viewer, e: ActionError) -> Result<Response> {
    match e {
        ActionError::Invalid(_) => Ok(answer(viewer, StatusCode::UNPROCESSABLE_ENTITY, None, e.to_string())),
        e => Err(e.into()),
    }
}

/// The lines that would not be taken, as a file to mend and import again.
async fn errors(State(app): State<App>, viewer: Viewer, form: Multipart) -> Result<Response> {
    viewer.caller.need(Privilege::ContactsEdit)?;
    let (typed, text) = read(form).await?;
    let done = actions::contacts(&app, &viewer.caller, &text, &options(&typed, &text, Run::Dry)).await?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"lines-to-mend.csv\""),
    ];
    Ok((headers, done.error_file()).into_response())
}

/// The fields of the form, and the text of the file: that which was chosen now, else that which came along.
async fn read(mut form: Multipart) -> Result<(Typed, String), ActionError> {
    let unread = |e: axum::extract::multipart::MultipartError| match e.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            ActionError::invalid("file", format!("A file has {} MiB at most; cut it.", BYTES_MAX / 1024 / 1024))
        }
        _ => ActionError::invalid("file", format!("The file did not arrive whole: {}.", e.body_text())),
    };
    let (mut typed, mut text) = (Vec::new(), String::new());
    while let Some(field) = form.next_field().await.map_err(unread)? {
        let name = field.name().unwrap_or_default().to_owned();
        let bytes = field.bytes().await.map_err(unread)?;
        match name.as_str() {
            "file" if bytes.is_empty() => {}
            "file" => text = decoded(&bytes),
            "text" if text.is_empty() => text = decoded(&bytes),
            "text" => {}
            _ => typed.push((name, String::from_utf8_lossy(&bytes).into_owned())),
        }
    }
    if text.trim().is_empty() {
        return Err(ActionError::invalid("file", "Choose a CSV file, or paste its text."));
    }
    Ok((Typed(typed), text))
}

/// UTF-8, else the Western European encoding that spreadsheets still write (Windows-1252, of which the letters are Latin-1's).
fn decoded(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|b| char::from(*b)).collect(),
    }
}

fn options(typed: &Typed, text: &str, run: Run) -> Options {
    let headers = actions::columns(text, &Options::default()).unwrap_or_default();
    let mut columns = BTreeMap::new();
    for (n, column) in headers.into_iter().enumerate() {
        let target = match typed.text(&format!("column.{n}")) {
            "" => continue,
            "custom" => match column.target {
                Target::Custom(name) => Target::Custom(name),
                _ => Target::Custom(field_name(&column.header)),
            },
            word => match TARGETS.iter().find(|(w, ..)| *w == word) {
                Some((.., target)) => target.clone(),
                None => continue,
            },
        };
        columns.insert(column.header, target);
    }
    let on_duplicate = if typed.text("on_duplicate") == "skip" { OnDuplicate::Skip } else { OnDuplicate::Update };
    Options { columns, on_duplicate, run }
}

/// As the import itself names the field of a column that it does not know.
fn field_name(header: &str) -> String {
    header.to_lowercase().split_whitespace().collect::<Vec<_>>().join("_")
}

fn looked(text: String, columns: &[Column], options: &Options, done: Imported, written: bool) -> Looked {
    let row = |c: &Column| {
        let own = if let Target::Custom(name) = &c.target { name.clone() } else { field_name(&c.header) };
        let known = TARGETS.iter().map(|(word, label, _)| Choice::new(*word, *label));
        let chosen = TARGETS.iter().find(|(.., t)| *t == c.target).map_or("custom", |(word, ..)| *word);
        ColumnRow {
            header: c.header.clone(),
            samples: c.samples.join(" · "),
            choices: known.chain([Choice::new("custom", format!("Own field: {own}"))]).collect(),
            chosen: chosen.to_owned(),
        }
    };
    Looked {
        text,
        columns: columns.iter().map(row).collect(),
        skips: options.on_duplicate == OnDuplicate::Skip,
        read: count(done.read as u64),
        added: done.added,
        updated: done.updated,
        skipped: done.skipped,
        bad_count: done.bad.len(),
        bad: done.bad.into_iter().take(BAD_SHOWN).map(|b| (b.line, b.column, b.why)).collect(),
        written,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_spreadsheets_are_read() {
        assert_eq!(decoded("Zoë".as_bytes()), "Zoë");
        assert_eq!(decoded(b"Zo\xeb"), "Zoë");
    }

    #[test]
    fn columns_are_what_was_chosen() {
        let typed = Typed(vec![("column.0".into(), "ignore".into()), ("column.1".into(), "custom".into())]);
        let options = options(&typed, "Mail,Shoe Size,Zone\n", Run::Dry);
        assert_eq!(options.columns.get("Mail"), Some(&Target::Ignore));
        assert_eq!(options.columns.get("Shoe Size"), Some(&Target::Custom("shoe_size".into())));
        assert_eq!(options.columns.get("Zone"), None);
    }
}
