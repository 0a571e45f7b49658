//! Style sheet, scripts and icons, built into the binary. Their address holds a hash of them all, so browsers keep them
//! for ever and never mix two releases, and modules find each other by relative names.

use super::error::{HttpError, Result};
use super::request::hex;
use crate::actions::ActionError;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};
use std::sync::OnceLock;

const STYLE: &str = "app.css";

#[derive(RustEmbed)]
#[folder = "assets/"]
struct Assets;

/// The address of an asset, for templates: `/assets/HASH/app.css`.
pub fn url(name: &str) -> String {
    format!("/assets/{}/{name}", release())
}

/// `GET /assets/HASH/NAME`. Any hash is answered, so that a page of the release before still finds its style.
pub async fn asset(Path(path): Path<String>, headers: HeaderMap) -> Result<Response> {
    let (hash, name) = path.split_once('/').unwrap_or(("", path.as_str()));
    let bytes = file(name).ok_or_else(|| HttpError(ActionError::missing("file", name)))?;
    let tag = format!("\"{}\"", hex(&Sha256::digest(&bytes)[..12]));
    // A build for development reads them from the folder, where they change under the same address.
    let lasting = hash == release() && !cfg!(debug_assertions);
    let cache = if lasting { "public, max-age=31536000, immutable" } else { "no-cache" };
    let mut response = match headers.get(header::IF_NONE_MATCH) {
        Some(known) if known.as_bytes() == tag.as_bytes() => StatusCode::NOT_MODIFIED.into_response(),
        _ => ([(header::CONTENT_TYPE, content_type(name))], bytes).into_response(),
    };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    Ok(response)
}

/// The style sheet is kept in parts and sent as one, in the order of their names.
fn file(name: &str) -> Option<Vec<u8>> {
    if name != STYLE {
        return Assets::get(name).map(|f| f.data.into_owned());
    }
    let mut parts: Vec<_> = Assets::iter().filter(|n| n.ends_with(".css")).collect();
    parts.sort();
    Some(parts.iter().filter_map(|part| Assets::get(part)).flat_map(|f| f.data.into_owned()).collect())
}

/// The hash of all assets of this build.
fn release() -> &'static str {
    static RELEASE: OnceLock<String> = OnceLock::new();
    RELEASE.get_or_init(|| {
        let mut names: Vec<_> = Assets::iter().collect();
        names.sort();
        let mut hash = Sha256::new();
        for name in names {
            if let Some(file) = Assets::get(&name) {
                hash.update(name.as_bytes());
                hash.update(file.metadata.sha256_hash());
            }
        }
        hex(&hash.finalize()[..5])
    })
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, kind)| kind) {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
