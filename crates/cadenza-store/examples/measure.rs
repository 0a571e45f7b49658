//! What the waist costs: bulk statements by the row, single transactions, and commits shared by many callers, on both
//! engines. Prints a table; judges nothing.
//!
//! `cargo run --release -p cadenza-store --example measure [POSTGRES-ADDRESS]`: without an address it starts a
//! throw-away server, which does not flush to disk.

use cadenza_store::{Columns, Database, DatabaseUrl, Result, migrations};
use cadenza_testkit::{Scratch, postgres::cluster};
use std::time::Instant;

const STEPS: &[&str] = &[
    "CREATE TABLE due (
        workspace_id BIGINT NOT NULL, id BIGINT NOT NULL, state TEXT NOT NULL, due_at BIGINT, version BIGINT NOT NULL,
        note TEXT, PRIMARY KEY (workspace_id, id)) WITHOUT ROWID",
    "CREATE INDEX due_at ON due (workspace_id, due_at) WHERE due_at IS NOT NULL",
];
const ROWS: i64 = 20_000;
const BATCH: usize = 500;
const SINGLE: i64 = 500;

fn main() -> Result<()> {
    println!("{:<34} {:>12} {:>14}", "", "µs each", "each per s");
    let scratch = Scratch::new("measure");
    measure("SQLite", &Database::open(&DatabaseUrl::sqlite_file(scratch.join("measure.db")))?)?;
    if let Some(address) = std::env::args().nth(1) {
        return measure("PostgreSQL", &Database::open(&address.parse()?)?);
    }
    if let Some(cluster) = cluster() {
        let database = cluster.database();
        measure("PostgreSQL", &Database::open(&database.url().parse()?)?)?;
    }
    Ok(())
}

fn measure(engine: &str, db: &Database) -> Result<()> {
    migrations::migrate(db, STEPS)?;
    let ids: Vec<i64> = (1..=ROWS).collect();
    timed(engine, "bulk insert, a row", ROWS, || {
        batches(
            db,
            &ids,
            "INSERT INTO due (workspace_id, id, state, due_at, version, note) \
            SELECT $1, r.id, 'waiting', r.due_at, 1, r.note FROM rows(id BIGINT, due_at BIGINT, note TEXT) AS r",
            |ids| {
                Columns::new()
                    .ints(ids.iter().copied())
                    .ints(ids.iter().map(|i| i * 10))
                    .texts(ids.iter().map(|i| format!("note {i}")))
            },
        )
    })?;
    // A server in use knows its tables; one second after they were made it does not yet.
    db.write(|tx| tx.exec("ANALYZE due", &[]))?;
    timed(engine, "bulk update by key, a row", ROWS, || {
        batches(
            db,
            &ids,
            "UPDATE due SET state = r.state, version = due.version + 1 \
            FROM rows(id BIGINT, version BIGINT, state TEXT) AS r \
            WHERE due.workspace_id = $1 AND due.id = r.id AND due.version = r.version",
            |ids| {
                Columns::new()
                    .ints(ids.iter().copied())
                    .ints(ids.iter().map(|_| 1i64))
                    .texts(ids.iter().map(|_| "sending"))
            },
        )
    })?;
    timed(engine, "the same on an indexed column", ROWS, || {
        batches(
            db,
            &ids,
            "UPDATE due SET due_at = r.due_at, version = due.version + 1 \
            FROM rows(id BIGINT, due_at BIGINT) AS r WHERE due.workspace_id = $1 AND due.id = r.id",
            |ids| Columns::new().ints(ids.iter().copied()).ints(ids.iter().map(|i| i * 20)),
        )
    })?;
    timed(engine, "bulk select by key, a row", ROWS, || {
        let sql = "SELECT due.id, due.state, due.version FROM rows(id BIGINT) AS r \
                   JOIN due ON due.workspace_id = $1 AND due.id = r.id";
        ids.chunks(BATCH).try_for_each(|chunk| {
            let rows = Columns::new().ints(chunk.iter().copied());
            db.read(|q| q.query_rows(sql, &rows, &[1.into()])).map(drop)
        })
    })?;
    timed(engine, "one update, one commit", SINGLE, || (1..=SINGLE).try_for_each(|id| db.write(|tx| touch(tx, id))))?;
    timed(engine, "the same from 16 threads", SINGLE * 16, || {
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..16)
                .map(|t| scope.spawn(move || (1..=SINGLE).try_for_each(|i| db.write(|tx| touch(tx, t * SINGLE + i)))))
                .collect();
            threads.into_iter().try_for_each(|t| t.join().unwrap_or(Ok(())))
        })
    })?;
    timed(engine, "one read of one row", SINGLE * 4, || {
        let sql = "SELECT state FROM due WHERE workspace_id = 1 AND id = $1";
        (1..=SINGLE * 4).try_for_each(|id| db.read(|q| q.query_one(sql, &[id.into()])).map(drop))
    })?;
    let c = db.counters();
    println!("{engine}: {} closures in {} commits of {} µs", c.closures, c.commits, c.commit_micros / c.commits.max(1));
    Ok(())
}

fn touch(tx: &mut cadenza_store::Tx, id: i64) -> Result<()> {
    tx.exec("UPDATE due SET version = version + 1 WHERE workspace_id = 1 AND id = $1", &[id.into()]).map(drop)
}

fn batches(db: &Database, ids: &[i64], sql: &str, columns: impl Fn(&[i64]) -> Columns<'static>) -> Result<()> {
    ids.chunks(BATCH).try_for_each(|chunk| {
        let rows = columns(chunk);
        db.write(|tx| tx.exec_rows(sql, &rows, &[1.into()])).map(drop)
    })
}

fn timed(engine: &str, what: &str, count: i64, run: impl FnOnce() -> Result<()>) -> Result<()> {
    let start = Instant::now();
    run()?;
    let micros = start.elapsed().as_secs_f64() * 1e6 / count as f64;
    println!("{:<34} {micros:>12.2} {:>14.0}", format!("{engine}: {what}"), 1e6 / micros);
    Ok(())
}
