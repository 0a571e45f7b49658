//! The pages: one file for each place of the navigation. They read, and act through `actions`; a page shows what the API
//! answers, in the same words.

mod contacts;
mod enrollments;
mod flow_picture;
mod form;
mod kind;
mod list_page;
mod lists;
mod operations;
mod overview;
pub mod page;
mod parts;
mod query;
mod queue;
mod record;
mod replies;
mod rows;
mod said;
#[cfg(test)]
mod samples;
mod sandbox;
mod sequences;
mod settings;
mod setup;
mod shell;
mod sign_in;
mod story;
mod tasks;
mod templates;
mod viewer;

use super::error::HttpError;
use crate::App;
use crate::actions::ActionError;
use axum::Router;
use axum::middleware::from_fn;

pub fn router() -> Router<App> {
    Router::new()
        .merge(sign_in::router())
        .merge(setup::router())
        .merge(settings::router())
        .merge(tasks::router())
        .merge(queue::router())
        .merge(overview::router())
        .merge(enrollments::router())
        .merge(operations::router())
        .merge(record::router())
        .merge(replies::router())
        .merge(sequences::router())
        .merge(templates::router())
        .merge(contacts::router())
        .merge(list_page::router())
        .merge(sandbox::router())
        .fallback(nothing_here)
        .layer(from_fn(said::carry))
}

async fn nothing_here() -> HttpError {
    HttpError(ActionError::missing("page", "at this address"))
}
