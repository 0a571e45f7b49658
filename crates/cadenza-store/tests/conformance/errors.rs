//! The same mistake has the same error on both engines.

use crate::place::{Place, items};
use cadenza_store::{Database, Rule, StoreError, Val};

fn refused(db: &Database, sql: &str, values: &[Val]) -> StoreError {
    db.write(|tx| tx.exec(sql, values)).unwrap_err()
}

fn conflict(table: &str, constraint: &str, columns: &[&str]) -> StoreError {
    StoreError::Conflict {
        table: table.to_owned(),
        constraint: constraint.to_owned(),
        columns: columns.iter().map(|c| (*c).to_owned()).collect(),
    }
}

pub fn conflicts_name_index_and_columns(place: &Place) {
    let db = place.open();
    items(&db, 2);
    let got = refused(&db, "UPDATE item SET name = 'item 2' WHERE id = 1", &[]);
    assert_eq!(got, conflict("item", "item_name", &["workspace_id", "name"]));
    assert_eq!(got.to_string(), "item already has a row with the same workspace_id, name (item_name)");
    assert!(got.is_conflict_on("item_name") && !got.is_conflict_on("item_pkey"));

    let sql = "INSERT INTO label (workspace_id, id, word) VALUES (1, $1, $2)";
    db.write(|tx| tx.exec(sql, &[1.into(), "Ab".into()])).unwrap();
    assert_eq!(refused(&db, sql, &[2.into(), "aB".into()]), conflict("label", "label_folded", &[]));
}

pub fn conflicts_of_unnamed_rules_have_the_same_names(place: &Place) {
    let db = place.open();
    items(&db, 1);
    let got = refused(&db, "INSERT INTO item (workspace_id, id) VALUES (1, 1)", &[]);
    assert_eq!(got, conflict("item", "item_pkey", &["workspace_id", "id"]));
    let sql = "INSERT INTO label (workspace_id, id, word, code) VALUES (1, $1, $2, 'x')";
    db.write(|tx| tx.exec(sql, &[1.into(), "a".into()])).unwrap();
    let got = refused(&db, sql, &[2.into(), "b".into()]);
    assert_eq!(got, conflict("label", "label_workspace_id_code_key", &["workspace_id", "code"]));
    let got = refused(&db, sql, &[1.into(), "c".into()]);
    assert!(matches!(&got, StoreError::Conflict { table, .. } if table == "label"), "{got:?}");
}

pub fn broken_rules_are_told_apart(place: &Place) {
    let db = place.open();
    items(&db, 1);
    let got = refused(&db, "UPDATE item SET amount = -1001", &[]);
    assert_eq!(got, StoreError::Violation { rule: Rule::Check, name: "item_amount".to_owned() });
    let got = refused(&db, "UPDATE item SET amount = NULL", &[]);
    assert_eq!(got, StoreError::Violation { rule: Rule::NotNull, name: "item.amount".to_owned() });
    let got = refused(&db, "INSERT INTO part (workspace_id, id, item_id) VALUES (1, 1, 5)", &[]);
    assert!(matches!(got, StoreError::Violation { rule: Rule::ForeignKey, .. }), "{got:?}");
    db.write(|tx| tx.exec("INSERT INTO part (workspace_id, id, item_id) VALUES (1, 1, 1)", &[])).unwrap();
    let got = refused(&db, "DELETE FROM item", &[]);
    assert!(matches!(got, StoreError::Violation { rule: Rule::ForeignKey, .. }), "{got:?}");
}

pub fn errors_hold_no_values(place: &Place) {
    let db = place.open();
    items(&db, 1);
    let sql = "INSERT INTO item (workspace_id, id, name, amount) VALUES (1, $1, $2, $3)";
    let secret = "ann.secret@example.com";
    db.write(|tx| tx.exec(sql, &[7.into(), secret.into(), 0.into()])).unwrap();
    for got in [
        refused(&db, sql, &[8.into(), secret.into(), 0.into()]),
        refused(&db, sql, &[9.into(), secret.into(), (-5000).into()]),
        refused(&db, "UPDATE item SET amount = $1", &[secret.into()]),
        refused(&db, "INSERT INTO part (workspace_id, id, item_id) VALUES (1, 1, $1)", &[424_242.into()]),
    ] {
        let said = format!("{got} {got:?}");
        assert!(!said.contains("secret") && !said.contains("424242"), "{said}");
    }
}

pub fn a_wrong_statement_is_shown(place: &Place) {
    let db = place.open();
    for sql in ["SELEC 1", "SELECT nothing FROM item", "SELECT 1 FROM nowhere"] {
        let got = db.read(|q| q.query(sql, &[]));
        assert!(matches!(&got, Err(StoreError::Statement { sql: shown, .. }) if shown == sql), "{got:?}");
    }
    let got = refused(&db, "INSERT INTO item (workspace_id, id) VALUES (1, $1)", &["text".into()]);
    assert!(matches!(got, StoreError::Statement { .. }), "a text is no number on either engine: {got:?}");
}
