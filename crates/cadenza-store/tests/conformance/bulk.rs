//! Statements over `rows(…)`.

use crate::place::{Place, count, items};
use cadenza_store::{Columns, StoreError};

pub fn insert_update_select_delete(place: &Place) {
    let db = place.open();
    let insert = "INSERT INTO item (workspace_id, id, name, due_at, raw) SELECT $1, r.id, r.name, r.due_at, r.raw \
                  FROM rows(id BIGINT, name TEXT, due_at BIGINT, raw BLOB) AS r";
    let rows = Columns::new()
        .ints([1i64, 2, 3])
        .opt_texts([Some("a"), None, Some("c")])
        .opt_ints([None, Some(5i64), Some(6)])
        .opt_blobs([Some(vec![1u8]), None, Some(vec![])]);
    assert_eq!(db.write(|tx| tx.exec_rows(insert, &rows, &[9.into()])).unwrap(), 3);

    let update = "UPDATE item SET amount = r.amount, due_at = NULL FROM rows(id BIGINT, amount BIGINT) AS r \
                  WHERE item.workspace_id = $1 AND item.id = r.id AND item.amount = $2";
    let rows = Columns::new().ints([3i64, 2, 77]).ints([30i64, 20, 7]);
    assert_eq!(db.write(|tx| tx.exec_rows(update, &rows, &[9.into(), 0.into()])).unwrap(), 2, "77 is not there");

    let select = "SELECT item.id, item.amount, item.name, item.raw FROM rows(id BIGINT) AS r \
                  JOIN item ON item.workspace_id = $1 AND item.id = r.id";
    let mut found = db.read(|q| q.query_rows(select, &Columns::new().ints([1i64, 2, 3, 4]), &[9.into()])).unwrap();
    found.sort_by_key(|row| row.int(0).unwrap());
    let amounts: Vec<i64> = found.iter().map(|row| row.int(1).unwrap()).collect();
    assert_eq!(amounts, [0, 20, 30]);
    assert_eq!(found[1].opt_text(2).unwrap(), None);
    assert_eq!(found[2].blob(3).unwrap(), b"");

    let delete = "DELETE FROM item WHERE (workspace_id, id) IN (SELECT r.w, r.id FROM rows(w BIGINT, id BIGINT) AS r)";
    let rows = Columns::new().ints([9i64, 9, 8]).ints([1i64, 2, 3]);
    assert_eq!(db.write(|tx| tx.exec_rows(delete, &rows, &[])).unwrap(), 2);
    let using = "DELETE FROM item USING rows(id BIGINT) AS r WHERE item.workspace_id = 9 AND item.id = r.id";
    assert_eq!(db.write(|tx| tx.exec_rows(using, &Columns::new().ints([3i64, 4]), &[])).unwrap(), 1);
    assert_eq!(count(&db, "item"), 0);
}

pub fn an_empty_batch_does_nothing(place: &Place) {
    let db = place.open();
    items(&db, 2);
    let rows = Columns::new().ints(Vec::<i64>::new());
    let update = "UPDATE item SET amount = 1 FROM rows(id BIGINT) AS r WHERE item.id = r.id";
    assert_eq!(db.write(|tx| tx.exec_rows(update, &rows, &[])).unwrap(), 0);
    let select = "SELECT r.id FROM rows(id BIGINT) AS r";
    assert!(db.read(|q| q.query_rows(select, &rows, &[])).unwrap().is_empty());
}

pub fn a_batch_upserts_and_returns(place: &Place) {
    let db = place.open();
    items(&db, 2);
    let sql = "INSERT INTO item (workspace_id, id, amount) SELECT $1, r.id, r.amount \
               FROM rows(id BIGINT, amount BIGINT) AS r WHERE true \
               ON CONFLICT (workspace_id, id) DO UPDATE SET amount = item.amount + excluded.amount \
               RETURNING id, amount";
    let rows = Columns::new().ints([2i64, 3]).ints([5i64, 7]);
    let mut got = db
        .write(|tx| {
            let rows = tx.query_rows(sql, &rows, &[1.into()])?;
            rows.iter().map(|row| Ok((row.int(0)?, row.int(1)?))).collect::<cadenza_store::Result<Vec<_>>>()
        })
        .unwrap();
    got.sort_unstable();
    assert_eq!(got, [(2, 25), (3, 7)]);
    let nothing = "INSERT INTO item (workspace_id, id) SELECT $1, r.id FROM rows(id BIGINT) AS r \
                   ON CONFLICT (workspace_id, id) DO NOTHING";
    let rows = Columns::new().ints([3i64, 4]);
    assert_eq!(db.write(|tx| tx.exec_rows(nothing, &rows, &[1.into()])).unwrap(), 1);
    let returning = "UPDATE item SET done = 1 FROM rows(id BIGINT) AS r WHERE item.workspace_id = 1 \
                     AND item.id = r.id AND item.done = 0 RETURNING item.id, amount";
    let rows = Columns::new().ints([1i64, 4, 5]);
    let mut got: Vec<i64> =
        db.write(|tx| tx.query_rows(returning, &rows, &[])?.iter().map(|row| row.int(0)).collect()).unwrap();
    got.sort_unstable();
    assert_eq!(got, [1, 4]);
}

pub fn joins_in_both_directions(place: &Place) {
    let db = place.open();
    items(&db, 5);
    let rows = Columns::new().ints([2i64, 4, 9]).texts(["two", "four", "nine"]);
    let ids = |sql: &str| {
        let mut got: Vec<(Option<i64>, String)> = db
            .read(|q| {
                let rows = q.query_rows(sql, &rows, &[])?;
                rows.iter().map(|row| Ok((row.opt_int(0)?, row.text(1)?.to_owned()))).collect()
            })
            .unwrap();
        got.sort();
        got
    };
    let inner = vec![(Some(2), "two".to_owned()), (Some(4), "four".to_owned())];
    for from in [
        "FROM rows(id BIGINT, word TEXT) AS r JOIN item ON item.id = r.id",
        "FROM item JOIN rows(id BIGINT, word TEXT) AS r ON item.id = r.id",
        "FROM rows(id BIGINT, word TEXT) AS r, item WHERE item.id = r.id",
        "FROM item, rows(id BIGINT, word TEXT) AS r WHERE item.id = r.id",
    ] {
        assert_eq!(ids(&format!("SELECT item.id, r.word {from}")), inner, "{from}");
    }
    let left = "SELECT item.id, r.word FROM rows(id BIGINT, word TEXT) AS r LEFT JOIN item ON item.id = r.id";
    assert_eq!(ids(left)[0], (None, "nine".to_owned()));
    let missing = "SELECT r.id AS id, r.word AS word FROM rows(id BIGINT, word TEXT) AS r \
                   WHERE NOT EXISTS (SELECT 1 FROM item WHERE item.id = r.id)";
    assert_eq!(ids(missing), [(Some(9), "nine".to_owned())]);
    let cte = "WITH wanted AS (SELECT r.id AS id, r.word AS word FROM rows(id BIGINT, word TEXT) AS r) \
               SELECT item.id, wanted.word FROM wanted JOIN item ON item.id = wanted.id";
    assert_eq!(ids(cte), inner);
}

pub fn five_thousand_rows(place: &Place) {
    let db = place.open();
    items(&db, 5_000);
    let sql = "UPDATE item SET amount = r.amount FROM rows(w BIGINT, id BIGINT, amount BIGINT) AS r \
               WHERE item.workspace_id = r.w AND item.id = r.id";
    let rows = Columns::new().ints((1..=5_000).map(|_| 1i64)).ints(1..=5_000i64).ints((1..=5_000i64).rev());
    assert_eq!(db.write(|tx| tx.exec_rows(sql, &rows, &[])).unwrap(), 5_000);
    let row = db.read(|q| q.query_one("SELECT sum(amount), min(amount + id) FROM item", &[])).unwrap();
    assert_eq!((row.int(0).unwrap(), row.int(1).unwrap()), (12_502_500, 5_001));
}

pub fn columns_must_fit(place: &Place) {
    let db = place.open();
    let sql = "SELECT r.id, r.name FROM rows(id BIGINT, name TEXT) AS r";
    let said = |sql: &str, rows: &Columns| match db.read(|q| q.query_rows(sql, rows, &[])) {
        Err(StoreError::Statement { why, .. }) => why,
        other => panic!("{other:?}"),
    };
    assert!(said(sql, &Columns::new().ints([1i64])).contains("[Int, Text]"));
    assert!(said(sql, &Columns::new().texts(["a"]).ints([1i64])).contains("[Text, Int] were given"));
    assert!(said(sql, &Columns::new().ints([1i64]).texts(["a", "b"])).contains("different lengths: [1, 2]"));
    assert!(said("SELECT 1", &Columns::new().ints([1i64])).contains("does not read rows"));
    let alone = db.read(|q| q.query(sql, &[]));
    assert!(matches!(&alone, Err(StoreError::Statement { why, .. }) if why.contains("no columns")), "{alone:?}");
}
