//! What goes in comes out, and what cannot go in is refused in words.

use crate::place::Place;
use cadenza_core::ids::ContactId;
use cadenza_core::time::Time;
use cadenza_store::{Kind, StoreError, Val};

pub fn every_kind_comes_back_as_it_went(place: &Place) {
    let db = place.open();
    let text = "Zoë's \"naïve\" 🎻 \\ % _ \n end";
    let raw: Vec<u8> = (0..=255).collect();
    let at = Time::from_micros(1_800_000_000_123_456);
    db.write(|tx| {
        tx.exec(
            "INSERT INTO item (workspace_id, id, name, amount, due_at, raw, done) VALUES ($1, $2, $3, $4, $5, $6, $7)",
            &[
                i64::MAX.into(),
                ContactId(7).into(),
                text.into(),
                (-1000i64).into(),
                at.into(),
                raw.clone().into(),
                true.into(),
            ],
        )
    })
    .unwrap();
    let sql = "SELECT workspace_id, id, name, amount, due_at, raw, done FROM item";
    let row = db.read(|q| q.query_one(sql, &[])).unwrap();
    assert_eq!(row.int(0).unwrap(), i64::MAX);
    assert_eq!(row.int(1).unwrap(), 7);
    assert_eq!(row.text(2).unwrap(), text);
    assert_eq!(row.opt_text(2).unwrap(), Some(text));
    assert_eq!(row.int(3).unwrap(), -1000);
    assert_eq!(row.time(4).unwrap(), at);
    assert_eq!(row.opt_time(4).unwrap(), Some(at));
    assert_eq!(row.blob(5).unwrap(), raw);
    assert!(row.flag(6).unwrap());
    assert_eq!(row.len(), 7);
}

pub fn nulls_of_every_kind(place: &Place) {
    let db = place.open();
    let none = |tx: &mut cadenza_store::Tx, id: i64, nulls: [Val; 3]| {
        let [name, due, raw] = nulls;
        let sql = "INSERT INTO item (workspace_id, id, name, due_at, raw) VALUES (1, $1, $2, $3, $4)";
        tx.exec(sql, &[id.into(), name, due, raw])
    };
    db.write(|tx| {
        none(tx, 1, [None::<&str>.into(), None::<Time>.into(), None::<Vec<u8>>.into()])?;
        none(tx, 2, [Val::Null, Val::Null, Val::Null])
    })
    .unwrap();
    let rows = db.read(|q| q.query("SELECT name, due_at, raw FROM item ORDER BY id", &[])).unwrap();
    assert_eq!(rows.len(), 2);
    for row in rows {
        assert_eq!(row.opt_text(0).unwrap(), None);
        assert_eq!(row.opt_time(1).unwrap(), None);
        assert_eq!(row.opt_int(1).unwrap(), None);
        assert_eq!(row.opt_blob(2).unwrap(), None);
        assert!(row.text(0).is_err() && row.time(1).is_err() && row.blob(2).is_err());
    }
    // A filter that is not set, the commonest use of a NULL whose kind only the code knows.
    let sql = "SELECT count(*) FROM item WHERE ($1 IS NULL OR name = $1) AND ($2 IS NULL OR due_at < $2)";
    let all = db.read(|q| q.query_one(sql, &[None::<&str>.into(), Val::NullOf(Kind::Int)])?.int(0)).unwrap();
    assert_eq!(all, 2);
}

pub fn parameters_are_64_bits_wide(place: &Place) {
    let big = 1_800_000_000_000_000i64;
    let row = place.open().read(|q| q.query_one("SELECT $1 + 1000, $1 - $2", &[big.into(), 1.into()])).unwrap();
    assert_eq!((row.int(0).unwrap(), row.int(1).unwrap()), (big + 1000, big - 1));
}

pub fn sums_and_comparisons_are_integers(place: &Place) {
    let db = place.open();
    crate::place::items(&db, 4);
    let sql = "SELECT sum(amount), sum(amount) * 10000000000, count(*), min(id) = 1, max(id) = 1, sum(due_at), 7 / 2 FROM item";
    let row = db.read(|q| q.query_one(sql, &[])).unwrap();
    assert_eq!(row.int(0).unwrap(), 100);
    assert_eq!(row.int(1).unwrap(), 1_000_000_000_000);
    assert_eq!(row.int(2).unwrap(), 4);
    assert!(row.flag(3).unwrap() && !row.flag(4).unwrap());
    assert_eq!(row.opt_int(5).unwrap(), None);
    assert_eq!(row.int(6).unwrap(), 3);
}

pub fn a_wrong_column_is_named(place: &Place) {
    let db = place.open();
    crate::place::items(&db, 1);
    let row = db.read(|q| q.query_one("SELECT id, name, due_at FROM item", &[])).unwrap();
    let said = row.int(1).unwrap_err().to_string();
    assert_eq!(said, r#"column 1 (name) of "SELECT id, name, due_at FROM item": expected an integer, found a text"#);
    assert!(row.text(2).unwrap_err().to_string().contains("found NULL"));
    assert!(row.blob(9).unwrap_err().to_string().contains("no such column"));
    let two = db.read(|q| q.query_one("SELECT id + 1 FROM item", &[])).unwrap();
    assert!(two.flag(0).unwrap_err().to_string().contains("expected 0 or 1"));
}

pub fn a_text_with_nul_is_refused(place: &Place) {
    let db = place.open();
    let bad = "a\0b";
    let sql = "UPDATE item SET name = $1";
    let said = db.write(|tx| tx.exec(sql, &[bad.into()])).unwrap_err().to_string();
    assert!(said.contains("U+0000"), "{said}");
    let bulk = "UPDATE item SET name = r.name FROM rows(name TEXT) AS r WHERE item.name = r.name";
    let rows = cadenza_store::Columns::new().texts([bad]);
    let said = db.write(|tx| tx.exec_rows(bulk, &rows, &[])).unwrap_err().to_string();
    assert!(said.contains("U+0000"), "{said}");
}

pub fn a_fraction_is_refused(place: &Place) {
    let got = place.open().read(|q| q.query("SELECT 0.5", &[]));
    assert!(matches!(&got, Err(StoreError::Statement { why, .. }) if why.contains("fraction")), "{got:?}");
}

pub fn parameters_are_counted(place: &Place) {
    let db = place.open();
    for (values, sql) in [(0, "SELECT $1"), (2, "SELECT $1"), (1, "SELECT 1")] {
        let given = vec![Val::Int(1); values];
        let got = db.read(|q| q.query(sql, &given));
        assert!(matches!(&got, Err(StoreError::Statement { why, .. }) if why.contains("values were given")), "{got:?}");
    }
    let ten = "SELECT $10 - $1, $1, $2, $3, $4, $5, $6, $7, $8, $9";
    let values: Vec<Val> = (1..=10i64).map(Val::from).collect();
    assert_eq!(db.read(|q| q.query_one(ten, &values)?.int(0)).unwrap(), 9);
}
