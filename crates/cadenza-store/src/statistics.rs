//! How many rows the tables have, as the plans of statements take it. SQLite asks for nothing; PostgreSQL looks once a minute by
//! itself, and a young database grows from nothing to very much within that.

use crate::dialect::Engine;
use crate::error::Result;
use crate::query::Tx;

/// Below so many changed rows any plan will do.
const CHANGED_MIN: i64 = 1_000;

/// Has the tables looked at of which half or more has changed since that was done last; answers how many.
pub fn refresh(tx: &mut Tx) -> Result<usize> {
    if tx.engine() == Engine::Sqlite {
        return Ok(0);
    }
    let rows = tx.query(
        "SELECT CAST(relname AS TEXT) FROM pg_stat_user_tables
         WHERE schemaname = current_schema() AND n_mod_since_analyze > $1 AND n_mod_since_analyze > n_live_tup / 2",
        &[CHANGED_MIN.into()],
    )?;
    for row in &rows {
        tx.exec(&format!("ANALYZE {}", row.text(0)?), &[])?;
    }
    Ok(rows.len())
}
