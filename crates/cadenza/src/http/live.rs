//! `GET /live`: tells open pages that something was committed, as server-sent events. It never says what: a page asks
//! again for the parts that it shows, with the rights of who looks at it.

use crate::App;
use axum::Router;
use axum::extract::{Query, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::routing::get;
use futures_util::stream::{Stream, unfold};
use serde::Deserialize;
use std::convert::Infallible;
use std::time::Duration;

/// At most one event in this time to each page, however busy the engine is.
const GAP: Duration = Duration::from_millis(750);
const KEEP_ALIVE: Duration = Duration::from_secs(20);

pub fn router() -> Router<App> {
    Router::new().route("/live", get(live))
}

#[derive(Deserialize)]
struct Asked {
    /// The commit that the page shows at least.
    seen: Option<u64>,
}

async fn live(
    State(app): State<App>,
    Query(asked): Query<Asked>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let mut commits = app.commits();
    let now = *commits.borrow_and_update();
    if asked.seen.is_some_and(|seen| seen != now) {
        // Between the page and this request something was committed already.
        commits.mark_changed();
    }
    let stream = unfold((commits, app.stopping()), |(mut commits, mut stopping)| async move {
        tokio::select! {
            changed = commits.changed() => changed.ok()?,
            _ = stopping.wait_for(|stopping| *stopping) => return None,
        }
        tokio::time::sleep(GAP).await;
        commits.mark_unchanged();
        // An event without data is none to a browser.
        Some((Ok(Event::default().event("change").data("committed")), (commits, stopping)))
    });
    Sse::new(stream).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
}
