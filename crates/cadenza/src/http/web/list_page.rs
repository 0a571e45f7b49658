//! The lists: their names, how many are on them, and the sequence that each feeds. Who is on one is in `contacts`.

use super::contacts::need_view;
use super::lists::{Empty, Link};
use super::page::html;
use super::parts::{Moment, count};
use super::rows::Names;
use super::shell::{Place, Shell};
use super::viewer::Viewer;
use crate::App;
use crate::http::error::Result;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use axum::{Router, routing::get};
use cadenza_store::{lists, sequences};

pub fn router() -> Router<App> {
    Router::new().route("/lists", get(show))
}

#[derive(Debug, Template)]
#[template(path = "lists/page.html", blocks = ["main"])]
pub struct ListsPage {
    pub shell: Shell,
    pub rows: Vec<ListRow>,
    pub empty: Option<Empty>,
}

#[derive(Debug)]
pub struct ListRow {
    pub id: String,
    pub name: String,
    pub members: String,
    pub feeds: Option<Link>,
    pub owner: String,
    pub made: Moment,
}

async fn show(State(app): State<App>, viewer: Viewer) -> Result<Response> {
    need_view(&viewer.caller)?;
    let w = viewer.caller.workspace;
    let read = app.db.read_async(move |q| {
        let all = lists::all(q, w)?;
        let feeds =
            all.iter().map(|(l, _)| sequences::fed_by(q, w, l.id)).collect::<cadenza_store::Result<Vec<_>>>()?;
        Ok((all, feeds, Names::read(q, w)?))
    });
    let (all, feeds, names) = read.await?;
    let row = |((list, n), feeds): ((lists::List, i64), Option<sequences::Sequence>)| ListRow {
        id: list.id.to_string(),
        name: list.name,
        members: count(u64::try_from(n).unwrap_or(0)),
        feeds: feeds.map(|s| Link::new(format!("/sequences/{}", s.id), s.name)),
        owner: names.of(list.owner),
        made: viewer.watch.near(list.created_at),
    };
    let rows: Vec<_> = all.into_iter().zip(feeds).map(row).collect();
    let text = "A list is a set of contacts kept by hand. A sequence can be fed by one: whoever is put on it enters.";
    let page = ListsPage {
        shell: viewer.shell(Some(Place::Lists)),
        empty: rows.is_empty().then(|| Empty::new("lists", "No lists yet", text)),
        rows,
    };
    Ok(if viewer.part { html(&page.as_main()) } else { html(&page) })
}
