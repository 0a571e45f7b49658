//! What only SQLite can show: group commit, the lock on the file, the plans of bulk statements, and databases in memory.

use crate::place::{Place, STEPS, count, items, wait};
use cadenza_store::{Columns, Database, DatabaseUrl, StoreError, migrations};
use std::process::Command;
use std::sync::mpsc::channel;
use std::time::Duration;

#[test]
fn waiting_closures_share_a_commit() {
    let place = Place::sqlite();
    let db = place.open();
    let before = db.counters();
    let (go, gate) = channel::<()>();
    let held = db.write_async(move |_| gate.recv().map_err(|_| StoreError::Nested));
    let sql = "INSERT INTO item (workspace_id, id) VALUES (1, $1)";
    let all: Vec<_> = (1..=100i64).map(|id| db.write_async(move |tx| tx.exec(sql, &[id.into()]))).collect();
    go.send(()).unwrap();
    wait(held).unwrap();
    for answer in all {
        assert_eq!(wait(answer), Ok(1));
    }
    let after = db.counters();
    assert_eq!(after.closures - before.closures, 101);
    assert!(after.commits - before.commits <= 3, "{after:?}");
    assert_eq!(count(&db, "item"), 100);
}

#[test]
fn blocking_callers_join_the_same_groups() {
    let place = Place::sqlite();
    let db = place.open();
    let before = db.counters();
    let (go, gate) = channel::<()>();
    let held = db.write_async(move |_| gate.recv().map_err(|_| StoreError::Nested));
    std::thread::scope(|scope| {
        for id in 1..=16i64 {
            let db = &db;
            scope.spawn(move || {
                let name = format!("borrowed {id}");
                let sql = "INSERT INTO item (workspace_id, id, name) VALUES (1, $1, $2)";
                db.write(|tx| tx.exec(sql, &[id.into(), (&name).into()])).unwrap();
            });
        }
        std::thread::sleep(Duration::from_millis(200));
        go.send(()).unwrap();
    });
    wait(held).unwrap();
    let after = db.counters();
    assert_eq!(after.closures - before.closures, 17);
    assert!(after.commits - before.commits < 17, "{after:?}");
}

#[test]
fn a_second_process_is_refused() {
    let place = Place::sqlite();
    let path = place.scratch().join("test.db");
    let db = place.open();
    let url = DatabaseUrl::sqlite_file(&path);
    let said = Database::open(&url).unwrap_err().to_string();
    assert!(said.contains("is in use by another Cadenza process"), "{said}");
    drop(db);

    // The same from outside: a process that holds the lock, and is killed.
    let mut lock = path.into_os_string();
    lock.push("-lock");
    let mut other = Command::new("flock").arg("--no-fork").arg(&lock).args(["sleep", "60"]).spawn().unwrap();
    let refused = (0..200).any(|_| {
        std::thread::sleep(Duration::from_millis(10));
        Database::open(&url).is_err()
    });
    other.kill().unwrap();
    other.wait().unwrap();
    assert!(refused, "the lock of another process was not seen");
    items(&Database::open(&url).unwrap(), 1);
}

#[test]
fn bulk_statements_look_rows_up_by_key() {
    let place = Place::sqlite();
    let db = place.open();
    items(&db, 10);
    let plan = |sql: &str, rows: &Columns| {
        let sql = format!("EXPLAIN QUERY PLAN {sql}");
        let rows = db.write(|tx| tx.query_rows(&sql, rows, &[])).unwrap();
        rows.iter().map(|row| row.text(3).unwrap().to_owned()).collect::<Vec<_>>().join("; ")
    };
    let rows = Columns::new().ints([1i64]).ints([2i64]);
    let key = "SEARCH item USING PRIMARY KEY (workspace_id=? AND id=?)";
    for sql in [
        "UPDATE item SET amount = 1 FROM rows(w BIGINT, id BIGINT) AS r WHERE item.workspace_id = r.w AND item.id = r.id",
        "SELECT item.name FROM rows(w BIGINT, id BIGINT) AS r, item WHERE item.workspace_id = r.w AND item.id = r.id",
        "DELETE FROM item USING rows(w BIGINT, id BIGINT) AS r WHERE item.workspace_id = r.w AND item.id = r.id",
    ] {
        // Behind the statement's own plan stand those of its foreign keys.
        let plan = plan(sql, &rows);
        assert!(plan.starts_with(key) && !plan.contains("SCAN"), "{sql}: {plan}");
    }
    let join = "SELECT item.name FROM rows(w BIGINT, id BIGINT) AS r \
                JOIN item ON item.workspace_id = r.w AND item.id = r.id";
    assert!(plan(join, &rows).contains(key), "{}", plan(join, &rows));
}

#[test]
fn memory_databases_read_write_and_join_groups() {
    let db = Database::open(&DatabaseUrl::sqlite_memory()).unwrap();
    migrations::migrate(&db, STEPS).unwrap();
    items(&db, 5);
    assert_eq!(count(&db, "item"), 5);
    let (go, gate) = channel::<()>();
    let held = db.write_async(move |tx| {
        let _ = gate.recv();
        tx.exec("UPDATE item SET amount = 0", &[])
    });
    let read = db.read_async(|q| q.query_one("SELECT sum(amount) FROM item", &[])?.int(0));
    go.send(()).unwrap();
    assert_eq!(wait(held), Ok(5));
    assert_eq!(wait(read), Ok(0), "a read stands in line behind the write");
    let again = Database::open(&DatabaseUrl::sqlite_memory()).unwrap();
    assert!(again.read(|q| q.query("SELECT 1 FROM item", &[])).is_err(), "each is a database of its own");
}

/// A full disk can take the whole transaction along, and with it what others did in it before.
#[test]
fn a_full_disk_harms_only_the_one_who_met_it() {
    let place = Place::sqlite();
    let db = place.open();
    db.write(|tx| tx.query("PRAGMA max_page_count = 100", &[]).map(drop)).unwrap();
    let (go, gate) = channel::<()>();
    let mut gate = Some(gate);
    let held = db.write_async(move |_| {
        let _ = gate.take().map(|gate| gate.recv());
        Ok(())
    });
    let sql = "INSERT INTO item (workspace_id, id, raw) VALUES (1, $1, $2)";
    let all: Vec<_> = (1..=9i64)
        .map(|id| {
            let size = if id == 5 { 5_000_000 } else { 10 };
            db.write_async(move |tx| tx.exec(sql, &[id.into(), vec![7u8; size].into()]))
        })
        .collect();
    go.send(()).unwrap();
    wait(held).unwrap();
    for (id, answer) in (1..).zip(all.into_iter().map(wait)) {
        if id == 5 {
            assert!(matches!(&answer, Err(StoreError::Unavailable { why, .. }) if why.contains("full")), "{answer:?}");
        } else {
            assert_eq!(answer, Ok(1), "{id}");
        }
    }
    assert_eq!(count(&db, "item"), 8);
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let place = Place::sqlite();
    let path = place.scratch().join("letter.txt");
    std::fs::write(&path, "Dear Ann, this is no database, but long enough to be looked at. ".repeat(20)).unwrap();
    let got = Database::open(&DatabaseUrl::sqlite_file(&path));
    assert!(matches!(&got, Err(StoreError::Unavailable { why, .. }) if why.contains("letter.txt")), "{got:?}");
    let nowhere = Database::open(&DatabaseUrl::sqlite_file(place.scratch().join("no/such/folder.db")));
    assert!(matches!(nowhere, Err(StoreError::Unavailable { .. })), "{nowhere:?}");
}
