//! Puts events through the door in batches: whoever waits for the answer shares a commit with all who asked meanwhile.

use crate::app::App;
use cadenza_core::ids::WorkspaceId;
use cadenza_store::StoreError;
use cadenza_store::door::{Advanced, Put};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// Events that share a commit at most.
const BATCH_MAX: usize = 512;
/// How often a batch is tried where other transactions were in its way.
const TRIES: usize = 5;

struct Asked {
    workspace: WorkspaceId,
    put: Put,
    answer: oneshot::Sender<Result<Advanced, StoreError>>,
}

/// A handle to the batching task. Clones are the same one; the task ends when the last is dropped.
#[derive(Debug, Clone)]
pub struct Advancer {
    queue: mpsc::Sender<Asked>,
}

impl Advancer {
    pub fn start(app: App) -> Advancer {
        let (queue, asked) = mpsc::channel(BATCH_MAX * 4);
        tokio::spawn(run(app, asked));
        Advancer { queue }
    }

    /// Puts one event; answers after the commit.
    ///
    /// # Errors
    /// Those of the store; the event was not put then, except where a lost commit says that it is unknown.
    pub async fn put(&self, workspace: WorkspaceId, put: Put) -> Result<Advanced, StoreError> {
        let (answer, answered) = oneshot::channel();
        let gone = || StoreError::Unavailable { why: "the engine has stopped".into(), commit_unknown: false };
        self.queue.send(Asked { workspace, put, answer }).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
}

async fn run(app: App, mut asked: mpsc::Receiver<Asked>) {
    let mut batch = Vec::with_capacity(BATCH_MAX);
    while asked.recv_many(&mut batch, BATCH_MAX).await > 0 {
        let mut by_workspace: BTreeMap<WorkspaceId, Vec<Asked>> = BTreeMap::new();
        for one in batch.drain(..) {
            by_workspace.entry(one.workspace).or_default().push(one);
        }
        for (workspace, group) in by_workspace {
            let puts: Vec<Put> = group.iter().map(|a| a.put.clone()).collect();
            match advance(&app, workspace, puts).await {
                Ok(answers) => {
                    for (one, answer) in group.into_iter().zip(answers) {
                        // Whoever asked may have given up; the event is put all the same.
                        let _ = one.answer.send(Ok(answer));
                    }
                }
                // The database is away: whoever asked decides whether to ask again. A commit whose answer was lost may have
                // taken place, and asking again here would hide that.
                Err(e @ StoreError::Unavailable { .. }) => {
                    for one in group {
                        let _ = one.answer.send(Err(e.clone()));
                    }
                }
                // One that is wrong must not fail the others (ENR-9): each by itself.
                Err(_) if group.len() > 1 => {
                    for one in group {
                        let answer = advance(&app, workspace, vec![one.put.clone()]).await;
                        let _ = one.answer.send(answer.and_then(only));
                    }
                }
                Err(e) => {
                    for one in group {
                        let _ = one.answer.send(Err(e.clone()));
                    }
                }
            }
        }
    }
}

fn only(mut answers: Vec<Advanced>) -> Result<Advanced, StoreError> {
    answers.pop().ok_or_else(|| StoreError::Unavailable { why: "no answer".into(), commit_unknown: false })
}

/// One batch of one workspace, tried again where other transactions were in the way.
pub(super) async fn advance(app: &App, workspace: WorkspaceId, puts: Vec<Put>) -> Result<Vec<Advanced>, StoreError> {
    advance_among(app, workspace, puts, None).await
}

/// As [`advance`], where it is known how many are due at most.
pub(super) async fn advance_among(
    app: &App,
    workspace: WorkspaceId,
    puts: Vec<Put>,
    crowd: Option<u32>,
) -> Result<Vec<Advanced>, StoreError> {
    let puts = Arc::new(puts);
    let mut tries = 0;
    loop {
        let (app2, puts) = (app.clone(), puts.clone());
        let done =
            app.db.write_async(move |tx| app2.door.advance_among(tx, workspace, &puts, crowd, app2.clock.now())).await;
        match done {
            Err(StoreError::Contention { .. }) if tries < TRIES => tries += 1,
            done => return done,
        }
    }
}
