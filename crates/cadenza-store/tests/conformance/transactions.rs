//! What a transaction promises, to the one who runs it and to everybody else.

use crate::place::{Place, count, items, wait};
use cadenza_store::{Database, Result, Rule, StoreError, Tx, Val};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

fn add(tx: &mut Tx, id: i64) -> Result<u64> {
    tx.exec("INSERT INTO item (workspace_id, id, name) VALUES (1, $1, $2)", &[id.into(), format!("item {id}").into()])
}

fn refusal() -> StoreError {
    StoreError::missing("item", 7)
}

pub fn an_error_undoes_everything(place: &Place) {
    let db = place.open();
    let got = db.write(|tx| {
        add(tx, 1)?;
        assert_eq!(tx.query_one("SELECT count(*) FROM item", &[])?.int(0)?, 1, "it sees its own changes");
        Err::<(), _>(refusal())
    });
    assert_eq!(got, Err(refusal()));
    assert_eq!(count(&db, "item"), 0);
}

pub fn a_swallowed_error_still_undoes_everything(place: &Place) {
    let db = place.open();
    items(&db, 1);
    let got = db.write(|tx| {
        add(tx, 2)?;
        assert!(add(tx, 1).is_err());
        let after = add(tx, 3);
        assert!(matches!(after, Err(StoreError::Conflict { .. })), "nothing runs after an error: {after:?}");
        Ok(())
    });
    assert!(matches!(got, Err(StoreError::Conflict { .. })), "{got:?}");
    assert_eq!(count(&db, "item"), 1);
}

pub fn an_attempt_undoes_only_itself(place: &Place) {
    let db = place.open();
    items(&db, 1);
    db.write(|tx| {
        add(tx, 2)?;
        let failed = tx.attempt(|tx| {
            add(tx, 3)?;
            tx.attempt(|tx| add(tx, 4))?;
            add(tx, 1)
        });
        assert!(matches!(failed, Err(StoreError::Conflict { .. })), "{failed:?}");
        let refused = tx.attempt(|tx| {
            add(tx, 5)?;
            Err::<(), _>(refusal())
        });
        assert_eq!(refused, Err(refusal()));
        tx.attempt(|tx| add(tx, 6))?;
        add(tx, 7)
    })
    .unwrap();
    let ids: Vec<i64> =
        db.read(|q| q.query("SELECT id FROM item ORDER BY id", &[])?.iter().map(|r| r.int(0)).collect()).unwrap();
    assert_eq!(ids, [1, 2, 6, 7]);
}

pub fn a_panic_is_an_error_and_harms_nobody(place: &Place) {
    let db = place.open();
    let got = db.write(|tx| {
        add(tx, 1)?;
        if count_of(tx) == 1 {
            panic!("thrown {}", "on purpose");
        }
        Ok(())
    });
    assert_eq!(got, Err(StoreError::Panicked("thrown on purpose".to_owned())));
    let later: Result<()> = wait(db.write_async(|tx| {
        add(tx, 2)?;
        panic!("again")
    }));
    assert_eq!(later, Err(StoreError::Panicked("again".to_owned())));
    let read: Result<()> = db.read(|_| panic!("reading"));
    assert_eq!(read, Err(StoreError::Panicked("reading".to_owned())));
    assert_eq!(count(&db, "item"), 0);
    items(&db, 3);
    assert_eq!(count(&db, "item"), 3);
}

fn count_of(tx: &mut Tx) -> i64 {
    tx.query_one("SELECT count(*) FROM item", &[]).unwrap().int(0).unwrap()
}

pub fn transactions_do_not_nest(place: &Place) {
    let db = place.open();
    assert_eq!(db.write(|_| db.write(|tx| add(tx, 1))), Err(StoreError::Nested));
    assert_eq!(db.read(|_| db.write(|tx| add(tx, 1))), Err(StoreError::Nested));
    assert_eq!(db.write(|_| db.read(|_| Ok(()))), Err(StoreError::Nested));
    assert_eq!(db.write(|tx| add(tx, 1)), Ok(1));
}

pub fn a_read_cannot_write(place: &Place) {
    let db = place.open();
    let got = db.read(|q| q.query("INSERT INTO item (workspace_id, id) VALUES (1, 1) RETURNING id", &[]));
    assert!(matches!(&got, Err(StoreError::Statement { why, .. }) if why.contains("only reads")), "{got:?}");
    assert_eq!(count(&db, "item"), 0);
}

pub fn a_reader_sees_one_moment(place: &Place) {
    let db = place.open();
    items(&db, 1);
    let (to_writer, from_reader) = channel();
    let (to_reader, from_writer) = channel();
    let writer = db.clone();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            from_reader.recv().unwrap();
            writer.write(|tx| add(tx, 2)).unwrap();
            to_reader.send(()).unwrap();
        });
        let seen = db.read(move |q| {
            let before = q.query_one("SELECT count(*) FROM item", &[])?.int(0)?;
            to_writer.send(()).unwrap();
            from_writer.recv().unwrap();
            Ok((before, q.query_one("SELECT count(*) FROM item", &[])?.int(0)?))
        });
        assert_eq!(seen, Ok((1, 1)));
    });
    assert_eq!(count(&db, "item"), 2);
}

pub fn a_commit_is_visible_after_its_answer(place: &Place) {
    let db = place.open();
    for id in 1..=50 {
        db.write(|tx| add(tx, id)).unwrap();
        assert_eq!(count(&db, "item"), id);
    }
}

pub fn many_writers_lose_nothing(place: &Place) {
    let db = place.open();
    items(&db, 1);
    let sql = "UPDATE item SET amount = amount + 1 WHERE workspace_id = 1 AND id = 1";
    std::thread::scope(|scope| {
        for thread in 0..8i64 {
            let db = &db;
            scope.spawn(move || {
                for i in 0..25 {
                    db.write(|tx| {
                        add(tx, 1_000 + thread * 100 + i)?;
                        tx.exec(sql, &[])
                    })
                    .unwrap();
                }
            });
        }
    });
    let amount = db.read(|q| q.query_one("SELECT amount FROM item WHERE id = 1", &[])?.int(0)).unwrap();
    assert_eq!((amount, count(&db, "item")), (210, 201));
}

pub fn async_callers_are_answered(place: &Place) {
    let db = place.open();
    let writes: Vec<_> = (1..=20i64).map(|id| db.write_async(move |tx| add(tx, id).map(|_| id))).collect();
    let ids: Vec<i64> = writes.into_iter().map(|w| wait(w).unwrap()).collect();
    assert_eq!(ids, (1..=20).collect::<Vec<_>>());
    let again = wait(db.write_async(|tx| add(tx, 1)));
    assert!(matches!(again, Err(StoreError::Conflict { .. })), "{again:?}");
    assert_eq!(wait(db.read_async(|q| q.query_one("SELECT count(*) FROM item", &[])?.int(0))), Ok(20));
    // Work whose answer nobody waits for is done all the same, and closing waits for it.
    drop(db.write_async(|tx| {
        std::thread::sleep(Duration::from_millis(50));
        add(tx, 21)
    }));
    drop(db);
    assert_eq!(count(&place.open(), "item"), 21);
}

pub fn the_bell_rings_for_changes_only(place: &Place) {
    type Change = dyn FnMut(&mut Tx) -> Result<u64> + Send;
    let rings = |change: &mut Change| {
        let db = place.open();
        let rung = Arc::new(AtomicU64::new(0));
        let bell = rung.clone();
        db.on_commit(move || {
            bell.fetch_add(1, Ordering::SeqCst);
        });
        let _ = db.write(|tx| change(tx));
        // The bell follows the answer; closing waits for both.
        drop(db);
        rung.load(Ordering::SeqCst)
    };
    assert_eq!(rings(&mut |tx| add(tx, 1)), 1);
    assert_eq!(rings(&mut |tx| tx.exec("UPDATE item SET amount = 1 WHERE id = 99", &[])), 0);
    assert_eq!(rings(&mut |tx| Ok(tx.query("SELECT id FROM item", &[])?.len() as u64)), 0);
    assert_eq!(rings(&mut |tx| tx.query("DELETE FROM item RETURNING id", &[]).map(|r| r.len() as u64)), 1);
    assert_eq!(rings(&mut |tx| add(tx, 2).and(Err(refusal()))), 0);
    let undone = &mut |tx: &mut Tx| Ok(tx.attempt(|tx| add(tx, 2).and(Err::<u64, _>(refusal()))).unwrap_or(0));
    assert_eq!(rings(undone), 0);

    let db = place.open();
    let (told, heard) = channel();
    let waiting = db.clone();
    db.on_commit(move || told.send(waiting.write(|tx| add(tx, 5))).unwrap());
    db.on_commit(|| panic!("a bad subscriber"));
    assert_eq!(db.write(|tx| add(tx, 3)), Ok(1));
    assert_eq!(db.write(|tx| add(tx, 4)), Ok(1), "the writer lives on");
    assert_eq!(heard.recv(), Ok(Err(StoreError::Nested)), "a subscriber that would wait for its own thread");
}

pub fn counters_count(place: &Place) {
    let db = place.open();
    let before = db.counters();
    db.write(|tx| add(tx, 1)).unwrap();
    let _ = db.write(|_| Err::<(), _>(refusal()));
    count(&db, "item");
    let after = db.counters();
    assert_eq!(after.commits - before.commits, 1);
    assert_eq!(after.closures - before.closures, 1);
    assert_eq!(after.rollbacks - before.rollbacks, 1);
    assert_eq!(after.reads - before.reads, 1);
    assert!(after.commit_micros > before.commit_micros);
}

/// Holds the writer until everybody waits, so that on SQLite they share one commit.
fn together(
    db: &Database,
    count: i64,
    f: impl Fn(&mut Tx, i64) -> Result<u64> + Send + Copy + 'static,
) -> Vec<Result<u64>> {
    let (go, gate) = channel();
    let mut gate = Some(gate);
    let held = db.write_async(move |_| match gate.take() {
        Some(gate) => gate.recv().map_err(|_| refusal()),
        // Run again after a group that failed.
        None => Ok(()),
    });
    let all: Vec<_> = (1..=count).map(|id| db.write_async(move |tx| f(tx, id))).collect();
    go.send(()).unwrap();
    wait(held).unwrap();
    all.into_iter().map(wait).collect()
}

pub fn one_of_many_fails_alone(place: &Place) {
    let db = place.open();
    let answers = together(&db, 20, |tx, id| {
        add(tx, id)?;
        match id {
            5 => add(tx, 5),
            9 => Err(refusal()),
            13 => panic!("thirteen"),
            _ => Ok(1),
        }
    });
    for (id, answer) in (1..).zip(&answers) {
        match id {
            5 => assert!(matches!(answer, Err(StoreError::Conflict { .. })), "{answer:?}"),
            9 => assert_eq!(*answer, Err(refusal())),
            13 => assert_eq!(*answer, Err(StoreError::Panicked("thirteen".to_owned()))),
            _ => assert_eq!(*answer, Ok(1)),
        }
    }
    let gone: Vec<Val> = vec![5.into(), 9.into(), 13.into()];
    let left = db.read(|q| q.query_one("SELECT count(*) FROM item WHERE id IN ($1, $2, $3)", &gone)?.int(0));
    assert_eq!((left, count(&db, "item")), (Ok(0), 17));
}

pub fn a_deferred_rule_fails_alone(place: &Place) {
    let db = place.open();
    let answers = together(&db, 10, |tx, id| {
        add(tx, id)?;
        let item = if id == 4 { 99 } else { id };
        tx.exec("INSERT INTO late (workspace_id, id, item_id) VALUES (1, $1, $2)", &[id.into(), item.into()])
    });
    for (id, answer) in (1..).zip(&answers) {
        if id == 4 {
            assert!(matches!(answer, Err(StoreError::Violation { rule: Rule::ForeignKey, .. })), "{answer:?}");
        } else {
            assert_eq!(*answer, Ok(1));
        }
    }
    assert_eq!((count(&db, "item"), count(&db, "late")), (9, 9));
}
