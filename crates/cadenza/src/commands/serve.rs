//! `cadenza serve`: the server, until it is told to stop. It lets what is under way come to its end: no message is left
//! unknown by a stop.

use super::console::Console;
use super::{Ended, Failure, logging, open, print};
use crate::actions::setup;
use crate::app::App;
use crate::config::{Config, Flags};
use crate::engine::{Engine, Limits};
use crate::http;
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Serves pages and API, and runs the engine.
#[derive(Debug, clap::Args)]
pub struct Args {}

pub(super) async fn run(_args: &Args, flags: &Flags) -> Result<Ended, Failure> {
    let config = Config::load(flags)?;
    logging::start(&config.log)?;
    let app = open::open(config).await?;
    let listener = listen(&app).await?;
    let stop = told_to_stop();
    let address = listener.local_addr().map_err(Failure::said)?;
    app.listens_on(address);
    tracing::info!("Cadenza listens on http://{address}");
    if app.db.read_async(|q| Ok(!cadenza_store::workspaces::any(q)?)).await? {
        // Not into the log, which others may read: whoever has the link becomes the administrator.
        print::line(format_args!(
            "\n  There is no workspace yet. Make it, and yourself its administrator, here:\n\n    {}/setup?token={}\n\n  \
             The link is good until it is used, or until this server stops.\n",
            app.public_url(),
            setup::token(&app).reveal()
        ))?;
    }
    serve(app, listener, stop).await
}

/// The socket, with an error that names the address.
pub(super) async fn listen(app: &App) -> Result<TcpListener, Failure> {
    let address: SocketAddr = app.config.server.listen;
    TcpListener::bind(address).await.map_err(|e| Failure::said(format!("{address} cannot be listened on: {e}")))
}

/// Runs engine and server on an open socket until it is told to stop, then stops both in good order.
pub(super) async fn serve(
    app: App,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<Ended, Failure> {
    let data = app.config.server.data.clone();
    let console = Console::open(&app).await.map_err(|e| Failure::file(&super::place::file_in(&data), e))?;
    let mail = &app.config.mail;
    let limits = Limits {
        dot_permits: mail.dot_permits,
        claimed_max: mail.claimed_max,
        connections_per_mailbox: mail.connections_per_mailbox,
        ..Limits::default()
    };
    let engine = Engine::start(&app, limits).await?;
    let served = http::serve(app.clone(), listener, stop).await;
    tracing::info!("stopping: what is under way comes to its end");
    app.stop();
    engine.stopped().await;
    console.close(&data);
    served.map_err(Failure::said)?;
    Ok(Ended::Well)
}

/// Ctrl-C, or what a service manager sends; heard from the call on, before anybody waits for it.
pub(super) fn told_to_stop() -> impl Future<Output = ()> + Send + 'static {
    let heard = |kind: SignalKind| match signal(kind) {
        Ok(signal) => Some(signal),
        Err(e) => {
            tracing::warn!("a signal to stop cannot be heard: {e}");
            None
        }
    };
    let (terminate, interrupt) = (heard(SignalKind::terminate()), heard(SignalKind::interrupt()));
    async move {
        tokio::select! {
            () = first(terminate) => {}
            () = first(interrupt) => {}
        }
    }
}

async fn first(signal: Option<Signal>) {
    match signal {
        Some(mut signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}
