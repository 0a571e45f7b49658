//! What conditions asked for beyond their enrollment, done after the commit and in order: enrolling elsewhere, lists, workflow
//! stages, notifications. Each is done at least once; those that write the database are done exactly once, with their row.

use super::node::Seat;
use crate::app::App;
use cadenza_core::time::Span;
use cadenza_store::StoreError;
use cadenza_store::door::{self, SideJob};
use std::sync::Arc;
use std::time::Duration;

const PAUSE_AFTER_ERROR: Duration = Duration::from_secs(2);

pub(super) async fn run(app: App, seat: Arc<Seat>) {
    let mut stopping = app.stopping();
    let mut commits = app.commits();
    loop {
        if *stopping.borrow() {
            return;
        }
        commits.mark_unchanged();
        match round(&app, &seat).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(e) => {
                tracing::warn!("what conditions asked for could not be done: {e}");
                tokio::time::sleep(PAUSE_AFTER_ERROR).await;
            }
        }
        tokio::select! {
            _ = commits.changed() => {}
            () = app.clock.until(app.clock.now() + Span::minutes(1)) => {}
            _ = stopping.wait_for(|stop| *stop) => {}
        }
    }
}

async fn round(app: &App, seat: &Seat) -> Result<bool, StoreError> {
    let (now, share) = (app.clock.now(), seat.share());
    let jobs: Vec<SideJob> = app.db.read_async(move |q| door::side_jobs(q, now, 100, &share)).await?;
    let any = !jobs.is_empty();
    for job in jobs {
        let app2 = app.clone();
        app.db.write_async(move |tx| app2.door.do_side_job(tx, &job, app2.clock.now())).await?;
    }
    Ok(any)
}
