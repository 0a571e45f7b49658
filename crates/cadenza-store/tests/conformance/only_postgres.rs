//! What only a server can do to us: be slow, be gone, and let others in the way.

use crate::place::{Place, count, items};
use cadenza_store::migrations::migrate;
use cadenza_store::{Database, StoreError};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

/// Ends the server's side of every connection of this database whose last statement matches; answers how many.
fn terminate(place: &Place, query: &str) -> u64 {
    let mut admin = place.server().cluster().admin();
    let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND query LIKE $2 \
               AND pid <> pg_backend_pid() AND application_name = 'cadenza'";
    admin.execute(sql, &[&place.server().name(), &query]).unwrap()
}

fn is_unavailable<T>(got: &Result<T, StoreError>) -> bool {
    matches!(got, Err(StoreError::Unavailable { commit_unknown: false, .. }))
}

#[test]
fn postgres_closures_rerun_after_a_serialisation_failure() {
    let Some(place) = Place::postgres() else { return };
    let db = place.open();
    items(&db, 1);
    let (runs, both) = (AtomicU32::new(0), Barrier::new(2));
    // Each reads what the other writes; the second to commit must look again.
    let add = |first: bool| {
        let mut fresh = true;
        db.write(|tx| {
            runs.fetch_add(1, Ordering::SeqCst);
            tx.exec("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", &[])?;
            let sum = tx.query_one("SELECT sum(amount) FROM item", &[])?.int(0)?;
            if std::mem::take(&mut fresh) {
                both.wait();
            }
            let id = if first { 100 } else { 101 };
            let sql = "INSERT INTO item (workspace_id, id, amount) VALUES (1, $1, $2)";
            tx.exec(sql, &[i64::into(id), sum.into()])
        })
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(|| add(true));
        assert_eq!(add(false), Ok(1));
        assert_eq!(other.join().unwrap(), Ok(1));
    });
    assert_eq!(runs.load(Ordering::SeqCst), 3, "one of the two ran twice");
    assert_eq!(db.counters().reruns, 1);
    let total = db.read(|q| q.query_one("SELECT sum(amount) FROM item", &[])?.int(0)).unwrap();
    assert_eq!(total, 40, "10, then 10, then 20: as if one after the other");
}

#[test]
fn postgres_closures_rerun_after_a_deadlock() {
    let Some(place) = Place::postgres() else { return };
    let db = place.open();
    items(&db, 2);
    let both = Barrier::new(2);
    let cross = |from: i64, to: i64| {
        let mut fresh = true;
        db.write(|tx| {
            let sql = "UPDATE item SET amount = amount + 1 WHERE workspace_id = 1 AND id = $1";
            tx.exec(sql, &[from.into()])?;
            if std::mem::take(&mut fresh) {
                both.wait();
            }
            tx.exec(sql, &[to.into()])
        })
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(|| cross(1, 2));
        assert_eq!(cross(2, 1), Ok(1));
        assert_eq!(other.join().unwrap(), Ok(1));
    });
    assert!(db.counters().reruns >= 1);
    let row = db.read(|q| q.query_one("SELECT min(amount), max(amount) FROM item", &[])).unwrap();
    assert_eq!((row.int(0).unwrap(), row.int(1).unwrap()), (12, 22));
}

#[test]
fn postgres_contention_without_end_is_an_error() {
    let Some(place) = Place::postgres() else { return };
    place
        .server()
        .client()
        .batch_execute(
            "CREATE FUNCTION busy() RETURNS bigint LANGUAGE plpgsql AS
             $$ BEGIN RAISE EXCEPTION 'try again' USING ERRCODE = '40001'; END $$",
        )
        .unwrap();
    let db = place.open();
    let mut runs = 0;
    let got = db.write(|tx| {
        runs += 1;
        tx.query("SELECT busy()", &[]).map(drop)
    });
    assert!(matches!(got, Err(StoreError::Contention { .. })), "{got:?}");
    assert_eq!(runs, 8);
}

#[test]
fn postgres_connection_lost_in_a_closure_is_unavailable_then_recovers() {
    let Some(place) = Place::postgres() else { return };
    let db = place.open_with("cadenza_writers=1&cadenza_readers=1");
    items(&db, 1);
    let got = db.write(|tx| {
        tx.exec("UPDATE item SET amount = 999", &[])?;
        assert_eq!(terminate(&place, "UPDATE item SET amount = 999%"), 1);
        std::thread::sleep(Duration::from_millis(50));
        tx.exec("UPDATE item SET amount = 1000", &[])
    });
    assert!(is_unavailable(&got), "{got:?}");
    let amount = |db: &Database| db.read(|q| q.query_one("SELECT amount FROM item", &[])?.int(0));
    assert_eq!(amount(&db), Ok(10), "nothing of it remains");
    assert_eq!(db.write(|tx| tx.exec("UPDATE item SET amount = 11", &[])), Ok(1));
    assert_eq!(amount(&db), Ok(11));
}

#[test]
fn postgres_connections_that_died_while_idle_are_replaced_unnoticed() {
    let Some(place) = Place::postgres() else { return };
    let db = place.open();
    items(&db, 1);
    assert_eq!(count(&db, "item"), 1);
    assert!(terminate(&place, "%") >= 2);
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(count(&db, "item"), 1);
    assert_eq!(db.write(|tx| tx.exec("UPDATE item SET amount = 11", &[])), Ok(1));
}

#[test]
fn postgres_commit_without_answer_is_unknown() {
    let Some(place) = Place::postgres() else { return };
    place
        .server()
        .client()
        .batch_execute(
            "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(20); RETURN NULL; END $$;
             CREATE CONSTRAINT TRIGGER slow AFTER UPDATE ON item DEFERRABLE INITIALLY DEFERRED
             FOR EACH ROW EXECUTE FUNCTION slow();",
        )
        .unwrap();
    let db = place.open();
    items(&db, 1);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let begun = Instant::now();
            while terminate(&place, "COMMIT%") == 0 && begun.elapsed() < Duration::from_secs(15) {
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        let got = db.write(|tx| tx.exec("UPDATE item SET amount = 5", &[]));
        assert!(matches!(got, Err(StoreError::Unavailable { commit_unknown: true, .. })), "{got:?}");
    });
    assert_eq!(count(&db, "item"), 1);
}

#[test]
fn postgres_that_is_not_there_is_told_without_waiting() {
    let Some(_) = Place::postgres() else { return };
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("postgres://ann:hidden@127.0.0.1:{closed}/mail");
    let begun = Instant::now();
    let got = Database::open(&url.parse().unwrap());
    assert!(is_unavailable(&got), "{got:?}");
    assert!(begun.elapsed() < Duration::from_secs(2));
    assert!(!format!("{got:?}").contains("hidden"));
}

#[test]
fn postgres_settings_of_every_connection() {
    let Some(place) = Place::postgres() else { return };
    let db = place.open();
    let show = |name: &str| {
        let sql = format!("SELECT current_setting('{name}')");
        db.read(|q| Ok(q.query_one(&sql, &[])?.text(0)?.to_owned())).unwrap()
    };
    assert_eq!(show("synchronous_commit"), "on");
    assert_eq!(show("application_name"), "cadenza");
    assert_eq!(show("statement_timeout"), "30s");
    assert_eq!(show("transaction_isolation"), "repeatable read");
    assert_eq!(show("transaction_read_only"), "on");
}

#[test]
fn postgres_errors_of_values_do_not_show_them() {
    let Some(place) = Place::postgres() else { return };
    let got = place.open().read(|q| q.query("SELECT CAST($1 AS BIGINT)", &["ann.secret@example.com".into()]));
    assert!(matches!(&got, Err(StoreError::Statement { why, .. }) if why.contains("22P02")), "{got:?}");
    assert!(!format!("{got:?}").contains("secret"));
}

#[test]
fn postgres_over_a_unix_socket() {
    let Some(place) = Place::postgres() else { return };
    // A server given from outside need not share its socket.
    let Some(url) = place.server().socket_url() else { return };
    let db = Database::open(&url.parse().unwrap()).unwrap();
    items(&db, 2);
    assert_eq!(count(&place.open(), "item"), 2);
}

#[test]
fn postgres_migrations_of_many_nodes_at_once() {
    let Some(place) = Place::postgres() else { return };
    let empty = Arc::new(place.empty());
    let steps: Vec<String> = (0..12).map(|i| format!("CREATE TABLE t{i} (id BIGINT NOT NULL PRIMARY KEY)")).collect();
    let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
    let run: usize = std::thread::scope(|scope| {
        let nodes: Vec<_> = (0..4).map(|_| scope.spawn(|| migrate(&empty.open(), &steps).unwrap())).collect();
        nodes.into_iter().map(|n| n.join().unwrap()).sum()
    });
    assert_eq!(run, 12, "each step ran once, on one of the nodes");
}
