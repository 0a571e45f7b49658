//! How many rows the tables have, as the plans of statements take it. SQLite asks for nothing; PostgreSQL looks once a minute by
//! itself, and a young database grows from nothing to very much within that. While it believes a table to be empty, it compares
//! each row of it with each of a batch instead of going by the key.

use crate::dialect::Engine;
use crate::error::Result;
use crate::query::Tx;

/// Below so many changed rows, or so many pages, any plan will do.
const CHANGED_MIN: i64 = 1_000;
const PAGES_MIN: i64 = 8;

/// Has the tables looked at of which half or more has changed since that was done last; answers how many. Of changes the
/// server tells a second late, of the pages at once.
pub fn refresh(tx: &mut Tx) -> Result<usize> {
    if tx.engine() == Engine::Sqlite {
        return Ok(0);
    }
    let rows = tx.query(
        "SELECT CAST(s.relname AS TEXT) FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid
         WHERE s.schemaname = current_schema()
           AND ((s.n_mod_since_analyze > $1 AND s.n_mod_since_analyze > s.n_live_tup / 2)
             OR pg_relation_size(s.relid) > 2 * greatest(c.relpages, $2) * CAST(current_setting('block_size') AS BIGINT))",
        &[CHANGED_MIN.into(), PAGES_MIN.into()],
    )?;
    for row in &rows {
        tx.exec(&format!("ANALYZE {}", row.text(0)?), &[])?;
    }
    Ok(rows.len())
}
