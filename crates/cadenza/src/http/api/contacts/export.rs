//! `POST /contacts/export`: contacts as CSV (API-6). It is a POST, since who exported what is written down.

use super::Query;
use crate::App;
use crate::actions::export;
use crate::http::caller::{Allowed, may};
use crate::http::error::Result;
use crate::http::wire::Params;
use axum::extract::State;
use axum::http::{HeaderName, header};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(export))
}

/// Export contacts as CSV
///
/// By name, with the headers that an import reads: the first address and number, further ones in `other_emails` and
/// `other_phones`, and a column for each custom field. At most 100,000; filters as for the list, whose pages and order do not
/// count here. It needs `contacts.export` and stands in the audit log.
#[utoipa::path(post, path = "/contacts/export", tag = "contacts", params(Query),
    responses((status = 200, body = String, content_type = "text/csv")))]
async fn export(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<may::ContactsExport>,
    Params(query): Params<Query>,
) -> Result<([(HeaderName, &'static str); 2], String)> {
    let file = export::contacts(&app, &caller, query.filter()).await?;
    let disposition = "attachment; filename=\"contacts.csv\"";
    Ok(([(header::CONTENT_TYPE, "text/csv; charset=utf-8"), (header::CONTENT_DISPOSITION, disposition)], file))
}
