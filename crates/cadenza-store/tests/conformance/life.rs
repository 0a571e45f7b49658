//! Opening, closing, and making the tables.

use crate::place::{Place, STEPS, count, items};
use cadenza_store::migrations::migrate;
use cadenza_store::{Rule, StoreError};

pub fn what_was_written_is_there_after_reopening(place: &Place) {
    items(&place.open(), 7);
    for _ in 0..3 {
        let db = place.open();
        assert_eq!(count(&db, "item"), 7);
        assert_eq!(db.url().to_string(), place.url());
    }
}

pub fn migrations_run_once(place: &Place) {
    let empty = place.empty();
    let db = empty.open();
    assert_eq!(migrate(&db, &STEPS[..2]).unwrap(), 2);
    assert_eq!(migrate(&db, &STEPS[..2]).unwrap(), 0);
    assert_eq!(migrate(&db, STEPS).unwrap(), STEPS.len() - 2);
    drop(db);
    let db = empty.open();
    assert_eq!(migrate(&db, STEPS).unwrap(), 0);
    let spaced = STEPS[0].replace(' ', "  \n");
    let mut steps = STEPS.to_vec();
    steps[0] = &spaced;
    assert_eq!(migrate(&db, &steps).unwrap(), 0, "a change of layout is no change");
}

pub fn the_products_own_tables_are_made(place: &Place) {
    let empty = place.empty();
    let steps = cadenza_store::schema::SCHEMA;
    assert_eq!(migrate(&empty.open(), steps).unwrap(), steps.len());
    assert_eq!(migrate(&empty.open(), steps).unwrap(), 0);
}

pub fn another_draft_is_refused(place: &Place) {
    let db = place.open();
    items(&db, 1);
    let changed = STEPS[1].replace("(workspace_id, name)", "(workspace_id, name, amount)");
    let mut steps = STEPS.to_vec();
    steps[1] = &changed;
    let said = migrate(&db, &steps).unwrap_err().to_string();
    assert!(said.contains("another version of Cadenza") && said.contains("step 1"), "{said}");
    assert_eq!(count(&db, "item"), 1);
}

pub fn a_newer_database_is_refused(place: &Place) {
    let said = migrate(&place.open(), &STEPS[..3]).unwrap_err().to_string();
    assert!(said.contains("newer version of Cadenza"), "{said}");
}

pub fn a_failing_step_leaves_nothing(place: &Place) {
    let empty = place.empty();
    let db = empty.open();
    let bad = [STEPS[0], "INSERT INTO item (workspace_id, id, amount) VALUES (1, 1, -9999)"];
    let got = migrate(&db, &bad);
    assert!(matches!(got, Err(StoreError::Violation { rule: Rule::Check, .. })), "{got:?}");
    let good = [STEPS[0], "INSERT INTO item (workspace_id, id, amount) VALUES (1, 1, 9999)"];
    assert_eq!(migrate(&db, &good).unwrap(), 1, "only the step that failed is run");
    assert_eq!(count(&db, "item"), 1);
}

/// The last handle may be dropped by work of the database itself, which then must not wait for itself.
pub fn handles_may_be_dropped_anywhere(place: &Place) {
    let db = place.open();
    let other = db.clone();
    let (told, heard) = std::sync::mpsc::channel();
    let mut held = Some(other);
    drop(db.write_async(move |tx| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        let seen = tx.query_one("SELECT count(*) FROM item", &[])?.int(0)?;
        drop(held.take());
        let _ = told.send(seen);
        Ok(())
    }));
    drop(db);
    assert_eq!(heard.recv_timeout(std::time::Duration::from_secs(10)), Ok(0));
}
