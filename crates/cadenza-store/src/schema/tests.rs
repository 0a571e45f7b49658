//! The rules that every table keeps, read off the statements themselves, and a run of all of them on SQLite.

use super::SCHEMA;
use crate::migrations::migrate;
use crate::{Database, DatabaseUrl};

/// Tables that are the same for all workspaces.
const GLOBAL: [&str; 3] = ["node", "shard_lease", "sign_in"];

fn memory() -> Database {
    Database::open(&"sqlite::memory:".parse::<DatabaseUrl>().unwrap()).unwrap()
}

#[test]
fn every_step_runs_once() {
    let db = memory();
    assert_eq!(migrate(&db, SCHEMA), Ok(SCHEMA.len()));
    assert_eq!(migrate(&db, SCHEMA), Ok(0));
}

#[test]
fn the_workspace_leads_every_key() {
    for sql in SCHEMA {
        let words = sql.split_whitespace().collect::<Vec<_>>().join(" ");
        let Some(table) = words.strip_prefix("CREATE TABLE ").and_then(|s| s.split(' ').next()) else {
            if words.starts_with("CREATE UNIQUE INDEX") {
                let is_global = GLOBAL.iter().any(|table| words.contains(&format!(" ON {table} (")));
                assert!(is_global || words.contains(" (workspace_id, "), "{words}");
            }
            continue;
        };
        if GLOBAL.contains(&table) {
            assert!(!words.contains("workspace_id"), "{table} would be spread over the workers");
            continue;
        }
        assert!(words.contains("( workspace_id BIGINT NOT NULL"), "{table}");
        assert!(words.contains("PRIMARY KEY (workspace_id, ") || table == "workspace", "{table}");
        for key in words.split("FOREIGN KEY ").skip(1) {
            assert!(key.starts_with("(workspace_id, ") && key.contains(" (workspace_id, "), "{table}: {key}");
        }
    }
}

/// A final mark changes the state of a send and little else; an index that knew of the state would be rewritten with it.
#[test]
fn no_index_of_the_outbox_knows_the_state() {
    let indexes: Vec<_> = SCHEMA.iter().filter(|sql| sql.contains("INDEX") && sql.contains(" ON send (")).collect();
    assert!(indexes.len() >= 4);
    for sql in indexes {
        assert!(!sql.contains("state") && !sql.contains("marked_at"), "{sql}");
    }
}

#[test]
fn the_planner_takes_one_record_for_less_than_a_workspace() {
    let found = |sql: &str| plan_of(sql, None, if sql.contains("$3") { 3 } else { 2 });
    for (sql, index) in [
        ("SELECT type FROM address WHERE workspace_id = $1 AND subject = $2 AND subject_id = $3", "address_of"),
        ("SELECT list_id FROM list_member WHERE workspace_id = $1 AND subject_id = $2", "list_member_of"),
        (
            "SELECT state FROM enrollment WHERE workspace_id = $1 AND contact_id = $2 AND life <> 3 ORDER BY id",
            "enrollment_contact",
        ),
        (
            "SELECT state FROM send WHERE workspace_id = $1 AND message_id = $2 ORDER BY enrollment_id, visit",
            "send_message",
        ),
        ("SELECT visit FROM send WHERE workspace_id = $1 AND unknown IS NOT NULL AND visit > $2", "send_unknown"),
        (
            "SELECT id FROM enrollment WHERE workspace_id = $1 AND sequence_id = $2 AND life IN (0, 1) AND contact_id = $3",
            "enrollment_live_contact",
        ),
        (
            "SELECT count(*) FROM enrollment WHERE workspace_id = $1 AND sequence_id = $2 AND state = 'active'",
            "enrollment_sequence",
        ),
    ] {
        let plan = found(sql);
        assert!(plan.contains(&format!("{index} (")), "{sql}: {plan}");
    }
    // Those of a sequence are walked in the order of their ids, a page at a time: sorting all for each page would take for ever.
    let walk = "SELECT id FROM enrollment WHERE workspace_id = $1 AND sequence_id = $2 AND life IN (0, 1) AND id > $3 ORDER BY id LIMIT 9";
    assert!(found(walk).contains("PRIMARY KEY (workspace_id=? AND id>?)"), "{}", found(walk));
}

/// How SQLite would run a statement on these tables, whatever they hold: it goes by the estimates made with them.
pub(crate) fn plan_of(sql: &str, rows: Option<crate::value::Columns<'static>>, values: i64) -> String {
    let db = memory();
    migrate(&db, SCHEMA).unwrap();
    let sql = format!("EXPLAIN QUERY PLAN {sql}");
    let values: Vec<crate::Val> = (1..=values).map(crate::Val::from).collect();
    let read = db.write(move |tx| match &rows {
        Some(rows) => tx.query_rows(&sql, rows, &values),
        None => tx.query(&sql, &values),
    });
    read.unwrap().iter().map(|row| row.text(3).unwrap().to_owned()).collect::<Vec<_>>().join("; ")
}
