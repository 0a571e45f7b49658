//! Transactions on PostgreSQL: how they begin and end, when they are run again, and what a lost connection means.

use crate::bell::{Bell, Meters};
use crate::error::{Result, StoreError};
use crate::pool::Pool;
use crate::query::{Mode, Session, Tx};
use crate::work::guarded;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Runs of a closure whose transaction others were in the way of.
const TRIES: u32 = 8;

/// Each statement sees what was committed before it; what must not change meanwhile is locked or compared.
const BEGIN_WRITE: &str = "BEGIN";
const BEGIN_READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

pub(crate) fn read<T>(pool: &Pool, meters: &Meters, f: impl FnOnce(&mut Tx) -> Result<T>) -> Result<T> {
    let mut leased = pool.take()?;
    let tx = leased.tx()?;
    begin(tx, BEGIN_READ)?;
    let done = guarded(tx, Mode::Read, f);
    end(tx);
    meters.read();
    done
}

pub(crate) fn write<T>(
    pool: &Pool,
    meters: &Meters,
    bell: &Bell,
    mut f: impl FnMut(&mut Tx) -> Result<T>,
) -> Result<T> {
    let mut tries = 1;
    loop {
        // The connection goes back between tries, so that whoever was in the way can finish.
        let done = once(pool, meters, bell, &mut f);
        match done {
            Err(StoreError::Contention { .. }) if tries < TRIES => {
                meters.rerun();
                sleep(Duration::from_millis(1 << tries));
                tries += 1;
            }
            done => return done,
        }
    }
}

fn once<T>(pool: &Pool, meters: &Meters, bell: &Bell, f: impl FnMut(&mut Tx) -> Result<T>) -> Result<T> {
    let mut leased = pool.take()?;
    let tx = leased.tx()?;
    begin(tx, BEGIN_WRITE)?;
    let value = match guarded(tx, Mode::Write, f) {
        Ok(value) => value,
        Err(e) => {
            end(tx);
            meters.rolled_back();
            return Err(e);
        }
    };
    let start = Instant::now();
    if let Err(e) = tx.session().control("COMMIT") {
        end(tx);
        return Err(match e {
            StoreError::Unavailable { why, .. } => StoreError::Unavailable { why, commit_unknown: true },
            e => e,
        });
    }
    meters.committed(1, start.elapsed());
    let changed = tx.changed();
    drop(leased);
    if changed {
        bell.ring();
    }
    Ok(value)
}

/// Begins; on a connection that died while it was idle, connects anew first. Nothing was done yet, so nothing is lost.
fn begin(tx: &mut Tx, sql: &str) -> Result<()> {
    let Session::Postgres(session) = tx.session() else {
        return Err(StoreError::unavailable("the connection belongs to another engine"));
    };
    let fresh = !session.is_connected();
    session.connect()?;
    match session.control(sql) {
        Err(StoreError::Unavailable { .. }) if !fresh => {
            session.disconnect();
            session.connect()?;
            session.control(sql)
        }
        done => done,
    }
}

/// Rolls back; a connection that cannot do that is given up.
fn end(tx: &mut Tx) {
    if let Session::Postgres(session) = tx.session()
        && session.control("ROLLBACK").is_err()
    {
        session.disconnect();
    }
}
