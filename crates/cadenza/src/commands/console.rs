//! The console of a running server: what the command line asks of it, over loopback, with the key that stands in the data
//! folder. The server does what is asked as the command's own process would, and says line by line how it goes.

use super::ask::{Asked, Said, answer};
use super::place::Place;
use super::{Ended, Failure, print};
use crate::app::App;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// The largest file that is handed over, bytes: an import of 100,000 lines has some 20 MB.
const ASKED_BYTES_MAX: usize = 256 * 1024 * 1024;
const PATH: &str = "/console";

/// An open console. It ends with the server (`app.stop()`); [`Console::close`] takes the place away.
#[derive(Debug)]
pub struct Console {
    place: Place,
}

impl Console {
    /// Listens on a port of its own on loopback, and writes the place into the data folder.
    ///
    /// # Errors
    /// No socket, or a data folder that cannot be written.
    pub async fn open(app: &App) -> io::Result<Console> {
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
        let token = URL_SAFE_NO_PAD.encode(app.clock.entropy::<32>());
        let place = Place::write(&app.config.server.data, listener.local_addr()?, &token)?;
        let key = Sha256::digest(token.as_bytes()).into();
        let routes = Router::new()
            .route(PATH, post(asked))
            .layer(DefaultBodyLimit::max(ASKED_BYTES_MAX))
            .with_state(Shared { app: app.clone(), key });
        let mut stopping = app.stopping();
        tokio::spawn(async move {
            let ending = async move { drop(stopping.wait_for(|stop| *stop).await) };
            if let Err(e) = axum::serve(listener, routes).with_graceful_shutdown(ending).await {
                tracing::error!("the console ended: {e}");
            }
        });
        Ok(Console { place })
    }

    pub fn close(self, data: &Path) {
        self.place.remove(data);
    }
}

#[derive(Clone)]
struct Shared {
    app: App,
    /// Hash of the token: equal hashes of different texts are not found by trying.
    key: [u8; 32],
}

async fn asked(State(shared): State<Shared>, headers: HeaderMap, Json(asked): Json<Asked>) -> Response {
    let token =
        headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).and_then(|v| v.strip_prefix("Bearer "));
    if token.is_none_or(|t| <[u8; 32]>::from(Sha256::digest(t.as_bytes())) != shared.key) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let (say, said) = mpsc::channel(64);
    tokio::spawn(async move { answer(&shared.app, asked, &say.into()).await });
    let lines = futures_util::stream::unfold(said, |mut said| async {
        let mut line = serde_json::to_vec(&said.recv().await?).unwrap_or_default();
        line.push(b'\n');
        Some((Ok::<_, Infallible>(Bytes::from(line)), said))
    });
    ([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(lines)).into_response()
}

/// Whether the server at a place took the question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    Ended(Ended),
    /// Nobody listens there: the file was left behind.
    Nobody,
}

/// Puts a question to a running server and hands on what it says.
///
/// # Errors
/// What the server could not do, and a line that broke in between: then it is not known how far it got.
pub async fn put(
    place: &Place,
    asked: &Asked,
    hear: &mut dyn FnMut(Said) -> Result<(), Failure>,
) -> Result<Reached, Failure> {
    // Loopback needs no proxy, and no TLS.
    drop(rustls::crypto::ring::default_provider().install_default());
    let client = reqwest::Client::builder().no_proxy().build().map_err(Failure::said)?;
    let sent =
        client.post(format!("http://{}{PATH}", place.address)).bearer_auth(&place.token).json(asked).send().await;
    let mut response = match sent {
        Err(e) if e.is_connect() => return Ok(Reached::Nobody),
        Err(e) => return Err(broken(&e)),
        Ok(response) if response.status() == StatusCode::UNAUTHORIZED => {
            return Err(Failure::said(
                "the server that listens there is not the one of this data folder: delete server.json if none runs on it",
            ));
        }
        Ok(response) if !response.status().is_success() => {
            return Err(Failure::said(format!(
                "the running server does not understand the question ({}): is it of this version?",
                response.status()
            )));
        }
        Ok(response) => response,
    };
    let mut rest: Vec<u8> = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|e| broken(&e))? {
        rest.extend_from_slice(&chunk);
        while let Some(end) = rest.iter().position(|b| *b == b'\n') {
            let line: Vec<u8> = rest.drain(..=end).collect();
            let said: Said = serde_json::from_slice(&line).map_err(Failure::said)?;
            match said {
                Said::Ended(ended) => return Ok(Reached::Ended(ended)),
                Said::Failed(lines) => return Err(Failure::Content(lines)),
                said => hear(said)?,
            }
        }
    }
    Err(Failure::said("the running server broke off: look how far it got before you repeat the command"))
}

fn broken(e: &reqwest::Error) -> Failure {
    print::note(format_args!("({e})"));
    Failure::said("the line to the running server broke: look how far it got before you repeat the command")
}
