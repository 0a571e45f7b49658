//! How an action changes records: by somebody who may, in one transaction, with its line in the audit log (PRM-3). There is
//! no other way to begin a [`Change`], so no action can forget one of the three.

use super::{ActionError, Caller, Privilege, Result};
use crate::App;
use cadenza_core::ids::WorkspaceId;
use cadenza_core::machine::Actor;
use cadenza_core::time::Time;
use cadenza_store::door::{Advanced, Put};
use cadenza_store::{StoreError, Tx, audit};
use serde::Serialize;
use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError};

/// How often a transaction is tried where others were in its way.
const TRIES: usize = 5;

/// Proof that a caller was asked for a privilege and has it.
#[derive(Debug, Clone)]
pub struct Allowed {
    caller: Caller,
}

impl Caller {
    /// # Errors
    /// `Forbidden`, naming the privilege.
    pub fn allowed(&self, privilege: Privilege) -> Result<Allowed> {
        self.need(privilege)?;
        Ok(Allowed { caller: self.clone() })
    }

    /// For what is the caller's own, such as their views, and needs no privilege.
    pub fn allowed_own(&self) -> Allowed {
        Allowed { caller: self.clone() }
    }
}

/// Why a change did not take place: a refusal for the person who asked, or the store.
#[derive(Debug)]
pub enum Stopped {
    Refused(ActionError),
    Store(StoreError),
}

impl From<ActionError> for Stopped {
    fn from(e: ActionError) -> Stopped {
        Stopped::Refused(e)
    }
}
impl From<StoreError> for Stopped {
    fn from(e: StoreError) -> Stopped {
        Stopped::Store(e)
    }
}

/// One change, under way in a transaction.
#[derive(Debug)]
pub struct Change<'t> {
    pub tx: &'t mut Tx,
    pub w: WorkspaceId,
    pub caller: &'t Caller,
    pub now: Time,
    app: &'t App,
    noted: bool,
}

impl<'t> Change<'t> {
    /// The number of the next thing that is made.
    pub fn next_id(&self) -> i64 {
        self.app.next_id()
    }

    pub fn actor(&self) -> Actor {
        Actor::User(self.caller.user)
    }

    /// Writes the line of the audit log. `action` is noun and verb, such as `contact.update`; the noun is what it is about.
    pub fn note(
        &mut self,
        action: &str,
        id: Option<i64>,
        before: Option<Value>,
        after: Option<Value>,
    ) -> Result<(), Stopped> {
        let object = action.split('.').next().unwrap_or(action);
        let mut line = self.caller.audit_line(self.app, action, object, id);
        (line.before, line.after) = (before, after);
        audit::add(self.tx, self.w, &line)?;
        self.noted = true;
        Ok(())
    }

    /// As [`Change::note`], with what differs between two values: the fields that are the same are left out of both. Writes
    /// nothing and answers false where nothing differs.
    pub fn note_difference<T: Serialize>(&mut self, action: &str, id: i64, old: &T, new: &T) -> Result<bool, Stopped> {
        let (before, after) = difference(old, new)?;
        if before == after {
            self.noted = true;
            return Ok(false);
        }
        self.note(action, Some(id), Some(before), Some(after))?;
        Ok(true)
    }

    /// News for enrollments, in the transaction of what caused them. Messages that they record are found by the sender's
    /// clock, which wakes with the commit.
    pub fn advance(&mut self, puts: Vec<Put>) -> Result<Vec<Advanced>, Stopped> {
        if puts.is_empty() {
            return Ok(Vec::new());
        }
        Ok(self.app.door.advance(self.tx, self.w, puts, self.now)?)
    }

    pub fn app(&self) -> &'t App {
        self.app
    }
}

/// Runs a change in one transaction and answers after its commit. Nothing of it remains where it is refused or fails. It may
/// be run more than once, each time from the same beginning.
///
/// # Errors
/// What `f` refuses; what the store says; `Internal` where `f` wrote no line of the audit log.
pub async fn change<T, F>(app: &App, allowed: Allowed, f: F) -> Result<T>
where
    T: Send + 'static,
    F: FnMut(&mut Change<'_>) -> Result<T, Stopped> + Send + Clone + 'static,
{
    for _ in 1..TRIES {
        match once(app, &allowed, f.clone()).await {
            Err(Stopped::Store(StoreError::Contention { .. })) => {}
            done => return told(done),
        }
    }
    told(once(app, &allowed, f).await)
}

fn told<T>(done: Result<T, Stopped>) -> Result<T> {
    done.map_err(|stopped| match stopped {
        Stopped::Refused(e) => e,
        Stopped::Store(e) => e.into(),
    })
}

async fn once<T, F>(app: &App, allowed: &Allowed, mut f: F) -> Result<T, Stopped>
where
    T: Send + 'static,
    F: FnMut(&mut Change<'_>) -> Result<T, Stopped> + Send + 'static,
{
    // The store undoes a transaction for a reason of its own kind; the refusal itself is carried past it.
    let refusal: Arc<Mutex<Option<ActionError>>> = Arc::default();
    let (app2, caller, carried) = (app.clone(), allowed.caller.clone(), refusal.clone());
    let done = app
        .db
        .write_async(move |tx| {
            let now = app2.clock.now();
            let mut change = Change { tx, w: caller.workspace, caller: &caller, now, app: &app2, noted: false };
            let stopped = match f(&mut change) {
                Ok(value) if change.noted => return Ok(value),
                Ok(_) => Stopped::Refused(ActionError::internal("a change wrote no line of the audit log")),
                Err(stopped) => stopped,
            };
            match stopped {
                Stopped::Store(e) => Err(e),
                Stopped::Refused(e) => {
                    *carried.lock().unwrap_or_else(PoisonError::into_inner) = Some(e);
                    Err(StoreError::missing("change", "that was refused"))
                }
            }
        })
        .await;
    done.map_err(|e| match refusal.lock().unwrap_or_else(PoisonError::into_inner).take() {
        Some(refused) => Stopped::Refused(refused),
        None => Stopped::Store(e),
    })
}

/// The members of two records that differ.
fn difference<T: Serialize>(old: &T, new: &T) -> Result<(Value, Value), Stopped> {
    let json = |value: &T| serde_json::to_value(value).map_err(ActionError::internal);
    Ok(match (json(old)?, json(new)?) {
        (Value::Object(mut before), Value::Object(mut after)) => {
            let same: Vec<String> =
                before.iter().filter(|(name, value)| after.get(*name) == Some(value)).map(|(n, _)| n.clone()).collect();
            for name in same {
                before.remove(&name);
                after.remove(&name);
            }
            (before.into(), after.into())
        }
        both => both,
    })
}
