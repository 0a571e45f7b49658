//! The part of SQL that both engines understand alike, and the few words that are made alike.

use crate::place::{Place, items};
use cadenza_store::dialect::{contains_pattern, prefix_pattern};
use cadenza_store::{Database, Result, Val};

fn ints(db: &Database, sql: &str, values: &[Val]) -> Vec<i64> {
    db.read(|q| q.query(sql, values)?.iter().map(|row| row.int(0)).collect()).unwrap()
}

fn texts(db: &Database, sql: &str, values: &[Val]) -> Vec<String> {
    db.read(|q| q.query(sql, values)?.iter().map(|row| Ok(row.text(0)?.to_owned())).collect()).unwrap()
}

pub fn upsert_returning(place: &Place) {
    let db = place.open();
    let sql = "INSERT INTO item (workspace_id, id, amount) VALUES ($1, $2, $3) \
               ON CONFLICT (workspace_id, id) DO UPDATE SET amount = item.amount + excluded.amount RETURNING amount";
    let add = |n: i64| db.write(|tx| tx.query_one(sql, &[1.into(), 2.into(), n.into()])?.int(0)).unwrap();
    assert_eq!(add(5), 5);
    assert_eq!(add(7), 12);
    let conditional = "INSERT INTO item (workspace_id, id, amount) VALUES (1, 2, $1) ON CONFLICT (workspace_id, id) \
                       DO UPDATE SET amount = excluded.amount WHERE item.amount < excluded.amount";
    assert_eq!(db.write(|tx| tx.exec(conditional, &[3.into()])).unwrap(), 0);
    assert_eq!(db.write(|tx| tx.exec(conditional, &[30.into()])).unwrap(), 1);
}

pub fn common_table_expressions_and_windows(place: &Place) {
    let db = place.open();
    items(&db, 6);
    let sql = "WITH ranked AS (
                   SELECT id, amount, row_number() OVER (PARTITION BY id % 2 ORDER BY amount DESC) AS place,
                          sum(amount) OVER (ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS running
                   FROM item WHERE workspace_id = $1)
               SELECT running FROM ranked WHERE place = 1 ORDER BY id";
    assert_eq!(ints(&db, sql, &[1.into()]), [150, 210]);
    let recursive = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT sum(i) FROM n";
    assert_eq!(ints(&db, recursive, &[]), [15]);
}

pub fn filtered_aggregates(place: &Place) {
    let db = place.open();
    items(&db, 6);
    let sql = "SELECT count(*) FILTER (WHERE amount > $1), sum(amount) FILTER (WHERE id > 99),
                      coalesce(sum(amount) FILTER (WHERE id <= 2), 0) FROM item";
    let row = db.read(|q| q.query_one(sql, &[30.into()])).unwrap();
    assert_eq!((row.int(0).unwrap(), row.opt_int(1).unwrap(), row.int(2).unwrap()), (3, None, 30));
}

pub fn keyset_paging(place: &Place) {
    let db = place.open();
    items(&db, 10);
    db.write(|tx| tx.exec("UPDATE item SET amount = id / 3", &[])).unwrap();
    let sql = "SELECT amount, id FROM item WHERE workspace_id = 1 AND (amount, id) > ($1, $2) \
               ORDER BY amount, id LIMIT $3";
    let (mut after, mut seen) = ((-1i64, 0i64), Vec::new());
    loop {
        let page = db.read(|q| q.query(sql, &[after.0.into(), after.1.into(), 4.into()])).unwrap();
        let page: Vec<(i64, i64)> = page.iter().map(|r| (r.int(0).unwrap(), r.int(1).unwrap())).collect();
        let Some(last) = page.last() else { break };
        after = *last;
        seen.extend(page);
    }
    assert_eq!(seen.iter().map(|s| s.1).collect::<Vec<_>>(), (1..=10).collect::<Vec<_>>());
}

pub fn partial_unique_index(place: &Place) {
    let db = place.open();
    let add = |id: i64, word: &str, live: bool| {
        db.write(|tx| {
            let sql = "INSERT INTO label (workspace_id, id, word, live) VALUES (1, $1, $2, $3)";
            tx.exec(sql, &[id.into(), word.into(), live.into()])
        })
    };
    add(1, "Red", true).unwrap();
    add(2, "red", false).unwrap();
    assert!(add(3, "RED", true).unwrap_err().is_conflict_on("label_folded"));
    let upsert = "INSERT INTO label (workspace_id, id, word) VALUES (1, 9, 'rED') \
                  ON CONFLICT (workspace_id, lower(word)) WHERE live = 1 DO UPDATE SET word = excluded.word RETURNING id";
    assert_eq!(db.write(|tx| tx.query_one(upsert, &[])?.int(0)).unwrap(), 1);
}

pub fn update_from_and_not_distinct(place: &Place) {
    let db = place.open();
    items(&db, 3);
    let sql = "UPDATE item SET amount = other.amount + 1 FROM item AS other \
               WHERE item.workspace_id = other.workspace_id AND other.id = item.id - 1";
    assert_eq!(db.write(|tx| tx.exec(sql, &[])).unwrap(), 2);
    assert_eq!(ints(&db, "SELECT amount FROM item ORDER BY id", &[]), [10, 11, 21]);
    let sql = "SELECT id FROM item WHERE due_at IS NOT DISTINCT FROM $1 ORDER BY id";
    assert_eq!(ints(&db, sql, &[None::<i64>.into()]), [1, 2, 3]);
    assert!(ints(&db, sql, &[5.into()]).is_empty());
    let sql = "SELECT id FROM item ORDER BY due_at DESC NULLS LAST, id DESC LIMIT 1 OFFSET 1";
    assert_eq!(ints(&db, sql, &[]), [2]);
}

pub fn dialect_functions_agree(place: &Place) {
    let db = place.open();
    items(&db, 1);
    let json = r#"{"word": "näh", "n": 4611686018427387904, "deep": {"a": 1}}"#;
    db.write(|tx| tx.exec("UPDATE item SET data = $1", &[json.into()])).unwrap();
    let sql = "SELECT json_text(item.data, 'word'), json_int(data, 'n'), json_text(data, 'none'), json_text(data, 'n'),
                      greatest(amount, $1, 3), least(amount, $1), json_text(coalesce(data, '{}'), $2) FROM item
               WHERE json_text(data, 'word') = 'näh'";
    let row = db.read(|q| q.query_one(sql, &[50.into(), "word".into()])).unwrap();
    assert_eq!(row.text(0).unwrap(), "näh");
    assert_eq!(row.int(1).unwrap(), 4_611_686_018_427_387_904);
    assert_eq!(row.opt_text(2).unwrap(), None);
    assert_eq!(row.text(3).unwrap(), "4611686018427387904");
    assert_eq!((row.int(4).unwrap(), row.int(5).unwrap()), (50, 10));
    assert_eq!(row.text(6).unwrap(), "näh");
}

pub fn like_distinguishes_case_and_order_is_by_bytes(place: &Place) {
    let db = place.open();
    let words = ["b", "B", "a_1", "aX1", "ä", "Z", "100%", "a\\b"];
    let sql = "INSERT INTO item (workspace_id, id, name) SELECT 1, r.id, r.name FROM rows(id BIGINT, name TEXT) AS r";
    let rows = cadenza_store::Columns::new().ints(1..=words.len() as i64).texts(words);
    db.write(|tx| tx.exec_rows(sql, &rows, &[])).unwrap();

    let mut sorted = words.map(str::to_owned);
    sorted.sort_unstable();
    assert_eq!(texts(&db, "SELECT name FROM item ORDER BY name", &[]), sorted);
    assert_eq!(texts(&db, "SELECT max(name) FROM item WHERE name < $1", &["a".into()]), ["Z"]);

    let like = |pattern: String| {
        texts(&db, "SELECT name FROM item WHERE name LIKE $1 ESCAPE '\\' ORDER BY name", &[pattern.into()])
    };
    assert_eq!(like(prefix_pattern("a_")), ["a_1"]);
    assert_eq!(like(contains_pattern("%")), ["100%"]);
    assert_eq!(like(contains_pattern("\\")), ["a\\b"]);
    assert_eq!(like(prefix_pattern("B")), ["B"]);
    assert_eq!(like(contains_pattern("X")), ["aX1"]);
}

pub fn row_locks_are_accepted(place: &Place) {
    let db = place.open();
    items(&db, 2);
    let locked: Result<i64> = db.write(|tx| {
        tx.query_one("SELECT id FROM item WHERE workspace_id = 1 AND id = 2 FOR SHARE", &[])?;
        let row =
            tx.query_one("SELECT i.id FROM item AS i WHERE i.workspace_id = 1 AND i.id = 1 FOR UPDATE OF i", &[])?;
        row.int(0)
    });
    assert_eq!(locked.unwrap(), 1);
}
