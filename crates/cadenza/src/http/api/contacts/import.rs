//! `POST /contacts/import`: contacts from CSV (API-6), with a dry run and an answer by line.

use crate::App;
use crate::actions::ActionError;
use crate::actions::import::{self, Imported, OnDuplicate, Options, Run, Target};
use crate::http::caller::{Allowed, may};
use crate::http::error::{HttpError, Result};
use crate::http::wire::{Body, Params};
use axum::Json;
use axum::extract::{DefaultBodyLimit, FromRequest, Request, State};
use axum::http::{StatusCode, header};
use cadenza_core::ids::ContactId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// 100,000 lines fit into it with room to spare.
const BYTES_MAX: usize = 32 << 20;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(import)).layer(DefaultBodyLimit::max(BYTES_MAX))
}

#[derive(Debug, Default, Clone, Copy, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Query {
    /// `real` (the default), or `dry`: reads and checks everything and writes nothing.
    #[param(value_type = Option<String>)]
    run: Run,
    /// What is done with somebody whose address is known: `update` (the default) or `skip`.
    #[param(value_type = Option<String>)]
    on_duplicate: OnDuplicate,
}

/// A file in JSON, with what its columns are.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ContactsImport, example = json!({ "csv": "first_name,email\nMary,mary.somerville@example.com\n",
    "columns": { "first_name": "first_name" } }))]
struct InJson {
    /// With a header line; commas, semicolons or tabs between.
    csv: String,
    /// By header: `first_name`, `last_name`, `full_name`, `title`, `email`, `email_type`, `phone`, `company`, `country`,
    /// `time_zone`, `language`, `linkedin`, `owner`, `ignore` or `{"custom": "name"}`. Others are found by their names, and
    /// those that are not become custom fields.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    columns: BTreeMap<String, Target>,
}

/// The file of a request.
struct File {
    csv: String,
    columns: BTreeMap<String, Target>,
}

impl FromRequest<App> for File {
    type Rejection = HttpError;
    async fn from_request(request: Request, app: &App) -> Result<File, HttpError> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        if kind.split(';').next() != Some("text/csv") {
            let Body(InJson { csv, columns }) = Body::from_request(request, app).await?;
            return Ok(File { csv, columns });
        }
        let read = String::from_request(request, app).await;
        let csv = read.map_err(|e| match e.status() {
            StatusCode::PAYLOAD_TOO_LARGE => ActionError::refused("too_large", "The file is too large; cut it."),
            _ => ActionError::invalid("file", "Expected CSV in UTF-8."),
        })?;
        Ok(File { csv, columns: BTreeMap::new() })
    }
}

/// What an import did, or in a dry run would do.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ContactsImported)]
struct Done {
    /// Lines with something in them, the header not counted.
    read: usize,
    added: usize,
    updated: usize,
    skipped: usize,
    bad: Vec<BadLine>,
    /// The lines that were not taken as CSV, with why beside each: mended, it can be imported. Empty where all were taken.
    error_file: String,
    /// Those added or updated, in the order of the file; none in a dry run.
    #[schema(value_type = Vec<String>)]
    contacts: Vec<ContactId>,
}

/// A line that was not taken.
#[derive(Debug, Serialize, ToSchema)]
struct BadLine {
    /// Counted from 1; the header is line 1.
    line: u64,
    column: String,
    why: String,
}

impl From<Imported> for Done {
    fn from(i: Imported) -> Done {
        Done {
            error_file: if i.bad.is_empty() { String::new() } else { i.error_file() },
            read: i.read,
            added: i.added,
            updated: i.updated,
            skipped: i.skipped,
            bad: i.bad.into_iter().map(|b| BadLine { line: b.line, column: b.column, why: b.why }).collect(),
            contacts: i.contacts,
        }
    }
}

/// Import contacts from CSV
///
/// The file comes as it is (`text/csv`) or as a text in JSON, with what its columns are. Duplicates are found by address. A line
/// that cannot be taken is named with its place and why, and harms no other. At most 100,000 lines.
#[utoipa::path(post, path = "/contacts/import", tag = "contacts", params(Query),
    request_body(content((InJson = "application/json"), (String = "text/csv"))), responses((status = 200, body = Done)))]
async fn import(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::ContactsEdit>,
    Params(query): Params<Query>,
    file: File,
) -> Result<Json<Done>> {
    let options = Options { columns: file.columns, on_duplicate: query.on_duplicate, run: query.run };
    Ok(Json(import::contacts(&app, &caller, &file.csv, &options).await?.into()))
}
